"""From a master and what Otter Assign made of it to the files that leave the house. Pure: touches no disk.

The same master gives the same bytes everywhere: cell ids come from the master, JSON is sorted, zips carry one
date, outputs are dropped. That is why "in step" can be checked with ``==``.
"""

import ast
import base64
import bz2
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder import archives, bundles, showing
from autograder.errors import BuildError
from autograder.parts import Master, Question
from autograder.settings import Settings

# Otter's first line in every test file; the helpers go right behind it.
OTTER_IMPORT = "from otter.test_files import test_case\n"
IMPORT = re.compile(r"^\s*(?:import ([\w.]+)|from ([\w.]+) import )", re.MULTILINE)
# How a cell is folded in JupyterLab and on Colab; on the site the tag does it.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}
GRADESCOPE_NOTES = """\
# {title}: notes for Gradescope

Upload this zip as the autograder of a programming assignment worth {points:g} points.

- Students upload one file, the notebook (.ipynb) that they downloaded.
- {memory}
- Students see at once what the open checks say. What the hidden ones say stays with you, unless you put
  "show_hidden": true into otter_config.json in this zip; then they see it when you publish grades.
- The hidden checks draw their numbers from a seed: set AUTOGRADER_SEED to one of your own before you build.
"""
# What to say about memory, without PyTorch and with it.
SMALL_ENOUGH = """\
Gradescope's containers start with half a core and 768 MB, which is enough for this exercise. PyTorch is not
  installed there: if your students may use it, add it to environment.yml in this zip, and choose 1 core and
  1.5 GB or more (Settings, Autograder, Container specifications)."""
TOO_SMALL = """\
Gradescope's containers start with half a core and 768 MB, which is too little: the checks of this exercise
  use PyTorch. Choose 1 core and 1.5 GB or more (Settings, Autograder, Container specifications).
  environment.yml in this zip installs PyTorch, which is large: building the container takes its time."""


@dataclass(frozen=True)
class Assigned:
    """What Otter Assign produced: two notebooks and the files of its bundle."""

    student: dict[str, Any]
    solved: dict[str, Any]
    bundle: Mapping[str, bytes]


@dataclass(frozen=True)
class Product:
    """One exercise, built: everything that is written to the disk."""

    slug: str
    student: bytes
    solved: bytes
    bundle: bytes
    points: float
    questions: int


@dataclass(frozen=True)
class Templates:
    """The texts that every notebook and check file gets."""

    setup_cell: str
    checks: str
    hints: str
    pictures: str


def for_otter(master: Master, pins: Mapping[str, str]) -> bytes:
    """Write the notebook that Otter Assign reads: the master without our helper cells, versions filled in."""
    cells = []
    for cell in master.cells:
        if cell.ours:
            continue
        source = cell.source
        if cell.role == "config":
            config = dict(master.config)
            config["requirements"] = [pinned(name, pins) for name in config.get("requirements", ())]
            source = "# ASSIGNMENT CONFIG\n" + json.dumps(config, sort_keys=True)  # JSON is YAML
        metadata: dict[str, Any] = {"mostly_harmless_id": cell.id}
        if cell.tags:
            metadata["tags"] = list(cell.tags)
        cells.append(
            {"cell_type": cell.kind, "id": cell.id, "metadata": metadata, "source": source}
            | _empty(cell.kind)
        )
    return dump({"cells": cells, "metadata": _metadata(master), "nbformat": 4, "nbformat_minor": 5})


def pinned(name: str, pins: Mapping[str, str]) -> str:
    """Give a package its exact version."""
    if name.lower() not in pins:
        raise BuildError(
            f"requirements.txt has no exact version of {name}, which an exercise asks for. Pin it there."
        )
    return f"{name}=={pins[name.lower()]}"


def product(
    master: Master,
    assigned: Assigned,
    templates: Templates,
    settings: Settings,
    tables: Mapping[str, Any],
) -> Product:
    """Make the files of one exercise. ``tables`` hold, for each question, what known mistakes produce."""
    setup = setup_cell(master, templates, settings.pins, tables)
    student, solved = notebook(master, assigned.student, setup), notebook(master, assigned.solved, setup)
    return Product(
        slug=master.slug,
        student=student,
        solved=solved,
        bundle=bundle(
            master,
            {**assigned.bundle, bundles.ABOUT: about(master, student, solved, tables)},
            templates,
            settings,
        ),
        points=master.points,
        questions=len(master.questions),
    )


def open_checks(master: Master, templates: Templates) -> dict[str, str]:
    """Write, for each question, the check file that a student gets: Otter's format, open checks only."""
    files = {}
    for question in master.questions:
        tests = [
            f"@test_case(points={check.points!r}, hidden=False)\n{check.source.strip()}\n"
            for check in question.checks
            if not check.hidden
        ]
        head = f'OK_FORMAT = False\n\nname = "{question.name}"\npoints = None\n'
        files[question.name] = "\n\n".join([_prelude(master, templates, None).rstrip(), head, *tests])
    return files


