"""Photographs from a package that is installed already: nothing is downloaded."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convbook.data.places import say_once

# Which photographs, and the words that go with them. Both files ship inside scikit-image's wheel.
_PHOTOGRAPHS = {
    "camera": "by Lav Varshney, CC0",
    "astronaut": "Eileen Collins by NASA, public domain",
}


def photograph(name: str, size: int = 512) -> NDArray[np.float64]:
    """A square photograph as values from 0 (black) to 1 (white).

    "camera" is gray, of shape (size, size); "astronaut" is in color, of shape (size, size, 3).
    `size` divides 512; a smaller picture is the mean over blocks of the full one.
    Raises ValueError on an unknown name or size, and ImportError where scikit-image is missing.
    """
    if name not in _PHOTOGRAPHS:
        raise ValueError(f"There is no photograph {name!r}. Choose one of: {', '.join(_PHOTOGRAPHS)}.")
    if size < 1 or 512 % size:
        raise ValueError(f"size is {size}; it must divide 512: 512, 256, 128, 64, ...")
    try:
        from skimage import data
    except ImportError as error:
        raise ImportError("The photographs come with scikit-image: `pip install scikit-image`.") from error
    full: NDArray[Any] = getattr(data, name)()
    blocks = full.reshape(size, 512 // size, size, 512 // size, *full.shape[2:])
    say_once(f"Photograph {_PHOTOGRAPHS[name]}, from scikit-image.")
    return blocks.mean(axis=(1, 3)) / 255.0
