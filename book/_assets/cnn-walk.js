// Turns the still picture of a small network (book/_snippets/cnn_walk.py) into one that can be walked through.
// All arithmetic of the network is here, in plain loops; its numbers come from the JSON inside the figure.
// A picture of the reader's own is read in the browser and goes nowhere.

const SIDE = 32; // pixels of the picture that the network takes
const WRITTEN = 5; // of the 64 products of the fully connected layer
const FINE = 1024; // a reader's picture is brought to this side first, then averaged in blocks

// The layers in their order: words, short words, maps, side of a map, maps in a row in the overview.
const LAYERS = [
  { name: "The picture", short: "picture", maps: 1, side: 32, across: 1 },
  { name: "First convolution", short: "conv 1", maps: 8, side: 32, across: 2 },
  { name: "ReLU", short: "ReLU", maps: 8, side: 32, across: 2 },
  { name: "Max pooling", short: "pool", maps: 8, side: 16, across: 2 },
  { name: "Second convolution", short: "conv 2", maps: 16, side: 16, across: 4 },
  { name: "ReLU", short: "ReLU", maps: 16, side: 16, across: 4 },
  { name: "Largest of each quarter", short: "quarters", maps: 16, side: 2, across: 4 },
  { name: "Fully connected", short: "logits", maps: 3, side: 1, across: 1 },
  { name: "Softmax", short: "shares", maps: 3, side: 1, across: 1 },
];
const [PICTURE, CONV1, RELU1, POOL, CONV2, RELU2, QUARTERS, LOGITS, SHARES] = LAYERS.keys();
const QUARTER_NAMES = ["top left", "top right", "bottom left", "bottom right"];

// ---------- arithmetic: a stack of maps is one array, map after map, row after row ----------

// The window of 3 × 3 around a place; outside the map there are zeros.
function windowOf(maps, side, map, row, column) {
  const found = [];
  for (let r = row - 1; r <= row + 1; r += 1) {
    for (let c = column - 1; c <= column + 1; c += 1) {
      const inside = r >= 0 && r < side && c >= 0 && c < side;
      found.push(inside ? maps[(map * side + r) * side + c] : 0);
    }
  }
  return found;
}

function convolve(maps, side, weights, biases) {
  const channels = maps.length / side ** 2;
  const sums = new Float64Array(biases.length * side ** 2);
  biases.forEach((bias, kernel) => {
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        let sum = bias;
        for (let channel = 0; channel < channels; channel += 1) {
          for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, side - 1); r += 1) {
            for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, side - 1); c += 1) {
              const weight = ((kernel * channels + channel) * 3 + r - row + 1) * 3 + c - column + 1;
              sum += weights[weight] * maps[(channel * side + r) * side + c];
            }
          }
        }
        sums[(kernel * side + row) * side + column] = sum;
      }
    }
  });
  return sums;
}

// Where in its block the largest number stands: an index into the maps.
function largestOf(maps, side, block, map, row, column) {
  let best = null;
  for (let r = row * block; r < (row + 1) * block; r += 1) {
    for (let c = column * block; c < (column + 1) * block; c += 1) {
      const place = (map * side + r) * side + c;
      if (best === null || maps[place] > maps[best]) best = place;
    }
  }
  return best;
}

function pool(maps, side, block) {
  const small = side / block;
  return Float64Array.from({ length: maps.length / block ** 2 }, (_, i) =>
    maps[largestOf(maps, side, block, Math.floor(i / small ** 2), Math.floor(i / small) % small, i % small)]);
}

const bend = (maps) => maps.map((value) => Math.max(value, 0));

function softmax(logits) {
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const together = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / together);
}

/** The whole way: 1,024 standardised grey values → what each of the nine LAYERS says. */
export function forward(numbers, picture) {
  const said = [Float64Array.from(picture)];
  said.push(convolve(said[PICTURE], 32, numbers["conv1.weight"], numbers["conv1.bias"]));
  said.push(bend(said[CONV1]));
  said.push(pool(said[RELU1], 32, 2));
  said.push(convolve(said[POOL], 16, numbers["conv2.weight"], numbers["conv2.bias"]));
  said.push(bend(said[CONV2]));
  said.push(pool(said[RELU2], 16, 8));
  said.push(Float64Array.from(numbers["linear.bias"], (bias, material) =>
    said[QUARTERS].reduce((sum, value, i) => sum + value * numbers["linear.weight"][64 * material + i], bias)));
  said.push(softmax(said[LOGITS]));
  return said;
}

