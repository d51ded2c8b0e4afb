"""The roster of a class: who should have handed in something, and who has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder import people
from autograder.errors import Misuse
from autograder.people import Match, Person
from autograder.results import Result


@dataclass(frozen=True)
class Compared:
    """Who on the roster has handed in nothing, and which submissions are of somebody not found on it."""

    missing: tuple[Person, ...]
    strangers: tuple[tuple[Result, str], ...]  # and the reason


def read(content: bytes, name: str = "roster.csv") -> tuple[Person, ...]:
    """Read a roster: any table with a name, a number or an email; a gradebook of Canvas is one too.

    Raises Misuse if it is none.
    """
    listed = people.read(content, name)
    if not listed.people:
        raise Misuse(f"{name}: nobody stands in it. Pass the list of the students of this class.")
    width = len(listed.header)
    for line, row in enumerate(listed.rows, start=1):
        if any(cell.value.strip() for cell in row[width:]):
            raise Misuse(
                f"{name}: row {line} has {len(row)} cells and the header {width}. "
                "Put a name that holds a comma into quotes."
            )
    return listed.people


def compare(listed: Sequence[Person], results: Sequence[Result]) -> Compared:
    """Compare a roster with what was handed in."""
    found = matched(listed, results)
    here = {match.person for _, match in found}
    strangers: dict[str, tuple[Result, str]] = {}
    for result, match in found:
        if match.person is None:
            strangers.setdefault(result.id, (result, match.why))
    return Compared(tuple(person for person in listed if person not in here), tuple(strangers.values()))


def named(lists: Sequence[Sequence[Person]], results: Sequence[Result]) -> list[Result]:
    """Call students what the first list calls them in which they are found; sorted by these names.

    Canvas squashes their names in those of its files.
    """
    found = [[match.person for _, match in matched(listed, results)] for listed in lists]
    people_of_each = iter(zip(*found, strict=True)) if found else None
    called = []
    for result in results:
        students = []
        for student in result.students:
            fitting = next(people_of_each) if people_of_each else ()
            name = next((person.name for person in fitting if person and person.name), student.name)
            students.append(replace(student, name=name))
        called.append(replace(result, students=tuple(students)))
    return sorted(called, key=lambda result: (result.student.casefold(), result.id))


def matched(listed: Sequence[Person], results: Sequence[Result]) -> list[tuple[Result, Match]]:
    """Find on a list each student of each result."""
    asked = [(result, student) for result in results for student in result.students]
    found = people.match([(student, result.platform) for result, student in asked], listed)
    return [(result, match) for (result, _), match in zip(asked, found, strict=True)]
