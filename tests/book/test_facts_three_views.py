"""What "Three views of one operation" says is so: asked of the chapter's own code and of the recorded run."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from .chapter_code import BOOK, run_chapter

CHAPTER = BOOK / "three-views.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
RESULTS = BOOK.parent / "benchmarks" / "results"
RECORD = json.loads((RESULTS / "convolution.json").read_text(encoding="utf-8"))

THE_EYE = (86, 132)  # where the template was cut out


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("three-views")


# The three views


@settings(deadline=None)
@given(data=st.data())
def test_table_and_waves_equal_the_loop_for_any_shape(chapter, data):
    tall, wide = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)), label="kernel")
    more = data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12)), label="picture is larger by")
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    picture = numbers.normal(size=(tall + more[0], wide + more[1]))
    kernel = numbers.normal(size=(tall, wide))
    walked = chapter["by_loop"](picture, kernel)
    assert walked.shape == (more[0] + 1, more[1] + 1)
    # 1e-12: at most 49 products of numbers near 1, rounded to sixteen digits, in another order
    np.testing.assert_allclose(walked, correlate2d(picture, kernel, mode="valid"), rtol=0, atol=1e-12)
    for view in ("by_table", "by_waves"):
        np.testing.assert_allclose(chapter[view](picture, kernel), walked, rtol=0, atol=1e-12)


def test_all_views_agree_on_the_photograph_to_a_billionth_of_a_grey_level(chapter):
    for name, answer in chapter["answers"].items():
        assert np.abs(answer - chapter["walked"]).max() < 1e-9, name


def test_a_turned_or_transposed_kernel_would_have_been_noticed(chapter):
    kernel = chapter["scrambler"]
    assert len(np.unique(kernel)) == kernel.size
    unturned = convolve2d(chapter["cat"], kernel, mode="valid")
    assert np.abs(unturned - chapter["walked"]).max() > 100


def test_the_hand_example_of_the_table_adds_up(chapter):
    matrices = [
        np.array([[float(number) for number in row.split("&")] for row in body.split(r"\\")])
        for body in re.findall(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", TEXT)
    ]
    picture, kernel, table, column, sums = matrices
    windows = [picture[r : r + 2, c : c + 2].ravel() for r in range(2) for c in range(2)]
    assert np.array_equal(table, windows)
    assert np.array_equal(column, kernel.reshape(4, 1))
    assert np.array_equal(table @ column, sums)
    assert np.array_equal(chapter["by_loop"](picture, kernel).ravel(), sums.ravel())


def test_the_hand_example_of_the_waves_adds_up():
    flat, zigzag = np.array([1, 1]), np.array([1, -1])
    picture = 3 * flat + 2 * zigzag
    assert picture.tolist() == [5, 1]
    for wave, factor in ((flat, 0), (zigzag, 2), (picture, None)):
        answer = wave - np.roll(wave, 1)
        if factor is not None:
            assert np.array_equal(answer, factor * wave)
    assert (picture - np.roll(picture, 1)).tolist() == [4, -4]


def test_the_framed_row_of_the_table_is_the_framed_window(chapter):
    assert chapter["table"][4].tolist() == chapter["small"][1:3, 1:3].ravel().tolist() == [6, 7, 10, 11]
    assert np.array_equal(
        chapter["product"][4], chapter["by_loop"](chapter["small"], chapter["corner"])[1, 1]
    )


def test_sixteen_kernels_are_sixteen_columns_of_one_product(chapter):
    numbers = np.random.default_rng(1)
    picture, kernels = numbers.normal(size=(9, 8)), numbers.normal(size=(16, 3, 3))
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3))
    answers = windows.reshape(-1, 9) @ kernels.reshape(16, 9).T
    for kernel, answer in zip(kernels, answers.T, strict=True):
        np.testing.assert_allclose(answer.reshape(7, 6), chapter["by_loop"](picture, kernel), atol=1e-12)


def test_a_ten_by_ten_picture_gives_64_rows_of_9():
    windows = np.lib.stride_tricks.sliding_window_view(np.zeros((10, 10)), (3, 3))
    assert windows.reshape(-1, 9).shape == (64, 9)


def test_all_waves_together_are_the_photograph(chapter):
    back = chapter["strongest"](chapter["recipe"].size)
    assert np.abs(back - chapter["cat"]).max() < 1e-9


@settings(deadline=None)
@given(turns=st.integers(0, 31), seed=st.integers(0, 2**32 - 1))
def test_a_window_only_scales_and_shifts_a_wave(chapter, turns, seed):
    kernel = np.random.default_rng(seed).normal(size=5)
    angle = 2 * np.pi * turns * np.arange(64) / 64
    answer = chapter["correlate1d"](np.cos(angle), kernel, mode="wrap")
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # every shift is a sum of these two
    parts = np.linalg.lstsq(waves, answer, rcond=None)[0]
    assert np.abs(waves @ parts - answer).max() < 1e-9


@pytest.mark.parametrize("side", [3, 5, 31])
def test_wrap_around_reaches_one_pixel_less_than_the_kernel_is_wide(chapter, side):
    cat = chapter["cat"]
    kernel = np.random.default_rng(side).random((side, side))
    wrapped = chapter["multiply_waves"](cat, kernel, cat.shape)
    walked = correlate2d(cat, kernel, mode="valid")
    wrong = np.abs(wrapped - correlate2d(cat, kernel, mode="full")[: cat.shape[0], : cat.shape[1]]) > 1e-6
    assert wrong[: side - 1].any()
    assert wrong[:, : side - 1].any()
    assert not wrong[side - 1 :, side - 1 :].any()
    np.testing.assert_allclose(wrapped[side - 1 :, side - 1 :], walked, rtol=0, atol=1e-6)


# The timings


def test_the_page_draws_the_recorded_run_and_nothing_else(chapter):
    methods = RECORD["methods"]
    assert chapter["kernel_sizes"] == RECORD["kernel_sizes"]
    assert chapter["nanoseconds"] == {name: found["median_ns_per_sum"] for name, found in methods.items()}
    assert chapter["loop_rows"] == {
        name: found["rows"] for name, found in methods.items() if name.startswith("loops")
    }
    assert f"n = {RECORD['n']}" in chapter["measured"]
    assert RECORD["date"][:10] in chapter["measured"]


def test_the_loaded_file_is_what_the_benchmark_writes_from_its_record(monkeypatch):
    monkeypatch.syspath_prepend(str(RESULTS.parent))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")  # it sets them; this puts them back afterwards
    benchmark = runpy.run_path(str(RESULTS.parent / "convolution.py"))
    written = (RESULTS / "convolution_timings.py").read_text(encoding="utf-8")
    assert benchmark["timings_as_python"](RECORD) == written


def test_the_record_names_its_medians_honestly():
    side = RECORD["picture"]["shape"][1]
    for name, found in RECORD["methods"].items():
        for n, k in enumerate(RECORD["kernel_sizes"]):
            sums = found["rows"][n] * (side - k + 1)
            assert len(found["seconds"][n]) == RECORD["n"]
            median = np.median(found["seconds"][n]) * 1e9 / sums
            assert found["median_ns_per_sum"][n] == pytest.approx(median, rel=1e-3)  # four digits are kept
            if not name.startswith("loops"):
                assert found["rows"][n] == side - k + 1
        assert max(found["largest_difference"]) < 2e-5


def test_the_sentences_about_the_timings_are_true_of_the_record(chapter):
    times, told = chapter["nanoseconds"], chapter["glued"]
    waves, opencv = times["FFT, scipy.fft"], times["cv2.filter2D"]
    direct = [times[name] for name in times if name not in ("FFT, scipy.fft", "cv2.filter2D")]
    wins = chapter["kernel_sizes"].index(told["three_views_fft_wins"])
    assert all(waves[n] < other[n] for other in direct for n in range(wins, len(waves)))
    passes = chapter["kernel_sizes"].index(told["three_views_fft_passes"])
    assert all(waves[n] < opencv[n] for n in range(passes, len(waves)))
    assert all(waves[n] > opencv[n] for n in range(passes))
    assert told["three_views_fft_growth"] < 4 < 50 < told["three_views_slices_growth"]
    lists, arrays = times["loops on lists"], times["loops on an array"]
    assert all(slow > 2 * fast for slow, fast in zip(arrays, lists, strict=True))
    assert opencv[-1] < 3 * opencv[-3]  # it bends: from 15 to 31 there are four times as many products
    assert max(opencv[0], waves[0]) == waves[0]  # and starts below the waves


def test_the_small_race_runs(chapter, capsys):
    chapter["race"](3, rounds=1)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["by_table", "by_waves"]


# Letters and eyes


def test_the_plain_sum_finds_bare_paper(chapter):
    row, column = chapter["best"]
    assert chapter["page"][row : row + 18, column : column + 12].min() > 150  # no ink in that window


@settings(deadline=None, max_examples=25)
@given(row=st.integers(0, 120), column=st.integers(0, 288))
def test_the_score_by_hand_is_the_librarys(chapter, row, column):
    window = chapter["page"][row : row + 18, column : column + 12]
    by_hand = chapter["likeness"](window, chapter["template"])
    assert chapter["score"][row, column] == pytest.approx(by_hand, abs=1e-3)  # float32, through an FFT


def test_the_page_is_the_courses_own(chapter):
    snippet = runpy.run_path(str(BOOK / "_snippets" / "text_page.py"))
    page = snippet["text_page"](**chapter["sheet"], shading=0.5, noise=6)
    assert np.array_equal(chapter["page"], page)
    lines = {row: "" for _, row, _ in chapter["letters"]}
    for name, row, _ in chapter["letters"]:
        lines[row] += name
    assert list(lines.values()) == [
        "MARENOXNIXLEX",
        "LIBERPONSLITTERA",
        "ZONAFENESTRAPER",
    ]  # as the alt text has it


def test_one_e_finds_every_e_of_its_page_and_the_f_besides(chapter):
    found, known = chapter["search"](chapter["page"]), chapter["known"]
    assert len(known) == sum(name == "E" for name, _, _ in chapter["letters"]) == 7
    assert all(chapter["near"](known, found))
    others = found[~np.array(chapter["near"](found, known))]
    ((row, column),) = [(y - 2, x - 1) for name, y, x in chapter["letters"] if name == "F"]
    assert others.tolist() == [[row, column]]
    assert len(chapter["search"](chapter["page"], bar=0.9)) == len(known)  # a higher bar keeps the F out


def test_it_finds_none_on_the_three_changed_pages(chapter):
    assert len(chapter["pages"]) == 3
    for changed, _ in chapter["pages"].values():
        assert len(chapter["search"](changed)) == 0


def test_the_crosses_stand_on_ink_of_the_changed_pages(chapter):
    for name, (changed, move) in chapter["pages"].items():
        for row, column in chapter["known"]:
            x, y = (move[:, :2] @ (column + 6, row + 9) + move[:, 2]).round().astype(int)
            around = changed[y - 12 : y + 13, x - 9 : x + 10]
            assert around.min() < 0.6 * around.max(), name


def test_a_bar_that_lets_all_in_lets_others_in_too(chapter):
    told = chapter["glued"]
    assert told["three_views_low_bar"] <= min(chapter["turned_es"] + chapter["inked_es"]) < 0.8
    assert told["three_views_low_bar_others"] >= 5
    assert told["three_views_larger_best"] < 0.5
    assert told["three_views_larger_others"] > told["three_views_other_letters"] / 4


def test_the_eye_outscores_everything_and_fur_outscores_the_other_eye(chapter):
    response = chapter["response"]
    assert np.unravel_index(response.argmax(), response.shape) == THE_EYE
    assert response.max() == pytest.approx(1, abs=1e-4)
    row, column = chapter["stops"]["2"]
    other = response[row - 12 : row + 13, column - 12 : column + 13].max()
    assert response[row, column] == other  # the best that can be said for the other eye
    assert other < response[chapter["stops"]["3"]] < 0.6


@pytest.mark.parametrize("trial", ["half the light", "light from one side", "turned by 10°"])
def test_the_eye_is_found_after(chapter, trial):
    assert np.abs(np.subtract(chapter["where"][trial], THE_EYE)).max() <= 3


@pytest.mark.parametrize(("trial", "size"), [("half the size", 0.5), ("twice the size", 2)])
def test_the_eye_is_missed_at_another_size(chapter, trial, size):
    middle = np.add(chapter["where"][trial], (32, 38))
    assert np.hypot(*(middle - size * np.array([118, 170]))) > 38  # further than half a template away


@pytest.mark.parametrize("trial", ["turned by 45°", "a negative"])
def test_the_eye_is_missed_after(chapter, trial):
    assert np.hypot(*np.subtract(chapter["where"][trial], THE_EYE)) > 76


def test_neither_eye_of_another_face_is_found(chapter):
    middle = np.add(chapter["where"]["another face"], (32, 38))
    for eye in ((50, 63), (52, 106)):  # in the cut-out of the face, before it is enlarged
        assert np.hypot(*(middle - 3.5 * np.array(eye))) > 76


def test_half_the_light_changes_nothing_and_a_negative_turns_the_score_over(chapter):
    eye = chapter["eye"]
    assert chapter["likeness"](0.5 * eye + 20, eye) == pytest.approx(1, abs=1e-5)
    assert chapter["likeness"](255 - eye, eye) == pytest.approx(-1, abs=1e-5)


def test_a_lower_bar_never_finds_fewer(chapter):
    above = [(chapter["score"] > bar).sum() for bar in (0.8, 0.5, 0.4, -1)]
    assert above == sorted(above)


def test_no_results_folder_holds_a_file_without_its_record():
    records = [path.stem for path in Path(RESULTS).glob("*.json")]
    for path in Path(RESULTS).glob("*.py"):  # cifar10_timings.py is made from two records
        assert any(record.startswith(path.stem.removesuffix("_timings")) for record in records), path.name
