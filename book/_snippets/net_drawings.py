"""Drawings for a network that one can count: grids of numbers, stacks of maps, all weights side by side."""

import matplotlib.pyplot as plt
import numpy as np

BLUE, ORANGE, PALE, INK = "#0072B2", "#D55E00", "#D6E9F5", "#22262B"


def number_grid(ax, grid, title="", limit=9):
    """Draw a small grid of numbers with the number in each cell, tinted about zero."""
    ax.pcolormesh(grid, cmap="PuOr", vmin=-2 * limit, vmax=2 * limit, edgecolors="#6B7280", lw=0.8)
    for (row, column), value in np.ndenumerate(grid):
        number = f"{value:g}".replace("-", "−")
        ax.text(column + 0.5, row + 0.5, number, ha="center", va="center", color=INK)
    ax.set(title=title, aspect="equal", ylim=(len(grid), 0))
    ax.axis("off")


def architecture(ax, stages, columns, marked=()):
    """Draw a network from top to bottom, one row for each layer.

    stages   tuples: words, (maps, rows, columns of the maps), then one text for each of ``columns``;
             without maps it is a row of totals, below a line; of many maps only 24 are drawn
    columns  titles of the texts at the right
    marked   (row, column) of texts that stand out
    """
    pitch, right = 17, [86 - 16 * (len(columns) - 1 - n) + 14 for n in range(len(columns))]
    for x, title in zip(right, columns, strict=True):
        ax.text(x, -9, title, ha="right", va="bottom", weight="bold", fontsize=9.5)
    ax.text(0, -9, "layer", va="bottom", weight="bold", fontsize=9.5)
    shapes = right[0] - 17 - 3 * (len(columns) == 1)
    ax.text(shapes, -9, "size", ha="right", va="bottom", weight="bold", fontsize=9.5)
    for row, (words, (maps, rows, _), *texts) in enumerate(stages):
        y = row * pitch
        ax.text(0, y, words, va="center", fontsize=9.5)
        if not maps:
            ax.plot([0, 100], [y - 8, y - 8], color=INK, lw=0.8)
        elif rows > 1:
            drawn = min(maps, 24)
            side, shift = 0.29 * rows + 0.5, min(0.9, 6 / drawn)
            left, top = 38 - (side + drawn * shift) / 2, y - (side + drawn * shift) / 2
            for n in range(drawn):
                corner = (left + n * shift, top + n * shift)
                ax.add_patch(plt.Rectangle(corner, side, side, fc=PALE, ec=BLUE, lw=0.6))
        else:
            wide = min(0.17 * maps, 24)  # longer ones would reach into the words
            ax.add_patch(plt.Rectangle((38 - wide / 2, y - 1), wide, 2, fc=PALE, ec=BLUE, lw=0.6))
        size = f"{maps}" if rows == 1 else f"{maps} × {rows} × {rows}"
        ax.text(shapes, y, size if maps else "", ha="right", va="center", fontsize=9.5)
        for column, (x, text) in enumerate(zip(right, texts, strict=True)):
            loud = {"weight": "bold", "color": ORANGE} if (row, column) in marked else {}
            ax.text(x, y, text, ha="right", va="center", fontsize=9.5, **loud)
        if row and maps:
            ax.annotate("", (38, y - 6.4), (38, y - 9.6), arrowprops={"arrowstyle": "->", "color": INK})
    ax.set(xlim=(-1, 101), ylim=(len(stages) * pitch - 6, -14))
    ax.axis("off")


def side_by_side(maps, columns, gap=1):
    """Put small pictures into one array, ``columns`` in a row, with nothing (NaN) between them."""
    maps = np.asarray(maps, dtype=float)
    rows = -(-len(maps) // columns)
    tall, wide = maps.shape[1:]
    sheet = np.full((rows * (tall + gap) - gap, columns * (wide + gap) - gap), np.nan)
    for n, one in enumerate(maps):
        top, left = n // columns * (tall + gap), n % columns * (wide + gap)
        sheet[top : top + tall, left : left + wide] = one
    return sheet


def with_biases(sheet, biases, width):
    """Add a row below a sheet of kernels, with one bias below the middle of each."""
    row = np.full((2, sheet.shape[1]), np.nan)
    row[1, width // 2 :: width + 1] = biases
    return np.vstack([sheet, row])
