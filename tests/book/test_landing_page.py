"""The landing page promises what the chapters and the exercise say."""

import re
from pathlib import Path
from typing import Any

import jupytext

ROOT = Path(__file__).parents[2]


def promises() -> dict[str, Any]:
    """The numbers in the landing page's hidden cell; ``"shown"`` holds what the page says."""
    shown: dict[str, Any] = {}

    def record(name: str, value: Any, display: bool) -> None:
        shown[name] = value

    space: dict[str, Any] = {"glue": record, "shown": shown}
    for cell in jupytext.read(ROOT / "book" / "index.md").cells:
        if "remove-cell" in cell.metadata.get("tags", []):
            exec(cell.source.replace("from myst_nb import glue", ""), space)
    return space


def test_the_hours_of_reading_are_those_of_the_chapters():
    told = {}
    for page in (ROOT / "book").glob("*.md"):
        found = re.search(r"^:time: (\d+) minutes$", page.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            told[page.stem] = int(found[1])
    assert promises()["reading"] == told


def test_the_hours_shown_add_up_and_are_right_to_half_an_hour():
    told = promises()
    minutes = {name: sum(told[name].values()) for name in ("reading", "practice")}
    shown = {
        name: float(told["shown"][f"index_{name}"].replace("½", ".5"))
        for name in ("reading", "practice", "hours")
    }
    assert shown["reading"] + shown["practice"] == shown["hours"]
    for name, count in minutes.items():
        assert abs(shown[name] - count / 60) <= 0.25


def test_minutes_and_points_of_practice_are_those_of_the_exercises():
    minutes, points = {}, {}
    for master in (ROOT / "solutions").glob("[a-z]*.md"):
        facts = jupytext.read(master).metadata["mostly_harmless"]
        minutes[master.stem], points[master.stem] = facts["minutes"], facts["points"]
    assert promises()["practice"] == minutes
    assert promises()["points"] == points


def test_every_exercise_follows_a_chapter_that_is_there():
    chapters = {page.stem for page in (ROOT / "book").glob("*.md")}
    for master in (ROOT / "solutions").glob("[a-z]*.md"):
        assert jupytext.read(master).metadata["mostly_harmless"]["chapter"] in chapters
