"""Train the network that other pages show, and write it down; the same bytes each time:

.venv/bin/python book/data/train_tiny_net.py [FOLDER]
"""

from __future__ import annotations

import hashlib
import json
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from skimage import data

# The very cells that the chapter on training shows.
SNIPPETS = Path(__file__).parents[1] / "_snippets"
materials = runpy.run_path(str(SNIPPETS / "materials.py"))
tiny_net = runpy.run_path(str(SNIPPETS / "tiny_net.py"))["tiny_net"]
learn = runpy.run_path(str(SNIPPETS / "training_loop.py"))["learn"]

SEED, RATE, EPOCHS = 0, 0.01, 20
CARD = Path(__file__).with_name("tiny_net_card.md")


@dataclass(frozen=True)
class Trained:
    """The network, as float32 numbers under PyTorch's names, and its test."""

    parameters: dict[str, torch.Tensor]
    confusion: np.ndarray[Any, Any]  # (3, 3): squares of the right halves, the truth in rows

    @property
    def tested(self) -> int:
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        return int(self.confusion.trace())


def train() -> Trained:
    """Train on the left halves and test on the right ones.

    It calculates in float64 and rounds at the end. In float32 machines that add up in another order end with
    other numbers; in float64 they still differ, but in digits that the rounding cuts off.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network is slower on two
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        net = tiny_net().double()
        squares, labels, places = materials["cut_squares"]()
        left, right = materials["by_place"](places)
        squares, labels = torch.tensor(squares), torch.tensor(labels)
        learn(net, squares[left], labels[left], RATE, EPOCHS)
    net = net.float()
    with torch.no_grad():
        named = net(squares[right].float()).argmax(dim=1)
    torch.set_num_threads(threads)
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (labels[right].numpy(), named.numpy()), 1)
    return Trained({name: part.clone() for name, part in net.state_dict().items()}, confusion)


def brightness() -> dict[str, dict[str, dict[str, float]]]:
    """Return mean and spread of each half of each photograph, in grey values from 0 to 1."""
    told = {}
    for name in materials["MATERIALS"]:
        halves = zip(("left", "right"), np.split(getattr(data, name)() / 255, 2, axis=1), strict=True)
        told[name] = {side: {"mean": float(half.mean()), "std": float(half.std())} for side, half in halves}
    return told


def as_json(trained: Trained) -> str:
    """Return the weights for a web page: every number in the fewest digits that give it back as float32."""
    parameters = {
        name: {
            "shape": list(part.shape),
            "values": [float(str(number)) for number in part.numpy().ravel()],
        }
        for name, part in trained.parameters.items()
    }
    said = {
        "classes": materials["MATERIALS"],
        "side": materials["SIDE"],
        "input": "a grey picture, standardised: its own mean is taken away, its own std divides it",
        "photographs": brightness(),
        "parameters": parameters,
    }
    return json.dumps(said) + "\n"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def card(trained: Trained, files: dict[str, bytes]) -> str:
    """Return the model card, with what was measured filled in."""
    text = CARD.read_text(encoding="utf-8")
    interval = binomtest(trained.right, trained.tested).proportion_ci(0.95, "wilson")
    names = materials["MATERIALS"]
    rows = [
        f"| {name} | " + " | ".join(map(str, row)) + " |"
        for name, row in zip(names, trained.confusion, strict=True)
    ]
    said = {
        "accuracy": percent(trained.right / trained.tested),
        "right": trained.right,
        "tested": trained.tested,
        "low": percent(interval.low),
        "high": percent(interval.high),
        "confusion": "\n".join(rows),
        "torch": torch.__version__.split("+")[0],
        "seed": SEED,
        "rate": RATE,
        "epochs": EPOCHS,
        "checksums": "\n".join(
            f"| `{name}` | `{hashlib.sha256(content).hexdigest()}` |" for name, content in files.items()
        ),
    }
    for name, value in said.items():
        text = text.replace(f"<{name}>", str(value))
    return text


def write(folder: Path) -> Trained:
    """Train, and write weights.pt, weights.json and README.md into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    trained = train()
    torch.save(trained.parameters, folder / "weights.pt")
    (folder / "weights.json").write_text(as_json(trained), encoding="utf-8")
    files = {name: (folder / name).read_bytes() for name in ("weights.pt", "weights.json")}
    (folder / "README.md").write_text(card(trained, files), encoding="utf-8")
    return trained


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("tiny-net")
    made = write(place)
    print(f"{place}: {made.right} of {made.tested} unseen squares named rightly")
