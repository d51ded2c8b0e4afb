"""The command line. The only module that prints."""

import argparse
import dataclasses
import json
import multiprocessing
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from autograder import build, classes, inspection, isolation, report, settings
from autograder.batch import Tally
from autograder.errors import AutograderError, MasterError, Misuse, Problem
from autograder.parts import Master

DESCRIPTION = """\
Builds and checks the exercises of the course. The source of an exercise is solutions/SLUG.md; students get
exercises/SLUG.ipynb, instructors dist/SLUG.zip (for Otter and Gradescope) and dist/SLUG_solved.ipynb.
"""
COUNTED = ("caught", "hinted", "accepted")
EPILOG = """\
examples:
  autograder new padding           begin an exercise
  autograder build                 build all exercises
  autograder build kernels         build one of them
  autograder check                 is everything in step, complete and tight?
  autograder grade kernels submissions/ --out grades/    grade a class
  autograder report grades/        make its reports again

exit code: 0 all well, 1 something is wrong and listed or needs a person, 2 the command was misused
settings:  [tool.autograder] in pyproject.toml; AUTOGRADER_SEED and AUTOGRADER_GPU in the
           environment win over its seed and gpu
"""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="autograder",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--root", type=Path, help="the course's folder (default: the one you are in, or above it)"
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    beginning = verbs.add_parser(
        "new",
        help="begin an exercise from the template",
        description="Copies the template to solutions/SLUG.md; solutions/README.md explains its parts.",
    )
    beginning.add_argument("slug", metavar="SLUG", help="the name of the exercise, such as padding")
    building = verbs.add_parser(
        "build",
        help="make notebooks and bundles from the masters",
        description="Reads solutions/SLUG.md, runs Otter Assign, writes exercises/ and dist/. The same "
        "master gives the same bytes on every run and in every folder.",
    )
    building.add_argument(
        "slugs", nargs="*", metavar="SLUG", help="an exercise, such as kernels (default: all)"
    )
    checking = verbs.add_parser(
        "check",
        help="prove that exercises are in step with their masters, complete, and give nothing away",
        description="Rebuilds in memory and compares; runs the solution (full marks) and the untouched "
        "notebook (0); tries every wrong answer (it fails where it says and gets its own hint) and every "
        "other right one (it passes); looks for lines of solutions and hidden checks where students read.",
    )
    checking.add_argument(
        "slugs", nargs="*", metavar="SLUG", help="an exercise, such as kernels (default: all)"
    )
    checking.add_argument(
        "--quick", action="store_true", help="leave out the wrong and the other right answers"
    )
    checking.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    _describe_grading(verbs)
    reporting = verbs.add_parser(
        "report",
        help="make the reports of a graded class again",
        description="Reads DIR/class.json, DIR/results/ and DIR/inputs/; writes grades.csv, gradebook.csv, "
        "feedback/ and summary.html.",
    )
    reporting.add_argument("folder", type=Path, metavar="DIR", help="what grade got as --out")
    return top


def _describe_grading(verbs: Any) -> None:
    """Describe how a class is graded."""
    grading = verbs.add_parser(
        "grade",
        help="grade the work of a class",
        description="Runs every notebook in a sandbox, judges it outside, and writes into DIR: results/ (one "
        "file each), grades.csv, gradebook.csv, feedback/ (a page for every student) and summary.html. "
        "Stopped at any moment, the same command goes on where it was. Exit code 1: some need a person, or "
        "wait for a GPU; the summary says which.",
    )
    grading.add_argument("slug", metavar="SLUG", help="the exercise, such as kernels")
    grading.add_argument(
        "folder", type=Path, metavar="FOLDER", help="what Canvas, Gradescope or Moodle gave you, or its zip"
    )
    grading.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")
    grading.add_argument(
        "--jobs", type=_positive, metavar="N", help="how many side by side (default: one for each core)"
    )
    grading.add_argument(
        "--timeout", type=_positive, metavar="SECONDS", help="for one notebook (default: 60; training 180)"
    )
    grading.add_argument(
        "--memory", type=_positive, metavar="MB", help="for one notebook (default: 2048; with a GPU 8192)"
    )
    grading.add_argument("--roster", type=Path, metavar="CSV", help="the class: who has handed in nothing?")
    grading.add_argument(
        "--gradebook", type=Path, metavar="CSV", help="Canvas's or Moodle's, to be filled in as gradebook.csv"
    )
    grading.add_argument(
        "--column",
        default="",
        metavar="NAME",
        help="of the gradebook (default: the one named as the exercise)",
    )
    grading.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(default: cpu)")
    grading.add_argument(
        "--isolation",
        choices=isolation.LEVELS,
        default=isolation.LEVELS[0],
        help="strict: bubblewrap (default); none: student code can do what you can do on this machine",
    )


