"""A hint is given when it is true, and not otherwise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from autograder import build, diagnose
from autograder.shipped import checks, hints

# A check of two calls, and three mistakes that it tells apart.
CHECKS = """
OK_FORMAT = False
name = "q1"
points = None

@test_case(points=1, hidden=False)
def test_signed(env):
    expect(env, "flip", (SIGNED.copy(),), SIGNED[::-1], reveal=True)

@test_case(points=1, hidden=False)
def test_large(env):
    expect(env, "flip", (LARGE.copy(),), LARGE[::-1], reveal=True)
"""
NUMBERS = "SIGNED = np.arange(-9, 15).reshape(4, 6) / 8\nLARGE = np.arange(24).reshape(4, 6) * 16.0\n"
MISTAKES = {
    "columns": "np.asarray(image)[:, ::-1]",
    "signs lost": "abs(np.asarray(image)[::-1])",
    "clipped": "np.clip(np.asarray(image)[::-1], 0, 255)",
}


def source() -> str:
    """The text of the check file."""
    return f"from otter.test_files import test_case\n{build.templates().checks}\n{NUMBERS}{CHECKS}"


def notebook(body: str) -> dict[str, Any]:
    """A notebook with one function."""
    names: dict[str, Any] = {"np": np}
    exec(f"def flip(image):\n    return {body}\n", names)
    return names


@pytest.fixture(scope="module")
def table() -> diagnose.Table:
    """What the three mistakes produce, as the build stores it."""
    outcomes: list[Any] = ["right"]
    known = []
    for name, body in MISTAKES.items():
        calls = {}
        for check, trials in diagnose.observe(source(), "q1", notebook(body)).items():
            outcomes += [trial.outcome for trial in trials if trial.outcome not in outcomes]
            calls[check] = [outcomes.index(trial.outcome) for trial in trials]
        known.append({"name": name, "hint": f"{name}!", "calls": calls})
    return {"outcomes": outcomes, "answers": known}


@pytest.fixture
def hint_for(table: diagnose.Table) -> Callable[[str], str | None]:
    """The name of the mistake that is found in a function."""

    def find(body: str) -> str | None:
        found = hints.find_hint(diagnose.observe(source(), "q1", notebook(body)), table)
        return found["name"] if found else None

    return find


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_however_it_is_written(
    name: str, hint_for: Callable[[str], str | None]
) -> None:
    body = MISTAKES[name]
    assert hint_for(body) == name
    assert hint_for(f"({body}).tolist()") == name
    assert hint_for(f"({body}).astype('float32')") == name


def test_mistake_that_a_second_one_has_joined_is_still_found(hint_for: Callable[[str], str | None]) -> None:
    assert hint_for("np.asarray(image)[:, ::-1] if image.max() < 9 else np.zeros(3)") == "columns"


@pytest.mark.parametrize(
    "body",
    [
        "np.asarray(image)[::-1]",  # nothing is wrong
        "np.zeros(image.shape)",  # too little in it to tell
        "np.asarray(image)",
        "np.asarray(image)[::-1] + 1e-3",
        "1 / 0",
        "None",
        "[['a']]",
        "np.asarray(image)[:, ::-1] + 1",
        "np.full(image.shape, np.nan)",
    ],
)
def test_other_answers_get_no_hint_of_a_mistake_that_they_do_not_make(
    body: str, hint_for: Callable[[str], str | None]
) -> None:
    assert hint_for(body) is None


def test_right_answer_has_no_wrong_trial() -> None:
    seen = diagnose.observe(source(), "q1", notebook("np.asarray(image)[::-1]"))
    assert {check: [trial.outcome for trial in trials] for check, trials in seen.items()} == {
        "test_signed": ["right"],
        "test_large": ["right"],
    }
    assert hints.first_wrong(seen) is None


@given(
    picture=arrays.arrays(
        np.float64, some.tuples(some.integers(1, 6), some.integers(1, 6)), elements=some.integers(-99, 99)
    ),
    data=some.data(),
)
def test_stored_sums_tell_any_changed_value_and_forgive_rounding(picture: Any, data: Any) -> None:
    scale = float(np.abs(picture).max()) or 1.0
    stored = ["array", list(picture.shape), *checks.digest(picture, 1e-6, scale)]
    row, column = (data.draw(some.integers(0, side - 1)) for side in picture.shape)
    changed = picture.copy()
    changed[row, column] += data.draw(some.sampled_from([-7.0, 1.0, 40.0]))
    other = ["array", list(picture.shape), *checks.digest(changed, 1e-6, scale)]
    rounded = ["array", list(picture.shape), *checks.digest(picture.astype(np.float32), 1e-6, scale)]
    assert hints.same(rounded, stored)
    assert not hints.same(other, stored)


@given(values=some.lists(some.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=9))
def test_any_numbers_can_be_stored(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        sums, slack, telling = checks.digest(np.array(values), 1e-6, 1.0)
    assert all(isinstance(value, float) for value in [*sums, slack])
    assert 1 <= telling <= 99


def test_function_that_uses_another_is_known_and_an_attribute_of_that_name_is_not() -> None:
    names: dict[str, Any] = {"np": np}
    exec(
        "def pad(x): return x\n"
        "def blur(x): return helper(x)\n"
        "def helper(x): return [pad(y) for y in x]\n"
        "def other(x): return np.pad(x, 1)\n",
        names,
    )
    assert hints.uses(names["blur"], names) == {"helper", "pad"}
    assert hints.uses(names["other"], names) == set()
    assert hints.uses(3, names) == set()
