"""Runs Otter Assign itself, in a temporary folder, and reads what it wrote."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder import archives
from autograder.assemble import Assigned
from autograder.errors import BuildError

TIMEOUT = 300  # seconds; Otter Assign takes about four


def run(slug: str, master_notebook: bytes) -> Assigned:
    """Give Otter Assign a master notebook and return its two notebooks and the files of its bundle.

    Otter's own run of the solution is left out: its test files get their helpers only afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        source, result = Path(folder) / f"{slug}.ipynb", Path(folder) / "made"
        source.write_bytes(master_notebook)
        command = [
            sys.executable,
            "-m",
            "otter",
            "assign",
            "--no-run-tests",
            "--no-pdfs",
            str(source),
            str(result),
        ]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise BuildError(
                f"Otter Assign did not finish solutions/{slug}.md in {TIMEOUT} seconds."
            ) from None
        bundles = sorted((result / "autograder").glob("*.zip"))
        if done.returncode != 0 or len(bundles) != 1:
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            raise BuildError(
                f"Otter Assign refused solutions/{slug}.md: {said[-1] if said else 'it said nothing'}"
            )
        return Assigned(
            student=json.loads((result / "student" / f"{slug}.ipynb").read_text(encoding="utf-8")),
            solved=json.loads((result / "autograder" / f"{slug}.ipynb").read_text(encoding="utf-8")),
            bundle=archives.unpack(bundles[0].read_bytes()),
        )