def _positive(text: str) -> int:
    """Read a whole number above 0."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 999999")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.verb == "report":
            return say_summary(options.folder, classes.reports(options.folder))
        # Of a link that leads to itself, realpath makes a path, and resolve an error of its own.
        chosen = settings.load(settings.find_root(Path(os.path.realpath(options.root or Path.cwd()))))
        if options.verb == "new":
            made = build.new(chosen.root, options.slug).relative_to(chosen.root)
            print(f"{made} is there. Change it, then: autograder build {options.slug}")
            return 0
        if options.verb == "build":
            return build_all(chosen, options.slugs)
        if options.verb == "grade":
            return grade_class(chosen, options)
        return check_all(chosen, options.slugs, as_json=options.json, quick=options.quick)
    except Misuse as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except isolation.SandboxError as error:
        print(f"autograder: {error} Nothing was graded.", file=sys.stderr)
        return 2
    except MasterError as error:
        if options.verb == "check" and options.json:
            print(_report([], [], error.problems))
            return 1
        for problem in error.problems:
            print(problem, file=sys.stderr)
        outcome = "written" if options.verb == "build" else "checked"
        print(
            f"{_count(len(error.problems), 'mistake')} in solutions/. Nothing was {outcome}.", file=sys.stderr
        )
        return 1
    except AutograderError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        begun = options.verb == "grade"
        print(f"\nStopped at once.{' The same command goes on.' if begun else ''}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"autograder: {error.strerror or error}{where}. Nothing half written was left behind.",
            file=sys.stderr,
        )
        return 1


def build_all(chosen: settings.Settings, asked: Sequence[str]) -> int:
    """Build the exercises and say what was made."""
    slugs = build.choose(chosen.root, asked)
    masters = build.read_masters(chosen.root, slugs)
    total = 0.0
    for number, master in enumerate(masters, start=1):
        _progress(f"building {master.slug} ({number} of {len(masters)})")
        product = build.build(master, chosen).product
        build.write(product, chosen.root)
        _progress("")
        total += product.points
        print(f"{master.slug:12} {product.questions:3} questions {product.points:5g} points")
    made = f"{_count(len(masters), 'exercise')}, {total:g} points"
    print(f"{made}, in exercises/ and dist/. Next: autograder check")
    return 0


def inspect_all(
    masters: Sequence[Master], chosen: settings.Settings, *, quick: bool
) -> list[inspection.Finding]:
    """Inspect several exercises side by side, each in a process of its own; one alone in this one."""
    if len(masters) == 1:
        return [inspection.inspect(masters[0], chosen, quick=quick)]
    # Fresh processes: a fork of one in which PyTorch has started its threads can hang.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(masters), os.cpu_count() or 1), mp_context=fresh) as pool:
        started = [pool.submit(inspection.inspect, master, chosen, quick=quick) for master in masters]
        return [future.result() for future in started]


def check_all(chosen: settings.Settings, asked: Sequence[str], *, as_json: bool, quick: bool) -> int:
    """Check the exercises and list everything that is wrong."""
    slugs = build.choose(chosen.root, asked)
    masters = build.read_masters(chosen.root, slugs)
    if not as_json:
        _progress(f"checking {', '.join(slugs)}")
    findings = inspect_all(masters, chosen, quick=quick)
    _progress("")
    lost = inspection.orphans(chosen.root)
    problems = [problem for finding in findings for problem in finding.problems] + lost
    if as_json:
        print(_report(findings, lost))
        return 1 if problems else 0
    for problem in problems:
        print(problem, file=sys.stderr)
    for finding in findings:
        state = _coloured("ok", "32") if not finding.problems else _coloured("wrong", "31")
        print(
            f"{finding.slug:12} {state:6} total {finding.possible:g}, solution {finding.solution:g}, "
            f"untouched {finding.untouched:g}{'' if quick else f'; {_known(finding)}'}"
        )
        for question in finding.on_gpu:
            print(f"{'':12} {question} wants a GPU; without one it is tried here at CPU scale")
    if problems:
        print(f"{_count(len(problems), 'thing')} to put right, listed above.", file=sys.stderr)
    return 1 if problems else 0


def grade_class(chosen: settings.Settings, options: argparse.Namespace) -> int:
    """Grade a class, with a bar that shows how far it is."""
    wishes = classes.Wishes(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(classes.Wishes)}
    )
    bars: list[Any] = []

    def progress(tally: Tally) -> None:
        if not bars:  # what an earlier run did is no speed of this one
            look = {"unit": " notebooks", "disable": None, "dynamic_ncols": True, "leave": False}
            bars.append(tqdm(total=tally.total, initial=tally.kept, **look))
        bars[0].update(tally.kept + tally.graded - bars[0].n)

    try:
        graded = classes.grade(chosen, wishes, progress)
    finally:
        for bar in bars:
            bar.close()
    tally = graded.tally
    if tally.waiting:
        print(
            f"Stopped: {len(tally.waiting)} of {tally.total} are not graded yet. The same command goes on.",
            file=sys.stderr,
        )
    if tally.kept:
        print(f"{_count(tally.kept, 'submission')} had been graded before and did not change.")
    if tally.others:
        print(
            f"{_count(tally.others, 'result')} of submissions that are not in {options.folder} stayed, and "
            f"count. Delete what does not belong to this class in {options.out / 'results'}, then: "
            "autograder report"
        )
    if options.isolation == "none":
        print("Without isolation: student code could do what you can do on this machine.", file=sys.stderr)
    code = say_summary(options.out, graded.summary)
    return 1 if tally.waiting else code


def say_summary(folder: Path, summary: report.Summary) -> int:
    """Say how a class did and where the reports are; return the exit code."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    median = "" if summary.median is None else f"; median {summary.median:g} of {summary.points:g} points"
    print(f"{_count(summary.submissions, 'submission')}: {counts}{median}")
    if summary.persons:
        print(f"{summary.persons} need a person; the summary says why.")
    if summary.pending:
        print(f"{summary.pending} wait for a GPU with one question or more.")
    if summary.compared:
        missing, strangers = len(summary.compared.missing), len(summary.compared.strangers)
        print(f"Of the roster {missing} have handed in nothing; {strangers} submissions are of others.")
    if summary.filled:
        left = len(summary.filled.left) + len(summary.filled.unmatched)
        print(
            f"{folder / 'gradebook.csv'}: {summary.filled.cells} filled in, {left} left to you "
            f"(column {summary.filled.column})."
        )
    print(f"{folder / 'grades.csv'}, {folder / 'feedback'}/, and to begin with: {folder / 'summary.html'}")
    return 1 if summary.persons or summary.pending else 0


