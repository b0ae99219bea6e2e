"""Layers as data: enough of each to work out sizes, parameters, multiply-adds and receptive fields.

A network is a list of them, as in `[Conv(6, 5, padding=2), Activation(), Pool(2), Flatten(), Dense(10)]`. Settings
mean what they mean in torch.nn, for one, two or three axes; a number holds for every axis, a tuple has one an axis.
A multiply-add is one product added to a sum. Biases, normalization, activations and pooling are not counted.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from convbook.shapes.field import Field
from convbook.shapes.sizes import at_least, output_size, same_padding, transposed_size

Shape = tuple[int, ...]  # (channels, rows, columns), (channels, length), …; (features,) once flat
Setting = int | tuple[int, ...]


@dataclass(frozen=True)
class Map:
    """What goes from layer to layer, for one picture.

    Attributes:
        shape: channels first, then units along each axis; (features,) once flat.
        grid: units along each axis of the picture, which a flat map remembers.
        fields: what the units see along each axis of the picture.
    """

    shape: Shape
    grid: Shape
    fields: tuple[Field, ...]

    @classmethod
    def of_input(cls, shape: Shape) -> "Map":
        """A picture, in which each pixel sees itself."""
        for size in shape:
            at_least(1, **{"a size of the input": size})
        if not shape:
            raise ValueError("The input shape is empty. Give it without the batch, channels first: (3, 224, 224).")
        return cls(shape, shape[1:], tuple(Field() for _ in shape[1:]))

    @property
    def flat(self) -> bool:
        return len(self.shape) == 1

    def seen_whole(self) -> tuple[Field, ...]:
        """The fields of a unit that looks at the whole map."""
        return tuple(each.whole(n) for each, n in zip(self.fields, self.grid, strict=True))


@dataclass(frozen=True)
class Layer:
    """What every layer can say about the map that it makes of another. Raises ValueError where they do not fit."""

    name: str = field(default="", kw_only=True)

    def output(self, x: Map) -> Map:
        """The map that follows."""
        return x

    def parameters(self, x: Map) -> int:
        """Numbers that training changes."""
        return 0

    def multiply_adds(self, x: Map) -> int:
        """Products for one picture."""
        return 0

    def setting(self, x: Map) -> str:
        """The kernel as tables print it."""
        return ""


@dataclass(frozen=True)
class _Convolution(Layer):
    channels: int
    kernel: Setting
    stride: Setting = 1
    padding: Setting | str = 0
    dilation: Setting = 1
    groups: int = 1
    bias: bool = True

    def parameters(self, x: Map) -> int:
        return self._weights(x) + self.bias * self.channels

    def setting(self, x: Map) -> str:
        kernel, stride, dilation = _along(x, kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        return describe(kernel, stride, dilation, groups=self.groups)

    def _weights(self, x: Map) -> int:
        """A kernel of its own for each pair of an input and an output channel in the same group."""
        return self.channels * (x.shape[0] // self.groups) * math.prod(_along(x, kernel=self.kernel)[0])

    def _check_groups(self, x: Map) -> None:
        at_least(1, channels=self.channels, groups=self.groups)
        for count, side in ((x.shape[0], "input"), (self.channels, "output")):
            if count % self.groups:
                raise ValueError(f"groups is {self.groups}; it must divide the {count} {side} channels.")


@dataclass(frozen=True)
class Conv(_Convolution):
    """A convolution. `padding="same"` gives ⌈n/s⌉ units: TensorFlow's meaning, and torch's at stride 1."""

    def output(self, x: Map) -> Map:
        kernel, stride, dilation = _along(x, kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        self._check_groups(x)
        if self.padding == "same":
            padding = [same_padding(*each) for each in zip(x.grid, kernel, stride, dilation, strict=True)]
        elif isinstance(self.padding, str):
            raise ValueError(f'padding is {self.padding!r}; it must be a number, a tuple or "same".')
        else:
            padding = [(each, each) for each in _along(x, padding=self.padding)[0]]
        settings = list(zip(kernel, stride, padding, dilation, strict=True))
        grid = tuple(output_size(n, *each) for n, each in zip(x.grid, settings, strict=True))
        fields = tuple(f.slide(k, s, p[0], d) for f, (k, s, p, d) in zip(x.fields, settings, strict=True))
        return Map((self.channels, *grid), grid, fields)

    def multiply_adds(self, x: Map) -> int:
        return self._weights(x) * math.prod(self.output(x).grid)


@dataclass(frozen=True)
class ConvTranspose(_Convolution):
    """A transposed convolution. Every weight meets every unit of the input, also where padding crops the product."""

    output_padding: Setting = 0

    def output(self, x: Map) -> Map:
        kernel, stride, padding, dilation, extra = _along(
            x,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            output_padding=self.output_padding,
        )
        self._check_groups(x)
        settings = list(zip(kernel, stride, padding, dilation, strict=True))
        grid = tuple(transposed_size(n, *each, a) for n, each, a in zip(x.grid, settings, extra, strict=True))
        fields = tuple(f.slide_transposed(*each) for f, each in zip(x.fields, settings, strict=True))
        return Map((self.channels, *grid), grid, fields)

    def multiply_adds(self, x: Map) -> int:
        return self._weights(x) * math.prod(x.grid)


@dataclass(frozen=True)
class Pool(Layer):
    """Max or average pooling; without a stride windows lie side by side. Average pooling knows no dilation."""

    kernel: Setting
    stride: Setting | None = None
    padding: Setting = 0
    dilation: Setting = 1
    ceil_mode: bool = False

    def output(self, x: Map) -> Map:
        kernel, stride, dilation = self._settings(x)
        (padding,) = _along(x, padding=self.padding)
        settings = list(zip(kernel, stride, padding, dilation, strict=True))
        for k, _, p, _ in settings:
            if p > k // 2:
                raise ValueError(f"padding is {p}; a pooling of size {k} may have at most half its size, {k // 2}.")
        grid = tuple(output_size(n, *each, ceil_mode=self.ceil_mode) for n, each in zip(x.grid, settings, strict=True))
        fields = tuple(f.slide(*each) for f, each in zip(x.fields, settings, strict=True))
        return Map((x.shape[0], *grid), grid, fields)

    def setting(self, x: Map) -> str:
        return describe(*self._settings(x))

    def _settings(self, x: Map) -> list[tuple[int, ...]]:
        stride = self.kernel if self.stride is None else self.stride
        return _along(x, kernel=self.kernel, stride=stride, dilation=self.dilation)


@dataclass(frozen=True)
class AdaptivePool(Layer):
    """Pooling to a given size, whatever the input's: `AdaptivePool()` is global pooling, to one unit."""

    size: Setting = 1

    def output(self, x: Map) -> Map:
        (grid,) = _along(x, size=self.size)
        for size in grid:
            at_least(1, size=size)
        fields = tuple(f.resize(n, size) for f, n, size in zip(x.fields, x.grid, grid, strict=True))
        return Map((x.shape[0], *grid), grid, fields)


