"""Hostile and broken submissions come to a result in time, earn nothing that is not theirs, leave nothing."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from autograder import bundles, grading, submissions, wire
from autograder.bundles import Exercise
from autograder.results import Result
from autograder.sandbox import Limits, Slot
from autograder.standins import BorderError, Changed, Notebook, Remote, StandIn
from autograder.wire import Channel
from tests.autograder.hostile import HOSTILE, MARK, Hostile
from tests.autograder.test_wire import VALUES
from tests.autograder.uploads import as_bytes, code, document, lay_out

SECONDS = 6.0
MEGABYTE = 2**20
LIMITS = Limits(memory=600 * MEGABYTE, processes=32, file=32 * MEGABYTE, room=32 * MEGABYTE)
FUNCTIONS = {"doubling": ("double",), "pixels": ("crop", "shrink")}
SEED = 7  # of the small course
HIDDEN = int(np.random.default_rng(SEED).integers(100, 200))

# An honest student who happens to look around: the cell fails if there is anything of somebody else.
LOOKS_AROUND = f"""
import builtins, json, os, stat, sys
import numpy as np
found = [name for place in (".", "/tmp", "/dev/shm") for name in os.listdir(place) if "{MARK}" in name]
found += [name for name in os.listdir("/proc") if name.isdigit() and name != str(os.getpid())]
found += [str(thing) for thing in (builtins, json, np) if hasattr(thing, "left")]
found += [value for value in (*os.environ.values(), *sys.path[:1]) if "{MARK}" in value]
found += [line for line in open("/proc/net/unix") if "@" in line]
found += open("/proc/net/tcp").read().splitlines()[1:]
for name in os.listdir("/proc/self/fd"):
    try:
        if stat.S_ISREG(os.fstat(int(name)).st_mode):
            found.append(os.pread(int(name), 1000, 0))
    except OSError:
        pass
assert not found, found
"""


@pytest.fixture(scope="module")
def exercise(built_once: Path) -> Exercise:
    """The small exercise."""
    return bundles.load((built_once / "dist" / "doubling.zip").read_bytes(), "the bundle")


@pytest.fixture(scope="module")
def slot(exercise: Exercise) -> Iterator[Slot]:
    """The one place where all of them run, one after another. There is no test without its sandbox."""
    with Slot("strict", exercise.warming) as opened:
        if not opened.nests:
            pytest.fail("Here a submission gets no namespaces of its own: these tests must not run.")
        yield opened


def graded(exercise: Exercise, slot: Slot, folder: Path, name: str, content: bytes) -> Result:
    """Find, read and grade an upload."""
    (upload,) = submissions.find(lay_out(folder, {name: content}))
    submission = submissions.read(upload, exercise.slug, FUNCTIONS)
    return grading.grade(exercise, submission, slot, key="", seconds=SECONDS, limits=LIMITS)


def told(result: Result) -> str:
    """All that a student may read."""
    said = asdict(result)
    for question in said["questions"]:
        del question["private"]
    return json.dumps(said)


@pytest.mark.parametrize("hostile", [pytest.param(one, id=f"{one.family}: {one.name}") for one in HOSTILE])
def test_hostile_submission_is_survived(
    exercise: Exercise, slot: Slot, tmp_path: Path, hostile: Hostile
) -> None:
    neighbours = lay_out(tmp_path, {"neighbour.txt": b"mine"})
    begun = time.monotonic()
    result = graded(exercise, slot, tmp_path / "hostile", hostile.file, hostile.content)
    took = time.monotonic() - begun

    assert result.status in hostile.statuses, result
    assert hostile.least <= (result.score or 0) <= hostile.most, result
    assert bool(result.failed_cells) == hostile.failing or "timeout" in hostile.statuses, result
    assert str(HIDDEN) not in told(result)
    assert took < hostile.seconds

    honest = as_bytes(document(code(LOOKS_AROUND), code("def double(number):\n    return 2 * number")))
    beside = graded(exercise, slot, tmp_path / "honest", "grace.ipynb", honest)
    assert (beside.status, beside.score, beside.failed_cells) == ("graded", exercise.points, ())
    assert slot._server is not None
    assert psutil.Process(slot._server.pid).children() == []
    assert sorted(path.name for path in neighbours.iterdir()) == ["honest", "hostile", "neighbour.txt"]


@contextlib.contextmanager
def answered(content: bytes) -> Iterator[Notebook]:
    """A notebook whose worker says this to the first question, and leaves."""
    (from_worker, to_judge), (from_judge, to_worker) = os.pipe(), os.pipe()
    channel = Channel(from_worker, to_worker, reads=wire.ANSWERS)
    # The judge takes what was there before it asked for a breach of the rules, so that this must look away.
    channel.expect_silence = lambda: None  # type: ignore[method-assign]
    os.write(to_judge, content)
    os.close(to_judge)
    try:
        yield Notebook(channel, 5)
    finally:
        channel.close()
        os.close(from_judge)


def ask_everything(content: bytes) -> None:
    """Ask whatever is ever asked; see that nothing is raised which would end the judge."""
    with answered(content) as notebook, contextlib.suppress(BorderError):
        assert all(type(word) is str for failed in notebook.run([("one", "x = 1")]) for word in failed)
        assert type(notebook.out_of_memory) is bool
    with answered(content) as notebook, contextlib.suppress(BorderError):
        names = notebook.names_used(["x = 1"])
        assert names is None or all(type(name) is str for name in names)
    with answered(content) as notebook, contextlib.suppress(BorderError):
        notebook.get("double")
    with answered(content) as notebook, contextlib.suppress(BorderError):
        try:
            StandIn(notebook, "double")(3)
        except BorderError:
            raise
        except BaseException as error:
            told_as_error = error
        else:
            return
        assert isinstance(told_as_error, Remote | Changed)
        assert type(str(told_as_error)) is str


@given(noise=some.binary(max_size=300), framed=some.booleans())
def test_any_bytes_from_the_other_side_end_the_questions_and_nothing_else(noise: bytes, framed: bool) -> None:
    ask_everything(wire.PREFIX.pack(wire.MARK, len(noise), len(noise)) + noise if framed else noise)


WORDS = ("raised", "message", "kind", "frames", "changed", "value", "there", "function", "names", "too_large")


@given(said=some.dictionaries(some.sampled_from(WORDS), VALUES, max_size=6) | VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_is_an_answer_or_ends_the_questions(said: Any) -> None:
    ask_everything(wire.pack(said))


def test_every_family_has_four() -> None:
    families = [one.family for one in HOSTILE]
    assert len(set(families)) == 7
    assert all(families.count(family) >= 4 for family in families)
