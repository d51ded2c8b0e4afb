"""Uploads are found whatever the platform calls them, the latest counts, and nothing dangerous is opened."""

import ast
import os
import socket
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import files, notebooks, platforms, submissions
from autograder.errors import Misuse
from autograder.submissions import Submission, Upload
from tests.autograder.uploads import (
    FUNCTIONS,
    as_bytes,
    code,
    document,
    lay_out,
    notebook,
    of_exercise,
    zipped,
)


def found(folder: Path) -> dict[str, Upload]:
    """Find uploads; each must name another student."""
    uploads = submissions.find(folder)
    by_student = {upload.student: upload for upload in uploads}
    assert len(by_student) == len({upload.id for upload in uploads}) == len(uploads)
    return by_student


def read(folder: Path) -> dict[str, Submission]:
    """Find uploads and read them as the exercise ``sobel``."""
    return {
        student: submissions.read(upload, "sobel", FUNCTIONS) for student, upload in found(folder).items()
    }


def only(folder: Path) -> Submission:
    """Find and read the one upload; what cannot be graded is one sentence."""
    (upload,) = submissions.find(folder)
    submission = submissions.read(upload, "sobel", FUNCTIONS)
    assert_one_sentence(submission)
    return submission


def assert_one_sentence(submission: Submission) -> None:
    """A sentence is there exactly if the upload is not readable, and it says what to do."""
    assert bool(submission.sentence) == (submission.status != "readable")
    if submission.sentence:
        assert submission.sentence.isprintable() or "\u200d" in submission.sentence
        assert submission.sentence.endswith(".")
        assert "hand" in submission.sentence or "grade again" in submission.sentence


# Platforms


