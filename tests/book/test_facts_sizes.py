"""What "Sizes" says is so: asked of PyTorch, of SciPy and of the chapter's own code."""

import re
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d
from skimage.transform import downscale_local_mean

from .chapter_code import BOOK, run_chapter

CHAPTER = BOOK / "sizes.md"
TEXT = CHAPTER.read_text(encoding="utf-8")

small = st.integers(1, 4)
rows_of_numbers = st.lists(st.integers(-9, 9).map(float), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("sizes")


def fits(n: int, kernel: int, padding: int, dilation: int) -> bool:
    return n + 2 * padding >= dilation * (kernel - 1) + 1


# --- counting places ---


@settings(deadline=None)
@given(
    n=st.integers(1, 40),
    kernel=st.integers(1, 7),
    stride=small,
    padding=st.integers(0, 5),
    dilation=small,
)
def test_output_sizes_agree_with_pytorch_over_random_settings(chapter, n, kernel, stride, padding, dilation):
    assume(fits(n, kernel, padding, dilation))
    line, window = torch.zeros(1, 1, 1, n), torch.zeros(1, 1, 1, kernel)
    theirs = F.conv2d(line, window, stride=(1, stride), padding=(0, padding), dilation=(1, dilation))
    assert theirs.shape[-1] == chapter["output_size"](n, kernel, stride, padding, dilation)


@given(
    n=st.integers(1, 40), kernel=st.integers(1, 7), stride=small, padding=st.integers(0, 5), dilation=small
)
def test_the_formula_counts_the_places_that_one_finds_by_trying(
    chapter, n, kernel, stride, padding, dilation
):
    assume(fits(n, kernel, padding, dilation))
    starts = range(-padding, n + padding, stride)
    fitting = [start for start in starts if start + dilation * (kernel - 1) < n + padding]
    assert chapter["output_size"](n, kernel, stride, padding, dilation) == len(fitting)


def test_the_captions_and_the_box_count_as_the_formula_does(chapter):
    size = chapter["output_size"]
    assert (size(10, 3), size(10, 3, stride=3)) == (8, 3)
    assert (size(10, 3, padding=1), size(10, 3, stride=2), size(10, 3, dilation=2)) == (10, 4, 6)
    by_hand = re.search(r"\| and the starting place \| (\d) \+ 1 \| \*\*(\d)\*\* \|", TEXT)
    assert by_hand is not None
    whole_steps, places = map(int, by_hand.groups())
    assert places == whole_steps + 1 == size(10, 3, stride=2, padding=1, dilation=2)


@given(n=st.integers(7, 60), half=st.integers(0, 3))
def test_an_odd_window_with_half_its_width_of_padding_keeps_the_size(chapter, n, half):
    assert chapter["output_size"](n, 2 * half + 1, padding=half) == n


@given(n=st.integers(8, 60), half=small, padding=st.integers(0, 5))
def test_no_equal_padding_lets_an_even_window_keep_the_size(chapter, n, half, padding):
    assert chapter["output_size"](n, 2 * half, padding=padding) != n


def test_the_self_checks_on_sizes_mark_the_true_answers(chapter):
    size = chapter["output_size"]
    assert size(32, 3, stride=2, padding=1) == 16
    assert (size(32, 4, padding=1), size(32, 4, padding=2)) == (31, 33)


@given(half=st.integers(1, 20))
def test_window_3_padding_1_stride_2_halves_even_sizes(chapter, half):
    assert chapter["output_size"](2 * half, 3, stride=2, padding=1) == half


def test_ten_even_blurs_move_the_spot_by_five_columns_and_odd_ones_do_not(chapter):
    assert chapter["glued"]["sizes_drift"] == pytest.approx(5)
    line = np.zeros((1, 61))
    line[0, 30] = 1
    for _ in range(10):
        line = cv2.blur(line, (3, 1))
    assert (line * np.arange(61)).sum() == pytest.approx(30)


# --- strides ---


@settings(deadline=None, max_examples=25)
@given(block=st.integers(1, 8), seed=st.integers(0, 99))
def test_the_block_mean_is_a_box_filter_with_a_stride(chapter, block, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (5 * block, 4 * block)).astype(float)
    box = np.full((block, block), 1 / block**2)
    # 1e-9: up to 64 numbers below 256, added in another order
    assert chapter["conv"](picture, box, stride=block) == pytest.approx(
        downscale_local_mean(picture, (block, block)), abs=1e-9
    )


def test_leaving_out_is_the_identity_kernel_with_a_stride(chapter):
    assert np.array_equal(chapter["left_out"], chapter["plate"][::8, ::8])


def test_false_rings_fade_as_the_blur_before_the_stride_widens(chapter):
    told = [chapter["glued"][f"sizes_ghost_{name}"] for name in ("none", "box3", "box8", "gaussian")]
    assert all(wider < narrower / 1.5 for narrower, wider in pairwise(told))


# --- receptive fields ---


def seen_by_perturbation(layers: list[tuple[int, int]], length: int) -> int:
    """How many cells of a line change its first result: one line for each cell, that cell lit."""
    lines = torch.eye(length, dtype=torch.float64)[:, None]
    for kernel, stride in layers:
        lines = F.conv1d(lines, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
    touched = np.flatnonzero(lines[:, 0, 0].numpy())
    return int(touched[-1] - touched[0] + 1)


@settings(deadline=None)
@given(layers=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2)), max_size=4))
def test_the_receptive_field_is_what_changing_one_cell_says(chapter, layers):
    formula = chapter["receptive_field"](layers)
    assert formula == seen_by_perturbation(layers, formula + 6)