def setup_cell(
    master: Master, templates: Templates, pins: Mapping[str, str], tables: Mapping[str, Any]
) -> str:
    """Write the first code cell of the notebook: open checks and what finds a hint are packed into it."""
    files = open_checks(master, templates)
    questions = {
        question.name: {
            "file": files[question.name],
            "functions": question.functions,
            "hidden": question.hidden,
            "points": _whole(question.points),
            "table": tables[question.name],
            "title": question.title,
        }
        for question in master.questions
    }
    content = {"hints": templates.hints, "pictures": templates.pictures, "questions": questions}
    # bz2 and not zlib or xz: there is one bzip2, and it has given the same bytes for decades.
    packed = base64.b64encode(bz2.compress(json.dumps(content, sort_keys=True).encode())).decode()
    broken = "\n".join(packed[i : i + 110] for i in range(0, len(packed), 110))
    versions = {"checks": broken, **pins}
    return re.sub(r"@@([\w-]+)@@", lambda found: versions[found[1]], templates.setup_cell).rstrip("\n")


def unpack_checks(source: str) -> str:
    """Return, from a setup cell's source, the text of the open checks in it."""
    found = re.search(r'packed = """\n(.*?)\n"""', source, re.DOTALL)
    return bz2.decompress(base64.b64decode(found[1])).decode() if found else ""


def notebook(master: Master, otter: Mapping[str, Any], setup: str) -> bytes:
    """Turn one of Otter's notebooks into ours: setup cell, our checks, points under headings, fixed ids."""
    first_prompt: dict[str, str] = {}  # id of the first text of a question -> its name
    for cell in master.cells:
        if cell.kind == "markdown" and cell.question and cell.question not in first_prompt.values():
            first_prompt[cell.id] = cell.question
    questions = {question.name: question for question in master.questions}
    cells: list[dict[str, Any]] = []
    for cell in otter["cells"]:
        metadata = dict(cell["metadata"])
        identity = metadata.pop("mostly_harmless_id", None)
        source = "".join(cell["source"])
        if identity is None:
            found = re.fullmatch(r'grader\.check\("(\w+)"\)', source.strip())
            if not found:
                raise BuildError(f"Otter Assign added a cell that the build does not know: {source!r}.")
            # In grading the checks run at the end; this cell would only meet a missing name there.
            cells.append(_code(f"{found[1]}-check", f'check("{found[1]}")', ["otter_ignore"]))
            continue
        if identity in first_prompt:
            source = _with_points(source, questions[first_prompt[identity]])
        if not cells and cell["cell_type"] == "markdown":
            source = _with_total(source, master)
        tags = [tag for tag in metadata.get("tags", ()) if not tag.startswith("otter_")]
        kept: dict[str, Any] = {"tags": tags} if tags else {}
        if "hide-input" in tags:
            kept |= FOLDED
        cells.append({"cell_type": cell["cell_type"], "id": identity, "metadata": kept, "source": source})
        cells[-1] |= _empty(cell["cell_type"])
        if len(cells) == 1:
            cells.append(_code("setup", setup, ["hide-input", "otter_ignore"]))
            # Four screens of letters would be the first thing to see.
            cells[-1]["metadata"] |= FOLDED
    return dump({"cells": cells, "metadata": _metadata(master), "nbformat": 4, "nbformat_minor": 5})


