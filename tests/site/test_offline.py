"""After the install nothing needs the network: the whole build and every page, with the network cut off."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import CONTENT, PAGES, REPOSITORY

# A network namespace of its own, with nothing in it but the loopback device.
CUT_OFF = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--"]


@pytest.fixture(scope="module")
def clean_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fresh clone holds: the tracked files and what is not committed yet, nothing built."""
    folder = tmp_path_factory.mktemp("offline") / "course"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
    return folder


def test_the_book_builds_and_every_page_opens_without_a_network(clean_copy: Path) -> None:
    built = subprocess.run(
        [*CUT_OFF, sys.executable, "book/_make/build_site.py", "--root", str(clean_copy)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    # Executed here, not read from a cache.
    assert "Executing" in built.stdout
    html = clean_copy / "_build" / "html"
    assert all((html / f"{name}.html").is_file() for name in CONTENT)

    visited = subprocess.run(
        [*CUT_OFF, sys.executable, "tests/site/visit_pages.py", str(html), *PAGES],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(visited.stdout)
    assert told["interfaces"] == ["lo"], "the network was not cut off"
    assert told["failed"] == []
    assert sorted(told["titles"]) == sorted(PAGES)