def test_folder_of_notebooks_has_one_upload_for_each(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.ipynb": notebook("a"), "grace hopper.ipynb": notebook("g")})
    assert {name: result.status for name, result in read(tmp_path).items()} == {
        "ada": "readable",
        "grace hopper": "readable",
    }


def test_folder_of_folders_has_one_upload_for_each(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada/sobel.ipynb": notebook("a"), "ada/page.png": b"", "grace/x/y.ipynb": notebook()})
    assert {name: result.status for name, result in read(tmp_path).items()} == {
        "ada": "readable",
        "grace": "readable",
    }


def test_lists_and_notes_beside_the_notebooks_are_no_uploads(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.ipynb": notebook(), "roster.csv": b"", "README.md": b"", ".gitignore": b""})
    assert list(found(tmp_path)) == ["ada"]


@pytest.mark.parametrize(
    ("name", "student", "number", "late", "attempt"),
    [
        ("lovelaceada_12345_67890_sobel.ipynb", "lovelaceada", "12345", False, 1),
        ("lovelaceada_LATE_12345_67890_sobel.ipynb", "lovelaceada", "12345", True, 1),
        ("lovelaceada_12345_67890_sobel-2.ipynb", "lovelaceada", "12345", False, 2),
        ("lovelaceada_LATE_12345_67890_sobel-3.ipynb", "lovelaceada", "12345", True, 3),
        ("van_der_berg2_99_12345_67890_sobel.ipynb", "van_der_berg2_99", "12345", False, 1),
        ("bond_007_12345_67890_sobel.ipynb", "bond_007", "12345", False, 1),
        ("ada_12345_67890_week_3_1_sobel.ipynb", "ada", "12345", False, 1),
        ("ada_LATE_12345_67890_2026_2027_sobel.ipynb", "ada", "12345", True, 1),
        ("ada_LATE_42_67890_2026_2027_sobel.ipynb", "ada", "42", True, 1),
        ("LATE_anon_x7Kp2_67890_sobel.ipynb", "anon", "x7Kp2", True, 1),
        ("ada_5_6_sobel.ipynb", "ada", "5", False, 1),
        ("anon_x7Kp2_67890_sobel.ipynb", "anon", "x7Kp2", False, 1),
        ("renée_00123_67890_my sobel.ipynb", "renée", "00123", False, 1),
    ],
)
def test_name_from_canvas_is_understood(
    tmp_path: Path, name: str, student: str, number: str, late: bool, attempt: int
) -> None:
    lay_out(tmp_path, {name: notebook()})
    (upload,) = submissions.find(tmp_path)
    assert upload.platform == "canvas"
    (told,) = upload.students
    assert (told.name, told.number, upload.late, upload.attempt) == (student, number, late, attempt)


@pytest.mark.parametrize("second", ["ada_12345_67899_sobel-2.ipynb", "ada_LATE_12345_67899_sobel-2.ipynb"])
def test_latest_try_counts_and_that_is_said(tmp_path: Path, second: str) -> None:
    lay_out(tmp_path, {"ada_12345_67890_sobel.ipynb": notebook("first"), second: notebook("second")})
    submission = only(tmp_path)
    assert submission.notebook
    assert submission.notebook["cells"][0]["source"] == "# second"
    assert submission.upload.attempt == 2
    assert submission.upload.late == ("LATE" in second)
    assert "latest upload counts; earlier ones that do not: 1" in submission.notes[0]


def test_later_try_counts_whatever_its_capitals_and_ids(tmp_path: Path) -> None:
    names = ("ada_12345_67890_Sobel.ipynb", "ada_12345_55555_sobel-2.ipynb")
    lay_out(tmp_path, {name: notebook(name) for name in names})
    submission = only(tmp_path)
    assert submission.notebook
    assert submission.notebook["cells"][0]["source"] == f"# {names[1]}"


def test_tenth_try_is_later_than_the_ninth(tmp_path: Path) -> None:
    lay_out(tmp_path, {f"ada_12345_67890_sobel-{n}.ipynb": notebook(str(n)) for n in (9, 10)})
    assert only(tmp_path).upload.attempt == 10


def test_numbers_in_the_names_of_files_never_make_two_students_one(tmp_path: Path) -> None:
    names = [f"{student}_2026_1125_sobel.ipynb" for student in ("ada_12345_67890", "grace_12346_67891")]
    lay_out(tmp_path, {name: notebook(name) for name in names})
    assert len(found(tmp_path)) == 2


def test_two_students_of_one_name_stay_two_and_are_noted(tmp_path: Path) -> None:
    lay_out(tmp_path, {f"leewei_{n}_67890_sobel.ipynb": notebook(str(n)) for n in (12345, 12346)})
    one, other = submissions.find(tmp_path)
    assert one.notes == (f"A student of the same name is in {other.id}.",)


ADA, GRACE, ALAN = ("Ada Lovelace", "00123"), ("Grace Hopper", "'0007'"), ("Alan Turing", "1e5")


def exported(number: int, *students: tuple[str, str]) -> str:
    """Write what Gradescope's metadata say of one submission."""
    lines = [f"submission_{number}:", "  :created_at: 2026-11-02 10:00:00.000000000 Z", "  :submitters:"]
    for name, sid in students:
        lines += [f"  - :name: {name}", f"    :sid: {sid}", f"    :email: {name.split()[0]}@example.org"]
    return "\n".join(lines) + "\n"


METADATA = f"---\n{exported(101, ADA)}{exported(102, GRACE, ALAN)}"


def test_gradescope_export_names_its_students_and_groups(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "export/submission_metadata.yml": METADATA.encode(),
            "export/submission_101/sobel.ipynb": notebook("a"),
            "export/submission_102/sobel.ipynb": notebook("g"),
        },
    )
    uploads = found(tmp_path)
    assert list(uploads) == ["Ada Lovelace", "Grace Hopper, Alan Turing"]
    assert [student.number for upload in uploads.values() for student in upload.students] == [
        "00123",
        "0007",
        "1e5",
    ]


def test_gradescope_export_without_metadata_is_named_by_numbers(tmp_path: Path) -> None:
    lay_out(tmp_path, {f"submission_{n}/sobel.ipynb": notebook(str(n)) for n in (7, 8)})
    assert list(found(tmp_path)) == ["submission_7", "submission_8"]


def test_second_submission_of_the_same_group_counts(tmp_path: Path) -> None:
    again = METADATA + exported(99, ADA) + exported(1000, ALAN, GRACE)
    uploads = {f"submission_{n}/sobel.ipynb": notebook(str(n)) for n in (99, 101, 102, 1000)}
    lay_out(tmp_path, {"submission_metadata.yml": again.encode()} | uploads)
    told = {name: result.notebook for name, result in read(tmp_path).items()}
    assert len(told) == 2
    assert told["Ada Lovelace"]
    assert told["Ada Lovelace"]["cells"][0]["source"] == "# 101"
    assert told["Alan Turing, Grace Hopper"]
    assert told["Alan Turing, Grace Hopper"]["cells"][0]["source"] == "# 1000"


def test_submission_that_the_metadata_names_and_the_export_lacks_is_not_forgotten(tmp_path: Path) -> None:
    lay_out(tmp_path, {"submission_metadata.yml": METADATA.encode(), "submission_101/a.ipynb": notebook()})
    assert read(tmp_path)["Grace Hopper, Alan Turing"].status == "unreadable"


@pytest.mark.parametrize(
    "damaged",
    [b"\xff\xfe\x00", b"a: [", b"- " * 100_000, b"{" * 50_000],
    ids=["bytes", "open", "deep", "braces"],
)
def test_damaged_metadata_is_named(tmp_path: Path, damaged: bytes) -> None:
    lay_out(tmp_path, {"submission_metadata.yml": damaged, "submission_101/sobel.ipynb": notebook()})
    with pytest.raises(Misuse, match=r"submission_metadata.yml: it cannot be read as YAML\. Download"):
        submissions.find(tmp_path)


@pytest.mark.parametrize("submitter", ["{}", "{':name': Lee Wei}", "{':name': ''}", "Lee Wei"])
def test_submissions_without_numbers_and_addresses_are_never_made_one(tmp_path: Path, submitter: str) -> None:
    told = "".join(f"submission_{number}:\n  :submitters: [{submitter}]\n" for number in (7, 8))
    uploads = {f"submission_{number}/sobel.ipynb": notebook(str(number)) for number in (7, 8)}
    lay_out(tmp_path, {"submission_metadata.yml": told.encode()} | uploads)
    assert len(submissions.find(tmp_path)) == 2


@pytest.mark.parametrize("told", ["", "a text", "- 1", "submission_7: [1]", "other: {}", "1: 2"])
def test_metadata_of_another_form_leave_the_numbers(tmp_path: Path, told: str) -> None:
    lay_out(tmp_path, {"submission_metadata.yml": told.encode(), "submission_7/sobel.ipynb": notebook()})
    assert list(found(tmp_path)) == ["submission_7"]


@pytest.mark.parametrize("end", ["_assignsubmission_file_", "_assignsubmission_file"])
def test_moodle_folder_is_understood(tmp_path: Path, end: str) -> None:
    lay_out(tmp_path, {f"Ada B. O'Neil_2_00123{end}/sobel.ipynb": notebook()})
    (upload,) = submissions.find(tmp_path)
    assert (upload.platform, upload.student, upload.students[0].number) == (
        "moodle",
        "Ada B. O'Neil_2",
        "00123",
    )


def test_moodle_download_without_folders_is_understood(tmp_path: Path) -> None:
    lay_out(tmp_path, {"Ada_12345_assignsubmission_file_sobel.ipynb": notebook()})
    assert only(tmp_path).upload.student == "Ada"


def test_text_typed_into_moodle_beside_a_notebook_does_not_matter(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "Ada_12345_assignsubmission_file_/sobel.ipynb": notebook(),
            "Ada_12345_assignsubmission_onlinetext_/onlinetext.html": b"<p>Here you are.</p>",
        },
    )
    assert only(tmp_path).status == "readable"


@pytest.mark.parametrize(
    "names",
    [
        ("ada.ipynb", "grace.ipynb"),
        ("ada_12345_67890_sobel.ipynb", "grace_12346_67891_sobel.ipynb"),
        ("submission_1/sobel.ipynb", "submission_2/sobel.ipynb"),
        ("Ada_12345_assignsubmission_file_/x.ipynb", "Grace_12346_assignsubmission_file_/x.ipynb"),
    ],
)
@pytest.mark.parametrize("wrapped", ["", "submissions/", "week_3_1_x/all of them/"])
def test_zip_of_a_class_is_read_like_its_folder(tmp_path: Path, names: tuple[str, ...], wrapped: str) -> None:
    contents = {wrapped + name: notebook(name) for name in names}
    lay_out(tmp_path / "folder", contents)
    (tmp_path / "class.zip").write_bytes(zipped(contents))
    unpacked, packed = read(tmp_path / "folder"), read(tmp_path / "class.zip")
    assert len(unpacked) == 2
    for name, submission in unpacked.items():
        assert packed[name].notebook == submission.notebook
        assert packed[name].upload.id == submission.upload.id


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("ada_12345_67890_sobel.ipynb", "canvas"),
        ("submission_1/sobel.ipynb", "gradescope"),
        ("Ada_12345_assignsubmission_file_/sobel.ipynb", "moodle"),
        ("Ada_12345_assignsubmission_file_sobel.ipynb", "moodle"),
    ],
)
def test_folder_around_a_single_upload_is_taken_off(tmp_path: Path, name: str, platform: str) -> None:
    (upload,) = submissions.find(lay_out(tmp_path, {f"download/{name}": notebook()}))
    assert upload.platform == platform


