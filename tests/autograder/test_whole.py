"""A file is written whole or not at all, and an error says which one it was."""

import resource
from pathlib import Path

import pytest

from autograder import whole


def test_file_is_replaced_and_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "grades.csv"
    for content in (b"one", b"two"):
        whole.replace(path, content)
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_file_with_the_same_content_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    whole.replace(path, b"same")
    before = path.stat()
    whole.replace(path, b"same")
    assert path.stat() == before


def test_disk_that_is_full_names_the_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    whole.replace(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # as if there were no room for more
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            whole.replace(path, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_where_the_file_belongs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.mkdir()
    with pytest.raises(OSError, match="Is a directory") as caught:
        whole.replace(path, b"new")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
