"""Reads a master: one MyST notebook in Otter Assign's format, and some kinds of cells of our own.

Our own are the helpers that check files begin with, between raw cells ``# BEGIN CHECK HELPERS`` (in every
check file) or ``# BEGIN HIDDEN HELPERS`` (in the bundle's only), and a question's ``# BEGIN WRONG ANSWERS``
and ``# BEGIN RIGHT ANSWERS``, each with the ``# END …`` that belongs to it. They never reach Otter.
Every mistake is found in one reading, and each carries its line. ``solutions/README.md`` tells authors.
"""

import ast
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook

from autograder import answers
from autograder.answers import Answer
from autograder.errors import MasterError, Problem
from autograder.parts import BOUNDARY, OURS, Cell, Check, Master, Question, Role

NO_TEXT = ("TESTS", *OURS)
TEST_CONFIG = re.compile(r'\A"""\s*#\s*BEGIN TEST CONFIG\n(.*?)"""\s*#\s*END TEST CONFIG\n', re.DOTALL)
TEST_KEYS = {"points", "hidden", "success_message", "failure_message"}
PATIENCE = 1.0  # CPU-seconds that open checks may take, where the header does not say
SECONDS = 60.0  # that the grader gives a notebook, where the header does not say
# What the build relies on, and what Otter would do otherwise.
REQUIRED_CONFIG: dict[str, Any] = {
    "init_cell": False,
    "export_cell": False,
    "check_all_cell": False,
    "tests": {"ok_format": False, "files": True},
}

# What a cell with ``:pack:`` becomes.
PACKED = '''\
import importlib.abc
import importlib.util
import sys


class Packed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Lets check files import a package that the grader's machine does not have."""

    TEXTS = @@texts@@

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.TEXTS else None

    def get_source(self, name):
        return self.TEXTS[name]

    def is_package(self, name):
        return "." not in name


# Every check file holds these lines; once in a process is enough.
if not any(getattr(finder, "TEXTS", None) == Packed.TEXTS for finder in sys.meta_path):
    sys.meta_path.append(Packed())
'''


