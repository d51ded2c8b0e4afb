"""A made-up class that hands in one exercise, as an instructor downloads it: to try the grader on.

No student is real. Some of the notebooks are hostile: grade them, but never open and run one by hand.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from autograder import build, made_up_notebooks, masters
from autograder.answers import Answer
from autograder.errors import Misuse
from autograder.made_up_notebooks import Exercise, Notebook, saved, zipped
from autograder.platforms import Student

SMALLEST = 40  # with one of each kind, and some that are only right or wrong
ONE_OF_EACH = 60  # so many students have one of each odd kind among them; 120 have two
ABSENT = 4  # of so many, these hand in nothing
Earns = Literal["all", "less", "none", "any", "no score"]

# (last name, first name): one word, very long, marks and apostrophes, other scripts, two of the same name.
ODD_NAMES = [
    ("Kim", "Minseo"),
    ("Kim", "Minseo"),
    ("Sunarwati", ""),
    ("O’Nagan", "Siobhán"),
    ("d'Arcy-Quill", "Ève"),
    ("Lindqvist-Okafor", "Ana María José"),
    ("Wolfeschlegelstein-Featherstonehaugh-Montgomery-Vijayaraghavan", "Maximiliana Konstantina Theodora"),
    ("歐陽", "小雨"),
    ("佐々木", "ひなた"),
    ("نور الدين", "ليان"),
    ("בן־שחר", "נועה"),
    ("Nguyễn Phước", "Bảo Ngọc"),
    ("van der Meulen III", "Joost"),
    ("Null", "Ivy"),
    ("Žukauskaitė", "Rūta"),
    ("Łącki", "Święto"),
]
LAST = "Abara Bellweather Castellan Duvarney Eszter Fjeldmark Garrowby Hallorin Ibekwe Jarnefeld Kestrelmann"
LAST += " Lommerse Marchbanks Norrgård Orsolini Pettibone Quarrington Rosmarin Sandoval-Ek Tamberlin Ulvestad"
LAST += " Vasquemar Wetherill Xanthou Yarrowby Zeballonga"
FIRST = (
    "Amaru Brigid Cyprian Delphine Emeka Fenna Gwilym Hyacinth Inés Joaquim Kezia Lucjan Mirela Nils Odile"
)
FIRST += " Paloma Quentin Rosalind Søren Tamsin Ulrike Valter Wren Ximena Yusra Zoltan"
# Written as they must come back: quoted without need, empty in quotes, with commas, quotes and a line break.
NOTES = ["", '""', '"moved here in week 3, from section 2"', '"says ""call me Al"", please"', '"two\nlines"']


@dataclass(frozen=True)
class Expected:
    """What one student has handed in, and what must come out.

    student   as Canvas knows them; ``number`` is in the names of their files, ``email`` is their login
    statuses  each of these is right; empty for who has handed in nothing
    note      what the notebook is or does, in words
    mistakes  (question, name) of the mistakes that must be recognised by name
    earns     how many of the points
    files     the names of the files, the one that counts last
    """

    student: Student
    kind: str
    statuses: frozenset[str]
    note: str
    mistakes: tuple[tuple[str, str], ...] = ()
    earns: Earns = "any"
    late: bool = False
    attempt: int = 1
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class MadeUp:
    """A class that was written to the disk.

    column    the heading of this exercise in the gradebook
    expected  one for each student on the roster, in its order
    """

    submissions: Path
    roster: Path
    gradebook: Path
    column: str
    expected: tuple[Expected, ...]

    @property
    def handed_in(self) -> tuple[Expected, ...]:
        """Those who have handed in something."""
        return tuple(expected for expected in self.expected if expected.files)


@dataclass(frozen=True)
class _Work:
    """What somebody is going to hand in; ``earlier`` is a worse try before it."""

    kind: str
    statuses: tuple[str, ...]
    note: str
    content: bytes
    earns: Earns = "no score"
    mistakes: tuple[Answer, ...] = ()
    ending: str = ".ipynb"
    earlier: bytes = field(default=b"", repr=False)


def write(folder: Path, root: Path, slug: str = "kernels", students: int = 60, seed: int = 42) -> MadeUp:
    """Write a class's submissions, roster and gradebook. The same seed gives the same bytes.

    root      the course's folder, with solutions/ and exercises/
    students  how many are on the roster
    Raises Misuse if the class is too small or its folder is already in use.
    """
    if students < SMALLEST:
        raise Misuse(f"A made-up class has at least {SMALLEST} students, so that every kind is among them.")
    submissions = folder / "submissions"
    if submissions.exists():
        raise Misuse(f"{submissions} exists already. Remove it first, or choose another folder.")
    build.choose(root, [slug])
    rng = Random(seed)
    master = masters.read(root / "solutions" / f"{slug}.md", f"solutions/{slug}.md")
    exercise = Exercise(master, made_up_notebooks.read(root / "exercises" / f"{slug}.ipynb"))
    other = next(name for name in build.known_slugs(root) if name != slug)
    stranger = made_up_notebooks.read(root / "exercises" / f"{other}.ipynb")
    works = _works(exercise, stranger, other, students, rng)
    rng.shuffle(works)
    people = _people(students, rng)
    column = f"{master.title} ({rng.randrange(100_000, 999_999)})"
    submissions.mkdir(parents=True)
    expected = tuple(
        _handed_in(submissions, student, work, slug, rng) for student, work in zip(people, works, strict=True)
    )
    roster, gradebook = folder / "roster.csv", folder / "gradebook.csv"
    sections = [f"Section {rng.randint(1, 3):03}" for _ in people]
    roster.write_bytes(_roster(people, sections))
    gradebook.write_bytes(_gradebook(people, sections, column, master.points, rng))
    return MadeUp(submissions, roster, gradebook, column, expected)


def _works(
    exercise: Exercise, stranger: Notebook, other: str, students: int, rng: Random
) -> list[_Work | None]:
    """Make what each of a class hands in; None for nothing."""
    works: list[_Work | None] = []
    for _ in range(max(1, students // ONE_OF_EACH)):
        works += _odd(exercise, stranger, other, rng)
        works += [None] * ABSENT
    rest = students - len(works)
    for place in range(rest):
        if place % 9 < 4:
            works.append(_right(exercise, place, rng))
        elif place % 9 == 4:
            count = rng.randint(1, len(exercise.questions) - 1)
            notebook = _filled(exercise, exercise.partly(count), rng)
            works.append(_Work("partly", ("graded",), f"The first {count} answered.", notebook, "less"))
        else:
            works.append(_wrong(exercise, place, rng))
    return works


def _filled(exercise: Exercise, cells: dict[str, str], rng: Random, *own: str) -> bytes:
    """Fill in the exercise's notebook and save it."""
    return saved(made_up_notebooks.filled(exercise.student, cells, rng, *own))


