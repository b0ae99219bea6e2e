"""Random layers and networks: what the arithmetic says is what torch does.

Receptive fields have an oracle that knows no formula: a pixel that is not a number makes every unit that sees it
not a number, whatever the weights. So one batch, with another row of the picture spoilt in each example, shows
which units see which rows.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convbook.shapes import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    Dense,
    Flatten,
    Layer,
    Norm,
    Pool,
    same_padding,
    table,
)
from convbook.shapes.layers import Map

pytestmark = pytest.mark.usefixtures("one_thread")

Pair = tuple[Layer, nn.Module]


class Same(nn.Module):
    """TensorFlow's "same" from torch's parts: pad as much as is needed, then convolve without padding."""

    def __init__(self, layer: Conv, conv: nn.Module, axes: int) -> None:
        super().__init__()
        self.layer, self.conv, self.axes = layer, conv, axes

    def forward(self, x: Tensor) -> Tensor:
        settings = zip(x.shape[2:], *(along(each, self.axes) for each in self.settings()), strict=True)
        return self.conv(F.pad(x, [side for each in list(settings)[::-1] for side in same_padding(*each)]))

    def settings(self) -> tuple:
        return self.layer.kernel, self.layer.stride, self.layer.dilation


def along(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def setting(draws: np.random.Generator, axes: int, low: int, high: int) -> int | tuple[int, ...]:
    """A number for all axes, or one for each."""
    if draws.integers(2):
        return int(draws.integers(low, high))
    return tuple(int(each) for each in draws.integers(low, high, axes))


def torch_class(name: str, axes: int) -> Callable[..., nn.Module]:
    return getattr(nn, f"{name}{axes}d")


def random_conv(draws: np.random.Generator, channels: int, axes: int) -> Pair:
    groups = int(draws.choice([each for each in range(1, channels + 1) if channels % each == 0]))
    out = groups * int(draws.integers(1, 3))
    kernel, stride, dilation = (setting(draws, axes, 1, high) for high in (5, 4, 4))
    bias = bool(draws.integers(2))
    same = draws.integers(4) == 0
    padding = "same" if same else setting(draws, axes, 0, 4)
    layer = Conv(out, kernel, stride, padding, dilation, groups, bias)
    conv = torch_class("Conv", axes)(
        channels, out, kernel, stride, 0 if same else padding, dilation, groups=groups, bias=bias
    )
    return layer, Same(layer, conv, axes) if same else conv


def random_transposed(draws: np.random.Generator, channels: int, axes: int) -> Pair:
    kernel, stride, dilation = (setting(draws, axes, 1, high) for high in (5, 4, 3))
    padding, extra = setting(draws, axes, 0, 3), setting(draws, axes, 0, 3)
    out, bias = int(draws.integers(1, 4)), bool(draws.integers(2))
    module = torch_class("ConvTranspose", axes)(channels, out, kernel, stride, padding, extra, 1, bias, dilation)
    return ConvTranspose(out, kernel, stride, padding, dilation, bias=bias, output_padding=extra), module


def random_pool(draws: np.random.Generator, channels: int, axes: int) -> Pair:
    kernel, padding, ceil = setting(draws, axes, 1, 5), setting(draws, axes, 0, 3), bool(draws.integers(2))
    stride = None if draws.integers(2) else setting(draws, axes, 1, 4)
    if axes < 3 and draws.integers(2):  # AvgPool3d refuses kernels larger than the input, however it is padded
        return Pool(kernel, stride, padding, 1, ceil), torch_class("AvgPool", axes)(kernel, stride, padding, ceil)
    dilation = setting(draws, axes, 1, 3)
    module = torch_class("MaxPool", axes)(kernel, stride, padding, dilation, ceil_mode=ceil)
    return Pool(kernel, stride, padding, dilation, ceil), module


def random_adaptive(draws: np.random.Generator, channels: int, axes: int) -> Pair:
    size = setting(draws, axes, 1, 9)
    return AdaptivePool(size), torch_class(str(draws.choice(["AdaptiveAvgPool", "AdaptiveMaxPool"])), axes)(size)


def random_unit(draws: np.random.Generator, channels: int, axes: int) -> Pair:
    if draws.integers(2):
        return Norm(), torch_class("BatchNorm", axes)(channels)
    return Activation(), nn.Tanh()


KINDS = [random_conv, random_transposed, random_pool, random_adaptive, random_unit]


def random_network(
    draws: np.random.Generator, shape: tuple[int, ...], *, dense: bool = True, most: int = 60
) -> tuple[list[Layer], nn.Sequential]:
    """Up to five layers that fit one another, and the same network in torch; no map is larger than `most`."""
    layers: list[Layer] = []
    modules: list[nn.Module] = []
    x, axes = Map.of_input(shape), len(shape) - 1
    for _ in range(int(draws.integers(1, 6))):
        kind = KINDS[draws.choice(5, p=[0.4, 0.2, 0.2, 0.1, 0.1])]
        layer, module = kind(draws, x.shape[0], axes)
        try:
            y = layer.output(x)
        except ValueError:
            continue
        if max(y.grid) <= most:
            layers.append(layer)
            modules.append(module)
            x = y
    if dense and draws.integers(2):
        layers += [Flatten(), Dense(3)]
        modules += [nn.Flatten(), nn.Linear(math.prod(x.shape), 3)]
    return layers, nn.Sequential(*modules)


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: kind.__name__)
def test_a_layer_has_the_size_that_torch_gives_and_is_refused_where_torch_refuses_it(kind: Callable[..., Pair]) -> None:
    draws = np.random.default_rng(6)
    fitting = 0
    for _ in range(1500):
        axes = int(draws.integers(1, 4))
        shape = (int(draws.integers(1, 5)), *(int(each) for each in draws.integers(1, 9, axes)))
        layer, module = kind(draws, shape[0], axes)
        try:
            expected = tuple(module(torch.zeros(1, *shape)).shape[1:])
            if 0 in expected:
                raise ValueError("A transposed convolution may give nothing without a word.")
        except (RuntimeError, ValueError):
            with pytest.raises(ValueError, match=r"\."):
                layer.output(Map.of_input(shape))
        else:
            assert layer.output(Map.of_input(shape)).shape == expected, (layer, shape)
            fitting += 1
    assert fitting > 300
    assert fitting < 1450 or kind is random_adaptive, "the draws must try layers that do not fit"


def test_a_list_and_its_torch_module_have_the_same_table_and_torch_counts_the_same_products() -> None:
    draws = np.random.default_rng(7)
    for _ in range(300):
        axes = int(draws.integers(1, 4))
        shape = (int(draws.integers(1, 5)), *(int(each) for each in draws.integers(3, 14, axes)))
        layers, module = random_network(draws, shape, most=20)
        if not layers:
            continue
        ours, theirs = table(layers, shape), table(module, shape)
        last = len(module) - 1
        assert theirs.notes == ()
        assert ours.rows[-1].output_shape == theirs.rows[-1].output_shape, layers
        assert ours.rows[-1].fields == theirs.rows[-1].fields, layers
        assert (ours.parameters, ours.multiply_adds) == (theirs.parameters, theirs.multiply_adds), layers
        assert ours.parameters == sum(each.numel() for each in module.parameters())
        if not isinstance(module[last], Same):
            named = {row.name: row for row in theirs.rows}
            assert ours.rows[-1].kernel == named[str(last)].kernel
        with FlopCounterMode(display=False) as counter:
            module.eval()(torch.zeros(1, *shape))
        assert counter.get_total_flops() == 2 * theirs.multiply_adds, "torch counts a multiply-add as two operations"


def seen_by_torch(module: nn.Module, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Which units along one axis see which rows of the picture: booleans of shape (rows, units)."""
    rows = shape[1 + axis]
    x = torch.zeros(rows, *shape, dtype=torch.float64)
    for row in range(rows):
        x[row].select(1 + axis, row).fill_(math.nan)
    y = module.eval().double()(x).isnan()
    others = [each for each in range(1, y.dim()) if each != 2 + axis]
    return (y.any(dim=others) if others else y).numpy()


