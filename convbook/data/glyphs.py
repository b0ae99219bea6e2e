"""Letters as pictures, from the fonts that come with matplotlib, and affine warps of many pictures at once."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: DejaVu, STIX and Computer Modern, in matplotlib's folder of fonts. No font to test with is of the same cut as one
#: to train with.
FONTS: dict[Literal["train", "test"], tuple[str, ...]] = {
    "train": (
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-BoldOblique",
        "DejaVuSansMono",
        "DejaVuSansMono-Oblique",
        "DejaVuSansMono-BoldOblique",
        "DejaVuSerif",
        "DejaVuSerif-Italic",
        "DejaVuSerif-BoldItalic",
        "STIXGeneral",
        "STIXGeneralItalic",
        "STIXGeneralBolIta",
        "cmr10",
        "cmb10",
        "cmtt10",
        "cmmi10",
    ),
    "test": ("DejaVuSans-Oblique", "DejaVuSansMono-Bold", "DejaVuSerif-Bold", "STIXGeneralBol", "cmss10", "cmti10"),
}
SIDE = 96  # pixels of a glyph's picture
CAP_HEIGHT = 56  # pixels of a capital H in it


@lru_cache
def glyphs(characters: str, split: Literal["train", "test"]) -> NDArray[np.uint8]:
    """Coverage from 0 to 255 of each character in each font, of shape (characters, fonts, SIDE, SIDE), read-only.

    Every glyph has its box in the middle of its picture; capitals are CAP_HEIGHT high in all fonts. Pixels at the
    edges may differ a little between versions of FreeType.
    """
    from matplotlib import get_data_path
    from PIL import ImageFont

    folder = Path(get_data_path()) / "fonts" / "ttf"
    pictures = np.zeros((len(characters), len(FONTS[split]), SIDE, SIDE), np.uint8)
    for column, name in enumerate(FONTS[split]):
        path = folder / f"{name}.ttf"
        height = ImageFont.truetype(path, 100).getmask("H").size[1]
        font = ImageFont.truetype(path, round(100 * CAP_HEIGHT / height))
        for row, character in enumerate(characters):
            mask = font.getmask(character, mode="L")
            width, height = mask.size
            left, top = (SIDE - width) // 2, (SIDE - height) // 2
            pictures[row, column, top : top + height, left : left + width] = np.array(mask).reshape(height, width)
    pictures.flags.writeable = False
    return pictures


def extent(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(width, height) of what is not black in each picture, of shape (n, 2), for pictures of shape (n, side, side)."""
    seen: NDArray[np.bool_] = np.greater(pictures, 127)
    return np.stack([_span(np.any(seen, axis=1)), _span(np.any(seen, axis=2))], axis=1)


def _span(seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """From the first to the last True of each row."""
    return seen.shape[1] - seen[:, ::-1].argmax(axis=1) - seen.argmax(axis=1)


def placing(
    center: NDArray[np.float64],
    scale: NDArray[np.float64],
    degrees: NDArray[np.float64],
    shear: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Affine maps from a picture's middle to a place in another: x ↦ A·x + center, of shape (n, 2, 3).

    A scales by `scale` (n, 2) along x and y, shears x by `shear`·y and turns by `degrees`.
    """
    turn = np.deg2rad(degrees)
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    slant = np.tile(np.eye(2), (len(turn), 1, 1))
    slant[:, 0, 1] = shear
    linear = rotation @ slant * scale[:, None, :]
    return np.concatenate([linear, center[:, :, None]], axis=2)


def warp(
    pictures: NDArray[np.uint8], which: NDArray[np.int64], maps: NDArray[np.float64], size: int
) -> NDArray[np.float32]:
    """Pictures `which` (n,) of a stock (m, side, side), each under its map: float32 of shape (n, size, size).

    Bilinear, black outside. The maps (n, 2, 3) take pixels counted from the middle of the picture to pixels of the
    result, see `placing`; only results that are not much smaller than their picture are free of aliasing.
    """
    side = pictures.shape[1] + 2
    flat = np.pad(pictures, ((0, 0), (1, 1), (1, 1))).reshape(-1)
    back = np.linalg.inv(maps[:, :, :2]).astype(np.float32)[:, :, :, None, None]
    pixels = np.arange(size, dtype=np.float32)
    dx = (pixels - maps[:, 0, 2, None]).astype(np.float32)[:, None, :]
    dy = (pixels - maps[:, 1, 2, None]).astype(np.float32)[:, :, None]
    middle = np.float32((side - 1) / 2)
    # The black rim stands for all that lies outside.
    x = np.clip(back[:, 0, 0] * dx + back[:, 0, 1] * dy + middle, 0, side - 1)
    y = np.clip(back[:, 1, 0] * dx + back[:, 1, 1] * dy + middle, 0, side - 1)
    left, top = np.minimum(x.astype(np.int32), side - 2), np.minimum(y.astype(np.int32), side - 2)
    x -= left
    y -= top
    corner = (which.astype(np.int32)[:, None, None] * side + top) * side + left
    upper = flat[corner] * (1 - x) + flat[corner + 1] * x
    lower = flat[corner + side] * (1 - x) + flat[corner + side + 1] * x
    return upper * (1 - y) + lower * y
