"""Books of one or two pages, built by Sphinx itself with the site's own extensions and theme."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class TinyBook:
    """What came out: the folder of pages, what Sphinx printed as warnings, its exit status."""

    html: Path
    warnings: str
    status: int

    def page(self, name: str = "index") -> BeautifulSoup:
        """Return a page, parsed."""
        return BeautifulSoup((self.html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def build(folder: Path, pages: dict[str, str], *, settings: str = "") -> TinyBook:
    """Write and build a book: ``pages`` maps names to Markdown, ``settings`` extends conf.py."""
    source, html = folder / "source", folder / "html"
    source.mkdir(parents=True, exist_ok=True)  # a second build in the same folder goes on from the first
    for name, text in pages.items():
        path = source / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (source / "conf.py").write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
project = html_title = "A tiny book"
language = "en-CA"
extensions = ["myst_parser", "boxes", "quiz", "mathml", "page_finish"]
myst_enable_extensions = ["colon_fence", "dollarmath", "attrs_inline"]
html_theme = "sphinx_book_theme"
html_math_renderer = "mathml"
html_favicon = {str(ROOT / "book" / "_assets" / "favicon.svg")!r}
html_static_path = [{str(ROOT / "book" / "_assets")!r}]
html_css_files = ["course.css"]
html_context = {{"default_mode": "auto"}}
{settings}
""",
        encoding="utf-8",
    )
    log = folder / "warnings.txt"
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-b", "html", "-w", str(log)]
    done = subprocess.run([*command, str(source), str(html)], capture_output=True, text=True, check=False)
    warnings = log.read_text(encoding="utf-8") if log.exists() else ""
    return TinyBook(html, warnings or done.stderr, done.returncode)
