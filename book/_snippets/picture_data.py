"""Pictures in ten classes to learn from: CIFAR-10 where it can be had, Tiny Museum everywhere else."""

import hashlib
import os
import textwrap
import threading
import urllib.error
import urllib.request
from pathlib import Path

import datasets

CIFAR10 = "uoft-cs/cifar10"
HUB = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
# Where this course is published; the build fills it in when it makes notebooks.
SITE = ""
MUSEUM = {
    "train": "419699f38fb989eb8648d9797b22052801d613906d2e0bd2f5ba8221c830317d",
    "test": "968f5eb488eed5cb63531a254c27e4dccc595517d6890d9a8d832ded7533d6e0",
}


class PictureDataError(Exception):
    """A data set is not there or is not what it should be; the message is a sentence."""


def load_pictures(from_hub=False):
    """Load pictures in ten classes and print which ones they are.

    The first of these that is asked for and there:
    1. the folder that the environment variable COURSE_CIFAR10 names
    2. CIFAR-10 from the Hugging Face Hub, with from_hub=True, if the Hub answers within five seconds
    3. Tiny Museum, drawn by code, which comes with this course

    returns  (name, data): "CIFAR-10" or "Tiny Museum", and a DatasetDict with the splits "train" and "test",
             each with the columns img (a 32 × 32 colour picture) and label (0 to 9)
    Raises PictureDataError if a folder or a download is not what it should be.
    """
    folder = os.environ.get("COURSE_CIFAR10", "").strip()
    why = ""
    if folder:
        path = Path(folder).expanduser()
        name, where, data = "CIFAR-10", f"from the folder {path.name}", _read(path)
    elif from_hub and _answers(HUB):
        name, where, data = "CIFAR-10", "from the Hugging Face Hub", _load(CIFAR10, CIFAR10)
    else:
        why = ", because the Hub did not answer" if from_hub else ""
        name, where, data = "Tiny Museum", "drawn by code", _read(_museum())
    many, tests = len(data["train"]), len(data["test"])
    print(textwrap.fill(f"{name}, {where}: {many:,} + {tests:,} pictures{why}.", 49))
    return name, data


def _answers(address, seconds=5.0):
    """Return whether a server says anything at all, even "no", within some seconds.

    Asked in a thread of its own: looking up a name can take longer than any time limit that one can set.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    heard = threading.Event()

    def ask():
        try:
            request = urllib.request.Request(address, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            heard.set()
        except urllib.error.HTTPError as error:
            error.close()
            heard.set()
        except (OSError, ValueError):
            pass

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return heard.is_set()


def _museum():
    """Return the folder of Tiny Museum: the book's own, or one beside this notebook, fetched if need be."""
    for folder in (Path("data/tiny-museum"), Path("book/data/tiny-museum")):
        if folder.is_dir():
            return folder
    here = Path("tiny-museum")
    for split, checksum in MUSEUM.items():
        _fetch(f"data/{split}-00000-of-00001.parquet", here, checksum)
    return here


def _fetch(name, folder, checksum):
    """Bring one file of Tiny Museum from the site, unless it is there and whole."""
    path = folder / name
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == checksum:
        return
    site = os.environ.get("COURSE_SITE", SITE).rstrip("/")
    if not site:
        raise PictureDataError(
            f"{path} is not here, and this notebook does not know the course's address: copy the folder "
            "data/tiny-museum of the course's site beside it, or set COURSE_SITE to the address."
        )
    address = f"{site}/data/tiny-museum/{name}"
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            content = answer.read()
    except (OSError, ValueError) as error:
        raise PictureDataError(
            f"{address} cannot be fetched ({error}): check the network and try again."
        ) from None
    if hashlib.sha256(content).hexdigest() != checksum:
        raise PictureDataError(
            f"{address} is not the file that this notebook was made for: download it anew."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _read(folder):
    """Load a folder in the Hugging Face layout and make sure that it holds what we need."""
    if not folder.is_dir():
        raise PictureDataError(f"{folder} is not a folder: name one that holds Parquet files.")
    if not any(folder.rglob("*.parquet")):
        raise PictureDataError(f"{folder} holds no Parquet file: name one in the Hugging Face layout.")
    return _load(str(folder), folder)


def _load(path, name):
    told = datasets.utils.logging
    bars, loudness = told.is_progress_bar_enabled(), told.get_verbosity()
    datasets.disable_progress_bars()
    told.set_verbosity(told.CRITICAL)  # what is wrong is said below, in one sentence
    try:
        data = datasets.load_dataset(path)
    except Exception as error:
        reason = str(error.__cause__ or error).strip().split("\n")[0][:200]
        raise PictureDataError(
            f"{name} cannot be loaded; perhaps a file is cut off or damaged: {reason}"
        ) from None
    finally:
        told.set_verbosity(loudness)
        if bars:
            datasets.enable_progress_bars()
    for split in ("train", "test"):
        if split not in data:
            raise PictureDataError(f"{name} has no split {split!r}; it has {', '.join(data)}.")
        _check(data[split], f"{name}, split {split!r},")
    return data


def _check(split, name):
    """Look at the columns and classes, and at twenty pictures from first to last."""
    missing = [column for column in ("img", "label") if column not in split.column_names]
    if missing:
        raise PictureDataError(
            f"{name} has no column {' and no column '.join(missing)}; it has {', '.join(split.column_names)}."
        )
    if not isinstance(split.features["img"], datasets.Image):
        raise PictureDataError(f"{name} has a column img that holds no pictures.")
    classes = getattr(split.features["label"], "names", None)
    if not classes or len(classes) != 10:
        raise PictureDataError(f"{name} names {len(classes or [])} classes instead of ten.")
    if not len(split):
        raise PictureDataError(f"{name} holds no picture.")
    for row in range(0, len(split), max(1, len(split) // 20)):
        try:
            picture = split[row]["img"]
        except Exception:
            raise PictureDataError(f"{name} holds a picture that cannot be opened, in row {row}.") from None
        if picture is None or picture.size != (32, 32):
            size = "nothing" if picture is None else "{} × {} pixels".format(*picture.size)
            raise PictureDataError(f"{name} holds {size} in row {row} instead of a picture of 32 × 32.")
