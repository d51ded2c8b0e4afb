"""Notebooks as students hand them in, good, bad and hostile; made from an exercise, never run."""

import ast
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from autograder.answers import Answer
from autograder.parts import Cell, Master, Question

Notebook = dict[str, Any]
FENCE = re.compile(r"^[ \t]*# (?:BEGIN|END) SOLUTION[^\n]*\n?", re.MULTILINE)
KEPT_FILE = "made-up-class-was-here.txt"  # what a notebook that writes outside tries to leave behind
# One grey pixel: a picture that is kept in the file, as a drawn figure is.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
WEB_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Log in to continue</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password"></form></body></html>
"""

# What is defined in place of an answer, for each function that the exercise asks for.
LOOP = "def {name}(*args, **kwargs):\n    step = 0\n    while True:\n        step = step + 1\n"
CRASH = "import os\n\n\ndef {name}(*args, **kwargs):\n    os._exit(0)\n"
HOARD = (
    "def {name}(*args, **kwargs):\n    rows = []\n    while True:\n"
    '        rows.append(b"x" * 10_000_000 + str(len(rows)).encode())\n'
)
ALWAYS_EQUAL = '''
class Same(float):
    """Equal to whatever it is compared with."""

    shape, ndim, dtype = (), 0, float

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    __hash__ = float.__hash__
    __le__ = __lt__ = __ge__ = __gt__ = __eq__
    __sub__ = __rsub__ = __abs__ = lambda self, *other: self


def {name}(*args, **kwargs):
    return Same(1)
'''
READS_TESTS = """
import glob
import os

for place in (".", "..", "/autograder", os.path.expanduser("~"), "/tmp"):
    for path in glob.glob(place + "/**/q*.py", recursive=True) + glob.glob("/proc/*/environ"):
        try:
            print(path, open(path).read())
        except OSError as error:
            print(error)


def {name}(*args, **kwargs):
    import inspect

    for frame in inspect.stack():
        for key in ("expected", "want", "hidden_value"):
            if key in frame.frame.f_locals:
                return frame.frame.f_locals[key]
"""
FORGES = """
import json

forged = {{"score": 100, "output": "All tests passed!", "tests": [{{"name": "{name}", "score": 100}}]}}
print(json.dumps(forged))
print(json.dumps({{"status": "graded", "earned": 100, "state": "full"}}), flush=True)
for path in ("results.json", "../results.json", "/autograder/results/results.json"):
    try:
        with open(path, "w") as file:
            json.dump(forged, file)
    except OSError as error:
        print(error)


def {name}(*args, **kwargs):
    print(json.dumps(forged), flush=True)
"""
PATCHES = """
import numpy as np

for patched in ("allclose", "array_equal", "isclose", "all"):
    setattr(np, patched, lambda *args, **kwargs: True)
for patched in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(np.testing, patched, lambda *args, **kwargs: None)


def {name}(*args, **kwargs):
    return 42.0
"""
# Beside right answers: a cell that tries what the sandbox must not let it do.
NETWORK = """
import socket
import urllib.request

for address in (("203.0.113.1", 80), ("127.0.0.1", 8888), ("example.org", 443)):
    try:
        socket.create_connection(address, timeout=1).close()
        print("connected to", address)
    except OSError as error:
        print(error)
try:
    print(urllib.request.urlopen("http://example.org", timeout=1).read())
except OSError as error:
    print(error)
"""
WRITES = f"""
import os

for folder in ("..", "../..", os.path.expanduser("~"), "/", "/tmp", "/usr", os.path.dirname(os.__file__)):
    try:
        with open(os.path.join(folder, "{KEPT_FILE}"), "w") as file:
            file.write("I was here.")
        print("written into", folder)
    except OSError as error:
        print(error)
