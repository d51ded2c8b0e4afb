"""The fonts hold what the book needs, and the stand-in is as wide as what it stands in for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

ASSETS = Path(__file__).parents[2] / "book" / "_assets"
FONTS = ASSETS / "fonts"

# How often letters and the space occur in English, in percent, roughly.
OFTEN = dict(
    zip(
        "etaoinshrdlcumwfgypb ",
        [10, 7.5, 6.5, 6, 6, 5.5, 5.5, 5, 5, 3.5, 3.5, 2, 2.5, 2, 1.5, 2, 1.5, 1.5, 1.5, 1.5, 18],
        strict=True,
    )
)

# Times New Roman's widths, in thousandths of the size: the stand-in is that font or one made to its measure.
# fmt: off
TIMES = {
    "normal": [444, 278, 444, 500, 278, 500, 389, 500, 333, 500, 278, 444, 500, 778, 722, 333, 500, 500, 500,
               500, 250],
    "italic": [444, 278, 500, 500, 278, 500, 389, 500, 389, 500, 278, 444, 500, 722, 667, 278, 500, 444, 500,
               500, 250],
}
# fmt: on


def font(name: str) -> TTFont:
    return TTFont(FONTS / name)


def test_formulas_can_stretch() -> None:
    assert "MATH" in font("stix-two-math.woff2")


@pytest.mark.parametrize("sign", "∑∏√⌊⌋⌈⌉[](){}|−±×·⋆≤≥≈≠∈→∞θΔ𝑥𝐖ℝℒ…⋯⋮⋱⏞⏟")
def test_the_formula_font_has_the_signs_that_formulas_use(sign: str) -> None:
    assert ord(sign) in font("stix-two-math.woff2").getBestCmap()


@pytest.mark.parametrize("style", ["normal", "italic"])
def test_the_text_font_has_the_letters_and_signs_of_english_prose(style: str) -> None:
    have = font(f"literata-{style}.woff2").getBestCmap()
    assert not [sign for sign in "AZaz09“”‘’–—…×éÉüçñ·°" if ord(sign) not in have]


@pytest.mark.parametrize("style", ["normal", "italic"])
def test_the_text_font_varies_from_regular_to_bold(style: str) -> None:
    (weight,) = font(f"literata-{style}.woff2")["fvar"].axes
    assert (weight.axisTag, weight.minValue, weight.maxValue) == ("wght", 400, 700)


@pytest.mark.parametrize("style", TIMES)
def test_nothing_moves_when_the_text_font_arrives(style: str) -> None:
    literata = font(f"literata-{style}.woff2")
    widths, glyphs, unit = literata["hmtx"], literata.getBestCmap(), literata["head"].unitsPerEm
    total = sum(OFTEN.values())
    own = sum(widths[glyphs[ord(letter)]][0] / unit * often for letter, often in OFTEN.items()) / total
    times = (
        sum(width / 1000 * often for width, often in zip(TIMES[style], OFTEN.values(), strict=True)) / total
    )
    rules = (ASSETS / "course.css").read_text("utf-8")
    stand_in = rules[rules.index(f'"Literata stand-in"; font-style: {style}') :]
    names = ("size-adjust", "ascent-override", "descent-override")
    size, ascent, descent = (float(re.findall(rf"{name}: ([0-9.]+)%", stand_in)[0]) / 100 for name in names)
    assert size == pytest.approx(own / times, rel=0.01)  # one letter in a hundred at most
    assert ascent * size == pytest.approx(literata["hhea"].ascent / unit, rel=0.01)
    assert descent * size == pytest.approx(-literata["hhea"].descent / unit, rel=0.01)


def test_every_font_comes_with_its_licence() -> None:
    for name in ("literata", "stix-two-math"):
        assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / f"OFL-{name}.txt").read_text("utf-8")
