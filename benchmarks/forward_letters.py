"""The 1,443 numbers at the end of the exercise `forward`, found by training, written as letters.

    .venv/bin/python benchmarks/forward_letters.py

Learns on the left halves of three photographs (brick, grass and gravel: CC0, shipped with scikit-image),
cut into 32 × 32 squares; each photograph is first brought to mean 0 and deviation 1. Every number is then
rounded to a multiple of 1/32 and written as one character: "@" is 0, "A" is 1/32, "?" is -1/32. Prints the
letters, and how many squares of the right halves the rounded network names correctly.

It takes a second or two on one thread; another version of PyTorch may find other letters, about as good.
Nothing is recorded here: the letters stand in solutions/forward.md, and
tests/exercises/test_forward_reference.py measures what stands there.
"""

from __future__ import annotations

import textwrap

import numpy as np
import torch
from skimage import data
from torch import nn

NAMES = ("brick", "grass", "gravel")
SEED, EPOCHS, BATCH, RATE = 1, 15, 64, 3e-3


def squares(first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut columns ``first`` to ``last`` of each photograph into squares (n, 1, 32, 32), with classes."""
    pictures, classes = [], []
    for number, name in enumerate(NAMES):
        photograph = getattr(data, name)().astype(float)
        photograph = (photograph - photograph.mean()) / photograph.std()
        for row in range(0, 512, 32):
            for column in range(first, last, 32):
                pictures.append(photograph[None, row : row + 32, column : column + 32])
                classes.append(number)
    return torch.tensor(np.array(pictures), dtype=torch.float32), torch.tensor(classes)


def main() -> None:
    """Train, round, print."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    pictures, classes = squares(0, 256)
    network = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 3)),
    )
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(pictures)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pictures[batch]), classes[batch]).backward()
            optimizer.step()
    letters = ""
    with torch.no_grad():
        for parameter in network.parameters():
            steps = (parameter * 32).round().clamp(-16, 16)
            letters += "".join(chr(64 + int(step)) for step in steps.ravel())
            parameter.copy_(steps / 32)
        unseen, truth = squares(256, 512)
        right = int((network(unseen).argmax(1) == truth).sum())
    print("\n".join(textwrap.wrap(letters, 100)))
    print(f"{len(letters)} letters; {right} of {len(truth)} unseen squares are named correctly.")


if __name__ == "__main__":
    main()
