"""The solution agrees with OpenCV, scikit-image, PyTorch and plain Python on pictures of any shape and type."""

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from skimage.transform import downscale_local_mean

from tests.exercises.references import EIGHTHS, Picture, solution_of, steady

BYTES = some.integers(0, 255)
TYPES = ["u1", "<f4", "<f8", ">f8", ">f4"]


@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    """What the master defines."""
    return solution_of("pixels")


def in_memory(draw: Any, picture: Picture) -> Picture:
    """The same numbers in one of the ways in which they can lie in memory."""
    way = draw(some.sampled_from(["rows", "columns", "cut out", "upside down", "read-only"]))
    if way == "columns":
        picture = np.asfortranarray(picture)
    elif way == "cut out":
        picture = picture.repeat(2, axis=1)[:, ::2]
    elif way == "upside down":
        picture = picture[::-1]
    picture.setflags(write=way != "read-only")
    return picture


@some.composite
def pictures(draw: Any, channels: str = "any", largest: int = 9) -> Picture:
    """Grey and colour pictures of any shape, type and order in memory."""
    shape: tuple[int, ...] = draw(some.tuples(some.integers(1, largest), some.integers(1, largest)))
    if channels == "colour" or (channels == "any" and draw(some.booleans())):
        shape = (*shape, 3)
    dtype = np.dtype(draw(some.sampled_from(TYPES)))
    return in_memory(
        draw, draw(arrays.arrays(dtype, shape, elements=EIGHTHS if dtype.kind == "f" else BYTES))
    )


@some.composite
def pairs(draw: Any) -> tuple[Picture, Picture]:
    """Two pictures of bytes, of the same shape, grey or colour."""
    shape: tuple[int, ...] = draw(some.tuples(some.integers(1, 9), some.integers(1, 9)))
    shape = (*shape, 3) if draw(some.booleans()) else shape
    one, two = (in_memory(draw, draw(arrays.arrays(np.uint8, shape, elements=BYTES))) for _ in range(2))
    return one, two


