"""What the property tests of the solutions share: the solved functions, and pictures of every kind."""

import contextlib
import io
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from autograder import masters

Picture = npt.NDArray[Any]
SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
# The solved functions are the same in every example.
steady = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EIGHTHS = some.integers(-256, 256).map(lambda n: n / 8)  # exact, also in float32
TYPES = some.sampled_from(["u1", "<f4", "<f8", ">f8", ">f4", "<i2"])


def solution_of(slug: str, *roles: str, before: str = "") -> dict[str, Any]:
    """Everything that a master's own cells define, with nothing built and no figure shown.

    roles   of cells to run besides the notebook's own code and the answers, such as "hidden helper"
    before  what to run first, such as the checks' own helpers
    """
    matplotlib.use("agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(before, names)
    for cell in masters.read(SOLUTIONS / f"{slug}.md").cells:
        if cell.role in ("code", "answer", *roles):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, f"solutions/{slug}.md:{cell.line}", "exec"), names)
            plt.close("all")
    return names


def filled(draw: Any, shape: tuple[int, ...]) -> Picture:
    """An array of a shape as uint8, int16, float32, float64 or big-endian, in either memory order."""
    dtype = np.dtype(draw(TYPES))
    values = EIGHTHS if dtype.kind == "f" else some.integers(0, 255)
    array = draw(arrays.arrays(dtype, shape, elements=values))
    return np.asfortranarray(array) if draw(some.booleans()) else array


@some.composite
def pictures(draw: Any, smallest: int = 1, largest: int = 9) -> Picture:
    """Grey pictures of any shape and type."""
    side = some.integers(smallest, largest)
    return filled(draw, (draw(side), draw(side)))
