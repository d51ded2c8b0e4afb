"""What a student with a wrong answer is told: by our checks and, in the same run, by plain Otter's.

    .venv/bin/python benchmarks/hints.py [SLUG ...]

Tries every wrong and every other right answer of the masters. Plain Otter runs the same open check files and
prints its own summary, as `grader.check` does. Counts per exercise go to benchmarks/results/hints.json:

caught      wrong answers that fail where they should, under three seeds of the hidden checks
named       wrong answers of which the student reads the sentence meant for this very mistake
lines       median number of lines that are printed about a wrong answer
accepted    other right answers that pass everywhere
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings
from pathlib import Path
from statistics import median
from typing import Any

from record import write_record

from autograder import assemble, build, diagnose, judge, settings, trials
from autograder.answers import Answer

REPOSITORY = Path(__file__).resolve().parents[1]


def plain_otter_says(source: str, answer: Answer, env: dict[str, Any]) -> str:
    """What Otter itself prints about an answer that fails an open check; empty if it passes."""
    file = judge.test_file(source, answer.question)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.run(env)
    if all(result.passed for result in file.test_case_results):
        return ""
    return str(file.summary(public_only=True))


def ours_says(source: str, answer: Answer, env: dict[str, Any], table: diagnose.Table) -> str:
    """What the notebook's `check` prints: the hint and where it was seen, or the one sentence."""
    said = diagnose.say(source, answer.question, env, table)
    found = said and said == answer.hint
    return f"{said}\nSeen here" if found else said


def measure(slug: str, chosen: settings.Settings) -> dict[str, Any]:
    """Try all answers of one exercise."""
    (master,) = build.read_masters(chosen.root, [slug])
    built = build.build(master, chosen)
    outcome = trials.try_answers(master, built, chosen)
    sources = assemble.open_checks(master, build.templates())
    counts: dict[str, Any] = {
        "wrong answers": outcome.count("caught")[1],
        "right answers": outcome.count("accepted")[1],
        "ours": {"caught": outcome.count("caught")[0], "named": 0, "lines": []},
        "plain Otter": {"caught": 0, "named": 0, "lines": []},
    }
    counts["ours"]["accepted"] = outcome.count("accepted")[0]
    counts["plain Otter"]["accepted"] = 0
    for verdict in outcome.verdicts:
        answer = verdict.answer
        env = diagnose.environment(answer, built.solved)
        source = sources[answer.question]
        plain = plain_otter_says(source, answer, env)
        bundled = judge.judge(built.product.bundle, env, questions=[answer.question])
        full = all(check.passed for check in bundled.checks[answer.question])
        if answer.kind == "right":
            counts["plain Otter"]["accepted"] += full and not plain
            continue
        counts["plain Otter"]["caught"] += not full
        if "open" not in answer.fails:
            # Only graded work shows it, so nobody is told anything in the notebook.
            counts["ours"]["named"] += verdict.hinted
            continue
        ours = ours_says(source, answer, env, built.tables[answer.question])
        for who, said in (("ours", ours), ("plain Otter", plain)):
            counts[who]["named"] += (answer.hint or answer.says) in said
            counts[who]["lines"].append(len(said.splitlines()))
    for who in ("ours", "plain Otter"):
        assert all(counts[who]["lines"]), f"{who} says nothing about a wrong answer to {slug}"
        counts[who]["lines"] = median(counts[who]["lines"])
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="an exercise (default: all)")
    chosen = settings.load(REPOSITORY)
    slugs = build.choose(chosen.root, parser.parse_args().slugs)
    exercises = {}
    for slug in slugs:
        exercises[slug] = measure(slug, chosen)
        print(slug, exercises[slug])
    path = write_record(
        "hints",
        repetitions=len(trials.OTHER_SEEDS) + 1,
        packages=["otter-grader", "numpy", "scipy", "opencv-python-headless", "torch"],
        results={"n_is": "seeds of the hidden checks", "exercises": exercises},
    )
    print(f"Written: {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
