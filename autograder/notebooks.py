"""From the bytes of a notebook to its cells: read, never run; without outputs; a fault is one sentence."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import Unreadable
from autograder.files import is_notebook, shown

AGAIN = "download the notebook once more as .ipynb and hand in that file"
NEWEST = 4  # the newest format that exists
CELL_ID = re.compile(r"(?!cell-)[a-zA-Z0-9_-]{1,64}")  # those with cell- are given here
CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
MOST_CELLS = 5000  # of exercises with some forty; each one costs memory
KINDS = {"code": "code", "markdown": "markdown", "heading": "markdown"}  # headings: up to format 3
# Names at the left margin. Read as text: cells may hold "%" and "!" lines, and mistakes.
DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=(?!=)", re.MULTILINE)
OTHER_KERNELS = re.compile(r"ir$|julia|octave|matlab|javascript|deno|bash|scala|ruby|rust")


@dataclass(frozen=True)
class Notebook:
    """What is kept of a notebook: a valid document of format 4.5, its exercise, and what was put right."""

    document: dict[str, Any]
    slug: str
    notes: tuple[str, ...]

    def defined(self) -> set[str]:
        """Return the names that its code cells define at the left margin."""
        sources = (cell["source"] for cell in self.document["cells"] if cell["cell_type"] == "code")
        return {one or other for source in sources for one, other in DEFINED.findall(source)}


def parse(content: bytes, name: str) -> Notebook:
    """Read a notebook from its bytes. Raises Unreadable with one sentence: what, where, what to do."""
    name = shown(name)
    raw = _load(_decode(content, name), name)
    metadata = _mapping(raw.get("metadata"))
    _check_language(metadata, name)
    notes = []
    version = _version(raw.get("nbformat"))
    if version > NEWEST:
        notes.append(f"It says that its format is {version}; it was read as format {NEWEST}.")
    listed, left_out = _listed_cells(raw), 0
    if len(listed) > MOST_CELLS:
        raise Unreadable(f"{name} has more than {MOST_CELLS:,} cells: hand in a notebook with fewer.")
    cells: list[dict[str, Any]] = []
    ids: set[str] = set()
    for cell in listed:
        if isinstance(cell, dict):
            cells.append(_cell(cell, ids))
        else:
            left_out += 1
    if not cells:
        raise Unreadable(f"{name} has no cells: {AGAIN}.")
    if left_out:
        notes.append(f"Left out, because they are no cells: {left_out}.")
    document = {
        "cells": cells,
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    slug = _mapping(metadata.get("mostly_harmless")).get("slug")
    return Notebook(document, slug if isinstance(slug, str) else "", tuple(notes))


def exercise(notebook: Notebook, asked: str, functions: Mapping[str, Sequence[str]]) -> str:
    """Say which exercise a notebook is, by its name in the metadata, else by the functions that it defines.

    functions  slug to the names of the functions that the exercise asks for
    returns    a slug, empty if it is none of them; of equals the one that was asked for
    """
    if notebook.slug in functions:
        return notebook.slug
    defined = notebook.defined()
    counts = {slug: len(defined & set(names)) for slug, names in functions.items()}
    best = max(counts, key=lambda slug: (counts[slug], slug == asked), default="")
    return best if counts.get(best) else ""


def _decode(content: bytes, name: str) -> str:
    """Turn bytes into text, with or without a byte order mark. Raises Unreadable."""
    if not content.strip():
        raise Unreadable(f"{name} is empty: save the notebook, {AGAIN}.")
    if content.startswith(b"PK\x03\x04"):
        raise Unreadable(f"{name} is a zip and not a notebook: {AGAIN}.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:200]:
        raise Unreadable(f"{name} is not saved as UTF-8 but as UTF-16 or as no text at all: {AGAIN}.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"{name} is not saved as UTF-8 (line {line}): {AGAIN}.") from error


def _load(text: str, name: str) -> dict[str, Any]:
    """Turn text into what JSON says, without outputs. Raises Unreadable."""
    try:
        # Outputs go while reading: they are the bulk, and what they hold need not be valid.
        raw = json.loads(text, object_hook=_without_outputs)
        json.dumps(raw, allow_nan=False)
    except json.JSONDecodeError as error:
        raise Unreadable(_why_no_json(text, error, name)) from error
    except RecursionError as error:
        raise Unreadable(f"{name} holds lists in lists without end: {AGAIN}.") from error
    except ValueError as error:
        raise Unreadable(
            f"{name} holds a number that is none (NaN, Infinity or thousands of digits): {AGAIN}."
        ) from error
    if not isinstance(raw, dict):
        raise Unreadable(f"{name} is JSON but not a notebook, as it begins with a list or a value: {AGAIN}.")
    return raw


def _without_outputs(read: dict[str, Any]) -> dict[str, Any]:
    """Drop the outputs of a cell."""
    if "cell_type" in read:
        read.pop("outputs", None)
    return read


def _why_no_json(text: str, error: json.JSONDecodeError, name: str) -> str:
    """Say what the text is, if it is something that people hand in by mistake."""
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype html", "<html", "<?xml")):
        return f"{name} is a web page, perhaps one that asks to log in: {AGAIN}."
    if found := CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        return f"{name} holds a git conflict (line {line}): resolve it and hand in the notebook again."
    if not is_notebook(name) or not start.startswith(("{", "[")):
        return f"{name} is not a notebook: {AGAIN}."
    if error.msg.startswith("Unterminated string") or not text[error.pos + 5 :].strip():
        return f"{name} is cut off (line {error.lineno}): {AGAIN}."
    return f"{name} is damaged (line {error.lineno}, column {error.colno}): {AGAIN}."


def _check_language(metadata: Mapping[str, Any], name: str) -> None:
    """Raise Unreadable for a notebook in another language; one that does not say is taken for Python."""
    kernel = _mapping(metadata.get("kernelspec"))
    told = [_mapping(metadata.get("language_info")).get("name"), kernel.get("language")]
    language = next((value for value in told if isinstance(value, str) and value), "")
    kernel_name = _text(kernel.get("name")).lower()
    if not language and OTHER_KERNELS.match(kernel_name):
        language = kernel_name
    if language and "python" not in language.lower():
        raise Unreadable(
            f"{name} is written for {shown(language)}: choose the kernel Python 3, save it and hand it in."
        )


def _version(value: Any) -> int:
    """Read the number of the format, which some programs write as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value):
        return int(value)
    return value if isinstance(value, int) else NEWEST


