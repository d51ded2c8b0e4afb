"""The reports of a class, made again from its results alone: for the gradebook, the students, the instructor.

    grades.csv          one row per submission
    gradebook.csv       the gradebook that was passed in, filled in
    feedback/<id>.html  one page per student or group
    summary.html        the instructor's page

The same folder gives the same bytes.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import gradebook, pages, people, results, roster, tables, tallies, whole
from autograder.errors import Misuse
from autograder.files import shown
from autograder.gradebook import Filled
from autograder.results import Class, Result, Status
from autograder.roster import Compared

FIRST = ("id", "student", "submission", "status", "score", "points", "pending")
LAST = ("late", "attempt", "number", "email")
ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True)
class Summary:
    """What a command prints of a class.

    statuses  how many submissions came to each
    pending   how many submissions wait for a question
    persons   how many need a person: not graded, or a note on them names another submission
    median    of the scores; None where nothing was run
    compared  with the roster, if there is one
    filled    the gradebook, if there is one
    """

    statuses: Mapping[Status, int]
    pending: int
    persons: int
    median: float | None
    points: float
    compared: Compared | None
    filled: Filled | None

    @property
    def submissions(self) -> int:
        """How many there are."""
        return sum(self.statuses.values())


def write(folder: Path) -> Summary:
    """Make all reports in a folder of results. Raises Misuse if it is none, or if a list in it is damaged."""
    course = results.read(folder / "class.json", Class)
    found = results.read_all(folder)
    _require_ids(folder, found)
    listed, book = (_content(folder / "inputs" / name) for name in ("roster.csv", "gradebook.csv"))
    # Whatever can be wrong is found before anything is written.
    on_roster = None if listed is None else roster.read(listed, "roster.csv")
    compared = None if on_roster is None else roster.compare(on_roster, found)
    filled = None if book is None else gradebook.fill(book, course, found)
    lists = [on_roster or (), () if book is None else people.read(book, "gradebook.csv").people]
    called = roster.named(lists, found)
    for result in called:
        whole.replace(folder / "feedback" / f"{result.id}.html", pages.feedback(result, course))
    _remove_stale(folder / "feedback", {result.id for result in found})
    whole.replace(folder / "grades.csv", grades(course, called))
    if filled is not None:
        whole.replace(folder / "gradebook.csv", filled.content)
    whole.replace(folder / "summary.html", pages.summary(course, called, compared, filled))
    by_id = {result.id: result for result in found}
    return Summary(
        statuses=Counter(result.status for result in found),
        pending=sum(bool(result.pending) for result in found),
        persons=sum(tallies.needs_person(result, by_id) for result in found),
        median=tallies.median(found),
        points=course.points,
        compared=compared,
        filled=filled,
    )


def grades(course: Class, found: Sequence[Result]) -> bytes:
    """Make the table of all submissions. What was not run has no score, and that is not zero."""
    names = [question.name for question in course.questions]
    rows: list[Sequence[str]] = [(*FIRST, *names, *LAST)]
    for result in found:
        was_run = tallies.was_run(result)
        earned = {
            question.name: tables.number(question.earned)
            for question in result.questions
            if was_run and question.state != "pending" and question.name not in result.pending
        }
        rows.append(
            (
                result.id,
                tables.defused(pages.names(result)),
                tables.defused(shown(result.file)),
                result.status,
                tables.number(result.score) if was_run and result.score is not None else "",
                tables.number(result.points),
                " ".join(result.pending),
                *(earned.get(name, "") for name in names),
                "yes" if result.late else "no",
                str(result.attempt),
                tables.defused("; ".join(filter(None, (shown(each.number) for each in result.students)))),
                tables.defused("; ".join(filter(None, (shown(each.email) for each in result.students)))),
            )
        )
    return tables.as_csv(rows)


def _require_ids(folder: Path, found: Sequence[Result]) -> None:
    """Refuse two results of one id, and an id that is no name for a file."""
    counts = Counter(result.id for result in found)
    for result in found:
        if counts[result.id] > 1 or not ID.fullmatch(result.id):
            problem = "two results have it" if counts[result.id] > 1 else "it is no name for a file"
            raise Misuse(f"{folder / 'results'}: the id {shown(result.id)!r}: {problem}. Grade again.")


def _content(path: Path) -> bytes | None:
    """Read a list that was passed in; None if there was none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _remove_stale(folder: Path, ids: set[str]) -> None:
    """Remove the pages of submissions that no longer exist."""
    for path in folder.glob("*.html"):
        if path.stem not in ids and ID.fullmatch(path.stem):
            path.unlink()