"""
ENDLESS = "training = 0\nwhile True:\n    training += 1\n"


@dataclass(frozen=True)
class Exercise:
    """An exercise's master, and the notebook that students fill in."""

    master: Master
    student: Notebook

    @cached_property
    def questions(self) -> list[Question]:
        """The questions with a cell to answer in; others ask for the functions of an earlier one."""
        return [question for question in self.master.questions if question.source == question.name]

    @cached_property
    def functions(self) -> set[str]:
        """The names of all functions that it asks for."""
        return {name for question in self.questions for name in question.functions}

    @cached_property
    def mistakes(self) -> list[tuple[Answer, float]]:
        """The wrong answers that the checks know by name, and how common each is.

        An author lists first what is met first; so the weight falls with the place in the list.
        """
        found = []
        for question in self.questions:
            named = [a for a in question.answers if a.kind == "wrong" and a.hint and "open" in a.fails]
            named = [answer for answer in named if not answer.like]
            found += [(answer, 1 / (place + 1)) for place, answer in enumerate(named)]
        return found

    def question(self, name: str) -> Question:
        """Find a question."""
        return next(question for question in self.master.questions if question.name == name)

    def cells_of(self, question: Question) -> list[Cell]:
        """Find the master's cells that answer a question."""
        return [
            cell for cell in self.master.cells if cell.role == "answer" and cell.question == question.name
        ]

    def solution(self, question: Question) -> dict[str, str]:
        """Return the solution of a question: the id of each of its cells to its source."""
        return {cell.id: FENCE.sub("", cell.source).rstrip("\n") for cell in self.cells_of(question)}

    def uses(self, source: str) -> set[str]:
        """Name the functions of the exercise that some code mentions."""
        return self.functions & set(re.findall(r"\w+", source))

    def answered(self, question: Question, answer: Answer | None) -> dict[str, str]:
        """Answer a question in its cells: with the solution, or in the way of a known answer."""
        cells = self.solution(question)
        if answer is None:
            return cells
        *_, last = cells
        if len(cells) == 1 and _stands_alone(answer.source, question.functions, cells[last]):
            return {last: answer.source.rstrip("\n")}
        return cells | {last: f"{cells[last]}\n\n\n{answer.source.strip()}"}

    def all_solved(self) -> dict[str, str]:
        """Answer everything with the solution."""
        return {key: text for question in self.questions for key, text in self.solution(question).items()}

    def with_answers(self, *answers: Answer) -> dict[str, str]:
        """Answer everything with the solution, and some questions in the way of known answers."""
        cells = self.all_solved()
        for answer in answers:
            cells |= self.answered(self.question(self.question(answer.question).source), answer)
        return cells

    def rightly(self, rng: Random) -> dict[str, str]:
        """Answer everything rightly, here and there in another way than the solution's.

        Another way is right by itself, but may return a tensor where later answers expect an array. So a
        question is answered in another way only if none of the others rests on it.
        """
        cells: dict[str, str] = {}
        for question in reversed(self.questions):
            ways = [answer for answer in question.answers if answer.kind == "right"]
            free = not self.uses("\n".join(cells.values())) & set(question.functions)
            chosen = rng.choice(ways) if free and ways and rng.random() < 0.7 else None
            cells |= self.answered(question, chosen)
        return cells

    def partly(self, count: int) -> dict[str, str]:
        """Answer the first few questions and leave the others as they are."""
        answered = self.questions[:count]
        return {key: text for question in answered for key, text in self.solution(question).items()}

    def replaced(self, code: str, questions: Sequence[Question]) -> dict[str, str]:
        """Answer everything with the solution, but define each function of some questions by ``code``."""
        cells = self.all_solved()
        for question in questions:
            sources = [code.format(name=name).strip("\n") for name in question.functions]
            *_, last = self.solution(question)
            cells |= dict.fromkeys(self.solution(question), "# see below") | {last: "\n\n\n".join(sources)}
        return cells

    def renamed(self, question: Question) -> dict[str, str]:
        """Answer everything with the solution, but give one function a name that was not asked for."""
        name, own = question.functions[0], f"my_{question.functions[0]}"
        changed = {key: re.sub(rf"\b{name}\b", own, text) for key, text in self.solution(question).items()}
        return self.all_solved() | changed

    def mistyped(self, question: Question) -> dict[str, str]:
        """Answer everything with the solution, but leave a bracket open in one cell."""
        *_, last = self.solution(question)
        return self.all_solved() | {last: self.solution(question)[last] + '\n\nprint("it works"'}

    def two_mistakes(self, rng: Random) -> list[Answer]:
        """Choose two mistakes of which neither hides the other."""
        first = self.mistake(rng)
        others = [
            (answer, weight)
            for answer, weight in self.mistakes
            if answer.question != first.question
            and not self.uses(answer.source) & set(self.question(first.question).functions)
            and not self.uses(first.source) & set(self.question(answer.question).functions)
            and not self.uses(answer.source) - set(self.question(answer.question).functions)
        ]
        alone = not self.uses(first.source) - set(self.question(first.question).functions)
        if not others or not alone:
            return [first]
        listed, weights = zip(*others, strict=True)
        return [first, *rng.choices(listed, weights)]

    def mistake(self, rng: Random) -> Answer:
        """Choose a mistake, the common ones more often."""
        listed, weights = zip(*self.mistakes, strict=True)
        chosen: Answer = rng.choices(listed, weights)[0]
        return chosen


