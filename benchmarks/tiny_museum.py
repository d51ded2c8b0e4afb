"""How difficult Tiny Museum is: the accuracy that plain, old, small and broken ways of learning reach on it.

    .venv/bin/python benchmarks/tiny_museum.py [--seeds 8] [--jobs 2]

Every network learns from the first 3,000 pictures of the training split and is asked about the 1,000 of the
test split, on one thread. Guessing is right in one picture out of ten. Written to
benchmarks/results/tiny_museum.json: for each way its accuracies, one for each seed, and the CPU seconds of
the longest run.

linear               one weighted sum of all 3,072 numbers for each class, no layer between
LeNet-5              the usual rewrite, for colour; AdamW, one-cycle rate, the same shifts, 15 epochs
small CNN            three blocks (convolution, batch norm, ReLU, pooling) and global pooling; five epochs of
                     AdamW, one-cycle rate, batches of 32, small shifts and mirrored pictures
constant rate        the small CNN with plain gradient descent at one rate
softmax before loss  the small CNN with softmax where cross-entropy wants logits
no step, no zero_grad, shuffled labels, sorted rows    the small CNN in a loop with that mistake
original recipe      the network of the notebook that this course grew out of, SGD at 0.008, batches of 64
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import torch
import torch.nn.functional as F
from PIL import Image
from record import write_record
from torch import Tensor, nn

FOLDER = Path(__file__).resolve().parents[1] / "book" / "data" / "tiny-museum" / "data"
PICTURES = 3000


@dataclass(frozen=True)
class Way:
    """One way of learning: a network, its recipe, and what is wrong with it, if anything."""

    network: Callable[[], nn.Module]
    epochs: int = 5
    batch: int = 32
    rate: float = 0.01
    optimiser: str = "AdamW"
    one_cycle: bool = True
    shifts: bool = True
    mistake: str = ""
    seeds: int = 0


def split(name: str) -> tuple[Tensor, Tensor]:
    """Return the pictures of a split, (N, 3, 32, 32) uint8, and their classes, (N,) int64."""
    (path,) = FOLDER.glob(f"{name}-*.parquet")
    table = parquet.read_table(path)
    images = [np.array(Image.open(io.BytesIO(cell["bytes"]))) for cell in table["img"].to_pylist()]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.tensor(table["label"].to_pylist())


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))


def lenet5() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )


def small_cnn() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def original() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten()),
        *(nn.Dropout(), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 256), nn.ReLU()),
        nn.Linear(256, 10),
    )


WAYS = {
    "linear": Way(linear, epochs=10, batch=128, rate=0.001, shifts=False),
    "LeNet-5": Way(lenet5, epochs=15, batch=128, rate=0.004, seeds=2),
    "small CNN": Way(small_cnn),
    "constant rate": Way(small_cnn, optimiser="SGD", one_cycle=False, seeds=2),
    "softmax before loss": Way(small_cnn, mistake="softmax", seeds=2),
    "no step": Way(small_cnn, mistake="no step", seeds=1),
    "no zero_grad": Way(small_cnn, mistake="no zero_grad", seeds=1),
    "shuffled labels": Way(small_cnn, mistake="shuffled labels", seeds=1),
    "sorted rows": Way(small_cnn, mistake="sorted rows", seeds=1),
    "original recipe": Way(original, 3, 64, 0.008, "SGD", one_cycle=False, shifts=False, seeds=1),
}


def moved(images: Tensor, chance: torch.Generator) -> Tensor:
    """Return pictures shifted by up to two pixels either way, half of them mirrored."""
    many, side = len(images), images.shape[-1]
    mirrored = torch.rand(many, 1, 1, 1, generator=chance) < 0.5
    wider = F.pad(torch.where(mirrored, images.flip(-1), images), (2, 2, 2, 2), mode="reflect")
    shift = torch.randint(0, 5, (many, 2, 1), generator=chance) + torch.arange(side)
    which = torch.arange(many)[:, None, None]
    return wider.permute(0, 2, 3, 1)[which, shift[:, 0, :, None], shift[:, 1, None, :]].permute(0, 3, 1, 2)


def learn(way: Way, images: Tensor, labels: Tensor, seed: int) -> nn.Module:
    """Train a fresh network. images (N, 3, 32, 32) float, standardised."""
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    network = way.network().train()
    steps = way.epochs * -(-len(images) // way.batch)
    optimiser: torch.optim.Optimizer
    if way.optimiser == "AdamW":
        optimiser = torch.optim.AdamW(network.parameters(), way.rate, weight_decay=0.01)
    else:
        optimiser = torch.optim.SGD(network.parameters(), way.rate)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, way.rate, total_steps=steps, pct_start=0.25)
    if not way.one_cycle:
        optimiser.param_groups[0]["lr"] = way.rate
    if way.mistake == "shuffled labels":
        labels = labels[torch.randperm(len(labels), generator=chance)]
    for _ in range(way.epochs):
        order = torch.randperm(len(images), generator=chance)
        if way.mistake == "sorted rows":
            order = labels.argsort(stable=True)
        for rows in order.split(way.batch):
            logits = network(moved(images[rows], chance) if way.shifts else images[rows])
            if way.mistake == "softmax":
                logits = logits.softmax(1)
            if way.mistake != "no zero_grad":
                optimiser.zero_grad()
            F.cross_entropy(logits, labels[rows]).backward()
            if way.mistake != "no step":
                optimiser.step()
            if way.one_cycle:
                rate.step()
    return network.eval()


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of pictures whose class the network names."""
    right = sum(
        int((network(part).argmax(1) == truth).sum())
        for part, truth in zip(images.split(500), labels.split(500), strict=True)
    )
    return right / len(labels)


