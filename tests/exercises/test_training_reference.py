"""The solution agrees with PyTorch's modules and scikit-learn; the make-believe device behaves as a GPU does."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.preprocessing import StandardScaler
from torch import nn

from autograder import build
from tests.exercises.references import filled, solution_of, steady


@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    """What the master defines, its checks' helpers included."""
    return solution_of("training", "helper", "hidden helper", before=build.templates().checks)


@some.composite
def patches(draw: Any) -> tuple[list[tuple[int, int]], int, float]:
    """Places of patches, their size, and where the photograph is cut."""
    place = some.tuples(some.integers(0, 60), some.integers(0, 60))
    return (
        draw(some.lists(place, min_size=1, max_size=30)),
        draw(some.integers(1, 20)),
        draw(some.integers(0, 8)) / 8,
    )


@given(asked=patches())
@steady
def test_no_pixel_is_in_both_halves_and_only_patches_across_the_line_are_left_out(
    asked: Any, solution: dict[str, Any]
) -> None:
    positions, size, fraction = asked
    train, test = (set(half.tolist()) for half in solution["split_by_place"](positions, size, fraction))
    covered = [{column for i in half for column in range(positions[i][1], positions[i][1] + size)} for half in (train, test)]
    assert not covered[0] & covered[1]
    line = fraction * (max(column for _, column in positions) + size)
    for left_out in set(range(len(positions))) - train - test:
        assert positions[left_out][1] < line < positions[left_out][1] + size


@some.composite
def two_sets(draw: Any) -> tuple[Any, Any]:
    """Training and test pictures of any type."""
    few, side = some.integers(1, 4), some.integers(1, 5)
    shape = (draw(few), draw(few), draw(side), draw(side))
    return filled(draw, shape), filled(draw, (draw(few), *shape[1:]))


@given(asked=two_sets())
@steady
def test_standardised_pictures_are_those_of_scikit_learn(asked: Any, solution: dict[str, Any]) -> None:
    train, test = asked
    by_pixel = [np.array(part, dtype=float).transpose(0, 2, 3, 1).reshape(-1, part.shape[1]) for part in asked]
    constant = np.ptp(by_pixel[0], axis=0) == 0
    scaler = StandardScaler().fit(by_pixel[0])
    scaler.scale_[constant] = 1.0  # its own rule for nearly constant channels is a looser one
    for images, rows, given_back in zip(asked, by_pixel, solution["standardise"](train, test), strict=True):
        count, channels, height, width = images.shape
        expected = scaler.transform(rows).reshape(count, height, width, channels).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(given_back, expected, rtol=1e-9, atol=1e-9)


def exact_model(parts: dict[str, Any]) -> nn.Module:
    """The checks' small model as PyTorch's modules, in float64."""
    kernels, channels = parts["0.weight"].shape[:2]
    layers = [nn.Conv2d(channels, kernels, 3, padding=1), nn.BatchNorm2d(kernels), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * kernels, len(parts["5.bias"]))]
    model = nn.Sequential(*layers)
    model.load_state_dict({name: torch.tensor(part) for name, part in parts.items()}, strict=False)
    return model.double()


@pytest.mark.parametrize(("stored", "batch_size", "epochs", "seed"), [("FIRST", 4, 2, 3), ("WHOLE", 11, 1, 4)])
def test_stored_numbers_are_those_of_pytorchs_modules_and_optimiser(
    solution: dict[str, Any], stored: str, batch_size: int, epochs: int, seed: int
) -> None:
    images = torch.tensor(solution["pattern"]((11, 2, 6, 6), 9000))
    labels = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1, 2, 0])
    model = exact_model(solution["small_parts"](2, 3, 3, 100))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    losses = [
        solution["train_epoch"](
            model, images, labels, optimizer,
            batch_size=batch_size, generator=torch.Generator().manual_seed(seed + epoch),
        )
        for epoch in range(epochs)
    ]  # fmt: skip
    expected_losses, expected_numbers, _ = solution[stored]
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6)
    np.testing.assert_allclose(solution["numbers_of"](model), expected_numbers, rtol=1e-5, atol=1e-7)


few = settings(steady, max_examples=15)  # each trains a model, twice


