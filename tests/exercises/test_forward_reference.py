"""The solution agrees with PyTorch, SciPy and OpenCV on batches, kernels and settings of any shape and type."""

from pathlib import Path
from typing import Any

import cv2
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import scipy.signal
import scipy.special
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from skimage import data

from tests.exercises.references import TYPES, Picture, filled, solution_of, steady



@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    """What the master defines."""
    return solution_of("forward", "helper")


@some.composite
def batches(draw: Any, largest: int = 7) -> Picture:
    """Batches of one to three images with one to three channels."""
    few, side = some.integers(1, 3), some.integers(1, largest)
    return filled(draw, (draw(few), draw(few), draw(side), draw(side)))


def exact(array: Any) -> torch.Tensor:
    """The same numbers for PyTorch."""
    return torch.tensor(np.array(array, dtype=float))


@some.composite
def convolutions(draw: Any) -> tuple[Picture, Picture, Picture | None, dict[str, int]]:
    """A batch, kernels that fit on it once it is padded, a bias or none, and settings."""
    x = draw(batches())
    padding = draw(some.integers(0, 3))
    sides = [draw(some.integers(1, min(5, side + 2 * padding))) for side in x.shape[2:]]
    weight = filled(draw, (draw(some.integers(1, 3)), x.shape[1], *sides))
    bias = filled(draw, weight.shape[:1]) if draw(some.booleans()) else None
    return x, weight, bias, {"stride": draw(some.integers(1, 4)), "padding": padding}


@given(asked=convolutions())
@steady
def test_convolution_is_pytorchs(asked: Any, solution: dict[str, Any]) -> None:
    x, weight, bias, options = asked
    expected = torch.nn.functional.conv2d(
        exact(x), exact(weight), None if bias is None else exact(bias), **options
    )
    # Sums of multiples of 1/64 below 2**40 are exact in float64, in whatever order they are added.
    np.testing.assert_array_equal(solution["conv2d"](x, weight, bias, **options), expected.numpy())


@given(asked=convolutions())
@steady
def test_convolution_is_scipys_summed_over_channels(asked: Any, solution: dict[str, Any]) -> None:
    x, weight, bias, options = asked
    stride, margin = options["stride"], (options["padding"], options["padding"])
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), margin, margin))
    found = solution["conv2d"](x, weight, bias, **options)
    for image, maps in zip(padded, found, strict=True):
        for o, kernel in enumerate(weight.astype(float)):
            sums = scipy.signal.correlate(image, kernel, mode="valid", method="direct")[0]
            shift = 0 if bias is None else float(bias[o])
            np.testing.assert_array_equal(maps[o], sums[::stride, ::stride] + shift)


@given(picture=some.data())
@steady
def test_convolution_of_one_channel_is_opencvs_filter2d(picture: Any, solution: dict[str, Any]) -> None:
    image = filled(picture.draw, (1, 1, picture.draw(some.integers(3, 9)), picture.draw(some.integers(3, 9))))
    kernel = filled(picture.draw, (1, 1, 3, 3))
    expected = cv2.filter2D(
        np.ascontiguousarray(image[0, 0], dtype=float),
        cv2.CV_64F,
        np.ascontiguousarray(kernel[0, 0], dtype=float),
        borderType=cv2.BORDER_CONSTANT,
    )
    np.testing.assert_allclose(solution["conv2d"](image, kernel, None, padding=1)[0, 0], expected, atol=1e-9)


@given(values=some.data())
@steady
def test_relu_is_pytorchs(values: Any, solution: dict[str, Any]) -> None:
    x = filled(values.draw, values.draw(arrays.array_shapes(max_dims=4, max_side=4)))
    np.testing.assert_array_equal(solution["relu"](x), torch.relu(exact(x)).numpy())


@given(x=batches(9), asked=some.data())
@steady
def test_pooling_is_pytorchs_and_scipys(x: Picture, asked: Any, solution: dict[str, Any]) -> None:
    size = asked.draw(some.integers(1, min(x.shape[2:])))
    stride = asked.draw(some.none() | some.integers(1, 5))
    found = solution["max_pool2d"](x, size, stride)
    expected = torch.nn.functional.max_pool2d(exact(x), size, stride)
    np.testing.assert_array_equal(found, expected.numpy())
    filtered = scipy.ndimage.maximum_filter(x.astype(float), (1, 1, size, size))
    half, step = size // 2, stride or size
    rows, columns = (side - size + 1 for side in x.shape[2:])
    np.testing.assert_array_equal(
        found, filtered[:, :, half : half + rows : step, half : half + columns : step]
    )


