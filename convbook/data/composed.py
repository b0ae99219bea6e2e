"""Scenes: a garment and a capital letter somewhere in a gray picture, with shifts, noise and something in the way."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convbook.data.fashion import GARMENTS, fashion_mnist
from convbook.data.glyphs import CAP_HEIGHT, FONTS, SIDE, extent, glyphs, placing, warp
from convbook.data.places import say_once
from convbook.data.printing import LETTERS
from convbook.data.splits import Split

CAPITALS = LETTERS[:26]
SCENE_CLASSES = GARMENTS + CAPITALS
#: Of 10,000 scenes to train on, after division by 255.
MEAN, STD = (0.4911,), (0.3376,)

EDGE = 48
CHUNK = 500  # scenes at a time, for memory
LEAST_GARMENT, LEAST_LETTER = 0.6, 0.8  # shares that stay visible; else nothing is in the way

FAR = 70  # gray levels, of 255, between an object and what is behind it

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Scenes(Split):
    """Scenes of shape (48, 48), each with two labels.

    Attributes:
        labels: int64 of shape (n, 2): the garment, 0 to 9, and the letter, 10 to 35, places in `classes`.
        masks: uint8 of shape (n, 48, 48): 1 where the garment is seen, 2 where the letter is, 0 elsewhere.
    """

    masks: NDArray[np.uint8]


def scenes(
    n: int, seed: int | np.random.Generator | np.random.SeedSequence = 0, split: Literal["train", "test"] = "train"
) -> Scenes:
    """`n` scenes, drawn from the seed alone.

    Each has one of ten garments (from the bundled subset of Fashion-MNIST) and one of 26 capital letters (drawn with
    matplotlib's fonts), scaled, turned and placed at random, the letter in front. A bar or a disk may hide up to 40 %
    of the garment and 20 % of the letter. The background is shaded and all has Gaussian noise. "train" and "test"
    have no picture of a garment and no font in common.

    Args:
        n: how many.
        seed: anything that numpy.random.default_rng takes; the same seed gives the same scenes, up to the version
            of NumPy and of FreeType. A Generator is used up as far as needed.
        split: which garments and fonts.

    Raises:
        ValueError: another split, or fewer than one scene.
    """
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    garments = fashion_mnist(split, bundled=True)
    rng = np.random.default_rng(seed)
    parts = [_compose(min(CHUNK, n - start), rng, garments, split) for start in range(0, n, CHUNK)]
    images, labels, masks = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    source = "Scenes composed of Fashion-MNIST's garments and letters in matplotlib's fonts"
    say_once(f"{source}.")
    return Scenes(images, labels, SCENE_CLASSES, MEAN, STD, f"{source}, {split} split", masks)


def _compose(
    n: int, rng: np.random.Generator, garments: Split, split: Literal["train", "test"]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
    which = rng.integers(len(garments), size=n)
    maps = _places(garments.images, which, rng.uniform(24, 34, n) / 28, rng)
    cloth = warp(garments.images, which, maps, EDGE) * rng.uniform(0.7, 1, (n, 1, 1))
    cloth_cover = np.minimum(cloth / 40, 1)  # dark cloth covers, black background does not
    scene = _shading(n, rng) + _contrasting(cloth, cloth_cover, rng)
    scene += cloth_cover * (cloth - scene)

    stock = glyphs("".join(CAPITALS), split).reshape(-1, SIDE, SIDE)
    fonts = len(FONTS[split])
    glyph = rng.integers(len(stock), size=n)  # the fonts of A, then those of B, and so on
    size = rng.uniform(16, 26, n) / CAP_HEIGHT
    one, other = _places(stock, glyph, size, rng), _places(stock, glyph, size, rng)
    ink_cover = warp(stock, glyph, _farther(one, other, maps), EDGE) / 255
    scene += ink_cover * (_contrasting(scene, ink_cover, rng) - scene)

    garment_seen = (cloth_cover > 0.5) & (ink_cover <= 0.5)
    letter_seen = ink_cover > 0.5
    hidden = _obstacle(n, rng)
    spared = (_share(hidden, garment_seen, cloth_cover > 0.5) < LEAST_GARMENT) | (
        _share(hidden, letter_seen, letter_seen) < LEAST_LETTER
    )
    hidden[spared] = False
    scene = np.where(hidden, rng.uniform(0, 255, (n, 1, 1)), scene)

    scene += rng.normal(size=scene.shape) * rng.uniform(3, 20, (n, 1, 1))
    masks = np.where(hidden, 0, np.where(letter_seen, 2, garment_seen)).astype(np.uint8)
    labels = np.stack([garments.labels[which], len(GARMENTS) + glyph // fonts], axis=1)
    return np.clip(np.rint(scene), 0, 255).astype(np.uint8), labels, masks


def _places(
    stock: NDArray[np.uint8], which: NDArray[np.int64], scale: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Maps for pictures of a stock: at about this scale, turned by up to 15°, anywhere in the scene where they fit."""
    n = len(which)
    scale = scale[:, None] * rng.uniform(0.9, 1.1, (n, 2))
    room = np.maximum(EDGE - scale * extent(stock)[which], 0) / 2
    center = (EDGE - 1) / 2 + rng.uniform(-1, 1, (n, 2)) * room
    return placing(center, scale, rng.uniform(-15, 15, n), rng.uniform(-0.15, 0.15, n))


def _farther(one: NDArray[np.float64], other: NDArray[np.float64], maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of two maps for each scene the one that leads farther from where `maps` leads."""
    distances = [np.linalg.norm(each[:, :, 2] - maps[:, :, 2], axis=1) for each in (one, other)]
    return np.where((distances[0] > distances[1])[:, None, None], one, other)


def _shading(n: int, rng: np.random.Generator) -> Floats:
    """A slope and two faint waves around 0."""
    y, x = np.mgrid[-1 : 1 : EDGE * 1j, -1 : 1 : EDGE * 1j]
    values = np.zeros((n, EDGE, EDGE))
    for low, high, strength in ((0.1, 0.3, 40), (3, 8, 12), (3, 8, 12)):
        turn, phase = rng.uniform(0, 2 * np.pi, (2, n, 1, 1))
        speed, height = rng.uniform(low, high, (n, 1, 1)), rng.uniform(0, strength, (n, 1, 1))
        values += height * np.sin(speed * np.pi * (x * np.cos(turn) + y * np.sin(turn)) + phase)
    return values


def _contrasting(picture: Floats, cover: Floats, rng: np.random.Generator) -> Floats:
    """For each scene, of eight levels drawn at random, the one that most of the covered part is far from."""
    picture, cover = picture[:, ::2, ::2], cover[:, ::2, ::2]  # a quarter of the pixels will do
    levels = rng.uniform(15, 240, (8, len(picture)))
    far = [(cover * (np.abs(picture - each[:, None, None]) > FAR)).sum(axis=(1, 2)) for each in levels]
    return levels[np.argmax(far, axis=0), np.arange(len(picture))][:, None, None]


def _obstacle(n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Where a bar (half of the scenes) or a disk lies, of shape (n, 48, 48)."""
    y, x = np.mgrid[:EDGE, :EDGE]
    cx, cy = rng.uniform(0, EDGE, (2, n, 1, 1))
    turn = rng.uniform(0, np.pi, (n, 1, 1))
    bar = np.abs((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) < rng.uniform(1, 3, (n, 1, 1))
    disk = np.hypot(x - cx, y - cy) < rng.uniform(3, 8, (n, 1, 1))
    return np.where(rng.random((n, 1, 1)) < 0.5, bar, disk)


def _share(hidden: NDArray[np.bool_], seen: NDArray[np.bool_], whole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The part of `whole` that is seen and not hidden."""
    return (seen & ~hidden).sum(axis=(1, 2)) / whole.sum(axis=(1, 2))
