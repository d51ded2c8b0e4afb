"""Mathematics becomes MathML while the book is built; LaTeX that cannot be set stops the build."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mathml import MathError, to_mathml

from tests.book.tiny_books import TinyBook, build

# One formula of each kind that the chapters use.
FORMULAS = [
    r"I(x, y)",
    r"\frac{1}{9} \sum_{i=1}^{9} x_i",
    r"K = \begin{bmatrix} 0 & -1 & 0 \\ -1 & 5 & -1 \\ 0 & -1 & 0 \end{bmatrix}",
    r"\left\lfloor \frac{H - k + 2p}{s} \right\rfloor + 1",
    r"\sqrt{G_x^2 + G_y^2}",
    r"\operatorname{arctan2}(G_y, G_x)",
    r"\mathrm{out}_{i,j} \approx \mathbf{W} \hat{y}",
    r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    r"\begin{cases} 0 & x < 0 \\ x & \text{otherwise} \end{cases}",
    r"18\,\% \le 100\%",
]

FAULTS = [
    (r"\foo{x}", r"the command \foo is not known"),
    (r"\frac{1}", "an argument is missing"),
    (r"x & y", "an & stands outside"),
    (r"5 % 3", r"a bare % starts a comment"),
    (r"{x", "a { is never closed"),
    (r"x}", "a } closes nothing"),
    (r"\begin{tikz}x\end{tikz}", "there is no environment 'tikz'"),
    (r"\left( x", "missing right"),
    (r"^2", "stands on nothing"),
    ("\x0crac{1}{2}", "a lost backslash"),  # "\frac" written in a string that is not raw
    ("  ", "the formula is empty"),
]


@pytest.mark.parametrize("latex", FORMULAS)
@pytest.mark.parametrize("display", [True, False])
def test_what_chapters_need_becomes_well_formed_mathml(latex: str, display: bool) -> None:
    root = ET.fromstring(to_mathml(latex, display=display))
    assert root.tag == "math"
    assert root.get("display") == ("block" if display else "inline")


@pytest.mark.parametrize(("latex", "words"), FAULTS)
def test_latex_that_cannot_be_set_is_refused_in_words(latex: str, words: str) -> None:
    with pytest.raises(MathError) as refusal:
        to_mathml(latex, display=False)
    assert words in str(refusal.value)


@given(st.text(st.sampled_from("\\{}^_&%$ab1+-/()[]|<>'\" \n∑é"), max_size=30))
def test_any_text_is_either_set_or_refused(latex: str) -> None:
    try:
        written = to_mathml(latex, display=True)
    except MathError:
        return  # and any other exception fails this test
    ET.fromstring(written)  # nothing leaks into the page as a tag of its own


def elements(latex: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(to_mathml(latex, display=True)).iter(tag))


def test_a_word_is_one_identifier_and_so_read_as_a_word() -> None:
    assert [mi.text for mi in elements(r"\mathrm{sum} + \operatorname{mean}", "mi")] == ["sum", "mean"]


def test_a_matrix_keeps_its_rows_and_columns() -> None:
    rows = elements(r"\begin{bmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \end{bmatrix}", "mtr")
    assert [[cell[0].text for cell in row] for row in rows] == [["1", "2", "3"], ["4", "5", "6"]]


def test_floors_grow_with_what_they_hold() -> None:
    fences = [mo for mo in elements(r"\lfloor \frac{a}{b} \rfloor", "mo") if mo.text in ("⌊", "⌋")]
    assert [(fence.get("form"), fence.get("stretchy")) for fence in fences] == [
        ("prefix", "true"),
        ("postfix", "true"),
    ]


@pytest.mark.parametrize(
    ("latex", "forms"),
    [
        ("a - b", [None]),
        ("-b", ["prefix"]),
        ("a = -b", ["prefix"]),
        ("(a) - b", [None]),
        ("a_{-1}", ["prefix"]),
    ],
)
def test_a_minus_is_a_sign_or_a_subtraction(latex: str, forms: list[str | None]) -> None:
    assert [mo.get("form") for mo in elements(latex, "mo") if mo.text == "−"] == forms


def test_columns_of_an_aligned_block_stand_on_their_own_sides() -> None:
    cells = elements(r"\begin{aligned} a &= b \end{aligned}", "mtd")
    assert [cell.get("style") for cell in cells] == ["text-align: right", "text-align: left"]


PAGE = """\
# A page

Inline $x^2$, and on its own line:

$$
y = \\frac{1}{2}
$$ (half)

:::{math}
:label: third

z = \\frac{1}{3}
:::

See {eq}`third`.
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    return build(tmp_path_factory.mktemp("maths"), {"index": PAGE})


def test_a_page_with_mathematics_builds_without_a_warning(book: TinyBook) -> None:
    assert book.status == 0, book.warnings


def test_pages_load_no_script_for_mathematics(book: TinyBook) -> None:
    assert "mathjax" not in " ".join(str(script) for script in book.page().find_all("script")).lower()
    assert not list(book.html.rglob("*athjax*"))


def test_inline_and_display_formulas_are_in_the_page(book: TinyBook) -> None:
    displays = [formula["display"] for formula in book.page().find_all("math")]
    assert displays == ["inline", "block", "block"]


def test_a_labelled_equation_can_be_referred_to(book: TinyBook) -> None:
    page = book.page()
    link = page.select_one("a.reference[href='#equation-third']")
    assert link is not None
    target = page.find(id="equation-third")
    assert target is not None
    assert link.get_text(strip=True) == target.select_one(".eqno").get_text()


def test_a_wide_formula_can_be_scrolled_with_the_keyboard(book: TinyBook) -> None:
    assert all(box["tabindex"] == "0" for box in book.page().select(".math-display"))


def test_a_fault_in_a_page_stops_the_build_and_names_the_line(tmp_path: Path) -> None:
    book = build(tmp_path, {"index": "# A page\n\nWords.\n\nMore $\\foo$ words.\n"})
    assert book.status != 0
    assert "index.md:5:" in book.warnings
    assert r"the command \foo is not known" in book.warnings
