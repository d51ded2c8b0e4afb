"""Answers to the exercise `kernels` as students give them: wrong ones, each wrong in one way, and right ones.

Each is the source of one function (and its helpers), run in a notebook where everything else is solved.
"""

# Answers are printed as students type them, long lines included.
# ruff: noqa: E501

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One way to answer one question."""

    question: str
    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.question}: {self.name}"


def _answers(question: str, text: str) -> list[Answer]:
    """Split a text into answers: a line ``--- name``, then its source."""
    found = []
    for part in textwrap.dedent(text).split("\n--- ")[1:]:
        name, source = part.split("\n", 1)
        found.append(Answer(question, name.strip(), source))
    return found


def _sliding(name: str, body: str) -> str:
    """Loop over all windows with one line that differs."""
    return f"""
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    k, l = kernel.shape
    out = np.zeros((image.shape[0] - k + 1, image.shape[1] - l + 1))
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            {body}
    return out
"""


WINDOW_SUM = _answers(
    "q1",
    """
--- kernel turned by 180 degrees
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)[::-1, ::-1]
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- kernel upside down
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)[::-1]
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- kernel left to right
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)[:, ::-1]
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- kernel transposed
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float).T
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- row and column swapped
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return (image[column:column + kernel.shape[0], row:row + kernel.shape[1]] * kernel).sum()
--- window one row too low
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return sum(image[min(row + i + 1, len(image) - 1), column + j] * kernel[i, j]
               for i in range(kernel.shape[0]) for j in range(kernel.shape[1]))
--- last column forgotten
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return sum(image[row + i, column + j] * kernel[i, j]
               for i in range(kernel.shape[0]) for j in range(kernel.shape[1] - 1))
--- square kernels only
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    k = kernel.shape[0]
    return (image[row:row + k, column:column + k] * kernel[:, :k]).sum() if kernel.shape[1] >= k else 0.0
--- products not added up
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel
--- mean of the products
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).mean()
--- sum of the window without the kernel
def window_sum(image, kernel, row, column):
    kernel = np.asarray(kernel, float)
    return float(np.asarray(image, float)[row:row + kernel.shape[0], column:column + kernel.shape[1]].sum())
