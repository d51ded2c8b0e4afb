"""Every exercise of the course, built once for all tests of this folder."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autograder import build, masters, settings
from tests.exercises.submissions import Exercise

REPOSITORY = Path(__file__).resolve().parents[2]
SLUGS = build.known_slugs(REPOSITORY)


@cache
def _exercise(slug: str) -> Exercise:
    master = masters.read(REPOSITORY / "solutions" / f"{slug}.md")
    # At CPU scale, so that no question has to wait for a GPU.
    return Exercise(master, build.build(master, replace(settings.load(REPOSITORY), gpu="cpu-scale")))


@pytest.fixture(scope="session", params=SLUGS)
def exercise(request: pytest.FixtureRequest) -> Exercise:
    """Each exercise in turn."""
    return _exercise(request.param)


@pytest.fixture(scope="session")
def exercise_of() -> Callable[[str], Exercise]:
    """One exercise by its name."""
    return _exercise


@pytest.fixture(scope="session")
def kernels() -> Exercise:
    """The exercise that stands for all where one is enough."""
    return _exercise("kernels")


@pytest.fixture(scope="session")
def solved(kernels: Exercise) -> dict[str, Any]:
    """Everything that the solved notebook of `kernels` defines."""
    return kernels.built.solved
