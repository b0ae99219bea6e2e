"""A training run: what is trained on what, and all that an interrupted run needs to go on as if nothing had happened.

Which batches an epoch has depends on (seed, epoch), and what a batch draws on (seed, step). So the position of a run is
three numbers; with them go the states of model, optimizer, schedule and loss scale, and what has been measured.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from convbook.train.checks import same_device
from convbook.train.history import History
from convbook.train.meter import Meter
from convbook.train.randomness import Draws, borrowed, turns

Batch = tuple[Tensor, Tensor]


@dataclass(eq=False)
class Run:
    """A model with its optimizer and its data.

    Attributes:
        model: gives outputs of shape (n, classes, …). `fit` trains it where it is, in the modes that its modules
            are in: what you set to `eval()`, a frozen batch norm for example, stays so.
        train: batches (images, labels) to train on: `convbook.data.batches`, a DataLoader or a list. With a method
            `epoch(number, first)` a run that resumes starts in the middle of an epoch; else it reads up to there.
        optimizer: over parameters of this model.
        validation: batches to evaluate on after each epoch.
        schedule: a scheduler of torch.optim.lr_scheduler; it steps after every batch.
        loss: of (outputs, labels); cross-entropy of scores by default.
        clip: the largest norm that the gradient over all parameters may have; None does not clip.
        seed: of what the model draws in training, such as the masks of dropout.
        name: for curves that compare runs.
        checkpoint: a file that is written after each epoch and at an interrupt, and read by the first `fit`.
        mixed: compute in 16 bits where a GPU can.
        epoch, batch, step: complete epochs, batches done of the present one, batches done in all.
        stop: set it from another thread, and `fit` stops before the next batch.
    """

    model: nn.Module
    train: Iterable[Batch]
    optimizer: torch.optim.Optimizer
    validation: Iterable[Batch] | None = None
    schedule: LRScheduler | None = None
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy
    clip: float | None = None
    seed: int = 0
    name: str = ""
    checkpoint: str | Path | None = None
    mixed: bool = True
    epoch: int = field(default=0, init=False)
    batch: int = field(default=0, init=False)
    step: int = field(default=0, init=False)
    stop: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def __post_init__(self) -> None:
        parameter = next(self.model.parameters(), None)
        if parameter is None:
            raise ValueError("This model has no parameters, so there is nothing to train.")
        try:
            self.batches = len(self.train)  # type: ignore[arg-type]
        except TypeError:
            raise ValueError("The training data has no len(). Give data.batches, a DataLoader or a list.") from None
        if self.batches == 0:
            raise ValueError("The training data has no batch.")
        self.device = parameter.device
        self.precision: torch.dtype | None = None
        if self.device.type == "cuda":
            self.model.to(memory_format=torch.channels_last)
            if self.mixed:
                native = torch.cuda.is_bf16_supported(including_emulation=False)
                self.precision = torch.bfloat16 if native else torch.float16
        # Gradients in float16 underflow without a scale; bfloat16 has the range of float32.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)
        self.draws = Draws(self.seed, self.device)
        self.meter = Meter(self.model, self.batches)
        self.recipe = self._recipe()
        self._seconds, self._since = 0.0, 0.0

    @property
    def history(self) -> History:
        """What has been measured so far."""
        return self.meter.history

    @property
    def seconds(self) -> float:
        """Spent in `fit` so far."""
        return self._seconds + (time.perf_counter() - self._since if self._since else 0.0)

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._seconds = value

    def start_clock(self) -> None:
        self._since = time.perf_counter()

    def stop_clock(self) -> None:
        self._seconds, self._since = self.seconds, 0.0

    def left(self) -> Iterator[Batch]:
        """The batches of this epoch that are still to come, on the model's device."""
        return self.moved(self._epoch())

    def moved(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches on the model's device; KeyboardInterrupt before the next one where `stop` is set."""
        for images, labels in batches:
            if self.stop.is_set():
                raise KeyboardInterrupt
            same_device(self.device, images.device)
            images = images.to(self.device, non_blocking=True)
            if self.device.type == "cuda" and images.ndim == 4:
                images = images.contiguous(memory_format=torch.channels_last)
            yield images, labels.to(self.device, non_blocking=True)

    def where(self) -> str:
        """How far the run has come, for a sentence."""
        batch = f"batch {self.batch} of {self.batches} in epoch {self.epoch + 1}"
        return batch if self.batch or not self.epoch else f"epoch {self.epoch}"

    def _epoch(self) -> Iterator[Batch]:
        if hasattr(self.train, "epoch"):
            yield from self.train.epoch(self.epoch, self.batch)
            return
        # A DataLoader draws its order from torch's generator at the first batch, and may augment at any.
        epoch, first, source = self.epoch, self.batch, iter(self.train)
        for index in range(self.batches):
            with turns, borrowed(torch.device("cpu"), self.seed, epoch, index):
                batch = next(source)
            if index >= first:
                yield batch

    def autocast(self) -> AbstractContextManager[Any]:
        """Around the forward pass: 16 bits where the run is mixed."""
        return torch.autocast(self.device.type, self.precision) if self.precision else nullcontext()

    def record(self, loss: Tensor, outputs: Tensor, labels: Tensor) -> None:
        """Count a batch that is done."""
        self.batch, self.step = self.batch + 1, self.step + 1
        self.meter.record(loss, outputs, labels, self.epoch, self.batch, self.step)

    def end_epoch(self, validation: dict[str, float]) -> None:
        rate = float(self.optimizer.param_groups[0]["lr"])
        self.meter.end_epoch(self.epoch + 1, validation, rate, self.seconds)
        self.epoch, self.batch = self.epoch + 1, 0

    def _recipe(self) -> dict[str, str]:
        """What two runs must share for one to go on where the other stopped, in words."""
        groups = [{k: v for k, v in group.items() if k != "params"} for group in self.optimizer.param_groups]
        shapes = {name: tuple(value.shape) for name, value in self.model.state_dict().items()}
        schedule = self.schedule and {k: v for k, v in self.schedule.state_dict().items() if not k.startswith("_")}
        return {
            "model": f"{type(self.model).__name__} {shapes}",
            "optimizer": f"{type(self.optimizer).__name__} {groups}",
            "schedule": f"{type(self.schedule).__name__} {schedule}" if schedule else "none",
            "number of batches": str(self.batches),
            "seed": str(self.seed),
            "clip": str(self.clip),
        }
