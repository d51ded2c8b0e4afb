"""MyST text → the plain Markdown of a notebook, where no extension of ours is at hand.

The source is not rendered and written anew: Markdown-it says *where* each directive, role, link and comment
stands, and only those places are rewritten. What Jupyter understands already stays as its author wrote it,
byte for byte, code and mathematics above all.

What this module does not know becomes a problem with its line, never a guess: a chapter that uses it would
look right on the site and broken in Colab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import accumulate
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from boxes import KINDS
from docutils.parsers.rst.directives.misc import TestDirective
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser

# The syntax of MyST that the course's configuration switches on.
MYST_EXTENSIONS = frozenset(("attrs_inline", "colon_fence", "deflist", "dollarmath"))

# Block tokens that mean the same in any Jupyter.
_PLAIN_BLOCKS = frozenset(
    ("heading", "paragraph", "bullet_list", "ordered_list", "list_item", "blockquote", "code_block", "hr")
) | frozenset(("table", "thead", "tbody", "tr", "th", "td", "inline", "math_block"))
# Inline rules whose source may stand as it is.
_PLAIN_INLINE = frozenset(("text", "newline", "escape", "backticks", "emphasis", "entity", "math_inline"))
# Rules within whose match nothing else is syntax, and what looks like a role outside of them.
_OPAQUE = frozenset(("myst_role", "backticks", "math_inline", "autolink", "escape"))
_ROLE = re.compile(r"\{[A-Za-z][\w:.+-]*\}`")
_WEB = ("http", "https", "mailto")

NOW_YOU = "Now you"

_OPTIONS = {"objectives": {"time", "needs", "name"}, "option": {"correct"}}
_TAKES_NO_OPTIONS = frozenset({"self-check", "now-you"})
_ANY_BOX = {"name"}


@dataclass(frozen=True)
class Problem:
    """Something that cannot be written as plain Markdown, and the line (from 1) where it stands."""

    line: int
    message: str


@dataclass(frozen=True)
class Exercise:
    """What a box can say about an exercise without opening it."""

    title: str
    points: int
    minutes: int
    page: str | None
    colab: str | None


class Missing(Exception):
    """Something that a page speaks of is not there; the message is a sentence."""


class Lookups(Protocol):
    """What a page knows about the rest of the book. Every method raises Missing."""

    def glued(self, text: str) -> str:
        """Return the value for the text of a glue role, ``name`` or ``name:format``."""

    def figure(self, label: str) -> str:
        """Return what the site calls a figure, "Fig. 3"."""

    def citation(self, key: str) -> tuple[str, str]:
        """Return a source's authors, in short, and its year."""

    def reference(self, key: str) -> str:
        """Return a source's full reference as Markdown."""

    def page(self, target: str) -> str | None:
        """Return the absolute address of a page of this book, None where the site has none."""

    def term(self, name: str) -> str | None:
        """Return the absolute address of a term of the glossary, None where the site has none."""

    def image(self, path: str) -> str:
        """Return an image of the book as a data address."""

    def exercise(self, slug: str) -> Exercise:
        """Return what is known about an exercise."""


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Span:
    """Where in the text of a block a rule matched, and what it made of it."""

    rule: str
    start: int
    end: int
    tokens: Sequence[Token]

    def token(self, kind: str) -> Token:
        """Return the first token of a kind; a rule also hands over the text that was waiting before it."""
        return next(token for token in self.tokens if token.type == kind)


@dataclass(frozen=True)
class _Directive:
    name: str
    argument: str
    options: dict[str, str | None]
    body: str
    line: int
    body_line: int


class _AnyOptions(TestDirective):
    """The one class whose options MyST reads without a list of what is allowed: that is checked below."""

    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True


class _NoOptions(_AnyOptions):
    option_spec = None


