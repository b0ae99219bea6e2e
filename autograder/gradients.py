"""Gradients through the student's process, and tests that would change a copy of a student's tensor.

`tie` makes the tensors of an answer part of the judge's graph: their backward pass is a question to the student's
process. So `y.backward()`, `torch.autograd.grad` and gradcheck mean here what they mean in JupyterLab. Second
derivatives do not cross.

A parameter that a test reads is a copy. A test that writes into it, or hands it to an optimizer, would change
nothing in the student's network, and a right answer would fail for no visible reason: that is an `AuthorError`.
"""

import weakref
from collections.abc import Iterable
from typing import Any

import torch

from autograder.halts import AuthorError
from autograder.proxies import Asks, Misused, StudentObject

# Copies of unchanged values are kept to compare with; beyond this many bytes they would cost more than they find.
_COMPARED_BYTES = 64 << 20


class _Bridge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, link: Asks, graph: StudentObject, results: list[Any], _: Any, *leaves: Any) -> Any:
        ctx.link, ctx.graph, ctx.leaves = link, graph, [(leaf.shape, leaf.dtype) for leaf in leaves]
        ctx.set_materialize_grads(False)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        if torch.is_grad_enabled():  # torch would go on and leave their part out
            raise AuthorError("Second derivatives do not cross: use a driver instead of create_graph=True.")
        found = ctx.link.ask("backward", ctx.graph, list(gradients))
        if type(found) is not list or len(found) != len(ctx.leaves):
            raise Misused("Your code's backward pass gave no list of gradients.")
        for gradient, (shape, dtype) in zip(found, ctx.leaves, strict=True):
            is_tensor = isinstance(gradient, torch.Tensor) and not isinstance(gradient, StudentObject)
            if gradient is not None and not (is_tensor and gradient.shape == shape and gradient.dtype == dtype):
                raise Misused("Your code's backward pass gave a gradient of another shape or type than its input.")
        return (None, None, None, torch.zeros(()), *found)


def tie(link: Asks, graph: StudentObject, results: list[Any], leaves: list[Any]) -> None:
    """Make `results` depend on `leaves` through the student's `graph`, in place.

    One more input stands for the student's own parameters: results require gradients where only those do, and its
    gradient arrives in a `backward()`, which adds to `.grad`, and not in an `autograd.grad`, which must not.
    """
    parameters = torch.zeros((), requires_grad=True)
    parameters.register_hook(lambda _: link.ask("accumulate", graph))
    _Bridge.apply(link, graph, results, parameters, *leaves)


class Snapshots:
    """Copies of the student's tensors that a test holds."""

    def __init__(self) -> None:
        self._held: list[tuple[weakref.ref[Any], Any]] = []

    def add(self, tensors: Iterable[Any]) -> None:
        for tensor in tensors:
            tensor._of_student = True
            size = sum(original.numel() * original.element_size() for _, original in self._held)
            if size + tensor.numel() * tensor.element_size() <= _COMPARED_BYTES:
                self._held.append((weakref.ref(tensor), tensor.detach().clone()))

    def check(self) -> None:
        """Compare what is still held with what arrived.

        Raises:
            AuthorError: the test changed a copy.
        """
        self._held = [each for each in self._held if each[0]() is not None]
        for reference, original in self._held:
            tensor = reference()
            if tensor is not None and not _same_bits(tensor.detach(), original):
                self._held = []
                raise AuthorError(
                    "The test writes into a tensor of the student's, which is a copy here: "
                    "use setattr, load_state_dict or a driver."
                )


def _same_bits(a: Any, b: Any) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype or not a.numel():
        return a.shape == b.shape and a.dtype == b.dtype
    return torch.equal(a.contiguous().reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))


def refuse_snapshots_in_optimizers() -> None:
    """From now on an optimizer made in this process refuses copies of a student's tensors."""
    add_param_group = torch.optim.Optimizer.add_param_group

    def checked(self: Any, param_group: dict[str, Any]) -> None:
        add_param_group(self, param_group)
        if any(hasattr(tensor, "_of_student") for tensor in param_group["params"]):
            raise AuthorError(
                "The test gives an optimizer a student's parameters, which are copies here: use a driver."
            )

    torch.optim.Optimizer.add_param_group = checked  # type: ignore[method-assign]
