"""Mathematics as native MathML, written when the book is built, so that pages load no script for it.

latex2mathml does the translation. It is forgiving where we cannot afford it: an unknown command becomes its
own name in italics, a missing argument an empty place. `to_mathml` therefore checks what comes out and
raises, and the build stops at the line with the mistake.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

from docutils import nodes
from latex2mathml import commands, converter
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

# LaTeX's names for one and the same layout; latex2mathml knows the second.
_SAME_LAYOUT = {"aligned": "split", "gathered": "displaylines"}
_ENVIRONMENTS = {name.lstrip("\\") for name in commands.MATRICES}

# How many children an element must have, or it was given too few arguments.
_ARITY = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}

# latex2mathml takes these for identifiers; as operators they get their space; fences grow with their content.
_OPERATORS = frozenset("±∓…")
_FENCES = {"⌊": "prefix", "⌈": "prefix", "⌋": "postfix", "⌉": "postfix"}


class MathError(ValueError):
    """LaTeX that we cannot set; the message says what to change."""


def to_mathml(latex: str, *, display: bool) -> str:
    """Translate LaTeX to a ``<math>`` element for HTML.

    latex    what stands between the dollar signs
    display  True for a formula on its own line
    Raises MathError where the LaTeX is wrong or holds something that the translator does not know.
    """
    _check_source(latex)
    try:
        text = converter.convert(_one_dialect(latex), display="block" if display else "inline")
        root = ET.fromstring(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "", 1))
    except ET.ParseError as error:  # only a bare & gets through unescaped
        raise MathError("an & stands outside a matrix or an aligned block") from error
    except (
        Exception
    ) as error:  # its exceptions share no base class, and odd input raises IndexError and the like
        raise MathError(_in_words(error)) from error
    _check_result(root)
    _settle(root)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _one_dialect(latex: str) -> str:
    for name, known in _SAME_LAYOUT.items():
        latex = re.sub(rf"\\(begin|end)\{{{name}\}}", rf"\\\1{{{known}}}", latex)
    return re.sub(r"\\operatorname\*?\s*\{", r"\\mathrm{", latex)


def _check_source(latex: str) -> None:
    if not latex.strip():
        raise MathError("the formula is empty")
    if any(ord(character) < 32 and character not in "\t\n\r" for character in latex):
        raise MathError(
            "a control character stands in the formula (a lost backslash before b, f, n, r, t or v?)"
        )
    bare = re.sub(
        r"\\(.)", lambda escape: "" if escape[1] in "{}%&$#_" else escape[0], latex.replace("\\\\", "")
    )
    if "%" in bare:
        raise MathError(r"a bare % starts a comment and hides the rest; write \%")
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            raise MathError("a } closes nothing")
    if depth:
        raise MathError("a { is never closed")
    for name in re.findall(r"\\begin\{([^}]*)\}", latex):
        if name not in _ENVIRONMENTS and name not in _SAME_LAYOUT:
            raise MathError(
                f"there is no environment {name!r} here; known are bmatrix, cases, aligned and the like"
            )


def _in_words(error: Exception) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
    return f"{words}{f': {error}' if str(error) else ''}"


def _check_result(root: ET.Element) -> None:
    for element in root.iter():
        content = (element.text or "").strip()
        if element.tag != "mtext" and content.startswith("\\"):
            raise MathError(f"the command {content} is not known")
        if element.tag in ("mi", "mo") and content == "&":
            raise MathError("an & stands outside a matrix or an aligned block")
        wanted = _ARITY.get(element.tag)
        if wanted is not None and len(element) != wanted:
            raise MathError(f"a command has {len(element)} of its {wanted} parts (an argument is missing)")
        if (
            element.tag in ("msub", "msup", "msubsup")
            and not len(element[0])
            and not (element[0].text or "").strip()
        ):
            raise MathError("an index or exponent stands on nothing; put {} before it if that is meant")


def _settle(root: ET.Element) -> None:
    """Turn what MathML Core dropped, or browsers set badly, into what they set well."""
    for element in root.iter():
        if element.tag == "mi" and element.text in _OPERATORS:
            element.tag = "mo"
        if element.tag in ("mi", "mo") and element.text in _FENCES:
            element.tag = "mo"
            element.attrib.update(form=_FENCES[element.text], fence="true", stretchy="true")
        # A column's side is CSS today; as an attribute no browser but one reads it.
        if (side := element.attrib.pop("columnalign", None)) is not None:
            element.set("style", f"text-align: {side}")
        if element.tag == "mtable" and element.attrib.pop("columnspacing", None) is not None:
            element.attrib.pop("rowspacing", None)
            element.set("class", "aligned")
        if element.tag == "mrow":
            _join_upright(element)
        if element.tag in ("mrow", "mtd", "math"):
            _tell_signs_from_sums(element)
        if element.tag in _ARITY and element.tag not in ("mfrac", "mroot"):
            for script in list(element)[1:]:
                _tighten(script)


def _tell_signs_from_sums(row: ET.Element) -> None:
    """Mark a minus that follows an operator or opens a row as a sign, which stands close to its number."""
    before: ET.Element | None = None
    for child in row:
        after_operator = before is None or (
            before.tag == "mo" and before.text not in (")", "]", "|", "!") and before.get("form") != "postfix"
        )
        if child.tag == "mo" and child.text in ("−", "+", "±") and after_operator:
            child.set("form", "prefix")
        before = child


def _tighten(script: ET.Element) -> None:
    """Take the space around operators out of an index or limit, as typesetters do."""
    for operator in script.iter("mo"):
        if operator.get("fence") != "true":
            operator.attrib.update(lspace="0", rspace="0")


def _join_upright(row: ET.Element) -> None:
    """Make one identifier of a word set letter by letter, so that it is read as a word."""
    letters = list(row)
    upright = all(child.tag in ("mi", "mn") and len(child) == 0 for child in letters) and any(
        child.get("mathvariant") == "normal" for child in letters
    )
    if len(letters) > 1 and upright:
        word = ET.Element("mi")
        word.text = "".join(child.text or "" for child in letters)
        for child in letters:
            row.remove(child)
        row.append(word)


def _mathml_of(node: nodes.Node, latex: str, *, display: bool) -> str:
    try:
        return to_mathml(latex, display=display)
    except MathError as error:
        logger.warning(
            "this formula cannot be set: %s. It reads: %s", error, " ".join(latex.split()), location=node
        )
        return "<code>formula</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml_of(node, node.astext(), display=False))
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math-display", tabindex="0"))
    self.body.append(_mathml_of(node, node.astext(), display=True))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
