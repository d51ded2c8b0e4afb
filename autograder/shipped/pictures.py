"""Shows a student's result beside the right one and what lies between them, where the eye helps.

``autograder build`` packs this text into the first cell of a notebook. Where there is no Matplotlib, or
nothing to see, nothing is drawn: the sentence says all that is needed.
"""

from typing import Any

import numpy as np

LARGEST_TABLE = 9  # columns up to which each number is written into its square


def panels(found: Any, expected: Any) -> "list[tuple[str, Any]] | None":
    """Return the three pictures to draw, each a title and numbers, or None where a picture would not help."""
    if found is None or found.shape != expected.shape or not np.isfinite(found).all():
        return None
    if found.ndim == 3 and found.shape[2] == 3 and min(found.shape[:2]) > 1:
        found, expected = found.mean(axis=2), expected.mean(axis=2)  # colour: how bright it is
    if found.ndim > 2 and min(found.shape[-2:]) > 1:
        # One of several maps: the first that differs.
        flat, right = (values.reshape(-1, *values.shape[-2:]) for values in (found, expected))
        first = int(np.abs(flat - right).max(axis=(1, 2)).argmax())
        found, expected = flat[first], right[first]
    if found.ndim > 2 or found.size < 4 or (found.ndim == 2 and min(found.shape) < 2):
        return None
    return [("Yours", found), ("Expected", expected), ("Yours − expected", found - expected)]


def show(found: Any, expected: Any) -> None:
    """Draw the three pictures."""
    drawn = panels(found, expected)
    if drawn is None:
        return
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        return
    _, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    both = np.concatenate([drawn[0][1].ravel(), drawn[1][1].ravel()])
    reach = float(np.abs(drawn[2][1]).max()) or 1.0
    for place, (title, values) in enumerate(drawn):
        axis = axes[place]
        axis.set_title(title)
        if values.ndim == 1:
            axis.bar(range(values.size), values, color="#0072B2")
            low, high = (min(both.min(), 0), both.max()) if place < 2 else (-reach, reach)
            axis.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low) or 1.0)
            continue
        limits = (both.min(), both.max()) if place < 2 else (-reach, reach)
        axis.imshow(values, cmap="gray" if place < 2 else "RdBu", vmin=limits[0], vmax=limits[1])
        axis.set(xticks=[], yticks=[])
        if values.shape[1] <= LARGEST_TABLE and values.shape[0] <= LARGEST_TABLE:
            middle = (limits[0] + limits[1]) / 2
            for (row, column), value in np.ndenumerate(values):
                light = abs(value) < 0.6 * reach if place == 2 else value > middle
                colour = "black" if light else "white"
                axis.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=8, color=colour)
    plt.show()
