"""Grades one submission: its notebook in a worker, Otter's checks here, and a record of what came of it.

A question whose code hangs, or ends the notebook, costs that question: the notebook is begun anew without the
cell that did it, and the others go on. Whatever students may read is settled before the first hidden check
runs, so that nothing of a hidden check can get into it.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from autograder import bundles, judge, sandbox, showing, standins
from autograder.bundles import Exercise, Task
from autograder.files import shown
from autograder.judge import CheckResult, Score
from autograder.platforms import Student
from autograder.results import FailedCell, QuestionResult, Result, State, Status
from autograder.sandbox import Limits, Slot
from autograder.shipped import hints
from autograder.standins import BorderError
from autograder.submissions import Submission

# Of all its time one call or one cell may take this share: others get their turn.
SHARE_OF_ONE = 1 / 2
MOST_BEGINNINGS = 6  # of one notebook
LEAST_SECONDS = 0.5  # with less there is no use in beginning
LONGEST_PRIVATE = 500  # letters
INSTALLS = "Lines that call pip or conda were left out: there is no network, and what is needed is there."
# What a student reads of a question that was stopped, by why it was.
STOPPED = {
    "timeout": "Its code, or a function that it calls, did not come to an end in time.",
    "memory": "Its code, or a function that it calls, took more memory than it may use.",
    "crash": "Its code, or a function that it calls, ended Python itself.",
    "": "It was not tried: the notebook had been ended before.",
}
Value = TypeVar("Value")


@dataclass
class Outcome:
    """What came of a notebook.

    checks    question to the results of its checks, in their order; those that were not reached have failed
    stopped   question to why it was stopped
    hints     question to the known mistake that was recognised
    failed    code cells that raised an error: id, error, message
    installs  whether it has lines that install something, which are left out
    endings   how the notebook was ended before its time: each a status and where it happened
    cpu       CPU-seconds inside the sandbox
    """

    checks: dict[str, list[CheckResult]]
    stopped: dict[str, str] = field(default_factory=dict)
    hints: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    endings: list[tuple[Status, str]] = field(default_factory=list)
    installs: bool = False
    out_of_memory: bool = False
    cpu: float = 0.0

    @property
    def score(self) -> Score:
        """The points."""
        return Score({name: tuple(results) for name, results in self.checks.items()})


class _Run:
    """A notebook that is run in a slot, and begun anew when something has ended it."""

    def __init__(
        self,
        exercise: Exercise,
        cells: list[tuple[str, str]],
        slot: Slot,
        seconds: float,
        limits: Limits,
        outcome: Outcome,
    ) -> None:
        self.exercise, self.cells, self.slot = exercise, cells, slot
        self.limits, self.outcome = limits, outcome
        self.patience, self.end = seconds * SHARE_OF_ONE, time.monotonic() + seconds
        self.beginnings = 0
        self.hidden = False  # whether a hidden check has begun
        self.names: standins.Notebook | None = None
        self.stack = ExitStack()
        self.running: sandbox.Running | None = None

    def begin(self) -> bool:
        """Run all cells; leave out those that end the notebook. False if no time is left."""
        while self.beginnings < MOST_BEGINNINGS and self.end - time.monotonic() > LEAST_SECONDS:
            self.beginnings += 1
            self.running = self.stack.enter_context(self.slot.worker(self.limits))
            left = self.end - time.monotonic()
            self.names = standins.Notebook(self.running.channel, left, self.patience)
            failed: list[tuple[str, str, str]] = []
            if not self.hidden:  # else an error of a cell could tell students what a hidden check has asked
                self.outcome.failed = failed
            if self.beginnings == 1:
                try:
                    self.cells = bundles.to_run(self.exercise, self.cells, self.names.names_used)
                except BorderError:  # a text on which Python itself breaks: then all cells are run
                    self.finish()
                    continue
            for place, cell in enumerate(self.cells):
                try:
                    failed += self.names.run([cell])
                except BorderError as error:
                    self.finish(error, f"cell {cell[0]}")
                    del self.cells[place]
                    break
            else:
                return True
        return False

    def ask(self, what: Callable[[standins.Notebook], Value], task: Task) -> Value | None:
        """Do something with the notebook; None, and the question is stopped, if that ends it."""
        if self.names is None and not self.begin():
            self.outcome.stopped.setdefault(task.name, "")
            return None
        assert self.names is not None
        try:
            return what(self.names)
        except BorderError as error:
            self.outcome.stopped[task.name] = self.finish(error, task.name)
            return None

    def finish(self, error: BorderError | None = None, where: str = "") -> Status:
        """End the notebook; say why, if that was not for us to do."""
        if self.names is not None:
            self.outcome.out_of_memory |= self.names.out_of_memory
        self.names = None
        self.stack.close()
        if self.running is not None:
            self.outcome.cpu += self.running.cpu
        status: Status = "graded"
        if error is not None:
            status = "timeout" if error.kind == "late" else "crash"
            if self.running is not None and self.running.ended == "memory":
                status = "memory"
            self.outcome.endings.append((status, where))
        self.running = None
        return status


def run(
    exercise: Exercise,
    notebook: Mapping[str, Any],
    slot: Slot,
    *,
    seconds: float | None = None,
    limits: Limits | None = None,
    questions: Collection[str] | None = None,
) -> Outcome:
    """Run a notebook and the checks of an exercise: all, or some questions'.

    seconds  for everything together; by default what the exercise allows
    Raises SandboxError if no worker can be started. Whatever student code does becomes a part of the outcome.
    """
    tasks = [task for task in exercise.tasks if questions is None or task.name in questions]
    cases = {task.name: judge.test_file(task.test, task.name).test_cases for task in tasks}
    outcome = Outcome(
        {
            name: [CheckResult(False, case.hidden, case.points, "") for case in listed]
            for name, listed in cases.items()
        }
    )
    cells = [(cell["id"], "".join(cell["source"])) for cell in judge.code_cells(notebook)]
    own = bundles.without_checks(exercise, cells)
    outcome.installs = any(showing.INSTALLING.search(source) for _, source in own)
    going = _Run(exercise, cells, slot, seconds or exercise.seconds, limits or Limits(), outcome)
    try:
        for hidden in (False, True):
            going.hidden = hidden
            for task in tasks:
                _run_checks(going, task, cases[task.name], hidden=hidden)
                failed = any(not check.passed for check in outcome.checks[task.name] if not check.hidden)
                if not hidden and failed and task.name not in outcome.stopped and task.table["answers"]:
                    seen = going.ask(partial(observe, task), task)
                    found = hints.find_hint(seen, task.table) if seen else None
                    if found:
                        outcome.hints[task.name] = found
    finally:
        going.finish()
    return outcome


def _run_checks(going: _Run, task: Task, cases: list[Any], *, hidden: bool) -> None:
    """Run the open or the hidden checks of one question, until one of them is stopped."""
    for place, case in enumerate(cases):
        if case.hidden == hidden and task.name not in going.outcome.stopped:
            result = going.ask(partial(judge.run_check, task.test, task.name, place), task)
            if result is not None:
                going.outcome.checks[task.name][place] = result


def _remarks(outcome: Outcome) -> tuple[str, ...]:
    """Return what checks remarked for the instructor, each with its question."""
    return tuple(
        f"{name}: {remark}."
        for name, checks in outcome.checks.items()
        for check in checks
        for remark in check.remarks
    )


def observe(task: Task, names: standins.Notebook) -> dict[str, list[Any]]:
    """Try the open checks of a question to their end, and say for each call what came of it."""
    return judge.quietly(lambda: hints.observe(judge.test_file(task.test, task.name), names))


def grade(
    exercise: Exercise,
    submission: Submission,
    slot: Slot,
    *,
    key: str,
    seconds: float | None = None,
    limits: Limits | None = None,
) -> Result:
    """Grade one submission. Raises SandboxError if no worker can be started."""
    if submission.status != "readable" or submission.notebook is None:
        return record(exercise, submission, slot.isolation, key=key)
    seconds, limits = seconds or exercise.seconds, limits or Limits()
    outcome = run(exercise, submission.notebook, slot, seconds=seconds, limits=limits)
    return record(
        exercise, submission, slot.isolation, key=key, outcome=outcome, seconds=seconds, limits=limits
    )


def record(
    exercise: Exercise,
    submission: Submission,
    isolation: str,
    *,
    key: str,
    outcome: Outcome | None = None,
    seconds: float = 0.0,
    limits: Limits | None = None,
    trouble: str = "",
) -> Result:
    """Write down what came of a submission.

    trouble  what kept us from grading one that can be read: never the student's fault
    """
    upload = submission.upload
    status: Status = "graded" if submission.status == "readable" else submission.status
    sentence, notes = submission.sentence, submission.notes
    if outcome is None and status == "graded":
        status, sentence = "infra_error", "Your notebook could not be graded yet. You need not do anything."
        notes = (*notes, f"The grader failed: {trouble} Run the same command again.")
    questions: tuple[QuestionResult, ...] = ()
    failed: tuple[FailedCell, ...] = ()
    if outcome is not None and submission.notebook is not None:
        places = {cell["id"]: place for place, cell in enumerate(submission.notebook["cells"], start=1)}
        if outcome.endings or outcome.out_of_memory:
            # Code that fills the memory again and again runs out of time as well: memory says more.
            status = "memory" if outcome.out_of_memory else outcome.endings[0][0]
            sentence = _ending_sentence(outcome, places, seconds, limits or Limits())
        questions = tuple(_question(task, outcome) for task in exercise.tasks)
        notes = (*notes, INSTALLS) if outcome.installs else notes
        notes = (*notes, *_remarks(outcome))
        failed = tuple(FailedCell(places[cell], *said) for cell, *said in outcome.failed)
    pending = tuple(question.name for question in questions if question.state == "pending")
    return Result(
        key=key,
        id=upload.id,
        exercise=exercise.slug,
        students=tuple(
            Student(
                shown(student.name),
                shown(student.number),
                shown(student.email),
                tuple((shown(name), shown(number)) for name, number in student.others),
            )
            for student in upload.students
        ),
        platform=upload.platform,
        file=shown(upload.file.parts[-1]) if upload.file else "",
        attempt=upload.attempt,
        late=upload.late,
        status=status,
        sentence=sentence,
        notes=notes,
        score=sum(question.earned for question in questions) if outcome is not None else None,
        points=sum(task.points for task in exercise.tasks if task.name not in pending),
        pending=pending,
        questions=questions,
        failed_cells=failed,
        isolation=isolation,
    )


def _ending_sentence(outcome: Outcome, places: Mapping[str, int], seconds: float, limits: Limits) -> str:
    """Say to a student what ended the notebook, and where."""
    if outcome.out_of_memory:
        return (
            f"The notebook asked for more than the {limits.memory / 2**30:.2g} GB of memory that it may use. "
            "Look for a list or an array that is far larger than it has to be."
        )
    status, where = outcome.endings[0]
    place = f"Question {where}" if where else "The notebook"
    if where.startswith("cell "):
        place = f"Cell {places[where.removeprefix('cell ')]}"
    what = {
        "timeout": f"did not come to an end within {seconds * SHARE_OF_ONE:.3g} seconds and was stopped. "
        "Look for a loop that never ends, or for work that is done far more often than it has to be.",
        "memory": f"took more than the {limits.memory / 2**30:.2g} GB of memory that it may use. Look for a "
        "list or an array that is far larger than it has to be.",
        "crash": "ended Python itself, with all that came after it. Look for a call that ends the program.",
    }[status]
    rest = " The other questions were graded all the same." if outcome.checks else ""
    return f"{place} {what}{rest}"


def _question(task: Task, outcome: Outcome) -> QuestionResult:
    """Write down what one question earned."""
    checks = outcome.checks[task.name]
    pending = task.name in outcome.score.pending
    earned = outcome.score.of(task.name)
    state: State = "full" if earned == task.points else "part" if earned else "none"
    state = "pending" if pending else "stopped" if task.name in outcome.stopped else state
    opened = [check for check in checks if not check.hidden]
    hidden = [check for check in checks if check.hidden]
    hint = outcome.hints.get(task.name)
    said = [_plain(check.message) for check in opened if not check.passed and check.message]
    stop = STOPPED[outcome.stopped[task.name]] if task.name in outcome.stopped else ""
    return QuestionResult(
        name=task.name,
        title=task.title,
        points=task.points,
        earned=earned,
        state=state,
        open=(sum(check.passed for check in opened), len(opened)),
        hidden=(sum(check.passed for check in hidden), len(hidden)),
        sentence=str(hint["hint"]) if hint else said[0] if said else stop,
        mistake=str(hint["name"]) if hint else "",
        private=tuple(
            _plain(check.message)[:LONGEST_PRIVATE] for check in hidden if not check.passed and check.message
        ),
    )


def _plain(message: str) -> str:
    return message.removeprefix("AssertionError: ")
