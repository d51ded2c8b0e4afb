"""A worker runs student code in another process, answers in plain data, and is gone afterwards."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from autograder import standins
from autograder.isolation import LEVELS, Device
from autograder.sandbox import Limits, Slot
from autograder.standins import BorderError, Notebook

Start = Callable[..., Notebook]


@pytest.fixture(scope="module", params=LEVELS)
def slot(request: pytest.FixtureRequest) -> Iterator[Slot]:
    """A place for submissions, at each level of isolation."""
    with Slot(request.param) as opened:
        yield opened


@pytest.fixture
def start(slot: Slot) -> Iterator[Start]:
    """Run cells as a submission of its own."""
    with contextlib.ExitStack() as stack:

        def run(*cells: str, seconds: float = 60) -> Notebook:
            notebook = Notebook(stack.enter_context(slot.worker()).channel, seconds)
            assert notebook.run([(f"cell {number}", source) for number, source in enumerate(cells)]) == []
            return notebook

        yield run


def test_function_is_called_there_and_its_result_is_here(start: Start) -> None:
    notebook = start(
        "import os, numpy as np\ndef double(x, *, more=0):\n    return 2 * x + more, os.getpid()"
    )
    (result, process) = notebook["double"](np.arange(3.0), more=1)
    assert result.tolist() == [1, 3, 5]
    assert process != os.getpid()


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("[1, 2.5, None, True, 'text']", [1, 2.5, None, True, "text"]),
        ("{'height': np.int64(3), 'dtype': 'uint8'}", {"height": 3, "dtype": "uint8"}),
        ("torch.arange(3)", [0, 1, 2]),
        ("torch.ones(2, requires_grad=True)", [1, 1]),
        ("np.ma.masked_array([1, 2], [False, True])", [1, 2]),
        ("np.matrix([[1, 2]])", [[1, 2]]),
        ("collections.namedtuple('Pair', 'a b')(1, 2)", (1, 2)),
        ("Yes(3)", 3.0),
        ("np.arange(2).view(Coat)", [0, 1]),
    ],
)
def test_result_is_plain_whatever_it_was(start: Start, made: str, expected: Any) -> None:
    notebook = start(
        "import collections\nimport numpy as np\nimport torch",
        "class Yes(float):\n    def __eq__(self, other): return True\n    __hash__ = float.__hash__",
        "class Coat(np.ndarray):\n    def __eq__(self, other): return True",
        f"def answer():\n    return {made}",
    )
    found = notebook["answer"]()
    if isinstance(found, np.ndarray):
        assert type(found) is np.ndarray
        found = found.tolist()
    assert found == expected
    assert type(found) is type(expected)


def test_object_arrives_as_a_mere_thing_of_that_name(start: Start) -> None:
    notebook = start(
        "class Always:\n    def __eq__(self, other): return True\n    def __array__(self): return 1 / 0",
        "def answer():\n    return Always()",
    )
    found = notebook["answer"]()
    assert type(found).__name__ == "Always"
    assert found != 1
    assert not hasattr(found, "__array__")


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        ("ValueError('too small')", ValueError, "too small"),
        ("UnicodeError('odd')", ValueError, "odd"),
        ("KeyError('blur')", Exception, "'blur'"),
        ("SystemExit(3)", SystemExit, "3"),
        ("type('Own', (Exception,), {})('mine')", Exception, "mine"),
        ("type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})()", Exception, ""),
    ],
)
def test_error_arrives_with_its_name_message_and_place(
    start: Start, raised: str, kind: type[BaseException], message: str
) -> None:
    notebook = start(f"def answer(x):\n    raise {raised}")
    with pytest.raises(kind) as caught:
        notebook["answer"](1)
    assert str(caught.value) == message
    assert type(caught.value).__name__ in raised
    ((_, function, line, text),) = caught.value.notebook_frames
    assert (function, line, text) == ("answer", 2, f"raise {raised}")


def test_changed_argument_is_told_and_ours_stays_as_it_was(start: Start) -> None:
    notebook = start("def answer(a, b):\n    b[0] = 7\n    return a")
    ours = np.zeros(2)
    with pytest.raises(standins.Changed) as caught:
        notebook["answer"](1, ours)
    assert caught.value.changed_arguments == [1]
    assert ours.tolist() == [0, 0]


def test_names_are_looked_up_one_by_one(start: Start) -> None:
    notebook = start("COUNTS = ('a', 'b')\ndef answer(): pass")
    assert notebook["COUNTS"] == ("a", "b")
    assert callable(notebook["answer"])
    assert notebook["answer"]() is None
    assert notebook.get("missing") is None
    assert "missing" not in notebook


def test_worker_knows_nothing_of_the_judge_and_its_environment_is_bare(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", "12345")
    notebook = start(
        "import os, sys\n"
        "def seen():\n"
        "    ours = [name for name in sys.modules if name.startswith('autograder')]\n"
        "    return sorted(ours), dict(os.environ), os.listdir()\n"
    )
    modules, environment, files = notebook["seen"]()
    files_of_ours = ("forkserver", "showing", "wire", "worker")
    assert modules == ["autograder", *(f"autograder.{name}" for name in files_of_ours)]
    assert not any("AUTOGRADER" in name or "12345" in value for name, value in environment.items())
    assert not any(name.endswith((".zip", ".ipynb", ".py")) for name in files)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(3)", "has gone"),
        ("ctypes.string_at(0)", "has gone"),
        ("time.sleep(60)", "too long"),
        ("while True: pass", "too long"),
    ],
)
def test_worker_that_dies_or_hangs_ends_the_questions(start: Start, body: str, said: str) -> None:
    notebook = start(f"import ctypes, os, time\ndef answer():\n    {body}", seconds=4)
    with pytest.raises(BorderError, match=said):
        notebook["answer"]()
    begun = time.monotonic()
    with pytest.raises(BorderError, match=said):  # and nothing more is asked
        notebook["another"]
    assert time.monotonic() - begun < 1


def living(name: str) -> list[psutil.Process]:
    """The processes of this machine with a word in their command line, but those that have ended."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if name in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_worker_its_children_and_what_it_wrote_are_gone_afterwards(slot: Slot) -> None:
    word = f"300.{os.getpid()}"
    cells = [
        "import os, subprocess, sys",
        f"left = 'import os, time; os.setsid(); time.sleep({word})'",
        f"subprocess.Popen([sys.executable, '-c', left, '{word}'])",
        "for place in ('', '/tmp/', '/dev/shm/'):\n    open(place + 'left-behind', 'w').write('mine')",
        "def seen():\n    return [name for place in ('.', '/tmp', '/dev/shm') for name in os.listdir(place)]",
    ]
    with slot.worker() as running:
        notebook = Notebook(running.channel, 60)
        assert notebook.run([(str(number), cell) for number, cell in enumerate(cells)]) == []
        assert "left-behind" in notebook["seen"]()
        assert len(living(word)) == 1
    assert living(word) == []
    with slot.worker() as running:
        notebook = Notebook(running.channel, 60)
        notebook.run([("first", cells[0]), ("last", cells[-1])])
        seen = notebook["seen"]()
    # Without isolation the machine's own folders are what they are; the submission's own is new all the same.
    assert slot.isolation == "none" or "left-behind" not in seen
    for place in ("/tmp", "/dev/shm"):
        Path(place, "left-behind").unlink(missing_ok=True)


