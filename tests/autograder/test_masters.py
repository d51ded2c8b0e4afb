"""An author's mistakes are all found, each with its file and line."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograder import masters
from autograder.errors import MasterError, Problem


def mistakes(text: str) -> list[Problem]:
    """Read a master and return what is wrong with it."""
    with pytest.raises(MasterError) as caught:
        masters.parse(text, "doubling", "solutions/doubling.md")
    return caught.value.problems


def line_of(text: str, part: str, occurrence: int = 1) -> int:
    """The number of the line on which a text occurs."""
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if part in line]
    return lines[occurrence - 1]


def without(text: str, block: str) -> str:
    """Leave out one raw cell."""
    cell = f"```{{raw-cell}}\n# {block}\n```\n"
    assert text.count(cell) == 1
    return text.replace(cell, "")


def test_master_without_a_mistake_is_read(text: str) -> None:
    master = masters.parse(text, "doubling", "solutions/doubling.md")
    assert (master.slug, master.points, master.minutes, master.title) == ("doubling", 2, 5, "Doubling")
    (question,) = master.questions
    assert [(check.name, check.hidden) for check in question.checks] == [
        ("test_double_of_three", False),
        ("test_double_of_a_secret", True),
    ]
    assert question.checks[0].line == line_of(text, "# BEGIN TEST CONFIG")


def test_cell_ids_come_from_question_and_role_and_survive_an_edit_elsewhere(text: str) -> None:
    def ids(source: str) -> list[str]:
        return [cell.id for cell in masters.parse(source, "doubling", "x").cells]

    edited = text.replace("Twice as much.", "Twice as much.\n\n+++\n\nAnother cell of text.")
    assert set(ids(text)) < set(ids(edited))
    assert "q1-answer" in ids(text)
    assert len(set(ids(edited))) == len(ids(edited))


@pytest.mark.parametrize("block", ["QUESTION", "SOLUTION", "TESTS", "HIDDEN HELPERS"])
def test_unclosed_block_is_named_where_it_opens(text: str, block: str) -> None:
    found = mistakes(without(text, f"END {block}"))
    assert str(found[0]).startswith(f"solutions/doubling.md:{line_of(text, f'# BEGIN {block}')}: ")
    assert f'"# BEGIN {block}" is never closed. Add "# END {block}"' in found[0].sentence


def test_end_without_begin_is_named(text: str) -> None:
    found = mistakes(without(text, "BEGIN SOLUTION"))
    assert any('"# END SOLUTION" closes nothing' in problem.sentence for problem in found)


def test_unclosed_solution_lines_are_named_at_their_line(text: str) -> None:
    broken = text.replace("    # END SOLUTION\n", "")
    (problem,) = mistakes(broken)
    assert problem.line == line_of(broken, "    # BEGIN SOLUTION")
    assert '"# BEGIN SOLUTION" is never closed' in problem.sentence


def test_solution_that_students_would_get_is_named(text: str) -> None:
    broken = text.replace("    # END SOLUTION\n", "").replace("    # BEGIN SOLUTION\n", "")
    (problem,) = mistakes(broken)
    assert "students would get it" in problem.sentence


@pytest.mark.parametrize("setting", ["failure_message", "success_message"])
@pytest.mark.parametrize("message", ["'say \"no\"'", '"a\\nb"', "'C:\\new'"])
def test_message_that_would_break_otters_test_file_is_named(text: str, setting: str, message: str) -> None:
    broken = text.replace('points: 1\n"""', f'points: 1\n{setting}: {message}\n"""')
    (problem,) = mistakes(broken)
    assert problem.line == line_of(broken, "# BEGIN TEST CONFIG")
    assert f"the {setting} has a double quote, a backslash or a line break in it" in problem.sentence


def test_message_with_single_quotes_is_fine(text: str) -> None:
    fine = text.replace('points: 1\n"""', 'points: 1\nfailure_message: it\'s wrong\n"""')
    assert masters.parse(fine, "doubling", "x").questions


def test_points_that_do_not_add_up_are_named_at_the_question_and_at_the_top(text: str) -> None:
    found = mistakes(text.replace("name: q1\npoints: 2", "name: q1\npoints: 3"))
    assert [problem.line for problem in found] == [1, line_of(text, "# BEGIN QUESTION")]
    assert "the questions add up to 3 points, mostly_harmless.points says 2" in found[0].sentence
    assert "question q1 has 3 points, its checks add up to 2" in found[1].sentence


def test_question_named_twice_is_named(text: str) -> None:
    start, end = text.index("```{raw-cell}\n# BEGIN QUESTION"), text.index("## Hand it in")
    doubled = text[:end] + text[start:end] + text[end:]
    assert any("question q1 exists already, in line" in problem.sentence for problem in mistakes(doubled))


