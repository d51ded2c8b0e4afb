"""The reports of a class: exact tables, and pages with nothing in them that is not their reader's."""

import csv
import dataclasses
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright

from autograder import pages, report, results
from autograder.errors import Misuse
from autograder.platforms import Student
from autograder.results import SCORED, FailedCell
from tests.autograder.class_results import (
    ASKED,
    COURSE,
    SENTENCES,
    canvas_gradebook,
    lay_out,
    question,
    result,
    varied,
)
from tests.site.chromium import launch

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
    "{{ 7 * 7 }}",
    "a\nb",
    "\0",
    "' onmouseover='x",
    "</style><b>",
)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_columns_of_the_grades_are_the_contract(tmp_path):
    report.write(lay_out(tmp_path, [result()]))
    first = (tmp_path / "grades.csv").read_text("utf-8-sig").splitlines()[0]
    assert first == (
        "id,student,submission,status,score,points,pending,q1,q2,q3,q4,q5,late,attempt,number,email"
    )


@pytest.mark.parametrize("status", sorted(SENTENCES))
def test_what_was_not_run_has_no_score_and_never_a_zero(tmp_path, status):
    report.write(lay_out(tmp_path, [result(status=status)]))
    (row,) = rows(tmp_path)
    assert row["status"] == status
    assert (row["score"], row["q1"]) == (("16", "3") if status in SCORED else ("", ""))


def test_a_pending_question_is_left_out_and_listed(tmp_path):
    questions = (question(ASKED[0]), question(ASKED[1], "pending"), question(ASKED[2], "pending"))
    summary = report.write(lay_out(tmp_path, [result(questions=questions)]))
    (row,) = rows(tmp_path)
    assert (row["score"], row["points"], row["pending"], row["q2"]) == ("3", "3", "q2 q3", "")
    assert summary.pending == 1


def test_students_are_called_what_a_list_calls_them(tmp_path):
    squashed = [Student("roeada", "11"), Student("mullerzoe", "12"), Student("someoneelse", "13")]
    folder = lay_out(tmp_path, [result(place, students=(each,)) for place, each in enumerate(squashed, 1)])
    inputs = folder / "inputs"
    inputs.mkdir(exist_ok=True)
    (inputs / "roster.csv").write_text("name,number\nAda Roe,11\n")
    (inputs / "gradebook.csv").write_text('Student,ID,Sobel (12)\n"Müller, Zoë",12,\n"Roe, A.",11,\n')
    report.write(folder)
    assert [row["student"] for row in rows(folder)] == ["Ada Roe", "Müller, Zoë", "someoneelse"]
    assert [row["number"] for row in rows(folder)] == ["11", "12", "13"]
    summary = (folder / "summary.html").read_text()
    assert "Müller, Zoë" in summary
    assert "mullerzoe" not in summary.replace("mullerzoe_", "")
    assert "Ada Roe" in (folder / "feedback" / "000000000001.html").read_text()


def test_members_of_a_group_are_told_apart_by_more_than_a_comma(tmp_path):
    folder = lay_out(tmp_path, [result(students=(Student("Roe, Ada", "11"), Student("Müller, Zoë", "12")))])
    report.write(folder)
    assert rows(folder)[0]["student"] == "Roe, Ada; Müller, Zoë"


def test_identifiers_keep_their_zeros_and_formulas_are_text(tmp_path):
    students = (Student("=1+1", "00123", "@x"), Student("Zoë", "7"))
    report.write(lay_out(tmp_path, [result(students=students, file="-x.ipynb")]))
    (row,) = rows(tmp_path)
    assert (row["student"], row["submission"]) == ("'=1+1; Zoë", "'-x.ipynb")
    assert (row["number"], row["email"]) == ("00123; 7", "'@x")


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    found = varied(40)
    book = canvas_gradebook(found)
    for name in ("one", "two"):
        report.write(lay_out(tmp_path / name, found, roster=book, gradebook=book))
    before = contents(tmp_path / "one")
    assert before == contents(tmp_path / "two")
    report.write(tmp_path / "one")
    assert before == contents(tmp_path / "one")


def test_a_page_of_a_submission_that_is_gone_goes_too(tmp_path):
    lay_out(tmp_path, [result(1), result(2)])
    report.write(tmp_path)
    (tmp_path / "results" / "000000000002.json").unlink()
    report.write(tmp_path)
    assert [path.stem for path in (tmp_path / "feedback").iterdir()] == ["000000000001"]


def test_a_damaged_gradebook_stops_before_anything_is_written(tmp_path):
    lay_out(tmp_path, [result()], gradebook=b"x,y\n1,2\n")
    before = contents(tmp_path)
    with pytest.raises(Misuse, match="gradebook"):
        report.write(tmp_path)
    assert contents(tmp_path) == before


def test_an_id_that_leads_elsewhere_is_refused(tmp_path):
    lay_out(tmp_path, [])
    (tmp_path / "results").mkdir()
    results.write(tmp_path / "results" / "x.json", result(id="../../evil"))
    with pytest.raises(Misuse, match="no name for a file"):
        report.write(tmp_path)


