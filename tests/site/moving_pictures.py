"""What is asked of every moving picture, whatever it shows."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = [320, 390, 1280]
# Paper, ink and quiet ink of the course's two themes.
THEMES = [("#fdfcf9", "#22262b", "#57616a"), ("#15191e", "#dde1e4", "#a4afb8")]


def assert_it_fits(page: Page, width: int, controls: str = "button, select, input") -> None:
    """Nothing sticks out of the page, and each control is large enough to touch."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(controls).all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def dress(page: Page, paper: str, ink: str, quiet: str) -> None:
    """Give the page a theme's colours, and see that the figure takes them."""
    page.evaluate(
        "([paper, ink, quiet]) => document.documentElement.style.cssText ="
        " `--paper:${paper};--sheet:${paper};--ink:${ink};--quiet:${quiet};background:${paper}`",
        [paper, ink, quiet],
    )
    colour = page.locator("figcaption").evaluate("node => getComputedStyle(node).color")
    assert colour == f"rgb({', '.join(str(int(ink[i : i + 2], 16)) for i in (1, 3, 5))})"
    page.clock.resume()  # axe waits for a timer


def assert_it_can_be_read(page: Page) -> None:
    """Axe finds nothing serious in the figure."""
    found = Axe().run(page, context="figure").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
