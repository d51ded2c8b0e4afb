"""Write benchmarks/results/cifar10_timings.py: what a chapter draws of the recorded runs on CIFAR-10.

    .venv/bin/python benchmarks/cifar10_timings.py

Made from cifar10_cpu.json beside it and, once that is recorded, cifar10_gpu.json, and from nothing else;
benchmarks/cifar10.py writes those. As Python, because a chapter's notebook must carry its numbers with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
# On a processor that others use too, only its own time says how much work was done.
CLOCKS = {"cpu": "cpu_seconds", "gpu": "seconds"}
DIGITS = {"cpu_seconds": 1, "seconds": 3}  # on a GPU an epoch can be shorter than a tenth of a second


def drawn_of(record: dict[str, Any], clock: str) -> dict[str, Any]:
    """Return what is drawn of a record: how it was made, and one curve for each finished run."""
    session, pictures = record["sessions"][0], record["pictures"]
    device = session["device"]
    processor = session["machine"]["processor"]
    return {
        "machine": processor if device["name"] == "cpu" else device["name"],
        "date": session["date"][:10],
        "stored_as": pictures["stored_as"],
        "pictures": pictures["train"],
        "tests": pictures["test"],
        "curves": [
            {
                "contestant": run["contestant"],
                "parameters": run["parameters"],
                "epochs": [
                    (round(epoch[clock], DIGITS[clock]), round(epoch["accuracy"], 4))
                    for epoch in run["epochs"]
                ],
            }
            for run in record["runs"]
            if run["finished"]
        ],
    }


def as_python(records: dict[str, dict[str, Any]]) -> str:
    """Return the file that a chapter loads. records: "cpu" and perhaps "gpu", as they were written."""
    lines = [
        '"""Written by benchmarks/cifar10_timings.py from cifar10_*.json beside it; change none by hand."""',
        "",
        "recorded = {",
    ]
    for name, record in records.items():
        found = drawn_of(record, CLOCKS[name])
        curves = found.pop("curves")
        lines.append(f"    {json.dumps(name)}: {{")
        lines += [f"        {json.dumps(key)}: {json.dumps(value)}," for key, value in found.items()]
        lines.append('        "curves": [')
        for curve in curves:
            epochs = curve.pop("epochs")
            lines.append("            {")
            lines += [
                f"                {json.dumps(key)}: {json.dumps(value)}," for key, value in curve.items()
            ]
            lines.append('                "epochs": [  # seconds, share of test pictures named rightly')
            lines += [f"                    ({seconds}, {accuracy})," for seconds, accuracy in epochs]
            lines += ["                ],", "            },"]
        lines += ["        ],", "    },"]
    return "\n".join([*lines, "}"]) + "\n"


def records() -> dict[str, dict[str, Any]]:
    """Return the records that are there."""
    paths = {name: RESULTS / f"cifar10_{name}.json" for name in CLOCKS}
    return {
        name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()
    }


def main() -> None:
    path = RESULTS / "cifar10_timings.py"
    path.write_text(as_python(records()), encoding="utf-8")
    print(f"Written: {path.name}")


if __name__ == "__main__":
    main()