def _report(
    findings: Sequence[inspection.Finding], lost: Sequence[Problem], mistakes: Sequence[Problem] = ()
) -> str:
    """Write as JSON what was checked, built files without a master, and mistakes that prevented the check."""
    exercises = [
        {
            "slug": finding.slug,
            "ok": not finding.problems,
            "points": finding.points,
            "possible": finding.possible,
            "solution": finding.solution,
            "untouched": finding.untouched,
            "on_gpu": finding.on_gpu,
            "answers": {
                what: dict(zip(("found", "of"), finding.known.count(what), strict=True)) for what in COUNTED
            },
            "problems": [vars(problem) for problem in finding.problems],
        }
        for finding in findings
    ]
    report = {
        "ok": not lost and not mistakes and all(exercise["ok"] for exercise in exercises),
        "exercises": exercises,
        "orphans": [vars(problem) for problem in lost],
        "mistakes": [vars(problem) for problem in mistakes],
    }
    return json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False)


def _known(finding: inspection.Finding) -> str:
    """Say what became of the answers that the master carries."""
    caught, hinted, accepted = (finding.known.count(what) for what in COUNTED)
    return (
        f"wrong answers caught {caught[0]}/{caught[1]}, with their hint {hinted[0]}/{hinted[1]}, "
        f"right ones accepted {accepted[0]}/{accepted[1]}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _progress(text: str, stream: TextIO = sys.stderr) -> None:
    """Show what is being done, on a terminal only; an empty text wipes it away."""
    if stream.isatty():
        stream.write(f"\r\033[K{text}")
        stream.flush()


def _coloured(text: str, code: str) -> str:
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\033[{code}m{text}\033[0m"
    return text


if __name__ == "__main__":
    raise SystemExit(main())
