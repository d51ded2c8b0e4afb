"""Plain `otter run` on the bundle: full marks, none, and the right number in between."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.assemble import Product


def otter_run(bundle: bytes, notebook: bytes, folder: Path) -> dict[str, Any]:
    """Grade one notebook the way an instructor does, and return Gradescope's JSON."""
    (folder / "kernels.zip").write_bytes(bundle)
    (folder / "answer.ipynb").write_bytes(notebook)
    command = [sys.executable, "-m", "otter", "run", "-a", "kernels.zip", "--no-logo", "answer.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return results


def earned(results: dict[str, Any]) -> dict[str, float]:
    """Points per question."""
    tests = {test["name"]: test.get("score", 0.0) for test in results["tests"]}
    return {name: float(score) for name, score in tests.items() if name.startswith("q")}


def half_solved(product: Product, *questions: str) -> bytes:
    """The untouched notebook with the answers to some questions put in."""
    solved = {cell["id"]: cell for cell in json.loads(product.solved)["cells"]}
    notebook = json.loads(product.student)
    notebook["cells"] = [
        solved[cell["id"]] if cell["id"] in {f"{question}-answer" for question in questions} else cell
        for cell in notebook["cells"]
    ]
    return json.dumps(notebook).encode()


def test_solution_earns_all_points(product: Product, tmp_path: Path) -> None:
    assert earned(otter_run(product.bundle, product.solved, tmp_path)) == {
        "q1": 2, "q2": 5, "q3": 3, "q4": 3, "q5": 2, "q6": 3,
    }  # fmt: skip


def test_untouched_notebook_earns_nothing(product: Product, tmp_path: Path) -> None:
    results = otter_run(product.bundle, product.student, tmp_path)
    assert set(earned(results).values()) == {0}
    assert sum(test["max_score"] for test in results["tests"] if test["name"].startswith("q")) == 18


def test_half_solved_notebook_earns_the_points_of_its_half(product: Product, tmp_path: Path) -> None:
    notebook = half_solved(product, "q1", "q2", "q5")
    assert earned(otter_run(product.bundle, notebook, tmp_path)) == {
        "q1": 2, "q2": 5, "q3": 0, "q4": 0, "q5": 2, "q6": 0,
    }  # fmt: skip


@pytest.mark.slow
def test_notebook_that_lost_its_tags_and_metadata_earns_the_same(product: Product, tmp_path: Path) -> None:
    notebook = json.loads(product.solved)
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    notebook["nbformat_minor"] = 4
    assert sum(earned(otter_run(product.bundle, json.dumps(notebook).encode(), tmp_path)).values()) == 18


@pytest.mark.slow
def test_wrong_answer_loses_only_its_question(product: Product, tmp_path: Path) -> None:
    notebook = json.loads(product.solved)
    for cell in notebook["cells"]:
        if cell["id"] == "q5-answer":
            cell["source"] = ["def make_kernel(name, size=3):\n", "    return 1 / 0\n"]
    scores = earned(otter_run(product.bundle, json.dumps(notebook).encode(), tmp_path))
    # The last question uses the fifth, so it fails with it.
    assert scores == {"q1": 2, "q2": 5, "q3": 3, "q4": 3, "q5": 0, "q6": 0}
