"""What is true of every chapter's source: numbers are computed and shown, sources are known."""

from __future__ import annotations

import re

import pytest

from .chapter_code import BOOK, run_chapter

CHAPTERS = sorted(
    p.stem for p in BOOK.glob("*.md") if p.read_text(encoding="utf-8").startswith("---\njupytext")
)
every_chapter = pytest.mark.parametrize("slug", CHAPTERS)


def source(slug: str) -> str:
    return (BOOK / f"{slug}.md").read_text(encoding="utf-8")


@every_chapter
def test_every_glued_number_is_shown_and_every_shown_number_is_glued(slug: str) -> None:
    shown = re.findall(r"\{glue:text\}`(\w+)(?::[^`]+)?`", source(slug))

    assert len(shown) == source(slug).count("{glue:text}")  # each one is closed
    assert set(shown) == set(run_chapter(slug)["glued"])


@every_chapter
def test_every_cited_work_is_in_the_bibliography(slug: str) -> None:
    cited = re.findall(r"\{footcite:p\}`([^`]+)`", source(slug))
    known = re.findall(r"@\w+\{(\w+),", (BOOK / "references.bib").read_text(encoding="utf-8"))

    assert {key for keys in cited for key in keys.split(",")} <= set(known)
