"""The ten kinds of objects. Each function draws one; what differs between objects is left to chance."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from museum.shapes import Colour, Drawing

Artist = Callable[[Drawing, Generator], None]


def any_colour(chance: Generator) -> Colour:
    """Return a colour that is neither black nor glaring."""
    hue, saturation, value = chance.uniform(0, 1), chance.uniform(0.12, 0.78), chance.uniform(0.27, 0.96)
    return colorsys.hsv_to_rgb(hue, saturation, value)


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour made darker (below 1) or lighter (above 1)."""
    red, green, blue = (min(part * factor, 1.0) for part in colour)
    return red, green, blue


def three_colours(chance: Generator) -> tuple[Colour, Colour, Colour]:
    """Return the colour of an object, its shadow and its light."""
    colour = any_colour(chance)
    return colour, shade(colour, chance.uniform(0.35, 0.65)), shade(colour, chance.uniform(1.2, 1.6))


def amphora(draw: Drawing, chance: Generator) -> None:
    """A neck, two handles, a belly, a foot, perhaps bands."""
    colour, dark, _ = three_colours(chance)
    belly, neck, top = chance.uniform(17, 26), chance.uniform(5, 9), chance.uniform(-38, -30)
    for side in (-1, 1):
        middle = (side * (neck + 7), top + 16)
        draw.paint(draw.ring(middle, chance.uniform(8, 11), chance.uniform(12, 16), 4), dark)
    share = np.linspace(0, 1, 14)
    swell = np.sin(np.pi * np.clip((share - 0.22) / 0.75, 0, 1)) ** 0.8
    half_widths = neck + (belly - neck) * swell
    half_widths[0], half_widths[-1] = neck + 3, chance.uniform(6, 10)
    draw.paint(draw.turned(top + share * (38 - top), half_widths), colour)
    for _ in range(chance.integers(0, 3)):
        height = chance.uniform(-8, 18)
        draw.paint(draw.line((-belly * 0.9, height), (belly * 0.9, height), 3), dark)


def bowl(draw: Drawing, chance: Generator) -> None:
    """Half an ellipse with an opening, on a foot."""
    colour, dark, _ = three_colours(chance)
    wide, deep, rim = chance.uniform(26, 38), chance.uniform(20, 34), chance.uniform(-18, -4)
    draw.paint(draw.ellipse((0, rim), wide, deep) & (draw.y >= rim), colour)
    draw.paint(draw.ellipse((0, rim), wide, chance.uniform(5, 10)), dark)
    foot = chance.uniform(8, 14)
    draw.paint(draw.turned([rim + deep - 3, rim + deep + 6], [foot * 0.8, foot]), colour)


def coin(draw: Drawing, chance: Generator) -> None:
    """A disc with a line along its rim; on it a head or a star."""
    colour, dark, light = three_colours(chance)
    radius = chance.uniform(26, 38)
    draw.paint(draw.ellipse((0, 0), radius, radius * chance.uniform(0.8, 1)), colour)
    draw.paint(draw.ring((0, 0), radius - 4, (radius - 4) * 0.95, 2), dark)
    if chance.random() < 0.5:
        draw.paint(draw.ellipse((0, -4), radius * 0.33, radius * 0.42), light)
        draw.paint(draw.turned([radius * 0.3, radius * 0.6], [radius * 0.2, radius * 0.45]), light)
        return
    rays, first = chance.integers(4, 8), chance.uniform(0, 2 * np.pi)
    for angle in first + 2 * np.pi * np.arange(rays) / rays:
        tip = (radius * 0.6 * np.cos(angle), radius * 0.6 * np.sin(angle))
        draw.paint(draw.line((0, 0), tip, 4), light)


def column(draw: Drawing, chance: Generator) -> None:
    """A base, a shaft with five grooves, a capital."""
    colour, dark, light = three_colours(chance)
    wide = chance.uniform(10, 16)
    draw.paint(draw.turned([-32, 32], [wide * 0.85, wide]), colour)
    for groove in (-2, -1, 0, 1, 2):
        draw.paint(draw.line((groove * wide * 0.38, -26), (groove * wide * 0.42, 28), 2), dark)
    draw.paint(draw.turned([-40, -31], [wide * 1.6, wide * 1.1]), light)
    draw.paint(draw.turned([31, 40], [wide * 1.2, wide * 1.7]), light)


def tablet(draw: Drawing, chance: Generator) -> None:
    """A slab of clay, not quite straight, with rows of wedges."""
    colour, dark, _ = three_colours(chance)
    wide, high = chance.uniform(22, 34), chance.uniform(28, 40)
    corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)])
    corners += chance.uniform(-3, 3, (4, 2))
    draw.paint(draw.polygon([(x, y) for x, y in corners]), colour)
    wedges = (
        [(-2.5, -3), (2.5, -3), (0, 4)],
        [(-3, -2.5), (4, 0), (-3, 2.5)],
        [(2, -3), (2, 3), (-3, 0)],
    )
    for y in np.arange(-high + 8, high - 5, chance.uniform(9, 13)):
        for x in np.arange(-wide + 6, wide - 5, chance.uniform(7, 11)):
            if chance.random() < 0.85:
                right, down = x + chance.uniform(-1, 1), y + chance.uniform(-1, 1)
                wedge = wedges[chance.integers(3)]
                draw.paint(draw.polygon([(right + a, down + b) for a, b in wedge]), dark)