def _stands_alone(source: str, functions: Sequence[str], solution: str) -> bool:
    """Whether an answer can take the solution's place; it may build on what the solution has defined."""
    tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = {node.name for node in tree.body if isinstance(node, kinds)}
    others = {node.name for node in ast.parse(solution).body if isinstance(node, kinds)} - defined
    outside = [node for node in tree.body if not isinstance(node, kinds)]
    names = {name.id for node in outside for name in ast.walk(node) if isinstance(name, ast.Name)}
    return set(functions) <= defined and not others and not names & set(functions)


def read(path: Path) -> Notebook:
    """Read an exercise's notebook."""
    found: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return found


def filled(student: Notebook, cells: Mapping[str, str], rng: Random, *own: str) -> Notebook:
    """Fill in a notebook's answer cells and add cells of the student's own at the end.

    Half of the notebooks have been run before they were handed in, and keep what was printed and drawn.
    """
    was_run = rng.random() < 0.5
    listed, count = [], 0
    for cell in student["cells"] + [
        _own_cell(f"own-{place}", text) for place, text in enumerate(own, start=1)
    ]:
        changed = dict(cell)
        if cell["id"] in cells:
            changed["source"] = cells[cell["id"]].splitlines(keepends=True)
        if cell["cell_type"] == "code" and was_run:
            count += 1
            changed |= {"execution_count": count, "outputs": _outputs(cell, count)}
        listed.append(changed)
    # Colab marks each notebook like this; so no two files are the same by chance.
    mark = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789", k=20))
    colab = {"colab": {"provenance": [], "authorship_tag": f"ABX9Ty{mark}"}}
    return student | {"cells": listed, "metadata": student["metadata"] | colab}


def nameless(notebook: Notebook) -> Notebook:
    """Take away what says which exercise a notebook is, as some programs do when they save."""
    kept = {key: value for key, value in notebook["metadata"].items() if key != "mostly_harmless"}
    return notebook | {"metadata": kept}


def saved(notebook: Notebook) -> bytes:
    """Save a notebook as Jupyter does."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def cut_off(content: bytes) -> bytes:
    """Keep the first two thirds, as after a broken download."""
    return content[: len(content) * 2 // 3]


def in_conflict(content: bytes) -> bytes:
    """Put the marks of a git conflict around a line in the middle."""
    lines = content.decode().split("\n")
    place = len(lines) // 2
    line = lines[place]
    lines[place : place + 1] = ["<<<<<<< HEAD", line, "=======", line.upper(), ">>>>>>> my-branch"]
    return "\n".join(lines).encode()


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """Zip some files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)  # its date is the first that a zip can say
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _own_cell(identity: str, source: str) -> dict[str, Any]:
    """Make a code cell that a student wrote."""
    lines = source.strip("\n").splitlines(keepends=True)
    cell = {"cell_type": "code", "id": identity, "metadata": {}, "source": lines}
    return cell | {"execution_count": None, "outputs": []}


def _outputs(cell: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """Make what a cell has left behind when it was run."""
    if "plt." in "".join(cell["source"]):
        text = ["<Figure size 640x480 with 1 Axes>"]
        return [
            {"output_type": "display_data", "data": {"image/png": PIXEL, "text/plain": text}, "metadata": {}}
        ]
    return [{"output_type": "stream", "name": "stdout", "text": [f"Cell {count} was run.\n"]}]
