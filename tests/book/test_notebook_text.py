"""MyST text becomes plain Markdown: syntax of ours goes, everything else stays as it was written."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from notebook_text import MYST_EXTENSIONS, Exercise, Missing, PlainText, literal


class Book:
    """Lookups of a book that knows one thing of each kind."""

    def __init__(self, site: str = "https://ada.github.io/course/") -> None:
        self.site = site

    def glued(self, text: str) -> str:
        known = {"answer": "42", "answer:.1f": "42.0", "word": "a*b_c`{x}`"}
        if text not in known:
            raise Missing(f"nothing is glued under the name {text!r} on this page.")
        return known[text]

    def figure(self, label: str) -> str:
        return "Fig. 7"

    def citation(self, key: str) -> tuple[str, str]:
        return {"one": ("Szeliski", "2022"), "two": ("Swain and Ballard", "1991")}[key]

    def reference(self, key: str) -> str:
        return f"Reference {key}."

    def page(self, target: str) -> str | None:
        if "nowhere" in target:
            raise Missing(f"{target} is not a page of this book.")
        return self.site + target.replace(".md", ".html") if self.site else None

    def term(self, name: str) -> str | None:
        if name.lower() not in ("kernel", "feature map"):
            raise Missing(f"the glossary has no term {name!r}.")
        return f"{self.site}glossary.html#term-{name.lower().replace(' ', '-')}" if self.site else None

    def image(self, path: str) -> str:
        return "data:image/png;base64,QUJD"

    def exercise(self, slug: str) -> Exercise:
        if slug != "kernels":
            raise Missing(f"no exercise is called {slug!r}: there is no exercises/{slug}.ipynb.")
        where = self.site or None
        return Exercise("Kernels by hand", 18, 75, where and f"{where}e.html", where and "https://colab/e")


def rewritten(source: str, site: str = "https://ada.github.io/course/") -> str:
    text = PlainText(Book(site))
    result = text.markdown(source)
    assert not text.problems, text.problems
    return result


def problems(source: str) -> list[tuple[int, str]]:
    text = PlainText(Book())
    text.markdown(source)
    return [(problem.line, problem.message) for problem in text.problems]


# What stays


@pytest.mark.parametrize(
    "source",
    [
        "Code: `{glue:text}` and ``{numref}`x` `` stay.",
        "```python\nd = {'a': 1}  # {glue:text}`answer`\n% not a comment\n(not-a-target)=\n```",
        "````md\n```{note}\nshown, not meant\n```\n````",
        "    {glue:text}`answer` in an indented block\n",
        "Mathematics $a_{ij}`$ and\n\n$$\n\\sum_{i} x_{i}\n$$\n",
        "| a | b |\n|---|:-:|\n| 1 \\| 2 | `x` |",
        "1. one\n   - *two*\n2. [three](https://example.org/a_(b)) <https://example.org>\n\n> four\n",
        "## A heading {with braces} ##",
        "An escaped \\{glue:text}\\`answer\\` and a lone { brace }.",
        "![A remote picture](https://example.org/a.png)",
    ],
)
def test_plain_markdown_and_code_stay_byte_for_byte(source: str) -> None:
    assert rewritten(source) == source


# Letters and the punctuation that means something to Markdown, but no brace, backtick or bracket.
plain = st.text(string.ascii_letters + string.digits + " \n.,;!?*_-+#>()'\"é—×≤", max_size=300)


@given(plain)
@settings(max_examples=300, deadline=None)
def test_any_text_without_our_syntax_stays_byte_for_byte(source: str) -> None:
    assume(not re.search(r"(?m)^\s*\([^\n]+\)=", source))
    assert rewritten(source) == source


INLINE = ("{glue:text}`answer`", "{glue:text}`word`", "{numref}`fig-a`", "{footcite:p}`one,two`", "`{x}`y`")
INLINE += ("{term}`kernel`", "{term}`maps <feature map>`")
INLINE += ("`code {glue:text}`", "[a](b.md)", "[b {glue:text}`answer`](c.md#d)", "![p](q.png)", "$x$", "word")
MARKS = (
    "**",
    "*",
    "$",
    " ",
    "{",
    "}",
    "`",
    "``",
    "\\",
    "{.class}",
    " | ",
    "\n",
    "\n\n",
    "\n- ",
    "\n> ",
    "\n## ",
)
BLOCKS = ("(target)=", "% note", "```python", "```", ":::{predict}", ":::", "| a | b |\n|---|---|\n| ")
pieces = st.lists(st.sampled_from([*INLINE, *MARKS, *(f"\n{block}\n" for block in BLOCKS)]), max_size=25).map(
    "".join
)


def _myst_can_read(source: str) -> bool:
    """MyST's own parser stops with an IndexError where a text ends in an empty line of a quoted list."""
    try:
        create_md_parser(MdParserConfig(enable_extensions=set(MYST_EXTENSIONS)), RendererHTML).parse(source)
    except IndexError:
        return False
    return True


