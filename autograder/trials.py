"""Tries every answer that a master carries, as a student would and as the grader would.

A wrong answer must fail where it says, whatever the seed of the hidden checks, and get its own hint; no open
check may leave two of them looking alike. A right one must pass everywhere, however it is written.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder import archives, assemble, build, diagnose, judge
from autograder.answers import Answer
from autograder.build import Built
from autograder.parts import Master, Question
from autograder.settings import Settings

# Two besides the one that is set: what holds for three drawn at will holds.
OTHER_SEEDS = (1, 2**40)
Complaint = tuple[int, str]


@dataclass(frozen=True)
class Verdict:
    """What became of one answer."""

    answer: Answer
    caught: bool  # a wrong answer: fails exactly where it says, whatever the seed
    hinted: bool  # a wrong answer: the student reads its own hint
    accepted: bool  # a right answer: passes everywhere
    complaint: str


@dataclass(frozen=True)
class Outcome:
    """What became of all answers of a master."""

    verdicts: tuple[Verdict, ...]
    problems: tuple[Complaint, ...]

    def count(self, what: str) -> tuple[int, int]:
        """Count the answers that were "caught", "hinted" or "accepted", and how many could have been."""
        kind = "right" if what == "accepted" else "wrong"
        asked = [verdict for verdict in self.verdicts if verdict.answer.kind == kind]
        return sum(getattr(verdict, what) for verdict in asked), len(asked)


def try_answers(master: Master, built: Built, settings: Settings) -> Outcome:
    """Try all answers of a master."""
    seeds = (settings.seed, *OTHER_SEEDS)
    open_checks = assemble.open_checks(master, build.templates())
    bundles = [archives.unpack(bundle_to_try(master, built, settings, seed)) for seed in seeds]
    verdicts: list[Verdict] = []
    problems: list[Complaint] = []
    for question in master.questions:
        files = [bundle[f"tests/{question.name}.py"].decode() for bundle in bundles]
        table = built.tables[question.name]
        shown = open_checks[question.name]
        for answer in question.answers:
            verdict = try_answer(answer, shown, dict(zip(seeds, files, strict=True)), table, built.solved)
            verdicts.append(verdict)
            if verdict.complaint:
                problems.append((answer.line, verdict.complaint))
        problems += twins(question, table)
        problems += slow(question, shown, built.solved)
    return Outcome(tuple(verdicts), tuple(problems))


def bundle_to_try(master: Master, built: Built, settings: Settings, seed: int) -> bytes:
    """Make the bundle again so that every check of it can be tried on this machine, under a seed."""
    tried = replace(settings, seed=seed, gpu="cpu-scale")
    return assemble.bundle(master, built.assigned.bundle, build.templates(), tried)


def try_answer(
    answer: Answer, shown: str, files: Mapping[int, str], table: diagnose.Table, solved: Mapping[str, Any]
) -> Verdict:
    """Try one answer: what the notebook says of it, then the bundle's checks under every seed."""
    try:
        env = diagnose.environment(answer, solved)
    except Exception as error:
        sentence = f'"{answer.name}" cannot even be defined: {type(error).__name__}: {error}.'
        return Verdict(answer, False, False, False, sentence)
    said = diagnose.say(shown, answer.question, env, table)
    first = next(iter(files))  # open checks have no seed: once is enough
    results = {
        seed: judge.run_checks(file, answer.question, env, hidden_only=seed != first)
        for seed, file in files.items()
    }
    if answer.kind == "right":
        return _accepted(answer, said, results)
    missed = [
        f'the wrong answer "{answer.name}" {how} (seed {seed}). {cure}'
        for seed, checks in results.items()
        for how, cure in _misplaced(answer, checks)
    ]
    wanted = answer.hint or answer.says
    hinted = "open" not in answer.fails or wanted in said
    complaint = missed[0] if missed else ""
    if not missed and not hinted:
        read = f'"{said}"' if said else "that all is well"
        complaint = (
            f'the student with "{answer.name}" reads {read} and not "{wanted}". Add a fixture that shows it.'
        )
    return Verdict(answer, not missed, hinted and not missed, False, complaint)


def _accepted(answer: Answer, said: str, results: Mapping[int, Sequence[judge.CheckResult]]) -> Verdict:
    """Judge a right answer."""
    failed = [
        f"{'hidden' if result.hidden else 'open'} check, seed {seed}: {result.message}"
        for seed, checks in results.items()
        for result in checks
        if not result.passed
    ]
    complaint = f'the right answer "{answer.name}" fails ({failed[0]}).' if failed else ""
    if said and not failed:
        complaint = f'the right answer "{answer.name}" is told "{said}".'
    return Verdict(answer, False, False, not complaint, complaint)


def _misplaced(answer: Answer, checks: Sequence[judge.CheckResult]) -> Iterator[tuple[str, str]]:
    """Say where a wrong answer passes that should fail, or fails where it should pass."""
    for article, place in (("an", "open"), ("a", "hidden")):
        if not any(check.hidden == (place == "hidden") for check in checks):
            continue
        failed = any(not check.passed for check in checks if check.hidden == (place == "hidden"))
        if place in answer.fails and not failed:
            yield f"passes all {place} checks", "Add a fixture that tells it from the solution."
        if place not in answer.fails and failed:
            yield f"fails {article} {place} check", f"Add {place} to its fails."


def twins(question: Question, table: diagnose.Table) -> Iterator[Complaint]:
    """Find two wrong answers that no open check tells apart: one of them would get the other's hint."""
    lines = {answer.name: answer.line for answer in question.answers}
    known = table["answers"]
    for position, one in enumerate(known):
        for other in known[position + 1 :]:
            if diagnose.alike(one, other, table["outcomes"]):
                sentence = (
                    f'no open check tells "{other["name"]}" from "{one["name"]}". Add a fixture that does.'
                )
                yield lines[other["name"]], sentence


def slow(question: Question, shown: str, solved: Mapping[str, Any]) -> Iterator[Complaint]:
    """Find open checks for which a student would wait."""
    spent = 0.0
    for _ in range(3):  # another program's work can slow one try, hardly three
        start = time.process_time()
        judge.run_checks(shown, question.name, solved)
        spent = time.process_time() - start
        if spent <= question.patience:
            return
    yield (
        question.line,
        f"the open checks of {question.name} take {spent:.1f} s. Make their fixtures smaller.",
    )