/** A square of grey values (0 to 255) → the 32 × 32 in its middle, and the mean and spread of the whole. */
export function prepare(grey) {
  const side = Math.sqrt(grey.length);
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const spread = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length);
  const first = (side - SIDE) / 2;
  const cut = Array.from({ length: SIDE ** 2 }, (_, i) =>
    grey[(first + Math.floor(i / SIDE)) * side + first + (i % SIDE)]);
  return { grey: cut, mean, spread };
}

// The middle square of an image, grey, `side` pixels wide: each the mean of a block.
function greyOf(bitmap, side) {
  const size = Math.min(bitmap.width, bitmap.height);
  const canvas = element("canvas", { width: FINE, height: FINE });
  const sheet = canvas.getContext("2d", { willReadFrequently: true });
  sheet.fillStyle = "#fff"; // below what is transparent
  sheet.fillRect(0, 0, FINE, FINE);
  sheet.imageSmoothingEnabled = size > FINE; // a small picture keeps its pixels
  sheet.imageSmoothingQuality = "high";
  sheet.drawImage(bitmap, (bitmap.width - size) / 2, (bitmap.height - size) / 2, size, size, 0, 0, FINE, FINE);
  const fine = sheet.getImageData(0, 0, FINE, FINE).data;
  const block = FINE / side;
  const grey = new Float64Array(side ** 2);
  for (let i = 0; i < FINE ** 2; i += 1) {
    const place = Math.floor(Math.floor(i / FINE) / block) * side + Math.floor((i % FINE) / block);
    grey[place] += (0.299 * fine[4 * i] + 0.587 * fine[4 * i + 1] + 0.114 * fine[4 * i + 2]) / block ** 2;
  }
  return grey;
}

// ---------- words and drawing ----------

const number = (value, digits = 2) => {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
};
const percent = (share) => `${number(100 * share, 1)} %`;

function element(name, attributes, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function drawn(name, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

// A light casing, and the line on it, so that it shows on any colour.
const framed = (box) => ["cw-casing", "cw-line"].map((kind) => drawn("rect", { ...box, class: kind }));

const bytes = (code) => Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));

