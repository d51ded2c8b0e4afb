"""The moving picture of a template's search, in a real browser: on a small page of its own."""

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
# What a reader sees of the map: which of its squares are uncovered, and the colour of one of them.
UNCOVERED = """canvas => {
  const shown = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return shown.filter((value, i) => i % 4 === 3 && value === 255).length;
}"""
COLOUR = """(canvas, [row, column]) =>
  [...canvas.getContext("2d").getImageData(column, row, 1, 1).data].slice(0, 3)"""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The snippet's own functions, two pictures, and the figure as it draws their searches."""
    snippet = runpy.run_path(str(BOOK / "_snippets" / "template_walk.py"))
    picture = np.random.default_rng(3).integers(0, 256, (40, 60)).astype(np.uint8)
    tall = np.random.default_rng(4).integers(0, 256, (50, 30)).astype(np.uint8)
    template = picture[10:18, 20:32]
    searches = [
        snippet["search_for"]("at home", picture, template, {"its place": (10, 20), "elsewhere": (31, 4)}, 2),
        snippet["search_for"]("away", tall, template, {"a corner": (0, 0)}, 3),
    ]
    html = snippet["template_walk"](searches, "One kernel goes over two small pictures.").data
    scores = cv2.matchTemplate(np.float32(picture), np.float32(template), cv2.TM_CCOEFF_NORMED)
    return {"html": html, "searches": searches, "scores": scores, "snippet": snippet}


@pytest.fixture
def open_page(moving_picture: Callable[..., Page], made: dict[str, Any]) -> Callable[..., Page]:
    """Open a page that holds nothing but the figure."""
    return partial(moving_picture, made["html"], "template-walk.js")


def status(page: Page) -> str:
    return page.locator(".tw-status").inner_text()


def uncovered(page: Page) -> int:
    return page.locator("canvas").evaluate(UNCOVERED)


def play(page: Page):
    return page.get_by_role("button", name=re.compile("^(Play|Pause)$"))


def slider(page: Page):
    return page.get_by_role("slider")


def places(made: dict[str, Any], number: int = 0) -> int:
    rows, columns = made["searches"][number]["shape"]
    return rows * columns


def test_still_picture_shows_the_first_stop_and_the_whole_map(open_page):
    page = open_page(script=False)
    expect(page.get_by_role("img")).to_have_accessible_name("at home. Stop 1, its place: score 1.00.")
    assert page.locator("image").count() == 2
    assert page.locator(".tw-here").count() == 2


