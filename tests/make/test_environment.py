"""Setting up: one clear sentence for each thing that can go wrong, and a .venv that follows the pins."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import environment
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import MAKE

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "small"
version = "1"

[tool.setuptools]
packages = []
"""


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A project that the real script sets up in seconds: one small package instead of all of ours."""
    (tmp_path / "book" / "_make").mkdir(parents=True)
    shutil.copy(MAKE / "environment.py", tmp_path / "book" / "_make")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "requirements.txt").write_text("setuptools==80.9.0\nsix==1.16.0\n")
    return tmp_path


def set_up(project: Path, *wrapper: str, program: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*wrapper, program, str(project / "book" / "_make" / "environment.py")],
        capture_output=True,
        text=True,
        check=False,
    )


def version_of_six(project: Path) -> str:
    code = "import six; print(six.__version__)"
    done = subprocess.run(
        [project / ".venv" / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_venv_is_made_kept_and_renewed_when_the_pins_change(small_project: Path) -> None:
    first = set_up(small_project)
    assert first.returncode == 0, first.stderr
    assert version_of_six(small_project) == "1.16.0"

    again = set_up(small_project)
    assert (again.returncode, again.stdout) == (0, "")

    (small_project / "requirements.txt").write_text("setuptools==80.9.0\nsix==1.17.0\n")
    renewed = set_up(small_project)
    assert renewed.returncode == 0, renewed.stderr
    assert "requirements.txt has changed" in renewed.stdout
    assert version_of_six(small_project) == "1.17.0"


def test_a_half_made_venv_is_made_again(small_project: Path) -> None:
    (small_project / ".venv" / "bin").mkdir(parents=True)
    (small_project / ".venv" / "bin" / "python").write_text("not a Python")
    (small_project / ".venv" / "bin" / "python").chmod(0o755)

    done = set_up(small_project)

    assert done.returncode == 0, done.stderr
    assert version_of_six(small_project) == "1.16.0"


def test_an_install_that_failed_is_tried_again_next_time(small_project: Path) -> None:
    (small_project / "requirements.txt").write_text("setuptools==80.9.0\nno-such-package-of-ours==1\n")
    failed = set_up(small_project)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1

    (small_project / "requirements.txt").write_text("setuptools==80.9.0\nsix==1.16.0\n")
    assert set_up(small_project).returncode == 0
    assert version_of_six(small_project) == "1.16.0"


def test_no_network_at_install_is_one_sentence(small_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    done = set_up(small_project, "bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--")

    assert done.returncode == 1
    assert "check the network connection" in done.stderr
    assert ".venv/install.log" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_disk_without_room_is_one_sentence_before_anything_is_written(small_project: Path) -> None:
    # A real file system of 40 MB, seen only by this process, with the project in it.
    small = "/tmp/small-disk"
    wrapper = ["bwrap", "--dev-bind", "/", "/", "--size", "40000000", "--tmpfs", small]
    wrapper += ["--bind", str(small_project / "book"), f"{small}/book"]
    for name in ("requirements.txt", "pyproject.toml"):
        wrapper += ["--ro-bind", str(small_project / name), f"{small}/{name}"]
    done = subprocess.run(
        [*wrapper, "--die-with-parent", "--", sys.executable, f"{small}/book/_make/environment.py"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "There are 0.0 GB free under /tmp/small-disk" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_python_without_venv_is_told_what_to_install(small_project: Path) -> None:
    # As on a bare Debian: ensurepip cannot be imported.
    script = small_project / "book" / "_make" / "environment.py"
    code = "import runpy, sys; sys.modules['ensurepip'] = None; "
    code += f"runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "sudo apt install python3." in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (small_project / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 8, 1), (3, 10, 0), (3, 14, 0)])
def test_a_python_too_old_or_too_new_is_told_the_range(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setenv("PATH", "/nowhere")

    assert environment.main([]) == 1

    told = capsys.readouterr().err
    assert f"This is Python {version[0]}.{version[1]}, and the course needs 3.11 to 3.13." in told
    assert told.count("\n") == 1


@given(st.tuples(st.integers(2, 4), st.integers(0, 30)))
def test_only_three_minor_versions_are_suitable(version: tuple[int, int]) -> None:
    assert environment.suitable(version) == (version in {(3, 11), (3, 12), (3, 13)})


def test_the_script_can_be_read_by_a_very_old_python() -> None:
    text = (MAKE / "environment.py").read_text(encoding="utf-8")
    assert 'f"' not in text
    assert ":=" not in text
    assert "from __future__ import annotations" not in text


@given(st.text())
def test_whatever_pip_says_the_answer_is_one_line(log: str) -> None:
    assert len(environment.explain_failed_install(log, ".venv/install.log").splitlines()) == 1


def test_a_full_disk_during_the_install_is_named() -> None:
    log = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "The disk is full" in environment.explain_failed_install(log, "log")


def test_missing_test_programs_are_named_where_they_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(environment.SetupError, match="sudo apt install chromium bubblewrap"):
        environment.bring_test_programs()


class TestServe:
    def serve(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(MAKE / "serve.py"), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def test_a_port_in_use_is_named_and_another_offered(self, tmp_path: Path) -> None:
        (tmp_path / "index.html").write_text("hello")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.serve("--port", str(port), "--folder", str(tmp_path))
        assert done.returncode == 1
        assert done.stderr == f"Port {port} is in use. Choose another: make serve PORT={port + 1}\n"

    def test_a_port_that_cannot_be_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "index.html").write_text("hello")
        done = self.serve("--port", "70000", "--folder", str(tmp_path))
        assert done.returncode == 1
        assert "Port 70000 cannot be used" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_no_site_yet_says_what_to_run_first(self, tmp_path: Path) -> None:
        done = self.serve("--folder", str(tmp_path))
        assert done.returncode == 1
        assert "Run make book first." in done.stderr
