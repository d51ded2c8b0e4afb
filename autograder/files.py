"""What lies in a folder or a zip that strangers have filled: listed and read, never followed, never run."""

import errno
import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from autograder.errors import Misuse, Refused, Unreadable

MEGABYTE = 1_000_000
LARGEST_MEMBER = 256 * MEGABYTE  # of anything in a zip, once unpacked
LARGEST_ARCHIVE = 100 * MEGABYTE  # of a zip that lies in another zip: it has to be held in memory
LARGEST_UPLOAD = 1000 * MEGABYTE  # of all that one student's zip holds, once unpacked
MOST_FILES = 2000  # in one student's zip
MOST_FILES_OF_A_CLASS = 200_000
HIGHEST_RATIO = 200  # a notebook of text shrinks 5 to 20 times; a bomb about 1,000 times
SMALL = MEGABYTE  # below this no ratio can hurt
DEEPEST = 30  # folders in folders
LONGEST_NAME = 255  # bytes, as on every common disk

# Left behind by Jupyter, macOS, Windows and git: never a student's work.
JUNK = {".ipynb_checkpoints", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".git", "__pycache__"}


@dataclass(frozen=True)
class File:
    """One file, by its name from where the listing began ("/" between folders).

    ``inside`` leads on from a zip on the disk: the place of a member, and the place of a member of that.
    A folder that holds nothing is listed too. ``fault`` says why a file is not to be opened.
    """

    name: str
    path: Path
    inside: tuple[int, ...] = ()
    folder: bool = False
    fault: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders on the way, and the name itself."""
        return tuple(self.name.split("/"))


def shown(name: str) -> str:
    """Make a name safe to print: one line, accents composed, control characters written out, not too long."""
    text = "".join(map(_shown_character, unicodedata.normalize("NFC", name)))
    return text if len(text) <= 80 else f"{text[:50]}…{text[-25:]}"


def _shown_character(character: str) -> str:
    """Keep what can be seen; the joiner between emoji too, but nothing that turns the line around."""
    if character.isprintable() or character == "\u200d":
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def is_notebook(name: str) -> bool:
    """Whether a name ends like a notebook's, also where a browser has put a second ending behind it."""
    return name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def is_archive(name: str) -> bool:
    """Whether a name ends like a zip's."""
    return name.lower().endswith(".zip")


def walk(folder: Path) -> list[File]:
    """List all files in a folder and in its folders, sorted by name. Raises Misuse if they are too many."""
    found: list[File] = []
    pending = [(folder, "", 1)]
    while pending:
        place, prefix, depth = pending.pop()
        before = len(found), len(pending)
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if _is_junk(entry.name):
                        continue
                    name, path = prefix + entry.name, Path(entry.path)
                    mode = entry.stat(follow_symlinks=False).st_mode
                    if stat.S_ISDIR(mode) and depth < DEEPEST:
                        pending.append((path, f"{name}/", depth + 1))
                    else:
                        found.append(File(name, path, fault=_fault_of_mode(mode)))
        except OSError as error:
            if not prefix:
                raise Misuse(f"{folder}: {error.strerror}. Pass a folder that can be opened.") from error
            found.append(File(prefix[:-1], place, fault=f"cannot be opened ({error.strerror})"))
        if (len(found), len(pending)) == before and prefix:
            found.append(File(prefix[:-1], place, folder=True))
        if len(found) > MOST_FILES_OF_A_CLASS:
            raise Misuse(
                f"{folder}: more than {MOST_FILES_OF_A_CLASS:,} files. Pass the folder of one assignment."
            )
    return sorted(found, key=lambda file: file.name)


def members(archive: File, *, of_a_class: bool = False) -> list[File]:
    """List the files of a zip, sorted by name; what is wrong with one of them stands in its ``fault``.

    Raises Refused if the zip as a whole is not safe to open, Unreadable if it is damaged.
    """
    found = []
    with ExitStack() as stack:
        opened = _open_archive(archive, stack)
        entries = opened.infolist()
        most = MOST_FILES_OF_A_CLASS if of_a_class else MOST_FILES
        if len(entries) > most:
            raise Refused(
                f"{shown(archive.name)} holds more than {most:,} files: hand in the notebook alone."
            )
        if not of_a_class and sum(entry.file_size for entry in entries) > LARGEST_UPLOAD:
            raise Refused(
                f"{shown(archive.name)} unpacks to more than {LARGEST_UPLOAD // MEGABYTE:,} MB: "
                "hand in the notebook alone."
            )
        for place, entry in enumerate(entries):
            parts = [part for part in re.split(r"[/\\]", entry.filename) if part not in ("", ".", "..")]
            if not any(map(_is_junk, parts)):
                name, inside = "/".join(parts) or "without a name", (*archive.inside, place)
                fault = _fault_of_entry(entry)
                found.append(
                    File(name, archive.path, inside, folder=entry.filename.endswith(("/", "\\")), fault=fault)
                )
    filled = {"/".join(file.parts[:depth]) for file in found for depth in range(1, len(file.parts))}
    return sorted(
        (file for file in found if not (file.folder and file.name in filled)), key=lambda file: file.name
    )


