"""Curves of several runs in one picture, and the same in words.

Runs differ in color, in line style and in marker, so that a print or an eye without color tells them apart.
"""

import io
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from convbook import plots
from convbook.train.history import History, shown

STYLES = tuple(
    {"color": plots.COLORS[role], "linestyle": line, "marker": marker}
    for line, marker, role in (
        ("-", "o", "input"),
        ("--", "s", "kernel"),
        ("-.", "^", "output"),
        (":", "D", "neutral"),
        ((0, (5, 1, 1, 1, 1, 1)), "v", "input"),
        ((0, (1, 1)), "P", "kernel"),
        ((0, (8, 2)), "X", "output"),
        ((0, (3, 1, 1, 1)), "*", "neutral"),
    )
)


def curves(runs: Mapping[str, History]) -> Figure:
    """Loss, accuracy and gradient norm as training goes on, and the last gradient norms layer by layer.

    Lines are the training batches, markers the validation data after each epoch. A run that has measured nothing yet
    has a place in the legend only.

    Args:
        runs: histories by the names that the legend shows.
    """
    with matplotlib.rc_context({**plots._STYLE, "font.size": 11, "axes.titlesize": 12}):
        # A figure without pyplot: nothing keeps it alive, and any thread may draw it.
        figure = Figure(figsize=(9, 5.6), layout="constrained")
        axes = figure.subplots(2, 2)
        (loss, accuracy), (gradient, layers) = axes
        for (name, history), style in zip(runs.items(), cycle(STYLES)):  # noqa: B905
            _over_epochs(loss, history, "loss", style, name)
            _over_epochs(accuracy, history, "accuracy", style, name)
            _over_epochs(gradient, history, "gradient", style, name)
            if history.points:
                norms = history.points[-1]["layers"]
                every = max(1, len(norms) // 12)
                layers.plot(range(1, len(norms) + 1), norms, **style, markersize=5, markevery=every)
        _scale(loss, "Loss", "epochs", log=False)
        _scale(accuracy, "Accuracy", "epochs", log=False)
        _scale(gradient, "Gradient norm, all layers", "epochs", log=True)
        _scale(layers, "Gradient norm by layer, now", "layer, from the input", log=True)
        layers.xaxis.get_major_locator().set_params(integer=True)
        if runs:
            lines, names = loss.get_legend_handles_labels()
            figure.legend(lines, names, loc="outside lower center", ncols=min(len(names), 3), frameon=False)
        return figure


def picture(runs: Mapping[str, History]) -> str:
    """`curves` as the text of an SVG file."""
    text = io.StringIO()
    figure = curves(runs)
    with matplotlib.rc_context({"svg.hashsalt": "convbook", "svg.fonttype": "path"}):
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    return text.getvalue()


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
        ends = list(norms)[0], list(norms)[-1]
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
    if log and any(value > 0 for line in ax.lines for value in line.get_ydata()):  # type: ignore[union-attr]
        ax.set_yscale("log", nonpositive="mask")
