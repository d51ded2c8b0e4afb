"""Every chapter is also a clean notebook: found in the site, without syntax of ours, and it runs alone."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from .tiny_site import HEADER, TinySite

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)

ONE = """
# One {glue:text}`one_answer`

See [the other chapter](two.md#in-detail), [the end](#the-end), [a site](https://example.org) and
{numref}`fig-one-line`. It is {glue:text}`one_answer`, half of it {glue:text}`one_half:.1f`
{footcite:p}`harris2020numpy`.

![A grey pixel](pixel.png)

A {term}`Window` has {term}`weights <weight>`.

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A line that rises
  figure:
    name: fig-one-line
    caption: |
      It rises to {glue:text}`one_answer`, as *promised*.
---
import matplotlib.pyplot as plt

plt.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
:tags: [hide-input]
:load: _snippets/double.py
```

```{code-cell} ipython3
:tags: [remove-cell]
from myst_nb import glue

glue("one_answer", double(21), display=False)
glue("one_half", double(21) / 2, display=False)
```

% a remark for authors
:::{predict}
How much is `{this}`?
:::

:::{now-you} kernels
Write it.
:::

(the-end)=
## Sources

```{footbibliography}
```
"""

TWO = """
# Two

More {footcite:p}`szeliski2022cv`.

## In detail

```{footbibliography}
```
"""


WORDS = """# Words

```{glossary}
weight
  How much a pixel counts.

window
  What the hole in the paper shows.
```
"""


def write_book(root: Path) -> TinySite:
    site = TinySite(root)
    site.chapter("one", ONE)
    site.chapter("two", TWO)
    site.chapter("words", WORDS, header="")  # a plain page: nothing on it runs
    (site.root / "book" / "_snippets").mkdir()
    (site.root / "book" / "_snippets" / "double.py").write_text(
        "def double(number):\n    return 2 * number\n"
    )
    (site.root / "book" / "pixel.png").write_bytes(PIXEL)
    (site.root / "book" / "matplotlibrc").write_text(
        'figure.facecolor: FFFFFF\nfont.size: 10.0\naxes.prop_cycle: cycler("color", ["0072B2", "000000"])\n'
        "figure.dpi: 200\nlegend.frameon: False\naxes.titlelocation: left\n"
    )
    site.exercise()
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> TinySite:
    """A book whose site has an address."""
    return write_book(tmp_path_factory.mktemp("known")).build("Ada/course")


@pytest.fixture(scope="module")
def homeless(tmp_path_factory: pytest.TempPathFactory) -> TinySite:
    """The same book, built where nobody has said where the site lives."""
    return write_book(tmp_path_factory.mktemp("unknown")).build()


def test_a_strict_build_succeeds_with_and_without_an_address(site: TinySite, homeless: TinySite) -> None:
    assert not site.failed, site.log
    assert not homeless.failed, homeless.log


def test_every_page_that_runs_but_the_landing_page_has_a_valid_notebook(site: TinySite) -> None:
    paths = sorted((site.html / "notebooks").iterdir())

    assert [path.name for path in paths] == ["one.ipynb", "two.ipynb"]
    for path in paths:
        nbformat.validate(nbformat.read(path, as_version=4))


def test_nothing_of_ours_is_left_in_the_text(site: TinySite) -> None:
    text = re.sub(r"`[^`\n]+`", "", site.text("one") + site.text("two"))

    assert not re.search(r"\{[a-z:-]+\}|:::|^\(.*\)=|^%", text, re.MULTILINE)
    assert "`{this}`" in site.text("one")


def test_numbers_are_written_as_the_page_writes_them(site: TinySite) -> None:
    assert "# One 42" in site.text("one")
    assert "It is 42, half of it 21.0\n(Harris et al. 2020)." in site.text("one")
    assert "One 42" in site.page("book/one")


def test_a_figure_keeps_its_name_its_caption_and_its_description(site: TinySite) -> None:
    number = re.search(r'caption-number">(.*?) </span>', site.page("book/one"))
    assert number is not None

    assert f"**{number[1]}.** It rises to 42, as *promised*." in site.text("one")
    assert f"and\n{number[1]}. It is" in site.text("one")
    assert "*Picture description:* A line that rises" in site.text("one")


def test_links_are_absolute_where_the_site_has_an_address(site: TinySite) -> None:
    text = site.text("one")

    assert "[the other chapter](https://ada.github.io/course/book/two.html#in-detail)" in text
    assert "[the end](https://ada.github.io/course/book/one.html#the-end)" in text
    assert "<https://ada.github.io/course/book/one.html>" in text
    assert "https://colab.research.google.com/github/Ada/course/blob/main/exercises/kernels.ipynb" in text
    for anchor, page in (("in-detail", "book/two"), ("the-end", "book/one")):
        assert f'id="{anchor}"' in site.page(page)


def test_links_within_the_book_are_words_where_the_site_has_no_address(homeless: TinySite) -> None:
    text = homeless.text("one")

    assert "See the other chapter, the end, [a site](https://example.org) and" in text
    assert set(re.findall(r"\]\((?!data:)([^)]*)\)", text)) == {
        "https://example.org",
        "https://creativecommons.org/licenses/by/4.0/",
    }
    assert "colab" not in text


def test_terms_lead_to_their_definitions(site: TinySite) -> None:
    words = "https://ada.github.io/course/book/words.html"

    assert f"A [*Window*]({words}#term-window) has [*weights*]({words}#term-weight)." in site.text("one")
    for anchor in ("term-window", "term-weight"):
        assert f'id="{anchor}"' in site.page("book/words")
        assert f'href="words.html#{anchor}"' in site.page("book/one")


def test_terms_are_words_where_the_site_has_no_address(homeless: TinySite) -> None:
    assert "A *Window* has *weights*." in homeless.text("one")


def test_images_are_embedded(site: TinySite) -> None:
    assert f"![A grey pixel](data:image/png;base64,{base64.b64encode(PIXEL).decode()})" in site.text("one")


def test_sources_are_listed_with_their_doi(site: TinySite) -> None:
    assert "(https://doi.org/10.1007/978-3-030-34372-9)" in site.text("two")


def test_plumbing_of_the_site_is_dropped_and_snippets_are_written_out(site: TinySite) -> None:
    code = site.code("one")

    assert not any("myst_nb" in cell for cell in code)
    assert "def double(number):\n    return 2 * number" in code
    assert all(not cell.get("outputs") for cell in site.notebook("one")["cells"])


def test_a_notebook_runs_from_an_empty_folder_with_the_look_of_the_book(
    tmp_path: Path, site: TinySite
) -> None:
    notebook = nbformat.read(site.html / "notebooks" / "one.ipynb", as_version=4)
    notebook.cells.append(
        nbformat.v4.new_code_cell(
            "print(plt.rcParams['legend.frameon'], plt.rcParams['axes.titlelocation'],\n"
            "      plt.rcParams['axes.prop_cycle'].by_key()['color'], plt.rcParams['figure.dpi'] < 200)"
        )
    )

    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=120).execute()

    assert notebook.cells[-1].outputs[0].text == "False left ['#0072B2', '#000000'] True\n"


def test_the_header_offers_colab_and_the_notebook_instead_of_the_source(site: TinySite) -> None:
    page = site.page("book/one")
    header = page[page.index("article-header-buttons") - 3000 : page.index("<article")]

    colab = "https://colab.research.google.com/github/Ada/course/blob/gh-pages/notebooks/one.ipynb"
    assert re.search(rf'<a class="notebook-link[^>]*href="{colab}">.*?<span>Open in Colab</span>', header)
    assert re.search(
        r'href="\.\./notebooks/one\.ipynb" download[^>]*>.*?<span>Download notebook</span>', header
    )
    assert "_sources" not in header


def test_the_header_offers_only_the_download_where_the_site_has_no_address(homeless: TinySite) -> None:
    page = homeless.page("book/one")

    assert "colab" not in page.lower()
    assert 'href="../notebooks/one.ipynb" download' in page
    assert "github.com" not in page


def test_the_landing_page_has_no_notebook_and_no_button(site: TinySite) -> None:
    assert "notebook-link" not in site.page("book/index")


def test_pages_know_their_own_address_only_where_there_is_one(site: TinySite, homeless: TinySite) -> None:
    canonical = '<link rel="canonical" href="https://ada.github.io/course/book/one.html"'
    assert canonical in site.page("book/one")
    assert "canonical" not in homeless.page("book/one")


def test_the_same_bytes_come_again_and_each_edit_changes_its_own_notebook(
    tmp_path: Path, homeless: TinySite
) -> None:
    site = write_book(tmp_path).build()
    before = (site.html / "notebooks" / "one.ipynb").read_bytes()
    assert before == (homeless.html / "notebooks" / "one.ipynb").read_bytes()

    site.chapter("two", "\n# Two\n\nOther words.\n\n## In detail\n")
    site.build()
    assert not site.failed, site.log
    assert "Other words." in site.text("two")
    assert (site.html / "notebooks" / "one.ipynb").read_bytes() == before

    site.chapter("one", ONE.replace("[the other chapter](two.md#in-detail)", "nothing"))
    site.slugs.remove("two")
    (site.root / "book" / "two.md").unlink()
    site.build()
    assert not site.failed, site.log
    assert [path.name for path in (site.html / "notebooks").iterdir()] == ["one.ipynb"]


def test_what_a_notebook_cannot_show_fails_every_strict_build_with_its_place(tmp_path: Path) -> None:
    site = TinySite(tmp_path)
    mistakes = (
        "\n# One\n\nA {abbr}`CNN (network)`.\n\n:::{note}\nNo.\n:::\n\n:::{now-you} missing\nWrite it.\n:::\n"
    )
    site.chapter("one", mistakes)
    first = HEADER.count("\n")

    for _ in range(2):
        site.build()

        assert site.failed
        assert f"book/one.md:{first + 4}: WARNING: the role {{abbr}} cannot be written" in site.log
        assert f"book/one.md:{first + 6}: WARNING: the directive {{note}} cannot be written" in site.log
        assert f"book/one.md:{first + 10}: WARNING: no exercise is called 'missing'" in site.log


def test_a_malformed_address_stops_the_build_with_one_sentence(tmp_path: Path) -> None:
    site = TinySite(tmp_path, repository="Ada/course")
    site.chapter("one", "\n# One\n\nWords.\n")
    site.build()

    assert site.failed
    assert "_config.yml: repository.url is 'Ada/course'. Write https://github.com/OWNER/NAME" in site.log
