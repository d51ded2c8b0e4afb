"""The exercise on the site: its notebook as a page to read, and the box of a chapter that leads there.

The page shows the notebook and never runs it. It says first what an instructor and a student ask first: how
many points, how long, which chapter, and where to open it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from boxes import KINDS, BoxDirective, BoxTitle, Kind
from docutils import nodes
from exercise_notebooks import FOLDER, ExerciseNotebook, exercise_path, read_exercise
from notebook_buttons import NotebookLinks, notebook_of
from notebook_text import NOW_YOU, Missing
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Of the cells that are not the student's, the folded one: it lays down the checks that the others call.
_SETUP_CELL = {"tag_otter_ignore", "tag_hide-input"}

_PENCIL = '<path d="M4 20l1-5L16.500 3.500l4 4L9 19zM14 6l4 4"/>'


class NowYou(BoxDirective):
    """``:::{now-you} SLUG``: the exercise that goes with what was just read."""

    kind = "now-you"
    required_arguments = 1
    optional_arguments = 0
    option_spec: ClassVar[Any] = None
    exercise: ExerciseNotebook

    def run(self) -> list[nodes.Node]:
        """Return the box, or nothing and a warning if there is no such exercise."""
        root, slug = Path(self.env.srcdir), self.arguments[0]
        try:
            self.exercise = read_exercise(root, slug)
        except Missing as error:
            logger.warning(str(error), location=self.get_location(), type="exercises")
            return []
        self.env.note_dependency(str(exercise_path(root, slug)))
        boxes = super().run()
        for box in boxes:
            box += [self._page_link(slug), NotebookLinks(folder=FOLDER, slug=slug)]
        return boxes

    def _title(self) -> BoxTitle:
        title = BoxTitle("", "", nodes.inline("", NOW_YOU, classes=["box-word"]))
        title.append(nodes.inline("", f" {self.exercise.title}", classes=["box-own-title"]))
        self.set_source_info(title)
        return title

    def _facts(self) -> list[nodes.Node]:
        facts = nodes.definition_list(classes=["box-facts"])
        for label, words in (
            ("Points", f"{self.exercise.points}"),
            ("Time", f"about {self.exercise.minutes} minutes"),
        ):
            definition = nodes.definition("", nodes.paragraph("", words))
            facts += nodes.definition_list_item("", nodes.term("", label), definition)
        return [facts]

    def _page_link(self, slug: str) -> nodes.paragraph:
        link = _page_reference(f"/{FOLDER}/{slug}", self.env.docname, "Read the exercise")
        return nodes.paragraph("", "", link)

    def add_name(self, node: nodes.Element) -> None:
        """Do nothing: this box takes no options, so no name either."""


def _page_reference(page: str, here: str, words: str = "") -> addnodes.pending_xref:
    """Return a link to another page; without words of its own it carries the page's title."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", words or page),
        refdomain="std",
        reftype="doc",
        reftarget=page,
        refexplicit=bool(words),
        refdoc=here,
        refwarn=True,
    )


def dress_page(app: Sphinx, doctree: nodes.document) -> None:
    """Say at the top of an exercise's page what it is, and leave out the cell that only sets it up."""
    docname = app.env.docname
    notebook = notebook_of(app, docname)
    if notebook is None or notebook.folder != FOLDER:
        return
    try:
        exercise = read_exercise(Path(app.srcdir), notebook.slug)
    except Missing as error:
        logger.warning(str(error), location=docname, type="exercises")
        return
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is None:
        return
    facts = nodes.paragraph("", _worth(exercise, title.parent))
    if f"book/{exercise.chapter}" in app.env.found_docs:  # an exercise may be there before its chapter
        facts += [nodes.Text("After the chapter "), _page_reference(f"/book/{exercise.chapter}", docname)]
    buttons = NotebookLinks(folder=FOLDER, slug=notebook.slug)
    top = nodes.container("", facts, buttons, classes=["exercise-facts"])
    title.parent.insert(title.parent.index(title) + 1, top)
    for cell in list(doctree.findall(nodes.container)):
        if set(cell["classes"]) >= _SETUP_CELL:
            # Long lines of encoded data: nothing to read, and nothing to search for.
            words = "Here the notebook has a cell that sets it up. Run it first; it is left out on this page."
            note = nodes.paragraph("", "", nodes.emphasis("", words), classes=["exercise-setup"])
            cell.parent.replace(cell, note)


def _worth(exercise: ExerciseNotebook, section: nodes.section) -> str:
    """Return points and time, "" if the notebook's own opening says them."""
    points = f"{exercise.points} points"
    if any(points in part.astext() for part in section.children if isinstance(part, nodes.paragraph)):
        return ""
    return f"{points} · about {exercise.minutes} minutes · "


def copy_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Put the notebooks of the exercises beside their pages, for the download."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    kept = set()
    for docname in sorted(app.env.found_docs):
        notebook = notebook_of(app, docname)
        if notebook is not None and notebook.folder == FOLDER:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(app.env.doc2path(docname), folder / f"{notebook.slug}.ipynb")
            kept.add(notebook.slug)
    for path in folder.glob("*.ipynb"):
        if path.stem not in kept:
            path.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.setup_extension("boxes")
    app.setup_extension("notebook_buttons")
    KINDS.setdefault(NowYou.kind, Kind(NOW_YOU, "aside", _PENCIL))
    # A second build in one process finds the kind above and takes it for an ordinary box, hence override.
    app.add_directive(NowYou.kind, NowYou, override=True)
    app.connect("doctree-read", dress_page)
    app.connect("build-finished", copy_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
