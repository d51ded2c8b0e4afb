"""CIFAR-10 in three ways: the parts do what they say, nothing gets lost, the record says what we say."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cifar10
import cifar10_profile
import gpu_check
import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

ROOT = Path(__file__).parents[2]
COPY = ROOT.parent / "shared" / "data" / "cifar10"
CPU = torch.device("cpu")
PLAIN = (torch.zeros(3), torch.ones(3))  # standardised with these, levels stay what they are
TIMES = ("seconds", "cpu_seconds", "measuring_seconds")


def split(many: int, seed: int = 0) -> cifar10.Split:
    """Made-up pictures: smooth ones, so that JPEG and a network have something to find."""
    chance = np.random.default_rng(seed)
    labels = np.arange(many) % 10
    coarse = chance.integers(0, 256, (many, 4, 4, 3)) * 0.5 + 12 * labels[:, None, None, None]
    images = [
        np.array(Image.fromarray(picture.astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC))
        for picture in coarse
    ]
    return cifar10.Split(np.stack(images), labels)


def stored(folder: Path, splits: dict[str, cifar10.Split], kind: str = "PNG") -> Path:
    """Write pictures in the Hugging Face layout."""
    for name, part in splits.items():
        cells = []
        for image in part.images:
            held = io.BytesIO()
            Image.fromarray(image).save(held, kind)
            cells.append({"bytes": held.getvalue(), "path": None})
        (folder / "plain_text").mkdir(parents=True, exist_ok=True)
        table = arrow.table({"img": cells, "label": part.labels})
        parquet.write_table(table, folder / "plain_text" / f"{name}-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    cifar10.pack(stored(folder, {"train": split(40), "test": split(20, 1)}, "JPEG"), folder / "pictures.xz")
    return folder / "pictures.xz"


@pytest.fixture(scope="module", autouse=True)
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where unfinished runs wait. One thread: networks this small wait longer for two than they work."""
    folder, threads = tmp_path_factory.mktemp("build"), torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifar10, "BUILD", folder)
        yield folder / "states"
    torch.set_num_threads(threads)


