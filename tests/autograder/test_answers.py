"""Known answers in a master: mistakes in writing them are named, and a check that misses one is found out."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import masters
from tests.autograder.test_masters import line_of, mistakes

Command = Callable[..., subprocess.CompletedProcess[str]]
SQUARED = 'change: ["number + number", "number * number"]'
HINT = 'hint: "That is the square of the number: add it to itself."'


def test_answers_are_read_with_their_hints_and_applied_to_the_solution(text: str) -> None:
    (question,) = masters.parse(text, "doubling", "x").questions
    squared, as_text, product = question.answers
    assert (squared.kind, as_text.kind, product.kind) == ("wrong", "wrong", "right")
    assert squared.hint == "That is the square of the number: add it to itself."
    assert "twice_as_much = number * number" in squared.source
    assert "number + number" not in squared.source
    assert as_text.says == "text where plain numbers"
    assert squared.line == line_of(text, "# BEGIN WRONG ANSWER\n".strip(), 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (HINT, "", "needs one of these: a hint of its own; under says"),
        (HINT, f"{HINT}\nsays: something", "needs one of these"),
        ("name: squared", "", "the answer has no name"),
        ("name: squared", "name: squared\nhints: two", "the answer's setting hints is unknown"),
        ("name: squared", "name: squared\nfails: everywhere", "Write open, hidden, or leave it out"),
        ("name: text", "name: squared", 'the answer "squared" exists already in line'),
        (SQUARED, 'change: ["number - number", "0"]', "does not stand in the solution"),
        (SQUARED, 'change: ["number", "0"]', "times in the solution. It must stand there once"),
        (SQUARED, "change: number", "is not a pair [old, new] of texts"),
        (SQUARED, "", '"squared" has no code'),
        (SQUARED, 'change: ["number + number", "number +* number"]', '"squared" is not Python'),
        (f"{SQUARED}\n", f"{SQUARED}\nlike: text\n", "needs one of these"),
        (HINT, "like: text", 'is like "text", which has no hint'),
        ("says: text where plain numbers", HINT, 'has the hint of "squared" in line'),
        ('""" # BEGIN WRONG ANSWER', '""" # BEGIN RIGHT ANSWER', "does not begin with its settings"),
        ("says: text where plain numbers", "says: 3", "says is not a text. Put it in quotes."),
    ],
)
def test_mistake_in_an_answer_is_named(text: str, old: str, new: str, said: str) -> None:
    assert old in text
    assert any(said in problem.sentence for problem in mistakes(text.replace(old, new, 1)))


def test_question_without_a_wrong_answer_is_named(text: str) -> None:
    start, end = text.index("```{raw-cell}\n# BEGIN WRONG"), text.index("```{raw-cell}\n# BEGIN RIGHT")
    (problem,) = mistakes(text[:start] + text[end:])
    assert "question q1 has no wrong answer" in problem.sentence
    assert problem.line == line_of(text, "# BEGIN QUESTION")


@pytest.mark.parametrize("picture", ["![](letters.png)", '<img src="a.png">', "<img src='a.png' alt=''>"])
def test_picture_without_alt_text_is_named(text: str, picture: str) -> None:
    broken = text.replace("Twice as much.", f"Twice as much.\n\n{picture}")
    (problem,) = mistakes(broken)
    assert "the picture has no alt text" in problem.sentence
    assert problem.line == line_of(broken, picture)


def test_picture_with_alt_text_is_fine(text: str) -> None:
    shown = text.replace(
        "Twice as much.", 'Twice.\n\n![two apples](a.png) <img src="a.png" alt="two apples">'
    )
    assert masters.parse(shown, "doubling", "x").slug == "doubling"


def test_missing_file_of_the_book_is_named(text: str) -> None:
    load = "```{code-cell} ipython3\n:load: _snippets/nonesuch.py\n```\n\n## Hand it in"
    (problem,) = mistakes(text.replace("## Hand it in", load))
    assert "book/_snippets/nonesuch.py cannot be loaded" in problem.sentence


@pytest.fixture
def checked(built: Path, autograder: Command) -> Callable[..., tuple[int, str]]:
    """Change the master, build, check; return the exit code and what was complained of."""

    def run(*changes: tuple[str, str]) -> tuple[int, str]:
        master = built / "solutions" / "doubling.md"
        text = master.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        master.write_text(text, encoding="utf-8")
        assert autograder(built, "build").returncode == 0
        done = autograder(built, "check")
        return done.returncode, done.stderr

    return run


