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
from matplotlib.patches import Rectangle

from convbook import plots

FOLDER = Path(__file__).resolve().parent.parent / "book" / "figures"

# The opening demo of chapter 01: a capital T and the Sobel kernel for changes from left to right.
LETTER_T = np.zeros((7, 7), dtype=int)
LETTER_T[1, 1:6] = LETTER_T[2:6, 3] = 3
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])

ARROW = {"arrowstyle": "->", "color": plots.COLORS["kernel"], "linewidth": 2.5}


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


def channel_groups() -> None:
    """Four channels to four filters in one, two and four groups; a line for each kernel."""
    _, row = plt.subplots(1, 3, figsize=(9.5, 3.6), layout="constrained")
    for ax, groups in zip(row, (1, 2, 4), strict=True):
        size = 4 // groups
        wires = [(channel, kernel) for kernel in range(4) for channel in range(4) if channel // size == kernel // size]
        for channel, kernel in wires:
            ax.plot([0, 1], [channel, kernel], color=plots.COLORS["kernel"], linewidth=2.5, zorder=1)
        ax.scatter([0] * 4, range(4), s=380, color=plots.COLORS["input"], zorder=2)
        ax.scatter([1] * 4, range(4), s=380, color=plots.COLORS["output"], marker="s", zorder=2)
        title = f"{groups} group{'s' * (groups > 1)}: {len(wires)} kernels"
        ax.set(xlim=(-0.35, 1.35), ylim=(3.5, -0.5), title=title)
        ax.set_axis_off()


def receptive_field() -> None:
    """What one cell sees through two layers of three taps, with stride 1 and with stride 2 in the first."""
    _, row = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
    for ax, stride in zip(row, (1, 2), strict=True):
        cells = [stride * cell + 1 for cell in range(3)]  # each above the middle of its three pixels
        pixels = range(2 * stride + 3)
        wires = [((pixel, cell), (0, 1)) for cell in cells for pixel in range(cell - 1, cell + 2)]
        for x, y in [*wires, *(((cell, cells[1]), (1, 2)) for cell in cells)]:
            ax.plot(x, y, color=plots.COLORS["kernel"], linewidth=2.5, zorder=1)
        ax.scatter(pixels, [0] * len(pixels), s=380, color=plots.COLORS["input"], zorder=2)
        ax.scatter(cells, [1] * 3, s=380, color=plots.COLORS["output"], marker="s", zorder=2)
        ax.scatter(cells[1], 2, s=380, color=plots.COLORS["output"], marker="s", zorder=2)
        ax.set(xlim=(-0.5, 6.5), ylim=(-0.3, 2.3), title=f"stride {stride}: {len(pixels)} pixels")
        ax.set_axis_off()


def exam_network() -> None:
    """The four layers to work by hand: square maps to scale, with what is given and with question marks."""
    _, ax = plt.subplots(figsize=(9.5, 3.2), layout="constrained")
    layers = [
        "A: 5 × 5\nstride 2\npadding 2",
        "B: 3 × 3\ndepthwise\ndilation 2\npadding 2",
        "C: 1 × 1",
        "D: 3 × 3\nstride 2",
    ]
    maps = [("3 × 32 × 32", 32), ("16 × ? × ?", 16), ("16 × ? × ?", 16), ("32 × ? × ?", 16), ("10 × ? × ?", 7)]
    left = 0.0
    for place, (shape, size) in enumerate(maps):
        role: plots.Role = "output" if place else "input"
        ax.add_patch(Rectangle((left, -size / 2), size, size, color=plots.COLORS[role]))
        ax.text(left + size / 2, -size / 2 - 2, shape, ha="center", va="top")
        if place < len(layers):
            ax.annotate("", (left + size + 21, 0), (left + size + 3, 0), arrowprops=ARROW)
            ax.text(left + size + 12, 2, layers[place], ha="center", va="bottom")
        left += size + 24
    ax.set(xlim=(-1, left - 20), ylim=(-24, 24), aspect="equal")
    ax.set_axis_off()


def pooling_step() -> None:
    """One step of the opening demo of chapter 02: the window of the largest maximum."""
    feature_map = np.array([[1, 3, 2, 0, 0, 1], [4, 2, 1, 5, 0, 0], [0, 0, 6, 2, 1, 1]])
    feature_map = np.vstack([feature_map, [[1, 0, 3, 3, 7, 2], [0, 2, 1, 0, 2, 2], [8, 1, 0, 1, 0, 3]]])
    maxima = feature_map.reshape(3, 2, 3, 2).max(axis=(1, 3))
    covered = [(4, 0), (4, 1), (5, 0), (5, 1)]
    plots.grids([(feature_map, "input", "input"), (maxima, "output", "maxima")], "→", {0: covered, 1: [(2, 0)]})


FIGURES: dict[str, Callable[[], None]] = {
    "convolution-step.svg": convolution_step,
    "weights-shared.svg": weights_shared,
    "channel-groups.svg": channel_groups,
    "receptive-field.svg": receptive_field,
    "exam-network.svg": exam_network,
    "pooling-step.svg": pooling_step,
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
