"""Batches of float tensors from a split in memory.

The whole split goes to its device once, as bytes. A batch is then a gather, a conversion and a normalization: no
worker processes, no picture at a time. Batch i of epoch e depends on (seed, e, i) alone, so a run that resumes in the
middle sees what an uninterrupted one would have seen.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from convbook.data.splits import Split

if TYPE_CHECKING:
    import torch

    Augment: TypeAlias = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

#: Pixels that are gathered and normalized at once. Many small batches share one call to torch, whose threads would
#: otherwise wait for one another longer than they work.
GROUP = 2**20


class Batches:
    """What `batches` returns. `len` is the number of batches; each `for` over it is the next epoch."""

    def __init__(
        self,
        split: Split,
        size: int,
        seed: int | None,
        device: "torch.device | str | None",
        augment: "Augment | None",
    ) -> None:
        import torch

        if size < 1:
            raise ValueError(f"A batch has at least one picture, not {size}.")
        if augment is not None and seed is None:
            raise ValueError("Augmentation draws at random: give batches a seed as well.")
        self.size, self.seed, self.augment = size, seed, augment
        self.epochs_begun = 0
        self.device = torch.device(device or "cpu")
        pixels = torch.from_numpy(np.ascontiguousarray(split.images))
        pixels = pixels.permute(0, 3, 1, 2).contiguous() if pixels.ndim == 4 else pixels.unsqueeze(1)
        self._pixels = pixels.to(self.device)
        self._labels = torch.from_numpy(np.ascontiguousarray(split.labels)).to(self.device)
        # x/255 → (x/255 − mean)/std as one multiplication and one addition.
        mean, std = (torch.tensor(values, dtype=torch.float64).view(-1, 1, 1) for values in (split.mean, split.std))
        self._scale = (1 / (255 * std)).float().to(self.device)
        self._shift = (-mean / std).float().to(self.device)

    def __len__(self) -> int:
        return -(-len(self._labels) // self.size)

    def __iter__(self) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        epoch = self.epochs_begun
        self.epochs_begun += 1
        return self.epoch(epoch)

    def epoch(self, number: int, first: int = 0) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        """The batches of one epoch, counted from 0, from batch `first` on; always the same ones."""
        import torch

        if self.seed is None:
            order = torch.arange(len(self._labels))
        else:
            order = torch.randperm(len(self._labels), generator=_generator(self.seed, number, 0))
        order = order.to(self.device)
        group = max(1, GROUP // (self.size * self._pixels[0].numel()))
        for start in range(first, len(self), group):
            places = order[start * self.size : (start + group) * self.size]
            pixels = torch.addcmul(self._shift, self._pixels[places].float(), self._scale)
            pairs = zip(pixels.split(self.size), self._labels[places].split(self.size), strict=True)
            for index, (images, labels) in enumerate(pairs, start):
                if self.augment is not None:
                    assert self.seed is not None
                    images = self.augment(images, _generator(self.seed, number, index + 1, device=self.device))
                yield images, labels


def batches(
    split: Split,
    size: int,
    seed: int | None = None,
    *,
    device: "torch.device | str | None" = None,
    augment: "Augment | None" = None,
) -> Batches:
    """Batches (images, labels) of a split, all of it every epoch; the last batch of an epoch may be smaller.

    Args:
        split: what to take them from.
        size: pictures a batch.
        seed: draws a new order for every epoch; None keeps the order of the split, for validation and testing.
        device: where the batches are, and the split with them; the CPU by default.
        augment: called with the images of a batch and a torch.Generator on their device, returns images.

    Each batch is a float32 tensor of shape (batch, channels, height, width), normalized by the split's mean and std,
    and an int64 tensor of labels on the same device.

    Raises:
        ImportError: torch is missing.
        ValueError: the size is no positive number, or augmentation without a seed.
    """
    try:
        return Batches(split, size, seed, device, augment)
    except ImportError as problem:
        raise ImportError("Batches are tensors of torch, which is missing: `pip install torch`.") from problem


def _generator(seed: int, epoch: int, stream: int, device: "torch.device | None" = None) -> "torch.Generator":
    """Stream 0 is for the order of an epoch, stream i + 1 for the augmentation of its batch i."""
    import torch

    (state,) = np.random.SeedSequence((seed, epoch, stream)).generate_state(1, np.uint64)
    return torch.Generator(device or "cpu").manual_seed(int(state >> np.uint64(1)))
