"""What an exercise's notebook says about itself; nothing of it is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from notebook_text import Missing

FOLDER = "exercises"
METADATA = "mostly_harmless"


@dataclass(frozen=True)
class ExerciseNotebook:
    """An exercise as its page and its box show it; ``chapter`` is the slug of the chapter it belongs to."""

    slug: str
    title: str
    points: int
    minutes: int
    chapter: str


def exercise_path(root: Path, slug: str) -> Path:
    """Return where the notebook of an exercise lies."""
    return root / FOLDER / f"{slug}.ipynb"


def read_exercise(root: Path, slug: str) -> ExerciseNotebook:
    """Read an exercise's title and facts.

    root  the folder that holds ``exercises/``
    Raises Missing if there is no such exercise or something about it is not said.
    """
    path = exercise_path(root, slug)
    where = f"{FOLDER}/{slug}.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError as error:
        raise Missing(f"no exercise is called {slug!r}: there is no {where}.") from error
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise Missing(f"{where} cannot be read as a notebook: {error}.") from error
    facts = notebook.metadata.get(METADATA, {})
    missing = [name for name in ("slug", "points", "minutes", "chapter") if name not in facts]
    if missing:
        raise Missing(f"{where} does not say its {', '.join(missing)} (in the metadata {METADATA!r}).")
    if facts["slug"] != slug:
        raise Missing(f"{where} says that it is {facts['slug']!r}. Name the file after the exercise.")
    title = _title(notebook, where)
    return ExerciseNotebook(slug, title, facts["points"], facts["minutes"], facts["chapter"])


def _title(notebook: nbformat.NotebookNode, where: str) -> str:
    for cell in notebook.cells:
        match = re.search(r"^# +(.+?)[ #]*$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and match:
            return re.sub(r"[*_`]", "", match.group(1))
    raise Missing(f"{where} has no title: no Markdown cell holds a line that begins with one #.")
