"""How long a build takes: ours against the plain serial `jupyter-book build` of the same tree, in one run.

    .venv/bin/python benchmarks/book_build.py [--repetitions 3]

Both build a copy of the tracked files in a temporary folder, in turn, so that a slow moment of the machine
meets both. Four situations each: cold (nothing executed yet), no change, a prose edit, one code edit.
Medians in seconds go to benchmarks/results/book_build.json.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from record import write_record

REPOSITORY = Path(__file__).resolve().parents[1]
SITUATIONS = ("cold", "no change", "prose edit", "code edit")
EDITED = Path("book/sliding-window.md")


def copy_of_tree(folder: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
    return folder


def our_build(tree: Path) -> list[str]:
    return [sys.executable, str(tree / "book" / "_make" / "build_site.py"), "--root", str(tree)]


def plain_build(tree: Path) -> list[str]:
    return [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(tree),
        "-W",
        "-n",
        "--keep-going",
    ]


def edit(tree: Path, situation: str, number: int) -> None:
    """Change one chapter as an author would: a sentence, or a line of code."""
    path = tree / EDITED
    text = path.read_text(encoding="utf-8")
    if situation == "prose edit":
        path.write_text(
            re.sub(r"^(# .*)$", rf"\1\n\nOne sentence more ({number}).", text, count=1, flags=re.M)
        )
    elif situation == "code edit":
        path.write_text(text.replace("import numpy as np\n", f"import numpy as np  # edit {number}\n", 1))
        if path.read_text(encoding="utf-8") == text:
            raise SystemExit(f"{path} has no line `import numpy as np` to edit.")


def seconds(command: list[str], tree: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=3)
    repetitions = parser.parse_args().repetitions
    builders = {"ours": our_build, "plain": plain_build}
    measured: dict[str, dict[str, list[float]]] = {b: {s: [] for s in SITUATIONS} for b in builders}
    for number in range(repetitions):
        with tempfile.TemporaryDirectory() as folder:
            trees = {name: copy_of_tree(Path(folder) / name) for name in builders}
            for situation in SITUATIONS:
                for name, command in builders.items():
                    edit(trees[name], situation, number)
                    took = seconds(command(trees[name]), trees[name])
                    measured[name][situation].append(round(took, 2))
                    print(f"{number + 1}/{repetitions}  {situation:10}  {name:5}  {took:6.1f} s", flush=True)
    medians = {name: {s: median(times) for s, times in found.items()} for name, found in measured.items()}
    chapters = sorted(
        p.stem for p in (REPOSITORY / "book").glob("*.md") if "jupytext:" in p.read_text()[:200]
    )
    path = write_record(
        "book_build",
        repetitions=repetitions,
        packages=["jupyter-book", "sphinx", "myst-nb", "jupyter-cache"],
        results={
            "unit": "s",
            "chapters": chapters,
            "median": medians,
            "ratio_cold": round(medians["ours"]["cold"] / medians["plain"]["cold"], 3),
            "all": measured,
        },
    )
    print(f"cold: {medians['ours']['cold'] / medians['plain']['cold']:.2f} of serial. Written to {path}.")


if __name__ == "__main__":
    main()