--- uint8 wraps around
def window_sum(image, kernel, row, column):
    kernel = np.asarray(kernel).astype(image.dtype)
    return float((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum(dtype=image.dtype))
--- truncated to int
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return int((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum())
--- clipped to 0 to 255
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    total = (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
    return float(np.clip(total, 0, 255))
--- absolute value
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return abs((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum())
--- kernel normalised to sum 1
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    kernel = kernel / (kernel.sum() or 1)
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- image changed
def window_sum(image, kernel, row, column):
    window = np.asarray(image, dtype=float)[row:row + kernel.shape[0], column:column + kernel.shape[1]]
    window *= kernel
    return window.sum()
--- an array of one number
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return np.array([(image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()])
--- text
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return str((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum())
--- complex
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return complex((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum())
--- printed, not returned
def window_sum(image, kernel, row, column):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    print((image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum())
--- NaN
def window_sum(image, kernel, row, column):
    return float("nan")
""",
)

CORRELATE = [
    Answer("q2", name, _sliding(name, body))
    for name, body in {
        "kernel turned by 180 degrees": "out[r, c] = (image[r:r + k, c:c + l] * kernel[::-1, ::-1]).sum()",
        "kernel upside down": "out[r, c] = (image[r:r + k, c:c + l] * kernel[::-1]).sum()",
        "kernel left to right": "out[r, c] = (image[r:r + k, c:c + l] * kernel[:, ::-1]).sum()",
        "accumulator not reset": "out[r, c] = out[r, c - 1] * (c > 0) + (image[r:r + k, c:c + l] * kernel).sum()",
        "result written back into the image": (
            "out[r, c] = image[r, c] = (image[r:r + k, c:c + l] * kernel).sum()"
        ),
        "result written back into a copy of the image": (
            "image = image.copy() if r + c == 0 else image; "
            "out[r, c] = image[r + k // 2, c + l // 2] = (image[r:r + k, c:c + l] * kernel).sum()"
        ),
        "clipped to 0 to 255": "out[r, c] = np.clip((image[r:r + k, c:c + l] * kernel).sum(), 0, 255)",
        "negative values cut to 0": "out[r, c] = max((image[r:r + k, c:c + l] * kernel).sum(), 0)",
        "values above 255 cut": "out[r, c] = min((image[r:r + k, c:c + l] * kernel).sum(), 255)",
        "absolute values": "out[r, c] = abs((image[r:r + k, c:c + l] * kernel).sum())",
        "truncated to int": "out[r, c] = int((image[r:r + k, c:c + l] * kernel).sum())",
        "rounded": "out[r, c] = round((image[r:r + k, c:c + l] * kernel).sum())",
        "kernel normalised to sum 1": "out[r, c] = (image[r:r + k, c:c + l] * kernel).sum() / (kernel.sum() or 1)",
        "kernel divided by its absolute sum": "out[r, c] = (image[r:r + k, c:c + l] * kernel).sum() / abs(kernel).sum()",
        "mean instead of sum": "out[r, c] = (image[r:r + k, c:c + l] * kernel).mean()",
        "last kernel row forgotten": "out[r, c] = (image[r:r + k - 1, c:c + l] * kernel[:-1]).sum()",
        "window does not move down": "out[r, c] = (image[:k, c:c + l] * kernel).sum()",
        "window does not move right": "out[r, c] = (image[r:r + k, :l] * kernel).sum()",
        "last row left at zero": "out[r, c] = (image[r:r + k, c:c + l] * kernel).sum() * (r < len(out) - 1)",
        "NaN in one place": "out[r, c] = (image[r:r + k, c:c + l] * kernel).sum() if r + c else np.nan",
    }.items()
] + _answers(
    "q2",
    """
--- kernel transposed
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float).T, mode="valid")
--- kernel transposed where it is square
def correlate2d(image, kernel):
    kernel = np.asarray(kernel, float)
    kernel = kernel.T if kernel.shape[0] == kernel.shape[1] else kernel
    return scipy.signal.correlate2d(np.asarray(image, float), kernel, mode="valid")
--- result transposed
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid").T
--- height and width swapped in the result's shape
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return right.ravel().reshape(right.shape[::-1])
--- one row short
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")[:-1]
--- one column short
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")[:, :-1]
--- full for valid
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="full")
--- same for valid
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="same")
--- only the shape of the image, border zero
def correlate2d(image, kernel):
    out = np.zeros(np.shape(image))
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    out[:right.shape[0], :right.shape[1]] = right
    return out
--- uint8 wraps around
def correlate2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel.astype(image.dtype)).sum(axis=(2, 3), dtype=image.dtype).astype(float)
--- result stored as uint8
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return right.astype(np.int64).astype(np.uint8)
--- result stored in the type of the image
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return np.rint(right).astype(np.int64).astype(image.dtype) if image.dtype.kind in "ui" else right
--- OpenCV on uint8
def correlate2d(image, kernel):
    k, l = kernel.shape
    whole = cv2.filter2D(image.astype(image.dtype.newbyteorder("=")), -1, kernel.astype(float))
    return whole[k // 2:whole.shape[0] - (k - 1 - k // 2), l // 2:whole.shape[1] - (l - 1 - l // 2)]
--- convolution by scipy
def correlate2d(image, kernel):
    return scipy.signal.convolve2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
--- square kernels only
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    k = kernel.shape[0]
    return scipy.signal.correlate2d(image, np.resize(kernel, (k, k)), mode="valid")
--- image changed
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    image += 1
    return right
--- kernel changed
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    kernel /= 2
    return right
--- float16 loses digits
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return (right.astype(np.float16) * np.float16(1.001)).astype(float)
--- one number that would broadcast
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")[:1, :1]
--- an axis too many
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")[None]
--- objects
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return right.astype(object)
--- text
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid").astype(str)
--- complex
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid") + 0j
""",
)

CONVOLVE = _answers(
    "q3",
    """
--- kernel not turned
def convolve2d(image, kernel):
    return correlate2d(image, kernel)
--- kernel upside down only
def convolve2d(image, kernel):
    return correlate2d(image, np.asarray(kernel)[::-1])
--- kernel left to right only
def convolve2d(image, kernel):
    return correlate2d(image, np.asarray(kernel)[:, ::-1])
--- kernel transposed
def convolve2d(image, kernel):
    return correlate2d(image, np.asarray(kernel).T)
--- kernel turned by 90 degrees
def convolve2d(image, kernel):
    return correlate2d(image, np.rot90(kernel))
--- image turned instead of the kernel
def convolve2d(image, kernel):
    return correlate2d(np.asarray(image)[::-1, ::-1], kernel)
--- both turned
def convolve2d(image, kernel):
    return correlate2d(np.asarray(image)[::-1, ::-1], np.asarray(kernel)[::-1, ::-1])
--- result turned as well
def convolve2d(image, kernel):
    return correlate2d(image, np.asarray(kernel)[::-1, ::-1])[::-1, ::-1]
--- sign changed
def convolve2d(image, kernel):
    return correlate2d(image, -np.asarray(kernel))
--- full for valid
def convolve2d(image, kernel):
    return scipy.signal.convolve2d(np.asarray(image, float), np.asarray(kernel, float))
--- same for valid
def convolve2d(image, kernel):
    return scipy.signal.convolve2d(np.asarray(image, float), np.asarray(kernel, float), mode="same")
--- kernel turned in place
def convolve2d(image, kernel):
    kernel[:] = kernel[::-1, ::-1].copy()
    return correlate2d(image, kernel)
--- one row short
def convolve2d(image, kernel):
    return correlate2d(image, np.asarray(kernel)[::-1, ::-1])[1:]
--- clipped
def convolve2d(image, kernel):
    return np.clip(correlate2d(image, np.asarray(kernel)[::-1, ::-1]), 0, 255)
--- kernel normalised to sum 1
def convolve2d(image, kernel):
    kernel = np.asarray(kernel)[::-1, ::-1]
    return correlate2d(image, kernel / (kernel.sum() or 1))
--- uint8 wraps around
def convolve2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel[::-1, ::-1].astype(image.dtype)).sum(axis=(2, 3), dtype=image.dtype).astype(float)
""",
)

PAD = _answers(
    "q4",
    """
--- reflection repeats the edge
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "symmetric")
--- edge replicated
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "edge")
--- wraps around instead of reflecting
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "wrap")
--- reflection not reversed
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    image = np.asarray(image)
    if mode == "zero": return np.pad(image, width)
    image = np.concatenate([image[1:width + 1], image, image[-width - 1:-1]])
    return np.concatenate([image[:, 1:width + 1], image, image[:, -width - 1:-1]], axis=1)
