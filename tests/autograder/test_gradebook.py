"""A gradebook is filled in cell by cell, and every other byte of it stays; a roster is read as text."""

import csv
import dataclasses
import io
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from autograder import gradebook, people, platforms, roster, tables
from autograder.errors import Misuse
from autograder.files import File
from autograder.gradebook import Filled
from autograder.people import Match
from autograder.platforms import Student
from autograder.results import Result
from tests.autograder.class_results import ASKED, COURSE, canvas_gradebook, question, result, varied

MOODLE = "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed\r\n"


def of(name: str, number: str = "", email: str = "", place: int = 1, **changes: object) -> Result:
    """Make a result of one student."""
    return result(place, students=(Student(name, number, email),), **changes)


def filled(text: str, *found: Result, column: str = "") -> Filled:
    return gradebook.fill(text.encode(), dataclasses.replace(COURSE, column=column), found)


def canvas(*rows: str) -> str:
    head = "Student,ID,SIS User ID,SIS Login ID,Section,Sobel (12)\n    Points Possible,,,,,16.00\n"
    return head + "".join(f"{row}\n" for row in rows)


def values(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


cells = st.text(st.sampled_from('ab ,;"\t\r\né=0'), max_size=5)


@given(st.text(st.sampled_from('ab,"\r\n é'), max_size=40), st.sampled_from(tables.DELIMITERS))
def test_cells_are_cut_as_the_csv_module_cuts_them(text, delimiter):
    text = text.replace(",", delimiter)
    try:
        rows = tables.scan(text, delimiter, "x.csv")
    except Misuse:
        reject()  # a quote is never closed
    assert [[cell.value for cell in row] for row in rows] == list(
        csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    )


@given(
    st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5),
    st.sampled_from(tables.DELIMITERS),
    st.sampled_from(("\n", "\r\n", "\r")),
    st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
    st.booleans(),
    cells.filter(bool),  # a row of one empty cell reads as an empty line
    st.data(),
)
def test_all_bytes_but_those_of_the_filled_cell_are_as_they_were(
    rows, delimiter, end, quoting, bom, value, data
):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    text = tables.BOM * bom + stream.getvalue()
    scanned = tables.scan(text, delimiter, "x.csv")
    # As it reads, not as it was meant: the csv module writes some ends of lines without quotes.
    rows = [[each.value for each in row] for row in scanned]
    line = data.draw(st.sampled_from([line for line, row in enumerate(rows) if row]))
    place = data.draw(st.integers(0, len(rows[line]) - 1))
    cell = scanned[line][place]
    changed = tables.spliced(text, {cell: value}, delimiter)
    rest = len(text) - cell.end
    assert changed.startswith(text[: cell.start])
    assert changed.endswith(text[len(text) - rest :])
    rows[line][place] = value
    assert [[each.value for each in row] for row in tables.scan(changed, delimiter, "x.csv")] == rows


@given(st.text(max_size=12))
def test_no_text_reaches_a_spreadsheet_as_a_formula(text):
    assert not tables.defused(text).startswith(tables.DANGEROUS) or tables.NUMBER.fullmatch(text)
    assert tables.defused(text).removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("text", ["00123", "-3", "+1.5", "s123", "12e4"])
def test_numbers_and_identifiers_are_not_touched(text):
    assert tables.defused(text) == text


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+a", "-a", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_gets_an_apostrophe(text):
    assert tables.defused(text) == f"'{text}"


def test_a_whole_canvas_gradebook_differs_in_the_points_only():
    found = varied(60)
    before = canvas_gradebook(found)
    made = gradebook.fill(before, COURSE, found)
    by_number = {student.number: each for each in found for student in each.students}
    for old, new in zip(values(before), values(made.content), strict=True):
        assert old[:6] + old[7:] == new[:6] + new[7:]
        each = by_number.get(new[1])
        graded = each is not None and each.status == "graded" and not each.pending
        assert new[6] == (tables.number(each.score) if graded else old[6])
    assert b"\r\n" in made.content
    assert made.content.count(b"\n") == before.count(b"\n")
    assert [person.name for person in made.without] == ["Absent, Ada"]


@pytest.mark.parametrize(
    "student",
    [
        Student("x", "77"),
        Student("zoem", "00123"),
        Student("x", "", "ZOE@example.org"),
        Student("00123"),
        Student("mullerzoe"),
        Student("Zoe\u0308 Mu\u0308ller"),
        Student("ZOË MÜLLER"),
    ],
)
def test_a_student_is_found_by_number_login_or_name(student):
    made = filled(canvas('"Müller, Zoë",77,00123,zoe@example.org,A,'), result(students=(student,)))
    assert values(made.content)[2] == ["Müller, Zoë", "77", "00123", "zoe@example.org", "A", "16"]