def bundle(master: Master, files: Mapping[str, bytes], templates: Templates, settings: Settings) -> bytes:
    """Turn Otter's zip into ours: helpers and settings in its tests, notes for Gradescope, fixed dates."""
    prelude = _prelude(master, templates, settings)
    content = dict(files)
    for question in master.questions:
        name = f"tests/{question.name}.py"
        text = content[name].decode() if name in content else ""
        if not text.startswith(OTTER_IMPORT):
            raise BuildError(
                f"Otter Assign's bundle for {master.slug} has no {name} in the form that the build knows."
            )
        content[name] = (prelude + text.removeprefix(OTTER_IMPORT)).encode()
        _compile(content[name], f"{master.slug}: {name}")
    content["GRADESCOPE.md"] = gradescope_notes(master).encode()
    config = json.loads(content.get("otter_config.json", b"{}"))
    content["otter_config.json"] = (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()
    return archives.pack(content)


def about(master: Master, student: bytes, solved: bytes, tables: Mapping[str, Any]) -> bytes:
    """Write what the class grader must know besides the checks. student, solved: the two notebooks."""
    questions = [
        {
            "name": question.name,
            "title": question.title,
            "points": question.points,
            "functions": question.functions,
            "table": tables[question.name],
        }
        for question in master.questions
    ]
    content = {
        "slug": master.slug,
        "title": master.title,
        "chapter": master.chapter,
        "points": master.points,
        "seconds": master.seconds,
        "given": _sources(student, ignored=False),
        "likely": likely_imports(master),
        "showing": showing.showing(_sources(solved, ignored=False)),
        "ignored": [
            hashlib.sha256(source.encode()).hexdigest() for source in _sources(student, ignored=True)
        ],
        "questions": questions,
    }
    return (json.dumps(content, sort_keys=True) + "\n").encode()


def likely_imports(master: Master) -> list[str]:
    """Name the modules that students import besides those that they are given: the known answers do.

    Not PyTorch: a process that has imported it takes three times as long to fork.
    """
    sources = [answer.source for question in master.questions for answer in question.answers]
    found = {one or other for source in sources for one, other in IMPORT.findall(source)}
    return sorted(name for name in found if name.split(".")[0] not in ("torch", "torchvision"))


def _sources(notebook: bytes, *, ignored: bool) -> list[str]:
    """Return the code cells of a notebook that grading runs, or those that it ignores."""
    return [
        "".join(cell["source"])
        for cell in json.loads(notebook)["cells"]
        if cell["cell_type"] == "code" and ("otter_ignore" in cell["metadata"].get("tags", ())) == ignored
    ]


def is_from(master: Master, tests: Mapping[str, str], templates: Templates, settings: Settings) -> bool:
    """Whether check files (question to text) are what a master and settings make. Does not run Otter."""
    prelude = _prelude(master, templates, settings)
    return tests.keys() == {question.name for question in master.questions} and all(
        tests[question.name].startswith(prelude)
        # Otter writes checks in its own layout.
        and _functions("\n".join(check.source for check in question.checks))
        == _functions(tests[question.name].removeprefix(prelude))
        for question in master.questions
    )


def _functions(source: str) -> list[str]:
    """Return the functions of a text without their decorators, in one layout."""
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    for function in found:
        function.decorator_list.clear()
    return sorted(map(ast.dump, found))


def gradescope_notes(master: Master) -> str:
    """Tell an instructor how to set Gradescope up; an exercise that uses PyTorch needs more memory."""
    asks_for_torch = "torch" in [name.lower() for name in master.config.get("requirements", ())]
    memory = TOO_SMALL if asks_for_torch else SMALL_ENOUGH
    return GRADESCOPE_NOTES.format(title=master.title, points=master.points, memory=memory)


def dump(content: Mapping[str, Any]) -> bytes:
    """Write a notebook the way Jupyter does, keys sorted."""
    return (json.dumps(_split(content), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _split(content: Mapping[str, Any]) -> dict[str, Any]:
    """Split sources into lines, so that a change of one line is a change of one line in git."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in content["cells"]]
    return {**content, "cells": cells}


def _prelude(master: Master, templates: Templates, settings: Settings | None) -> str:
    """Write the head of a check file: Otter's import, the helpers of all exercises, those of this one.

    settings  None where there are open checks only, which students may read
    """
    parts: Iterable[str] = [OTTER_IMPORT, templates.checks, master.helpers("helper")]
    if settings is not None:
        chosen = f"SEED = {settings.seed}\nGPU = {settings.gpu!r}"
        parts = [*parts, chosen, master.helpers("hidden helper")]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n\n"


def _compile(source: bytes, where: str) -> None:
    """Make sure that a test file is Python: Otter itself would go on and count 0 of 0 points."""
    try:
        compile(source, where, "exec")
    except SyntaxError as error:
        raise BuildError(
            f"{where}, line {error.lineno}: Otter Assign wrote something that is not Python."
        ) from None


def _with_points(source: str, question: Question) -> str:
    """Put name, points and number of checks under a question's heading."""
    heading, _, rest = source.partition("\n")
    opened, hidden = len(question.checks) - question.hidden, question.hidden
    count = f"{_several(opened, 'open check')} and {_several(hidden, 'hidden one')}"
    return f"{heading}\n\n*Question {question.name} · {_several(question.points, 'point')} · {count}*\n{rest}"


def _with_total(source: str, master: Master) -> str:
    """Put points and time under the title."""
    heading, _, rest = source.partition("\n")
    count = f"{_several(len(master.questions), 'question')} · {_several(master.points, 'point')}"
    return f"{heading}\n\n*{count} · about {master.minutes} minutes*\n{rest}"


def _several(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _code(identity: str, source: str, tags: list[str]) -> dict[str, Any]:
    return {"cell_type": "code", "id": identity, "metadata": {"tags": tags}, "source": source} | _empty(
        "code"
    )


def _empty(kind: str) -> dict[str, Any]:
    """Give what only code cells have; outputs are never kept."""
    return {"execution_count": None, "outputs": []} if kind == "code" else {}


def _metadata(master: Master) -> dict[str, Any]:
    about = {
        "chapter": master.chapter,
        "minutes": master.minutes,
        "points": _whole(master.points),
        "slug": master.slug,
    }
    return {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "mostly_harmless": about | {"title": master.title},
    }


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number
