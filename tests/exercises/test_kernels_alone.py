"""The student notebook, alone in an empty folder, where there is what Colab has and no Otter yet."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assemble import Product
from tests.colab import Ran
from tests.exercises.test_kernels_otter_run import half_solved

QUESTIONS = ("q1", "q2", "q3", "q4", "q5", "q6")


def installed(python: Path) -> dict[str, str]:
    """Name and version of every package that an interpreter sees."""
    listing = "import importlib.metadata as m, json\n"
    listing += "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([str(python), "-c", listing], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def test_untouched_notebook_runs_through_and_asks_for_answers(
    product: Product, fresh_colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    before = installed(fresh_colab_python)
    assert "otter-grader" not in before
    ran = run_alone(fresh_colab_python, product.student)
    after = installed(fresh_colab_python)
    assert ran.printed("setup").startswith("Ready: 6 questions.")
    for question in QUESTIONS:
        said = ran.printed(f"{question}-check")
        assert said.startswith(f"✗ {question}, not yet: ")
        assert "gives nothing back yet" in said
        assert said.count("\n") == 1
    assert after["otter-grader"] == "7.0.0"
    assert {name: after[name] for name in before} == before, "something that was there has been changed"


def test_solved_notebook_passes_and_says_how_many_hidden_checks_remain(
    product: Product, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(colab_python, product.solved)
    for question, hidden in zip(
        QUESTIONS, ("1 hidden one,", "3 hidden ones,", "2", "1", "1", "2"), strict=True
    ):
        said = ran.printed(f"{question}-check")
        assert said.startswith(f"✓ {question} passes its open checks; {hidden}")
        assert said.count("\n") == 1
    pictures = [
        cell["id"] for cell in ran.notebook["cells"] if "image/png" in json.dumps(cell.get("outputs", ""))
    ]
    assert pictures == ["q1-code-1", "after-q2-code-1", "after-q6-code-1"]


def test_half_solved_notebook_passes_its_half(
    product: Product, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(colab_python, half_solved(product, "q1", "q2", "q5"))
    said = {question: ran.printed(f"{question}-check")[0] for question in QUESTIONS}
    assert said == {"q1": "✓", "q2": "✓", "q3": "✗", "q4": "✗", "q5": "✓", "q6": "✗"}


def with_cells(product: Product, *sources: str) -> bytes:
    """The setup cell and the imports of the student notebook, then some cells of a student."""
    notebook = json.loads(product.student)
    cells = [cell for cell in notebook["cells"] if cell["id"] in ("setup", "opening-code-1")]
    for number, source in enumerate(sources):
        own = {"cell_type": "code", "id": f"own-{number}", "metadata": {}, "source": source}
        cells.append(own | {"execution_count": None, "outputs": []})
    return json.dumps(notebook | {"cells": cells}).encode()


def test_check_names_the_mistake_in_one_sentence_and_shows_no_traceback(
    product: Product, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    mean = "def window_sum(image, kernel, row, column):\n    return siez"
    shape = "def correlate2d(image, kernel):\n    return np.zeros((2, 2))"
    ran = run_alone(
        colab_python,
        with_cells(
            product,
            mean,
            'check("q1")',
            shape,
            'check("q2")',
            'check("q3")',
            'check("q7")',
            "pad = 3",
            'check("q4")',
        ),
    )
    assert "NameError: name 'siez' is not defined" in ran.printed("own-1")
    assert "in line 2 of its cell: return siez" in ran.printed("own-1")
    assert "gives back an array of shape (2, 2); an array of shape (4, 5) is asked for" in ran.printed(
        "own-3"
    )
    assert "there is no function convolve2d yet" in ran.printed("own-4")
    assert "There is no question 'q7' here; the questions are q1, q2, q3, q4, q5, q6." in ran.printed("own-5")
    assert "pad is no longer a function" in ran.printed("own-7")
    for cell in ran.notebook["cells"][2:]:
        assert ran.printed(cell["id"]).count("\n") <= 1


def test_folder_named_tests_and_other_notebooks_change_nothing(
    product: Product, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    crowd = (
        "from pathlib import Path\n"
        "Path('tests').mkdir(exist_ok=True)\n"
        "Path('tests/q1.py').write_text('raise RuntimeError(1)')\n"
        "Path('other.ipynb').write_text('not a notebook')\n"
        "Path('a.otter').write_text('{}')\n"
        "Path('b.otter').write_text('{}')\n"
    )
    notebook = json.loads(with_cells(product, 'check("q1")'))
    first = {"cell_type": "code", "id": "crowd", "metadata": {}, "source": crowd}
    notebook["cells"].insert(0, first | {"execution_count": None, "outputs": []})
    ran = run_alone(colab_python, json.dumps(notebook).encode())
    assert "there is no function window_sum yet" in ran.printed("own-0")


def test_no_network_and_no_otter_is_said_in_one_sentence(
    product: Product, fresh_colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    offline = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
    }
    ran = run_alone(fresh_colab_python, with_cells(product, 'check("q1")'), environment=offline)
    sentence = (
        "The checks need the package otter-grader, which is not installed here and could not be fetched: "
        "connect to the internet, then run this cell again.\n"
    )
    assert ran.printed("setup") == sentence
    assert ran.printed("own-0") == sentence


@pytest.mark.slow
def test_notebook_runs_where_otter_is_already_there(product: Product, run_alone: Callable[..., Ran]) -> None:
    ran = run_alone(Path(sys.executable), product.solved, environment={"PIP_NO_INDEX": "1"})
    assert all(ran.printed(f"{question}-check").startswith("✓") for question in QUESTIONS)
