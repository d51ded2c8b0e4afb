"""Draw a template searching a picture: where its window stands, and the map of scores that it leaves behind.

The drawing stands alone: without a script it is a still picture of the first search. On the course's site
the script ``template-walk.js`` finds it and adds Play, stops, a slider and the other searches.
"""

import base64
import json

import cv2
import numpy as np
from IPython.display import HTML

BOX_WIDTH, BOX_HEIGHT = 300, 200  # both panels, in the drawing's own units; every picture is fitted in
# PuOr, as in the chapter's figures: from -1 over 0 to 1
ORANGE_TO_PURPLE = "#7f3b08 #b35806 #e08214 #fdb863 #fee0b6 #f7f7f7 #d8daeb #b2abd2 #8073ac #542788 #2d004b"
PALETTE = ORANGE_TO_PURPLE.split()

STYLE = """
figure.template-walk { container-type: inline-size; margin: 1.5rem 0; padding: 1rem;
  color: var(--ink, #22262b); background: var(--paper, #fff);
  border: 1px solid var(--rule, #d8dce2); border-radius: 6px; }
.template-walk .tw-panels { display: grid; gap: .75rem 1rem; grid-template-columns: 1fr 1fr; }
.template-walk p { margin: 0 0 .25rem; font-size: .875rem; line-height: 1.4; color: inherit; }
.template-walk .tw-frame { position: relative; overflow: hidden; background: var(--sheet, #f5f6f8);
  border: 1px solid var(--rule, #d8dce2); }
.template-walk svg { position: relative; display: block; width: 100%; height: auto;
  font-family: system-ui, sans-serif; }
.template-walk canvas { position: absolute; image-rendering: pixelated; }
.template-walk :is(rect, circle, path) { fill: none; vector-effect: non-scaling-stroke; }
.template-walk .tw-casing { stroke: #fff; stroke-width: 5; }
.template-walk .tw-line { stroke: #d55e00; stroke-width: 2.5; }
.template-walk .tw-best .tw-casing { stroke-width: 4; }
.template-walk .tw-best .tw-line { stroke: #00507d; stroke-width: 2; stroke-dasharray: 5 3; }
.template-walk .tw-stop rect { fill: #fff; stroke: #22262b; stroke-width: 1; }
.template-walk .tw-stop text { font-size: 12px; font-weight: 600; fill: #22262b; text-anchor: middle;
  dominant-baseline: central; }
.template-walk .tw-meter { display: flex; gap: .5rem; align-items: center; margin: 1.35rem 0 .5rem;
  font: .875rem/1 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.template-walk .tw-scale { position: relative; flex: 1; height: .75rem;
  border: 1px solid var(--strong-rule, #6b7280); }
.template-walk .tw-scale i { position: absolute; bottom: 100%; width: 0; margin-left: -.45rem;
  border: solid transparent; border-width: .6rem .45rem 0; border-top-color: var(--ink, #22262b); }
.template-walk .tw-scale .tw-highest { width: .3rem; height: .75rem; margin: 0 0 0 -.15rem; bottom: 0;
  border: 1px solid #fff; background: #00507d; }
.template-walk .tw-controls { min-height: 10rem; padding-top: .25rem; }
.template-walk .tw-row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  margin-bottom: .5rem; }
.template-walk :is(button, select) { min-width: 44px; height: 44px; font: inherit; font-size: .9375rem;
  color: var(--ink, #22262b); background: var(--sheet, #f5f6f8);
  border: 1px solid var(--strong-rule, #6b7280); border-radius: 6px; cursor: pointer; }
.template-walk select { flex: 1; min-width: 0; padding: 0 .5rem; }
.template-walk button[aria-pressed="true"] { font-weight: 700; outline: 2px solid currentColor;
  outline-offset: -4px; }
.template-walk .tw-play { min-width: 5.5rem; font-weight: 600; }
.template-walk input { flex: 1 1 8rem; min-width: 0; height: 44px; margin: 0;
  accent-color: var(--accent, #0072b2); }
.template-walk :is(button, select, input):focus-visible {
  outline: 3px solid var(--accent, #0072b2); outline-offset: 2px; }
.template-walk figcaption { margin: 0; padding-top: .5rem; font-size: .875rem; line-height: 1.5;
  color: inherit; text-align: left; }
/* The site's theme puts an HTML output on a sheet of its own when the page is dark. */
.cell_output .text_html:has(> .template-walk) { padding: 0 !important; background: none !important; }
@container (max-width: 30rem) {
  .template-walk .tw-panels { grid-template-columns: 1fr; }
  .template-walk .tw-controls { min-height: 13.5rem; }
  .template-walk input { flex-basis: 100%; }
}
@media (scripting: none) { .template-walk .tw-controls { display: none; } }
@media print { .template-walk .tw-controls { display: none; } .template-walk { break-inside: avoid; } }
"""


