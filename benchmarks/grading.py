"""What grading costs: the class grader and, in the same run, `otter run` on the same notebooks.

    .venv/bin/python benchmarks/grading.py [--quick]

The notebooks are solved ones in which some questions are answered in the ways that the masters list, right
and wrong; none is broken or hostile. For each exercise and one and two workers, both grade them; Otter one
notebook after another, or two at a time; and once more without the cells that only draw, which the class
grader leaves out anyway. Otter costs the same for each; the class grader has a start-up that a class shares,
so it gets a class in which each notebook was handed in 15 times. CPU-seconds are those of the command and
everything it started, reports included. Then the class grader alone: classes of 10 to 1,000.
Everything goes to benchmarks/results/grading.json:

cpu        CPU-seconds of a submission, median of the rounds: start-up and reports are in it
rate       submissions per minute
ratio      Otter's CPU-seconds of a submission, divided by ours
marginal   the same without start-up: from the difference between a large class and a small one
peak       MB in memory, all processes together, shared pages counted once
reports    seconds from the last result to the last report
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from record import write_record

from autograder import build, bundles, settings

REPOSITORY = Path(__file__).resolve().parents[1]
AUTOGRADER = [sys.executable, "-m", "autograder"]
OTTER = [str(Path(sys.executable).with_name("otter")), "run", "--no-logo"]


def write_class(slug: str, number: int, folder: Path, copies: int = 1, *, drawn: bool = True) -> list[Path]:
    """Write a class: every fourth notebook all right, in the others one to three questions answered anew.

    drawn  whether the notebooks keep the given cells that only draw
    """
    (master,) = build.read_masters(REPOSITORY, [slug])
    solved = json.loads((REPOSITORY / "dist" / f"{slug}_solved.ipynb").read_text(encoding="utf-8"))
    if not drawn:
        showing = bundles.load((REPOSITORY / "dist" / f"{slug}.zip").read_bytes(), slug).showing
        solved["cells"] = [cell for cell in solved["cells"] if "".join(cell["source"]) not in showing]
    answers = [answer for question in master.questions for answer in question.answers]
    places = itertools.cycle(range(len(answers)))
    different = []
    folder.mkdir(parents=True)
    for student in range(number):
        chosen = [answers[(7 * next(places)) % len(answers)] for _ in range(student % 4)]
        own = [
            {"cell_type": "code", "id": f"own-{n}", "metadata": {}, "source": answer.source}
            | {"execution_count": None, "outputs": []}
            for n, answer in enumerate(chosen)
        ]
        for copy in range(copies):
            person = student + number * copy
            path = folder / f"student{person}_{10_000 + person}_{20_000 + person}_{slug}.ipynb"
            path.write_text(json.dumps(solved | {"cells": [*solved["cells"], *own]}), encoding="utf-8")
            if not copy:
                different.append(path)
    return different


class Watch(threading.Thread):
    """Watches all processes that this one has started: their memory, and the time of those nobody waits for.

    bubblewrap leaves without waiting for what ran in it, so the kernel adds that time to nobody's. The warm
    process in there has waited for every submission; what it last showed is its time and theirs. Nor does
    the command wait for the process whose forks are the judges, which it stops at the very end; that one has
    waited for them.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.inside, self.over = 0, dict[int, float](), threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    total += process.memory_full_info().pss
                    # The warm process itself, whose parent is bubblewrap, and the first of the judges: not
                    # one of their forks.
                    parent = process.parent()
                    above = parent.name() if parent else ""
                    is_warm = above == "bwrap" and process.name().startswith("python")
                    if is_warm or (_is_first_judge(process) and not _is_first_judge(parent)):
                        self.inside[process.pid] = sum(process.cpu_times()[:4])
                except psutil.Error:
                    continue
            self.most = max(self.most, total)


def _is_first_judge(process: psutil.Process | None) -> bool:
    """Whether this is the process that Python keeps to fork others from, or one of those."""
    return process is not None and "multiprocessing.forkserver" in " ".join(process.cmdline())


def measured(what: Callable[[], None]) -> dict[str, float]:
    """Do something in processes of its own; say how long it took, what it cost, how much memory it needed."""
    watch = Watch()
    watch.start()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    what()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.over.set()
    watch.join()
    cpu = sum(watch.inside.values()) + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu": cpu, "peak": watch.most / 2**20}


def ours(slug: str, folder: Path, out: Path, workers: int) -> Callable[[], None]:
    """Grade a folder with the class grader."""
    command = [*AUTOGRADER, "grade", slug, str(folder), "--out", str(out), "--jobs", str(workers)]

    def go() -> None:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):  # that one file was handed in by many needs a person
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    return go


def otters(slug: str, notebooks: list[Path], out: Path, workers: int) -> Callable[[], None]:
    """Grade notebooks with `otter run`, each in a folder of its own."""

    def one(path: Path) -> None:
        place = out / path.stem
        place.mkdir(parents=True)
        command = [*OTTER, "-a", str(REPOSITORY / "dist" / f"{slug}.zip"), "-o", str(place), str(path)]
        subprocess.run(command, cwd=place, capture_output=True, check=True)

    def go() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, notebooks))

    return go


