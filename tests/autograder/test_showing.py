"""Given cells that only show something are left out of grading; whatever a check could need is run."""

import json
from pathlib import Path

import pytest

from autograder import showing

REPOSITORY = Path(__file__).resolve().parents[2]
OPENING = "import numpy as np\nimport matplotlib.pyplot as plt"
ANSWER = "def double(number):\n    rows = 2\n    return number * rows"
DRAWING = "rows = np.arange(3)\nfigure, axis = plt.subplots()\naxis.imshow(double(rows))\nplt.show()"


@pytest.mark.parametrize(
    "cell",
    [
        DRAWING,
        "print(double(3))",
        "double(3)",
        "total = 0\nfor row in range(3):\n    total += double(row)\nprint(total)",
        "table = {}\ntable['a'] = double(1)\nprint(table)",
    ],
)
def test_cell_that_draws_or_prints_only_shows_something(cell: str) -> None:
    assert list(showing.showing([OPENING, ANSWER, cell])) == [cell]


@pytest.mark.parametrize(
    "cell",
    [
        OPENING,
        "def helper(x):\n    return x",
        "class Helper:\n    pass",
        "np.random.seed(3)",
        "double.tried = True",
        "LIST.append(3)",
        "LIST += [3]",
        "LIST[0] = 3",
        "del double",
        "%matplotlib inline",
        "if True:\n    import os",
        "sizes = [1, 2]\nhalve = lambda x: x / 2\ndef all_halves():\n    return [halve(s) for s in sizes]",
    ],
)
def test_cell_that_defines_imports_or_changes_something_does_more(cell: str) -> None:
    assert cell not in showing.showing(
        [OPENING, ANSWER, "LIST = [1]\ndef first():\n    return LIST[0]", cell]
    )


def test_cell_whose_name_a_function_uses_is_needed_and_so_is_what_that_one_needs() -> None:
    cells = ["sizes = [1, 2]", "total = sum(sizes)", "def mean():\n    return total / 2", "shown = total * 2"]
    assert list(showing.showing(cells)) == ["shown = total * 2"]


def test_name_within_a_function_is_its_own_affair() -> None:
    assert "rows" not in (showing.used([ANSWER]) or [])
    assert list(showing.showing([OPENING, ANSWER, DRAWING])) == [DRAWING]


@pytest.mark.parametrize("source", ["globals()['rows']", "eval('rows')", "f = exec", "get_ipython().user_ns"])
def test_code_that_can_reach_any_name_uses_all_of_them(source: str) -> None:
    assert showing.used([source]) is None


@pytest.mark.parametrize(
    "source", ["!echo rows", "def broken(:\n    rows", "x = '\0'; rows", "(" * 5000 + "rows"]
)
def test_of_text_that_is_not_python_every_word_counts(source: str) -> None:
    assert "rows" in (showing.used([source]) or [])


@pytest.mark.parametrize("slug", ["pixels", "kernels", "sobel", "shapes", "forward"])
def test_most_of_an_exercises_pictures_are_left_out_and_no_function_is(slug: str) -> None:
    content = json.loads((REPOSITORY / "exercises" / f"{slug}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(c["source"]) for c in cells if "otter_ignore" not in c["metadata"].get("tags", ())]
    left_out = showing.showing(sources)
    drawn = [
        source for source in sources if "plt." in source and "def " not in source and "import" not in source
    ]
    assert len([source for source in drawn if source in left_out]) >= len(drawn) - 1 > 0
    assert not any(source.startswith("def ") or "\ndef " in source for source in left_out)