def test_slot_starts_one_process_for_many_submissions_and_none_finds_the_names_of_another(slot: Slot) -> None:
    started = slot.started
    for number in range(5):
        with slot.worker() as running:
            notebook = Notebook(running.channel, 60)
            assert notebook.run([("one", f"import json\njson.mine = {number}\nmine = {number}")]) == []
            assert notebook["mine"] == number
        with slot.worker() as running:
            notebook = Notebook(running.channel, 60)
            notebook.run([("one", "import json\nleft = hasattr(json, 'mine')")])
            assert notebook["left"] is False
            assert "mine" not in notebook
    assert slot.started == started


def test_slot_whose_warm_process_died_is_renewed(slot: Slot) -> None:
    started = slot.started
    with slot.worker() as running:
        assert slot._server is not None
        slot._server.kill()
        notebook = Notebook(running.channel, 5)
        with pytest.raises(BorderError, match="gone"):  # it goes with it
            notebook.run([("one", "while True: pass")])
    with slot.worker() as running:
        assert Notebook(running.channel, 60).run([("one", "x = 1")]) == []
    assert slot.started > started


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("os._exit(3)", "exit 3"),
        ("ctypes.string_at(0)", "signal SIGSEGV"),
        ("pass", ""),
    ],
)
def test_slot_tells_how_a_submission_ended_itself(slot: Slot, body: str, ended: str) -> None:
    with slot.worker() as running, contextlib.suppress(BorderError):
        Notebook(running.channel, 10).run([("one", f"import ctypes, os\n{body}")])
    assert running.ended == ended


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gpu_is_not_touched_before_the_fork_and_hidden_unless_it_may_be_used(device: Device) -> None:
    given = ["import torch", "there = torch.cuda.is_available()", "if there: torch.cuda.init()"]
    with Slot("strict", given, device=device) as slot, slot.worker() as running:
        notebook = Notebook(running.channel, 60)
        cells = [
            "import os, sys\nwarm = 'torch' in sys.modules",
            "touched = sys.modules['torch'].cuda.is_initialized()",
            "hidden = os.environ.get('CUDA_VISIBLE_DEVICES')",
        ]
        assert notebook.run([(cell, cell) for cell in cells]) == []
        assert (notebook["warm"], notebook["touched"]) == (True, False)
        assert notebook["hidden"] == ("" if device == "cpu" else None)


def test_processes_that_take_too_much_memory_together_are_ended(slot: Slot) -> None:
    child = "    if not os.fork():\n        kept = bytearray(100 * 2**20)\n        time.sleep(60)"
    hold = f"import os, time\nfor _ in range(5):\n{child}"
    with slot.worker(Limits(memory=400 * 2**20)) as running:
        notebook = Notebook(running.channel, 20)
        with pytest.raises(BorderError, match="gone"):
            notebook.run([("one", hold), ("two", "time.sleep(15)")])
    assert running.ended == "memory"


def test_array_that_is_too_large_fails_and_the_notebook_goes_on(slot: Slot) -> None:
    with slot.worker(Limits(memory=600 * 2**20)) as running:
        notebook = Notebook(running.channel, 20)
        ((_, error, _),) = notebook.run([("one", "import numpy as np\nnp.ones(10**9)"), ("two", "x = 1")])
        assert error == "MemoryError"
        assert notebook["x"] == 1
        assert notebook.out_of_memory


def test_answer_that_is_too_large_is_that_functions_failure_alone(start: Start) -> None:
    notebook = start("def answer():\n    return [1] * 200_000\ndef other():\n    return 3")
    with pytest.raises(Exception, match="too many values") as caught:
        notebook["answer"]()
    assert type(caught.value).__name__ == "ResultTooLarge"
    assert notebook["other"]() == 3
