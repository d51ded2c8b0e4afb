"""The trained network in book/data: made again, read elsewhere, and as good as its card says."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import train_tiny_net
from scipy.stats import binomtest
from skimage import data, transform
from torch import nn
from train_tiny_net import materials, tiny_net

FOLDER = Path(__file__).parents[2] / "book" / "data" / "tiny-net"
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("net") / "tiny-net"
    train_tiny_net.write(folder)
    return folder


@pytest.fixture
def kept() -> dict[str, torch.Tensor]:
    return torch.load(FOLDER / "weights.pt", weights_only=True)


@pytest.fixture
def net(kept: dict[str, torch.Tensor]) -> nn.Module:
    network = tiny_net()
    network.load_state_dict(kept)
    return network.eval()


def test_training_it_again_gives_the_same_network(anew: Path, kept: dict[str, torch.Tensor]) -> None:
    again = torch.load(anew / "weights.pt", weights_only=True)

    assert list(again) == list(kept)
    for name, part in kept.items():
        # Without AVX2, or with another PyTorch, the random start may differ in the last digit of a float32
        # (6e-8 for numbers below 1); twenty epochs let that grow less than tenfold.
        assert (again[name] - part).abs().max() < 1e-6


def test_training_it_again_gives_the_same_bytes(anew: Path) -> None:
    made_with = re.search(r"Made with PyTorch\s([\d.]+),", CARD)
    assert made_with is not None
    if made_with[1] != torch.__version__.split("+")[0]:
        pytest.skip("another PyTorch made the files")
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("this processor rounds the random start in another way")

    for path in FOLDER.iterdir():
        assert (anew / path.name).read_bytes() == path.read_bytes(), path.name


def test_it_leaves_the_random_numbers_and_threads_of_others_alone() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()

    train_tiny_net.train()

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_it_is_the_network_that_the_course_counts_under_the_names_of_the_exercise(
    kept: dict[str, torch.Tensor],
) -> None:
    assert {name: tuple(part.shape) for name, part in kept.items()} == {
        "conv1.weight": (8, 1, 3, 3),
        "conv1.bias": (8,),
        "conv2.weight": (16, 8, 3, 3),
        "conv2.bias": (16,),
        "linear.weight": (3, 64),
        "linear.bias": (3,),
    }
    assert sum(part.numel() for part in kept.values()) == 1443
    assert all(part.dtype == torch.float32 for part in kept.values())


def test_a_fresh_process_reads_it_without_running_anything_of_ours(tmp_path: Path) -> None:
    read = "import sys, torch; print(*torch.load(sys.argv[1], weights_only=True))"

    done = subprocess.run(
        [sys.executable, "-c", read, FOLDER / "weights.pt"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.stdout.split()[:2] == ["conv1.weight", "conv1.bias"], done.stderr


def test_the_json_holds_the_same_numbers_to_the_last_bit(kept: dict[str, torch.Tensor]) -> None:
    said = json.loads((FOLDER / "weights.json").read_text(encoding="utf-8"))

    assert said["classes"] == materials["MATERIALS"]
    assert list(said["parameters"]) == list(kept)
    for name, part in said["parameters"].items():
        values = np.array(part["values"], np.float64).astype(np.float32).reshape(part["shape"])
        assert np.array_equal(values, kept[name].numpy())


def test_the_json_says_how_bright_each_half_was() -> None:
    said = json.loads((FOLDER / "weights.json").read_text(encoding="utf-8"))["photographs"]

    for name in materials["MATERIALS"]:
        left = said[name]["left"]
        photograph = getattr(data, name)()[:, :256] / 255
        alike = materials["lit_alike"](getattr(data, name)())[:, :256]
        assert (photograph - left["mean"]) / left["std"] == pytest.approx(alike, abs=1e-12)


def test_it_is_as_good_on_the_right_halves_as_its_card_says(net: nn.Module) -> None:
    squares, labels, places = materials["cut_squares"]()
    _, right = materials["by_place"](places)
    with torch.no_grad():
        named = net(torch.tensor(squares[right]).float()).argmax(dim=1).numpy()

    correct, tested = int((named == labels[right]).sum()), int(right.sum())
    interval = binomtest(correct, tested).proportion_ci(method="wilson")
    assert f"**{correct} right, {100 * correct / tested:.1f} %**" in CARD
    assert f"{100 * interval.low:.1f} % to {100 * interval.high:.1f} %" in CARD
    for truth, name in enumerate(materials["MATERIALS"]):
        counts = np.bincount(named[labels[right] == truth], minlength=3)
        assert f"| {name} | {' | '.join(map(str, counts))} |" in CARD
    assert correct / tested > 0.97


def test_it_names_a_material_whatever_it_is_shown_and_is_sure_of_it(net: nn.Module) -> None:
    for photograph in (data.text() / 255, data.coins() / 255, data.chelsea().mean(axis=2) / 255):
        small = transform.resize(photograph, (32, 32), anti_aliasing=True)
        alike = torch.tensor((small - small.mean()) / small.std()).float()
        with torch.no_grad():
            assert net(alike[None, None]).softmax(dim=1).max() > 0.95


def test_the_card_names_the_checksums_of_the_files() -> None:
    found = dict(re.findall(r"\| `(weights\.\w+)` \| `([0-9a-f]{64})` \|", CARD))

    assert found == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("weights.*")
    }
    assert not re.search(r"<\w+>", CARD), "a number was not filled in"


def test_no_square_of_the_left_half_shares_a_pixel_with_one_of_the_right() -> None:
    for step in (32, 8):
        squares, labels, places = materials["cut_squares"](step)
        left, right = materials["by_place"](places)
        assert places[left, 1].max() + 32 <= 256 <= places[right, 1].min()
        assert np.bincount(labels[left]).tolist() == np.bincount(labels[right]).tolist()
        assert squares.shape == (len(labels), 1, 32, 32)
    assert left.sum() + right.sum() < len(labels)  # the straddling ones are in neither
