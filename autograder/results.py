"""What came of a submission and of a class: plain records, and the JSON in which they lie on the disk.

A folder of results holds ``class.json`` (one ``Class``), ``results/<id>.json`` (one ``Result`` each) and, in
``inputs/``, a copy of the roster and the gradebook that were passed in. Reports are made from these alone.
"""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from autograder import whole
from autograder.errors import Misuse
from autograder.platforms import Platform, Student

VERSION = 1
Status = Literal[
    "graded",
    "timeout",
    "memory",
    "crash",
    "unreadable",
    "wrong_exercise",
    "ambiguous",
    "refused",
    "infra_error",
]
State = Literal["full", "part", "none", "pending", "stopped"]
# With one of these the notebook was run: there is a score, even if a person should look at it.
SCORED: tuple[Status, ...] = ("graded", "timeout", "memory", "crash")
Record = TypeVar("Record")


@dataclass(frozen=True)
class QuestionResult:
    """What one question earned.

    state     "stopped": its code had to be ended, or ended the notebook; "pending": waits for a GPU
    open      open checks: how many passed, of how many
    hidden    hidden checks, the same
    sentence  what the student reads first: the hint, or what the first open check said; empty if all passed
    mistake   the name of the known mistake that was recognised, or empty
    private   what failed hidden checks said: never for students, it can tell what they are
    """

    name: str
    title: str
    points: float
    earned: float
    state: State
    open: tuple[int, int]
    hidden: tuple[int, int]
    sentence: str = ""
    mistake: str = ""
    private: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailedCell:
    """A cell that raised an error: its place among all cells of the notebook (from 1), and the error."""

    place: int
    error: str
    message: str


@dataclass(frozen=True)
class Result:
    """What came of one submission.

    key      a hash of all that decides the result; another key means that it has to be graded again
    id       short, stable and no name: for logs and for names of files
    file     the name of the notebook as it was handed in, safe to print
    sentence what the student is told when the status is not "graded"
    notes    for the instructor
    score    None where nothing was run
    points   what could be earned: without questions that are pending
    """

    key: str
    id: str
    exercise: str
    students: tuple[Student, ...]
    platform: Platform
    file: str
    attempt: int
    late: bool
    status: Status
    sentence: str
    notes: tuple[str, ...]
    score: float | None
    points: float
    pending: tuple[str, ...]
    questions: tuple[QuestionResult, ...]
    failed_cells: tuple[FailedCell, ...]
    isolation: str
    version: int = VERSION

    @property
    def student(self) -> str:
        """All names, on one line."""
        return ", ".join(student.name for student in self.students)


@dataclass(frozen=True)
class Asked:
    """A question as the exercise asks it."""

    name: str
    title: str
    points: float


@dataclass(frozen=True)
class Class:
    """One run of the grader over a class.

    chapter    the slug of the chapter to reread
    isolation  the level of protection that was reached: "strict", "user" or "none"
    device     "cpu" or "cuda"
    gpu        what questions that need a GPU did: "required" or "cpu-scale"
    finished   date and time, ISO 8601, in the instructor's time zone
    column     the gradebook's column to fill in, where the instructor named it
    """

    exercise: str
    title: str
    chapter: str
    points: float
    questions: tuple[Asked, ...]
    isolation: str
    device: str
    gpu: str
    finished: str
    column: str = ""
    version: int = VERSION


def write(path: Path, record: Any) -> None:
    """Write a record as JSON, all of it or nothing, whatever happens."""
    text = json.dumps(dataclasses.asdict(record), indent=1, sort_keys=True, ensure_ascii=False)
    whole.replace(path, (text + "\n").encode("utf-8", "replace"))


def read(path: Path, kind: type[Record]) -> Record:
    """Read a record of one kind. Raises Misuse if the file is damaged or from another version."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if type(found) is not dict or found.get("version") != VERSION:
            raise ValueError("of another version")
        made: Record = _record(found, kind)
        return made
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}. Pass a folder that autograder grade has written.") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise Misuse(f"{path}: no result of this program ({error}). Delete it and grade again.") from None


def read_all(folder: Path) -> list[Result]:
    """Read all results in a folder, sorted by student."""
    listed = sorted((folder / "results").glob("*.json"))
    found: Sequence[Result] = [read(path, Result) for path in listed]
    return sorted(found, key=lambda result: (result.student.casefold(), result.id))


def _record(found: Any, kind: Any) -> Any:
    """Make a record, or a part of one, from what JSON says of it; what is missing or odd raises."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if type(found) is not dict:
            raise ValueError("a part of it is missing")
        hints = typing.get_type_hints(kind)
        if unknown := found.keys() - hints.keys():
            raise ValueError(f"{min(unknown)!r} is nothing that it should hold")
        fields = dataclasses.fields(kind)
        absent = [field.name for field in fields if field.default is MISSING and field.name not in found]
        if absent:
            raise ValueError(f"{absent[0]!r} is missing")
        return kind(**{name: _record(value, hints[name]) for name, value in found.items()})
    if origin is tuple:
        if type(found) is not list:
            raise ValueError("a list in it is missing")
        kinds = [inner[0]] * len(found) if inner[-1] is Ellipsis else list(inner)
        return tuple(_record(value, each) for value, each in zip(found, kinds, strict=True))
    if origin in (types.UnionType, typing.Union):
        return None if found is None else _record(found, inner[0])
    if origin is Literal:
        if found not in inner:
            raise ValueError(f"{found!r} is none of {', '.join(map(str, inner))}")
        return found
    if kind is float and type(found) is int:
        return float(found)
    if type(found) is not kind or (kind is float and not math.isfinite(found)):
        raise ValueError(f"{found!r} is no {kind.__name__}")
    return found
