"""Notebooks as students hand them in, made from an exercise."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.answers import Answer
from autograder.assemble import Product
from autograder.build import Built
from autograder.parts import Master


@dataclass(frozen=True)
class Exercise:
    """A master and what the build made of it."""

    master: Master
    built: Built

    @property
    def product(self) -> Product:
        """The files that it becomes."""
        return self.built.product

    @property
    def questions(self) -> list[str]:
        """The names of its questions."""
        return [question.name for question in self.master.questions]


def rewritten(notebook: bytes, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> bytes:
    """Change the cells of a notebook."""
    content = json.loads(notebook)
    return json.dumps(content | {"cells": change(content["cells"])}).encode()


def own_cell(identity: str, source: str) -> dict[str, Any]:
    """A cell that a student wrote."""
    cell = {"cell_type": "code", "id": identity, "metadata": {}, "source": source}
    return cell | {"execution_count": None, "outputs": []}


def question_of(cell: dict[str, Any]) -> str | None:
    """The question that a cell answers, or None."""
    name, role = cell["id"].split("-")[0], cell["id"].split("-")[1:2]
    return name if role == ["answer"] else None


def half_solved(product: Product, *questions: str) -> bytes:
    """The untouched notebook with the answers to some questions put in."""
    solved = {cell["id"]: cell for cell in json.loads(product.solved)["cells"]}
    return rewritten(
        product.student,
        lambda cells: [solved[cell["id"]] if question_of(cell) in questions else cell for cell in cells],
    )


def with_answer(product: Product, answer: Answer) -> bytes:
    """The solved notebook with one question answered in another way."""

    def put_in(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # A question that asks for the functions of an earlier one has no cell of its own.
        place = max(name for cell in cells if (name := question_of(cell)) and name <= answer.question)
        last = max(i for i, cell in enumerate(cells) if question_of(cell) == place)
        cells.insert(last + 1, own_cell("own", answer.source))
        return cells

    return rewritten(product.solved, put_in)


def out_of_order(product: Product) -> bytes:
    """The solved notebook, its answers first and from the last to the first, the checks at the end."""

    def shuffle(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        answers = [cell for cell in code if question_of(cell)]
        opening = [cell for cell in code if cell["id"].startswith("opening-code")]
        setup = [cell for cell in code if cell["id"] == "setup"]
        checks = [cell for cell in code if cell["id"].endswith("-check")]
        return [*opening, *answers[::-1], *setup, *checks, own_cell("all", "check_all()")]

    return rewritten(product.solved, shuffle)


def setup_then(product: Product, *sources: str) -> bytes:
    """The setup cell and the imports of the student notebook, then some cells of a student."""
    own = [own_cell(f"own-{number}", source) for number, source in enumerate(sources)]
    return rewritten(
        product.student,
        lambda cells: [
            *(cell for cell in cells if cell["id"] == "setup" or cell["id"].startswith("opening-code")),
            *own,
        ],
    )
