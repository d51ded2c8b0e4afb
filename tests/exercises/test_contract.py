"""What others rely on: names, signatures and points of every exercise, and `autograder check` on all of them."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder import diagnose, judge
from tests.exercises.submissions import Exercise

REPOSITORY = Path(__file__).resolve().parents[2]

CONTRACT = {
    "pixels": {
        "q1": (1, ["describe(image)"]),
        "q2": (2, ["crop(image, top, left, height, width)"]),
        "q3": (2, ["to_gray(rgb)"]),
        "q4": (3, ["difference(a, b)"]),
        "q5": (2, ["shrink(image, factor)"]),
        "q6": (2, ["shuffle_pixels(image, seed)"]),
    },
    "kernels": {
        "q1": (2, ["window_sum(image, kernel, row, column)"]),
        "q2": (5, ["correlate2d(image, kernel)"]),
        "q3": (3, ["convolve2d(image, kernel)"]),
        "q4": (3, ["pad(image, width, mode)"]),
        "q5": (2, ["make_kernel(name, size=3)"]),
        "q6": (3, ["flatten_background(page, size)"]),
    },
    "sobel": {
        "q1": (3, ["gradients(image)"]),
        "q2": (4, ["sobel_magnitude(image)"]),
        "q3": (3, ["edge_direction(image)"]),
        "q4": (3, ["orientation_histogram(image, bins=36)"]),
        "q5": (3, ["page_skew(page)"]),
    },
    "shapes": {
        "q1": (3, ["output_size(n, kernel, stride=1, padding=0, dilation=1)"]),
        "q2": (4, ["correlate2d(image, kernel, *, stride=1, padding=0, dilation=1)"]),
        "q3": (2, ["separate(kernel)"]),
        "q4": (2, ["receptive_field(layers)"]),
        "q5": (3, ["im2col(image, kernel_size)"]),
    },
    "forward": {
        "q1": (5, ["conv2d(x, weight, bias, *, stride=1, padding=0)"]),
        "q2": (3, ["relu(x)", "max_pool2d(x, size, stride=None)"]),
        "q3": (2, ["softmax(logits)"]),
        "q4": (2, ["count_parameters(layers)"]),
        "q5": (4, ["cnn_forward(images, parameters)"]),
    },
    "training": {
        "q1": (3, ["split_by_place(positions, size, fraction)"]),
        "q2": (2, ["standardise(train, test)"]),
        "q3": (4, ["train_epoch(model, images, labels, optimizer, *, batch_size, generator)"]),
        "q4": (2, ["evaluate(model, images, labels)"]),
        "q5": (3, ["fit(images, labels, *, seed, device)"]),
        "q6": (4, ["fit(images, labels, *, seed, device)"]),
    },
}
# What is no work at all. Each must be worth nothing.
NO_WORK = [
    "return 0.0",
    "return 1",
    "return args[0]",
    "return args[-1]",
    "return np.zeros(np.shape(args[0]))",
    "raise ValueError('no')",
    "return float('nan')",
    "return True",
    "return AlwaysEqual()",
    "return None",
    "return {}",
    "return lambda *a: a",
    "import sys; sys.exit(0)",
]
ALWAYS_EQUAL = "class AlwaysEqual:\n    def __eq__(self, other): return True\n    __hash__ = None\n\n"


def test_names_signatures_and_points_are_those_of_the_contract(exercise: Exercise) -> None:
    contract = CONTRACT[exercise.master.slug]
    assert {question.name: question.points for question in exercise.master.questions} == {
        name: points for name, (points, _) in contract.items()
    }
    for question in exercise.master.questions:
        functions = [exercise.built.solved[name] for name in question.functions]
        signatures = [f"{function.__name__}{inspect.signature(function)}" for function in functions]
        assert signatures == contract[question.name][1]
        for function in functions:
            assert "returns" in (function.__doc__ or ""), f"{function.__name__} does not say what it returns"


def test_no_exercise_of_the_contract_is_missing() -> None:
    assert set(CONTRACT) <= {path.stem for path in (REPOSITORY / "exercises").glob("*.ipynb")}


def test_check_command_finds_everything_in_order() -> None:
    command = [sys.executable, "-m", "autograder", "check", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=900, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    problems = [problem for part in report["exercises"] for problem in part["problems"]]
    assert (problems, report["orphans"], report["mistakes"]) == ([], [], [])
    assert (done.returncode, report["ok"]) == (0, True)
    for part in report["exercises"]:
        assert (part["points"], part["solution"], part["untouched"]) == (part["possible"], part["possible"], 0)
        for what, least in (("caught", 15), ("hinted", 15), ("accepted", 5)):
            count = part["answers"][what]
            assert count["found"] == count["of"] >= least, (part["slug"], what)


@pytest.mark.parametrize("body", NO_WORK)
def test_answer_without_work_earns_nothing(exercise: Exercise, body: str) -> None:
    for question in exercise.master.questions:
        functions = [f"def {name}(*args, **options):\n    {body}\n" for name in question.functions]
        source = "\n".join([ALWAYS_EQUAL, *functions])
        notebook = diagnose.with_source(source, "no work", exercise.built.solved)
        score = judge.judge(exercise.product.bundle, notebook, questions=[question.name])
        assert score.earned == 0, (question.name, [check for check in score.checks[question.name]])
