"""Starts workers, and ends them with all that they have started. Student code runs nowhere else.

A ``Slot`` is a place where submissions run one after another, each in a fork of one warm process. Levels of
isolation, best first:

strict  bubblewrap: namespaces of its own (files, processes, network, users), nothing of the machine to be seen
        but the system's libraries and the environment's Python, no network, no rights, limits
none    a plain process with an empty folder and a bare environment, but the same user, the same files and the
        same network: expected values stay out of reach, the machine and that user's files do not
"""

import array
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from autograder.errors import AutograderError
from autograder.wire import Channel

Isolation = Literal["strict", "none"]
Device = Literal["cpu", "cuda"]
LEVELS: tuple[Isolation, ...] = ("strict", "none")

# All of ours that lies inside.
FILES = ("wire.py", "worker.py", "forkserver.py")
PROGRAM = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from autograder.forkserver import main
main(int(sys.argv[2]), json.loads(sys.argv[3]), nest=bool(int(sys.argv[4])))
"""
INSIDE = "/worker"
HOME = "/home/student"
# A bare environment: nothing of the instructor's. One thread, because submissions run side by side, and
# because no process with several may fork; one order of sets and dicts, so that grading twice is the same.
ENVIRONMENT = {
    "IPYTHONDIR": "{folder}",
    "HOME": "{folder}",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "{folder}",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TMPDIR": "{temporary}",
}
# Of the system's settings, what finding libraries and fonts takes.
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/fonts")
PASSWD = b"student:x:1000:1000::/home/student:/bin/sh\n"
# As root, student code runs as this user, who owns nothing: one of the numbers kept free for such services.
STRANGER = 61_999
GPU_DEVICES = ("/dev/nvidia[0-9]*", "/dev/nvidiactl", "/dev/nvidia-uvm*", "/dev/nvidia-caps")

START_SECONDS = 120.0
ORDER_SECONDS = 30.0  # for a fork, and for an end
WATCH_SECONDS = 0.1
MEGABYTE = 2**20
# Of the memory for all processes of a submission one alone may take this much: then it fails with Python's own
# MemoryError, which leaves the rest of the notebook alive and is the same on every run.
SHARE_OF_ONE = 0.75
KILLED_BY_US = -signal.SIGKILL
NO_MEMORY = 71  # exit code, as in ``worker``


class SandboxError(AutograderError):
    """A worker could not be started: this machine's fault, never the student's."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    memory     bytes in memory, of all its processes together
    processes  how many at a time
    file       bytes of one file
    room       bytes in each of the folders that it may fill
    """

    memory: int = 2048 * MEGABYTE
    processes: int = 64
    file: int = 256 * MEGABYTE
    room: int = 256 * MEGABYTE


@dataclass
class Running:
    """A submission that is running.

    channel  the judge's end of the border
    ended    after the end: "memory" if it was ended for that, "exit 3" or "signal SIGSEGV" if it ended itself
             before it was asked to, else empty
    cpu      after the end: CPU-seconds that it took, without processes that nobody waited for
    """

    channel: Channel
    ended: str = ""
    cpu: float = 0.0


class Slot:
    """A place where submissions run, one after another."""

    def __init__(self, isolation: Isolation, imports: Sequence[str] = (), *, device: Device = "cpu") -> None:
        """Start nothing yet. imports: modules that every submission is going to import."""
        self.isolation, self.imports, self.device = isolation, list(imports), device
        self.nests = False
        self.started = 0  # how often a warm process had to be started
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._server: psutil.Process | None = None
        self._folder = ""

    def open(self) -> None:
        """Start the warm process. Raises SandboxError if it does not come up."""
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.settimeout(START_SECONDS)
        self._folder = tempfile.mkdtemp(prefix="slot-")
        errors = tempfile.TemporaryFile()
        with errors, theirs:
            arguments = [str(theirs.fileno()), json.dumps(self.imports), str(int(self.isolation == "strict"))]
            with contextlib.ExitStack() as stack:
                if self.isolation == "strict":
                    command, descriptors = _bubblewrap(self.device, arguments, stack)
                    environment: dict[str, str] = {}  # whatever it holds could be read inside
                else:
                    command, environment = _plain(Path(self._folder), arguments)
                    descriptors = []
                try:
                    self._process = subprocess.Popen(
                        command,
                        cwd=self._folder,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                        pass_fds=(theirs.fileno(), *descriptors),
                        start_new_session=True,
                    )
                except OSError as error:
                    self.close()
                    raise SandboxError(f"{command[0]} cannot be started ({error.strerror}).") from None
            theirs.close()  # so that we see it when the other end goes
            try:
                hello, sender = _receive_with_sender(ours)
                said = json.loads(hello)
                self._server = psutil.Process(sender)
            except (OSError, ValueError, psutil.Error):
                errors.seek(0)
                told = errors.read(2000).decode(errors="replace").strip().splitlines()
                self.close()
                reason = told[-1] if told else "it said nothing"
                raise SandboxError(f"The sandbox did not start: {reason}") from None
        self.nests = bool(said["nests"])
        self.started += 1
        if said["threads"] != 1:
            self.close()
            raise SandboxError(
                f"The warm process has {said['threads']} threads, and no process with several may fork: "
                f"one of {', '.join(self.imports)} has started them."
            )

    def close(self) -> None:
        """End the warm process, and with it everything that runs in this slot."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            if self.isolation == "none" and self._server is not None:
                _kill(_below(self._server))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._socket = self._process = self._server = None
        self._folder = ""

    def __enter__(self) -> "Slot":
        """Start the warm process."""
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    @contextlib.contextmanager
    def worker(self, limits: Limits | None = None) -> Iterator[Running]:
        """Run one submission: give the judge's end of the border to its worker.

        At the end everything that it has started is gone. A slot that does not answer as it should is renewed.
        Raises SandboxError if no worker can be started.
        """
        limits = limits or Limits()
        try:
            channel = self._begin(limits)
        except (OSError, ValueError):
            self.open()  # once more, in a new one
            try:
                channel = self._begin(limits)
            except (OSError, ValueError) as error:
                self.close()
                raise SandboxError(f"The sandbox starts no submission ({error}).") from None
        running = Running(channel)
        assert self._server is not None
        watch = _Watch(self._server, limits.memory)
        watch.start()
        try:
            yield running
        finally:
            watch.stop()
            try:
                said = self._order({})  # before the border is closed: one that sees it go would leave by itself
                running.cpu = float(said["cpu"])
                running.ended = "memory" if watch.over else _ending(int(said["exit"]))
            except (OSError, ValueError, KeyError):
                self.close()  # damaged: the next submission gets a new one
                running.ended = "memory" if watch.over else "lost"
            channel.close()
            if not self.nests and self.isolation == "strict":
                self.close()  # without namespaces of its own, a submission has the whole sandbox to itself

    def _begin(self, limits: Limits) -> Channel:
        """Ask for a fork. Raises OSError or ValueError if none comes."""
        if self._socket is None:
            self.open()
        (from_worker, to_judge), (from_judge, to_worker) = os.pipe(), os.pipe()
        channel = Channel(from_worker, to_worker)
        memory = -1 if self.device == "cuda" else int(limits.memory * SHARE_OF_ONE)
        order = {
            "memory": memory,  # CUDA reserves far more than it uses
            "processes": limits.processes,
            "file": limits.file,
            "room": limits.room,
        }
        try:
            said = self._order(order, [from_judge, to_judge])
            if not said.get("started"):
                raise ValueError("it could not fork")
        except BaseException:
            channel.close()
            raise
        finally:
            os.close(from_judge)
            os.close(to_judge)
        return channel

    def _order(self, order: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Send an order and return what is said to it. Raises OSError or ValueError if it is not as agreed."""
        if self._socket is None:
            raise ValueError("it has gone")
        self._socket.settimeout(ORDER_SECONDS)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self._socket.sendmsg([json.dumps(order).encode()], rights)
        said = json.loads(self._socket.recv(65536))
        if type(said) is not dict:
            raise ValueError("it said something odd")
        return said


class _Watch(threading.Thread):
    """Ends a submission whose processes together take too much memory."""

    def __init__(self, server: psutil.Process, most: int) -> None:
        """server: the parent of all its processes; most: bytes."""
        super().__init__(daemon=True)
        self.server, self.most, self.over = server, most, False
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look again and again, until it is over."""
        while not self._stopping.wait(WATCH_SECONDS):
            try:
                processes = _below(self.server)
                # Pages that forks share count once for each; only when that is too much is it worth a closer look.
                if _resident(processes) > self.most and _proportional(processes) > self.most:
                    self.over = True
                    _kill(processes)
                    return
            except psutil.Error:
                continue  # one of them has just ended

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()
        self.join()


def _below(process: psutil.Process) -> list[psutil.Process]:
    """Return all processes that a process, or one of these, has started."""
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _resident(processes: Sequence[psutil.Process]) -> int:
    """Return the bytes that processes have in memory, shared ones counted for each."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _proportional(processes: Sequence[psutil.Process]) -> int:
    """Return the bytes that processes have in memory, of shared ones each its share."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.AccessDenied:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _ending(exit_code: int) -> str:
    """Say how a submission ended itself; empty if it was there until we ended it."""
    if exit_code == KILLED_BY_US:
        return ""
    if exit_code == NO_MEMORY:
        return "memory"
    if exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit {exit_code}"


def _receive_with_sender(connection: socket.socket) -> tuple[bytes, int]:
    """Receive a message and the id of the process that has sent it, as it is known out here."""
    message, extra, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    for level, kind, content in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return message, array.array("i", content)[0]
    raise ValueError("no sender")


def _python(place: str, arguments: Sequence[str]) -> list[str]:
    """Return the command for the warm process. place: the folder that holds our files."""
    return [sys.executable, "-s", "-P", "-c", PROGRAM, place, *arguments]


def _plain(folder: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a plain process, and lay out its files."""
    inside = folder / "code" / "autograder"
    inside.mkdir(parents=True)
    (inside / "__init__.py").touch()
    for name in FILES:
        shutil.copyfile(Path(__file__).with_name(name), inside / name)
    home = folder / "home"
    home.mkdir()
    environment = {
        name: value.format(folder=home, temporary=home) for name, value in ENVIRONMENT.items()
    }
    return _python(str(folder / "code"), arguments), environment


def _bubblewrap(
    device: Device, arguments: Sequence[str], stack: contextlib.ExitStack
) -> tuple[list[str], list[int]]:
    """Return the command that starts a warm process under bubblewrap, and the files it reads from.

    Raises SandboxError if bubblewrap is missing.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(
            "bubblewrap is not installed, and without it student code could do what you can do. "
            "Install it (Debian, Ubuntu: sudo apt install bubblewrap)."
        )
    command = [program, "--unshare-all", "--cap-drop", "ALL", "--new-session", "--die-with-parent"]
    command += ["--hostname", "sandbox", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value.format(folder=HOME, temporary="/tmp")]
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/lib", "/lib32", "/lib64", "/sbin"):
        place = Path(name)
        if place.is_symlink():
            command += ["--symlink", os.readlink(place), name]
        elif place.is_dir():
            command += ["--ro-bind", name, name]
    for name in SETTINGS:
        command += ["--ro-bind-try", name, name]
    for path in environment_folders():
        for folder in reversed(path.parents[:-1]):
            command += ["--perms", "0755", "--dir", str(folder)]
        command += ["--ro-bind", str(path), str(path)]
    command += ["--proc", "/proc", "--dev", "/dev"]
    if device == "cuda":
        for pattern in GPU_DEVICES:
            for name in sorted(glob.glob(pattern)):
                command += ["--dev-bind", name, name]
    for place in ("/tmp", "/dev/shm", HOME):
        command += ["--size", str(64 * MEGABYTE), "--perms", "0700", "--tmpfs", place]
    descriptors = []
    contents = {"/etc/passwd": PASSWD, f"{INSIDE}/autograder/__init__.py": b""}
    for name in FILES:
        contents[f"{INSIDE}/autograder/{name}"] = Path(__file__).with_name(name).read_bytes()
    for name, content in contents.items():
        file = stack.enter_context(tempfile.TemporaryFile())
        file.write(content)
        file.flush()
        file.seek(0)
        descriptors.append(file.fileno())
        command += ["--perms", "0444", "--ro-bind-data", str(file.fileno()), name]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
    command += ["--", *_python(INSIDE, arguments)]
    return _as_stranger(program, command) if os.geteuid() == 0 else command, descriptors


def environment_folders() -> list[Path]:
    """Return the folders of the environment's Python, but those that lie in /usr, outer ones first."""
    found = sorted({Path(sys.prefix), Path(sys.base_prefix)})
    return [
        path
        for path in found
        if not path.is_relative_to("/usr")
        and not any(path != other and path.is_relative_to(other) for other in found)
    ]


def _as_stranger(program: str, command: Sequence[str]) -> list[str]:
    """Return the command that starts another as a user who owns nothing. Only root can do so.

    That user must reach the environment's Python even where it lies in a folder that only root may enter, such
    as /root: over such a folder an empty one is laid that shows the Python alone.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SandboxError("setpriv is not installed. Install it (Debian, Ubuntu: apt install util-linux).")
    outer = [program, "--die-with-parent", "--dev-bind", "/", "/", "--cap-drop", "ALL"]
    for name in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        outer += ["--cap-add", name]
    closed = [
        next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)
        for path in environment_folders()
    ]
    for folder in sorted({folder for folder in closed if folder}):
        outer += ["--perms", "0755", "--tmpfs", str(folder)]
    for path, shut in zip(environment_folders(), closed, strict=True):
        if shut:
            for folder in reversed(path.parents):
                if folder != shut and folder.is_relative_to(shut):
                    outer += ["--perms", "0755", "--dir", str(folder)]
            outer += ["--ro-bind", str(path), str(path)]
    user = [f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    return [*outer, "--", setpriv, *user, "--inh-caps=-all", "--bounding-set=-all", "--", *command]
