"""Where the time of learning CIFAR-10 goes, and how far a device is from its limit.

    python benchmarks/cifar10_profile.py [--only c] [--steps 25] [--compile] [--out FILE]

Two numbers first, the best of some tries on the device in the same minute: how many operations a second it
does in one large matrix product, in the precision that a contestant of cifar10.py learns in, and how many
bytes a second it copies. From them follows how long a step must take at least for its arithmetic alone (every
multiplication and addition, counted as it runs), and an estimate of how long for moving its data alone (every
tensor that an operation reads or writes, counted as it runs; what is fused, or stays in a cache, moves less).
Then how long a step takes, and for how much of that the device is busy: the rest are gaps, in which it waits
to be told what to do.

The pictures are noise of the right size, for time does not depend on what they show; no file is needed. The
result goes to benchmarks/results/cifar10_profile.json; times are in milliseconds for one step.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import cifar10
import numpy as np
import torch
from cifar10 import Bench, Clock, Run, Split
from record import RESULTS, circumstances
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

TIMES = 5  # a measurement is repeated
LONGEST = 10  # of the list of what the device does


class Traffic(TorchDispatchMode):
    """Counts the bytes of all tensors that operations read and write; a view of one moves nothing.

    Of a tensor that is indexed, as much is read as comes out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        aliases = [part.alias_info for part in func._schema.returns]
        if name.startswith(("empty", "new_empty")) or any(each and not each.is_write for each in aliases):
            return result
        if name in ("index", "copy_"):  # what comes out, or goes in, is read and written
            self.bytes += 2 * size_of(result) + size_of(args[1] if name == "index" else ())
        else:
            written = args[0] if name.startswith("_foreach") and name.endswith("_") else result
            self.bytes += size_of((args, kwargs)) + size_of(written)
        return result


