"""Drawings for brushes-become-learners: two neurons side by side, a small network, kernels with numbers."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

BLUE, VERMILLION, ORANGE, INK, PALE = "#0072B2", "#D55E00", "#E69F00", "#22262B", "#CFE3F1"


def branch(ax, x, y, angle, length, width, depth):
    """A dendrite: a line that forks, and forks again."""
    end_x, end_y = x + length * np.cos(angle), y + length * np.sin(angle)
    ax.plot([x, end_x], [y, end_y], color=BLUE, lw=width, solid_capstyle="round", zorder=1)
    if depth:
        for turn, shrink in ((0.42, 0.78), (-0.36, 0.7)):
            branch(ax, end_x, end_y, angle + turn, length * shrink, width * 0.65, depth - 1)


def biological_neuron(ax, x=2.2):
    """From top to bottom: branching dendrites, cell body, axon, terminals."""
    for degrees in (38, 74, 106, 142):
        branch(ax, x, 6.6, np.radians(degrees), 1.25, 5, 2)
    turn = np.linspace(0, 2 * np.pi, 100)
    radius = 0.72 + 0.06 * np.cos(4 * turn + 0.4)
    ax.fill(x + radius * np.cos(turn), 6.5 + radius * np.sin(turn), fc=PALE, ec=BLUE, lw=2, zorder=2)
    ax.add_patch(plt.Circle((x, 6.5), 0.24, fc=BLUE, zorder=3))
    down = np.linspace(5.8, 1.9, 60)
    ax.plot(x + 0.12 * np.sin(down * 1.4), down, color=BLUE, lw=3, zorder=1)
    for angle in (-125, -90, -55):
        branch(ax, x + 0.06, 1.95, np.radians(angle), 0.62, 2.2, 1)
    for tip, side in (((x - 1.7, 8.98), 1), ((x + 1.42, 9.02), -1)):  # the end of another cell's axon
        ax.plot([tip[0] - side * 0.35, tip[0]], [tip[1] + 0.75, tip[1]], color=VERMILLION, lw=2.5)
        ax.plot(*tip, "o", color=VERMILLION, ms=8)


def artificial_neuron(ax, x=7.5):
    """From top to bottom: inputs and weights, sum, bend, answer."""
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.6}
    for n, offset in enumerate((-1.5, 0, 1.5), start=1):
        ax.add_patch(plt.Rectangle((x + offset - 0.35, 8.85), 0.7, 0.7, fc="white", ec=INK, lw=1.5))
        ax.text(x + offset, 9.2, f"$x_{n}$", ha="center", va="center", fontsize=11)
        ax.annotate("", (x + offset * 0.42, 7.12), (x + offset, 8.85), arrowprops=arrow)
        ax.text(x + offset * 0.74, 8.05, f"$w_{n}$", ha="center", va="center", fontsize=11,
                bbox={"fc": PALE, "ec": BLUE, "boxstyle": "round,pad=0.2"})  # fmt: skip
    ax.add_patch(plt.Circle((x, 6.5), 0.82, fc=PALE, ec=BLUE, lw=2))
    ax.text(x, 6.5, "sum\n$+\\,b$", ha="center", va="center", fontsize=10.5)
    ax.annotate("", (x, 4.75), (x, 5.68), arrowprops=arrow)
    ax.add_patch(plt.Rectangle((x - 0.85, 3.35), 1.7, 1.4, fc="white", ec=INK, lw=1.5))
    ax.plot([x - 0.6, x, x + 0.5], [3.7, 3.7, 4.5], color=VERMILLION, lw=2.5)
    ax.annotate("", (x, 2.1), (x, 3.35), arrowprops=arrow)
    ax.add_patch(plt.Rectangle((x - 0.35, 1.4), 0.7, 0.7, fc="white", ec=INK, lw=1.5))
    ax.text(x, 1.75, "$a$", ha="center", va="center", fontsize=11)


def two_neurons(ax):
    """The two neurons, each part named beside it."""
    biological_neuron(ax)
    artificial_neuron(ax)
    names = {
        (2.2, 10.35): "from other cells",
        (3.4, 7.25): "dendrites",
        (3.15, 6.35): "cell body",
        (2.5, 4.0): "axon",
        (2.2, 0.35): "to many other cells",
        (7.5, 10.35): "inputs",
        (9.05, 8.05): "weights",
        (8.5, 6.45): "sum,\nplus bias",
        (8.5, 4.05): "bend",
        (8.05, 1.75): "activation",
    }
    for (x, y), name in names.items():
        middle = y > 10 or y < 1
        ax.text(x, y, name, ha="center" if middle else "left", va="center", fontsize=9.5, color=INK)
    ax.text(0.75, 9.55, "synapse", fontsize=9.5, color=INK)
    ax.text(2.2, 11.2, "a nerve cell", ha="center", fontsize=11, weight="bold")
    ax.text(7.5, 11.2, "an artificial neuron", ha="center", fontsize=11, weight="bold")
    ax.axvline(5.05, color="#D8DCE2", lw=1)
    ax.set(xlim=(-0.4, 10.4), ylim=(0, 11.7), aspect="equal")
    ax.axis("off")


def small_network(ax, sizes, names):
    """Circles in columns, a line for each weight; the weights into one neuron are drawn strong."""
    places = [[(2.2 * n, (size - 1) / 2 - k) for k in range(size)] for n, size in enumerate(sizes)]
    for n, (left, right) in enumerate(pairwise(places)):
        for start in left:
            for k, end in enumerate(right):
                chosen = n == 0 and k == 1
                ax.plot(*zip(start, end, strict=True), color=VERMILLION if chosen else "#9CA3AF",
                        lw=2.4 if chosen else 1, zorder=2 if chosen else 1)  # fmt: skip
    for n, column in enumerate(places):
        for k, place in enumerate(column):
            look = {"fc": "white", "ec": INK} if n == 0 else {"fc": PALE, "ec": BLUE}
            if (n, k) == (1, 1):
                look["ec"] = VERMILLION
            ax.add_patch(plt.Circle(place, 0.28, lw=2, zorder=3, **look))
        ax.text(2.2 * n, 2.15, names[n], ha="center", va="bottom", fontsize=10, color=INK)
    ax.set(xlim=(-0.9, 5.3), ylim=(-2, 2.7), aspect="equal")
    ax.axis("off")


def show_kernel(ax, kernel, title="", limit=2.5):
    """Draw nine weights with their numbers to one decimal; purple counts, orange is taken away."""
    grid = np.reshape(kernel, (3, 3))
    ax.pcolormesh(grid, cmap="PuOr", vmin=-limit, vmax=limit, edgecolors="gray")
    for (row, column), value in np.ndenumerate(grid):
        number = f"{value + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")
        ax.text(column + 0.5, row + 0.5, number, ha="center", va="center", fontsize=9.5,
                color="white" if abs(value) > 0.6 * limit else "black")  # fmt: skip
    ax.set(title=title, aspect="equal", ylim=(3, 0))
    ax.axis("off")
