"""CIFAR-10 in three ways: the original network and loop, the same network treated better, and a fast one.

    python benchmarks/cifar10.py pack FOLDER                     pictures -> one small file
    python benchmarks/cifar10.py train --seeds 0-2 --only a b    learn; writes results after every epoch
    python benchmarks/cifar10.py show benchmarks/results/cifar10_cpu.json

(a) The notebook that this course grew out of: eight layers, 2,997,642 numbers, pictures kept as floats in a
    list, batches of 64, plain gradient descent at one rate. One thing is changed: pictures are standardised
    by the training pictures' own mean and deviation.
(b) The same eight layers. Pictures stay bytes on the device and are cut, shifted and mirrored batch by batch;
    Kaiming initialisation, Nesterov momentum, weight decay, a rate that rises and falls, smoothed labels.
(c) A small network that is made to learn fast. The code is ours, the ideas are other people's. A first layer
    that whitens 2 × 2 patches and is never trained, small answers at the start, and a rate of their own for
    biases: David Page, "How to train your ResNet" (myrtle.ai), and tysam-code/hlb-CIFAR10. Layers that start
    as identity, each picture mirrored in every other epoch, six views at the end: Keller Jordan, "94% on
    CIFAR-10 in 3.29 Seconds on a Single GPU" (arXiv 2404.00498). Steps along orthogonal matrices: his Muon.
    The best public record known to us is his too: airbench94 with Muon, 94.0 % in 2.6 s on one A100
    (github.com/KellerJordan/cifar10-airbench).

On a processor the run is reduced and on a GPU full; RECIPES says what either means, and so does each result.
Runs of one seed take turns epoch by epoch, so that a slow moment of the machine meets them all. Chance is
kept apart for each of them, so that taking turns changes nothing in what they learn. Clocks count training
only: what happens once before it (decoding, copying, warming up, compiling) and the measuring of accuracy are
timed beside it. Accuracy is measured on test pictures after every epoch, for the curves; no choice depends on
it. Recipes are chosen with --validate, which holds back training pictures and leaves test pictures alone.

Needs torch, NumPy and, to decode, Pillow or OpenCV; pyarrow and Pillow to pack. gpu.md beside
this file says how to run it on a machine without network.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import lzma
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from record import RESULTS, circumstances
from torch import Tensor, nn
from torch.utils.data import DataLoader

SIDE, CLASSES, MARGIN = 32, 10, 2  # MARGIN: how far a picture may be shifted
ORIGINAL_PARAMETERS = 2_997_642
HELD_OUT = 5_000
FORMAT = "encoded pictures, 1"
BUILD = Path(__file__).resolve().parents[1] / "_build" / "cifar10"
PACKED = BUILD / "pictures.xz"


class Refused(Exception):
    """What was asked cannot be done; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """How one contestant learns. Rates are for the mean loss of a batch."""

    network: str  # "original" or "fast"
    epochs: int
    batch: int
    rate: float  # the highest, of filters (and, in the original network, of everything)
    optimiser: str = "sgd"  # or "muon", for the filters of the fast network
    momentum: float = 0.0
    decay: float = 0.0  # of weights; in the fast network the share that is lost in a step
    rise: float | None = None  # share of the steps in which the rate rises; None: it never changes
    smoothing: float = 0.0  # share of the truth that is spread over all classes
    views: int = 1  # of a picture, over which the final answer is averaged: 1 or 6
    width: int = 0  # maps in the first group of the fast network; the two others have four times as many
    bias_rate: float = 0.0  # the fast network's own rates for its biases and for its last layer
    head_rate: float = 0.0

    def __post_init__(self) -> None:
        own = ("width", "bias_rate", "head_rate") if self.network == "fast" else ()
        for name in ("epochs", "batch", "rate", *own):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        for name, known in (
            ("network", ("original", "fast")),
            ("optimiser", ("sgd", "muon")),
            ("views", (1, 6)),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {known[0]} or {known[1]}")

    @property
    def as_original(self) -> bool:
        """Whether the original loop is meant: one rate, no momentum, pictures as floats in a list."""
        return self.rise is None


@dataclass(frozen=True)
class Size:
    """How many pictures are used, and how each contestant learns on them."""

    train: int
    test: int
    recipes: dict[str, Recipe]


ORIGINAL = Recipe("original", epochs=25, batch=64, rate=0.008)
# Chosen with --validate at half the batch and half the rate (results/cifar10_choices/b03d.json).
BETTER = Recipe("original", 25, batch=256, rate=0.06, momentum=0.9, decay=0.002, rise=0.25, smoothing=0.1)
FAST = Recipe(
    "fast", 8, batch=2000, rate=0.24, optimiser="muon", momentum=0.6, decay=0.004, rise=0.0, smoothing=0.2,
    views=6, width=64, bias_rate=100.0, head_rate=0.02,
)  # fmt: skip
RECIPES = {
    "full": Size(50_000, 10_000, {"a": ORIGINAL, "b": BETTER, "c": FAST}),
    "reduced": Size(
        10_000,
        2_000,
        {
            "a": ORIGINAL,
            "b": replace(BETTER, epochs=5, batch=128, rate=0.03, decay=5e-4),
            "c": replace(FAST, epochs=3, batch=500, width=32),
        },
    ),
}


# --- Pictures: packed into one file, and unpacked ---


@dataclass(frozen=True)
class Split:
    """Decoded pictures. images (N, 32, 32, 3) uint8; labels (N,) int64."""

    images: np.ndarray
    labels: np.ndarray

    def rows(self, start: int, stop: int) -> Split:
        return Split(self.images[start:stop], self.labels[start:stop])


def encoding(picture: bytes) -> str:
    """Say how a picture is stored: "JPEG, quality 75" where its tables are the usual ones of a quality."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture))
    tables = getattr(image, "quantization", None)
    if tables is None:
        return str(image.format)
    for quality in range(1, 101):
        trial = io.BytesIO()
        image.save(trial, "JPEG", quality=quality)
        if Image.open(trial).quantization == tables:
            return f"JPEG, quality {quality}"
    return "JPEG, tables of its own"


def pack(folder: Path, path: Path, rows: int | None = None) -> dict[str, Any]:
    """Write the pictures of a folder in the Hugging Face layout, as they are encoded, into one file.

    rows     pictures of each split, from its start; None: all
    returns  the header that was written
    The file is xz around: the header, one line of JSON; then for each split three arrays in NumPy's format:
    labels, sizes in bytes, and the pictures one after another. They all begin alike, which xz removes.
    Raises Refused where the folder holds no such pictures.
    """
    from pyarrow import parquet

    header: dict[str, Any] = {"format": FORMAT, "splits": {}}
    arrays = []
    for split in ("train", "test"):
        files = sorted(folder.rglob(f"{split}-*.parquet"))
        if not files:
            raise Refused(f"{folder}: no file {split}-*.parquet lies in it. Name the folder of CIFAR-10.")
        cells: list[bytes] = []
        labels: list[int] = []
        for file in files:
            try:
                table = parquet.read_table(file)
            except (OSError, ValueError) as fault:
                raise Refused(f"{file}: cannot be read as Parquet. Fetch it again.") from fault
            if not {"img", "label"} <= set(table.column_names) or not len(table):
                raise Refused(f"{file}: has no columns img and label. Name the folder of CIFAR-10.")
            cells += [cell["bytes"] for cell in table["img"].to_pylist()]
            labels += table["label"].to_pylist()
        cells, labels = cells[:rows], labels[:rows]
        header["splits"][split] = len(cells)
        header.setdefault("pictures", encoding(cells[0]))
        arrays += [
            np.array(labels, dtype=np.uint8),
            np.array([len(cell) for cell in cells], dtype=np.uint32),
            np.frombuffer(b"".join(cells), dtype=np.uint8),
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(path, "wb") as stream:
        stream.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            np.lib.format.write_array(stream, array, allow_pickle=False)
    return header


def decoder() -> tuple[str, Callable[[bytes], np.ndarray]]:
    """Return the first decoder that is installed: its package, and bytes -> (32, 32, 3) uint8, RGB."""
    if find_spec("PIL"):
        from PIL import Image

        return "pillow", lambda data: np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    if find_spec("cv2"):
        import cv2

        def decode(data: bytes) -> np.ndarray:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].copy()

        # The same cv2 comes from several packages.
        return packages_distributions()["cv2"][0], decode
    raise Refused("Nothing here decodes pictures. Install pillow or opencv-python-headless.")


def unpack(path: Path, most: dict[str, int] | None = None) -> tuple[dict[str, Any], dict[str, Split]]:
    """Read what `pack` wrote: its header, and the splits "train" and "test".

    most  how many pictures of a split are wanted, from its start; splits that it does not name stay closed
    Raises Refused where the file is missing, is something else, or holds fewer pictures.
    """
    again = f"Pack the pictures again: python benchmarks/cifar10.py pack FOLDER --out {path}"
    if not path.is_file():
        raise Refused(f"{path}: there is no such file. {again}")
    _, decode = decoder()
    splits = {}
    try:
        with lzma.open(path) as stream:
            header = json.loads(stream.readline())
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise ValueError("another format")
            for split, there in header["splits"].items():
                labels, sizes, encoded = (
                    np.lib.format.read_array(stream, allow_pickle=False) for _ in range(3)
                )
                wanted = there if most is None else most.get(split, 0)
                if wanted > there:
                    raise Refused(f"{path}: holds {there} {split} pictures, {wanted} are wanted. {again}")
                ends = np.cumsum(sizes[:wanted], dtype=np.int64)
                images = [
                    decode(encoded[end - size : end].tobytes())
                    for end, size in zip(ends, sizes[:wanted], strict=True)
                ]
                shaped = np.array(images, np.uint8).reshape(-1, SIDE, SIDE, 3)
                splits[split] = Split(shaped, labels[:wanted].astype(np.int64))
    except (lzma.LZMAError, ValueError, KeyError, EOFError) as fault:
        raise Refused(f"{path}: this is not a whole file of `pack`. {again}") from fault
    return header, splits


# --- Pictures on the device ---


def statistics(images: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of each channel, (3,) each, in levels of 0 to 255."""
    # Counting levels needs no copy in floats of 50,000 pictures.
    counts = np.stack([np.bincount(images[..., channel].ravel(), minlength=256) for channel in range(3)])
    levels, shares = np.arange(256), counts / counts.sum(1, keepdims=True)
    middle = shares @ levels
    deviation = np.sqrt((shares * (levels - middle[:, None]) ** 2).sum(1))
    return torch.from_numpy(middle).float(), torch.from_numpy(deviation).float()


class Pictures:
    """Pictures that lie on the device as bytes; networks see windows cut out of them, standardised."""

    def __init__(self, split: Split, standard: tuple[Tensor, Tensor], device: torch.device) -> None:
        mirrored_edge = np.pad(np.arange(SIDE), MARGIN, mode="reflect")
        edge = torch.from_numpy(mirrored_edge).to(device)
        self.wide = torch.from_numpy(split.images).to(device)[:, edge][:, :, edge]  # (N, 36, 36, 3)
        self.labels = torch.from_numpy(split.labels).to(device)
        self.middle, self.deviation = (part.to(device) for part in standard)
        self.steps = torch.arange(SIDE, device=device)

    def __len__(self) -> int:
        return len(self.labels)

    def seen(self, which: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
        """Cut windows, shift and mirror them: one gather does it all.

        which, down, right  (n,) int64; a window lies MARGIN down and right where nothing is shifted
        mirrored            (n,) bool
        returns             (n, 3, 32, 32) float32, standardised; channels last in memory
        """
        across = torch.where(mirrored[:, None], self.steps.flip(0), self.steps)
        rows, columns = down[:, None] + self.steps, right[:, None] + across
        windows = self.wide[which[:, None, None], rows[:, :, None], columns[:, None, :]]
        return ((windows.float() - self.middle) / self.deviation).permute(0, 3, 1, 2)

    def view(self, which: Tensor, shift: int = 0, *, mirrored: bool = False) -> Tensor:
        """The same for all: shifted by as many pixels up and to the left, or down and to the right."""
        place = torch.full_like(which, MARGIN + shift)
        return self.seen(which, place, place, torch.full_like(which, mirrored, dtype=torch.bool))


def mirrored_first(many: int, chance: torch.Generator) -> Tensor:
    """Draw which pictures are mirrored in the first epoch, (many,) bool."""
    return torch.rand(many, generator=chance, device=chance.device) < 0.5


def mirrored_now(first: Tensor, epoch: int) -> Tensor:
    """Each picture is mirrored in every other epoch, so that two epochs show both its sides."""
    return first if epoch % 2 == 0 else ~first


# --- Networks ---


def original_network() -> nn.Module:
    """The eight layers of the original notebook, initialised as PyTorch does."""
    network = nn.Sequential(
        *(nn.Conv2d(3, 64, 4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1024, 512), nn.ReLU()),
        *(nn.Dropout(0.5), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, CLASSES)),
    )
    assert parameters(network) == ORIGINAL_PARAMETERS
    return network


def kaiming(network: nn.Module) -> None:
    """Start with weights that keep the size of signals through ReLUs, and biases of 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def convolution(before: int, after: int) -> nn.Conv2d:
    """A 3 × 3 convolution whose first maps hand their input on, as far as there is any."""
    layer = nn.Conv2d(before, after, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:before])
    return layer


def norm(maps: int) -> nn.BatchNorm2d:
    """Batch normalisation with a bias and no scale; what it keeps for later is nearly the last batches."""
    layer = nn.BatchNorm2d(maps, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer


class Group(nn.Module):
    """Two convolutions; the first halves the picture. (n, before, s, s) -> (n, after, s // 2, s // 2)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first, self.first_norm = convolution(before, after), norm(after)
        self.second, self.second_norm = convolution(after, after), norm(after)

    def forward(self, maps: Tensor) -> Tensor:
        maps = F.gelu(self.first_norm(F.max_pool2d(self.first(maps), 2)))
        return F.gelu(self.second_norm(self.second(maps)))


class FastNetwork(nn.Module):
    """Fixed whitening of 2 × 2 patches, three groups, and one number for each map and class."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.whitening = nn.Conv2d(3, 24, 2)
        self.whitening.weight.requires_grad_(False)
        nn.init.zeros_(self.whitening.bias)
        self.groups = nn.Sequential(Group(24, width), Group(width, 4 * width), Group(4 * width, 4 * width))
        self.head = nn.Linear(4 * width, CLASSES, bias=False)
        # Answers begin near 0, so that the first steps, which are long, do not follow chance.
        nn.init.normal_(self.head.weight, std=1 / (4 * width))

    @torch.no_grad()
    def whiten(self, images: Tensor, floor: float = 5e-4) -> None:
        """Let the first layer turn patches of such images into 12 uncorrelated numbers of about size 1.

        images  (n, 3, h, w) float, standardised
        floor   added to each variance, so that directions without signal are not blown up
        """
        patches = images.float().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
        variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (directions / (variances + floor).sqrt()).T.reshape(12, 3, 2, 2)
        # Each filter and its negative: what follows lets only one sign through.
        self.whitening.weight.copy_(torch.cat([filters, -filters]))

    def forward(self, images: Tensor) -> Tensor:
        # Whitening subtracts neighbours that are nearly equal: half precision would see mostly its own error.
        with torch.autocast(images.device.type, enabled=False):
            maps = F.gelu(self.whitening(images))
        # The largest of each map, wherever it is.
        return self.head(self.groups(maps).amax((2, 3)))


def parameters(network: nn.Module) -> int:
    return sum(part.numel() for part in network.parameters())


# --- Optimisers ---


def orthogonalised(matrix: Tensor, rounds: int = 3) -> Tensor:
    """Return a matrix with the same singular vectors and singular values near 1.

    matrix  (m, n)
    Newton-Schulz iteration with the coefficients of Jordan et al. 2024, "Muon": they lift small values fast
    and let the others wander between about 0.7 and 1.2, which does as well as exactly 1.
    """
    upright = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if upright else matrix
    found = found / (found.norm() + 1e-7)
    for _ in range(rounds):
        square = found @ found.T
        series = torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315)
        found = torch.addmm(found, series, found, beta=3.4445)
    return found.T if upright else found


class Muon(torch.optim.Optimizer):
    """Gradient descent for filters, along the orthogonalised Nesterov momentum of their gradient.

    Filters are brought back to a mean square of 1 per map before each step: batch normalisation follows them,
    so their size says nothing, and a step of a given size then always turns them by the same amount.
    """

    def __init__(self, params: Sequence[Tensor], lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for filters in group["params"]:
                if filters.grad is None:
                    continue
                if "momentum_buffer" not in self.state[filters]:
                    self.state[filters]["momentum_buffer"] = torch.zeros_like(filters)
                kept = self.state[filters]["momentum_buffer"]
                kept.mul_(group["momentum"]).add_(filters.grad)
                ahead = filters.grad.add(kept, alpha=group["momentum"]).flatten(1)
                # Half precision is enough here, and on a GPU many times as fast.
                ahead = ahead.bfloat16() if ahead.is_cuda else ahead
                filters.mul_(len(filters) ** 0.5 / filters.norm())
                filters.add_(orthogonalised(ahead).reshape(filters.shape), alpha=-group["lr"])


def optimisers(network: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return what trains a network. Each group of numbers remembers its highest rate as "highest"."""
    found: list[torch.optim.Optimizer] = []
    if isinstance(network, FastNetwork):
        trained = [part for part in network.parameters() if part.requires_grad]
        filters = [part for part in trained if part.ndim == 4]
        biases = [part for part in trained if part.ndim == 1]
        groups = [
            # PyTorch multiplies the decay by the rate; here each group shall lose the same share in a step.
            {"params": parts, "lr": rate, "momentum": momentum, "weight_decay": recipe.decay / rate}
            for parts, rate, momentum in (
                (biases, recipe.bias_rate, 0.85),
                ([network.head.weight], recipe.head_rate, 0.85),
                (filters, recipe.rate, recipe.momentum),
            )
        ]
        if recipe.optimiser == "muon":
            groups.pop()
            found.append(Muon(filters, recipe.rate, recipe.momentum))
        found.append(torch.optim.SGD(groups, momentum=0.85, nesterov=True))
    else:
        settings = {
            "momentum": recipe.momentum,
            "nesterov": recipe.momentum > 0,
            "weight_decay": recipe.decay,
        }
        found.append(torch.optim.SGD(network.parameters(), recipe.rate, **settings))
    for optimiser in found:
        for group in optimiser.param_groups:
            group["highest"] = group["lr"]
    return found


def share_of_rate(step: int, steps: int, rise: float) -> float:
    """Return the share of the highest rate in a step: up in a line, then down in a line to almost 0."""
    up = (step + 1) / (rise * steps) if rise else 1.0
    return min(1.0, up, (steps - step) / (steps * (1 - rise)))


# --- Learning ---


class Clock:
    """Adds up the time and the processor time of what runs inside it; waits for the GPU at both ends."""

    def __init__(self, device: torch.device, seconds: float = 0.0, cpu: float = 0.0) -> None:
        self.device, self.seconds, self.cpu = device, seconds, cpu

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter(), time.process_time()

    def __enter__(self) -> Clock:
        self._began = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        seconds, cpu = self._now()
        self.seconds += seconds - self._began[0]
        self.cpu += cpu - self._began[1]


class Bench:
    """What all contestants share: the device, the pictures on it, and how long putting them there took."""

    def __init__(self, train: Split, test: Split, device: torch.device, *, compiled: bool = False) -> None:
        self.device, self.compiled = device, compiled
        self.train_split, self.standard = train, statistics(train.images)
        self._floats: list[tuple[Tensor, int]] = []
        self.preparation: dict[str, float] = {}
        with Clock(device) as clock:
            self.train = Pictures(train, self.standard, device)
            self.test = Pictures(test, self.standard, device)
        self.preparation["bytes_to_device"] = round(clock.seconds, 3)

    @property
    def floats(self) -> list[tuple[Tensor, int]]:
        """The original's pictures: each a standardised tensor (3, 32, 32) with its class, in a list."""
        if not self._floats:
            middle, deviation = (part[:, None, None] for part in self.standard)
            with Clock(self.device) as clock:
                for image, label in zip(self.train_split.images, self.train_split.labels, strict=True):
                    picture = torch.from_numpy(image).permute(2, 0, 1).float()
                    self._floats.append(((picture - middle) / deviation, int(label)))
            self.preparation["floats_in_a_list"] = round(clock.seconds, 3)
        return self._floats

    def allocated(self) -> int:
        return torch.cuda.memory_allocated(self.device) if self.device.type == "cuda" else 0


class Run:
    """One contestant with one seed, which learns epoch by epoch."""

    def __init__(self, name: str, recipe: Recipe, seed: int, bench: Bench) -> None:
        self.name, self.recipe, self.seed, self.bench = name, recipe, seed, bench
        self.on_gpu = bench.device.type == "cuda"
        self.epochs: list[dict[str, float]] = []
        self.step, self.warm_up = 0, 0.0
        self.peak_memory = self.resident = 0  # bytes on the GPU, and those of them that stay between epochs
        before = bench.allocated()
        self.chance = torch.Generator(bench.device).manual_seed(seed)
        self.first_mirrored = mirrored_first(len(bench.train), self.chance)
        with torch.random.fork_rng([bench.device] if self.on_gpu else []):
            torch.manual_seed(seed)
            self.network = original_network() if recipe.network == "original" else FastNetwork(recipe.width)
            if recipe.network == "original" and not recipe.as_original:
                kaiming(self.network)
            self.network.to(bench.device)
            self.random = self._random()
        if not recipe.as_original:
            self.network.to(memory_format=torch.channels_last)
        compiled = bench.compiled and not recipe.as_original
        self.forward = torch.compile(self.network) if compiled else self.network
        self.optimisers = optimisers(self.network, recipe)
        self.steps = recipe.epochs * (len(bench.train) // recipe.batch)
        self.resident += bench.allocated() - before

    @property
    def finished(self) -> bool:
        return len(self.epochs) == self.recipe.epochs

    def _random(self) -> list[Tensor]:
        cuda = [torch.cuda.get_rng_state(self.bench.device)] if self.on_gpu else []
        return [torch.get_rng_state(), *cuda]

    @contextlib.contextmanager
    def own_chance(self) -> Iterator[None]:
        """Draw from this run's numbers, whatever other runs draw in between."""
        with torch.random.fork_rng([self.bench.device] if self.on_gpu else []):
            torch.set_rng_state(self.random[0])
            if self.on_gpu:
                torch.cuda.set_rng_state(self.random[1], self.bench.device)
            yield
            self.random = self._random()

    def _half(self) -> torch.autocast:
        """Half precision on a GPU, except in the original, which had none."""
        return torch.autocast(
            self.bench.device.type, torch.bfloat16, enabled=self.on_gpu and not self.recipe.as_original
        )

    def _original_batches(self, limit: int | None) -> tuple[float, float]:
        """Train as the original did. Returns mean loss and share of right answers while learning."""
        loader = DataLoader(self.bench.floats, batch_size=self.recipe.batch, shuffle=True)
        (optimiser,) = self.optimisers
        total, right, seen = 0.0, 0, 0
        for number, (images, labels) in enumerate(loader):
            if number == limit:
                break
            images, labels = images.to(self.bench.device), labels.to(self.bench.device)
            optimiser.zero_grad()
            logits = self.network(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(labels)
            right += int((logits.argmax(1) == labels).sum().item())
            seen += len(labels)
        return total / seen, right / seen

    def _better_batches(self, limit: int | None) -> tuple[float, float]:
        """Train on whole batches cut on the device, which is never waited for. Returns the same."""
        pictures, recipe, device = self.bench.train, self.recipe, self.bench.device
        if isinstance(self.network, FastNetwork) and not self.epochs:
            some = torch.arange(min(5000, len(pictures)), device=device)
            self.network.whiten(pictures.view(some))
        mirrored = mirrored_now(self.first_mirrored, len(self.epochs))
        order = torch.randperm(len(pictures), generator=self.chance, device=device)
        batches = order.split(recipe.batch)[: len(pictures) // recipe.batch][:limit]  # whole ones only
        total, right = torch.zeros((), device=device), torch.zeros((), device=device)
        for which in batches:
            shift = torch.randint(0, 2 * MARGIN + 1, (2, len(which)), generator=self.chance, device=device)
            images = pictures.seen(which, *shift, mirrored[which])
            labels = pictures.labels[which]
            share = share_of_rate(self.step, self.steps, recipe.rise or 0.0)
            for optimiser in self.optimisers:
                optimiser.zero_grad()
                for group in optimiser.param_groups:
                    group["lr"] = group["highest"] * share
            with self._half():
                logits = self.forward(images)
                loss = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
            loss.backward()
            for optimiser in self.optimisers:
                optimiser.step()
            self.step += 1
            total += loss.detach()
            right += (logits.argmax(1) == labels).sum()
        return total.item() / len(batches), right.item() / (len(batches) * recipe.batch)

    @torch.inference_mode()
    def _evaluate(self, limit: int | None = None) -> dict[str, float]:
        """Return loss and accuracy on the test pictures: each seen once, and averaged over its views."""
        pictures = self.bench.test
        self.network.eval()
        loss, once, averaged = 0.0, 0, 0
        batches = torch.arange(len(pictures), device=self.bench.device).split(2000 if self.on_gpu else 250)
        for which in batches[:limit]:
            labels = pictures.labels[which]
            with self._half():
                logits = self.network(pictures.view(which)).float()
                loss += F.cross_entropy(logits, labels, reduction="sum").item()
                once += int((logits.argmax(1) == labels).sum().item())
                if self.recipe.views == 6:
                    # As it is counts half, shifted by one pixel either way half; each seen from both sides.
                    for shift, weight in ((0, 1.0), (-1, 0.5), (1, 0.5)):
                        for mirrored in (False, True):
                            if shift or mirrored:
                                image = pictures.view(which, shift, mirrored=mirrored)
                                logits += weight * self.network(image).float()
                averaged += int((logits.argmax(1) == labels).sum().item())
        self.network.train()
        many = len(pictures)
        return {"loss": loss / many, "accuracy": averaged / many, "accuracy_one_view": once / many}

    def learn(self, limit: int | None = None) -> tuple[float, float]:
        torch.backends.cudnn.benchmark = not self.recipe.as_original
        return (self._original_batches if self.recipe.as_original else self._better_batches)(limit)

    def warm(self) -> None:
        """Do everything once on a few batches, so that no clock meets a first time; then forget it."""
        untouched, before = self.state(), self.bench.allocated()
        if self.recipe.as_original:
            _ = self.bench.floats  # has its own clock
        with self.own_chance(), Clock(self.bench.device) as clock:
            self.learn(limit=3)
            self._evaluate(limit=1)
        self._restore(untouched)
        self.resident += self.bench.allocated() - before
        self.warm_up = clock.seconds

    def epoch(self) -> dict[str, float]:
        """Learn for one epoch, then measure. Returns what was recorded; times are since the start."""
        last = self.epochs[-1] if self.epochs else {}
        clock = Clock(self.bench.device, last.get("seconds", 0.0), last.get("cpu_seconds", 0.0))
        beside = Clock(self.bench.device, last.get("measuring_seconds", 0.0))
        before = self.bench.allocated()
        if self.on_gpu:
            torch.cuda.reset_peak_memory_stats(self.bench.device)
        with self.own_chance(), clock:
            loss, accuracy = self.learn()
        if self.on_gpu:
            # Without what others keep there: pictures, and the networks that take turns with this one.
            peak = torch.cuda.max_memory_allocated(self.bench.device) - before + self.resident
            self.peak_memory = max(self.peak_memory, peak)
            self.resident += self.bench.allocated() - before
        with beside:
            measured = self._evaluate()
        self.epochs.append(
            {
                "epoch": len(self.epochs) + 1,
                "seconds": round(clock.seconds, 4),
                "cpu_seconds": round(clock.cpu, 4),
                "measuring_seconds": round(beside.seconds, 4),
                "train_loss": round(loss, 5),
                "train_accuracy": round(accuracy, 5),
                **{name: round(value, 5) for name, value in measured.items()},
            }
        )
        return self.epochs[-1]

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on, as copies."""
        held = io.BytesIO()
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "epochs": self.epochs,
                "step": self.step,
                "random": self.random,
                "chance": self.chance.get_state(),
                "warm_up": self.warm_up,
                "peak_memory": self.peak_memory,
            },
            held,
        )
        held.seek(0)
        return torch.load(held, map_location="cpu", weights_only=True)

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state, which came from a run of the same recipe on the same pictures."""
        before = self.bench.allocated()
        self._restore(state)
        self.resident += self.bench.allocated() - before

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
            optimiser.zero_grad()
        self.epochs, self.step, self.random = state["epochs"], state["step"], state["random"]
        self.chance.set_state(state["chance"])
        self.warm_up, self.peak_memory = state["warm_up"], state["peak_memory"]


def turns(runs: Sequence[Run]) -> Iterator[Run]:
    """Hand out the run that is furthest from its end, until all are finished."""
    while waiting := [run for run in runs if not run.finished]:
        yield min(waiting, key=lambda run: len(run.epochs) / run.recipe.epochs)


# --- Results ---


def first_time(epochs: Sequence[dict[str, float]], accuracy: float) -> float | None:
    """Return the seconds of training after which an accuracy was first measured; None: never."""
    return next((epoch["seconds"] for epoch in epochs if epoch["accuracy"] >= accuracy), None)


def summary(runs: Sequence[dict[str, Any]], pictures: int) -> dict[str, Any]:
    """Return, for each contestant, what its finished runs came to."""
    found: dict[str, Any] = {}
    for name in sorted({run["contestant"] for run in runs if run["finished"]}):
        done = [run for run in runs if run["contestant"] == name and run["finished"]]
        ends = [run["epochs"][-1] for run in done]
        accuracies = [end["accuracy"] for end in ends]
        # Clocks count where nothing else ran on the machine; results count everywhere.
        timed = [run for run in done if run.get("alone", True)] or done
        recipe = Recipe(**done[0]["recipe"])
        whole = pictures if recipe.as_original else pictures // recipe.batch * recipe.batch
        learned = recipe.epochs * whole
        reached = {}
        for goal in (0.72, 0.94):
            there = [run for run in done if first_time(run["epochs"], goal) is not None]
            times = [t for run in timed if (t := first_time(run["epochs"], goal)) is not None]
            reached[f"{goal:.0%}"] = {
                "runs": len(there),
                "median_seconds": round(median(times), 3) if times else None,
            }
        seconds, cpu = (
            mean(run["epochs"][-1][clock] for run in timed) for clock in ("seconds", "cpu_seconds")
        )
        found[name] = {
            "n": len(done),
            "n_timed": len(timed),
            "parameters": done[0]["parameters"],
            "accuracy": {
                "mean": round(mean(accuracies), 5),
                "deviation": round(stdev(accuracies), 5) if len(done) > 1 else None,
                "worst": min(accuracies),
                "best": max(accuracies),
            },
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 2),
            "pictures_per_second": round(learned / seconds),
            "cpu_ms_per_picture": round(1000 * cpu / learned, 4),
            "peak_memory_mib": max(run["peak_memory_mib"] for run in done) or None,
            "reached": reached,
        }
    return found


def read_results(path: Path) -> dict[str, Any]:
    """Read a file of results. Raises Refused where it is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not content["runs"]:
            raise KeyError("runs")
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Refused(f"{path}: holds no results of `train`. Name another file.") from fault
    return content


class Record:
    """The file of results: rewritten after every epoch, whole or not at all."""

    def __init__(
        self, path: Path, setting: dict[str, Any], session: dict[str, Any], *, append: bool, beside: bool
    ) -> None:
        self.path, self.session, self.beside = path, session, beside
        self.content: dict[str, Any] = {"benchmark": path.stem, **setting, "sessions": [], "runs": []}
        if path.exists():
            if not append:
                raise Refused(
                    f"{path}: is there already. Go on with --append, or name another file with --out."
                )
            there = read_results(path)
            # A summary of two machines, or of other pictures, would be of neither.
            same = {**setting, **{key: session[key] for key in ("device", "compiled")}}
            for key, value in same.items():
                then = {**there["sessions"][0], **there}.get(key)
                if then != value:
                    raise Refused(
                        f"{path}: its {key} is {then}, now it would be {value}. "
                        "Ask for the same as then, or name another file with --out."
                    )
            self.content = there

    def find(self, name: str, seed: int) -> dict[str, Any] | None:
        """Return the record of a run, finished or not."""
        return next((r for r in self.content["runs"] if (r["contestant"], r["seed"]) == (name, seed)), None)

    def put(self, run: Run) -> None:
        """Write a run as it stands now, in place of what the file says of it."""
        runs, before = self.content["runs"], self.find(run.name, run.seed)
        sessions = self.content["sessions"]
        if not any(one is self.session for one in sessions):  # one with nothing to do is never written
            sessions.append(self.session)
        now = {
            "contestant": run.name,
            "seed": run.seed,
            "parameters": parameters(run.network),
            "recipe": asdict(run.recipe),
            "session": len(sessions) - 1,
            "alone": not self.beside,
            "warm_up_seconds": round(run.warm_up, 3),
            "peak_memory_mib": round(run.peak_memory / 2**20, 1),
            "finished": run.finished,
            "epochs": run.epochs,
        }
        if before is None:
            runs.append(now)
        else:
            runs[runs.index(before)] = now
        self.write()

    def write(self) -> None:
        self.content["summary"] = summary(self.content["runs"], self.content["pictures"]["train"])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_suffix(".part")
        text = json.dumps(self.content, indent=1)
        # An epoch or a recipe on one line: a person can read the file, and a difference of two.
        text = re.sub(r"\{[^{}]*\}", lambda found: " ".join(found.group().split()), text)
        half.write_text(text + "\n", encoding="utf-8")
        half.replace(self.path)


def show(content: dict[str, Any]) -> str:
    """Say what a file of results holds, a line for each contestant."""
    lines = [
        f"{content['size']}, {content['pictures']['train']} pictures ({content['pictures']['stored_as']})"
    ]
    for name, found in content["summary"].items():
        accuracy = found["accuracy"]
        spread = f" ± {accuracy['deviation']:.2%}" if accuracy["deviation"] is not None else ""
        reached = ", ".join(
            f"{goal} in {there['median_seconds']} s ({there['runs']} of {found['n']})"
            for goal, there in found["reached"].items()
            if there["runs"]
        )
        lines.append(
            f"({name}) n = {found['n']}: {accuracy['mean']:.2%}{spread} in {found['seconds']:.1f} s, "
            f"{found['cpu_seconds']:.1f} s of processor time, {found['pictures_per_second']} pictures/s"
            + (f"; {reached}" if reached else "")
        )
    return "\n".join(lines)


# --- The command line ---


def numbers(text: str) -> list[int]:
    """Read "0-2,7" as 0, 1, 2, 7."""
    found: list[int] = []
    if re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        for part in text.split(","):
            first, *last = map(int, part.split("-"))
            found += range(first, (last or [first])[0] + 1)
    if not found:
        raise Refused(f"--seeds {text}: not understood. Write numbers and ranges, such as 0-2,7.")
    return found


def changed(recipes: dict[str, Recipe], changes: Sequence[str]) -> dict[str, Recipe]:
    """Return recipes with changes such as "c.epochs=10"."""
    recipes = dict(recipes)
    kinds = {"int": int, "float": float, "str": str, "float | None": float}
    for change in changes:
        where, _, value = change.partition("=")
        name, _, field = where.partition(".")
        known = {entry.name: kinds[str(entry.type)] for entry in fields(Recipe)}
        if name not in recipes or field not in known:
            raise Refused(f"--set {change}: there is no {where}. Write for example c.epochs=10.")
        try:
            wanted = known[field](value)
        except ValueError as fault:
            raise Refused(
                f"--set {change}: {field} wants a number. Write for example c.epochs=10."
            ) from fault
        try:
            recipes[name] = replace(recipes[name], **{field: wanted})
        except ValueError as fault:
            raise Refused(f"--set {change}: {fault}.") from fault
    return recipes


def chosen_device(name: str | None) -> torch.device:
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise Refused("--device cuda: PyTorch finds no GPU here. Use --device cpu.")
    return device


def described(device: torch.device) -> dict[str, Any]:
    if device.type != "cuda":
        return {"name": "cpu", "threads": torch.get_num_threads()}
    about = torch.cuda.get_device_properties(device)
    return {
        "name": about.name,
        "memory_gib": round(about.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def load(asked: argparse.Namespace, size: Size) -> tuple[dict[str, Any], Split, Split]:
    """Return the header of the packed pictures, those to train on and those to measure on."""
    if not asked.validate:
        header, splits = unpack(asked.data, {"train": size.train, "test": size.test})
        return header, splits["train"], splits["test"]
    header, splits = unpack(asked.data)
    there = len(splits["train"].labels)
    kept = there - min(HELD_OUT, there // 3)
    learnt, held = splits["train"].rows(0, min(kept, size.train)), splits["train"].rows(kept, there)
    return header, learnt, held.rows(0, size.test)


def train(asked: argparse.Namespace) -> None:
    """Let the contestants learn, and record every epoch."""
    seeds, device = numbers(asked.seeds), chosen_device(asked.device)
    if device.type == "cpu":
        # Threads that wait for each other burn processor time, which is what is compared here.
        torch.set_num_threads(asked.threads or 1)
    asked.size = asked.size or ("full" if device.type == "cuda" else "reduced")
    size = RECIPES[asked.size]
    size = Size(
        asked.pictures or size.train, asked.test_pictures or size.test, changed(size.recipes, asked.set)
    )
    with Clock(torch.device("cpu")) as decoding:
        header, learnt, measured = load(asked, size)
    for name in asked.only:
        if len(learnt.labels) < (batch := size.recipes[name].batch):
            raise Refused(
                f"({name}) learns in batches of {batch}, and there are {len(learnt.labels)} pictures. "
                f"Ask for more with --pictures, or write --set {name}.batch=NUMBER."
            )
    bench = Bench(learnt, measured, device, compiled=asked.compile)
    bench.preparation["decoding"] = round(decoding.seconds, 3)
    path = asked.out or RESULTS / f"cifar10_{'gpu' if device.type == 'cuda' else 'cpu'}.json"
    setting = {
        "size": asked.size,
        "pictures": {
            "set": "CIFAR-10",
            "stored_as": header["pictures"],
            "in_the_set": header["splits"],
            "train": len(learnt.labels),
            "test": len(measured.labels),
            "measured_on": "training pictures held back" if asked.validate else "test pictures",
        },
    }
    session = {
        **circumstances(["torch", "numpy", decoder()[0]]),
        "device": described(device),
        "precision": "float32; (b) and (c) bfloat16" if device.type == "cuda" else "float32",
        "compiled": asked.compile,
        "preparation_seconds": bench.preparation,
    }
    record = Record(path, setting, session, append=asked.append, beside=asked.beside)
    for seed in seeds:
        # Otherwise compiled code of every seed would be kept, and after eight PyTorch stops compiling.
        torch.compiler.reset()
        runs = [run for name in asked.only if (run := begin(name, seed, size, bench, record)) is not None]
        for run in runs:
            run.warm()
        for run in turns(runs):
            epoch = run.epoch()
            keep(run, record)
            print(
                f"({run.name}) seed {seed}, epoch {len(run.epochs):2} of {run.recipe.epochs}: "
                f"loss {epoch['train_loss']:.4f}, accuracy {epoch['accuracy']:.2%}, {epoch['seconds']:.1f} s",
                flush=True,
            )
    print(show(record.content))
    print(f"Written: {path}")


def kept_at(path: Path, name: str, seed: int) -> Path:
    """Where the state of an unfinished run waits."""
    return BUILD / "states" / f"{path.stem}-{name}-{seed}.pt"


def begin(name: str, seed: int, size: Size, bench: Bench, record: Record) -> Run | None:
    """Return a run at its start, or where a run that was cut off stood; None if it is finished."""
    before, recipe = record.find(name, seed), size.recipes[name]
    if before is not None and before["recipe"] != asdict(recipe):
        differing = [field for field, value in asdict(recipe).items() if before["recipe"].get(field) != value]
        raise Refused(
            f"{record.path}: ({name}) with seed {seed} had another recipe ({', '.join(differing)}). "
            "Ask for the same as then, or name another file with --out."
        )
    if before is not None and before["finished"]:
        return None
    run = Run(name, recipe, seed, bench)
    waiting = kept_at(record.path, name, seed)
    if before is not None and waiting.exists():
        state = torch.load(waiting, map_location="cpu", weights_only=True)
        # A state of another file of the same name would begin with other epochs.
        if json.dumps(state["epochs"][: len(before["epochs"])]) == json.dumps(before["epochs"]):
            run.load(state)
    return run


def keep(run: Run, record: Record) -> None:
    """Record a run as it stands; until it is finished, keep its state too, to go on after it was cut off."""
    waiting = kept_at(record.path, run.name, run.seed)
    if not run.finished:
        waiting.parent.mkdir(parents=True, exist_ok=True)
        half = waiting.with_suffix(".part")
        torch.save(run.state(), half)
        half.replace(waiting)
    record.put(run)
    if run.finished:
        waiting.unlink(missing_ok=True)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    packing = verbs.add_parser("pack", help="put CIFAR-10 (Parquet) into one small file")
    packing.add_argument("folder", type=Path, help="CIFAR-10 in the Hugging Face layout")
    packing.add_argument("--out", type=Path, default=PACKED, help="(default: _build/cifar10/pictures.xz)")
    training = verbs.add_parser("train", help="let the contestants learn; record every epoch")
    add = training.add_argument
    add("--data", type=Path, default=PACKED, help="what `pack` wrote (default: _build/cifar10/pictures.xz)")
    add("--only", nargs="+", choices="abc", default=list("abc"), help="these contestants (default: a b c)")
    add("--seeds", default="0", help="numbers and ranges, such as 0-2,7 (default: 0)")
    add("--append", action="store_true", help="go on with the file of results: what is finished stays")
    add("--beside", action="store_true", help="other work runs beside it: its clocks count for nothing")
    add("--out", type=Path, help="the file of results (default: benchmarks/results/cifar10_DEVICE.json)")
    add("--device", choices=("cpu", "cuda"), help="(default: cuda where there is one)")
    add("--size", choices=RECIPES, help="(default: full on a GPU, reduced on a processor)")
    add("--pictures", type=positive, help="learn from as many pictures (default: the size's)")
    add("--test-pictures", type=positive, help="measure on as many pictures (default: the size's)")
    add("--validate", action="store_true", help="measure on training pictures held back: to choose recipes")
    add("--set", nargs="+", default=[], metavar="WHAT=VALUE", help="change a recipe, such as c.epochs=10")
    add("--compile", action="store_true", help="let torch.compile work on (b) and (c)")
    add("--threads", type=positive, help="on a processor (default: 1)")
    showing = verbs.add_parser("show", help="say what a file of results holds")
    showing.add_argument("results", type=Path)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    asked = command_line().parse_args(arguments)
    try:
        if asked.verb == "pack":
            header = pack(asked.folder, asked.out)
            size = asked.out.stat().st_size / 1e6
            print(f"Written: {asked.out}, {size:.1f} MB, {header['splits']}, {header['pictures']}")
        elif asked.verb == "train":
            train(asked)
        else:
            print(show(read_results(asked.results)))
    except Refused as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
