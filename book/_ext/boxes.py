"""The boxes of a chapter, and the three doors of the landing page.

Every box says what it is by a fixed word and by a mark of its own shape, so that nobody has to see its
colour. Only boxes that a reader wants to jump to (objectives, takeaways) are regions; the others are notes,
which screen readers announce without filling the list of landmarks. ``dont-panic`` is a native
``<details>``: it folds without a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """What sets one box apart: its fixed word, its element, and the outline of its mark (24 by 24 units)."""

    word: str
    element: str
    mark: str
    folds: bool = False
    margin: bool = False


# Marks are drawn with one stroke width and no fill; the outlines differ enough to be told apart at 20 px.
KINDS: dict[str, Kind] = {
    "objectives": Kind(  # a flag on its pole
        "What you will be able to do",
        "section",
        '<path d="M6 21V3.5M6 4.5h12l-3.5 4 3.5 4H6"/>',
    ),
    "dont-panic": Kind(  # a lifebelt
        "Don’t panic",
        "details",
        '<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="3.5"/>'
        '<path d="M5.6 5.6l4 4m4.8 4.8l4 4m0-12.8l-4 4m-4.8 4.8l-4 4"/>',
        folds=True,
    ),
    "predict": Kind(  # a thought, with two bubbles
        "Predict, then run",
        "aside",
        '<path d="M7.5 15.5a4.5 4.5 0 0 1-.7-9A5.5 5.5 0 0 1 17 6.2a4.7 4.7 0 0 1-.5 9.3z"/>'
        '<circle cx="8" cy="18.7" r="1.3"/><circle cx="5" cy="21.7" r=".6"/>',
    ),
    "detective": Kind(  # a magnifying glass
        "Detective",
        "aside",
        '<circle cx="10" cy="10" r="6.5"/><path d="M15 15l6.5 6.5"/>',
    ),
    "limits": Kind(  # a warning sign
        "Limits of the analogy",
        "aside",
        '<path d="M12 3l10 18H2z"/><path d="M12 9.5v5.5M12 17.6v.8"/>',
    ),
    "whose-picture": Kind(  # a portrait in its frame
        "Whose picture?",
        "aside",
        '<path d="M3.5 3.5h17v17h-17z"/><circle cx="12" cy="10" r="2.8"/><path d="M6.5 17.5c1-3 10-3 11 0"/>',
        margin=True,
    ),
    "takeaways": Kind(  # a bookmark
        "Takeaways",
        "section",
        '<path d="M6.5 3h11v18L12 16.5 6.5 21z"/>',
    ),
}


def mark(outline: str, size: int = 22) -> str:
    """Return the inline SVG of a mark; decoration beside a word, so hidden from screen readers."""
    return (
        f'<svg class="box-mark" viewBox="0 0 24 24" width="{size}" height="{size}" aria-hidden="true">'
        f"{outline}</svg>"
    )


def place_within(directive: SphinxDirective) -> str:
    """Return file and line of a directive that stands in another: myst-parser counts one line too many."""
    source, line = directive.get_source_info()
    return f"{source}:{line - 1}"


class Box(nodes.General, nodes.Element):
    """One box. ``kind`` is a key of KINDS, ``ids`` holds the id of its title."""


class BoxTitle(nodes.TextElement):
    """The title of a box: looks like a heading and stays out of the outline of the page."""


class Doors(nodes.General, nodes.Element):
    """A row of cards on the landing page."""


class Door(nodes.General, nodes.Element):
    """One card: a title that is a link, and a sentence or two."""


class BoxDirective(SphinxDirective):
    """Base of the box directives; the subclasses below differ only in ``kind`` and in what they accept."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = {"name": directives.unchanged}
    kind: ClassVar[str]

    def run(self) -> list[nodes.Node]:
        if not "".join(self.content).strip():
            logger.warning(
                "the box {%s} is empty. Write its text between the fences.",
                self.kind,
                location=self.get_location(),
            )
            return []
        title_id = f"box-{self.kind}-{self.env.new_serialno(f'box-{self.kind}')}"
        box = Box("", kind=self.kind, title_id=title_id)
        self.set_source_info(box)
        box += self._title()
        box += self._facts()
        body = nodes.container(classes=["box-body"], is_div=True)
        self.state.nested_parse(self.content, self.content_offset, body)
        box += body
        self.add_name(box)
        return [box]

    def _title(self) -> BoxTitle:
        kind = KINDS[self.kind]
        title = BoxTitle("", "", nodes.inline("", kind.word, classes=["box-word"]))
        if self.arguments:
            own, messages = self.state.inline_text(self.arguments[0], self.lineno)
            title += nodes.inline("", "", nodes.Text(" "), *own, *messages, classes=["box-own-title"])
        self.set_source_info(title)
        return title

    def _facts(self) -> list[nodes.Node]:
        return []


