"""From a wrong answer to its hint: what each known mistake produces, stored; and what a student is told.

The search itself is ``shipped/hints.py``, the same text that travels in the notebooks.
"""

import types
from collections.abc import Mapping
from typing import Any

from autograder import judge
from autograder.answers import Answer
from autograder.parts import Master, Question
from autograder.shipped import hints

Table = dict[str, Any]


def environment(answer: Answer, solved: Mapping[str, Any]) -> dict[str, Any]:
    """Put an answer into a copy of the solved notebook."""
    return with_source(answer.source, f"{answer.question}, {answer.name}", solved)


def with_source(source: str, name: str, solved: Mapping[str, Any]) -> dict[str, Any]:
    """Run one more cell in a copy of a notebook, whose functions then call what it defines."""
    env = dict(solved)
    for key, value in solved.items():
        if isinstance(value, types.FunctionType) and value.__globals__ is solved:
            env[key] = types.FunctionType(value.__code__, env, key, value.__defaults__, value.__closure__)
            env[key].__kwdefaults__, env[key].__doc__ = value.__kwdefaults__, value.__doc__
    exec(compile(source, name, "exec"), env)
    return env


def observe(source: str, question: str, env: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Try the open checks of one question to their end, and say for each call what came of it."""
    return judge.quietly(lambda: hints.observe(judge.test_file(source, question), env))


def tables(master: Master, open_checks: Mapping[str, str], solved: Mapping[str, Any]) -> dict[str, Table]:
    """Write, for each question, the table that a notebook needs to find a hint."""
    return {
        question.name: table(question, open_checks[question.name], solved) for question in master.questions
    }


def table(question: Question, source: str, solved: Mapping[str, Any]) -> Table:
    """Write the table of one question: what each known mistake gives in each call of each open check."""
    outcomes: list[Any] = ["right"]
    known = []
    for answer in question.answers:
        if not answer.hint or answer.like or "open" not in answer.fails:
            continue
        calls: dict[str, list[int]] = {}
        for check, trials in observe(source, question.name, environment(answer, solved)).items():
            calls[check] = []
            for trial in trials:
                if trial.outcome not in outcomes:
                    outcomes.append(trial.outcome)
                calls[check].append(outcomes.index(trial.outcome))
        known.append({"name": answer.name, "hint": answer.hint, "calls": calls})
    return {"outcomes": outcomes, "answers": known}


def alike(one: Mapping[str, Any], other: Mapping[str, Any], outcomes: list[Any]) -> bool:
    """Whether no call of any open check tells two known mistakes apart."""
    if {check: len(calls) for check, calls in one["calls"].items()} != {
        check: len(calls) for check, calls in other["calls"].items()
    }:
        return False
    return all(
        hints.same(outcomes[mine], outcomes[theirs])
        for check, calls in one["calls"].items()
        for mine, theirs in zip(calls, other["calls"][check], strict=True)
    )


def say(source: str, question: str, env: Mapping[str, Any], known: Table) -> str:
    """Say what a student reads first about an answer that fails its open checks; empty if it passes."""
    results = judge.run_checks(source, question, env)
    failed = [result for result in results if not result.passed]
    if not failed:
        return ""
    found = hints.find_hint(observe(source, question, env), known)
    return str(found["hint"]) if found else failed[0].message.removeprefix("AssertionError: ")
