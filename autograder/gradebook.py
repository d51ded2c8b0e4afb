"""The gradebook that an instructor passes in: its cells filled in, and every other byte as it was."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from autograder import people, roster, tables
from autograder.errors import Misuse
from autograder.files import shown
from autograder.people import Listed, Person
from autograder.results import Class, Result
from autograder.tables import Cell

NAMED = 10  # so many columns of a long list are named
# What stands in a cell that nobody has filled yet.
EMPTY = ("", "-", "–", "—")
MOODLE = ("grade", "maximum grade")
# Columns of Canvas and Moodle that never hold the points of an assignment.
OTHER = (
    *people.KNOWN,
    "section",
    "status",
    "root account",
    "integration id",
    "maximum grade",
    "grade can be changed",
    "last modified submission",
    "last modified grade",
    "feedback comments",
)


@dataclass(frozen=True)
class Line:
    """A line for the instructor: of whom (a submission, or a name on the list), and what."""

    who: str
    what: str
    result: Result | None = None


@dataclass(frozen=True)
class Filled:
    """A gradebook that was filled in.

    cells        how many cells hold the points of this exercise now
    overwritten  those that held something else before
    left         left as they were, though something was handed in: a person decides
    unmatched    submissions of somebody who is not found in it, and the reason
    without      people in it who have handed in nothing
    notes        what else the instructor should know
    """

    content: bytes
    column: str
    cells: int
    overwritten: tuple[Line, ...]
    left: tuple[Line, ...]
    unmatched: tuple[tuple[Result, str], ...]
    without: tuple[Person, ...]
    notes: tuple[str, ...]


def check(content: bytes, course: Class, name: str = "gradebook.csv") -> None:
    """Raise Misuse if it cannot be filled in: before an hour of work, and not after it."""
    listed = people.read(content, name)
    if not listed.people:
        raise Misuse(f"{name}: nobody stands in it. Export it once more, with all students of the class.")
    _column(listed, course, name)


def fill(content: bytes, course: Class, results: Sequence[Result], name: str = "gradebook.csv") -> Filled:
    """Fill in the points of those who are graded, with nothing pending. Raises Misuse, as ``check`` does."""
    check(content, course, name)
    listed = people.read(content, name)
    at = _column(listed, course, name)
    found = roster.matched(listed.people, results)
    by_person: dict[Person, list[Result]] = defaultdict(list)
    for result, match in found:
        if match.person is not None and result not in by_person[match.person]:
            by_person[match.person].append(result)
    comma = any(
        re.fullmatch(r"[0-9]+,[0-9]+", row[place].value.strip())
        for row in listed.rows[1:]
        for place in (at, *_maximum(listed))
        if place < len(row)
    )
    cells: dict[Cell, str] = {}
    filled, overwritten, left = 0, [], []
    for person in listed.people:
        if not (handed_in := by_person.get(person)):
            continue
        row = listed.rows[person.row]
        if why := _why_left(handed_in, row, at):
            left.append(Line(person.shown, why, handed_in[0]))
            continue
        filled += 1
        score = handed_in[0].score
        assert score is not None  # it is graded
        value, before = tables.number(score), row[at].value.strip()
        if _as_number(before) == _as_number(value):
            continue
        if before not in EMPTY:
            what = f"{shown(before)} became {value}"
            overwritten.append(Line(person.shown, what, handed_in[0]))
        cells[row[at]] = value.replace(".", ",") if comma else value
    text = tables.spliced(listed.text, cells, listed.delimiter)
    return Filled(
        text.encode(),
        shown(listed.rows[0][at].value),
        filled,
        tuple(overwritten),
        tuple(left),
        tuple((result, match.why) for result, match in found if match.person is None),
        tuple(person for person in listed.people if person not in by_person),
        _notes(listed, course, at),
    )


def _why_left(results: Sequence[Result], row: Sequence[Cell], at: int) -> str:
    """Say why a cell is left as it is; empty if it may be filled in."""
    if len(results) > 1:
        return f"{len(results)} submissions are by this person"
    (result,) = results
    if result.status != "graded" or result.score is None:
        return result.status.replace("_", " ")
    if result.pending:
        return f"{', '.join(result.pending)} pending"
    if at >= len(row):
        return "its row ends before this column"
    return "excused" if row[at].value.strip().casefold() in ("ex", "excused") else ""


def _column(listed: Listed, course: Class, name: str) -> int:
    """Find the one column that belongs to the exercise. Raises Misuse, which names those that there are."""
    titles = [cell.value.strip() for cell in listed.rows[0]]
    if course.column:
        wanted = course.column.strip().casefold()
        # "Sobel" names "Sobel (98765)" too; the whole heading is better where both are there.
        for shortened in (lambda title: title, _without_id):
            places = [place for place, title in enumerate(titles) if shortened(title).casefold() == wanted]
            if len(places) == 1:
                return _writable(listed, places[0], name)
        problem = f"{'no' if not places else 'more than one'} column is called “{shown(course.column)}”"
    elif all(heading in listed.header for heading in MOODLE):
        return listed.header.index("grade")
    else:
        wanted_words = {people.words(course.exercise), people.words(course.title)} - {""}
        places = [
            place
            for place in _assignments(listed)
            if any(f" {each} " in f" {listed.header[place]} " for each in wanted_words)
        ]
        if len(places) == 1:
            return _writable(listed, places[0], name)
        what = f"“{course.exercise}” or “{course.title}”"
        problem = f"{'no column has' if not places else 'more than one column has'} {what} in its heading"
    candidates = places if len(places) > 1 else _assignments(listed)
    named = "; ".join(shown(titles[place]) for place in candidates[:NAMED]) or "none"
    more = f" and {len(candidates) - NAMED} more" if len(candidates) > NAMED else ""
    raise Misuse(f"{name}: {problem}. Name one with --column; there are: {named}{more}.")


def _without_id(title: str) -> str:
    return re.sub(r"\s*\([0-9]+\)$", "", title)


def _assignments(listed: Listed) -> list[int]:
    """Return the places of the columns that may hold points."""
    return [
        place
        for place, heading in enumerate(listed.header)
        if heading and heading not in OTHER and not _is_read_only(listed, place)
    ]


def _is_read_only(listed: Listed, place: int) -> bool:
    """Whether Canvas computes this column; it says so in the row of the points."""
    row = _points_row(listed)
    return row is not None and place < len(row) and people.words(row[place].value) == "read only"


def _writable(listed: Listed, place: int, name: str) -> int:
    """Refuse to fill a column that Canvas computes itself."""
    if place in _assignments(listed):
        return place
    title = shown(listed.rows[0][place].value)
    raise Misuse(f"{name}: the column “{title}” is not for points. Name another one with --column.")


def _points_row(listed: Listed) -> tuple[Cell, ...] | None:
    """Return Canvas's row of what can be earned."""
    return next(
        (row for row in listed.rows[1:4] if row and people.words(row[0].value) == "points possible"), None
    )


def _maximum(listed: Listed) -> list[int]:
    """Return the place of Moodle's column of what can be earned, if it is there."""
    return [place for place, heading in enumerate(listed.header) if heading == "maximum grade"]


def _notes(listed: Listed, course: Class, at: int) -> tuple[str, ...]:
    """Say where the gradebook counts other points than the exercise."""
    said = set()
    row = _points_row(listed)
    if row is not None and at < len(row):
        said.add(row[at].value.strip())
    for place in _maximum(listed):
        rows = [listed.rows[person.row] for person in listed.people]
        said |= {row[place].value.strip() for row in rows if place < len(row)}
    other = sorted(
        value
        for value in said
        if (read := _as_number(value)) is not None and not math.isclose(read, course.points)
    )
    return tuple(
        f"The gradebook counts {shown(value)} points and the exercise {tables.number(course.points)}: "
        "points were filled in as they are, not scaled."
        for value in other
    )


def _as_number(value: str) -> float | None:
    return float(value.replace(",", ".")) if tables.NUMBER.fullmatch(value) else None
