"""`autograder check` finds what is stale, lost, wrong or given away."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import inspection, masters

Command = Callable[..., subprocess.CompletedProcess[str]]


def change(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_is_in_step_is_fine(built: Path, autograder: Command) -> None:
    done = autograder(built, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "doubling     ok     total 2, solution 2, untouched 0; "
        "wrong answers caught 2/2, with their hint 2/2, right ones accepted 1/1\n"
    )


def test_json_says_the_same(built: Path, autograder: Command) -> None:
    done = autograder(built, "check", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["orphans"]) == (0, True, [])
    scores = {"points": 2, "possible": 2, "solution": 2, "untouched": 0}
    tried = {what: {"found": n, "of": n} for what, n in (("caught", 2), ("hinted", 2), ("accepted", 1))}
    about = {"slug": "doubling", "ok": True, "problems": [], "answers": tried, "on_gpu": []}
    assert report["exercises"] == [about | scores]


def test_question_that_waits_for_a_gpu_is_tried_at_cpu_scale_and_said(
    built: Path, autograder: Command
) -> None:
    master = built / "solutions" / "doubling.md"
    waits = '    assert GPU == "cpu-scale", "pending: this waits for a GPU"\n    hidden_value ='
    change(master, "    hidden_value =", waits)
    autograder(built, "build")
    done = autograder(built, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "total 2, solution 2, untouched 0" in done.stdout
    assert "q1 wants a GPU; without one it is tried here at CPU scale" in done.stdout


def test_mistake_in_a_master_is_json_too(built: Path, autograder: Command) -> None:
    change(built / "solutions" / "doubling.md", "# END TESTS", "# END TEST")
    done = autograder(built, "check", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["exercises"]) == (1, False, [])
    assert {mistake["path"] for mistake in report["mistakes"]} == {"solutions/doubling.md"}


def test_stale_notebook_and_bundle_are_found(built: Path, autograder: Command) -> None:
    change(built / "solutions" / "doubling.md", "The double of 3 is 6.", "The double of 4 is 8.")
    change(built / "solutions" / "doubling.md", "* hidden_value)", "* hidden_value, LOOSE)")
    done = autograder(built, "check")
    assert done.returncode == 1
    for path in ("exercises/doubling.ipynb", "dist/doubling_solved.ipynb"):
        assert f"{path}: not what solutions/doubling.md makes. Run: autograder build doubling" in done.stderr
    assert "dist/doubling.zip: not what solutions/doubling.md makes with the seed set now" in done.stderr


def test_notebook_edited_by_hand_is_found(built: Path, autograder: Command) -> None:
    change(built / "exercises" / "doubling.ipynb", "Twice as much.", "Thrice as much.")
    done = autograder(built, "check", "--json")
    assert done.returncode == 1
    assert [p["path"] for p in json.loads(done.stdout)["exercises"][0]["problems"]] == [
        "exercises/doubling.ipynb"
    ]


def test_missing_notebook_is_found(built: Path, autograder: Command) -> None:
    (built / "exercises" / "doubling.ipynb").unlink()
    done = autograder(built, "check")
    assert done.returncode == 1
    assert "exercises/doubling.ipynb: missing. Run: autograder build doubling" in done.stderr


def test_orphans_are_found(built: Path, autograder: Command) -> None:
    for name in ("exercises/halving.ipynb", "dist/halving.zip", "dist/halving_solved.ipynb"):
        (built / name).write_bytes(b"{}")
    done = autograder(built, "check")
    assert done.returncode == 1
    for name in ("exercises/halving.ipynb", "dist/halving.zip", "dist/halving_solved.ipynb"):
        assert f"{name}: there is no solutions/halving.md for it" in done.stderr


@pytest.mark.parametrize(
    "secret", ["twice_as_much = number + number", "hidden_value = secret_number(np.random.default_rng(SEED))"]
)
def test_line_of_a_solution_or_hidden_check_in_the_notebook_is_found(
    built: Path, autograder: Command, secret: str
) -> None:
    change(built / "exercises" / "doubling.ipynb", "    ...", f"    {secret}")
    done = autograder(built, "check")
    assert done.returncode == 1
    assert "belongs to the solution or to a hidden check" in done.stderr


def test_chapter_of_the_same_name_may_teach_what_the_exercise_asks(built: Path, autograder: Command) -> None:
    for place in ("book/doubling.html", "notebooks/doubling.ipynb"):
        page = built / "_build" / "html" / place
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("twice_as_much = number + number", encoding="utf-8")
    done = autograder(built, "check", "--quick")
    assert (done.returncode, done.stderr) == (0, "")


def test_solution_on_the_site_is_found_even_when_it_is_coloured(built: Path, autograder: Command) -> None:
    page = built / "_build" / "html" / "exercises" / "doubling.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>clean</p>", encoding="utf-8")
    assert autograder(built, "check").returncode == 0
    page.write_text(
        "<pre><span>twice_as_much</span> <b>=</b> number <i>+</i> number\n</pre>", encoding="utf-8"
    )
    done = autograder(built, "check")
    assert done.returncode == 1
    assert "_build/html/exercises/doubling.html:" in done.stderr


def test_solution_that_fails_is_named_at_its_check(built: Path, autograder: Command) -> None:
    change(built / "solutions" / "doubling.md", "number + number", "number + 3")
    autograder(built, "build")
    done = autograder(built, "check")
    assert done.returncode == 1
    assert "the solution fails test_double_of_a_secret of q1" in done.stderr
    assert "total 2, solution 1, untouched 0" in done.stdout


def test_check_that_an_untouched_notebook_passes_is_named(built: Path, autograder: Command) -> None:
    change(
        built / "solutions" / "doubling.md",
        '    expect(env, "double", (3,), 6, reveal=True)',
        "    assert env",
    )
    autograder(built, "build")
    done = autograder(built, "check")
    assert done.returncode == 1
    assert "the untouched notebook earns 1 points in q1" in done.stderr


def test_lines_that_students_may_know_are_not_secret(text: str) -> None:
    master = masters.parse(
        text.replace("Twice as much.", "Twice.\n\n    twice_as_much = number + number"), "doubling", "x"
    )
    solution, hidden = inspection.secret_lines(master)
    # The second and third are lines of wrong answers, which must not be given away either.
    assert solution == {"returntwice_as_much", "twice_as_much=number*number", "returnstr(2*number)"}
    assert any("secret_number" in line for line in hidden)
