"""The kernel painter: paint a kernel and see at once what it makes of a photograph."""

from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from convbook.data.photographs import photograph
from convbook.widgets.base import NumberGrid, Picture, Rows, Widget, bundle, stylesheet

SOBEL_X = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


class KernelPainter(Widget):
    """A photograph, a kernel of 3 × 3 or 5 × 5 weights to paint, and the map that it makes of the photograph.

    The map is that of `torch.nn.functional.conv2d` without padding, for pixels from 0 (black) to 1 (white): of
    128 × 128 pixels it has 126 × 126. Arithmetic happens in the page; Python sets the state and reads it.

        painter = KernelPainter(kernel=[[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

    A picture other than the photograph of the book comes with its `description`. It costs the page about 0.75 bytes
    a pixel, compressed. A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("kernel_painter.js")
    _css = stylesheet("kernel_painter.css")
    fallback = (
        "Kernel painter: an interactive figure that applies a kernel of your own to a photograph. "
        "It needs a browser with JavaScript."
    )

    picture = Picture(largest=128).tag(sync=True)
    """As bytes, whatever it was made from."""
    description = traitlets.Unicode("a man behind a camera on a tripod").tag(sync=True)
    """What the picture shows, for those who do not see it."""
    kernel = NumberGrid(SOBEL_X, largest=5).tag(sync=True)
    brush = traitlets.Int(1, min=-4, max=4).tag(sync=True)
    """The weight that the pointer or the space bar paints."""
    tones = traitlets.Enum(["auto", "picture", "signed"], "auto").tag(sync=True)
    """How the map is shown: 0 black and 1 white ("picture"), or 0 mid-gray and ± its largest magnitude ("signed").
    "auto" is "picture" where the weights add up to more than 0."""
    selected = traitlets.Tuple(traitlets.Int(min=0), traitlets.Int(min=0), default_value=(36, 16)).tag(sync=True)
    """Row and column of the chosen pixel of the map, from 0. The page moves it back inside when the map shrinks."""

    def __init__(self, **traits: Any) -> None:
        if "picture" in traits:
            traits.setdefault("description", "a picture")
        super().__init__(**traits)

    @traitlets.default("picture")
    def _the_books_photograph(self) -> NDArray[np.float64]:
        return photograph("camera", size=128)

    @traitlets.validate("kernel")
    def _odd_and_square(self, proposal: Any) -> Rows:
        kernel: Rows = proposal["value"]
        if np.shape(kernel) not in ((3, 3), (5, 5)):
            shape = " × ".join(map(str, np.shape(kernel)))
            raise traitlets.TraitError(f"KernelPainter.kernel needs 3 × 3 or 5 × 5 weights. Got {shape}.")
        return kernel

    @traitlets.validate("picture")
    def _with_room(self, proposal: Any) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = proposal["value"]
        if min(picture.shape) < 5:
            raise traitlets.TraitError("KernelPainter.picture needs 5 pixels a side or more, room for any kernel.")
        return picture
