"""The shift demo: how much pooled answers change when the picture moves a little."""

from typing import Any

import numpy as np
import traitlets

from convbook.widgets.base import Widget, bundle, stylesheet

PAIRS = [0, 0, 1, 1, 0, 0, 1, 1]
STEP = 0.25


class Signal(traitlets.TraitType[list[float], Any]):
    """A row of pixels: a list or an array of finite numbers, an even count of them, kept as a list."""

    info_text = "an even count of finite numbers, from 4 to 16"

    def validate(self, obj: Any, value: Any) -> list[float]:
        """`value` as a list; TraitError with a sentence where it is no such row."""
        where = f"{type(obj).__name__}.{self.name} needs {self.info_text}"
        try:
            row = np.array(value)
        except ValueError as error:  # rows of different length
            raise traitlets.TraitError(f"{where}. Got rows that differ in length.") from error
        if row.ndim != 1 or row.size % 2 or not 4 <= row.size <= 16:
            raise traitlets.TraitError(f"{where}. Got shape {row.shape}.")
        if row.dtype.kind not in "biuf" or not np.isfinite(row).all():
            raise traitlets.TraitError(f"{where}. Got {value!r}.")
        return (row.astype(int) if row.dtype.kind == "b" else row).tolist()


class ShiftDemo(Widget):
    """A row of pixels that moves, and four ways to halve it: what they answer, and how much the answers change.

    The ways are every second pixel, max pooling and average pooling (two wide, stride 2), and blur pooling: the
    maximum of two at stride 1, a blur, then every second value (Zhang, 2019, https://arxiv.org/abs/1904.11486).
    The row is closed to a ring, so that nothing leaves it. The sensitivity to shifts of a way f is
    Σ|f(moved) − f(still)| / Σ|f(still)| for a move of one pixel.

        demo = ShiftDemo(signal=[1, 0, 1, 0, 1, 0, 1, 0], shift=1)

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("shift_demo.js")
    _css = stylesheet("shift_demo.css")
    fallback = (
        "Shift demo: an interactive figure. It needs a browser with JavaScript; "
        "the text beside it works the same numbers by hand."
    )

    signal = Signal(PAIRS).tag(sync=True)
    shift = traitlets.Float(0.0, min=0.0, max=4.0).tag(sync=True)
    """Pixels to the right, in quarters. Between two pixels a moved one is a mix of both."""
    blur = traitlets.Enum([3, 5], 3).tag(sync=True)
    """Width of the blur: (1, 2, 1)/4 or (1, 4, 6, 4, 1)/16."""

    @traitlets.validate("shift")
    def _in_quarters(self, proposal: Any) -> float:
        if proposal["value"] % STEP:
            raise traitlets.TraitError(f"ShiftDemo.shift needs quarters of a pixel. Got {proposal['value']}.")
        return float(proposal["value"])