def train(packed: Path, out: Path, *more: str) -> dict[str, Any]:
    """Run the command on made-up pictures with short recipes; returns what it recorded."""
    short = (
        "a.epochs=3",
        "a.batch=8",
        "b.epochs=2",
        "b.batch=8",
        "b.rate=0.003",
        "c.epochs=2",
        "c.batch=20",
        "c.width=2",
    )
    sizes = ("--pictures", "40", "--test-pictures", "20", "--device", "cpu")
    asked = ("train", "--data", str(packed), "--out", str(out), *sizes, "--set", *short, *more)
    assert cifar10.main(asked) == 0
    content: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def whole(packed: Path, states: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of all three records that nothing disturbs."""
    return train(packed, tmp_path_factory.mktemp("whole") / "whole.json")


def learned(content: dict[str, Any]) -> dict[tuple[str, int], list[dict[str, float]]]:
    """What was learned, without how long it took."""
    return {
        (run["contestant"], run["seed"]): [
            {name: value for name, value in epoch.items() if name not in TIMES} for epoch in run["epochs"]
        ]
        for run in content["runs"]
    }


# --- The parts ---


def test_the_original_network_has_the_parameters_of_the_original() -> None:
    assert cifar10.parameters(cifar10.original_network()) == 2_997_642


def test_the_original_recipe_is_plain_gradient_descent_at_one_rate() -> None:
    for size in cifar10.RECIPES.values():
        recipe = size.recipes["a"]
        (optimiser,) = cifar10.optimisers(cifar10.original_network(), recipe)
        assert type(optimiser) is torch.optim.SGD
        assert {key: optimiser.defaults[key] for key in ("lr", "momentum", "weight_decay")} == {
            "lr": 0.008,
            "momentum": 0,
            "weight_decay": 0,
        }
        assert (recipe.epochs, recipe.batch, recipe.smoothing, recipe.views) == (25, 64, 0, 1)


def test_the_full_run_uses_all_of_cifar10() -> None:
    assert (cifar10.RECIPES["full"].train, cifar10.RECIPES["full"].test) == (50_000, 10_000)


@settings(max_examples=25)
@given(mixing=arrays(np.float32, (3, 3), elements=st.floats(-1, 1, width=16)), seed=st.integers(0, 999))
def test_whitening_whitens(mixing: np.ndarray, seed: int) -> None:
    # Noise whose colours are mixed and whose neighbours are alike, as in photographs.
    noise = torch.randn(8, 3, 24, 24, generator=torch.Generator().manual_seed(seed))
    mixed = torch.einsum("oc,nchw->nohw", torch.from_numpy(mixing) + 4 * torch.eye(3), noise)
    images = F.avg_pool2d(mixed, 2, 1)
    network = cifar10.FastNetwork(2)

    network.whiten(images, floor=0)

    answers = network.whitening(images).detach()
    positive = answers[:, :12].permute(1, 0, 2, 3).flatten(1)
    # 0.01: single precision, with variances that differ by a factor of up to some thousands
    torch.testing.assert_close(positive @ positive.T / positive.shape[1], torch.eye(12), atol=0.01, rtol=0)
    torch.testing.assert_close(answers[:, 12:], -answers[:, :12])


def test_whitening_is_never_trained() -> None:
    network = cifar10.FastNetwork(2)
    trained = [part for one in cifar10.optimisers(network, cifar10.FAST) for part in groups(one)]

    assert not any(part is network.whitening.weight for part in trained)
    # Everything else that can be trained is, once.
    assert len(trained) == len({id(part) for part in trained})
    assert len(trained) == sum(part.requires_grad for part in network.parameters())


def groups(optimiser: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [part for group in optimiser.param_groups for part in group["params"]]


@given(before=st.integers(1, 6), more=st.integers(0, 6), seed=st.integers(0, 999))
def test_a_convolution_starts_by_handing_its_input_on(before: int, more: int, seed: int) -> None:
    maps = torch.randn(2, before, 5, 7, generator=torch.Generator().manual_seed(seed))

    with torch.no_grad():
        out = cifar10.convolution(before, before + more)(maps)

    torch.testing.assert_close(out[:, :before], maps)


@given(
    images=arrays(np.uint8, (3, 32, 32, 3)),
    place=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), min_size=3, max_size=3),
)
def test_a_shifted_or_mirrored_picture_keeps_its_pixels(
    images: np.ndarray, place: list[tuple[int, int, bool]]
) -> None:
    pictures = cifar10.Pictures(cifar10.Split(images, np.arange(3)), PLAIN, CPU)
    down, right, mirrored = (torch.tensor(part) for part in zip(*place, strict=True))

    seen = pictures.seen(torch.tensor([2, 0, 1]), down, right, mirrored).permute(0, 2, 3, 1).numpy()

    wide = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    for one, which, (row, column, flip) in zip(seen, (2, 0, 1), place, strict=True):
        window = wide[which, row : row + 32, column : column + 32]
        assert np.array_equal(one, window[:, ::-1] if flip else window)


def test_unshifted_pictures_are_the_pictures() -> None:
    part = split(10)
    pictures = cifar10.Pictures(part, PLAIN, CPU)

    assert np.array_equal(pictures.view(torch.arange(10)).permute(0, 2, 3, 1).numpy(), part.images)


@given(images=arrays(np.uint8, (2, 32, 32, 3)))
def test_statistics_are_those_of_numpy(images: np.ndarray) -> None:
    middle, deviation = cifar10.statistics(images)

    np.testing.assert_allclose(middle, images.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(deviation, images.std((0, 1, 2)), rtol=1e-5, atol=1e-4)


@given(many=st.integers(1, 50), seed=st.integers(0, 999), epoch=st.integers(0, 30))
def test_each_picture_is_mirrored_in_every_other_epoch(many: int, seed: int, epoch: int) -> None:
    first = cifar10.mirrored_first(many, torch.Generator().manual_seed(seed))
    now, later, last = (cifar10.mirrored_now(first, epoch + ahead) for ahead in range(3))

    assert torch.equal(now, ~later)
    assert torch.equal(now, last)


def test_half_of_the_pictures_are_mirrored_at_first() -> None:
    first = cifar10.mirrored_first(10_000, torch.Generator().manual_seed(0))

    assert 0.48 < first.float().mean() < 0.52  # four deviations


@given(
    matrix=arrays(
        np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-5, 5, width=16)
    )
)
def test_orthogonalising_keeps_directions_and_evens_out_sizes(matrix: np.ndarray) -> None:
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    if sizes[-1] < 0.05 * np.linalg.norm(matrix) or sizes[-1] < 0.01:
        return  # nearly singular: it takes more rounds, or has no direction to keep

    found = cifar10.orthogonalised(torch.from_numpy(matrix), rounds=5).numpy()

    turned = left.T @ found @ right.T
    assert np.diag(turned).min() > 0.5
    assert np.diag(turned).max() < 1.3
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-3)


@given(scale=st.sampled_from([1e-3, 1.0, 1e3]), seed=st.integers(0, 999))
def test_a_step_of_muon_is_as_long_however_steep_it_is(scale: float, seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    start, slope = torch.randn(2, 4, 3, 3, 3, generator=chance)
    ends = []
    for steepness in (1.0, scale):
        filters = torch.nn.Parameter(start.clone())
        filters.grad = slope * steepness
        cifar10.Muon([filters], lr=0.1, momentum=0.6).step()
        ends.append(filters.detach())

    torch.testing.assert_close(*ends, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(ends[0], start)


@given(steps=st.integers(2, 300), rise=st.sampled_from([0.0, 0.2, 0.5]))
def test_a_rate_rises_and_falls_and_is_never_negative(steps: int, rise: float) -> None:
    shares = np.array([cifar10.share_of_rate(step, steps, rise) for step in range(steps)])

    assert (shares > 0).all()
    assert shares.max() <= 1
    turn = shares.argmax()
    assert (np.diff(shares[: turn + 1]) >= 0).all()
    assert (np.diff(shares[turn:]) <= 0).all()
    assert shares[-1] <= 2 / steps + 1e-9 or rise * steps < 1


def test_the_run_that_is_furthest_from_its_end_comes_next() -> None:
    class Waiting:
        def __init__(self, name: str, epochs: int) -> None:
            self.name, self.recipe, self.epochs = name, cifar10.replace(cifar10.FAST, epochs=epochs), []

        finished = cifar10.Run.finished

    order = []
    for run in cifar10.turns([Waiting("a", 4), Waiting("c", 2)]):
        run.epochs.append({})
        order.append(run.name)

    assert order == ["a", "c", "a", "a", "c", "a"]


def test_the_time_to_an_accuracy_is_that_of_the_first_epoch_that_reaches_it() -> None:
    epochs = [
        {"seconds": 1.0, "accuracy": 0.5},
        {"seconds": 2.0, "accuracy": 0.72},
        {"seconds": 3.0, "accuracy": 0.7},
    ]

    assert cifar10.first_time(epochs, 0.72) == 2.0
    assert cifar10.first_time(epochs, 0.94) is None


# --- The pictures in one file ---


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_what_is_packed_is_what_is_unpacked(tmp_path: Path, kind: str) -> None:
    there = {"train": split(12), "test": split(7, 1)}
    folder = stored(tmp_path / "set", there, kind)

    cifar10.pack(folder, tmp_path / "pictures.xz")
    header, found = cifar10.unpack(tmp_path / "pictures.xz")

    assert header["splits"] == {"train": 12, "test": 7}
    for name, part in there.items():
        assert np.array_equal(found[name].labels, part.labels)
        cells = parquet.read_table(folder / "plain_text" / f"{name}-00000-of-00001.parquet")[
            "img"
        ].to_pylist()
        decoded = [np.array(Image.open(io.BytesIO(cell["bytes"]))) for cell in cells]
        assert np.array_equal(found[name].images, np.stack(decoded))
    assert kind == "JPEG" or np.array_equal(found["train"].images, there["train"].images)


def test_the_file_says_how_its_pictures_are_stored() -> None:
    image, lossless, worn = Image.fromarray(split(1).images[0]), io.BytesIO(), io.BytesIO()
    image.save(lossless, "PNG")
    image.save(worn, "JPEG", quality=83)

    assert cifar10.encoding(lossless.getvalue()) == "PNG"
    assert cifar10.encoding(worn.getvalue()) == "JPEG, quality 83"


def test_only_the_pictures_that_are_wanted_are_decoded(packed: Path) -> None:
    _, found = cifar10.unpack(packed, {"train": 5})

    assert {name: len(part.images) for name, part in found.items()} == {"train": 5, "test": 0}


@pytest.mark.parametrize("missing", [(), ("PIL",)], ids=["pillow", "cv2"])
def test_every_decoder_sees_the_same_picture(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    held = io.BytesIO()
    Image.fromarray(split(1).images[0]).save(held, "JPEG", quality=75)
    find = cifar10.find_spec
    monkeypatch.setattr(cifar10, "find_spec", lambda name: None if name in missing else find(name))

    _, decode = cifar10.decoder()

    assert np.array_equal(decode(held.getvalue()), np.array(Image.open(held)))


def test_without_any_decoder_a_sentence_says_what_to_install(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "find_spec", lambda name: None)

    with pytest.raises(cifar10.Refused, match="Install pillow or"):
        cifar10.unpack(packed)


@pytest.mark.cifar10
@pytest.mark.skipif(not COPY.is_dir(), reason="no copy of CIFAR-10 lies in ../shared/data/cifar10")
def test_the_copy_of_cifar10_is_packed(tmp_path: Path) -> None:
    header = cifar10.pack(COPY, tmp_path / "pictures.xz", rows=200)
    _, found = cifar10.unpack(tmp_path / "pictures.xz")

    assert header["pictures"] == "JPEG, quality 75"
    for part in found.values():
        assert part.images.shape == (200, 32, 32, 3)
        assert set(part.labels) == set(range(10))
    assert (tmp_path / "pictures.xz").stat().st_size < 200_000


# --- Learning, recording, going on ---


def test_the_original_loop_is_plain_gradient_descent(packed: Path) -> None:
    _, splits = cifar10.unpack(packed)
    bench = cifar10.Bench(splits["train"], splits["test"], CPU)
    run = cifar10.Run("a", cifar10.replace(cifar10.ORIGINAL, batch=40), 0, bench)
    # All pictures in one batch, and no dropout: then nothing is left to chance.
    for layer in run.network.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    before = [part.detach().clone() for part in run.network.parameters()]
    images = torch.from_numpy(splits["train"].images).permute(0, 3, 1, 2)
    images = (images - images.float().mean((0, 2, 3), keepdim=True)) / images.float().std(
        (0, 2, 3), keepdim=True
    )
    loss = F.cross_entropy(run.network(images), torch.from_numpy(splits["train"].labels))
    slopes = torch.autograd.grad(loss, list(run.network.parameters()))

    recorded = run.epoch()

    assert recorded["train_loss"] == pytest.approx(loss.item(), abs=1e-4)
    for part, start, slope in zip(run.network.parameters(), before, slopes, strict=True):
        torch.testing.assert_close(part.detach(), start - 0.008 * slope, atol=1e-6, rtol=1e-4)


def test_warming_up_leaves_no_trace(packed: Path) -> None:
    _, splits = cifar10.unpack(packed)
    bench = cifar10.Bench(splits["train"], splits["test"], CPU)
    recipe = cifar10.replace(cifar10.FAST, epochs=2, batch=20, width=2)
    cold, warm = (cifar10.Run("c", recipe, 0, bench) for _ in range(2))

    warm.warm()

    for _ in range(2):
        one, other = cold.epoch(), warm.epoch()
        assert {name: one[name] for name in one if name not in TIMES} == {
            name: other[name] for name in other if name not in TIMES
        }


def test_six_views_are_the_picture_two_shifts_and_their_mirror_images(packed: Path) -> None:
    _, splits = cifar10.unpack(packed)
    bench = cifar10.Bench(splits["train"], splits["test"], CPU)
    run = cifar10.Run("c", cifar10.replace(cifar10.FAST, batch=20, width=2), 0, bench)
    seen: list[torch.Tensor] = []
    run.network.register_forward_pre_hook(lambda _, images: seen.append(images[0]))

    run._evaluate()

    wide = np.pad(splits["test"].images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    middle, deviation = (part[:, None, None] for part in bench.standard)
    expected = []
    for shift in (0, -1, 1):
        window = wide[:, 2 + shift : 34 + shift, 2 + shift : 34 + shift]
        view = (torch.from_numpy(window.copy()).permute(0, 3, 1, 2).float() - middle) / deviation
        expected += [view, view.flip(3)]
    assert len(seen) == 6
    for one, other in zip(seen, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_every_epoch_of_every_contestant_is_recorded(whole: dict[str, Any]) -> None:
    assert {run["contestant"]: len(run["epochs"]) for run in whole["runs"]} == {"a": 3, "b": 2, "c": 2}
    for run in whole["runs"]:
        assert run["finished"]
        assert [epoch["epoch"] for epoch in run["epochs"]] == list(range(1, len(run["epochs"]) + 1))
        assert all(one["seconds"] < next_one["seconds"] for one, next_one in pairwise(run["epochs"]))
        assert all(np.isfinite(list(epoch.values())).all() for epoch in run["epochs"])
    (session,) = whole["sessions"]
    assert set(session) >= {"command", "date", "machine", "versions", "device", "preparation_seconds"}
    assert whole["pictures"]["measured_on"] == "test pictures"
    assert whole["pictures"]["stored_as"] == "JPEG, quality 75"
    assert whole["summary"]["a"]["parameters"] == 2_997_642


def test_the_fast_network_learns_pictures_that_are_easy(packed: Path, tmp_path: Path) -> None:
    easy = ("c.epochs=12", "c.batch=20", "c.width=8")
    content = train(packed, tmp_path / "results.json", "--only", "c", "--set", *easy)

    assert content["runs"][0]["epochs"][-1]["train_accuracy"] > 0.5  # guessing: 0.1


def test_a_machine_with_torch_numpy_and_one_decoder_is_enough(packed: Path, tmp_path: Path) -> None:
    absent = (
        "PIL",
        "pyarrow",
        "datasets",
        "torchvision",
        "scipy",
        "sklearn",
        "skimage",
        "matplotlib",
        "pandas",
    )
    asked = ("--pictures", "20", "--test-pictures", "20", "--device", "cpu", "--only", "c")
    short = ("--set", "c.epochs=1", "c.batch=20", "c.width=2")
    out = tmp_path / "bare.json"
    arguments = ["train", "--data", str(packed), "--out", str(out), *asked, *short]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent})); sys.path.insert(0, 'benchmarks'); "
        f"import cifar10; sys.exit(cifar10.main({arguments}))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    (session,) = json.loads(out.read_text(encoding="utf-8"))["sessions"]
    assert set(session["versions"]) == {"python", "torch", "numpy", "opencv-python-headless"}


def test_taking_turns_changes_nothing_in_what_is_learned(
    packed: Path, tmp_path: Path, whole: dict[str, Any]
) -> None:
    for name in "abc":
        alone = learned(train(packed, tmp_path / f"{name}.json", "--only", name))
        assert alone[name, 0] == learned(whole)[name, 0]


def test_another_seed_learns_something_else(packed: Path, tmp_path: Path) -> None:
    found = learned(train(packed, tmp_path / "results.json", "--only", "c", "--seeds", "0-1"))

    assert found["c", 0] != found["c", 1]


@pytest.mark.parametrize("before", [2, 5])
def test_a_run_that_was_cut_off_goes_on_where_it_stood(
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: int,
    whole: dict[str, Any],
    states: Path,
) -> None:
    out, epoch, done = tmp_path / "cut-off.json", cifar10.Run.epoch, []

    def cut_off(run: cifar10.Run) -> dict[str, float]:
        if len(done) == before:
            raise KeyboardInterrupt
        done.append(run.name)
        return epoch(run)

    with monkeypatch.context() as patch:
        patch.setattr(cifar10.Run, "epoch", cut_off)
        with pytest.raises(KeyboardInterrupt):
            train(packed, out)
    left = json.loads(out.read_text(encoding="utf-8"))
    counted: list[str] = []
    monkeypatch.setattr(cifar10.Run, "epoch", lambda run: (counted.append(run.name), epoch(run))[1])
    content = train(packed, out, "--append")

    assert sum(len(run["epochs"]) for run in left["runs"]) == before
    assert sorted(done + counted) == sorted("aaabbcc")
    assert learned(content) == learned(whole)
    for run in left["runs"]:  # times go on from where they were
        (later,) = [one for one in content["runs"] if one["contestant"] == run["contestant"]]
        assert later["epochs"][: len(run["epochs"])] == run["epochs"]
    assert len(content["sessions"]) == 2
    assert not list(states.glob("cut-off-*"))


def test_what_is_finished_is_not_run_again(packed: Path, tmp_path: Path) -> None:
    first = train(packed, tmp_path / "results.json", "--only", "c", "--seeds", "0")
    both = train(packed, tmp_path / "results.json", "--only", "c", "--seeds", "0-1", "--append")

    assert both["runs"][0] == first["runs"][0]
    assert [(run["seed"], run["session"]) for run in both["runs"]] == [(0, 0), (1, 1)]
    assert both["summary"]["c"]["n"] == 2
    again = train(packed, tmp_path / "results.json", "--only", "c", "--seeds", "0-1", "--append")
    assert again == both


def test_validation_leaves_the_test_pictures_alone(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    bench = cifar10.Bench

    def watched(*splits: cifar10.Split, **more: Any) -> cifar10.Bench:
        used.append(splits)
        return bench(*splits, **more)

    monkeypatch.setattr(cifar10, "Bench", watched)
    content = train(packed, tmp_path / "results.json", "--only", "c", "--validate")

    ((learnt, measured, _),) = used
    _, found = cifar10.unpack(packed)
    assert np.array_equal(np.concatenate([learnt.images, measured.images]), found["train"].images)
    assert content["pictures"]["measured_on"] == "training pictures held back"


def test_show_says_a_line_for_each_contestant(
    whole: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(json.dumps(whole), encoding="utf-8")

    assert cifar10.main(["show", str(tmp_path / "results.json")]) == 0

    said = capsys.readouterr().out.splitlines()
    assert "JPEG, quality 75" in said[0]
    assert [line[:3] for line in said[1:]] == ["(a)", "(b)", "(c)"]


# --- What cannot be done ---


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--data", "nowhere.xz"], "nowhere.xz: there is no such file. Pack the pictures"),
        (["--seeds", "one"], "--seeds one: not understood"),
        (["--seeds", "3-1"], "--seeds 3-1: not understood"),
        (["--set", "d.epochs=3"], "--set d.epochs=3: there is no d.epochs"),
        (["--set", "c.epoch=3"], "--set c.epoch=3: there is no c.epoch"),
        (["--set", "c.epochs=many"], "--set c.epochs=many: epochs wants a number"),
        (["--set", "c.optimiser=adam"], "--set c.optimiser=adam: optimiser is sgd or muon"),
        (["--set", "c.epochs=0"], "--set c.epochs=0: epochs must be more than 0"),
        (["--set", "c.bias_rate=0"], "--set c.bias_rate=0: bias_rate must be more than 0"),
        (["--set", "c.views=5"], "--set c.views=5: views is 1 or 6"),
        (["--pictures", "41", "--test-pictures", "20"], "holds 40 train pictures, 41 are wanted"),
        (["--pictures", "40", "--test-pictures", "20", "--only", "b"], "(b) learns in batches of 128"),
    ],
)
def test_a_wrong_wish_gets_a_sentence(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], sentence: str
) -> None:
    out = tmp_path / "results.json"
    arguments = ["train", "--device", "cpu", "--data", str(packed), "--out", str(out), *asked]

    assert cifar10.main(arguments) == 2

    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("damage", ["cut off", "something else", "another kind of xz"])
def test_a_file_that_pack_did_not_write_gets_a_sentence(packed: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "pictures.xz"
    path.write_bytes(
        {
            "cut off": packed.read_bytes()[:-500],
            "something else": b"a letter",
            "another kind of xz": cifar10.lzma.compress(b'{"splits": 3}\n'),
        }[damage]
    )

    with pytest.raises(cifar10.Refused, match="not a whole file of `pack`"):
        cifar10.unpack(path)


def test_a_folder_without_cifar10_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cifar10.main(["pack", str(tmp_path), "--out", str(tmp_path / "pictures.xz")]) == 2
    assert "Name the folder of CIFAR-10" in capsys.readouterr().err

    (tmp_path / "other").mkdir()
    parquet.write_table(arrow.table({"text": ["a"]}), tmp_path / "other" / "train-0.parquet")
    assert cifar10.main(["pack", str(tmp_path), "--out", str(tmp_path / "pictures.xz")]) == 2
    assert "has no columns img and label" in capsys.readouterr().err

    (tmp_path / "other" / "train-0.parquet").write_bytes(b"a letter")
    assert cifar10.main(["pack", str(tmp_path), "--out", str(tmp_path / "pictures.xz")]) == 2
    assert "cannot be read as Parquet" in capsys.readouterr().err


def test_a_file_without_results_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("missing", None), ("broken", "{"), ("other", '{"runs": []}'), ("list", "[]")):
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")

        assert cifar10.main(["show", str(tmp_path / name)]) == 2
        assert "holds no results of `train`" in capsys.readouterr().err


def test_results_are_neither_overwritten_nor_mixed(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    train(packed, out, "--only", "c")
    recorded = out.read_bytes()
    base = ["train", "--device", "cpu", "--data", str(packed), "--out", str(out), "--only", "c"]
    base += ["--pictures", "40", "--test-pictures", "20"]

    for more, sentence in (
        ([], "is there already. Go on with --append"),
        (["--append", "--set", "c.batch=10"], "had another recipe (epochs, batch, width)"),
        (["--append", "--set", "c.batch=10", "--validate"], "its pictures is"),
        (["--append", "--set", "c.batch=10", "--compile"], "its compiled is False, now it would be True"),
        (["--append", "--set", "c.batch=10", "--threads", "2"], "its device is"),
    ):
        assert cifar10.main([*base, *(more or ["--set", "c.batch=10"])]) == 2
        assert sentence in capsys.readouterr().err
        assert out.read_bytes() == recorded


# --- What gpu.md says ---

GUIDE = (ROOT / "benchmarks" / "gpu.md").read_text(encoding="utf-8")


def test_every_command_of_the_guide_is_understood() -> None:
    lines = GUIDE.replace("\\\n", " ").splitlines()
    listed = [line.split("#")[0] for line in lines if line.startswith("    ")]
    commands = [line.split("cifar10.py ", 1)[1] for line in listed if "cifar10.py " in line]
    profiles = [line.split("cifar10_profile.py ", 1)[1] for line in listed if "_profile.py " in line]
    checks = [line.split("gpu_check.py ", 1)[1] for line in listed if "gpu_check.py " in line]

    assert (len(commands), len(profiles), len(checks), len(listed)) == (10, 2, 3, 15)
    for command in profiles:
        assert cifar10_profile.command_line().parse_args(shlex.split(command)).only == ["c"]
    for command in checks:
        assert gpu_check.command_line().parse_args(shlex.split(command)).verb == command.split()[0]
    for command in commands:
        asked = cifar10.command_line().parse_args(shlex.split(command))
        if asked.verb == "train":
            assert cifar10.numbers(asked.seeds)
            assert cifar10.changed(cifar10.RECIPES["full"].recipes, asked.set)


def test_the_guide_says_what_reduced_means() -> None:
    size = cifar10.RECIPES["reduced"]

    assert f"the first {size.train:,} training pictures and are measured on the first {size.test:,} test" in (
        " ".join(GUIDE.split())
    )
    assert size.recipes["a"] == cifar10.RECIPES["full"].recipes["a"] == cifar10.ORIGINAL
    assert size.train * 5 == cifar10.RECIPES["full"].train  # "as many steps as in five epochs"
    assert (size.recipes["b"].epochs, size.recipes["c"].epochs) == (5, 3)
    assert size.recipes["c"].width * 2 == cifar10.FAST.width


# --- What the course says about the recorded run ---


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    path = ROOT / "benchmarks" / "results" / "cifar10_cpu.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_recorded_run_is_one_session_of_all_three(record: dict[str, Any]) -> None:
    assert len(record["sessions"]) == 1
    assert [run["contestant"] for run in record["runs"]] == ["a", "b", "c"]
    for run in record["runs"]:
        assert run["finished"]
        assert len(run["epochs"]) == run["recipe"]["epochs"]
    assert record["runs"][0]["recipe"] == cifar10.asdict(cifar10.ORIGINAL)
    assert record["pictures"]["stored_as"] == "JPEG, quality 75"
    assert record["pictures"]["measured_on"] == "test pictures"


def test_the_fast_network_beat_the_original_with_a_twentieth_of_its_processor_time(
    record: dict[str, Any],
) -> None:
    original, fast = (record["summary"][name] for name in "ac")

    assert fast["accuracy"]["mean"] > original["accuracy"]["mean"]
    assert fast["cpu_seconds"] <= original["cpu_seconds"] / 20


def test_the_recorded_recipes_are_those_of_the_script(record: dict[str, Any]) -> None:
    size = cifar10.RECIPES[record["size"]]

    assert {run["contestant"]: run["recipe"] for run in record["runs"]} == {
        name: cifar10.asdict(recipe) for name, recipe in size.recipes.items()
    }
    assert (record["pictures"]["train"], record["pictures"]["test"]) == (size.train, size.test)


# --- What was recorded on a GPU ---


@pytest.fixture(scope="module")
def on_gpu() -> dict[str, Any]:
    content: dict[str, Any] = cifar10.read_results(ROOT / "benchmarks" / "results" / "cifar10_gpu.json")
    return content


def test_the_run_on_a_gpu_was_whole_and_with_the_recipes_of_the_script(on_gpu: dict[str, Any]) -> None:
    size = cifar10.RECIPES["full"]
    assert (on_gpu["pictures"]["train"], on_gpu["pictures"]["test"]) == (size.train, size.test)
    assert on_gpu["pictures"]["stored_as"] == "JPEG, quality 75"
    for run in on_gpu["runs"]:
        assert run["finished"]
        assert run["alone"]
        assert run["recipe"] == cifar10.asdict(size.recipes[run["contestant"]])
        assert len(run["epochs"]) == run["recipe"]["epochs"]
    assert on_gpu["summary"] == cifar10.summary(on_gpu["runs"], size.train)


def test_the_guide_says_what_was_recorded(on_gpu: dict[str, Any]) -> None:
    told = " ".join(GUIDE.split())
    for name, found in on_gpu["summary"].items():
        spread = f" ± {found['accuracy']['deviation']:.2%}" if found["n"] > 1 else ""
        reached = found["reached"]["72%"]["median_seconds"]
        assert (
            f"| ({name}) | {found['n']} | {found['accuracy']['mean']:.2%}{spread} | {found['seconds']:.1f} | "
            f"{'never' if reached is None else f'{reached:.2f}'} | {found['pictures_per_second']:,} | "
            f"{found['peak_memory_mib']:,.0f} |"
        ) in told
    path = ROOT / "benchmarks" / "results" / "cifar10_profile.json"
    fast = json.loads(path.read_text(encoding="utf-8"))["contestants"]["c"]
    limits = fast["arithmetic_ms"], fast["moving_ms"]
    assert "{:.1f} ms for the arithmetic and {:.1f} ms for moving the data".format(*limits) in told
    assert f"took {fast['step_ms']:.1f} ms, and for {fast['busy_ms']:.1f} of them" in told
    pooling = sum(part["share"] for part in fast["longest"] if "max_pool" in part["what"])
    assert f"{pooling:.0%} of the time" in told


def test_the_guide_says_what_longer_and_wider_runs_came_to() -> None:
    told, learned = " ".join(GUIDE.split()), []
    for name, words in (
        ("e8", "in 8 epochs to {:.1f} %"),
        ("e12", "in 12 to {:.1f} %"),
        ("e16", "in 16 to {:.1f} %"),
        ("e20", "in 20 to {:.1f} %"),
        ("e12w96", "in 12 epochs to {:.1f} %"),
    ):
        found = cifar10.read_results(ROOT / "benchmarks" / "results" / "cifar10_choices" / f"{name}.json")
        ends = [run["epochs"][-1] for run in found["runs"] if run["finished"]]
        assert words.format(100 * np.mean([end["accuracy"] for end in ends])) in told
        assert found["pictures"]["measured_on"] == "training pictures held back"
        learned += [end["train_accuracy"] for end in ends]
    assert f"{min(learned):.1%} to {max(learned):.1%}".replace("%", " %") in told


def test_the_fast_network_was_a_hundred_times_sooner_at_72_percent(on_gpu: dict[str, Any]) -> None:
    original, fast = (on_gpu["summary"][name] for name in "ac")
    assert fast["reached"]["72%"]["runs"] == fast["n"] == 20
    # Within its 25 epochs the original did not get there.
    assert original["reached"]["72%"]["runs"] == 0
    assert original["seconds"] > 100 * fast["reached"]["72%"]["median_seconds"]


def test_clocks_count_only_where_nothing_ran_beside(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    train(packed, out, "--only", "c", "--seeds", "0")
    content = train(packed, out, "--only", "c", "--seeds", "1", "--append", "--beside")
    first, second = content["runs"]
    assert (first["alone"], second["alone"]) == (True, False)
    found = content["summary"]["c"]
    assert (found["n"], found["n_timed"]) == (2, 1)
    assert found["seconds"] == pytest.approx(first["epochs"][-1]["seconds"], abs=1e-3)
    ends = [run["epochs"][-1]["accuracy"] for run in content["runs"]]
    assert found["accuracy"]["mean"] == pytest.approx(np.mean(ends), abs=1e-5)
