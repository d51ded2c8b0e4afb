"""The boxes of a chapter: what they become, and what their authors are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from boxes import KINDS

from tests.book.tiny_books import TinyBook, build

NOTES = ["predict", "detective", "limits", "whose-picture"]

GOOD = (
    """\
# A page

:::{objectives}
:time: 45 minutes
:needs: a browser, see [the other page](other.md)
- read a picture
:::

:::{dont-panic} The *weighted* sum
In words, by hand, in symbols.
:::

:::{takeaways}
- One thing.
:::

::::{doors}
:::{door} Read
:link: other
The chapters.
:::
:::{door} Practise
:link: https://example.org/
The exercises.
:::
:::{door} Teach
:link: "#below"
The rest.
:::
::::

(below)=
The rest.
"""
    + "\n".join(f":::{{{kind}}} My own title\nWords for {kind}.\n:::\n" for kind in NOTES)
    + "\n```{toctree}\nother\n```\n"
)

BAD = """\
# A page

:::{predict}
:::

:::{limits}
:colour: red
Words.
:::

::::{doors}
Not a door.
::::

::::{doors}
:::{door} Nowhere
Words.
:::
::::

:::{dont-panic}
:time: 3 minutes
Words.
:::
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    return build(tmp_path_factory.mktemp("boxes"), {"index": GOOD, "other": "# Other\n\nWords.\n"})


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    return build(tmp_path_factory.mktemp("faulty-boxes"), {"index": BAD})


def test_a_page_with_every_box_builds_without_a_warning(book: TinyBook) -> None:
    assert book.status == 0, book.warnings


@pytest.mark.parametrize("kind", KINDS)
def test_every_box_says_what_it_is_in_words_and_draws_a_mark(book: TinyBook, kind: str) -> None:
    box = book.page().select_one(f".box-{kind}")
    assert box is not None
    assert KINDS[kind].word in box.select(".box-title")[0].get_text()
    assert box.select_one(".box-title svg[aria-hidden=true]")


def test_no_two_marks_and_no_two_words_are_the_same() -> None:
    assert len({kind.mark for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.word for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dont-panic"])
def test_every_box_is_named_by_its_title(book: TinyBook, kind: str) -> None:
    page = book.page()
    box = page.select_one(f".box-{kind}")
    assert box is not None
    title = page.find(id=box["aria-labelledby"])
    assert title is not None
    assert title in box.descendants


def test_boxes_leave_the_outline_of_the_page_alone(book: TinyBook) -> None:
    article = book.page().select_one("article")
    assert article is not None
    assert [heading.name for heading in article.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])] == ["h1"]


def test_dont_panic_folds_without_a_script(book: TinyBook) -> None:
    box = book.page().select_one(".box-dont-panic")
    assert box is not None
    assert box.name == "details"
    assert not box.has_attr("open")
    assert box.find(True, recursive=False).name == "summary"


def test_an_own_title_follows_the_fixed_word_and_keeps_its_markup(book: TinyBook) -> None:
    title = book.page().select_one(".box-dont-panic .box-title")
    assert title is not None
    assert title.get_text(" ", strip=True) == "Don’t panic The weighted sum"
    assert title.select_one("em").get_text() == "weighted"


def test_objectives_state_time_and_needs_with_working_links(book: TinyBook) -> None:
    box = book.page().select_one(".box-objectives")
    assert box is not None
    facts = {term.get_text(): term.find_next("dd") for term in box.select("dt")}
    assert facts["Time"].get_text(strip=True) == "45 minutes"
    assert facts["You need"].select_one("a")["href"] == "other.html"


def test_whose_picture_goes_to_the_margin(book: TinyBook) -> None:
    assert book.page().select_one("aside.box-whose-picture.margin")


def test_doors_are_links_and_each_lights_another_cell(book: TinyBook) -> None:
    doors = book.page().select(".doors > .door")
    assert [door.select_one(".door-title a")["href"] for door in doors] == [
        "other.html",
        "https://example.org/",
        "#below",
    ]
    lit = [[cell.has_attr("class") for cell in door.select("rect")].index(True) for door in doors]
    assert lit == [0, 4, 8]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (3, "the box {predict} is empty"),
        (6, "Unknown option keys: ['colour']"),
        (11, "{doors} takes {door} cards and nothing else"),
        (16, "{door} leads nowhere"),
        (21, "Unknown option keys: ['time']"),
    ],
)
def test_a_mistake_stops_the_build_and_names_its_place(faulty: TinyBook, line: int, words: str) -> None:
    assert faulty.status != 0
    told = [entry for entry in faulty.warnings.splitlines() if words in entry]
    assert told, faulty.warnings
    assert f"index.md:{line}:" in told[0]


def test_nothing_but_the_mistakes_is_reported(faulty: TinyBook) -> None:
    assert faulty.warnings.count("WARNING") + faulty.warnings.count("ERROR") == 5, faulty.warnings


def test_the_boxes_have_no_colour_of_their_own_in_the_page(book: TinyBook) -> None:
    # Colour lives in one stylesheet, where contrast is checked; an inline one would escape it.
    text = (Path(book.html) / "index.html").read_text(encoding="utf-8")
    assert "style=" not in text[text.index("<article") : text.index("</article>")]
