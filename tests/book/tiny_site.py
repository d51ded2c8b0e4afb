"""A tiny real book with the course's own extensions, built by the real command in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---
"""

CONFIG = """\
title: Tiny Course
author: us
only_build_toc_files: true
exclude_patterns: ["book/_*"]
repository: {{url: "{repository}"}}
bibtex_bibfiles: [book/references.bib]
execute: {{execute_notebooks: cache, raise_on_error: true, exclude_patterns: ["exercises/*"]}}
parse: {{myst_enable_extensions: [colon_fence, deflist, dollarmath, attrs_inline]}}
html: {{use_issues_button: false, use_repository_button: false, use_edit_page_button: false}}
sphinx:
  local_extensions:
    {{boxes: {ext}, quiz: {ext}, notebooks: {ext}, exercises_page: {ext}, published_data: {ext}}}
  config:
    suppress_warnings: [myst.domains, myst.footnote]
    myst_footnote_transition: false
    myst_heading_anchors: 3
    bibtex_default_style: unsrt
    published_data: [{published}]
"""

REFERENCES = """\
@book{szeliski2022cv, author = {Szeliski, Richard}, title = {Computer Vision}, publisher = {Springer},
  year = {2022}, doi = {10.1007/978-3-030-34372-9}}
@article{swain1991color, author = {Swain, Michael and Ballard, Dana}, title = {Color Indexing},
  journal = {IJCV}, year = {1991}, doi = {10.1007/BF00130487}}
@article{harris2020numpy, author = {Harris, Charles and others}, title = {Array programming},
  journal = {Nature}, year = {2020}}
"""


def exercise_notebook(slug: str = "kernels", **facts: Any) -> nbformat.NotebookNode:
    """Return a student notebook: a title, a cell that sets it up, one function and its check."""
    new = nbformat.v4
    said = {"slug": slug, "points": 18, "minutes": 75, "chapter": "one"} | facts
    return new.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "mostly_harmless": said,
        },
        cells=[
            new.new_markdown_cell("# Kernels by hand\n\nNine numbers at a time.", id="title"),
            new.new_code_cell(
                "packed = 'c2V0dXBwYWNrZWRkYXRh'",
                id="setup",
                metadata={"tags": ["hide-input", "otter_ignore"]},
            ),
            new.new_code_cell("def window_sum(image):\n    ...", id="q1"),
            new.new_code_cell('check("q1")', id="check", metadata={"tags": ["otter_ignore"]}),
        ],
    )


@dataclass
class TinySite:
    """The book's folder, and what the last build of it said and left."""

    root: Path
    repository: str = ""
    log: str = ""
    failed: bool = False
    slugs: list[str] = field(default_factory=list)

    def chapter(self, slug: str, text: str, header: str = HEADER) -> Path:
        """Write a chapter; ``text`` follows its jupytext header."""
        path = self.root / "book" / f"{slug}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + text, encoding="utf-8")
        if slug not in self.slugs:
            self.slugs.append(slug)
        return path

    def exercise(self, slug: str = "kernels", **facts: Any) -> Path:
        """Write a student notebook."""
        path = self.root / "exercises" / f"{slug}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(exercise_notebook(slug, **facts), path)
        return path

    def build(self, github_repository: str = "", published: str = "") -> TinySite:
        """Build the site as strictly as the course is built."""
        book = self.root / "book"
        book.mkdir(exist_ok=True)
        (book / "index.md").write_text("# Tiny\n\nA tiny course.\n", encoding="utf-8")
        (book / "references.bib").write_text(REFERENCES, encoding="utf-8")
        (self.root / "_config.yml").write_text(
            CONFIG.format(repository=self.repository, ext=EXTENSIONS, published=published), encoding="utf-8"
        )
        toc = ["format: jb-book", "root: book/index", "chapters:"]
        toc += [f"  - file: book/{slug}" for slug in self.slugs]
        toc += [f"  - file: exercises/{path.stem}" for path in sorted(self.root.glob("exercises/*.ipynb"))]
        (self.root / "_toc.yml").write_text("\n".join(toc) + "\n", encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "GITHUB_REPOSITORY"}
        if github_repository:
            environment["GITHUB_REPOSITORY"] = github_repository
        jupyter_book = Path(sys.executable).with_name("jupyter-book")
        done = subprocess.run(
            [str(jupyter_book), "build", "-W", "-n", "--keep-going", str(self.root)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=environment,
        )
        self.log = done.stdout + done.stderr
        self.failed = done.returncode != 0
        return self

    @property
    def html(self) -> Path:
        """Return the folder of the built site."""
        return self.root / "_build" / "html"

    def page(self, name: str) -> str:
        """Return the HTML of a page, such as ``book/one``."""
        return (self.html / f"{name}.html").read_text(encoding="utf-8")

    def notebook(self, slug: str) -> dict[str, Any]:
        """Return a chapter's notebook as plain JSON."""
        path = self.html / "notebooks" / f"{slug}.ipynb"
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return notebook

    def text(self, slug: str) -> str:
        """Return all Markdown of a chapter's notebook."""
        cells = self.notebook(slug)["cells"]
        return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")

    def code(self, slug: str) -> list[str]:
        """Return the code cells of a chapter's notebook."""
        return [
            "".join(cell["source"]) for cell in self.notebook(slug)["cells"] if cell["cell_type"] == "code"
        ]
