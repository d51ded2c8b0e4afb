// Turns the still picture of a kernel that is being learned (book/_snippets/kernel_learning.py) into one that moves.
// The kernels and losses of every batch come from the JSON inside the figure; only the answers are computed here.

const SECONDS_PER_STOP = 0.2;
const CALM_STOPS = 4; // for readers who asked for less motion: fewer pictures, each for longer
const CALM_SECONDS = 1;

const whole = (value) => value.toLocaleString("en-GB");

// Two decimals, one from ten up, as in kernel_learning.py.
function weightText(value) {
  const text = value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2);
  return text.replace("-0.00", "0.00").replace("-", "\u2212");
}

// Three digits that count, and no powers of ten, as in kernel_learning.py.
function lossText(value) {
  if (value >= 99.95) return whole(Math.round(value));
  return value >= 0.001 ? value.toPrecision(3) : value.toFixed(6);
}

function element(name, attributes, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

const bytes = (code) => Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));

// Which of the 201 colours stands for a value.
const level = (value, reach) => Math.floor(Math.min(Math.max(value / reach, -1), 1) * 100 + 100.5);

function upgrade(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const colours = bytes(data.colours);
  const white = bytes(data.white); // on which of them white is easier to read than black
  const [rows, columns] = data.size;
  const pixels = Float32Array.from(bytes(data.pixels), (grey) => (grey - data.mean) / data.spread);
  const [answerReach, weightReach] = data.reach;
  const [lowest, highest] = data.scale;
  const walks = data.walks.map((walk) => ({
    ...walk,
    weights: new Int16Array(bytes(walk.weights).buffer),
    losses: new Float32Array(bytes(walk.losses).buffer),
  }));
  const end = Math.max(...walks.map((walk) => walk.last));
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const find = (selector) => figure.querySelector(selector);
  const kernel = find(".kl-kernel svg");
  const squares = [...kernel.querySelectorAll("rect")];
  const numbers = [...kernel.querySelectorAll("text")];
  const curves = [...figure.querySelectorAll("polyline")];
  const marker = find(".kl-marker");
  let walk; // the one that is shown
  let at = data.at; // after so many batches
  let fresh = true; // nobody has moved anything yet
  let timer = null;

  const canvas = element("canvas", { width: columns - 2, height: rows - 2, "aria-hidden": "true" });
  const sheet = canvas.getContext("2d", { willReadFrequently: true });
  find(".kl-answers").replaceWith(canvas);

  const choice = element("select", { "aria-label": "Learning rate" });
  walks.forEach(({ name, rate }, i) => choice.append(element("option", { value: i }, `Rate ${rate}: ${name}`)));
  const play = element("button", { type: "button", class: "kl-play" }, "Play");
  const back = element("button", { type: "button", "aria-label": "One batch back" }, "\u2190");
  const forward = element("button", { type: "button", "aria-label": "One batch forward" }, "\u2192");
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "How far learning has come" });
  const status = element("p", { class: "kl-status", "aria-live": "off" });
  const above = element("div", { class: "kl-row" });
  const below = element("div", { class: "kl-row" });
  above.append(choice, play);
  below.append(back, forward, slider);
  find(".kl-controls").replaceChildren(above, below, status);

  // The last stop that is not beyond this batch.
  const stopBefore = (batch) => walk.stops.findLastIndex((stop) => stop <= batch);

  function drawAnswers(weights) {
    const image = sheet.createImageData(canvas.width, canvas.height);
    for (let row = 0; row < canvas.height; row += 1) {
      for (let column = 0; column < canvas.width; column += 1) {
        let sum = 0;
        weights.forEach((weight, i) => {
          sum += weight * pixels[(row + Math.floor(i / 3)) * columns + column + (i % 3)];
        });
        const colour = 3 * level(sum, answerReach);
        image.data.set([...colours.subarray(colour, colour + 3), 255], 4 * (row * canvas.width + column));
      }
    }
    sheet.putImageData(image, 0, 0);
  }

  function show(batch) {
    at = batch;
    const weights = Array.from(walk.weights.subarray(9 * at, 9 * at + 9), (thousandths) => thousandths / 1000);
    weights.forEach((weight, i) => {
      const shade = level(weight, weightReach);
      squares[i].setAttribute("fill", `rgb(${colours.subarray(3 * shade, 3 * shade + 3).join()})`);
      numbers[i].setAttribute("fill", white[shade] ? "#fff" : "#000");
      numbers[i].textContent = weightText(weight);
    });
    drawAnswers(weights);
    const loss = walk.losses[at];
    const share = Math.min(Math.max(loss, lowest), highest);
    marker.style.left = `${(100 * Math.log1p(at)) / Math.log1p(end)}%`;
    marker.style.top = `${(100 * Math.log(highest / share)) / Math.log(highest / lowest)}%`;
    const where = `batch ${whole(at)} of ${whole(walk.last)}: loss ${lossText(loss)}.`;
    const over = at === walk.last && loss > walk.losses[0] ? " It was stopped here; it would only get worse." : "";
    status.textContent = `Rate ${walk.rate}, ${where}${over}`;
    slider.value = stopBefore(at);
    slider.setAttribute("aria-valuetext", where);
    kernel.setAttribute("aria-label",
      `${status.textContent} Weights, row by row: ${weights.map(weightText).join("; ")}.`);
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    play.textContent = "Play";
  }

  function tick() {
    timer = setTimeout(() => {
      const next = stopBefore(at) + (calm.matches ? CALM_STOPS : 1);
      show(walk.stops[Math.min(next, walk.stops.length - 1)]);
      if (at === walk.last) pause();
      else tick();
    }, 1000 * (calm.matches ? CALM_SECONDS : SECONDS_PER_STOP));
  }

  function start() {
    status.setAttribute("aria-live", "off"); // a hundred announcements would be noise
    play.textContent = "Pause";
    if (fresh || at === walk.last) show(0);
    fresh = false;
    tick();
  }

  // The slider speaks for itself, so only the other controls let the status line be read out.
  function step(change) {
    pause();
    fresh = false;
    status.setAttribute("aria-live", "polite");
    show(Math.min(Math.max(at + change, 0), walk.last));
  }

  function open(number) {
    walk = walks[number];
    curves.forEach((curve, i) => curve.classList.toggle("kl-chosen", i === number));
    choice.value = number;
    slider.max = walk.stops.length - 1;
    show(Math.min(at, walk.last));
  }

  choice.addEventListener("change", () => {
    pause();
    status.setAttribute("aria-live", "polite");
    open(Number(choice.value));
  });
  play.addEventListener("click", () => {
    if (timer === null) start();
    else pause();
  });
  back.addEventListener("click", () => step(-1));
  forward.addEventListener("click", () => step(+1));
  slider.addEventListener("input", () => {
    pause();
    fresh = false;
    status.setAttribute("aria-live", "off");
    show(walk.stops[Number(slider.value)]);
  });

  // Paper gets the still picture that the page was built with.
  let before = [data.chosen, at];
  window.addEventListener("beforeprint", () => {
    pause();
    before = [Number(choice.value), at];
    at = data.at;
    open(data.chosen);
  });
  window.addEventListener("afterprint", () => {
    [, at] = before;
    open(before[0]);
  });

  open(data.chosen);
}

document.querySelectorAll("figure.kernel-learning").forEach(upgrade);
