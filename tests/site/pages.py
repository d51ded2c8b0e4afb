"""Which pages the site has, read from ``_toc.yml``: a new page is tested without another line here.

What a page has to have follows from what it is, and that follows from its own text: a *chapter* has a
jupytext header, so its code runs and it is a notebook too; a *lesson* is a chapter that names its time.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

REPOSITORY = Path(__file__).resolve().parents[2]


def _text(name: str) -> str:
    return (REPOSITORY / f"{name}.md").read_text(encoding="utf-8")


def minutes_of(name: str) -> int | None:
    """The time that a page's objectives name, None for a page without."""
    found = re.search(r"^:{3,}\{objectives\}\n:time: (\d+) minutes$", _text(name), re.MULTILINE)
    return int(found[1]) if found else None


CONTENT = [str(name) for name in parse_toc_yaml(REPOSITORY / "_toc.yml")]
IN_THE_BOOK = [name for name in CONTENT if name.startswith("book/") and name != "book/index"]
CHAPTERS = [name for name in IN_THE_BOOK if _text(name).startswith("---\njupytext:")]
LESSONS = [name for name in CHAPTERS if minutes_of(name)]
PLAIN = [name for name in IN_THE_BOOK if name not in CHAPTERS]
EXERCISES = [name for name in CONTENT if name.startswith("exercises/")]
# Pages that readers meet and nobody wrote a file for.
SERVICE = ["search", "404"]
PAGES = [f"{name}.html" for name in CONTENT + SERVICE]
