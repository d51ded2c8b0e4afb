"""Who is who: the people on a list that an instructor passes in, and the students who have handed in."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from autograder import tables
from autograder.errors import Misuse
from autograder.files import shown
from autograder.platforms import Platform, Student
from autograder.tables import Cell

Thing = TypeVar("Thing")
# What columns are called, in lower case, everything but letters and digits a space.
NAME = ("full name", "fullname", "student name", "display name", "name", "student")
FIRST = ("first name", "firstname", "given name", "given names", "forename", "first")
LAST = ("last name", "lastname", "family name", "surname", "last")
# The platform's own number, and the one that the university gave.
PLATFORM_ID = ("id", "identifier", "canvas id", "user id", "canvas user id")
NUMBER = (
    "sis user id",
    "sis id",
    "student number",
    "student no",
    "student id",
    "id number",
    "number",
    "sid",
    "orgdefinedid",
    "matriculation number",
)
LOGIN = (
    "email",
    "e mail",
    "email address",
    "e mail address",
    "mail",
    "sis login id",
    "login id",
    "login",
    "username",
    "user name",
)
KNOWN = (*NAME, *FIRST, *LAST, *PLATFORM_ID, *NUMBER, *LOGIN)
# Canvas's own student for trying things out.
TEST_STUDENT = {"student, test", "test student"}


@dataclass(frozen=True)
class Person:
    """One person on a list; all of it is text, so that 00123 keeps its zeros.

    row      its place among the rows of the list, the header being row 0
    id       the platform's own number, as in the names of Canvas's files
    logins   email and login, in lower case
    """

    row: int
    name: str
    id: str = ""
    number: str = ""
    logins: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Name the person for the instructor."""
        number = self.number or self.id
        known = self.name or next(iter(self.logins), "")
        return f"{shown(known)} ({shown(number)})" if known and number else shown(known or number)


@dataclass(frozen=True)
class Listed:
    """A list of people as it was read: the file's text, its rows, the header's words, and the people."""

    text: str
    delimiter: str
    rows: tuple[tuple[Cell, ...], ...]
    header: tuple[str, ...]
    people: tuple[Person, ...]


