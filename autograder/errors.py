"""Everything that can go wrong, on one screen. A message says what happened, where, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to put right: a file, a line where there is one, and a sentence."""

    path: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        """Write the problem the way editors and terminals make clickable."""
        return f"{self.path}:{self.line}: {self.sentence}" if self.line else f"{self.path}: {self.sentence}"


class AutograderError(Exception):
    """The root: whatever is raised on purpose, with a message for a person."""


class Misuse(AutograderError):
    """The command was used in a way that cannot work: nothing was done (exit code 2)."""


class SettingsError(Misuse):
    """A setting in pyproject.toml or in the environment cannot be read."""


class MasterError(AutograderError):
    """One or more mistakes in a master, all of them listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, in the order of the file."""
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class BuildError(AutograderError):
    """Otter Assign did not produce what the master promises."""


class Refused(AutograderError):
    """An upload holds something that is not safe to open: a link, a bomb, a name that leads elsewhere."""


class Unreadable(AutograderError):
    """An upload holds no notebook that can be read."""
