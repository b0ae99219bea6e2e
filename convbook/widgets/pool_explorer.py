"""The pooling explorer: what a window keeps, and where its gradient goes."""

import traitlets

from convbook.widgets.base import NumberGrid, Widget, bundle, stylesheet

PICTURE = [
    [1, 3, 2, 1, 0, 2],
    [2, 9, 4, 3, 5, 1],
    [0, 1, 7, 7, 2, 0],
    [3, 2, 7, 7, 1, 4],
    [5, 6, 1, 0, 8, 2],
    [4, 2, 3, 1, 2, 6],
]


class PoolExplorer(Widget):
    """An input grid and its max or average pooling; with `gradient`, the gradient's way back as well.

    The names are those of `torch.nn.MaxPool2d` and `AvgPool2d`, and so are the numbers and gradients. Where
    several cells of a window are the largest, `ties="first"` sends the gradient to the first of them, row by row,
    as torch does on a CPU; `"split"` shares it evenly. Both are subgradients of the maximum.

        explorer = PoolExplorer(image=[[1, 3], [2, 9]], mode="average")

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("pool_explorer.js")
    _css = stylesheet("pool_explorer.css")
    fallback = (
        "Pooling explorer: an interactive figure. It needs a browser with JavaScript; "
        "the text beside it works the same numbers by hand."
    )

    image = NumberGrid(PICTURE, largest=8).tag(sync=True)
    mode = traitlets.Enum(["max", "average"], "max").tag(sync=True)
    kernel = traitlets.Int(2, min=1, max=6).tag(sync=True)
    stride = traitlets.Int(2, min=1, max=4).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=3).tag(sync=True)
    count_include_pad = traitlets.Bool(True).tag(sync=True)
    gradient = traitlets.Bool(False).tag(sync=True)
    upstream = NumberGrid([[1]], largest=12).tag(sync=True)
    """Gradient of the output. Cells of the output that it lacks are 1; those beyond the output are left out."""
    ties = traitlets.Enum(["first", "split"], "first").tag(sync=True)
    selected = traitlets.Tuple(traitlets.Int(min=0), traitlets.Int(min=0), default_value=(0, 0)).tag(sync=True)
    """Row and column of the chosen output cell, from 0. The page moves it back inside when the output shrinks."""
    out_shape = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=None, allow_none=True).tag(sync=True)
    """Rows and columns of the output, (0, 0) when the window does not fit. None until the page has worked it out."""
