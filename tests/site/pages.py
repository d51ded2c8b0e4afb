"""Which pages the site has, read from ``_toc.yml``: a new chapter is tested without another line here."""

from __future__ import annotations

from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CONTENT = [str(name) for name in parse_toc_yaml(REPOSITORY / "_toc.yml")]
CHAPTERS = [name for name in CONTENT if name.startswith("book/") and name != "book/index"]
EXERCISES = [name for name in CONTENT if name.startswith("exercises/")]
# Pages that readers meet and nobody wrote a file for.
SERVICE = ["search", "404"]
PAGES = [f"{name}.html" for name in CONTENT + SERVICE]