def test_folder_beside_lists_and_notes_is_taken_off(tmp_path: Path) -> None:
    uploads = {f"submissions/{name}.ipynb": notebook(name) for name in ("ada", "grace")}
    lay_out(tmp_path, {"roster.csv": b"name\nada\n", "README.md": b"", **uploads})
    assert list(found(tmp_path)) == ["ada", "grace"]


def test_folder_beside_an_upload_is_one_student_s(tmp_path: Path) -> None:
    lay_out(
        tmp_path, {"grace.ipynb": notebook("g"), **{f"ada/{name}.ipynb": notebook(name) for name in "ab"}}
    )
    assert list(found(tmp_path)) == ["ada", "grace"]


def test_folder_of_one_student_is_not_taken_off(tmp_path: Path) -> None:
    lay_out(tmp_path, {f"submission_1/{name}.ipynb": notebook(name) for name in "ab"})
    assert only(tmp_path).status == "ambiguous"


def test_single_notebook_is_an_upload(tmp_path: Path) -> None:
    assert only(lay_out(tmp_path, {"ada.ipynb": notebook()}) / "ada.ipynb").upload.student == "ada"


def test_zip_handed_in_by_a_student_is_opened(tmp_path: Path) -> None:
    lay_out(
        tmp_path, {"ada_12345_67890_work.zip": zipped({"work/sobel.ipynb": notebook(), "work/a.png": b""})}
    )
    assert only(tmp_path).status == "readable"


