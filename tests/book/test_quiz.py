"""Self-check questions: every option answers, without a script; authors' slips are named."""

from __future__ import annotations

import pytest

from tests.book.tiny_books import TinyBook, build

GOOD = """\
# A page

::::{self-check} What is `image[0, 0]`, for $3$ channels?
Think of the shape.

:::{option} One number
That would be a grey picture.
:::
:::{option} Three numbers
:correct:
Yes: red, green, blue.

And a second paragraph.
:::
::::

::::{self-check} And is this a second question?
:::{option} Yes
:correct:
Right.
:::
:::{option} No
It would not be, were it the first.
:::
:::{option} Perhaps
Nobody knows.
:::
::::
"""

BAD = """\
# A page

::::{self-check} Is one option enough?
:::{option} Yes
:correct:
Yes.
:::
::::

::::{self-check} Is none right?
:::{option} Yes
Not this one.
:::
:::{option} No
Nor this one.
:::
::::

::::{self-check} Does silence help?
:::{option} Yes
:correct:
:::
:::{option} No
It does not.
:::
::::

:::{option} Lost
Where is my question?
:::

::::{self-check} Twice the same?
:::{option} Same
:correct:
Yes.
:::
:::{option} Same
No.
:::
::::

::::{self-check} Is this spelled right?
:::{option} Yes
:corect:
Yes.
:::
:::{option} No
:correct:
Yes.
:::
::::
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    return build(tmp_path_factory.mktemp("quiz"), {"index": GOOD})


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    return build(tmp_path_factory.mktemp("faulty-quiz"), {"index": BAD})


def test_a_page_with_questions_builds_without_a_warning(book: TinyBook) -> None:
    assert book.status == 0, book.warnings


def test_every_option_has_its_feedback_in_the_page_itself(book: TinyBook) -> None:
    options = book.page().select(".self-check details.option")
    assert len(options) == 5
    for option in options:
        feedback = option.select_one(".feedback")
        assert feedback is not None
        assert len(feedback.find_all("p")) >= 2  # the verdict, then what the author says


def test_the_verdict_is_a_word_and_a_shape(book: TinyBook) -> None:
    verdicts = book.page().select(".verdict")
    assert [verdict.get_text() for verdict in verdicts] == [
        "Not quite",
        "Correct",
        "Correct",
        "Not quite",
        "Not quite",
    ]
    shapes = {verdict.get_text(): str(verdict.svg) for verdict in verdicts}
    assert shapes["Correct"] != shapes["Not quite"]


def test_nothing_is_given_away_before_an_option_is_opened(book: TinyBook) -> None:
    for option in book.page().select("details.option"):
        assert not option.has_attr("open")
        assert "Correct" not in option.summary.get_text()


def test_options_of_one_question_close_each_other_and_leave_the_next_question_alone(book: TinyBook) -> None:
    groups = [
        {option["name"] for option in check.select("details")} for check in book.page().select(".self-check")
    ]
    assert [len(names) for names in groups] == [1, 1]
    assert groups[0] != groups[1]


def test_the_question_names_its_group(book: TinyBook) -> None:
    page = book.page()
    for check in page.select(".self-check"):
        assert check["role"] == "group"
        title = page.find(id=check["aria-labelledby"])
        assert title is not None
        assert title.get_text().rstrip().endswith("?")


def test_questions_keep_code_and_mathematics(book: TinyBook) -> None:
    question = book.page().select_one(".self-check-question")
    assert question is not None
    assert question.select_one("code")
    assert question.select_one("math")


def test_no_script_is_asked_for(book: TinyBook) -> None:
    check = book.page().select_one(".self-check")
    assert check is not None
    assert not check.find_all("script")
    assert not [tag for tag in check.find_all(True) if any(name.startswith("on") for name in tag.attrs)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (3, "this self-check has 1 options"),
        (10, "no option of this self-check is right"),
        (20, "the option 'Yes' has no feedback"),
        (28, "{option} belongs inside {self-check}"),
        (32, "two options of this self-check say the same: 'Same'"),
        (44, "Unknown option keys: ['corect']"),
    ],
)
def test_a_slip_stops_the_build_and_names_its_place(faulty: TinyBook, line: int, words: str) -> None:
    assert faulty.status != 0
    told = [entry for entry in faulty.warnings.splitlines() if words in entry]
    assert told, faulty.warnings
    assert f"index.md:{line}:" in told[0]


def test_nothing_but_the_slips_is_reported(faulty: TinyBook) -> None:
    assert faulty.warnings.count("WARNING") + faulty.warnings.count("ERROR") == 6, faulty.warnings