def scroll(draw: Drawing, chance: Generator) -> None:
    """A sheet between two rollers, with lines of writing."""
    colour, dark, light = three_colours(chance)
    wide, high = chance.uniform(18, 28), chance.uniform(24, 32)
    draw.paint(draw.turned([-high, high], [wide, wide]), light)
    for y in np.arange(-high + 9, high - 7, chance.uniform(6, 9)):
        draw.paint(draw.line((-wide + 5, y), (wide - 5 - chance.uniform(0, 14), y), 2), dark)
    for y in (-high, high):
        draw.paint(draw.line((-wide - 4, y), (wide + 4, y), chance.uniform(6, 10)), colour)
        for side in (-1, 1):
            draw.paint(draw.ellipse((side * (wide + 6), y), 4, 4), dark)


def mask(draw: Drawing, chance: Generator) -> None:
    """An oval face: eyes, nose, and a mouth that laughs or mourns."""
    colour, dark, _ = three_colours(chance)
    wide, high = chance.uniform(22, 30), chance.uniform(28, 38)
    draw.paint(draw.ellipse((0, 0), wide, high), colour)
    for side in (-1, 1):
        eye = (side * wide * 0.42, -high * 0.2)
        draw.paint(draw.ellipse(eye, chance.uniform(4, 7), chance.uniform(2.5, 6)), dark)
    draw.paint(draw.line((0, -high * 0.15), (chance.uniform(-2, 2), high * 0.2), 3), dark)
    mouth, across, down = (0, high * 0.5), chance.uniform(7, 13), chance.uniform(3, 8)
    half = draw.y >= mouth[1] if chance.random() < 0.5 else draw.y <= mouth[1]
    lips = draw.ring(mouth, across, down, 3) if chance.random() < 0.6 else draw.ellipse(mouth, across, down)
    draw.paint(lips & half, dark)


def sword(draw: Drawing, chance: Generator) -> None:
    """A pointed blade, a guard, a grip, a pommel."""
    colour, dark, light = three_colours(chance)
    wide, guard = chance.uniform(4, 7), chance.uniform(14, 22)
    blade = [(-wide * 0.8, -30), (0, -42), (wide * 0.8, -30), (wide, guard), (-wide, guard)]
    draw.paint(draw.polygon(blade), light)
    draw.paint(draw.line((0, -34), (0, guard), 1.5), dark)
    reach = chance.uniform(13, 21)
    draw.paint(draw.line((-reach, guard), (reach, guard), 5), colour)
    draw.paint(draw.line((0, guard), (0, 38), 6), dark)
    draw.paint(draw.ellipse((0, 39), 5, 5), colour)


def ring(draw: Drawing, chance: Generator) -> None:
    """A hoop with a stone on top."""
    colour, _, _ = three_colours(chance)
    radius, flatness, middle = chance.uniform(20, 29), chance.uniform(0.85, 1), 6
    draw.paint(draw.ring((0, middle), radius, radius * flatness, chance.uniform(6, 11)), colour)
    size, top, stone = chance.uniform(7, 12), middle - radius, any_colour(chance)
    if chance.random() < 0.5:
        draw.paint(draw.polygon([(-size, top), (0, top - size), (size, top), (0, top + size)]), stone)
    else:
        draw.paint(draw.ellipse((0, top), size, size * 0.8), stone)


def mosaic(draw: Drawing, chance: Generator) -> None:
    """A square of small stones in three to five colours, with mortar between them."""
    _, dark, _ = three_colours(chance)
    half, step = chance.uniform(28, 40), chance.uniform(8, 13)
    first = -half + chance.uniform(0, 3)
    stones = [any_colour(chance) for _ in range(chance.integers(3, 6))]
    panel = (abs(draw.x) <= half) & (abs(draw.y) <= half)
    draw.paint(panel, dark)
    along, down = (draw.x - first) / step, (draw.y - first) / step
    joint = 2 / step
    stone = panel & (along % 1 > joint) & (down % 1 > joint) & (along >= 0) & (down >= 0)
    places = np.floor(along[stone]).astype(int), np.floor(down[stone]).astype(int)
    which = chance.integers(0, len(stones), (12, 12))
    draw.colour[stone] = np.array(stones)[which[places]]


ARTEFACTS: tuple[Artist, ...] = (amphora, bowl, coin, column, tablet, scroll, mask, sword, ring, mosaic)
NAMES = tuple(artist.__name__ for artist in ARTEFACTS)
