"""How long one sliding window takes, in nine ways that must all give the same answer.

    .venv/bin/python benchmarks/convolution.py [--repetitions 7]

A photograph of 512 × 512 pixels (float32) and one kernel of k × k random weights; every method returns the
sums of the windows that fit ("valid"). One thread; processor time is measured, so that other programs do
not count; a repetition goes through all sizes and methods, so that a slow moment of the
machine meets them all. Each answer is compared with `cv2.filter2D`'s as it is measured.

Loops in Python are far too slow for large kernels. They do the top rows only, as many as fit into a fixed
number of multiplications, and the record says how many: its unit is nanoseconds per sum *that was computed*.

Writes benchmarks/results/convolution.json, and from it benchmarks/results/convolution_timings.py: the same
medians as Python, because a chapter's notebook must carry its numbers with it.
"""

from __future__ import annotations

import os

# Before the imports: libraries read these once, when they are loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import scipy.fft
import scipy.ndimage
import torch
from numpy.lib.stride_tricks import sliding_window_view
from record import write_record
from skimage import data

Array = np.ndarray
SIZES = (3, 5, 7, 11, 15, 21, 31)
BASELINE = "cv2.filter2D"
LOOP_PRODUCTS = 2_400_000  # a 3 × 3 kernel on the whole picture needs 2,340,900
TOLERANCE = 2e-5  # of answers up to 1: 961 float32 products add up with errors far below this


def loops_on_lists(image: Array, kernel: Array) -> Array:
    picture, weights, k = image.tolist(), kernel.tolist(), len(kernel)
    result = []
    for row in range(len(picture) - k + 1):
        sums = []
        for column in range(len(picture[0]) - k + 1):
            total = 0.0
            for i in range(k):
                for j in range(k):
                    total += weights[i][j] * picture[row + i][column + j]
            sums.append(total)
        result.append(sums)
    return np.array(result)


def loops_on_an_array(image: Array, kernel: Array) -> Array:
    k = len(kernel)
    result = np.zeros((image.shape[0] - k + 1, image.shape[1] - k + 1))
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            for i in range(k):
                for j in range(k):
                    result[row, column] += kernel[i, j] * image[row + i, column + j]
    return result


def shifted_slices(image: Array, kernel: Array) -> Array:
    k = len(kernel)
    height, width = image.shape[0] - k + 1, image.shape[1] - k + 1
    result = np.zeros((height, width), dtype=image.dtype)
    for i in range(k):
        for j in range(k):
            result += kernel[i, j] * image[i : i + height, j : j + width]
    return result


def windows_with_einsum(image: Array, kernel: Array) -> Array:
    return np.einsum("rcij,ij->rc", sliding_window_view(image, kernel.shape), kernel)


def im2col_product(image: Array, kernel: Array) -> Array:
    windows = sliding_window_view(image, kernel.shape)
    table = windows.reshape(-1, kernel.size)  # this copies: every pixel is written k² times
    return (table @ kernel.ravel()).reshape(windows.shape[:2])


def fft_product(image: Array, kernel: Array) -> Array:
    k = len(kernel)
    # Without padding the wrap-around reaches the first k - 1 rows and columns, which "valid" leaves out.
    size = [scipy.fft.next_fast_len(length, real=True) for length in image.shape]
    waves = scipy.fft.rfft2(image, size) * scipy.fft.rfft2(kernel[::-1, ::-1], size)
    return scipy.fft.irfft2(waves, size)[k - 1 : image.shape[0], k - 1 : image.shape[1]]


def opencv(image: Array, kernel: Array) -> Array:
    rim = len(kernel) // 2
    return cv2.filter2D(image, -1, kernel)[rim:-rim, rim:-rim]


def scipy_ndimage(image: Array, kernel: Array) -> Array:
    rim = len(kernel) // 2
    return scipy.ndimage.correlate(image, kernel)[rim:-rim, rim:-rim]


def pytorch(image: Array, kernel: Array) -> Array:
    with torch.inference_mode():
        picture, weights = (torch.from_numpy(array)[None, None] for array in (image, kernel))
        return torch.nn.functional.conv2d(picture, weights)[0, 0].numpy()


METHODS: dict[str, Callable[[Array, Array], Array]] = {
    "loops on lists": loops_on_lists,
    "loops on an array": loops_on_an_array,
    "shifted slices": shifted_slices,
    "windows, einsum": windows_with_einsum,
    "im2col product": im2col_product,
    "FFT, scipy.fft": fft_product,
    "scipy.ndimage": scipy_ndimage,
    "PyTorch conv2d": pytorch,
    BASELINE: opencv,
}