def words(text: str) -> str:
    """Write a heading in lower case, with one space for everything that is no letter and no digit."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def read(content: bytes, name: str) -> Listed:
    """Read a roster or a gradebook. Raises Misuse with what is wrong, where, and what to do."""
    text = tables.decoded(content, name)
    delimiter = max(tables.DELIMITERS, key=lambda each: _recognised(text, each))
    rows = tables.scan(text, delimiter, name)
    header = tuple(words(cell.value) for cell in rows[0]) if rows else ()
    if not any(heading in KNOWN for heading in header):
        found = ", ".join(shown(cell.value) for cell in rows[0][:6]) if rows and rows[0] else "nothing"
        raise Misuse(
            f"{name}:1: no column for a name, a number or an email among its headings ({found}). "
            "Make the first line a header, such as: name,number,email"
        )
    people = [_person(header, row, place) for place, row in enumerate(rows) if place]
    return Listed(
        text,
        delimiter,
        tuple(map(tuple, rows)),
        header,
        tuple(person for person in people if person is not None),
    )


def _recognised(text: str, delimiter: str) -> int:
    """Count the headings that make sense if the cells are cut so."""
    line = re.split("[\r\n]", text.removeprefix(tables.BOM), maxsplit=1)[0]
    return sum(words(part) in KNOWN for part in line.split(delimiter))


def _person(header: Sequence[str], row: Sequence[Cell], place: int) -> Person | None:
    """Read one row; None if nobody stands in it, or one of the rows that Canvas puts above the people."""

    def first(headings: Iterable[str]) -> str:
        return next(iter(every(headings)), "")

    def every(headings: Iterable[str]) -> list[str]:
        places = [header.index(heading) for heading in headings if heading in header]
        return [value for at in places if at < len(row) and (value := row[at].value.strip())]

    name = first(NAME) or " ".join(part for part in (first(FIRST), first(LAST)) if part)
    if words(name) == "points possible" or name.casefold() in TEST_STUDENT:
        return None
    person = Person(
        place,
        name,
        re.sub(r"^Participant\s+", "", first(PLATFORM_ID), flags=re.IGNORECASE),
        first(NUMBER),
        tuple(login.casefold() for login in every(LOGIN)),
    )
    return person if person.name or person.id or person.number or person.logins else None


@dataclass(frozen=True)
class Match:
    """Whom a student was found to be; if nobody, why."""

    person: Person | None
    why: str = ""


def match(students: Sequence[tuple[Student, Platform]], people: Sequence[Person]) -> list[Match]:
    """Find each student on a list: by number, by email or login, at last by a name that only one has."""
    by_id = _index(people, lambda person: [person.id])
    by_number = _index(people, lambda person: [person.number])
    by_login = _index(people, lambda person: person.logins)
    by_name = _index(people, lambda person: squashed(person.name))
    bearers = _index([student for student, _ in students], lambda student: squashed(student.name))

    def of(student: Student, reading: Student, platform: Platform) -> Match:
        # In a folder of one's own, the name of a file may be any of these.
        bare = "" if reading.number or reading.email else reading.name
        number, login = reading.number or bare, (reading.email or bare).casefold()
        own, other = (by_id, by_number) if platform in ("canvas", "moodle") else (by_number, by_id)
        by_own = own.get(number, [])
        if reading is not student:  # a guess: a number alone proves nothing
            by_own = [person for person in by_own if _agree(reading.name, person.name)]
        # A number of another kind may by chance be somebody else's: then the name has to agree.
        agreeing = [person for person in other.get(number, ()) if bare or _agree(reading.name, person.name)]
        names = {
            person
            for key in squashed(reading.name)
            for person in by_name.get(key, ())
            if all(bearer == student for bearer in bearers[key])
        }
        return _decided([by_own, agreeing, by_login.get(login, []), list(names)])

    found = []
    for student, platform in students:
        guesses = [replace(student, name=name, number=number) for name, number in student.others]
        matches = [of(student, reading, platform) for reading in (student, *guesses)]
        fitting = [match for match in matches if match.person is not None]
        if len({match.person for match in fitting}) > 1:
            found.append(Match(None, "the name of its file can be read in two ways"))
        else:
            found.append((fitting or matches)[0])
    return found


def _decided(tiers: Sequence[Sequence[Person]]) -> Match:
    """Take the first that leaves no doubt, unless what comes after it says somebody else."""
    certain = [tier[0] for tier in tiers if len(tier) == 1]
    if not certain:
        several = any(tiers)
        return Match(None, "several people on the list fit" if several else "not on the list")
    other = next((person for person in certain if person != certain[0]), None)
    # A number in the platform's other column is chance; a name or an email is not.
    if other is not None and other in (tier[0] for tier in tiers[2:] if len(tier) == 1):
        return Match(None, f"it could be {certain[0].shown} or {other.shown}")
    return Match(certain[0])


def _agree(name: str, listed: str) -> bool:
    """Whether a word of a listed name stands in the other name; who is listed without one agrees."""
    whole = squashed(name)
    parts = [part for word in listed.replace(",", " ").split() for part in squashed(word)]
    return not parts or any(part in each for part in parts if len(part) > 1 for each in whole)


def _index(things: Sequence[Thing], keys: Callable[[Thing], Iterable[str]]) -> dict[str, list[Thing]]:
    """Find things by their keys; an empty key finds nothing."""
    found: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        for key in set(keys(thing)) - {""}:
            found[key].append(thing)
    return found


def squashed(name: str) -> set[str]:
    """Write a name as Canvas does in the names of files, ``lastnamefirst``: for each place to begin.

    Accents and case do not count, and neither does whether the family name comes first.
    """
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", name).casefold()
        if not unicodedata.combining(character)
    )
    parts = ["".join(filter(str.isalnum, part)) for part in bare.replace(",", " ").split()]
    return {"".join(parts[at:] + parts[:at]) for at in range(len(parts))} - {""}
