"""The walk through the trained network, in a real browser: on a small page of its own."""

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
import torch
from playwright.sync_api import Page, expect
from skimage import data
from torch import nn

from tests.site.moving_pictures import THEMES, WIDTHS, assert_it_can_be_read, assert_it_fits, dress

BOOK = Path(__file__).parents[2] / "book"
KEPT = json.loads((BOOK / "data" / "tiny-net" / "weights.json").read_text(encoding="utf-8"))
MODULE = (BOOK / "_assets" / "cnn-walk.js").read_text(encoding="utf-8")
MINUS = "\N{MINUS SIGN}"
LAYERS = [
    "The picture",
    "First convolution",
    "ReLU",
    "Max pooling",
    "Second convolution",
    "ReLU",
    "Largest of each quarter",
    "Fully connected",
    "Softmax",
]
# The module's own functions, called with a picture and the network's numbers.
FORWARD = """async ([code, numbers, picture]) => {
  const { forward } = await import("data:text/javascript;base64," + code);
  return forward(numbers, picture).map((layer) => [...layer]);
}"""
PIXELS = """canvas => ({ size: [canvas.height, canvas.width],
  data: [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data] })"""


def network() -> nn.Sequential:
    net = runpy.run_path(str(BOOK / "_snippets" / "tiny_net.py"))["tiny_net"]()
    net.load_state_dict(
        {
            name: torch.tensor(part["values"]).reshape(part["shape"])
            for name, part in KEPT["parameters"].items()
        }
    )
    return net.eval()


def said_by_pytorch(picture: np.ndarray) -> list[np.ndarray]:
    """What each of the nine layers says about a standardised picture, (32, 32)."""
    with torch.no_grad():
        maps = torch.tensor(picture[None, None], dtype=torch.float32)
        layers = [maps[0]]
        for layer in network():
            maps = layer(maps)
            if not isinstance(layer, nn.Flatten):
                layers.append(maps[0])
        return [part.numpy() for part in [*layers, maps[0].softmax(dim=0)]]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The snippet's own functions, four pictures, and the figure as it draws them."""
    snippet = runpy.run_path(str(BOOK / "_snippets" / "cnn_walk.py"))
    rng = np.random.default_rng(2)
    greys = {name: getattr(data, name)()[64:96, 320:352] for name in KEPT["classes"]}
    greys["noise"] = rng.integers(0, 256, (32, 32)).astype(np.uint8)
    pictures = [snippet["picture_of"](name, grey, grey.mean(), grey.std()) for name, grey in greys.items()]
    standardised = {name: (grey - grey.mean()) / grey.std() for name, grey in greys.items()}
    numbers = {name: part.detach().numpy() for name, part in network().named_parameters()}
    layers = said_by_pytorch(standardised["brick"])
    html = snippet["cnn_walk"](
        numbers, pictures, layers, KEPT["classes"], at=(5, 0, 31), caption="A picture walks through."
    ).data
    return {"html": html, "snippet": snippet, "standardised": standardised, "layers": layers}


@pytest.fixture
def open_page(moving_picture: Callable[..., Page], made: dict[str, Any]) -> Callable[..., Page]:
    """Open a page that holds nothing but the figure."""
    return partial(moving_picture, made["html"], "cnn-walk.js")


def status(page: Page) -> str:
    return page.locator(".cw-status").inner_text()


def stage(page: Page, number: int):
    return page.locator("button.cw-stage").nth(number)


def target(page: Page):
    return page.locator(".cw-to .cw-frame")


def choice(page: Page):
    return page.get_by_role("combobox", name="Picture", exact=True)


def choose(page: Page, row: int, column: int, side: int) -> None:
    """Point at one number of the map on the right."""
    box = target(page).bounding_box()
    place = {"x": (column + 0.5) * box["width"] / side, "y": (row + 0.5) * box["height"] / side}
    target(page).click(position=place)


def shares(page: Page) -> list[float]:
    return [float(text.removesuffix(" %")) / 100 for text in page.locator(".cw-bar b").all_text_contents()]


def read(text: str) -> float:
    return float(text.replace(MINUS, "-").replace(",", "").removesuffix(" %"))


def terms(page: Page) -> dict[str, float]:
    words = page.locator(".cw-terms dt").all_text_contents()
    return dict(zip(words, map(read, page.locator(".cw-terms dd").all_text_contents()), strict=True))


