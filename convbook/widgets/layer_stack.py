"""The layer stack: shapes, parameters, multiply-adds and receptive fields of a network that the reader edits."""

import traitlets

from convbook.shapes import AdaptivePool, Conv, Dense, Flatten, Pool
from convbook.widgets.base import Widget, bundle, stylesheet
from convbook.widgets.layers import LayerList, Ranges

#: What the page offers: kinds of layers, and of each its settings from lowest to highest.
RANGES: Ranges = {
    Conv: {
        "channels": (1, 2048),
        "kernel": (1, 11),
        "stride": (1, 11),
        "padding": (0, 5),
        "dilation": (1, 8),
        "groups": (1, 2048),
        "bias": bool,
    },
    Pool: {"kernel": (1, 11), "stride": (1, 11), "padding": (0, 5)},
    AdaptivePool: {},
    Flatten: {},
    Dense: {"features": (1, 4096), "bias": bool},
}

LENET = [
    Conv(6, 5),
    Pool(2),
    Conv(16, 5),
    Pool(2),
    Conv(120, 5),
    Flatten(),
    Dense(84),
    Dense(10),
]


class LayerStack(Widget):
    """A network as a list of layers, and what each of them makes of the input: a table that the reader edits.

    The layers are those of `convbook.shapes`, and the figures those of its `table`; so Python reads a stack that was
    edited in the page with `table(stack.layers, stack.input_shape)`. A `Pool` stands for max and average pooling
    alike, an `AdaptivePool` for global pooling.

        stack = LayerStack(layers=[Conv(8, 3), Pool(2), Flatten(), Dense(10)], input_shape=(1, 28, 28))

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was. A layer that does not
    fit the map before it is welcome: the page says in its row why.
    """

    _esm = bundle("layer_stack.js")
    _css = stylesheet("layer_stack.css")
    fallback = (
        "Layer stack: an interactive table of a network's shapes, parameters and multiply-adds. "
        "It needs a browser with JavaScript; convbook.shapes.table gives the same numbers."
    )

    layers = LayerList(LENET, ranges=RANGES, most=32).tag(sync=True)
    input_shape = traitlets.Tuple(
        traitlets.Int(min=1, max=2048),
        traitlets.Int(min=1, max=512),
        traitlets.Int(min=1, max=512),
        default_value=(1, 32, 32),
    ).tag(sync=True)
    """Channels, rows and columns of one picture."""
    selected = traitlets.Int(0, min=0).tag(sync=True)
    """The layer whose settings are shown, from 0. The page moves it back inside when the stack shrinks."""
