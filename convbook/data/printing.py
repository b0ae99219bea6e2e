"""Printed letters, 8×8: what a small network learns on before it is handed the digits."""

import string
from typing import Literal

import numpy as np

from convbook.data.glyphs import CAP_HEIGHT, FONTS, SIDE, extent, glyphs, placing, warp
from convbook.data.places import say_once
from convbook.data.splits import Split

LETTERS = tuple(string.ascii_uppercase + string.ascii_lowercase)
#: Of 52,000 pictures to train on, after division by 255.
MEAN, STD = (0.2575,), (0.3403,)

BITMAP = 32  # pixels a side, before blocks of 4×4 are counted
TALL = 28  # pixels of a capital in it, before it is scaled at random
CHUNK = 2_000  # pictures at a time, for memory


def letters(split: Literal["train", "test"] = "train", n: int = 20_000, seed: int = 0) -> Split:
    """Printed letters in 52 classes, A to Z and a to z: `n` pictures of shape (8, 8), as many of each as possible.

    Each is a glyph of one of matplotlib's fonts, scaled, slanted, turned and shifted at random, half of them with a
    thicker stroke, as a bitmap of 32×32 of which blocks of 4×4 are counted: the way scikit-learn's digits were made.
    "train" and "test" have no font in common. The same split, n and seed give the same pictures, up to the version of
    NumPy and of FreeType.

    Raises ValueError on another split or fewer than one picture.
    """
    if split not in FONTS:
        raise ValueError(f"There is no split {split!r} of the letters. Choose 'train' or 'test'.")
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % len(LETTERS))
    fonts = len(FONTS[split])
    stock = glyphs("".join(LETTERS), split).reshape(-1, SIDE, SIDE)
    which = labels * fonts + rng.integers(fonts, size=n)
    # Scaled alike in both directions, give or take, but so that a W stays inside.
    scale = TALL / CAP_HEIGHT * rng.uniform(0.85, 1.15, (n, 1)) * rng.uniform(0.9, 1.1, (n, 2))
    scale = np.minimum(scale, (BITMAP - 2) / extent(stock)[which])
    center = (BITMAP - 1) / 2 + rng.uniform(-2, 2, (n, 2))
    maps = placing(center, scale, rng.uniform(-12, 12, n), rng.uniform(-0.3, 0.3, n))
    thick = rng.random((n, 1, 1)) < 0.5
    images = np.empty((n, 8, 8), np.uint8)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        bitmaps = warp(stock, which[part], maps[part], BITMAP) > 127
        bitmaps[:, 1:] |= bitmaps[:, :-1] & thick[part]
        bitmaps[:, :, 1:] |= bitmaps[:, :, :-1] & thick[part]
        images[part] = np.rint(bitmaps.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)) * 255)
    source = "Printed letters drawn with matplotlib's fonts DejaVu, STIX and Computer Modern"
    say_once(f"{source}.")
    return Split(images, labels, LETTERS, MEAN, STD, f"{source}, {split} fonts, seed {seed}")
