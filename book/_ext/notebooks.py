"""Every chapter is also a clean notebook: ``notebooks/SLUG.ipynb`` in the site, for Colab and for keeping.

Notebooks are written when the build ends, all of them each time: that takes milliseconds, the number of a
figure may have changed although its own page did not, and what is wrong with a page is said until it is
mended.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

import nbformat
from house_style import house_style
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode
from notebook_buttons import CHAPTERS as FOLDER
from notebook_lookups import BookLookups, forget_glue, keep_glue, keep_plugins_at_hand, merge_glue
from notebook_text import MYST_EXTENSIONS, Missing, PlainText, Problem
from site_address import get_address
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

LICENCE = "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)"

# Tags that only speak to the site; a cell that is removed there is plumbing of the site.
_REMOVED = {"remove-cell", "remove_cell"}
_FOLDED = {"hide-input", "remove-input", "hide-cell"}
_SITE_ONLY = _FOLDED | {"hide-output", "remove-output", "scroll-output", "wrap-output"}


def is_chapter(env: BuildEnvironment, docname: str) -> bool:
    """Return whether a page is executed, and so has a notebook: every MyST notebook but the landing page."""
    path = Path(env.doc2path(docname))
    return (
        docname != env.config.root_doc
        and path.suffix == ".md"
        and is_myst_markdown_notebook(path.read_text(encoding="utf-8"))
    )


def slug_of(docname: str) -> str:
    """Return the name under which a page is known outside the book: the last part of its Sphinx name."""
    return posixpath.basename(docname)


def chapter_notebook(
    source: str, path: Path, lookups: BookLookups, style: str, site: str = ""
) -> tuple[NotebookNode, list[Problem]]:
    """Return a chapter as a notebook, and what in it cannot be written as one.

    source  the chapter's text, with its jupytext header
    path    where it lies (``:load:`` is relative to it)
    style   code that gives figures the book's look, "" for none
    site    where the course is published, "" where nobody knows
    """
    config = MdParserConfig(enable_extensions=set(MYST_EXTENSIONS))
    chapter = read_myst_markdown_notebook(source, config, add_source_map=True, path=path)
    text = PlainText(lookups)
    cells: list[NotebookNode] = [nbformat.v4.new_markdown_cell(_note(lookups))]
    styled = not style
    for cell, start in zip(chapter.cells, chapter.metadata["source_map"], strict=True):
        line = _first_line(source, start)
        if _REMOVED & set(cell.metadata.get("tags", [])):
            continue
        if cell.cell_type == "markdown":
            cells += _markdown_cells(text.markdown(cell.source, line))
        elif cell.cell_type == "code":
            if not styled:
                cells.append(_code_cell(style, ["hide-input"]))
                styled = True
            code = _with_address(cell.source, site)
            cells.append(_code_cell(code, cell.metadata.get("tags", [])))
            cells += _markdown_cells(_figure_text(cell, line, text, lookups))
        else:
            text.problems.append(Problem(line, f"a {cell.cell_type} cell cannot be written into a notebook."))
    slug = slug_of(lookups.docname)
    for number, cell in enumerate(cells):
        cell["id"] = f"{slug[:48]}-{number:03d}"  # an id has at most 64 characters
    notebook = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    return notebook, text.problems


def _first_line(source: str, start: int) -> int:
    """Return the line (from 1) of a cell's first words; ``start`` (from 0) may be a blank line before it."""
    lines = source.split("\n")
    while start < len(lines) - 1 and not lines[start].strip():
        start += 1
    return start + 1


def _note(lookups: BookLookups) -> str:
    course = str(lookups.app.config.html_title)
    note = (
        f"> This notebook is a chapter of the open course *{course}*. Its text and pictures are under "
        f"{LICENCE}, its code under the MIT licence. Run the cells from top to bottom."
    )
    address = lookups.page("")
    return note + (f" The chapter as a page: <{address}>" if address else "")


def _markdown_cells(text: str) -> list[NotebookNode]:
    return [nbformat.v4.new_markdown_cell(text.strip())] if text.strip() else []


def _code_cell(source: str, tags: list[str]) -> NotebookNode:
    metadata: dict[str, Any] = {}
    kept = [tag for tag in tags if tag not in _SITE_ONLY]
    if kept:
        metadata["tags"] = kept
    if _FOLDED & set(tags):
        metadata["jupyter"] = {"source_hidden": True}
        metadata["cellView"] = "form"  # the same, for Colab
    cell: NotebookNode = nbformat.v4.new_code_cell(source.strip("\n"), metadata=metadata)
    return cell


def _with_address(source: str, site: str) -> str:
    """Tell code that fetches something from the site where that is: it leaves a line empty for it."""
    return re.sub(r'^SITE = ""$', lambda _: f"SITE = {json.dumps(site)}", source, flags=re.MULTILINE)


def _figure_text(cell: NotebookNode, line: int, text: PlainText, lookups: BookLookups) -> str:
    """Return a figure's caption and description: a notebook's output has a place for neither."""
    # MyST-NB's own attribute of the environment.
    settings = cell.metadata.get(lookups.app.env.mystnb_config.cell_metadata_key, {})  # type: ignore[attr-defined]
    figure, image = settings.get("figure", {}), settings.get("image", {})
    parts = []
    if figure.get("caption"):
        caption = text.inline(str(figure["caption"]), line)
        try:
            name = lookups.figure(str(figure["name"])) if figure.get("name") else "Figure"
        except Missing as error:
            text.problems.append(Problem(line, str(error)))
            name = "Figure"
        parts.append(f"**{name}.** {caption}")
    if image.get("alt"):
        parts.append(f"*Picture description:* {' '.join(str(image['alt']).split())}")
    return "\n\n".join(parts)


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Write a notebook for every chapter, and remove those whose chapter has gone."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, str] = {}
    for docname in sorted(app.env.found_docs):
        if not is_chapter(app.env, docname):
            continue
        path = Path(app.env.doc2path(docname))
        slug = slug_of(docname)
        if slug in written:
            logger.warning(
                "%s and %s have the same name, and so would have the same notebook.", written[slug], docname
            )
        written[slug] = docname
        address = get_address(app.config)
        notebook, problems = chapter_notebook(
            path.read_text(encoding="utf-8"),
            path,
            BookLookups(app, docname, address),
            house_style(path.parent / "matplotlibrc"),
            address.pages if address else "",
        )
        for problem in problems:
            logger.warning(problem.message, location=(docname, problem.line), type="notebooks")
        nbformat.validate(notebook)
        _write(folder / f"{slug}.ipynb", nbformat.writes(notebook) + "\n")
    for path in folder.glob("*.ipynb"):
        if path.stem not in written:
            path.unlink()


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8")
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension and the buttons that lead to what it writes."""
    keep_plugins_at_hand()
    app.setup_extension("site_address")
    app.setup_extension("notebook_buttons")
    app.connect("doctree-read", keep_glue)
    app.connect("env-purge-doc", forget_glue)
    app.connect("env-merge-info", merge_glue)
    app.connect("build-finished", write_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
