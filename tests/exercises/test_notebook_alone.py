"""The student notebook, alone in an empty folder, where there is what Colab has and no Otter yet."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.colab import Ran
from tests.exercises.submissions import (
    Exercise,
    half_solved,
    out_of_order,
    own_cell,
    rewritten,
    setup_then,
)


# What a question that wants a GPU says where it was tried without one.
NO_GPU = (
    "There is no GPU here, so this was tried on the processor. "
    "On Colab: Runtime, Change runtime type, a GPU."
)


def installed(python: Path) -> dict[str, str]:
    """Name and version of every package that an interpreter sees."""
    listing = "import importlib.metadata as m, json\n"
    listing += "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([str(python), "-c", listing], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def marks(ran: Ran, exercise: Exercise) -> dict[str, str]:
    """The mark that each check begins with."""
    said = {question: ran.printed(f"{question}-check") for question in exercise.questions}
    return {question: re.search("[✓✗]", text)[0] for question, text in said.items()}


def test_setup_installs_otter_and_changes_nothing_else(
    kernels: Exercise, fresh_colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    before = installed(fresh_colab_python)
    assert "otter-grader" not in before
    ran = run_alone(fresh_colab_python, setup_then(kernels.product))
    after = installed(fresh_colab_python)
    assert ran.printed("setup").startswith("Ready: 6 questions.")
    assert after["otter-grader"] == "7.0.0"
    assert {name: after[name] for name in before} == before, "something that was there has been changed"


def test_untouched_notebook_runs_through_and_asks_for_answers(
    exercise: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(colab_python, exercise.product.student)
    assert ran.printed("setup").startswith(f"Ready: {len(exercise.questions)} questions.")
    assert ran.errors() == []
    for question in exercise.questions:
        said = ran.printed(f"{question}-check")
        assert said.startswith(f"✗ {question}, not yet: ")
        assert "gives nothing back yet" in said
        assert said.count("\n") == 1


def test_solved_notebook_passes_and_says_how_many_hidden_checks_remain(
    exercise: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(colab_python, exercise.product.solved)
    assert ran.errors() == []
    for question in exercise.master.questions:
        *advice, said = ran.printed(f"{question.name}-check").splitlines()
        more = f"{question.hidden} hidden one{'s' * (question.hidden != 1)},"
        assert said.startswith(f"✓ {question.name} passes its open checks; {more}")
        assert advice in ([], [NO_GPU])
        assert bool(advice) == (question.source != question.name and not torch.cuda.is_available())
    pictures = [cell for cell in ran.notebook["cells"] if "image/png" in json.dumps(cell.get("outputs", ""))]
    assert pictures, "an exercise about pictures shows none"


def test_half_solved_notebook_passes_its_half(
    exercise: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    done = exercise.questions[: len(exercise.questions) // 2]
    notebook = rewritten(
        half_solved(exercise.product, *done), lambda cells: [*cells, own_cell("all", "check_all()")]
    )
    ran = run_alone(colab_python, notebook)
    assert marks(ran, exercise) == {name: "✓" if name in done else "✗" for name in exercise.questions}
    table = ran.printed("all")
    earned = sum(question.points for question in exercise.master.questions if question.name in done)
    counted = f"{len(done)} of {len(exercise.questions)} questions pass their open checks"
    assert f"{counted} ({earned:g} of {exercise.master.points:g} points)." in table
    assert f"Next: {exercise.questions[len(done)]}, " in table


def test_cells_may_be_run_in_another_order(
    exercise: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(colab_python, out_of_order(exercise.product))
    assert set(marks(ran, exercise).values()) == {"✓"}
    assert "Next: hand it in, as the end of this notebook says." in ran.printed("all")


def test_notebook_ends_with_how_to_hand_it_in(exercise: Exercise) -> None:
    last = json.loads(exercise.product.student)["cells"][-1]
    text = "".join(last["source"])
    assert last["cell_type"] == "markdown"
    assert "Download" in text
    assert "Upload" in text
    assert ".ipynb" in text


def test_check_says_hint_place_and_pictures_and_shows_no_traceback(
    kernels: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    flipped = (
        "def correlate2d(image, kernel):\n"
        "    image, kernel = np.asarray(image, float), np.asarray(kernel, float)[::-1, ::-1]\n"
        "    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)\n"
        "    return np.einsum('ijkl,kl', windows, kernel)\n"
    )
    convolve = "def convolve2d(image, kernel):\n    return correlate2d(image, np.asarray(kernel)[::-1, ::-1])"
    ran = run_alone(
        colab_python,
        setup_then(
            kernels.product,
            "def window_sum(image, kernel, row, column):\n    return siez",
            'check("q1")',
            flipped,
            'check("q2")',
            convolve,
            'check("q3")',
            'check("q7")',
            "pad = 3",
            'check("q4")',
        ),
    )
    assert "NameError: name 'siez' is not defined" in ran.printed("own-1")
    assert "in line 2 of its cell: return siez" in ran.printed("own-1")
    lines = ran.printed("own-3").splitlines()
    assert lines[0] == (
        "✗ q2, not yet: Your kernel is turned by 180°: that is convolution; "
        "correlation leaves the kernel as it is."
    )
    assert re.fullmatch(r"  Seen here: at row 0, column 0 your correlate2d gives \S+; \S+ is right .*\.", lines[1])
    assert len(lines) == 2
    cell = next(cell for cell in ran.notebook["cells"] if cell["id"] == "own-3")
    assert "image/png" in json.dumps(cell["outputs"])
    assert ran.printed("own-5") == (
        "✗ q3, not yet: it uses your correlate2d, and q2 does not pass yet; mend q2 first.\n"
    )
    assert "There is no question 'q7' here; the questions are q1, q2, q3, q4, q5, q6." in ran.printed("own-6")
    assert "pad is no longer a function" in ran.printed("own-8")


def test_folder_named_tests_and_other_notebooks_change_nothing(
    kernels: Exercise, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    crowd = (
        "from pathlib import Path\n"
        "Path('tests').mkdir(exist_ok=True)\n"
        "Path('tests/q1.py').write_text('raise RuntimeError(1)')\n"
        "Path('other.ipynb').write_text('not a notebook')\n"
        "Path('a.otter').write_text('{}')\n"
        "Path('b.otter').write_text('{}')\n"
    )
    notebook = rewritten(
        setup_then(kernels.product, 'check("q1")'), lambda cells: [own_cell("crowd", crowd), *cells]
    )
    ran = run_alone(colab_python, notebook)
    assert "there is no function window_sum yet" in ran.printed("own-0")


def test_no_network_and_no_otter_is_said_in_one_sentence(
    kernels: Exercise, fresh_colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    offline = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
    }
    notebook = setup_then(kernels.product, 'check("q1")', "check_all()")
    ran = run_alone(fresh_colab_python, notebook, environment=offline)
    sentence = (
        "The checks need the package otter-grader, which is not installed here and could not be fetched: "
        "connect to the internet, then run this cell again.\n"
    )
    assert ran.printed("setup") == ran.printed("own-0") == ran.printed("own-1") == sentence


@pytest.mark.slow
def test_notebook_runs_where_otter_is_already_there(
    exercise: Exercise, run_alone: Callable[..., Ran]
) -> None:
    ran = run_alone(Path(sys.executable), exercise.product.solved, environment={"PIP_NO_INDEX": "1"})
    assert set(marks(ran, exercise).values()) == {"✓"}
