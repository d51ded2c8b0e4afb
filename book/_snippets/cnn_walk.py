"""Draw a small network at work: what its layers say about a picture, and where one of the numbers comes from.

The drawing stands alone: without a script it is a still picture of the first layer. On the course's site
the script ``cnn-walk.js`` finds it, does the arithmetic itself, and lets readers go from number to number.
"""

import base64
import json

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

# What a layer makes, its short name, and how many maps lie side by side: as in cnn-walk.js.
STAGES = [
    ("The picture, 32 by 32 pixels", "picture", 1),
    ("First convolution: 8 maps", "conv 1", 2),
    ("ReLU: the same maps without negative numbers", "ReLU", 2),
    ("Max pooling: 8 maps of 16 by 16", "pool", 2),
    ("Second convolution: 16 maps", "conv 2", 4),
    ("ReLU: the same maps without negative numbers", "ReLU", 4),
    ("Largest of each quarter: 16 maps of 2 by 2", "quarters", 4),
]
LAST_STAGES = [
    ("Fully connected: three logits as bars", "logits"),
    ("Softmax: three shares as bars", "shares"),
]
# A colour for each hundredth from -1 to 1.
COLOURS = (plt.get_cmap("PuOr")(np.linspace(0, 1, 201))[:, :3] * 255).round().astype(np.uint8)
MINUS_BAR, PLUS_BAR = "#b35806", "#542788"

