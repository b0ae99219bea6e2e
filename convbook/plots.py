"""Figures with one palette: input blue, kernel orange, output green, all else gray.

Figures are transparent SVG that must read on white and on #121212. So a number always stands on a filled
cell of its own and takes the better of black and white, and what stands outside a cell is large and mid-gray.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

Cell = tuple[int, int]  # row and column, from 0
Role = Literal["input", "kernel", "output", "neutral"]

#: The palette of Wong (2011), https://doi.org/10.1038/nmeth.1618, with a darker green; the same as in widgets/kit.css.
COLORS: dict[Role, str] = {"input": "#0072B2", "kernel": "#D55E00", "output": "#007A5E", "neutral": "#767b85"}
DARK_COLORS: dict[Role, str] = {"input": "#56B4E9", "kernel": "#E69F00", "output": "#2FC79A", "neutral": "#767b85"}

STYLE: dict[Any, Any] = {
    "savefig.transparent": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": COLORS["neutral"],
    "axes.labelcolor": COLORS["neutral"],
    "axes.edgecolor": COLORS["neutral"],
    "xtick.color": COLORS["neutral"],
    "ytick.color": COLORS["neutral"],
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.prop_cycle": cycler(color=[COLORS["input"], COLORS["kernel"], COLORS["output"], COLORS["neutral"]]),
    "svg.hashsalt": "convbook",  # the same ids on every run, so that a rebuilt figure is the same file
}


def setup() -> None:
    """Give every later figure this style, and in a notebook make it transparent SVG."""
    plt.rcParams.update(STYLE)
    try:
        from IPython.core.getipython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", metadata={"Date": None})


def readable_on(color: str) -> str:
    """Black or white, whichever has the higher contrast on `color` (WCAG 2.1 relative luminance)."""
    on_white, on_black = contrast("#ffffff", color), contrast("#000000", color)
    return "#ffffff" if on_white >= on_black else "#000000"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colors, from 1 to 21: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = np.asarray(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def grid(
    ax: Axes,
    values: ArrayLike,
    role: Role = "input",
    title: str = "",
    *,
    window: Iterable[Cell] = (),
    muted: ArrayLike | None = None,
) -> None:
    """Draw a small matrix as numbered cells in the color of its role.

    `values` has shape (rows, columns), or (columns,) for a single row. Cells in `window` are lighter, with a frame
    in the kernel's color; where `muted` is true (padding, gaps) the cell is an outline with a gray number.
    """
    cells = np.atleast_2d(np.asarray(values))
    faded = np.zeros(cells.shape, dtype=bool) if muted is None else np.atleast_2d(np.asarray(muted, dtype=bool))
    framed = set(window)
    for (row, column), value in np.ndenumerate(cells):
        fill = (DARK_COLORS if (row, column) in framed else COLORS)[role]
        face, ink = ("none", COLORS["neutral"]) if faded[row, column] else (fill, readable_on(fill))
        ax.add_patch(Rectangle((column + 0.04, row + 0.04), 0.92, 0.92, facecolor=face, edgecolor=fill, linewidth=1))
        ax.text(column + 0.5, row + 0.52, _short(value), ha="center", va="center", color=ink, fontsize=15)
    for row, column in framed:
        frame = Rectangle((column, row), 1, 1, fill=False, edgecolor=COLORS["kernel"], linewidth=4, zorder=3)
        ax.add_patch(frame)
    rows, columns = cells.shape
    ax.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal", title=title)
    ax.set_axis_off()


def grids(
    matrices: Sequence[tuple[ArrayLike, Role, str]],
    symbols: str = "",
    windows: Mapping[int, Iterable[Cell]] | None = None,
) -> list[Axes]:
    """Draw matrices in a row at one scale, each as (values, role, title), with one symbol between each two.

    `grids([(x, "input", "x"), (k, "kernel", "w"), (y, "output", "y")], "⋆=")` draws x ⋆ w = y; `windows` has
    the framed cells of a matrix by its place, as in `{0: [(0, 0), (0, 1)], 2: [(0, 0)]}`. Returns the axes.
    """
    shapes = [np.atleast_2d(np.asarray(values)).shape for values, _, _ in matrices]
    widths, tallest = [columns for _, columns in shapes], max(rows for rows, _ in shapes)
    size = (0.55 * (sum(widths) + len(widths)), 0.55 * tallest + 0.5)
    _, row = plt.subplots(1, len(matrices), figsize=size, width_ratios=widths, layout="constrained", squeeze=False)
    axes = list(row[0])
    for place, (values, role, title) in enumerate(matrices):
        grid(axes[place], values, role, title, window=(windows or {}).get(place, ()))
    for ax, symbol in zip(axes[1:], symbols, strict=False):
        ax.annotate(symbol, (0, 0.5), (-14, 0), "axes fraction", "offset points", ha="center", va="center", fontsize=30)
    return axes


def pictures(images: Sequence[tuple[ArrayLike, str]], *, signed: bool = False) -> list[Axes]:
    """Show gray or color pictures in a row, each as (pixels, title), black at 0 and white at 1.

    `signed=True` is for feature maps: zero is mid-gray and each map has a range of its own, ± its largest magnitude.
    """
    _, row = plt.subplots(1, len(images), figsize=(3.2 * len(images), 3.5), layout="constrained", squeeze=False)
    axes = list(row[0])
    for ax, (pixels, title) in zip(axes, images, strict=True):
        values = np.asarray(pixels)
        top = max(float(np.abs(values).max()), np.finfo(float).tiny) if signed else 1.0
        ax.imshow(values, cmap="gray", vmin=-top if signed else 0.0, vmax=top, interpolation="nearest")
        ax.set_title(title)
        ax.set_axis_off()
    return axes


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")