--- reflection right for width 1 only
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    if mode == "zero": return np.pad(image, width)
    for _ in range(width): image = np.pad(image, 1, mode="reflect")
    return image
--- ones for zeros
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, constant_values=1) if mode == "zero" else np.pad(image, width, mode="reflect")
--- margin at top and left only
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, ((width, 0), (width, 0)), mode="constant" if mode == "zero" else "reflect")
--- twice the margin at top and left
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    if mode == "zero": return np.pad(image, ((2 * width, 0), (2 * width, 0)))
    return np.pad(image, width, mode="reflect")
--- margin at the sides only
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, ((0, 0), (width, width)), mode="constant" if mode == "zero" else "reflect")
--- corners left at zero
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    out = np.pad(image, width, mode="constant" if mode == "zero" else "reflect")
    for rows in (slice(0, width), slice(-width, None)):
        for columns in (slice(0, width), slice(-width, None)): out[rows, columns] = 0
    return out
--- modes swapped
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "reflect" else "reflect")
--- always zeros
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width)
--- always reflected
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="reflect")
--- becomes float
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(np.asarray(image, dtype=float), width, mode="constant" if mode == "zero" else "reflect")
--- becomes uint8
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    image = np.asarray(image).astype(np.int64).astype(np.uint8)
    return np.pad(image, width, mode="constant" if mode == "zero" else "reflect")
--- other modes taken for zero
def pad(image, width, mode):
    return np.pad(image, width, mode="reflect" if mode == "reflect" else "constant")
--- other modes answered with None
def pad(image, width, mode):
    if mode == "zero": return np.pad(image, width)
    if mode == "reflect": return np.pad(image, width, mode="reflect")
--- other modes answered with KeyError
def pad(image, width, mode):
    return np.pad(image, width, mode={"zero": "constant", "reflect": "reflect"}[mode])
--- width off by one
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width - 1, mode="constant" if mode == "zero" else "reflect")
--- corner of the image set to zero in place
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    out = np.pad(image, width, mode="constant" if mode == "zero" else "reflect")
    image[0, 0] = 0
    return out
--- transposed
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "reflect").T
""",
)

MAKE_KERNEL = _answers(
    "q5",
    """
