"""The instructors' page says what was recorded of the class grader, and nothing else."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "benchmarks" / "results"
PAGE = (REPOSITORY / "book" / "instructors" / "grade-a-class.md").read_text(encoding="utf-8")
RECORD: dict[str, Any] = json.loads((RESULTS / "grading.json").read_text(encoding="utf-8"))


def number(pattern: str) -> float:
    """The one number in the page that stands in such a place."""
    (found,) = re.findall(pattern, PAGE)
    return float(found.replace(",", ""))


def of(slug: str, who: str) -> float:
    """CPU-seconds of one submission, with two workers."""
    return float(RECORD["compared"][f"{slug}, 2 workers"][who]["cpu"])


def test_the_page_says_how_much_less_it_costs_than_plain_otter() -> None:
    told = {
        "kernels": number(r"`kernels` took (\d+) times less"),
        "forward": number(r"`forward`, .*?, (\d+) times less"),
    }
    for slug, times in told.items():
        assert times == pytest.approx(of(slug, "otter") / of(slug, "ours"), abs=0.5)


def test_the_page_says_what_is_left_of_it_where_nothing_is_drawn() -> None:
    drawn, undrawn = (RECORD["compared"][f"kernels{what}, 1 worker"] for what in ("", ", nothing drawn"))
    assert number(r"With one notebook at a time it is (\d+) times") == pytest.approx(drawn["ratio"], abs=0.5)
    assert number(r"and (\d+) times where both") == pytest.approx(undrawn["ratio"], abs=0.5)


def test_the_page_says_how_long_a_class_takes_and_how_much_memory() -> None:
    growth = RECORD["growth"]["kernels"]
    assert number(r"Three hundred .*? took (\d+) seconds") == pytest.approx(growth["300"]["seconds"], abs=0.5)
    assert number(r"a thousand (\d+)") == pytest.approx(growth["1000"]["seconds"], abs=0.5)
    assert number(r"more than ([\d,]+) MB") == round(max(run["peak"] for run in growth.values()))
    assert str(RECORD["submissions"]) in PAGE
    assert RECORD["date"][:10] in PAGE


def test_time_grows_with_the_class_and_memory_does_not() -> None:
    growth = RECORD["growth"]["kernels"]
    each = {size: run["seconds"] / int(size) for size, run in growth.items()}
    assert each["1000"] < 1.25 * each["300"]  # nothing grows faster than the class
    assert growth["1000"]["peak"] < 1.25 * growth["100"]["peak"]  # once each kind of notebook has run


def test_the_figure_is_drawn_from_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(RESULTS.parent))
    picture = (RESULTS / "grading.svg").read_text(encoding="utf-8")
    assert f"grading.json, {RECORD['date']}" in picture
    benchmark = runpy.run_path(str(RESULTS.parent / "grading.py"))
    assert callable(benchmark["draw"])
    for slug in ("kernels", "forward"):
        for who in ("otter", "ours"):
            # Matplotlib writes each text as a comment beside its letters.
            assert f"{of(slug, who):.2f} s" in picture
