"""The exercise on the site: a page to read, with its facts and its notebook, and a box that leads there."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from exercise_notebooks import read_exercise
from notebook_text import Missing

from .tiny_site import TinySite, exercise_notebook

CHAPTER = "\n# One\n\nWords.\n\n:::{now-you} kernels\nWrite the *window* yourself.\n:::\n"


def write_book(root: Path) -> TinySite:
    site = TinySite(root)
    site.chapter("one", CHAPTER, header="")
    site.exercise()
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> TinySite:
    return write_book(tmp_path_factory.mktemp("known")).build("Ada/course")


@pytest.fixture(scope="module")
def homeless(tmp_path_factory: pytest.TempPathFactory) -> TinySite:
    return write_book(tmp_path_factory.mktemp("unknown")).build()


COLAB = "https://colab.research.google.com/github/Ada/course/blob/main/exercises/kernels.ipynb"


def article(page: str) -> str:
    return page[page.index("<article") : page.index("</article>")]


def test_the_page_says_points_time_and_chapter_before_anything_else(site: TinySite) -> None:
    assert not site.failed, site.log
    text = article(site.page("exercises/kernels"))

    facts = text.index("18 points · about 75 minutes")
    assert text.index("<h1>") < facts < text.index("Nine numbers at a time")
    assert re.search(r'After the chapter <a [^>]*href="\.\./book/one\.html"', text)


def test_the_page_offers_colab_and_the_download(site: TinySite) -> None:
    text = article(site.page("exercises/kernels"))

    assert f'href="{COLAB}"' in text
    assert 'href="kernels.ipynb" download' in text


def test_the_download_is_the_committed_notebook_byte_for_byte(site: TinySite) -> None:
    source = site.root / "exercises" / "kernels.ipynb"

    assert (site.html / "exercises" / "kernels.ipynb").read_bytes() == source.read_bytes()


def test_points_and_time_are_not_said_twice(tmp_path: Path) -> None:
    site = write_book(tmp_path)
    path = site.exercise()
    opening = "*6 questions · 18 points · about 75 minutes*\n\nNine"
    path.write_text(path.read_text().replace("Nine", opening.replace("\n", "\\n")))
    site.build()

    assert not site.failed, site.log
    assert article(site.page("exercises/kernels")).count("18 points") == 1


def test_the_exercise_and_its_checks_are_shown_and_not_run(site: TinySite) -> None:
    assert "check" in article(site.page("exercises/kernels"))
    assert "window_sum" in site.page("exercises/kernels")
    assert "exercises/kernels.ipynb: Execut" not in site.log


def test_the_setup_cell_is_neither_shown_nor_searched(site: TinySite) -> None:
    assert "c2V0dXBwYWNrZWRkYXRh" not in site.page("exercises/kernels")
    assert "c2v0" not in (site.html / "searchindex.js").read_text(encoding="utf-8").lower()
    assert "a cell that sets it up" in site.page("exercises/kernels")


def test_the_box_names_the_exercise_its_points_and_time_and_leads_there(site: TinySite) -> None:
    page = site.page("book/one")
    box = page[page.index('<aside aria-labelledby="box-now-you') :].partition("</aside>")[0]

    assert 'class="box box-now-you"' in box
    assert re.search(r"Now you.*Kernels by hand", box, re.DOTALL)
    assert re.search(r"<dt>Points.*18.*<dt>Time.*about 75 minutes", box, re.DOTALL)
    assert "<em>window</em>" in box
    assert 'href="../exercises/kernels.html"' in box
    assert f'href="{COLAB}"' in box
    assert 'href="../exercises/kernels.ipynb" download' in box


def test_without_an_address_only_the_download_is_offered(homeless: TinySite) -> None:
    assert not homeless.failed, homeless.log
    for name in ("book/one", "exercises/kernels"):
        page = homeless.page(name)
        assert "colab" not in page.lower()
        assert "kernels.ipynb" in page


def test_a_changed_exercise_changes_the_box(tmp_path: Path) -> None:
    site = write_book(tmp_path).build()
    assert re.search(r"<dt>Points.*18.*<dt>Time", site.page("book/one"), re.DOTALL)

    site.exercise(points=20)
    site.build()

    assert re.search(r"<dt>Points.*20.*<dt>Time", site.page("book/one"), re.DOTALL)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mostly_harmless": {"slug": "kernels", "chapter": "one"}}, "does not say its points, minutes"),
        ({"mostly_harmless": {}}, "does not say its slug"),
    ],
)
def test_an_exercise_that_leaves_out_a_fact_is_told_which(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    notebook = exercise_notebook()
    notebook.metadata.update(change)
    (tmp_path / "exercises").mkdir()
    nbformat.write(notebook, tmp_path / "exercises" / "kernels.ipynb")

    with pytest.raises(Missing, match=said):
        read_exercise(tmp_path, "kernels")


def test_an_exercise_without_title_is_told_so(tmp_path: Path) -> None:
    notebook = exercise_notebook()
    notebook.cells[0].source = "No title here."
    (tmp_path / "exercises").mkdir()
    nbformat.write(notebook, tmp_path / "exercises" / "kernels.ipynb")

    with pytest.raises(Missing, match="has no title"):
        read_exercise(tmp_path, "kernels")
