"""CSV as it comes from other people's programs: read cell by cell, so that one cell can be replaced alone."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.errors import Misuse

BOM = "\ufeff"
DELIMITERS = (",", ";", "\t")
# A spreadsheet takes a cell that begins so for a formula, and a formula can start a program.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


@dataclass(frozen=True)
class Cell:
    """One cell: its text, and where it stands in the file's text, quotes included."""

    value: str
    start: int
    end: int


def decoded(content: bytes, name: str) -> str:
    """Turn a file's bytes into text, of which ``encode`` makes the same bytes again. Raises Misuse."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Misuse(f"{name}: it is not text in UTF-8. Save it once more as “CSV UTF-8” and pass that file.")
    return text


def scan(text: str, delimiter: str, name: str) -> list[list[Cell]]:
    """Cut a text into rows of cells, as Python's csv module does; an empty line is an empty row.

    Raises Misuse if a quote is never closed.
    """
    rows: list[list[Cell]] = []
    row: list[Cell] = []
    position, length = len(BOM) if text.startswith(BOM) else 0, len(text)
    # All that can follow in a cell without quotes, at once.
    plain = re.compile(f"[^\r\n{re.escape(delimiter)}]*")
    while position < length:
        if not row and text[position] in "\r\n":
            rows.append([])
            position = _after_line(text, position)
            continue
        start, value = position, ""
        if text[position] == '"':
            value, position = _quoted(text, position, name)
        rest = plain.match(text, position)
        assert rest is not None  # it matches nothing, too
        value, position = value + rest[0], rest.end()
        row.append(Cell(value, start, position))
        if position < length and text[position] == delimiter:
            position += 1
            if position < length and text[position] not in "\r\n":
                continue
            row.append(Cell("", position, position))
        position = _after_line(text, position)
        rows.append(row)
        row = []
    return rows


def _quoted(text: str, start: int, name: str) -> tuple[str, int]:
    """Read a quoted cell from its first quote on; a quote in it is written twice."""
    pieces, position = [], start + 1
    while True:
        end = text.find('"', position)
        if end < 0:
            line = len(re.findall("\r\n|\r|\n", text[:start])) + 1
            raise Misuse(f"{name}:{line}: a quote is opened and never closed. Export the file once more.")
        pieces.append(text[position:end])
        if not text.startswith('""', end):
            return "".join(pieces), end + 1
        pieces.append('"')
        position = end + 2


def _after_line(text: str, position: int) -> int:
    """Step over the end of a line."""
    return position + 2 if text.startswith("\r\n", position) else position + 1


def spliced(text: str, cells: Mapping[Cell, str], delimiter: str) -> str:
    """Put other values into some cells, and leave every other character as it is."""
    pieces, position = [], 0
    for cell in sorted(cells, key=lambda cell: cell.start):
        value = cells[cell]
        if text[cell.start : cell.start + 1] == '"' or any(sign in value for sign in (delimiter, *'"\r\n')):
            value = '"' + value.replace('"', '""') + '"'
        pieces += [text[position : cell.start], value]
        position = cell.end
    return "".join(pieces) + text[position:]


def defused(value: str) -> str:
    """Make sure that a spreadsheet shows a text and does not compute it; a number is left alone."""
    return f"'{value}" if value.startswith(DANGEROUS) and not NUMBER.fullmatch(value) else value


def number(value: float) -> str:
    """Write points as people do: 3, 2.5, 0.3333."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Write a table. Excel reads accents only behind a byte-order mark, and pandas passes over it."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return (BOM + stream.getvalue()).encode("utf-8", "replace")
