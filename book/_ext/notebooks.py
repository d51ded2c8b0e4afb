"""Every chapter is also a clean notebook: ``notebooks/SLUG.ipynb`` in the site, for Colab and for keeping.

Notebooks are written when the build ends, all of them each time: that takes milliseconds, the number of a
figure may have changed although its own page did not, and what is wrong with a page is said until it is
mended.
"""

from __future__ import annotations

import base64
import json
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import matplotlib
import nbformat
from docutils import nodes
from exercise_notebooks import read_exercise
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_nb.core.variables import format_plain_text
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode
from notebook_text import MYST_EXTENSIONS, Exercise, Missing, PlainText, Problem
from pybtex.backends.markdown import Backend as MarkdownBackend
from pybtex.database import Entry
from pybtex.plugin import find_plugin
from site_address import SiteAddress, get_address
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

FOLDER = "notebooks"
LICENCE = "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)"

# How sharply the site's pictures are drawn; a notebook shows every pixel, so there they would be huge.
_SCREEN = {"figure.dpi", "savefig.dpi"}

# Tags that only speak to the site; a cell that is removed there is plumbing of the site.
_REMOVED = {"remove-cell", "remove_cell"}
_FOLDED = {"hide-input", "remove-input", "hide-cell"}
_SITE_ONLY = _FOLDED | {"hide-output", "remove-output", "scroll-output"}


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


