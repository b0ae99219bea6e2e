// The arithmetic of the kit's demo: pure functions of its state {numbers, factor, operation, negate, selected}, no DOM.

import { formatNumber } from "./numbers.mjs";

export const FACTORS = [1, 5];
export const OPERATIONS = { times: "times the factor", plus: "plus the factor" };

const SIGNS = { times: "·", plus: "+" };

export function results({ numbers, factor, operation, negate }) {
  const one = (x) => (negate ? -1 : 1) * (operation === "times" ? x * factor : x + factor);
  return numbers.map((row) => row.map(one));
}

// The chosen cell, moved into the grid if that is smaller.
export const inside = ({ numbers, selected: [row, column] }) =>
  [Math.min(row, numbers.length - 1), Math.min(column, numbers[0].length - 1)];

// The cell after the chosen one, row by row, then the first again.
export function next(state) {
  const [row, column] = inside(state);
  const columns = state.numbers[0].length;
  const place = (row * columns + column + 1) % (state.numbers.length * columns);
  return [Math.floor(place / columns), place % columns];
}

// The chosen cell as a line of {kind, text}: numbers with the color of their kind, and what stands between them.
export function line(state) {
  const [row, column] = inside(state);
  const [open, close] = state.negate ? ["−(", ")"] : ["", ""];
  return [
    { text: open }, { kind: "input", text: formatNumber(state.numbers[row][column]) },
    { text: ` ${SIGNS[state.operation]} ` }, { kind: "kernel", text: formatNumber(state.factor) }, { text: `${close} = ` },
    { kind: "output", text: formatNumber(results(state)[row][column]) },
  ];
}

export function summary(state) {
  const [row, column] = inside(state);
  const words = line(state).map(({ text }) => text).join("").replace("·", "times").replace("+", "plus").replace("=", "is");
  return `Row ${row + 1}, column ${column + 1}: ${words}.`;
}
