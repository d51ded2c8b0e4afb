"""The wrong and the other right answers that a master carries: how each is written and read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["wrong", "right"]

HEADING = re.compile(
    r'\A"""\s*#\s*BEGIN (WRONG|RIGHT) ANSWER\n(.*?)"""\s*#\s*END (WRONG|RIGHT) ANSWER[^\S\n]*(?:\n|\Z)',
    re.DOTALL,
)
KEYS = {"wrong": {"name", "hint", "says", "like", "fails", "change"}, "right": {"name", "change"}}
FAILS = ("open", "hidden")


@dataclass(frozen=True)
class Answer:
    """One way to answer a question, which is tried in a notebook where everything else is solved.

    hint     the sentence for exactly this mistake (wrong answers only)
    says     instead of a hint: a part of what any check says of it by itself
    like     instead of a hint: the name of an answer with the same mistake, written in another way
    fails    where it must fail: in an open check, in a hidden one, as a rule in both
    """

    question: str
    kind: Kind
    name: str
    source: str
    line: int
    hint: str = ""
    says: str = ""
    like: str = ""
    fails: tuple[str, ...] = FAILS

    def __str__(self) -> str:
        """Name the answer where tests and reports list it."""
        return f"{self.question}: {self.name}"


def read(
    kind: Kind,
    source: str,
    line: int,
    question: str,
    solution: str,
    read_yaml: Callable[[str, int], dict[str, Any] | None],
    wrong: Callable[[int, str], None],
) -> Answer | None:
    """Read one answer's cell: its settings, then its code, or where it differs from the solution."""
    word = kind.upper()
    heading = HEADING.match(source)
    if not heading or {heading[1], heading[3]} != {word}:
        wrong(
            line, f'the answer does not begin with its settings. Add """ # BEGIN {word} ANSWER … with a name.'
        )
        return None
    options = read_yaml(heading[2], line + 1)
    if options is None:
        return None
    for key in sorted(options.keys() - KEYS[kind]):
        wrong(line, f"the answer's setting {key} is unknown. It can have {', '.join(sorted(KEYS[kind]))}.")
    name = options.get("name")
    if not isinstance(name, str) or not name.strip():
        wrong(line, "the answer has no name. Add a line such as: name: kernel transposed")
        name = f"unnamed in line {line}"
    hint, says, like = (_text(options, key, line, wrong) for key in ("hint", "says", "like"))
    if kind == "wrong" and bool(hint) + bool(says) + bool(like) != 1:
        wrong(
            line,
            f'the wrong answer "{name}" needs one of these: a hint of its own; under says a part of the '
            "sentence that any check gives by itself; under like the name of one with the same mistake.",
        )
    fails = options.get("fails", list(FAILS))
    fails = [fails] if isinstance(fails, str) else fails
    if not isinstance(fails, list) or not fails or not set(fails) <= set(FAILS):
        wrong(line, f'fails is {fails!r}. Write open, hidden, or leave it out if "{name}" fails in both.')
        fails = list(FAILS)
    body = source[heading.end() :].strip("\n")
    if "change" in options:
        if body:
            wrong(line, f'"{name}" has both a change and code of its own. Keep one.')
        body = _changed(options["change"], solution, name, line, wrong)
    elif not body:
        wrong(line, f'"{name}" has no code. Write the function, or what to change in the solution.')
    try:
        compile(body, name, "exec")
    except SyntaxError as error:
        wrong(line, f'"{name}" is not Python: {error.msg}.')
    return Answer(question, kind, name.strip(), body + "\n", line, hint, says, like, tuple(fails))


def _text(options: dict[str, Any], key: str, line: int, wrong: Callable[[int, str], None]) -> str:
    """Read a sentence, which YAML may have taken for something else."""
    value = options.get(key, "")
    if not isinstance(value, str):
        wrong(line, f"{key} is not a text. Put it in quotes.")
        return ""
    return " ".join(value.split())


def _changed(changes: Any, solution: str, name: str, line: int, wrong: Callable[[int, str], None]) -> str:
    """Apply pairs of (what the solution says, what this answer says instead)."""
    pairs = [changes] if isinstance(changes, list) and changes and isinstance(changes[0], str) else changes
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
        for pair in pairs
    ):
        wrong(line, f'the change of "{name}" is not a pair [old, new] of texts, or a list of such pairs.')
        return ""
    for old, new in pairs:
        count = solution.count(old)
        if count != 1:
            how = "does not stand" if not count else f"stands {count} times"
            wrong(line, f'the change of "{name}": "{old}" {how} in the solution. It must stand there once.')
            return ""
        solution = solution.replace(old, new)
    return solution
