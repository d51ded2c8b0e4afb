"""What "Brushes become learners" says is so: asked of PyTorch, of algebra and of its own code."""

import re
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from .chapter_code import BOOK, run_chapter

TEXT = (BOOK / "brushes-become-learners.md").read_text(encoding="utf-8")
SOBEL = np.array([-1, 0, 1, -2, 0, 2, -1, 0, 1])


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return run_chapter("brushes-become-learners")


def told(chapter: dict[str, Any], name: str) -> Any:
    return chapter["glued"][f"brushes_{name}"]


# --- neurons and layers ---


def test_the_neuron_by_hand_answers_4_and_its_mirror_image_0():
    window = torch.tensor([[1.0, 1, 2], [1, 1, 2], [0, 1, 2]])
    weights = torch.tensor(SOBEL, dtype=torch.float32)
    answers = [torch.relu(weights @ w.flatten() - 1).item() for w in (window, window.flip(1))]
    assert answers == [4, 0]
    assert (weights @ window.flip(1).flatten() - 1).item() == -6


def test_the_network_drawn_has_the_numbers_that_pytorch_counts(chapter):
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    weights = [p.numel() for name, p in network.named_parameters() if "weight" in name]
    assert sum(weights) == told(chapter, "lines") == 20
    assert sum(p.numel() for p in network.parameters()) == told(chapter, "count") == 26
    assert "small_network(axes, [3, 4, 2]" in TEXT


def test_two_layers_without_a_bend_are_one_layer_and_with_a_bend_are_not(chapter):
    picture, one = chapter["picture"], chapter["one"]
    inner = np.s_[2:-2, 2:-2]
    assert chapter["two_layers"](picture, bend=False)[inner] == pytest.approx(one[inner], abs=1e-12)
    assert np.abs(chapter["two_layers"](picture, bend=True) - one)[inner].max() > 1


def test_no_single_kernel_does_what_two_layers_with_a_bend_do(chapter):
    # Whatever is linear turns a negative picture into the negative answer.
    layers, picture = chapter["two_layers"], chapter["picture"]
    assert layers(-picture, bend=False) == pytest.approx(-layers(picture, bend=False))
    assert np.abs(layers(-picture, bend=True) + layers(picture, bend=True)).max() > 1


def test_ten_layers_of_3_by_3_make_one_kernel_of_21_by_21():
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1
    for _ in range(10):
        dot = F.conv2d(dot, torch.ones(1, 1, 3, 3), padding=1)
    assert (dot[0, 0, 20] != 0).sum() == 21
    assert 10 * 9 < 21 * 21  # "with fewer free numbers"


# --- loss and gradient ---


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 50))
def test_the_gradient_is_the_one_that_pytorch_finds(chapter, seed, n):
    rng = np.random.default_rng(seed)
    windows, wanted = rng.normal(size=(n, 9)), rng.normal(size=n)
    kernel = torch.tensor(rng.normal(size=9), requires_grad=True)
    loss = F.mse_loss(torch.tensor(windows) @ kernel, torch.tensor(wanted))
    loss.backward()
    ours = chapter["loss_and_gradient"](kernel.detach().numpy(), windows, wanted)
    assert ours[0] == pytest.approx(loss.item())
    assert ours[1] == pytest.approx(kernel.grad.numpy(), abs=1e-10)  # sums of up to 50 products


def test_the_step_by_hand_is_the_step_of_the_code(chapter):
    window = np.array([[0.0, 0, 1] * 3])
    for rate, weight, loss in [(0.1, 0.8, 2.56), (0.5, 4, 64), (1 / 6, 4 / 3, 0)]:
        before, gradient = chapter["loss_and_gradient"](np.zeros(9), window, np.array([4.0]))
        assert before == 16
        assert gradient.tolist() == [0, 0, -8] * 3
        after = -rate * gradient
        assert after[2::3] == pytest.approx([weight] * 3)
        new_loss, _ = chapter["loss_and_gradient"](after, window, np.array([4.0]))
        assert new_loss == pytest.approx(loss, abs=1e-12)
    assert "(−1.6) × (−1.6) | **2.56**" in TEXT


def test_the_wanted_answers_are_those_of_sobel_x(chapter):
    grid = SOBEL.reshape(3, 3)
    by_scipy = correlate2d(chapter["coin"], grid, mode="valid")
    assert chapter["wanted"].reshape(64, 64) == pytest.approx(by_scipy)
    assert chapter["coin"].mean() == pytest.approx(0)
    assert chapter["coin"].std() == pytest.approx(1)