def upload(page: Page, name: str, picture: np.ndarray) -> None:
    content = cv2.imencode(".png", picture)[1].tobytes()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


# --- the arithmetic ---


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "noise"])
def test_every_layer_in_the_browser_says_what_pytorch_says(open_page, made, name):
    picture = made["standardised"][name]
    numbers = {name: part["values"] for name, part in KEPT["parameters"].items()}
    code = base64.b64encode(MODULE.encode()).decode()
    ours = open_page(script=False).evaluate(FORWARD, [code, numbers, picture.ravel().tolist()])
    theirs = said_by_pytorch(picture)
    assert [len(layer) for layer in ours] == [layer.size for layer in theirs]
    for one, other in zip(ours, theirs, strict=True):
        # PyTorch calculates in float32: up to 72 products, then 64, of size 10
        np.testing.assert_allclose(one, other.ravel(), rtol=0, atol=1e-4)


def test_the_shares_on_the_page_are_those_of_pytorch_for_every_picture(open_page, made):
    page = open_page()
    for name, picture in made["standardised"].items():
        choice(page).select_option(name)
        assert shares(page) == pytest.approx(said_by_pytorch(picture)[-1].tolist(), abs=0.00051)


@pytest.mark.parametrize("place", [(0, 0, 0), (3, 7, 11), (7, 15, 1)])
def test_the_lines_below_a_number_add_up_to_it(open_page, made, place):
    page = open_page()
    layers = made["layers"]
    for number in (1, 4, 7):
        stage(page, number).focus()
        page.keyboard.press("Enter")
        names = page.get_by_role("combobox", name="Map")
        names.select_option(str(place[0] % 3))
        if number < 7:
            choose(page, *place[1:], side={1: 32, 4: 16}[number])
        found = terms(page)
        total = found.popitem()[1]
        value = layers[number][(place[0] % 3, *place[1:])[: layers[number].ndim]]
        assert total == pytest.approx(value, abs=0.00501)
        assert sum(found.values()) == pytest.approx(total, abs=0.005 * (len(found) + 1) + 1e-9)


def test_a_window_at_the_border_counts_zeros_outside_the_picture(open_page, made):
    page = open_page()
    small = page.locator(".cw-squares small").all_text_contents()
    outside = [text.startswith("0.00 ×") for text in small]
    assert outside == [True, True, True, False, False, True, False, False, True]  # top right corner


def test_pooling_marks_the_largest_of_four(open_page, made):
    page = open_page()
    stage(page, 3).click()
    four = [read(text) for text in page.locator(".cw-squares b").all_text_contents()]
    assert len(four) == 4
    assert read(page.locator(".cw-squares .cw-marked b").inner_text()) == max(four) == terms(page)["kept"]


def test_a_number_below_zero_becomes_zero_and_another_one_stays(open_page, made):
    page = open_page()
    stage(page, 2).focus()
    page.keyboard.press("Enter")
    sums = made["layers"][1]
    for sign in (-1, 1):
        kernel, row, column = np.unravel_index((sign * sums).argmax(), sums.shape)
        stage(page, 2).press("Enter")
        page.get_by_role("combobox", name="Map").select_option(str(kernel))
        choose(page, row, column, 32)
        found = terms(page)
        assert found["the sum"] == pytest.approx(sums[kernel, row, column], abs=0.00501)
        assert found["bent"] == max(found["the sum"], 0)


# --- going from number to number ---


def test_its_source_leads_from_the_largest_share_back_to_a_pixel(open_page):
    page = open_page()
    stage(page, 8).click()
    page.get_by_role("combobox", name="Map").select_option("brick")
    value = None
    for number in range(8, 0, -1):
        assert status(page).startswith(LAYERS[number])
        if number in (2, 3, 5, 6):  # these only hand a number on
            assert value is None or value >= 0
        page.get_by_role("button", name="Its source").click()
        value = read(re.search(r": (\S+)\.$", status(page))[1])
    assert status(page).startswith("The picture, row ")
    expect(page.get_by_role("button", name="Its source")).to_be_disabled()


def test_onward_leads_from_a_pixel_to_a_share(open_page):
    page = open_page()
    stage(page, 0).click()
    for number in range(9):
        assert status(page).startswith(LAYERS[number])
        if number < 8:
            page.get_by_role("button", name="Onward").click()
    expect(page.get_by_role("button", name="Onward")).to_be_disabled()


