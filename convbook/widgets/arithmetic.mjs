// What the arithmetic of several widgets shares: matrices as rows of rows, and the size of a window's output.

export const fill = (rows, columns, value) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));

export const shapeOf = (matrix) => [matrix.length, matrix[0].length];

// Whether two values of a state are equal. The order in which an object has its entries means nothing: notebooks sort it.
export function same(a, b) {
  if (a === b || !a || !b || typeof a !== "object" || typeof b !== "object") return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

// The preset that a value equals, or "custom".
export const nameOf = (presets, wanted) => Object.keys(presets).find((name) => same(presets[name], wanted)) ?? "custom";

// ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 as the formula gives it: zero or less where the window does not fit.
export const outputSize = (n, k, s, p, d = 1) => Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1;
