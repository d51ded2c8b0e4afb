"""An object in the world, as a small picture: turned, lit, worn, half hidden, in front of something."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from museum.artefacts import ARTEFACTS, any_colour
from museum.shapes import SIDE, Drawing, Grid, points

PIXELS = 32
Picture = NDArray[np.uint8]


def picture(kind: int, seed: tuple[int, ...]) -> Picture:
    """Draw one picture.

    kind     0 to 9, the place of the kind in ``artefacts.NAMES``
    seed     the same kind and seed give the same picture, whatever was drawn before
    returns  (32, 32, 3) uint8, RGB
    """
    chance = default_rng(seed)
    drawing = Drawing(*pose(chance))
    ARTEFACTS[kind](drawing, chance)
    light = np.linspace(chance.uniform(0.6, 1), chance.uniform(0.8, 1.3), SIDE)
    presence = (drawing.covered * chance.uniform(0.76, 1))[..., None]
    scene = presence * np.clip(drawing.colour * light[:, None], 0, 1) + (1 - presence) * background(chance)
    if chance.random() < 0.27:
        hide_a_corner(scene, chance)
    small = scene.reshape(PIXELS, 3, PIXELS, 3, 3).mean(axis=(1, 3))
    return photograph(small, chance)


def pose(chance: Generator) -> tuple[Grid, Grid]:
    """Return the points of a drawing as the object sees them: shifted, turned, stretched, mirrored."""
    size = chance.uniform(0.76, 1.1)
    angle = chance.normal(0, 8.4) if chance.random() < 0.8 else chance.uniform(-36, 36)
    turn = np.radians(angle)
    matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[chance.uniform(0.8, 1.2), chance.normal(0, 0.07)], [0, 1]])
    if chance.random() < 0.5:
        matrix[:, 0] *= -1
    shift = chance.uniform(-6, 6, 2)
    x, y = points()
    (a, b), (c, d) = np.linalg.inv(matrix)
    x, y = x - shift[0], y - shift[1]
    return a * x + b * y, c * x + d * y


def background(chance: Generator) -> Grid:
    """Return a (96, 96, 3) backdrop: two colours that run together, blotches, up to three things."""
    x, y = points()
    turn = chance.uniform(0, 2 * np.pi)
    share = np.clip((np.cos(turn) * x + np.sin(turn) * y) / SIDE + 0.5, 0, 1)[..., None]
    backdrop = Drawing(x, y)
    backdrop.colour = (1 - share) * any_colour(chance) + share * any_colour(chance)
    if chance.random() < 0.7:
        backdrop.colour += blotches(chance)[..., None]
    for _ in range(chance.integers(0, 4)):
        start, end = chance.uniform(-48, 48, (2, 2))
        if chance.random() < 0.5:
            shape = backdrop.line((start[0], start[1]), (end[0], end[1]), chance.uniform(2, 7))
        else:
            across, down = chance.uniform(3, 22, 2)
            middle = (start[0], start[1])
            full = chance.random() < 0.5
            shape = backdrop.ellipse(middle, across, down) if full else backdrop.ring(middle, across, down, 3)
        backdrop.paint(shape, any_colour(chance))
    return np.clip(backdrop.colour, 0, 1)


def blotches(chance: Generator) -> Grid:
    """Return (96, 96) soft spots of light and dark about zero, between coarse and fine."""
    many = int(chance.integers(3, 14))
    values = chance.normal(0, chance.uniform(0.04, 0.16), (many, many))
    place = np.linspace(0, many - 1, SIDE)
    # How much each of the values counts at each of the 96 places: a hat, rounded.
    hat = np.clip(1 - abs(place[:, None] - np.arange(many)), 0, 1)
    weight = hat * hat * (3 - 2 * hat)
    return weight @ values @ weight.T


def hide_a_corner(scene: Grid, chance: Generator) -> None:
    """Lay something flat over a part of the scene."""
    (left, top), (wide, high) = chance.uniform(10, 70, 2).astype(int), chance.uniform(12, 34, 2).astype(int)
    scene[top : top + high, left : left + wide] = any_colour(chance)


def photograph(small: Grid, chance: Generator) -> Picture:
    """Return the picture that a poor camera takes: perhaps out of focus, pale, too dark or bright, grainy."""
    if chance.random() < 0.24:
        small = soften(small, chance.uniform(0.05, 0.25))
    small = (small - 0.5) * chance.uniform(0.7, 1.1) + 0.5 + chance.uniform(-0.07, 0.07)
    small = small + chance.normal(0, chance.uniform(0.005, 0.05), (PIXELS, PIXELS, 1))
    return np.round(np.clip(small, 0, 1) * 255).astype(np.uint8)


def soften(small: Grid, share: float) -> Grid:
    """Blur by giving a share of each pixel to either neighbour, along rows and then along columns."""
    for axis in (0, 1):
        before = np.concatenate([small.take([0], axis), small.take(range(PIXELS - 1), axis)], axis)
        after = np.concatenate([small.take(range(1, PIXELS), axis), small.take([PIXELS - 1], axis)], axis)
        small = (1 - 2 * share) * small + share * (before + after)
    return small
