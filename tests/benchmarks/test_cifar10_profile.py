"""Where the time of a step goes: operations and bytes are counted, and the report holds all that is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cifar10_profile
import pytest
import torch

SCRIPT = Path(cifar10_profile.__file__)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("profile") / "profile.json"
    command = [
        sys.executable,
        str(SCRIPT),
        "--only",
        "a",
        "c",
        "--steps",
        "1",
        "--pictures",
        "1000",
        "--out",
        str(out),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_operations_of_the_original_are_those_of_its_layers(record: dict[str, Any]) -> None:
    places = [31**2, 14**2, 6**2, 6**2, 6**2]
    kernels = [3 * 64 * 16, 64 * 192 * 16, 192 * 384 * 9, 384 * 256 * 9, 256 * 256 * 9]
    layers = [place * kernel for place, kernel in zip(places, kernels, strict=True)]
    layers += [1024 * 512, 512 * 256, 256 * 10]
    # Forward, and backward to the weights and to the layer before, which the first has not got.
    assert record["contestants"]["a"]["operations"] == 64 * (3 * 2 * sum(layers) - 2 * layers[0])


def test_every_contestant_gets_its_limits_and_its_times(record: dict[str, Any]) -> None:
    for found in record["contestants"].values():
        assert found["arithmetic_ms"] == pytest.approx(
            1e3 * found["operations"] / found["operations_per_second"]
        )
        assert found["moving_ms"] == pytest.approx(1e3 * found["bytes"] / found["bytes_per_second"])
        assert found["gaps_ms"] == pytest.approx(max(0, found["step_ms"] - found["busy_ms"]))
        assert 0 < sum(part["share"] for part in found["longest"]) <= 1.001
        assert "convolution" in found["longest"][0]["what"]


def test_bytes_are_those_of_what_is_read_and_written() -> None:
    one, other = torch.zeros(10, 20), torch.zeros(20, 30)
    with cifar10_profile.Traffic() as traffic:
        one @ other.T.T  # views move nothing
    assert traffic.bytes == 4 * (10 * 20 + 20 * 30 + 10 * 30)
    with cifar10_profile.Traffic() as traffic:
        one.add_(1)  # read, and written in its place
    assert traffic.bytes == 4 * 2 * (10 * 20)
    with cifar10_profile.Traffic() as traffic:
        torch._foreach_add_([one, other], 1)
    assert traffic.bytes == 4 * 2 * (10 * 20 + 20 * 30)
    with cifar10_profile.Traffic() as traffic:
        torch.empty(100).copy_(torch.empty(100))  # one is read, the other written
    assert traffic.bytes == 4 * 2 * 100
    places = torch.tensor([1, 3])
    with cifar10_profile.Traffic() as traffic:
        one[places]  # two rows are read and written, and where they are
    assert traffic.bytes == 4 * 2 * (2 * 20) + 8 * 2
