// The arithmetic of receptive fields along one axis: pure functions of the state {layers, size, unit}, no DOM.
//
// A layer is {kind: "Conv" | "Pool", kernel, stride, padding, dilation}. Map 0 is the input and map l the output of
// layer l; pixels and units count from 0. Letters: k kernel, s stride, p padding, d dilation.

import { nameOf, outputSize } from "./arithmetic.mjs";
import { formatNumber } from "./numbers.mjs";

const SETTINGS = { kernel: [1, 7], stride: [1, 7], padding: [0, 6], dilation: [1, 8] };
export const RANGES = { Conv: SETTINGS, Pool: { ...SETTINGS, padding: [0, 3] } };
export const SIZE = [1, 64];
export const MOST = 6;
export const KINDS = { Conv: "convolution", Pool: "pooling" };

const conv = (kernel, stride = 1, dilation = 1, padding = 0) => ({ kind: "Conv", channels: 1, kernel, stride, padding, dilation });
const pool = (kernel) => ({ kind: "Pool", kernel, stride: kernel, padding: 0, dilation: 1 });
export const STACKS = {
  "three of 3": [conv(3), conv(3), conv(3)],
  "stride in layer 2": [conv(3), conv(3, 2), conv(3)],
  "two, pool, two, pool": [conv(3), conv(3), pool(2), conv(3), conv(3), pool(2)],
  "dilations 1, 2, 4": [conv(3, 1, 1), conv(3, 1, 2), conv(3, 1, 4)],
  "dilations 2, 2": [conv(3, 1, 2), conv(3, 1, 2)],
  "dilations 1, 3": [conv(3, 1, 1), conv(3, 1, 3)],
};

// The preset that the layers are, or "custom"; channels do not matter here.
export const stackOf = (layers) => nameOf(STACKS, layers.map((layer) => ("channels" in layer ? { ...layer, channels: 1 } : layer)));

export const added = (layers) => [...layers, layers.at(-1)];
export const removed = (layers, place) => layers.filter((_, i) => i !== place);
export const changed = (layers, place, what) => layers.map((layer, i) => (i === place ? { ...layer, ...what } : layer));

// A layer of the other kind with the same window; windows of pooling lie side by side at first.
export const recast = ({ kernel }, kind) => (kind === "Pool" ? pool(kernel) : conv(kernel));

// Why a layer cannot follow a map of n units; "" when it can.
function objection({ kind, kernel: k, padding: p, dilation: d }, n) {
  if (kind === "Pool" && p > Math.floor(k / 2)) {
    return `A pooling of ${k} may have padding of at most half its size, ${Math.floor(k / 2)}; this one has ${p}.`;
  }
  const [span, room] = [d * (k - 1) + 1, n + 2 * p];
  if (span <= room) return "";
  return `It spans ${span} cells and the ${p ? "padded " : ""}map before it has ${room}. Add padding, take a smaller kernel or dilation, or a larger input.`;
}

// Map by map {n, field, jump, start}: its units, what each sees, how far apart two neighbors' fields begin, and where
// unit 0's begins. `problem` is null, or {layer, text} for the layer at which the maps end.
export function maps({ layers, size }) {
  const found = [{ n: size, field: 1, jump: 1, start: 0 }];
  for (const [layer, each] of layers.entries()) {
    const { n, field, jump, start } = found.at(-1);
    const text = objection(each, n);
    if (text) return { maps: found, problem: { layer, text } };
    const { kernel: k, stride: s, padding: p, dilation: d } = each;
    found.push({ n: outputSize(n, k, s, p, d), field: field + d * (k - 1) * jump, jump: jump * s, start: start - p * jump });
  }
  return { maps: found, problem: null };
}

// The middle of what a unit of a map sees, in pixels from the center of pixel 0.
export const center = ({ field, jump, start }, unit = 0) => start + unit * jump + (field - 1) / 2;

// The chosen unit of the last of the maps.
export const chosen = ({ unit }, { n }) => Math.min(unit ?? Math.floor((n - 1) / 2), n - 1);

