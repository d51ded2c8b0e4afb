"""Masters in, files out: finds the masters, builds them, writes the results, and never leaves half a file."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder import assemble, assign, diagnose, judge, masters, whole
from autograder.assemble import Assigned, Product, Templates
from autograder.errors import MasterError, Misuse, Problem
from autograder.parts import Master
from autograder.settings import Settings


def templates() -> Templates:
    """Read the texts that every notebook and check file gets."""
    folder = Path(__file__).parent
    names = {"setup_cell": "templates/setup_cell.py.txt"}
    names |= {name: f"shipped/{name}.py" for name in ("checks", "hints", "pictures")}
    return Templates(**{name: (folder / path).read_text(encoding="utf-8") for name, path in names.items()})


def known_slugs(root: Path) -> list[str]:
    """Name every exercise that has a master."""
    return sorted(path.stem for path in (root / "solutions").glob("*.md") if path.stem.upper() != "README")


def choose(root: Path, asked: Sequence[str]) -> list[str]:
    """Return the exercises that were asked for: all of them if none was named."""
    known = known_slugs(root)
    if not known:
        raise Misuse(
            f"There is no master in {root / 'solutions'}. A master is a file such as solutions/kernels.md."
        )
    for slug in asked:
        if slug not in known:
            raise Misuse(f"There is no solutions/{slug}.md. The exercises are: {', '.join(known)}.")
    return sorted(set(asked)) or known


def read_masters(root: Path, slugs: Iterable[str]) -> list[Master]:
    """Read several masters; raises one MasterError that lists the mistakes of all of them."""
    found: list[Master] = []
    problems: list[Problem] = []
    for slug in slugs:
        try:
            found.append(masters.read(root / "solutions" / f"{slug}.md", f"solutions/{slug}.md"))
        except MasterError as error:
            problems += error.problems
    if problems:
        raise MasterError(problems)
    return found


@dataclass(frozen=True)
class Built:
    """One exercise, built, and what it was built from on the way."""

    product: Product
    assigned: Assigned
    solved: dict[str, Any]
    tables: dict[str, diagnose.Table]


def new(root: Path, slug: str) -> Path:
    """Copy the template master. Raises Misuse where the name cannot be an exercise's or is taken."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug) or slug == "readme":
        raise Misuse(
            f"{slug!r} cannot name an exercise: it becomes a file and an address. Use small letters, digits "
            "and single hyphens, such as two-kernels."
        )
    path = root / "solutions" / f"{slug}.md"
    if path.exists():
        raise Misuse(f"solutions/{slug}.md exists already. Choose another name, or remove it first.")
    text = (Path(__file__).parent / "templates" / "master.md").read_text(encoding="utf-8")
    whole.replace(path, text.replace("@@slug@@", slug).encode())
    return path


def build(master: Master, settings: Settings) -> Built:
    """Build one exercise, in memory."""
    assigned = assign.run(master.slug, assemble.for_otter(master, settings.pins))
    solved = judge.functions_of(json.dumps(assigned.solved).encode())
    tables = diagnose.tables(master, assemble.open_checks(master, templates()), solved)
    product = assemble.product(master, assigned, templates(), settings, tables)
    return Built(product, assigned, solved, tables)


def places(product: Product, root: Path) -> dict[Path, bytes]:
    """Say where the files of an exercise belong."""
    return {
        root / "exercises" / f"{product.slug}.ipynb": product.student,
        root / "dist" / f"{product.slug}.zip": product.bundle,
        root / "dist" / f"{product.slug}_solved.ipynb": product.solved,
    }


def write(product: Product, root: Path) -> None:
    """Write the files of one exercise, then the list of checksums."""
    for path, content in places(product, root).items():
        whole.replace(path, content)
    whole.replace(root / "dist" / "SHA256SUMS", checksums(root / "dist"))


def checksums(folder: Path) -> bytes:
    """List the SHA-256 of everything in ``dist``, in the format of ``sha256sum --check``."""
    names = sorted(
        p.name for p in folder.iterdir() if p.suffix in (".zip", ".ipynb") and not p.name.startswith(".")
    )
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    return "".join(lines).encode()
