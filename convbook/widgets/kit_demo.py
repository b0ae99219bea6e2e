"""What the kit offers, alive, on the smallest widget that uses all of it: copy these four files to begin your own."""

import traitlets

from convbook.widgets.base import NumberGrid, Widget, bundle, stylesheet


class KitDemo(Widget):
    """A grid of numbers, each times or plus a factor. Every control is labelled with its name in the kit."""

    _esm = bundle("kit_demo.js")
    _css = stylesheet("kit_demo.css")
    fallback = "Every element of the widget kit: an interactive figure. It needs a browser with JavaScript."

    numbers = NumberGrid([[1, 2, 3], [4, 5, 6]], largest=5).tag(sync=True)
    factor = traitlets.Int(2, min=1, max=5).tag(sync=True)
    operation = traitlets.Enum(["times", "plus"], "times").tag(sync=True)
    negate = traitlets.Bool(False).tag(sync=True)
    selected = traitlets.Tuple(traitlets.Int(min=0), traitlets.Int(min=0), default_value=(0, 1)).tag(sync=True)
    """Row and column of the chosen result, from 0."""
