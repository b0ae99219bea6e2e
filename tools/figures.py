"""Draw the book's figures that no chapter cell draws: python tools/figures.py [FOLDER]. The same files on every run.

Each function is one figure, named as its file; tests/tools/test_figures.py compares the committed files.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from convbook import plots

FOLDER = Path(__file__).resolve().parent.parent / "book" / "figures"

# The opening demo of chapter 01: a capital T and the Sobel kernel for changes from left to right.
LETTER_T = np.zeros((7, 7), dtype=int)
LETTER_T[1, 1:6] = LETTER_T[2:6, 3] = 3
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def convolution_step() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(LETTER_T, SOBEL_X.shape)
    output = (windows * SOBEL_X).sum(axis=(2, 3))
    row, column = 2, 1
    covered = [(row + u, column + v) for u in range(3) for v in range(3)]
    matrices = [(LETTER_T, "input", "input"), (SOBEL_X, "kernel", "kernel"), (output, "output", "output")]
    plots.grids(matrices, "⋆=", {0: covered, 2: [(row, column)]})


def weights_shared() -> None:
    """Three ways to wire 5 inputs to 3 outputs; a line style for each weight that recurs."""
    _, row = plt.subplots(1, 3, figsize=(9.5, 3.2), layout="constrained")
    _wiring(row[0], "dense: 15 weights", reach=range(5), shared=False)
    _wiring(row[1], "local: 9 weights", reach=range(3), shared=False)
    _wiring(row[2], "shared: 3 weights", reach=range(3), shared=True)


def _wiring(ax: Axes, title: str, reach: range, shared: bool) -> None:
    shift = 1 if len(reach) == 3 else 0
    for output in range(3):
        for tap in reach:
            style = ["solid", "dashed", "dotted"][tap] if shared else "solid"
            color = plots.COLORS["kernel"] if shared else plots.COLORS["neutral"]
            ax.plot([tap + shift * output, output + 1], [0, 1], color=color, linestyle=style, linewidth=2.5, zorder=1)
    ax.scatter(range(5), [0] * 5, s=380, color=plots.COLORS["input"], zorder=2)
    ax.scatter([1, 2, 3], [1] * 3, s=380, color=plots.COLORS["output"], marker="s", zorder=2)
    ax.set(xlim=(-0.4, 4.4), ylim=(-0.25, 1.25), title=title)
    ax.set_axis_off()


FIGURES: dict[str, Callable[[], None]] = {
    "convolution-step.svg": convolution_step,
    "weights-shared.svg": weights_shared,
}


def main(folder: Path = FOLDER) -> None:
    plots.setup()
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw()
        plt.savefig(folder / name, metadata={"Date": None})
        plt.close("all")
        print(f"figures: {folder / name}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
