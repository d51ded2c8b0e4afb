"""The question that wants a GPU: cheats are caught at CPU scale, and without a GPU it waits."""

import base64
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder import archives, assemble, build, bundles, diagnose, grading, judge, settings
from autograder.isolation import Device
from autograder.platforms import Student
from autograder.results import Result
from autograder.sandbox import Slot
from autograder.submissions import Submission, Upload
from tests.exercises.submissions import Exercise, own_cell, rewritten, with_answer
from tests.exercises.test_otter_run import earned, otter_run, with_one_question

REPOSITORY = Path(__file__).resolve().parents[2]
PENDING = "pending: this question waits for a machine with a GPU"


@pytest.fixture(scope="module")
def training(exercise_of: Callable[[str], Exercise]) -> Exercise:
    """The exercise, built at CPU scale."""
    return exercise_of("training")


def bundle_that_requires_a_gpu(training: Exercise) -> bytes:
    """The bundle as it is built unless somebody asks for CPU scale."""
    chosen = replace(settings.load(REPOSITORY), gpu="required")
    return assemble.bundle(training.master, training.built.assigned.bundle, build.templates(), chosen)


def hidden_helpers(training: Exercise) -> dict[str, Any]:
    """What the hidden checks of the bundle are made of."""
    names: dict[str, Any] = {"SEED": settings.load(REPOSITORY).seed}
    exec(build.templates().checks, names)
    exec(training.master.helpers("helper"), names)
    exec(training.master.helpers("hidden helper"), names)
    return names


def test_without_a_gpu_the_question_is_pending_and_counts_for_nothing(training: Exercise) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU here, so nothing has to wait for one")
    score = judge.judge(bundle_that_requires_a_gpu(training), training.built.solved, questions=["q4", "q6"])
    assert score.pending == ("q6",)
    assert (score.possible, score.earned, score.of("q6")) == (2, 2, 0)


def graded_apart(bundle: bytes, notebook: bytes, device: Device = "cpu") -> Result:
    """What the class grader makes of one question of a notebook, run in the sandbox."""
    exercise = bundles.load(bundle, "the bundle")
    only = replace(exercise, tasks=tuple(task for task in exercise.tasks if task.name in ("q4", "q6")))
    upload = Upload("0", "folder", (Student("Ann"),), 1, False, None)
    submission = Submission(upload, "readable", notebook=json.loads(notebook))
    with Slot("strict", exercise.warming, device=device) as slot:
        return grading.grade(only, submission, slot, key="", seconds=300)


def with_table(training: Exercise, bundle: bytes) -> bytes:
    """A bundle with what goes with the checks."""
    about = archives.unpack(training.product.bundle)[bundles.ABOUT]
    return archives.pack({**archives.unpack(bundle), bundles.ABOUT: about})


