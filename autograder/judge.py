"""Runs Otter's own test files against a set of functions, and owns the points.

Notebooks of our own making (the solution, known answers) it judges in this process. Student work it reaches
through stand-ins, whose functions run in a worker; the test files are the same.
"""

import contextlib
import copy
import functools
import io
import json
import linecache
import os
import tempfile
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from autograder import archives

Value = TypeVar("Value")
# How a check's message begins that could not be tried here, such as one that needs a GPU. A student's own
# error cannot: its sentence begins with the function's name.
PENDING = "pending: "
# How a line begins that a check prints for the instructor.
REMARK = "the GPU was seen at work from outside"


@dataclass(frozen=True)
class CheckResult:
    """One check of one question.

    remarks  lines that the check printed about how it looked, such as where a GPU was seen at work
    """

    passed: bool
    hidden: bool
    points: float
    message: str
    remarks: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether it could not be tried here: no verdict, and so neither points nor their loss."""
        return not self.passed and self.message.removeprefix("AssertionError: ").startswith(PENDING)


@dataclass(frozen=True)
class Score:
    """What a set of functions earned. A question with a pending check counts for nothing yet."""

    checks: Mapping[str, tuple[CheckResult, ...]]

    @property
    def pending(self) -> tuple[str, ...]:
        """The questions that wait for another machine."""
        return tuple(name for name, checks in self.checks.items() if any(check.pending for check in checks))

    @property
    def possible(self) -> float:
        """All points that could be earned here."""
        counted = [checks for name, checks in self.checks.items() if name not in self.pending]
        return float(sum(check.points for checks in counted for check in checks))

    @property
    def earned(self) -> float:
        """The points of the checks that passed."""
        return sum(self.of(question) for question in self.checks)

    def of(self, question: str) -> float:
        """The points earned in one question."""
        if question in self.pending:
            return 0.0
        return float(sum(check.points for check in self.checks[question] if check.passed))

    def failures(self) -> list[str]:
        """Say, for each failed check, what it said."""
        return [
            f"{question}: {check.message}"
            for question, checks in self.checks.items()
            for check in checks
            if not check.passed
        ]


def judge(bundle: bytes, functions: Mapping[str, Any], *, questions: Collection[str] | None = None) -> Score:
    """Run the test files of a bundle against ``functions`` (names to callables): all, or some questions'."""
    files = archives.unpack(bundle)
    results: dict[str, tuple[CheckResult, ...]] = {}
    for name in sorted(name for name in files if name.startswith("tests/") and name.endswith(".py")):
        question = Path(name).stem
        if questions is not None and question not in questions:
            continue
        results[question] = run_checks(files[name].decode(), question, functions)
    return Score(results)


@functools.lru_cache(maxsize=32)  # the same few files are run against every known answer
def test_file(source: str, question: str) -> Any:
    """Read one of Otter's test files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from otter.test_files.exception_test import ExceptionTestFile  # two seconds: only when it is needed

    return ExceptionTestFile.from_string(source, path=f"{question}.py")


def run_checks(
    source: str, question: str, functions: Mapping[str, Any], *, hidden_only: bool = False
) -> tuple[CheckResult, ...]:
    """Run one of Otter's test files, or its hidden checks alone."""
    cases = test_file(source, question).test_cases
    return tuple(
        run_check(source, question, place, functions)
        for place, case in enumerate(cases)
        if case.hidden or not hidden_only
    )


def quietly(what: Callable[[], Value], printed: io.StringIO | None = None) -> Value:
    """Do something without its prints and warnings, such as of an overflow: the student's own affair.

    printed  gets what was printed
    """
    with contextlib.redirect_stdout(printed or io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return what()


def run_check(source: str, question: str, place: int, functions: Mapping[str, Any]) -> CheckResult:
    """Run one check of one of Otter's test files. place: which one, from 0."""
    file = copy.copy(test_file(source, question))
    file.test_cases = [file.test_cases[place]]
    # The mapping itself, not a copy: helpers tell the notebook's lines by the identity of its globals.
    printed = io.StringIO()
    quietly(lambda: file.run(functions), printed)
    (result,) = file.test_case_results
    return CheckResult(
        passed=result.passed,
        hidden=result.test_case.hidden,
        points=result.test_case.points,
        message=result.message.split("\n", 3)[-1],
        remarks=tuple(line for line in printed.getvalue().splitlines() if line.startswith(REMARK)),
    )


def code_cells(notebook: bytes | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the code cells of a notebook but those tagged ``otter_ignore``, as Otter does."""
    document = json.loads(notebook) if isinstance(notebook, bytes) else notebook
    return [
        cell
        for cell in document["cells"]
        if cell["cell_type"] == "code" and "otter_ignore" not in cell["metadata"].get("tags", ())
    ]


def functions_of(notebook: bytes) -> dict[str, Any]:
    """Run the code cells of one of our own notebooks, without figures, and return what they define.

    A cell that fails does not stop the others.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    backend = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for cell in code_cells(notebook):
                name, source = f"cell {cell['id']}", "".join(cell["source"])
                # So that a message can quote the line in which something went wrong.
                linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
                with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(source, name, "exec"), namespace)
    finally:
        if backend is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = backend
    return namespace
