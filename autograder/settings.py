"""The settings in ``[tool.autograder]``, which the environment can override, and where the repository is."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import SettingsError

# What a check that needs a GPU does where there is none: wait for one, or earn its points at CPU scale.
GPU = ("required", "cpu-scale")


@dataclass(frozen=True)
class Settings:
    """What the build and the grading need to know about this repository."""

    root: Path
    seed: int
    gpu: str  # one of GPU
    pins: dict[str, str]  # package name in lower case -> exact version, from requirements.txt


def find_root(start: Path) -> Path:
    """Return the folder with ``solutions/`` and ``pyproject.toml``: ``start`` or the nearest one above it."""
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    raise SettingsError(
        f"There is no folder with solutions/ and pyproject.toml at {start} or above it. "
        "Change to the course's folder, or name it with --root."
    )


def read_pins(path: Path) -> dict[str, str]:
    """Read the exact versions in requirements.txt."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}). The bundle's versions come from it."
        ) from None
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;#]+)", text, flags=re.MULTILINE)
    return {name.lower(): version for name, version in pins}


def load(root: Path) -> Settings:
    """Read the settings of the repository at ``root``; ``AUTOGRADER_…`` in the environment wins over it."""
    try:
        table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"pyproject.toml cannot be read: {error}.") from None
    chosen = table.get("tool", {}).get("autograder", {})
    seed = os.environ.get("AUTOGRADER_SEED", chosen.get("seed"))
    if seed is None:
        raise SettingsError(
            "pyproject.toml: [tool.autograder] has no seed. Add one, for example: seed = 20251122."
        )
    if isinstance(seed, bool) or not re.fullmatch(r"\d+", str(seed)):
        raise SettingsError(
            f"The seed of the hidden checks is {seed!r}; it must be a whole number, 0 or more."
        )
    gpu = os.environ.get("AUTOGRADER_GPU", chosen.get("gpu", GPU[0]))
    if gpu not in GPU:
        raise SettingsError(f"The setting gpu is {gpu!r}; it must be {' or '.join(map(repr, GPU))}.")
    return Settings(root=root, seed=int(seed), gpu=gpu, pins=read_pins(root / "requirements.txt"))
