"""Data that notebooks fetch: a copy of each folder named in ``published_data``, as ``data/NAME`` in the site.

The addresses are for ever, as those of pages are: notebooks that people keep ask for them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FOLDER = "data"


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Copy the folders as they are now. Raises ExtensionError if one is not there."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    for name in app.config.published_data:
        source = Path(app.srcdir) / name
        if not source.is_dir():
            raise ExtensionError(f"published_data names {name}, and there is no such folder.")
        shutil.copytree(source, target / source.name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_config_value("published_data", [], "", [list])
    app.connect("build-finished", publish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
