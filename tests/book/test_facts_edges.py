"""What "Edges" says is so: asked of the real libraries and of the chapter's own code."""

import re
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import sobel, uniform_filter

from .chapter_code import BOOK, run_chapter

CHAPTER = BOOK / "edges.md"
TEXT = CHAPTER.read_text(encoding="utf-8")

pictures = arrays(np.uint8, st.tuples(st.integers(3, 9), st.integers(3, 9)))


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("edges")


def told(chapter: dict[str, Any], name: str) -> Any:
    return chapter["glued"][f"edges_{name}"]


@given(picture=pictures)
def test_the_gradients_are_scipys_sobel_with_a_reflected_border(chapter, picture):
    gx, gy = chapter["gradients"](picture)
    assert np.array_equal(gx, sobel(picture.astype(float), axis=1, mode="mirror"))
    assert np.array_equal(gy, sobel(picture.astype(float), axis=0, mode="mirror"))


def test_the_sobel_kernel_is_a_blur_times_a_difference(chapter):
    assert np.array_equal(chapter["sobel_x"], np.outer([1, 2, 1], [-1, 0, 1]))


def test_a_rise_of_one_level_per_pixel_gives_eight(chapter):
    gx, gy = chapter["gradients"](np.tile(np.arange(9.0), (9, 1)))
    assert (gx[:, 1:-1] == 8).all()
    assert not gy.any()


@pytest.mark.parametrize(("strokes", "finder", "blind"), [("upright", 0, 1), ("lying", 1, 0)])
def test_change_across_a_stroke_finds_it_and_change_along_it_does_not(chapter, strokes, finder, blind):
    picture = np.full((15, 15), 225.0)
    picture[:, 6:9] = 45
    if strokes == "lying":
        picture = picture.T
    answers = chapter["gradients"](picture)
    assert answers[finder].any()
    assert not answers[blind].any()
    # Into ink it gets darker, out of it brighter again.
    across = answers[finder][7] if strokes == "upright" else answers[finder][:, 7]
    assert across[5] < 0 < across[9]


def test_the_hillside_in_the_formula_box_is_worked_out_rightly(chapter):
    bodies = re.findall(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", TEXT)
    hill = np.array([[float(number) for number in row.split("&")] for row in bodies[-1].split(r"\\")])
    gx, gy = (answer[1, 1] for answer in chapter["gradients"](hill))
    assert (gx, gy) == (24, 32)
    assert chapter["magnitude"](hill)[1, 1] == 40
    assert "= 24." in TEXT
    assert "= 32." in TEXT
    assert np.rint(np.degrees(np.arctan2(gy, gx))) == 53
    assert np.rint(chapter["edge_direction"](hill)[1, 1]) == 143


@pytest.mark.parametrize(("down", "right", "expected"), [(0, 1, 0), (1, 0, 90), (1, 1, 45), (1, -1, 135)])
@pytest.mark.parametrize("bright_side", [1, -1])
def test_the_direction_of_an_edge_does_not_know_which_side_is_bright(
    chapter, down, right, expected, bright_side
):
    rows, columns = np.indices((21, 21)) - 10.0
    ramp = bright_side * (rows * right - columns * down)  # constant along (down, right)
    direction = chapter["edge_direction"](ramp)[5:-5, 5:-5]
    off = (direction - expected + 90) % 180 - 90
    assert np.abs(off).max() < 1e-9
    assert direction.min() >= 0
    assert direction.max() < 180


@settings(deadline=None)
@given(picture=pictures)
def test_the_histogram_of_directions_adds_up_to_one(chapter, picture):
    if chapter["magnitude"](picture).any():
        assert chapter["orientation_histogram"](picture).sum() == pytest.approx(1)


def test_every_direction_of_an_edge_has_a_bin(chapter):
    rows, columns = np.indices((64, 64)) - 31.5
    cone = np.hypot(rows, columns)
    votes = chapter["orientation_histogram"](cone) * chapter["magnitude"](cone).sum()
    assert votes.sum() == pytest.approx(chapter["magnitude"](cone).sum())


def test_the_suspect_loses_the_share_that_the_chapter_tells(chapter):
    for picture, name in ((chapter["coin"], "lost_coin"), (chapter["coins"], "lost_coins")):
        whole = np.hypot(*chapter["gradients"](picture)) > 100
        cut = np.hypot(*(cv2.filter2D(picture, -1, k).astype(float) for k in KERNELS)) > 100
        assert told(chapter, name) == pytest.approx(1 - cut.sum() / whole.sum())
        assert 0.38 < told(chapter, name) < 0.52  # "nearly half"
        assert not (cut & ~whole).any()  # it loses edges and invents none


KERNELS = (
    np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=float),
    np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], dtype=float),
)


