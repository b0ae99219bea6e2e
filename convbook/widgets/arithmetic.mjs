// What the arithmetic of several widgets shares: matrices as rows of rows, and the size of a window's output.

export const fill = (rows, columns, value) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));

export const shapeOf = (matrix) => [matrix.length, matrix[0].length];
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The preset that a value equals, or "custom".
export const nameOf = (presets, wanted) => Object.keys(presets).find((name) => same(presets[name], wanted)) ?? "custom";

// ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 as the formula gives it: zero or less where the window does not fit.
export const outputSize = (n, k, s, p, d = 1) => Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1;