STYLE = """
figure.cnn-walk { container-type: inline-size; margin: 1.5rem 0; padding: 1rem;
  color: var(--ink, #22262b); background: var(--paper, #fff);
  border: 1px solid var(--rule, #d8dce2); border-radius: 6px; }
.cnn-walk p { margin: 0 0 .25rem; font-size: .875rem; line-height: 1.4; color: inherit; }
.cnn-walk :is(img, canvas) { display: block; width: 100%; height: 100%; margin: 0; max-width: none;
  padding: 0 !important; background: none !important; border-radius: 0; image-rendering: pixelated; }
.cnn-walk .cw-choose { min-height: 3.5rem; }
.cnn-walk .cw-steps { min-height: 5.5rem; margin-top: .75rem; }
.cnn-walk .cw-net { display: grid; gap: .75rem .5rem;
  grid-template: "early verdict" auto "late late" auto / auto 1fr; }
.cnn-walk .cw-stages { display: flex; flex-wrap: wrap; gap: .5rem; }
.cnn-walk .cw-stage { box-sizing: border-box; width: 8.25rem; margin: 0; padding: 2px; font: inherit;
  font-size: .8125rem; line-height: 1.5rem; text-align: center; color: inherit; background: none;
  border: 2px solid transparent; border-radius: 4px; }
.cnn-walk .cw-stage > :first-child { height: 7.75rem; }
.cnn-walk .cw-stage span { display: block; white-space: nowrap; }
.cnn-walk .cw-two { width: 4.25rem; }
.cnn-walk .cw-last { width: 3.5rem; }
.cnn-walk button.cw-stage { cursor: pointer; }
.cnn-walk button.cw-stage[aria-pressed="true"] { font-weight: 700; border-color: #d55e00; }
.cnn-walk .cw-verdict { grid-area: verdict; align-self: center; padding-left: .5rem; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
.cnn-walk .cw-bar { display: grid; gap: 0 .5rem; grid-template-columns: 1fr auto; margin-top: .35rem; }
.cnn-walk .cw-bar div { grid-column: 1 / -1; height: .75rem; border: 1px solid var(--strong-rule, #6b7280);
  background: #fff; }
.cnn-walk .cw-bar i { display: block; height: 100%; background: #542788; }
.cnn-walk .cw-detail { display: grid; gap: 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.cnn-walk .cw-detail p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.cnn-walk .cw-frame { position: relative; aspect-ratio: 1; background: #fff; outline: 1px solid
  var(--strong-rule, #6b7280); }
.cnn-walk .cw-frame svg { position: absolute; inset: 0; width: 100%; height: 100%;
  font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.cnn-walk .cw-frame text { font-size: 22px; fill: #22262b; }
.cnn-walk .cw-frame rect { vector-effect: non-scaling-stroke; }
.cnn-walk .cw-casing { fill: none; stroke: #fff; stroke-width: 4.5; }
.cnn-walk .cw-line { fill: none; stroke: #d55e00; stroke-width: 2.25; }
.cnn-walk .cw-trough { fill: #fff; stroke: #6b7280; }
.cnn-walk .cw-minus { fill: #b35806; }
.cnn-walk .cw-plus { fill: #542788; }
.cnn-walk .cw-to .cw-frame[tabindex] { cursor: crosshair; }
.cnn-walk .cw-why { min-height: 14.5rem; margin-top: .75rem; }
.cnn-walk .cw-sentence { min-height: 2.45rem; }
.cnn-walk .cw-sums { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: .25rem;
  font-size: .875rem; font-variant-numeric: tabular-nums; }
.cnn-walk .cw-squares { display: grid; grid-template-columns: repeat(var(--across, 3), 5.5rem);
  align-content: start; gap: 2px; font-family: system-ui, sans-serif; }
.cnn-walk .cw-squares:empty { display: none; }
.cnn-walk .cw-squares div { display: grid; align-content: center; box-sizing: border-box; height: 3rem;
  text-align: center; line-height: 1.25; background: var(--sheet, #f5f6f8);
  border: 1px solid var(--rule, #d8dce2); }
.cnn-walk .cw-squares small { font-size: .75rem; color: var(--quiet, #4b5563); }
.cnn-walk .cw-squares .cw-marked { border: 2px solid #d55e00; }
figure.cnn-walk dl.cw-terms { flex: 1 1 9rem; max-width: 24rem; margin: 0; }
.cnn-walk .cw-terms div { display: flex; justify-content: space-between; gap: .75rem; line-height: 1.35rem; }
.cnn-walk .cw-terms :is(dt, dd) { margin: 0; font-weight: inherit; }
.cnn-walk .cw-terms dd { white-space: nowrap; }
.cnn-walk .cw-terms .cw-loud { font-weight: 700; }
.cnn-walk .cw-terms .cw-total { margin-top: .25rem; padding-top: .25rem; font-weight: 700;
  border-top: 2px solid currentColor; }
.cnn-walk .cw-pairs { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; }
.cnn-walk .cw-pairs dt { white-space: nowrap; }
.cnn-walk .cw-pairs .cw-total { grid-column: 1 / -1; }
.cnn-walk .cw-row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .5rem; }
.cnn-walk :is(.cw-row button, select, .cw-file) { box-sizing: border-box; min-width: 44px; height: 44px;
  padding: 0 .75rem; font: inherit; font-size: .9375rem; color: var(--ink, #22262b);
  background: var(--sheet, #f5f6f8); border: 1px solid var(--strong-rule, #6b7280); border-radius: 6px;
  cursor: pointer; }
.cnn-walk select { flex: 1 1 7rem; min-width: 0; padding: 0 .5rem; }
.cnn-walk :is(button, select):disabled { color: var(--quiet, #57616a); border-style: dashed;
  cursor: default; }
.cnn-walk .cw-file { position: relative; display: inline-flex; flex: none; align-items: center;
  overflow: hidden; }
.cnn-walk .cw-file input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0;
  cursor: pointer; }
.cnn-walk :is(button, select, .cw-frame):focus-visible, .cnn-walk .cw-file:focus-within {
  outline: 3px solid var(--accent, #0072b2); outline-offset: 2px; }
.cnn-walk figcaption { margin: 0; padding-top: .5rem; font-size: .875rem; line-height: 1.5;
  color: inherit; text-align: left; }
/* The site's theme puts an HTML output on a sheet of its own when the page is dark. */
.cell_output .text_html:has(> .cnn-walk) { padding: 0 !important; background: none !important; }
@container (max-width: 30rem) {
  .cnn-walk .cw-choose { min-height: 6.75rem; }
  .cnn-walk .cw-steps { min-height: 9.5rem; }
  .cnn-walk .cw-net { grid-template: "early" auto "late" auto "verdict" auto / 1fr; }
  .cnn-walk .cw-stages { gap: .2rem; }
  .cnn-walk .cw-stage { width: 4.2rem; font-size: .75rem; }
  .cnn-walk .cw-stage > :first-child { height: 4rem; }
  .cnn-walk .cw-early .cw-stage { width: 5.75rem; }
  .cnn-walk .cw-early .cw-stage > :first-child { height: 5.35rem; }
  .cnn-walk .cw-early .cw-two { width: 3rem; }
  .cnn-walk .cw-late .cw-last { width: 2.85rem; }
  .cnn-walk .cw-verdict { padding: 0; }
  .cnn-walk .cw-bar { grid-template-columns: 3.5rem 1fr 4rem; align-items: center; }
  .cnn-walk .cw-bar div { grid-column: 2; grid-row: 1; }
  .cnn-walk .cw-bar b { grid-column: 3; text-align: right; }
  .cnn-walk .cw-detail { gap: .5rem; }
  .cnn-walk .cw-why { min-height: 22.5rem; }
  .cnn-walk .cw-sentence { min-height: 3.7rem; }
}
@media (scripting: none) {
  .cnn-walk :is(.cw-choose, .cw-steps) { display: none; }
  .cnn-walk .cw-why { min-height: 0; }
}
@media print {
  .cnn-walk :is(.cw-choose, .cw-steps) { display: none; }
  .cnn-walk { break-inside: avoid; }
}
"""


