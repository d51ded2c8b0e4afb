"""Each mistake that the exercises promise to tell apart is carried by the master that it belongs to."""

from collections.abc import Callable

import pytest

from tests.exercises.submissions import Exercise

# exercise and question -> the mistakes promised there, by the names that the wrong answers have
PROMISED = {
    "pixels q1": ["channels first", "height and width swapped"],
    "pixels q3": ["blue, green, red", "equal weights", "channels first", "channels multiplied in place"],
    "pixels q4": ["a - b in uint8", "b - a in uint8", "subtracted in place"],
    "pixels q5": ["nearest neighbour", "rows and columns swapped", "sums that roll over", "rest dropped"],
    "kernels q1": [
        "kernel turned by 180 degrees", "kernel upside down", "kernel left to right", "kernel transposed",
        "row and column swapped", "uint8 wraps around", "truncated to int", "clipped to 0 to 255",
        "kernel normalised to sum 1", "image changed",
    ],
    "kernels q2": [
        "kernel turned by 180 degrees", "kernel upside down", "kernel left to right", "kernel transposed",
        "one row short", "one column short", "accumulator not reset", "full for valid", "same for valid",
        "result written back into the image", "clipped to 0 to 255", "uint8 wraps around", "truncated to int",
        "kernel normalised to sum 1", "height and width swapped in the result's shape", "image changed",
    ],
    "kernels q3": ["kernel not turned", "kernel upside down only", "kernel left to right only"],
    "kernels q4": ["reflection repeats the edge", "edge replicated", "margin at top and left only", "ones for zeros"],
    "kernels q5": ["gaussian not normalised", "gaussian pass twice on one axis", "even kernel accepted"],
    "kernels q6": ["reflection repeats the edge", "separable pass twice on one axis", "uint8 wraps around"],
    "sobel q1": [
        "filter that keeps uint8", "gx and gy swapped", "scaled to its own maximum", "repeated border",
        "SciPy's sobel as it comes", "sign dropped",
    ],
    "sobel q2": [
        "filter that keeps uint8", "plain sum of the slopes", "sum of absolute values",
        "scaled to its own maximum", "repeated border",
    ],
    "sobel q3": [
        "filter that keeps uint8", "signs dropped before the angle", "direction of the gradient", "radians",
        "arctangent of the quotient without its sign", "only 0 to 90", "slopes swapped in the angle",
        "repeated border",
    ],
    "sobel q4": [
        "filter that keeps uint8", "counts instead of weights", "direction of the gradient",
        "signs dropped before the angle", "only 0 to 90", "slopes swapped in the angle",
    ],
    "sobel q5": ["sign the other way round", "peak of the histogram", "column sums", "radians"],
    "shapes q1": ["rounded up", "stride ignored", "padding ignored", "dilation ignored"],
    "shapes q2": [
        "kernel turned by 180 degrees", "kernel upside down", "kernel left to right", "kernel transposed",
        "result one row short", "result one column short", "size rounded up", "stride only in the size",
        "padding ignored", "padding on top and left only", "padded with copies of the edge", "padded with ones",
        "padded and looped over the old size", "accumulator not reset", "result written back into the picture",
        "clipped to 0 to 255", "result kept in the type of the picture", "truncated to whole numbers",
        "kernel normalised to sum 1", "dilation ignored", "full for valid", "same for valid",
        "rows and columns of the picture swapped", "image changed",
    ],
    "shapes q5": ["windows turned by 180 degrees", "table transposed", "reshaped where it should be transposed"],
    "forward q1": [
        "kernels turned by 180 degrees", "kernels upside down", "kernels left to right", "kernels transposed",
        "one row short", "one column short", "steps rounded up", "stride forgotten in the window",
        "padding ignored", "padding on one side only", "edge repeated", "margin of ones", "padded, old size",
        "channels padded too", "bias forgotten", "bias once per channel", "channels averaged",
        "only the first channel", "same kernel for every map", "sum not started again for each map",
        "written back into the image", "clipped to 0 to 255", "arithmetic in uint8", "truncated to int",
        "kernels normalised to sum 1", "always same", "always full", "image transposed", "images changed",
    ],
    "forward q2": [
        "pool: average", "pool: over the channels as well", "pool: padded with zeros all round",
        "pool: stride 1 unless given", "pool: None not expected",
    ],
    "forward q3": ["over the batch", "no shift"],
    "forward q4": ["no biases", "no input channels"],
    "forward q5": [
        "ReLU behind the last layer", "batch eaten by the flatten", "weights reshaped, not transposed",
        "ReLU before the convolutions", "pooling behind the second convolution",
    ],
    "training q1": ["patches overlapping across the split"],
    "training q2": ["test set standardised by itself", "both sets standardised by both together"],
    "training q3": [
        "no zero_grad", "zero_grad after backward", "no step", "another model trained", "eval while training",
        "softmax before cross-entropy", "one-hot labels", "mean of batch means",
        "shuffled images without labels", "rows not shuffled", "pictures and labels left on the CPU",
        "labels left on the CPU",
    ],
    "training q4": [
        "train mode not restored", "argmax over the batch", "pictures left on the CPU", "labels left on the CPU",
    ],
    "training q5": [
        "no zero_grad", "zero_grad after backward", "no step", "optimiser of another model", "eval while training",
        "softmax before cross-entropy", "labels shuffled apart from the pictures", "rows not shuffled, and sorted",
    ],
    "training q6": ["claimed accuracy", "fake loop", "one epoch", "training pictures learnt by heart"],
}  # fmt: skip


@pytest.mark.parametrize("place", PROMISED)
def test_listed_mistake_is_among_the_known_ones(
    place: str, exercise_of: Callable[[str], Exercise]
) -> None:
    slug, name = place.split()
    question = next(q for q in exercise_of(slug).master.questions if q.name == name)
    known = {answer.name for answer in question.answers if answer.kind == "wrong"}
    assert set(PROMISED[place]) <= known