def test_the_new_coin_shares_no_pixel_with_the_one_learned_from(chapter):
    assert chapter["coin"].shape == chapter["other"].shape == (66, 66)
    assert not np.shares_memory(chapter["coin"][:, :], chapter["other"][:, :])
    rows = [(161, 227), (230, 296)]
    assert rows[0][1] <= rows[1][0]
    assert "coins[161:227, 181:247]" in TEXT
    assert "coins[230:296, 268:334]" in TEXT


# --- walking ---


def test_of_the_three_walks_one_crawls_one_arrives_and_one_leaves_the_map(chapter):
    distances = {
        rate: np.linalg.norm(chapter["walk"](rate, steps)[-1] - chapter["goal"])
        for rate, (steps, _) in chapter["walks"].items()
    }
    assert distances[0.4] < 0.2 < 1 < distances[0.01]
    assert chapter["walk"](0.57, 5)[-1, 1] < -1.1  # below the lowest right weight drawn


@pytest.mark.parametrize(("factor", "arrives"), [(0.99, True), (1.01, False)])
def test_the_border_between_learning_and_exploding_is_where_the_text_says(chapter, factor, arrives):
    steep = np.linalg.eigvalsh(2 * chapter["windows"].T @ chapter["windows"] / 4096)[-1]
    assert told(chapter, "limit") == pytest.approx(2 / steep)
    # The steepest direction's error is multiplied by this at every step.
    kernel = chapter["secret"] + np.linalg.eigh(chapter["windows"].T @ chapter["windows"])[1][:, -1]
    start = np.linalg.norm(kernel - SOBEL)
    for _ in range(50):
        _, gradient = chapter["on_all_examples"](kernel)
        kernel = kernel - factor * told(chapter, "limit") * gradient
    assert (np.linalg.norm(kernel - SOBEL) < start) == arrives


def test_the_kernel_is_learned_and_in_the_order_that_the_text_tells(chapter):
    path = chapter["path"].reshape(-1, 3, 3)
    assert np.abs(path[-1].ravel() - SOBEL).max() == told(chapter, "final_error") < 0.002
    assert len(path) == 1 + told(chapter, "steps") == 1 + told(chapter, "epochs") * told(chapter, "per_epoch")
    ratios = {n: path[n, 1, 2] / path[n, [0, 2], 2].mean() for n in (10, 1000)}
    assert 1 < ratios[10] < 1.4  # "nearly equal"
    assert ratios[1000] == pytest.approx(2, abs=0.02)
    corners = path[:, 0, 2]
    assert corners.max() > 1.1  # the detour
    assert 80 < corners.argmax() < 160
    assert np.abs(path[:, :, 1]).max() < 0.1


def test_the_weights_change_1280_times_in_20_epochs_as_the_self_check_says(chapter):
    assert 4096 // 64 * 20 == told(chapter, "steps") == 1280
    assert told(chapter, "windows") == 4096


def test_small_middle_and_large_rates_creep_learn_and_explode(chapter):
    losses = chapter["losses"]
    assert losses[0.002][-1] > 1
    assert losses[0.05][-1] < 0.01
    assert losses[0.15][:10].min() < losses[0.15][0] < losses[0.15][20] / 1000
    assert len(str(int(losses[0.15][-1]))) == told(chapter, "bold_digits")
    assert told(chapter, "bold") / told(chapter, "limit") == pytest.approx(1.2, abs=0.05)  # "about a fifth"


def test_the_live_figure_shows_most_of_the_loss_gone_after_a_hundred_batches(chapter):
    loss = [chapter["on_all_examples"](chapter["path"][n])[0] for n in (0, 100)]
    assert loss[1] < loss[0] / 50  # "nearly all of the loss"
    windows = chapter["windows"] @ np.array([chapter["path"][n] for n in (100, -1)]).T
    assert (
        np.abs(windows[:, 0] - windows[:, 1]).mean() < 0.15
    )  # "nothing that the eye sees": 1 % of the colours
    assert (
        chapter["losses"][0.15][chapter["exploded"]]
        > 1e4
        > chapter["losses"][0.15][: chapter["exploded"]].max()
    )


