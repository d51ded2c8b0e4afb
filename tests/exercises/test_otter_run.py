"""Plain `otter run` on the bundle agrees with our own judge, for the solution, for nothing and for mistakes."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder import archives, judge
from autograder.answers import Answer
from tests.exercises.submissions import Exercise, half_solved, rewritten, with_answer


def otter_run(bundle: bytes, notebook: bytes, folder: Path) -> dict[str, Any]:
    """Grade one notebook the way an instructor does, and return Gradescope's JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.zip").write_bytes(bundle)
    (folder / "answer.ipynb").write_bytes(notebook)
    command = [sys.executable, "-m", "otter", "run", "-a", "bundle.zip", "--no-logo", "answer.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return results


def earned(results: dict[str, Any]) -> dict[str, float]:
    """Points per question."""
    tests = {test["name"]: test.get("score", 0.0) for test in results["tests"]}
    return {name: float(score) for name, score in tests.items() if name.startswith("q")}


def three_wrong(exercise: Exercise) -> list[Answer]:
    """Three mistakes, each in a question of its own, the middle one of its list."""
    chosen = []
    for question in exercise.master.questions[-3:]:
        wrong = [answer for answer in question.answers if answer.kind == "wrong"]
        hinted = [answer for answer in wrong if answer.hint] or wrong
        chosen.append(hinted[len(hinted) // 2])
    return chosen


def with_one_question(bundle: bytes, question: str) -> bytes:
    """The bundle with the checks of one question only."""
    files = archives.unpack(bundle)
    kept = {name: text for name, text in files.items() if not re.match(r"tests/q\d", name)}
    return archives.pack(kept | {f"tests/{question}.py": files[f"tests/{question}.py"]})


def test_otter_gives_what_our_judge_gives(exercise: Exercise, tmp_path: Path) -> None:
    product = exercise.product
    wrong = three_wrong(exercise)
    # Where checks train networks, all of them would take minutes for every mistake.
    slow = "fit" in exercise.built.solved
    notebooks = {
        "solved": (product.bundle, product.solved),
        "untouched": (product.bundle, product.student),
    } | {
        str(answer): (
            with_one_question(product.bundle, answer.question) if slow else product.bundle,
            with_answer(product, answer),
        )
        for answer in wrong
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        ran = {
            name: pool.submit(otter_run, bundle, notebook, tmp_path / str(number))
            for number, (name, (bundle, notebook)) in enumerate(notebooks.items())
        }
    scores = {name: earned(future.result()) for name, future in ran.items()}
    for name, (bundle, notebook) in notebooks.items():
        ours = judge.judge(bundle, judge.functions_of(notebook))
        assert scores[name] == {question: ours.of(question) for question in ours.checks}, name
        assert set(ours.checks) == set(exercise.questions) or slow
    points = {question.name: question.points for question in exercise.master.questions}
    assert scores["solved"] == points
    assert set(scores["untouched"].values()) == {0.0}
    for answer in wrong:
        assert scores[str(answer)][answer.question] < points[answer.question]


def test_half_solved_notebook_earns_the_points_of_its_half(kernels: Exercise, tmp_path: Path) -> None:
    results = otter_run(kernels.product.bundle, half_solved(kernels.product, "q1", "q2", "q5"), tmp_path)
    assert earned(results) == {"q1": 2, "q2": 5, "q3": 0, "q4": 0, "q5": 2, "q6": 0}
    assert sum(test["max_score"] for test in results["tests"] if test["name"].startswith("q")) == 18


@pytest.mark.slow
def test_notebook_that_lost_its_tags_and_metadata_earns_the_same(kernels: Exercise, tmp_path: Path) -> None:
    notebook = json.loads(kernels.product.solved)
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    notebook["nbformat_minor"] = 4
    results = otter_run(kernels.product.bundle, json.dumps(notebook).encode(), tmp_path)
    assert sum(earned(results).values()) == 18


@pytest.mark.slow
def test_wrong_answer_loses_only_its_question_and_those_that_use_it(
    kernels: Exercise, tmp_path: Path
) -> None:
    def break_q5(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        source = "def make_kernel(name, size=3):\n    return 1 / 0\n"
        return [cell | {"source": source} if cell["id"] == "q5-answer" else cell for cell in cells]

    notebook = rewritten(kernels.product.solved, break_q5)
    # The last question uses the fifth, so it fails with it.
    assert earned(otter_run(kernels.product.bundle, notebook, tmp_path)) == {
        "q1": 2, "q2": 5, "q3": 3, "q4": 3, "q5": 0, "q6": 0,
    }  # fmt: skip
