"""The same master gives the same bytes, and nothing half written is left behind."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import archives, whole
from tests.autograder.conftest import make_repository

Command = Callable[..., subprocess.CompletedProcess[str]]


def everything(folder: Path) -> dict[str, bytes]:
    """All files that the build wrote."""
    paths = [*(folder / "exercises").iterdir(), *(folder / "dist").iterdir()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_building_twice_and_in_another_folder_gives_the_same_bytes(
    repository: Path, tmp_path: Path, autograder: Command
) -> None:
    other = make_repository(tmp_path / "another" / "place with spaces")
    assert autograder(repository, "build").returncode == 0
    first = everything(repository)
    for path in first:
        (repository / path).unlink()
    assert autograder(repository, "build", "doubling").returncode == 0
    assert autograder(other, "build").returncode == 0
    assert everything(repository) == first
    assert everything(other) == first
    assert sorted(first) == [
        "dist/SHA256SUMS",
        "dist/doubling.zip",
        "dist/doubling_solved.ipynb",
        "exercises/doubling.ipynb",
    ]
    for line in first["dist/SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(first[f"dist/{name}"]).hexdigest() == digest


def test_seed_changes_the_bundle_and_not_the_student_notebook(
    repository: Path, autograder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    autograder(repository, "build")
    public = everything(repository)
    monkeypatch.setenv("AUTOGRADER_SEED", "8")
    autograder(repository, "build")
    private = everything(repository)
    assert private["exercises/doubling.ipynb"] == public["exercises/doubling.ipynb"]
    assert private["dist/doubling.zip"] != public["dist/doubling.zip"]
    assert b"SEED = 8" in archives.unpack(private["dist/doubling.zip"])["tests/q1.py"]


def test_gpu_setting_is_written_into_the_bundle(
    repository: Path, autograder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asked, written in ((None, b"GPU = 'required'"), ("cpu-scale", b"GPU = 'cpu-scale'")):
        if asked:
            monkeypatch.setenv("AUTOGRADER_GPU", asked)
        autograder(repository, "build")
        bundle = archives.unpack((repository / "dist" / "doubling.zip").read_bytes())
        assert written in bundle["tests/q1.py"]


def test_build_says_what_was_made_and_what_comes_next(repository: Path, autograder: Command) -> None:
    done = autograder(repository, "build")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "doubling       1 questions     2 points",
        "1 exercise, 2 points, in exercises/ and dist/. Next: autograder check",
    ]


def test_student_notebook_has_setup_points_checks_and_no_outputs(built: Path) -> None:
    notebook = json.loads((built / "exercises" / "doubling.ipynb").read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert list(cells) == ["opening-text-1", "setup", "q1-text-1", "q1-answer", "q1-check", "after-q1-text-1"]
    assert cells["setup"]["metadata"]["tags"] == ["hide-input", "otter_ignore"]
    assert cells["q1-check"]["source"] == ['check("q1")']
    assert "*Question q1 · 2 points · 1 open check and 1 hidden one*\n" in cells["q1-text-1"]["source"]
    assert "*1 question · 2 points · about 5 minutes*\n" in cells["opening-text-1"]["source"]
    assert cells["q1-answer"]["source"][-1] == "    ..."
    assert all(cell.get("outputs", []) == [] for cell in notebook["cells"])
    about = {"slug": "doubling", "points": 2, "minutes": 5, "chapter": "sums", "title": "Doubling"}
    assert notebook["metadata"]["mostly_harmless"] == about


def test_bundle_pins_what_the_exercise_imports(built: Path) -> None:
    files = archives.unpack((built / "dist" / "doubling.zip").read_bytes())
    pins = (built / "requirements.txt").read_text(encoding="utf-8")
    wanted = next(line for line in pins.splitlines() if line.startswith("numpy=="))
    assert f"- {wanted}" in files["environment.yml"].decode()
    assert "768 MB" in files["GRADESCOPE.md"].decode()


def test_notes_for_gradescope_ask_for_memory_where_the_exercise_needs_pytorch(
    repository: Path, autograder: Command
) -> None:
    def notes() -> str:
        assert autograder(repository, "build").returncode == 0
        return archives.unpack((repository / "dist" / "doubling.zip").read_bytes())["GRADESCOPE.md"].decode()

    plain = notes()
    assert "768 MB, which is enough" in plain
    assert "PyTorch is not\n  installed there" in plain
    path = repository / "solutions" / "doubling.md"
    path.write_text(path.read_text(encoding="utf-8").replace("[numpy]", "[numpy, torch]"), encoding="utf-8")
    with_torch = notes()
    assert "768 MB, which is too little" in with_torch
    assert "environment.yml in this zip installs PyTorch" in with_torch
    assert "installed there" not in with_torch


def test_mistake_in_a_master_leaves_everything_as_it_was(built: Path, autograder: Command) -> None:
    before = everything(built)
    path = built / "solutions" / "doubling.md"
    path.write_text(path.read_text(encoding="utf-8").replace("# END TESTS", "# END TEST"), encoding="utf-8")
    done = autograder(built, "build")
    assert done.returncode == 1
    assert "solutions/doubling.md:" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(built) == before


def test_failure_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "notebook.ipynb"
    target.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autograder.whole.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        whole.replace(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["notebook.ipynb"]
    assert target.read_bytes() == b"old"


def test_package_without_a_pin_is_named(repository: Path, autograder: Command) -> None:
    path = repository / "solutions" / "doubling.md"
    path.write_text(path.read_text(encoding="utf-8").replace("[numpy]", "[nonesuch]"), encoding="utf-8")
    done = autograder(repository, "build")
    assert done.returncode == 1
    assert "requirements.txt has no exact version of nonesuch" in done.stderr
