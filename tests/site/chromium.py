"""Debian's chromium, driven by Playwright, talking to nobody but us."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def launch(playwright: Playwright) -> Browser:
    """Start the browser; the caller closes it."""
    program = shutil.which("chromium")
    assert program, "The tests need Debian's chromium: make test installs it."
    return playwright.chromium.launch(executable_path=program, args=FLAGS)