@some.composite
def blocks(draw: Any) -> tuple[Picture, int]:
    """A picture and a factor that divides its height and its width."""
    picture, factor = draw(pictures(largest=4)), draw(some.integers(1, 5))
    enlarged = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    noise = draw(arrays.arrays(np.uint8, enlarged.shape, elements=some.integers(0, 7)))
    return in_memory(draw, enlarged // 2 + noise.astype(picture.dtype)), factor


def values_of(picture: Picture) -> Any:
    """All values, as Python's own numbers."""
    return picture.ravel().tolist()


@given(picture=pictures())
@steady
def test_description_is_what_plain_python_finds(picture: Picture, solution: dict[str, Any]) -> None:
    rows = picture.tolist()
    assert solution["describe"](picture) == {
        "height": len(rows),
        "width": len(rows[0]),
        "channels": len(rows[0][0]) if isinstance(rows[0][0], list) else 1,
        "dtype": {"u1": "uint8", "f4": "float32", "f8": "float64"}[picture.dtype.str[1:]],
        "minimum": min(values_of(picture)),
        "maximum": max(values_of(picture)),
    }


@given(picture=pictures(), data=some.data())
@steady
def test_crop_is_what_plain_lists_give(picture: Picture, data: Any, solution: dict[str, Any]) -> None:
    height, width = (data.draw(some.integers(1, side)) for side in picture.shape[:2])
    top = data.draw(some.integers(0, picture.shape[0] - height))
    left = data.draw(some.integers(0, picture.shape[1] - width))
    expected = [row[left : left + width] for row in picture.tolist()[top : top + height]]
    piece = solution["crop"](picture, top, left, height, width)
    assert piece.tolist() == expected
    assert piece.dtype == picture.dtype


@given(picture=pictures(channels="colour"))
@steady
def test_grey_is_opencvs_conversion_in_float32(picture: Picture, solution: dict[str, Any]) -> None:
    expected = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    gray = solution["to_gray"](picture)
    assert gray.dtype == np.float64
    np.testing.assert_allclose(gray, expected, atol=1e-4)  # three float32 products of up to 256


@given(picture=pictures(channels="colour"))
@steady
def test_grey_of_bytes_is_opencvs_before_it_rounds(picture: Picture, solution: dict[str, Any]) -> None:
    assume(picture.dtype == np.uint8)
    rounded = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    off = np.abs(solution["to_gray"](picture) - rounded).max()
    assert off <= 0.5 + 3 * 255 * 2**-15  # its three weights are rounded to whole multiples of 2**-14


@given(level=EIGHTHS)
@steady
def test_grey_pixel_keeps_its_value(level: float, solution: dict[str, Any]) -> None:
    assert solution["to_gray"](np.full((2, 3, 3), level)) == pytest.approx(np.full((2, 3), level), abs=1e-12)


@given(pair=pairs())
@steady
def test_difference_is_opencvs_absdiff(pair: tuple[Picture, Picture], solution: dict[str, Any]) -> None:
    expected = cv2.absdiff(*(np.ascontiguousarray(picture) for picture in pair))
    apart = solution["difference"](*pair)
    np.testing.assert_array_equal(apart, expected.reshape(apart.shape))
    assert apart.dtype == np.uint8


def test_difference_of_all_pairs_of_bytes_is_plain_pythons(solution: dict[str, Any]) -> None:
    one, two = np.indices((256, 256)).astype(np.uint8)
    assert solution["difference"](one, two).tolist() == [[abs(i - j) for j in range(256)] for i in range(256)]


@given(given_blocks=blocks())
@steady
def test_shrinking_is_scikit_images_local_mean(
    given_blocks: tuple[Picture, int], solution: dict[str, Any]
) -> None:
    picture, factor = given_blocks
    expected = downscale_local_mean(picture.astype(float), (factor, factor, 1)[: picture.ndim])
    small = solution["shrink"](picture, factor)
    assert small.dtype == np.float64
    np.testing.assert_allclose(small, expected, atol=1e-9)


@given(given_blocks=blocks())
@steady
def test_shrinking_is_opencvs_inter_area(given_blocks: tuple[Picture, int], solution: dict[str, Any]) -> None:
    picture, factor = given_blocks
    height, width = (side // factor for side in picture.shape[:2])
    large = np.ascontiguousarray(picture, np.float32)
    expected = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    small = solution["shrink"](picture, factor)
    np.testing.assert_allclose(
        small, expected.reshape(small.shape), atol=1e-3
    )  # 25 float32 sums of up to 256


@given(given_blocks=blocks())
@steady
def test_shrinking_is_pytorchs_average_pooling(
    given_blocks: tuple[Picture, int], solution: dict[str, Any]
) -> None:
    picture, factor = given_blocks
    channels = np.atleast_3d(picture).astype(float).transpose(2, 0, 1)
    expected = torch.nn.functional.avg_pool2d(torch.tensor(channels.copy())[None], factor)[0].numpy()
    small = np.atleast_3d(solution["shrink"](picture, factor)).transpose(2, 0, 1)
    np.testing.assert_allclose(small, expected, atol=1e-9)


@given(picture=pictures(), factor=some.integers(2, 11))
@steady
def test_shrinking_refuses_what_does_not_divide(
    picture: Picture, factor: int, solution: dict[str, Any]
) -> None:
    assume(picture.shape[0] % factor or picture.shape[1] % factor)
    with pytest.raises(ValueError, match="cannot be cut into blocks"):
        solution["shrink"](picture, factor)


@given(picture=pictures(), seed=some.integers(0, 2**40))
@steady
def test_shuffle_keeps_every_pixel_and_the_picture_given(
    picture: Picture, seed: int, solution: dict[str, Any]
) -> None:
    before = picture.tobytes()
    shaken = solution["shuffle_pixels"](picture, seed)
    assert picture.tobytes() == before
    assert (shaken.shape, shaken.dtype) == (picture.shape, picture.dtype)
    pixels = [
        Counter(map(tuple, np.atleast_3d(array).reshape(-1, np.atleast_3d(array).shape[2]).tolist()))
        for array in (picture, shaken)
    ]
    assert pixels[0] == pixels[1]
    np.testing.assert_array_equal(solution["shuffle_pixels"](picture.copy(), seed), shaken)


@given(seed=some.integers(0, 2**40))
@steady
def test_another_seed_gives_another_picture(seed: int, solution: dict[str, Any]) -> None:
    picture = np.arange(63).reshape(7, 9)
    shaken = [solution["shuffle_pixels"](picture, seed + step).tolist() for step in range(3)]
    assert shaken[0] != shaken[1] != shaken[2] != shaken[0]


def test_every_pixel_can_land_anywhere(solution: dict[str, Any]) -> None:
    picture = np.arange(12).reshape(3, 4)
    landed = np.zeros((12, 12))
    for seed in range(2400):
        landed[solution["shuffle_pixels"](picture, seed).ravel(), np.arange(12)] += 1
    # 200 each on average, with a standard deviation below 14: six of them are never met by chance.
    assert np.abs(landed - 200).max() < 84