@dataclass
class PlainText:
    """Rewrites the text of one page; keeps what was cited, and every problem on the way."""

    lookups: Lookups
    problems: list[Problem] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)

    def markdown(self, source: str, line: int = 1) -> str:
        """Return ``source``, which begins in ``line`` of its file, as plain Markdown."""
        text = self._rewrite(source, line, quoted=False, inside="")
        if any(_is_syntax_of_ours(token) for token in _myst().parse(text)):
            # Two harmless pieces can make a third: three backquotes, a brace, and a role after them.
            self._problem(line, "braces or backquotes here would be read as a directive in the notebook.")
        return text

    def inline(self, source: str, line: int) -> str:
        """Return one line of running text (a title, an option) as plain Markdown."""
        return " ".join(self.markdown(source, line).split())

    # Blocks

    def _rewrite(self, source: str, line: int, *, quoted: bool, inside: str) -> str:
        parser = _parser()
        env: dict[str, Any] = {}
        tokens = parser.parse(source, env)
        if env.get("references"):
            self._problem(line, "a link is defined apart from its text. Write it inline: [text](address).")
        page = _Rewriting(source)
        for before, token in zip([None, *tokens], tokens, strict=False):
            here = line + (token.map[0] if token.map else 0)
            kind = re.sub(r"_(open|close)$", "", token.type)
            if token.type == "inline":
                if not page.replace_inline(token, before, self._inline_edits(token, parser, env, here)):
                    self._problem(here, "this table cell cannot be rewritten. Take the \\| out of it.")
            elif token.type in ("fence", "colon_fence"):
                match = re.match(r"\s*\{([^}\s]+)\}\s*(.*)", token.info)
                if match:
                    page.replace_block(token, self._directive(token, match, here, inside))
                elif token.type == "colon_fence":
                    self._problem(here, "a fence of colons without a directive's name.")
            elif token.type in ("myst_target", "myst_line_comment"):
                page.delete_block(token)
            elif token.type == "math_block":
                # Jupyter takes formulas out of the text before it looks for quotation marks, so the marks of
                # a quoted formula's lines would become a part of it.
                if quoted and "\n" in token.content:
                    page.replace_block(token, f"$${' '.join(token.content.split())}$$")
            elif kind not in _PLAIN_BLOCKS and not token.type.endswith("_close"):
                self._problem(here, f"{_spoken(kind)} cannot be written into a notebook.")
        return page.result()

    def _directive(self, token: Token, match: re.Match[str], line: int, inside: str) -> str:
        name, argument = match.group(1), match.group(2).strip()
        parsed = parse_directive_text(
            _NoOptions if name in _TAKES_NO_OPTIONS else _AnyOptions, argument, token.content
        )
        body_line = line + 1 + parsed.body_offset
        directive = _Directive(name, argument, parsed.options, "\n".join(parsed.body), line, body_line)
        write = self._writers().get(name)
        if write is None or (name == "option") != (inside == "self-check"):
            self._problem(line, f"the directive {{{name}}} cannot be written into a notebook.")
            return ""
        for option in sorted(set(directive.options) - _OPTIONS.get(name, _ANY_BOX)):
            self._problem(line, f"the option :{option}: of {{{name}}} is not known.")
        return write(directive).strip("\n")

    def _writers(self) -> dict[str, Callable[[_Directive], str]]:
        writers: dict[str, Callable[[_Directive], str]] = {
            kind: self._folded_box if look.folds else self._box for kind, look in KINDS.items()
        }
        return writers | {
            "now-you": self._now_you,
            "self-check": self._self_check,
            "option": self._option,
            "footbibliography": self._bibliography,
        }

    def _box(self, box: _Directive) -> str:
        title = f"**{KINDS[box.name].word}**"
        if box.argument:
            title += f" {self.inline(box.argument, box.line)}"
        facts = [
            f"{label}: {self.inline(str(box.options[option]), box.line)}"
            for label, option in (("Time", "time"), ("You need", "needs"))
            if box.options.get(option)
        ]
        body = self._rewrite(box.body, box.body_line, quoted=True, inside="").strip("\n")
        return _quote("\n\n".join([title, *([" · ".join(facts)] if facts else []), body]))

    def _folded_box(self, box: _Directive) -> str:
        title = KINDS[box.name].word + (f": {self._html(box.argument, box.line)}" if box.argument else "")
        return _details(f"<b>{title}</b>", self.markdown(box.body, box.body_line))

    def _now_you(self, box: _Directive) -> str:
        try:
            exercise = self.lookups.exercise(box.argument)
        except Missing as error:
            self._problem(box.line, str(error))
            return ""
        title = f"**{NOW_YOU}** {literal(exercise.title)}"
        facts = f"{exercise.points} points · about {exercise.minutes} minutes"
        addresses = {"Open in Colab": exercise.colab, "The exercise on the site": exercise.page}
        links = [f"[{text}]({address})" for text, address in addresses.items() if address]
        where = " · ".join(links) or "You find it on the course’s website, under *Exercises*."
        body = self._rewrite(box.body, box.body_line, quoted=True, inside="").strip("\n")
        return _quote("\n\n".join(part for part in (title, facts, body, where) if part))

    def _self_check(self, check: _Directive) -> str:
        question = self.inline(check.argument, check.line)
        options = self._rewrite(check.body, check.body_line, quoted=False, inside="self-check").strip("\n")
        return f"**Self-check** {question} *(Open the answer you would give.)*\n\n{options}"

    def _option(self, option: _Directive) -> str:
        # The feedback of a right answer begins with a Yes of its own.
        verdict = "✓" if "correct" in option.options else "**Not quite.**"
        feedback = self.markdown(option.body, option.body_line).strip("\n")
        return _details(self._html(option.argument, option.line), f"{verdict} {feedback}")

    def _bibliography(self, _: _Directive) -> str:
        return "\n".join(f"- {self.lookups.reference(key)}" for key in self.cited)

    # Running text

    def _inline_edits(self, token: Token, parser: MarkdownIt, env: dict[str, Any], line: int) -> list[_Edit]:
        edits: list[_Edit] = []
        state = _RecordingState(token.content, parser, env, [])
        parser.inline.tokenize(state)
        for span in state.spans:
            here = line + token.content.count("\n", 0, span.start)
            if span.rule == "myst_role":
                edits.append(_Edit(span.start, span.end, self._role(span.token("myst_role"), here)))
            elif span.rule in ("link", "image"):
                edits.extend(self._link(span, state, here))
            elif span.rule == "span":
                label = parser.helpers.parseLinkLabel(state, span.start, False)
                edits += [_Edit(span.start, span.start + 1, ""), _Edit(label, span.end, "")]
            elif span.rule == "attr":
                edits.append(_Edit(span.start, span.end, ""))
            elif span.rule == "autolink":
                address = str(span.token("link_open").attrs["href"])
                if urlsplit(address).scheme not in _WEB:
                    self._problem(here, f"the address <{address}> is one that only this site understands.")
            elif span.rule not in _PLAIN_INLINE:
                self._problem(here, f"{_spoken(span.rule)} cannot be written into a notebook.")
        for match in _ROLE.finditer(token.content):
            if not any(
                span.start <= match.start() < span.end for span in state.spans if span.rule in _OPAQUE
            ):
                here = line + token.content.count("\n", 0, match.start())
                self._problem(here, f"the role {match.group()} has no backtick at its end.")
        return edits

    def _role(self, role: Token, line: int) -> str:
        name = str(role.meta["name"])
        text = " ".join(role.content.split())
        try:
            if name == "glue:text":
                return literal(self.lookups.glued(text))
            if name == "numref":
                return self._numref(text)
            if name == "term":
                return self._term(text)
            if name in ("footcite:p", "footcite:t"):
                return self._cite([key.strip() for key in text.split(",")], in_text=name.endswith("t"))
        except Missing as error:
            self._problem(line, str(error))
            return ""
        self._problem(line, f"the role {{{name}}} cannot be written into a notebook.")
        return ""

    def _numref(self, text: str) -> str:
        titled = _words_and_target(text)
        if titled is None:
            return literal(self.lookups.figure(text))
        number = self.lookups.figure(titled[1]).split()[-1]
        return literal(titled[0].replace("%s", number).replace("{number}", number))

    def _term(self, text: str) -> str:
        """Return the word in italics, a link to the glossary where there is one to lead to."""
        word, name = _words_and_target(text) or (text, text)
        address = self.lookups.term(name)
        written = f"*{literal(word)}*"
        return written if address is None else f"[{written}]({address})"

    def _cite(self, keys: list[str], *, in_text: bool) -> str:
        found = [self.lookups.citation(key) for key in keys]
        self.cited.extend(key for key in dict.fromkeys(keys) if key not in self.cited)
        if in_text:
            return literal("; ".join(f"{authors} ({year})" for authors, year in found))
        return literal("(" + "; ".join(f"{authors} {year}" for authors, year in found) + ")")

    def _link(self, span: _Span, state: _RecordingState, line: int) -> list[_Edit]:
        is_image = span.rule == "image"
        opening = span.start + is_image
        closing = state.md.helpers.parseLinkLabel(state, opening, not is_image)
        target = str(span.token("image").attrs["src"] if is_image else span.token("link_open").attrs["href"])
        if urlsplit(target).scheme in _WEB:
            return []
        if not is_image and not state.src[opening + 1 : closing].strip():
            self._problem(line, f"the link to {target} has no text.")
        try:
            address = self.lookups.image(target) if is_image else self.lookups.page(target)
        except Missing as error:
            self._problem(line, str(error))
            return []
        if address is None:
            return [_Edit(opening, opening + 1, ""), _Edit(closing, span.end, "")]
        return [_Edit(closing, span.end, f"]({address})")]

    def _html(self, source: str, line: int) -> str:
        """Return running text as HTML: Markdown is not read between ``<summary>`` and ``</summary>``."""
        return str(_summary_parser().renderInline(self.inline(source, line)))

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))