def test_check_named_twice_is_named(text: str) -> None:
    found = mistakes(text.replace("test_double_of_a_secret", "test_double_of_three"))
    assert any("test_double_of_three exists already in line" in problem.sentence for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def test_double_of_three(env):", "def test_double_of_three(env)", "this is not Python"),
        ("def test_double_of_three(env):", "def double_of_three(env):", "must be called test_…"),
        ("hidden: true\n", "", "has no hidden check"),
        ("hidden: true\n", "hidden: 'no'\n", "hidden is 'no'"),
        ("requirements: [numpy]", "requirements: numpy", "requirements is not a list of packages"),
        ("```{code-cell} ipython3\ndef secret", "```{codecell}\ndef secret", "begins no cell here"),
        ('points: 1\n"""', 'points: 1\nhiden: true\n"""', "setting hiden is unknown"),
        ("slug: doubling", "slug: tripling", "mostly_harmless.slug is 'tripling'"),
        ("  chapter: sums\n", "", "mostly_harmless.chapter is missing"),
        ("  minutes: 5\n", "", "mostly_harmless.minutes is missing"),
        ("  files: true\n", "", "the settings must say tests"),
        ("init_cell: false\n", "init_cell: false\nruns_on: colab\n", "runs_on must go"),
        ("name: q1\npoints: 2", "name: q1", "question q1 has no points"),
        ("name: q1\npoints: 2", "points: 2", "the question has no name"),
        ("# BEGIN QUESTION", "# BEGIN QUESTIONS", 'raw cell "# BEGIN QUESTIONS" is not understood'),
        ("## Double a number", "Double a number", "does not begin with a heading"),
        ("## Double a number", "# Double a number", "one title"),
        ("    expect(env, \"double\", (3,), 6, reveal=True)\n", "    pass\nx = 1\n", "nothing else"),
    ],
)  # fmt: skip
def test_mistake_is_named(text: str, old: str, new: str, said: str) -> None:
    assert old in text
    found = mistakes(text.replace(old, new))
    assert any(said in problem.sentence for problem in found), found
    assert all(problem.line for problem in found)


def test_all_mistakes_are_listed_in_the_order_of_the_file(text: str) -> None:
    broken = text.replace("slug: doubling", "slug: tripling").replace("hidden: true", "hiden: true")
    broken = without(broken, "END TESTS")
    found = mistakes(broken)
    assert len(found) >= 4
    assert [problem.line for problem in found] == sorted(problem.line or 0 for problem in found)


def test_file_without_a_jupytext_header_is_refused(text: str) -> None:
    assert "the header has no jupytext" in mistakes(text.replace("jupytext:", "jupyter:"))[0].sentence


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("  points: 2\n  minutes: 5", "  points: [2\n  minutes: 5", "  minutes: 5"),
        ("init_cell: false", "init_cell: [false", "export_cell: false"),
        ("name: q1\npoints: 2", "name: q1\n points: 2", " points: 2"),
        ("hidden: true", " hidden: true", " hidden: true"),
    ],
)
def test_settings_that_are_not_yaml_are_one_sentence_at_their_line(
    text: str, old: str, new: str, where: str
) -> None:
    broken = text.replace(old, new)
    problem = next(p for p in mistakes(broken) if "not valid YAML" in p.sentence)
    assert problem.line in [number for number, line in enumerate(broken.split("\n"), 1) if line == where]
    assert "\n" not in problem.sentence


def test_cell_that_is_not_closed_is_named_where_the_next_one_begins(text: str) -> None:
    broken = text.replace("# END TESTS\n```\n", "# END TESTS\n")
    problem = next(p for p in mistakes(broken) if "begins no cell here" in p.sentence)
    assert problem.line == line_of(broken, "# BEGIN WRONG ANSWERS") - 1


def test_byte_order_mark_at_the_start_is_ignored(text: str, tmp_path: Path) -> None:
    (tmp_path / "doubling.md").write_text(text, encoding="utf-8-sig")
    assert masters.read(tmp_path / "doubling.md").title == "Doubling"


AGAIN = """\
```{raw-cell}
# BEGIN QUESTION
name: q2
points: 1
```

## Once more

```{raw-cell}
# BEGIN TESTS
```

```{code-cell} ipython3
\""" # BEGIN TEST CONFIG
points: 0.5
\""" # END TEST CONFIG
def test_double_of_four(env):
    expect(env, "double", (4,), 8)
```

```{code-cell} ipython3
\""" # BEGIN TEST CONFIG
points: 0.5
hidden: true
\""" # END TEST CONFIG
def test_double_of_five(env):
    expect(env, "double", (5,), 10)
```

```{raw-cell}
# END TESTS
```

```{raw-cell}
# BEGIN WRONG ANSWERS
```

```{code-cell} ipython3
\""" # BEGIN WRONG ANSWER
name: one more
says: is not right
change: ["number + number", "number + 1"]
\""" # END WRONG ANSWER
```

```{raw-cell}
# END WRONG ANSWERS
```

```{raw-cell}
# END QUESTION
```
"""


