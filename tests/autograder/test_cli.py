"""The command line: helpful, quiet, and clear about misuse."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_help_names_verbs_examples_and_exit_codes(repository: Path, autograder: Command) -> None:
    done = autograder(repository, "--help")
    assert done.returncode == 0
    for part in ("build", "check", "examples:", "exit code:", "AUTOGRADER_SEED"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "nonesuch"], "There is no solutions/nonesuch.md. The exercises are: doubling."),
        (["bake"], "invalid choice"),
        ([], "required: VERB"),
        (["build", "--fast"], "unrecognized arguments"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(
    repository: Path, autograder: Command, arguments: list[str], said: str
) -> None:
    done = autograder(repository, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_folder_that_is_no_course_is_said(tmp_path: Path, autograder: Command) -> None:
    done = autograder(tmp_path, "build")
    assert done.returncode == 2
    assert "There is no folder with solutions/ and pyproject.toml" in done.stderr


def test_course_that_is_a_link_to_itself_is_said(tmp_path: Path, autograder: Command) -> None:
    (tmp_path / "loop").symlink_to("loop")
    done = autograder(tmp_path, "--root", "loop", "build")
    assert done.returncode == 2
    assert "There is no folder with solutions/ and pyproject.toml" in done.stderr


def test_ctrl_c_while_the_command_is_being_read_shows_no_traceback(repository: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", "build"], cwd=repository, stderr=subprocess.PIPE, text=True
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while "_multiarray_umath" not in maps.read_text():  # a part of NumPy, which is read on the way
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == "\nStopped at once. Nothing was begun.\n"
    assert not list((repository / "exercises").glob("*"))


def test_command_works_from_a_folder_inside_the_course(repository: Path, autograder: Command) -> None:
    assert autograder(repository / "solutions", "build").returncode == 0
    assert (repository / "exercises" / "doubling.ipynb").is_file()


@pytest.mark.parametrize("seed", ["-1", "abc", "", "1.5"])
def test_seed_that_is_no_number_is_said(
    repository: Path, autograder: Command, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", seed)
    done = autograder(repository, "build")
    assert done.returncode == 2
    assert f"The seed of the hidden checks is {seed!r}" in done.stderr


def test_gpu_setting_that_is_unknown_is_said(
    repository: Path, autograder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_GPU", "maybe")
    done = autograder(repository, "build")
    assert done.returncode == 2
    assert "The setting gpu is 'maybe'; it must be 'required' or 'cpu-scale'." in done.stderr


def test_folder_that_cannot_be_written_is_said(repository: Path, autograder: Command) -> None:
    (repository / "exercises").write_text("in the way", encoding="utf-8")
    done = autograder(repository, "build")
    assert done.returncode == 1
    assert "autograder: " in done.stderr
    assert "Traceback" not in done.stderr