def rows_of_results(method: str, k: int, side: int) -> int:
    """How many rows of sums a method computes: all of them, unless it is a loop in Python."""
    fits = side - k + 1
    return min(fits, LOOP_PRODUCTS // (k * k * fits)) if method.startswith("loops") else fits


def kernel_of(k: int) -> Array:
    kernel = np.random.default_rng(k).normal(size=(k, k)).astype(np.float32)
    return kernel / np.abs(kernel).sum()  # so that no answer leaves -1 to 1


def measure(name: str, image: Array, kernel: Array, expected: Array) -> tuple[float, float]:
    """Processor seconds of one run of a method, and its answer's largest difference from the expected one."""
    k = len(kernel)
    rows = rows_of_results(name, k, len(image))
    part = image[: rows + k - 1]
    started = time.process_time()
    answer = METHODS[name](part, kernel)
    seconds = time.process_time() - started
    if answer.shape != (rows, image.shape[1] - k + 1):
        raise SystemExit(f"{name}, k = {k}: {answer.shape} is not the shape that was asked for.")
    difference = float(np.abs(answer - expected[:rows]).max())
    if difference > TOLERANCE:
        raise SystemExit(f"{name}, k = {k}: differs from {BASELINE} by {difference:.2g}.")
    return seconds, difference


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def timings_as_python(record: dict[str, Any]) -> str:
    """The record's medians as a Python file that a chapter can load; made from the record alone."""
    machine = f"{record['machine']['processor']}, one thread, n = {record['n']}, {record['date'][:10]}"
    lines = [
        '"""Written by benchmarks/convolution.py from convolution.json beside it; change neither by hand."""',
        "",
        f"measured = {json.dumps(machine)}",
        f"kernel_sizes = {json.dumps(record['kernel_sizes'])}",
        "nanoseconds = {  # of processor time for each sum, median",
        *(
            f"    {json.dumps(name)}: {json.dumps(found['median_ns_per_sum'])},"
            for name, found in record["methods"].items()
        ),
        "}",
        "loop_rows = {  # rows of sums that the loops computed",
        *(
            f"    {json.dumps(name)}: {json.dumps(found['rows'])},"
            for name, found in record["methods"].items()
            if name.startswith("loops")
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=7)
    repetitions = parser.parse_args().repetitions
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    image = np.float32(data.camera() / 255)
    seconds: dict[tuple[str, int], list[float]] = {(name, k): [] for name in METHODS for k in SIZES}
    differences: dict[tuple[str, int], list[float]] = {key: [] for key in seconds}
    for number in range(repetitions):
        for k in SIZES:
            kernel = kernel_of(k)
            expected = opencv(image, kernel)
            for name in METHODS:
                took, difference = measure(name, image, kernel, expected)
                seconds[name, k].append(took)
                differences[name, k].append(difference)
        print(f"{number + 1}/{repetitions}", flush=True)
    per_sum = {
        (name, k): median(times) * 1e9 / (rows_of_results(name, k, len(image)) * (image.shape[1] - k + 1))
        for (name, k), times in seconds.items()
    }
    methods = {
        name: {
            "rows": [rows_of_results(name, k, len(image)) for k in SIZES],
            "median_ns_per_sum": [rounded(per_sum[name, k]) for k in SIZES],
            "ratio_to_filter2d": [rounded(per_sum[name, k] / per_sum[BASELINE, k]) for k in SIZES],
            "largest_difference": [rounded(max(differences[name, k])) for k in SIZES],
            "seconds": [[rounded(s) for s in seconds[name, k]] for k in SIZES],
        }
        for name in METHODS
    }
    for name, found in methods.items():
        print(f"{name:18}" + "".join(f"{ns:11.1f}" for ns in found["median_ns_per_sum"]))
    path = write_record(
        "convolution",
        repetitions=repetitions,
        packages=["numpy", "scipy", "opencv-python-headless", "torch", "scikit-image"],
        results={
            "unit": "ns of processor time per sum computed",
            "picture": {"name": "skimage.data.camera", "shape": list(image.shape), "dtype": str(image.dtype)},
            "threads": 1,
            "kernel_sizes": list(SIZES),
            "methods": methods,
        },
    )
    snippet = Path(path).with_name("convolution_timings.py")
    snippet.write_text(timings_as_python(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"Written to {path} and {snippet}.")


if __name__ == "__main__":
    main()
