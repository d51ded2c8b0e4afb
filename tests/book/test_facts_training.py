"""What "Training" says is so: asked of other libraries, of the kept network and of the chapter itself."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix
from torch import nn

from .chapter_code import BOOK, run_chapter

TEXT = (BOOK / "training.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("training")


@pytest.fixture(scope="module")
def told(chapter) -> dict[str, Any]:
    return {name.removeprefix("training_"): value for name, value in chapter["glued"].items()}


def printed_by(chapter, words: str) -> str:
    """What the one cell printed whose code holds these words."""
    (text,) = [text for cell, text in chapter["printed"] if words in cell.source]
    return text


# --- three parts, divided by place ---


def test_the_three_parts_share_no_square_and_no_pixel(chapter):
    parts, places = chapter["parts"], chapter["places"]
    assert [int(part.sum()) for part in parts.values()] == [288, 96, 384]
    assert (sum(part.astype(int) for part in parts.values()) == 1).all()
    first = {name: places[part, 1].min() for name, part in parts.items()}
    end = {name: places[part, 1].max() + 32 for name, part in parts.items()}
    assert end["training"] <= first["validation"] < end["validation"] <= first["test"]


def test_all_materials_are_equally_frequent_in_each_part(chapter):
    for part in chapter["parts"].values():
        assert len(set(np.bincount(chapter["labels"][part]).tolist())) == 1


@settings(max_examples=25)
@given(seed=st.integers(0, 999), rows=st.integers(2, 9), half=st.integers(2, 9))
def test_each_half_is_standardised_by_itself(chapter, seed, rows, half):
    photograph = np.random.default_rng(seed).integers(0, 256, (rows, 2 * half)).astype(np.uint8)
    photograph[0, [0, -1]], photograph[1, [0, -1]] = 0, 255  # no half is all one grey
    before = photograph.copy()
    alike = chapter["lit_alike"](photograph)
    assert np.array_equal(photograph, before)
    for side in np.split(alike, 2, axis=1):
        assert (side.mean(), side.std()) == pytest.approx((0, 1), abs=1e-12)
    photograph[:, half:] = 255 - photograph[:, half:]
    assert np.array_equal(chapter["lit_alike"](photograph)[:, :half], alike[:, :half])


def test_a_square_lies_where_its_place_says(chapter):
    squares, labels, places = chapter["cut_squares"](step=96)
    for square, label, (top, left) in zip(squares, labels, places, strict=True):
        photograph = getattr(chapter["data"], chapter["MATERIALS"][label])()
        there = chapter["lit_alike"](photograph)[top : top + 32, left : left + 32]
        assert np.array_equal(square[0], there)


def test_the_strip_is_three_times_as_far_off_as_the_training_squares_and_the_other_way(chapter, told):
    seesaw = re.findall(r"training (\S+), strip (\S+)", printed_by(chapter, "192:256].mean()"))
    assert len(seesaw) == 3
    for taught, strip in seesaw:
        assert float(strip) == pytest.approx(-3 * float(taught), abs=0.003)  # three digits are printed
    assert float(seesaw[0][0]) == max(float(taught) for taught, _ in seesaw)  # "the bright one is brick"
    assert told["simple_brightness"] < 0.2
    assert 0.2 < told["whole"] < 0.28


def test_guessing_gets_so_little_practically_never(told):
    right = round(told["simple_brightness"] * 96)
    assert binomtest(right, 96, 1 / 3, "less").pvalue < 1e-4
    assert 1 / 40 < binomtest(23, 96, 1 / 3, "less").pvalue < 1 / 25  # "once in thirty times"


# --- before training ---


@given(classes=st.integers(2, 50), height=st.floats(-5, 5))
def test_equal_shares_cost_the_logarithm_of_the_number_of_classes(classes, height):
    logits = torch.full((4, classes), height, dtype=torch.float64)
    truth = torch.arange(4) % classes
    assert F.cross_entropy(logits, truth).item() == pytest.approx(np.log(classes))


def test_the_cross_entropy_by_hand_is_that_of_pytorch():
    shares, costs = [0.9, 1 / 3, 0.01], [0.105, 1.099, 4.605]
    logits = torch.tensor([[s, 1 - s] for s in shares], dtype=torch.float64).log()
    truth = torch.zeros(3, dtype=torch.long)
    assert F.cross_entropy(logits, truth, reduction="none").tolist() == pytest.approx(costs, abs=5e-4)
    assert F.cross_entropy(logits, truth).item() == pytest.approx(1.936, abs=5e-4)
    assert all(f"= {cost:.3f} |" in TEXT for cost in costs)
    assert "| **1.936** |" in TEXT


def test_networks_that_know_nothing_begin_near_ln_3(chapter, told):
    starts = np.array(chapter["at_start"])
    assert np.abs(starts - np.log(3)).max() < 0.15
    assert (starts > np.log(3)).sum() > 5  # "most of them a little above"
    assert told["ln_ten"] == pytest.approx(2.3026, abs=5e-5)


def test_only_the_sound_loop_learns_a_batch_by_heart(chapter, told):
    losses = chapter["losses"]
    assert losses["none"][30] < 0.05
    assert losses["none"][-1] < 0.001
    assert len(set(losses["zeroed too late"])) == 1
    assert max(losses["never zeroed"][40:]) > 1
    assert told["floor"] - 1e-6 < losses["softmax first"][-1] < told["floor"] + 0.01


def test_a_second_softmax_cannot_go_below_the_floor(told):
    surest = torch.tensor([[1.0, 0.0, 0.0]])  # shares of a network that is perfectly sure and right
    assert F.cross_entropy(surest, torch.tensor([0])).item() == pytest.approx(told["floor"], abs=1e-6)
    assert surest.softmax(dim=1).max().item() == pytest.approx(told["most"], abs=1e-6)


# --- the loop ---


@settings(max_examples=25)
@given(many=st.integers(1, 200), seed=st.integers(0, 99))
def test_an_epoch_counts_every_square_once_in_its_mean(chapter, many, seed):
    random = torch.Generator().manual_seed(seed)
    squares = torch.randn(many, 1, 4, 4, generator=random)
    labels = torch.randint(0, 3, (many,), generator=random)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    standing = torch.optim.SGD(net.parameters(), lr=0)  # so that the loss is that of one network
    with torch.random.fork_rng(devices=[]):
        loss = chapter["one_epoch"](net, standing, squares, labels)
    with torch.no_grad():
        assert loss == pytest.approx(F.cross_entropy(net(squares), labels).item(), rel=1e-5)


def test_the_mean_of_the_means_counts_the_last_squares_too_much(chapter, told):
    each = chapter["each"].numpy()
    weights = np.full(len(each), 1 / 64)
    weights[-told["last_batch"] :] = 1 / 32  # "each counts twice"
    assert told["mean_of_means"] == pytest.approx((weights * each).sum() / 5, rel=1e-5)
    assert told["mean_of_all"] == pytest.approx(each.mean(), rel=1e-5)
    assert told["mean_of_means"] > 1.2 * told["mean_of_all"]


def test_learning_gives_back_a_network_in_the_mode_for_answers(chapter):
    assert not any(net.training for net in chapter["nets"])


def test_the_perceptron_overfits_and_the_small_cnn_has_not_turned_yet(chapter, told):
    loss = {name: curve[:, :, 0] for name, curve in chapter["curves"].items()}
    taught, mock = loss["perceptron"].T
    assert taught[-1] < 0.01
    assert mock[-1] > mock.min() + 0.15
    assert 2 <= told["turn"] <= 8
    taught, mock = loss["small CNN"].T
    assert mock[-5:].min() < mock[:-5].min()
    assert mock[-1] - taught[-1] < 0.15
    accuracy = chapter["curves"]["perceptron"][:, 1, 1]
    assert accuracy[-1] > accuracy[told["turn"] - 1] - 0.05  # "its accuracy hardly suffers"


# --- choices ---


def test_the_strip_chooses_a_rate_with_which_every_start_does_well(chapter):
    rates, mock = chapter["rates"], chapter["tried"]
    row = rates.index(chapter["best"])
    assert chapter["best"] == 0.01
    assert mock[row].min() > 0.95
    assert mock[0].max() < 0.85  # has not arrived
    assert np.ptp(mock[rates.index(0.03)]) > 0.1  # a lottery


def test_the_best_of_200_guessers_was_only_lucky(chapter, told):
    assert chapter["guesses"].shape == (200, 96)
    assert told["lucky"] == chapter["luck"].max() > 0.43
    assert abs(told["unlucky"] - 1 / 3) < 0.1


@settings(max_examples=20)
@given(many=st.integers(1, 9), seed=st.integers(0, 99))
def test_varied_squares_are_mirrored_or_moved_and_nothing_else(chapter, many, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        batch = torch.randn(many, 1, 6, 6)
        mirrored, moved = chapter["mirrored"](batch), chapter["moved"](batch)
    for before, after in zip(batch, mirrored, strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(dims=[2]))
    rolls = [batch.roll((down, across), dims=(2, 3)) for down in range(6) for across in range(6)]
    assert any(torch.equal(moved, roll) for roll in rolls)


def test_with_varied_squares_the_perceptron_learns_less_by_heart_and_more_that_holds(told):
    assert told["plain_taught"] == 1
    assert told["varied_taught"] < 0.9
    assert told["varied_mock"] > told["plain_mock"]


# --- the examination ---


def test_the_ladder_has_the_order_and_the_sizes_that_the_chapter_says(chapter):
    rungs = ["mean and spread", "all pixels", "perceptron", "CNN, pixels shuffled",
             "three Sobel numbers", "small CNN"]  # fmt: skip
    ladder = chapter["ladder"]
    assert [ladder[name][0] for name in rungs] == [9, 3075, 32_899, 1443, 12, 1443]
    for lower, higher in pairwise(rungs):
        assert max(ladder[lower][1]) < min(ladder[higher][1]), (lower, higher)
    assert [len(ladder[name][1]) for name in rungs] == [1, 1, 3, 3, 1, 3]
    assert "1,443 numbers beat a network with 32,899" in TEXT


def test_the_rungs_lie_where_the_course_says(chapter):
    mean = {name: np.mean(scores) for name, (_, scores) in chapter["ladder"].items()}
    assert mean["mean and spread"] == pytest.approx(1 / 3, abs=0.05)
    assert mean["all pixels"] == pytest.approx(0.38, abs=0.03)
    assert mean["perceptron"] == pytest.approx(0.48, abs=0.04)
    assert mean["CNN, pixels shuffled"] == pytest.approx(0.72, abs=0.08)
    assert mean["three Sobel numbers"] == pytest.approx(0.85, abs=0.04)
    assert min(chapter["ladder"]["small CNN"][1]) > 0.97


def test_shuffling_the_pixels_keeps_the_grey_values_and_the_same_order_everywhere(chapter):
    mixed, squares = chapter["mixed"].flatten(1), chapter["squares"].flatten(1)
    assert torch.equal(mixed.sort(dim=1).values, squares.sort(dim=1).values)
    assert torch.equal(mixed[:, chapter["mixing"].argsort()], squares)


def test_far_from_home_the_perceptron_guesses_and_the_cnn_does_not(chapter):
    near, *_, far = chapter["at_place"]["perceptron"]
    assert near > 0.55
    assert far < 0.4
    assert min(chapter["at_place"]["small CNN"]) > 0.95


def test_the_confusion_matrix_is_that_of_scikit_learn(chapter, told):
    truth = chapter["truth_of_test"]
    tables = chapter["tables"]
    assert np.array_equal(tables["small CNN, seed 0"], confusion_matrix(truth, chapter["by_net"]))
    assert np.array_equal(tables["three Sobel numbers"], confusion_matrix(truth, chapter["by_sobel"]))
    assert tables["small CNN, seed 0"].trace() == told["right"]
    for table in tables.values():
        assert table[0].tolist() == [128, 0, 0]  # "both models know brick"
    assert len(chapter["wrong"]) == told["tested"] - told["right"]


# --- how sure ---


@given(many=st.integers(1, 500), data=st.data())
def test_the_interval_is_wilsons(chapter, many, data):
    right = data.draw(st.integers(0, many))
    theirs = binomtest(right, many).proportion_ci(0.95, "wilson")
    # 1.96 stands for 1.959964, which moves an end by less than 2e-5.
    assert chapter["interval"](right, many) == pytest.approx((theirs.low, theirs.high), abs=2e-5)


def test_the_simple_rule_by_hand_is_right():
    for many, points in ((10, 28), (10_000, 0.9)):
        reach = 1.96 * np.sqrt(0.72 * 0.28 / many)
        assert 100 * reach == pytest.approx(points, abs=0.5 if many == 10 else 0.05)


def test_ten_pictures_prove_nothing_and_two_hundred_do(chapter):
    ten, many = (np.ptp(np.quantile(chapter["drawn"][n], [0.025, 0.975])) for n in (10, 200))
    assert ten > 0.4
    assert many < 0.15


def test_the_interval_of_few_pictures_holds_that_of_many(told):
    assert told["a_low"] < told["b_low"] < told["b_high"] < told["a_high"]


# --- the leak ---


def test_shuffling_neighbours_apart_makes_the_score_better_and_nothing_else(chapter):
    leak = chapter["leak"]
    assert min(leak["shuffled"]) > max(leak["by place"]) + 0.05
    sizes = [[len(part) for part in chapter["dealt"](how, 0)] for how in leak]
    assert sizes[0] == sizes[1]


def test_a_shuffled_test_square_overlaps_a_learned_one_and_by_place_none_does(chapter):
    where, names = chapter["where"], chapter["names_of"].numpy()

    def shared(how: str) -> np.ndarray:
        own, new = chapter["dealt"](how, 0)
        found = []
        for n in new[::200]:
            same = own[names[own] == names[n]]
            rows, columns = np.clip(32 - np.abs(where[same] - where[n]), 0, None).T
            found.append((rows * columns).max() / 32**2)
        return np.array(found)

    assert shared("shuffled").min() >= 0.5  # "shares most of its pixels"
    assert shared("by place").max() == 0


# --- keeping it ---


def test_what_was_saved_is_what_is_loaded(chapter):
    saved, loaded = chapter["nets"][0].state_dict(), chapter["again"].state_dict()
    assert list(saved) == list(loaded)
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)


def test_a_parcel_runs_when_it_is_loaded_and_is_refused_with_weights_only(chapter):
    assert printed_by(chapter, "class Souvenir").splitlines() == [
        "I have just run on your machine",
        "refused: this is more than numbers",
    ]


def test_the_network_of_this_page_is_the_one_that_is_kept(chapter):
    kept = torch.load(BOOK / "data" / "tiny-net" / "weights.pt", weights_only=True)
    net = chapter["tiny_net"]()
    net.load_state_dict(kept)
    # The kept one was calculated in float64. In float32 rounding grows over twenty epochs, to about 0.01.
    for name, part in chapter["nets"][0].state_dict().items():
        assert (part - kept[name]).abs().max() < 0.05, name
    with torch.no_grad():
        theirs = net(chapter["squares"]).argmax(dim=1)
        ours = chapter["nets"][0](chapter["squares"]).argmax(dim=1)
    assert (theirs == ours).float().mean() > 0.99