def _is_syntax_of_ours(token: Token) -> bool:
    """Whether a token of finished text is one that only MyST understands."""
    if token.type == "fence":
        return token.info.lstrip().startswith("{")
    kinds = {token.type, *(child.type for child in token.children or [])}
    return bool(kinds & {"myst_role", "colon_fence", "myst_target", "myst_line_comment"})


def _words_and_target(text: str) -> tuple[str, str] | None:
    """Return the two parts of a role's text that has the form ``words <target>``."""
    titled = re.fullmatch(r"(.*?)\s*<([^<>]+)>", text)
    return (titled.group(1), titled.group(2)) if titled else None


def literal(text: str) -> str:
    """Return text in which nothing is Markdown, MyST or mathematics."""
    return re.sub(r"([\\`*_{}\[\]<>$|~])", r"\\\1", " ".join(text.split()))


class _Rewriting:
    """A text and what is to be changed in it; knows how lines and columns of tokens lie in the text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = source.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._edits: list[_Edit] = []
        self._cell_end = (-1, 0)  # row and column behind the last table cell

    def delete_block(self, token: Token) -> None:
        """Take out the lines of a block; what stood around it stays apart."""
        first, last = cast("list[int]", token.map)
        left = "\n" if self._has_text(first - 1) and self._has_text(last) else ""
        self._edits.append(_Edit(self._starts[first], min(self._starts[last], len(self._source)), left))

    def replace_block(self, token: Token, text: str) -> None:
        """Put ``text`` in the place of a block, within the list or quotation that holds it, as a block."""
        first, last = cast("list[int]", token.map)
        found = re.match(r"[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?[\s>]*", self._lines[first])
        prefix = found.group() if found else ""
        next_prefix = re.sub(r"[^>\s]", " ", prefix)
        parts = text.split("\n")
        lines = [prefix + parts[0], *(next_prefix + part for part in parts[1:])]
        # A fence needs no blank line around it, a quotation does: it would take in the words that follow.
        if prefix == next_prefix and self._has_text(first - 1):
            lines.insert(0, prefix)
        if self._has_text(last) and not self._lines[last].lstrip(" >").startswith((":::", "```")):
            lines.append(next_prefix)
        written = "\n".join(line.rstrip() for line in lines)
        self._edits.append(_Edit(self._starts[first], self._starts[last] - 1, written))

    def _has_text(self, row: int) -> bool:
        return 0 <= row < len(self._lines) and bool(self._lines[row].strip(" \t>"))

    def replace_inline(self, token: Token, before: Token | None, edits: list[_Edit]) -> bool:
        """Make changes within the running text of a block; False if its place in the source is not clear."""
        row = cast("list[int]", token.map)[0]
        columns = self._columns(token, before, row)
        if columns is None:
            return not edits
        for edit in edits:
            start, end = (
                self._place(token.content, offset, row, columns) for offset in (edit.start, edit.end)
            )
            self._edits.append(_Edit(start, end, edit.text))
        return True

    def result(self) -> str:
        """Return the text with every change made."""
        pieces, end = [], 0
        for edit in sorted(self._edits, key=lambda edit: (edit.start, edit.end)):
            pieces += [self._source[end : edit.start], edit.text]
            end = edit.end
        return "".join([*pieces, self._source[end:]])

    def _columns(self, token: Token, before: Token | None, row: int) -> list[int] | None:
        """Return where in the source each line of a block's text begins: behind indents, marks and pipes."""
        first, *rest = token.content.split("\n")
        line = self._lines[row]
        if before is not None and before.type in ("th_open", "td_open"):
            column = line.find(first, self._cell_end[1] if self._cell_end[0] == row else 0)
            self._cell_end = (row, column + len(first)) if column >= 0 else self._cell_end
        elif before is not None and before.type == "heading_open" and before.markup.startswith("#"):
            column = line.find(first, line.find(before.markup) + len(before.markup))
        else:
            column = line.rstrip().rfind(first.rstrip())
        columns = [column]
        for number, part in enumerate(rest, start=row + 1):
            columns.append(self._lines[number].rstrip().rfind(part.rstrip()))
        return None if min(columns) < 0 else columns

    def _place(self, content: str, offset: int, row: int, columns: list[int]) -> int:
        line = content.count("\n", 0, offset)
        return self._starts[row + line] + columns[line] + offset - (content.rfind("\n", 0, offset) + 1)


