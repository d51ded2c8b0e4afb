"""What "A CNN you can count" says is so: asked of PyTorch, of other arithmetic and of the chapter itself."""

import re
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate
from sklearn.datasets import load_digits
from torch import nn

from .chapter_code import BOOK, run_chapter

TEXT = (BOOK / "a-cnn-you-can-count.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("a-cnn-you-can-count")


def parameters(net: nn.Module) -> int:
    return sum(part.numel() for part in net.parameters())


# --- counting by hand ---


def test_the_table_counts_the_tiny_network_as_pytorch_does(chapter):
    rows = re.findall(r"^\| .+ \| \d+ × .+ = ([\d,]+) \| (\d+) \| ([\d,]+) \|$", TEXT, re.MULTILINE)
    by_hand = [[int(number.replace(",", "")) for number in row] for row in rows]
    layers = [layer for layer in chapter["tiny"] if hasattr(layer, "weight")]
    assert by_hand == [[one.weight.numel(), one.bias.numel(), parameters(one)] for one in layers]
    assert sum(together for *_, together in by_hand) == chapter["glued"]["count_tiny"] == 1443
    assert "| | | | **1,443** |" in TEXT


def test_the_figure_of_all_numbers_shows_each_of_them_once(chapter):
    shown = np.concatenate([sheet[np.isfinite(sheet)] for sheet in chapter["sheets"]])
    true = np.concatenate([part.detach().numpy().ravel() for part in chapter["tiny"].parameters()])
    assert np.array_equal(np.sort(shown), np.sort(true.astype(float)))


def test_the_self_checks_mark_the_true_counts():
    assert nn.Conv2d(8, 16, 3).weight[0].numel() == 72
    assert nn.Conv2d(8, 16, 3).weight.numel() == 1152
    colour = [nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3), nn.Linear(64, 3)]
    assert parameters(colour[0]) == 224
    assert sum(map(parameters, colour)) == 1587


def test_without_shared_weights_the_first_layer_would_have_eight_million(chapter):
    assert chapter["glued"]["count_dense"] == nn.Linear(1024, 8192, bias=False, device="meta").weight.numel()


# --- one layer at a time ---


def test_the_second_layer_answers_at_the_corner_and_nowhere_else(chapter):
    assert np.argwhere(chapter["second"]).tolist() == [[3, 3]]
    assert chapter["first"][:, 3:11, 3:11].max() == 6  # "one map says 6"
    assert (chapter["first"][0, 4, 3], chapter["first"][1, 3, 4]) == (5, 5)
    assert chapter["second"][3, 3] == 5 + 5 - 9


def test_two_kernels_with_nothing_between_are_one_kernel_and_with_relu_they_are_not(chapter):
    assert np.array_equal(chapter["both"], convolve2d(chapter["one"], chapter["two"]))
    # 1e-9: sums of up to 81 products of size 10, with sixteen digits, in another order
    assert chapter["in_turn"] == pytest.approx(chapter["at_once"], abs=1e-9)
    assert np.abs(chapter["bent"] - chapter["at_once"]).max() > 1


@settings(deadline=None, max_examples=25)
@given(channels=st.integers(1, 4), size=st.sampled_from([2, 4]), seed=st.integers(0, 99))
def test_pooling_is_that_of_pytorch(chapter, channels, size, seed):
    maps = np.random.default_rng(seed).normal(size=(channels, 8, 12))
    theirs = F.max_pool2d(torch.tensor(maps), size).numpy()
    assert np.array_equal(chapter["pool"](maps, size), theirs)
    assert parameters(nn.MaxPool2d(size)) == 0


def test_pooling_forgives_a_step_within_the_block_and_not_the_next_one(chapter):
    still, one, two = (chapter["pool"](chapter[name]) for name in ("spot", "one_right", "two_right"))
    assert np.array_equal(still, one)
    assert np.array_equal(np.roll(one, 1, axis=2), two)


def test_softmax_by_hand_is_softmax():
    rows = re.findall(r"^\| (\S+) \| \S+ \| \S+ / 8\.757 = \*\*(\S+)\*\* \|$", TEXT, re.MULTILINE)
    logits = torch.tensor([float(logit.replace("−", "-")) for logit, _ in rows])
    by_hand = [float(share) for _, share in rows]
    assert logits.tolist() == [2, 0, -1]
    assert by_hand == pytest.approx(logits.softmax(dim=0).tolist(), abs=0.0005)  # three digits are shown
    assert (logits + 100).softmax(dim=0).tolist() == pytest.approx(by_hand, abs=0.0005)


# --- the forward pass ---


