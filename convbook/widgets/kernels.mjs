// Kernels that have a name.

import { fill } from "./arithmetic.mjs";

export const FILTERS = {
  "identity": fill(3, 3, (row, column) => (row === 1 && column === 1 ? 1 : 0)),
  "box blur": fill(3, 3, () => 1 / 9),
  "Sobel x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  "Sobel y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  "Laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
  "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
};
