"""Curves of several runs in one picture, and the same in words.

Runs differ in color, in line style and in marker, so that a print or an eye without color tells them apart.
"""

import io
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from convbook import plots
from convbook.train.history import History, shown

#: Color, line and marker of each run; the eight differ in line and in marker, so that color is never needed.
STYLES: tuple[dict[str, Any], ...] = tuple(
    {"color": color, "linestyle": line, "marker": marker}
    for color, line, marker in zip(
        2 * tuple(plots.COLORS.values()),
        ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1))),
        ("o", "s", "^", "D", "v", "P", "X", "*"),
        strict=True,
    )
)


class Curves(Figure):
    """A figure that a notebook shows as SVG, and in words where it shows text only."""

    words: Sequence[str] = ()

    def svg(self) -> str:
        """The text of an SVG file, the same again for the same runs."""
        text = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": "convbook", "svg.fonttype": "path"}):
            FigureCanvasSVG(self).print_svg(text, metadata={"Date": None})
        return text.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": "\n".join(self.words)}


def curves(runs: Mapping[str, History]) -> Curves:
    """Loss, accuracy and gradient norm as training goes on, and the last gradient norms layer by layer.

    Lines are the training batches, markers the validation data after each epoch. A run that has measured nothing yet
    has a place in the legend only.

    Args:
        runs: histories by the names that the legend shows.
    """
    with matplotlib.rc_context({**plots.STYLE, "font.size": 11, "axes.titlesize": 12}):
        # A figure without pyplot: nothing keeps it alive, and any thread may draw it.
        # Fixed margins: a layout that fits them takes twice the time, of a thread that answers cells as well.
        legend = -(-len(runs) // 3)
        height = 5.6 + 0.22 * legend
        figure = Curves(figsize=(9, height))
        figure.words = summary(runs)
        bottom = (0.6 + 0.22 * legend) / height
        axes = figure.subplots(2, 2, gridspec_kw={"hspace": 0.5, "wspace": 0.22})
        figure.subplots_adjust(left=0.07, right=0.98, top=1 - 0.35 / height, bottom=bottom)
        (loss, accuracy), (gradient, layers) = axes
        for (name, history), style in zip(runs.items(), cycle(STYLES)):
            _over_epochs(loss, history, "loss", style, name)
            _over_epochs(accuracy, history, "accuracy", style, name)
            _over_epochs(gradient, history, "gradient", style, name)
            if history.points:
                norms = history.points[-1]["layers"]
                every = max(1, len(norms) // 12)
                layers.plot(range(1, len(norms) + 1), norms, **style, markersize=5, markevery=every)
        marks = any("validation_loss" in history.columns for history in runs.values())
        below = "epochs (marks: validation data)" if marks else "epochs"
        _scale(loss, "Loss", below, log=False)
        _scale(accuracy, "Accuracy", below, log=False)
        _scale(gradient, "Gradient norm, all layers", "epochs", log=True)
        _scale(layers, "Gradient norm by layer, now", "layer, from the input", log=True)
        layers.xaxis.get_major_locator().set_params(integer=True)
        if runs:
            lines, names = loss.get_legend_handles_labels()
            figure.legend(lines, names, loc="lower center", ncols=min(len(names), 3), frameon=False)
        return figure


def summary(runs: Mapping[str, History]) -> list[str]:
    """A sentence a run: what the picture shows, for those who do not see it."""
    return [f"{name}: {_in_words(history)}" for name, history in runs.items()]


def _in_words(history: History) -> str:
    if not history.points:
        return "nothing measured yet."
    first, last = history.points[0], history.points[-1]
    words = [f"after {last['epoch']:.1f} epochs the loss went from {first['loss']:.2f} to {last['loss']:.2f}"]
    words.append(f"the accuracy is {last['accuracy']:.1%}")
    if history.rows and "validation_accuracy" in history.columns:
        words.append(f"on validation data {history.rows[-1]['validation_accuracy']:.1%}")
    norms = dict(zip(history.layers, last["layers"], strict=True))
    words.append(f"the gradient norm is {shown('gradient', last['gradient'])}")
    if len(norms) > 1:
        ends = history.layers[0], history.layers[-1]
        words.append(" and ".join(f"{shown('gradient', norms[end])} in {end}" for end in ends))
    return f"{', '.join(words)}."


def _over_epochs(ax: Axes, history: History, what: str, style: dict[str, Any], name: str) -> None:
    """A line through the points, and a marker an epoch for validation where there is any."""
    line = {key: value for key, value in style.items() if key != "marker"}
    ax.plot([point["epoch"] for point in history.points], [point[what] for point in history.points], label=name, **line)
    if history.rows and f"validation_{what}" in history.columns:
        marks = {"color": style["color"], "marker": style["marker"], "markersize": 6}
        ax.plot(history["epoch"], history[f"validation_{what}"], linestyle="none", **marks)


def _scale(ax: Axes, title: str, below: str, *, log: bool) -> None:
    ax.set(title=title, xlabel=below)
    ax.spines[["top", "right"]].set_visible(False)
    positive = any((np.asarray(line.get_ydata()) > 0).any() for line in ax.lines)
    if log and positive:
        ax.set_yscale("log", nonpositive="mask")
        ax.minorticks_off()
