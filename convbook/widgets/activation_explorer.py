"""The activation explorer: a function's value and slope, where it stops to learn, and what ten layers of it do."""

import math
from typing import Any

import traitlets

from convbook.widgets.base import Widget, bundle, stylesheet


class ActivationExplorer(Widget):
    """An activation f at one input x, and the chain of ten layers x_{l+1} = f(w · x_l) that starts there.

    The names are those of `torch.nn.functional`, and the numbers those of its float64 functions and of autograd:
    GELU is the exact one, and the slope at a kink is torch's. A slope under 0.05 in size counts as saturated.

        explorer = ActivationExplorer(activation="leaky_relu", negative_slope=0.1, x=-2, weight=1.5)

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("activation_explorer.js")
    _css = stylesheet("activation_explorer.css")
    fallback = (
        "Activation explorer: an interactive figure. It needs a browser with JavaScript; "
        "the text beside it works the same numbers by hand."
    )

    activation = traitlets.Enum(
        ["identity", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh"], "tanh"
    ).tag(sync=True)
    x = traitlets.Float(1.0, min=-50.0, max=50.0).tag(sync=True)
    weight = traitlets.Float(1.0, min=-5.0, max=5.0).tag(sync=True)
    """w, the same in each of the ten layers."""
    negative_slope = traitlets.Float(0.01, min=0.0, max=1.0).tag(sync=True)
    """Slope of the leaky ReLU left of 0."""
    alpha = traitlets.Float(1.0, min=0.1, max=3.0).tag(sync=True)
    """Of the ELU, which goes to −alpha far left of 0."""

    @traitlets.validate("x", "weight", "negative_slope", "alpha")
    def _a_number(self, proposal: Any) -> float:
        if math.isnan(proposal["value"]):  # which no comparison with the bounds refuses
            raise traitlets.TraitError(f"ActivationExplorer.{proposal['trait'].name} needs a number. Got nan.")
        return float(proposal["value"])
