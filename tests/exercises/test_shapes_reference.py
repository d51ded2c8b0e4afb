"""The solution of `shapes` agrees with PyTorch, SciPy and OpenCV, whatever the sizes, settings and types."""

import contextlib
import io
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import scipy.signal
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from tests.exercises.references import EIGHTHS, Picture, pictures, solution_of, steady

SETTINGS = some.fixed_dictionaries(
    {"stride": some.integers(1, 4), "padding": some.integers(0, 4), "dilation": some.integers(1, 4)}
)


@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    """What the master defines."""
    return solution_of("shapes", "helper")


@some.composite
def cases(draw: Any) -> tuple[Picture, Picture, dict[str, int]]:
    """A picture, a kernel and settings with which it fits."""
    picture, chosen = draw(pictures()), draw(SETTINGS)
    longest = [(side + 2 * chosen["padding"] - 1) // chosen["dilation"] + 1 for side in picture.shape]
    shape = tuple(draw(some.integers(1, min(side, 6))) for side in longest)
    kernel = draw(arrays.arrays(np.float64, shape, elements=EIGHTHS))
    return picture, kernel, chosen


def spread_out(kernel: Picture, dilation: int) -> Picture:
    """The kernel with its holes written out as zeros."""
    holes = np.zeros([dilation * (side - 1) + 1 for side in kernel.shape])
    holes[::dilation, ::dilation] = kernel
    return holes


def torch_or_none(n: int, kernel: int, stride: int, padding: int, dilation: int) -> int | None:
    """The length that PyTorch makes of ``n`` cells, or None where it refuses."""
    try:
        line, weights = torch.zeros(1, 1, n), torch.zeros(1, 1, kernel)
        return int(torch.nn.functional.conv1d(line, weights, None, stride, padding, dilation).shape[-1])
    except RuntimeError:
        return None


@given(n=some.integers(1, 40), kernel=some.integers(1, 9), chosen=SETTINGS)
@steady
def test_output_size_is_pytorchs(
    n: int, kernel: int, chosen: dict[str, int], solution: dict[str, Any]
) -> None:
    expected = torch_or_none(n, kernel, **chosen)
    if expected is None:
        with pytest.raises(ValueError, match="the window reaches over"):
            solution["output_size"](n, kernel, **chosen)
    else:
        assert solution["output_size"](n, kernel, **chosen) == expected


@pytest.mark.parametrize("asked", [(0, 1), (5, 0), (5, 1, 0), (5, 1, 1, -1), (5, 1, 1, 0, 0), (0, 1, 1, 3)])
def test_output_size_refuses_what_makes_no_sense(asked: tuple[int, ...], solution: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        solution["output_size"](*asked)


@given(case=cases())
@steady
def test_correlation_is_pytorchs(
    case: tuple[Picture, Picture, dict[str, int]], solution: dict[str, Any]
) -> None:
    picture, kernel, chosen = case
    maps, weights = (torch.tensor(np.array(grid, dtype=float))[None, None] for grid in (picture, kernel))
    expected = torch.nn.functional.conv2d(maps, weights, **chosen)[0, 0].numpy()
    np.testing.assert_allclose(solution["correlate2d"](picture, kernel, **chosen), expected, atol=1e-9)


@given(case=cases())
@steady
def test_correlation_is_scipys_of_the_padded_picture_thinned_out(
    case: tuple[Picture, Picture, dict[str, int]], solution: dict[str, Any]
) -> None:
    picture, kernel, chosen = case
    padded, stride = np.pad(picture.astype(float), chosen["padding"]), chosen["stride"]
    whole = scipy.signal.correlate2d(padded, spread_out(kernel, chosen["dilation"]), mode="valid")
    found = solution["correlate2d"](picture, kernel, **chosen)
    np.testing.assert_array_equal(found, whole[::stride, ::stride])


@given(case=cases())
@steady
def test_correlation_is_opencvs_filter2d(
    case: tuple[Picture, Picture, dict[str, int]], solution: dict[str, Any]
) -> None:
    picture, kernel, chosen = case
    padded = np.pad(np.array(picture, dtype=float, order="C"), chosen["padding"])
    holes, stride = spread_out(kernel, chosen["dilation"]), chosen["stride"]
    whole = cv2.filter2D(padded, cv2.CV_64F, holes, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    rows, columns = (side - reach + 1 for side, reach in zip(padded.shape, holes.shape, strict=True))
    found = solution["correlate2d"](picture, kernel, **chosen)
    # Large kernels go through an FFT there, whose errors grow with the largest sum.
    np.testing.assert_allclose(found, whole[:rows:stride, :columns:stride], atol=1e-8)


@given(
    column=arrays.arrays(np.float64, some.integers(1, 6), elements=EIGHTHS),
    row=arrays.arrays(np.float64, some.integers(1, 6), elements=EIGHTHS),
    picture=pictures(),
)
@steady
def test_two_passes_of_column_and_row_are_the_kernel(
    column: Picture, row: Picture, picture: Picture, solution: dict[str, Any]
) -> None:
    kernel = np.outer(column, row)
    if not kernel.any():
        return
    down, across = solution["separate"](kernel)
    np.testing.assert_allclose(np.outer(down, across), kernel, atol=1e-9 * np.abs(kernel).max())
    picture = picture.astype(float)
    # SciPy's origin moves an even window by half a cell; alike for one pass and for two.
    once = scipy.ndimage.correlate(picture, kernel, mode="constant")
    twice = scipy.ndimage.correlate1d(picture, across, axis=1, mode="constant")
    twice = scipy.ndimage.correlate1d(twice, down, axis=0, mode="constant")
    np.testing.assert_allclose(twice, once, atol=1e-7 * max(1, np.abs(once).max()))


@given(
    kernel=arrays.arrays(np.float64, some.tuples(some.integers(2, 5), some.integers(2, 5)), elements=EIGHTHS)
)
@steady
def test_separate_refuses_what_torchs_singular_values_do_not_allow(
    kernel: Picture, solution: dict[str, Any]
) -> None:
    strengths = torch.linalg.svdvals(torch.tensor(kernel)).numpy()
    if strengths[1] > 1.001e-3 * strengths[0]:
        with pytest.raises(ValueError, match="not a column times a row"):
            solution["separate"](kernel)
    elif strengths[0] > 0 and strengths[1] < 0.999e-3 * strengths[0]:
        column, row = solution["separate"](kernel)
        assert np.abs(np.outer(column, row) - kernel).max() <= 1e-3 * strengths[0]


@given(layers=some.lists(some.tuples(some.integers(1, 5), some.integers(1, 3)), max_size=4))
@steady
def test_receptive_field_is_what_reaches_one_number_in_pytorch(
    layers: list[tuple[int, int]], solution: dict[str, Any]
) -> None:
    cells = 2 * solution["receptive_field"](layers) + 1
    line = torch.ones(1, 1, cells, dtype=torch.float64, requires_grad=True)
    result = line
    for kernel, stride in layers:
        weights = torch.ones(1, 1, kernel, dtype=torch.float64)
        result = torch.nn.functional.conv1d(result, weights, stride=stride)
    result[0, 0, 0].backward()
    assert line.grad is not None
    reached = torch.nonzero(line.grad[0, 0]).ravel()
    assert int(reached.max() - reached.min()) + 1 == solution["receptive_field"](layers)


@given(picture=pictures(), data=some.data())
@steady
def test_im2col_is_pytorchs_unfold_transposed(
    picture: Picture, data: Any, solution: dict[str, Any]
) -> None:
    size = data.draw(some.integers(1, min(picture.shape)))
    maps = torch.tensor(np.array(picture, dtype=float))[None, None]
    expected = torch.nn.functional.unfold(maps, size)[0].T.numpy()
    np.testing.assert_array_equal(solution["im2col"](picture, size), expected)


@given(picture=pictures(), data=some.data())
@steady
def test_im2col_times_the_kernel_is_scipys_correlation(
    picture: Picture, data: Any, solution: dict[str, Any]
) -> None:
    size = data.draw(some.integers(1, min(picture.shape)))
    kernel = data.draw(arrays.arrays(np.float64, (size, size), elements=EIGHTHS))
    expected = scipy.signal.correlate2d(picture.astype(float), kernel, mode="valid")
    np.testing.assert_allclose(solution["im2col"](picture, size) @ kernel.ravel(), expected.ravel(), atol=1e-9)