def test_the_suspect_sees_nothing_of_the_lower_right_of_a_bright_disc(chapter):
    cut_x, cut_y = chapter["clipped_gradients"](chapter["whole_numbers"])
    assert not cut_x[105:, 105:].any()
    assert not cut_y[105:, 105:].any()
    gx, gy = chapter["gradients"](chapter["whole_numbers"])
    assert np.array_equal(cut_x[:95, :95], gx[:95, :95].clip(0, 255))
    assert np.array_equal(cut_y[:95, :95], gy[:95, :95].clip(0, 255))


def test_the_suspect_piles_up_angles_at_0_and_90_on_a_disc_and_sees_nothing_beyond(chapter):
    angle = chapter["angle"]
    assert angle.min() == 0
    assert angle.max() == 90
    assert told(chapter, "towers") > 0.5
    assert told(chapter, "truth") == pytest.approx(1 / 90, abs=0.005)  # one degree in ninety, on a grid
    assert (angle == 0).mean() > 0.2
    assert (angle == 90).mean() > 0.2


def test_absolute_values_after_the_cut_change_nothing(chapter):
    for answer in chapter["clipped_gradients"](chapter["coin"]):
        assert np.array_equal(np.abs(answer), answer)


def test_the_mended_histogram_is_flat_within_a_tenth_on_the_disc(chapter):
    share = chapter["orientation_histogram"](chapter["disc"])
    assert np.abs(share * 36 - 1).max() < 0.1


def test_the_suspects_histogram_is_not_flat_on_the_disc(chapter):
    cut_x, cut_y = chapter["clipped_gradients"](chapter["whole_numbers"])
    direction = (np.degrees(np.arctan2(cut_y, cut_x)) + 90) % 180
    votes, _ = np.histogram(direction, 36, (0, 180), weights=np.hypot(cut_x, cut_y))
    assert np.abs(votes / votes.sum() * 36 - 1).max() > 1


def test_one_vote_for_each_pixel_would_let_the_grain_speak(chapter):
    grainy = chapter["disc"] + np.random.default_rng(0).normal(0, 3, chapter["disc"].shape)
    flat = np.hypot(*(np.indices((200, 200)) - 99.5)) > 90  # nothing there but grain
    voters, voices = flat.mean(), chapter["magnitude"](grainy)
    assert voices[flat].sum() / voices.sum() < 0.7 * voters


def test_the_longest_contour_is_the_rim_of_the_coin(chapter):
    outline = chapter["outline"]
    assert np.array_equal(outline[0], outline[-1])  # closed
    middle = outline[:-1].mean(axis=0)
    radii = np.hypot(*(outline - middle).T)
    assert np.ptp(radii) < 6  # pixels: nearly a circle
    assert told(chapter, "diameter") == pytest.approx(2 * radii.mean(), abs=0.5)
    assert told(chapter, "diameter_high") < told(chapter, "diameter") < told(chapter, "diameter_low")


