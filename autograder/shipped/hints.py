"""Finds the hint for a wrong answer: what came of each call, and which known mistake comes to the same.

``autograder build`` packs this text into the first cell of a notebook, with a table that says what each known
mistake would have produced in the open checks. No wrong code travels, only what came of it.

A table is ``{"outcomes": [...], "answers": [{"name", "hint", "calls": {check: [...]}}]}``: ``calls`` points,
for each call of a check, to one of ``outcomes``; the first of those is always "right".
"""

import dis
from collections.abc import Mapping
from typing import Any

# A mistake is recognised by what it gives back; that something raises an error happens to many.
EVIDENCE = ("array", "accepted", "type", "said")
# So many different values in one wrong result cannot agree by accident.
TELLING = 8


def observe(file: Any, env: Mapping[str, Any]) -> "dict[str, list[Any]]":
    """Run the open checks of one of Otter's test files to their end; return every trial, check by check."""
    seen: dict[str, list[Any]] = {}
    for case in file.test_cases:
        if case.hidden:
            continue
        function = case.body.test_func
        trials: list[Any] = []
        function.__globals__["OBSERVED"] = trials
        try:
            case.body.call_func(env)
        except Exception:
            pass  # the check itself could not go on: what was seen until then still counts
        finally:
            function.__globals__["OBSERVED"] = None
        seen[function.__name__] = trials
    return seen


def same(found: Any, known: Any) -> bool:
    """Whether two outcomes are the same, numbers within the tolerance of their check."""
    if found[0] != "array" or known[0] != "array":
        return bool(found == known)
    return bool(
        found[1] == known[1]
        and all(abs(mine - theirs) <= known[3] for mine, theirs in zip(found[2], known[2], strict=True))
    )


def first_wrong(seen: Mapping[str, Any]) -> Any:
    """Return the first trial that went wrong, or None."""
    return next((trial for trials in seen.values() for trial in trials if trial.sentence), None)


def find_hint(seen: Mapping[str, Any], table: Mapping[str, Any]) -> Any:
    """Return the known mistake that explains what was seen, or None: a wrong hint is worse than none.

    It must agree in every call. Where a second mistake has joined it, it must agree in the first call that
    went wrong, in more than a few numbers, and better than any other.
    """
    first = first_wrong(seen)
    ranked = []
    for answer in table["answers"]:
        hits, evidence, complete, at_first = 0, False, True, False
        for check, trials in seen.items():
            calls = answer["calls"].get(check, [])
            complete &= len(calls) == len(trials)
            for trial, call in zip(trials, calls, strict=False):
                if not same(trial.outcome, table["outcomes"][call]):
                    complete = False
                    continue
                hits += 1
                if trial.sentence:
                    evidence |= trial.outcome[0] in EVIDENCE
                    at_first |= trial is first
        partly = at_first and first.outcome[0] == "array" and first.outcome[4] >= TELLING
        if evidence and (complete or partly):
            ranked.append(((complete, hits), answer))
    best = max((rank for rank, _ in ranked), default=None)
    found = [answer for rank, answer in ranked if rank == best]
    return found[0] if len({answer["hint"] for answer in found}) == 1 else None


def uses(function: Any, env: Mapping[str, Any]) -> "set[str]":
    """Name everything of the notebook's own that a function calls, directly or through other functions."""
    found: set[str] = set()
    waiting = [getattr(function, "__code__", None)]
    while waiting:
        code = waiting.pop()
        if code is None:
            continue
        waiting += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            if instruction.opname not in ("LOAD_GLOBAL", "LOAD_NAME"):  # an attribute is not the notebook's
                continue
            own = getattr(env.get(name), "__code__", None)
            if own is not None and name not in found and env[name].__globals__ is env:
                found.add(name)
                waiting.append(own)
    return found
