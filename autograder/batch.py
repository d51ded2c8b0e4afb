"""Grades a class: several judges side by side, each with a sandbox of its own; every result is kept at once.

A result lies on the disk the moment it is there, under a key made of all that decides it. So a run that was
stopped, by whatever, goes on where it was: nothing is lost and nothing is graded twice.
"""

import contextlib
import fcntl
import hashlib
import multiprocessing
import os
import platform
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any

from autograder import bundles, files, grading, results, submissions
from autograder.errors import Misuse, Refused, Unreadable
from autograder.isolation import Device, Isolation, SandboxError
from autograder.results import Result
from autograder.sandbox import Limits, Slot
from autograder.submissions import LARGEST_NOTEBOOK, Submission, Upload

# What student code is run by and compared with: another version of one may come to another result.
DECIDING = ("ipython", "numpy", "opencv-python-headless", "otter-grader", "scikit-image", "scipy", "torch")
# A judge that has not answered so long after all time is up hangs itself.
SLACK_SECONDS = 120.0
# What every judge needs, and no exercise's own libraries.
PRELOADED = ["autograder.batch", "otter.test_files.exception_test"]
MOST_TRIES = 2  # of a submission that takes a judge with it
TICK_SECONDS = 0.5
CLOSING_SECONDS = 5.0


@dataclass(frozen=True)
class Options:
    """How to grade.

    functions  slug of every exercise to the names of the functions that it asks for
    seconds    for a whole notebook
    """

    bundle: bytes
    functions: Mapping[str, Sequence[str]]
    isolation: Isolation
    device: Device
    seconds: float
    limits: Limits


@dataclass
class Tally:
    """How far a run has come.

    others   results of submissions that are not among the uploads: of another folder, or renamed since
    waiting  ids of submissions that are not graded, because the run was stopped
    """

    total: int
    kept: int = 0  # graded by an earlier run
    graded: int = 0
    others: int = 0
    waiting: list[str] = field(default_factory=list)


class Stop:
    """Ctrl-C, once: begin nothing more. Twice: as always."""

    def __init__(self) -> None:
        """Not yet."""
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "Stop":
        """Listen."""
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._before)

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        signal.signal(signal.SIGINT, self._before)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make sure that no other run writes into a folder. Raises Misuse if one does."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o700)  # names and marks will lie in it
        opened = (folder / ".lock").open("w")
    except OSError as error:
        raise Misuse(f"{folder}: {error.strerror}. Name a folder that can be written to.") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Misuse(
                f"{folder}: another run is writing there. Wait for it, or name another --out."
            ) from None
        yield


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Let new Pythons import nothing from the folder that the instructor is in: it may be full of uploads."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@_safe_path()  # judges are new Pythons, and the lock of a progress bar starts one too
def run(
    uploads: Sequence[Upload],
    folder: Path,
    options: Options,
    *,
    jobs: int,
    stop: Stop,
    progress: Callable[[Tally], None],
) -> Tally:
    """Grade what is not graded yet, and write one JSON per submission into ``folder/results``.

    Raises SandboxError if no judge can start its sandbox.
    """
    tally = Tally(len(uploads))
    common = common_key(options)
    waiting: deque[_Work] = deque()
    for upload in uploads:
        work = _Work(upload, key_of(upload, common))
        if _is_done(folder, work):
            tally.kept += 1
        else:
            waiting.append(work)
    ids = {upload.id for upload in uploads}
    tally.others = sum(path.stem not in ids for path in (folder / "results").glob("*.json"))
    progress(tally)
    again: deque[_Work] = deque()

    def settle(work: _Work, result: Result) -> None:
        if result.status == "timeout" and not work.alone:
            work.alone = True  # the machine may have been busy with others: once more with nothing beside it
            again.append(work)
            return
        results.write(folder / "results" / f"{result.id}.json", result)
        tally.graded += 1
        progress(tally)

    if waiting:
        _grade_all(waiting, options, min(jobs, len(waiting)), stop, settle)
    if again and not stop.asked:
        _grade_all(again, options, 1, stop, settle)
    tally.waiting = [work.upload.id for work in (*waiting, *again)]
    for identity in tally.waiting:  # an outdated result must not be in the reports of a run that was stopped
        (folder / "results" / f"{identity}.json").unlink(missing_ok=True)
    return tally


@dataclass
class _Work:
    """A submission on its way."""

    upload: Upload
    key: str
    alone: bool = False
    tries: int = 0


def _is_done(folder: Path, work: _Work) -> bool:
    """Whether an earlier run has graded just this."""
    path = folder / "results" / f"{work.upload.id}.json"
    if not path.is_file():
        return False
    try:
        found = results.read(path, Result)
    except Misuse:
        return False  # damaged, or from another version: it is replaced
    return found.key == work.key and found.status != "infra_error"


def _grade_all(
    waiting: deque[_Work], options: Options, jobs: int, stop: Stop, settle: Callable[[_Work, Result], None]
) -> None:
    """Hand out work to judges until there is none left, or until it is to stop."""
    judges: list[_Judge] = []
    try:
        judges += [_Judge(options) for _ in range(jobs)]
        while True:
            for judge in judges:
                if judge.work is None and waiting and not stop.asked:
                    judge.begin(waiting.popleft())
            busy = [judge for judge in judges if judge.work is not None]
            if not busy:
                return
            for ready in wait([judge.connection for judge in busy], TICK_SECONDS):
                judge = next(judge for judge in busy if judge.connection is ready)
                judge.answer(waiting, settle)
            for judge in busy:
                judge.end_if_it_hangs()
    finally:
        for judge in judges:
            judge.close()


