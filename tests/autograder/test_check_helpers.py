"""What the helpers of every check file say: one true sentence, in words that a beginner can use."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder import build

Say = Callable[..., str]


@pytest.fixture(scope="module")
def helpers() -> dict[str, Any]:
    """The helpers, as a check file defines them."""
    namespace: dict[str, Any] = {}
    exec(build.templates().checks, namespace)
    return namespace


@pytest.fixture
def say(helpers: dict[str, Any]) -> Say:
    """Run cells of a student, expect ``answer(2)`` to be something, and return the sentence."""

    def run(*cells: str, right: Any = 4.0, helper: str = "expect", reveal: bool = True) -> str:
        notebook: dict[str, Any] = {"np": np}
        for number, cell in enumerate(cells):
            exec(compile(cell, f"cell {number}", "exec"), notebook)
        asked: dict[str, Any] = {"env": notebook, "name": "answer", "arguments": (2,)}
        if helper == "expect":
            asked |= {"expected": right, "case": "of two", "reveal": reveal}
        else:
            asked |= {"case": "an even number"}
        with pytest.raises(AssertionError) as caught:
            helpers[helper](**asked)
        sentence = str(caught.value)
        assert "\n" not in sentence
        return sentence

    return run


@pytest.mark.parametrize(
    ("returned", "right", "sentence"),
    [
        ("3", 4, "your answer gives 3; 4 is right (of two)"),
        ("[1, 3]", [1, 2], "at position 1 your answer gives 3; 2 is right (of two)"),
        ("[[1, 3]]", [[1, 2]], "at row 0, column 1 your answer gives 3; 2 is right (of two)"),
        ("1.000002", 1, "your answer gives 1.000002; 1 is right (of two)"),
        ("float('nan')", 4, "your answer gives nan, which is no finite number (of two)"),
        ("[1, -np.inf]", [1, 2], "at position 1 your answer gives -inf, which is no finite number (of two)"),
        ("[4]", 4, "your answer gives back an array of shape (1,); a single number is asked for (of two)"),
        ("'4'", 4, "your answer gives back text where plain numbers are asked for"),
        ("4j", 4, "your answer gives back complex numbers where plain numbers are asked for"),
        ("{4}", 4, "your answer gives back something of type set where plain numbers are asked for"),
    ],
)
def test_wrong_answer_is_described(say: Say, returned: str, right: Any, sentence: str) -> None:
    assert say(f"def answer(n):\n    return {returned}\n", right=right) == sentence


def test_right_value_stays_hidden_in_a_hidden_check(say: Say) -> None:
    sentence = say("def answer(n):\n    return 3\n", right=47.5, reveal=False)
    assert sentence == "your answer gives 3, which is not right (of two)"


def test_missing_function_is_said_without_what_was_tried(say: Say) -> None:
    assert say("x = 1") == "there is no function answer yet; run the cell that defines it"
    assert say("answer = 1").startswith("answer is no longer a function")
    assert say("x = 1", helper="refuse").startswith("there is no function answer yet")


def test_exception_is_one_line_and_in_the_cell_where_it_happened(say: Say) -> None:
    own = "def answer(n):\n    raise RuntimeError('first\\n  second')\n"
    assert say(own) == "your answer stopped with RuntimeError: first second, in line 2 of its cell (of two)"
    helper = "\n\n\ndef double(n):\n    return n.twice\n"
    sentence = say(helper, "def answer(n):\n    return double(n)\n")
    assert sentence.endswith("has no attribute 'twice', in line 5 of the cell of double (of two)")
    assert "…, in line 2" in say("def answer(n):\n    raise OSError('long ' * 100)\n")


def test_unknown_name_asks_for_its_spelling_and_its_cell(say: Say) -> None:
    asked = "(is it spelt right, and has the cell that makes it been run?)"
    assert asked in say("def answer(n):\n    return doubel(n)\n")
    assert asked not in say("def answer(n):\n    m = m + n\n    return m\n")


def test_other_exception_than_the_one_asked_for_says_which_is(say: Say) -> None:
    sentence = say("def answer(n):\n    return {}[n]\n", helper="refuse")
    assert sentence == (
        "your answer should raise ValueError for an even number, "
        "but your answer stopped with KeyError: 2, in line 2 of its cell"
    )


BRIDGE = "def bridge(n):\n    made = answer([n])\n    return None if made is None else sum(made)\n"


def test_answer_can_be_reached_through_a_function_of_the_notebook(helpers: dict[str, Any]) -> None:
    def sentence(cell: str) -> str:
        notebook: dict[str, Any] = {}
        exec(compile(BRIDGE + cell, "cell", "exec"), notebook)
        try:
            helpers["expect"](notebook, "answer", (2,), 4, case="of two", reveal=True, through="bridge")
        except AssertionError as error:
            return str(error)
        return ""

    assert sentence("def answer(n):\n    return n * 2\n") == ""
    assert sentence("def answer(n):\n    return n\n") == "your answer gives 2; 4 is right (of two)"
    assert sentence("def answer(n):\n    pass\n").startswith("your answer gives nothing back yet")
    assert sentence("x = 1\n") == "there is no function answer yet; run the cell that defines it"
    assert sentence("answer = len\nbridge = 3\n").startswith("bridge is no longer a function")
