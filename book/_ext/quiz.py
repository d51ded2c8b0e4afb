"""Self-check questions: every option answers back, and no script is needed.

A question is a group of native ``<details>`` that share a name, so a browser keeps at most one of them
open. The summary is the option, the body its feedback, headed by a word and a mark. Anyone can open it:
with a mouse, with Tab and Enter, with a screen reader, and on paper (printing opens them all).

No extension that we know gives feedback on every option in a page without JavaScript, so this one is ours.
"""

from __future__ import annotations

from typing import Any, ClassVar

from boxes import mark, place_within
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

_WITHIN = "self-check-depth"  # key in env.temp_data: how many questions we are inside of

_QUESTION = (
    '<path d="M3 3h18v14H11l-5 4.5V17H3z"/><path d="M9.5 8a2.5 2.5 0 1 1 3.5 2.3q-1 .5-1 1.7M12 14v.8"/>'
)
# A tick in a circle and a turn-around arrow: two shapes, no colour needed, and neither of them scolds.
_CORRECT = '<circle cx="12" cy="12" r="9.5"/><path d="M7.5 12.5l3 3 6-7"/>'
_NOT_QUITE = '<path d="M4 5v6h6"/><path d="M4.5 11a8.5 8.5 0 1 1 1 6"/>'


class SelfCheck(nodes.General, nodes.Element):
    """A question with its options; ``group`` names the options' accordion."""


class Question(nodes.TextElement):
    """The question in one line, which names the group."""


class Option(nodes.General, nodes.Element):
    """One possible answer: an OptionText, then its feedback."""


class OptionText(nodes.TextElement):
    """What the option says."""


class SelfCheckDirective(SphinxDirective):
    """``::::{self-check} Question?`` around optional text and two or more ``:::{option} …``."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        number = self.env.new_serialno("self-check") + 1
        check = SelfCheck("", group=f"self-check-{number}")
        self.set_source_info(check)
        words, messages = self.state.inline_text(self.arguments[0], self.lineno)
        check += Question("", "", *words, *messages)

        depth = self.env.temp_data.get(_WITHIN, 0)
        self.env.temp_data[_WITHIN] = depth + 1
        try:
            self.state.nested_parse(self.content, self.content_offset, check)
        finally:
            self.env.temp_data[_WITHIN] = depth
        self._complain(check)
        return [check]

    def _complain(self, check: SelfCheck) -> None:
        options = [child for child in check.children if isinstance(child, Option)]
        if len(options) < 2:
            self._warn(f"this self-check has {len(options)} options. Give it at least two.")
        if not any(option["correct"] for option in options):
            self._warn("no option of this self-check is right. Mark at least one with :correct:.")
        texts = [option[0].astext().strip() for option in options]
        for text in sorted({text for text in texts if texts.count(text) > 1}):
            self._warn(f"two options of this self-check say the same: {text!r}.")

    def _warn(self, message: str) -> None:
        logger.warning(message, location=self.get_location())


class OptionDirective(SphinxDirective):
    """``:::{option} What it says`` with its feedback; ``:correct:`` marks a right one."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = {"correct": directives.flag}

    def run(self) -> list[nodes.Node]:
        if not self.env.temp_data.get(_WITHIN):
            logger.warning("{option} belongs inside {self-check}.", location=self.get_location())
            return []
        option = Option("", correct="correct" in self.options)
        self.set_source_info(option)
        words, messages = self.state.inline_text(self.arguments[0], self.lineno)
        option += OptionText("", "", *words, *messages)
        if not "".join(self.content).strip():
            logger.warning(
                "the option %r has no feedback. Say why it is right, or what would make it so.",
                self.arguments[0],
                location=place_within(self),
            )
        self.state.nested_parse(self.content, self.content_offset, option)
        return [option]


def visit_self_check(self: HTML5Translator, node: SelfCheck) -> None:
    attributes = {"CLASS": "box self-check", "role": "group", "aria-labelledby": f"{node['group']}-question"}
    self.body.append(self.starttag(node, "div", **attributes))


def depart_self_check(self: HTML5Translator, node: SelfCheck) -> None:
    self.body.append("</div>\n")


def visit_question(self: HTML5Translator, node: Question) -> None:
    self.body.append(f'<p class="box-title" id="{node.parent["group"]}-question">{mark(_QUESTION)}<span>')
    self.body.append('<span class="box-word">Self-check</span> <span class="self-check-question">')


def depart_question(self: HTML5Translator, node: Question) -> None:
    self.body.append("</span></span></p>\n")


def visit_option(self: HTML5Translator, node: Option) -> None:
    kind = "right" if node["correct"] else "not-quite"
    self.body.append(f'<details class="option option-{kind}" name="{node.parent["group"]}">')


def depart_option(self: HTML5Translator, node: Option) -> None:
    self.body.append("</div></details>\n")


def visit_option_text(self: HTML5Translator, node: OptionText) -> None:
    self.body.append("<summary><span>")


def depart_option_text(self: HTML5Translator, node: OptionText) -> None:
    word, outline = ("Correct", _CORRECT) if node.parent["correct"] else ("Not quite", _NOT_QUITE)
    self.body.append(
        f'</span></summary>\n<div class="feedback"><p class="verdict">{mark(outline, 18)}{word}</p>\n'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_node(SelfCheck, html=(visit_self_check, depart_self_check))
    app.add_node(Question, html=(visit_question, depart_question))
    app.add_node(Option, html=(visit_option, depart_option))
    app.add_node(OptionText, html=(visit_option_text, depart_option_text))
    app.add_directive("self-check", SelfCheckDirective)
    # Sphinx looks for an undecorated name in its own domain first, where `option` documents command lines.
    app.add_directive_to_domain("std", "option", OptionDirective, override=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