def _right(exercise: Exercise, place: int, rng: Random) -> _Work:
    """Make a right notebook; some no longer say which exercise they are."""
    notebook = made_up_notebooks.filled(exercise.student, exercise.rightly(rng), rng)
    content = saved(made_up_notebooks.nameless(notebook) if place % 18 == 3 else notebook)
    return _Work(
        "right", ("graded",), "All answers are right.", content, "all", earlier=_worse(exercise, place, rng)
    )


def _wrong(exercise: Exercise, place: int, rng: Random) -> _Work:
    """Make a notebook with one mistake, or with two."""
    mistakes = exercise.two_mistakes(rng) if place % 9 == 8 else [exercise.mistake(rng)]
    content = _filled(exercise, exercise.with_answers(*mistakes), rng)
    kind = "two mistakes" if len(mistakes) > 1 else "one mistake"
    note = "; ".join(map(str, mistakes))
    earlier = _worse(exercise, place, rng)
    return _Work(kind, ("graded",), note, content, "less", tuple(mistakes), earlier=earlier)


def _worse(exercise: Exercise, place: int, rng: Random) -> bytes:
    """Make an earlier try for every tenth student, who had answered one question by then."""
    return _filled(exercise, exercise.partly(1), rng) if place % 10 == 2 else b""


def _odd(exercise: Exercise, stranger: Notebook, other: str, rng: Random) -> list[_Work]:
    """Make one of each kind that is neither right nor wrong in the usual way."""
    questions, solved = exercise.questions, exercise.all_solved()
    first, last = questions[:1], questions[-1]

    def notebook(cells: dict[str, str], *own: str) -> bytes:
        return _filled(exercise, cells, rng, *own)

    def hostile(kind: str, note: str, content: bytes, earns: Earns = "less", *more: str) -> _Work:
        return _Work(f"hostile: {kind}", ("graded", *more), note, content, earns)

    right, twin = notebook(solved), notebook(solved)
    both = zipped({f"{exercise.master.slug}.ipynb": right, "old/backup.ipynb": notebook(exercise.partly(1))})
    page = made_up_notebooks.WEB_PAGE.encode()
    swapped = saved(made_up_notebooks.filled(stranger, {}, rng))
    conflict = made_up_notebooks.in_conflict(notebook(solved))
    cut = made_up_notebooks.cut_off(notebook(solved))
    texts = made_up_notebooks
    loop = notebook(exercise.replaced(texts.LOOP, first))
    crash = notebook(exercise.replaced(texts.CRASH, first))
    hoard = notebook(exercise.replaced(texts.HOARD, first))
    ends = ("memory", "crash", "graded")  # who ends it first: the watchdog, the system, or Python itself
    return [
        _Work("untouched", ("graded",), "Nothing was answered.", notebook({}), "none"),
        *[_Work("twin", ("graded",), "The same file as another student's.", twin, "all")] * 2,
        _Work("cut off", ("unreadable",), "The download broke off.", cut),
        _Work("web page", ("unreadable",), "A page that asks to log in, saved as a notebook.", page),
        _Work("git conflict", ("unreadable",), "Has the marks of a git conflict.", conflict),
        _Work("two notebooks", ("ambiguous",), "Two notebooks in one zip.", both, ending=".zip"),
        _Work("wrong exercise", ("wrong_exercise",), f"The notebook of {other}.", swapped),
        _Work(
            "renamed", ("graded",), "A function has another name.", notebook(exercise.renamed(last)), "less"
        ),
        _Work("syntax error", ("graded",), "A bracket is open.", notebook(exercise.mistyped(last)), "less"),
        _Work("endless function", ("timeout",), "The first function never ends.", loop, "less"),
        _Work("endless cell", ("timeout",), "A cell never ends.", notebook(solved, texts.ENDLESS), "any"),
        _Work("crash", ("crash",), "The first function ends its process.", crash, "less"),
        _Work("memory", ends, "The first function fills the memory.", hoard, "less"),
        hostile(
            "always equal",
            "Returns an object that equals everything.",
            notebook(exercise.replaced(texts.ALWAYS_EQUAL, questions)),
        ),
        hostile(
            "reads the tests",
            "Looks for test files, the environment and the caller's variables.",
            notebook(exercise.replaced(texts.READS_TESTS, questions)),
        ),
        hostile(
            "forges results",
            "Prints and writes results of its own.",
            notebook(exercise.replaced(texts.FORGES, questions)),
        ),
        hostile(
            "patches NumPy",
            "Makes every comparison true.",
            notebook(exercise.replaced(texts.PATCHES, questions)),
            "less",
            "crash",
        ),
        hostile("network", "Right, but calls other machines.", notebook(solved, texts.NETWORK), "all"),
        hostile(
            "writes outside", f"Right, but writes {texts.KEPT_FILE}.", notebook(solved, texts.WRITES), "all"
        ),
    ]


