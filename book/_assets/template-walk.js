// Turns the still picture of a template's search (book/_snippets/template_walk.py) into one that moves.
// The scores come from the JSON inside the figure; here they are only uncovered, in the order of the walk.

const SECONDS_PER_WALK = 24;
const CALM_SECONDS_PER_ROW = 0.5; // for readers who asked for less motion: a row at a time, no sweeping
const SVG = "http://www.w3.org/2000/svg";

const decimals = (score) => score.toFixed(2).replace("-", "\u2212").replace("\u22120.00", "0.00");

function element(name, attributes, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function drawn(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

// A light casing, and the line on it, so that it shows on any grey.
const doubled = (name, attributes) =>
  ["tw-casing", "tw-line"].map((kind) => drawn(name, { ...attributes, class: kind }));

// Each of the 201 hundredths from -1 to 1 → red, green, blue.
function ramp(palette) {
  const parts = palette.map((colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  return Array.from({ length: 201 }, (_, level) => {
    const at = (level / 200) * (parts.length - 1);
    const low = Math.min(Math.floor(at), parts.length - 2);
    return parts[low].map((value, i) => Math.round(value + (at - low) * (parts[low + 1][i] - value)));
  });
}

// What a search holds, ready to be shown: where each place lies, its score, and the highest score so far.
function prepare(search, box) {
  const [rows, columns] = search.shape;
  const levels = Uint8Array.from(atob(search.scores), (letter) => letter.charCodeAt(0));
  const best = new Uint32Array(levels.length);
  for (let i = 1; i < levels.length; i += 1) best[i] = levels[i] > levels[best[i - 1]] ? i : best[i - 1];
  const scale = Math.min(box[0] / search.size[1], box[1] / search.size[0]);
  const left = (box[0] - scale * search.size[1]) / 2;
  const top = (box[1] - scale * search.size[0]) / 2;
  const at = (i) => ({
    row: search.first[0] + search.step * Math.floor(i / columns),
    column: search.first[1] + search.step * (i % columns),
    score: levels[i] / 100 - 1,
  });
  const nearest = (place, first, count) =>
    Math.min(Math.max(Math.round((place - first) / search.step), 0), count - 1);
  const stops = search.stops.map((stop) => ({
    ...stop,
    index: nearest(stop.row, search.first[0], rows) * columns + nearest(stop.column, search.first[1], columns),
  }));
  return { ...search, rows, columns, levels, best, scale, left, top, at, stops, last: levels.length - 1 };
}

function upgrade(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const searches = data.searches.map((search) => prepare(search, data.box));
  const colours = ramp(data.palette);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const find = (selector) => figure.querySelector(selector);
  const picture = find(".tw-picture");
  const scores = find(".tw-map");
  let search; // the one that is shown
  let at; // the place where the window stands
  let walked; // the last place that is uncovered
  let stop; // the stop where the window stands, null between stops
  let moving = null; // the pending frame or tick

  const canvas = element("canvas", { "aria-hidden": "true" });
  const sheet = canvas.getContext("2d", { willReadFrequently: true }); // written square by square
  find(".tw-scores").remove();
  scores.before(canvas);

  const choice = element("select", { "aria-label": "What looks for what" });
  searches.forEach(({ name }, i) => choice.append(element("option", { value: i }, name)));
  const play = element("button", { type: "button", class: "tw-play" }, "Play");
  const stops = element("div", { class: "tw-row", role: "group", "aria-label": "Stops", style: "margin:0" });
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "How far the window has come" });
  const status = element("p", { class: "tw-status", "aria-live": "off" });
  const above = element("div", { class: "tw-row" });
  const below = element("div", { class: "tw-row" });
  above.append(choice, play);
  below.append(stops, slider);
  find(".tw-controls").replaceChildren(above, below, status);

  const x = (column) => search.left + search.scale * column;
  const y = (row) => search.top + search.scale * row;

  function put(kind, { row, column }) {
    const [tall, wide] = search.window;
    picture.querySelector(kind).setAttribute("transform", `translate(${x(column)} ${y(row)})`);
    scores.querySelector(kind).setAttribute("transform", `translate(${x(column + wide / 2)} ${y(row + tall / 2)})`);
  }

  function uncover() {
    const image = sheet.createImageData(search.columns, search.rows);
    for (let i = 0; i <= walked; i += 1) {
      const [red, green, blue] = colours[search.levels[i]];
      image.data.set([red, green, blue, 255], 4 * i);
    }
    sheet.putImageData(image, 0, 0);
  }

  function show() {
    const here = stop ?? search.at(at);
    const highest = search.at(search.best[walked]);
    put(".tw-here", here);
    put(".tw-best", highest);
    uncover();
    find(".tw-now").style.left = `${50 + 50 * here.score}%`;
    find(".tw-highest").style.left = `${50 + 50 * highest.score}%`;
    const number = search.stops.indexOf(stop) + 1;
    const where = stop
      ? `Stop ${number}, ${stop.name}: score ${decimals(stop.score)}.`
      : `Row ${here.row}, column ${here.column}: score ${decimals(here.score)}.`;
    const text = `${where} Highest so far: ${decimals(highest.score)}, ` +
      `at row ${highest.row}, column ${highest.column}.`;
    status.textContent = text;
    slider.value = at;
    slider.setAttribute("aria-valuetext", where);
    picture.setAttribute("aria-label", `${search.name}. ${text}`);
    [...stops.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i + 1 === number)));
  }

  function pause() {
    cancelAnimationFrame(moving);
    clearTimeout(moving);
    moving = null;
    play.textContent = "Play";
  }

  function stopAt(wanted) {
    pause();
    stop = wanted;
    at = stop.index;
    walked = Math.max(walked, at); // what was uncovered stays so
    show();
  }

  function walkTo(place) {
    stop = null;
    at = walked = Math.min(Math.max(place, 0), search.last);
    show();
    if (at === search.last) pause();
  }

  function start() {
    status.setAttribute("aria-live", "off"); // thousands of announcements would be noise
    play.textContent = "Pause";
    const from = walked === search.last ? 0 : walked;
    walkTo(from);
    if (calm.matches) {
      const tick = () => {
        moving = setTimeout(() => {
          walkTo(at + search.columns);
          if (moving !== null) tick();
        }, CALM_SECONDS_PER_ROW * 1000);
      };
      tick();
      return;
    }
    let began = null;
    const frame = (now) => {
      began ??= now;
      moving = requestAnimationFrame(frame);
      walkTo(from + Math.floor(((now - began) / 1000 / SECONDS_PER_WALK) * search.last));
    };
    moving = requestAnimationFrame(frame);
  }

  function open(number) {
    pause();
    search = searches[number];
    const [tall, wide] = search.window;
    const image = picture.querySelector(".tw-image");
    const box = { x: x(0), y: y(0), width: search.scale * search.size[1], height: search.scale * search.size[0] };
    for (const [key, value] of Object.entries(box)) image.setAttribute(key, value);
    image.setAttribute("href", search.picture);
    canvas.width = search.columns;
    canvas.height = search.rows;
    const share = (value, whole) => `${(100 * value) / whole}%`;
    canvas.style.left = share(x(search.first[1] + (wide - search.step) / 2), data.box[0]);
    canvas.style.top = share(y(search.first[0] + (tall - search.step) / 2), data.box[1]);
    canvas.style.width = share(search.scale * search.step * search.columns, data.box[0]);
    canvas.style.height = share(search.scale * search.step * search.rows, data.box[1]);
    const frame = { width: search.scale * wide, height: search.scale * tall };
    for (const kind of [".tw-here", ".tw-best"]) {
      picture.querySelector(kind).replaceChildren(...doubled("rect", frame));
      scores.querySelector(kind).replaceChildren(
        ...(kind === ".tw-here" ? doubled("circle", { r: 6 }) : doubled("path", { d: "M0 -10 10 0 0 10 -10 0Z" })));
    }
    const labels = () => search.stops.map(({ row, column }, i) => {
      const label = drawn("g", { class: "tw-stop" });
      label.append(drawn("rect", { x: -7, y: -7.5, width: 14, height: 15, rx: 3 }), drawn("text", {}, String(i + 1)));
      label.setAttribute("transform", `translate(${Math.max(x(column), 9)} ${Math.max(y(row) - 6, 10)})`);
      return label;
    });
    picture.querySelector(".tw-stops").replaceChildren(...labels());
    stops.replaceChildren(...search.stops.map((there, i) => {
      const button = element("button", { type: "button", "aria-label": `Stop ${i + 1}: ${there.name}` }, String(i + 1));
      button.addEventListener("click", () => {
        status.setAttribute("aria-live", "polite");
        stopAt(there);
      });
      return button;
    }));
    slider.max = search.last;
    walked = search.last;
    stopAt(search.stops[0]);
  }

  choice.addEventListener("change", () => {
    status.setAttribute("aria-live", "polite");
    open(Number(choice.value));
  });
  play.addEventListener("click", () => {
    if (moving === null) start();
    else pause();
  });
  slider.addEventListener("input", () => {
    pause();
    status.setAttribute("aria-live", "off"); // the slider speaks for itself
    walkTo(Number(slider.value));
  });

  // Paper gets the search that is chosen, from its beginning to its end.
  window.addEventListener("beforeprint", () => open(Number(choice.value)));

  open(0);
}

document.querySelectorAll("figure.template-walk").forEach(upgrade);
