"""Every page in Chromium: wide and narrow, light and dark, with the keyboard and without scripts."""

from __future__ import annotations

import re
import threading
import time
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from serve import SiteHandler

from .pages import CHAPTERS, CONTENT, LESSONS, PAGES

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
# An observer that adds up how far things jumped while the page was loading.
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_cleanly(browser: Browser, address: str, path: str, width: str, scheme: str) -> None:
    size = WIDTHS[width]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.add_init_script(WATCH_SHIFTS)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{address}/{path}", wait_until="networkidle")

    assert said == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate("window.shifted") < 0.02
    violations = [
        f"{v['id']}: {v['nodes'][0]['html'][:200]}"
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert violations == []
    context.close()


class InTwoHalves(SiteHandler):
    """Sends the upper half of a page, waits, and sends the rest, as a slow line does."""

    def do_GET(self) -> None:
        if not self.path.endswith(".html"):
            super().do_GET()
            return
        body = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # The middle of what is read, not of the file: navigation comes first.
        middle = (body.index(b"<article") + len(body)) // 2
        self.wfile.write(body[:middle])
        self.wfile.flush()
        time.sleep(0.5)
        self.wfile.write(body[middle:])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", [f"{name}.html" for name in CONTENT])
def test_nothing_jumps_while_a_page_arrives(browser: Browser, site: Path, path: str, width: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(InTwoHalves, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    context = browser.new_context(viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    page = context.new_page()
    page.add_init_script(WATCH_SHIFTS)

    page.goto(f"http://127.0.0.1:{server.server_port}/{path}", wait_until="networkidle")

    assert page.evaluate("window.shifted") < 0.02
    context.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_search_finds_a_chapter(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=kernel")
    expect(page.locator("#search-results")).to_contain_text(
        "sliding window", ignore_case=True, timeout=10_000
    )


def test_there_is_one_way_to_search_on_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    visible = [box for box in page.locator("input[type=search]").all() if box.is_visible()]
    assert len(visible) <= 1


def test_a_wrong_address_gets_a_page_that_leads_back(page: Page, address: str) -> None:
    answer = page.goto(f"{address}/book/no/such/page.html")
    assert answer.status == 404
    page.locator("main a").first.click()
    expect(page).to_have_url(re.compile(r"/(book/)?index\.html$|/$"))


def test_the_first_tab_offers_to_skip_to_the_text(page: Page, address: str) -> None:
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent.trim()")
    assert "skip" in focused.lower()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"


@pytest.mark.parametrize("chapter", LESSONS)
def test_a_self_check_is_answered_with_the_keyboard(page: Page, address: str, chapter: str) -> None:
    page.goto(f"{address}/{chapter}.html")
    options = page.locator(".self-check").first.locator("details")
    for number in (0, 1):
        options.nth(number).locator("summary").focus()
        page.keyboard.press("Enter")
        expect(options.nth(number)).to_have_attribute("open", "")
    # One answer at a time: the second choice closes the first.
    expect(options.nth(0)).not_to_have_attribute("open", "")


@pytest.mark.parametrize("path", [f"{name}.html" for name in CONTENT])
def test_a_page_is_readable_without_javascript(browser: Browser, address: str, path: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{path}")
    expect(page.locator("h1").first).to_be_visible()
    for summary in page.locator(".self-check summary").all()[:3]:
        summary.click()
    for option in page.locator(".self-check details[open]").all():
        expect(option.locator("p").last).to_be_visible()
    # No control that would do nothing.
    assert [b for b in page.locator("main button").all() if b.is_visible()] == []
    context.close()


@pytest.mark.parametrize("path", [f"{name}.html" for name in CONTENT])
def test_a_printed_page_is_text_and_figures(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}/{path}", wait_until="networkidle")
    page.emulate_media(media="print")
    for chrome in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header", ".prev-next-footer"):
        for element in page.locator(chrome).all():
            expect(element).to_be_hidden()
    expect(page.locator("h1").first).to_be_visible()


def test_the_theme_can_be_switched_and_stays(page: Page, address: str) -> None:
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    seen = {page.evaluate("document.documentElement.dataset.theme")}
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}
