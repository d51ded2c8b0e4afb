"""Finds what students have uploaded and reads it; nothing of it is run, and nothing is written to the disk.

An upload that cannot be graded is a result, with a status and one sentence that a student understands.
"""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from autograder import files, notebooks, platforms
from autograder.errors import Misuse, Refused, Unreadable
from autograder.files import MEGABYTE, File, shown
from autograder.platforms import Arrival, Platform, Student

LARGEST_NOTEBOOK = 20 * MEGABYTE
LARGEST_METADATA = 200 * MEGABYTE  # Gradescope writes the results of its own grader into it
NAMED = 3  # so many of a long list are named
MOST_COPIES = 5  # so many notebooks of one upload are compared; each has to be unpacked for it

Status = Literal["readable", "unreadable", "ambiguous", "refused", "wrong_exercise"]


@dataclass(frozen=True)
class Upload:
    """What one student or group has handed in last.

    id        short, the same on every run, and no name: for logs and for the names of files
    file      the notebook; None if there is not exactly one that may be opened
    status    "readable" as far as one can see without reading the notebook; else ``sentence`` says why
    notes     for the instructor: what was decided, and what a person may want to look at
    """

    id: str
    platform: Platform
    students: tuple[Student, ...]
    attempt: int
    late: bool
    file: File | None
    status: Status = "readable"
    sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def student(self) -> str:
        """All names, on one line."""
        return ", ".join(shown(student.name) for student in self.students)


@dataclass(frozen=True)
class Submission:
    """An upload that was read; ``notebook`` is a document of format 4.5, without outputs, if readable."""

    upload: Upload
    status: Status
    sentence: str = ""
    notebook: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def find(path: Path) -> list[Upload]:
    """Find the uploads in a folder, in a zip of one, or in one file; sorted by student.

    Of several tries the latest counts. Raises Misuse if there is nothing to grade.
    """
    listed = platforms.unwrapped(_listed(path))
    metadata = next((file for file in listed if file.name == platforms.METADATA), None)
    groups = platforms.gradescope_groups(_read_metadata(metadata)) if metadata else {}
    # What the export names and does not hold is an upload too: an empty one.
    missing = groups.keys() - {file.parts[0] for file in listed}
    listed += [File(name, path, folder=True) for name in sorted(missing)]
    by_sender: dict[tuple[str, ...], list[Arrival]] = defaultdict(list)
    for file in listed:
        if file is not metadata and (arrival := platforms.arrival(file, groups)):
            by_sender[arrival.key].append(arrival)
    if not by_sender:
        raise Misuse(
            f"{path}: no uploads in it. Pass the folder or the zip that holds the students' notebooks."
        )
    uploads = [_upload(key, arrivals) for key, arrivals in by_sender.items()]
    return sorted(_compared(uploads), key=lambda upload: (upload.student.casefold(), upload.id))


def read(upload: Upload, slug: str, functions: Mapping[str, Sequence[str]]) -> Submission:
    """Read one upload, to be graded as the exercise ``slug``. Never raises for what a student has handed in.

    functions  slug of every exercise of the course to the names of the functions that it asks for
    """
    if upload.file is None:
        return Submission(upload, upload.status, upload.sentence, notes=upload.notes)
    try:
        content = files.read(upload.file, LARGEST_NOTEBOOK)
        notebook = notebooks.parse(content, upload.file.parts[-1])
    except Refused as error:
        return Submission(upload, "refused", str(error), notes=upload.notes)
    except Unreadable as error:
        return Submission(upload, "unreadable", str(error), notes=upload.notes)
    notes = upload.notes + notebook.notes
    found = notebooks.exercise(notebook, slug, functions)
    if found != slug:
        name = shown(upload.file.parts[-1])
        what = f"is the exercise {found}" if found else "has none of the functions that it asks for"
        sentence = f"{name} was handed in for {slug} but {what}: hand in the notebook of {slug}."
        return Submission(upload, "wrong_exercise", sentence, notebook.document, notes)
    return Submission(upload, "readable", "", notebook.document, notes)


def _listed(path: Path) -> list[File]:
    """List what an instructor points at: here a link is followed, for it is the instructor's own."""
    try:
        path = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Misuse(f"{path}: not found. Pass the folder or the zip that holds the uploads.") from error
    if path.is_dir():
        return files.walk(path)
    single = File(path.name, path)
    if not files.is_archive(path.name):
        return [single]
    try:
        return files.members(single, of_a_class=True)
    except (Refused, Unreadable) as error:
        raise Misuse(
            f"{path}: a zip that is damaged or holds too many files. Unpack it and pass the folder."
        ) from error


