"""What is measured while a run trains, without making a GPU wait at every batch."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from convbook.train.history import History

POINTS = 20  # of the curves, an epoch
LONGEST = 50  # batches between two points


class Meter:
    """Sums over an epoch and over the batches since the last point of the curves.

    A batch leaves two numbers on its device, loss and right answers. They are read together at the next point, since
    reading one makes the host wait until the GPU has come so far; gradients are measured at the points only.
    """

    def __init__(self, model: nn.Module, batches: int) -> None:
        self.batches, self.every = batches, min(max(1, batches // POINTS), LONGEST)
        owned = [(name, module.parameters(recurse=False)) for name, module in model.named_modules()]
        layers = [(name or "model", [p for p in parameters if p.requires_grad]) for name, parameters in owned]
        self.layers = [(name, parameters) for name, parameters in layers if parameters]
        self.history = History(layers=[name for name, _ in self.layers])
        self.unread: list[tuple[Tensor, int]] = []
        self.window = [0.0, 0.0, 0]  # sum of losses, right answers, labels, since the last point
        self.total = [0.0, 0.0, 0]  # the same since the epoch began

    def record(self, loss: Tensor, outputs: Tensor, labels: Tensor, epoch: int, batch: int, step: int) -> None:
        """Count a batch; `batch` and `step` count from 1. Raises FloatingPointError at a point, see `read`."""
        right, count = hits(outputs, labels)
        self.unread.append((torch.stack((loss.detach().float(), right)), count))
        if batch % self.every == 0 or batch == self.batches or step == 1:
            norms = gradient_norms([parameters for _, parameters in self.layers])
            self.read(step)
            point: dict[str, Any] = {"step": step, "epoch": epoch + batch / self.batches}
            point |= _means(self.window)
            point |= {"gradient": math.hypot(*norms), "layers": norms}
            self.history.points.append(point)
            self.window = [0.0, 0.0, 0]

    def read(self, step: int) -> None:
        """Fetch what the batches up to `step` have left. Raises FloatingPointError where a loss is not finite."""
        counts = [count for _, count in self.unread]
        values = torch.stack([measured for measured, _ in self.unread]).tolist() if counts else []
        self.unread = []
        for place, (loss, right) in enumerate(values):
            if not math.isfinite(loss):
                number = step - len(values) + place + 1
                within = (number - 1) % self.batches + 1
                epoch = (number - 1) // self.batches + 1
                raise FloatingPointError(f"The loss became {loss} at batch {within} of epoch {epoch} (step {number}).")
            for sums in (self.window, self.total):
                sums[0] += loss * counts[place]
                sums[1] += right
                sums[2] += counts[place]

    def end_epoch(self, epoch: int, validation: dict[str, float], rate: float, seconds: float) -> None:
        """A row of the history; `epoch` counts from 1."""
        row: dict[str, float] = {"epoch": epoch, **_means(self.total)}
        row |= {f"validation_{name}": value for name, value in validation.items()}
        self.history.rows.append(row | {"rate": rate, "seconds": seconds})
        self.total = [0.0, 0.0, 0]

    def state(self) -> dict[str, Any]:
        """All that has been measured, as plain numbers; nothing must be unread."""
        return {**vars(self.history), "window": self.window, "total": self.total}

    def restore(self, state: dict[str, Any]) -> None:
        self.window, self.total = state["window"], state["total"]
        self.history.rows, self.history.points = state["rows"], state["points"]


def hits(outputs: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """How many labels the largest output is right about, and of how many; NaN where outputs are no scores of classes.

    Outputs have shape (n, classes, …), labels (n, …), or the shape of the outputs where they are shares of classes.
    """
    if outputs.ndim > 1 and labels.shape == outputs.shape:
        labels = labels.argmax(1)
    if outputs.ndim < 2 or labels.shape != outputs.shape[:1] + outputs.shape[2:]:
        return torch.full((), math.nan, device=outputs.device), len(labels)
    return (outputs.argmax(1) == labels).sum().float(), labels.numel()


def gradient_norms(layers: list[list[nn.Parameter]]) -> list[float]:
    """The Euclidean norm of the gradient of each layer, over all its parameters; 0 where there is none."""
    if not layers:
        return []
    norms = [
        torch.stack([torch.zeros_like(p.sum()) if p.grad is None else p.grad.norm() for p in parameters]).norm()
        for parameters in layers
    ]
    return torch.stack(norms).tolist()


def _means(sums: list[float]) -> dict[str, float]:
    return {"loss": sums[0] / sums[2], "accuracy": sums[1] / sums[2]}
