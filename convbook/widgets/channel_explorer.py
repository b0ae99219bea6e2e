"""The channel explorer: which input channels a filter reads, and how their answers become one number."""

from typing import Any

import numpy as np
import traitlets

from convbook.widgets.base import NumberArray, Widget, bundle, stylesheet

MOST, LARGEST, KERNEL = 6, 6, 3  # channels and filters; pixels a side; weights a side

IMAGE = [
    [[1, 2, 0, 3], [0, 1, 1, 2], [2, 0, 3, 1], [1, 3, 0, 2]],
    [[3, 0, 1, 2], [1, 2, 0, 1], [0, 1, 2, 3], [2, 0, 1, 1]],
]
WEIGHT = [[[[1, 0], [2, 1]], [[0, 1], [-1, 2]]], [[[0, -1], [1, 0]], [[2, 0], [0, -1]]]]


class ChannelExplorer(Widget):
    """Input channels, filters with a kernel for each channel that they read, and the maps that they give.

    Names, shapes and numbers are those of `torch.nn.functional.conv2d` at stride 1 without padding. The number of
    groups follows from the shapes, as it does there: `weight` is (filters, channels / groups, k, k).

        explorer = ChannelExplorer(image=np.ones((4, 5, 5)), weight=np.ones((4, 1, 3, 3)))  # depthwise

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was. What changes the number
    of channels changes `image` and `weight` at once: `with explorer.hold_trait_notifications(): ...`.
    """

    _esm = bundle("channel_explorer.js")
    _css = stylesheet("channel_explorer.css")
    fallback = (
        "Channel explorer: an interactive figure of filters on several channels. It needs a browser with JavaScript; "
        "the text beside it works the same numbers by hand."
    )

    image = NumberArray(IMAGE, largest=(MOST, LARGEST, LARGEST)).tag(sync=True)
    """(channels, rows, columns)."""
    weight = NumberArray(WEIGHT, largest=(MOST, MOST, KERNEL, KERNEL)).tag(sync=True)
    """(filters, channels / groups, k, k)."""
    bias = traitlets.Union(
        [NumberArray([1, 0], largest=(MOST,)), traitlets.Instance(type(None))], default_value=[1, 0], allow_none=True
    ).tag(sync=True)
    """(filters,), or None."""
    selected = traitlets.Tuple(
        traitlets.Int(min=0), traitlets.Int(min=0), traitlets.Int(min=0), default_value=(0, 0, 0)
    ).tag(sync=True)
    """Filter, row and column of the chosen output cell, from 0. The page moves it back inside when maps shrink."""

    @traitlets.validate("image", "weight", "bias")
    def _together(self, proposal: Any) -> Any:
        """Refuses shapes that torch would refuse."""
        parts = {name: getattr(self, name) for name in ("image", "weight", "bias")}
        parts[proposal["trait"].name] = proposal["value"]
        channels, *sides = np.shape(parts["image"])
        filters, depth, rows, columns = np.shape(parts["weight"])
        if rows != columns or rows > min(sides):
            reason = f"a square kernel that fits into {sides[0]} × {sides[1]} pixels. Got {rows} × {columns}"
        elif channels % depth:
            reason = f"kernels for all {channels} channels, or for a group that divides them. Got kernels for {depth}"
        elif filters % (channels // depth):
            reason = f"as many filters in each of its {channels // depth} groups. Got {filters}"
        elif parts["bias"] is not None and len(parts["bias"]) != filters:
            reason = f"a bias for each of its {filters} filters, or None. Got {len(parts['bias'])}"
        else:
            return proposal["value"]
        raise traitlets.TraitError(f"ChannelExplorer.{proposal['trait'].name}: weight needs {reason}.")