def test_without_javascript_no_control_shows_and_no_room_is_kept_for_one(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("button, input, select").count() == 0
    assert page.locator(".tw-controls").is_hidden()
    assert page.locator("svg image").count() == 2


def test_the_data_in_the_figure_are_the_librarys_scores(made):
    found = re.search(r'<script type="application/json">(.*?)</script>', made["html"])
    search = json.loads(found[1])["searches"][0]
    levels = np.frombuffer(base64.b64decode(search["scores"]), np.uint8).reshape(search["shape"])
    row, column = search["first"]
    kept = made["scores"][row::2, column::2]
    np.testing.assert_allclose(levels / 100 - 1, kept, rtol=0, atol=0.00501)  # hundredths
    # The place of the highest score is among those that are kept.
    assert kept.max() == made["scores"].max()


def test_the_still_map_and_the_moving_one_have_the_same_colours(open_page, made):
    search = made["searches"][0]
    address = made["snippet"]["coloured"](search["scores"], search["shape"])
    png = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
    still = cv2.imdecode(png, cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)
    page = open_page()
    for place in ([0, 0], [5, 10], [3, 7]):
        moving = page.locator("canvas").evaluate(COLOUR, place)
        assert np.abs(still[tuple(place)] - moving).max() <= 1  # halves are rounded to even or up


def test_it_does_not_start_by_itself(open_page, made):
    page = open_page()
    page.clock.run_for(5000)
    expect(play(page)).to_have_text("Play")
    assert uncovered(page) == places(made)
    assert status(page).startswith("Stop 1, its place: score 1.00.")


def test_play_begins_at_the_corner_and_the_map_grows(open_page, made):
    page = open_page()
    play(page).click()
    assert uncovered(page) < 10
    page.clock.run_for(8000)
    early = uncovered(page)
    assert 0.25 * places(made) < early < 0.42 * places(made)
    page.clock.run_for(4000)
    assert uncovered(page) > early
    play(page).click()
    stood = uncovered(page)
    page.clock.run_for(4000)
    assert uncovered(page) == stood
    expect(play(page)).to_have_text("Play")
    play(page).click()  # goes on from there
    page.clock.run_for(500)
    assert uncovered(page) >= stood


def test_play_ends_at_the_end(open_page, made):
    page = open_page()
    play(page).click()
    page.clock.run_for(MINUTE / 2)
    expect(play(page)).to_have_text("Play")
    assert uncovered(page) == places(made)


def test_the_highest_score_so_far_is_only_of_what_was_seen(open_page, made):
    page = open_page()
    search = made["searches"][0]
    row, column = search["first"]
    kept = np.round(made["scores"][row::2, column::2].ravel() * 100) / 100
    for at in (0, 30, 60, places(made) - 1):
        slider(page).fill(str(at))
        highest = f"{kept[: at + 1].max():.2f}".replace("-", "\N{MINUS SIGN}")
        assert f"Highest so far: {highest}," in status(page)
        assert uncovered(page) == at + 1


def test_a_stop_shows_its_own_place_and_score_and_uncovers_nothing_less(open_page, made):
    page = open_page()
    page.get_by_role("button", name="Stop 2: elsewhere").click()
    score = f"{made['scores'][31, 4]:.2f}".replace("-", "\N{MINUS SIGN}")
    assert status(page).startswith(
        f"Stop 2, elsewhere: score {score}. Highest so far: 1.00, at row 10, column 20."
    )
    assert uncovered(page) == places(made)
    expect(page.get_by_role("button", name="Stop 2: elsewhere")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Stop 1: its place")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("img")).to_have_accessible_name(re.compile("Stop 2, elsewhere"))


def test_the_frame_stands_where_the_stop_says(open_page):
    page = open_page()
    box = page.locator(".tw-picture").bounding_box()
    per_pixel = box["width"] / 300 * 5  # 60 pixels fill 300 units
    frame = page.locator(".tw-picture .tw-here rect").last.bounding_box()
    assert frame["x"] - box["x"] == pytest.approx(20 * per_pixel, abs=3)  # the line is thick
    assert frame["y"] - box["y"] == pytest.approx(10 * per_pixel, abs=3)
    assert frame["width"] == pytest.approx(12 * per_pixel, abs=5)


def test_the_map_lies_so_that_a_score_is_at_the_middle_of_its_window(open_page):
    page = open_page()
    frame = page.locator(".tw-picture .tw-here rect").last.bounding_box()
    dot = page.locator(".tw-map .tw-here circle").last.bounding_box()
    panels = [page.locator(name).bounding_box() for name in (".tw-picture", ".tw-map")]
    canvas = page.locator("canvas").bounding_box()
    for side, size in (("x", "width"), ("y", "height")):
        middles = [
            part[side] + part[size] / 2 - panel[side]
            for part, panel in zip((frame, dot), panels, strict=True)
        ]
        assert middles[0] == pytest.approx(middles[1], abs=1)
    # The square of the map below the dot is the one of the highest score: row 5, column 10.
    squares = page.locator("canvas").evaluate("canvas => [canvas.width, canvas.height]")
    assert (dot["x"] + dot["width"] / 2 - canvas["x"]) / canvas["width"] * squares[0] == pytest.approx(
        10.5, abs=0.3
    )
    assert (dot["y"] + dot["height"] / 2 - canvas["y"]) / canvas["height"] * squares[1] == pytest.approx(
        5.5, abs=0.3
    )


def test_another_search_can_be_chosen(open_page, made):
    page = open_page()
    before = page.locator("figure").bounding_box()
    page.get_by_role("combobox").select_option("away")
    assert status(page).startswith("Stop 1, a corner: score")
    assert uncovered(page) == places(made, 1)
    assert page.get_by_role("button", name=re.compile("^Stop")).count() == 1
    assert page.locator("figure").bounding_box() == before


def test_choosing_another_search_stops_the_walk(open_page):
    page = open_page()
    play(page).click()
    page.get_by_role("combobox").select_option("away")
    expect(play(page)).to_have_text("Play")


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
    assert status(page).startswith("Stop 2")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert status(page).startswith("Row 0, column 0: score")
    page.keyboard.press("ArrowRight")
    assert status(page).startswith("Row 0, column 2: score")


def test_it_speaks_after_a_stop_and_is_silent_while_playing(open_page):
    page = open_page()
    line = page.locator(".tw-status")
    page.get_by_role("button", name="Stop 2: elsewhere").click()
    expect(line).to_have_attribute("aria-live", "polite")
    play(page).click()
    expect(line).to_have_attribute("aria-live", "off")


def test_less_motion_asked_for_means_a_row_at_a_time(open_page, made):
    page = open_page(reduced_motion="reduce")
    columns = made["searches"][0]["shape"][1]
    play(page).click()
    assert uncovered(page) == 1
    page.clock.run_for(400)
    assert uncovered(page) == 1
    page.clock.run_for(200)
    assert uncovered(page) == 1 + columns
    page.clock.run_for(500)
    assert uncovered(page) == 1 + 2 * columns
    page.clock.run_for(MINUTE)
    assert uncovered(page) == places(made)
    expect(play(page)).to_have_text("Play")


@pytest.mark.parametrize("width", [320, 390, 800])
def test_nothing_moves_on_the_page_when_the_controls_arrive(open_page, width):
    still = open_page(script=False, viewport={"width": width, "height": 900})
    moving = open_page(viewport={"width": width, "height": 900})
    expect(play(moving)).to_be_visible()
    for number in ("at home", "away"):
        moving.get_by_role("combobox").select_option(number)
        for part in ("figure", "figcaption", ".tw-map"):
            assert moving.locator(part).bounding_box() == still.locator(part).bounding_box()


def test_paper_gets_the_whole_map_without_controls(open_page, made):
    page = open_page()
    slider(page).fill("3")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert uncovered(page) == places(made)
    expect(play(page)).to_be_hidden()


@pytest.mark.parametrize("width", WIDTHS)
def test_controls_are_large_enough_to_touch_and_nothing_sticks_out(open_page, width):
    assert_it_fits(open_page(viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("theme", THEMES)
def test_it_takes_the_pages_colours_and_is_readable_in_them(open_page, theme):
    page = open_page()
    dress(page, *theme)
    assert_it_can_be_read(page)


def test_the_chapters_own_searches_are_small_enough_to_travel(site):
    page = (site / "book" / "three-views.html").read_text(encoding="utf-8")
    figure = page[page.index('class="template-walk"') :]
    assert len(figure[: figure.index("</figure>")]) < 180_000
