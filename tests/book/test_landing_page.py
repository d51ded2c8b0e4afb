"""The landing page promises what the chapters and the exercise say."""

import re
from pathlib import Path

import jupytext

ROOT = Path(__file__).parents[2]


def promises() -> dict[str, dict[str, int]]:
    """The numbers in the landing page's hidden cell."""
    space: dict[str, dict[str, int]] = {}
    for cell in jupytext.read(ROOT / "book" / "index.md").cells:
        if "remove-cell" in cell.metadata.get("tags", []):
            exec(re.sub(r"(?m)^(glue\(|from myst_nb).*$", "", cell.source), space)
    return space


def test_the_hours_of_reading_are_those_of_the_chapters():
    told = {}
    for page in (ROOT / "book").glob("*.md"):
        found = re.search(r"^:time: (\d+) minutes$", page.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            told[page.stem] = int(found[1])
    assert promises()["reading"] == told


def test_minutes_and_points_of_practice_are_those_of_the_exercises():
    minutes, points = {}, {}
    for master in (ROOT / "solutions").glob("*.md"):
        facts = jupytext.read(master).metadata["mostly_harmless"]
        minutes[master.stem], points[master.stem] = facts["minutes"], facts["points"]
    assert promises()["practice"] == minutes
    assert promises()["points"] == points
