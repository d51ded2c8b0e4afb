"""Judge and student code in two processes come to what they come to in one: the same points, the same words."""

import json
from typing import Any

import pytest

from autograder import bundles, grading, judge, standins
from autograder.sandbox import Slot
from tests.exercises.submissions import Exercise, own_cell, question_of, rewritten


def wrong_throughout(exercise: Exercise, turn: int) -> bytes:
    """A notebook in which every question has a wrong answer, another one for each turn.

    A question that others build on is answered wrongly too, so that they fail as they would in a class.
    """
    chosen = {}
    for question in exercise.master.questions:
        wrong = [answer for answer in question.answers if answer.kind == "wrong"]
        chosen[question.source] = wrong[(7 * turn + 3) % len(wrong)].source

    def answer_wrongly(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        changed = []
        for cell in cells:
            changed.append(cell)
            name = question_of(cell)
            if name in chosen:
                changed.append(own_cell(f"{name}-wrong", chosen.pop(name)))
        return changed

    return rewritten(exercise.product.solved, answer_wrongly)


def broken(product_notebook: bytes) -> bytes:
    """Harmlessly broken: a typing mistake, a magic, a shell line, an installation, a name that is not there."""
    sources = [
        "def half(",
        "%matplotlib inline\n!echo hello\n",
        "if True:\n    %pip install something\n    !pip install more\nx = 3\n",
        "raise RuntimeError('stop')",
        "import sys; sys.exit()",
        "print(input())",
        "undefined_name + 1",
    ]
    own = [own_cell(f"own-{number}", source) for number, source in enumerate(sources)]
    return rewritten(product_notebook, lambda cells: [*own, *cells, *own])


def grade_apart(exercise: Exercise, notebook: bytes, questions: list[str]) -> judge.Score:
    """What the class grader makes of a notebook."""
    bundle = bundles.load(exercise.product.bundle, "the bundle")
    with Slot("strict", bundle.warming) as slot:
        return grading.run(bundle, json.loads(notebook), slot, seconds=300, questions=questions).score


NOTEBOOKS = ["solved", "untouched", "broken", "wrong 0", "wrong 1", "wrong 2"]


@pytest.mark.parametrize("which", NOTEBOOKS)
def test_two_processes_come_to_what_one_comes_to(exercise: Exercise, which: str) -> None:
    product = exercise.product
    notebook = product.solved
    if which == "untouched":
        notebook = product.student
    if which == "broken":
        notebook = broken(product.solved)
    if which.startswith("wrong"):
        notebook = wrong_throughout(exercise, int(which[-1]))
    # The broken cells need IPython; they change nothing for the functions.
    here = judge.functions_of(product.solved if which == "broken" else notebook)
    questions = list(exercise.questions)
    if which == "broken" and "fit" in here:
        questions = questions[:4]  # the others train networks, and have done so for the solution
    apart = grade_apart(exercise, notebook, questions)
    together = judge.judge(product.bundle, here, questions=questions)
    assert apart == together
    if which in ("solved", "broken"):
        assert apart.earned == apart.possible > 0
    elif which == "untouched":
        assert apart.earned == 0


def test_failing_cells_are_told_by_name_and_do_not_stop_the_others(kernels: Exercise) -> None:
    cells = [(cell["id"], cell["source"]) for cell in json.loads(broken(b'{"cells": []}'))["cells"][:7]]
    with Slot("strict") as slot, slot.worker() as running:
        notebook = standins.Notebook(running.channel, 60)
        failed = notebook.run([*cells, ("last", "y = x + 1")])
        assert [(cell, kind) for cell, kind, _ in failed] == [
            ("own-0", "SyntaxError"),
            ("own-3", "RuntimeError"),
            ("own-4", "SystemExit"),
            ("own-5", "EOFError"),
            ("own-6", "NameError"),
        ]
        assert notebook["y"] == 4
        assert "z" not in notebook