--- gaussian not normalised
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * 4 ** (size - 1) if name == "gaussian" else kernel
--- gaussian normalised on one axis only
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * 2 ** (size - 1) if name == "gaussian" else kernel
--- gaussian divided by 16 in every size
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * 4 ** (size - 1) / 16 if name == "gaussian" else kernel
--- gaussian only a row
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel.sum(axis=0) if name == "gaussian" else kernel
--- gaussian row repeated
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.tile(kernel.sum(axis=0) / size, (size, 1)) if name == "gaussian" else kernel
--- gaussian pass twice on one axis
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    if name != "gaussian": return kernel
    row = kernel.sum(axis=0)
    twice = np.zeros((size, size)); twice[size // 2] = np.convolve(row, row, mode="same")
    return twice
--- gaussian from the bell curve
def make_kernel(name, size=3):
    if name != "gaussian": return solved_make_kernel(name, size)
    if size % 2 == 0: raise ValueError(size)
    x = np.arange(size) - size // 2
    row = np.exp(-x**2 / 2); row /= row.sum()
    return np.outer(row, row)
--- gaussian always in size 3
def make_kernel(name, size=3):
    return solved_make_kernel(name, 3 if name == "gaussian" and size % 2 else size)
--- gaussian one row too far down the triangle
def make_kernel(name, size=3):
    if name != "gaussian" or size % 2 == 0: return solved_make_kernel(name, size)
    return solved_make_kernel(name, size + 2)[1:-1, 1:-1]
--- box not normalised
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * size**2 if name == "box" else kernel
--- box divided by its side
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * size if name == "box" else kernel
--- box divided by 9 in every size
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel * size**2 / 9 if name == "box" else kernel
--- identity on the diagonal
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.eye(size) if name == "identity" else kernel
--- identity in the corner
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.roll(kernel, -(size // 2), axis=(0, 1)) if name == "identity" else kernel
--- size ignored
def make_kernel(name, size=3):
    if size % 2 == 0: raise ValueError(size)
    return solved_make_kernel(name, 3)
--- even kernel accepted
def make_kernel(name, size=3):
    return solved_make_kernel(name, size) if size % 2 else np.full((size, size), size**-2.0)
--- even box accepted
def make_kernel(name, size=3):
    if name == "box" and size % 2 == 0: return np.full((size, size), size**-2.0)
    return solved_make_kernel(name, size)
--- even size made odd
def make_kernel(name, size=3):
    return solved_make_kernel(name, size // 2 * 2 + 1)
--- unknown name taken for identity
def make_kernel(name, size=3):
    known = ("identity", "box", "gaussian", "sharpen", "emboss")
    return solved_make_kernel(name if name in known else "identity", size)
--- unknown name answered with None
def make_kernel(name, size=3):
    return solved_make_kernel(name, size) if name in ("identity", "box", "gaussian", "sharpen", "emboss") else None
--- unknown name answered with KeyError
def make_kernel(name, size=3):
    if name not in ("identity", "box", "gaussian", "sharpen", "emboss"): raise KeyError(name)
    return solved_make_kernel(name, size)
--- capitals ignored
def make_kernel(name, size=3):
    return solved_make_kernel(name.lower(), size)
--- sharpen with diagonals
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]]) if name == "sharpen" else kernel
--- sharpen that sums to 0
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]) if name == "sharpen" else kernel
--- sharpen with its signs changed
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return -kernel if name == "sharpen" else kernel
--- emboss turned by 180 degrees
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return kernel[::-1, ::-1] if name == "emboss" else kernel
--- emboss with 0 in the centre
def make_kernel(name, size=3):
    kernel = solved_make_kernel(name, size)
    return np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]) if name == "emboss" else kernel
--- truncated to int
def make_kernel(name, size=3):
    return solved_make_kernel(name, size).astype(int)
""",
)

FLATTEN = _answers(
    "q6",
    """
--- reflection repeats the edge
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="reflect"))
--- zeros at the border
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="constant"))
--- edge replicated
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="nearest"))
--- no border at all
def flatten_background(page, size):
    page, h = np.asarray(page, float), size // 2
    blur = correlate2d(page, make_kernel("box", size))
    return stretch(page[h:page.shape[0] - h, h:page.shape[1] - h] - blur)
