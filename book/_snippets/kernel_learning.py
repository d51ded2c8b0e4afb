"""Draw one kernel that is being learned: its nine weights, its answers beside the wanted ones, and the loss.

The drawing stands alone: without a script it is a still picture of one batch. On the course's site
the script ``kernel-learning.js`` finds it and adds Play, steps, a slider and the other learning rates.
"""

import base64
import json

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

ANSWER_REACH, WEIGHT_REACH = 6, 2.5  # where the colours end, as in the chapter's figures
LOWEST, HIGHEST = 1e-7, 1e4  # losses from the foot to the head of the chart
# A colour for each hundredth from -1 to 1.
COLOURS = (plt.get_cmap("PuOr")(np.linspace(0, 1, 201))[:, :3] * 255).round().astype(np.uint8)
# What can be read on each of them: white where it stands out more than black, else black.
LIGHT = np.where(COLOURS <= 10, COLOURS / 3295, ((COLOURS / 255 + 0.055) / 1.055) ** 2.4)
WHITE_INK = LIGHT @ [0.2126, 0.7152, 0.0722] < 0.179

STYLE = """
figure.kernel-learning { container-type: inline-size; margin: 1.5rem 0; padding: 1rem;
  color: var(--ink, #22262b); background: var(--paper, #fff);
  border: 1px solid var(--rule, #d8dce2); border-radius: 6px; }
.kernel-learning .kl-panels { display: grid; gap: .75rem; grid-template-columns: repeat(4, 1fr); }
.kernel-learning p { margin: 0 0 .25rem; font-size: .875rem; line-height: 1.4; color: inherit; }
.kernel-learning .kl-frame { aspect-ratio: 1; border: 1px solid var(--strong-rule, #6b7280); }
.kernel-learning .kl-frame :is(img, canvas, svg) { display: block; width: 100%; height: 100%; margin: 0;
  max-width: none; padding: 0 !important; border-radius: 0; image-rendering: pixelated; }
.kernel-learning svg { font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.kernel-learning .kl-kernel rect { stroke: #808080; stroke-width: 1; }
.kernel-learning .kl-kernel text { text-anchor: middle; dominant-baseline: central; font-size: 27px; }
.kernel-learning .kl-title { margin-top: .9rem; }
.kernel-learning .kl-chart { position: relative; height: 9rem; margin: 0 .5rem 1.6rem 3.5rem;
  border: solid var(--strong-rule, #6b7280); border-width: 0 0 1px 1px;
  font: .8125rem/1 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.kernel-learning .kl-chart svg { position: absolute; width: 100%; height: 100%; overflow: visible; }
.kernel-learning polyline { fill: none; stroke: var(--quiet, #57616a); stroke-width: 1.5;
  stroke-dasharray: 2 4; vector-effect: non-scaling-stroke; }
.kernel-learning .kl-chosen { stroke: var(--accent, #0072b2); stroke-width: 2.5; stroke-dasharray: none; }
.kernel-learning .kl-chart > * { position: absolute; white-space: nowrap; }
.kernel-learning .kl-loss { right: calc(100% + .4rem); transform: translateY(-50%); }
.kernel-learning .kl-batch { top: calc(100% + .4rem); transform: translateX(-50%); }
.kernel-learning .kl-rate { transform: translate(-100%, .4rem); }
.kernel-learning .kl-rate.kl-rising { transform: translate(.5rem, 0); }
.kernel-learning .kl-marker { box-sizing: border-box; width: .8rem; height: .8rem; margin: -.4rem 0 0 -.4rem;
  border-radius: 50%; background: #d55e00; border: 2px solid #fff; box-shadow: 0 0 0 1px #22262b; }
.kernel-learning .kl-controls { min-height: 9.25rem; }
.kernel-learning .kl-row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  margin-bottom: .5rem; }
.kernel-learning :is(button, select) { min-width: 44px; height: 44px; font: inherit; font-size: .9375rem;
  color: var(--ink, #22262b); background: var(--sheet, #f5f6f8);
  border: 1px solid var(--strong-rule, #6b7280); border-radius: 6px; cursor: pointer; }
.kernel-learning select { flex: 1; min-width: 0; padding: 0 .5rem; }
.kernel-learning .kl-play { min-width: 5.5rem; font-weight: 600; }
.kernel-learning input { flex: 1 1 8rem; min-width: 0; height: 44px; margin: 0;
  accent-color: var(--accent, #0072b2); }
.kernel-learning :is(button, select, input):focus-visible {
  outline: 3px solid var(--accent, #0072b2); outline-offset: 2px; }
.kernel-learning figcaption { margin: 0; padding-top: .5rem; font-size: .875rem; line-height: 1.5;
  color: inherit; text-align: left; }
/* The site's theme puts an HTML output on a sheet of its own when the page is dark. */
.cell_output .text_html:has(> .kernel-learning) { padding: 0 !important; background: none !important; }
@container (max-width: 30rem) {
  .kernel-learning .kl-panels { grid-template-columns: 1fr 1fr; }
  .kernel-learning .kl-controls { min-height: 10.5rem; }
}
@media (scripting: none) { .kernel-learning .kl-controls { display: none; } }
@media print { .kernel-learning .kl-controls { display: none; } .kernel-learning { break-inside: avoid; } }
"""


