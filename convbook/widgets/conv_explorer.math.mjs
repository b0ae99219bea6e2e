// The arithmetic of the convolution explorer: pure functions of its state, no DOM.
//
// state: {image, kernel, stride, padding, padding_mode, dilation, flip, selected}, the traits of ConvExplorer.
// Letters, for one side: n input, k kernel, s stride, p padding, d dilation.

import { fill, outputSize, same, shapeOf } from "./arithmetic.mjs";
import { FILTERS } from "./kernels.mjs";
import { formatNumber, formatWeight, parseNumber } from "./numbers.mjs";

export const RANGES = { size: [1, 5], stride: [1, 4], padding: [0, 4], dilation: [1, 3] };
export const MODES = { zeros: "zero", reflect: "reflect", circular: "circular" };

export const IMAGES = {
  "step edge": fill(7, 7, (row, column) => (column < 4 ? 0 : 9)),
  "ramp": fill(7, 7, (row, column) => row + column),
  "0 to 8": fill(3, 3, (row, column) => 3 * row + column),
};
export const KERNELS = { ...FILTERS, "0 to 3": [[0, 1], [2, 3]] };

export const randomImage = (random = Math.random) => fill(7, 7, () => Math.floor(10 * random()));

// `kernel` as size × size: cut at the right and below, or grown there with zeros.
export const resize = (kernel, size) => fill(size, size, (row, column) => kernel[row]?.[column] ?? 0);

export const rotate = (kernel) => kernel.map((row) => row.toReversed()).toReversed();

// Where the padded line takes its entry i (0 is the first input entry): an index in 0 … n − 1, or null for a zero.
function source(i, n, mode) {
  if (i >= 0 && i < n) return i;
  if (mode === "zeros") return null;
  if (mode === "circular") return (i + n) % n;
  return i < 0 ? -i : 2 * (n - 1) - i;
}

// The padded input as rows of {value, padding}.
export function pad(image, p, mode) {
  const [rows, columns] = shapeOf(image);
  const line = (n) => Array.from({ length: n + 2 * p }, (_, i) => source(i - p, n, mode));
  return line(rows).map((row, r) =>
    line(columns).map((column, c) => ({
      value: row === null || column === null ? 0 : image[row][column],
      padding: r < p || c < p || r >= rows + p || c >= columns + p,
    })));
}

// Why the input cannot be padded like this (torch refuses it too); "" when it can.
function paddingProblem({ image, padding: p, padding_mode: mode }) {
  const smallest = Math.min(...shapeOf(image));
  const needed = { zeros: 0, reflect: p + 1, circular: p }[mode];
  if (p === 0 || smallest >= needed) return "";
  const name = mode[0].toUpperCase() + mode.slice(1);
  return `${name} padding of ${p} needs an input of at least ${needed} cells a side; this one has ${smallest}. Pad less, or choose another mode.`;
}

// Why the kernel has no place in the padded input; "" when it has one.
function fitProblem({ image, kernel, padding: p, dilation: d }) {
  for (const side of [0, 1]) {
    const span = d * (shapeOf(kernel)[side] - 1) + 1;
    const room = shapeOf(image)[side] + 2 * p;
    if (span > room) {
      return `The kernel does not fit: it spans ${span} cells and the ${p ? "padded " : ""}input has ${room}. Add padding, or make the kernel or the dilation smaller.`;
    }
  }
  return "";
}

// What follows from a state before any product: `problem` is "" or the reason why the output is empty.
export function outline(state) {
  const { image, kernel, stride, padding, dilation } = state;
  const problem = paddingProblem(state) || fitProblem(state);
  const out_shape = [0, 1].map((side) =>
    problem ? 0 : outputSize(shapeOf(image)[side], shapeOf(kernel)[side], stride, padding, dilation));
  const selected = state.selected.map((at, side) => Math.max(0, Math.min(at, out_shape[side] - 1)));
  return { problem, out_shape, selected };
}

// All that the page shows of a state. `products`: those behind the selected cell, kernel row by kernel row.
export function explain(state) {
  const { image, kernel, stride, padding, padding_mode, dilation } = state;
  const { problem, out_shape, selected } = outline(state);
  const padded = pad(image, paddingProblem(state) ? 0 : padding, padding_mode);
  const applied = state.flip ? rotate(kernel) : kernel;

  const output = fill(...out_shape, (i, j) => {
    let sum = 0;
    applied.forEach((weights, u) => weights.forEach((weight, v) => {
      sum += padded[i * stride + u * dilation][j * stride + v * dilation].value * weight;
    }));
    return sum;
  });
  const [i, j] = selected;
  const products = problem ? [] : applied.map((weights, u) => weights.map((weight, v) => {
    const [row, column] = [i * stride + u * dilation, j * stride + v * dilation];
    return { row, column, weight, ...padded[row][column] };
  }));
  return { problem, padded, applied, output, out_shape, selected, products };
}

export const sumOf = (products) => products.flat().reduce((total, { value, weight }) => total + value * weight, 0);

// "=" when the numbers as printed give the sum as printed, "≈" when a digit was rounded away.
export function relation(products) {
  const exact = (text, x) => Math.abs(parseNumber(text) - x) < 1e-9;
  const printed = products.flat().every(({ value, weight }) =>
    exact(formatNumber(value), value) && exact(formatWeight(weight), weight));
  return printed && exact(formatNumber(sumOf(products)), sumOf(products)) ? "=" : "≈";
}

// The letters of the size formula with this state's numbers, one entry where rows and columns agree.
export function sizes({ image, kernel, stride: s, padding: p, dilation: d }) {
  const [rows, columns] = [0, 1].map((side) => {
    const [n, k] = [shapeOf(image)[side], shapeOf(kernel)[side]];
    return { n, k, s, p, d, size: outputSize(n, k, s, p, d) };
  });
  if (same(rows, columns)) return [{ name: "Output size", ...rows }];
  return [{ name: "Output rows", ...rows }, { name: "Output columns", ...columns }];
}

// What the grids show, in words, for those who do not see them.
export function summary(state, { problem, output, out_shape, selected: [i, j], products } = explain(state)) {
  if (problem) return problem;
  const terms = products.flat();
  const [first, last] = [terms[0], terms.at(-1)];
  const lines = (name, from, to) => (from === to ? `${name} ${from + 1}` : `${name}s ${from + 1} to ${to + 1}`);
  const inPadding = terms.filter(({ padding }) => padding).length;
  const sentences = [
    `The output has ${out_shape[0]} by ${out_shape[1]} cells.`,
    `Its row ${i + 1}, column ${j + 1} is ${formatNumber(output[i][j])}.`,
    `It looks at ${lines("row", first.row, last.row)} and ${lines("column", first.column, last.column)} of the ${state.padding ? "padded " : ""}input${state.dilation > 1 ? `, every ${["second", "third"][state.dilation - 2]} cell` : ""}.`,
  ];
  if (inPadding) sentences.push(`${inPadding} of its ${terms.length} cells lie in the padding.`);
  if (terms.length <= 9) {
    sentences.push(`The sum is ${terms.map(({ value, weight }) => `${formatNumber(value)} times ${formatWeight(weight)}`).join(", plus ")}.`);
  }
  return sentences.join(" ");
}
