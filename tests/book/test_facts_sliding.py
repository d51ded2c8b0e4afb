"""What "The sliding window" says is so: asked of the real libraries and of the chapter's own code."""

import re
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import correlate
from scipy.signal import convolve2d, correlate2d

from .chapter_code import BOOK, run_chapter

CHAPTER = BOOK / "sliding-window.md"
TEXT = CHAPTER.read_text(encoding="utf-8")

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], dtype=float)
SLOPE = np.array([[0, 0, 0], [-1, 0, 1], [0, 0, 0]], dtype=float)

# Whole numbers small enough that nine products add up without rounding, in float32 too.
pictures = arrays(np.uint8, st.tuples(st.integers(3, 9), st.integers(3, 9)))
kernels = arrays(np.float64, (3, 3), elements=st.integers(-9, 9).map(float))


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("sliding-window")


def test_the_sum_in_the_text_is_the_sum_of_nine_products_of_real_pixels(chapter):
    told = {name.removeprefix("sliding_window_"): value for name, value in chapter["glued"].items()}
    assert told["five"] - told["up"] - told["left"] - told["right"] - told["down"] == told["sum"]
    assert np.array_equal(chapter["window"], chapter["coins"][206:209, 209:212])
    assert told["sum"] == chapter["by_hand"][44, 27]  # the same place, found by the walk over the coin


def test_sharpening_pushes_the_middle_four_times_as_far_from_its_neighbours(chapter):
    told = chapter["glued"]
    pushed = told["sliding_window_sum"] - told["sliding_window_centre"]
    assert pushed == pytest.approx(4 * told["sliding_window_excess"])
    assert told["sliding_window_excess"] > 0  # "a little brighter than its four neighbours"


def test_the_example_in_the_formula_box_adds_up():
    matrices = [
        np.array([[float(number) for number in row.split("&")] for row in body.split(r"\\")])
        for body in re.findall(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", TEXT)
    ]
    window, kernel, products = matrices
    assert np.array_equal(window * kernel, products)
    assert re.search(rf"= {products.sum():.0f}\. The middle was {window[1, 1]:.0f}\.", TEXT)


@settings(deadline=None)
@given(picture=pictures, kernel=kernels)
def test_the_loop_agrees_with_opencv_and_scipy(chapter, picture, kernel):
    walked = chapter["slide"](picture, kernel)
    assert np.array_equal(walked, cv2.filter2D(picture.astype(np.float32), -1, kernel)[1:-1, 1:-1])
    assert np.array_equal(walked, correlate2d(picture.astype(float), kernel, mode="valid"))


def test_the_loop_reads_the_original_only(chapter):
    picture = chapter["coin"].copy()
    chapter["slide"](picture, SHARPEN)
    assert np.array_equal(picture, chapter["coin"])


def test_writing_in_place_gives_another_picture(chapter):
    wet = chapter["coin"].astype(float)
    for row in range(62):
        for column in range(62):
            wet[row + 1, column + 1] = (SHARPEN * wet[row : row + 3, column : column + 3]).sum()
    assert not np.array_equal(wet[1:-1, 1:-1], chapter["by_hand"])


@given(kernel=kernels)
def test_correlation_turns_an_impulse_into_the_rotated_kernel_and_convolution_does_not(kernel):
    impulse = np.zeros((5, 5))
    impulse[2, 2] = 1
    assert np.array_equal(cv2.filter2D(impulse, -1, kernel)[1:4, 1:4], kernel[::-1, ::-1])
    assert np.array_equal(convolve2d(impulse, kernel, mode="same")[1:4, 1:4], kernel)


def test_the_kernel_of_the_impulse_figure_can_tell_the_two_apart(chapter):
    stencil = chapter["stencil"]
    assert not np.array_equal(stencil, np.rot90(stencil, 2))
    assert np.array_equal(chapter["correlated"][1:4, 1:4], np.rot90(stencil, 2))
    assert np.array_equal(chapter["convolved"][1:4, 1:4], stencil)


def test_conv2d_of_pytorch_correlates():
    import torch  # here, because it takes seconds and only this test needs it

    impulse = torch.zeros(1, 1, 5, 5)
    impulse[0, 0, 2, 2] = 1
    layer = torch.nn.Conv2d(1, 1, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, 10.0).reshape(1, 1, 3, 3))
        answer = layer(impulse)[0, 0].numpy()
    assert answer.tolist() == [[9, 8, 7], [6, 5, 4], [3, 2, 1]]


def test_only_the_symmetric_option_of_the_self_check_survives_a_half_turn(chapter):
    stencils = chapter["stencils"]
    same = {name for name, stencil in stencils.items() if np.array_equal(stencil, np.rot90(stencil, 2))}
    assert same == {"identity", "box blur", "Gaussian blur", "sharpen", "box blur, 9 × 9"}
    assert np.array_equal(chapter["slope"], -np.rot90(chapter["slope"], 2))