class _RecordingState(StateInline):
    """An inline state that remembers which stretch of the text each rule took."""

    def __init__(self, src: str, md: MarkdownIt, env: dict[str, Any], tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self.spans: list[_Span] = []


_Rule = Callable[[StateInline, bool], bool]


def _recorded(name: str, rule: _Rule) -> _Rule:
    def run(state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.tokens)
        matched = rule(state, silent)
        # Only the text of a block has a recording state; an image's description is parsed in one of its own.
        if matched and not silent and isinstance(state, _RecordingState):
            state.spans.append(_Span(name, start, state.pos, state.tokens[known:]))
        return matched

    return run


def _new_myst() -> MarkdownIt:
    """Return a parser that reads text as a chapter's page is read."""
    parser = create_md_parser(MdParserConfig(enable_extensions=set(MYST_EXTENSIONS)), RendererHTML)
    return parser.disable("front_matter")  # a cell may begin with a rule


# Making a parser takes longer than reading a paragraph with it, and none of them keeps anything of a text.
_myst = cache(_new_myst)


@cache
def _parser() -> MarkdownIt:
    """Return a parser that finds blocks, and whose inline rules record where they match."""
    parser = _new_myst()
    parser.core.ruler.enableOnly(["normalize", "block"])
    for rule in parser.inline.ruler.__rules__:
        rule.fn = _recorded(rule.name, rule.fn)
    return parser


@cache
def _summary_parser() -> MarkdownIt:
    def dollars(tokens: Sequence[Token], index: int, *_: object) -> str:
        return f"${escape(tokens[index].content, quote=False)}$"

    parser = MarkdownIt("commonmark").use(dollarmath_plugin, renderer=None)
    # The renderer is typed by a protocol that leaves its rules out.
    parser.renderer.rules["math_inline"] = dollars  # type: ignore[attr-defined]
    return parser


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _details(summary: str, body: str) -> str:
    inner = body.strip("\n")
    # The blank lines make Markdown out of what stands between the tags.
    return f"<details>\n<summary>{summary}</summary>\n\n{inner}\n\n</details>"


def _spoken(kind: str) -> str:
    names = {
        "html_block": "raw HTML",
        "html_inline": "raw HTML",
        "dl": "a definition list",
        "footnote_ref": "a footnote",
        "footnote_reference": "a footnote",
        "math_block_label": "a labelled formula",
        "myst_block_break": "a block break inside a box",
    }
    return names.get(kind, f"the syntax “{kind}”")
