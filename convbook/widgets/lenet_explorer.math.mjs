// The arithmetic of the LeNet explorer: pure functions of its state, no DOM.
//
// state: {weights, samples, picture, ink, brush, selected}, the traits of LeNetExplorer. `weights` is a DataView of a
// safetensors file in float16, or null while it is on its way; a picture is 28 × 28 bytes, row by row, in base64.
// A run is what the network makes of a picture: the values of every layer by its name in convbook.nets.lenet, map by
// map and row by row, and the softmax of its scores as `probabilities`.

import { formatNumber } from "./numbers.mjs";

export const SIDE = 28;
export const INKS = { 255: "white", 170: "light gray", 85: "dark gray", 0: "black (erases)" };
export const BRUSH = [1, 5];

const conv = { kind: "conv", kernel: 5, stride: 1 };
const relu = { kind: "relu", kernel: 1, stride: 1, padding: 0 };
const pool = { kind: "pool", kernel: 2, stride: 2, padding: 0 };
// Every layer of maps: how many there are, their side, and the window that a cell looks through.
export const LAYERS = [
  { name: "input", kind: "input", maps: 1, side: SIDE },
  { name: "conv1", maps: 6, side: 28, ...conv, padding: 2 },
  { name: "activation1", maps: 6, side: 28, ...relu },
  { name: "pool1", maps: 6, side: 14, ...pool },
  { name: "conv2", maps: 16, side: 10, ...conv, padding: 0 },
  { name: "activation2", maps: 16, side: 10, ...relu },
  { name: "pool2", maps: 16, side: 5, ...pool },
];
const placeOf = (name) => LAYERS.findIndex((layer) => layer.name === name);
export const layerOf = (name) => LAYERS[placeOf(name)];

export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
export const textOf = (bytes) => btoa(String.fromCharCode(...bytes));
export const BLACK = textOf(new Uint8Array(SIDE * SIDE));

// 2^(exponent − 25), by which a normal number's mantissa with its hidden one is multiplied.
const POWERS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

// The value of 16 bits as IEEE 754 has them; infinities and NaN do not occur in weights.
export function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? (1024 + mantissa) * POWERS[exponent] : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

// The tensors of a safetensors file in float16, by name: a length, a header in JSON, then the numbers.
export function tensorsOf(view) {
  const length = Number(view.getBigUint64(0, true));
  const header = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + 8, length));
  const tensors = {};
  for (const [name, { data_offsets: offsets }] of Object.entries(JSON.parse(header))) {
    if (!offsets) continue; // "__metadata__"
    const [from, to] = offsets.map((offset) => 8 + length + offset);
    tensors[name] = Float32Array.from({ length: (to - from) / 2 }, (_, i) => fromHalf(view.getUint16(from + 2 * i, true)));
  }
  return tensors;
}

// Each map is its bias plus, for every weight, that weight times the picture moved to where the weight reads it.
function convolve(input, channels, side, { maps, side: out, kernel, padding }, weight, bias) {
  const values = new Float64Array(maps * out * out);
  for (let map = 0; map < maps; map++) {
    const base = map * out * out;
    values.fill(bias[map], base, base + out * out);
    for (let channel = 0; channel < channels; channel++) {
      for (let u = 0; u < kernel; u++) {
        for (let v = 0; v < kernel; v++) {
          const w = weight[((map * channels + channel) * kernel + u) * kernel + v];
          const [top, left] = [u - padding, v - padding];
          const [first, last] = [Math.max(0, -left), Math.min(out, side - left)];
          for (let row = Math.max(0, -top), end = Math.min(out, side - top); row < end; row++) {
            const from = (channel * side + row + top) * side + left;
            const to = base + row * out;
            for (let column = first; column < last; column++) values[to + column] += w * input[from + column];
          }
        }
      }
    }
  }
  return values;
}

const rectify = (values) => values.map((value) => Math.max(0, value));

function poolMax(values, { maps, side }) {
  return Float64Array.from({ length: maps * side * side }, (_, at) => {
    const from = 2 * (Math.floor(at / side) * 2 * side + (at % side)); // maps of even sides lie like one tall map
    return Math.max(values[from], values[from + 1], values[from + 2 * side], values[from + 2 * side + 1]);
  });
}