@dataclass
class _Reader:
    """The state of one reading, so that all mistakes can be listed."""

    path: str
    slug: str
    problems: list[Problem] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    open: list[tuple[str, int]] = field(default_factory=list)
    question: str | None = None
    question_lines: dict[str, int] = field(default_factory=dict)
    question_points: dict[str, float] = field(default_factory=dict)
    checks: dict[str, list[Check]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    config: dict[str, Any] | None = None
    known: list[tuple[str, answers.Kind, str, int]] = field(default_factory=list)  # answers not yet read
    finished: str | None = None  # the question last closed

    def wrong(self, line: int, sentence: str) -> None:
        """Note one mistake."""
        self.problems.append(Problem(self.path, line, sentence))

    def new_id(self, role: Role) -> str:
        """Cell ids come from question and role, so that they survive a rebuild and a neighbour's edit."""
        place = self.question or (f"after-{self.finished}" if self.finished else "opening")
        stem = f"{place}-{role.replace(' ', '-')}"
        self.counts[stem] = self.counts.get(stem, 0) + 1
        count = self.counts[stem]
        return stem if role == "answer" and count == 1 else f"{stem}-{count}"

    def add(self, kind: Any, source: str, line: int, role: Role, tags: tuple[str, ...] = ()) -> None:
        """Keep one cell."""
        self.cells.append(Cell(kind, source, line, role, self.question, self.new_id(role), tags))

    def raw(self, source: str, line: int) -> None:
        """Read a raw cell: the configuration, or the border of a block."""
        first = source.split("\n", 1)[0].strip()
        if re.match(r"#\s+ASSIGNMENT CONFIG", first, re.IGNORECASE):
            self.read_config(source, line)
            self.add("raw", source, line, "config")
            return
        found = BOUNDARY.match(first)
        if not found:
            self.wrong(
                line, f'raw cell "{first}" is not understood. Otter knows "# BEGIN QUESTION" and its like.'
            )
            return
        verb, block = found[1].upper(), found[2].upper()
        if verb == "BEGIN":
            self.begin(block, source, line)
        else:
            self.end(block, source, line)

    def begin(self, block: str, source: str, line: int) -> None:
        """Open a block."""
        if block == "QUESTION" or block.endswith("HELPERS"):
            for name, opened in self.open:
                self.wrong(
                    opened, f'"# BEGIN {name}" is never closed. Add "# END {name}" before line {line}.'
                )
            self.open.clear()
            self.question = None
        elif not self.open or self.open[0][0] != "QUESTION":
            self.wrong(
                line, f'"# BEGIN {block}" stands outside a question. Put it after a "# BEGIN QUESTION".'
            )
        elif len(self.open) > 1:
            name, opened = self.open.pop()
            self.wrong(opened, f'"# BEGIN {name}" is never closed. Add "# END {name}" before line {line}.')
        if block == "QUESTION":
            self.begin_question(source, line)
        elif block == "SOLUTION" and self.question:
            self.answered.add(self.question)
        self.open.append((block, line))
        self.add("raw", source, line, "boundary")

    def begin_question(self, source: str, line: int) -> None:
        """Read a question's name and points."""
        options = self.read_yaml(source, line)
        unreadable = options is None  # said already; the question is open all the same
        name, points = (options or {}).get("name"), (options or {}).get("points")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name):
            if not unreadable:
                self.wrong(line, "the question has no name that begins with a letter, such as: name: q1")
            name = f"unnamed_{line}"
        if name in self.question_lines:
            self.wrong(
                line,
                f"question {name} exists already, in line {self.question_lines[name]}. Rename one of them.",
            )
        if not _is_number(points) or not points > 0:
            if not unreadable:
                self.wrong(line, f"question {name} has no points. Add a line such as: points: 2")
            points = 0
        self.question = name
        self.question_lines.setdefault(name, line)
        self.question_points[name] = float(points)
        self.checks.setdefault(name, [])

    def end(self, block: str, source: str, line: int) -> None:
        """Close a block, and say which inner ones were left open."""
        if block not in [name for name, _ in self.open]:
            self.wrong(
                line, f'"# END {block}" closes nothing. Add "# BEGIN {block}" before it, or remove it.'
            )
            return
        while self.open and self.open[-1][0] != block:
            name, opened = self.open.pop()
            self.wrong(opened, f'"# BEGIN {name}" is never closed. Add "# END {name}" before line {line}.')
        self.open.pop()
        self.add("raw", source, line, "boundary")
        if block == "QUESTION":
            self.finished, self.question = self.question, None

    def read_yaml(self, source: str, line: int) -> dict[str, Any] | None:
        """Read the settings that begin in a line; None, and a mistake noted, where they are not YAML."""
        try:
            options = yaml.safe_load(source)
        except yaml.YAMLError as error:
            self.problems.append(_yaml_problem(self.path, line, error))
            return None
        return options if isinstance(options, dict) else {}

    def read_config(self, source: str, line: int) -> None:
        """Read Otter's settings and insist on those that the build relies on."""
        if self.config is not None:
            self.wrong(line, '"# ASSIGNMENT CONFIG" stands here a second time. Keep one.')
        found = self.read_yaml(source, line)
        self.config = found or {}
        if found is None:
            return
        for key, value in REQUIRED_CONFIG.items():
            if self.config.get(key) != value:
                self.wrong(
                    line, f"the settings must say {key}: {value}. Otter would do something else by itself."
                )
        if "runs_on" in self.config:
            self.wrong(
                line, "runs_on must go: Otter refuses such tests on Colab, and the first cell sees to it."
            )
        wanted = self.config.get("requirements", [])
        if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
            self.wrong(
                line, "requirements is not a list of packages. Write, for example: requirements: [numpy]"
            )

    def fences(self, source: str, line: int) -> None:
        """Find a cell that begins inside another one: its fence, or the one before it, is mistyped."""
        for number, text in enumerate(source.split("\n"), start=line):
            if text.startswith("```{"):
                fence = text.split("}")[0] + "}"
                self.wrong(
                    number,
                    f"{fence} begins no cell here. Cells are ```{{code-cell}} and ```{{raw-cell}}, and the "
                    "one before it must be closed with ```.",
                )

    def load(self, book: Path, name: str, source: str, line: int) -> str:
        """Read a cell that the book's chapters and the exercises share, written once."""
        if source.strip():
            self.wrong(line, "a cell with :load: is that file and nothing else. Move the other lines.")
        try:
            return (book / name).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            self.wrong(line, f"book/{name} cannot be loaded ({error.strerror}). Name a file under book/.")
            return ""

    def pack(self, book: Path, name: str, source: str, line: int) -> str:
        """Read a folder of the book's that is a Python package, for checks that cannot import it.

        Gives code that makes it importable under its own name, from texts within the cell.
        """
        if source.strip():
            self.wrong(line, "a cell with :pack: is that folder and nothing else. Move the other lines.")
        modules = {path.stem: path.read_text(encoding="utf-8") for path in sorted((book / name).glob("*.py"))}
        package = Path(name).name
        if "__init__" not in modules:
            self.wrong(line, f"book/{name} is no Python package. Name a folder under book/ with __init__.py.")
        texts = {package if stem == "__init__" else f"{package}.{stem}": modules[stem] for stem in modules}
        return PACKED.replace("@@texts@@", repr(texts))

    def code(self, source: str, line: int, tags: tuple[str, ...]) -> None:
        """Read a code cell according to the block that it stands in."""
        block = self.open[-1][0] if self.open else None
        roles: dict[str | None, Role] = {
            "TESTS": "test",
            "SOLUTION": "answer",
            "CHECK HELPERS": "helper",
            "HIDDEN HELPERS": "hidden helper",
            "WRONG ANSWERS": "wrong",
            "RIGHT ANSWERS": "right",
        }
        role = roles.get(block, "code")
        tree = self.parse(source, line)
        if role == "answer":
            self.solution_lines(source, line)
        elif role in ("wrong", "right"):
            self.known.append((self.question or "", "wrong" if role == "wrong" else "right", source, line))
        elif "# BEGIN SOLUTION" in source or "# END SOLUTION" in source:
            self.wrong(
                line,
                "a solution outside its block would reach the students. Put it in # BEGIN SOLUTION cells.",
            )
        if role == "test" and tree is not None:
            self.test(source, line, tree)
        self.add("code", source, line, role, tags)

    def parse(self, source: str, line: int) -> ast.Module | None:
        """Compile a cell, so that a typing mistake is found before Otter runs."""
        try:
            return ast.parse(source)
        except SyntaxError as error:
            self.wrong(line + (error.lineno or 1) - 1, f"this is not Python: {error.msg}.")
            return None

    def solution_lines(self, source: str, line: int) -> None:
        """Check the comments that fence the lines of a solution."""
        opened: int | None = None
        fenced = False
        for number, text in enumerate(source.split("\n"), start=line):
            mark = text.strip()
            if mark.startswith("# BEGIN SOLUTION"):
                if opened:
                    self.wrong(opened, '"# BEGIN SOLUTION" is never closed. Add "# END SOLUTION".')
                opened, fenced = number, True
            elif mark == "# END SOLUTION":
                if not opened:
                    self.wrong(number, '"# END SOLUTION" closes nothing. Add "# BEGIN SOLUTION" before it.')
                opened = None
        if opened:
            self.wrong(opened, '"# BEGIN SOLUTION" is never closed. Add "# END SOLUTION".')
        if not fenced and "# SOLUTION" not in source:
            self.wrong(
                line, "nothing in this solution is fenced, so students would get it. Add # BEGIN SOLUTION."
            )

    def test(self, source: str, line: int, tree: ast.Module) -> None:
        """Read one check: its settings, then one function and nothing else."""
        if self.question is None:
            return
        heading = TEST_CONFIG.match(source)
        if not heading:
            self.wrong(
                line, 'the check does not begin with its settings. Add """ # BEGIN TEST CONFIG … with points.'
            )
            return
        options = self.read_yaml(heading[1], line + 1)  # behind the line of the opening quotes
        if options is None:
            return
        for key in sorted(options.keys() - TEST_KEYS):
            self.wrong(
                line, f"the check's setting {key} is unknown. Otter reads {', '.join(sorted(TEST_KEYS))}."
            )
        for key in ("success_message", "failure_message"):
            if re.search(r'["\\\n]', str(options.get(key) or "")):
                self.wrong(
                    line,
                    f"the {key} has a double quote, a backslash or a line break in it, which breaks Otter's "
                    "test file without a word. Use single quotes and one line.",
                )
        points = options.get("points")
        if not _is_number(points) or not points >= 0:
            self.wrong(line, "the check has no points. Add a line such as: points: 1")
            points = 0
        if not isinstance(options.get("hidden", False), bool):
            self.wrong(line, f"hidden is {options['hidden']!r}. Write hidden: true or hidden: false.")
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        if len(functions) != 1 or len(tree.body) != 2:
            self.wrong(
                line,
                "a check is its settings and one function test_…, nothing else. Put helpers in helper cells.",
            )
            return
        name = functions[0].name
        if not name.startswith("test_"):
            self.wrong(line, f"the check {name} must be called test_…, or it will not be run.")
        for other in self.checks[self.question]:
            if other.name == name:
                self.wrong(
                    line,
                    f"{name} exists already in line {other.line} and would be replaced. Rename one of them.",
                )
        body = source[heading.end() :]
        self.checks[self.question].append(Check(name, body, float(points), bool(options.get("hidden")), line))

    def finish(self, header: dict[str, Any]) -> Master:
        """Check what can only be seen at the end, then hand over the master or all its mistakes."""
        for name, opened in self.open:
            self.wrong(opened, f'"# BEGIN {name}" is never closed. Add "# END {name}".')
        if self.config is None:
            self.wrong(1, 'there is no "# ASSIGNMENT CONFIG" cell. Copy the one of another master.')
        about = header.get("mostly_harmless")
        about = about if isinstance(about, dict) else {}
        points = self.number(about, "points")
        minutes = self.number(about, "minutes")
        seconds = self.number({"seconds": SECONDS} | about, "seconds")
        if about.get("slug") != self.slug:
            self.wrong(
                1,
                f"mostly_harmless.slug is {about.get('slug')!r}, the file is {self.slug}.md. Correct one.",
            )
        if not isinstance(about.get("chapter"), str):
            self.wrong(1, "mostly_harmless.chapter is missing. Name the chapter that this exercise follows.")
        again = about.get("again", {})
        for name, earlier in again.items() if isinstance(again, dict) else [("", again)]:
            if name not in self.question_lines or str(earlier) not in self.answered or name in self.answered:
                self.wrong(
                    1,
                    f"mostly_harmless.again has {name}: {earlier}. Write the name of a question without a "
                    "solution, and the one whose functions it asks for again, such as q6: q5.",
                )
                again = {}
        patience = about.get("patience", {})
        if not isinstance(patience, dict) or not all(
            name in self.question_lines and _is_number(seconds) and seconds > 0
            for name, seconds in patience.items()
        ):
            self.wrong(
                1, "mostly_harmless.patience is no list of questions and CPU-seconds. Write it like {q5: 5}."
            )
            patience = {}
        questions = tuple(
            self.finish_question(name, again.get(name, name), float(patience.get(name, PATIENCE)))
            for name in self.question_lines
        )
        total = sum(question.points for question in questions)
        if not questions:
            self.wrong(1, 'there is no question. Begin one with a raw cell "# BEGIN QUESTION".')
        elif points and all(question.points for question in questions) and total != points:
            self.wrong(
                1,
                f"the questions add up to {total:g} points, mostly_harmless.points says {points:g}. "
                "Make them agree.",
            )
        title = self.finish_title()
        self.finish_pictures()
        if self.problems:
            raise MasterError(self.problems)
        return Master(
            slug=self.slug,
            points=points,
            minutes=int(minutes),
            seconds=seconds,
            chapter=about["chapter"],
            title=title,
            metadata=header,
            config=self.config or {},
            cells=tuple(self.cells),
            questions=questions,
        )

    def number(self, about: dict[str, Any], key: str) -> float:
        """Read a positive number from the header."""
        value = about.get(key)
        if not _is_number(value) or not value > 0:
            self.wrong(1, f"mostly_harmless.{key} is missing or not a number. Add it to the header.")
            return 0
        return float(value)

    def finish_question(self, name: str, source: str, patience: float) -> Question:
        """Check one question as a whole. ``source`` is the one whose functions it asks for: mostly itself."""
        line, points, checks = self.question_lines[name], self.question_points[name], self.checks[name]
        if source not in self.answered:
            self.wrong(line, f'question {name} has no solution. Add "# BEGIN SOLUTION".')
        if not any(not check.hidden for check in checks):
            self.wrong(line, f"question {name} has no open check, so students could not try it. Add one.")
        if not any(check.hidden for check in checks):
            self.wrong(
                line,
                f"question {name} has no hidden check, so knowing the examples by heart is enough. Add one.",
            )
        total = sum(check.points for check in checks)
        if checks and points and total != points:
            self.wrong(
                line,
                f"question {name} has {points:g} points, its checks add up to {total:g}. Make them agree.",
            )
        if not any(owner == name and kind == "wrong" for owner, kind, _, _ in self.known):
            self.wrong(
                line,
                f"question {name} has no wrong answer, so nobody knows what its checks would catch. "
                'Add "# BEGIN WRONG ANSWERS".',
            )
        prompts = [cell for cell in self.cells if cell.question == name and cell.kind == "markdown"]
        if not prompts or not prompts[0].source.startswith("## "):
            self.wrong(
                line, f'question {name} does not begin with a heading. Add "## …" after "# BEGIN QUESTION".'
            )
        title = prompts[0].source.split("\n", 1)[0].removeprefix("## ").strip() if prompts else ""
        solution = "\n\n\n".join(
            cell.source for cell in self.cells if cell.question == source and cell.role == "answer"
        )
        functions = tuple(re.findall(r"^def (\w+)\(", solution, re.MULTILINE))
        return Question(
            name,
            points,
            line,
            tuple(checks),
            title,
            source,
            patience,
            functions,
            self.finish_answers(name, solution),
        )

    def finish_answers(self, question: str, solution: str) -> tuple[Answer, ...]:
        """Read the known answers of a question, now that its solution is known."""
        found: list[Answer] = []
        for owner, kind, source, line in self.known:
            if owner != question:
                continue
            answer = answers.read(kind, source, line, question, solution, self.read_yaml, self.wrong)
            if answer is None:
                continue
            for other in found:
                if answer.name == other.name:
                    self.wrong(
                        line, f'the answer "{answer.name}" exists already in line {other.line}. Rename it.'
                    )
                if answer.hint and answer.hint == other.hint:
                    self.wrong(
                        line,
                        f'"{answer.name}" has the hint of "{other.name}" in line {other.line}. A hint names '
                        "one mistake: say what is different about this one.",
                    )
            found.append(answer)
        hints = {answer.name: answer.hint for answer in found}
        for position, answer in enumerate(found):
            if answer.like and not hints.get(answer.like):
                self.wrong(
                    answer.line,
                    f'"{answer.name}" is like "{answer.like}", which has no hint. Correct the name.',
                )
            elif answer.like:
                found[position] = replace(answer, hint=hints[answer.like])
        return tuple(found)

    def finish_title(self) -> str:
        """Find the one title, in the first cell that a student sees."""
        texts = [cell for cell in self.cells if cell.kind == "markdown"]
        titles = [cell for cell in texts if re.search(r"^# ", cell.source, re.MULTILINE)]
        if not texts or titles != texts[:1] or not texts[0].source.startswith("# "):
            self.wrong(
                titles[-1].line if titles else 1,
                'a notebook has one title, "# …", at the top of its first text. Make the others "## …".',
            )
            return ""
        return texts[0].source.split("\n", 1)[0].removeprefix("# ").strip()

    def finish_pictures(self) -> None:
        """Insist that whoever cannot see a picture is told what it shows."""
        for cell in self.cells:
            for number, text in enumerate(cell.source.split("\n"), start=cell.line):
                shown = cell.kind == "markdown" and (
                    re.search(r"!\[\s*\]\(", text) or re.search(r"<img(?![^>]*\balt=[\"'][^\"'])", text)
                )
                if shown:
                    self.wrong(number, "the picture has no alt text. Say between [ and ] what it shows.")


