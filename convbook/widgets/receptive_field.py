"""The receptive-field explorer: what one cell of a stack of layers sees of the input, layer by layer."""

import traitlets

from convbook.shapes import Conv, Pool
from convbook.widgets.base import Widget, bundle, stylesheet
from convbook.widgets.layers import LayerList, Ranges

#: What the page offers. It shows one axis and no channels, so of these any number will do.
RANGES: Ranges = {
    Conv: {"channels": (1, 4096), "kernel": (1, 7), "stride": (1, 7), "padding": (0, 6), "dilation": (1, 8)},
    Pool: {"kernel": (1, 7), "stride": (1, 7), "padding": (0, 3), "dilation": (1, 8)},
}


class ReceptiveField(Widget):
    """Layers as rows of cells, along one axis: choose a cell of the last, see which cells and pixels reach it.

    The layers are those of `convbook.shapes`, and the figures those of its `table`; so Python reads a stack that was
    edited in the page with `table(widget.layers, (1, widget.size))`. Pixels and cells count from 0, as in its fields.

        widget = ReceptiveField(layers=[Conv(1, 3, dilation=2), Conv(1, 3, dilation=2)], size=16)

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was. A layer that does not
    fit the map before it is welcome: the page says why.
    """

    _esm = bundle("receptive_field.js")
    _css = stylesheet("receptive_field.css")
    fallback = (
        "Receptive-field explorer: an interactive figure of what one cell sees through a stack of layers. "
        "It needs a browser with JavaScript; convbook.shapes.table gives the same numbers."
    )

    layers = LayerList([Conv(1, 3), Conv(1, 3, stride=2), Conv(1, 3)], ranges=RANGES, most=6).tag(sync=True)
    size = traitlets.Int(20, min=1, max=64).tag(sync=True)
    """Pixels of the input."""
    unit = traitlets.Int(None, min=0, allow_none=True).tag(sync=True)
    """The chosen cell of the last layer, from 0; None for the one in the middle. The page moves it back inside when
    the layer shrinks."""