def test_class_grader_leaves_a_pending_question_out_of_score_and_points(
    training: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Even where there is a GPU: the grader was not told to use it, and student code sees none.
    program = tmp_path / "nvidia-smi"
    program.write_text(FAKE.format(python=sys.executable, flag=str(program), grown=900, pid=0))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AUTOGRADER_DEVICE", "cpu")
    bundle = with_table(training, bundle_that_requires_a_gpu(training))
    result = graded_apart(bundle, training.product.solved)
    assert (result.status, result.score, result.points, result.pending) == ("graded", 2, 2, ("q6",))
    assert [(question.name, question.state) for question in result.questions] == [
        ("q4", "full"),
        ("q6", "pending"),
    ]


CHEATS = ["claimed accuracy", "fake loop", "one epoch", "training pictures learnt by heart"]


@pytest.mark.parametrize("name", ["the solution", *CHEATS])
def test_class_grader_counts_by_itself_what_a_model_of_the_sandbox_gets_right(
    training: Exercise, name: str
) -> None:
    notebook, expected = training.product.solved, 4
    if name != "the solution":
        answers = [answer for q in training.master.questions if q.name == "q6" for answer in q.answers]
        (answer,) = [answer for answer in answers if answer.name == name]
        notebook, expected = with_answer(training.product, answer), 1
    result = graded_apart(training.product.bundle, notebook)
    (found,) = [question for question in result.questions if question.name == "q6"]
    assert result.status == "graded"
    assert found.earned <= expected
    assert (found.hidden == (1, 1)) == (name == "the solution"), found


def test_otter_gives_a_pending_question_nothing_and_says_why(training: Exercise, tmp_path: Path) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU here, so nothing has to wait for one")
    bundle = with_one_question(bundle_that_requires_a_gpu(training), "q6")  # the others train networks
    results = otter_run(bundle, training.product.solved, tmp_path)
    assert earned(results) == {"q6": 1.0}  # its open check
    assert PENDING in json.dumps(results)


def test_student_cannot_make_a_question_pending(training: Exercise) -> None:
    source = "def fit(images, labels, *, seed, device):\n    raise AssertionError('pending: please')\n"
    env = diagnose.with_source(source, "cheat", training.built.solved)
    score = judge.judge(training.product.bundle, env, questions=["q6"])
    assert score.pending == ()
    assert (score.possible, score.earned) == (4, 0)


def test_stored_weights_do_not_fit_classes_dealt_anew(training: Exercise) -> None:
    helpers, solved = hidden_helpers(training), training.built.solved
    # What a cheat could know: pictures of the very same kinds, numbered as in the published set.
    train, labels, test, truth = helpers["museum"](1500, 300, 10, 7)
    model = solved["fit"](torch.from_numpy(train), torch.from_numpy(labels), seed=0, device="cpu")
    with torch.no_grad():
        assert (model(torch.from_numpy(test)).argmax(1).numpy() == truth).mean() > 0.4
    held = io.BytesIO()
    torch.save(model.state_dict(), held)
    source = textwrap.dedent(f"""
        import base64, io
        STORED = "{base64.b64encode(held.getvalue()).decode()}"

        def fit(images, labels, *, seed, device):
            layers, before = [], 3
            for maps in (24, 48, 96):
                layers += [nn.Conv2d(before, maps, 3, padding=1), nn.BatchNorm2d(maps), nn.ReLU(), nn.MaxPool2d(2)]
                before = maps
            model = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(before, 10))
            model.load_state_dict(torch.load(io.BytesIO(base64.b64decode(STORED)), weights_only=True))
            return model.to(device).eval()
    """)
    env = diagnose.with_source(source, "cheat", solved)
    (hidden,) = [check for check in judge.judge(training.product.bundle, env, questions=["q6"]).checks["q6"] if check.hidden]
    assert not hidden.passed
    assert "little more than guess" in hidden.message


def test_replaced_helpers_of_the_notebook_cannot_claim_an_accuracy(training: Exercise) -> None:
    source = textwrap.dedent("""
        def train_here(images, labels, *, seed, device):
            return np.array([1e3, 1e3, 9, 0, 9, 9, 9, 0, 0, 0, 1, 0.1])

        def ask_here(images):
            return np.eye(10)[np.zeros(len(images), dtype=int)]
    """)
    env = diagnose.with_source(source, "cheat", training.built.solved)
    assert judge.judge(training.product.bundle, env, questions=["q5", "q6"]).earned == 0


FAKE = """#!{python}
import sys
from pathlib import Path
busy = Path({flag!r}).exists()
question = sys.argv[1]
if question == "--query-gpu=memory.used":
    print({grown} if busy else 40)
elif question == "--query-compute-apps=pid" and busy and {pid}:
    print({pid})
"""


@pytest.mark.parametrize(
    ("pid", "grown", "verdict"),
    [
        ("own", 40, "by process id"),
        ("child", 40, "by process id"),
        ("stranger", 40, ""),
        ("none", 900, "by memory"),
        ("none", 60, ""),
    ],
)
def test_use_of_the_gpu_is_seen_from_outside(
    training: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: str, grown: int, verdict: str
) -> None:
    helpers = hidden_helpers(training)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pids = {"own": os.getpid(), "child": child.pid, "stranger": 1, "none": 0}
    flag, program = tmp_path / "busy", tmp_path / "nvidia-smi"
    program.write_text(FAKE.format(python=sys.executable, flag=str(flag), grown=grown, pid=pids[pid]))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    try:
        assert helpers["cuda_here"]()
        with helpers["OutsideView"]() as view:
            flag.touch()
            time.sleep(0.6)
        assert view.verdict == verdict
    finally:
        child.kill()
        child.wait()


SEEN = "the GPU was seen at work from outside: by process id"


def test_report_says_how_the_gpu_was_seen_and_no_student_can_say_so(training: Exercise) -> None:
    files = archives.unpack(training.product.bundle)
    assert b"print(f\"the GPU was seen at work from outside: {view.verdict" in files["tests/q6.py"]
    source = files["tests/q4.py"].decode()
    first = re.compile(r"^(def test_\w+\(env\):\n)", re.MULTILINE)
    says_so = archives.pack(
        {**files, "tests/q4.py": first.sub(rf"\1    print({SEEN!r})\n", source, count=1).encode()}
    )
    assert graded_apart(says_so, training.product.solved).notes == (f"q4: {SEEN}.",)

    claims = rewritten(
        training.product.solved,
        lambda cells: [*cells, own_cell("own", f"def evaluate(*args, **kwargs):\n    print({SEEN!r})\n")],
    )
    assert graded_apart(training.product.bundle, claims).notes == ()


def test_machine_without_the_drivers_program_has_no_gpu(
    training: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not hidden_helpers(training)["cuda_here"]()


def test_solution_passes_on_the_gpu_and_is_seen_there(training: Exercise) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, and there is none here")
    with contextlib.redirect_stdout(io.StringIO()):
        score = judge.judge(bundle_that_requires_a_gpu(training), training.built.solved, questions=["q6"])
    assert (score.pending, score.earned) == ((), 4)