function dense(values, weight, bias) {
  return Float64Array.from(bias, (sum, unit) => {
    for (let i = 0, from = unit * values.length; i < values.length; i++) sum += weight[from + i] * values[i];
    return sum;
  });
}

export function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const normalized = (byte, { mean, std }) => (byte / 255 - mean) / std;

// The network's run on the picture of a state.
export function runOf(tensors, { picture, samples }) {
  const run = { input: Float64Array.from(bytesOf(picture), (byte) => normalized(byte, samples)) };
  let before = LAYERS[0];
  for (const layer of LAYERS.slice(1)) {
    const values = run[before.name];
    const parameters = [tensors[`${layer.name}.weight`], tensors[`${layer.name}.bias`]];
    if (layer.kind === "conv") run[layer.name] = convolve(values, before.maps, before.side, layer, ...parameters);
    else run[layer.name] = layer.kind === "relu" ? rectify(values) : poolMax(values, layer);
    before = layer;
  }
  const through = (name, values) => dense(values, tensors[`${name}.weight`], tensors[`${name}.bias`]);
  run.fc1 = through("fc1", run.pool2);
  run.activation3 = rectify(run.fc1);
  run.fc2 = through("fc2", run.activation3);
  run.activation4 = rectify(run.fc2);
  run.fc3 = through("fc3", run.activation4);
  run.probabilities = softmax(run.fc3);
  return run;
}

// Painting

// A round brush: every pixel whose middle is at most half a brush away from the brush's.
export function painted(bytes, [row, column], { brush, ink }) {
  const first = -Math.floor((brush - 1) / 2);
  const middle = first + (brush - 1) / 2;
  const result = bytes.slice();
  for (let down = first; down < first + brush; down++) {
    for (let right = first; right < first + brush; right++) {
      const [r, c] = [row + down, column + right];
      const inside = Math.min(r, c) >= 0 && Math.max(r, c) < SIDE;
      if (inside && Math.hypot(down - middle, right - middle) <= brush / 2) result[r * SIDE + c] = ink;
    }
  }
  return result;
}

// The picture with a stroke from one pixel to another, as base64: a fast hand skips pixels.
export function stroke(state, from, to) {
  const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1);
  let bytes = bytesOf(state.picture);
  for (let step = 0; step <= steps; step++) {
    bytes = painted(bytes, from.map((start, axis) => Math.round(start + ((to[axis] - start) * step) / steps)), state);
  }
  return textOf(bytes);
}

// The sample that the picture is, or −1 for a picture of the reader's own.
export const sampleOf = ({ picture, samples }) => samples.images.indexOf(picture);

// Looking

// A layer's values as grays. Where they have signs 0 is mid-gray and the largest magnitude black or white; else 0 is
// black and the largest white. {gray, largest, signed}
export function shown(values, signed) {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest || 1;
  const gray = Uint8ClampedArray.from(values, (value) => 255 * (signed ? (value / scale + 1) / 2 : value / scale));
  return { gray, largest, signed };
}

// The windows behind a cell, from its own layer down to the input: {name, map, top, left, bottom, right}, the last two
// inclusive; map is null where all maps are read. They reach over the edge where there is padding.
export function windows([name, map, row, column]) {
  let window = { name, map, top: row, left: column, bottom: row, right: column };
  const found = [window];
  for (let place = placeOf(name); place > 0; place--) {
    const { kind, kernel, stride, padding } = LAYERS[place];
    const first = (at) => at * stride - padding;
    const last = (at) => first(at) + kernel - 1;
    window = {
      name: LAYERS[place - 1].name,
      map: kind === "conv" ? null : window.map,
      top: first(window.top), left: first(window.left), bottom: last(window.bottom), right: last(window.right),
    };
    found.push(window);
  }
  return found;
}

// The part of a window that lies inside its layer's maps, as picture.mjs frames it.
export function framed({ name, top, left, bottom, right }) {
  const { side } = layerOf(name);
  const [row, column] = [Math.max(0, top), Math.max(0, left)];
  return { row, column, rows: Math.min(side - 1, bottom) - row + 1, columns: Math.min(side - 1, right) - column + 1 };
}