@given(values=some.data(), shift=some.sampled_from([0.0, 1000.0, -1000.0, 1e6]))
@steady
def test_softmax_is_scipys_and_pytorchs(values: Any, shift: float, solution: dict[str, Any]) -> None:
    logits = filled(values.draw, values.draw(arrays.array_shapes(max_dims=3, max_side=5)))
    logits = logits + shift if logits.dtype.kind == "f" else logits
    shares = solution["softmax"](logits)
    expected = scipy.special.softmax(logits.astype(float), axis=-1)
    np.testing.assert_allclose(shares, expected, atol=1e-12)  # a few roundings of numbers up to 1
    np.testing.assert_allclose(shares, torch.softmax(exact(logits), dim=-1).numpy(), atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)


sizes = some.integers(1, 12)
kinds = some.one_of(
    some.tuples(some.just("conv"), sizes, sizes, some.integers(1, 5)),
    some.tuples(some.just("linear"), sizes, sizes),
    some.just(("relu",)),
    some.tuples(some.just("pool"), sizes),
)


@given(layers=some.lists(kinds, max_size=6))
@steady
def test_count_is_pytorchs(layers: list[Any], solution: dict[str, Any]) -> None:
    make = {"conv": torch.nn.Conv2d, "linear": torch.nn.Linear}
    modules = [make[kind](*own) for kind, *own in layers if kind in make]
    expected = sum(part.numel() for module in modules for part in module.parameters())
    assert solution["count_parameters"](layers) == expected


def network() -> torch.nn.Sequential:
    """The network of the last question as PyTorch writes it."""
    return torch.nn.Sequential(
        *(torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2)),
        *(torch.nn.Conv2d(8, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.AdaptiveMaxPool2d(2)),
        *(torch.nn.Flatten(), torch.nn.Linear(64, 3)),
    ).double()


def logits_of(images: Picture, parameters: dict[str, Picture]) -> Picture:
    """What PyTorch's network makes of pictures."""
    module = network()
    names = zip(module.state_dict(), parameters.values(), strict=True)
    module.load_state_dict({name: exact(part) for name, part in names})
    with torch.no_grad():
        result: Picture = module(exact(images)).numpy()
    return result


@given(seed=some.integers(0, 2**32 - 1), count=some.integers(1, 3), dtype=TYPES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_forward_pass_is_pytorchs(seed: int, count: int, dtype: str, solution: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 64, size=(count, 1, 32, 32)).astype(dtype)
    parameters = {name: rng.integers(-8, 9, size=shape) / 8 for name, shape in solution["SHAPES"].items()}
    found = solution["cnn_forward"](images, parameters)
    expected = logits_of(images, parameters)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_there_are_1443_parameters(solution: dict[str, Any]) -> None:
    assert sum(part.numel() for part in network().parameters()) == 1443
    assert sum(part.size for part in solution["trained"].values()) == 1443


def test_the_letters_tell_brick_from_grass_from_gravel(solution: dict[str, Any]) -> None:
    """The notebook says that of 384 unseen squares the network names four wrongly."""
    wrong = 0
    for number, name in enumerate(solution["names"]):
        photograph = getattr(data, name)().astype(float)
        photograph = (photograph - photograph.mean()) / photograph.std()
        unseen = photograph[:, 256:].reshape(16, 32, 8, 32).swapaxes(1, 2).reshape(-1, 1, 32, 32)
        wrong += int((logits_of(unseen, solution["trained"]).argmax(axis=1) != number).sum())
    assert wrong == 4


def test_letters_are_one_for_each_parameter_and_none_breaks_a_string(solution: dict[str, Any]) -> None:
    letters = solution["LETTERS"].replace("\n", "")
    assert len(letters) == 1443
    assert set(letters) <= set(map(chr, range(48, 81)))
