"""A worker runs student code in another process, answers in plain data, and is gone afterwards."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from autograder import sandbox, standins
from autograder.standins import BorderError, Notebook

Start = Callable[..., Notebook]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run cells in a worker of their own."""
    opened = []

    def run(*cells: str, seconds: float = 60) -> Notebook:
        worker = sandbox.plain_worker()
        notebook = Notebook(worker.__enter__(), seconds)
        opened.append(worker)
        assert notebook.run([(f"cell {number}", source) for number, source in enumerate(cells)]) == []
        return notebook

    yield run
    for worker in opened:
        worker.__exit__(None, None, None)


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
    assert modules == ["autograder", "autograder.wire", "autograder.worker"]
    assert not any("AUTOGRADER" in name or "12345" in value for name, value in environment.items())
    assert not any(name.endswith((".zip", ".ipynb", ".py")) for name in files)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(3)", "has gone"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "has gone"),
        ("time.sleep(60)", "too long"),
        ("while True: pass", "too long"),
    ],
)
def test_worker_that_dies_or_hangs_ends_the_questions(start: Start, body: str, said: str) -> None:
    notebook = start(f"import os, signal, time\ndef answer():\n    {body}", seconds=4)
    with pytest.raises(BorderError, match=said):
        notebook["answer"]()
    begun = time.monotonic()
    with pytest.raises(BorderError, match=said):  # and nothing more is asked
        notebook["another"]
    assert time.monotonic() - begun < 1


def test_worker_its_children_and_its_folder_are_gone_afterwards() -> None:
    with sandbox.plain_worker() as channel:
        notebook = Notebook(channel, 60)
        notebook.run([("one", "import os, subprocess\nchild = subprocess.Popen(['sleep', '300'])")])
        notebook.run([("two", "def seen():\n    return os.getpid(), child.pid, os.getcwd()")])
        worker, child, folder = notebook["seen"]()
        assert psutil.pid_exists(child)
        assert Path(folder).is_dir()
    assert not psutil.pid_exists(worker)
    psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=5)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert not Path(folder).exists()


def test_answer_that_is_too_large_is_that_functions_failure_alone(start: Start) -> None:
    notebook = start("def answer():\n    return [1] * 200_000\ndef other():\n    return 3")
    with pytest.raises(Exception, match="too many values") as caught:
        notebook["answer"]()
    assert type(caught.value).__name__ == "ResultTooLarge"
    assert notebook["other"]() == 3