@given(pieces)
@example("```{.class}{glue:text}`answer`")
@settings(max_examples=500, deadline=None)
def test_no_role_directive_target_or_comment_is_ever_left_in_silence(source: str) -> None:
    assume(_myst_can_read(source))
    text = PlainText(Book())
    result = text.markdown(source)
    assume(not text.problems)

    parser = create_md_parser(MdParserConfig(enable_extensions=set(MYST_EXTENSIONS)), RendererHTML)
    parser.disable("front_matter")
    for token in parser.parse(result):
        kinds = [token.type, *(child.type for child in token.children or [])]
        assert "myst_role" not in kinds
        assert "colon_fence" not in kinds
        assert "myst_target" not in kinds
        assert "myst_line_comment" not in kinds
        assert not (token.type == "fence" and token.info.startswith("{"))


@given(st.text(string.printable, max_size=60).filter(lambda text: text.strip() == text and "\n" not in text))
@settings(deadline=None)
def test_a_value_is_shown_and_never_read_as_markdown(value: str) -> None:
    parser = create_md_parser(MdParserConfig(enable_extensions=set(MYST_EXTENSIONS)), RendererHTML)

    (token,) = parser.parseInline(f"x{literal(value)}", {})

    assert {child.type for child in token.children or []} <= {"text", "entity", "text_special"}


# Running text


def test_computed_values_are_written_out() -> None:
    assert rewritten("It is {glue:text}`answer`, or {glue:text}`answer:.1f`.") == "It is 42, or 42.0."


def test_a_value_is_written_in_headings_tables_lists_and_quotations() -> None:
    source = "## {glue:text}`answer` ways\n\n| a | {glue:text}`answer` |\n|--|--|\n"
    source += "| {glue:text}`answer` | b |\n"
    source += "\n- {glue:text}`answer`\n\n  > {glue:text}`answer`\n"

    assert rewritten(source) == source.replace("{glue:text}`answer`", "42")


def test_a_role_broken_over_two_lines_is_one_role() -> None:
    written = rewritten("> so {footcite:p}`one,\n> two` it is")

    assert written == "> so (Szeliski 2022; Swain and Ballard 1991) it is"


def test_a_value_with_markdown_in_it_is_escaped() -> None:
    assert rewritten("{glue:text}`word`") == "a\\*b\\_c\\`\\{x\\}\\`"


def test_figures_are_called_what_the_site_calls_them() -> None:
    assert rewritten("See {numref}`fig-a` and {numref}`picture %s <fig-a>`.") == "See Fig. 7 and picture 7."


def test_a_term_leads_to_the_glossary() -> None:
    assert rewritten("A {term}`kernel` makes two {term}`feature\nmaps <feature map>`.") == (
        "A [*kernel*](https://ada.github.io/course/glossary.html#term-kernel) makes two "
        "[*feature maps*](https://ada.github.io/course/glossary.html#term-feature-map)."
    )


def test_a_term_is_a_word_in_italics_where_the_site_has_no_address() -> None:
    assert (
        rewritten("A {term}`kernel`, two {term}`kernels <Kernel>`.", site="") == "A *kernel*, two *kernels*."
    )


def test_links_between_pages_become_absolute() -> None:
    assert rewritten("A [*fine* page](two.md#top).") == (
        "A [*fine* page](https://ada.github.io/course/two.html#top)."
    )


def test_links_between_pages_become_words_where_the_site_has_no_address() -> None:
    assert rewritten("A [*fine* page](two.md#top).", site="") == "A *fine* page."


def test_images_are_embedded_with_their_description() -> None:
    assert rewritten('![A coin](coin.png){width="50%"}') == "![A coin](data:image/png;base64,QUJD)"


def test_targets_and_comments_are_dropped() -> None:
    assert rewritten("% a note\n(here)=\n## Here").strip() == "## Here"


def test_sources_are_listed_in_the_order_in_which_they_were_cited() -> None:
    source = "First {footcite:p}`two`, then {footcite:t}`one`.\n\n```{footbibliography}\n```"

    assert rewritten(source) == (
        "First (Swain and Ballard 1991), then Szeliski (2022).\n\n- Reference two.\n- Reference one."
    )


# Boxes


