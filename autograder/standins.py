"""What the judge holds in place of a student's names: calls cross the border, plain data come back.

Otter's test files see a mapping from names to functions, as they do in a notebook. Behind each function waits
a worker. Nothing that comes back is evaluated, and nothing of it can answer for itself.
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.wire import Channel, Closed, Late, Opaque, WireError


class BorderError(BaseException):
    """The worker has gone, is late, or does not keep to the rules. Nothing more can be asked of it.

    No Exception, because checks take those for something that a student's function did.

    kind  "gone", "late" or "odd"
    """

    def __init__(self, message: str, kind: str) -> None:
        """Keep what happened, in a sentence and in a word."""
        super().__init__(message)
        self.kind = kind


LONGEST = 2_000  # letters of what is said of an error
# How an error is caught decides what becomes of it; these are told apart.
BASES: dict[str, type[BaseException]] = {
    kind.__name__: kind for kind in (UnboundLocalError, NameError, ValueError, SystemExit, MemoryError)
}


class Remote:
    """Marks an error that happened on the other side.

    notebook_frames  the notebook's own lines that it came through: file, function, line, text
    """

    notebook_frames: list[list[Any]]


class Changed(Exception):
    """A function has changed arguments, at these positions."""

    def __init__(self, positions: list[int]) -> None:
        """Keep the positions where checks look for them."""
        super().__init__(f"arguments were changed: {positions}")
        self.changed_arguments = positions


class StandIn:
    """A student's function, on the other side."""

    def __init__(self, notebook: "Notebook", name: str) -> None:
        self._notebook, self._name = notebook, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call it there. Raises what it raised, as an error of the same name, or Changed."""
        question = {"do": "call", "name": self._name, "arguments": arguments, "options": options}
        said = self._notebook.ask(question)
        if "too_large" in said:  # to cross; that is the function's affair, and the notebook goes on
            said = {"raised": "ResultTooLarge", "message": said["too_large"]}
        if "raised" in said:
            raise rebuilt(said)
        changed = said.get("changed")
        if type(changed) is list and changed:
            places = [place for place in changed if type(place) is int and 0 <= place < len(arguments)]
            raise Changed(places or [0])  # a worker that lies may name none that there is
        return plain(said.get("value"))


class Notebook(Mapping[str, Any]):
    """A student's notebook, on the other side: its names as a mapping, asked for one by one."""

    def __init__(self, channel: Channel, seconds: float, patience: float = math.inf) -> None:
        """seconds: how long all questions together may take; patience: how long one may.

        out_of_memory tells afterwards whether any code was refused memory.
        """
        self._channel, self._end, self._patience = channel, time.monotonic() + seconds, patience
        self._known: dict[str, Any] = {}
        self._broken: tuple[str, str] | None = None
        self.out_of_memory = False

    def run(self, cells: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """Run code cells (id, source); return those that failed (id, type of error, message)."""
        failed = []
        for identity, source in cells:
            said = self.ask({"do": "run", "source": _as_bytes(source)})
            if "raised" in said:
                failed.append((identity, _word(said["raised"]), _word(said.get("message"))))
        return failed

    def names_used(self, sources: list[str]) -> frozenset[str] | None:
        """Return the names that cells use, or None if that cannot be told. Runs none of them."""
        names = self.ask({"do": "names", "sources": list(map(_as_bytes, sources))}).get("names")
        return frozenset(map(_word, names)) if type(names) is list else None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send a question and return the answer. Raises BorderError, and from then on always."""
        if not self._broken:
            try:
                left = max(0.0, self._end - time.monotonic())
                said = self._channel.ask(question, min(left, self._patience))
                if type(said) is dict:
                    self.out_of_memory |= _word(said.get("kind")) == "MemoryError"
                    return said
                self._broken = "an answer was no answer", "odd"
            except WireError as error:
                kinds = {Closed: "gone", Late: "late"}
                self._broken = str(error), kinds.get(type(error), "odd")
        raise BorderError(*self._broken)

    def __getitem__(self, name: str) -> Any:
        """Return a stand-in for a function, and a copy of anything else."""
        if name not in self._known:
            said = self.ask({"do": "look", "name": name})
            if said.get("there") is not True:
                raise KeyError(name)
            is_function = said.get("function") is True
            self._known[name] = StandIn(self, name) if is_function else plain(said.get("value"))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names that were asked for; the others stay where they are."""
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def rebuilt(said: Mapping[str, Any]) -> BaseException:
    """Make an error with the name, the message and the kind of the one on the other side."""
    base = BASES.get(_word(said.get("kind")), Exception)
    message, frames = _word(said.get("message")), said.get("frames")
    listed = [frame for frame in frames if _is_frame(frame)] if type(frames) is list else []
    body = {"__str__": lambda self: message, "notebook_frames": listed}
    name = _word(said["raised"]).replace("\0", "")  # the one letter that no class may carry
    error: BaseException = type(name or "Exception", (Remote, base), body)()
    return error


def _word(value: Any) -> str:
    """Return a text from the other side, cut short; whatever is no text is empty."""
    return value[:LONGEST] if type(value) is str else ""


def _is_frame(frame: Any) -> bool:
    """Whether this is file, function, line and text, as it should be."""
    return type(frame) is list and list(map(type, frame)) == [str, str, int, str]


def _as_bytes(source: str) -> "np.ndarray[Any, Any]":
    """Return a source as bytes."""
    return np.frombuffer(source.encode("utf-8", "replace"), np.uint8)


def plain(value: Any) -> Any:
    """Return a value with a mere object of that type's name where something could not cross."""
    if isinstance(value, Opaque):
        return type(value.type_name, (), {})()
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
