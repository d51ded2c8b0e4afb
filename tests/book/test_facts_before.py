"""What "Before you panic" says is so: of the order of cells, of the checks, and of the mosaic."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from .chapter_code import BOOK, run_chapter

TEXT = (BOOK / "before-you-panic.md").read_text(encoding="utf-8")
ENDS = "def crop(image, top, left, height, width): return image[top:height, left:width]"
RIGHT = "def crop(image, top, left, height, width): return image[top:top + height, left:left + width]"


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("before-you-panic")


def test_every_glued_number_is_shown_and_every_shown_number_is_glued(chapter: dict[str, Any]) -> None:
    shown = re.findall(r"\{glue:text\}`(\w+)(?::[^`]+)?`", TEXT)
    assert len(shown) == TEXT.count("{glue:text}")
    assert set(shown) == set(chapter["glued"])


def test_the_order_of_cells_changes_what_the_last_one_prints(chapter: dict[str, Any]) -> None:
    assert "the last cell prints 150" in TEXT
    assert chapter["run"]([1, 2, 3]) == 150
    assert chapter["results"] == [150, 200, 100]


def test_the_negative_keeps_all_that_the_picture_says(chapter: dict[str, Any]) -> None:
    coins = chapter["coins"]
    assert np.array_equal(255 - (255 - coins), coins)  # 255 - uint8 never rolls over
    assert np.array_equal(255 - coins, 255 - coins.astype(int))


def test_a_mosaic_of_blocks_keeps_one_colour_for_each_block(chapter: dict[str, Any]) -> None:
    portrait, mosaic = chapter["portrait"], chapter["mosaic"]
    assert mosaic.shape == (24, 24, 3)
    assert mosaic[3, 5] == pytest.approx(portrait[30:40, 50:60].mean(axis=(0, 1)))


def test_the_example_in_the_formula_box_adds_up() -> None:
    numbers = [int(n) for n in re.search(r"Four pixels: ([\d, ]+)\.", TEXT)[1].split(",")]
    total, count, mean = map(int, re.search(r"add up to (\d+).* / (\d) = (\d+)\.", TEXT).groups())
    assert (sum(numbers), len(numbers), np.mean(numbers)) == (total, count, mean)


def test_the_checks_answer_in_the_words_that_the_chapter_quotes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The student's own notebook, run as far as its second check, then with two answers put in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    notebook = nbformat.read(BOOK.parent / "exercises" / "pixels.ipynb", as_version=4)
    space: dict[str, Any] = {"__name__": "__main__"}
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    for source in code[: code.index('check("q2")') + 1]:
        if source != 'check("q1")':
            exec(source, space)
    plt.switch_backend(backend)
    for answer in (ENDS, RIGHT):
        exec(answer, space)
        space["check"]("q2")
    said = capsys.readouterr().out.partition("✗")
    quoted = re.findall(r"^```text\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)
    assert "".join(said[1:]).splitlines() == [line for quote in quoted for line in quote.splitlines()]