@pytest.mark.parametrize(("shape", "cases"), [((2, 60), 1200), ((1, 34, 26), 200), ((1, 14, 12, 13), 40)])
def test_a_unit_sees_from_the_first_to_the_last_pixel_of_its_field(shape: tuple[int, ...], cases: int) -> None:
    draws = np.random.default_rng(8)
    inner = alternating = 0
    for _ in range(cases):
        layers, module = random_network(draws, shape, dense=False)
        if not layers:
            continue
        rows = table(layers, shape).rows
        row = rows[-1]
        for axis, field in enumerate(row.fields):
            n, margin = shape[1 + axis], field.size + 3 * max(each.jump[axis] for each in rows)
            seen = seen_by_torch(module, shape, axis)
            for unit in range(row.output_shape[1 + axis]):
                pixels, span = np.flatnonzero(seen[:, unit]), field.sees(unit)
                first, last = span or (0, -1)
                assert all(first <= pixel <= last for pixel in pixels), (layers, axis, unit)
                # Near the border part of what a unit would see is padding, or cropped.
                if span and margin <= first and last < n - margin:
                    assert (pixels.min(initial=n), pixels.max(initial=-1)) == (first, last), (layers, axis, unit)
                    inner += 1
                    alternating += len(field.spans) > 1
    assert inner > 2 * cases and alternating > cases / 4


def test_the_jump_is_the_distance_between_the_centers_of_neighbors() -> None:
    draws = np.random.default_rng(9)
    for _ in range(200):
        layers, _ = random_network(draws, (1, 40), dense=False)
        for row in table(layers, (1, 40)).rows if layers else ():
            (field,) = row.fields
            turn = len(field.spans)
            if field.center(0) is not None:
                assert field.center(turn) - field.center(0) == turn * field.jump
            sizes = [last - first + 1 for first, last in filter(None, map(field.sees, range(turn)))]
            assert field.size == max(sizes, default=0)


def test_a_chain_follows_the_recursion_of_araujo_et_al() -> None:
    draws = np.random.default_rng(10)
    for _ in range(200):
        size, jump, start, layers = 1, 1, 0, []
        for k, s, p, d in draws.integers([1, 1, 0, 1], [6, 4, 4, 4], (4, 4)).tolist():
            layers.append(Conv(1, k, s, p, d))
            size, jump, start = size + d * (k - 1) * jump, s * jump, start - p * jump
        row = table(layers, (1, 4000)).rows[-1]
        assert (row.receptive_field, row.jump, row.start) == ((size,), (jump,), (start,))
        assert row.fields[0].center() == start + (size - 1) / 2