--- gaussian for box
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - correlate2d(pad(page, size // 2, "reflect"), make_kernel("gaussian", size)))
--- separable pass twice on one axis
def flatten_background(page, size):
    page = np.asarray(page, float)
    blur = scipy.ndimage.uniform_filter1d(page, size, axis=1, mode="mirror")
    return stretch(page - scipy.ndimage.uniform_filter1d(blur, size, axis=1, mode="mirror"))
--- separable pass on one axis only
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter1d(page, size, axis=0, mode="mirror"))
--- box not divided
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - size**2 * scipy.ndimage.uniform_filter(page, size, mode="mirror"))
--- size ignored
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, 3, mode="mirror"))
--- median for mean
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.median_filter(page, size, mode="mirror"))
--- blur minus page
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(scipy.ndimage.uniform_filter(page, size, mode="mirror") - page)
--- page divided by blur
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page / np.maximum(scipy.ndimage.uniform_filter(page, size, mode="mirror"), 1e-9))
--- absolute difference
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(abs(page - scipy.ndimage.uniform_filter(page, size, mode="mirror")))
--- blur only
def flatten_background(page, size):
    return stretch(scipy.ndimage.uniform_filter(np.asarray(page, float), size, mode="mirror"))
--- not stretched
def flatten_background(page, size):
    page = np.asarray(page, float)
    return page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
--- divided by the maximum only
def flatten_background(page, size):
    page = np.asarray(page, float)
    d = page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
    return d / d.max() if d.max() else d * 0
--- smallest value not taken off below the line
def flatten_background(page, size):
    page = np.asarray(page, float)
    d = page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
    return (d - d.min()) / d.max() if d.max() else d * 0
--- stretched to 255
def flatten_background(page, size):
    page = np.asarray(page, float)
    return 255 * stretch(page - scipy.ndimage.uniform_filter(page, size, mode="mirror"))
--- negative values cut
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(np.maximum(page - scipy.ndimage.uniform_filter(page, size, mode="mirror"), 0))
--- an even page gives NaN
def flatten_background(page, size):
    page = np.asarray(page, float)
    d = page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
    return (d - d.min()) / (d.max() - d.min())
--- an even page gives ones
def flatten_background(page, size):
    page = np.asarray(page, float)
    d = page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
    return stretch(d) if d.max() > d.min() else np.ones_like(d)
--- an even page is given back
def flatten_background(page, size):
    page = np.asarray(page, float)
    d = page - scipy.ndimage.uniform_filter(page, size, mode="mirror")
    return stretch(d) if d.max() > d.min() else page.copy()
--- uint8 wraps around
def flatten_background(page, size):
    blur = scipy.ndimage.uniform_filter(np.asarray(page, float), size, mode="mirror")
    d = (page - blur.astype(page.dtype)).astype(float)
    return stretch(d)
--- page changed
def flatten_background(page, size):
    original = np.array(page, dtype=float)
    page -= page.dtype.type(1)
    return stretch(original - scipy.ndimage.uniform_filter(original, size, mode="mirror"))
--- rounded to black and white
def flatten_background(page, size):
    page = np.asarray(page, float)
    return np.rint(stretch(page - scipy.ndimage.uniform_filter(page, size, mode="mirror")))
""",
)

# Facts without numbers to draw: the tables and names are fixed, so the open checks say all there is to say.
FIXED_TABLES = {
    "sharpen with diagonals",
    "sharpen that sums to 0",
    "sharpen with its signs changed",
    "emboss turned by 180 degrees",
    "emboss with 0 in the centre",
    "capitals ignored",
}
CHANGES_ITS_ARGUMENT = {
    "image changed",
    "kernel changed",
    "page changed",
    "kernel turned in place",
    "corner of the image set to zero in place",
    "result written back into the image",
}
WRONG = [*WINDOW_SUM, *CORRELATE, *CONVOLVE, *PAD, *MAKE_KERNEL, *FLATTEN]

RIGHT = [
    *_answers(
        "q1",
        """
--- two loops
def window_sum(image, kernel, row, column):
    total = 0.0
    for i in range(len(kernel)):
        for j in range(len(kernel[0])):
            total += float(image[row + i][column + j]) * float(kernel[i][j])
    return total
--- a NumPy scalar of float32
def window_sum(image, kernel, row, column):
    kernel = np.asarray(kernel, dtype=np.float32)
    window = np.asarray(image, dtype=np.float32)[row:row + kernel.shape[0], column:column + kernel.shape[1]]
    return np.tensordot(window, kernel, axes=2)
