"""What usually goes wrong when a network is trained, found at the first batch where it can be, and said in words.

Where training would be pointless the checks raise ValueError; what may be meant is a remark. `advice` explains an
exception of torch that comes later.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from convbook.train.run import Run

IGNORED = -100  # cross_entropy's label for "no label here"


class FirstBatch:
    """Looks at the first batch of a `fit`, before the forward pass, after it and after the backward pass."""

    def __init__(self, run: "Run", say: Callable[[str], None]) -> None:
        self.run, self.say, self.pending = run, say, True
        # A loss of somebody's own may want any outputs and any labels.
        self.classifies = run.loss is nn.functional.cross_entropy

    def batch(self, images: Tensor, labels: Tensor) -> None:
        """Raises ValueError where this batch cannot train this model."""
        if not self.pending:
            return
        model = self.run.model
        if not model.training:
            raise ValueError("The model is in evaluation mode: call model.train() first.")
        self._parameters()
        self._images(images)
        if len(images) != len(labels):
            raise ValueError(f"The batch has {len(images)} images and {len(labels)} labels. It needs as many of both.")
        if self.classifies and labels.dtype != torch.int64 and not (labels.is_floating_point() and labels.ndim > 1):
            raise ValueError(f"The labels are {labels.dtype}; classes are numbered in int64: labels.long().")
        if len(images) == 1 and any(isinstance(part, _BatchNorm) and part.training for part in model.modules()):
            self.say(
                "The batch has 1 picture: batch norm takes its mean and variance from that picture alone. "
                "Take larger batches, or group norm."
            )

    def outputs(self, outputs: Tensor, labels: Tensor) -> None:
        """Raises ValueError where the labels do not number the outputs. On a GPU torch would not survive that."""
        if not self.pending or not self.classifies:
            return
        wanted = outputs.shape if labels.is_floating_point() else outputs.shape[:1] + outputs.shape[2:]
        if labels.shape != wanted:
            raise ValueError(
                f"Outputs of shape {tuple(outputs.shape)} go with labels of shape {tuple(wanted)}, "
                f"not {tuple(labels.shape)}."
            )
        used = labels[labels != IGNORED]
        if labels.is_floating_point() or not len(used):
            return
        low, high, classes = int(used.min()), int(used.max()), outputs.shape[1]
        if low < 0 or high >= classes:
            raise ValueError(
                f"The labels run from {low} to {high}, but {classes} outputs are numbered 0 to {classes - 1}. "
                "Number the labels from 0, or give the last layer an output for each class."
            )

    def gradients(self, outputs: Tensor, loss: Tensor) -> None:
        """Says what looks wrong after the backward pass."""
        if not self.pending:
            return
        self.pending = False
        idle = [name for name, p in self.run.model.named_parameters() if p.requires_grad and p.grad is None]
        if idle:
            self.say(f"No gradient reaches {_some(idle)}: the forward pass does not use it, or detaches it on the way.")
        if not self.classifies or not math.isfinite(first := float(loss.detach())):
            return  # a loss that is not finite stops the run when it is counted
        shares, classes = outputs.detach().float(), outputs.shape[1]
        if bool((shares >= 0).all()) and bool(((shares.sum(1) - 1).abs() < 1e-3).all()):
            self.say(
                "The outputs are probabilities, but cross-entropy expects scores and takes the softmax itself. "
                "Leave the last softmax out."
            )
        chance = math.log(classes)
        if self.run.step == 0 and classes > 1 and not chance / 2 < first < 2 * chance:
            cause = (
                "The first outputs are large: look at the initialization and at the scale of the images."
                if first > chance
                else "The network knows the answers already: was it trained before, or do the images show the labels?"
            )
            self.say(f"The first loss is {first:.2f}; guessing costs log {classes} = {chance:.2f}. {cause}")

    def _parameters(self) -> None:
        run = self.run
        places = {str(p.device) for p in run.model.parameters()}
        if places != {str(run.device)}:
            raise ValueError(
                f"The model lies on {', '.join(sorted(places))}; when the run was made it began on {run.device}. "
                "Move all of the model first, then make the optimizer and the run."
            )
        held = {id(p): p for group in run.optimizer.param_groups for p in group["params"]}
        named = dict(run.model.named_parameters())
        if not any(id(p) in held for p in named.values()):
            raise ValueError("The optimizer holds no parameter of this model. Make it again after making the model.")
        if not any(p.requires_grad for p in held.values()):
            raise ValueError("The optimizer holds frozen parameters only (requires_grad=False), so nothing can change.")
        left_out = [name for name, p in named.items() if p.requires_grad and id(p) not in held]
        if left_out:
            self.say(f"The optimizer does not hold {_some(left_out)}. If that is meant, freeze: requires_grad_(False).")

    def _images(self, images: Tensor) -> None:
        if not images.is_floating_point():
            raise ValueError(f"The images are whole numbers ({images.dtype}). Scale them first: images.float() / 255.")
        dtype = next(self.run.model.parameters()).dtype
        if images.dtype != dtype and self.run.precision is None:
            raise ValueError(f"The images are {images.dtype}, the weights {dtype}. Convert: images.to({dtype}).")
        if not bool(torch.isfinite(images).all()):
            raise ValueError("The images hold values that are infinite or no numbers. Look at how they are normalized.")


def same_device(model: torch.device, data: torch.device) -> None:
    """Raises ValueError where the data is on a GPU and the model elsewhere. From the CPU, batches are moved."""
    if data.type != "cpu" and data != model:
        raise ValueError(
            f"The model is on {model} and the data on {data}. "
            f"Move the model before making its optimizer: model.to({str(data)!r})."
        )


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def out_of_memory(error: BaseException) -> bool:
    """Whether it says that a GPU or this machine has no memory left."""
    text = str(error).lower()
    words = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and any(word in text for word in words)
    )


def gpu_lost(error: BaseException) -> bool:
    """Whether it says that the GPU answers no more in this process."""
    words = ("CUDA error", "CUDNN_STATUS", "cuDNN error", "CUBLAS_STATUS", "device-side assert")
    return isinstance(error, RuntimeError) and not out_of_memory(error) and any(word in str(error) for word in words)


#: A part of torch's message, and what to look at.
_KNOWN = (
    ("is out of bounds", "A label is no number of an output: labels run from 0 to the number of outputs minus 1."),
    (
        "Expected more than 1 value per channel",
        "Batch norm has met a batch with one value a channel, often the last batch of an epoch with one picture in it. "
        "Choose a batch size that leaves more over, or drop the last batch.",
    ),
    (
        "shapes cannot be multiplied",
        "A dense layer expects another number of features than the layer before gives. The first shape of the message "
        "has what arrives in its second number: make the layer's in_features that.",
    ),
    ("to have", "A convolution expects another number of channels than arrive: compare in_channels with the shape."),
    ("same device", "Part of the model, or a tensor made in its forward pass, is on another device than the data."),
    (
        "does not require grad",
        "Nothing that can change leads to the loss: are all parameters frozen, or is the output detached?",
    ),
    (
        "a second time",
        "The graph of an earlier batch is used again: a tensor kept between batches needs detach().",
    ),
    (
        "modified by an inplace operation",
        "An operation in place, such as += or ReLU(inplace=True), has overwritten what the backward pass needs.",
    ),
)


def advice(error: BaseException, run: "Run | None" = None) -> str:
    """What to look at when training has raised this, or "" where we know nothing better than the message."""
    if out_of_memory(error):
        return "There is no memory left for this batch. Take smaller batches, or a smaller network."
    if gpu_lost(error):
        return (
            "The GPU has stopped answering, and nothing runs on it until the kernel is restarted. A label out of range "
            "is a usual cause: the same run on the CPU would name it. The curves so far are kept."
        )
    if isinstance(error, FloatingPointError):
        rate = f" (here {run.optimizer.param_groups[0]['lr']:g})" if run else ""
        return (
            f"Usual causes: a learning rate that is too high{rate}, a logarithm, root or quotient of zero in the "
            "model or the loss, or an input that is not finite. Build the model again and try a tenth of the rate."
        )
    if isinstance(error, (IndexError, RuntimeError, ValueError)):
        return next((words for part, words in _KNOWN if part in str(error)), "")
    return ""