def read(path: Path, shown: str | None = None) -> Master:
    """Read the master at ``path``, which messages call ``shown``. Raises MasterError with every mistake."""
    shown = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with an invisible mark
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise MasterError([Problem(shown, line, "this is not UTF-8 text. Save the file as UTF-8.")]) from None
    return parse(text, path.stem, shown, path.parent.parent / "book")


def parse(text: str, slug: str, path: str, book: Path = Path("book")) -> Master:
    """Read a master from its text. A cell with ``:load:`` is a file of the book's, named from there."""
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        raise MasterError([_unreadable(path, error)]) from None
    header: dict[str, Any] = dict(notebook.metadata)
    starts: list[int] = header.pop("source_map")
    if "jupytext" not in header or "kernelspec" not in header:
        sentence = "the header has no jupytext or no kernelspec. Copy the first lines of another master."
        raise MasterError([Problem(path, 1, sentence)])
    reader = _Reader(path, slug)
    lines = text.split("\n")
    for cell, start in zip(notebook.cells, starts, strict=True):
        line = _first_line(lines, start, cell.source)
        tags = tuple(cell.metadata.get("tags", ()))
        reader.fences(cell.source, line)
        for option, read in (("load", reader.load), ("pack", reader.pack)):
            if option in cell.metadata:
                cell.source = read(book, str(cell.metadata[option]), cell.source, line)
        if cell.cell_type == "raw":
            reader.raw(cell.source, line)
        elif cell.cell_type == "code":
            reader.code(cell.source, line, tags)
        elif reader.open and reader.open[-1][0] in NO_TEXT:
            reader.wrong(
                line, f"text stands inside # BEGIN {reader.open[-1][0]}, where only code can. Move it out."
            )
        else:
            reader.add("markdown", cell.source, line, "text", tags)
    return reader.finish(header)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _yaml_problem(path: str, line: int, error: yaml.YAMLError) -> Problem:
    """Say in one sentence what is wrong in YAML that begins in line ``line`` of the master."""
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "it cannot be read"
    return Problem(path, line + (mark.line if mark else 0), f"the settings are not valid YAML: {said}.")


def _unreadable(path: str, error: Exception) -> Problem:
    """Say why jupytext could not take a master apart."""
    found = re.search(r"cell \d+ at line (\d+)", str(error))
    line = int(found[1]) if found else 2  # the header begins behind its ---
    cause = error.__context__ if isinstance(error, MystMetadataParsingError) else error
    if isinstance(cause, yaml.YAMLError):
        return _yaml_problem(path, line, cause)
    return Problem(path, line, f"{' '.join(str(error).split())}.")


def _first_line(lines: list[str], start: int, source: str) -> int:
    """Find the line, counted from 1, on which a cell's source begins: behind fence, options, blank lines."""
    first = source.split("\n", 1)[0]
    for number in range(start, min(start + 40, len(lines))):
        if lines[number].rstrip() == first.rstrip():
            return number + 1
    return start + 1
