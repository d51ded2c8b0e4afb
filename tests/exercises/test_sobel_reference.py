"""The solution of `sobel` agrees with OpenCV, SciPy and PyTorch, and so does every number that its checks store."""

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from tests.exercises.references import Picture, pictures, solution_of, steady



@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    """What the master defines."""
    return solution_of("sobel", "helper", "hidden helper")


def opencvs_gradients(picture: Picture) -> tuple[Picture, Picture]:
    """The same by OpenCV, whose border is our mirror unless it is told otherwise."""
    plain = np.ascontiguousarray(picture, dtype=np.float64)
    return cv2.Sobel(plain, cv2.CV_64F, 1, 0), cv2.Sobel(plain, cv2.CV_64F, 0, 1)


def turned(picture: Picture) -> Picture:
    """Every direction of an edge, pixel by pixel, without NumPy's arctangent; 0 where there is no edge."""
    return np.array(
        [
            [
                (math.degrees(math.atan2(y, x)) + 90) % 180 if x or y else 0.0
                for x, y in zip(*rows, strict=True)
            ]
            for rows in zip(*opencvs_gradients(picture), strict=True)
        ]
    )


def apart(one: Any, other: Any) -> Picture:
    """By how many degrees two directions of edges differ."""
    off = np.abs(np.asarray(one, float) - np.asarray(other, float)) % 180
    return np.minimum(off, 180 - off)


@given(picture=pictures(smallest=2))
@steady
def test_gradients_are_opencvs(picture: Picture, solution: dict[str, Any]) -> None:
    before = picture.copy()
    np.testing.assert_array_equal(solution["gradients"](picture), opencvs_gradients(picture))
    np.testing.assert_array_equal(picture, before)


@given(picture=pictures(smallest=2))
@steady
def test_gradients_are_scipys(picture: Picture, solution: dict[str, Any]) -> None:
    plain = picture.astype(float)
    expected = [scipy.ndimage.sobel(plain, axis, mode="mirror") for axis in (1, 0)]
    np.testing.assert_array_equal(solution["gradients"](picture), expected)


@given(picture=pictures(smallest=2))
@steady
def test_gradients_are_pytorchs(picture: Picture, solution: dict[str, Any]) -> None:
    plain = torch.from_numpy(np.ascontiguousarray(picture, dtype=np.float64))[None, None]
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=torch.float64)
    wide = torch.nn.functional.pad(plain, (1, 1, 1, 1), mode="reflect")
    expected = torch.nn.functional.conv2d(wide, torch.stack([kernel, kernel.T])[:, None])[0]
    np.testing.assert_array_equal(solution["gradients"](picture), expected.numpy())


@given(picture=pictures(smallest=2))
@steady
def test_magnitude_is_opencvs_and_pytorchs(picture: Picture, solution: dict[str, Any]) -> None:
    strength = solution["sobel_magnitude"](picture)
    across, down = opencvs_gradients(picture)
    np.testing.assert_allclose(strength, cv2.magnitude(across, down), rtol=1e-12)
    expected = torch.hypot(torch.from_numpy(across), torch.from_numpy(down))
    np.testing.assert_allclose(strength, expected.numpy(), rtol=1e-12)


@given(picture=pictures(smallest=2))
@steady
def test_direction_is_that_of_a_right_angle_to_the_gradient(
    picture: Picture, solution: dict[str, Any]
) -> None:
    degrees, there = solution["edge_direction"](picture), solution["sobel_magnitude"](picture) > 0
    assert ((degrees >= 0) & (degrees <= 180)).all()
    assert (apart(degrees, turned(picture))[there] < 1e-9).all()
    across, down = opencvs_gradients(picture)
    along_x, along_y = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    np.testing.assert_allclose((across * along_x + down * along_y)[there], 0, atol=1e-9)


@given(picture=pictures(smallest=2))
@steady
def test_direction_turns_with_the_picture_and_ignores_which_side_is_bright(
    picture: Picture, solution: dict[str, Any]
) -> None:
    direction, there = solution["edge_direction"], solution["sobel_magnitude"](picture) > 0
    degrees = direction(picture)
    assert (apart(direction(-picture.astype(float)), degrees)[there] < 1e-9).all()
    assert (apart(direction(picture[:, ::-1])[:, ::-1], 180 - degrees)[there] < 1e-9).all()
    assert (apart(direction(picture.T).T, 90 - degrees)[there] < 1e-9).all()


