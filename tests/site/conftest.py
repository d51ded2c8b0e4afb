"""The real site, built by the real command, served on localhost and opened in a real browser."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "book" / "_make"))
from serve import SiteHandler

from .chromium import launch

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site that `make book` builds; quick when nothing changed."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "book" / "_make" / "build_site.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return REPOSITORY / "_build" / "html"


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where `make serve`'s handler serves the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SiteHandler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def moving_picture(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page that holds nothing but one figure; its clock stands still until a test moves it."""
    contexts = []
    complaints: list[str] = []

    def opened(html: str, module: str, *, script: bool = True, **settings: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 800, "height": 1000}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        if settings.get("java_script_enabled", True):
            page.clock.install(time=0)
            page.clock.pause_at(1000)  # installed, it would go on with the machine's own time
        code = (REPOSITORY / "book" / "_assets" / module).read_text(encoding="utf-8")
        tail = f'<script type="module">{code}</script>' if script else ""
        page.set_content(
            f'<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
            f"<title>Test</title><body><main><h1>Test</h1>{html}</main>{tail}"
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
