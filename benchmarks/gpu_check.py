"""The check on a GPU (`training`, question 6), many times over: what honest fits come to, and what cheats do.

    .venv/bin/python benchmarks/gpu_check.py pack             # where the course is
    python benchmarks/gpu_check.py run [--seeds 20]           # where the GPU is: PyTorch and NumPy are enough

``pack`` writes _build/gpu_check/check.json: the notebook's cells, the check, and every answer that the master
knows for questions 5 and 6. ``run`` gives each of them the pictures of the hidden check, drawn anew and with
classes dealt anew for every seed, in a process of its own, and watches the GPU from outside as it does.
Honest answers get all seeds, wrong ones the first few. It writes benchmarks/results/gpu_check.json after each
trial; --append goes on with what is missing there. With --jobs several are tried at a time, and then nobody
watches: what is seen of one could be another's. Without a GPU it runs at CPU scale, as a rehearsal: name
another --out then.

right        share of 500 unseen pictures named rightly, None where no model could be asked
said         what the check says, empty if it passes
seconds      of the whole check, cpu_seconds of its process
verdict      how the GPU was seen at work from outside: "by process id", "by memory", or "" for not at all;
             "nobody watched" where several were tried at a time, or there is no GPU
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from record import RESULTS, circumstances

REPOSITORY = Path(__file__).resolve().parents[1]
PACKED = REPOSITORY / "_build" / "gpu_check" / "check.json"
LEAST = {"cuda": 0.8, "cpu": 0.45}  # as in the check
LEARN = {"cuda": 3000, "cpu": 1500}
LIMIT = {"cuda": 180, "cpu": 60}  # CPU-seconds
ASKED = 500
UNWATCHED = "nobody watched"
# A process that holds memory on the GPU until it is told to go.
HOLDER = """\
import sys, torch
held = torch.zeros(300 * 2**20, dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("ready", flush=True)
sys.stdin.read()
"""
Names = dict[str, Any]


def pack(path: Path) -> None:
    """Write all that the check needs into one file. Needs the course's own packages."""
    from autograder import build, judge, settings

    (master,) = build.read_masters(REPOSITORY, ["training"])
    solved = build.build(master, settings.load(REPOSITORY)).product.solved
    answers = [
        answer
        for question in master.questions
        if question.name in ("q5", "q6")
        for answer in question.answers
    ]
    content = {
        "checks": build.templates().checks,
        "helpers": master.helpers("helper"),
        "hidden": master.helpers("hidden helper"),
        "cells": ["".join(cell["source"]) for cell in judge.code_cells(solved)],
        "answers": [{"name": "the solution", "kind": "right", "source": ""}]
        + [{"name": answer.name, "kind": answer.kind, "source": answer.source} for answer in answers],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(content['answers'])} answers")


def helpers_of(packed: dict[str, Any], seed: int) -> Names:
    """Return what the hidden check is made of."""
    names: Names = {"SEED": seed}
    for part in ("checks", "helpers", "hidden"):
        exec(packed[part], names)
    return names


def notebook_of(packed: dict[str, Any], source: str) -> Names:
    """Run the notebook's cells and an answer, without what needs other packages."""
    names: Names = {"__name__": "__main__"}
    for cell in [*packed["cells"], source]:
        try:
            steps = ast.parse(cell).body
        except SyntaxError:
            continue  # a magic
        for step in steps:
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(ast.Module([step], []), "cell", "exec"), names)
    return names


def pictures(path: Path, learn: int, seed: int) -> tuple[np.ndarray, ...]:
    """Draw the pictures of the check: training, labels, others, labels; the labels dealt anew."""
    packed = json.loads(path.read_text(encoding="utf-8"))
    train, labels, test, truth = helpers_of(packed, seed)["museum"](learn, ASKED, 10, 2)
    dealt = np.random.default_rng([seed, 6]).permutation(10)
    return train, dealt[labels], test, dealt[truth]


