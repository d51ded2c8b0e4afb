"""A chapter's own code, run in this process, so that tests can ask the chapter's functions and variables."""

from __future__ import annotations

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


@cache
def run_chapter(slug: str) -> dict[str, Any]:
    """Every variable that the chapter's cells leave behind; ``"glued"`` holds the numbers its prose shows.

    A chapter is run once for all tests: they ask, and change nothing.
    """
    path = BOOK / f"{slug}.md"
    glued: dict[str, Any] = {}
    space: dict[str, Any] = {"glued": glued}

    def record(name: str, value: Any, display: bool) -> None:
        glued[name] = value

    backend = matplotlib.get_backend()
    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        patch.setattr(myst_nb, "glue", record, raising=False)
        # MyST-NB's own reader, because it knows `:load:`.
        text = path.read_text(encoding="utf-8")
        for cell in read_myst_markdown_notebook(text, MdParserConfig(), path=path).cells:
            if cell.cell_type == "code":
                exec(cell.source, space)
    plt.switch_backend(backend)
    return space
