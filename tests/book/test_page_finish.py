"""What the last hand on a page takes out, and what it mends."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from page_finish import Page, finish, svg_size
from PIL import Image

from tests.book.tiny_books import TinyBook, build

PAGE = """\
# A page

Words, with a [link](https://example.org/).

![a grey square](grey.png)

![a figure at twice the density](dense.png)

| | colour |
|---|---|
| sky | blue |

## A part

```python
short = 1
long = "a line of code that is far too long to fit the width of a telephone without scrolling"
```

```python
short = 1
```
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    folder = tmp_path_factory.mktemp("page")
    pictures = folder / "pictures"
    pictures.mkdir()
    Image.new("L", (60, 40), 128).save(pictures / "grey.png")
    Image.new("L", (600, 400), 128).save(pictures / "dense.png", dpi=(200, 200))
    text = PAGE.replace("(grey", "(../pictures/grey").replace("(dense", "(../pictures/dense")
    return build(folder, {"index": text})


@pytest.fixture(scope="module")
def page(book: TinyBook) -> BeautifulSoup:
    assert book.status == 0, book.warnings
    return book.page()


def every_page(book: TinyBook) -> list[BeautifulSoup]:
    return [BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in book.html.glob("*.html")]


def test_nothing_is_loaded_from_another_host(book: TinyBook) -> None:
    for page in every_page(book):
        for tag in page.select("script[src], link[href], img[src], iframe, source"):
            address = str(tag.get("src") or tag.get("href"))
            assert not urlsplit(address).netloc, tag
    for style in book.html.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", style.read_text("utf-8")), style


def test_everything_a_page_loads_is_there(book: TinyBook) -> None:
    for page in every_page(book):
        for tag in page.select("script[src], link[href], img[src]"):
            if tag.get("rel") not in (["search"], ["next"], ["prev"], ["index"]):
                path = urlsplit(str(tag.get("src") or tag.get("href"))).path
                assert (book.html / path).is_file(), tag


def test_everything_a_style_loads_is_there_but_an_icon_font_nobody_uses(book: TinyBook) -> None:
    for style in book.html.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", style.read_text("utf-8"), flags=re.S)
        for address in re.findall(r"url\([\"']?([^\"')]+)[\"']?\)", text):
            if not address.startswith("data:") and "fontawesome" not in address:
                assert (style.parent / urlsplit(address).path).is_file(), (style.name, address)


def test_no_icon_needs_a_font_or_a_script(book: TinyBook) -> None:
    for page in every_page(book):
        assert not page.select("i[class*=fa-], span[class*=fa-]")
    assert not list(book.html.rglob("*fontawesome*"))


def test_the_search_index_is_loaded_only_where_one_searches(book: TinyBook) -> None:
    def loads(name: str) -> bool:
        return any(
            "searchindex" in str(script.get("src")) for script in book.page(name).select("script[src]")
        )

    assert loads("search")
    assert not loads("index")


def test_a_page_without_code_loads_no_copy_button(tmp_path: Path) -> None:
    plain = build(
        tmp_path,
        {
            "index": "# A page\n\nWords.\n\n```{toctree}\ncode\n```\n",
            "code": "# Code\n\n```python\nx = 1\n```\n",
        },
        settings='extensions += ["sphinx_copybutton"]',
    )
    assert plain.status == 0, plain.warnings

    def loads(name: str) -> bool:
        return any("copybutton" in str(tag) for tag in plain.page(name).select("script[src], link[href]"))

    assert loads("code")
    assert not loads("index")


def test_pictures_reserve_their_place(page: BeautifulSoup) -> None:
    sizes = {str(image["alt"]): (image["width"], image["height"]) for image in page.select("article img")}
    assert sizes["a grey square"] == ("60", "40")


def test_a_dense_picture_stands_at_its_natural_size(page: BeautifulSoup) -> None:
    dense = page.select_one("img[alt^='a figure']")
    assert dense is not None
    assert (dense["width"], dense["height"]) == ("300", "200")  # 600 by 400 pixels at 200 to the inch


def test_all_pictures_but_the_first_wait_until_they_are_near(page: BeautifulSoup) -> None:
    assert [image.get("loading") for image in page.select("article img")] == [None, "lazy"]


def test_the_page_says_its_language_and_one_title(page: BeautifulSoup) -> None:
    assert page.html is not None
    assert page.html["lang"] == "en-CA"
    assert len(page.find_all("h1")) == 1


def test_the_skip_link_leads_to_something_that_takes_the_focus(page: BeautifulSoup) -> None:
    link = page.select_one("#pst-skip-link a")
    assert link is not None
    target = page.select_one(str(link["href"]))
    assert target is not None
    assert target.name == "main"
    assert target["tabindex"] == "-1"


def test_there_is_one_search_button_in_the_sidebar_and_no_second_bar(page: BeautifulSoup) -> None:
    assert len(page.select(".search-button-field")) == 1
    header = page.select_one("#pst-header")
    assert header is not None
    assert not header.get_text(strip=True)
    assert header.has_attr("hidden")


def test_every_button_has_exactly_one_name(page: BeautifulSoup) -> None:
    for button in page.select("button"):
        seen = button.get_text(strip=True)
        assert seen or button.get("aria-label"), button
        assert not (seen and button.get("aria-label")), button


def test_empty_header_cells_are_not_headers(page: BeautifulSoup) -> None:
    assert all(cell.get_text(strip=True) for cell in page.select("article th"))
    assert len(page.select("article th")) == 1


def test_tables_and_long_code_can_be_scrolled_with_the_keyboard(page: BeautifulSoup) -> None:
    table = page.select_one("article table")
    assert table is not None
    assert table.parent is not None
    assert table.parent["tabindex"] == "0"
    assert [code.get("tabindex") for code in page.select("article pre")] == ["0", None]


def test_a_full_stop_stays_with_its_formula() -> None:
    html = "<article><p>Let <math><mi>j</mi></math>. Then <math><mi>k</mi></math> grows.</p></article>"
    done = BeautifulSoup(finish(html, Page("page", Path("nowhere"), False)), "html.parser")
    assert [span.get_text() for span in done.select("span.formula")] == ["j."]
    assert done.get_text() == BeautifulSoup(html, "html.parser").get_text()


def test_the_theme_is_chosen_before_the_first_paint(page: BeautifulSoup) -> None:
    assert page.head is not None
    chosen = [
        script for script in page.head.find_all("script") if "prefers-color-scheme" in script.get_text()
    ]
    assert len(chosen) == 1
    assert not chosen[0].get("src")


def test_the_body_fonts_are_fetched_early(page: BeautifulSoup, book: TinyBook) -> None:
    links = [str(link["href"]) for link in page.select("link[rel=preload][as=font]")]
    assert [link.rpartition("/")[2] for link in links] == ["literata-normal.woff2", "literata-italic.woff2"]
    assert all((book.html / link).is_file() for link in links)


def test_the_output_holds_no_maps_no_scripts_for_making_and_no_empty_folders(book: TinyBook) -> None:
    static = book.html / "_static"
    assert not [path for path in static.rglob("*") if path.suffix in (".map", ".py", ".scss")]
    assert all(any(folder.iterdir()) for folder in static.rglob("*") if folder.is_dir())


@pytest.mark.parametrize(("base", "known"), [("", False), ("https://example.org/course/", True)])
def test_addresses_are_whole_or_absent(tmp_path: Path, base: str, known: bool) -> None:
    shared = build(
        tmp_path,
        {"index": "# A page\n\nWords.\n\n```{toctree}\nother\n```\n", "other": "# Other\n\nWords.\n"},
        settings=f'extensions += ["sharing"]\nhtml_baseurl = ogp_site_url = {base!r}\n'
        f"notfound_urls_prefix = {'/course/' if known else '/'!r}",
    )
    assert shared.status == 0, shared.warnings
    tags = {str(tag["property"]): str(tag["content"]) for tag in shared.page().select("meta[property]")}
    assert ("og:url" in tags) is known
    assert ("og:image" in tags) is known
    assert (shared.html / "sitemap.xml").exists() is known
    assert tags["og:title"] == "A page"
    assert tags["og:site_name"] == "A tiny book"
    if known:
        assert tags["og:image"] == base + "_static/social-card.png"
        assert (shared.html / "_static/social-card.png").is_file()
        named = re.findall("<loc>(.*?)</loc>", (shared.html / "sitemap.xml").read_text("utf-8"))
        assert named == [f"{base}index.html", f"{base}other.html"]
    lost = shared.page("404")
    assert (
        lost.find("a", string="Back to the front page")["href"] == f"{'/course/' if known else '/'}index.html"
    )
    prefix = "/course/" if known else "/"
    for tag in lost.select("link[rel=stylesheet], script[src], img[src]"):
        assert str(tag.get("href") or tag.get("src")).startswith(prefix), tag


def test_the_sitemap_names_every_page_after_a_change_to_one(tmp_path: Path) -> None:
    pages = {"index": "# A page\n\nWords.\n\n```{toctree}\nother\n```\n", "other": "# Other\n\nWords.\n"}
    settings = 'extensions += ["sharing"]\nhtml_baseurl = ogp_site_url = "https://example.org/"\n'
    settings += 'notfound_urls_prefix = "/"'
    build(tmp_path, pages, settings=settings)

    again = build(tmp_path, {**pages, "other": "# Other\n\nOther words.\n"}, settings=settings)

    sitemap = (again.html / "sitemap.xml").read_text("utf-8")
    assert "Other words" in again.page("other").text
    assert sitemap.count("<loc>") == 2
    assert "https://example.org/other.html" in sitemap


@given(st.text(max_size=200))
def test_any_text_as_svg_has_a_size_or_none(text: str) -> None:
    size = svg_size(text)
    assert size is None or (size[0] > 0 and size[1] > 0)


@given(
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.sampled_from(['width="{w}" height="{h}"', 'width="{w}px" height="{h}px"', 'viewBox="0 0 {w} {h}"']),
)
def test_an_svg_is_as_large_as_it_says(width: int, height: int, form: str) -> None:
    assert svg_size(f"<svg {form.format(w=width, h=height)}><path/></svg>") == (width, height)


@given(st.text(st.sampled_from("<>/&;abi=\"' svgmatdel!-"), max_size=60))
def test_finishing_twice_changes_nothing_more(text: str) -> None:
    page = Page("index", Path("/nowhere"), has_site=False)
    once = finish(f"<html><body><article>{text}</article></body></html>", page)
    assert finish(once, page) == once
