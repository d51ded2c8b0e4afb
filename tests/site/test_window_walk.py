"""The moving picture of the sliding window, in a real browser: on a small page of its own."""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from skimage import data

BOOK = Path(__file__).parents[2] / "book"
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
START = 13  # the third row, second column


@pytest.fixture(scope="module")
def draw() -> Callable[..., str]:
    """The figure as the snippet draws it, over the coin of the chapter."""
    window_walk = runpy.run_path(str(BOOK / "_snippets" / "window_walk.py"))["window_walk"]
    coin = data.coins()[162:226, 182:246]

    def figure(**options: object) -> str:
        return window_walk(coin, SHARPEN, top=42, left=26, at=START, caption="A caption.", **options).data

    return figure


@pytest.fixture
def open_page(moving_picture: Callable[..., Page], draw: Callable[..., str]) -> Callable[..., Page]:
    """Open a page that holds nothing but the figure."""

    def opened(*, autoplay: bool = False, **settings: Any) -> Page:
        return moving_picture(draw(autoplay=autoplay), "window-walk.js", **settings)

    return opened


def wait_a_step(page: Page, steps: int = 1) -> None:
    for _ in range(steps):
        page.clock.run_for(1250)


def position(page: Page) -> int:
    """Where the walk is, counted from 1, as a reader is told."""
    return int(re.match(r"Position (\d+) of 36", page.locator(".ww-status").inner_text())[1])


def shown(page: Page) -> tuple[list[str], str, int]:
    """The nine products, the sum, and how many squares of the result are filled."""
    return (
        page.locator(".ww-product").all_text_contents(),
        page.locator(".ww-sum").text_content(),
        page.locator(".ww-cell:not(.ww-todo)").count(),
    )


def expected(at: int) -> tuple[list[str], str, int]:
    row, column = divmod(at, 6)
    window = data.coins()[204:212, 208:216].astype(int)[row : row + 3, column : column + 3]
    products = (np.array(SHARPEN) * window).ravel()
    return [written(value) for value in products], written(products.sum()), at + 1


def written(value: int) -> str:
    return str(value).replace("-", "\N{MINUS SIGN}")


def play(page: Page):
    return page.get_by_role("button", name=re.compile("^(Play|Pause)$"))


def test_still_picture_shows_nine_products_their_sum_and_a_partly_filled_result(open_page):
    page = open_page(script=False)
    assert shown(page) == expected(START)
    assert page.locator(".ww-todo text").first.is_hidden()


