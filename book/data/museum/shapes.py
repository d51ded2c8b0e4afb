"""A drawing of 96 × 96 points, and where on it a shape lies.

The middle is (0, 0), x grows to the right and y downward, and the drawing reaches from -48 to 48 both ways.
A shape is a boolean (96, 96): the points inside it. Nothing here draws soft edges; they come from shrinking
the drawing to a third.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 96
Grid = NDArray[np.float64]
Shape = NDArray[np.bool_]
Colour = tuple[float, float, float]
Point = tuple[float, float]


class Drawing:
    """Flat shapes in flat colours, each painted over those before it.

    x, y     (96, 96) float, where each point lies for the shapes: turn them, and what is drawn is turned
    colour   (96, 96, 3) float, RGB from 0 to 1
    covered  (96, 96) bool, the points that something was painted on
    """

    def __init__(self, x: Grid, y: Grid) -> None:
        self.x, self.y = x, y
        self.colour = np.zeros((*x.shape, 3))
        self.covered = np.zeros(x.shape, dtype=bool)

    def paint(self, shape: Shape, colour: Colour) -> None:
        """Give one colour to all points of a shape."""
        self.colour[shape] = colour
        self.covered |= shape

    def ellipse(self, middle: Point, across: float, down: float) -> Shape:
        """Return the points within an ellipse, given its half axes."""
        return ((self.x - middle[0]) / across) ** 2 + ((self.y - middle[1]) / down) ** 2 <= 1

    def ring(self, middle: Point, across: float, down: float, width: float) -> Shape:
        """Return the band of a given width that has an ellipse as its middle line."""
        half = width / 2
        outside = self.ellipse(middle, across + half, down + half)
        return outside & ~self.ellipse(middle, max(across - half, 0.1), max(down - half, 0.1))

    def line(self, start: Point, end: Point, width: float) -> Shape:
        """Return the points within half a width of a straight line; its ends are round."""
        along = np.array(end) - start
        right, down = self.x - start[0], self.y - start[1]
        share = np.clip((right * along[0] + down * along[1]) / max(float(along @ along), 1e-9), 0, 1)
        distance: Grid = np.hypot(right - share * along[0], down - share * along[1])
        return distance <= width / 2

    def polygon(self, corners: Sequence[Point]) -> Shape:
        """Return the points within a polygon whose corners go round clockwise and never turn in."""
        inside = np.ones(self.x.shape, dtype=bool)
        for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            inside &= (x1 - x0) * (self.y - y0) - (y1 - y0) * (self.x - x0) >= 0
        return inside

    def turned(self, heights: Sequence[float] | Grid, half_widths: Sequence[float] | Grid) -> Shape:
        """Return an upright outline, the same left and right, as a potter's wheel makes it.

        heights      y of some places, from top to bottom
        half_widths  half the width there; straight in between
        """
        half = np.interp(self.y, heights, half_widths)
        return (abs(self.x) <= half) & (self.y >= heights[0]) & (self.y <= heights[-1])


def points() -> tuple[Grid, Grid]:
    """Return x and y of all points of a drawing that is not turned, each (96, 96)."""
    y, x = np.indices((SIDE, SIDE)) + 0.5 - SIDE / 2
    return x, y