def test_pytorch_takes_our_first_step_and_learns_the_stencil_unturned(chapter):
    assert np.abs(chapter["gap"]).max() < 1e-12
    learned = chapter["layer"].weight.detach().numpy().ravel()
    assert learned == pytest.approx(SOBEL, abs=0.02)


# --- failures ---


def test_two_kernels_fit_five_windows_and_both_miss_the_new_coin(chapter):
    few, new, rng = chapter["few"], chapter["new"], np.random.default_rng(5)
    assert len(np.unique(few, axis=0)) == 5
    rng.choice(4096, 5)
    found = [chapter["descend"](rng.normal(size=9), few, few @ SOBEL, steps=20_000) for _ in range(2)]
    for kernel in found:
        assert chapter["miss"](kernel, few) < 0.01
        assert chapter["miss"](kernel, new) > 0.2
    assert np.abs(found[0] - found[1]).max() > 0.5


def test_pinv_is_where_gradient_descent_from_zeros_ends(chapter):
    some = np.random.default_rng(0).normal(size=(5, 9))  # no narrow valley: it arrives soon
    walked = chapter["descend"](np.zeros(9), some, some @ SOBEL, steps=5000)
    assert walked == pytest.approx(np.linalg.pinv(some) @ (some @ SOBEL), abs=1e-6)


def test_nine_exact_examples_are_enough_and_nine_noisy_ones_are_the_worst(chapter):
    numbers, exact, noisy = chapter["numbers"], chapter["curves"][0.0], chapter["curves"][0.2]
    nine = numbers.index(9)
    assert exact[nine:, 1].max() < 1e-9
    assert exact[:nine, 1].min() > 0.05
    assert noisy[:, 1].argmax() == nine
    assert noisy[: nine + 1, 0].max() < 1e-9  # fits its own examples without error
    assert told(chapter, "noisy_most") < 0.03
    assert told(chapter, "own_most") == pytest.approx(0.2 / chapter["typical"], rel=0.05)


def test_stripes_fix_the_sums_of_columns_and_nothing_else(chapter):
    assert np.linalg.matrix_rank(chapter["stripes"]) == 3
    for kernel in [SOBEL, *chapter["found"].values()]:
        assert kernel.reshape(3, 3).sum(axis=0) == pytest.approx([-4, 0, 4], abs=1e-6)
        assert chapter["miss"](kernel, chapter["stripes"]) < 1e-6
    assert chapter["found"]["zeros"] == pytest.approx(np.tile([-4 / 3, 0, 4 / 3], 3), abs=1e-6)
    assert told(chapter, "chance_miss") > told(chapter, "zero_miss") > 0.05


def test_what_stripes_say_nothing_about_stays_as_it_was(chapter):
    start, end = chapter["starts"]["chance"].reshape(3, 3), chapter["found"]["chance"].reshape(3, 3)
    assert end - end.mean(axis=0) == pytest.approx(start - start.mean(axis=0))


def test_a_weighted_sum_cannot_learn_cut_answers_and_a_neuron_with_a_bend_can(chapter):
    plain, bent = (chapter["learn_from_cut"](bend)[0] for bend in (False, True))
    best, *_ = np.linalg.lstsq(chapter["windows"], chapter["cut"])
    assert plain == pytest.approx(best, abs=0.01)  # nothing better exists
    assert told(chapter, "stuck") > 0.5
    assert bent == pytest.approx(SOBEL, abs=0.02)
    assert told(chapter, "bent") < 1e-5
    assert np.abs(plain).sum() / np.abs(SOBEL).sum() == pytest.approx(0.5, abs=0.1)  # "about half as strong"


def test_a_bent_neuron_that_begins_with_zeros_has_nothing_to_learn_from(chapter):
    weight = torch.zeros(9, dtype=torch.float64, requires_grad=True)
    answers = torch.relu(torch.tensor(chapter["windows"]) @ weight)
    F.mse_loss(answers, torch.tensor(chapter["cut"])).backward()
    assert not weight.grad.any()


def test_the_words_of_the_table_are_all_there():
    table = re.search(r"\| The word \|.*?\n\n", TEXT, re.DOTALL)
    assert table is not None
    for word in ("weight", "neuron", "feature", "layer", "architecture", "loss", "gradient of the loss",
                 "gradient descent", "learning rate", "batch", "epoch"):  # fmt: skip
        assert f"{{term}}`{word}`" in table[0]
