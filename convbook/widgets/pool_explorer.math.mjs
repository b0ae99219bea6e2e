// The arithmetic of the pooling explorer: pure functions of its state, no DOM.
//
// state: {image, mode, kernel, stride, padding, count_include_pad, gradient, upstream, ties, selected}, the traits of
// PoolExplorer. Letters, for one side: n input, k window, s stride, p padding. Cells are named by their row and column
// in the input, from 0; those below 0 or beyond the last are padding: −∞ for the maximum, 0 for the average.

import { fill, outputSize, shapeOf } from "./arithmetic.mjs";
import { formatNumber, formatWeight } from "./numbers.mjs";

export const RANGES = { kernel: [1, 6], stride: [1, 4], padding: [0, 3] };
export const MODES = { max: "max", average: "average" };
export const TIES = { first: "first wins", split: "even split" };
export const IMAGES = {
  "numbers": [
    [1, 3, 2, 1, 0, 2], [2, 9, 4, 3, 5, 1], [0, 1, 7, 7, 2, 0], [3, 2, 7, 7, 1, 4], [5, 6, 1, 0, 8, 2], [4, 2, 3, 1, 2, 6],
  ],
  "0 to 15": fill(4, 4, (row, column) => 4 * row + column),
  "one peak": fill(6, 6, (row, column) => (row === 2 && column === 3 ? 9 : 0)),
  "all below zero": fill(6, 6, (row, column) => -1 - ((2 * row + 3 * column) % 7)),
};
export const randomImage = (random = Math.random) => fill(6, 6, () => Math.floor(10 * random()));

// Why there is no output; "" when there is one. The rule for padding is torch's.
function problemOf({ image, kernel: k, padding: p }) {
  if (p > Math.floor(k / 2)) {
    return `Padding ${p} is too much for a window of ${k}: torch allows at most half the window, ${Math.floor(k / 2)}, so that no window lies in the padding alone.`;
  }
  const room = Math.min(...shapeOf(image)) + 2 * p;
  if (k > room) return `The window does not fit: it has ${k} cells a side and the ${p ? "padded " : ""}input has ${room}. Make the window smaller.`;
  return "";
}

// What follows from a state before any pooling: `problem` is "" or the reason why the output is empty.
export function outline(state) {
  const problem = problemOf(state);
  const out_shape = shapeOf(state.image).map((n) => (problem ? 0 : outputSize(n, state.kernel, state.stride, state.padding)));
  const selected = state.selected.map((at, side) => Math.max(0, Math.min(at, out_shape[side] - 1)));
  return { problem, out_shape, selected };
}

// The cells under the window of output cell (i, j) as {row, column, value, padding, wins, weight}. `weight` is the slope
// of the output with respect to the cell: what it gets of the output's gradient.
export function windowOf(state, i, j) {
  const { image, mode, kernel: k, stride: s, padding: p, count_include_pad, ties } = state;
  const cells = fill(k, k, (u, v) => {
    const [row, column] = [i * s - p + u, j * s - p + v];
    const value = image[row]?.[column];
    const padding = value === undefined;
    return { row, column, padding, value: padding ? (mode === "max" ? -Infinity : 0) : value };
  }).flat();
  if (mode === "average") {
    const counted = (cell) => count_include_pad || !cell.padding;
    const divisor = cells.filter(counted).length;
    return cells.map((cell) => ({ ...cell, wins: false, weight: counted(cell) ? 1 / divisor : 0 }));
  }
  const largest = Math.max(...cells.map(({ value }) => value));
  const winners = cells.filter(({ value, padding }) => value === largest && !padding);
  const weigh = (cell) => (ties === "split" ? 1 / winners.length : Number(cell === winners[0]));
  return cells.map((cell) => {
    const wins = winners.includes(cell);
    return { ...cell, wins, weight: wins ? weigh(cell) : 0 };
  });
}

export const pooled = (mode, cells) =>
  mode === "max"
    ? Math.max(...cells.map(({ value }) => value))
    : cells.reduce((total, { value }) => total + value, 0) * Math.max(...cells.map(({ weight }) => weight));

// The output's gradient in the shape of the output: 1 where the reader has written nothing.
export const upstreamOf = ({ upstream }, [rows, columns]) => fill(rows, columns, (i, j) => upstream[i]?.[j] ?? 1);