// Where a cell's value comes from: {value, before, bias, products, outside}. `before` holds the values that a pooling
// chooses from, or the one that ReLU gets; products and outside count those of a convolution and those in its padding.
export function origin(tensors, run, [name, map, row, column]) {
  const { kind, side, kernel } = layerOf(name);
  const value = run[name][(map * side + row) * side + column];
  if (kind === "input") return { value };
  const below = windows([name, map, row, column])[1];
  const from = layerOf(below.name);
  const inside = framed(below);
  if (kind === "conv") {
    const products = from.maps * kernel * kernel;
    return { value, bias: tensors[`${name}.bias`][map], products, outside: products - from.maps * inside.rows * inside.columns };
  }
  const before = [];
  for (let r = inside.row; r < inside.row + inside.rows; r++) {
    for (let c = inside.column; c < inside.column + inside.columns; c++) before.push(run[below.name][(map * from.side + r) * from.side + c]);
  }
  return { value, before };
}

const cellOf = ([name, map, row, column]) =>
  `${name}, ${layerOf(name).maps > 1 ? `map ${map + 1}, ` : ""}row ${row + 1}, column ${column + 1}`;

// The chosen cell in words: its value, and where that comes from.
export function explain(state, tensors, run) {
  const { selected, samples } = state;
  const [name, map, row, column] = selected;
  const { kind } = layerOf(name);
  const { value, before, bias, products, outside } = origin(tensors, run, selected);
  const is = `${cellOf(selected)}, is ${formatNumber(value)}`;
  if (kind === "input") {
    const byte = bytesOf(state.picture)[row * SIDE + column];
    const [mean, std] = [samples.mean, samples.std].map(formatNumber);
    return `${is}: gray ${byte} of 255, normalized, (${byte}/255 − ${mean})/${std}.`;
  }
  const list = windows(selected);
  const field = list.at(-1).bottom - list.at(-1).top + 1;
  const sees = list.length > 2 ? ` Behind it stand ${field} × ${field} pixels of the picture.` : "";
  const below = list[1].name;
  if (kind === "relu") return `${is}: max(0, ${formatNumber(before[0])}), of the same cell of ${below}.${sees}`;
  if (kind === "pool") return `${is}: the largest of ${before.map(formatNumber).join(", ")} in the window of ${below}.${sees}`;
  const read = layerOf(below).maps > 1 ? `the windows of 5 × 5 in all ${layerOf(below).maps} maps of ${below}` : "the 5 × 5 pixels of its window";
  const missing = outside ? ` ${outside} of them lie in the padding and add 0.` : "";
  return `${is}: the bias ${formatNumber(bias)} and ${products} products, of ${read} with the weights of map ${map + 1}.${missing}${sees}`;
}

export const inPercent = (probability) => (probability > 0 && probability < 0.001 ? "< 0.1 %" : `${formatNumber(100 * probability)} %`);

// The classes from the most to the least probable: [{name, place, probability}].
export function ranking({ samples }, run) {
  const classes = samples.classes.map((name, place) => ({ name, place, probability: run.probabilities[place] }));
  return classes.sort((a, b) => b.probability - a.probability);
}

// What the network answers, and whether it is right where that is known.
export function verdict(state, run) {
  const [first, second] = ranking(state, run);
  const sample = sampleOf(state);
  const answer = `The network says ${first.name}, ${inPercent(first.probability)}, before ${second.name}, ${inPercent(second.probability)}.`;
  if (sample < 0) return `${answer} Your picture has no label.`;
  const label = state.samples.classes[state.samples.labels[sample]];
  return `${answer} ${label === first.name ? "That is its label." : `The label is ${label}.`}`;
}

export const WAITING = "The network starts when you move, scroll or press a key.";

// What the page shows, in words.
export function summary(state, tensors, run) {
  const sample = sampleOf(state);
  const which = sample < 0 ? "A picture of your own." : `Picture ${sample + 1} of ${state.samples.images.length}.`;
  if (!run) return `${which} ${WAITING}`;
  return `${which} ${verdict(state, run)} ${explain(state, tensors, run)}`;
}