def require_safe(file: File) -> None:
    """Raise Refused if a file is not to be opened."""
    if file.fault:
        raise Refused(f"{shown(file.name)} {file.fault}: hand in the notebook itself.")


def read(file: File, most: int) -> bytes:
    """Read one file, of at most so many bytes. Raises Refused, or Unreadable."""
    require_safe(file)
    with ExitStack() as stack:
        if not file.inside:
            stream = _open_regular(file, stack)
        else:
            whole = File(file.name, file.path, file.inside[:-1])
            opened = _open_archive(whole, stack)
            stream = _open_member(opened, file, stack)
        content = b"".join(_pieces(stream, file, most))
    if len(content) > most:
        raise Unreadable(
            f"{shown(file.name)} is larger than {most // MEGABYTE} MB: "
            "clear all outputs, save the notebook and hand it in again."
        )
    return content


def _is_junk(name: str) -> bool:
    """Whether no person made it; macOS keeps a twin of each file under ``._``."""
    return name in JUNK or name.startswith("._")


def _fault_of_mode(mode: int) -> str:
    """Say why something on the disk is not a plain file."""
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISLNK(mode):
        return "is a link and not a file"
    if stat.S_ISDIR(mode):
        return f"lies more than {DEEPEST} folders deep"
    return "is not a file but a pipe, a socket or a device"


def _fault_of_entry(entry: zipfile.ZipInfo) -> str:
    """Say why a member of a zip is not to be opened."""
    name = entry.filename.replace("\\", "/")
    parts = name.split("/")
    if ".." in parts or name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "has a name that leads out of the zip"
    if len(parts) > DEEPEST:
        return f"lies more than {DEEPEST} folders deep"
    if any(len(part.encode(errors="replace")) > LONGEST_NAME for part in parts):
        return f"has a name of more than {LONGEST_NAME} bytes"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return _fault_of_mode(kind)
    if entry.flag_bits & 1:
        return "is locked with a password"
    # The others can blow up within one step of unpacking, before anyone can count.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that zips rarely use"
    if entry.file_size > LARGEST_MEMBER:
        return f"unpacks to more than {LARGEST_MEMBER // MEGABYTE} MB"
    if entry.file_size > max(SMALL, HIGHEST_RATIO * entry.compress_size):
        return f"unpacks to more than {HIGHEST_RATIO} times its size"
    return ""


def _open_regular(file: File, stack: ExitStack) -> IO[bytes]:
    """Open a file on the disk: a link that it has become meanwhile is not followed, a pipe not waited for."""
    try:
        number = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            require_safe(replace(file, fault=_fault_of_mode(stat.S_IFLNK)))
        raise Unreadable(
            f"{shown(file.name)} cannot be opened ({error.strerror}): check the file and grade again."
        ) from error
    stream = stack.enter_context(os.fdopen(number, "rb"))
    require_safe(replace(file, fault=_fault_of_mode(os.fstat(number).st_mode)))
    return stream


def _open_archive(file: File, stack: ExitStack) -> zipfile.ZipFile:
    """Open a zip on the disk, or one that lies in a zip."""
    stream = io.BytesIO(read(file, LARGEST_ARCHIVE)) if file.inside else _open_regular(file, stack)
    try:
        return stack.enter_context(zipfile.ZipFile(stream))
    except Exception as error:  # zipfile raises a dozen kinds for damaged bytes
        raise Unreadable(
            f"{shown(file.name)} is not a zip that can be opened: hand in the notebook alone."
        ) from error


def _open_member(opened: zipfile.ZipFile, file: File, stack: ExitStack) -> IO[bytes]:
    """Open a member of a zip."""
    try:
        return stack.enter_context(opened.open(opened.infolist()[file.inside[-1]]))
    except Exception as error:  # as above
        raise _damaged(file) from error


def _pieces(stream: IO[bytes], file: File, most: int) -> Iterator[bytes]:
    """Read a stream until its end, or until it is longer than it may be."""
    left = most + 1
    while left > 0:
        try:
            piece = stream.read(min(left, MEGABYTE))
        except Exception as error:  # from the disk, from zipfile or from zlib
            raise _damaged(file) from error
        if not piece:
            return
        left -= len(piece)
        yield piece


def _damaged(file: File) -> Unreadable:
    """Say that the bytes are not what the zip, or the disk, promises."""
    return Unreadable(
        f"{shown(file.name)} is damaged: download the notebook once more and hand in that file."
    )