def test_a_canvas_id_that_is_by_chance_the_number_of_another_fills_nothing():
    text = canvas('"Müller, Zoë",77,1005,,A,')
    made = filled(text, of("jonesbob", "1005"))
    assert made.content == text.encode()
    assert made.unmatched[0][0].student == "jonesbob"


def test_a_student_number_counts_for_gradescope_whatever_the_name():
    text = canvas('"Müller, Zoë",77,00123,,A,')
    assert filled(text, of("Z. M.", "00123", platform="gradescope")).cells == 1


def test_a_name_that_two_people_have_fills_nothing():
    text = canvas('"Li, Wei",1,,,A,', '"Wei, Li",2,,,B,')
    made = filled(text, of("Wei Li", platform="folder"))
    assert made.content == text.encode()
    assert "several" in made.unmatched[0][1]


def test_two_submissions_by_one_name_fill_nothing():
    text = canvas('"Li, Wei",1,,,A,')
    made = filled(text, of("Wei Li", place=1), of("Li Wei", place=2))
    assert made.content == text.encode()


def test_a_number_and_a_name_that_disagree_are_for_a_person():
    text = canvas('"Li, Wei",1,,,A,', '"Smith, Ada",2,,,B,')
    made = filled(text, of("smithada", "1"))
    assert made.content == text.encode()
    assert "could be" in made.unmatched[0][1]


def test_all_members_of_a_group_get_the_points():
    text = canvas('"Li, Wei",1,,,A,', '"Smith, Ada",2,,,B,')
    made = filled(text, result(students=(Student("liwei", "1"), Student("smithada", "2"))))
    assert [row[5] for row in values(made.content)[2:]] == ["16", "16"]


@pytest.mark.parametrize("status", ["timeout", "crash", "unreadable", "infra_error", "ambiguous"])
def test_what_is_not_graded_leaves_the_cell(status):
    text = canvas('"Li, Wei",1,,,A,7')
    made = filled(text, of("liwei", "1", status=status))
    assert made.content == text.encode()
    assert len(made.left) == 1


def test_a_pending_question_leaves_the_cell():
    text = canvas('"Li, Wei",1,,,A,')
    questions = (question(ASKED[0], "pending"), *map(question, ASKED[1:]))
    made = filled(text, of("liwei", "1", questions=questions))
    assert made.content == text.encode()
    assert made.left[0].what == "q1 pending"


def test_an_overwritten_value_is_listed_and_an_excuse_is_kept():
    made = filled(
        canvas('"Li, Wei",1,,,A,"7"', '"Smith, Ada",2,,,B,EX', '"Roe, Jo",3,,,B,16.00'),
        of("liwei", "1", place=1),
        of("smithada", "2", place=2),
        of("roejo", "3", place=3),
    )
    assert made.content.decode().splitlines()[2:] == [
        '"Li, Wei",1,,,A,"16"',
        '"Smith, Ada",2,,,B,EX',
        '"Roe, Jo",3,,,B,16.00',
    ]
    assert [line.what for line in made.overwritten] == ["7 became 16"]
    assert [line.what for line in made.left] == ["excused"]


def test_a_moodle_worksheet_is_filled_in_its_grade():
    text = MOODLE + 'Participant 55,Zoë Müller,z@example.org,"Submitted, late",-,20.00,Yes\r\n'
    made = filled(text, of("Zoë Müller", "55", platform="moodle"))
    assert made.content == text.replace(",-,", ",16,").encode()
    assert "not scaled" in made.notes[0]


def test_a_decimal_comma_stays_one():
    text = MOODLE.replace(",", ";") + 'Participant 55;"Müller, Zoë";z@example.org;;;"16,00";Ja\r\n'
    half = dataclasses.replace(of("Zoë Müller", "55", platform="moodle"), score=12.5)
    assert b';12,5;"16,00";' in filled(text, half).content


def test_the_column_is_asked_for_when_several_fit():
    text = "Student,ID,SIS User ID,SIS Login ID,Section,Sobel (1),sobel again (2)\n"
    text += '"Li, Wei",1,,,A,,\n'
    with pytest.raises(Misuse, match=r"more than one.*--column.*Sobel \(1\); sobel again \(2\)"):
        gradebook.check(text.encode(), COURSE)
    made = filled(text, of("liwei", "1"), column="SOBEL AGAIN")
    assert values(made.content)[1][5:] == ["", "16"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Student,ID,Kernels (1)\nLi,1,\n", "no column has"),
        ('Student,ID,Sobel (1)\n"Li,1,\n', ":2: a quote"),
        ("a,b\n1,2\n", "no column for a name"),
        ("Student,ID,Sobel (1)\n", "nobody stands"),
        ("", "nothing"),
    ],
)
def test_a_wrong_gradebook_stops_with_a_sentence(text, says):
    with pytest.raises(Misuse, match=says):
        gradebook.check(text.encode(), COURSE)


