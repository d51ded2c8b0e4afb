"""The links that lead from a page to its notebook: in the page's header, and wherever a page asks for them.

They replace the theme's own, which for a chapter would open its Markdown source, something that no notebook
program can run (jupyter-book #752). Where the site's address is unknown there is nothing for Colab to open,
so only the download is offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from exercise_notebooks import FOLDER as EXERCISES
from icons import icon
from site_address import get_address
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.util.osutil import relative_uri
from sphinx.writers.html5 import HTML5Translator

CHAPTERS = "notebooks"
_TEMPLATE = "notebook-links.html"


@dataclass(frozen=True)
class Notebook:
    """A notebook that the site offers: ``folder`` is where it lies in the site, ``slug`` its name."""

    folder: str
    slug: str


class NotebookLinks(nodes.General, nodes.Element):
    """The links to one notebook, within a page."""


def links(builder: StandaloneHTMLBuilder, page: str, notebook: Notebook) -> str:
    """Return the HTML of the links from a page to a notebook: Colab where it can be, and the download."""
    address = get_address(builder.config)
    found = []
    if address is not None:
        in_colab = address.colab_exercise if notebook.folder == EXERCISES else address.colab_chapter
        found.append(_link(in_colab(notebook.slug), "rocket", "Open in Colab", "colab", ""))
    file = relative_uri(builder.get_target_uri(page), f"{notebook.folder}/{notebook.slug}.ipynb")
    found.append(_link(file, "download", "Download notebook", "download", " download"))
    return f'<span class="notebook-links">{"".join(found)}</span>'


def _link(address: str, drawing: str, text: str, kind: str, attribute: str) -> str:
    return (
        f'<a class="notebook-link notebook-link-{kind}" href="{escape(address)}"{attribute}>'
        f"{icon([f'fa-{drawing}'])}<span>{text}</span></a>"
    )


def notebook_of(app: Sphinx, docname: str) -> Notebook | None:
    """Return the notebook that belongs to a page, None if there is none."""
    from notebooks import is_chapter, slug_of  # notebooks sets this extension up, so not at the top

    if docname not in app.env.found_docs:
        return None
    if is_chapter(app.env, docname):
        return Notebook(CHAPTERS, slug_of(docname))
    if docname.startswith(f"{EXERCISES}/") and Path(app.env.doc2path(docname)).suffix == ".ipynb":
        return Notebook(EXERCISES, slug_of(docname))
    return None


def add_to_header(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Give the header's template the links of this page."""
    notebook = notebook_of(app, page)
    builder = app.builder
    context["notebook_links"] = (
        links(builder, page, notebook) if notebook and isinstance(builder, StandaloneHTMLBuilder) else ""
    )


def make_room_in_header(app: Sphinx, config: Config) -> None:
    """Put our links where the theme would show its own, and switch those off."""
    options = config.html_theme_options
    items = options.get("article_header_end", ["article-header-buttons.html"])
    items = [item.strip() for item in items.split(",")] if isinstance(items, str) else list(items)
    options["article_header_end"] = [_TEMPLATE, *(item for item in items if item != _TEMPLATE)]
    options["use_download_button"] = False
    options["launch_buttons"] = {}
    config.templates_path.append(str(Path(__file__).parent / "_templates"))


def visit_links(self: HTML5Translator, node: NotebookLinks) -> None:
    """Write the links as they are from the page that is being written."""
    builder = self.builder
    page = str(builder.current_docname)
    self.body.append(f"<p>{links(builder, page, Notebook(node['folder'], node['slug']))}</p>\n")


def depart_links(self: HTML5Translator, node: NotebookLinks) -> None:
    """Nothing is left to close."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.setup_extension("site_address")
    app.add_node(NotebookLinks, html=(visit_links, depart_links))
    app.connect("config-inited", make_room_in_header)
    # Before the theme looks which of the header's templates are empty.
    app.connect("html-page-context", add_to_header, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