def test_the_largest_number_of_a_block_is_the_one_that_its_source_goes_to(open_page):
    page = open_page()
    stage(page, 6).click()
    kept = terms(page)["kept"]
    page.get_by_role("button", name="Its source").click()
    assert status(page).startswith("ReLU, map")
    assert read(re.search(r": (\S+)\.$", status(page))[1]) == kept


def test_a_pointer_chooses_the_number_under_it(open_page):
    page = open_page()
    box = target(page).bounding_box()
    cell = box["width"] / 32
    choose(page, 9, 4, 32)
    assert status(page).startswith("First convolution, map 6, row 10, column 5:")
    frame = page.locator(".cw-to rect").last.bounding_box()
    assert frame["x"] + frame["width"] / 2 - box["x"] == pytest.approx(4.5 * cell, abs=1)
    window = page.locator(".cw-from rect").last.bounding_box()
    assert window["width"] == pytest.approx(3 * cell, abs=3)  # the line is thick


def test_a_pointer_on_a_small_picture_chooses_its_layer_and_its_map(open_page):
    page = open_page()
    box = stage(page, 4).locator("canvas").bounding_box()
    stage(page, 4).locator("canvas").click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.9})
    assert status(page).startswith("Second convolution, map 15,")
    expect(stage(page, 4)).to_have_attribute("aria-pressed", "true")
    expect(stage(page, 1)).to_have_attribute("aria-pressed", "false")