def _listed_cells(raw: Mapping[str, Any]) -> list[Any]:
    """Return the cells; up to format 3 they lie in worksheets."""
    cells = raw.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = raw.get("worksheets")
    lists = [_mapping(sheet).get("cells") for sheet in sheets] if isinstance(sheets, list) else []
    return [cell for listed in lists if isinstance(listed, list) for cell in listed]


def _cell(raw: Mapping[str, Any], ids: set[str]) -> dict[str, Any]:
    """Keep of a cell its kind, source, tags and id; give it an id that no other has."""
    id_ = raw.get("id")
    if not isinstance(id_, str) or not CELL_ID.fullmatch(id_) or id_ in ids:
        id_ = f"cell-{len(ids) + 1}"
    ids.add(id_)
    tags = _mapping(raw.get("metadata")).get("tags")
    kept = [_text(tag) for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    kind = KINDS.get(_text(raw.get("cell_type")), "raw")
    cell = {
        "cell_type": kind,
        "id": id_,
        "metadata": {"tags": kept} if kept else {},
        "source": _text(raw["source"] if "source" in raw else raw.get("input")),  # format 3 says input
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _text(source: Any) -> str:
    """Join a source, which may be text, a list of lines or nothing; half characters are replaced."""
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str)).encode(errors="replace").decode()


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, empty where the value is none."""
    return value if isinstance(value, dict) else {}