@dataclass(frozen=True)
class Norm(Layer):
    """Batch, group or layer normalization with a scale and a shift a channel."""

    def parameters(self, x: Map) -> int:
        return 2 * x.shape[0]


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each number by itself; it changes nothing that is counted here."""


@dataclass(frozen=True)
class Flatten(Layer):
    """All units of all channels in one row."""

    def output(self, x: Map) -> Map:
        return Map((math.prod(x.shape),), x.grid, x.fields)


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer: every unit sees the whole map."""

    features: int
    bias: bool = True

    def output(self, x: Map) -> Map:
        at_least(1, features=self.features)
        if not x.flat:
            raise ValueError(f"It needs a flat row of features, and the map has the shape {x.shape}: Flatten it first.")
        return Map((self.features,), tuple(1 for _ in x.grid), x.seen_whole())

    def parameters(self, x: Map) -> int:
        return self.features * (x.shape[0] + self.bias)

    def multiply_adds(self, x: Map) -> int:
        return self.features * x.shape[0]


def describe(
    kernel: Iterable[int], stride: Iterable[int] = (), dilation: Iterable[int] = (), *, groups: int = 1
) -> str:
    """A kernel as tables print it: "3×3, stride 2, groups 32"; what is 1 goes without saying."""
    parts = ["×".join(map(str, kernel))]
    for word, values in (("stride", tuple(stride)), ("dilation", tuple(dilation))):
        if set(values) - {1}:
            parts.append(f"{word} {'×'.join(map(str, values if len(set(values)) > 1 else values[:1]))}")
    return ", ".join([*parts, f"groups {groups}"] if groups > 1 else parts)


def _along(x: Map, **settings: Setting | str) -> list[tuple[int, ...]]:
    """Each setting as a tuple with a number for each axis of the map."""
    if x.flat:
        raise ValueError(f"It needs a map with channels and axes; a flat row of {x.shape[0]} features has none.")
    axes = len(x.grid)
    values = []
    for name, setting in settings.items():
        if isinstance(setting, str):
            raise TypeError(f"{name} is {setting!r}; it must be a whole number, or a tuple of one for each axis.")
        value = setting if isinstance(setting, tuple) else (setting,) * axes
        if len(value) != axes:
            raise ValueError(f"{name} is {setting}, for {len(value)} axes; the map of shape {x.shape} has {axes}.")
        values.append(value)
    return values