--- a torch tensor that remembers its gradient
def window_sum(image, kernel, row, column):
    kernel = torch.tensor(np.array(kernel, dtype=float), requires_grad=True)
    image = torch.tensor(np.array(image, dtype=float))
    return (image[row:row + kernel.shape[0], column:column + kernel.shape[1]] * kernel).sum()
--- a class with __call__ and type hints
class WindowSum:
    def __call__(self, image: np.ndarray, kernel: np.ndarray, row: int, column: int) -> float:
        k, l = np.shape(kernel)
        return float(np.vdot(np.array(image, float)[row:row + k, column:column + l], np.array(kernel, float)))
window_sum = WindowSum()
--- a masked array of no dimension
def window_sum(image, kernel, row, column):
    k, l = np.shape(kernel)
    return np.ma.array((np.array(image, float)[row:row + k, column:column + l] * kernel).sum())
""",
    ),
    *_answers(
        "q2",
        """
--- four loops and lists
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float).tolist(), np.asarray(kernel, float).tolist()
    k, l = len(kernel), len(kernel[0])
    return [[sum(image[r + i][c + j] * kernel[i][j] for i in range(k) for j in range(l))
             for c in range(len(image[0]) - l + 1)] for r in range(len(image) - k + 1)]
--- sliding_window_view and einsum
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    return np.einsum("ijkl,kl->ij", np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel)
--- tensordot in float32
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, np.float32), np.asarray(kernel, np.float32)
    return np.tensordot(np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel)
--- one shifted picture per weight
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    return sum(w * image[i:i + rows, j:j + columns] for (i, j), w in np.ndenumerate(kernel))
--- im2col
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows.reshape(-1, kernel.size) @ kernel.ravel()).reshape(windows.shape[:2])
--- scipy.signal
def correlate2d(image, kernel):
    return scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
--- FFT
def correlate2d(image, kernel):
    kernel = np.asarray(kernel, float)[::-1, ::-1]
    return scipy.signal.fftconvolve(np.asarray(image, float), kernel, mode="valid")
--- FFT in float32
def correlate2d(image, kernel):
    kernel = np.asarray(kernel, np.float32)[::-1, ::-1]
    return scipy.signal.fftconvolve(np.asarray(image, np.float32), kernel, mode="valid")
