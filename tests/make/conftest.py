"""A tiny real book in a folder of its own, and the real commands run on it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.book.tiny_site import HEADER

REPOSITORY = Path(__file__).resolve().parents[2]
MAKE = REPOSITORY / "book" / "_make"


@dataclass
class TinyBook:
    """A book of a few lines, built by the same command as the course."""

    root: Path

    def write_chapter(self, slug: str, code: str, prose: str = "Some prose.") -> Path:
        path = self.root / "book" / f"{slug}.md"
        cell = "```{code-cell} ipython3\n" + textwrap.dedent(code).strip() + "\n```\n"
        path.write_text(f"{HEADER}\n# {slug.title()}\n\n{prose}\n\n{cell}", encoding="utf-8")
        return path

    def set_toc(self, *slugs: str) -> None:
        lines = ["format: jb-book", "root: book/index", "chapters:"]
        lines += [f"  - file: book/{slug}" for slug in slugs]
        (self.root / "_toc.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def command(self) -> list[str]:
        return [sys.executable, str(MAKE / "build_site.py"), "--root", str(self.root)]

    def build(self, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command, capture_output=True, text=True, timeout=timeout, check=False)

    def start(self) -> subprocess.Popen[str]:
        """A build in a process group of its own, to be stopped on the way."""
        return subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    @property
    def html(self) -> Path:
        return self.root / "_build" / "html"

    def page(self, slug: str) -> str:
        return (self.html / "book" / f"{slug}.html").read_text(encoding="utf-8")


@pytest.fixture
def tiny_book(tmp_path: Path) -> TinyBook:
    (tmp_path / "book").mkdir()
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "_config.yml").write_text(
        "title: Tiny\nauthor: us\nonly_build_toc_files: true\n"
        "execute: {execute_notebooks: cache, raise_on_error: true}\n"
        "html: {use_issues_button: false, use_repository_button: false}\n"
    )
    (tmp_path / "book" / "index.md").write_text("# Tiny\n\nA tiny book.\n")
    book = TinyBook(tmp_path)
    book.write_chapter("one", "print('one says', 6 * 7)")
    book.set_toc("one")
    return book