def test_everything_works_from_the_keyboard(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(choice(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("input[type=file]")).to_be_focused()
    for _ in range(5):  # past what is disabled, and the picture
        page.keyboard.press("Tab")
    expect(stage(page, 4)).to_be_focused()
    page.keyboard.press("Enter")
    assert status(page).startswith("Second convolution, map 6,")  # a key keeps the map
    for _ in range(8):
        page.keyboard.press("Tab")
    expect(target(page)).to_be_focused()
    before = re.search(r"row (\d+), column (\d+)", status(page)).groups()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    after = re.search(r"row (\d+), column (\d+)", status(page)).groups()
    assert (int(after[0]), int(after[1])) == (int(before[0]) + 1, int(before[1]) - 1)
    for _ in range(40):
        page.keyboard.press("ArrowUp")
    assert ", row 1," in status(page)  # it stays at the border


# --- the still picture ---


def test_still_picture_shows_every_layer_one_number_and_its_nine_products(open_page, made):
    page = open_page(script=False)
    value = f"{made['layers'][1][5, 0, 31]:.2f}".replace("-", MINUS)
    expect(page.locator(".cw-to img")).to_have_accessible_name(
        f"First convolution, map 6, row 1, column 32: {value}. The picture is brick."
    )
    assert page.locator(".cw-stage img").count() == 9
    assert page.locator(".cw-squares b").count() == 9
    assert shares(page) == pytest.approx(made["layers"][-1].tolist(), abs=0.00051)


def test_without_javascript_no_control_shows_and_no_room_is_kept_for_one(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("button, input, select").count() == 0
    assert page.locator(".cw-choose").is_hidden()
    assert page.locator(".cw-steps").is_hidden()


def test_the_script_takes_over_without_changing_a_colour_or_a_number(open_page):
    still, moving = open_page(script=False), open_page()
    for selector in (".cw-stage", ".cw-frame"):
        images, canvases = still.locator(f"{selector} img"), moving.locator(f"{selector} canvas")
        assert images.count() == canvases.count()
        for number in range(min(images.count(), 7)):  # the two with bars are drawings
            address = images.nth(number).get_attribute("src")
            code = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
            png = cv2.imdecode(code, cv2.IMREAD_UNCHANGED)
            solid = png[..., 3] if png.shape[2] == 4 else np.full(png.shape[:2], 255)
            shown = canvases.nth(number).evaluate(PIXELS)
            assert tuple(shown["size"]) == png.shape[:2]
            pixels = np.reshape(shown["data"], (*png.shape[:2], 4))
            assert np.array_equal(pixels[..., 3], solid)
            # A value on the very border of two colours may fall to either side.
            off = np.abs(pixels[..., :3] - png[:, :, 2::-1].astype(int)).max(axis=2)
            assert (off[solid > 0] > 0).mean() < 0.01
    for selector in (".cw-why", ".cw-verdict", ".cw-detail"):
        assert moving.locator(selector).all_text_contents() == still.locator(selector).all_text_contents()


@pytest.mark.parametrize("width", [320, 390, 650])
def test_nothing_moves_on_the_page_when_the_controls_arrive_or_are_used(open_page, width):
    still = open_page(script=False, viewport={"width": width, "height": 1600})
    moving = open_page(viewport={"width": width, "height": 1600})
    for number in range(9):
        stage(moving, number).click()
        for part in ("figure", "figcaption", ".cw-detail", ".cw-why"):
            assert moving.locator(part).bounding_box() == still.locator(part).bounding_box()


# --- a picture of one's own ---


def test_a_picture_of_ones_own_is_prepared_as_the_course_says_and_goes_nowhere(open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    wall = cv2.resize(data.brick(), (1024, 1024), interpolation=cv2.INTER_NEAREST)
    wide = np.zeros((1024, 1300), np.uint8)
    wide[:, 138:1162] = wall  # only the middle square is looked at
    upload(page, "wall.png", wide)
    expect(choice(page)).to_have_value("own")
    for parts, words in ((1, "All of it"), (4, "Its middle quarter")):
        page.get_by_role("combobox", name="How much").select_option(words)
        side = 32 * parts
        grey = wall.reshape(side, 1024 // side, side, 1024 // side).mean(axis=(1, 3))
        middle = slice(side // 2 - 16, side // 2 + 16)
        picture = ((grey - grey.mean()) / grey.std())[middle, middle]
        assert shares(page) == pytest.approx(said_by_pytorch(picture)[-1].tolist(), abs=0.00051)
    assert [address for address in asked if not address.startswith(("data:", "blob:"))] == []


def test_colours_become_luminance_and_what_is_transparent_white(open_page):
    page = open_page()
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[..., :] = (0, 0, 255, 255)  # red, in OpenCV's order
    picture[:, 16:] = (0, 0, 0, 0)
    upload(page, "half.png", picture)
    stage(page, 0).click()
    expect(choice(page)).to_have_value("own")
    choose(page, 0, 0, 32)
    assert terms(page)["grey value"] == 76  # 0.299 × 255
    choose(page, 0, 31, 32)
    assert terms(page)["grey value"] == 255


def test_a_file_that_is_no_picture_is_refused_with_a_sentence_and_changes_nothing(open_page):
    page = open_page()
    before = shares(page)
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    expect(page.locator(".cw-status")).to_have_text(
        "notes.txt cannot be read as a picture. Choose a JPEG, PNG or WebP file."
    )
    assert shares(page) == before
    expect(choice(page)).to_have_value("0")


def test_a_picture_without_any_contrast_is_refused_with_a_sentence(open_page):
    page = open_page()
    before = shares(page)
    upload(page, "grey.png", np.full((40, 40), 90, np.uint8))
    expect(page.locator(".cw-status")).to_have_text(
        "That picture is the same grey all over. Choose one that shows something."
    )
    assert shares(page) == before


# --- for everyone ---


@pytest.mark.parametrize("width", WIDTHS)
def test_controls_are_large_enough_to_touch_and_nothing_sticks_out(open_page, width):
    assert_it_fits(open_page(viewport={"width": width, "height": 900}), width, "button, select, label")


@pytest.mark.parametrize("theme", THEMES)
def test_it_takes_the_pages_colours_and_is_readable_in_them(open_page, theme):
    page = open_page()
    dress(page, *theme)
    for number in (1, 4, 7):
        stage(page, number).click()
        assert_it_can_be_read(page)


def test_paper_gets_no_controls(open_page):
    page = open_page()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Onward")).to_be_hidden()
    expect(choice(page)).to_be_hidden()


def test_a_picture_of_another_size_is_refused_with_a_sentence(made):
    with pytest.raises(ValueError, match=r"“coin” is \(30, 32\) of uint8: give 32 × 32 grey values"):
        made["snippet"]["picture_of"]("coin", np.zeros((30, 32), np.uint8), 0, 1)


def test_the_chapters_own_walk_holds_the_kept_network_and_is_small_enough_to_travel(site):
    page = (site / "book" / "a-cnn-you-can-count.html").read_text(encoding="utf-8")
    figure = page[page.index('class="cnn-walk"') :]
    figure = figure[: figure.index("</figure>")]
    assert len(figure) < 100_000
    carried = json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure)[1])
    for name, part in KEPT["parameters"].items():
        values = np.frombuffer(base64.b64decode(carried["numbers"][name]), "<f4")
        np.testing.assert_allclose(values, part["values"], atol=1e-6)  # trained again, on another machine