def test_zip_handed_in_by_a_student_is_opened_in_the_zip_of_the_class(tmp_path: Path) -> None:
    work = zipped({"work/sobel.ipynb": notebook()})
    (tmp_path / "class.zip").write_bytes(zipped({"ada_12345_67890_work.zip": work}))
    assert only(tmp_path / "class.zip").status == "readable"


def test_zip_that_windows_has_made_is_opened(tmp_path: Path) -> None:
    names = ("work\\", "work\\sobel.ipynb", "work\\.ipynb_checkpoints\\sobel.ipynb")
    work = {entry(name): notebook(name) if name.endswith("ipynb") else b"" for name in names}
    submission = only(lay_out(tmp_path, {"ada.zip": zipped(work)}))
    assert submission.status == "readable"


def test_zip_that_holds_nothing_is_unreadable(tmp_path: Path) -> None:
    submission = only(lay_out(tmp_path, {"ada.zip": zipped({"work/": b""})}))
    assert submission.sentence == "Nothing is in this upload: hand in the notebook as .ipynb."


def test_zip_of_a_class_may_hold_more_than_the_zip_of_a_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 1)
    contents = {"ada.ipynb": notebook("a"), "grace.ipynb": notebook("g")}
    lay_out(tmp_path, {"class.zip": zipped(contents), "alone/ada.zip": zipped(contents)})
    assert len(found(tmp_path / "class.zip")) == 2
    assert only(tmp_path / "alone").status == "refused"


def test_zip_in_a_students_zip_is_not_opened(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({"again.zip": zipped({"sobel.ipynb": notebook()})})})
    submission = only(tmp_path)
    assert (submission.status, submission.sentence[:22]) == ("unreadable", "again.zip is a zip and")