def packed(numbers, kind):
    """Return numbers as base64 of a little-endian ``kind``: "u1", "i2" or "f4"."""
    return base64.b64encode(np.asarray(numbers).astype("<" + kind).tobytes()).decode()


def png(picture):
    """Return a picture, (H, W) grey or (H, W, 3) RGB, uint8, as a PNG in a data address."""
    code = cv2.imencode(".png", picture if picture.ndim == 2 else picture[:, :, ::-1])[1]
    return "data:image/png;base64," + base64.b64encode(code).decode()


def level(values, reach):
    """Return which of the 201 colours stands for each value: 0 for -reach or less, 200 for reach or more."""
    shares = np.clip(np.asarray(values) / reach, -1, 1)
    return np.floor(shares * 100 + 100.5).astype(int)


def weight(value):
    """Write a weight so that it fits its square: a real minus sign, two decimals, one from ten up."""
    text = f"{value + 0.0:.{1 if abs(value) >= 9.995 else 2}f}"
    return text.replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def loss_text(value):
    """Write a loss with three digits that count, and no powers of ten."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}" if value >= 0.001 else f"{value:.6f}"


def walk_of(name, rate, kernels, losses):
    """Keep one walk of learning.

    name     what it is called in the list of walks, for instance "about right"
    rate     its learning rate
    kernels  (batches + 1, 9): the kernel before the first batch, and after each; weights below 32
    losses   (batches + 1,): the loss of each of them
    """
    kernels = np.asarray(kernels)
    if np.abs(kernels).max() > 32:
        raise ValueError(f"A weight of the walk “{name}” is above 32: stop it before it gets there.")
    return {
        "name": name,
        "rate": rate,
        "weights": packed((kernels * 1000).round(), "i2"),  # thousandths
        "losses": packed(losses, "f4"),
        "last": len(kernels) - 1,
    }


def stops_until(last):
    """Return the batches at which a walk through ``last`` batches rests: each at first, then every 6 %."""
    stops = [0]
    while stops[-1] < last:
        stops.append(min(max(stops[-1] + 1, round(stops[-1] * 1.06)), last))
    return stops


def across(batch, last):
    """Return where a batch lies on the chart, from 0 to 1: the first batches are given the most room."""
    return float(np.log1p(batch) / np.log1p(last))


def down(loss):
    """Return where a loss lies on the chart, from 0 (top) to 1."""
    return float(np.log(HIGHEST / np.clip(loss, LOWEST, HIGHEST)) / np.log(HIGHEST / LOWEST))


def chart(walks, chosen, at):
    """Return the chart of the losses: powers of ten upward, and batches, crowded, to the right."""
    end = max(walk["last"] for walk in walks)
    parts = ""
    for number, walk in enumerate(walks):
        losses = np.frombuffer(base64.b64decode(walk["losses"]), "<f4")
        points = " ".join(
            f"{1000 * across(n, end):.1f},{100 * down(losses[n]):.2f}" for n in stops_until(walk["last"])
        )
        look = ' class="kl-chosen"' if number == chosen else ""
        parts += f'<polyline points="{points}"{look}/>'
    body = f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none">{parts}</svg>'
    for loss in (10_000, 100, 1, 0.01, 0.0001):
        body += f'<span class="kl-loss" style="top:{100 * down(loss):g}%">{loss:,g}</span>'
    for batch in (0, 1, 3, 10, 30, 100, 300, 1000):
        if batch <= end:
            left = 100 * across(batch, end)
            body += f'<span class="kl-batch" style="left:{left:.4f}%">{batch:,}</span>'
    for walk in walks:  # below a curve that falls, beside one that rises
        losses = np.frombuffer(base64.b64decode(walk["losses"]), "<f4")
        rising = losses[-1] > losses[0]
        batch = walk["last"] if rising else round(end**0.9)
        place = f"left:{100 * across(batch, end):.4f}%;top:{100 * down(losses[batch]):.4f}%"
        look = "kl-rate kl-rising" if rising else "kl-rate"
        body += f'<span class="{look}" style="{place}">rate {walk["rate"]:g}</span>'
    losses = np.frombuffer(base64.b64decode(walks[chosen]["losses"]), "<f4")
    place = f"left:{100 * across(at, end):.4f}%;top:{100 * down(losses[at]):.4f}%"
    return body + f'<i class="kl-marker" style="{place}"></i>'


def kernel_learning(grey, walks, *, target, chosen=0, at=10, caption=""):
    """Return the figure for a list of walks made with ``walk_of``.

    grey    (H, W) uint8: the picture from which the kernel is learned; its brightness is shifted and
            stretched to a mean of 0 and a spread of 1, as in the chapter
    target  (9,): the kernel whose answers are wanted
    chosen  the walk that is drawn first, and ``at`` the batch at which the still picture stands
    """
    grey = np.asarray(grey)
    mean, spread = grey.mean(), grey.std()
    windows = np.lib.stride_tricks.sliding_window_view((grey - mean) / spread, (3, 3))
    size = windows.shape[:2]
    windows = windows.reshape(-1, 9)

    def answers(kernel):
        return png(COLOURS[level(windows @ kernel, ANSWER_REACH)].reshape(*size, 3))

    walk = walks[chosen]
    kernel = np.frombuffer(base64.b64decode(walk["weights"]), "<i2").reshape(-1, 9)[at] / 1000
    loss = np.frombuffer(base64.b64decode(walk["losses"]), "<f4")[at]
    squares = ""
    for n, value in enumerate(kernel):
        x, y = 100 * (n % 3), 100 * (n // 3)
        shade = level(value, WEIGHT_REACH)
        red, green, blue = COLOURS[shade]
        ink = "#fff" if WHITE_INK[shade] else "#000"
        squares += (
            f'<rect x="{x}" y="{y}" width="100" height="100" fill="rgb({red},{green},{blue})"/>'
            f'<text x="{x + 50}" y="{y + 52}" fill="{ink}">{weight(value)}</text>'
        )
    label = (
        f"Rate {walk['rate']:g}, batch {at:,} of {walk['last']:,}: loss {loss_text(loss)}. "
        f"Weights, row by row: {'; '.join(map(weight, kernel))}."
    )

    def image(address, alt, look=""):
        return f'<img{look} src="{address}" alt="{alt}" width="{size[1]}" height="{size[0]}">'

    panels = {
        "The picture": image(png(grey), "The picture from which the kernel is learned, in grey."),
        "The kernel": f'<svg viewBox="0 0 300 300" role="img" aria-label="{label}">{squares}</svg>',
        "Its answers": image(
            answers(kernel), f"A map of the kernel’s answers after {at:,} batches.", ' class="kl-answers"'
        ),
        "Answers wanted": image(answers(np.asarray(target)), "A map of the answers that are wanted."),
    }
    drawn = "".join(
        f'<div><p>{title}</p><div class="kl-frame{" kl-kernel" if "<svg" in body else ""}">{body}</div></div>'
        for title, body in panels.items()
    )
    data = {
        "pixels": packed(grey, "u1"),
        "size": grey.shape,
        "mean": mean,
        "spread": spread,
        "colours": packed(COLOURS, "u1"),
        "white": packed(WHITE_INK, "u1"),
        "reach": [ANSWER_REACH, WEIGHT_REACH],
        "scale": [LOWEST, HIGHEST],
        "walks": [{**one, "stops": stops_until(one["last"])} for one in walks],
        "chosen": chosen,
        "at": at,
    }
    return HTML(
        f'<style>{STYLE}</style><figure class="kernel-learning"><div class="kl-panels">{drawn}</div>'
        f'<p class="kl-title">The loss on all examples, after so many batches</p>'
        f'<div class="kl-chart" aria-hidden="true">{chart(walks, chosen, at)}</div>'
        f'<div class="kl-controls"></div><figcaption>{caption}</figcaption>'
        f'<script type="application/json">{json.dumps(data, ensure_ascii=False)}</script></figure>'
    )
