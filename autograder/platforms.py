"""Who has handed in what, from the names that Canvas, Gradescope and Moodle give to files and folders."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import yaml

from autograder.errors import Misuse
from autograder.files import LONGEST_NAME, File, is_archive, is_notebook

Platform = Literal["folder", "canvas", "gradescope", "moodle"]

METADATA = "submission_metadata.yml"
DEEPEST_METADATA = 50  # lists in lists; an export has some ten
# Canvas joins a name in small letters, LATE if it is, two numbers and the file's own name (canvas-lms,
# lib/content_zipper.rb). Of what is in front of them and behind, a student can choose much, so that there may
# be several places where this fits: that of the first numbers as long as real ids is taken, and LATE, which
# no name can hold, is certain. The others are kept: who could be two people is left to a person.
CANVAS = re.compile(r"(?P<late>_LATE)?_(?P<user>[0-9]{1,20})_(?P<order>[0-9]{1,20})_(?P<file>.+)", re.DOTALL)
ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon(?:ymous)?)_(?P<user>[0-9A-Za-z]{5})_(?P<order>[0-9]{1,20})_(?P<file>.+)",
    re.DOTALL,
)
LONG_AS_IDS = re.compile("[1-9][0-9]{2,}")
TRY = re.compile(r"(?P<base>.+)-(?P<number>[1-9][0-9]{0,2})(?P<ending>\.[^.]+)", re.DOTALL)
GRADESCOPE = re.compile(r"submission_(?P<number>[0-9]{1,20})")
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<number>[0-9]+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?", re.DOTALL
)
# Beside the uploads in a folder of one's own lie such lists and notes.
NOT_HANDED_IN = (".csv", ".tsv", ".xlsx", ".md", ".yml", ".yaml", ".toml")


@dataclass(frozen=True)
class Student:
    """A student, as the platform says. ``number`` is text: 00123 keeps its zeros.

    others  what name and number could be as well, where the name of a file can be read in several ways
    """

    name: str
    number: str = ""
    email: str = ""
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Arrival:
    """One file on its way from one student or group.

    key      what tells this sender from all others
    base     files of one base are tries of one thing; of these the highest ``order`` counts
    attempt  which try its name says it is
    """

    platform: Platform
    key: tuple[str, ...]
    students: tuple[Student, ...]
    file: File
    base: str = ""
    order: tuple[int, ...] = ()
    attempt: int = 1
    late: bool = False


def arrival(file: File, groups: Mapping[str, tuple[Student, ...]]) -> Arrival | None:
    """Tell who has sent a file; None if it is a list or a note of the instructor's own.

    groups   from the metadata of Gradescope's export: the name of a folder to the students
    """
    top, *rest = file.parts
    in_folder = bool(rest) or file.folder
    if in_folder and (found := GRADESCOPE.fullmatch(top)):
        students = groups.get(top, ())
        ids = sorted(student.email or student.number for student in students)
        # A name alone does not make two submissions one student's.
        key = ("gradescope", *(ids if ids and all(ids) else [top]))
        return Arrival("gradescope", key, students or (Student(top),), file, order=(int(found["number"]),))
    if found := MOODLE.fullmatch(top):
        name, number = found["name"], found["number"]
        return Arrival("moodle", ("moodle", name, number), (Student(name, number),), file)
    if not in_folder and (readings := canvas_names(top)):
        first, *others = readings
        base, attempt = split_try(first.file)
        return Arrival(
            "canvas",
            # The name too: were a number in a file's name taken for an id, nobody else's work would be lost.
            ("canvas", first.name, first.user),
            (Student(first.name, first.user, others=tuple((other.name, other.user) for other in others)),),
            file,
            base.casefold(),
            (attempt, int(first.order)),
            max(attempt, 1),
            any(reading.late for reading in readings),
        )
    if not in_folder and not _is_handed_in(top):
        return None
    name = top if in_folder else top.rsplit(".", 1)[0] or top
    return Arrival("folder", ("folder", top), (Student(name),), file)


@dataclass(frozen=True)
class Reading:
    """A way to read the name of a file from Canvas."""

    name: str
    late: bool
    user: str
    order: str
    file: str


def canvas_names(name: str) -> list[Reading]:
    """Read the name of a file from Canvas in every way there is, the likeliest first; else return none."""
    if len(name) > LONGEST_NAME:  # none that a disk has held, and it could be read in ten thousand ways
        return []
    readings = [
        Reading(name[:place], bool(found["late"]), found["user"], found["order"], found["file"])
        for place in range(1, len(name))
        if (found := CANVAS.match(name, place)) and not name[:place].endswith("_LATE")
    ]
    likely = [
        reading
        for reading in readings
        if reading.late or (LONG_AS_IDS.fullmatch(reading.user) and LONG_AS_IDS.fullmatch(reading.order))
    ]
    first = (likely or readings)[:1]
    if found := ANONYMOUS.fullmatch(name):
        first = [Reading(found["name"], bool(found["late"]), found["user"], found["order"], found["file"])]
    return first + [reading for reading in readings if reading not in first]


def split_try(name: str) -> tuple[str, int]:
    """Take the number of the try off a file's name: ``sobel-2.ipynb`` is the second ``sobel.ipynb``."""
    found = TRY.fullmatch(name)
    return (found["base"] + found["ending"], int(found["number"])) if found else (name, 0)