def test_the_receptive_fields_in_the_text_are_the_ones_computed(chapter):
    field = chapter["receptive_field"]
    assert field([]) == 1
    assert [field([(3, 1)] * n) for n in range(4)] == [1, 3, 5, 7]
    assert [field([(3, 1), (3, 2), (3, 1)][:n]) for n in range(4)] == [1, 3, 5, 9]
    assert field([(3, 2), (3, 1)]) == 7
    assert field([(3, 1)] * 3) == field([(7, 1)])


def test_the_map_of_influence_fills_its_frame_and_nothing_else(chapter):
    influence, low, high = chapter["influence"], chapter["low"], chapter["high"]
    assert high - low == 9
    assert (influence[low:high, low:high] > 0).all()
    assert influence.sum() == pytest.approx(influence[low:high, low:high].sum())
    assert chapter["glued"]["sizes_influence_ratio"] == pytest.approx(25)


# --- separable kernels, channels, any size ---


@settings(deadline=None)
@given(column=rows_of_numbers, row=rows_of_numbers)
def test_two_passes_of_a_separable_kernel_equal_one_pass_of_the_full_one(chapter, column, row):
    down, across = np.array(column)[:, None], np.array(row)[None]
    coin = chapter["coins"][20:60, 20:60]
    # Whole numbers: nothing is rounded.
    in_two = chapter["conv"](chapter["conv"](coin, across), down)
    assert np.array_equal(in_two, correlate2d(coin.astype(float), down @ across, mode="valid"))


def test_the_text_calls_separable_what_has_one_kind_of_row(chapter):
    ranks = {name: np.linalg.matrix_rank(np.array(kernel)) for name, kernel in chapter["candidates"].items()}
    assert ranks == {"box": 1, "slope, smoothed": 1, "sharpen": 2, "diagonal": 3}
    options = [[[1, 2, 3], [2, 4, 6], [3, 6, 9]], [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.eye(3)]
    assert [np.linalg.matrix_rank(np.array(option)) == 1 for option in options] == [True, False, False]


def test_a_one_by_one_kernel_mixes_channels_and_looks_at_no_neighbour(chapter):
    sky, mixed = chapter["sky"].astype(float), chapter["mixed"]
    assert mixed[0] == pytest.approx(sky @ [0.299, 0.587, 0.114], abs=1e-3)  # float32 up to 255
    assert np.array_equal(mixed[1], sky[..., 0] - sky[..., 2])


@given(n=st.integers(3, 12), stride=small)
def test_the_votes_add_up_to_nine_for_each_window(chapter, n, stride):
    votes = chapter["visits"](n, 3, stride)
    assert votes.sum() == 9 * chapter["output_size"](n, 3, stride) ** 2


def test_the_network_accepts_26_to_33_pixels_and_pytorch_says_the_same(chapter):
    assert chapter["accepted"] == list(range(26, 34))
    for n in range(20, 40):
        picture = torch.zeros(1, 1, n, n)
        for kernel, stride, padding in chapter["steps"]:
            picture = F.conv2d(picture, torch.zeros(1, 1, kernel, kernel), stride=stride, padding=padding)
        assert picture.shape[-1] == chapter["final_size"](n)


# --- tiles ---


@settings(deadline=None, max_examples=20)
@given(core=st.integers(15, 90), seed=st.integers(0, 99))
def test_tiles_with_enough_overlap_give_the_whole_exactly(chapter, core, seed):
    halo = chapter["halo"]
    picture = np.random.default_rng(seed).integers(0, 256, (70, 103)).astype(float)
    whole = chapter["find_specks"](chapter["mirror_round"](picture, halo))[halo:-halo, halo:-halo]
    assert np.array_equal(chapter["filter_in_tiles"](picture, core, halo), whole)


def test_the_sky_in_tiles_is_the_whole_sky_and_one_pixel_less_of_halo_is_not_enough(chapter):
    whole, halo = chapter["whole"], chapter["halo"]
    assert halo == (chapter["receptive_field"]([(5, 1), (17, 1)]) - 1) // 2 == 10
    assert np.array_equal(chapter["overlapping"], whole)
    for border in (cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101):
        short = chapter["filter_in_tiles"](chapter["grey"], chapter["core"], halo - 1, border)
        assert not np.array_equal(short, whole)


def test_tiles_filtered_alone_go_wrong_at_their_borders_only_and_most_at_a_seam(chapter):
    error = np.abs(chapter["alone"] - chapter["whole"])
    core, halo = chapter["core"], chapter["halo"]
    for top, left, tile in chapter["tiles"](chapter["grey"], core, 0):
        rows, columns = tile.shape
        assert not error[top + halo : top + rows - halo, left + halo : left + columns - halo].any()
    row, column = np.unravel_index(error.argmax(), error.shape)
    assert min(abs(row - seam) for seam in (236, 472, 708)) <= halo
    assert halo < column < error.shape[1] - halo


def test_a_count_by_the_floor_leaves_strips_of_sky_unsearched(chapter):
    told = {name.removeprefix("sizes_"): value for name, value in chapter["glued"].items()}
    assert chapter["count"] == told["tiles_down"] * told["tiles_across"] == 20  # "Twenty tiles"
    assert told["fit_rows"] * told["core"] + told["strip_rows"] == told["sky_rows"]
    assert told["fit_columns"] * told["core"] + told["strip_columns"] == told["sky_columns"]
    assert min(told["strip_rows"], told["strip_columns"]) > 0


def test_counting_tile_by_tile_counts_specks_on_a_seam_twice(chapter):
    assert chapter["found_by_tile"] > chapter["found_whole"]
    assert chapter["found_glued"] == chapter["found_whole"]
