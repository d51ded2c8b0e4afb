"""What a master consists of, once it has been read: cells, questions, checks, known answers."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from autograder.answers import Answer

Role = Literal[
    "text", "code", "answer", "test", "helper", "hidden helper", "wrong", "right", "boundary", "config"
]

# Blocks of ours, which Otter Assign never sees.
OURS = ("CHECK HELPERS", "HIDDEN HELPERS", "WRONG ANSWERS", "RIGHT ANSWERS")
BOUNDARY = re.compile(
    rf"#\s+(BEGIN|END)\s+(QUESTION|PROMPT|SOLUTION|TESTS|{'|'.join(OURS)})\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Cell:
    """One cell of the master: where it starts, what it is for, to which question it belongs."""

    kind: Literal["markdown", "code", "raw"]
    source: str
    line: int
    role: Role
    question: str | None
    id: str
    tags: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether Otter Assign must never see it."""
        if self.role == "boundary":
            found = BOUNDARY.match(self.source.split("\n", 1)[0].strip())
            return found is not None and found[2].upper() in OURS
        return self.role in ("helper", "hidden helper", "wrong", "right")


@dataclass(frozen=True)
class Check:
    """One test function of a question."""

    name: str
    source: str
    points: float
    hidden: bool
    line: int


@dataclass(frozen=True)
class Question:
    """One question: its checks, the functions that it asks for, and answers that are known.

    ``source`` is the question in which those functions are written: itself, or an earlier one.
    ``patience`` is how many CPU-seconds its open checks may take on the solution.
    """

    name: str
    points: float
    line: int
    checks: tuple[Check, ...]
    title: str
    source: str
    patience: float
    functions: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def hidden(self) -> int:
        """How many of its checks the student cannot see."""
        return sum(check.hidden for check in self.checks)


@dataclass(frozen=True)
class Master:
    """An exercise as its author wrote it.

    ``minutes`` is what students need, ``seconds`` is what the grader gives a whole notebook to run.
    """

    slug: str
    points: float
    minutes: int
    seconds: float
    chapter: str
    title: str
    metadata: dict[str, Any]
    config: dict[str, Any]
    cells: tuple[Cell, ...]
    questions: tuple[Question, ...]

    def helpers(self, role: Literal["helper", "hidden helper"]) -> str:
        """Return the source of all helper cells of one kind."""
        return "\n\n\n".join(cell.source for cell in self.cells if cell.role == role)
