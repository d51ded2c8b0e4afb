"""What is true of every chapter: numbers are computed and shown, sources are known, code fits a phone."""

from __future__ import annotations

import re

import pytest

from .chapter_code import BOOK, code_cells, run_chapter

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


PHONE = 49  # letters of code that a screen of 390 px shows side by side
IMPORT = 52  # the path of a module cannot be broken
NOT_SHOWN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
WRAPPED = {"hide-output", "hide-cell", "remove-output", "remove-cell", "wrap-output"}


@every_chapter
def test_every_shown_line_of_code_fits_a_phone(slug: str) -> None:
    page = source(slug).splitlines()
    too_wide = []
    for cell in code_cells(slug):
        if not cell.tags & NOT_SHOWN:
            for line in cell.source.splitlines():
                if len(line) > (IMPORT if line.startswith(("from ", "import ")) else PHONE):
                    number = page.index(line, cell.line) + 1
                    too_wide.append(f"book/{slug}.md:{number}: {len(line)} letters: {line.strip()}")

    assert not too_wide, "\n".join(["break these lines, or fold a cell that only draws:", *too_wide])


@every_chapter
def test_every_printed_line_fits_a_phone(slug: str) -> None:
    too_wide = [
        f"book/{slug}.md:{cell.line}: the cell prints {len(line)} letters: {line}"
        for cell, text in run_chapter(slug)["printed"]
        if not cell.tags & WRAPPED
        for line in text.splitlines()
        if len(line) > PHONE
    ]

    assert not too_wide, "\n".join(["print shorter lines, or tag the cell wrap-output:", *too_wide])
