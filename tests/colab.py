"""A stand-in for Google Colab: older packages, a `google.colab` to import, no Otter, an empty folder.

The packages are installed once into `_build/test-envs/`, under a name made from the list below. Each fresh
environment is an empty one laid over them, so what a test installs is gone for the next.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# About what Colab has preinstalled, older than our pins on purpose. (opencv-python there; the same cv2.)
PACKAGES = """\
numpy==2.0.2; python_version < "3.13"
numpy==2.1.3; python_version >= "3.13"
opencv-python-headless==4.10.0.84
scikit-image==0.25.2
matplotlib==3.10.0
scipy==1.16.3
scikit-learn==1.6.1
pandas==2.2.3
requests==2.32.5
datasets==4.0.0
pyarrow==18.1.0
ipykernel==6.17.1
ipython==7.34.0; python_version < "3.13"
ipywidgets==7.7.1
nbclient==0.10.2
nbconvert==7.16.6
nbformat==5.10.4
"""

# PyTorch, with what it needs, is borrowed from our own environment: an older copy would be another 3 GB.
BORROWED = (
    *("torch", "torchgen", "functorch", "torchvision", "torchvision.libs", "nvidia", "cuda", "triton"),
    *("sympy", "mpmath", "networkx", "filelock", "fsspec"),
)

RUN = """\
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
client = NotebookClient(notebook, timeout=300, allow_errors=sys.argv[3] == "allow", kernel_name="python3")
client.execute()
nbformat.write(notebook, sys.argv[2])
"""


def _base() -> Path:
    """The folder of the packages, installed on first use."""
    key = hashlib.sha256(f"{PACKAGES}{BORROWED}{sys.version_info[:2]}".encode()).hexdigest()[:12]
    folder = REPOSITORY / "_build" / "test-envs" / f"colab-{key}"
    if not (folder / "ready").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        wanted = folder / "requirements.txt"
        wanted.write_text(PACKAGES, encoding="utf-8")
        python = str(folder / "bin" / "python")
        command = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(wanted),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"the stand-in for Colab could not be installed:\n{done.stderr[-2000:]}"
        stub = _packages_of(folder) / "google" / "colab"
        stub.mkdir(parents=True)
        (stub / "__init__.py").write_text('"""A stand-in that can be imported."""\n', encoding="utf-8")
        ours = Path(sysconfig.get_path("purelib"))
        for name in BORROWED:
            borrowed = _packages_of(folder) / name
            if (ours / name).exists() and not borrowed.exists():
                borrowed.symlink_to(ours / name)
        (folder / "ready").touch()
    return folder


def _packages_of(environment: Path) -> Path:
    return environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def _layer(folder: Path) -> Path:
    """Lay an empty environment over the packages and return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    (_packages_of(folder) / "colab.pth").write_text(f"{_packages_of(_base())}\n", encoding="utf-8")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def colab_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment like Colab's, one for the whole session."""
    return _layer(tmp_path_factory.mktemp("colab"))


@pytest.fixture
def fresh_colab_python(tmp_path: Path) -> Iterator[Path]:
    """The interpreter of an environment like Colab's in which nobody has installed anything yet."""
    yield _layer(tmp_path / "environment")
    shutil.rmtree(tmp_path / "environment", ignore_errors=True)


@dataclass(frozen=True)
class Ran:
    """A notebook after it was run."""

    notebook: dict[str, Any]

    def printed(self, cell_id: str) -> str:
        """What one cell printed."""
        cell = next(cell for cell in self.notebook["cells"] if cell["id"] == cell_id)
        return "".join("".join(output.get("text", "")) for output in cell["outputs"])

    def errors(self) -> list[str]:
        """The exceptions that reached the reader, as (name: message)."""
        outputs = [output for cell in self.notebook["cells"] for output in cell.get("outputs", ())]
        return [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]


@pytest.fixture
def run_alone(tmp_path: Path) -> Callable[..., Ran]:
    """Run a notebook with a given interpreter, alone in an empty folder."""

    def run(
        python: Path,
        notebook: bytes,
        *,
        allow_errors: bool = False,
        environment: dict[str, str] | None = None,
    ) -> Ran:
        folder = tmp_path / "empty folder"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "notebook.ipynb").write_bytes(notebook)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MPL"))}
        clean |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "IPYTHONDIR": str(tmp_path / "ipython")}
        # Only this environment's own kernel: not one that the machine's owner has registered.
        clean |= {
            "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
        }
        command = [str(python), "-c", RUN, "notebook.ipynb", "out.ipynb", "allow" if allow_errors else "stop"]
        done = subprocess.run(
            command,
            cwd=folder,
            env=clean | (environment or {}),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return Ran(json.loads((folder / "out.ipynb").read_text(encoding="utf-8")))

    return run
