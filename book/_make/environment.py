"""Make ``.venv`` and keep it in step with ``requirements.txt``.

Standard library only: this runs before anything is installed.

    python3 book/_make/environment.py               make or renew .venv; quick when nothing changed
    python3 book/_make/environment.py --for-tests   bring a browser and bubblewrap as well

Written without f-strings and newer grammar, so that a Python that is too old can still read it and say so.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLDEST, NEWEST = (3, 11), (3, 13)
# PyTorch brings its CUDA libraries: the environment takes 7 GB, and pip needs room to unpack.
NEEDED_GB = 9
# What a fresh install prints when it cannot reach a package index, in pip's and the operating system's words.
NETWORK_SIGNS = (
    "newconnectionerror",
    "connection refused",
    "connection broken",
    "name or service not known",
    "temporary failure in name resolution",
    "network is unreachable",
    "getaddrinfo failed",
    "read timed out",
    "connecttimeout",
    "no matching distribution found",
    "failed to establish a new connection",
)


class SetupError(Exception):
    """One sentence for the person at the keyboard: what is wrong, where, what to do."""


def dotted(version: tuple) -> str:  # type: ignore[type-arg]  # a bare tuple is all that old Pythons understand
    return ".".join(str(part) for part in version[:2])


def suitable(version: tuple) -> bool:  # type: ignore[type-arg]
    return OLDEST <= tuple(version[:2]) <= NEWEST


def find_suitable_python() -> "str | None":
    """The first Python on PATH that the project runs on, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        path = shutil.which("python3.{}".format(minor))
        if path is None:
            continue
        # Version managers leave shims on PATH that only print an error.
        probe = subprocess.run(
            [path, "-c", "import ensurepip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if probe.returncode == 0:
            return path
    return None


def require_suitable_python() -> None:
    """Go on under a suitable Python; raise SetupError where there is none."""
    if suitable(sys.version_info):
        return
    other = find_suitable_python()
    if other:
        os.execv(other, [other] + [os.path.abspath(sys.argv[0])] + sys.argv[1:])
    raise SetupError(
        "This is Python {}, and the course needs {} to {}. Install one of those, "
        "or name one that you have: make book PYTHON=/path/to/python3.12".format(
            dotted(sys.version_info), dotted(OLDEST), dotted(NEWEST)
        )
    )


def require_venv_module() -> None:
    try:
        import ensurepip  # noqa: F401  # Debian leaves it out of python3 and puts it into python3-venv
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            "This Python cannot make virtual environments: its venv module is missing. "
            "On Debian or Ubuntu: sudo apt install python{}-venv. Then run make again.".format(
                dotted(sys.version_info)
            )
        ) from None


def require_disk(root: str) -> None:
    free = shutil.disk_usage(root).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(
            "There are {:.1f} GB free under {}, and the environment needs {}. "
            "Free some space, then run make again.".format(free, root, NEEDED_GB)
        )


def fingerprint(root: str) -> str:
    """Changes whenever what should be installed changes."""
    digest = hashlib.sha256(dotted(sys.version_info).encode())
    for name in ("requirements.txt", "pyproject.toml"):
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def explain_failed_install(log: str, log_path: str) -> str:
    """One sentence for what pip printed."""
    lowered = log.lower()
    if "no space left on device" in lowered or "errno 28" in lowered:
        return "The disk is full: the environment needs {} GB. Free some space, then run make again.".format(
            NEEDED_GB
        )
    if any(sign in lowered for sign in NETWORK_SIGNS):
        return (
            "The packages could not be fetched: check the network connection (the first set-up needs it; "
            "later builds do not), then run make again. pip's own words are in {}.".format(log_path)
        )
    last = [line for line in log.strip().splitlines() if line.startswith("ERROR")] or ["pip gave no reason"]
    return "pip could not install the packages ({}). All that it said is in {}.".format(last[-1], log_path)


def works(python: str) -> bool:
    if not os.path.exists(python):
        return False
    probe = [python, "-c", "import pip, sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:  # half written, or made for another kind of machine
        return False
    return done.returncode == 0 and done.stdout.decode().strip() == dotted(sys.version_info)


def install(root: str) -> None:
    """Bring ``root/.venv`` in step with ``root/requirements.txt``. Raises SetupError."""
    venv = os.path.join(root, ".venv")
    stamp = os.path.join(venv, ".requirements")
    python = os.path.join(venv, "bin", "python")
    wanted = fingerprint(root)
    healthy = works(python)
    if healthy and os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == wanted:
                return
        print("requirements.txt has changed since .venv was made: renewing it.", flush=True)
    else:
        print("Setting up .venv (once; some minutes, {} GB) …".format(NEEDED_GB - 2), flush=True)
        require_disk(root)
    require_venv_module()
    if os.path.exists(stamp):
        os.remove(stamp)  # an interrupted install must not look finished
    if not healthy:
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], stderr=subprocess.PIPE)
        if made.returncode:
            raise SetupError(
                "python -m venv could not make {}: {}".format(
                    venv, made.stderr.decode(errors="replace").strip().splitlines()[-1:]
                )
            )
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    log_path = os.path.join(venv, "install.log")
    requirements = os.path.join(root, "requirements.txt")
    for arguments in (
        ["-r", requirements],
        ["--no-deps", "--no-build-isolation", "--editable", root],
    ):
        done = subprocess.run(pip + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = done.stdout.decode(errors="replace")
        with open(log_path, "a") as file:
            file.write(log)
        if done.returncode:
            raise SetupError(explain_failed_install(log, os.path.relpath(log_path, root)))
    with open(stamp, "w") as file:
        file.write(wanted)
    print("The environment is ready.", flush=True)


def bring_test_programs() -> None:
    """A browser and bubblewrap, through Debian's packages where we may install them. Raises SetupError."""
    packages = {"chromium": "chromium", "bwrap": "bubblewrap"}
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if not missing:
        return
    names = " ".join(missing)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing {} for the tests …".format(names), flush=True)
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends"] + missing,
        ):
            done = subprocess.run(command, env=environment, **quiet)  # type: ignore[call-overload]
            if done.returncode:
                reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
                raise SetupError("apt-get could not install {}: {}".format(names, " ".join(reason)))
        return
    raise SetupError(
        "The tests need {}. On Debian or Ubuntu: sudo apt install {}. Then run make test again.".format(
            " and ".join(missing), names
        )
    )


def main(arguments: "list[str]") -> int:
    try:
        require_suitable_python()
        install(ROOT)
        if "--for-tests" in arguments:
            bring_test_programs()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print("{}: {}. Then run make again.".format(error.filename, error.strerror), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next make goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