def packed(numbers, kind):
    """Return numbers as base64 of a little-endian ``kind``: "u1" or "f4"."""
    return base64.b64encode(np.asarray(numbers).astype("<" + kind).tobytes()).decode()


def picture_of(name, grey, mean, spread):
    """Keep a picture of 32 × 32 grey values (uint8), and the mean and spread by which it is standardised."""
    grey = np.asarray(grey)
    if grey.shape != (32, 32) or grey.dtype != np.uint8:
        raise ValueError(f"“{name}” is {grey.shape} of {grey.dtype}: give 32 × 32 grey values as uint8.")
    return {"name": name, "grey": packed(grey, "u1"), "mean": float(mean), "spread": float(spread)}


def number(value, digits=2):
    """Write a number the way people do: a real minus sign, and none before a zero."""
    text = f"{value:.{digits}f}"
    return (text if float(text) else text.replace("-", "")).replace("-", "\N{MINUS SIGN}")


def coloured(values, most):
    """Return the colours of numbers about zero: (…) → (…, 3) uint8, full strength at ``most``."""
    shares = np.clip(np.asarray(values) / most, -1, 1)
    return COLOURS[np.floor(shares * 100 + 100.5).astype(int)]


def image(colours, alt):
    """Return a picture, (H, W, 3) or (H, W, 4), RGB and how solid it is, as an image that holds its PNG."""
    order = [2, 1, 0, 3][: colours.shape[2]]
    code = base64.b64encode(cv2.imencode(".png", np.ascontiguousarray(colours[:, :, order]))[1]).decode()
    height, width = colours.shape[:2]
    return f'<img src="data:image/png;base64,{code}" alt="{alt}" width="{width}" height="{height}">'


