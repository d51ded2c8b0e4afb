"""Reads what ``autograder build`` has packed for grading: checks of an exercise, and what goes with them."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

from autograder import archives
from autograder.errors import Misuse

ABOUT = "exercise.json"


@dataclass(frozen=True)
class Task:
    """One question: what it asks for, its checks in Otter's format, and what known mistakes produce."""

    name: str
    title: str
    points: float
    functions: tuple[str, ...]
    table: Mapping[str, Any]
    test: str


@dataclass(frozen=True)
class Exercise:
    """An exercise, ready to grade.

    seconds  how long a whole notebook may take
    given    the code cells of the notebook as students get it
    likely   modules that students import besides
    showing  those of them that only show something, each with the names that it assigns
    ignored  hashes of its cells that grading ignores: they set up the notebook's own checks, and run them
    digest   a hash of all of the bundle
    """

    slug: str
    title: str
    chapter: str
    points: float
    seconds: float
    given: tuple[str, ...]
    likely: tuple[str, ...]
    showing: Mapping[str, frozenset[str]]
    ignored: frozenset[str]
    tasks: tuple[Task, ...]
    digest: str

    @property
    def warming(self) -> list[str]:
        """Cells that import what its notebooks are going to import."""
        return [*self.given, *(f"import {name}" for name in self.likely)]


def load(content: bytes, shown: str) -> Exercise:
    """Read a bundle, which messages call ``shown``. Raises Misuse if it is none, or an old one."""
    try:
        files = archives.unpack(content)
        about = json.loads(files[ABOUT])
        tasks = tuple(
            Task(
                name=question["name"],
                title=question["title"],
                points=float(question["points"]),
                functions=tuple(question["functions"]),
                table=question["table"],
                test=files[f"tests/{question['name']}.py"].decode(),
            )
            for question in about["questions"]
        )
        return Exercise(
            slug=about["slug"],
            title=about["title"],
            chapter=about["chapter"],
            points=float(about["points"]),
            seconds=float(about["seconds"]),
            given=tuple(about["given"]),
            likely=tuple(about["likely"]),
            showing={source: frozenset(names) for source, names in about["showing"].items()},
            ignored=frozenset(about["ignored"]),
            tasks=tasks,
            digest=hashlib.sha256(content).hexdigest(),
        )
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise Misuse(
            f"{shown}: no bundle of this version ({type(error).__name__}). Make it again: autograder build"
        ) from None


def without_checks(exercise: Exercise, cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out, of a student's code cells (id, source), those for the notebook's own checks."""
    return [cell for cell in cells if hashlib.sha256(cell[1].encode()).hexdigest() not in exercise.ignored]


def to_run(
    exercise: Exercise,
    cells: Sequence[tuple[str, str]],
    names_used: Callable[[list[str]], Collection[str] | None],
) -> list[tuple[str, str]]:
    """Choose, of a student's code cells (id, source), those that have to be run for the checks.

    Left out are cells for the notebook's own checks, where a program has lost their tag, and given cells that
    only show something, if the student's own code uses no name that any of them assigns.

    names_used  tells which names of the notebook cells use, None for any
    """
    kept = without_checks(exercise, cells)
    given = {source.strip() for source in exercise.given}
    own = [source for _, source in kept if source.strip() not in given]
    words = names_used(own)
    assigned = {name for names in exercise.showing.values() for name in names}
    if words is None or not assigned.isdisjoint(words):
        return kept
    shown = {source.strip() for source in exercise.showing}
    return [cell for cell in kept if cell[1].strip() not in shown]
