"""Every wrong answer fails where a student can see it; every right one passes, however it is written."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch

from autograder import judge
from autograder.judge import CheckResult
from autograder.masters import Master
from tests.exercises.kernels_answers import CHANGES_ITS_ARGUMENT, FIXED_TABLES, RIGHT, WRONG, Answer

SEEDS = (20251122, 1, 2**40)
TAKES = {
    "q1": ("window_sum", 2),
    "q2": ("correlate2d", 5),
    "q3": ("convolve2d", 3),
    "q4": ("pad", 3),
    "q5": ("make_kernel", 2),
    "q6": ("flatten_background", 3),
}
HELP = """
def stretch(d):
    return (d - d.min()) / (d.max() - d.min()) if d.max() > d.min() else d * 0
"""


@pytest.fixture
def grade(
    solved: dict[str, Any], checks_of: Callable[[str, int], str]
) -> Callable[[Answer, int], Sequence[CheckResult]]:
    """Put an answer into the solved notebook and run its question's checks."""

    def run(answer: Answer, seed: int = SEEDS[0]) -> Sequence[CheckResult]:
        notebook = {"np": np, "cv2": cv2, "scipy": scipy, "torch": torch, "warnings": warnings}
        notebook |= {"solved_make_kernel": solved["make_kernel"]}
        # The solved functions see each other through their own notebook, so a copy of it is enough.
        notebook |= {name: solved[name] for name, _ in TAKES.values()}
        exec(compile(HELP + answer.source, str(answer), "exec"), notebook)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as overflow in a wrong answer: the student's own affair
            return judge.run_checks(checks_of(answer.question, seed), answer.question, notebook)

    return run


@pytest.mark.parametrize("answer", WRONG, ids=str)
def test_wrong_answer_fails_in_an_open_check(answer: Answer, grade: Any) -> None:
    results = grade(answer)
    failed = [result for result in results if not result.passed]
    assert any(not result.hidden for result in failed), "no check that the student can run notices"
    for result in failed:
        assert result.message.startswith("AssertionError: "), result.message
        assert "\n" not in result.message


@pytest.mark.parametrize("answer", [a for a in WRONG if a.name not in FIXED_TABLES], ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_answer_fails_a_hidden_check_whatever_the_seed(answer: Answer, seed: int, grade: Any) -> None:
    assert any(result.hidden and not result.passed for result in grade(answer, seed))


@pytest.mark.parametrize("answer", RIGHT, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_answer_passes_however_it_is_written(answer: Answer, seed: int, grade: Any) -> None:
    assert [result.message for result in grade(answer, seed) if not result.passed] == []


@pytest.mark.parametrize("question", TAKES)
@pytest.mark.parametrize(
    "body",
    [
        "return 0.0",
        "return 1",
        "return args[0]",
        "return np.zeros(np.shape(args[0]))",
        "return args[1]",
        "raise ValueError('no')",
        "return float('nan')",
        "return True",
        "return AlwaysEqual()",
        "return None",
        "return lambda *a: a",
    ],
)
def test_answer_without_work_earns_nothing(question: str, body: str, grade: Any) -> None:
    name, _ = TAKES[question]
    equal = "class AlwaysEqual:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    results = grade(Answer(question, body, f"{equal}def {name}(*args, **options):\n    {body}\n"))
    assert sum(result.points for result in results if result.passed) == 0


@pytest.mark.parametrize("answer", [a for a in WRONG if a.name in CHANGES_ITS_ARGUMENT], ids=str)
def test_changing_an_argument_loses_the_question_and_says_so(answer: Answer, grade: Any) -> None:
    results = grade(answer)
    assert sum(result.points for result in results if result.passed) == 0
    assert "argument" in results[0].message


def test_points_are_those_of_the_contract(master: Master) -> None:
    assert {question.name: question.points for question in master.questions} == {
        question: points for question, (_, points) in TAKES.items()
    }
    assert master.points == 18


def test_error_in_the_students_own_line_is_named(grade: Any) -> None:
    answer = Answer(
        "q2", "broken", "def correlate2d(image, kernel):\n    size = 3\n    return image / siez\n"
    )
    message = grade(answer)[0].message
    assert "NameError: name 'siez' is not defined (is it spelt right, and has the cell" in message
    assert "in line 6 of its cell" in message


def test_library_padding_is_advised_against_but_accepted(
    checks_of: Callable[[str, int], str], capsys: pytest.CaptureFixture[str]
) -> None:
    from otter.test_files.exception_test import ExceptionTestFile

    def pad(image: Any, width: int, mode: str) -> Any:
        return np.pad(image, width, mode={"zero": "constant", "reflect": "reflect"}[mode])

    ExceptionTestFile.from_string(checks_of("q4", 1), path="q4.py").run({"pad": pad})
    assert "A word of advice" in capsys.readouterr().out
