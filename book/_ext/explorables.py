"""Give a page the scripts of the live figures that it holds, and no other page any."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

SCRIPTS = {
    'class="window-walk"': "window-walk.js",
    'class="template-walk"': "template-walk.js",
    'class="kernel-learning"': "kernel-learning.js",
    'class="cnn-walk"': "cnn-walk.js",
}
"""What a page's HTML contains → the module (a file of ``book/_assets``) that brings it to life."""


def add_scripts(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Add a module script to this page for every kind of live figure in its body."""
    body = context.get("body", "")
    for mark, script in SCRIPTS.items():
        if mark in body:
            app.add_js_file(script, type="module")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
