"""A class is graded by one command, which can be stopped at any moment and goes on where it was."""

import contextlib
import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder import batch, results

REPOSITORY = Path(__file__).resolve().parents[2]
RIGHT = "def double(number):\n    return 2 * number"
WRONG = "def double(number):\n    return number * number"
SLOW = "import time\ntime.sleep(0.3)\n"
ENDLESS = "while True: pass"
Run = Callable[..., subprocess.CompletedProcess[str]]


def notebook(*cells: str) -> str:
    """A notebook of code cells, as a student hands it in."""
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": []}
                | {"execution_count": None}
                for n, source in enumerate(cells)
            ],
            "metadata": {"mostly_harmless": {"slug": "doubling"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def hand_in(folder: Path, **students: list[str]) -> Path:
    """Lay out a folder of uploads, no two of which are the same file."""
    folder.mkdir(exist_ok=True)
    for name, cells in students.items():
        own = [f"# by {name}", *cells] if cells else []
        (folder / f"{name}.ipynb").write_text(notebook(*own), encoding="utf-8")
    return folder


def outcomes(out: Path) -> dict[str, tuple[str, float | None]]:
    """Each student's status and score."""
    found = [json.loads(path.read_text()) for path in (out / "results").glob("*.json")]
    return {result["students"][0]["name"]: (result["status"], result["score"]) for result in found}


def everything(out: Path) -> dict[str, bytes]:
    """All files of a graded class but the one that tells when it was graded, and pages that show that."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.suffix in (".json", ".csv") and path.name != "class.json"
    }


def begin(course: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the real command and go on."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AUTOGRADER_")}
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=course,
        env=environment | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # so that a signal can go to all of it, as a terminal's does
    )


def first_judge(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """Return the process whose forks are the judges, if it is there already."""
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):  # others come and go
            if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                return child
    return None


def wait_for_results(out: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until some results are there."""
    end = time.monotonic() + 60
    while len(list(out.glob("results/*.json"))) < number:
        assert process.poll() is None, "the command ended too early for this test"
        assert time.monotonic() < end
        time.sleep(0.01)


def test_class_is_graded_from_uploads_to_csv(built: Path, tmp_path: Path, autograder: Run) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT], bob=[WRONG], cyd=["x = 1", "def double("], dot=[])
    (folder / "eve.ipynb").write_text("<html>log in</html>")
    done = autograder(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr  # eve's needs a person
    expected = {"ann": ("graded", 2.0), "bob": ("graded", 0.0), "cyd": ("graded", 0.0)}
    assert outcomes(tmp_path / "out") == expected | {"dot": ("unreadable", None), "eve": ("unreadable", None)}
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == ["id", "student", "submission", "status", "score", "points", "pending"]
    assert [row["student"] for row in rows] == ["ann", "bob", "cyd", "dot", "eve"]
    assert [row["score"] for row in rows] == ["2", "0", "0", "", ""]
    assert len(list((tmp_path / "out" / "feedback").glob("*.html"))) == 5
    assert "squared" in (tmp_path / "out" / "summary.html").read_text(encoding="utf-8")


def test_line_that_installs_something_is_left_out_and_noted(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    folder = hand_in(tmp_path / "in", ann=["%pip install doubling", RIGHT], bob=["pip = 3", RIGHT])
    assert autograder(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out")).returncode == 0
    found = {result.student: result for result in results.read_all(tmp_path / "out")}
    assert [result.score for result in found.values()] == [2, 2]
    assert found["ann"].failed_cells == ()
    assert ["call pip or conda were left out" in "".join(found[name].notes) for name in ("ann", "bob")] == [
        True,
        False,
    ]


def test_all_graded_is_exit_code_0_and_twice_is_the_same(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT], bob=[WRONG])
    commands = [("grade", "doubling", str(folder), "--out", str(tmp_path / name)) for name in ("a", "b")]
    assert [autograder(built, *command).returncode for command in commands] == [0, 0]
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a" / "results").iterdir()}
    again = autograder(built, *commands[0])
    assert "2 submissions had been graded before" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a" / "results").iterdir()} == before


def test_changed_notebook_is_graded_again_and_others_are_not(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    command = ("grade", "doubling", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    hand_in(tmp_path / "in", ann=[RIGHT], bob=[WRONG])
    autograder(built, *command)
    hand_in(tmp_path / "in", bob=[RIGHT])
    again = autograder(built, *command)
    assert "1 submission had been graded before" in again.stdout
    assert outcomes(tmp_path / "out") == {"ann": ("graded", 2.0), "bob": ("graded", 2.0)}


def test_results_of_other_uploads_stay_and_are_said(built: Path, tmp_path: Path, autograder: Run) -> None:
    command = ("grade", "doubling", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    hand_in(tmp_path / "in", ann=[RIGHT], bob=[WRONG])
    assert "stayed" not in autograder(built, *command).stdout
    (tmp_path / "in" / "bob.ipynb").rename(tmp_path / "in" / "bea.ipynb")
    said = autograder(built, *command).stdout
    assert "1 result of submissions that are not in" in said
    assert set(outcomes(tmp_path / "out")) == {"ann", "bob", "bea"}


def test_outdated_results_are_not_reported_by_a_run_that_is_stopped(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    command = ["grade", "doubling", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--jobs", "1"]
    hand_in(tmp_path / "in", **CLASS)
    assert autograder(built, *command).returncode == 0
    listed = list((tmp_path / "out" / "results").glob("*.json"))
    before = {path: path.read_bytes() for path in listed}
    process = begin(built, *command, "--timeout", "59")  # other limits: all have to be graded again
    end = time.monotonic() + 60
    while sum(path.read_bytes() != content for path, content in before.items()) < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert all(path.read_bytes() != before[path] for path in listed if path.exists())
    rows = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig").splitlines()
    assert 3 <= len(rows) == 1 + len(outcomes(tmp_path / "out")) < 9


def test_outdated_results_stay_where_nothing_can_be_graded(
    built: Path, tmp_path: Path, autograder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("grade", "doubling", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    hand_in(tmp_path / "in", ann=[RIGHT])
    assert autograder(built, *command).returncode == 0
    monkeypatch.setenv("PATH", str(tmp_path))  # no bubblewrap
    assert autograder(built, *command, "--timeout", "59").returncode == 2
    assert outcomes(tmp_path / "out") == {"ann": ("graded", 2.0)}


@pytest.mark.parametrize("moment", ["at once", 0, 1, 4, 7])
def test_run_that_was_killed_goes_on_to_what_an_undisturbed_one_gives(
    built: Path, tmp_path: Path, autograder: Run, undisturbed: dict[str, bytes], moment: Any
) -> None:
    folder = hand_in(tmp_path / "in", **CLASS)
    command = ("grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--jobs", "2")
    process = begin(built, *command)
    if moment == "at once":
        time.sleep(0.5)
    else:
        wait_for_results(tmp_path / "out", moment, process)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    results = list((tmp_path / "out" / "results").glob("*.json"))
    assert all(json.loads(path.read_text())["version"] for path in results)  # whole, each of them
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, f"{len(alive)} of {len(gone) + len(alive)} processes outlived the command"
    done = autograder(built, *command)
    assert done.returncode == 0, done.stderr
    assert everything(tmp_path / "out") == undisturbed


CLASS: dict[str, list[str]] = {f"s{number}": [SLOW, (RIGHT, WRONG)[number % 2]] for number in range(8)}


@pytest.fixture(scope="module")
def undisturbed(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What comes of the class when nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    hand_in(folder / "in", **CLASS)
    process = begin(built_once, "grade", "doubling", str(folder / "in"), "--out", str(folder / "out"))
    process.communicate(timeout=120)
    assert process.returncode == 0
    return everything(folder / "out")


def test_ctrl_c_finishes_what_is_running_and_says_how_to_go_on(built: Path, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", **CLASS)
    process = begin(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--jobs", "1")
    wait_for_results(tmp_path / "out", 2, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    done = len(outcomes(tmp_path / "out"))
    assert 3 <= done < 8
    assert f"Stopped: {8 - done} of 8 are not graded yet. The same command goes on." in errors.decode()
    assert (tmp_path / "out" / "summary.html").is_file()


@pytest.mark.parametrize("moment", [0, 0.3, 0.9, 1.2])
def test_ctrl_c_while_a_judge_starts_ends_the_command_and_shows_no_traceback(
    built: Path, tmp_path: Path, moment: float
) -> None:
    folder = hand_in(tmp_path / "in", **CLASS)
    process = begin(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--jobs", "1")
    while first_judge(process) is None:
        assert process.poll() is None
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors.decode()
    assert "The same command goes on." in errors.decode()


def test_judges_are_forked_where_no_thread_but_two_is_there() -> None:
    imports = "".join(f"import {name}; " for name in batch.PRELOADED)
    code = (
        f"{imports}import pathlib, sys; assert 'torch' not in sys.modules; "
        "print(*(path.read_text().strip() for path in pathlib.Path('/proc/self/task').glob('*/comm')))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    # Its own and those of OpenBLAS bear Python's name.
    assert set(found.stdout.split()) <= {Path(sys.executable).name, "python", "jemalloc_bg_thd"}


@pytest.mark.parametrize("killed", [["judge"], ["first"], ["first", "judge"]], ids=" and ".join)
def test_judge_that_dies_takes_no_submission_with_it(built: Path, tmp_path: Path, killed: list[str]) -> None:
    folder = hand_in(tmp_path / "in", **CLASS)
    process = begin(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--jobs", "2")
    wait_for_results(tmp_path / "out", 2, process)
    first = first_judge(process)
    assert first is not None
    judges = first.children()
    assert len(judges) == 2
    for which in killed:  # "first": the one that judges are forked from
        (first if which == "first" else judges[0]).kill()
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert [score for _, score in sorted(outcomes(tmp_path / "out").items())] == [
        ("graded", 2.0 * (1 - number % 2)) for number in range(8)
    ]
    for judge in judges:
        with contextlib.suppress(psutil.NoSuchProcess):
            assert (
                judge.status() == psutil.STATUS_ZOMBIE
            )  # ended; whoever has inherited it has not looked yet


def test_no_file_of_a_student_is_imported_by_the_grader(built: Path, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    for name in ("yaml", "numpy", "otter", "psutil", "random", "signal", "struct", "threading", "warnings"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n")
    command = [
        str(Path(sys.executable).with_name("autograder")),
        "--root",
        str(built),
        "grade",
        "doubling",
        ".",
    ]
    outer, inner = pty.openpty()  # on a terminal there is a progress bar, which starts a process for its lock
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=folder, stderr=inner, check=False, timeout=120
    )
    for end in (outer, inner):
        os.close(end)
    assert not (tmp_path / "imported").exists()
    assert done.returncode in (0, 1)
    assert outcomes(tmp_path / "out")["ann"] == ("graded", 2.0)


def test_judges_start_where_there_is_no_room_for_the_name_of_a_socket(built: Path, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "autograder",
            "grade",
            "doubling",
            str(folder),
            "--out",
            str(tmp_path / "out"),
        ],
        cwd=built,
        env=os.environ | {"TMPDIR": str(deep), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert outcomes(tmp_path / "out") == {"ann": ("graded", 2.0)}


def test_one_that_takes_too_long_is_tried_once_more_alone_and_keeps_its_other_points(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    folder = hand_in(
        tmp_path / "in", ann=[RIGHT], bob=[RIGHT, ENDLESS], cyd=[f"def double(x):\n    {ENDLESS}"]
    )
    began = time.monotonic()
    command = ("grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--timeout", "3")
    done = autograder(built, *command)
    assert done.returncode == 1
    assert outcomes(tmp_path / "out") == {
        "ann": ("graded", 2.0),
        "bob": ("timeout", 2.0),
        "cyd": ("timeout", 0.0),
    }
    assert time.monotonic() - began > 2 * (1 + 1)  # each twice, a third of its time for one cell or call


def test_files_that_are_not_as_they_must_be_stop_the_command_before_anything_is_done(
    built: Path, tmp_path: Path, autograder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = hand_in(tmp_path / "in", ann=[RIGHT]), tmp_path / "out"
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    good = ("grade", "doubling", str(folder), "--out", str(out))
    for command, said in (
        (("grade", "halving", *good[2:]), "There is no solutions/halving.md"),
        (("grade", "doubling", str(tmp_path / "none"), "--out", str(out)), "not found"),
        (("grade", "doubling", str(tmp_path / "empty"), "--out", str(out)), "no uploads in it"),
        (
            ("grade", "doubling", str(folder), "--out", str(folder / "out")),
            "results would be taken for uploads",
        ),
        ((*good, "--jobs", "0"), "no whole number"),
        ((*good, "--device", "cuda", "--jobs", "2"), "leave --jobs out"),
        ((*good, "--roster", str(tmp_path / "odd.csv")), "odd.csv"),
        ((*good, "--gradebook", str(tmp_path / "odd.csv")), "gradebook"),
        ((*good, "--roster", str(tmp_path / "none.csv")), "none.csv: No such file"),
    ):
        done = autograder(built, *command)
        assert (done.returncode, said in done.stderr) == (2, True), (command, done.stderr)
        assert not out.exists(), command
    monkeypatch.setenv("AUTOGRADER_SEED", "8")
    shutil.copytree(built, tmp_path / "course")
    (tmp_path / "course" / "pyproject.toml").write_text("[tool.autograder]\nseed = 8\n")
    stale = autograder(tmp_path / "course", *good)
    assert (stale.returncode, "Make it again: autograder build doubling" in stale.stderr) == (2, True)
    shutil.rmtree(tmp_path / "course" / "dist")
    absent = autograder(tmp_path / "course", *good)
    assert "dist/doubling.zip is not there yet" in absent.stderr


def test_without_bubblewrap_nothing_is_graded_unless_the_instructor_insists(
    built: Path, tmp_path: Path, autograder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    monkeypatch.setenv("PATH", str(tmp_path))
    command = ("grade", "doubling", str(folder), "--out", str(tmp_path / "out"))
    refused = autograder(built, *command)
    assert refused.returncode == 2
    assert "bubblewrap is not installed" in refused.stderr
    assert outcomes(tmp_path / "out") == {}
    insisted = autograder(built, *command, "--isolation", "none")
    assert insisted.returncode == 0
    assert "could do what you can do" in insisted.stderr
    assert outcomes(tmp_path / "out") == {"ann": ("graded", 2.0)}


def test_folder_with_the_results_of_another_exercise_is_left_alone(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    command = ("grade", "doubling", str(folder), "--out", str(tmp_path / "out"))
    autograder(built, *command)
    about = tmp_path / "out" / "class.json"
    about.write_text(about.read_text().replace('"exercise": "doubling"', '"exercise": "halving"'))
    refused = autograder(built, *command)
    assert (refused.returncode, "holds the results of halving" in refused.stderr) == (2, True)


def test_ctrl_c_twice_stops_at_once_and_says_how_to_go_on(built: Path, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT], bob=[RIGHT, ENDLESS])
    process = begin(built, "grade", "doubling", str(folder), "--out", str(tmp_path / "out"), "--jobs", "1")
    wait_for_results(tmp_path / "out", 1, process)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in errors.decode()) == (1, False)
    assert "Stopped at once. The same command goes on." in errors.decode()
    assert set(outcomes(tmp_path / "out")) == {"ann"}


def test_out_that_cannot_be_written_to_is_misuse(built: Path, tmp_path: Path, autograder: Run) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    for out in ("file", "file/below", "loop", "loop/below"):
        done = autograder(built, "grade", "doubling", str(folder), "--out", str(tmp_path / out))
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), (out, done.stderr)
        assert "Name a folder that can be written to." in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
    done = autograder(built, "grade", "doubling", str(tmp_path / "loop"), "--out", str(tmp_path / "out"))
    assert (done.returncode, "not found" in done.stderr) == (2, True)


def test_gradebook_and_its_column_of_an_earlier_run_stay(
    built: Path, tmp_path: Path, autograder: Run
) -> None:
    folder, out = hand_in(tmp_path / "in", ann=[RIGHT]), tmp_path / "out"
    (tmp_path / "book.csv").write_text("name,Lab 3,Lab 4\nann,,\n")
    command = ("grade", "doubling", str(folder), "--out", str(out))
    passed = autograder(built, *command, "--gradebook", str(tmp_path / "book.csv"), "--column", "Lab 3")
    assert passed.returncode == 0, passed.stderr
    again = autograder(built, *command)
    assert again.returncode == 0, again.stderr
    assert (out / "gradebook.csv").read_text() == "name,Lab 3,Lab 4\nann,2,\n"
    before = everything(out) | {"class.json": (out / "class.json").read_bytes()}
    wrong = autograder(built, *command, "--column", "Lab 5")
    assert (wrong.returncode, "no column is called “Lab 5”" in wrong.stderr) == (2, True)
    assert everything(out) | {"class.json": (out / "class.json").read_bytes()} == before


def test_column_without_a_gradebook_is_misuse(built: Path, tmp_path: Path, autograder: Run) -> None:
    folder = hand_in(tmp_path / "in", ann=[RIGHT])
    out = tmp_path / "out"
    done = autograder(built, "grade", "doubling", str(folder), "--out", str(out), "--column", "Lab 3")
    assert (done.returncode, "--column" in done.stderr, out.exists()) == (2, True, False)
