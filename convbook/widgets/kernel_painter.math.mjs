// The arithmetic of the kernel painter: pure functions of its state, no DOM.
//
// state: {picture, description, kernel, brush, tones, selected}, the traits of KernelPainter. A picture is
// {shape: [rows, columns], data: DataView}; its values are its bytes over 255, from 0 (black) to 1 (white).

import { fill, nameOf } from "./arithmetic.mjs";
import { FILTERS } from "./kernels.mjs";
import { formatNumber, formatWeight } from "./numbers.mjs";

const GAUSS = { 3: [1, 2, 1], 5: [1, 4, 6, 4, 1] };
const gauss = (size) => {
  const line = GAUSS[size];
  return fill(size, size, (row, column) => (line[row] * line[column]) / 4 ** (size - 1));
};
const named = ["identity", "box blur", "sharpen", "Sobel x", "Sobel y", "Laplacian"];
export const PRESETS = {
  ...Object.fromEntries(named.map((name) => [name, FILTERS[name]])),
  "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
  "Gaussian blur": gauss(3),
  "box blur, 5 × 5": fill(5, 5, () => 1 / 25),
  "Gaussian blur, 5 × 5": gauss(5),
};
export const SIZES = { 3: "3 × 3", 5: "5 × 5" };
export const TONES = { auto: "automatic", picture: "0 to 1", signed: "0 in the middle" };
export const BRUSH = [-4, 4];

// `kernel` as size × size around the same center: a ring of zeros more, or its outer ring less.
export function resize(kernel, size) {
  const shift = (size - kernel.length) / 2;
  return fill(size, size, (row, column) => kernel[row - shift]?.[column - shift] ?? 0);
}

export function presetOf(kernel) {
  const inner = resize(kernel, 3);
  const bare = kernel.length === 3 || sumOf(magnitudes(kernel)) === sumOf(magnitudes(inner));
  return nameOf(PRESETS, bare ? inner : kernel);
}

export const painted = (kernel, row, column, value) =>
  kernel.map((weights, r) => weights.map((weight, c) => (r === row && c === column ? value : weight)));

const magnitudes = (kernel) => kernel.map((weights) => weights.map(Math.abs));
const sumOf = (kernel) => kernel.flat().reduce((total, weight) => total + weight, 0);

// The sum of the weights; 0 where only rounding is left of it.
export function total(kernel) {
  const sum = sumOf(kernel);
  return Math.abs(sum) <= 1e-9 * sumOf(magnitudes(kernel)) ? 0 : sum;
}

// The kernel over the sum of its weights; null where that sum is 0.
export function normalized(kernel) {
  const sum = total(kernel);
  return sum === 0 ? null : kernel.map((weights) => weights.map((weight) => weight / sum));
}

const bytesOf = ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export const grayOf = (picture) => ({ shape: picture.shape, gray: new Uint8ClampedArray(bytesOf(picture)) });

// Rows and columns of the map: where the kernel fits into the picture.
const mapShape = ({ picture, kernel }) => picture.shape.map((side) => side - kernel.length + 1);

// The map that the kernel makes of the picture, without padding: {shape, values, least, most}.
export function mapOf({ picture, kernel }) {
  const [, width] = picture.shape;
  const bytes = bytesOf(picture);
  const [rows, columns] = mapShape({ picture, kernel });
  const values = new Float64Array(rows * columns);
  // One pass over the map for each weight: every key press does this for the whole photograph.
  kernel.forEach((weights, u) => weights.forEach((weight, v) => {
    if (weight === 0) return;
    for (let row = 0, at = 0; row < rows; row++) {
      for (let from = (row + u) * width + v, end = from + columns; from < end; from++) values[at++] += weight * bytes[from];
    }
  }));
  let [least, most] = [Infinity, -Infinity];
  values.forEach((sum, at) => {
    const value = (values[at] = sum / 255);
    if (value < least) least = value;
    if (value > most) most = value;
  });
  return { shape: [rows, columns], values, least, most };
}

// "picture" or "signed" or "signed": a map is a picture again where the weights add up to more than 0.
export const tonesOf = ({ kernel, tones }) => (tones !== "auto" ? tones : total(kernel) > 0 ? "picture" : "signed");

