"""The warm parent inside the sandbox: it has imported what an exercise needs, and forks once per submission.

It is asked over a socket, one JSON text a message:

    {"given": [source, …]}                                                          warm up with these cells
    {"memory": …, "processes": …, "file": …, "room": …, "device": …}
    and two file descriptors                                                        begin a submission
    {}                                                                              end it

and answers {"started": true}, then, once nothing of the submission lives any more, how it ended. Each
submission has namespaces of its own where the kernel allows it: it sees no process but its own, has folders
that nobody has used before, and its first process takes all others with it. The parent runs no student code.
Standard library and ``worker``.
"""

import contextlib
import ctypes
import errno
import gc
import json
import os
import platform
import random
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from autograder import wire, worker

# Linux: sched.h, sys/mount.h, sys/prctl.h, linux/capability.h
# Of mounts, IPC, users, processes, and of the network: one that is shared shows a submission which ports the
# last one has used, and by their numbers it could tell anything.
NEW_NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
CAPABILITY_VERSION = 0x20080522
JOIN_SESSION_KEYRING = 1  # linux/keyctl.h
KEYCTL = {"x86_64": 250, "aarch64": 219}  # number of the system call
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h
# System calls that no notebook needs, with their numbers on these two.
FORBIDDEN = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
}
INSIDE_ID = 1000  # of the user whom student code sees itself as
# Folders that every submission finds empty and may fill.
OWN_FOLDERS = ("/tmp", "/dev/shm", "/home/student")
MOST_WARMING = 4 * 2**20  # bytes of all given cells
MOST_FILES = 20_000  # in each of them
OPEN_FILES = 256

libc = ctypes.CDLL(None, use_errno=True)
Order = dict[str, Any]


