// Turns the still picture of a window on a patch (book/_snippets/window_walk.py) into one that moves.
// The numbers come from the JSON inside the figure; the drawing is already there and is only updated.

const CELL = 40; // side of one pixel in the drawing's units, as in window_walk.py
const SECONDS_PER_STEP = 1.2;
const REST = 3; // steps to wait at the end before a walk that started by itself begins again

const number = (value) => String(Math.round(value * 100) / 100).replace("-", "\u2212");

function element(name, attributes, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function upgrade(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const steps = data.sums.length;
  const last = steps * steps - 1;
  const picture = figure.querySelector(".ww-picture");
  const frame = figure.querySelector(".ww-window");
  const cells = [...figure.querySelectorAll(".ww-cell")];
  const factors = [...figure.querySelectorAll(".ww-factors")];
  const products = [...figure.querySelectorAll(".ww-product")];
  const sum = figure.querySelector(".ww-sum");
  let at = data.at;
  let timer = null;
  let loops = false;

  const back = element("button", { type: "button", "aria-label": "One step back" }, "\u2190");
  const play = element("button", { type: "button", class: "ww-play" }, "Play");
  const forward = element("button", { type: "button", "aria-label": "One step forward" }, "\u2192");
  const slider = element("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "Position of the window" });
  const status = element("p", { class: "ww-status", "aria-live": "off" });
  const row = element("div", { class: "ww-buttons", role: "group", "aria-label": "Move the window" });
  row.append(back, play, forward, slider);
  figure.querySelector(".ww-controls").replaceChildren(row, status);

  function show(position) {
    at = position;
    const top = Math.floor(at / steps);
    const left = at % steps;
    frame.style.transform = `translate(${left * CELL}px, ${top * CELL}px)`;
    data.kernel.flat().forEach((weight, i) => {
      const pixel = data.patch[top + Math.floor(i / 3)][left + (i % 3)];
      factors[i].textContent = `${number(weight)} \u00d7 ${number(pixel)}`;
      products[i].textContent = number(weight * pixel);
    });
    const total = number(data.sums[top][left]);
    sum.textContent = total;
    cells.forEach((cell, i) => {
      cell.setAttribute("class", `ww-cell ${i < at ? "ww-done" : i === at ? "ww-here" : "ww-todo"}`);
    });
    slider.value = at;
    slider.setAttribute("aria-valuetext", `${at + 1} of ${last + 1}, sum ${total}`);
    status.textContent = `Position ${at + 1} of ${last + 1}: row ${top + 1}, column ${left + 1}, sum ${total}`;
    picture.setAttribute("aria-label", `${data.what} The window covers rows ${top + 1} to ${top + 3}, ` +
      `columns ${left + 1} to ${left + 3}; its sum is ${total}.`);
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    play.textContent = "Play";
  }

  function tick(rest = 0) {
    timer = setTimeout(() => {
      if (at < last) show(at + 1);
      else if (!loops) return pause();
      else if (rest >= REST) show(0);
      else return tick(rest + 1);
      return tick();
    }, SECONDS_PER_STEP * 1000);
  }

  function start() {
    status.setAttribute("aria-live", "off"); // thirty-six announcements would be noise
    play.textContent = "Pause";
    if (at === last) show(0);
    tick();
  }

  // The slider speaks for itself, so only the two step buttons let the status line be read out.
  function step(change) {
    pause();
    status.setAttribute("aria-live", "polite");
    show(Math.min(Math.max(at + change, 0), last));
  }

  back.addEventListener("click", () => step(-1));
  forward.addEventListener("click", () => step(+1));
  play.addEventListener("click", () => {
    loops = false; // a walk that somebody asked for ends at the end
    if (timer === null) start();
    else pause();
  });
  slider.addEventListener("input", () => {
    pause();
    status.setAttribute("aria-live", "off");
    show(Number(slider.value));
  });

  // Paper gets the still picture that the page was built with.
  let before = at;
  window.addEventListener("beforeprint", () => { before = at; show(data.at); });
  window.addEventListener("afterprint", () => show(before));

  show(at);
  requestAnimationFrame(() => figure.setAttribute("data-moving", "")); // from here on, glide
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  if ("autoplay" in figure.dataset && !calm) {
    loops = true;
    show(0);
    start();
  }
}

document.querySelectorAll("figure.window-walk").forEach(upgrade);
