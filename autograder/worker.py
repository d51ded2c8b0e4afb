"""Runs a student's notebook, and answers calls: the inside of the border, with nothing of the judge.

It lives in a process of its own, a fork of ``forkserver``, at one end of a ``wire.Channel``; it knows no
check and no expected value. What it is asked, always as a dict:

    {"do": "run", "source": source}              one of the notebook's code cells
    {"do": "names", "sources": [source, …]}      which names of the notebook do these cells use?
    {"do": "look", "name": name}                 is there such a name, and is it a function?
    {"do": "call", "name": name, "arguments": (…), "options": {…}}

An answer is a dict too. Errors of student code are answers, never exceptions here: type, message, and where
in the notebook it happened. Standard library, NumPy, IPython and ``wire``.
"""

import builtins
import linecache
import sys
from typing import Any

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder import showing, wire

PATIENCE = 24 * 3600.0  # seconds to wait for a question: the judge decides when it has been long enough
LONGEST = 2_000  # letters of a message or of a line of code that are passed on
DEEPEST = 50  # frames of the notebook that are passed on
# How an error is caught elsewhere decides what becomes of it.
KINDS = ("UnboundLocalError", "NameError", "ValueError", "SystemExit", "MemoryError")
Answer = dict[str, Any]


class Shell(InteractiveShell):
    """IPython's own shell, so that magics and lines with ! do what they do elsewhere. It shows no figure."""

    def enable_gui(self, gui: Any = None) -> None:
        """Nobody looks."""

    def enable_matplotlib(self, gui: Any = None) -> tuple[None, str]:
        """Keep the back end that draws nothing."""
        return None, "agg"

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Format nothing that nobody reads."""


class Notebook:
    """A notebook that is being run: its names, and what happened in its cells."""

    def __init__(self) -> None:
        """Begin with no name but those that IPython gives."""
        config = Config()
        config.HistoryManager.enabled = False  # nothing is written
        self.shell = Shell.instance(config=config)
        self.names: dict[str, Any] = self.shell.user_ns

    def run(self, source: str) -> Answer:
        """Run a cell; say which error ended it."""
        harmless = showing.INSTALLING.sub(r"\1pass", source)
        # IPython's functions carry no types.
        result = self.shell.run_cell(harmless, store_history=False)  # type: ignore[no-untyped-call]
        error = result.error_before_exec or result.error_in_exec
        return {} if error is None else self.told(error)

    def look(self, name: str) -> Answer:
        """Say whether there is a name, and what it holds, unless that is a function."""
        if name not in self.names:
            return {"there": False}
        value = self.names[name]
        if callable(value):
            return {"there": True, "function": True}
        return {"there": True, "function": False, "value": crossing(value)}

    def call(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Answer:
        """Call a function; say what came of it, and which arguments it changed."""
        before = [wire.fingerprint(argument) for argument in arguments]
        try:
            value = self.names[name](*arguments, **options)
        except BaseException as error:
            return self.told(error)
        changed = [
            place for place, argument in enumerate(arguments) if fingerprint(argument) != before[place]
        ]
        return {"value": crossing(value), "changed": changed}

    def told(self, error: BaseException) -> Answer:
        """Tell an error: type, message, how it is caught, and the notebook's own lines it came through."""
        frames: list[list[Any]] = []
        trace = error.__traceback__
        while trace is not None and len(frames) < DEEPEST:
            code = trace.tb_frame.f_code
            if trace.tb_frame.f_globals is self.names:
                text = linecache.getline(code.co_filename, trace.tb_lineno).strip()
                frames.append([code.co_filename[:200], code.co_name[:200], trace.tb_lineno, text[:LONGEST]])
            trace = trace.tb_next
        try:
            message = str(error)
        except BaseException:  # a student's own class may fail at anything
            message = ""
        kinds = [kind for kind in KINDS if isinstance(error, getattr(builtins, kind))]
        # NumPy's own name for it begins with an underscore and says no more.
        name = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        return {
            "raised": name[:200],
            "message": message[:LONGEST],
            "kind": kinds[0] if kinds else "",
            "frames": frames,
        }


def crossing(value: Any, depth: int = 0) -> Any:
    """Return a result as what can cross: a number, a text or an array in disguise becomes plain."""
    torch = sys.modules.get("torch")
    try:
        if depth > DEEPEST:
            return value
        for container in (list, tuple):
            if isinstance(value, container):
                return container(crossing(item, depth + 1) for item in value)
        if isinstance(value, dict):
            return {crossing(key): crossing(item, depth + 1) for key, item in value.items()}
        if torch is not None and isinstance(value, torch.Tensor):
            return value.detach().numpy()
        if isinstance(value, np.ndarray):
            return np.asarray(value)
        for kind in (bool, int, float, str):
            if isinstance(value, kind) and not isinstance(value, np.generic):
                return kind(value)
    except Exception:  # a student's own class may fail at anything; then its name crosses
        return wire.Opaque(type(value).__name__)
    return value


def text(source: Any) -> str:
    """Return the source of a cell. It crosses as bytes: a text on the border is short, a cell need not be."""
    return bytes(source).decode()


def fingerprint(value: Any) -> Any:
    """Return an argument's fingerprint after a call; one that could not cross any more has been changed."""
    try:
        return wire.fingerprint(value)
    except wire.WireError:
        return ""


def answer(notebook: Notebook, question: Any) -> Answer:
    """Do what is asked."""
    if question["do"] == "run":
        return notebook.run(text(question["source"]))
    if question["do"] == "names":
        return {"names": showing.used(list(map(text, question["sources"])))}
    if question["do"] == "look":
        return notebook.look(question["name"])
    return notebook.call(question["name"], question["arguments"], question["options"])


def main(source: int, target: int, notebook: Notebook) -> None:
    """Answer questions until the other side closes the border. source, target: file descriptors."""
    channel = wire.Channel(source, target, writes=wire.ANSWERS)
    while True:
        try:
            question = channel.receive(PATIENCE)
        except wire.Closed:
            return
        said = answer(notebook, question)
        try:
            channel.send(said, PATIENCE)
        except wire.Closed:
            return
        except wire.WireError as error:
            channel.send({"too_large": str(error)}, PATIENCE)