def another(name: str, hint: str, result: str) -> tuple[str, str]:
    """One more wrong answer, as a change of the master."""
    cell = (
        f'```{{code-cell}} ipython3\n""" # BEGIN WRONG ANSWER\nname: {name}\nhint: "{hint}"\n'
        f'""" # END WRONG ANSWER\ndef double(number):\n    return {result}\n```\n'
    )
    end = "```{raw-cell}\n# END WRONG ANSWERS"
    return end, f"{cell}\n{end}"


def test_wrong_answer_that_passes_is_found(checked: Callable[..., tuple[int, str]]) -> None:
    code, said = checked(another("shifted", "You shift the number.", "int(number) << 1"))
    assert code == 1
    assert "solutions/doubling.md:" in said
    assert '"shifted" passes all open checks' in said


def test_wrong_answer_that_hidden_checks_miss_is_found(checked: Callable[..., tuple[int, str]]) -> None:
    code, said = checked(
        another("small numbers", "You add 7 to 3.", "number + 7 if number < 9 else number * 2")
    )
    assert code == 1
    assert '"small numbers" passes all hidden checks' in said


def test_wrong_answer_that_fails_elsewhere_than_it_says_is_found(
    checked: Callable[..., tuple[int, str]],
) -> None:
    code, said = checked(("name: squared", "name: squared\nfails: open"))
    assert code == 1
    assert '"squared" fails an hidden check' not in said
    assert '"squared" fails a hidden check' in said


def test_two_wrong_answers_that_no_fixture_tells_apart_are_found(
    checked: Callable[..., tuple[int, str]],
) -> None:
    code, said = checked(another("cubed", "That is the cube of the number.", "number ** 3 / 3"))
    assert code == 1
    assert 'no open check tells "cubed" from "squared". Add a fixture that does.' in said


def test_right_answer_that_fails_is_found(checked: Callable[..., tuple[int, str]]) -> None:
    code, said = checked(("return 2 * number", "return 2 * number + 1"))
    assert code == 1
    assert 'the right answer "by a product" fails (open check, seed 7: ' in said


def test_open_checks_for_which_one_waits_are_found(checked: Callable[..., tuple[int, str]]) -> None:
    slow = (
        "    from time import process_time\n"
        "    end = process_time() + 1.1\n"
        "    while process_time() < end:\n"
        "        pass\n"
    )
    test = '    expect(env, "double", (3,), 6, reveal=True)\n'
    code, said = checked((test, slow + test))
    assert code == 1
    assert "the open checks of q1 take " in said


def test_no_answer_reaches_students_or_the_bundle(built: Path) -> None:
    import zipfile

    with zipfile.ZipFile(built / "dist" / "doubling.zip") as bundle:
        content = b"".join(bundle.read(name) for name in bundle.namelist())
    from autograder.inspection import notebook_text

    student = notebook_text((built / "exercises" / "doubling.ipynb").read_bytes())
    for secret in ("number * number", "str(2 * number)", "return 2 * number", "WRONG ANSWER"):
        assert secret.encode() not in content
        assert secret not in student


def test_new_exercise_proves_itself(repository: Path, autograder: Command) -> None:
    done = autograder(repository, "new", "two-kernels")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "solutions/two-kernels.md is there. Change it, then: autograder build two-kernels\n"
    assert autograder(repository, "build", "two-kernels").returncode == 0
    done = autograder(repository, "check", "two-kernels")
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrong answers caught 4/4, with their hint 4/4, right ones accepted 1/1" in done.stdout


@pytest.mark.parametrize("slug", ["doubling", "Two", "two_kernels", "../up", "", "readme", "-x-"])
def test_name_that_cannot_be_an_exercise_is_refused_and_nothing_is_written(
    repository: Path, autograder: Command, slug: str
) -> None:
    before = sorted(path.name for path in (repository / "solutions").iterdir())
    done = autograder(repository, "new", "--", slug)
    assert done.returncode == 2
    assert "exists already" in done.stderr or "cannot name an exercise" in done.stderr
    assert sorted(path.name for path in (repository / "solutions").iterdir()) == before