@given(picture=pictures(smallest=3, largest=12), bins=some.integers(1, 40))
@steady
def test_histogram_is_pytorchs_bincount(picture: Picture, bins: int, solution: dict[str, Any]) -> None:
    shares = solution["orientation_histogram"](picture, bins)
    strength = np.hypot(*opencvs_gradients(picture))
    if not strength.any():
        np.testing.assert_array_equal(shares, np.zeros(bins))
        return
    place = turned(picture) * bins / 180
    # A direction that is a rounding error away from a border may fall on either side of it.
    doubtful = (np.abs(place - np.round(place)) < 1e-9) & (place != np.round(place))
    assume(not doubtful.any())
    votes = torch.bincount(
        torch.from_numpy(np.floor(place).astype(np.int64)).flatten(),
        torch.from_numpy(strength).flatten(),
        bins,
    ).numpy()
    np.testing.assert_allclose(shares, votes / votes.sum(), atol=1e-9)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("bins", [1, 7, 24, 36])
def test_disc_is_level_within_a_tenth(bins: int, solution: dict[str, Any]) -> None:
    disc = solution["soft_disc"]()
    for picture in (disc, 180 - disc):
        np.testing.assert_allclose(solution["orientation_histogram"](picture, bins) * bins, 1, atol=0.1)
    np.testing.assert_array_equal(solution["disc"], disc)  # the one that the prompt shows


@pytest.mark.parametrize("skew", np.arange(-15, 15.1, 1.875))
def test_skew_is_found_on_pages_of_every_kind(skew: float, solution: dict[str, Any]) -> None:
    seed = round(200 + skew * 8)
    pages = [
        solution["text_page"](seed=seed, skew=skew, shading=0.5, noise=12),
        solution["indented_page"](seed, skew, 12.0),
        solution["text_page"](seed=seed, skew=skew).astype(">f4"),
    ]
    for page in pages:
        assert abs(solution["page_skew"](page) - skew) <= 0.25  # half of what is allowed


def test_given_rotation_undoes_a_skew_and_turns_clockwise(solution: dict[str, Any]) -> None:
    spot = np.zeros((101, 101), dtype=np.uint8)
    spot[50, 80] = 255  # to the right of the middle
    row, column = np.unravel_index(solution["rotate"](spot, 90).argmax(), spot.shape)
    assert (row, column) == (80, 50)  # below it
    frozen = np.asfortranarray(spot, dtype=">f8")
    frozen.setflags(write=False)
    np.testing.assert_array_equal(solution["rotate"](frozen, 5), solution["rotate"](spot, 5))


def test_numbers_stored_in_the_open_checks_are_right(solution: dict[str, Any]) -> None:
    for name in ("IMAGE", "BYTES"):
        across, down = opencvs_gradients(solution[name])
        np.testing.assert_array_equal(solution[f"{name}_GX"], across)
        np.testing.assert_array_equal(solution[f"{name}_GY"], down)
        there = solution[f"{name}_MAGNITUDE"] > 0
        assert (apart(solution[f"{name}_DIRECTION"], turned(solution[name]))[there] < 6e-4).all()
    strength = np.hypot(*opencvs_gradients(solution["FADING"]))
    for bins, shares in solution["FADING_SHARES"].items():
        which = np.floor(turned(solution["FADING"]) * bins / 180).astype(int)
        votes = np.bincount(which.ravel(), strength.ravel(), bins)
        np.testing.assert_allclose(shares, votes / votes.sum(), atol=6e-6)


@given(seed=some.integers(0, 2**60), bins=some.integers(1, 40), whole=some.booleans())
@settings(steady, max_examples=25)
def test_no_share_of_a_hidden_picture_hangs_on_the_last_decimal(
    seed: int, bins: int, whole: bool, solution: dict[str, Any]
) -> None:
    picture = solution["fading"](np.random.default_rng(seed), (14, 17), bins, whole)
    for ring in (0, 1):
        frame = np.ones(picture.shape, dtype=bool)
        frame[ring + 1 : -ring - 1, ring + 1 : -ring - 1] = False
        assert not picture[frame].any()
    blurred = solution["true_shares"](
        picture + 1e-6 * np.random.default_rng(1).standard_normal(picture.shape), bins
    )
    np.testing.assert_allclose(blurred, solution["true_shares"](picture, bins), atol=7e-4)
    if whole:
        assert picture.max() <= 255 and (picture == picture.astype(np.uint8)).all()
