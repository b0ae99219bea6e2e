"""The table of any torch module: it runs once, on tensors without values, and tells what it does.

Theory of operation. Parameters, buffers and input are on torch's "meta" device: shapes flow, no number does. Hooks
say which module is at work. A dispatch mode sees every operation that torch is asked for, whether a layer asks or a
line of Python in some `forward`, and does three things: it counts the multiply-adds, it works out what the units of
the result see of the input, and it lets torch work out the shape.

What the units see goes along with each tensor. A tensor that no rule covers gets None, and so does all that
follows from it; the table then says at which layer the trail was lost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from convbook.shapes import operations, trail
from convbook.shapes.layers import Map, Shape
from convbook.shapes.table import Row, Table
from convbook.shapes.trail import LostError, Seen


def table_of_module(module: nn.Module, input_shape: Shape) -> Table:
    """The table of a torch module for one picture of this shape, channels first; see `convbook.shapes.table`."""
    picture = Map.of_input(input_shape)
    tensors = {name: _without_values(each) for name, each in [*module.named_parameters(), *module.named_buffers()]}
    types = [each.dtype for each in tensors.values() if each.is_floating_point()]
    x = torch.empty((1, *input_shape), device="meta", dtype=types[0] if types else torch.get_default_dtype())
    walk = _Walk(module)
    walk.see(x, Seen(picture.fields, picture.grid, picture.flat))
    with _evaluating(module), walk.hooked(), torch.device("meta"):
        try:
            with walk:
                torch.func.functional_call(module, tensors, (x,))
        except Exception as error:
            raise ValueError(walk.explain(error)) from error
    return walk.table()


def _without_values(tensor: Tensor) -> Tensor:
    """Its shape and type. With gradients on, as in training, torch takes no shortcut that would hide what it does."""
    empty = torch.empty_like(tensor, device="meta")
    return empty.requires_grad_() if isinstance(tensor, nn.Parameter) and empty.is_floating_point() else empty


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    before = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for each, training in before:
            each.training = training


@dataclass
class _Step:
    """A row in the making."""

    name: str
    kind: str
    kernel: str = ""
    shape: Shape = ()
    parameters: int = 0
    multiply_adds: int = 0
    seen: Seen | None = None


class _Walk(TorchDispatchMode):
    """Writes down what a module does, a step for each layer without children and each operation between layers."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._names = {each: name for name, each in module.named_modules()}
        self._root = type(module).__name__
        self._own = {each: [(id(p), p.numel()) for p in each.parameters(recurse=False)] for each in module.modules()}
        self._counted: set[int] = set()
        self._known: dict[int, tuple[Tensor, Seen | None]] = {}  # keeps each tensor, so that no id is used again
        self._lost: set[int] = set()  # memory of which some part holds what no rule could follow
        self._at_work: list[tuple[nn.Module, _Step | None, Shape]] = []
        self._steps: list[_Step] = []
        self._notes: list[str] = []

    def see(self, tensor: Tensor, seen: Seen | None) -> None:
        self._known[id(tensor)] = (tensor, seen)
        if seen is None:
            self._lost.add(_memory(tensor))

    def _sources(self, a: operations.Arguments) -> list[Seen | None]:
        """What is known of the arguments that come from the picture; None for one that is lost."""
        sources = []
        for each in tree_leaves(a):
            if id(each) in self._known:
                sources.append(self._known[id(each)][1])
            elif isinstance(each, Tensor) and _memory(each) in self._lost:
                sources.append(None)
        return sources

    def table(self) -> Table:
        rows = [
            Row(s.name, s.kind, s.kernel, s.shape, s.parameters, s.multiply_adds, s.seen.fields if s.seen else None)
            for s in [*self._steps, *self._not_called()]
        ]
        return Table(tuple(rows), tuple(dict.fromkeys(self._notes)))

    def _not_called(self) -> list["_Step"]:
        """Modules whose parameters no step has counted."""
        counts = [(name, type(each).__name__, self._take_parameters(each)) for each, name in self._names.items()]
        steps = [_Step(name or self._root, kind, parameters=count) for name, kind, count in counts if count]
        if steps:
            names = ", ".join(step.name for step in steps)
            self._notes.append(f"Not called by themselves, so that only their parameters are known: {names}.")
        return steps

    # ---- which module is at work ----

    @contextmanager
    def hooked(self) -> Iterator[None]:
        handles = []
        for module in self._names:
            handles.append(module.register_forward_pre_hook(self._enter, prepend=True, with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        step = None
        if not any(True for _ in module.children()):
            step = _Step(self._names[module] or self._root, type(module).__name__)
            step.parameters = self._take_parameters(module)
            self._steps.append(step)
        shapes = [tuple(each.shape[1:]) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        self._at_work.append((module, step, shapes[0] if shapes else ()))

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        _, step, _ = self._at_work.pop()
        if step is not None and isinstance(output, Tensor):
            step.shape = tuple(output.shape[1:])
            step.seen = self._known.get(id(output), (output, None))[1]

    def _take_parameters(self, module: nn.Module) -> int:
        """How many numbers of the module's own have not been counted yet."""
        fresh = {key: count for key, count in self._own[module] if key not in self._counted}
        self._counted |= fresh.keys()
        return sum(fresh.values())

    def _where(self) -> str:
        return (self._names[self._at_work[-1][0]] if self._at_work else "") or self._root

    # ---- what it does ----

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        a = operations.arguments_of(func, args, kwargs or {})
        name = operations.name_of(func)
        operations.check_size(name, a)
        result = func(*args, **(kwargs or {}))
        out = [each for each in tree_leaves(result) if isinstance(each, Tensor)]
        sources = [] if name in trail.CONSTANTS else self._sources(a)
        seen = None
        if out and sources:
            seen = self._follow(func, a, sources, out[0])
            for each in out:
                self.see(each, seen)
        if out and (sources or name in operations.MULTIPLY_ADDS):
            self._write(func, a, sources[0] if sources else None, out[0], seen)
        return result

    def _follow(self, func: Any, a: operations.Arguments, sources: list[Seen | None], out: Tensor) -> Seen | None:
        followed = [each for each in sources if each is not None]
        if len(followed) < len(sources):
            return None
        try:
            return trail.follow(func, a, followed, out)
        except LostError as lost:
            self._notes.append(f"{self._where()}: receptive fields are unknown from here on, since {lost}.")
            return None

    def _write(self, func: Any, a: operations.Arguments, before: Seen | None, out: Tensor, seen: Seen | None) -> None:
        name, (module, step, _) = operations.name_of(func), self._at_work[-1]
        if step is None:
            where, label = self._names[module], trail.step_of(func, before, seen)
            if not label:
                return
            step = _Step(f"{where}.{label}" if where else label, "function", seen=seen)
            step.shape, step.parameters = tuple(out.shape[1:]), self._take_parameters(module)
            self._steps.append(step)
        step.kernel = step.kernel or operations.kernel_of(name, a, len(before.fields) if before else 0)
        if name in operations.MULTIPLY_ADDS:
            step.multiply_adds += operations.MULTIPLY_ADDS[name](a, out)
        elif not trail.is_free(func):
            self._notes.append(f"{self._where()}: the multiply-adds of {name} are not counted.")

    def explain(self, error: Exception) -> str:
        """An error of the run, with the layer in which it came up."""
        shape = self._at_work[-1][2] if self._at_work else ()
        kind = type(self._at_work[-1][0]).__name__ if self._at_work else self._root
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        text = f"{self._where()} ({kind}) cannot run on an input of shape {shape}: {reason}"
        if "meta" in text:
            text += " (The network runs here on tensors without values: its code must not look at a value.)"
        return text


def _memory(tensor: Tensor) -> int:
    """Which memory it lies in: the same for a tensor and its views."""
    return tensor.untyped_storage()._cdata