def search_for(name, picture, template, stops, step, shown=1):
    """Let a template look over a whole picture and keep what the drawing needs.

    name      what the search is called in the list of searches
    picture   (H, W) grey, 0 to 255
    template  (h, w), grey levels, no larger than the picture
    stops     what it is called → (row, column) of the window's top left pixel; the first one comes first
    step      one place in so many is kept, each way, in step with the place of the highest score
    shown     how many pixels make one of the picture that is shown: an enlarged one can travel small
    """
    picture = np.asarray(picture, dtype=np.float32)
    scores = cv2.matchTemplate(picture, np.float32(template), cv2.TM_CCOEFF_NORMED)
    first = [int(place) % step for place in np.unravel_index(scores.argmax(), scores.shape)]
    kept = scores[first[0] :: step, first[1] :: step]
    small = cv2.resize(picture, None, fx=1 / shown, fy=1 / shown, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return {
        "name": name,
        "picture": "data:image/jpeg;base64," + base64.b64encode(jpeg).decode(),
        "size": picture.shape,
        "window": np.shape(template),
        "step": step,
        "first": first,
        "shape": kept.shape,
        # hundredths, from 0 for a score of -1: one byte each
        "scores": base64.b64encode((kept * 100 + 100).round().astype(np.uint8)).decode(),
        "stops": [
            {
                "name": stop,
                "row": int(row),
                "column": int(column),
                "score": round(float(scores[row, column]), 2),
            }
            for stop, (row, column) in stops.items()
        ],
    }


def decimals(score):
    """Write a score the way people do: two decimals and a real minus sign."""
    return f"{score:.2f}".replace("-", "\N{MINUS SIGN}")


def coloured(scores, shape):
    """Return the map of scores as a PNG in a data address, in the colours of PALETTE."""
    levels = np.frombuffer(base64.b64decode(scores), np.uint8).reshape(shape)
    colours = np.array([[int(colour[i : i + 2], 16) for i in (5, 3, 1)] for colour in PALETTE])  # BGR
    at = np.linspace(0, 200, len(PALETTE))
    picture = np.dstack([np.interp(levels, at, part).round() for part in colours.T]).astype(np.uint8)
    png = cv2.imencode(".png", picture)[1]
    return "data:image/png;base64," + base64.b64encode(png).decode()


def fitted(search):
    """Return how a picture lies in its panel: scale, left, top, in the drawing's units."""
    height, width = search["size"]
    scale = min(BOX_WIDTH / width, BOX_HEIGHT / height)
    return scale, (BOX_WIDTH - scale * width) / 2, (BOX_HEIGHT - scale * height) / 2


def doubled(shape):
    """Return a shape twice: a light casing, and the line on it, so that it shows on any grey."""
    return f'<{shape} class="tw-casing"/><{shape} class="tw-line"/>'


def template_walk(searches, caption):
    """Return the figure for a list of searches made with ``search_for``: the first one is drawn."""
    search = searches[0]
    scale, left, top = fitted(search)
    (height, width), (tall, wide), stop = search["size"], search["window"], search["stops"][0]
    x, y = left + scale * stop["column"], top + scale * stop["row"]
    here = f'transform="translate({x:g} {y:g})"'
    middle = f'transform="translate({x + scale * wide / 2:g} {y + scale * tall / 2:g})"'
    window = doubled(f'rect width="{scale * wide:g}" height="{scale * tall:g}"')
    dot = doubled('circle r="6"')
    label = f"{search['name']}. Stop 1, {stop['name']}: score {decimals(stop['score'])}."
    # Each square of the map lies at the middle of its window.
    step, (first_row, first_column), (rows, columns) = search["step"], search["first"], search["shape"]
    map_x = left + scale * (first_column + (wide - step) / 2)
    map_y = top + scale * (first_row + (tall - step) / 2)
    scores = coloured(search["scores"], search["shape"])
    picture = (
        f'<g><image class="tw-image" href="{search["picture"]}" x="{left:g}" y="{top:g}"'
        f' width="{scale * width:g}" height="{scale * height:g}"/></g>'
        f'<g class="tw-best"></g><g class="tw-here" {here}>{window}</g><g class="tw-stops"></g>'
    )
    answers = (
        f'<g class="tw-scores"><image href="{scores}" x="{map_x:g}" y="{map_y:g}"'
        f' width="{scale * step * columns:g}" height="{scale * step * rows:g}"'
        f' preserveAspectRatio="none" style="image-rendering:pixelated"/></g>'
        f'<g class="tw-best"></g><g class="tw-here" {middle}>{dot}</g>'
    )
    box = f'viewBox="0 0 {BOX_WIDTH} {BOX_HEIGHT}"'
    pointer = f"left:{50 + 50 * stop['score']:g}%"
    data = {"palette": PALETTE, "box": [BOX_WIDTH, BOX_HEIGHT], "searches": searches}
    return HTML(
        f'<style>{STYLE}</style><figure class="template-walk"><div class="tw-panels">'
        f'<div><p>The window on the picture</p><div class="tw-frame"><svg {box} class="tw-picture" role="img"'
        f' aria-label="{label}">{picture}</svg></div></div>'
        f'<div><p>Its scores, each at the window’s middle</p><div class="tw-frame"><svg {box} class="tw-map"'
        f' aria-hidden="true">{answers}</svg></div></div></div>'
        f'<div class="tw-meter" aria-hidden="true">\N{MINUS SIGN}1<div class="tw-scale"'
        f' style="background:linear-gradient(90deg,{",".join(PALETTE)})">'
        f'<i class="tw-highest" style="{pointer}"></i><i class="tw-now" style="{pointer}"></i></div>1</div>'
        f'<div class="tw-controls"></div>'
        f"<figcaption>{caption}</figcaption>"
        f'<script type="application/json">{json.dumps(data, ensure_ascii=False)}</script></figure>'
    )