class Objectives(BoxDirective):
    """What a reader will be able to do, how long that takes and what is needed first."""

    kind = "objectives"
    option_spec: ClassVar[Any] = {
        **BoxDirective.option_spec,
        "time": directives.unchanged_required,
        "needs": directives.unchanged_required,
    }

    def _facts(self) -> list[nodes.Node]:
        facts = nodes.definition_list(classes=["box-facts"])
        for label, option in (("Time", "time"), ("You need", "needs")):
            if option in self.options:
                words, messages = self.state.inline_text(self.options[option], self.lineno)
                paragraph = nodes.paragraph("", "", *words, *messages)
                facts += nodes.definition_list_item(
                    "", nodes.term("", label), nodes.definition("", paragraph)
                )
        return [facts] if len(facts) else []


class DoorsDirective(SphinxDirective):
    """A row of ``door`` cards: ``::::{doors}`` around ``:::{door} Title``."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        row = Doors()
        self.set_source_info(row)
        self.state.nested_parse(self.content, self.content_offset, row)
        strays = [child for child in row.children if not isinstance(child, Door)]
        if strays or not row.children:
            logger.warning(
                "{doors} takes {door} cards and nothing else, at least one.", location=self.get_location()
            )
        return [row]


class DoorDirective(SphinxDirective):
    """One card of ``doors``; ``:link:`` is a page (relative, without ``.md``), an address, or ``#place``."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = {"link": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        door = Door()
        self.set_source_info(door)
        words, messages = self.state.inline_text(self.arguments[0], self.lineno)
        title = nodes.paragraph("", "", classes=["door-title"])
        door += title
        target = self.options.get("link", "")
        if not target:
            logger.warning("{door} leads nowhere. Give it a :link:.", location=place_within(self))
            title.extend(words)
        elif "://" in target or target.startswith("#"):
            here = target.startswith("#")
            title += nodes.reference("", "", *words, *messages, refuri=target, internal=here)
        else:
            reference = addnodes.pending_xref(
                "",
                nodes.inline("", "", *words, *messages),
                reftype="doc",
                refdomain="std",
                refexplicit=True,
                reftarget=target,
                refdoc=self.env.docname,
                refwarn=True,
            )
            self.set_source_info(reference)
            title += reference
        self.state.nested_parse(self.content, self.content_offset, door)
        return [door]


def visit_box(self: HTML5Translator, node: Box) -> None:
    kind = KINDS[node["kind"]]
    classes = ["box", f"box-{node['kind']}", *(["margin"] if kind.margin else [])]
    attributes: dict[str, Any] = {"CLASS": " ".join(classes)}
    if not kind.folds:  # the name of a <details> is its summary
        attributes["aria-labelledby"] = node["title_id"]
    if kind.element == "aside":
        attributes["role"] = "note"
    self.body.append(self.starttag(node, kind.element, **attributes))


def depart_box(self: HTML5Translator, node: Box) -> None:
    self.body.append(f"</{KINDS[node['kind']].element}>\n")


def _title_element(node: BoxTitle) -> str:
    return "summary" if KINDS[node.parent["kind"]].folds else "p"


def visit_box_title(self: HTML5Translator, node: BoxTitle) -> None:
    box = node.parent
    self.body.append(f'<{_title_element(node)} class="box-title" id="{box["title_id"]}">')
    self.body.append(mark(KINDS[box["kind"]].mark))
    self.body.append("<span>")


def depart_box_title(self: HTML5Translator, node: BoxTitle) -> None:
    self.body.append(f"</span></{_title_element(node)}>\n")


def visit_doors(self: HTML5Translator, node: Doors) -> None:
    self.body.append(self.starttag(node, "div", CLASS="doors"))


def visit_door(self: HTML5Translator, node: Door) -> None:
    self.body.append(self.starttag(node, "div", CLASS="door"))
    self.body.append(_grid(lit=4 * node.parent.index(node) if node.parent else 0))


_LIT = ' class="lit"'


def _grid(*, lit: int) -> str:
    """Draw the course's mark, with another cell lit on each door: they walk down the diagonal."""
    cells = (
        f"<rect{_LIT if cell == lit % 9 else ''} "
        f'x="{14 * (cell % 3)}" y="{14 * (cell // 3)}" '
        f'width="11" height="11" rx="2"/>'
        for cell in range(9)
    )
    return f'<svg viewBox="0 0 39 39" width="39" height="39" aria-hidden="true">{"".join(cells)}</svg>'


def depart_div(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</div>\n")


def _directive(kind: str) -> type[BoxDirective]:
    return type(f"{kind.title().replace('-', '')}Box", (BoxDirective,), {"kind": kind})


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_node(Box, html=(visit_box, depart_box))
    app.add_node(BoxTitle, html=(visit_box_title, depart_box_title))
    app.add_node(Doors, html=(visit_doors, depart_div))
    app.add_node(Door, html=(visit_door, depart_div))
    for kind in KINDS:
        app.add_directive(kind, Objectives if kind == "objectives" else _directive(kind))
    app.add_directive("doors", DoorsDirective)
    app.add_directive("door", DoorDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
