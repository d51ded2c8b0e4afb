"""The moving picture of a kernel that is being learned, in a real browser: on a small page of its own."""

import base64
import json
import re
import runpy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.site.moving_pictures import THEMES, WIDTHS, assert_it_can_be_read, assert_it_fits, dress

BOOK = Path(__file__).parents[2] / "book"
MINUTE = 60_000
MINUS = "\N{MINUS SIGN}"
TARGET = np.array([-1.0, 0, 1, -2, 0, 2, -1, 0, 1])
PIXELS = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The snippet's own functions, two walks toward a target, and the figure as it draws them."""
    snippet = runpy.run_path(str(BOOK / "_snippets" / "kernel_learning.py"))
    grey = np.random.default_rng(3).integers(0, 256, (14, 17)).astype(np.uint8)
    steady = TARGET * (1 - 0.97 ** np.arange(201))[:, None]
    wild = TARGET * (1 - (-1.5) ** np.arange(7))[:, None]
    losses = {"steady": 0.97 ** (2 * np.arange(201)) * 3, "wild": 2.25 ** np.arange(7) * 3}
    walks = [
        snippet["walk_of"]("steady", 0.05, steady, losses["steady"]),
        snippet["walk_of"]("wild", 0.5, wild, losses["wild"]),
    ]
    html = snippet["kernel_learning"](grey, walks, target=TARGET, caption="A kernel is learned.").data
    return {
        "html": html,
        "snippet": snippet,
        "grey": grey,
        "kernels": {"steady": steady, "wild": wild},
        "losses": losses,
    }


@pytest.fixture
def open_page(moving_picture: Callable[..., Page], made: dict[str, Any]) -> Callable[..., Page]:
    """Open a page that holds nothing but the figure."""
    return partial(moving_picture, made["html"], "kernel-learning.js")


def status(page: Page) -> str:
    return page.locator(".kl-status").inner_text()


def batch(page: Page) -> int:
    return int(re.search(r"batch (\d+) of", status(page))[1])


def weights(page: Page) -> list[str]:
    return page.locator(".kl-kernel text").all_text_contents()


def play(page: Page):
    return page.get_by_role("button", name=re.compile("^(Play|Pause)$"))


def slider(page: Page):
    return page.get_by_role("slider")


def written(kernel: np.ndarray) -> list[str]:
    return [f"{value:.2f}".replace("-0.00", "0.00").replace("-", MINUS) for value in kernel.round(3) + 0.0]


def test_still_picture_shows_batch_10_with_its_weights_its_answers_and_those_wanted(open_page, made):
    page = open_page(script=False)
    expect(page.get_by_role("img", name=re.compile("^Rate 0.05, batch 10 of 200: loss 1.63"))).to_be_visible()
    assert weights(page) == written(made["kernels"]["steady"][10])
    assert page.locator("img").count() == 3
    assert page.locator("polyline").count() == 2