def test_without_javascript_no_control_shows_and_no_room_is_kept_for_one(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("button, input").count() == 0
    assert page.locator(".ww-controls").is_hidden()
    assert page.locator("svg").count() == 4


def test_a_screen_reader_hears_one_described_picture(open_page):
    page = open_page(script=False)
    pictures = page.get_by_role("img")
    expect(pictures).to_have_count(1)
    expect(pictures).to_have_accessible_name(re.compile("rows 3 to 5, columns 2 to 4; its sum is 180"))


def test_it_does_not_start_by_itself_in_a_chapter(open_page):
    page = open_page()
    wait_a_step(page, 3)
    assert position(page) == START + 1
    expect(play(page)).to_have_text("Play")


def test_play_walks_on_and_pause_stops(open_page):
    page = open_page()
    play(page).click()
    wait_a_step(page, 2)
    assert position(page) == START + 3
    assert shown(page) == expected(START + 2)
    play(page).click()
    wait_a_step(page, 3)
    assert position(page) == START + 3
    expect(play(page)).to_have_text("Play")


def test_play_ends_at_the_end_and_begins_again_from_the_start(open_page):
    page = open_page()
    page.get_by_role("slider").fill("34")
    play(page).click()
    wait_a_step(page, 4)
    assert position(page) == 36
    expect(play(page)).to_have_text("Play")
    play(page).click()
    assert position(page) == 1


def test_steps_go_back_and_forward_and_stay_on_the_picture(open_page):
    page = open_page()
    page.get_by_role("button", name="One step back").click()
    assert shown(page) == expected(START - 1)
    page.get_by_role("button", name="One step forward").click()
    assert shown(page) == expected(START)
    page.get_by_role("slider").fill("0")
    page.get_by_role("button", name="One step back").click()
    assert position(page) == 1


@pytest.mark.parametrize("at", [0, 5, 6, 35])
def test_every_place_of_the_slider_shows_its_own_window(open_page, at):
    page = open_page(reduced_motion="reduce")  # no gliding, so the frame is where it belongs at once
    page.get_by_role("slider").fill(str(at))
    assert shown(page) == expected(at)
    first = page.locator(".ww-picture .ww-shade").nth(at // 6 * 8 + at % 6).bounding_box()
    frame = page.locator(".ww-window").bounding_box()
    assert frame["x"] == pytest.approx(first["x"], abs=6)  # the frame's own line is thick
    assert frame["y"] == pytest.approx(first["y"], abs=6)
    expect(page.get_by_role("img")).to_have_accessible_name(re.compile(f"its sum is {expected(at)[1]}"))


def test_everything_works_from_the_keyboard(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert position(page) == START
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    wait_a_step(page)
    assert position(page) == START + 1
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert position(page) == START + 2
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert position(page) == START + 1
    page.keyboard.press("End")
    assert position(page) == 36


def test_it_speaks_after_a_step_and_is_silent_while_playing(open_page):
    page = open_page()
    status = page.locator(".ww-status")
    page.get_by_role("button", name="One step forward").click()
    expect(status).to_have_attribute("aria-live", "polite")
    play(page).click()
    expect(status).to_have_attribute("aria-live", "off")


def test_on_the_landing_page_it_starts_by_itself_and_can_be_paused(open_page):
    page = open_page(autoplay=True)
    wait_a_step(page, 2)
    assert position(page) == 3
    play(page).click()
    wait_a_step(page, 2)
    assert position(page) == 3


def test_on_the_landing_page_it_begins_again_after_a_rest(open_page):
    page = open_page(autoplay=True)
    wait_a_step(page, 35)
    assert position(page) == 36
    wait_a_step(page, 5)
    assert position(page) < 6


def test_less_motion_asked_for_means_no_start_by_itself_and_no_gliding(open_page):
    page = open_page(autoplay=True, reduced_motion="reduce")
    wait_a_step(page, 3)
    assert position(page) == START + 1
    assert page.locator(".ww-window").evaluate("node => getComputedStyle(node).transitionDuration") == "0s"
    play(page).click()
    wait_a_step(page)
    assert position(page) == START + 2


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_moves_on_the_page_when_the_controls_arrive(open_page, width):
    still = open_page(script=False, viewport={"width": width, "height": 900})
    moving = open_page(viewport={"width": width, "height": 900})
    expect(play(moving)).to_be_visible()
    for part in ("figure", "figcaption", ".ww-result"):
        assert moving.locator(part).bounding_box() == still.locator(part).bounding_box()


def test_paper_gets_the_still_picture_without_controls(open_page):
    page = open_page()
    page.get_by_role("slider").fill("30")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert shown(page) == expected(START)
    expect(play(page)).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert position(page) == 31


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_numbers_are_large_enough_to_read_and_nothing_sticks_out(open_page, width):
    page = open_page(viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    scale = page.locator(".ww-picture").evaluate(
        "svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width"
    )
    assert 16 * scale >= (12 if width >= 390 else 11)  # pixels; 16 is the size in the drawing's own units


def test_the_data_in_the_figure_are_the_pixels_of_the_photograph(draw):
    found = re.search(r'<script type="application/json">(.*?)</script>', draw())
    stored = json.loads(found[1])
    assert np.array_equal(stored["patch"], data.coins()[204:212, 208:216])
    assert stored["kernel"] == SHARPEN
