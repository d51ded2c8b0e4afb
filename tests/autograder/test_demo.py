"""A made-up class of sixty is graded from uploads to reports, and everything comes out as it should."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import cli, demo, made_up_class, made_up_notebooks, results
from autograder.made_up_class import Expected, MadeUp
from autograder.results import Class, Result

REPOSITORY = Path(__file__).resolve().parents[2]
POINTS: dict[str, Callable[[float | None], bool]] = {
    "all": lambda score: score == 18,
    "less": lambda score: score is not None and score < 18,
    "none": lambda score: score == 0,
    "no score": lambda score: score is None,
    "any": lambda score: True,
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves behind."""
    folder = tmp_path_factory.mktemp("demo")
    cli.main(["--root", str(REPOSITORY), "build", demo.SLUG])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        assert demo.main(folder / "class") == 0
    return folder / "class"


@pytest.fixture(scope="module")
def made(graded: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """The same class, made once more: what each student has handed in, and what must come of it."""
    return made_up_class.write(tmp_path_factory.mktemp("again"), REPOSITORY, demo.SLUG)


@pytest.fixture(scope="module")
def found(graded: Path) -> dict[str, Result]:
    """Every result, by the student's number."""
    return {result.students[0].number: result for result in results.read_all(graded / "grades")}


def test_everyone_gets_what_they_should(made: MadeUp, found: dict[str, Result]) -> None:
    assert len(made.handed_in) == len(found) > 50
    assert [wrong for expected in made.handed_in if (wrong := complaint(expected, found))] == []


def complaint(expected: Expected, found: dict[str, Result]) -> str:
    """What is not as it should be with one student's result; empty if all is."""
    result = found[expected.student.number]
    named = {(question.name, question.mistake) for question in result.questions}
    as_it_should = (
        result.status in expected.statuses
        and POINTS[expected.earns](result.score)
        and set(expected.mistakes) <= named
        and (result.late, result.attempt) == (expected.late, expected.attempt)
    )
    return "" if as_it_should else f"{expected} came to {result}"


def test_nothing_hostile_has_left_anything_outside(graded: Path) -> None:
    places = [graded, graded.parent, REPOSITORY, Path.home(), Path("/tmp"), Path("/dev/shm"), Path.cwd()]
    assert not [place for place in places if (place / made_up_notebooks.KEPT_FILE).exists()]


def test_gradebook_is_filled_in_and_otherwise_the_same_bytes(
    graded: Path, made: MadeUp, found: dict[str, Result]
) -> None:
    before, after = made.gradebook.read_bytes(), (graded / "grades" / "gradebook.csv").read_bytes()
    tables = [
        list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) for content in (before, after)
    ]
    place = tables[0][0].index(made.column)
    number = tables[0][0].index("ID")
    filled = 0
    for old, new in zip(*tables, strict=True):
        assert old[:place] + old[place + 1 :] == new[:place] + new[place + 1 :]
        result = found.get(new[number])
        if result is not None and result.status == "graded":
            assert float(new[place]) == result.score
            filled += 1
        else:
            assert new[place] == old[place]
    assert filled == sum(result.status == "graded" for result in found.values()) > 40
    # What is filled in is digits and perhaps a point: take them away again, and every byte is as it was.
    assert len(after) - len(before) == sum(
        len(new[place]) - len(old[place]) for old, new in zip(*tables, strict=True)
    )


def test_names_of_files_tell_nobody_who_it_is(graded: Path, found: dict[str, Result]) -> None:
    names = " ".join(path.name for path in (graded / "grades").rglob("*") if path.is_file()).lower()
    for result in found.values():
        for student in result.students:
            assert student.number not in names
            assert not any(part.lower() in names for part in student.name.split() if len(part) > 3)


def test_reports_can_be_made_again_from_the_results_alone(graded: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(graded / "grades", tmp_path / "grades"))
    for name in ("grades.csv", "summary.html", "gradebook.csv"):
        (again / name).unlink()
    shutil.rmtree(again / "feedback")
    assert cli.main(["report", str(again)]) == 1
    for path in (graded / "grades").rglob("*"):
        if path.is_file() and path.name != ".lock":
            assert (again / path.relative_to(graded / "grades")).read_bytes() == path.read_bytes()
    assert results.read(again / "class.json", Class).finished
