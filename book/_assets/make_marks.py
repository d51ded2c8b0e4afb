"""Draw the course's mark: a grid of three by three cells with one cell lit.

    python book/_assets/make_marks.py

writes logo.svg, logo-dark.svg, favicon.svg, favicon.ico, touch-icon.png and social-card.png beside this
file. They are committed; run it again after changing anything here.
"""

from __future__ import annotations

import io
from pathlib import Path

from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
PAPER, INK, QUIET, ACCENT = "#fdfcf9", "#22262b", "#c3cbd1", "#0072b2"
NIGHT, QUIET_AT_NIGHT, ACCENT_AT_NIGHT = "#15191e", "#47525c", "#56b4e9"

# The lit cell stands in the middle: there a kernel writes what it found among the nine.
LIT = (1, 1)


def grid_svg(quiet: str, lit: str, *, size: int = 64, style: str = "") -> str:
    """Return the mark as SVG text: cells of 16, gaps of 4, on 64 by 64 units; the lit one is larger."""
    cells = []
    for row in range(3):
        for column in range(3):
            grow = 2 if (row, column) == LIT else 0
            x, y, side = 4 + 20 * column - grow, 4 + 20 * row - grow, 16 + 2 * grow
            css = "lit" if grow else "quiet"
            cells.append(
                f'<rect class="{css}" x="{x}" y="{y}" width="{side}" height="{side}" rx="3" '
                f'fill="{lit if grow else quiet}"/>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 64 64">'
        f"{style}{''.join(cells)}</svg>\n"
    )


def grid_png(size: int, *, background: str | None, margin: float = 0.0) -> Image.Image:
    """Return the mark as a picture ``size`` pixels wide, drawn four times larger and averaged down."""
    big = size * 4
    picture = Image.new("RGBA", (big, big), background or (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    unit = big * (1 - 2 * margin) / 64
    for row in range(3):
        for column in range(3):
            lit = (row, column) == LIT
            grow = 2 if lit else 0
            left, top = 4 + 20 * column - grow, 4 + 20 * row - grow
            corners = [
                big * margin + unit * at for at in (left, top, left + 16 + 2 * grow, top + 16 + 2 * grow)
            ]
            draw.rounded_rectangle(corners, radius=3 * unit, fill=ACCENT if lit else QUIET)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def literata(size: int, *, weight: int = 400, italic: bool = False) -> ImageFont.FreeTypeFont:
    """Return the site's own font at one weight, for drawing."""
    font = TTFont(HERE / "fonts" / f"literata-{'italic' if italic else 'normal'}.woff2")
    still = instancer.instantiateVariableFont(font, {"wght": weight})
    still.flavor = None
    buffer = io.BytesIO()
    still.save(buffer)
    buffer.seek(0)
    return ImageFont.truetype(buffer, size)


def social_card() -> Image.Image:
    """Return the picture that other sites show beside a link: 1200 by 630 pixels."""
    card = Image.new("RGB", (1200, 630), PAPER)
    draw = ImageDraw.Draw(card)
    mark = grid_png(330, background=None)
    card.paste(mark, (84, 116), mark)
    draw.rectangle((0, 614, 1200, 630), fill=ACCENT)
    for line, top in (("Mostly", 96), ("Harmless", 184), ("Convolutions", 272)):
        draw.text((480, top), line, font=literata(86, weight=600), fill=INK)
    draw.text((484, 410), "How computers look at pictures,", font=literata(36, italic=True), fill="#4d565e")
    draw.text((484, 460), "for people who were told they are bad at maths", font=literata(29), fill="#4d565e")
    return card


def main() -> None:
    """Write every file."""
    by_scheme = (
        f"<style>@media (prefers-color-scheme: dark){{.quiet{{fill:{QUIET_AT_NIGHT}}}"
        f".lit{{fill:{ACCENT_AT_NIGHT}}}}}</style>"
    )
    (HERE / "logo.svg").write_text(grid_svg(QUIET, ACCENT), encoding="utf-8")
    (HERE / "logo-dark.svg").write_text(grid_svg(QUIET_AT_NIGHT, ACCENT_AT_NIGHT), encoding="utf-8")
    (HERE / "favicon.svg").write_text(grid_svg("#8b97a0", ACCENT, style=by_scheme), encoding="utf-8")
    small = grid_png(48, background=None)
    small.save(HERE / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    grid_png(180, background=PAPER, margin=0.12).convert("RGB").save(HERE / "touch-icon.png", optimize=True)
    social_card().quantize(64, dither=Image.Dither.NONE).save(HERE / "social-card.png", optimize=True)


if __name__ == "__main__":
    main()
