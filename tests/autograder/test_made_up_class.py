"""A made-up class is read back as it was meant: who, which try, late or not, and what cannot be read."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder import build, made_up_class, submissions
from autograder.errors import Misuse
from autograder.made_up_class import Expected, MadeUp
from autograder.submissions import Upload

REPOSITORY = Path(__file__).resolve().parents[2]
BY_READING = {"unreadable", "ambiguous", "wrong_exercise"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """A class of sixty."""
    return made_up_class.write(tmp_path_factory.mktemp("class"), REPOSITORY)


@pytest.fixture(scope="module")
def functions() -> dict[str, Sequence[str]]:
    """The functions that each exercise asks for."""
    masters = build.read_masters(REPOSITORY, build.known_slugs(REPOSITORY))
    return {
        master.slug: [name for question in master.questions for name in question.functions]
        for master in masters
    }


def pairs(made: MadeUp) -> list[tuple[Expected, Upload]]:
    """What was expected of each student, and what was found of them."""
    found = {upload.students[0].number: upload for upload in submissions.find(made.submissions)}
    assert set(found) == {expected.student.number for expected in made.handed_in}
    return [(expected, found[expected.student.number]) for expected in made.handed_in]


def rows(path: Path) -> list[list[str]]:
    """Read a table."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_every_student_is_found_with_their_last_try(made: MadeUp) -> None:
    for expected, upload in pairs(made):
        assert upload.platform == "canvas"
        assert upload.students[0].name == made_up_class.canvas_name(expected.student)
        assert (upload.late, upload.attempt) == (expected.late, expected.attempt)
        if upload.file and not expected.files[-1].endswith(".zip"):
            assert upload.file.name == expected.files[-1]
    assert any(expected.late for expected in made.handed_in)
    assert any(expected.attempt == 2 for expected in made.handed_in)


def test_what_reading_decides_comes_out(made: MadeUp, functions: dict[str, Sequence[str]]) -> None:
    for expected, upload in pairs(made):
        status = submissions.read(upload, "kernels", functions).status
        wanted = expected.statuses if expected.statuses <= BY_READING else {"readable"}
        assert status in wanted, expected


def test_only_the_twins_are_the_same_file(made: MadeUp) -> None:
    alike = [expected for expected, upload in pairs(made) if "byte for byte" in " ".join(upload.notes)]
    assert [expected.kind for expected in alike] == ["twin", "twin"]


def test_a_third_is_right_and_most_others_are_wrong_by_name(made: MadeUp) -> None:
    counts = Counter(expected.kind for expected in made.expected)
    assert len(made.expected) == 60
    assert 16 <= counts["right"] + counts["twin"] <= 24
    assert counts["one mistake"] + counts["two mistakes"] >= 12
    assert counts["two mistakes"] >= 2
    assert counts["nothing"] == 4
    assert all(expected.mistakes for expected in made.expected if "mistake" in expected.kind)


def test_same_seed_gives_the_same_bytes(made: MadeUp, tmp_path: Path) -> None:
    again = made_up_class.write(tmp_path / "again", REPOSITORY)
    other = made_up_class.write(tmp_path / "other", REPOSITORY, seed=7)

    def contents(one: MadeUp) -> dict[str, bytes]:
        folder = one.roster.parent
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}

    assert again.expected == made.expected
    assert contents(again) == contents(made)
    assert contents(other) != contents(made)


def test_gradebook_and_roster_hold_every_student_once(made: MadeUp) -> None:
    numbers = [expected.student.number for expected in made.expected]
    headings, points, *students, test_student = rows(made.gradebook)
    assert [row[1] for row in students] == numbers
    assert len(set(numbers)) == len(numbers)
    assert points[0] == "    Points Possible"
    assert test_student[0] == "Student, Test"
    place = headings.index(made.column)
    assert points[place] == "18.0"
    assert {row[place] for row in students} == {""}
    assert {len(row) for row in (points, *students, test_student)} == {len(headings)}
    assert [row[1] for row in rows(made.roster)[1:]] == numbers


def test_names_survive(made: MadeUp) -> None:
    names = [expected.student.name for expected in made.expected]
    assert [row[0] for row in rows(made.roster)[1:]] == names
    assert [row[0] for row in rows(made.gradebook)[2:-1]] == names
    assert names.count("Kim, Minseo") == 2
    for name in ("Sunarwati", "歐陽, 小雨", "نور الدين, ليان", "d'Arcy-Quill, Ève"):
        assert name in names


def test_gradebook_has_what_must_come_back_byte_for_byte(made: MadeUp) -> None:
    content = made.gradebook.read_bytes()
    assert content.count(b"\r\n") == len(rows(made.gradebook))
    for piece in (b',"",', b'""call me Al"", please"', b'"two\nlines"', b"3, from section 2", b',"77",'):
        assert piece in content


@pytest.mark.parametrize("slug", ["forward", "pixels"])
def test_class_can_be_made_of_another_exercise(slug: str, tmp_path: Path) -> None:
    made = made_up_class.write(tmp_path, REPOSITORY, slug, students=40)
    assert len(made.expected) == 40
    assert len(pairs(made)) == 36


def test_folder_in_use_and_class_too_small_are_said(made: MadeUp, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="exists already"):
        made_up_class.write(made.roster.parent, REPOSITORY)
    with pytest.raises(Misuse, match="at least 40 students"):
        made_up_class.write(tmp_path, REPOSITORY, students=10)
