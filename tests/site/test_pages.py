"""What is true of every page, read from its HTML."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from .pages import CHAPTERS, CONTENT, EXERCISES, LESSONS, PAGES, PLAIN, REPOSITORY, minutes_of

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_lesson = pytest.mark.parametrize("lesson", LESSONS)


@cache
def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html5lib")


@every_page
def test_every_picture_says_what_it_shows(site: Path, page: str) -> None:
    for image in read(site / page).find_all("img"):
        assert image.has_attr("alt"), image
        # An empty alt text is right for decoration only: the mark beside the book's title.
        decorative = image.find_parent(class_=re.compile("logo|brand")) is not None
        assert decorative or len(image["alt"].split()) >= 4, f"{image['alt']!r} says too little"


@every_page
def test_every_picture_reserves_its_place(site: Path, page: str) -> None:
    for image in read(site / page).select("main img"):
        assert int(image["width"]) > 0
        assert int(image["height"]) > 0


@every_page
def test_links_and_anchors_inside_the_site_hold(site: Path, page: str) -> None:
    broken = []
    for element in read(site / page).find_all(href=True):
        link = element["href"]
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith(("mailto:", "data:")):
            continue
        target, fragment = urldefrag(link)
        # The page for wrong addresses is shown at any depth, so its links start at the root.
        base = site if target.startswith("/") else (site / page).parent
        file = (base / unquote(urlsplit(target).path).lstrip("/")).resolve() if target else site / page
        if file.is_dir():
            file = file / "index.html"
        if not file.is_file():
            broken.append(link)
        elif fragment and file.suffix == ".html":
            there = read(file)
            if not there.find(id=unquote(fragment)) and not there.find(attrs={"name": unquote(fragment)}):
                broken.append(link)
    assert broken == []


@every_page
def test_nothing_is_loaded_from_another_host(site: Path, page: str) -> None:
    soup = read(site / page)
    loaded = [
        element.get("src") or element.get("href") or element.get("data") or ""
        for element in soup.select(
            "script[src], img, iframe, object, embed, source, video, audio, link[href]"
        )
        # A canonical address or a feed is named, not loaded.
        if element.name != "link"
        or set(element.get("rel", [])) & {"stylesheet", "icon", "preload", "modulepreload"}
    ]
    assert [address for address in loaded if address.startswith(("http:", "https:", "//"))] == []


def test_stylesheets_load_nothing_from_another_host(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), sheet


@every_page
def test_no_page_carries_the_heavy_scripts_of_the_theme(site: Path, page: str) -> None:
    for script in read(site / page).find_all("script"):
        text = str(script.attrs).lower()
        for name in ("mathjax", "thebe", "fontawesome", "require"):
            assert name not in text


@every_page
def test_a_page_has_one_heading_of_the_first_level_and_skips_none(site: Path, page: str) -> None:
    levels = [int(h.name[1]) for h in read(site / page).select("main :is(h1, h2, h3, h4, h5, h6)")]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels)), levels


@every_page
def test_the_language_and_a_title_are_said(site: Path, page: str) -> None:
    soup = read(site / page)
    assert soup.html["lang"].startswith("en")
    assert "Mostly Harmless Convolutions" in soup.title.text


def test_pages_of_every_kind_are_found() -> None:
    """A slip in the rules of ``pages.py`` must not leave a page without its tests."""
    assert {"book/before-you-panic", "book/pictures-are-numbers", "book/sliding-window"} <= set(LESSONS)
    assert set(CHAPTERS) - set(LESSONS) == {"book/when-it-breaks"}
    names = ("grade-a-class", "privacy", "when-grading-goes-wrong")
    instructors = {f"book/instructors/{name}" for name in names}
    assert set(PLAIN) == {"book/glossary", "book/bibliography"} | instructors


@every_lesson
def test_a_lesson_is_complete(site: Path, lesson: str) -> None:
    soup = read(site / f"{lesson}.html")
    text = soup.main.get_text(" ")
    for box in ("objectives", "predict", "limits", "takeaways", "whose-picture", "dont-panic"):
        assert soup.select(f".box-{box}"), f"no box {box}"
    questions = soup.select(".self-check")
    assert 4 <= len(questions) <= 6
    assert "minutes" in text
    assert soup.find(id="sources"), "no sources"
    assert "<" not in soup.title.text


@every_lesson
def test_each_option_of_a_self_check_has_feedback_without_a_script(site: Path, lesson: str) -> None:
    for question in read(site / f"{lesson}.html").select(".self-check"):
        options = question.select("details")
        assert len(options) >= 2
        for option in options:
            feedback = option.get_text(" ", strip=True).removeprefix(option.summary.get_text(" ", strip=True))
            assert len(feedback.split()) >= 5, option
        assert len({option["name"] for option in options}) == 1


@every_chapter
def test_each_figure_has_a_caption_that_concludes(site: Path, chapter: str) -> None:
    figures = read(site / f"{chapter}.html").select("main figure")
    assert figures
    for figure in figures:
        assert len(figure.figcaption.get_text(" ", strip=True).split()) >= 6


@every_lesson
def test_a_lesson_has_a_figure_for_every_ten_minutes(site: Path, lesson: str) -> None:
    minutes = minutes_of(lesson)
    assert minutes
    assert len(read(site / f"{lesson}.html").select("main figure")) >= minutes / 10


@pytest.mark.parametrize("plain", PLAIN)
def test_a_page_without_code_offers_no_notebook(site: Path, plain: str) -> None:
    assert not (site / f"notebooks/{Path(plain).name}.ipynb").exists()
    assert not read(site / f"{plain}.html").select("a.notebook-link")


@every_chapter
def test_a_chapter_offers_its_notebook(site: Path, chapter: str) -> None:
    notebook = f"notebooks/{Path(chapter).name}.ipynb"
    assert (site / notebook).is_file()
    links = [a["href"] for a in read(site / f"{chapter}.html").find_all("a", href=True)]
    assert f"../{notebook}" in links


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_shows_points_time_and_its_notebook(site: Path, exercise: str) -> None:
    soup = read(site / f"{exercise}.html")
    text = soup.main.get_text(" ")
    assert re.search(r"\b\d+ points\b", text)
    assert re.search(r"\b\d+ minutes\b|\bhours?\b", text)
    link = next(a["href"] for a in soup.find_all("a", href=True) if a["href"].endswith(".ipynb"))
    downloaded = (site / exercise).parent / link
    original = REPOSITORY / f"{exercise}.ipynb"
    assert downloaded.read_bytes() == original.read_bytes()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_is_linked_from_its_chapter(site: Path, exercise: str) -> None:
    assert any(
        f"../{exercise}.html"
        in {a.get("href", "").split("#")[0] for a in read(site / f"{chapter}.html").find_all("a")}
        for chapter in CHAPTERS
    )


def test_links_to_colab_are_there_when_the_site_has_an_address_and_only_then(site: Path) -> None:
    settings = yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
    has_address = bool(settings["repository"]["url"])
    for name in CHAPTERS + EXERCISES:
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        # A lesson may name Colab itself; a link that opens a notebook needs to know where the notebook is.
        assert ("colab.research.google.com/github" in text) is has_address, name


def test_a_reader_can_go_through_the_course_with_previous_and_next(site: Path) -> None:
    for earlier, later in itertools.pairwise(CONTENT):
        forward = read(site / f"{earlier}.html").select_one("a.right-next")
        assert ((site / f"{earlier}.html").parent / forward["href"]).resolve() == site / f"{later}.html"


def test_the_root_leads_to_the_front_page(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    assert re.search(r"url=(\./)?book/index\.html", text)


def test_pages_are_small(site: Path) -> None:
    """Without its pictures a page is lighter than the theme alone was (2.5 MB with its scripts)."""
    for page in PAGES:
        soup = read(site / page)
        files = [e.get("src") or e["href"] for e in soup.select("script[src], link[rel~=stylesheet][href]")]
        weight = sum(
            ((site / page).parent / f.split("?")[0].lstrip("/")).stat().st_size
            for f in files
            if page != "404.html"
        )
        assert weight + (site / page).stat().st_size < 1_250_000, page