def main(control: int, *, nest: bool) -> NoReturn:
    """Warm up, say so, and fork whenever the judge says so, until it closes the socket.

    control  file descriptor of the socket
    nest     whether submissions are to have namespaces of their own, if that can be
    """
    judge = socket.socket(fileno=control)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody of the same user may read or trace this process
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a submission leaves behind comes here
    notebook = worker.Notebook()
    message = judge.recv(MOST_WARMING)
    _warm_up(json.loads(message)["given"])
    gc.collect()
    gc.freeze()  # or each fork would copy what the collector touches
    nests = nest and _can_nest()
    threads = len(list(Path("/proc/self/task").iterdir()))
    judge.send(json.dumps({"ready": os.getpid(), "nests": nests, "threads": threads}).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(judge, 65536, 2)
        if not message:
            os._exit(0)  # without the ceremonies: nothing is left to be written
        order = json.loads(message)
        folder = "" if nests else tempfile.mkdtemp(prefix="submission-")
        child = _fork(order, descriptors, notebook, nests=nests, folder=folder, control=control)
        for descriptor in descriptors:
            os.close(descriptor)
        judge.send(json.dumps({"started": child > 0}).encode())
        if not judge.recv(65536):
            os._exit(0)
        judge.send(json.dumps(_end(child)).encode())
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _warm_up(given: list[str]) -> None:
    """Run the cells that all students were given, so that whatever they import is there already.

    Their names are thrown away. Afterwards all random numbers begin at the same place, so that grading twice
    comes to the same.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    for source in given:
        # One with a magic, or that needs an answer which is not there yet, has no use here.
        with contextlib.suppress(Exception):
            exec(compile(source, "given", "exec"), names)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    random.seed(0)
    for name in ("numpy.random", "torch"):
        if name in sys.modules:
            module = sys.modules[name]
            (module.seed if name == "numpy.random" else module.manual_seed)(0)


def _can_nest() -> bool:
    """Whether a fork may have namespaces of its own; some systems forbid it inside a sandbox."""
    child = os.fork()
    if not child:
        try:
            _unshare()
            inner = os.fork()
            if not inner:
                _mount_own_folders(2**20)
                os._exit(0)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]))
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _fork(
    order: Order,
    descriptors: list[int],
    notebook: worker.Notebook,
    *,
    nests: bool,
    folder: str,
    control: int,
) -> int:
    """Start the first process of a submission and return its id, or 0 if it did not come up."""
    if not nests:
        server = os.getpid()
        child = os.fork()
        if not child:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # namespaces would see to that
            if os.getppid() != server:
                os._exit(wire.EXIT_NOT_BEGUN)
            _be_student(order, descriptors, notebook, folder, control)
        return child
    # Namespaces of processes begin with a child: one process makes them and leaves, its child stays.
    reading, writing = os.pipe()
    between = os.fork()
    if not between:
        try:
            _unshare()
            child = os.fork()
            if not child:
                os.close(reading)
                os.close(writing)
                _be_student(order, descriptors, notebook, "", control)
            os.write(writing, str(child).encode())
            os._exit(0)
        except BaseException:
            os._exit(wire.EXIT_NOT_BEGUN)
    os.close(writing)
    os.waitpid(between, 0)
    with os.fdopen(reading, "rb") as pipe:
        return int(pipe.read() or b"0")


def _be_student(
    order: Order, descriptors: list[int], notebook: worker.Notebook, folder: str, control: int
) -> NoReturn:
    """Give up all that is not needed, and answer the judge's questions."""
    try:
        os.setsid()
        os.close(control)
        _share_nothing()
        if folder:
            os.chdir(folder)
        else:
            _mount_own_folders(order["room"])
            _forbid_namespaces()
            os.chdir(OWN_FOLDERS[-1])
        _drop_capabilities()
        _forbid_calls()
        _limit(order)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else it could not even look at itself
        if order["device"] == "cuda":
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        worker.main(descriptors[0], descriptors[1], notebook)
    except MemoryError:
        os._exit(wire.EXIT_NO_MEMORY)
    except BaseException:
        os._exit(wire.EXIT_NOT_BEGUN)
    os._exit(0)


def _share_nothing() -> None:
    """Let go of what all submissions have from the warm process and could write to: its output, its keys."""
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    os.close(silent)
    if number := KEYCTL.get(platform.machine()):
        libc.syscall(number, JOIN_SESSION_KEYRING, None)  # a new one; without keyrings there is none to share


def _unshare() -> None:
    """Move into new namespaces, as an ordinary user of them."""
    user, group = os.getuid(), os.getgid()
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else the next files belong to root
    _call("unshare", NEW_NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")


def _mount_own_folders(room: int) -> None:
    """Lay empty folders over those that everybody uses, and a /proc that shows this submission alone."""
    _call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    _call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)
    options = f"size={room},nr_inodes={MOST_FILES},mode=0700".encode()
    for place in OWN_FOLDERS:
        _call("mount", b"tmpfs", place.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options)


def _forbid_namespaces() -> None:
    """Allow no further user namespaces in here: they open parts of the kernel that nobody needs."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def _forbid_calls() -> None:
    """Refuse system calls that no notebook needs: memory outside all limits, other processes, rare corners.

    A filter of the kernel's own kind (linux/seccomp.h, linux/filter.h): a list of small instructions, each
    with a code, how many to skip if it is true and if it is not, and a number. On processors other than these
    two there is none.
    """
    if platform.machine() not in ARCHITECTURES:
        return
    place = list(KEYCTL).index(platform.machine())
    numbers = [pair[place] for pair in FORBIDDEN.values()]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    refuse, allow, kill = 0x00050000 | errno.EPERM, 0x7FFF0000, 0x80000000
    program = [
        (load, 0, 0, 4),  # the processor's way of calling
        (equal, 1, 0, ARCHITECTURES[platform.machine()]),
        (answer, 0, 0, kill),
        (load, 0, 0, 0),  # the number of the call
        (at_least, len(numbers) + 1, 0, 0x40000000),  # a second way to call everything, on x86
        *((equal, len(numbers) - n, 0, number) for n, number in enumerate(numbers)),
        (answer, 0, 0, allow),
        (answer, 0, 0, refuse),
    ]
    text = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(text, len(text))
    filter_program = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    _call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0)


def _drop_capabilities() -> None:
    """Become as powerless as an ordinary user can be, for good."""
    number = 0
    while libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    _call("capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _limit(order: Order) -> None:
    """Set what one process may use. What all of them use together, the judge watches."""
    for what, most in (
        (resource.RLIMIT_DATA, order["memory"]),
        (resource.RLIMIT_NPROC, order["processes"]),
        (resource.RLIMIT_FSIZE, order["file"]),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _end(child: int) -> dict[str, Any]:
    """End a submission with all that it has started; say how it ended and what it used."""
    status, cpu, peak = 0, 0.0, 0
    if child > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # of one that has ended already only the record is left
        # The first process of a namespace is gone only when all others of it are.
        _, status, used = os.wait4(child, 0)
        cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss
    while True:  # without namespaces: whoever is left has come to this process
        for orphan in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        try:
            os.wait4(-1, 0)
        except ChildProcessError:
            break
    return {"ended": True, "exit": os.waitstatus_to_exitcode(status), "cpu": cpu, "peak": peak}


def _children() -> list[int]:
    """Return the ids of this process's children."""
    return [int(number) for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library. Raises OSError if it fails."""
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