@pytest.mark.parametrize(
    "junk",
    [".ipynb_checkpoints/sobel-checkpoint.ipynb", "__MACOSX/._sobel.ipynb", "._sobel.ipynb", ".DS_Store"],
)
def test_what_programs_leave_behind_is_ignored(tmp_path: Path, junk: str) -> None:
    contents = {"sobel.ipynb": notebook(), junk: notebook("another")}
    lay_out(tmp_path, {f"ada/{name}": content for name, content in contents.items()})
    lay_out(tmp_path, {"grace.zip": zipped(contents), junk: b"beside the uploads"})
    assert {name: result.status for name, result in read(tmp_path).items()} == {
        "ada": "readable",
        "grace": "readable",
    }


@pytest.mark.parametrize("made", [lambda path: None, Path.mkdir], ids=["missing", "empty"])
def test_nothing_to_grade_is_said(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / "uploads")
    with pytest.raises(Misuse, match=r"uploads: .*\. Pass the folder or the zip"):
        submissions.find(tmp_path / "uploads")


def test_damaged_zip_of_a_class_is_said(tmp_path: Path) -> None:
    lay_out(tmp_path, {"class.zip": b"PK\x03\x04 and no more"})
    with pytest.raises(Misuse, match="Unpack it and pass the folder"):
        submissions.find(tmp_path / "class.zip")


# One upload, one notebook


def test_two_notebooks_in_one_upload_are_ambiguous(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada_12345_67890_a.ipynb": notebook("a"), "ada_12345_67891_b.ipynb": notebook("b")})
    submission = only(tmp_path)
    assert submission.status == "ambiguous"
    assert "2 notebooks were handed in (" in submission.sentence


def test_many_notebooks_are_not_all_named(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({f"{number}.ipynb": notebook(str(number)) for number in range(9)})})
    assert "9 notebooks were handed in (0.ipynb, 1.ipynb, 2.ipynb and 6 more)" in only(tmp_path).sentence


def test_zip_beside_a_notebook_is_not_opened_and_that_is_said(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada/sobel.ipynb": notebook(), "ada/pictures.zip": b"damaged", "grace.ipynb": b""})
    submission = read(tmp_path)["ada"]
    assert submission.status == "readable"
    assert submission.notes == ("Not opened, as a notebook lies beside it: pictures.zip.",)


def test_two_copies_of_a_notebook_in_one_upload_are_one(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({"sobel.ipynb": notebook(), "sobel (1).ipynb": notebook()})})
    submission = only(tmp_path)
    assert submission.status == "readable"
    assert submission.notes == ("Copies of the same notebook: 2.",)


def test_same_file_of_two_students_is_flagged_and_both_are_kept(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.ipynb": notebook(), "grace.ipynb": notebook(), "mary.ipynb": notebook("own")})
    results = read(tmp_path)
    assert all(result.status == "readable" for result in results.values())
    assert results["ada"].notes == (
        f"The same file, byte for byte, was handed in by {results['grace'].upload.id}.",
    )
    assert results["mary"].notes == ()


def test_note_on_a_file_that_many_have_handed_in_stays_short(tmp_path: Path) -> None:
    lay_out(tmp_path, {f"{number:02}.ipynb": notebook() for number in range(50)})
    for upload in found(tmp_path).values():
        assert upload.notes[0].endswith(" and 46 more.")
        assert upload.id not in upload.notes[0]


def test_empty_upload_is_unreadable(tmp_path: Path) -> None:
    lay_out(tmp_path, {"grace/sobel.ipynb": notebook()})
    (tmp_path / "ada" / "work").mkdir(parents=True)
    assert read(tmp_path)["ada"].status == "unreadable"


def test_script_is_unreadable(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada_12345_67890_sobel.py": b"def gradients(image):\n    return image\n"})
    assert only(tmp_path).sentence.startswith("ada_12345_67890_sobel.py is not a notebook: download")


@pytest.mark.parametrize("name", ["ada.json", "ada.ipynb.txt", "ada"])
def test_notebook_that_has_lost_its_ending_is_read(tmp_path: Path, name: str) -> None:
    assert only(lay_out(tmp_path, {name: notebook()})).status == "readable"


# Exercises


def test_exercise_is_known_by_its_metadata(tmp_path: Path) -> None:
    assert only(lay_out(tmp_path, {"ada.ipynb": as_bytes(of_exercise("sobel"))})).status == "readable"


def test_other_exercise_is_named_by_its_metadata(tmp_path: Path) -> None:
    submission = only(lay_out(tmp_path, {"ada.ipynb": as_bytes(of_exercise("pixels"))}))
    assert submission.status == "wrong_exercise"
    assert submission.sentence == (
        "ada.ipynb was handed in for sobel but is the exercise pixels: hand in the notebook of sobel."
    )


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["def shrink(picture):\n    pass"], "is the exercise pixels"),
        (["%matplotlib inline\ndef crop(a, b", "def shrink(picture): ..."], "is the exercise pixels"),
        (["shrink = lambda picture: picture[::2]"], "is the exercise pixels"),
        (["def correlate2d(): ...", "def im2col(): ..."], "is the exercise shapes"),
        (["def gradients(): ...", "def crop(): ...", "def shrink(): ..."], "is the exercise pixels"),
        (["    def gradients(): ...", "x == 1", "gradients == 1"], "has none of the functions"),
    ],
)
def test_other_exercise_is_named_by_its_functions(tmp_path: Path, sources: list[str], said: str) -> None:
    submission = only(lay_out(tmp_path, {"ada.ipynb": as_bytes(document(*map(code, sources)))}))
    assert submission.status == "wrong_exercise"
    assert said in submission.sentence