def unwrapped(files: Sequence[File]) -> list[File]:
    """Take off folders around all uploads, as zips often have them.

    A folder around two notebooks or more, and nothing beside it but lists and notes, is taken for such a
    folder.
    """
    inner, kept = list(files), list(files)
    while True:
        beside = [file for file in inner if _is_list(file)]
        within = [file for file in inner if not _is_list(file)]
        tops = {file.parts[0] for file in within}
        if len(tops) != 1 or any(len(file.parts) == 1 for file in within) or _is_of_one_student(*tops):
            return kept
        within = [replace(file, name=file.name.split("/", 1)[1]) for file in within]
        folders = {file.parts[0] for file in within if len(file.parts) > 1 or file.folder}
        plain = {file.parts[0] for file in within} - folders
        known = any(map(_is_of_one_student, folders | plain)) or any(map(canvas_names, plain))
        uploads = folders | {name for name in plain if is_notebook(name) or is_archive(name)}
        inner = beside + within
        if known or len(uploads) > 1:
            kept = inner


def _is_list(file: File) -> bool:
    """Whether a file that lies beside the uploads is a list or a note, and no upload."""
    return len(file.parts) == 1 and not file.folder and not _is_handed_in(file.name)


def _is_of_one_student(name: str) -> bool:
    """Whether Gradescope or Moodle gives such a name to one student's folder."""
    return bool(GRADESCOPE.fullmatch(name) or MOODLE.fullmatch(name))


def gradescope_groups(content: bytes) -> dict[str, tuple[Student, ...]]:
    """Read who stands behind each folder of Gradescope's export. Raises Misuse if the file is damaged."""
    # These loaders leave everything text: another would read 00123 as the number 83.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for event in yaml.parse(content, Loader=loader):  # the loader in C crashes at some thousand levels
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST_METADATA:
                raise yaml.YAMLError("too deep")
        read = yaml.load(content, Loader=loader)
    except (yaml.YAMLError, ValueError) as error:
        raise Misuse(
            f"{METADATA}: it cannot be read as YAML. Download Gradescope's export again, "
            "or take the file away: uploads are then named by their numbers."
        ) from error
    entries = read if isinstance(read, dict) else {}
    return {
        name: _submitters(entry)
        for name, entry in entries.items()
        if isinstance(name, str) and GRADESCOPE.fullmatch(name)
    }


def _submitters(entry: Any) -> tuple[Student, ...]:
    """Read the students of one submission; Ruby, which wrote the file, marks its keys with a colon."""
    listed = entry.get(":submitters") if isinstance(entry, dict) else None
    students = []
    for submitter in listed if isinstance(listed, list) else []:
        if isinstance(submitter, dict):
            name, number, email = (_text(submitter.get(key)) for key in (":name", ":sid", ":email"))
            if name or number or email:
                students.append(Student(name or email or number, number, email))
    return tuple(students)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_handed_in(name: str) -> bool:
    """Whether a file that lies beside the uploads is one: when in doubt it is, so that no work is lost."""
    if is_notebook(name) or is_archive(name):
        return True
    return not name.startswith(".") and not name.lower().endswith(NOT_HANDED_IN)