class _Judge:
    """A process that judges one submission after another."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.work: _Work | None = None
        self.since = 0.0
        self.start()

    def start(self) -> None:
        """Start the process: a fork of one that has read what all judges need, and no PyTorch.

        A process in which PyTorch has started its threads can hang when it forks; those of OpenBLAS and of
        pyarrow's allocator are made for it.
        """
        resource_tracker.ensure_running()  # starting it later would lift the block
        # A judge begins deaf to Ctrl-C, which a terminal sends to all.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            try:
                kept = multiprocessing.get_context("forkserver")
                kept.set_forkserver_preload(PRELOADED)
                self._start(kept)
            except (OSError, EOFError):  # no room for its socket's name, or it ended while it was reading
                self._start(multiprocessing.get_context("spawn"))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self.handle: int | None = None
        # A number of our own: of a judge whose first process has ended Python itself only thinks that it has.
        with contextlib.suppress(ProcessLookupError):
            self.handle = os.pidfd_open(self.process.pid or 0)
        # Not as an argument: one that is longer than a pipe waits for ever for a process that has died.
        with contextlib.suppress(OSError):
            self.connection.send(self.options)

    def _start(self, context: ForkServerContext | SpawnContext) -> None:
        """Start the process in one of Python's ways."""
        self.connection, theirs = context.Pipe()
        with theirs:
            self.process = context.Process(target=_judge, args=(theirs,), daemon=False)
            self.process.start()

    def begin(self, work: _Work) -> None:
        """Give it a submission."""
        self.work, self.since = work, time.monotonic()
        with contextlib.suppress(OSError):  # if it has gone, we see that when we wait for it
            self.connection.send((work.upload, work.key))

    def answer(self, waiting: deque[_Work], settle: Callable[[_Work, Result], None]) -> None:
        """Take what it says. One that has gone is started anew, and its submission is tried once more."""
        work, self.work = self.work, None
        assert work is not None
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            said = "the judge's process ended in the middle of it."
            self.close()
            self.start()
        if isinstance(said, SandboxError):
            raise said
        if isinstance(said, Result):
            settle(work, said)
            return
        work.tries += 1
        if work.tries < MOST_TRIES:
            waiting.append(work)
            return
        exercise = bundles.load(self.options.bundle, "the bundle")
        unread = Submission(work.upload, "readable", notes=work.upload.notes)
        settle(work, grading.record(exercise, unread, self.options.isolation, key=work.key, trouble=said))

    def end_if_it_hangs(self) -> None:
        """End a judge that should have answered long ago."""
        if self.work is not None and time.monotonic() - self.since > self.options.seconds + SLACK_SECONDS:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        if self.handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def close(self) -> None:
        """End the process, with its sandbox."""
        if self.work is not None:
            self.kill()
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.connection.close()
        if self.handle is not None:
            if not wait([self.handle], CLOSING_SECONDS):
                self.kill()
                wait([self.handle])
            os.close(self.handle)
            self.handle = None
        self.process.join(CLOSING_SECONDS)


def _judge(connection: Connection) -> None:
    """Judge submissions until there are no more, or whoever asks has gone. Runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever hands out the work
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        options: Options = connection.recv()
    except (EOFError, OSError):
        return
    os.environ["AUTOGRADER_DEVICE"] = options.device  # checks that want a GPU ask for it
    exercise = bundles.load(options.bundle, "the bundle")
    # The slot opens itself with the first notebook that is to be run.
    with contextlib.closing(Slot(options.isolation, exercise.warming, device=options.device)) as slot:
        while True:
            try:
                asked = connection.recv()
            except (EOFError, OSError):
                return
            if asked is None:
                return
            upload, key = asked
            said: Result | SandboxError | str
            try:
                submission = submissions.read(upload, exercise.slug, options.functions)
                said = grading.grade(
                    exercise, submission, slot, key=key, seconds=options.seconds, limits=options.limits
                )
            except SandboxError as error:
                said = error if not slot.started else str(error)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(place.filename).name}, line {place.lineno}"
                said = f"{type(error).__name__} in {where}: {str(error)[:200]}."
            try:
                connection.send(said)
            except OSError:
                return


def common_key(options: Options) -> str:
    """Return a hash of all that decides every result: checks, grader, versions, limits."""
    package = Path(__file__).parent
    digest = hashlib.sha256(options.bundle)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    versions = [platform.python_version(), *(f"{name} {_version(name)}" for name in DECIDING)]
    rest = (versions, options.isolation, options.device, options.seconds, options.limits)
    digest.update(repr(rest).encode())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def key_of(upload: Upload, common: str) -> str:
    """Return a hash of all that decides one result."""
    digest = hashlib.sha256(common.encode())
    about = (upload.id, upload.platform, upload.students, upload.attempt, upload.late, upload.status)
    digest.update(repr((about, upload.sentence, upload.notes, upload.file and upload.file.name)).encode())
    if upload.file is not None:
        with contextlib.suppress(Refused, Unreadable):
            digest.update(files.read(upload.file, LARGEST_NOTEBOOK))
    return digest.hexdigest()