def test_without_javascript_no_control_shows_and_no_room_is_kept_for_one(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("button, input, select").count() == 0
    assert page.locator(".kl-controls").is_hidden()


@pytest.mark.parametrize("width", [320, 390, 800])
def test_nothing_moves_on_the_page_when_the_controls_arrive_or_are_used(open_page, width):
    still = open_page(script=False, viewport={"width": width, "height": 900})
    moving = open_page(viewport={"width": width, "height": 900})
    expect(play(moving)).to_be_visible()
    for rate in ("0", "1"):
        moving.get_by_role("combobox").select_option(rate)
        slider(moving).press("End")
        for part in ("figure", "figcaption", ".kl-chart", ".kl-kernel"):
            assert moving.locator(part).bounding_box() == still.locator(part).bounding_box()


def test_the_script_takes_over_without_changing_a_colour_or_a_number(open_page, made):
    still, moving = open_page(script=False), open_page()
    address = still.locator(".kl-answers").get_attribute("src")
    code = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
    answers = cv2.imdecode(code, cv2.IMREAD_COLOR)[:, :, ::-1]
    shown = np.reshape(moving.locator("canvas").evaluate(PIXELS), (12, 15, 4))
    # Float32 in the browser: a sum on the very border of two colours may fall to either side.
    assert (np.abs(shown[..., :3] - answers.astype(int)).max(axis=2) > 0).mean() < 0.02
    assert weights(moving) == weights(still)
    for part in (".kl-marker", ".kl-chart"):
        assert moving.locator(part).bounding_box() == still.locator(part).bounding_box()
    fills = "nodes => nodes.map(node => getComputedStyle(node).fill)"
    for part in (".kl-kernel rect", ".kl-kernel text"):
        assert moving.locator(part).evaluate_all(fills) == still.locator(part).evaluate_all(fills)
    names = [page.locator(".kl-kernel svg").get_attribute("aria-label") for page in (still, moving)]
    assert names[0] == names[1]


def test_the_answers_are_those_of_the_kernel_at_every_batch(open_page, made):
    page = open_page()
    grey = made["grey"]
    rows = np.lib.stride_tricks.sliding_window_view((grey - grey.mean()) / grey.std(), (3, 3)).reshape(-1, 9)
    colours = made["snippet"]["COLOURS"].astype(int)
    for key in ("Home", "End"):
        slider(page).press(key)
        sums = rows @ made["kernels"]["steady"][batch(page)].round(3)
        wanted = colours[made["snippet"]["level"](sums, 6)]
        shown = np.reshape(page.locator("canvas").evaluate(PIXELS), (-1, 4))[:, :3]
        assert (np.abs(shown - wanted).max(axis=1) > 0).mean() < 0.02


def test_the_learned_kernel_answers_what_was_wanted(open_page):
    page = open_page()
    slider(page).press("End")
    address = page.locator("img").last.get_attribute("src")
    wanted = cv2.imdecode(np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)[
        :, :, ::-1
    ].reshape(-1, 3)
    shown = np.reshape(page.locator("canvas").evaluate(PIXELS), (-1, 4))[:, :3]
    assert np.abs(shown - wanted.astype(int)).mean() < 3  # 0.2 % of the way is left


def test_it_does_not_start_by_itself(open_page):
    page = open_page()
    page.clock.run_for(5000)
    expect(play(page)).to_have_text("Play")
    assert batch(page) == 10


def test_play_begins_with_the_untaught_kernel_and_ends_at_the_end(open_page):
    page = open_page()
    play(page).click()
    assert batch(page) == 0
    assert weights(page) == ["0.00"] * 9
    page.clock.run_for(2100)
    assert batch(page) == 10
    play(page).click()
    page.clock.run_for(3000)
    assert batch(page) == 10
    play(page).click()  # goes on from there
    page.clock.run_for(250)
    assert batch(page) == 11
    page.clock.run_for(MINUTE)
    assert batch(page) == 200
    expect(play(page)).to_have_text("Play")
    play(page).click()
    assert batch(page) == 0


def test_the_arrows_take_one_batch_even_where_play_leaps(open_page):
    page = open_page()
    slider(page).press("End")
    page.get_by_role("button", name="One batch back").click()
    assert batch(page) == 199
    assert float(re.search(r"loss ([\d.]+)\.", status(page))[1]) == pytest.approx(0.97**398 * 3, abs=1e-6)
    page.get_by_role("button", name="One batch forward").click()
    page.get_by_role("button", name="One batch forward").click()  # there is none: it stays
    assert batch(page) == 200


def test_the_marker_lies_on_the_curve_of_the_chosen_rate(open_page):
    page = open_page()
    for rate, keys in (("0", 40), ("1", 5)):
        page.get_by_role("combobox").select_option(rate)
        slider(page).fill(str(keys))
        distance = page.evaluate(
            """() => {
          const box = document.querySelector(".kl-marker").getBoundingClientRect();
          const curve = document.querySelector(".kl-chosen");
          const place = curve.getScreenCTM();
          const near = [...curve.points].map(({ x, y }) => Math.hypot(
            place.a * x + place.e - box.x - box.width / 2, place.d * y + place.f - box.y - box.height / 2));
          return Math.min(...near);
        }"""
        )
        assert distance < 1.5


def test_a_rate_that_is_too_large_says_where_it_was_stopped(open_page, made):
    page = open_page()
    page.get_by_role("combobox").select_option("1")
    assert batch(page) == 6  # it has no tenth batch
    assert status(page) == (
        f"Rate 0.5, batch 6 of 6: loss {made['losses']['wild'][-1]:,.0f}. "
        "It was stopped here; it would only get worse."
    )
    assert weights(page)[5] == f"{MINUS}20.8"  # one decimal from ten up


def test_choosing_another_rate_stops_playing_and_keeps_the_batch(open_page):
    page = open_page()
    play(page).click()
    page.clock.run_for(650)
    page.get_by_role("combobox").select_option("1")
    expect(play(page)).to_have_text("Play")
    assert status(page).startswith("Rate 0.5, batch 3 of 6")


def test_everything_works_from_the_keyboard(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(play(page)).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(play(page)).to_have_text("Play")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert batch(page) == 1
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert batch(page) == 2
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("^batch 2 of 200: loss "))


def test_it_speaks_after_a_step_and_is_silent_while_playing(open_page):
    page = open_page()
    line = page.locator(".kl-status")
    page.get_by_role("button", name="One batch forward").click()
    expect(line).to_have_attribute("aria-live", "polite")
    play(page).click()
    expect(line).to_have_attribute("aria-live", "off")


def test_less_motion_asked_for_means_fewer_pictures_each_for_longer(open_page):
    page = open_page(reduced_motion="reduce")
    play(page).click()
    page.clock.run_for(900)
    assert batch(page) == 0
    page.clock.run_for(200)
    assert batch(page) == 4
    page.clock.run_for(MINUTE)
    assert batch(page) == 200


def test_paper_gets_the_still_picture_without_controls(open_page, made):
    page = open_page()
    page.get_by_role("combobox").select_option("1")
    slider(page).press("Home")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert weights(page) == written(made["kernels"]["steady"][10])
    expect(play(page)).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert status(page).startswith("Rate 0.5, batch 0 of 6")


@pytest.mark.parametrize("width", WIDTHS)
def test_controls_are_large_enough_to_touch_and_nothing_sticks_out(open_page, width):
    assert_it_fits(open_page(viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("theme", THEMES)
def test_it_takes_the_pages_colours_and_is_readable_in_them(open_page, theme):
    page = open_page()
    dress(page, *theme)
    assert_it_can_be_read(page)


def test_numbers_on_the_squares_can_be_read_at_every_weight(made):
    # 4.5 to 1: black or white, whichever the drawing takes
    def light(colour):
        parts = np.where(
            colour / 255 <= 0.04045, colour / 255 / 12.92, ((colour / 255 + 0.055) / 1.055) ** 2.4
        )
        return parts @ [0.2126, 0.7152, 0.0722]

    for value in np.linspace(-3, 3, 601):
        level = made["snippet"]["level"](value, 2.5)
        shade = light(made["snippet"]["COLOURS"][level].astype(float))
        white = made["snippet"]["WHITE_INK"][level]
        assert (1.05 / (shade + 0.05) if white else (shade + 0.05) / 0.05) >= 4.5, value


def test_a_walk_whose_weights_do_not_fit_is_refused_with_a_sentence(made):
    with pytest.raises(ValueError, match="A weight of the walk “bold” is above 32: stop it"):
        made["snippet"]["walk_of"]("bold", 1, np.full((2, 9), 33), [1, 2])


def test_the_chapters_own_walks_are_what_the_chapter_says_and_small_enough_to_travel(site):
    page = (site / "book" / "brushes-become-learners.html").read_text(encoding="utf-8")
    figure = page[page.index('class="kernel-learning"') :]
    figure = figure[: figure.index("</figure>")]
    assert len(figure) < 160_000
    walks = json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure)[1])["walks"]
    assert [walk["rate"] for walk in walks] == [0.002, 0.05, 0.15]
    last = np.frombuffer(base64.b64decode(walks[1]["weights"]), "<i2").reshape(-1, 9)[-1] / 1000
    np.testing.assert_allclose(last, TARGET, atol=0.0025)  # within 0.002 of Sobel's, in thousandths
