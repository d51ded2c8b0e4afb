"""Draw a window walking over a patch of a picture, with its nine products and their sum.

The drawing stands alone: without a script it is a still picture. On the course's site
the script ``window-walk.js`` finds it and adds Play, steps and a slider.
"""

import base64
import json
import struct
import zlib

import numpy as np
from IPython.display import HTML

CELL = 40  # side of one pixel in the drawing, in the drawing's own units

STYLE = """
figure.window-walk { container-type: inline-size; margin: 1.5rem 0; padding: 1rem; color: #22262b;
  background: #fff; border: 1px solid #d8dce2; border-radius: 6px; }
.window-walk .ww-panels { display: grid; gap: .75rem 2rem; align-items: start;
  grid-template: "picture result" auto "products place" auto "controls controls" auto / 8fr 6fr; }
.window-walk p { margin: 0 0 .25rem; font-size: .875rem; line-height: 1.4; color: inherit; }
.window-walk svg { display: block; width: 100%; height: auto; font-family: system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
.window-walk svg text { text-anchor: middle; dominant-baseline: central; }
.window-walk .ww-todo .ww-shade { fill: #fff; }
.window-walk .ww-todo :is(text, .ww-outside) { visibility: hidden; }
.window-walk .ww-here .ww-shade { stroke: #d55e00; stroke-width: 4; }
.window-walk .ww-controls { grid-area: controls; min-height: 4.8rem; }
.window-walk .ww-buttons { display: flex; gap: .5rem; align-items: center; margin-bottom: .5rem; }
.window-walk button { min-width: 44px; height: 44px; font: inherit; color: #22262b; background: #f5f6f8;
  border: 1px solid #6b7280; border-radius: 6px; cursor: pointer; }
.window-walk button:hover { background: #e4e8ee; }
.window-walk .ww-play { min-width: 5.5rem; font-weight: 600; }
.window-walk input { flex: 1; min-width: 0; height: 44px; margin: 0; accent-color: #0072b2; }
.window-walk :is(button, input):focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
.window-walk figcaption { margin: 0; padding-top: .75rem; font-size: .875rem; line-height: 1.5;
  color: inherit; text-align: left; }
/* The site's theme puts an HTML output on a sheet of its own when the page is dark. */
.cell_output .text_html:has(> .window-walk) { padding: 0 !important; background: none !important; }
@container (max-width: 30rem) {
  .window-walk .ww-panels { gap: .75rem 1rem;
    grid-template: "picture picture" auto "products products" auto
    "controls controls" auto "result place" auto / 6fr 4fr; }
}
@container (min-width: 52rem) {
  .window-walk .ww-panels { column-gap: 1.5rem;
    grid-template: "picture products result place" auto "picture controls controls controls" 1fr
    / 8fr 9fr 6fr 4fr; }
}
@media (scripting: none) { .window-walk .ww-controls { display: none; } }
@media print { .window-walk .ww-controls { display: none; } .window-walk { break-inside: avoid; } }
@media (prefers-reduced-motion: no-preference) {
  .window-walk[data-moving] .ww-window { transition: transform .3s ease-in-out; }
}
"""


def number(value):
    """Write a number the way people do: a real minus sign, two decimals at most."""
    return f"{round(float(value), 2):g}".replace("-", "\N{MINUS SIGN}")


def png(picture):
    """Return a grey uint8 picture (H, W) as a PNG in a data address."""
    height, width = picture.shape
    rows = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in picture)

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
    return "data:image/png;base64," + base64.b64encode(data + chunk(b"IEND", b"")).decode()


def pixel(row, column, value, classes=""):
    """Return one square of a grid: its shade of grey and its number, readable on that shade."""
    shade = int(min(max(round(value), 0), 255))
    ink = "#fff" if shade < 118 else "#000"  # 118: where black and white are equally easy to read
    x, y = column * CELL, row * CELL
    square = (
        f'<rect class="ww-shade" x="{x}" y="{y}" width="{CELL}" height="{CELL}"'
        f' fill="rgb({shade},{shade},{shade})" stroke="#808080" stroke-width=".5"/>'
    )
    if not 0 <= value <= 255:  # no shade of grey for this one: say so with a dashed edge
        square += (
            f'<rect class="ww-outside" x="{x + 3}" y="{y + 3}" width="{CELL - 6}" height="{CELL - 6}"'
            f' fill="none" stroke="#d55e00" stroke-width="2" stroke-dasharray="5 4"/>'
        )
    return (
        f'<g class="{classes}">{square}<text x="{x + CELL / 2:g}" y="{y + CELL / 2:g}" font-size="16"'
        f' fill="{ink}">{number(value)}</text></g>'
    )


def outline(side, line):
    """Return a square frame in the accent colour, with a white edge so that it shows on any grey."""
    square = f'<rect width="{side}" height="{side}" fill="none"'
    return (
        f'{square} stroke="#fff" stroke-width="{1.8 * line:g}"/>'
        f'{square} stroke="#d55e00" stroke-width="{line}"/>'
    )