@given(count=some.integers(2, 14), batch_size=some.integers(2, 15), seed=some.integers(0, 10**6))
@few
def test_oracle_for_an_epoch_is_the_solution_on_any_pictures(
    count: int, batch_size: int, seed: int, solution: dict[str, Any]
) -> None:
    rng = np.random.default_rng(seed)
    images, labels = solution["small_numbers"](rng, (count, 2, 6, 6)), rng.integers(0, 3, count)
    parts = solution["small_parts"](2, 3, 3, seed)
    options = {"batch_size": batch_size, "seed": seed, "rate": 0.125}
    by_hand = solution["epochs_by_hand"](parts, images, labels, **options)
    for second_device in (False, True):
        ours = solution["after_epochs"](parts, images, labels, **options, second_device=second_device)
        for mine, theirs in zip(ours, by_hand, strict=True):
            # float32 against float64, a handful of steps
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)


@given(count=some.integers(1, 40), seed=some.integers(0, 10**6), training=some.booleans())
@steady
def test_evaluation_is_scikit_learns(
    count: int, seed: int, training: bool, solution: dict[str, Any]
) -> None:
    rng = np.random.default_rng(seed)
    images, labels = torch.tensor(solution["small_numbers"](rng, (count, 2, 6, 6))), rng.integers(0, 3, count)
    model = exact_model(solution["small_parts"](2, 3, 4, seed)).float().train(training)
    accuracy, confusion = solution["evaluate"](model, images, torch.tensor(labels))
    assert model.training == training
    answers = model.eval()(images).argmax(1).numpy()
    assert accuracy == pytest.approx(accuracy_score(labels, answers))
    np.testing.assert_array_equal(confusion, confusion_matrix(labels, answers, labels=range(4)))


def test_same_seed_gives_the_same_model_on_one_thread(solution: dict[str, Any]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train, labels, test, _ = solution["squares"](6)
        learn = torch.from_numpy(train), torch.from_numpy(labels)
        models = [solution["fit"](*learn, seed=seed, device="cpu") for seed in (3, 3, 4)]
        with torch.no_grad():
            first, again, other = (model(torch.from_numpy(test)) for model in models)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


class TestSecondDevice:
    """What a program may do with tensors on a GPU, it may do here; what fails there, fails here."""

    @pytest.fixture
    def device(self, solution: dict[str, Any]) -> Any:
        return solution["SecondDevice"]()

    def test_what_is_made_or_moved_there_is_there(self, device: Any) -> None:
        with device:
            made = torch.zeros(3, device=device.NAME)
            moved = torch.ones(3).to(device.NAME)
            for tensor in (made, moved, made + moved, moved * 2, moved.sum(), moved[:2], moved[0]):
                assert tensor.device == device.NAME
            assert moved.cpu().device == moved.to("cpu").device == torch.device("cpu")
            assert (moved.to(torch.float64).device, moved.to(torch.float64).dtype) == (device.NAME, torch.float64)
            assert torch.ones(2).to(moved).device == device.NAME

    def test_operation_on_both_devices_fails(self, device: Any) -> None:
        here = torch.ones(3)
        with device:
            there = here.to(device.NAME)
            with pytest.raises(RuntimeError, match="add got tensors on two devices"):
                there + here
            with pytest.raises(RuntimeError, match="cat got tensors on two devices"):
                torch.cat([here, there])
            with pytest.raises(TypeError, match=r"call cpu\(\) first"):
                there.numpy()

    def test_single_numbers_and_indices_may_come_from_the_cpu(self, device: Any) -> None:
        rows = torch.tensor([0, 2])
        with device:
            there = torch.arange(3.0).to(device.NAME)
            assert (there * torch.tensor(2.0))[rows].cpu().tolist() == [0.0, 4.0]
            assert there.sum().item() == 3.0
            assert float(there[1]) == 1.0

    def test_gradients_and_steps_stay_there(self, device: Any) -> None:
        model = nn.Linear(2, 1)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        with device:
            device.mark(*model.parameters())
            model(torch.ones(4, 2).to(device.NAME)).mean().backward()
            assert model.weight.grad is not None
            assert model.weight.grad.device == device.NAME
            before = model.weight.detach().clone()
            optimizer.step()
            assert (model.weight.detach() != before).all()
            assert model.weight.device == device.NAME

    def test_model_may_be_moved_to_where_it_is_and_nowhere_else(self, device: Any) -> None:
        model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
        with device:
            device.mark(*model.parameters(), *model.buffers())
            assert next(model.to(device.NAME).parameters()).device == device.NAME
            with pytest.raises(RuntimeError, match="the model was moved to another device"):
                model.cpu()

    def test_without_it_nothing_has_changed(self, device: Any) -> None:
        with device:
            there = torch.ones(2).to(device.NAME)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert (there + torch.ones(2)).tolist() == [2.0, 2.0]