function upgrade(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const numbers = Object.fromEntries(
    Object.entries(data.numbers).map(([name, code]) => [name, new Float32Array(bytes(code).buffer)]));
  const colours = bytes(data.colours);
  const find = (selector) => figure.querySelector(selector);
  let picture; // grey, mean, spread
  let bitmap = null; // the reader's own
  let said; // what each layer says about the picture
  let layer = data.at.layer;
  let { map, row, column } = data.at;

  // ---------- the controls ----------

  const choice = element("select", { "aria-label": "Picture" });
  data.pictures.forEach(({ name }, i) => choice.append(element("option", { value: i }, name)));
  const own = element("option", { value: "own", disabled: "" }, "Your own picture");
  choice.append(own);
  const file = element("input", { type: "file", accept: "image/*" });
  const label = element("label", { class: "cw-file" }, "Your own\u2026");
  label.append(file);
  const share = element("select", { "aria-label": "How much of your picture", disabled: "" });
  [["All of it", 1], ["Its middle half", 2], ["Its middle quarter", 4], ["Its middle eighth", 8]].forEach(
    ([words, parts]) => share.append(element("option", { value: parts }, words)));
  const above = element("div", { class: "cw-row" });
  above.append(choice, label, share);
  find(".cw-choose").replaceChildren(above);

  const back = element("button", { type: "button" }, "\u2190 Its source");
  const onward = element("button", { type: "button" }, "Onward \u2192");
  const which = element("select", { "aria-label": "Map" });
  const below = element("div", { class: "cw-row" });
  below.append(back, onward, which);
  const status = element("p", { class: "cw-status", role: "status" });
  find(".cw-steps").replaceChildren(below, status);
  find(".cw-verdict").setAttribute("aria-live", "polite");

  const stages = [...figure.querySelectorAll(".cw-stage")].map((still, i) => {
    const { name, maps, side } = LAYERS[i];
    const size = side > 1 ? ` of ${side} \u00d7 ${side}` : "";
    const what = i === PICTURE ? name : `${name}: ${maps} ${side > 1 ? "maps" : "numbers"}${size}`;
    const button = element("button", { type: "button", class: still.className, "aria-label": what });
    const canvas = element("canvas", {});
    const words = still.querySelector("span");
    button.append(canvas, words);
    still.replaceWith(button);
    button.addEventListener("click", (event) => {
      // A pointer says which map it means; a key (no place, detail 0) keeps the one that is shown.
      const box = canvas.getBoundingClientRect();
      const { maps: count, across } = LAYERS[i];
      const deep = count / across;
      const x = Math.floor(((event.clientX - box.x) / box.width) * across);
      const y = Math.floor(((event.clientY - box.y) / box.height) * deep);
      const pointed = event.detail > 0 && x >= 0 && x < across && y >= 0 && y < deep;
      goTo(i, pointed ? y * across + x : map, scaled(row, i), scaled(column, i));
    });
    return { button, canvas };
  });

  const panels = [".cw-from", ".cw-to"].map((selector) => {
    const panel = find(selector);
    const canvas = element("canvas", { "aria-hidden": "true" });
    panel.querySelector("img").replaceWith(canvas);
    return {
      title: panel.querySelector("p"), frame: panel.querySelector(".cw-frame"), canvas,
      drawing: panel.querySelector("svg"),
    };
  });
  const [from, to] = panels;
  to.frame.setAttribute("aria-label", "The map with the chosen number. Arrow keys choose another one.");
  to.frame.setAttribute("tabindex", "0");
  to.frame.setAttribute("role", "application"); // so that a screen reader hands the arrow keys over

  // ---------- drawing ----------

  const scaled = (place, next) => Math.floor(((place + 0.5) / LAYERS[layer].side) * LAYERS[next].side);
  const reach = (of) => {
    const judged = { [CONV1]: CONV1, [RELU1]: CONV1, [POOL]: CONV1, [CONV2]: CONV2, [RELU2]: CONV2,
      [QUARTERS]: CONV2, [LOGITS]: LOGITS }[of];
    return said[judged].reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  };
  const level = (value, most) => Math.floor(Math.min(Math.max(value / most, -1), 1) * 100 + 100.5);

  // The colour of a value of a layer: greys for the picture, orange to purple for what comes of it.
  function colourOf(of, value, most) {
    if (of === PICTURE) {
      const grey = Math.round(Math.min(Math.max(value, 0), 255));
      return [grey, grey, grey];
    }
    const shade = 3 * level(value, most);
    return colours.subarray(shade, shade + 3);
  }

  // Lay maps side by side on a canvas, one pixel for each number, with a gap of nothing between them.
  function lay(canvas, of, chosen, across) {
    const { side } = LAYERS[of];
    const gap = side > 2 ? Math.max(1, side / 16) : 1 / 2;
    const unit = side > 2 ? 1 : 2; // so that the gap between tiny maps is a whole pixel too
    const pitch = unit * (side + gap);
    const deep = Math.ceil(chosen.length / across);
    canvas.width = across * pitch - unit * gap;
    canvas.height = deep * pitch - unit * gap;
    const sheet = canvas.getContext("2d", { willReadFrequently: true });
    const image = sheet.createImageData(canvas.width, canvas.height);
    const values = of === PICTURE ? picture.grey : said[of];
    const most = of === PICTURE ? 0 : reach(of);
    chosen.forEach((one, n) => {
      const top = Math.floor(n / across) * pitch;
      const left = (n % across) * pitch;
      for (let y = 0; y < unit * side; y += 1) {
        for (let x = 0; x < unit * side; x += 1) {
          const place = (one * side + Math.floor(y / unit)) * side + Math.floor(x / unit);
          image.data.set([...colourOf(of, values[place], most), 255], 4 * ((top + y) * canvas.width + left + x));
        }
      }
    });
    sheet.putImageData(image, 0, 0);
    return { unit, pitch, across };
  }

  // Three numbers or bars below each other, with the names of the materials.
  function rows(panel, of) {
    panel.canvas.width = panel.canvas.height = 3;
    panel.drawing.setAttribute("viewBox", "0 0 300 300");
    const most = of === LOGITS ? reach(LOGITS) : 1;
    return data.classes.flatMap((name, i) => {
      const value = said[of][i];
      const wide = (240 * Math.abs(value)) / most;
      return [
        drawn("text", { x: 20, y: 34 + 96 * i }, `${name} ${of === LOGITS ? number(value) : percent(value)}`),
        drawn("rect", { x: 20, y: 46 + 96 * i, width: 240, height: 26, class: "cw-trough" }),
        drawn("rect", { x: 20, y: 46 + 96 * i, width: wide, height: 26, class: value < 0 ? "cw-minus" : "cw-plus" }),
      ];
    });
  }

  const all = (count) => [...Array(count).keys()];
  const inRow = (i) => ({ x: 10, y: 8 + 96 * i, width: 280, height: 76 });

  function drawFrom() {
    const source = layer === PICTURE ? PICTURE : layer - 1;
    const { maps, side } = LAYERS[source];
    from.drawing.replaceChildren();
    if (layer === SHARES) {
      from.title.textContent = "From: all three logits";
      from.drawing.append(...rows(from, LOGITS), ...all(3).flatMap((i) => framed(inRow(i))));
      return;
    }
    const several = layer === CONV2 || layer === LOGITS;
    const chosen = several ? all(maps) : [maps === 1 ? 0 : map];
    const across = layer === CONV2 ? 3 : layer === LOGITS ? 4 : 1;
    const { unit, pitch } = lay(from.canvas, source, chosen, across);
    const words = layer === PICTURE ? "Grey values, 0 to 255"
      : `From: ${several ? `all ${maps} maps` : maps === 1 ? "the picture" : `map ${map + 1} of ${maps}`}`;
    from.title.textContent = words;
    from.drawing.setAttribute("viewBox", `0 0 ${from.canvas.width} ${from.canvas.height}`);
    const block = { [CONV1]: 3, [POOL]: 2, [CONV2]: 3, [QUARTERS]: 8 }[layer] ?? 1;
    if (layer === LOGITS) { // the products that are written out below
      from.drawing.append(...loudProducts().order.slice(0, WRITTEN).flatMap((i) => framed({
        x: (Math.floor(i / 4) % across) * pitch + unit * (i % 2),
        y: Math.floor(i / 4 / across) * pitch + unit * (Math.floor(i / 2) % 2),
        width: unit, height: unit,
      })));
      return;
    }
    // From one row or column to the next that is not in the frame; a window at the border is cut off there.
    const span = (place) => {
      const first = block === 3 ? place - 1 : place * block;
      return [Math.max(first, 0), Math.min(first + block, side)];
    };
    const [[top, bottom], [left, right]] = [span(row), span(column)];
    chosen.forEach((_, n) => {
      from.drawing.append(...framed({
        x: (n % across) * pitch + left, y: Math.floor(n / across) * pitch + top,
        width: right - left, height: bottom - top,
      }));
    });
    if (layer === POOL || layer === QUARTERS) { // and which of them was the largest
      const place = largestOf(said[source], side, block, map, row, column);
      const inMap = place % side ** 2;
      from.drawing.append(...framed({ x: inMap % side, y: Math.floor(inMap / side), width: 1, height: 1 }));
    }
  }

  function drawTo() {
    const { maps, side } = LAYERS[layer];
    to.drawing.replaceChildren();
    if (side === 1) {
      to.title.textContent = layer === LOGITS ? "To: three logits" : "To: three shares";
      to.drawing.append(...rows(to, layer), ...framed(inRow(map)));
      return;
    }
    to.title.textContent = layer === PICTURE ? "The same, standardised" : `To: map ${map + 1} of ${maps}`;
    lay(to.canvas, layer, [map], 1);
    const unit = to.canvas.width / side;
    to.drawing.setAttribute("viewBox", `0 0 ${to.canvas.width} ${to.canvas.height}`);
    to.drawing.append(...framed({ x: unit * column, y: unit * row, width: unit, height: unit }));
  }

  // ---------- where a number comes from ----------

  const strongest = (values) =>
    values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0);
  const at = (of, m, r, c) => said[of][(m * LAYERS[of].side + r) * LAYERS[of].side + c];

  // The nine pixels, weights and products of one sheet of a kernel.
  function sheetOf(kernel, channel) {
    const source = layer - 1;
    const weights = numbers[layer === CONV1 ? "conv1.weight" : "conv2.weight"];
    const first = 9 * (kernel * LAYERS[source].maps + channel);
    const pixels = windowOf(said[source], LAYERS[source].side, channel, row, column);
    const factors = [...weights.subarray(first, first + 9)];
    const products = pixels.map((pixel, i) => pixel * factors[i]);
    return { pixels, factors, products, sum: products.reduce((sum, product) => sum + product, 0) };
  }

  // The 64 products of the fully connected layer, and their places from the one with the most say down.
  function loudProducts() {
    const weights = numbers["linear.weight"].subarray(64 * map, 64 * map + 64);
    const products = [...said[QUARTERS]].map((one, i) => one * weights[i]);
    return { weights, products, order: all(64).sort((a, b) => Math.abs(products[b]) - Math.abs(products[a])) };
  }

  const squaresOf = ({ pixels, factors, products }) =>
    pixels.map((pixel, i) => ({ small: `${number(pixel)} \u00d7 ${number(factors[i])}`, large: number(products[i]) }));

  function explain() {
    const value = at(layer, map, row, column);
    const total = ["together", number(value)];
    if (layer === PICTURE) {
      const grey = picture.grey[row * SIDE + column];
      return {
        sentence: "Its grey value, less the mean of the photograph, divided by the spread.",
        terms: [["grey value", number(grey, 0)], ["mean", number(picture.mean, 1)],
          ["spread", number(picture.spread, 1)]],
        total: ["standardised", number(value)],
      };
    }
    if (layer === CONV1) {
      const sheet = sheetOf(map, 0);
      return {
        sentence: `Nine pixels, each times a weight of kernel ${map + 1}; and the bias of this kernel.`,
        squares: squaresOf(sheet),
        terms: [["nine products", number(sheet.sum)], ["bias", number(numbers["conv1.bias"][map])]], total,
      };
    }
    if (layer === RELU1 || layer === RELU2) {
      const sum = at(layer - 1, map, row, column);
      return {
        sentence: sum < 0 ? "The sum is below zero, so it becomes 0." : "The sum is not below zero, so it stays.",
        terms: [["the sum", number(sum)]], total: ["bent", number(value)],
      };
    }
    if (layer === POOL) {
      const four = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([r, c]) => at(RELU1, map, 2 * row + r, 2 * column + c));
      const best = four.indexOf(Math.max(...four));
      return {
        sentence: "The largest of a block of four.", across: 2,
        squares: four.map((one, i) => ({ small: i === best ? "largest" : "", large: number(one), marked: i === best })),
        terms: [], total: ["kept", number(value)],
      };
    }
    if (layer === CONV2) {
      const sheets = all(8).map((channel) => sheetOf(map, channel));
      const loud = strongest(sheets.map(({ sum }) => sum));
      return {
        sentence: `Eight sheets of kernel ${map + 1}, nine products each. ` +
          `Written out: sheet ${loud + 1}, which has the most say here.`,
        squares: squaresOf(sheets[loud]), pairs: true,
        terms: [...sheets.map(({ sum }, i) => [`sheet ${i + 1}`, number(sum), i === loud]),
          ["bias", number(numbers["conv2.bias"][map])]],
        total,
      };
    }
    if (layer === QUARTERS) {
      const place = largestOf(said[RELU2], 16, 8, map, row, column) % 256;
      return {
        sentence: `The largest of the 64 numbers in the ${QUARTER_NAMES[2 * row + column]} quarter of map ${map + 1}.`,
        terms: [[`row ${Math.floor(place / 16) + 1}, column ${(place % 16) + 1}`, number(value)]],
        total: ["kept", number(value)],
      };
    }
    if (layer === LOGITS) {
      const { weights, products, order } = loudProducts();
      const rest = order.slice(WRITTEN).reduce((sum, i) => sum + products[i], 0);
      return {
        sentence: `All 64 numbers, each times a weight for ${data.classes[map]}. ` +
          "The five with the most say are framed.",
        terms: [
          ...order.slice(0, WRITTEN).map((i) => [
            `map ${Math.floor(i / 4) + 1}, ${QUARTER_NAMES[i % 4]}: ` +
              `${number(said[QUARTERS][i])} \u00d7 ${number(weights[i])}`,
            number(products[i])]),
          [`the other ${64 - WRITTEN}`, number(rest)], ["bias", number(numbers["linear.bias"][map])],
        ],
        total: ["together: the logit", number(value)],
      };
    }
    const powers = [...said[LOGITS]].map(Math.exp);
    const written = (power) =>
      (power >= 1000 ? power.toLocaleString("en-GB", { maximumFractionDigits: 0 }) : number(power, 3));
    return {
      sentence: "The number e to the power of each logit; and what part of their sum is this one\u2019s.",
      terms: [
        ...data.classes.map((name, i) => [`${name}: e to the power of ${number(said[LOGITS][i])}`, written(powers[i])]),
        ["all three", written(powers.reduce((sum, power) => sum + power, 0))],
      ],
      total: [`share of ${data.classes[map]}`, percent(value)],
    };
  }

  function drawWhy() {
    const { sentence, squares = [], across = 3, terms, pairs = false, total } = explain();
    find(".cw-sentence").textContent = sentence;
    find(".cw-squares").style.setProperty("--across", across);
    find(".cw-squares").replaceChildren(...squares.map(({ small, large, marked }) => {
      const square = element("div", marked ? { class: "cw-marked" } : {});
      square.append(element("small", {}, small), element("b", {}, large));
      return square;
    }));
    find(".cw-terms").classList.toggle("cw-pairs", pairs);
    find(".cw-terms").replaceChildren(...[...terms, [...total, "total"]].map(([words, value, mark]) => {
      const line = element("div", mark === "total" ? { class: "cw-total" } : mark ? { class: "cw-loud" } : {});
      line.append(element("dt", {}, words), element("dd", {}, value));
      return line;
    }));
  }

  // ---------- going from number to number ----------

  function goTo(nextLayer, nextMap, nextRow, nextColumn) {
    const { maps, side } = LAYERS[nextLayer];
    const within = (place, count) => Math.min(Math.max(place, 0), count - 1);
    layer = nextLayer;
    map = within(nextMap, maps);
    row = within(nextRow, side);
    column = within(nextColumn, side);
    show();
  }

  function source() {
    if (layer === SHARES) return goTo(LOGITS, map, 0, 0);
    if (layer === LOGITS) {
      const [best] = loudProducts().order;
      return goTo(QUARTERS, Math.floor(best / 4), Math.floor(best / 2) % 2, best % 2);
    }
    if (layer === QUARTERS || layer === POOL) {
      const { side } = LAYERS[layer - 1];
      const inMap = largestOf(said[layer - 1], side, layer === POOL ? 2 : 8, map, row, column) % side ** 2;
      return goTo(layer - 1, map, Math.floor(inMap / side), inMap % side);
    }
    if (layer === CONV1 || layer === CONV2) {
      const sheets = all(LAYERS[layer - 1].maps).map((channel) => sheetOf(map, channel));
      const loud = strongest(sheets.map(({ sum }) => sum));
      const best = strongest(sheets[loud].products);
      return goTo(layer - 1, loud, row + Math.floor(best / 3) - 1, column + (best % 3) - 1);
    }
    return goTo(layer - 1, map, row, column);
  }

  function ahead() {
    if (layer === QUARTERS) {
      const i = 4 * map + 2 * row + column;
      const weights = all(3).map((material) => numbers["linear.weight"][64 * material + i]);
      return goTo(LOGITS, strongest(weights), 0, 0);
    }
    const next = layer + 1;
    const place = [scaled(row, next), scaled(column, next)];
    if (next === CONV1 || next === CONV2) { // the kernel that answers loudest here
      return goTo(next, strongest(all(LAYERS[next].maps).map((kernel) => at(next, kernel, ...place))), ...place);
    }
    return goTo(next, map, ...place);
  }

  function show() {
    drawFrom();
    drawTo();
    drawWhy();
    stages.forEach(({ button }, i) => button.setAttribute("aria-pressed", String(i === layer)));
    const { name, maps, side } = LAYERS[layer];
    if (which.options.length !== maps || which.dataset.layer !== String(layer)) {
      which.replaceChildren(...all(maps).map((i) =>
        element("option", { value: i }, side === 1 ? data.classes[i] : `Map ${i + 1} of ${maps}`)));
      which.dataset.layer = layer;
    }
    which.value = map;
    which.disabled = maps === 1;
    back.disabled = layer === PICTURE;
    onward.disabled = layer === SHARES;
    const value = at(layer, map, row, column);
    const where = side === 1 ? data.classes[map]
      : `${maps > 1 ? `map ${map + 1}, ` : ""}row ${row + 1}, column ${column + 1}`;
    const words = layer === SHARES ? percent(value) : number(value);
    status.textContent = `${name}, ${where}: ${words}.`;
  }

  function drawVerdict() {
    const shares = said[SHARES];
    [...figure.querySelectorAll(".cw-bar")].forEach((line, i) => {
      line.querySelector("i").style.width = `${100 * shares[i]}%`;
      line.querySelector("b").textContent = percent(shares[i]);
    });
  }

  function drawOverview() {
    stages.forEach(({ canvas }, of) => {
      const { maps, across } = LAYERS[of];
      if (of < LOGITS) {
        lay(canvas, of, all(maps), across);
        return;
      }
      [canvas.width, canvas.height] = [48, 96];
      const sheet = canvas.getContext("2d");
      const most = of === LOGITS ? reach(LOGITS) : 1;
      said[of].forEach((value, i) => {
        const wide = (46 * Math.abs(value)) / most;
        for (const [colour, ...box] of [["#6b7280", 0, 4, 48, 24], ["#fff", 1, 5, 46, 22],
          [value < 0 ? data.bars[0] : data.bars[1], 1, 5, wide, 22]]) {
          const [x, y, width, height] = box;
          sheet.fillStyle = colour;
          sheet.fillRect(x, 32 * i + y, width, height);
        }
      });
    });
  }

  function look(next) {
    picture = next;
    said = forward(numbers, picture.grey.map((grey) => (grey - picture.mean) / picture.spread));
    drawOverview();
    drawVerdict();
    show();
  }

  const open = ({ grey, mean, spread }) => look({ grey: [...bytes(grey)], mean, spread });

  function openOwn() {
    const next = prepare(greyOf(bitmap, SIDE * Number(share.value)));
    if (next.spread < 0.5) { // half a grey value: nothing to see, and nothing to divide by
      status.textContent = "That picture is the same grey all over. Choose one that shows something.";
      return false;
    }
    look(next);
    return true;
  }

  choice.addEventListener("change", () => {
    share.disabled = choice.value !== "own";
    if (choice.value === "own") openOwn();
    else open(data.pictures[Number(choice.value)]);
  });
  share.addEventListener("change", openOwn);
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const [chosen] = file.files;
    file.value = ""; // so that the same file can be chosen again
    let read;
    try {
      read = await createImageBitmap(chosen);
    } catch {
      status.textContent = `${chosen.name} cannot be read as a picture. Choose a JPEG, PNG or WebP file.`;
      return;
    }
    const before = bitmap;
    bitmap = read;
    if (openOwn()) {
      own.textContent = `Yours: ${chosen.name}`;
      own.disabled = false;
      share.disabled = false;
      choice.value = "own";
    } else bitmap = before;
  });
  which.addEventListener("change", () => goTo(layer, Number(which.value), row, column));
  back.addEventListener("click", source);
  onward.addEventListener("click", ahead);

  function point(event) {
    const box = to.frame.getBoundingClientRect();
    const { side } = LAYERS[layer];
    const x = (event.clientX - box.x) / box.width;
    const y = (event.clientY - box.y) / box.height;
    if (side === 1) goTo(layer, Math.floor(3 * y), 0, 0);
    else goTo(layer, map, Math.floor(side * y), Math.floor(side * x));
  }
  to.frame.addEventListener("pointerdown", point);
  to.frame.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && event.pointerType === "mouse") point(event);
  });
  to.frame.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    if (LAYERS[layer].side === 1) goTo(layer, map + step[0] + step[1], 0, 0);
    else goTo(layer, map, row + step[0], column + step[1]);
  });

  open(data.pictures[0]);
}

document.querySelectorAll("figure.cnn-walk").forEach(upgrade);