def test_shared_function_counts_for_the_exercise_that_was_asked_for() -> None:
    notebook_of_both = notebooks.parse(as_bytes(document(code("def correlate2d(): ..."))), "x")
    for slug in ("kernels", "shapes"):
        assert notebooks.exercise(notebook_of_both, slug, FUNCTIONS) == slug


def test_metadata_of_an_unknown_exercise_leaves_it_to_the_functions(tmp_path: Path) -> None:
    renamed = document(metadata={"mostly_harmless": {"slug": "nonesuch"}})
    assert only(lay_out(tmp_path, {"ada.ipynb": as_bytes(renamed)})).status == "readable"


# What is not safe to open


def link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def link_to_a_folder(path: Path) -> None:
    path.symlink_to("/etc")


def broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(path))


@pytest.mark.parametrize("made", [link, link_to_a_folder, broken_link, os.mkfifo, bound])
@pytest.mark.parametrize("place", ["ada.ipynb", "ada/sobel.ipynb"])
def test_what_is_no_plain_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[Path], None], place: str
) -> None:
    monkeypatch.chdir(lay_out(tmp_path, {"grace.ipynb": notebook(), "ada/page.txt": b""}))
    if "/" not in place:
        (tmp_path / "ada" / "page.txt").unlink()
        (tmp_path / "ada").rmdir()
    made(tmp_path / place)
    results = read(tmp_path)
    assert results["ada"].status == "refused"
    assert results["grace"].status == "readable"
    assert_one_sentence(results["ada"])