@given(level=st.integers(0, 255))
def test_weights_that_add_up_to_one_leave_flat_areas_alone(chapter, level):
    wall = np.full((12, 12), float(level))
    for name, stencil in chapter["stencils"].items():
        # 1e-9: 81 rounded weights of 1/81 times 255 err by far less
        assert cv2.filter2D(wall, -1, stencil) == pytest.approx(wall, abs=1e-9), name


@given(level=st.integers(0, 255))
def test_weights_that_add_up_to_zero_say_nothing_about_flat_areas(chapter, level):
    assert not cv2.filter2D(np.full((5, 5), float(level)), -1, chapter["slope"]).any()


def test_sharpening_raises_the_grain_and_keeps_the_mean(chapter):
    cloth, sharp = chapter["coins"][chapter["backdrop"]], chapter["sharp"][chapter["backdrop"]]
    assert sharp.std() > 1.5 * cloth.std()
    assert sharp.mean() == pytest.approx(cloth.mean(), abs=0.5)  # only the rim of the piece differs


def test_a_wall_of_90_under_nine_ninths_and_one_more_becomes_100():
    kernel = np.full((3, 3), 1 / 9)
    kernel[1, 1] = 2 / 9
    assert cv2.filter2D(np.full((3, 3), 90.0), -1, kernel)[1, 1] == pytest.approx(100)


@settings(deadline=None)
@given(picture=pictures)
def test_uint8_keeps_only_the_positive_half_of_a_signed_answer(picture):
    answer = cv2.filter2D(picture.astype(np.float32), -1, SLOPE)
    assert np.array_equal(cv2.filter2D(picture, -1, SLOPE), answer.clip(0, 255))


def test_about_half_of_the_answers_on_the_coin_are_lost_in_uint8(chapter):
    assert 45 < chapter["glued"]["sliding_window_lost_percent"] < 55
    assert (chapter["clipped"][chapter["answer"] < 0] == 0).all()


def test_a_sum_of_minus_40_saturates_in_opencv_and_wraps_in_numpy():
    picture = np.array([[0, 0, 0], [40, 0, 0], [0, 0, 0]], dtype=np.uint8)
    assert cv2.filter2D(picture.astype(np.float32), -1, SLOPE)[1, 1] == -40
    assert cv2.filter2D(picture, -1, SLOPE)[1, 1] == 0
    assert picture[1, 1:2] - picture[1, 0:1] == 216


def test_clipping_after_saturation_changes_nothing_although_sums_were_lost(chapter):
    assert np.array_equal(chapter["safe"], chapter["sharp_uint8"])
    assert chapter["outside"].mean() > 0.05


def test_filter2d_reflects_without_repeating_the_edge(chapter):
    corner = chapter["coins"][:6, :6].astype(float)
    ours = cv2.filter2D(corner, -1, SHARPEN)
    assert np.array_equal(ours, correlate(corner, SHARPEN, mode="mirror"))
    assert not np.array_equal(ours, correlate(corner, SHARPEN, mode="reflect"))


def test_a_five_wide_window_costs_four_rows_and_four_columns():
    assert correlate2d(np.zeros((100, 60)), np.ones((5, 5)), mode="valid").shape == (96, 56)


def test_a_colour_picture_is_filtered_channel_by_channel(chapter):
    assert np.array_equal(chapter["all_blurred"], chapter["one_by_one"])
    assert np.array_equal(chapter["red_blurred"][..., 1:], chapter["coffee"][..., 1:])


def test_no_single_threshold_can_read_the_page_but_one_can_after_the_subtraction(chapter):
    assert chapter["dark_paper"] < chapter["faint_ink"]  # paper here is darker than ink there
    even, paper, ink = chapter["even"], (8, 37), (171, 153)
    limit = chapter["threshold_otsu"](even)
    assert even[ink] < limit < even[paper]


def test_a_blur_as_wide_as_the_page_leaves_the_shadows_in(chapter):
    page = chapter["page"]
    left = chapter["difference_from_surroundings"](page, 2 * page.shape[1] - 1)
    assert np.corrcoef(left.ravel(), page.ravel())[0, 1] > 0.99


# --- Try it yourself ---


@given(picture=pictures)
def test_a_single_one_at_the_right_shifts_the_picture_to_the_left(chapter, picture):
    shift = np.zeros((3, 3))
    shift[1, 2] = 1
    assert np.array_equal(chapter["slide"](picture, shift), picture[1:-1, 2:])


def test_the_suggested_patch_has_sums_that_no_grey_can_show(chapter):
    sums = chapter["by_hand"][20:26, 20:26]
    assert ((sums < 0) | (sums > 255)).any()
    assert not ((sums < 0) | (sums > 255)).all()