def _people(count: int, rng: Random) -> list[Student]:
    """Invent students, sorted as a roster is."""
    names = ODD_NAMES[:count]
    pairs = [(last, first) for last in LAST.split() for first in FIRST.split()]
    rng.shuffle(pairs)
    if count > len(names) + len(pairs):
        raise Misuse(f"A made-up class has at most {len(names) + len(pairs)} students.")
    names = sorted([*names, *pairs[: count - len(names)]])
    numbers = rng.sample(range(10_000, 100_000), count)
    return [
        Student(f"{last}, {first}" if first else last, str(number), f"student{place:04}@example.org")
        for place, ((last, first), number) in enumerate(zip(names, numbers, strict=True), start=1)
    ]


def canvas_name(student: Student) -> str:
    """Write a student's name as Canvas begins the names of their files with it."""
    return re.sub(r"[\W_]", "", student.name).lower()


def _handed_in(folder: Path, student: Student, work: _Work | None, slug: str, rng: Random) -> Expected:
    """Write what one student hands in."""
    if work is None:
        return Expected(student, "nothing", frozenset(), "Has handed in nothing.", earns="no score")
    late = rng.random() < 0.1
    begins = f"{canvas_name(student)}{'_LATE' if late else ''}_{student.number}"
    order = rng.randrange(100_000, 900_000)
    tries = [content for content in (work.earlier, work.content) if content]
    files = []
    for attempt, content in enumerate(tries, start=1):
        number = f"-{attempt}" if attempt > 1 else ""
        files.append(f"{begins}_{order + attempt}_{slug}{number}{work.ending}")
        (folder / files[-1]).write_bytes(content)
    return Expected(
        student,
        work.kind,
        frozenset(work.statuses),
        work.note,
        tuple((answer.question, answer.name) for answer in work.mistakes),
        work.earns,
        late,
        len(tries),
        tuple(files),
    )


def _quoted(text: str) -> str:
    """Quote a field as Canvas does: only where it must be."""
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows of fields that are quoted already."""
    return "".join(",".join(row) + "\r\n" for row in rows).encode()


def _identity(student: Student, section: str) -> list[str]:
    """Write the first columns of Canvas's tables; the SIS id begins with zeros."""
    return [_quoted(student.name), student.number, f"00{student.number}", student.email, section]


HEADINGS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def _roster(people: Sequence[Student], sections: Sequence[str]) -> bytes:
    """Write the list of the class."""
    rows = [_identity(student, section) for student, section in zip(people, sections, strict=True)]
    return _table([HEADINGS, *rows])


def _gradebook(
    people: Sequence[Student], sections: Sequence[str], column: str, points: float, rng: Random
) -> bytes:
    """Write Canvas's export: other assignments, this exercise's empty column, the row of the points."""
    headings = [
        *HEADINGS,
        "Notes",
        "A quiz (98760)",
        _quoted(column),
        '"Essay, first draft (98770)"',
        "Final Score",
    ]
    rows = [
        headings,
        ["    Points Possible", "", "", "", "", "", "10.0", f"{points:.1f}", "100", "(read only)"],
    ]
    for student, section in zip(people, sections, strict=True):
        quiz, essay = rng.choice(["10.0", "7.50", "08", "EX", ""]), rng.choice(["85", '"91,5"', '"77"', ""])
        rows.append(
            [*_identity(student, section), rng.choice(NOTES), quiz, "", essay, rng.choice(["", "81.20"])]
        )
    rows.append(['"Student, Test"', "99999999", "", "0a1b2c3d4e5f", "Section 001", "", "", "", "", ""])
    return _table(rows)