@pytest.mark.parametrize("made", [link, os.mkfifo])
def test_file_that_is_exchanged_after_it_was_found_is_not_opened(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    (upload,) = submissions.find(lay_out(tmp_path, {"ada.ipynb": notebook()}))
    (tmp_path / "ada.ipynb").unlink()
    made(tmp_path / "ada.ipynb")
    submission = submissions.read(upload, "sobel", FUNCTIONS)
    assert submission.status == "refused"
    assert_one_sentence(submission)


def test_file_that_has_gone_is_said(tmp_path: Path) -> None:
    (upload,) = submissions.find(lay_out(tmp_path, {"ada.ipynb": notebook()}))
    (tmp_path / "ada.ipynb").unlink()
    submission = submissions.read(upload, "sobel", FUNCTIONS)
    assert "cannot be opened (No such file" in submission.sentence


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


@pytest.mark.parametrize(
    "name",
    [
        "../sobel.ipynb",
        "a/../../sobel.ipynb",
        "/etc/passwd",
        "C:/sobel.ipynb",
        "..\\sobel.ipynb",
        "\\sobel.ipynb",
    ],
)
def test_name_that_leads_out_of_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    lay_out(tmp_path / "class", {"ada.zip": zipped({entry(name): notebook()})})
    submission = only(tmp_path / "class")
    assert (submission.status, "leads out of the zip" in submission.sentence) == ("refused", True)
    assert [path.name for path in tmp_path.rglob("*")] == ["class", "ada.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK, stat.S_IFSOCK])
def test_what_is_no_plain_file_in_a_zip_is_refused(tmp_path: Path, kind: int) -> None:
    contents = {entry("sobel.ipynb"): notebook(), entry("other", kind | 0o644): b"/etc/passwd"}
    assert only(lay_out(tmp_path, {"ada.zip": zipped(contents)})).status == "refused"


@pytest.mark.parametrize(
    "contents",
    [
        {"sobel.ipynb": bytes(30_000_000)},
        {"sobel.ipynb": notebook(), "other.bin": bytes(2_000_000)},
        {f"{number}.txt": b"" for number in range(2001)},
    ],
    ids=["notebook", "beside the notebook", "files"],
)
def test_bomb_is_refused_quickly(tmp_path: Path, contents: dict[str, bytes]) -> None:
    submission = only(lay_out(tmp_path, {"ada.zip": zipped(contents)}))
    assert submission.status == "refused"


def test_zip_that_unpacks_to_too_much_in_all_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_UPLOAD", 1_000_000)
    work = {f"{number}.bin": os.urandom(300_000) for number in range(4)}
    assert "unpacks to more than 1 MB" in only(lay_out(tmp_path, {"ada.zip": zipped(work)})).sentence


def test_large_file_in_a_zip_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_MEMBER", 1_000_000)
    work = {"sobel.ipynb": notebook(), "other.bin": os.urandom(1_000_001)}
    assert "other.bin unpacks to more than 1 MB" in only(lay_out(tmp_path, {"a.zip": zipped(work)})).sentence


def test_folder_with_more_files_than_a_class_has_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_FILES_OF_A_CLASS", 1)
    with pytest.raises(Misuse, match=r"more than 1 files\. Pass the folder of one assignment"):
        submissions.find(lay_out(tmp_path, {"ada.ipynb": notebook(), "grace.ipynb": notebook()}))


@pytest.mark.parametrize("name", ["submission_{}/a.ipynb", "ada_{}_{}_a.ipynb", "ada_123_456_a-{}.ipynb"])
def test_number_of_thousands_of_digits_is_survived(tmp_path: Path, name: str) -> None:
    lay_out(tmp_path, {"class.zip": zipped({name.replace("{}", "7" * 5000): notebook()})})
    assert only(tmp_path / "class.zip").status == "refused"


def test_name_that_no_disk_could_hold_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({f"{'é' * 128}.ipynb": notebook()})})
    assert only(tmp_path).status == "refused"


def test_size_that_a_zip_lies_about_does_not_matter(tmp_path: Path) -> None:
    honest = zipped({"sobel.ipynb": b" " * 900_000 + notebook()})
    size = (900_000 + len(notebook())).to_bytes(4, "little")
    assert honest.count(size) == 2
    lying = honest.replace(size, (1000).to_bytes(4, "little"))
    submission = only(lay_out(tmp_path, {"ada.zip": lying}))
    assert (submission.status, "is damaged" in submission.sentence) == ("unreadable", True)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_refused(tmp_path: Path, method: int) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({"sobel.ipynb": notebook()}, method)})
    assert "rarely use" in only(tmp_path).sentence


def test_locked_zip_is_refused(tmp_path: Path) -> None:
    locked = bytearray(zipped({"sobel.ipynb": notebook()}))
    for start in (6, locked.index(b"PK\x01\x02") + 8):
        locked[start] |= 1
    assert "password" in only(lay_out(tmp_path, {"ada.zip": bytes(locked)})).sentence


def test_folder_deeper_than_anyone_needs_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, {"grace.ipynb": notebook(), "ada/" + "x/" * 40 + "sobel.ipynb": notebook("deep")})
    assert read(tmp_path)["ada"].status == "refused"


def test_large_notebook_is_told_to_drop_its_outputs(tmp_path: Path) -> None:
    with (tmp_path / "ada.ipynb").open("wb") as file:
        file.truncate(20_000_001)
    submission = only(tmp_path)
    assert "larger than 20 MB: clear all outputs" in submission.sentence


def test_one_bad_file_in_the_zip_of_a_class_leaves_the_others(tmp_path: Path) -> None:
    contents = {entry("ada.ipynb", stat.S_IFLNK): b"/etc/passwd", entry("grace.ipynb"): notebook()}
    (tmp_path / "class.zip").write_bytes(zipped(contents))
    assert {name: result.status for name, result in read(tmp_path / "class.zip").items()} == {
        "ada": "refused",
        "grace": "readable",
    }


