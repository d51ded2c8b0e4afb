"""A small exercise of one question, and a small repository around it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

MASTER = '''\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
mostly_harmless:
  slug: doubling
  points: 2
  minutes: 5
  chapter: sums
---

```{raw-cell}
# ASSIGNMENT CONFIG
init_cell: false
export_cell: false
check_all_cell: false
requirements: [numpy]
tests:
  ok_format: false
  files: true
```

# Doubling

Twice as much.

```{raw-cell}
# BEGIN HIDDEN HELPERS
```

```{code-cell} ipython3
def secret_number(rng):
    return int(rng.integers(100, 200))
```

```{raw-cell}
# END HIDDEN HELPERS
```

```{raw-cell}
# BEGIN QUESTION
name: q1
points: 2
```

## Double a number

The double of 3 is 6.

```{raw-cell}
# BEGIN SOLUTION
```

```{code-cell} ipython3
def double(number):
    """Return twice ``number``."""
    # BEGIN SOLUTION
    twice_as_much = number + number
    return twice_as_much
    # END SOLUTION
```

```{raw-cell}
# END SOLUTION
```

```{raw-cell}
# BEGIN TESTS
```

```{code-cell} ipython3
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_double_of_three(env):
    expect(env, "double", (3,), 6, reveal=True)
```

```{code-cell} ipython3
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_double_of_a_secret(env):
    hidden_value = secret_number(np.random.default_rng(SEED))
    expect(env, "double", (hidden_value,), 2 * hidden_value)
```

```{raw-cell}
# END TESTS
```

```{raw-cell}
# BEGIN WRONG ANSWERS
```

```{code-cell} ipython3
""" # BEGIN WRONG ANSWER
name: squared
hint: "That is the square of the number: add it to itself."
change: ["number + number", "number * number"]
""" # END WRONG ANSWER
```

```{code-cell} ipython3
""" # BEGIN WRONG ANSWER
name: text
says: text where plain numbers
""" # END WRONG ANSWER
def double(number):
    return str(2 * number)
```

```{raw-cell}
# END WRONG ANSWERS
```

```{raw-cell}
# BEGIN RIGHT ANSWERS
```

```{code-cell} ipython3
""" # BEGIN RIGHT ANSWER
name: by a product
""" # END RIGHT ANSWER
def double(number):
    return 2 * number
```

```{raw-cell}
# END RIGHT ANSWERS
```

```{raw-cell}
# END QUESTION
```

## Hand it in

Upload the notebook.
'''


@pytest.fixture
def text() -> str:
    """A master without a mistake."""
    return MASTER


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with one small master and what the build needs besides."""
    return make_repository(tmp_path / "course")


def make_repository(folder: Path) -> Path:
    """Lay out a small course."""
    (folder / "solutions").mkdir(parents=True)
    (folder / "solutions" / "doubling.md").write_text(MASTER, encoding="utf-8")
    (folder / "pyproject.toml").write_text("[tool.autograder]\nseed = 7\n", encoding="utf-8")
    shutil.copy(REPOSITORY / "requirements.txt", folder)
    return folder


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course, built by the real command; tests get copies."""
    folder = make_repository(tmp_path_factory.mktemp("built") / "course")
    environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_SEED"}
    command = [sys.executable, "-m", "autograder", "build"]
    subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": str(REPOSITORY)}, check=True)
    return folder


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    """The small course, built."""
    return Path(shutil.copytree(built_once, tmp_path / "built course"))


@pytest.fixture
def autograder(monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real command in a folder."""
    monkeypatch.delenv("AUTOGRADER_SEED", raising=False)

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "autograder", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
