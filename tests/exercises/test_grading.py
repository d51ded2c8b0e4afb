"""One submission is graded: what it earned, what its author reads, and what stays with the instructor."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import archives, assemble, build, bundles, grading, settings, showing
from autograder.bundles import Exercise as Bundle
from autograder.platforms import Student
from autograder.results import QuestionResult, Result
from autograder.sandbox import Limits, Slot
from autograder.submissions import Submission, Upload
from tests.exercises.submissions import Exercise, own_cell, rewritten

Grade = Callable[..., Result]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(kernels: Exercise) -> Bundle:
    """The bundle of `kernels`, read back."""
    return bundles.load(kernels.product.bundle, "the bundle")


@pytest.fixture(scope="module")
def slot(bundle: Bundle) -> Iterator[Slot]:
    """One slot for all tests of this file."""
    with Slot("strict", bundle.warming) as opened:
        yield opened


@pytest.fixture
def grade(kernels: Exercise, bundle: Bundle, slot: Slot) -> Grade:
    """Grade the solved notebook with some cells of a student's own at its end."""

    def graded(*sources: str, seconds: float = 60, notebook: bytes | None = None) -> Result:
        own = [own_cell(f"own-{number}", source) for number, source in enumerate(sources)]
        content = rewritten(notebook or kernels.product.solved, lambda cells: [*cells, *own])
        upload = Upload("0", "folder", (Student("Ann"),), 1, False, None)
        submission = Submission(upload, "readable", notebook=json.loads(content))
        return grading.grade(bundle, submission, slot, key="k", seconds=seconds, limits=Limits())

    return graded


def question(result: Result, name: str) -> QuestionResult:
    """What one question earned."""
    (found,) = [found for found in result.questions if found.name == name]
    return found


def test_solution_earns_everything_and_is_told_nothing(grade: Grade) -> None:
    result = grade()
    assert (result.status, result.score, result.points, result.sentence) == ("graded", 18, 18, "")
    assert {found.state for found in result.questions} == {"full"}
    assert not any(found.sentence or found.mistake or found.private for found in result.questions)
    assert result.failed_cells == ()


def test_untouched_notebook_earns_nothing(grade: Grade, kernels: Exercise) -> None:
    result = grade(notebook=kernels.product.student)
    assert (result.status, result.score) == ("graded", 0)
    assert {found.state for found in result.questions} == {"none"}
    assert all(found.sentence for found in result.questions)


def test_known_mistake_is_recognised_by_its_name_and_its_hint_is_what_the_student_reads(
    grade: Grade, kernels: Exercise
) -> None:
    for asked in kernels.master.questions[1:3]:
        named = [answer for answer in asked.answers if answer.hint and not answer.like and "open" in answer.fails]
        for answer in named[:3]:
            found = question(grade(answer.source), asked.name)
            assert (found.mistake, found.sentence) == (answer.name, answer.hint)
            assert found.state != "full"


def test_what_hidden_checks_say_stays_with_the_instructor(grade: Grade) -> None:
    source = (
        "def window_sum(image, kernel, row, column):\n"
        "    known = {(0, 0): -5.859375, (1, 4): -1.359375, (3, 1): 3.546875}\n"
        "    return known.get((row, column), 0.0) if np.shape(kernel) == (2, 3) else (\n"
        "        float(np.sum(np.asarray(image, float)[row:row + 3, column:column + 2] * kernel)) if 0 else 0.0)"
    )
    found = question(grade(source), "q1")
    assert found.hidden[0] < found.hidden[1]
    assert found.private
    assert not any(said in found.sentence for said in found.private)


def test_hidden_numbers_cannot_be_carried_into_what_a_student_reads(
    grade: Grade, kernels: Exercise, slot: Slot
) -> None:
    spy = (
        "seen = []\n"
        "def window_sum(image, kernel, row, column):\n"
        "    seen.append(float(np.sum(image)))\n"
        "    window = np.asarray(image, float)[row:row + len(kernel), column:column + len(kernel[0])]\n"
        "    return float(np.sum(window * kernel))\n"
        "def make_kernel(name, size=3):\n"
        "    raise RuntimeError(f'seen {len(seen)} with {sum(seen)}')"
    )
    content = rewritten(kernels.product.solved, lambda cells: [*cells, own_cell("own", spy)])
    said = []
    for seed in (1, 2):  # other hidden numbers
        built = kernels.built
        other = replace(settings.load(REPOSITORY), seed=seed)
        files = archives.unpack(assemble.bundle(kernels.master, built.assigned.bundle, build.templates(), other))
        files[bundles.ABOUT] = archives.unpack(kernels.product.bundle)[bundles.ABOUT]
        outcome = grading.run(bundles.load(archives.pack(files), "the bundle"), json.loads(content), slot)
        said.append([check.message for check in outcome.checks["q5"] if not check.hidden])
        assert any(not check.passed for check in outcome.checks["q5"] if check.hidden)
    assert "RuntimeError: seen" in said[0][0]
    assert said[0] == said[1]


def test_question_that_hangs_costs_its_own_points_alone(grade: Grade) -> None:
    result = grade("def flatten_background(page, size):\n    while True: pass", seconds=6)
    assert result.status == "timeout"
    assert result.sentence.startswith("Question q6 did not come to an end within 3 seconds")
    assert (question(result, "q6").state, question(result, "q6").earned) == ("stopped", 0)
    assert result.score == 15


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("while True: pass", "timeout", "did not come to an end within 3 seconds"),
        ("import os\nos._exit(0)", "crash", "ended Python itself"),
        ("import ctypes\nctypes.string_at(0)", "crash", "ended Python itself"),
    ],
)
def test_cell_that_ends_the_notebook_is_left_out_and_named(
    grade: Grade, kernels: Exercise, source: str, status: str, said: str
) -> None:
    result = grade(source, seconds=6)
    place = len(json.loads(kernels.product.solved)["cells"]) + 1
    assert (result.status, result.score) == (status, 18)
    assert result.sentence.startswith(f"Cell {place} {said}")


def test_cell_that_fails_is_told_by_its_place(grade: Grade, kernels: Exercise) -> None:
    result = grade("x = 1", "1 / 0", "def broken(")
    place = len(json.loads(kernels.product.solved)["cells"])
    assert [(cell.place, cell.error) for cell in result.failed_cells] == [
        (place + 2, "ZeroDivisionError"),
        (place + 3, "SyntaxError"),
    ]
    assert (result.status, result.score) == ("graded", 18)


def test_request_for_too_much_memory_is_told_and_costs_nothing_else(grade: Grade) -> None:
    result = grade("much = np.ones(10**10)")
    assert (result.status, result.score) == ("memory", 18)
    assert "more than the 2 GB of memory" in result.sentence


def test_pictures_are_left_out_unless_a_students_own_code_uses_their_names(
    bundle: Bundle, kernels: Exercise
) -> None:
    def run(*own: str) -> list[str]:
        cells = [
            (cell["id"], "".join(cell["source"]))
            for cell in json.loads(kernels.product.solved)["cells"]
            if cell["cell_type"] == "code"
        ]
        cells += [(f"own-{number}", source) for number, source in enumerate(own)]
        return [name for name, _ in bundles.to_run(bundle, cells, showing.used)]

    assert "after-q2-code-1" not in run()
    # The cells of the notebook's own checks too, even where a program has lost their tags.
    assert not {"setup", "q1-check"} & set(run())
    assert "after-q2-code-1" in run("print(coins.shape)")
    assert "after-q2-code-1" in run("globals()['coins']")
    assert "after-q2-code-1" not in run("def mine(coins):\n    return coins")
