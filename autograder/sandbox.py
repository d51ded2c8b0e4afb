"""Starts a worker, and ends it with all that it has started. Student code runs nowhere else.

So far in a plain process: one of its own, with an empty folder and a bare environment, but the same user, the
same files and the same network. That keeps expected values out of reach of the code; it protects neither the
machine nor the files of that user. Never use it on work that may be hostile.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import AutograderError
from autograder.wire import Channel, WireError

# All of ours that lies inside.
FILES = ("wire.py", "worker.py")
START_SECONDS = 60.0
PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from autograder.worker import main
main(int(sys.argv[2]), int(sys.argv[3]))
"""
# A bare environment: nothing of the instructor's. One thread, because submissions run side by side.
ENVIRONMENT = {
    "HOME": "{folder}",
    "IPYTHONDIR": "{folder}",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "{folder}",
    "OMP_NUM_THREADS": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TMPDIR": "{folder}",
}


class SandboxError(AutograderError):
    """A worker could not be started: this machine's fault, never the student's."""


@contextlib.contextmanager
def plain_worker() -> Iterator[Channel]:
    """Start a worker in a plain process, and give the judge's end of the border.

    Raises SandboxError if the worker does not come up. At the end the process and its group are gone, and so
    is its folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="worker-"))
    process: subprocess.Popen[bytes] | None = None
    channel: Channel | None = None
    try:
        inside = folder / "code" / "autograder"
        inside.mkdir(parents=True)
        (inside / "__init__.py").touch()
        for name in FILES:
            shutil.copyfile(Path(__file__).with_name(name), inside / name)
        home = folder / "home"
        home.mkdir()
        (from_worker, to_judge), (from_judge, to_worker) = os.pipe(), os.pipe()
        channel = Channel(from_worker, to_worker)
        command = [sys.executable, "-I", "-c", PROGRAM, str(folder / "code"), str(from_judge), str(to_judge)]
        try:
            process = subprocess.Popen(
                command,
                cwd=home,
                env={name: value.format(folder=home) for name, value in ENVIRONMENT.items()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(from_judge, to_judge),
                start_new_session=True,
            )
        finally:
            os.close(from_judge)
            os.close(to_judge)
        try:
            channel.receive(START_SECONDS)
        except WireError as error:
            raise SandboxError(f"The worker did not start ({error}). Try: autograder check") from None
        yield channel
    finally:
        if channel is not None:
            channel.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