def test_a_box_becomes_a_quotation_with_its_word_and_title() -> None:
    source = ":::{detective} The {glue:text}`answer`\n:name: case\n\nA clue.\n\n- `{x}`\n:::\n\nAfter."

    assert rewritten(source) == "> **Detective** The 42\n>\n> A clue.\n>\n> - `{x}`\n\nAfter."


def test_a_box_keeps_apart_from_what_touches_it() -> None:
    assert rewritten("Before.\n:::{predict}\nWhat?\n:::\nAfter.") == (
        "Before.\n\n> **Predict, then run**\n>\n> What?\n\nAfter."
    )


def test_a_box_in_a_list_stays_in_its_item() -> None:
    assert rewritten("- one\n\n  :::{predict}\n  What?\n  :::\n\n- two") == (
        "- one\n\n  > **Predict, then run**\n  >\n  > What?\n\n- two"
    )


def test_the_formula_box_folds() -> None:
    source = ":::{dont-panic} A $w$ `sum`\n$$\nx_{i}\n$$\n:::"

    assert rewritten(source) == (
        "<details>\n<summary><b>Don’t panic: A $w$ <code>sum</code></b></summary>\n\n"
        "$$\nx_{i}\n$$\n\n</details>"
    )


def test_a_quoted_formula_is_one_line_because_jupyter_reads_formulas_before_quotations() -> None:
    assert rewritten(":::{limits}\n$$\na +\nb\n$$\n:::") == "> **Limits of the analogy**\n>\n> $$a + b$$"


def test_objectives_say_time_and_needs() -> None:
    source = ":::{objectives}\n:time: 45 minutes\n:needs: [Chapter one](one.md)\n\n- read\n:::"

    assert rewritten(source, site="").splitlines()[:3] == [
        "> **What you will be able to do**",
        ">",
        "> Time: 45 minutes · You need: Chapter one",
    ]


def test_each_option_of_a_self_check_opens_on_its_own_feedback() -> None:
    source = """\
::::{self-check} What is {glue:text}`answer`?
:::{option} A `number`
:correct:
Yes. It is.
:::
:::{option} A < word
It could be.
:::
::::"""

    assert (
        rewritten(source)
        == """\
**Self-check** What is 42? *(Open the answer you would give.)*

<details>
<summary>A <code>number</code></summary>

✓ Yes. It is.

</details>

<details>
<summary>A &lt; word</summary>

**Not quite.** It could be.

</details>"""
    )


def test_now_you_names_the_exercise_and_leads_there() -> None:
    written = rewritten(":::{now-you} kernels\nWrite the window.\n:::")

    assert "> **Now you** Kernels by hand" in written
    assert "> 18 points · about 75 minutes" in written
    assert "[Open in Colab](https://colab/e) · [The exercise on the site](" in written


def test_now_you_has_no_link_where_the_site_has_no_address() -> None:
    assert "](" not in rewritten(":::{now-you} kernels\nWrite the window.\n:::", site="")


# What is refused, and where


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("One.\n\nTwo {abbr}`CNN`.", 3, "the role {abbr}"),
        ("One.\n\n:::{note}\nx\n:::", 3, "the directive {note}"),
        (":::{predict}\nOne.\n\nTwo {abbr}`CNN`.\n:::", 4, "the role {abbr}"),
        (":::{predict}\n:colour: red\n\nOne.\n:::", 1, ":colour:"),
        (":::{option} Alone\nNo question.\n:::", 1, "{option}"),
        ("One\ntwo {glue:text}`nothing` three", 2, "nothing is glued"),
        ("One\ntwo {glue:text}`answer three", 2, "no backtick at its end"),
        ("See [there](nowhere.md).", 1, "not a page"),
        ("One.\n\nA {term}`colonel`.", 3, "the glossary has no term 'colonel'"),
        ("One.\n\n<div>HTML</div>", 3, "raw HTML"),
        ("One <b>bold</b>.", 1, "raw HTML"),
        ("term\n: meaning", 1, "definition list"),
        ("A note[^1].\n\n[^1]: here", 1, "a footnote"),
        ("$$a$$ (label)", 1, "labelled formula"),
        ("[text][far]\n\n[far]: two.md", 1, "Write it inline"),
        (":::{now-you} missing\nx\n:::", 1, "no exercise is called 'missing'"),
        (":::\nx\n:::", 1, "fence of colons"),
        ("[](two.md)", 1, "has no text"),
    ],
)
def test_what_a_notebook_cannot_show_is_refused_with_its_line(source: str, line: int, said: str) -> None:
    assert any(at == line and said in message for at, message in problems(source)), problems(source)