def test_edge_density_is_a_box_filter(chapter):
    # 1e-12: 961 ones and zeros add up exactly; only the division rounds
    assert np.abs(chapter["density"] - chapter["box"]).max() < 1e-12
    assert np.abs(chapter["density"] - uniform_filter(chapter["marks"], 31, mode="mirror")).max() < 1e-12


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("skew", [-14.9, -7.3, -0.6, 0.0, 3.1, 15.0])
@pytest.mark.parametrize("dirt", [{}, {"shading": 0.5, "noise": 16.0}], ids=["clean", "dirty"])
def test_the_row_sums_find_the_skew_within_half_a_degree(chapter, seed, skew, dirt):
    page = chapter["text_page"](seed=seed, skew=skew, **dirt)
    found = chapter["trials"][np.argmax(chapter["row_sum_spread"](page))]
    assert abs(found - skew) <= 0.5


def test_the_row_sums_read_lines_where_the_peak_reads_leaning_letters(chapter):
    assert abs(chapter["peak_skew"](chapter["italic"]) - chapter["skew"]) > 5
    assert abs(told(chapter, "italic_search") - chapter["skew"]) <= 0.5


def test_the_peak_errs_more_than_half_a_bin_and_finer_bins_do_not_mend_it(chapter):
    assert 2.5 <= told(chapter, "peak_worst") <= 5
    assert told(chapter, "peak_narrow") > told(chapter, "search_worst")
    assert told(chapter, "peak_narrow") > 2


def test_turning_a_page_back_brings_its_lines_level(chapter):
    page = chapter["text_page"](seed=5, skew=6.0)
    back = chapter["rotate"](page, -6.0)
    assert back.sum(axis=1).std() > 2 * page.sum(axis=1, dtype=float).std()
    assert np.corrcoef(back.ravel(), chapter["text_page"](seed=5).ravel())[0, 1] > 0.9


def test_the_same_arguments_draw_the_same_page(chapter):
    draw = chapter["text_page"]
    dirty = {"skew": 2.0, "shading": 0.4, "noise": 5.0}
    assert np.array_equal(draw(seed=1, **dirty), draw(seed=1, **dirty))
    assert not np.array_equal(draw(seed=1), draw(seed=2))
    assert draw(seed=1).shape == (400, 600)
    assert draw(300, 500, seed=1).shape == (300, 500)
    assert draw(seed=1, **dirty).dtype == np.uint8


def test_a_positive_skew_makes_lines_fall_to_the_right(chapter):
    page = chapter["text_page"](seed=1, skew=5)
    first_ink = [
        np.flatnonzero((page[:, part] < 130).any(axis=1))[0] for part in (np.s_[60:160], np.s_[400:500])
    ]
    assert first_ink[0] + 20 < first_ink[1]


def test_shading_darkens_only_and_noise_has_the_spread_it_says(chapter):
    draw = chapter["text_page"]
    clean, shaded, noisy = draw(seed=1), draw(seed=1, shading=0.5), draw(seed=1, noise=10)
    assert (shaded <= clean).all()
    assert shaded.min() < 0.6 * clean.min()
    assert (noisy.astype(float) - clean).std() == pytest.approx(10, rel=0.05)


def test_every_letter_on_a_straight_page_stands_where_it_is_said_to_stand(chapter):
    page = chapter["text_page"](seed=7)
    places = chapter["letters_on_page"](seed=7)
    drawn = np.full_like(page, chapter["PAPER"])
    for name, row, column in places:
        drawn[row : row + 14, column : column + 10] = chapter["letter"](name)
    assert np.array_equal(page, drawn)
    assert len(places) > 300


def test_the_alphabet_has_23_letters_of_one_size_no_two_alike_and_the_words_need_no_others(chapter):
    alphabet = chapter["ALPHABET"]
    assert len(alphabet) == 23
    assert len(set(alphabet.values())) == 23
    assert {chapter["letter"](name).shape for name in alphabet} == {(14, 10)}
    assert set("".join(chapter["WORDS"])) <= set(alphabet)