// All that the page shows of a state. `window`: the cells of the chosen output cell. `meeting`: the cell of that window
// that gets gradient from most windows, and `parts`, what it gets from each.
export function explain(state) {
  const { problem, out_shape, selected } = outline(state);
  const upstream = upstreamOf(state, out_shape);
  const windows = fill(...out_shape, (i, j) => windowOf(state, i, j));
  const output = windows.map((row) => row.map((cells) => pooled(state.mode, cells)));

  const parts = fill(...shapeOf(state.image), () => []);
  windows.forEach((line, i) => line.forEach((cells, j) => cells.forEach(({ row, column, padding, weight }) => {
    if (!padding && weight) parts[row][column].push(upstream[i][j] * weight);
  })));
  const gradient = parts.map((row) => row.map(sum));

  const [i, j] = selected;
  const window = problem ? [] : windows[i][j];
  const fed = window.filter(({ padding, weight }) => !padding && weight);
  const most = Math.max(...fed.map(({ row, column }) => parts[row][column].length));
  const busiest = fed.find(({ row, column }) => parts[row][column].length === most);
  const meeting = busiest && { row: busiest.row, column: busiest.column, parts: parts[busiest.row][busiest.column] };
  return { problem, out_shape, selected, output, upstream, window, gradient, meeting };
}

export const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);
export const formatValue = (x) => (x === -Infinity ? "−∞" : formatNumber(x));

// "=" when the terms as printed give the total as printed, "≈" when a digit was rounded away.
export const relation = (terms, total) =>
  [...terms, total].every((x) => x === -Infinity || Math.abs(Number(x.toPrecision(3)) - x) < 1e-9) ? "=" : "≈";

export const place = ({ row, column }) => `row ${row + 1}, column ${column + 1}`;

// Who the chosen window's gradient goes to, in a sentence.
export function routing(state, { upstream, selected: [i, j], window }) {
  const given = formatNumber(upstream[i][j]);
  const fed = window.filter(({ weight, padding }) => weight && !padding);
  if (state.mode === "average") {
    const lost = window.filter(({ weight, padding }) => weight && padding).length;
    const share = `Each of the ${fed.length} cells gets ${formatWeight(fed[0].weight)} of the gradient ${given}, which is ${formatNumber(fed[0].weight * upstream[i][j])}.`;
    return lost ? `${share} The share of ${lost} padding ${lost === 1 ? "cell" : "cells"} is lost.` : share;
  }
  const winners = window.filter(({ wins }) => wins);
  if (winners.length === 1) return `The gradient ${given} goes to the largest cell, ${place(winners[0])}. The others get nothing.`;
  const valid = "The other choice is a subgradient too.";
  if (state.ties === "first") return `${winners.length} cells tie. The first of them, ${place(winners[0])}, gets the gradient ${given}, as in torch. ${valid}`;
  return `${winners.length} cells tie, and each gets 1/${winners.length} of the gradient ${given}. ${valid}`;
}

// What the grids show, in words, for those who do not see them.
export function summary(state, view = explain(state)) {
  const { problem, out_shape, selected: [i, j], output, window, gradient, meeting } = view;
  if (problem) return problem;
  const span = (name, from, to) => (from === to ? `${name} ${from + 1}` : `${name}s ${from + 1} to ${to + 1}`);
  const inside = window.filter(({ padding }) => !padding);
  const [first, last] = [inside[0], inside.at(-1)];
  const sentences = [
    `${state.mode === "max" ? "Max" : "Average"} pooling: the output has ${out_shape[0]} by ${out_shape[1]} cells.`,
    `Its row ${i + 1}, column ${j + 1} is ${formatNumber(output[i][j])}, the ${state.mode === "max" ? "largest" : "mean"} of ${span("row", first.row, last.row)} and ${span("column", first.column, last.column)} of the input.`,
  ];
  if (inside.length < window.length) {
    const effect = state.mode === "max" ? "never win" : state.count_include_pad ? "count as zeros" : "do not count";
    sentences.push(`${window.length - inside.length} of the window's ${window.length} cells are padding and ${effect}.`);
  }
  const winners = window.filter(({ wins }) => wins);
  if (winners.length) sentences.push(`The largest stands at ${winners.map(place).join(", and at ")}.`);
  if (state.gradient) {
    sentences.push(routing(state, view));
    sentences.push(`The input's ${place(meeting)} gets ${formatNumber(gradient[meeting.row][meeting.column])} in all, from ${meeting.parts.length} ${meeting.parts.length === 1 ? "window" : "windows"}.`);
  }
  return sentences.join(" ");
}

// An image with one number replaced.
export const replaced = (matrix, row, column, value) =>
  matrix.map((cells, r) => cells.map((x, c) => (r === row && c === column ? value : x)));

