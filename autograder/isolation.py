"""The commands that start a warm process, under bubblewrap or plain: what is bound, what is set, no more."""

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autograder.errors import AutograderError

Isolation = Literal["strict", "none"]
Device = Literal["cpu", "cuda"]
LEVELS: tuple[Isolation, ...] = ("strict", "none")
ROOM = 64 * 2**20  # bytes in each folder that the warm process may fill

# All of ours that lies inside.
FILES = ("wire.py", "showing.py", "worker.py", "forkserver.py")
PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from autograder.forkserver import main
main(int(sys.argv[2]), nest=sys.argv[3] == "strict")
"""
INSIDE = "/worker"
HOME = "/home/student"
VENV = Path("/environment")
# A bare environment: nothing of the instructor's. One thread, because submissions run side by side, and
# because no process with several may fork; one order of sets and dicts, so that grading twice is the same.
# The warm process must not touch a GPU, or none of its forks could: it sees none, and PyTorch looks for one
# without touching it. A submission that may use one finds the second line gone.
ENVIRONMENT = {
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "IPYTHONDIR": "{folder}",
    "HOME": "{folder}",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "{folder}",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
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
GPU_DEVICES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*", "nvidia-caps")


class SandboxError(AutograderError):
    """A worker could not be started: this machine's fault, never the student's."""


def python(executable: str, place: str, arguments: Sequence[str]) -> list[str]:
    """Return the command for the warm process. place: the folder that holds our files."""
    return [executable, "-s", "-P", "-c", PROGRAM, place, *arguments]


def plain(folder: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a plain process, and lay out its files."""
    inside = folder / "code" / "autograder"
    inside.mkdir(parents=True)
    (inside / "__init__.py").touch()
    for name in FILES:
        shutil.copyfile(Path(__file__).with_name(name), inside / name)
    home = folder / "home"
    home.mkdir()
    environment = {name: value.format(folder=home, temporary=home) for name, value in ENVIRONMENT.items()}
    return python(sys.executable, str(folder / "code"), arguments), environment


def strict(
    device: Device, arguments: Sequence[str], stack: contextlib.ExitStack
) -> tuple[list[str], list[int]]:
    """Return the command that starts a warm process under bubblewrap, and the descriptors that it reads from.

    stack  closes these descriptors
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
    for place in ("/tmp", HOME):
        command += _room(place)
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/lib", "/lib32", "/lib64", "/sbin"):
        folder = Path(name)
        if folder.is_symlink():
            command += ["--symlink", str(folder.readlink()), name]
        elif folder.is_dir():
            command += ["--ro-bind", name, name]
    for name in SETTINGS:
        command += ["--ro-bind-try", name, name]
    for source, target in pythons():
        command += [*_parents(target), "--ro-bind", str(source), str(target)]
    command += ["--proc", "/proc", "--dev", "/dev", *_room("/dev/shm")]
    if device == "cuda":
        for pattern in GPU_DEVICES:
            for device_file in sorted(Path("/dev").glob(pattern)):
                command += ["--dev-bind", str(device_file), str(device_file)]
    descriptors = []
    contents = {"/etc/passwd": PASSWD, f"{INSIDE}/autograder/__init__.py": b""}
    for name in FILES:
        contents[f"{INSIDE}/autograder/{name}"] = Path(__file__).with_name(name).read_bytes()
    for name, content in contents.items():
        descriptor = os.memfd_create("content", 0)
        stack.callback(os.close, descriptor)
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        descriptors.append(descriptor)
        command += ["--perms", "0444", "--ro-bind-data", str(descriptor), name]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
    command += ["--", *python(_executable(), INSIDE, arguments)]
    return _as_stranger(program, command) if os.geteuid() == 0 else command, descriptors


def pythons() -> list[tuple[Path, Path]]:
    """Return the folders of this Python, but those that lie in /usr, and where each one is bound inside.

    A virtual environment gets the same place wherever it is, and tells nobody where that was; the Python that
    it was made from must stay where it is, for the environment points there.
    """
    base, environment = Path(sys.base_prefix), Path(sys.prefix)
    found = [] if base.is_relative_to("/usr") else [(base, base)]
    return found if environment == base else [*found, (environment, VENV)]


def _executable() -> str:
    """Return the path of this Python inside."""
    executable, environment = Path(sys.executable), Path(sys.prefix)
    if environment != Path(sys.base_prefix) and executable.is_relative_to(environment):
        return str(VENV / executable.relative_to(environment))
    return str(executable)


def _room(place: str) -> list[str]:
    """Return what lays an empty folder of limited size."""
    return ["--size", str(ROOM), "--perms", "0700", "--tmpfs", place]


def _parents(path: Path, above: Path = Path("/")) -> list[str]:
    """Return what makes the folders on the way to a path, from one that is there: open to everybody."""
    made = [folder for folder in reversed(path.parents) if folder != above and folder.is_relative_to(above)]
    return [word for folder in made for word in ("--perms", "0755", "--dir", str(folder))]


def _as_stranger(program: str, command: Sequence[str]) -> list[str]:
    """Return the command that starts another as a user who owns nothing. Only root can do so.

    That user must reach this Python even where it lies in a folder that only root may enter, such as /root:
    over such a folder an empty one is laid that shows the Python alone.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SandboxError("setpriv is not installed. Install it (Debian, Ubuntu: apt install util-linux).")
    outer = [program, "--die-with-parent", "--dev-bind", "/", "/", "--cap-drop", "ALL"]
    for name in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        outer += ["--cap-add", name]
    sources = [source for source, _ in pythons()]
    closed = {
        source: next((folder for folder in reversed(source.parents) if not _is_open(folder)), None)
        for source in sources
    }
    for folder in sorted({folder for folder in closed.values() if folder}):
        outer += ["--perms", "0755", "--tmpfs", str(folder)]
    for source, shut in closed.items():
        if shut:
            outer += [*_parents(source, shut), "--ro-bind", str(source), str(source)]
    user = [f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    return [*outer, "--", setpriv, *user, "--inh-caps=-all", "--bounding-set=-all", "--", *command]


def _is_open(folder: Path) -> bool:
    """Whether everybody may enter a folder."""
    return bool(folder.stat().st_mode & 0o001)