def points_of(out: Path) -> dict[str, float]:
    """What each notebook got from the class grader, by the name of its file."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "results").glob("*.json")]
    return {result["file"].removesuffix(".ipynb"): result["score"] for result in found}


def points_by_otter(out: Path) -> dict[str, float]:
    """What each notebook got from Otter."""
    found = {}
    for path in out.glob("*/results.json"):
        tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
        found[path.parent.name] = sum(test.get("score", 0.0) for test in tests)
    return found


def compare(
    slug: str, number: int, copies: int, workers: int, rounds: int, folder: Path, *, drawn: bool = True
) -> dict[str, Any]:
    """Let both grade the same class; turn and turn about, so that a busy moment hits neither alone."""
    notebooks = write_class(slug, number, folder / "in", copies, drawn=drawn)
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "otter": []}
    for turn in range(rounds):
        mine, theirs = folder / f"ours-{turn}", folder / f"otter-{turn}"
        runs["ours"].append(measured(ours(slug, folder / "in", mine, workers)))
        runs["otter"].append(measured(otters(slug, notebooks, theirs, workers)))
        expected = points_by_otter(theirs)
        if {name: points for name, points in points_of(mine).items() if name in expected} != expected:
            raise SystemExit(f"{slug}: the two do not come to the same points")
    graded = {"ours": number * copies, "otter": number}
    found: dict[str, Any] = {
        who: {
            "cpu": median(run["cpu"] for run in listed) / graded[who],
            "rate": 60 * graded[who] / median(run["seconds"] for run in listed),
            "peak": median(run["peak"] for run in listed),
        }
        for who, listed in runs.items()
    }
    pairs = zip(runs["otter"], runs["ours"], strict=True)
    return found | {"ratio": median(copies * theirs["cpu"] / mine["cpu"] for theirs, mine in pairs)}


def grow(slug: str, sizes: list[int], folder: Path) -> dict[str, Any]:
    """Grade ever larger classes with two workers."""
    found = {}
    for size in sizes:
        write_class(slug, size, folder / f"in-{size}")
        out = folder / f"out-{size}"
        run = measured(ours(slug, folder / f"in-{size}", out, 2))
        last = max(path.stat().st_mtime for path in (out / "results").iterdir())
        found[str(size)] = run | {"reports": (out / "summary.html").stat().st_mtime - last}
        print(f"{slug}, {size} submissions:", found[str(size)], flush=True)
    return found


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the figure of the book's page: what a submission costs, and how a class grows."""
    os.environ["MATPLOTLIBRC"] = str(REPOSITORY / "book" / "matplotlibrc")  # the book's one style
    import matplotlib.pyplot as plt

    plt.switch_backend("svg")
    plt.rcParams["svg.hashsalt"] = "grading"  # the same bytes from the same record
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.2), layout="constrained")
    names = {"otter": ("otter run", "#D55E00"), "ours": ("autograder grade", "#0072B2")}
    longest = 0.0
    for row, slug in enumerate(("kernels", "forward")):
        for place, (who, (name, colour)) in enumerate(names.items()):
            seconds = record["compared"][f"{slug}, 2 workers"][who]["cpu"]
            height, longest = row + 0.4 * place, max(longest, seconds)
            left.barh(height, seconds, 0.36, color=colour, label=name if row == 0 else None)
            left.text(seconds, height, f" {seconds:.2f} s", va="center", fontsize=9)
    left.set_yticks([0.2, 1.2], ["kernels", "forward"])
    left.set(xlim=(0, 1.3 * longest), ylim=(2.2, -0.3), xlabel="processor time of one submission (s)")
    left.legend(loc="lower right", fontsize=9)
    growth = record["growth"]["kernels"]
    right.plot(
        [int(size) for size in growth], [run["seconds"] for run in growth.values()], "o-", color="#0072B2"
    )
    right.set(
        xlim=(0, None), ylim=(0, None), xlabel="submissions", ylabel="seconds for all of them, two cores"
    )
    figure.savefig(path, metadata={"Date": None, "Description": f"{path.stem}.json, {record['date']}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="small classes, one round: does it run at all?")
    quick = parser.parse_args().quick
    os.environ.pop("AUTOGRADER_SEED", None)
    for slug in ("kernels", "forward"):
        if not (settings.load(REPOSITORY).root / "dist" / f"{slug}.zip").is_file():
            raise SystemExit("dist/ is empty. Run: make exercises")
    number, copies, rounds, sizes = (2, 2, 1, [2, 3, 5]) if quick else (8, 15, 2, [10, 30, 100, 300, 1000])
    folder = Path(tempfile.mkdtemp(prefix="grading-"))
    try:
        compared = {
            f"{slug}, {workers} worker{'s' * (workers > 1)}": compare(
                slug, number, copies, workers, rounds, folder / f"{slug}-{workers}"
            )
            for slug in ("kernels", "forward")
            for workers in (1, 2)
        }
        compared["kernels, nothing drawn, 1 worker"] = compare(
            "kernels", number, copies, 1, rounds, folder / "undrawn", drawn=False
        )
        print(json.dumps(compared, indent=1), flush=True)
        growth = {slug: grow(slug, sizes, folder / f"growth-{slug}") for slug in ("kernels",)}
    finally:
        shutil.rmtree(folder)
    small, large = str(sizes[1]), str(sizes[-1])
    marginal = {
        slug: (grown[large]["cpu"] - grown[small]["cpu"]) / (sizes[-1] - sizes[1])
        for slug, grown in growth.items()
    }
    results = {
        "n_is": "rounds of the comparison",
        "notebooks": number,
        "submissions": number * copies,
        "compared": compared,
    }
    if quick:
        print(json.dumps(results, indent=1))
        return
    path = write_record(
        "grading",
        repetitions=rounds,
        packages=["otter-grader", "numpy", "torch", "ipython"],
        results=results | {"growth": growth, "marginal": marginal},
    )
    picture = path.with_suffix(".svg")
    draw(json.loads(path.read_text(encoding="utf-8")), picture)
    print(f"Written: {path.relative_to(REPOSITORY)}, {picture.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