def drawing(area, title, width, height, body, description=""):
    """Return one panel: a title and an SVG, described or hidden from a screen reader."""
    access = f'role="img" aria-label="{description}"' if description else 'aria-hidden="true"'
    return (
        f'<div style="grid-area:{area}"><p>{title}</p><svg viewBox="-3 -3 {width + 6} {height + 6}"'
        f' {access} class="ww-{area}">{body}</svg></div>'
    )


def products_panel(window, kernel):
    """Return the body of the panel with one product for each square of the kernel, and their sum."""
    size, wide, tall = len(kernel), 336 / len(kernel), 48
    body = ""
    for (i, j), weight in np.ndenumerate(kernel):
        x, y = (j + 0.5) * wide, i * tall
        body += (
            f'<rect x="{j * wide:g}" y="{y}" width="{wide:g}" height="{tall}" fill="#f5f6f8"'
            f' stroke="#808080" stroke-width=".5"/>'
            f'<text class="ww-factors" x="{x:g}" y="{y + 15}" font-size="14" fill="#4b5563">'
            f"{number(weight)} × {number(window[i, j])}</text>"
            f'<text class="ww-product" x="{x:g}" y="{y + 34}" font-size="17" font-weight="600"'
            f' fill="#22262b">{number(weight * window[i, j])}</text>'
        )
    y = size * tall + 10
    return body + (
        f'<text x="112" y="{y + 20}" font-size="16" fill="#22262b">All nine, added up:</text>'
        f'<rect x="226" y="{y}" width="108" height="40" fill="none" stroke="#d55e00"'
        f' stroke-width="3"/><text class="ww-sum" x="280" y="{y + 20}" font-size="20"'
        f' font-weight="700" fill="#22262b">{number((kernel * window).sum())}</text>'
    )


def window_walk(picture, kernel, *, top, left, size=8, at=0, caption="", autoplay=False):
    """Return the figure: a 3×3 kernel walking over ``picture[top:top + size, left:left + size]``.

    picture   (H, W) uint8, grey, small: it is shown whole, to say where the patch lies
    kernel    (3, 3) numbers
    at        the position at which the still picture stops, counted row by row from 0
    autoplay  start by itself on the site, unless the reader's system asks for less motion
    """
    kernel = np.asarray(kernel)
    patch = np.asarray(picture)[top : top + size, left : left + size].astype(float)
    steps = size - 2
    sums = np.array(
        [[(kernel * patch[r : r + 3, c : c + 3]).sum() for c in range(steps)] for r in range(steps)]
    )
    row, column = divmod(at, steps)
    what = (
        f"A grid of {size} by {size} grey values from a photograph, a 3 by 3 window on it, the nine "
        f"products under the window, and a {steps} by {steps} grid that the sums fill row by row."
    )
    where = (
        f"The window covers rows {row + 1} to {row + 3}, columns {column + 1} to {column + 3}; "
        f"its sum is {number(sums[row, column])}."
    )

    squares = "".join(pixel(r, c, value) for (r, c), value in np.ndenumerate(patch))
    squares += (
        f'<g class="ww-window" transform="translate({column * CELL} {row * CELL})">{outline(3 * CELL, 4)}</g>'
    )
    state = ["ww-done"] * at + ["ww-here"] + ["ww-todo"] * (steps**2 - at - 1)
    answers = "".join(
        pixel(*divmod(i, steps), value, f"ww-cell {state[i]}") for i, value in enumerate(sums.flat)
    )
    height, width = picture.shape
    whole = (
        f'<g><image href="{png(picture)}" width="{width}" height="{height}"'
        f' style="image-rendering:pixelated"/></g>'
        f'<g transform="translate({left} {top})">{outline(size, 1.2)}</g>'
    )
    data = {"patch": patch.tolist(), "kernel": kernel.tolist(), "sums": sums.tolist(), "at": at, "what": what}
    panels = [
        drawing(
            "picture",
            f"The picture: {size} × {size} pixels",
            size * CELL,
            size * CELL,
            squares,
            f"{what} {where}",
        ),
        drawing(
            "products",
            "Weight × pixel, nine times",
            336,
            194,
            products_panel(patch[row : row + 3, column : column + 3], kernel),
        ),
        drawing("result", f"The result: {steps} × {steps}", steps * CELL, steps * CELL, answers),
        drawing("place", "Where it lies", width, height, whole),
    ]
    return HTML(
        f"<style>{STYLE}</style>"
        f'<figure class="window-walk"{" data-autoplay" if autoplay else ""}>'
        f'<div class="ww-panels">{"".join(panels)}<div class="ww-controls"></div></div>'
        f"<figcaption>{caption}</figcaption>"
        f'<script type="application/json">{json.dumps(data)}</script></figure>'
    )
