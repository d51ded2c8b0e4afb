"""Every error of "When it breaks" is the error that its heading names, said by the real libraries."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from dataclasses import dataclass, field

import cv2
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from .chapter_code import BOOK

PATH = BOOK / "when-it-breaks.md"
TEXT = PATH.read_text(encoding="utf-8")


@dataclass
class Entry:
    """One heading of the page, and what the cells below it print, one text for each cell."""

    heading: str
    printed: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """The page's cells, run in order in an empty folder; one printed text for each cell."""
    found = [Entry("")]
    space: dict[str, object] = {}
    page = read_myst_markdown_notebook(TEXT, MdParserConfig(), path=PATH)
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    with contextlib.chdir(tmp_path_factory.mktemp("empty")), pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        patch.setattr(logging.getLogger(), "handlers", [])  # pytest keeps warnings from being printed
        for cell in page.cells:
            if cell.cell_type == "markdown":
                found += [Entry(heading) for heading in re.findall(r"^##+ (.*)$", cell.source, re.MULTILINE)]
            else:
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(cell.source, space)
                found[-1].printed.append(out.getvalue())
    plt.switch_backend(backend)
    return found


def printed_under(entries: list[Entry], words: str) -> str:
    (entry,) = (entry for entry in entries if words in entry.heading)
    return "".join(entry.printed)


def test_each_error_in_a_heading_is_the_first_that_is_raised_below_it(entries: list[Entry]) -> None:
    named = {}
    for entry in entries:
        match = re.search(r"`(\w*[eE]rror)\b", entry.heading)
        if match:
            first = re.search(r"^(\w*[eE]rror): ", "".join(entry.printed), re.MULTILINE)
            named[match[1]] = first and first[1]
    assert len(named) >= 16
    assert all(raised == name for name, raised in named.items()), named


def test_each_line_that_should_break_breaks(entries: list[Entry]) -> None:
    survived = [
        (entry.heading, printed)
        for entry in entries
        for printed in entry.printed
        if "No error this time." in printed
    ]
    # The one mistake below a heading of this page that Python never notices.
    assert [heading for heading, _ in survived] == ["A counter that rolled over"]


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("`NameError`", r"name 'coinz' is not defined"),
        ("`ModuleNotFoundError`", r"No module named 'opencv'"),
        ("`FileNotFoundError`", r"No such file or directory: 'holiday\.jpg'"),
        ("`SyntaxError`", r"was never closed[^$]*Maybe you meant '=='"),
        ("`TypeError`", r"'NoneType'[^$]*AttributeError: 'NoneType'[^$]*slice indices must be integers"),
        ("`IndexError`", r"index 303 is out of bounds for axis 0 with size 303[^$]*too many indices"),
        ("`ValueError`", r"broadcast together with shapes \(303,100\) \(303,284\)[^$]*is ambiguous"),
        ("`cv2.imread`", r"^None\nAttributeError: 'NoneType' object has no attribute 'shape'"),
        ("`error: OpenCV`", r"!_src\.empty\(\)[^$]*(format|depth)[^$]*scn"),
        ("All black", r"Clipping input data"),
        ("`TypeError`", r"Invalid shape \(3, 400, 600\) for image data"),
        ("`KeyError`", r"^KeyError: 'blur'$"),
        ("`OverflowError`", r"-1 out of bounds for uint8[^$]*300 out of bounds for uint8"),
        ("`UFuncTypeError`", r"Cannot cast[^$]*'float64'[^$]*'uint8'"),
        ("`RuntimeError`", r"weight of size \[4, 1, 3, 3\][^$]*to have 1 channels, but got 3"),
        ("`RuntimeError`", r"greater than actual input[^$]*cannot be multiplied \(1x900 and 784x10\)"),
        ("`RuntimeError`", r"(unsigned char|Byte)[^$]*(float|Float)"),
        ("While a network learns", r"Target 3 is out of bounds[^$]*Expected floating point type for target"),
        ("While a network learns", r"does not require grad[^$]*device"),
        ("`UnpicklingError`", r"^UnpicklingError: Weights only load failed"),
        ("`nan`", r"nan[^$]*RuntimeWarning: invalid value"),
    ],
)
def test_the_words_that_the_page_explains_are_in_the_message(
    entries: list[Entry], heading: str, said: str
) -> None:
    assert re.search(said, printed_under(entries, heading))


def test_the_rolled_over_number_is_wrong_and_no_error(entries: list[Entry]) -> None:
    assert printed_under(entries, "rolled over").startswith("[110 200  44]")


def test_the_table_leads_to_every_entry_and_nowhere_else() -> None:
    table = re.findall(r"^\|.*\]\(#([\w-]+)\) \|$", TEXT, re.MULTILINE)
    labels = re.findall(r"^\(([\w-]+)\)=$", TEXT, re.MULTILINE)
    assert len(table) >= 15
    assert set(labels) - {"imread-none"} == set(table)  # that one is reached from TypeError


def test_every_error_of_a_heading_is_in_the_table() -> None:
    rows = "\n".join(line for line in TEXT.splitlines() if line.startswith("|"))
    for name in re.findall(r"^### `(\w+Error)`", TEXT, re.MULTILINE):
        assert f"`{name}`" in rows


def test_every_entry_says_what_to_do() -> None:
    parts = re.split(r"^###? ", TEXT, flags=re.MULTILINE)
    for part in parts:
        if "with breaks():\n" in part and "def breaks" not in part:
            assert "**It means:**" in part, part
            assert re.search(r"\*\*What to do(, for all (three|of these))?:\*\*", part), part


def test_the_remedies_work() -> None:
    coins = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert coins[:, : 8 // 2].shape == (6, 4)
    assert coins[4:10].shape == (2, 8)  # the silent cousin of IndexError
    assert (coins > 5).any()
    assert coins.nbytes == 48
    for kind in (np.uint8, np.float32, np.float64):  # "nearly always work"
        assert cv2.filter2D(coins.astype(kind), -1, np.ones((3, 3)) / 9).shape == coins.shape
    colours = np.dstack([coins] * 3)
    assert cv2.cvtColor(colours.astype(np.float32), cv2.COLOR_RGB2GRAY).shape == coins.shape
    with pytest.raises(cv2.error):
        cv2.cvtColor(colours.astype(np.float64), cv2.COLOR_RGB2GRAY)
    assert colours.transpose(2, 0, 1).transpose(1, 2, 0).shape == colours.shape
    assert (coins.astype(float) + 300).min() == 300
    assert (coins * 1.2).dtype == float
    layer = torch.nn.Conv2d(3, 4, 3)
    assert layer(torch.zeros(1, 3, 32, 32, dtype=torch.uint8).float()).shape == (1, 4, 30, 30)
    assert np.isnan(np.array([np.nan, 1.0])).sum() == 1


def test_what_is_worked_out_from_nan_is_nan() -> None:
    assert np.isnan(np.array([np.nan, 1.0]).mean())
    assert np.isnan(np.array([np.nan, 1.0]).sum())


def test_the_helper_lets_ctrl_c_through() -> None:
    source = next(c.source for c in code_cells() if "def breaks" in c.source)
    space: dict[str, object] = {}
    exec(source, space)
    with pytest.raises(KeyboardInterrupt), space["breaks"]():
        raise KeyboardInterrupt


def code_cells() -> list[nbformat.NotebookNode]:
    """The code cells of the page."""
    cells = read_myst_markdown_notebook(TEXT, MdParserConfig(), path=PATH).cells
    return [cell for cell in cells if cell.cell_type == "code"]
