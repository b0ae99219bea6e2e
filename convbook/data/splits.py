"""A set of labeled pictures, and parts of it that keep its classes in proportion."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures in memory, with their labels.

    Attributes:
        images: uint8, from 0 (black) to 255 (white), of shape (n, height, width), or (n, height, width, 3) in color.
        labels: int64 of shape (n,), places in `classes`; scenes have two a picture, of shape (n, 2).
        classes: the names of the classes.
        mean, std: of the pixels after division by 255, a value a channel; `batches` subtracts the one and divides
            by the other. Give a network the numbers that it was trained with: dataclasses.replace(split, mean=…).
        source: where the data came from.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        size = "×".join(map(str, self.images.shape[1:]))
        return f"{type(self).__name__} of {len(self):,} pictures {size} in {len(self.classes)} classes, {self.source}"


S = TypeVar("S", bound=Split)


def subset(split: S, n: int, seed: int = 0) -> S:
    """`n` pictures of a split, drawn at random, the classes in proportion to within one picture.

    The order is that of the split. Raises ValueError where the split has fewer than `n` pictures.
    """
    return _take(split, _stratified(split, n, seed))


def hold_out(split: S, n: int, seed: int = 0) -> tuple[S, S]:
    """Two parts with no picture in common: what remains to train on, and `n` pictures as `subset` draws them."""
    chosen = _stratified(split, n, seed)
    rest = np.ones(len(split), dtype=bool)
    rest[chosen] = False
    return _take(split, np.flatnonzero(rest)), _take(split, chosen)


def few(split: S, per_class: int, seed: int = 0) -> tuple[S, S]:
    """Two parts with no picture in common: `per_class` pictures of each class, drawn at random, and what remains.

    The order is that of the split. Raises ValueError where a class has fewer pictures.
    """
    if split.labels.ndim != 1:
        raise ValueError("These pictures have several labels each; take the first n by slicing.")
    counts = np.bincount(split.labels, minlength=len(split.classes))
    if not 0 <= per_class <= counts.min():
        name = split.classes[int(counts.argmin())]
        raise ValueError(f"There are {counts.min():,} pictures of {name}; {per_class:,} a class cannot be drawn.")
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(split.labels == label))[:per_class] for label in range(len(counts))]
    rest = np.ones(len(split), dtype=bool)
    rest[np.concatenate(chosen)] = False
    return _take(split, np.flatnonzero(~rest)), _take(split, np.flatnonzero(rest))


def split_by_class(split: Split, names: Iterable[str]) -> tuple[Split, Split]:
    """The pictures of the named classes, and those of all others; each part counts its labels from 0.

    The classes keep the order that they have in `split.classes`. Raises ValueError on a name that is not among them.
    """
    wanted = set(names)
    unknown = sorted(wanted - set(split.classes))
    if unknown:
        raise ValueError(f"There is no class {', '.join(unknown)}. The classes are {', '.join(split.classes)}.")
    if split.labels.ndim != 1:
        raise ValueError("These pictures have several labels each, so no class can be split off.")
    inside = np.array([name in wanted for name in split.classes])
    return _with_classes(split, inside), _with_classes(split, ~inside)


def _with_classes(split: Split, kept: NDArray[np.bool_]) -> Split:
    part = _take(split, np.flatnonzero(kept[split.labels]))
    renumbered = np.cumsum(kept) - 1
    names = tuple(name for name, keep in zip(split.classes, kept, strict=True) if keep)
    return replace(part, labels=renumbered[part.labels], classes=names)


def _take(split: S, places: NDArray[np.int64]) -> S:
    rows: dict[str, Any] = {name: value[places] for name, value in vars(split).items() if isinstance(value, np.ndarray)}
    return replace(split, **rows)


def _stratified(split: Split, n: int, seed: int) -> NDArray[np.int64]:
    """Sorted places of `n` pictures: of each class its share rounded down, and one more of some, drawn at random."""
    if not 0 <= n <= len(split):
        raise ValueError(f"The split has {len(split):,} pictures; {n:,} cannot be drawn from it.")
    if split.labels.ndim != 1:
        raise ValueError("These pictures have several labels each; take the first n by slicing.")
    rng = np.random.default_rng(seed)
    counts = np.bincount(split.labels, minlength=len(split.classes))
    shares = counts * n / max(len(split), 1)
    takes = np.floor(shares).astype(np.int64)
    # Largest remainders first, ties by lot.
    lots = np.lexsort((rng.random(len(counts)), takes - shares))
    takes[lots[: n - takes.sum()]] += 1
    chosen = [
        rng.choice(np.flatnonzero(split.labels == label), size=take, replace=False) for label, take in enumerate(takes)
    ]
    return np.sort(np.concatenate(chosen))