@settings(deadline=None, max_examples=20)
@given(maps_in=st.integers(1, 5), maps_out=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_convolution_is_that_of_pytorch_and_sums_over_channels(chapter, maps_in, maps_out, seed):
    rng = np.random.default_rng(seed)
    maps, kernels = rng.normal(size=(maps_in, 7, 9)), rng.normal(size=(maps_out, maps_in, 3, 3))
    biases = rng.normal(size=maps_out)
    ours = chapter["convolve"](maps, kernels, biases)
    theirs = F.conv2d(*map(torch.tensor, (maps[None], kernels, biases)), padding=1)[0].numpy()
    assert ours == pytest.approx(theirs, abs=1e-12)  # 45 products, sixteen digits
    padded = np.pad(maps, [(0, 0), (1, 1), (1, 1)])
    by_scipy = [correlate(padded, one, "valid")[0] + b for one, b in zip(kernels, biases, strict=True)]
    assert ours == pytest.approx(np.array(by_scipy), abs=1e-12)


def test_the_forward_pass_in_numpy_is_that_of_pytorch_to_five_digits(chapter):
    names = {"convolve", "pool", "tiny"} | {f"{kind}{n}" for kind in "wb" for n in (1, 2, 3)}
    said = {name: chapter[name] for name in names}
    pictures = np.random.default_rng(1).normal(size=(20, 1, 32, 32))
    for picture in pictures:
        maps = np.maximum(said["convolve"](picture, said["w1"], said["b1"]), 0)
        maps = np.maximum(said["convolve"](said["pool"](maps), said["w2"], said["b2"]), 0)
        ours = said["w3"] @ said["pool"](maps, 8).reshape(64) + said["b3"]
        with torch.no_grad():
            theirs = said["tiny"](torch.tensor(picture[None]).float())[0].numpy()
        assert np.abs(ours - theirs).max() < 1e-5  # PyTorch works in float32
    assert chapter["gap"] < 1e-5


def test_the_shares_of_a_network_that_knows_nothing_are_unremarkable(chapter):
    assert chapter["shares"].sum() == pytest.approx(1)
    assert 0.25 < chapter["shares"].min() < chapter["shares"].max() < 0.5  # the alternative text says so


# --- the trained network ---


def test_the_chapter_trains_the_network_that_the_course_keeps(chapter):
    kept = torch.load(BOOK / "data" / "tiny-net" / "weights.pt", weights_only=True)
    for name, part in chapter["trained"].state_dict().items():
        assert part.numpy() == pytest.approx(kept[name].numpy(), abs=1e-6)  # rounding, on another machine


def test_the_trained_network_names_nearly_all_unseen_squares_and_is_as_sure_of_a_cat(chapter):
    assert len(chapter["hits"]) == 384
    assert "twenty times over" in TEXT
    assert "epochs=20" in TEXT
    assert chapter["hits"].sum() > 0.97 * 384
    glued, shares = chapter["glued"], chapter["shares_of"]
    assert glued["count_cat"] > 0.99
    assert glued["count_wall"] > 0.99
    assert shares["Grass that it gets wrong"].argmax() != 1
    for name in ("brick", "grass", "gravel"):
        number = chapter["MATERIALS"].index(name)
        for kind in ("", ", another place"):
            assert shares[name.capitalize() + kind].argmax() == number


def test_the_layers_of_the_live_figure_are_those_of_pytorch(chapter):
    picture = chapter["on_brick"][0]
    with torch.no_grad():
        maps = torch.tensor(picture[None], dtype=torch.float32)
        theirs = [maps]
        for layer in chapter["trained"]:
            maps = layer(maps)
            if not isinstance(layer, nn.Flatten):
                theirs.append(maps)
    theirs.append(maps.softmax(dim=1))
    for ours, other in zip(chapter["on_brick"], theirs, strict=True):
        assert ours == pytest.approx(other[0].numpy(), abs=1e-4)  # PyTorch works in float32


# --- LeNet-5 ---


def lenet_of_1998() -> nn.ModuleDict:
    """What was trained in 1998, as modules: the gaps of C3 as one convolution for each of its kernels."""
    reads = run_chapter("a-cnn-you-can-count")["reads"]
    return nn.ModuleDict(
        {
            "C1": nn.Conv2d(1, 6, 5),
            "S2": nn.Conv2d(6, 6, 1, groups=6),  # one weight and one bias for each map
            "C3": nn.ModuleList(nn.Conv2d(len(maps), 1, 5) for maps in reads),
            "S4": nn.Conv2d(16, 16, 1, groups=16),
            "C5": nn.Conv2d(16, 120, 5),
            "F6": nn.Linear(120, 84),
        }
    )


def test_lenet_of_1998_trains_60000_numbers_layer_by_layer(chapter):
    built = {name: parameters(layer) for name, layer in lenet_of_1998().items()}
    assert chapter["then"] == built
    assert built == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164}
    assert sum(built.values()) == 60_000