// By how many paths each unit of each map reaches the chosen one: {real: [counts], padding: {place: count}} a map.
// A path that ends in padding comes from no pixel.
export function paths({ layers }, found, unit) {
  const last = found.length - 1;
  const reach = found.map(({ n }) => ({ real: Array(n).fill(0), padding: {} }));
  reach[last].real[unit] = 1;
  for (let map = last; map > 0; map--) {
    const { kernel, stride, padding, dilation } = layers[map - 1];
    const below = reach[map - 1];
    reach[map].real.forEach((count, i) => {
      for (let tap = 0; count && tap < kernel; tap++) {
        const at = i * stride - padding + tap * dilation;
        if (at in below.real) below.real[at] += count;
        else below.padding[at] = (below.padding[at] ?? 0) + count;
      }
    });
  }
  return reach;
}

// Which units of the map before a layer a unit reads, padding too.
export const taps = ({ kernel, stride, padding, dilation }, unit) =>
  Array.from({ length: kernel }, (_, tap) => unit * stride - padding + tap * dilation);

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

// All that the page shows. `span` is the first and last pixel of the field, padding included; `gaps` are the pixels in
// it by which no path begins; `steps` are the pixels from tap to tap, a layer with more than one tap each, and `factor`
// what they have in common (0 without any).
export function explain(state) {
  const { maps: found, problem } = maps(state);
  const last = found.at(-1);
  const unit = chosen(state, last);
  const reach = paths(state, found, unit);
  const first = last.start + unit * last.jump;
  const span = [first, first + last.field - 1];
  const inside = [Math.max(0, span[0]), Math.min(state.size - 1, span[1])];
  const counts = reach[0].real.slice(inside[0], Math.max(inside[0], inside[1] + 1));
  const gaps = counts.flatMap((count, i) => (count ? [] : [inside[0] + i]));
  const steps = found.slice(1).flatMap((_, i) => (state.layers[i].kernel > 1 ? [state.layers[i].dilation * found[i].jump] : []));
  return { maps: found, problem, unit, reach, span, inside, counts, gaps, steps, factor: steps.reduce(gcd, 0) };
}

const some = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const listed = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);

// What one layer does, with numbers in place of letters: ["18 cells", "field 3 + 1·(3 − 1)·1 = 5", …].
export function work(state, { maps: found }, place) {
  const [before, after] = [found[place], found[place + 1]];
  if (!after) return [];
  const { kernel, stride, dilation } = state.layers[place];
  return [
    some(after.n, "cell"),
    `field ${before.field} + ${dilation}·(${kernel} − 1)·${before.jump} = ${after.field}`,
    `jump ${before.jump}·${stride} = ${after.jump}`,
    `first center ${formatNumber(center(after))}`,
  ];
}

// What the chosen unit sees.
export function sight(state, { maps: found, unit, span, counts, gaps, factor, steps }) {
  const [first, last] = span.map(formatNumber);
  const { field, jump, n } = found.at(-1);
  const layer = found.length - 1;
  const name = layer ? `Cell ${unit} of layer ${layer}` : `Pixel ${unit} of the input`;
  const outside = field - counts.length;
  const sentences = [`${name} sees ${some(field, "pixel")}, ${field > 1 ? `${first} to ${last}` : first}, with center ${formatNumber(center(found.at(-1), unit))}.`];
  if (n > 1) sentences.push(`The next cell sees as many, ${some(jump, "pixel")} further on.`);
  if (outside) sentences.push(`${outside} of them lie outside the input, in padding.`);
  if (gaps.length) {
    sentences.push(`It never reads ${some(gaps.length, "pixel")} among them: ${listed(gaps)}.`);
    if (factor > 1) sentences.push(`The taps of its layers are ${listed(steps)} pixels apart, all multiples of ${factor}: that is gridding.`);
  } else if (counts.length > 1) sentences.push("It reads each of them that the input has.");
  return sentences.join(" ");
}

export function summary(state, view = explain(state)) {
  const lines = state.layers.slice(0, view.maps.length - 1).map((layer, place) => {
    const { n, field, jump } = view.maps[place + 1];
    const { kernel, stride, padding, dilation } = layer;
    const extras = [[stride, 1, "stride"], [padding, 0, "padding"], [dilation, 1, "dilation"]]
      .flatMap(([value, usual, name]) => (value === usual ? [] : [`, ${name} ${value}`]));
    return `Layer ${place + 1}, ${KINDS[layer.kind]} of ${kernel}${extras.join("")}: ${some(n, "cell")}, field ${field}, jump ${jump}.`;
  });
  if (view.problem) lines.push(`Layer ${view.problem.layer + 1} does not fit. ${view.problem.text}`);
  return [`${some(state.size, "pixel")}.`, ...lines, sight(state, view)].join(" ");
}