def test_feedback_holds_nothing_private_and_nobody_else():
    answer = question(ASKED[0], "none", private=("secret input 42",), sentence="Mirror the picture.")
    page = pages.feedback(
        result(1, questions=(answer,), notes=("The same file was handed in by 000000000002.",)), COURSE
    ).decode()
    assert "Mirror the picture." in page
    assert "secret" not in page
    assert "000000000002" not in page
    assert "student2" not in page


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "at row 0 your pad gives 3, which is not right (zero, width 2)",
            "At row 0 your pad gives 3, which is not right (zero, width 2).",
        ),
        ("Turn the kernel.", "Turn the kernel."),
        ("pad is no longer a function; run it", "pad is no longer a function; run it."),
        (
            "your pad stopped with KeyError, in line 2 of its cell: x",
            "Your pad stopped with KeyError, in line 2 of its cell: x",
        ),
    ],
)
def test_what_a_check_says_is_a_sentence_in_the_feedback(said, read):
    page = pages.feedback(result(questions=(question(ASKED[0], "none", sentence=said),)), COURSE).decode()
    assert f"<bdi>{read}</bdi>" in html.unescape(page)


def test_the_summary_has_nothing_private_either():
    answer = question(ASKED[0], "none", private=("secret input 42",))
    assert b"secret" not in pages.summary(COURSE, [result(questions=(answer,))], None, None)


def test_a_copy_names_the_other_student_to_the_instructor():
    found = [
        result(1, notes=("The same file, byte for byte, was handed in by 000000000002.",)),
        result(2),
    ]
    page = pages.summary(COURSE, found, None, None).decode()
    assert 'handed in by <a href="feedback/000000000002.html"><bdi>student2</bdi></a>.' in page


def test_the_summary_counts_a_mistake_by_its_name():
    wrong = (question(ASKED[0], "none", mistake="border repeated", sentence="Mirror it."),)
    page = pages.summary(COURSE, [result(1, questions=wrong), result(2)], None, None).decode()
    assert "1 of 2</span>: border repeated" in page


@pytest.mark.parametrize("level", ["strict", "user", "none"])
def test_the_summary_says_what_protected_the_instructor(level):
    page = pages.summary(dataclasses.replace(COURSE, isolation=level), [], None, None).decode()
    assert html.escape(pages.PROTECTION[level]) in page


def test_cpu_scale_is_said_in_every_page():
    course = dataclasses.replace(COURSE, gpu="cpu-scale")
    assert pages.AT_CPU_SCALE in pages.feedback(result(), course).decode()
    assert pages.AT_CPU_SCALE in pages.summary(course, [result()], None, None).decode()


@settings(max_examples=40)
@given(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=30))
def test_whatever_students_write_is_text_in_a_page(text):
    calm = "calm"

    def made(text: str) -> tuple[bytes, bytes]:
        answers = (question(ASKED[0], "none", sentence=text, mistake="m"),)
        each = result(
            students=(Student(text),),
            file=text,
            questions=answers,
            status="timeout",
            sentence=text,
            notes=(text,),
            failed_cells=(FailedCell(1, text, text),),
        )
        return pages.feedback(each, COURSE), pages.summary(COURSE, [each], None, None)

    for page, other in zip(made(text), made(calm), strict=True):
        seen = page.decode()
        # The same tags as around a calm text, and nothing that turns a line around.
        assert seen.count("<") == other.decode().count("<")
        assert not set(seen) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\0")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = varied(60)
    found[0] = dataclasses.replace(
        found[0],
        students=(Student("W" * 90 + HOSTILE[0] + HOSTILE[1]),),
        failed_cells=(FailedCell(3, "ValueError", "x" * 500),),
    )
    book = canvas_gradebook(found)
    folder = lay_out(tmp_path_factory.mktemp("class"), found, roster=book, gradebook=book)
    report.write(folder)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_pages_are_for_everyone(browser, made, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked, complaints = [], []
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    names = ["summary.html", *(f"feedback/{number:012x}.html" for number in (1, 3, 8, 14, 49))]
    for name in names:
        opened.goto((made / name).as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert opened.evaluate(overflow) <= 0, name
        assert opened.locator("h1").count() == 1
        found = Axe().run(opened).response
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == [], name
    assert [address for address in asked if not address.startswith(made.as_uri())] == []
    assert len(asked) == len(names)
    assert complaints == []
    context.close()


@pytest.mark.parametrize("damage", ["[" * 100_000, "NaN", "Infinity", "1e999"])
def test_result_that_is_damaged_is_named(tmp_path, damage):
    lay_out(tmp_path, [result()])
    (path,) = (tmp_path / "results").glob("*.json")
    content = re.sub(r'"score": [^,]*', lambda _: f'"score": {damage}', path.read_text("utf-8"))
    path.write_text(content, "utf-8")
    with pytest.raises(Misuse, match=f"{path.name}: no result of this program"):
        report.write(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda record: record.pop("late"), "'late' is missing"),
        (lambda record: record.update(extra=1), "'extra' is nothing that it should hold"),
        (lambda record: record["questions"][0].pop("title"), "'title' is missing"),
    ],
)
def test_result_that_lacks_something_says_what(tmp_path, change, says):
    lay_out(tmp_path, [result()])
    (path,) = (tmp_path / "results").glob("*.json")
    record = json.loads(path.read_text("utf-8"))
    change(record)
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(Misuse, match=re.escape(says)) as caught:
        report.write(tmp_path)
    assert str(path) in str(caught.value)