def _read_metadata(file: File) -> bytes:
    """Read the metadata of Gradescope's export."""
    try:
        return files.read(file, LARGEST_METADATA)
    except (Refused, Unreadable) as error:
        raise Misuse(
            f"{platforms.METADATA}: it cannot be opened or is too large. Download Gradescope's export again."
        ) from error


def _upload(key: tuple[str, ...], arrivals: Sequence[Arrival]) -> Upload:
    """Choose from what one sender has sent: the latest try, and in it the one notebook."""
    latest: dict[str, tuple[int, ...]] = {}
    for arrival in arrivals:
        latest[arrival.base] = max(latest.get(arrival.base, ()), arrival.order)
    kept = [arrival for arrival in arrivals if arrival.order == latest[arrival.base]]
    earlier = {(arrival.base, arrival.order) for arrival in arrivals} - set(latest.items())
    upload = Upload(
        id=hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:12],
        platform=kept[0].platform,
        students=kept[0].students,
        attempt=max(len(earlier) + 1, *(arrival.attempt for arrival in kept)),
        late=any(arrival.late for arrival in kept),
        file=None,
        notes=(f"The latest upload counts; earlier ones that do not: {len(earlier)}.",) if earlier else (),
    )
    try:
        return _with_notebook(upload, [arrival.file for arrival in kept])
    except Refused as error:
        return replace(upload, status="refused", sentence=str(error))
    except Unreadable as error:
        return replace(upload, status="unreadable", sentence=str(error))


def _with_notebook(upload: Upload, sent: Sequence[File]) -> Upload:
    """Find the one notebook among the files of an upload. Raises Refused or Unreadable."""
    sent = [file for file in sent if not file.folder]
    for file in sent:
        files.require_safe(file)
    found = [file for file in sent if files.is_notebook(file.name)]
    archives = [file for file in sent if files.is_archive(file.name)]
    if found and archives:
        note = f"Not opened, as a notebook lies beside it: {_named(archives)}."
        upload = replace(upload, notes=(*upload.notes, note))
    elif archives:
        members = [member for archive in archives for member in files.members(archive)]
        for member in members:
            files.require_safe(member)
        sent = [file for file in sent if file not in archives]
        sent += [member for member in members if not member.folder]
        found = [file for file in sent if files.is_notebook(file.name)]
    if not found:
        if not sent:
            raise Unreadable("Nothing is in this upload: hand in the notebook as .ipynb.")
        # Reading it says what it is, unless it is a notebook that has lost its ending.
        return replace(upload, file=sent[0])
    if len(found) == 1:
        return replace(upload, file=found[0])
    if len(found) <= MOST_COPIES and len({_digest(file) or file for file in found}) == 1:
        note = f"Copies of the same notebook: {len(found)}."
        return replace(upload, file=found[0], notes=(*upload.notes, note))
    sentence = f"{len(found)} notebooks were handed in ({_named(found)}): hand in the one that counts."
    return replace(upload, status="ambiguous", sentence=sentence)


def _named(listed: Sequence[File]) -> str:
    """Name the first few files."""
    names = ", ".join(shown(file.parts[-1]) for file in listed[:NAMED])
    return names + (f" and {len(listed) - NAMED} more" if len(listed) > NAMED else "")


def _digest(file: File) -> str:
    """Return a hash of a file's bytes, empty if they cannot be read."""
    try:
        return hashlib.sha256(files.read(file, LARGEST_NOTEBOOK)).hexdigest()
    except (Refused, Unreadable):
        return ""


def _compared(uploads: Sequence[Upload]) -> list[Upload]:
    """Note on uploads which of them are the same file, and which name the same student."""
    same_bytes: dict[str, list[Upload]] = defaultdict(list)
    same_name: dict[str, list[Upload]] = defaultdict(list)
    for upload in uploads:
        if upload.file and (digest := _digest(upload.file)):
            same_bytes[digest].append(upload)
        for name in {unicodedata.normalize("NFC", student.name).casefold() for student in upload.students}:
            same_name[name].append(upload)
    notes: dict[str, list[str]] = defaultdict(list)
    for what, groups in (
        ("The same file, byte for byte, was handed in by", same_bytes),
        ("A student of the same name is in", same_name),
    ):
        for group in groups.values():
            for upload in group if len(group) > 1 else ():
                # One more than is named: the upload itself may be among them.
                others = [other.id for other in group[: NAMED + 1] if other.id != upload.id][:NAMED]
                more = len(group) - 1 - len(others)
                notes[upload.id].append(f"{what} {', '.join(others)}{f' and {more} more' if more else ''}.")
    return [replace(upload, notes=upload.notes + tuple(notes[upload.id])) for upload in uploads]
