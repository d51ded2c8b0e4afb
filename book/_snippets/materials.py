"""Squares cut from three photographs."""

import numpy as np
from skimage import data

MATERIALS = ["brick", "grass", "gravel"]
SIDE, MIDDLE = 32, 256  # pixels


def lit_alike(photograph):
    """Treat the halves as two photographs: each
    gets a mean of 0 and a spread of 1.
    """
    result = photograph / 255
    for half in np.split(result, 2, axis=1):
        half -= half.mean()
        half /= half.std()
    return result


def cut_squares(step=SIDE):
    """Cut a square every `step` pixels.

    squares  (n, 1, 32, 32) floats
    labels   (n,) 0 brick, 1 grass, 2 gravel
    places   (n, 2) row and column of a corner
    """
    squares, labels, places = [], [], []
    corners = range(0, 512 - SIDE + 1, step)
    for label, name in enumerate(MATERIALS):
        photograph = getattr(data, name)()
        photograph = lit_alike(photograph)
        for top in corners:
            rows = photograph[top:][:SIDE]
            for left in corners:
                square = rows[:, left:][:, :SIDE]
                squares.append(square[None])
                labels.append(label)
                places.append((top, left))
    cut = squares, labels, places
    return [np.array(part) for part in cut]


def by_place(places):
    """Say which squares lie left and right."""
    left = places[:, 1]
    return left + SIDE <= MIDDLE, left >= MIDDLE