def asking_again(text: str, again: str) -> str:
    """A second question, which has no solution of its own."""
    longer = text.replace("  points: 2\n", "  points: 3\n").replace(
        "  chapter: sums\n", f"  chapter: sums\n{again}"
    )
    return f"{longer.rstrip()}\n\n{AGAIN}"


def test_question_may_ask_again_for_the_functions_of_an_earlier_one(text: str) -> None:
    master = masters.parse(asking_again(text, "  again: {q2: q1}\n"), "doubling", "x")
    first, second = master.questions
    assert (first.source, second.source) == ("q1", "q1")
    assert second.functions == first.functions == ("double",)
    (wrong,) = second.answers
    assert "number + 1" in wrong.source


@pytest.mark.parametrize(
    "again",
    [
        "  again: {q2: q7}\n",
        "  again: {q7: q1}\n",
        "  again: {q1: q1}\n",
        "  again: {q2: [q1]}\n",
        "  again: q1\n",
    ],
)
def test_asking_again_for_what_is_not_there_is_named(text: str, again: str) -> None:
    found = mistakes(asking_again(text, again))
    assert any("mostly_harmless.again has" in problem.sentence for problem in found), found


def test_package_of_the_book_is_packed_and_can_be_imported(text: str, tmp_path: Path) -> None:
    package = tmp_path / "data" / "greeting_cards"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "words.py").write_text(
        "from __future__ import annotations\nHELLO = 'hello'\n", encoding="utf-8"
    )
    (package / "cards.py").write_text(
        "from greeting_cards.words import HELLO\n\n\ndef card(name):\n    return f'{HELLO}, {name}'\n",
        encoding="utf-8",
    )
    packing = (
        "```{code-cell} ipython3\n:pack: data/greeting_cards\n```\n\n```{code-cell} ipython3\ndef secret"
    )
    longer = text.replace("```{code-cell} ipython3\ndef secret", packing)
    master = masters.parse(longer, "doubling", "x", tmp_path)
    lone = [sys.executable, "-I", "-c"]
    program = f"{master.helpers('hidden helper')}\nfrom greeting_cards.cards import card\nprint(card('Ada'))"
    done = subprocess.run([*lone, program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "hello, Ada\n"


def test_two_packages_can_be_packed(text: str, tmp_path: Path) -> None:
    packing = ""
    for name in ("summer", "winter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"WORD = {name!r}\n", encoding="utf-8")
        packing += f"```{{code-cell}} ipython3\n:pack: {name}\n```\n\n"
    longer = text.replace(
        "```{code-cell} ipython3\ndef secret", f"{packing}```{{code-cell}} ipython3\ndef secret"
    )
    helpers = masters.parse(longer, "doubling", "x", tmp_path).helpers("hidden helper")
    program = f"{helpers}\nimport summer, winter\nprint(summer.WORD, winter.WORD)"
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "summer", check=True)
    assert done.stdout == "summer winter\n"


def test_folder_to_pack_that_is_no_package_is_named(text: str, tmp_path: Path) -> None:
    packing = "```{code-cell} ipython3\n:pack: data/nothing\n```\n\n```{code-cell} ipython3\ndef secret"
    with pytest.raises(MasterError) as caught:
        masters.parse(text.replace("```{code-cell} ipython3\ndef secret", packing), "doubling", "x", tmp_path)
    (problem,) = caught.value.problems
    assert problem.sentence.startswith("book/data/nothing is no Python package.")


def test_open_checks_may_take_longer_where_the_header_says_so(text: str) -> None:
    patient = text.replace("  chapter: sums\n", "  chapter: sums\n  patience: {q1: 5}\n")
    assert [masters.parse(t, "doubling", "x").questions[0].patience for t in (text, patient)] == [1, 5]


@pytest.mark.parametrize("patience", ["{q7: 5}", "{q1: soon}", "{q1: 0}", "5"])
def test_patience_that_cannot_be_meant_is_named(text: str, patience: str) -> None:
    found = mistakes(text.replace("  chapter: sums\n", f"  chapter: sums\n  patience: {patience}\n"))
    assert any("mostly_harmless.patience is no list" in problem.sentence for problem in found), found
