"""The solution agrees with OpenCV, SciPy and NumPy on pictures and kernels of any shape and type."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from tests.exercises.references import EIGHTHS, Picture, pictures, steady



@some.composite
def pairs(draw: Any) -> tuple[Picture, Picture]:
    """A picture and a kernel that fits on it."""
    picture = draw(pictures())
    shape = tuple(draw(some.integers(1, side)) for side in picture.shape)
    return picture, draw(arrays.arrays(np.float64, shape, elements=EIGHTHS))


@given(pair=pairs())
@steady
def test_correlation_is_scipys(pair: tuple[Picture, Picture], solved: dict[str, Any]) -> None:
    picture, kernel = pair
    expected = scipy.signal.correlate2d(picture.astype(float), kernel, mode="valid")
    np.testing.assert_array_equal(solved["correlate2d"](picture, kernel), expected)


@given(pair=pairs())
@steady
def test_correlation_is_opencvs_filter2d(pair: tuple[Picture, Picture], solved: dict[str, Any]) -> None:
    picture, kernel = pair
    whole = cv2.filter2D(
        np.ascontiguousarray(picture, float), cv2.CV_64F, kernel, anchor=(0, 0), borderType=0
    )
    rows, columns = (side - k + 1 for side, k in zip(picture.shape, kernel.shape, strict=True))
    # filter2D goes through an FFT for kernels of more than about eleven by eleven; ours are smaller.
    np.testing.assert_allclose(solved["correlate2d"](picture, kernel), whole[:rows, :columns], atol=1e-9)


@given(pair=pairs())
@steady
def test_convolution_is_scipys(pair: tuple[Picture, Picture], solved: dict[str, Any]) -> None:
    picture, kernel = pair
    expected = scipy.signal.convolve2d(picture.astype(float), kernel, mode="valid")
    np.testing.assert_array_equal(solved["convolve2d"](picture, kernel), expected)


@given(pair=pairs(), data=some.data())
@steady
def test_window_sum_is_one_value_of_the_correlation(
    pair: tuple[Picture, Picture], data: Any, solved: dict[str, Any]
) -> None:
    picture, kernel = pair
    expected = scipy.signal.correlate2d(picture.astype(float), kernel, mode="valid")
    row, column = (data.draw(some.integers(0, side - 1)) for side in expected.shape)
    assert solved["window_sum"](picture, kernel, row, column) == expected[row, column]


@given(picture=pictures(smallest=2), data=some.data(), mode=some.sampled_from(["zero", "reflect"]))
@steady
def test_padding_is_numpys(picture: Picture, data: Any, mode: str, solved: dict[str, Any]) -> None:
    width = data.draw(some.integers(0, min(picture.shape) - 1))
    padded = solved["pad"](picture, width, mode)
    expected = np.pad(picture, width, mode="constant" if mode == "zero" else "reflect")
    np.testing.assert_array_equal(padded, expected)
    assert padded.dtype == picture.dtype


@pytest.mark.parametrize("size", range(1, 16, 2))
def test_gaussian_is_the_binomial_kernel(size: int, solved: dict[str, Any]) -> None:
    row = np.asarray([np.prod([(size - 1 - j) / (j + 1) for j in range(i)]) for i in range(size)])
    np.testing.assert_allclose(solved["make_kernel"]("gaussian", size), np.outer(row, row) / 4 ** (size - 1))


@pytest.mark.parametrize("size", [3, 5, 7])
def test_gaussian_is_opencvs_at_the_sizes_that_opencv_has_as_binomials(
    size: int, solved: dict[str, Any]
) -> None:
    column = cv2.getGaussianKernel(size, 0)
    expected = column @ column.T
    # OpenCV keeps the binomials for sizes 3 and 5 only; from 7 on its kernel is another one.
    agrees = np.allclose(solved["make_kernel"]("gaussian", size), expected)
    assert agrees == (size < 7)


@given(page=pictures(smallest=4, largest=12), half=some.integers(1, 3))
@steady
def test_flattening_is_scipys_uniform_filter_with_a_mirror(
    page: Picture, half: int, solved: dict[str, Any]
) -> None:
    flat = solved["flatten_background"](page, 2 * half + 1)
    difference = page.astype(float) - scipy.ndimage.uniform_filter(
        page.astype(float), 2 * half + 1, mode="mirror"
    )
    spread = difference.max() - difference.min()
    if spread < 1e-6 * max(1, np.abs(page).max()):
        return  # rounding decides what is left of an even page
    np.testing.assert_allclose(flat, (difference - difference.min()) / spread, atol=1e-6)