def test_the_table_of_who_reads_whom_has_60_pairs_and_treats_maps_alike(chapter):
    reads = [{int(digit) for digit in maps} for maps in chapter["reads"]]
    assert [len(maps) for maps in reads] == [3] * 6 + [4] * 9 + [6]
    assert len({frozenset(maps) for maps in reads}) == 16
    assert [sum(n in maps for maps in reads) for n in range(6)] == [10] * 6
    assert chapter["table"].sum() == chapter["pairs"] == 60


def test_the_connections_are_those_of_the_paper(chapter):
    assert chapter["glued"]["count_connections"] == 340_908


def test_the_rewrite_has_61706_parameters_where_the_figure_says(chapter):
    net = chapter["lenet"]()
    shown = re.findall(r'\), "[\d,]+", "([\d,]+)"\)', TEXT)
    *layers, together = [int(number.replace(",", "")) for number in shown]
    assert [number for number in layers if number] == [parameters(part) for part in net if parameters(part)]
    assert sum(layers) == together == parameters(net) == 61_706
    shown = re.findall(r'\), "([\d,]+)", "[\d,]+"\)', TEXT)
    *layers, together = [int(number.replace(",", "")) for number in shown]
    assert [number for number in layers if number] == list(chapter["then"].values())
    assert sum(layers) == together == 60_000


def test_the_figure_draws_the_sizes_that_pytorch_gets(chapter):
    drawn = [tuple(map(int, size)) for size in re.findall(r", \((\d+), (\d+), (\d+)\), \"", TEXT)]
    tiny, lenet = drawn[:6], drawn[6:-1]
    for net, sizes in ((chapter["tiny"], tiny), (chapter["lenet"](), lenet)):
        maps, met = torch.zeros(1, 1, 32, 32), []
        met.append(tuple(maps.shape[1:]))
        for layer in net:
            maps = layer(maps)
            if not isinstance(layer, nn.ReLU | nn.Flatten):
                met.append(tuple(maps.shape[1:]) if maps.ndim == 4 else (maps.shape[1], 1, 1))
        assert met == sizes


def test_the_network_that_was_called_lenet_has_nearly_three_million(chapter):
    convolutions = [(3, 64, 4), (64, 192, 4), (192, 384, 3), (384, 256, 3), (256, 256, 3)]
    counts = [parameters(nn.Conv2d(*sizes, device="meta")) for sizes in convolutions]
    linear = [(1024, 512), (512, 256), (256, 10)]
    counts.append(sum(parameters(nn.Linear(*sizes, device="meta")) for sizes in linear))
    assert [chapter["glued"][f"count_big{n}"] for n in range(1, 7)] == counts
    assert sum(counts) == chapter["glued"]["count_big"] == 2_997_642


# --- digits ---


def test_the_digits_are_1797_of_8_by_8_with_values_from_0_to_16():
    digits = load_digits()
    assert digits.images.shape == (1797, 8, 8)
    assert set(np.unique(digits.images)) == set(range(17))


def test_the_network_reads_better_than_plain_sums_but_not_by_much(chapter):
    told = {name.removeprefix("count_"): value for name, value in chapter["glued"].items()}
    assert told["rival"] < told["worst"] <= told["best"] < told["rival"] + 0.04
    assert told["rival"] == pytest.approx(0.92, abs=0.02)
    assert chapter["nets"][0].training is False


def test_off_centre_both_fall_badly_and_the_sums_further(chapter):
    told = {name.removeprefix("count_"): value for name, value in chapter["glued"].items()}
    assert told["rival_moved"] + 0.05 < told["moved_least"] <= told["moved_most"] < told["worst"] - 0.1


def test_training_again_from_the_same_seed_gives_the_same_network(chapter):
    torch.set_num_threads(1)
    again, first = chapter["train"](0, epochs=1), chapter["train"](0, epochs=1)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), first.parameters(), strict=True))


def test_ten_mistakes_are_shown_and_all_are_made_with_a_high_share(chapter):
    assert len(chapter["surest"]) == 10
    assert (chapter["named"][chapter["surest"]] != chapter["truth"][chapter["surest"]]).all()
    assert (chapter["digit_shares"][chapter["surest"]].max(axis=1) > 0.9).all()
    ones = (chapter["truth"] == 1) & (chapter["named"] == 9)
    assert ones[chapter["surest"]].sum() >= 3


def test_what_is_no_digit_gets_an_answer_all_the_same(chapter):
    for shares in chapter["odd_shares"].values():
        assert shares.sum() == pytest.approx(1)
        assert shares.max() > 0.25
    assert chapter["glued"]["count_grass_share"] > 0.5