def test_what_reads_uploads_can_start_nothing() -> None:
    allowed = {"autograder.errors", "autograder.files", "autograder.platforms", "autograder"}
    for module in (files, notebooks, platforms, submissions):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        assert {str(name) for name in imported if str(name).startswith("autograder")} <= allowed
        assert not imported & {"subprocess", "importlib", "runpy", "pickle", "multiprocessing", "tempfile"}
        called = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not called & {"exec", "eval", "compile", "__import__", "open"}


def test_nothing_is_written(tmp_path: Path) -> None:
    lay_out(tmp_path, {"ada.zip": zipped({"sobel.ipynb": notebook()}), "grace/sobel.ipynb": notebook()})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# Names


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        'it\'s "quoted" `id` $HOME',
        "two\nlines\r\t\x1b[31m",
        "-rf",
        "--help",
        "🐙👩‍🔬",
        "CON",
        "..hidden",
        "x" * 249,
        "right\u202eleft",
        "=1+1",
    ],
)
def test_hostile_name_is_an_upload_like_any_other(tmp_path: Path, name: str) -> None:
    lay_out(tmp_path, {f"{name}.ipynb": notebook("a"), "grace.ipynb": notebook("g")})
    results = read(tmp_path)
    assert len(results) == 2
    for result in results.values():
        assert result.status == "readable"
        assert "\n" not in result.upload.student
        assert "\x1b" not in result.upload.student
        assert "\u202e" not in result.upload.student
        assert result.upload.id.isalnum()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("rene\u0301e", "renée"),
        ("narrow\u202fspace", "narrow space"),
        ("line\u2028break", "line\\u2028break"),
        ("🐙👩\u200d🔬", "🐙👩\u200d🔬"),
        ("x" * 100, "x" * 50 + "…" + "x" * 25),
    ],
)
def test_name_is_shown_on_one_line(name: str, shown: str) -> None:
    assert files.shown(name) == shown


def test_name_that_is_not_unicode_can_be_printed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/ren\xe9e.ipynb")).write_bytes(b"{")
    submission = only(tmp_path)
    assert submission.upload.student.encode() == b"ren\\udce9e"
    assert submission.sentence.encode()


def test_twins_that_look_the_same_are_two_uploads_and_noted(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        lay_out(tmp_path, {unicodedata.normalize(form, "renée.ipynb"): notebook(form)})
    one, other = submissions.find(tmp_path)
    assert one.student == other.student
    assert one.id != other.id
    assert other.notes == (f"A student of the same name is in {one.id}.",)


def test_id_is_the_same_on_every_run_and_does_not_tell_the_name(tmp_path: Path) -> None:
    lay_out(tmp_path / "one", {"ada_12345_67890_sobel.ipynb": notebook()})
    lay_out(tmp_path / "two", {"ada_LATE_12345_77777_sobel-2.ipynb": notebook("again")})
    (one,), (two,) = submissions.find(tmp_path / "one"), submissions.find(tmp_path / "two")
    assert one.id == two.id == "23e989bbd44b"
    assert "ada" not in one.id


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60), min_size=1, max_size=4
    )
)
def test_any_name_in_a_zip_is_survived(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("names")
    encodable = [name.encode(errors="replace").decode() for name in names]
    contents = {f"{name}{ending}": b"{" for name in encodable for ending in ("", ".ipynb")}
    lay_out(folder, {"ada.zip": zipped(contents), "class.zip": zipped(contents | {"x.ipynb": b"{"})})
    for path in (folder, folder / "class.zip"):
        for upload in submissions.find(path):
            submission = submissions.read(upload, "sobel", FUNCTIONS)
            assert submission.status in ("unreadable", "ambiguous", "refused")
            assert_one_sentence(submission)


@given(st.binary(max_size=300), st.sampled_from(["ada.ipynb", "ada.zip", "ada.py", "ada/x.zip"]))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    submission = only(lay_out(tmp_path_factory.mktemp("bytes"), {name: content}))
    assert submission.status == "unreadable"


@given(st.data())
def test_any_damage_to_a_zip_is_survived(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(zipped({"work/sobel.ipynb": notebook(), "work/page.txt": b"text"}))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    only(lay_out(tmp_path_factory.mktemp("damage"), {"ada.zip": bytes(content)}))