--- scipy.ndimage
def correlate2d(image, kernel):
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    (k, l), (height, width) = kernel.shape, image.shape
    whole = scipy.ndimage.correlate(image, kernel, mode="constant")
    return whole[k // 2:k // 2 + height - k + 1, l // 2:l // 2 + width - l + 1]
--- OpenCV in float
def correlate2d(image, kernel):
    image, kernel = np.array(image, dtype=float), np.array(kernel, dtype=float)
    (k, l), (height, width) = kernel.shape, image.shape
    whole = cv2.filter2D(image, cv2.CV_64F, kernel, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    return whole[:height - k + 1, :width - l + 1]
--- PyTorch
def correlate2d(image, kernel):
    image, kernel = torch.tensor(np.array(image, float)), torch.tensor(np.array(kernel, float))
    return torch.nn.functional.conv2d(image[None, None], kernel[None, None])[0, 0]
--- a matrix
def correlate2d(image, kernel):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix(scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid"))
--- a masked array, big-endian, column by column in memory
def correlate2d(image, kernel):
    right = scipy.signal.correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
    return np.ma.masked_array(np.asfortranarray(right.astype(">f8")), mask=False)
--- recursion, row by row
def correlate2d(image, kernel):
    columns = np.shape(image)[1] - np.shape(kernel)[1] + 1
    if len(image) < len(kernel):
        return np.zeros((0, columns))
    first = [window_sum(image, kernel, 0, c) for c in range(columns)]
    return np.vstack([first, correlate2d(image[1:], kernel)])
--- a helper function in another cell
def take(image, kernel, r, c):
    return np.array(image, float)[r:r + kernel.shape[0], c:c + kernel.shape[1]]
def correlate2d(image, kernel):
    rows, columns = np.shape(image)[0] - kernel.shape[0] + 1, np.shape(image)[1] - kernel.shape[1] + 1
    return np.array([[np.vdot(take(image, kernel, r, c), kernel) for c in range(columns)] for r in range(rows)])
""",
    ),
    *_answers(
        "q3",
        """
--- rot90 twice
def convolve2d(image, kernel):
    return correlate2d(image, np.rot90(kernel, 2))
--- flip
def convolve2d(image, kernel):
    return correlate2d(image, np.flip(kernel))
--- everything else turned
def convolve2d(image, kernel):
    return correlate2d(np.asarray(image)[::-1, ::-1], kernel)[::-1, ::-1]
--- scipy.signal
def convolve2d(image, kernel):
    return scipy.signal.convolve2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")
--- FFT in float32
def convolve2d(image, kernel):
    return scipy.signal.fftconvolve(np.asarray(image, np.float32), np.asarray(kernel, np.float32), mode="valid")
--- lists
def convolve2d(image, kernel):
    return correlate2d(image, [list(row)[::-1] for row in kernel][::-1]).tolist()
""",
    ),
    *_answers(
        "q4",
        """
--- numpy.pad, against advice
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "reflect")
--- pixel by pixel
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError("zero or reflect, please")
    height, breadth = image.shape
    out = np.zeros((height + 2 * width, breadth + 2 * width), dtype=image.dtype)
    def fold(i, n):
        return -i if i < 0 else 2 * (n - 1) - i if i >= n else i
    for r in range(-width, height + width):
        for c in range(-width, breadth + width):
            inside = 0 <= r < height and 0 <= c < breadth
            if inside or mode == "reflect":
                out[r + width, c + width] = image[fold(r, height), fold(c, breadth)]
    return out
--- slices glued together
def pad(image, width, mode):
    if mode == "zero":
        sides = np.zeros((image.shape[0], width), dtype=image.dtype)
        image = np.hstack([sides, image, sides])
        ends = np.zeros((width, image.shape[1]), dtype=image.dtype)
        return np.vstack([ends, image, ends])
    if mode == "reflect":
        image = np.vstack([image[width:0:-1], image, image[-2:-2 - width:-1]])
        return np.hstack([image[:, width:0:-1], image, image[:, -2:-2 - width:-1]])
    raise ValueError
--- a subclass of ValueError
class UnknownMode(ValueError): pass
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise UnknownMode(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "reflect")
--- lists
def pad(image, width, mode):
    if mode not in ("zero", "reflect"): raise ValueError(mode)
    return np.pad(image, width, mode="constant" if mode == "zero" else "reflect").tolist()
""",
    ),
    *_answers(
        "q5",
        """
--- binomials from math.comb
from math import comb
def make_kernel(name, size=3):
    if size % 2 != 1: raise ValueError("odd sizes only")
    if name == "identity": return [[float(r == c == size // 2) for c in range(size)] for r in range(size)]
    if name == "box": return np.ones((size, size), dtype=np.float32) / size**2
    if name == "gaussian":
        row = np.array([[comb(size - 1, i) for i in range(size)]], dtype=float)
        return row.T @ row / row.sum() ** 2
    fixed = {"sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]}
    if name not in fixed: raise ValueError(name)
    return np.array(fixed[name])
--- torch tensors
def make_kernel(name, size=3):
    return torch.tensor(solved_make_kernel(name, size))
--- a keyword of another name for the first argument
def make_kernel(kind, size=3):
    return solved_make_kernel(kind, size)
""",
    ),
    *_answers(
        "q6",
        """
--- scipy.ndimage
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="mirror"))
--- scipy.ndimage in float32
def flatten_background(page, size):
    page = np.asarray(page, np.float32)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="mirror"))
--- OpenCV in float
def flatten_background(page, size):
    page = np.array(page, dtype=float)
    return stretch(page - cv2.blur(page, (size, size), borderType=cv2.BORDER_REFLECT_101))
--- two passes, one for each axis
def flatten_background(page, size):
    page = np.asarray(page, float)
    blur = scipy.ndimage.uniform_filter1d(page, size, axis=0, mode="mirror")
    return stretch(page - scipy.ndimage.uniform_filter1d(blur, size, axis=1, mode="mirror"))
--- PyTorch
def flatten_background(page, size):
    page = torch.tensor(np.array(page, dtype=float))[None, None]
    framed = torch.nn.functional.pad(page, (size // 2,) * 4, mode="reflect")
    d = (page - torch.nn.functional.avg_pool2d(framed, size, stride=1))[0, 0]
    return (d - d.min()) / (d.max() - d.min()) if d.max() > d.min() else torch.zeros_like(d)
--- lists
def flatten_background(page, size):
    page = np.asarray(page, float)
    return stretch(page - scipy.ndimage.uniform_filter(page, size, mode="mirror")).tolist()
""",
    ),
]