def size_of(values: Any) -> int:
    """Return the bytes of all tensors in lists in lists."""
    tensors = [each for each in torch.utils._pytree.tree_leaves(values) if isinstance(each, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def products_per_second(device: torch.device, dtype: torch.dtype) -> float:
    """Return how many multiplications and additions a second a large matrix product does.

    On a GPU convolutions of float32 may be rounded inside (TF32), and so may this.
    """
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    side = 8192 if device.type == "cuda" else 2048
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    torch.matmul(one, other)
    found = []
    for _ in range(TIMES):
        with Clock(device) as clock:
            for _ in range(4):
                torch.matmul(one, other)
        found.append(4 * 2 * side**3 / clock.seconds)
    return max(found)


def bytes_per_second(device: torch.device) -> float:
    """Return how many bytes a second are read and written while one large tensor is copied to another."""
    many = 2**30 if device.type == "cuda" else 2**27
    source, target = (torch.zeros(many, dtype=torch.uint8, device=device) for _ in range(2))
    target.copy_(source)
    found = []
    for _ in range(TIMES):
        with Clock(device) as clock:
            target.copy_(source)
        found.append(2 * many / clock.seconds)
    return max(found)


def counted(run: Run) -> tuple[int, int]:
    """Return operations and bytes of one step: what two steps need, less what one needs."""
    found = []
    for limit in (1, 2):
        run.step = 0
        with FlopCounterMode(display=False) as products, Traffic() as traffic, run.own_chance():
            run.learn(limit)
        found.append((products.get_total_flops(), traffic.bytes))
    (one, first), (two, second) = found
    return two - one, second - first


def timed(run: Run, steps: int) -> tuple[float, float, list[dict[str, Any]]]:
    """Return the seconds of a step, those for which the device is busy, and what it does longest."""
    seconds = []
    for _ in range(TIMES):
        run.step = 0
        with run.own_chance(), Clock(run.bench.device) as clock:
            run.learn(steps)
        seconds.append(clock.seconds / steps)
    on_gpu = run.bench.device.type == "cuda"
    run.step = 0
    with (
        profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as found,
        run.own_chance(),
    ):
        run.learn(steps)
    # What the device itself did: neither what asked it to, nor what only gives a part of the time a name.
    kind, own = (
        (DeviceType.CUDA, "self_device_time_total") if on_gpu else (DeviceType.CPU, "self_cpu_time_total")
    )
    done = [each for each in found.key_averages() if each.device_type == kind and not each.is_user_annotation]
    parts = sorted(((getattr(part, own), part.key) for part in done), reverse=True)
    busy = sum(microseconds for microseconds, _ in parts)
    longest = [{"what": key[:80], "share": round(time / busy, 4)} for time, key in parts[:LONGEST]]
    return median(seconds), busy / steps / 1e6, longest


def profiled(name: str, bench: Bench, size: str, steps: int) -> dict[str, Any]:
    """Say where the time of one contestant goes. Times are milliseconds of one step."""
    recipe, device = cifar10.RECIPES[size].recipes[name], bench.device
    half = device.type == "cuda" and not recipe.as_original
    run = Run(name, recipe, 0, bench)
    run.warm()
    run.epochs.append({})  # as if one lay behind it: what comes once, before the first, belongs to no step
    steps = min(steps, len(bench.train) // recipe.batch)
    # Counted on a network that is not compiled: compiled code hides its operations.
    plain = (
        Run(name, recipe, 0, Bench(bench.train_split, bench.train_split, device)) if bench.compiled else run
    )
    operations, moved = counted(plain)
    per_second = products_per_second(device, torch.bfloat16 if half else torch.float32)
    bandwidth = bytes_per_second(device)
    seconds, busy, longest = timed(run, steps)
    return {
        "batch": recipe.batch,
        "steps": steps,
        "operations_per_second": per_second,
        "bytes_per_second": bandwidth,
        "operations": operations,
        "bytes": moved,
        "arithmetic_ms": 1e3 * operations / per_second,
        "moving_ms": 1e3 * moved / bandwidth,
        "step_ms": 1e3 * seconds,
        "busy_ms": 1e3 * busy,
        "gaps_ms": 1e3 * max(0.0, seconds - busy),
        "longest": longest,
    }


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    add = parser.add_argument
    add("--only", nargs="+", choices="abc", default=list("abc"), help="these contestants (default: a b c)")
    add("--steps", type=cifar10.positive, default=25, help="how many are timed (default: 25)")
    add("--pictures", type=cifar10.positive, help="as many (default: 50,000 on a GPU, else 10,000)")
    add("--compile", action="store_true", help="let torch.compile work on (b) and (c)")
    add("--out", type=Path, default=RESULTS / "cifar10_profile.json", help="the file of results")
    return parser


def main() -> None:
    asked = command_line().parse_args()
    device = cifar10.chosen_device(None)
    size = "full" if device.type == "cuda" else "reduced"
    if device.type == "cpu":
        torch.set_num_threads(1)
    chance, many = np.random.default_rng(0), asked.pictures or cifar10.RECIPES[size].train
    noise = Split(chance.integers(0, 256, (many, 32, 32, 3), np.uint8), chance.integers(0, 10, many))
    bench = Bench(noise, noise.rows(0, min(many, 2000)), device, compiled=asked.compile)
    record: dict[str, Any] = {
        "benchmark": "cifar10_profile",
        **circumstances(["torch", "numpy"]),
        "device": cifar10.described(device),
        "compiled": asked.compile,
        "pictures": many,
        "n": TIMES,
        "contestants": {},
    }
    for name in asked.only:
        found = record["contestants"][name] = profiled(name, bench, size, asked.steps)
        found_in_words = ", ".join(
            f"{what} {found[key]:.2f} ms"
            for what, key in (
                ("a step", "step_ms"),
                ("busy", "busy_ms"),
                ("gaps", "gaps_ms"),
                ("arithmetic alone", "arithmetic_ms"),
                ("moving alone", "moving_ms"),
            )
        )
        print(f"({name}) {found_in_words}", flush=True)
        asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"Written: {asked.out}")


if __name__ == "__main__":
    sys.exit(main())
