"""The glossary and the chapters speak of the same words; the sources are those that somebody leans on."""

from __future__ import annotations

import re

from .chapter_code import BOOK

GLOSSARY = (BOOK / "glossary.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in BOOK.glob("*.md") if path.stem != "glossary"}
TERM = re.compile(r"\{term\}`([^`]+)`")


def definitions() -> dict[str, str]:
    """Term → definition, as the page has them."""
    body = GLOSSARY.split("```{glossary}\n:sorted:\n\n")[1].split("\n```")[0]
    pairs = [entry.split("\n  ", 1) for entry in re.split(r"\n\n(?=\S)", body)]
    return {term: text for term, text in pairs}


def wanted(text: str) -> list[str]:
    """The terms that a text leads to, in small letters."""
    found = [" ".join(match.split()) for match in TERM.findall(text)]
    return [re.sub(r"^.*<(.+)>$", r"\1", term).lower() for term in found]


def test_a_term_is_defined_once_and_in_one_to_three_sentences() -> None:
    terms = definitions()
    assert len(terms) >= 40
    assert len({term.lower() for term in terms}) == len(terms)
    for term, text in terms.items():
        assert text.rstrip(")").endswith("."), term
        assert 1 <= len(re.findall(r"[.?!][\")]?(?= |$)", text)) <= 4, (
            term
        )  # a bracketed aside may be a fourth


def test_terms_stand_in_the_order_of_the_alphabet() -> None:
    terms = [term.lower() for term in definitions()]
    assert terms == sorted(terms)


def test_every_term_that_a_page_leads_to_is_defined() -> None:
    known = {term.lower() for term in definitions()}
    for name, text in PAGES.items():
        assert set(wanted(text)) <= known, name
    assert set(wanted(GLOSSARY)) <= known


def test_no_definition_leads_to_itself() -> None:
    for term, text in definitions().items():
        assert term.lower() not in wanted(text), term


def test_the_first_lessons_lead_to_the_words_that_they_introduce() -> None:
    for name in ("before-you-panic", "pictures-are-numbers", "sliding-window"):
        linked = wanted(PAGES[name])
        assert len(linked) >= 4, name
    pictures, window = (set(wanted(PAGES[name])) for name in ("pictures-are-numbers", "sliding-window"))
    assert {"array", "shape", "dtype", "pixel", "channel", "histogram"} <= pictures
    assert {"kernel", "weight", "weighted sum", "correlation", "impulse"} <= window
    edges, sizes = (set(wanted(PAGES[name])) for name in ("edges", "sizes"))
    assert {"edge", "sobel", "gradient", "magnitude", "orientation histogram", "contour"} <= edges
    assert {"padding", "stride", "dilation", "receptive field", "separable", "1×1 convolution"} <= sizes


def test_a_lesson_links_a_term_at_its_first_use_and_not_again_and_again() -> None:
    for name, text in PAGES.items():
        linked = wanted(text)
        # Objectives name a word before the text explains it, so a term may be linked twice.
        assert all(linked.count(term) <= 2 for term in linked), name


def test_every_source_is_cited_and_every_citation_has_its_source() -> None:
    sources = set(re.findall(r"@\w+\{(\w+),", (BOOK / "references.bib").read_text(encoding="utf-8")))
    cited = {
        key.strip()
        for text in PAGES.values()
        for keys in re.findall(r"\{footcite:[pt]\}`([^`]+)`", text)
        for key in keys.split(",")
    }
    assert cited == sources
