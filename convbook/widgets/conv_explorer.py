"""The convolution explorer: slide a kernel over a grid of numbers and see every product."""

import traitlets

from convbook.widgets.base import NumberGrid, Widget, bundle, stylesheet

STEP_EDGE = [[0, 0, 0, 0, 9, 9, 9]] * 7
SOBEL_X = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


class ConvExplorer(Widget):
    """An input grid, a kernel grid and their convolution, cell by cell.

    The names are those of `torch.nn.Conv2d`, and so are the numbers: without `flip` the kernel slides as
    it is written (cross-correlation). Arithmetic happens in the page; Python sets the state and reads it.

        explorer = ConvExplorer(image=[[0, 1, 2], [3, 4, 5], [6, 7, 8]], kernel=[[0, 1], [2, 3]])

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("conv_explorer.js")
    _css = stylesheet("conv_explorer.css")
    fallback = (
        "Convolution explorer: an interactive figure. It needs a browser with JavaScript; "
        "the text beside it works the same numbers by hand."
    )

    image = NumberGrid(STEP_EDGE, largest=12).tag(sync=True)
    kernel = NumberGrid(SOBEL_X, largest=5).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=4).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=4).tag(sync=True)
    padding_mode = traitlets.Enum(["zeros", "reflect", "circular"], "zeros").tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=3).tag(sync=True)
    flip = traitlets.Bool(False).tag(sync=True)
    selected = traitlets.Tuple(traitlets.Int(min=0), traitlets.Int(min=0), default_value=(2, 2)).tag(sync=True)
    """Row and column of the chosen output cell, from 0. The page moves it back inside when the output shrinks."""
    out_shape = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=None, allow_none=True).tag(sync=True)
    """Rows and columns of the output, (0, 0) when the kernel does not fit. None until the page has worked it out."""
