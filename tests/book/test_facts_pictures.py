"""What "Pictures are numbers" says is so: asked of the real libraries and of the chapter's own code."""

from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.signal import correlate2d
from skimage.color import rgb2gray
from skimage.transform import downscale_local_mean

from .chapter_code import BOOK, run_chapter

CHAPTER = BOOK / "pictures-are-numbers.md"


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("pictures-are-numbers")


def channel_histograms(picture: np.ndarray) -> list[list[int]]:
    return [np.bincount(picture[..., c].ravel(), minlength=256).tolist() for c in range(3)]


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}


# --- rolling over ---


def test_uint8_rolls_over_upwards_and_downwards(chapter):
    assert (chapter["cells"] + 100).tolist() == [110, 200, 255, 0, 44]
    assert (chapter["cells"] - 20).tolist() == [246, 80, 135, 136, 180]


def test_thirty_minus_fifty_is_236_in_numpy_and_0_in_opencv():
    first, second = np.full((1, 1), 30, np.uint8), np.full((1, 1), 50, np.uint8)
    assert (first - second).item() == 236
    assert cv2.subtract(first, second).item() == 0
    assert (first.astype(float) - second).item() == -20


def test_the_wrapped_picture_is_wrong_exactly_where_the_sum_passes_255(chapter):
    coins, rolled, held = chapter["coins"], chapter["rolled"], chapter["held"]
    past = coins.astype(int) + 100 > 255
    assert np.array_equal(rolled != held, past)
    assert chapter["glued"]["pictures_are_numbers_rolled_share"] == past.mean() > 0.1


def test_going_to_float_and_back_loses_nothing_but_holding_at_255_does(chapter):
    coins = chapter["coins"]
    assert np.array_equal(coins.astype(float).astype(np.uint8), coins)
    assert not np.array_equal(chapter["held"] - 100, coins)


# --- colour ---


def test_opencv_reads_blue_first_and_the_advised_line_puts_it_right(chapter, tmp_path):
    Image.fromarray(chapter["china"]).save(tmp_path / "china.png")
    read = cv2.imread(str(tmp_path / "china.png"))
    assert np.array_equal(read, chapter["bgr"])
    assert np.array_equal(read[..., 0], chapter["china"][..., 2])
    assert np.array_equal(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), chapter["china"])


def test_luminance_weights_sum_to_one_so_grey_stays_grey(chapter):
    greys = np.repeat(np.arange(256.0)[:, None], 3, axis=1)
    # three products of numbers below 256 err by far less than 1e-9 in float64
    np.testing.assert_allclose(chapter["luminance"](greys), greys[:, 0], rtol=0, atol=1e-9)


def test_opencv_uses_the_chapters_weights_and_scikit_image_the_other_ones(chapter):
    china, luminance = chapter["china"], chapter["luminance"]
    # OpenCV rounds to whole numbers, in fixed-point arithmetic
    assert np.abs(cv2.cvtColor(china, cv2.COLOR_RGB2GRAY) - luminance(china)).max() < 0.6
    np.testing.assert_allclose(rgb2gray(np.eye(3)[None]).ravel(), [0.2125, 0.7154, 0.0721], atol=1e-12)


def test_luminance_tells_three_pure_colours_apart_and_the_plain_average_does_not(chapter):
    # the numbers in the figure's alt text
    assert chapter["pure"].mean(axis=2).tolist() == [[85, 85, 85]]
    assert np.rint(chapter["luminance"](chapter["pure"])).tolist() == [[76, 150, 29]]


def test_the_sum_by_hand_adds_up(chapter):
    parts = [chapter["glued"][f"pictures_are_numbers_part_{name}"] for name in ("red", "green", "blue")]
    assert sum(parts) == pytest.approx(chapter["glued"]["pictures_are_numbers_pixel_grey"], abs=1e-9)


# --- histograms ---


def test_shuffled_and_sorted_pictures_have_the_same_histogram(chapter):
    counts = [np.bincount(chapter[name].ravel(), minlength=256) for name in ("coins", "shuffled", "ordered")]
    assert np.array_equal(counts[0], counts[1])
    assert np.array_equal(counts[0], counts[2])
    # so do OpenCV's counts, whatever the shape it gives them
    by_opencv = [cv2.calcHist([chapter[name]], [0], None, [256], [0, 256]) for name in ("coins", "shuffled")]
    assert np.array_equal(*by_opencv)
    assert (chapter["shuffled"] != chapter["coins"]).mean() > 0.9


def test_three_channel_histograms_do_not_keep_the_colours(chapter):
    for one, other in [("black_white", "cyan_red"), ("china", "ghost")]:
        assert channel_histograms(chapter[one]) == channel_histograms(chapter[other])
        assert colours(chapter[one]) != colours(chapter[other])
    assert not colours(chapter["black_white"]) & colours(chapter["cyan_red"])


def test_the_wall_of_blue_is_sky(chapter):
    rows = np.nonzero(chapter["china"][..., 2] == 255)[0]
    assert (rows < chapter["china"].shape[0] / 2).mean() > 0.99


# --- shrinking ---


def test_nearest_says_black_and_the_mean_says_grey(chapter):
    board = chapter["board"]
    assert (board.mean(), set(np.unique(board))) == (127.5, {0, 255})
    assert set(chapter["nearest"].ravel()) == {0}
    assert set(chapter["mean"].ravel()) == {127.5}
    assert set(board[1::2, ::2].ravel()) == {255}  # the suggestion under "Try it yourself"


def test_opencv_and_scikit_image_agree_about_the_checkerboard(chapter):
    board = chapter["board"].astype(np.uint8)
    assert set(cv2.resize(board, (8, 8), interpolation=cv2.INTER_NEAREST).ravel()) == {0}
    assert set(cv2.resize(board, (8, 8), interpolation=cv2.INTER_AREA).ravel()) == {128}
    assert np.array_equal(downscale_local_mean(board, (2, 2)), chapter["mean"])
    assert chapter["glued"]["pictures_are_numbers_mean_rounded"] == 128


def test_every_third_pixel_of_a_checkerboard_is_a_checkerboard(chapter):
    third = chapter["board"][::3, ::3]
    assert np.array_equal(third, chapter["board"][: len(third), : len(third)])


def test_average_then_leave_out_is_a_box_filter_with_a_stride(chapter):
    plate = chapter["plate"]
    filtered = correlate2d(plate, np.full((8, 8), 1 / 64), mode="valid")
    np.testing.assert_allclose(filtered[::8, ::8], downscale_local_mean(plate, (8, 8)), rtol=0, atol=1e-9)


def test_leaving_pixels_out_invents_rings_and_averaging_hardly_does(chapter):
    corner = np.s_[:12, :12]  # one of the false bull's-eyes
    invented = chapter["left_out"][corner]
    averaged = chapter["averaged"][corner]
    assert np.ptp(invented) > 200
    assert averaged.std() < invented.std() / 8


# --- the case ---


def test_no_single_threshold_fits_the_coins(chapter):
    background, coin = chapter["coins"][:15, :200], chapter["dim_coin"]
    errors = [max((background > t).mean(), (coin <= t).mean()) for t in range(256)]
    assert min(errors) > 0.1  # the best compromise still gets a tenth of one of the two wrong
