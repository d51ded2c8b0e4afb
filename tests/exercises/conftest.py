"""The exercise `kernels`, built once for all tests of this folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder import archives, assemble, assign, build, judge, masters, settings
from autograder.assemble import Assigned, Product
from autograder.masters import Master

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def master() -> Master:
    """The master of `kernels`."""
    return masters.read(REPOSITORY / "solutions" / "kernels.md")


@pytest.fixture(scope="session")
def assigned(master: Master) -> Assigned:
    """What Otter Assign makes of it."""
    return assign.run(master.slug, assemble.for_otter(master, settings.load(REPOSITORY).pins))


@pytest.fixture(scope="session")
def product(master: Master, assigned: Assigned) -> Product:
    """What the build makes of that."""
    chosen = settings.load(REPOSITORY)
    return assemble.product(master, assigned, build.templates(), chosen.seed, chosen.pins)


@pytest.fixture(scope="session")
def checks_of(master: Master, assigned: Assigned) -> Callable[[str, int], str]:
    """The bundle's check file of one question, its hidden numbers drawn from a seed."""
    bundles: dict[int, dict[str, bytes]] = {}

    def checks(question: str, seed: int) -> str:
        if seed not in bundles:
            archive = assemble.bundle(master, assigned.bundle, build.templates(), seed)
            bundles[seed] = archives.unpack(archive)
        return bundles[seed][f"tests/{question}.py"].decode()

    return checks


@pytest.fixture(scope="session")
def solved(product: Product) -> dict[str, Any]:
    """Everything that the solved notebook defines."""
    return judge.functions_of(product.solved)