def laid_out(maps, across):
    """Lay coloured maps (n, side, side, 3) side by side, ``across`` in a row, with nothing between them."""
    maps = np.asarray(maps)
    if maps.shape[1] == 2:  # so that a gap beside such small maps is not as wide as a number
        maps = maps.repeat(2, axis=1).repeat(2, axis=2)
    side = maps.shape[1]
    pitch = side + max(1, side // 16)
    deep = -(-len(maps) // across)
    sheet = np.zeros((deep * pitch, across * pitch, 4), np.uint8)
    for n, one in enumerate(maps):
        top, left = n // across * pitch, n % across * pitch
        sheet[top : top + side, left : left + side, :3] = one
        sheet[top : top + side, left : left + side, 3] = 255
    return sheet[: side - pitch or None, : side - pitch or None]


def three_bars(values, most, alt):
    """Return a small drawing of three numbers as bars below each other, one colour for each sign."""
    drawn = [
        f'<rect y="{32 * i + 4}" width="48" height="24" fill="#6b7280"/>'
        f'<rect x="1" y="{32 * i + 5}" width="46" height="22" fill="#fff"/><rect x="1" y="{32 * i + 5}"'
        f' width="{46 * abs(value) / most:.2f}" height="22" fill="{MINUS_BAR if value < 0 else PLUS_BAR}"/>'
        for i, value in enumerate(values)
    ]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="48" height="96">{"".join(drawn)}</svg>'
    code = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{code}" alt="{alt}" width="48" height="96">'


def framed(box):
    """Return a frame twice: a light casing, and the line on it, so that it shows on any colour."""
    return f'<rect {box} class="cw-casing"/><rect {box} class="cw-line"/>'


def cnn_walk(numbers, pictures, layers, classes, *, at, caption=""):
    """Return the figure for a trained network.

    numbers   PyTorch's names → arrays: weight and bias of conv1, conv2 and linear
    pictures  what ``picture_of`` has made; the first one is drawn
    layers    what each layer says about that one: the standardised picture, (1, 32, 32), then (8, 32, 32)
              twice, (8, 16, 16), (16, 16, 16) twice, (16, 2, 2), three logits, three shares
    classes   the names of the three
    at        (map, row, column) of the number of the first convolution that is explained, counted from 0
    """
    first = pictures[0]
    grey = np.frombuffer(base64.b64decode(first["grey"]), np.uint8).reshape(32, 32)
    reach1, reach2, reach3 = (np.abs(layers[n]).max() for n in (1, 4, 7))
    reaches = [None, reach1, reach1, reach1, reach2, reach2, reach2]
    seen = np.repeat(grey[None, :, :, None], 3, axis=3)
    sheets = [seen] + [coloured(layers[n], reaches[n]) for n in range(1, 7)]
    shown = [
        ("cw-two" if across == 2 else "", image(laid_out(sheet, across), what), words)
        for sheet, (what, words, across) in zip(sheets, STAGES, strict=True)
    ]
    shown += [
        ("cw-last", three_bars(layers[n], most, what), words)
        for n, most, (what, words) in zip((7, 8), (reach3, 1), LAST_STAGES, strict=True)
    ]
    stages = [
        f'<div class="cw-stage {kind}">{picture}<span>{words}</span></div>' for kind, picture, words in shown
    ]
    verdict = "".join(
        f'<div class="cw-bar"><span>{name}</span><b>{number(100 * share, 1)} %</b>'
        f'<div><i style="width:{100 * share:.3f}%"></i></div></div>'
        for name, share in zip(classes, layers[8], strict=True)
    )

    kernel, row, column = at
    window = np.pad(layers[0][0], 1)[row : row + 3, column : column + 3]
    weights, bias = numbers["conv1.weight"][kernel, 0], numbers["conv1.bias"][kernel]
    squares = "".join(
        f"<div><small>{number(pixel)} × {number(weight)}</small><b>{number(pixel * weight)}</b></div>"
        for pixel, weight in zip(window.flat, weights.flat, strict=True)
    )
    total = number(layers[1][kernel, row, column])
    terms = "".join(
        f"<div{mark}><dt>{words}</dt><dd>{value}</dd></div>"
        for words, value, mark in [
            ("nine products", number((window * weights).sum()), ""),
            ("bias", number(bias), ""),
            ("together", total, ' class="cw-total"'),
        ]
    )
    top, left = max(row - 1, 0), max(column - 1, 0)
    tall, wide = min(row + 2, 32) - top, min(column + 2, 32) - left
    label = (
        f"First convolution, map {kernel + 1}, row {row + 1}, column {column + 1}: {total}. "
        f"The picture is {first['name']}."
    )
    overlay = '<svg viewBox="0 0 32 32" aria-hidden="true">'
    window_box = f'x="{left}" y="{top}" width="{wide}" height="{tall}"'
    number_box = f'x="{column}" y="{row}" width="1" height="1"'
    sentence = f"Nine pixels, each times a weight of kernel {kernel + 1}; and the bias of this kernel."
    data = {
        "numbers": {name: packed(values, "f4") for name, values in numbers.items()},
        "pictures": pictures,
        "classes": classes,
        "colours": packed(COLOURS, "u1"),
        "bars": [MINUS_BAR, PLUS_BAR],
        "at": {"layer": 1, "map": kernel, "row": row, "column": column},
    }
    return HTML(
        f'<style>{STYLE}</style><figure class="cnn-walk"><div class="cw-choose"></div><div class="cw-net">'
        f'<div class="cw-stages cw-early">{"".join(stages[:4])}</div>'
        f'<div class="cw-verdict"><p>The three shares</p>{verdict}</div>'
        f'<div class="cw-stages cw-late" style="grid-area:late">{"".join(stages[4:])}</div></div>'
        f'<div class="cw-steps"></div><div class="cw-detail">'
        f'<div class="cw-from"><p>From: the picture</p><div class="cw-frame">'
        f"{image(seen[0], 'The picture, and a frame around nine pixels.')}{overlay}"
        f"{framed(window_box)}</svg></div></div>"
        f'<div class="cw-to"><p>To: map {kernel + 1} of 8</p><div class="cw-frame">'
        f"{image(sheets[1][kernel], label)}{overlay}"
        f"{framed(number_box)}</svg></div></div></div>"
        f'<div class="cw-why"><p class="cw-sentence">{sentence}</p>'
        f'<div class="cw-sums"><div class="cw-squares">{squares}</div>'
        f'<dl class="cw-terms">{terms}</dl></div></div>'
        f"<figcaption>{caption}</figcaption>"
        f'<script type="application/json">{json.dumps(data, ensure_ascii=False)}</script></figure>'
    )