@dataclass(frozen=True)
class BookLookups:
    """What one page can ask of the whole book; see ``notebook_text.Lookups``."""

    app: Sphinx
    docname: str
    address: SiteAddress | None

    def glued(self, text: str) -> str:
        """Return a computed value as the site writes it."""
        name, _, form = text.rpartition(":") if ":" in text else (text, "", "s")
        plain = _glue_of(self.app.env).get(self.docname, {}).get(name)
        if plain is None:
            raise Missing(f"nothing is glued under the name {name!r} on this page.")
        try:
            return format_plain_text(plain, form)
        except ValueError as error:
            raise Missing(f"{name!r} cannot be written as {form!r}: {error}.") from error

    def figure(self, label: str) -> str:
        """Return a figure's name, "Fig. 3", as the site numbers it."""
        env = self.app.env
        name = nodes.fully_normalize_name(label)
        docname, target, _ = env.domains["std"].data["labels"].get(name, ("", "", ""))
        if not docname:
            docname, target = env.domains["std"].data["anonlabels"].get(name, ("", ""))
        number = env.toc_fignumbers.get(docname, {}).get("figure", {}).get(target)
        if number is None:
            raise Missing(f"no figure is called {label!r}.")
        return str(env.config.numfig_format["figure"]) % ".".join(map(str, number))

    def citation(self, key: str) -> tuple[str, str]:
        """Return ("Szeliski", "2022") for a key of the bibliography."""
        entry = self._entry(key)
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        surnames = [" ".join([*person.prelast_names, *person.last_names]).strip("{}") for person in people]
        more = len(surnames) > 2 or surnames[1:] == ["others"]
        if not surnames:
            surnames = [str(entry.fields.get("organization") or entry.fields.get("title", key)).strip("{}")]
        authors = f"{surnames[0]} et al." if more else " and ".join(surnames)
        return authors, str(entry.fields.get("year", "n.d."))

    def reference(self, key: str) -> str:
        """Return a source's full reference, its DOI a link."""
        style = find_plugin("pybtex.style.formatting", self.app.config.bibtex_default_style)()
        formatted = style.format_entry(label="", entry=self._entry(key))
        return str(formatted.text.render(MarkdownBackend())).replace("\n", " ")

    def _entry(self, key: str) -> Entry:
        entries = self.app.env.get_domain("cite").bibdata.data.entries  # type: ignore[attr-defined]
        if key not in entries:
            raise Missing(f"the bibliography has no entry {key!r}.")
        return entries[key]

    def page(self, target: str) -> str | None:
        """Return the published address of what a Markdown link points at, None where there is none."""
        env = self.app.env
        path, _, anchor = unquote(target).partition("#")
        docname = self.docname
        labels = env.domains["std"].data["anonlabels"]
        name = nodes.fully_normalize_name(anchor)
        if path:
            _, absolute = env.relfn2path(path, self.docname)
            found = env.path2doc(absolute)
            if found not in env.found_docs:
                raise Missing(f"{path} is not a page of this book.")
            docname = found
        elif name in labels:
            docname = labels[name][0]
        if self.address is None:
            return None
        labelled = labels.get(name, ("", ""))
        identifier = labelled[1] if labelled[0] == docname else nodes.make_id(anchor)
        return self.address.page(docname) + (f"#{identifier}" if anchor else "")

    def image(self, path: str) -> str:
        """Return an image as a ``data:`` address: it then needs neither the site nor a network."""
        _, absolute = self.app.env.relfn2path(unquote(path), self.docname)
        try:
            content = Path(absolute).read_bytes()
        except OSError as error:
            raise Missing(f"the image {path} cannot be read.") from error
        kind = mimetypes.guess_type(absolute)[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    def exercise(self, slug: str) -> Exercise:
        """Return what the exercise's own notebook says about it."""
        found = read_exercise(Path(self.app.srcdir), slug)
        return Exercise(
            found.title,
            found.points,
            found.minutes,
            self.address.page(f"exercises/{slug}") if self.address else None,
            self.address.colab_exercise(slug) if self.address else None,
        )


def chapter_notebook(
    source: str, path: Path, lookups: BookLookups, style: str
) -> tuple[NotebookNode, list[Problem]]:
    """Return a chapter as a notebook, and what in it cannot be written as one.

    source  the chapter's text, with its jupytext header
    path    where it lies (``:load:`` is relative to it)
    style   code that gives figures the book's look, "" for none
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
            cells.append(_code_cell(cell.source, cell.metadata.get("tags", [])))
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
        f"{LICENCE}. Run the cells from top to bottom."
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
    return nbformat.v4.new_code_cell(source.strip("\n"), metadata=metadata)


def _figure_text(cell: NotebookNode, line: int, text: PlainText, lookups: BookLookups) -> str:
    """Return a figure's caption and description: a notebook's output has a place for neither."""
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


def house_style(matplotlibrc: Path) -> str:
    """Return the code that gives an empty folder the look of the book's figures, "" where there is no file.

    Written are the settings that differ from matplotlib's own, whatever version made the file.
    """
    if not matplotlibrc.is_file():
        return ""
    settings = matplotlib.rc_params_from_file(str(matplotlibrc), use_default_template=False)
    lines = []
    for name, value in sorted(settings.items()):
        if name in _SCREEN or value == matplotlib.rcParamsDefault[name]:
            continue
        if name == "axes.prop_cycle":
            # A colour that looks like a number ("000000") is written as every other: with its hash.
            keys = (
                f"{key}={_written([_as_colour(item) for item in items])}"
                for key, items in value.by_key().items()
            )
            lines.append(f'    "{name}": plt.cycler({", ".join(keys)}),')
        else:
            lines.append(f'    "{name}": {_written(value)},')
    if not lines:
        return ""
    # In Colab the title stands in the place of the folded code.
    head = (
        "# @title How figures look in this course\nimport matplotlib.pyplot as plt\n\nplt.rcParams.update({"
    )
    return "\n".join([head, *lines, "})"])


def _written(value: object) -> str:
    """Return a setting as Python, with the quotation marks that the rest of the book uses."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return repr(value)


def _as_colour(value: object) -> object:
    return f"#{value}" if re.fullmatch("[0-9a-fA-F]{6}", str(value)) else value


# Sphinx: keeping what a page computed, and writing the files


def _glue_of(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """Return page → name → printed value; kept with the environment, so that unchanged pages keep theirs."""
    if not hasattr(env, "notebook_glue"):
        env.notebook_glue = {}  # type: ignore[attr-defined]
    return env.notebook_glue  # type: ignore[attr-defined, no-any-return]


def keep_glue(app: Sphinx, _doctree: nodes.document) -> None:
    """Remember what a page that was just read has glued: MyST-NB leaves it beside the executed notebook."""
    folder = Path(app.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
    path = folder / f"{app.env.docname}.glue.json"
    glued = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    _glue_of(app.env)[app.env.docname] = {
        name: output["data"]["text/plain"] for name, output in glued.items() if "text/plain" in output["data"]
    }


def forget_glue(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what a removed or changed page had glued."""
    _glue_of(env).pop(docname, None)


def merge_glue(_app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """Take over what another process has read."""
    _glue_of(env).update({name: _glue_of(other)[name] for name in docnames if name in _glue_of(other)})


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
        notebook, problems = chapter_notebook(
            path.read_text(encoding="utf-8"),
            path,
            BookLookups(app, docname, get_address(app.config)),
            house_style(path.parent / "matplotlibrc"),
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
    app.setup_extension("site_address")
    app.setup_extension("notebook_buttons")
    app.connect("doctree-read", keep_glue)
    app.connect("env-purge-doc", forget_glue)
    app.connect("env-merge-info", merge_glue)
    app.connect("build-finished", write_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