def attempt(path: Path, name: str, seed: int, drawn: Sequence[np.ndarray], device: str) -> dict[str, Any]:
    """Let one answer be checked, all but the view from outside."""
    packed = json.loads(path.read_text(encoding="utf-8"))
    (source,) = [answer["source"] for answer in packed["answers"] if answer["name"] == name]
    names, helpers = notebook_of(packed, source), helpers_of(packed, seed)
    train, labels, test, truth = drawn
    start, cpu, said = time.perf_counter(), time.process_time(), ""
    try:
        helpers["ask_fit"](
            names, train, labels, test, truth, LEAST[device], "tried", device, limit=LIMIT[device]
        )
    except AssertionError as error:
        said = str(error)
    found = {"said": said, "seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    right = None
    with contextlib.suppress(Exception):  # there may be no model
        right = float((names["ask_here"](test).argmax(axis=1) == truth).mean())
    return {"right": right, **found}


def apart(helpers: Names, device: str, watch: bool, what: Sequence[Any]) -> dict[str, Any]:
    """Let one answer be checked in a process of its own; this one never touches the GPU, and may look on."""
    kept = get_context("forkserver")
    kept.set_forkserver_preload(["torch"])
    view = helpers["OutsideView"]() if watch else contextlib.nullcontext()
    with view, ProcessPoolExecutor(1, mp_context=kept) as alone:
        found = alone.submit(attempt, *what, device).result()
    verdict = getattr(view, "verdict", UNWATCHED)
    if not found["said"] and not verdict:
        found["said"] = "your fit was asked for device='cuda', and nothing happened on the GPU (tried)"
    return found | {"verdict": verdict}


def seen_of(command: list[str]) -> dict[str, Any]:
    """Start a process that holds memory on the GPU; say what the driver's program shows of it outside."""
    ask = ["nvidia-smi", "--format=csv,noheader,nounits"]

    def look() -> dict[str, Any]:
        said = {
            what: subprocess.run([*ask, question], capture_output=True, text=True, check=False).stdout.split(
                "\n"
            )
            for what, question in (
                ("apps", "--query-compute-apps=pid,used_memory"),
                ("used", "--query-gpu=memory.used"),
            )
        }
        return {what: [line for line in lines if line.strip()] for what, lines in said.items()}

    before = look()
    process = subprocess.Popen(
        [*command, sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = process.stdout.readline().strip() == "ready"
    held = look() if ready else {}
    # The number that the holder has out here: of unshare it is a child.
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split() if ready else []
    _, errors = process.communicate()
    return {
        "pids": [process.pid, *map(int, children)],
        "before": before,
        "held": held,
        "errors": errors[-500:] if not ready else "",
    }


def namespaces() -> dict[str, Any]:
    """What is seen of a process on the GPU: a plain one, and one in a namespace of processes of its own."""
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    return {
        "plain": seen_of([]),
        "apart": seen_of(apart) if shutil.which("unshare") else {"errors": "no unshare"},
    }


def summary(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Say for each answer how it did."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(trial["answer"] for trial in trials):
        own = [trial for trial in trials if trial["answer"] == name]
        rights = [trial["right"] for trial in own if trial["right"] is not None]
        found[name] = {
            "kind": own[0]["kind"],
            "n": len(own),
            "passed": sum(not trial["said"] for trial in own),
            "right": [min(rights), median(rights), max(rights)] if rights else None,
            "seconds": median(trial["seconds"] for trial in own),
            "cpu_seconds": max(trial["cpu_seconds"] for trial in own),
            "verdicts": dict(Counter(trial["verdict"] for trial in own)),
        }
    return found


def run(options: argparse.Namespace) -> None:
    """Try all answers and write what came of them."""
    packed = json.loads(options.packed.read_text(encoding="utf-8"))
    device = "cuda" if helpers_of(packed, 0)["cuda_here"]() else "cpu"
    if options.out is None and device == "cpu":
        raise SystemExit("There is no GPU here. For a rehearsal name another file: --out FILE")
    out = options.out or RESULTS / "gpu_check.json"
    setting = {
        "device": device_name() if device == "cuda" else "cpu",
        "learn": options.learn or LEARN[device],
    }
    record: dict[str, Any] = {"benchmark": "gpu_check", **setting, "sessions": [], "trials": []}
    if options.append and out.is_file():
        record = json.loads(out.read_text(encoding="utf-8"))
        if any(record[key] != value for key, value in setting.items()):
            raise SystemExit(
                f"{out}: made on {record['device']} with {record['learn']} pictures. Name another."
            )
    record["sessions"].append(
        circumstances(["numpy", "torch"]) | {"namespaces": namespaces() if device == "cuda" else None}
    )
    done = {(trial["answer"], trial["seed"]) for trial in record["trials"]}
    answers = [each for each in packed["answers"] if not options.only or each["name"] in options.only]
    wanted = [
        (seed, each)
        for seed in range(options.seeds)
        for each in answers
        if (each["kind"] == "right" or seed < options.wrong_seeds) and (each["name"], seed) not in done
    ]
    seeds = sorted({seed for seed, _ in wanted})
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        drawn = dict(
            zip(seeds, pool.map(partial(pictures, options.packed, setting["learn"]), seeds), strict=True)
        )
    watch = device == "cuda" and options.jobs == 1

    def tried(one: tuple[int, dict[str, str]]) -> dict[str, Any]:
        seed, each = one
        return apart(
            helpers_of(packed, seed), device, watch, (options.packed, each["name"], seed, drawn[seed])
        )

    with ThreadPoolExecutor(options.jobs) as side_by_side:
        for (seed, each), found in zip(wanted, side_by_side.map(tried, wanted), strict=True):
            record["trials"].append({"answer": each["name"], "kind": each["kind"], "seed": seed, **found})
            record["summary"] = summary(record["trials"])
            out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            told = f"{found['right']} {found['seconds']:.1f} s {found['said'][:60]}"
            print(f"{seed:3} {each['name']:40.40} {told}", flush=True)
    print(f"Written: {out}")


def device_name() -> str:
    """Ask the driver what the GPU is called; PyTorch would touch it."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def command_line() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("pack", help="write what travels").add_argument("--packed", type=Path, default=PACKED)
    running = verbs.add_parser("run", help="try all answers")
    running.add_argument("--packed", type=Path, default=PACKED)
    running.add_argument("--out", type=Path, help="default: benchmarks/results/gpu_check.json")
    running.add_argument("--seeds", type=int, default=20, help="for honest answers")
    running.add_argument("--wrong-seeds", type=int, default=3, help="for wrong ones")
    running.add_argument("--only", nargs="*", metavar="NAME", help="some answers, by name")
    running.add_argument("--learn", type=int, help="how many pictures to learn from")
    running.add_argument("--jobs", type=int, default=1, help="at a time; with more than 1 nobody watches")
    running.add_argument("--append", action="store_true", help="keep what the file holds, and go on")
    return parser


def main() -> None:
    options = command_line().parse_args()
    if options.verb == "pack":
        pack(options.packed)
    else:
        run(options)


if __name__ == "__main__":
    main()