def run(name: str, seed: int) -> tuple[str, float, float, int]:
    """Let one way learn once. Returns its name, accuracy, CPU seconds and number of parameters."""
    torch.set_num_threads(1)
    images, labels = split("train")
    images, labels = images[:PICTURES].float(), labels[:PICTURES]
    test_images, test_labels = split("test")
    mean, deviation = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    images, test_images = (images - mean) / deviation, (test_images.float() - mean) / deviation
    started = time.process_time()
    network = learn(WAYS[name], images, labels, seed)
    seconds = time.process_time() - started
    parameters = sum(part.numel() for part in network.parameters())
    return name, accuracy(network, test_images, test_labels), seconds, parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=8, help="runs of each way, at most (default: 8)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default: 2)")
    parser.add_argument("--only", nargs="*", choices=WAYS, help="these ways, and write nothing")
    asked = parser.parse_args()
    names = asked.only or list(WAYS)
    runs = [
        (name, seed) for name in names for seed in range(min(WAYS[name].seeds or asked.seeds, asked.seeds))
    ]
    results: dict[str, Any] = {}
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(run, *zip(*runs, strict=True)))
    for name in names:
        _, found, seconds, parameters = zip(*(one for one in done if one[0] == name), strict=True)
        results[name] = {
            "parameters": parameters[0],
            "epochs": WAYS[name].epochs,
            "accuracy": {"worst": min(found), "median": round(median(found), 4), "best": max(found)},
            "accuracies": found,
            "cpu_seconds": round(max(seconds), 1),
        }
        print(f"{name:24} {min(found):.3f} {median(found):.3f} {max(found):.3f} {max(seconds):6.1f} s")
    if not asked.only:
        path = write_record(
            "tiny_museum",
            repetitions=asked.seeds,
            packages=["torch", "numpy", "pillow", "pyarrow"],
            results={
                "n_is": "seeds; fewer where fewer accuracies are listed",
                "pictures": PICTURES,
                "threads": 1,
                "ways": results,
            },
        )
        print(f"Written: {path.name}")


if __name__ == "__main__":
    main()
