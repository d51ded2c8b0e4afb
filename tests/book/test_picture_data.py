"""The function that chooses between CIFAR-10 and Tiny Museum, loaded as chapters load it."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

ROOT = Path(__file__).parents[2]
MUSEUM = ROOT / "book" / "data" / "tiny-museum"
CIFAR10 = ROOT.parent / "shared" / "data" / "cifar10"
TEST_FILE = "data/test-00000-of-00001.parquet"


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The snippet as a module: an empty working folder, a cache of its own, no settings from outside."""
    for name in ("COURSE_CIFAR10", "COURSE_SITE", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    spec = importlib.util.spec_from_file_location("picture_data", ROOT / "book/_snippets/picture_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Serve = Callable[[Path], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a folder on localhost and return its address."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def small_set(
    folder: Path,
    *,
    columns: tuple[str, str] = ("img", "label"),
    side: int = 32,
    classes: int = 10,
    many: int = 20,
) -> Path:
    """Write a set of plain pictures in the Hugging Face layout."""
    held = io.BytesIO()
    Image.fromarray(np.zeros((side, side, 3), dtype=np.uint8)).save(held, "PNG")
    features = datasets.Features(
        {
            columns[0]: datasets.Image(),
            columns[1]: datasets.ClassLabel(names=[f"kind {place}" for place in range(classes)]),
        }
    )
    rows = {
        columns[0]: [{"bytes": held.getvalue(), "path": None}] * many,
        columns[1]: [row % classes for row in range(many)],
    }
    (folder / "data").mkdir(parents=True)
    for split in ("train", "test"):
        table = pa.table(rows, schema=features.arrow_schema)
        parquet.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


# What it chooses, and what it says


def test_beside_the_book_it_is_tiny_museum_without_any_network(
    loader: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "book")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it asked the network"))

    name, data = loader.load_pictures()

    assert name == "Tiny Museum"
    assert {split: len(data[split]) for split in data} == {"train": 3600, "test": 1000}
    assert data["train"].features["label"].names[:3] == ["amphora", "bowl", "coin"]
    assert data["train"][0]["img"].size == (32, 32)
    assert capsys.readouterr() == ("Tiny Museum, drawn by code: 3,600 + 1,000\npictures.\n", "")


def test_the_folder_that_a_reader_names_wins(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_CIFAR10", str(small_set(tmp_path / "mine")))

    name, data = loader.load_pictures(from_hub=True)

    assert name == "CIFAR-10"
    assert len(data["train"]) == 20
    assert capsys.readouterr().out == "CIFAR-10, from the folder mine: 20 + 20 pictures.\n"


def test_a_hub_that_does_not_answer_costs_seconds_and_gives_tiny_museum(
    loader: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "book")
    monkeypatch.setattr(loader, "HUB", "http://127.0.0.1:9")  # nobody listens there

    started = time.perf_counter()
    name, _ = loader.load_pictures(from_hub=True)

    assert name == "Tiny Museum"
    assert time.perf_counter() - started < 10
    assert "because the Hub did not answer" in " ".join(capsys.readouterr().out.split())


def test_a_hub_that_keeps_silent_is_not_waited_for(loader: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.perf_counter()

        assert not loader._answers(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.5)
    assert time.perf_counter() - started < 3


def test_a_hub_that_answers_is_asked_for_cifar10(
    loader: ModuleType, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "HUB", serve(tmp_path))
    monkeypatch.setattr(loader, "CIFAR10", str(small_set(tmp_path / "hub")))

    name, data = loader.load_pictures(from_hub=True)

    assert (name, len(data["test"])) == ("CIFAR-10", 20)


def test_a_server_that_says_no_has_answered(loader: ModuleType, tmp_path: Path, serve: Serve) -> None:
    assert loader._answers(serve(tmp_path) + "/nothing-here")


def test_offline_mode_is_respected(
    loader: ModuleType, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    assert not loader._answers(serve(tmp_path))


@pytest.mark.cifar10
@pytest.mark.skipif(not CIFAR10.is_dir(), reason="no copy of CIFAR-10 lies in ../shared/data/cifar10")
def test_the_copy_of_cifar10_is_loaded(loader: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_CIFAR10", str(CIFAR10))

    name, data = loader.load_pictures()

    assert name == "CIFAR-10"
    assert {split: len(data[split]) for split in data} == {"train": 50_000, "test": 10_000}
    assert data["train"].features["label"].names[3] == "cat"
    assert np.asarray(data["train"][0]["img"]).shape == (32, 32, 3)


# A notebook opened alone


def site_with_museum(folder: Path) -> Path:
    shutil.copytree(MUSEUM, folder / "data" / "tiny-museum")
    return folder


def test_the_checksums_are_those_of_the_files(loader: ModuleType) -> None:
    assert {
        split: hashlib.sha256((MUSEUM / f"data/{split}-00000-of-00001.parquet").read_bytes()).hexdigest()
        for split in ("train", "test")
    } == loader.MUSEUM


def test_alone_it_is_fetched_from_the_site_once(
    loader: ModuleType, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SITE", serve(site_with_museum(tmp_path / "site")) + "/")
    _, first = loader.load_pictures()
    monkeypatch.setenv("COURSE_SITE", "http://127.0.0.1:9")
    _, second = loader.load_pictures()

    assert len(first["train"]) == len(second["train"]) == 3600
    assert first["train"].features["label"].names[9] == "mosaic"
    assert (Path("tiny-museum") / TEST_FILE).read_bytes() == (MUSEUM / TEST_FILE).read_bytes()


def test_a_download_that_broke_off_is_fetched_again(
    loader: ModuleType, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SITE", serve(site_with_museum(tmp_path / "site")))
    broken = Path("tiny-museum") / TEST_FILE
    broken.parent.mkdir(parents=True)
    broken.write_bytes((MUSEUM / TEST_FILE).read_bytes()[:1000])

    _, data = loader.load_pictures()

    assert len(data["test"]) == 1000


def test_a_site_that_holds_another_file_is_not_believed(
    loader: ModuleType, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with_museum(tmp_path / "site")
    (site / "data/tiny-museum" / TEST_FILE).write_bytes(b"something else")
    monkeypatch.setenv("COURSE_SITE", serve(site))

    with pytest.raises(loader.PictureDataError, match="not the file that this notebook was made for"):
        loader.load_pictures()
    assert not (Path("tiny-museum") / TEST_FILE).exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "not an address"])
def test_a_site_out_of_reach_is_said(
    loader: ModuleType, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("COURSE_SITE", address)

    with pytest.raises(loader.PictureDataError, match=r"cannot be fetched .*: check the network"):
        loader.load_pictures()


def test_a_notebook_without_the_sites_address_says_what_to_copy(loader: ModuleType) -> None:
    with pytest.raises(loader.PictureDataError, match="copy the folder data/tiny-museum"):
        loader.load_pictures()


# Folders that are not what they should be


def fails(loader: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Return the one sentence that is said about a folder."""
    monkeypatch.setenv("COURSE_CIFAR10", str(folder))
    with pytest.raises(loader.PictureDataError) as caught:
        loader.load_pictures()
    said = str(caught.value)
    assert "\n" not in said
    assert str(folder) in said
    return said


def test_a_path_that_leads_nowhere_is_said(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is not a folder" in fails(loader, monkeypatch, tmp_path / "nowhere")


def test_a_file_instead_of_a_folder_is_said(loader: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not a folder" in fails(loader, monkeypatch, MUSEUM / "README.md")


def test_an_empty_folder_is_said(loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()

    assert "holds no Parquet file" in fails(loader, monkeypatch, tmp_path / "empty")


def test_missing_columns_are_named(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_set(tmp_path / "set", columns=("image", "fine_label"))

    said = fails(loader, monkeypatch, folder)

    assert "no column img and no column label; it has image, fine_label" in said


def test_pictures_of_another_size_are_said(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = fails(loader, monkeypatch, small_set(tmp_path / "set", side=28))

    assert "holds 28 × 28 pixels in row 0 instead of a picture of 32 × 32" in said


def test_another_number_of_classes_is_said(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = fails(loader, monkeypatch, small_set(tmp_path / "set", classes=7))

    assert "names 7 classes instead of ten" in said


def test_a_split_without_a_row_is_said(loader: ModuleType, tmp_path: Path) -> None:
    data = datasets.load_dataset(str(small_set(tmp_path / "set")))["train"]

    with pytest.raises(loader.PictureDataError, match="The set holds no picture"):
        loader._check(data.select([]), "The set")


def test_a_missing_split_is_said(loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_set(tmp_path / "set")
    (folder / TEST_FILE).unlink()

    assert "has no split 'test'; it has train" in fails(loader, monkeypatch, folder)


def test_a_picture_that_cannot_be_opened_is_said(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_set(tmp_path / "set")
    table = parquet.read_table(folder / TEST_FILE)
    cells = pa.array([{"bytes": b"no picture", "path": None}] * 20, table.schema.field("img").type)
    parquet.write_table(table.set_column(0, table.schema.field("img"), cells), folder / TEST_FILE)

    assert "split 'test', holds a picture that cannot be opened" in fails(loader, monkeypatch, folder)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_said_wherever_it_ends(loader: ModuleType, tmp_path: Path, kept: float) -> None:
    folder = tmp_path / "cut"
    shutil.rmtree(folder, ignore_errors=True)
    content = (small_set(folder) / TEST_FILE).read_bytes()
    (folder / TEST_FILE).write_bytes(content[: int(kept * len(content))])

    with pytest.MonkeyPatch.context() as patch:
        assert "perhaps a file is cut off or damaged" in fails(loader, patch, folder)


# The build


def test_the_build_publishes_the_files_and_tells_notebooks_where(tmp_path: Path) -> None:
    from .tiny_site import TinySite

    site = TinySite(tmp_path)
    site.chapter("one", '\n# One\n\n```{code-cell} ipython3\nSITE = ""\nOTHER_SITE = ""\n```\n')
    folder = tmp_path / "book" / "data" / "tiny"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Not a page\n", encoding="utf-8")
    site.build(github_repository="ada/course", published="book/data/tiny")

    assert not site.failed, site.log
    assert (site.html / "data" / "tiny" / "README.md").read_text(encoding="utf-8") == "# Not a page\n"
    assert site.code("one") == ['SITE = "https://ada.github.io/course/"\nOTHER_SITE = ""']


def test_the_course_publishes_tiny_museum_where_notebooks_look_for_it() -> None:
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")

    assert "published_data: [book/data/tiny-museum]" in config
