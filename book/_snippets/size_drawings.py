"""Drawings for sizes: a window along a ruler, what one result has seen, small grids of numbers."""

from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

BLUE, ORANGE, INK = "#0072B2", "#E69F00", "#22262B"


def ruler(ax, n, kernel, stride=1, padding=0, dilation=1, title=""):
    """Draw ``n`` cells with a ring of padding, and below them one line for each place of the window."""
    reach = dilation * (kernel - 1) + 1
    starts = range(-padding, n + padding - reach + 1, stride)
    read = {start + dilation * i for start in starts for i in range(kernel)}
    for cell in range(-padding, n + padding):
        inside = 0 <= cell < n
        look = {"facecolor": "white"} if inside else {"facecolor": "#D8DCE2", "hatch": "////"}
        if inside and cell not in read:
            look = {"facecolor": ORANGE}
        ax.add_patch(plt.Rectangle((cell, 0), 1, 1, edgecolor="#6B7280", **look))
        sign = "0" if not inside else (str(cell) if cell in read else "×")
        ax.text(cell + 0.5, 0.5, sign, ha="center", va="center", fontsize=9.5, color=INK)
    for place, start in enumerate(starts):
        y = 1.45 + place * 0.72
        ax.plot([start + 0.5, start + reach - 0.5], [y, y], color=BLUE, lw=1.2)
        cells = [start + dilation * i + 0.5 for i in range(kernel)]
        ax.plot(cells, [y] * kernel, "s", color=BLUE, ms=5.5)
    bottom = 1.45 + len(starts) * 0.72
    ax.set(xlim=(-2.1, max(n + padding, 11.1)), ylim=(bottom, -0.1), title=f"{title}: {len(starts)} places")
    ax.axis("off")


def pyramid(ax, layers):
    """Draw rows of cells, one row for each layer, and mark everything that one result at the top has seen."""
    seen, steps = [[0]], [1]
    for _, stride in layers:
        steps.append(steps[-1] * stride)
    for kernel, stride in reversed(layers):
        first, last = seen[-1][0] * stride, seen[-1][-1] * stride + kernel - 1
        seen.append(list(range(first, last + 1)))
    seen.reverse()  # from the picture to the top
    middle = seen[0][-1] / 2
    # Each result stands over the middle of the cells that it looks at.
    offset = [0.0]
    for (kernel, _), step in zip(layers, steps, strict=False):
        offset.append(offset[-1] + step * (kernel - 1) / 2)
    half = middle + 1.5
    for level, cells in enumerate(seen):
        for cell in range(-30, 60):
            x = offset[level] + cell * steps[level] - middle
            if abs(x) > half:
                continue
            mine = cell in cells
            ax.plot(
                x,
                level,
                "s" if mine else "o",
                ms=13 if mine else 6,
                mec="#6B7280",
                color=BLUE if mine else "white",
            )
        if level:
            for cell in cells:
                x = offset[level] + cell * steps[level] - middle
                for i in range(layers[level - 1][0]):
                    below = offset[level - 1] + (cell * layers[level - 1][1] + i) * steps[level - 1] - middle
                    ax.plot([x, below], [level, level - 1], color=BLUE, lw=1, zorder=0)
        ax.text(half + 0.6, level, f"{len(cells)}", va="center", fontsize=11, color=INK)
    names = ["picture"] + [f"after layer {n}" for n in range(1, len(layers) + 1)]
    ax.set(yticks=range(len(names)), yticklabels=names, xticks=[], ylim=(-0.4, len(layers) + 0.4))
    ax.tick_params(left=False)
    ax.spines[:].set_visible(False)


def show_grid(ax, grid, title="", cmap="PuOr", low=-1.0, high=1.0):
    """Draw a small grid with its numbers written in, fractions as fractions."""
    ax.pcolormesh(grid, cmap=cmap, vmin=low, vmax=high, edgecolors="gray")
    for (row, column), value in np.ndenumerate(grid):
        text = str(Fraction(float(value)).limit_denominator(100)).replace("-", "−")
        ax.text(
            column + 0.5,
            row + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=9.5,
            color="white" if abs(value) > 0.6 * high else "black",
        )
    ax.set(title=title, aspect="equal", ylim=(len(grid), 0))
    ax.axis("off")
