"""Starts workers, and ends them with all that they have started. Student code runs nowhere else.

A ``Slot`` is a place where submissions run one after another, each in a fork of one warm process. Levels of
isolation, best first:

strict  bubblewrap: namespaces of its own (files, processes, network, users); of the machine it shows nothing
        but the system's libraries and this Python; no network, no rights, limits
none    a plain process with an empty folder and a bare environment, but the same user, the same files and the
        same network: expected values stay out of reach, the machine and that user's files do not
"""

import array
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from autograder import isolation
from autograder.isolation import Device, Isolation, SandboxError
from autograder.wire import ANSWERS, EXIT_NO_MEMORY, Channel

START_SECONDS = 120.0
ORDER_SECONDS = 30.0  # for a fork, and for an end
LEAVING_SECONDS = 1.0
WATCH_SECONDS = 0.1
MEGABYTE = 2**20
# Of the memory for all processes of a submission one alone may take this much. More fails with Python's own
# MemoryError, which leaves the rest of the notebook alive and is the same on every run.
SHARE_OF_ONE = 0.75
KILLED_BY_US = -signal.SIGKILL


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

    def __init__(self, level: Isolation, given: Sequence[str] = (), *, device: Device = "cpu") -> None:
        """Start nothing yet. given: cells that every notebook begins with, to warm up."""
        self.isolation, self.given, self.device = level, list(given), device
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
        with tempfile.TemporaryFile() as errors, theirs:
            arguments = [str(theirs.fileno()), self.isolation]
            with contextlib.ExitStack() as stack:
                if self.isolation == "strict":
                    command, descriptors = isolation.strict(self.device, arguments, stack)
                    environment: dict[str, str] = {}  # whatever it holds could be read inside
                else:
                    self._folder = tempfile.mkdtemp(prefix="slot-")
                    command, environment = isolation.plain(Path(self._folder), arguments)
                    descriptors = []
                try:
                    self._process = subprocess.Popen(
                        command,
                        cwd=self._folder or "/",
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
                ours.send(json.dumps({"given": self.given}).encode())
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
            if not self.given:
                self.close()
                raise SandboxError("Python itself has started threads here, and then no process may fork.")
            self.given = []  # what the notebook imports has started them: leave that to each submission
            self.open()

    def close(self) -> None:
        """End the warm process, and with it everything that runs in this slot."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVING_SECONDS)  # it leaves by itself, unless something is wrong
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

        At the end everything that it has started is gone. A slot that answers oddly is renewed.
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
                # Before the border is closed: one that sees it go would leave by itself.
                said = self._order({})
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
        channel = Channel(from_worker, to_worker, reads=ANSWERS)
        memory = -1 if self.device == "cuda" else int(limits.memory * SHARE_OF_ONE)
        order = {
            "memory": memory,  # CUDA reserves far more than it uses
            "processes": limits.processes,
            "file": limits.file,
            "room": limits.room,
            "device": self.device,
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
        """Send an order and return the answer. Raises OSError or ValueError if that is not as agreed."""
        if self._socket is None:
            raise ValueError("it has gone")
        self._socket.settimeout(ORDER_SECONDS)
        rights = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        )
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
                # Pages that forks share count once for each: only if that is too much, a closer look pays.
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
    if exit_code == EXIT_NO_MEMORY:
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
