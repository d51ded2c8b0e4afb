"""What "Colour pictures" says is so: asked of PyTorch, of other arithmetic and of the chapter itself."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from .chapter_code import BOOK, run_chapter

TEXT = (BOOK / "colour-pictures.md").read_text(encoding="utf-8")
RESULTS = BOOK.parent / "benchmarks" / "results"
CIFAR10 = BOOK.parents[1] / "shared" / "data" / "cifar10"
Chapter = dict[str, Any]


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    return run_chapter("colour-pictures")


def told(chapter: Chapter, name: str) -> Any:
    return chapter["glued"][f"colour_{name}"]


def printed(chapter: Chapter, code: str) -> str:
    """What the cell printed in which such code stands."""
    return next(text for cell, text in chapter["printed"] if code in cell.source)


def parameters(net: nn.Module) -> int:
    return sum(part.numel() for part in net.parameters())


# --- the pictures ---


def test_it_shows_tiny_museum_and_says_so_without_asking_the_hub(chapter):
    assert told(chapter, "set") == "Tiny Museum"
    assert "the Hub did not answer" not in " ".join(printed(chapter, "load_pictures(").split())
    assert "was computed with {glue:text}`colour_set`.**" in TEXT


def test_the_switches_are_off_and_no_other_cell_sets_them(chapter):
    assert [chapter[name] for name in ("FROM_HUB", "FULL", "PICTURES")] == [False, False, None]


def test_the_three_piles_share_no_picture_and_hold_all_there_are(chapter):
    kept = [{picture.numpy().tobytes() for picture in pile} for pile, _ in chapter["piles"].values()]
    assert [len(pile) for pile in kept] == [3000, 600, 1000]
    assert len(set.union(*kept)) == 4600
    for _, labels in chapter["piles"].values():
        assert len(labels.unique()) == 10


def test_bytes_take_a_quarter_of_what_floats_take(chapter):
    one = torch.zeros(3, 32, 32)
    assert told(chapter, "bytes") == one.byte().nbytes * 50_000 / 1e6 == pytest.approx(153.6)
    assert told(chapter, "floats") == one.nbytes * 50_000 / 1e6 == pytest.approx(614.4)


# --- mean and spread ---


def test_mean_and_spread_are_those_of_the_training_pile_and_of_nothing_else(chapter):
    floats = chapter["piles"]["training"][0].double() / 255
    assert chapter["mean"] == pytest.approx(floats.mean(dim=(0, 2, 3)), abs=1e-9)
    assert chapter["spread"] == pytest.approx(floats.std(dim=(0, 2, 3), correction=0), abs=1e-9)
    everything = torch.cat([pile for pile, _ in chapter["piles"].values()]).double() / 255
    assert (everything.mean(dim=(0, 2, 3)) - chapter["mean"]).abs().min() > 1e-6


@settings(max_examples=20, deadline=None)
@given(many=st.integers(1, 5), seed=st.integers(0, 99))
def test_a_histogram_of_levels_counts_every_pixel_once(chapter, many, seed):
    images = np.random.default_rng(seed).integers(0, 256, (many, 3, 4, 6), dtype=np.uint8)
    counts = chapter["level_counts"](torch.tensor(images))
    for channel in range(3):
        assert counts[channel].tolist() == np.bincount(images[:, channel].ravel(), minlength=256).tolist()


def test_preparing_twice_starts_from_the_same_bytes_both_times(chapter):
    pictures = chapter["piles"]["training"][0][:50]
    once, twice = chapter["prepare"](pictures), chapter["prepare"](pictures)
    assert torch.equal(once, twice)
    assert pictures.dtype == torch.uint8
    assert once.dtype == torch.float32


def test_standardised_twice_is_further_off_than_not_at_all(chapter):
    mean, spread = (float(chapter[name][1]) for name in ("mean", "spread"))
    centres = chapter["centres"]
    assert centres["standardised"] == pytest.approx((0, 1), abs=1e-9)
    assert centres["standardised twice"] == pytest.approx((-mean / spread, 1 / spread))
    assert abs(centres["standardised twice"][0]) > centres["as stored"][0]
    assert told(chapter, "twice_mean").startswith("−")


# --- batches ---


def test_the_batches_of_an_epoch_are_64_and_a_rest(chapter):
    assert chapter["sizes"] == [64] * 46 + [3000 - 46 * 64]
    assert printed(chapter, "def batches") == "47 batches, the last one of 56\n"


def test_the_mean_by_hand_is_the_mean_over_all_pictures():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)
    sizes, losses, products = (np.array(column, dtype=int) for column in zip(*rows, strict=True))
    assert (sizes * losses).tolist() == products.tolist()
    everything = np.repeat(losses, sizes)
    assert f"{everything.mean():.2f}" == "2.18"
    assert f"{sizes.sum()} | | {products.sum()}, and {products.sum()} / {sizes.sum()} = **2.18**" in TEXT
    assert losses.mean() == 3
    assert sizes.sum() // sizes[-1] == 17  # "a seventeenth"


def test_an_epoch_counts_a_small_last_batch_for_what_it_holds(chapter, monkeypatch):
    pictures, labels = (part[:136] for part in chapter["piles"]["training"])
    monkeypatch.setitem(chapter, "piles", {"training": (pictures, labels)})
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))  # the same whether it is learning or asked
    still = torch.optim.SGD(net.parameters(), lr=0)
    learned = chapter["one_epoch"](net, still, None, chapter["as_it_is"])
    loss, _ = chapter["judge"](chapter["ask"](net, "training"), "training")
    assert learned == pytest.approx(loss, rel=1e-5)  # sums of float32 in another order


# --- the original network ---


def test_the_original_network_has_the_parameters_of_the_notebook(chapter):
    assert parameters(chapter["original"]()) == told(chapter, "big") == 2_997_642
    kernels = [(3, 64, 4), (64, 192, 4), (192, 384, 3), (384, 256, 3), (256, 256, 3)]
    linear = [(1024, 512), (512, 256), (256, 10)]
    by_hand = sum(o * (i * k * k + 1) for i, o, k in kernels) + sum(o * (i + 1) for i, o in linear)
    assert by_hand == 2_997_642


def test_the_figure_draws_the_sizes_and_counts_of_the_network(chapter):
    *stages, together = chapter["stages"]
    assert [size for _, size, _ in stages] == [
        *((3, 32, 32), (64, 15, 15), (192, 6, 6), (384, 6, 6), (256, 6, 6), (256, 2, 2)),
        *((512, 1, 1), (256, 1, 1), (10, 1, 1)),
    ]
    counts = [int(count.replace(",", "")) for *_, count in stages[1:]]
    assert sum(counts) == int(together[2].replace(",", "")) == 2_997_642


def test_it_accepts_26_to_33_pixels_and_the_small_one_any(chapter):
    assert chapter["fits"] == list(range(26, 34))
    assert (told(chapter, "least"), told(chapter, "most")) == (26, 33)
    with torch.no_grad():
        assert all(chapter["takes"](chapter["small"], size) for size in (8, 31, 64, 101))


def test_an_error_that_is_not_about_the_size_is_not_taken_for_one(chapter):
    class Broken(nn.Module):
        def forward(self, images):
            raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        chapter["takes"](Broken(), 32)


# --- guessing ---


def test_three_epochs_of_the_original_recipe_are_guessing(chapter):
    assert len(chapter["big_record"]) == told(chapter, "big_epochs") == 3
    for learned, loss, right in chapter["big_record"]:
        assert learned == pytest.approx(np.log(10), abs=0.005)
        assert loss == pytest.approx(np.log(10), abs=0.005)
        assert right == pytest.approx(0.1, abs=0.03)
    assert told(chapter, "big_verdict") == "It is guessing."


def test_equal_shares_cost_the_logarithm_of_the_number_of_classes():
    for classes, said in ((10, "2.3026"), (3, "1.0986")):
        loss = F.cross_entropy(torch.zeros(1, classes), torch.tensor([0])).item()
        assert f"{loss:.4f}" == said
    assert "Its loss is 1.0986" in TEXT


def test_differences_fade_in_the_original_network_and_not_with_other_starting_weights(chapter):
    faded = np.array(chapter["faded"])
    assert (np.diff(faded) < 0).all()
    assert faded[0] / faded[-1] == told(chapter, "faded") > 100
    net = chapter["original"]().eval()
    for part in net:
        if hasattr(part, "weight"):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            nn.init.zeros_(part.bias)
    assert min(chapter["differences"](net)) > 0.3
    assert min(chapter["kept"]) > 0.3


# --- the small network ---


def test_the_small_network_is_a_thirtieth_of_the_original_and_learns(chapter):
    assert told(chapter, "small") == parameters(chapter["small"]) == 94_762
    assert told(chapter, "big") / told(chapter, "small") == pytest.approx(30, abs=2)
    rights = [right for *_, right in chapter["small_record"]]
    assert rights[0] > 0.15  # it leaves the line of guessing at once
    assert rights[-1] == told(chapter, "small_valid") > 0.8
    assert told(chapter, "test_low") > 0.75


def test_the_rate_rises_in_the_first_quarter_and_falls_to_nothing(chapter):
    rates = np.array(chapter["rates"])
    peak = rates.argmax()
    assert rates[peak] == pytest.approx(0.01, rel=1e-3)  # the summit lies between two steps
    assert peak == pytest.approx(len(rates) / 4, abs=1)
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] < 1e-5
    assert chapter["pace"].total_steps == 6 * 47


def test_normalising_by_the_batch_takes_part_in_the_answers_only_while_learning(chapter):
    net, pictures = chapter["small_network"](), chapter["prepare"](chapter["piles"]["test"][0][:8])
    with torch.no_grad():
        net.train()
        assert not torch.allclose(net(pictures)[:4], net(pictures[:4]))
        net.eval()
        assert torch.allclose(net(pictures)[:4], net(pictures[:4]), atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_a_transform_throws_its_dice_once_for_a_batch(chapter, seed):
    torch.manual_seed(seed)
    changed = chapter["vary_one"](chapter["eight"])
    assert len(changed.unique(dim=0)) == 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), many=st.integers(1, 6))
def test_both_ways_of_varying_give_windows_of_the_picture_or_of_its_mirror(chapter, seed, many):
    images = torch.randint(0, 256, (many, 3, 32, 32), generator=torch.Generator().manual_seed(seed))
    images = images.float()
    torch.manual_seed(seed)
    for changed in (chapter["moved"](images), chapter["vary"](images)):
        for image, new in zip(images, changed, strict=True):
            seen = [F.pad(one[None], (2, 2, 2, 2), mode="reflect")[0] for one in (image, image.flip(2))]
            windows = [w[:, r : r + 32, c : c + 32] for w in seen for r in range(5) for c in range(5)]
            assert any(torch.equal(new, window) for window in windows)


def test_the_quick_way_draws_each_shift_and_each_side_alike_often(chapter):
    torch.manual_seed(0)
    corner = torch.zeros(3000, 3, 32, 32)
    corner[:, :, 10, 20] = 1
    places = chapter["moved"](corner)[:, 0].flatten(1).argmax(dim=1)
    rows, columns = places // 32, places % 32
    assert set(rows.tolist()) == set(range(8, 13))
    assert set(columns.tolist()) == set(range(9, 14)) | set(range(18, 23))
    mirrored = (columns < 16).float().mean().item()
    assert mirrored == pytest.approx(0.5, abs=0.05)  # five standard deviations


# --- what a score is worth ---


@settings(max_examples=50, deadline=None)
@given(of=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_is_wilsons(chapter, of, share):
    right, z = round(share * of), 1.959964
    middle = (right / of + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * np.sqrt(right / of * (1 - right / of) / of + z**2 / (4 * of**2))
    low, high = chapter["interval"](right, of)
    assert (low, high) == pytest.approx((max(0, middle - half), min(1, middle + half)), abs=1e-6)


def test_ten_pictures_say_next_to_nothing_and_four_hundred_within_some_points(chapter):
    assert told(chapter, "ten_high") - told(chapter, "ten_low") > 0.4
    assert told(chapter, "test_high") - told(chapter, "test_low") < 0.06
    human = told(chapter, "human_high") - told(chapter, "human_low")
    assert human / 2 == pytest.approx(0.023, abs=0.002)
    assert 376 / 400 == 0.94


def test_the_confusions_add_up_to_the_score(chapter):
    confusion, answers = chapter["confusion"], chapter["answers"]
    assert confusion.sum() == len(answers) == told(chapter, "tests")
    assert confusion.trace() == chapter["right"]
    assert confusion.sum(axis=1).tolist() == torch.bincount(answers).tolist()
    true, named = (chapter["classes"].index(told(chapter, f"pair_{side}")) for side in ("true", "named"))
    assert confusion[true, named] == chapter["mistakes"].max() == told(chapter, "pair_times")
    assert confusion[named, true] == told(chapter, "pair_back")


def test_the_mistakes_shown_are_mistakes_and_the_surest_ones(chapter):
    shares, surest = chapter["small_logits"].softmax(dim=1).amax(dim=1), chapter["surest"].indices
    wrong = chapter["named"] != chapter["answers"]
    assert wrong[surest].all()
    others = wrong.clone()
    others[surest] = False
    assert shares[surest].min() >= shares[others].max()


def test_another_seed_gives_a_few_points_more_or_less():
    record = (BOOK.parent / "benchmarks/results/tiny_museum.json").read_text(encoding="utf-8")
    small = re.search(r'"small CNN": \{.*?"accuracies": \[(.*?)\]', record, re.DOTALL)
    assert small is not None
    scores = [float(score) for score in small[1].split(",")]
    assert 0.02 < max(scores) - min(scores) < 0.1


# --- saving ---

FRESH = """
import sys, torch
kept = torch.load(sys.argv[1], weights_only=True)
print(len(kept))
try:
    torch.load(sys.argv[2], weights_only=True)