// The values that are black and white.
export function rangeOf(tones, { least, most }) {
  if (tones === "picture") return [0, 1];
  const largest = Math.max(-least, most) || 1;
  return [-largest, largest];
}

// The map's grays, and how many of its pixels lie outside the range: {shape, gray, clipped}.
export function toned(tones, map) {
  const [black, white] = rangeOf(tones, map);
  const slack = 1e-9 * (white - black); // a sum of ninths is 1 but for rounding
  const gray = new Uint8ClampedArray(map.values.length);
  let clipped = 0;
  map.values.forEach((value, at) => {
    if (value < black - slack || value > white + slack) clipped += 1;
    gray[at] = (255 * (value - black)) / (white - black);
  });
  return { shape: map.shape, gray, clipped };
}

// The chosen pixel, moved into the map if that is smaller.
export function inside(state) {
  const shape = mapShape(state);
  return state.selected.map((at, side) => Math.min(at, shape[side] - 1));
}

// The pixel of the map whose patch has (row, column) in its middle, or the nearest one there is.
export const under = (row, column, state) =>
  inside({ ...state, selected: [row, column].map((at) => Math.max(0, at - (state.kernel.length - 1) / 2)) });

// The patch behind a pixel of the map, as rows of {value, weight}.
export function patch({ picture, kernel }, [row, column]) {
  const bytes = bytesOf(picture);
  return kernel.map((weights, u) => weights.map((weight, v) =>
    ({ value: bytes[(row + u) * picture.shape[1] + column + v] / 255, weight })));
}

// What the weights do to any picture, from their sum and signs.
export function meaning(kernel) {
  const sum = total(kernel);
  const weights = kernel.flat();
  const negative = weights.some((weight) => weight < 0);
  const answers = `A flat patch of any gray answers ${formatNumber(sum)} times that gray`;
  if (weights.every((weight) => weight === 0)) return "All weights are 0, and so is the map.";
  if (sum === 0) return "The weights add up to 0: a flat patch of any gray answers 0, so the map shows only where the picture changes.";
  if (Math.abs(sum - 1) < 1e-9) {
    if (presetOf(kernel) === "identity") return "The only weight is 1 in the middle: the map is the picture.";
    if (!negative) return "The weights add up to 1 and none is negative: each pixel becomes a mean of its neighbors, and the brightness stays.";
    return "The weights add up to 1 and some are negative: flat patches keep their gray, and changes stand out.";
  }
  if (sum < 0) return `The weights add up to ${formatNumber(sum)}, less than 0: bright patches become dark. ${answers}.`;
  return `The weights add up to ${formatNumber(sum)}: the picture gets ${sum > 1 ? "brighter" : "darker"}. ${answers}.`;
}

// All that follows from the kernel and the picture: the map, how it is shown, its grays. It does not depend on `selected`.
export function explain(state) {
  const map = mapOf(state);
  const tones = tonesOf(state);
  return { map, tones, range: rangeOf(tones, map), shown: toned(tones, map) };
}

// What the page shows, in words.
export function summary(state, { map, tones, range, shown: { clipped } } = explain(state)) {
  const { kernel } = state;
  const [row, column] = inside(state);
  const [rows, columns] = map.shape;
  const weights = kernel.flat();
  const [black, white] = range.map(formatNumber);
  const cut = clipped ? `; ${formatNumber((100 * clipped) / map.values.length)} percent of the pixels lie outside and are cut` : "";
  return [
    `Kernel of ${kernel.length} by ${kernel.length} weights, ${presetOf(kernel)}, from ${formatWeight(Math.min(...weights))} to ${formatWeight(Math.max(...weights))}.`,
    meaning(kernel),
    `The map of ${state.description} has ${rows} by ${columns} pixels, from ${formatNumber(map.least)} to ${formatNumber(map.most)}.`,
    tones === "picture" ? `0 is black and 1 is white${cut}.` : `${black} is black, 0 mid-gray, ${white} white.`,
    `Its row ${row + 1}, column ${column + 1} is ${formatNumber(map.values[row * columns + column])}, the sum of ${weights.length} products.`,
  ].join(" ");
}