def test_a_gradebook_in_another_encoding_stops_with_a_sentence():
    with pytest.raises(Misuse, match="UTF-8"):
        gradebook.check("Student,ID,Sobel\nMüller,1,\n".encode("latin-1"), COURSE)


@pytest.mark.parametrize(
    "text",
    [
        "name,number,email\nZoë Müller,00123,Z@example.org\n",
        "\ufeffFirst Name;Last name;Student Number;E-mail\r\nZoë;Müller;00123;z@example.org\r\n",
        "Full name\tsis_user_id\tlogin\nZoë Müller\t00123\tz@example.org\n\n",
    ],
)
def test_a_roster_is_read_whatever_its_columns_are_called(text):
    (person,) = roster.read(text.encode())
    assert (person.name, person.number, person.logins) == ("Zoë Müller", "00123", ("z@example.org",))


def test_a_canvas_gradebook_is_a_roster_too():
    listed = roster.read(canvas_gradebook(varied(5)))
    assert len(listed) == 6
    assert listed[-1].name == "Absent, Ada"


@pytest.mark.parametrize(
    ("text", "says"), [("name,email\nLi, Wei,w@x\n", "row 2"), ("name\n", "nobody"), ("x\ny\n", "heading")]
)
def test_a_wrong_roster_stops_with_a_sentence(text, says):
    with pytest.raises(Misuse, match=says):
        roster.read(text.encode())


def test_the_roster_tells_who_is_missing_and_who_is_a_stranger():
    listed = roster.read(b"name,number\nLi Wei,1\nAda Roe,2\n")
    compared = roster.compare(listed, [of("liwei", "1"), of("doejane", "9", place=2)])
    assert [person.name for person in compared.missing] == ["Ada Roe"]
    assert [each.id for each, _ in compared.strangers] == ["000000000002"]


def of_canvas(name: str) -> tuple[Student, platforms.Platform]:
    arrived = platforms.arrival(File(name, Path("k.ipynb")), {})
    return arrived.students[0], arrived.platform


TWO_WAYS = Match(None, "the name of its file can be read in two ways")


@pytest.mark.parametrize("own", ["12345", "42"])
@pytest.mark.parametrize(
    "sent",
    [
        "_LATE_33002_1_k.ipynb",
        "LATE_33002_1_k.ipynb",
        "abaracyprian_33002_111_k.ipynb",
        "x_33002_100_k.ipynb",
    ],
)
def test_name_of_a_file_cannot_claim_the_id_of_somebody_else(own, sent):
    listed = people.read(f'Student,ID\n"Abara, Cyprian",33002\nMallory,{own}\n'.encode(), "book.csv").people
    (match,) = people.match([of_canvas(f"mallory_{own}_67890_{sent}")], listed)
    assert match == TWO_WAYS or match.person.name == "Mallory"


@pytest.mark.parametrize("heading", ["ID", "number"])
@pytest.mark.parametrize("chosen", ["abaracyprian_33002", "abaracyprian_33002_100_k", "_33002_100_x_"])
def test_name_that_its_bearer_has_chosen_cannot_claim_the_id_of_somebody_else(heading, chosen):
    sent = of_canvas(f"{chosen}_12345_67890_k.ipynb")
    both = people.read(
        f'Student,{heading}\n"Abara, Cyprian",33002\n{chosen},12345\n'.encode(), "book.csv"
    ).people
    (match,) = people.match([sent], both)
    assert match == TWO_WAYS or match.person.name == chosen


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("abaracyprian_33002_12345_01_kernels.ipynb", "Abara, Cyprian"),
        ("abaracyprian_LATE_33002_12345_2026_2027_kernels.ipynb", "Abara, Cyprian"),
        ("bond_007_33003_12345_kernels.ipynb", "bond_007"),
        ("student_2024_33004_12345_kernels.ipynb", "student_2024"),
    ],
)
def test_numbers_in_names_and_in_files_are_usual(sent, name):
    book = b'Student,ID\n"Abara, Cyprian",33002\nbond_007,33003\nstudent_2024,33004\n'
    (match,) = people.match([of_canvas(sent)], people.read(book, "book.csv").people)
    assert match.person.name == name


def test_name_that_is_longer_than_any_file_s_is_read_at_once():
    assert platforms.canvas_names("a" + "_1" * 30_000) == []
    assert len(platforms.canvas_names("a" + "_1" * 120)) < 120


@pytest.mark.parametrize("name", ["mallory", "mallory_12345_67890_x", "m_1_2_x"])
def test_no_name_can_hide_that_a_file_is_late(name):
    sent = f"{name}_LATE_12345_67890_mallory_12345_67890_k.ipynb"
    assert platforms.arrival(File(sent, Path("k.ipynb")), {}).late