except Exception as error:
    print(type(error).__name__)
"""


def test_saved_weights_load_in_a_fresh_process_and_a_saved_object_is_refused(chapter, tmp_path):
    small = chapter["small"]
    torch.save(small.state_dict(), tmp_path / "weights.pt")
    torch.save(small, tmp_path / "whole.pt")
    command = [sys.executable, "-c", FRESH, str(tmp_path / "weights.pt"), str(tmp_path / "whole.pt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(small.state_dict())), "UnpicklingError"]


def test_the_network_that_was_loaded_again_gives_the_same_answers(chapter):
    assert printed(chapter, "load_state_dict").endswith("the same answers: True\n")
    assert "running_mean" in str(chapter["small"].state_dict().keys())
    assert not Path(chapter["folder"]).exists()  # the build leaves nothing behind


# --- what makes it fast ---


def test_products_are_counted_as_places_times_weights(chapter):
    places = [31**2, 14**2, 6**2, 6**2, 6**2]
    kernels = [3 * 64 * 16, 64 * 192 * 16, 192 * 384 * 9, 384 * 256 * 9, 256 * 256 * 9]
    convolutions = sum(p * k for p, k in zip(places, kernels, strict=True))
    big = convolutions + 1024 * 512 + 512 * 256 + 256 * 10
    small = 32**2 * 3 * 32 * 9 + 16**2 * 32 * 64 * 9 + 8**2 * 64 * 128 * 9 + 128 * 10
    assert chapter["products"](chapter["big"]) == big
    assert chapter["products"](chapter["small"]) == small
    assert told(chapter, "ratio_products") == pytest.approx(big / small)


def test_the_fast_loop_learns(chapter, monkeypatch):
    pictures, labels = (part[:200] for part in chapter["piles"]["training"])
    monkeypatch.setitem(chapter, "piles", {"training": (pictures, labels)})
    torch.manual_seed(0)
    net = chapter["small_network"]()
    chapter["train_fast"](net, 10, size=50, rate=0.01)
    _, right = chapter["judge"](chapter["ask"](net, "training"), "training")
    assert right > 0.3
    assert "# train_fast(small_network(), 12)" in TEXT


# --- the recorded runs ---


def test_the_page_draws_the_recorded_runs_and_nothing_else(chapter, monkeypatch):
    monkeypatch.syspath_prepend(str(RESULTS.parent))
    benchmark = runpy.run_path(str(RESULTS.parent / "cifar10_timings.py"))
    written = (RESULTS / "cifar10_timings.py").read_text(encoding="utf-8")
    records = benchmark["records"]()
    assert benchmark["as_python"](records) == written
    assert set(chapter["recorded"]) == set(records)
    finished = [run for run in records["cpu"]["runs"] if run["finished"]]
    assert {run["contestant"] for run in finished} == {"a", "b", "c"}
    for curve, run in zip(chapter["recorded"]["cpu"]["curves"], finished, strict=True):
        drawn = np.array(curve["epochs"])
        assert drawn[:, 0] == pytest.approx([epoch["cpu_seconds"] for epoch in run["epochs"]], abs=0.05)
        assert drawn[:, 1] == pytest.approx([epoch["accuracy"] for epoch in run["epochs"]], abs=5e-5)


def test_the_page_says_how_the_recorded_pictures_were_stored(chapter):
    assert told(chapter, "run_stored") == "JPEG, quality 75"
    assert "JPEG at quality 75" in TEXT  # the caption, beside the figure
    assert {run["stored_as"] for run in chapter["recorded"].values()} == {"JPEG, quality 75"}


def test_the_sentences_about_the_recorded_runs_are_true_of_them(chapter):
    curves = {curve["contestant"]: curve for curve in reversed(chapter["recorded"]["cpu"]["curves"])}
    original, treated, fast = (curves[name] for name in "abc")
    assert (
        told(chapter, "run_a") < told(chapter, "run_b") < told(chapter, "run_c")
    )  # the figure's description
    assert told(chapter, "run_c_passed") < told(chapter, "run_c_seconds") < 60  # "in less than a minute"
    assert told(chapter, "run_a_minutes") == pytest.approx(15, abs=2)  # "over a quarter of an hour"
    assert max(share for _, share in original["epochs"][:3]) < 0.11  # along the line of chance
    assert treated["parameters"] == original["parameters"] == 2_997_642
    assert original["parameters"] > fast["parameters"] == told(chapter, "run_c_parameters")
    assert len(chapter["recorded"]["cpu"]["curves"]) == 3  # "one of each"


MADE_UP = {  # a run that nobody has made
    "machine": "A processor",
    "date": "2026-01-02",
    "stored_as": "JPEG, quality 75",
    "pictures": 50_000,
    "tests": 10_000,
    "curves": [
        {"contestant": "a", "parameters": 3, "epochs": [(9.6 * n, 0.1 + 0.025 * n) for n in range(1, 26)]},
        {"contestant": "b", "parameters": 3, "epochs": [(5.0, 0.4), (10.0, 0.8)]},
        {"contestant": "c", "parameters": 2, "epochs": [(0.5, 0.6), (1.0, 0.8), (2.0, 0.95)]},
        {"contestant": "c", "parameters": 2, "epochs": [(0.5, 0.5), (1.4, 0.7228), (2.4, 0.93)]},
    ],
}


def test_runs_on_a_graphics_processor_are_told_as_they_are(chapter):
    words = chapter["in_words"](MADE_UP)
    assert "(A processor, 2026-01-02) they learned from 50,000 pictures" in words
    assert (
        "took 4.0 minutes for its 25 epochs and ended at 72.5%; the old notebook had reported 72.3%." in words
    )
    assert "treated better, came to 80.0% in 10.0 seconds." in words
    assert "ended at 94.0% after 2.2 seconds (the mean of 2 runs), the worst of which came to 93.0%." in words
    assert "after 1.2 seconds" in words
    assert "200 times" in words  # 240 by the mean of 1.0 and 1.4


def test_a_network_that_never_got_so_far_is_not_said_to_have(chapter):
    slow = MADE_UP | {"curves": [*MADE_UP["curves"], {"contestant": "c", "epochs": [(0.5, 0.6)]}]}
    assert "passed" not in chapter["in_words"](slow)


def test_what_has_not_been_run_is_not_told(chapter):
    alone = MADE_UP | {"curves": MADE_UP["curves"][1:]}
    words = chapter["in_words"](alone)
    assert "original" not in words
    assert "94.0%" in words
    assert "ended" not in chapter["in_words"](MADE_UP | {"curves": []})


def test_runs_on_a_graphics_processor_get_a_panel_with_seconds_and_minutes_on_one_axis(chapter, monkeypatch):
    (drawing,) = (cell.source for cell, _ in chapter["printed"] if 'titles = {"cpu"' in cell.source)
    space = chapter | {"recorded": chapter["recorded"] | {"gpu": MADE_UP}}
    monkeypatch.setattr(plt, "show", lambda: None)
    exec(drawing, space)
    (_, below) = space["panels"][:, 0]
    assert below.get_xscale() == "log"
    assert below.get_title() == "a graphics processor"
    assert len(below.lines) == len(MADE_UP["curves"]) + 1  # and chance
    low, high = below.get_xlim()
    assert low < 0.5
    assert high > 240
    plt.close("all")


def test_the_description_of_the_figure_speaks_of_the_graphics_processor(chapter):
    alt = next(
        line for line in TEXT.splitlines() if "alt:" in line and "over the minutes of processor time" in line
    )
    assert "on a graphics processor, over seconds" in alt


def test_the_description_of_the_runs_on_a_graphics_processor_is_true_of_them(chapter):
    ends = {
        name: np.array(
            [
                curve["epochs"][-1]
                for curve in chapter["recorded"]["gpu"]["curves"]
                if curve["contestant"] == name
            ]
        )
        for name in "abc"
    }
    assert len(ends["c"]) == 20
    assert ends["c"][:, 0].max() < 2
    assert ends["c"][:, 1] == pytest.approx(0.91, abs=0.01)
    assert ends["b"][:, 0] == pytest.approx(20, abs=1)
    assert ends["b"][:, 1] == pytest.approx(0.86, abs=0.01)
    assert (ends["a"][:, 0] > 60).all()
    assert ends["a"][:, 1] == pytest.approx(0.72, abs=0.01)


def test_what_the_page_says_about_worn_pictures_was_measured(chapter):
    """On training pictures held back, longer or wider runs end little higher."""
    choices = RESULTS / "cifar10_choices"
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in choices.glob("*.json")}
    ends = {
        name: [run["epochs"][-1]["accuracy"] for run in content["runs"] if run["finished"]]
        for name, content in found.items()
    }
    assert {content["pictures"]["measured_on"] for content in found.values()} == {
        "training pictures held back"
    }
    longest = {name: content["runs"][0]["recipe"] for name, content in found.items() if ends[name]}
    fast = {name for name, recipe in longest.items() if recipe["network"] == "fast"}
    assert max(longest[name]["epochs"] for name in fast) >= 2.5 * min(
        longest[name]["epochs"] for name in fast
    )
    assert max(longest[name]["width"] for name in fast) == 1.5 * min(longest[name]["width"] for name in fast)
    assert max(max(ends[name]) for name in fast) < 0.92  # "did not get past 92 %"


# --- CIFAR-10 ---


@pytest.mark.cifar10
@pytest.mark.skipif(not CIFAR10.is_dir(), reason="no copy of CIFAR-10 lies in ../shared/data/cifar10")
def test_the_same_cells_run_on_cifar10_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CIFAR10", str(CIFAR10))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    ran = run_chapter("colour-pictures", PICTURES=640)
    assert told(ran, "set") == "CIFAR-10"
    assert {"cat", "ship"} <= set(ran["classes"])
    assert [len(labels) for _, labels in ran["piles"].values()] == [534, 106, 640]
    assert told(ran, "big_verdict") == "It is guessing."
    assert set(ran["glued"]) == set(re.findall(r"\{glue:text\}`(\w+)", TEXT))
    assert max(len(line) for cell, text in ran["printed"] if "wrap-output" not in cell.tags
               for line in text.splitlines()) <= 49  # fmt: skip
