"""A chapter's own code, run in this process, so that tests can ask the chapter's functions and variables."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import myst_nb
import pytest
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

BOOK = Path(__file__).parents[2] / "book"


@dataclass(frozen=True)
class CodeCell:
    """One code cell of a chapter; ``line`` is that of its fence, counted from 1."""

    line: int
    tags: frozenset[str]
    source: str


@cache
def code_cells(slug: str) -> tuple[CodeCell, ...]:
    """The chapter's code cells in their order, with what they ``:load:``."""
    path = BOOK / f"{slug}.md"
    # MyST-NB's own reader, because it knows `:load:`.
    page = read_myst_markdown_notebook(
        path.read_text(encoding="utf-8"), MdParserConfig(), add_source_map=True, path=path
    )
    return tuple(
        CodeCell(line, frozenset(cell.metadata.get("tags", [])), cell.source)
        for cell, line in zip(page.cells, page.metadata["source_map"], strict=True)
        if cell.cell_type == "code"
    )


@cache
def run_chapter(slug: str, **switches: object) -> dict[str, Any]:
    """Every variable that the chapter's cells leave behind.

    ``"glued"`` holds the numbers that its prose shows, ``"printed"`` each cell with what it printed.
    A chapter is run once for all tests: they ask, and change nothing.

    switches  other values for names that the chapter sets in a line of their own, such as ``PICTURES = None``
    """
    glued: dict[str, Any] = {}
    printed: list[tuple[CodeCell, str]] = []
    space: dict[str, Any] = {"glued": glued, "printed": printed}

    def record(name: str, value: Any, display: bool) -> None:
        glued[name] = value

    def switched(source: str) -> str:
        for switch, value in switches.items():
            source = re.sub(rf"^{switch} = \w+", f"{switch} = {value!r}", source, flags=re.MULTILINE)
        return source

    backend = matplotlib.get_backend()
    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        patch.setattr(myst_nb, "glue", record, raising=False)
        for cell in code_cells(slug):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(switched(cell.source), space)
            printed.append((cell, out.getvalue()))
    plt.switch_backend(backend)
    return space
