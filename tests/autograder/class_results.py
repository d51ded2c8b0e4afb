"""Made-up classes: results as the grader writes them, without a notebook being run."""

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder import results, whole
from autograder.platforms import Student
from autograder.results import Asked, Class, FailedCell, QuestionResult, Result, State, Status

ASKED = (
    Asked("q1", "Two slopes", 3),
    Asked("q2", "How steep", 4),
    Asked("q3", "Which way it runs", 3),
    Asked("q4", "A histogram of directions", 3),
    Asked("q5", "How crooked is the page?", 3),
)
COURSE = Class(
    exercise="sobel",
    title="Edges by hand",
    chapter="edges",
    points=16.0,
    questions=ASKED,
    isolation="strict",
    device="cpu",
    gpu="required",
    finished="2026-03-02T23:00:00-08:00",
)
# question, name, what the student is told, how many of ten make it
MISTAKES = (
    (
        "q1",
        "uint8 kept",
        "Your filter keeps the image's type: in uint8 all below 0 becomes 0.",
        2,
    ),
    ("q1", "border repeated", "At the border you repeat the outermost pixels. Mirror the picture there.", 1),
    ("q2", "sum of absolutes", "You add the absolute values of gx and gy. The long side is asked for.", 2),
    (
        "q3",
        "gradient direction",
        "That is the direction of the slope: the edge runs across it.",
        3,
    ),
    ("q3", "radians", "Your angles are in radians. Degrees are asked for.", 1),
    ("q4", "counts for weights", "You count pixels. Let each weigh as much as its edge is strong.", 3),
    ("q5", "sign", "Your angle has the opposite sign: positive when the lines fall to the right.", 2),
)
SENTENCES: dict[Status, str] = {
    "timeout": "Cell 7 was still running after 60 seconds.",
    "memory": "Cell 9 asked for more than 2,048 MB.",
    "crash": "Python ended while it ran cell 4.",
    "unreadable": "sobel.ipynb is a web page: download the notebook and hand in that file.",
    "wrong_exercise": "kernels.ipynb was handed in for sobel but is the exercise kernels: "
    "hand in the notebook of sobel.",
    "ambiguous": "2 notebooks were handed in (sobel.ipynb, final.ipynb): hand in the one that counts.",
    "refused": "holiday.zip holds a name that leads out of the zip: hand in the notebook alone.",
    "infra_error": "The grader lost its worker three times.",
}
FIRST = (
    "Zoë",
    "Wei",
    "Amara",
    "Björn",
    "Chloé",
    "Devi",
    "Eun-ji",
    "Farid",
    "Hiroshi",
    "Inés",
    "Jakub",
    "Liam",
)
LAST = (
    "Li",
    "Müller",
    "van der Berg",
    "O'Brien",
    "García López",
    "Nguyễn",
    "Østergård",
    "Singh",
    "de la Cruz",
)


def question(asked: Asked, state: State = "full", **changes: Any) -> QuestionResult:
    """Make the result of one question."""
    earned = {"full": asked.points, "part": asked.points - 1}.get(state, 0.0)
    passed = {"full": ((2, 2), (3, 3)), "part": ((2, 2), (1, 3)), "pending": ((0, 0), (0, 0))}
    opened, hidden = passed.get(state, ((0, 2), (0, 3)))
    made = QuestionResult(asked.name, asked.title, asked.points, earned, state, opened, hidden)
    return dataclasses.replace(made, **changes)


def result(number: int = 1, status: Status = "graded", **changes: Any) -> Result:
    """Make the result of one submission; full marks, unless the changes say otherwise."""
    questions = changes.pop("questions", tuple(map(question, ASKED)))
    pending = tuple(each.name for each in questions if each.state == "pending")
    was_run = status in results.SCORED
    made = Result(
        key=f"{number:064x}",
        id=f"{number:012x}",
        exercise="sobel",
        students=(Student(f"student{number}", str(1000 + number)),),
        platform="canvas",
        file="sobel.ipynb",
        attempt=1,
        late=False,
        status=status,
        sentence=SENTENCES.get(status, ""),
        notes=(),
        score=sum(each.earned for each in questions) if was_run else None,
        points=sum(each.points for each in questions if each.state != "pending"),
        pending=pending,
        questions=questions if was_run else (),
        failed_cells=(),
        isolation="strict",
    )
    return dataclasses.replace(made, **changes)


def varied(count: int, seed: int = 7) -> list[Result]:
    """Make a class of all sorts: mistakes, statuses, groups, copies, and names with accents."""
    rng = random.Random(seed)
    statuses: list[Status] = list(SENTENCES)
    made = []
    for number in range(1, count + 1):
        name = f"{rng.choice(LAST)}, {rng.choice(FIRST)}"
        students: tuple[Student, ...] = (Student(name, str(1000 + number)),)
        if number % 23 == 0:
            students += (Student(f"Partner, {rng.choice(FIRST)}", str(5000 + number)),)
        error = FailedCell(6, "NameError", "name 'gx' is not defined")
        status: Status = statuses[number // 7 % len(statuses)] if number % 7 == 0 else "graded"
        made.append(
            result(
                number,
                status,
                students=students,
                questions=tuple(_answer(rng, asked, number) for asked in ASKED),
                late=number % 11 == 0,
                attempt=1 + (number % 9 == 0),
                notes=_notes(number),
                failed_cells=(error,) if number % 8 == 0 else (),
            )
        )
    return made


def _answer(rng: random.Random, asked: Asked, number: int) -> QuestionResult:
    """Draw what one student made of one question."""
    if asked.name == "q5" and number % 10 == 3:
        return question(asked, "pending")
    for name, mistake, sentence, often in MISTAKES:
        if name == asked.name and rng.random() < often / 10:
            return question(
                asked, rng.choice(("none", "part")), mistake=mistake, sentence=sentence, open=(1, 2)
            )
    return question(asked, rng.choice(("full",) * 7 + ("part", "none", "stopped")))


def _notes(number: int) -> tuple[str, ...]:
    """Say of some what submissions.py says."""
    if number in (5, 6):
        return (f"The same file, byte for byte, was handed in by {11 - number:012x}.",)
    return ("The latest upload counts; earlier ones that do not: 1.",) if number % 9 == 0 else ()


def lay_out(
    folder: Path,
    found: Sequence[Result],
    course: Class = COURSE,
    *,
    roster: bytes | None = None,
    gradebook: bytes | None = None,
) -> Path:
    """Lay out a folder of results as the grader does."""
    results.write(folder / "class.json", course)
    for each in found:
        results.write(folder / "results" / f"{each.id}.json", each)
    for name, content in (("roster.csv", roster), ("gradebook.csv", gradebook)):
        if content is not None:
            whole.replace(folder / "inputs" / name, content)
    return folder


def canvas_gradebook(found: Sequence[Result]) -> bytes:
    """Export a gradebook as Canvas does, with all students of some results and one who is absent."""
    lines = [
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Kernels (11),Sobel: Edges by Hand (12),Final",
        ",,,,,Manual Posting,,",
        "    Points Possible,,,,,18.00,16.00,(read only)",
    ]
    students = [student for each in found for student in each.students]
    for place, student in enumerate([*students, Student("Absent, Ada", "9999")]):
        name = student.name.replace('"', '""')
        lines.append(f'"{name}",{student.number},{place:05},user{place},"A, B",12.5,,71')
    lines.append('"Student, Test",,,,,,,')
    return "\r\n".join([*lines, ""]).encode()
