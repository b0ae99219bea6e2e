"""What is known of torch's operations: their arguments, their kernels and their multiply-adds.

Operations are those of ATen, https://docs.pytorch.org/docs/stable/torch.compiler_ir.html, by name: whatever layer or
line of Python asks for a convolution, `convolution` is what arrives. `Arguments` holds them by their names there.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch._ops import OpOverload

from convbook.shapes.layers import describe
from convbook.shapes.sizes import output_size

Arguments = dict[str, Any]

POOLINGS = {
    f"{kind}{axes}d{end}" for axes in (1, 2, 3) for kind, end in (("max_pool", "_with_indices"), ("avg_pool", ""))
}


def arguments_of(operation: OpOverload, args: Sequence[Any], kwargs: Arguments) -> Arguments:
    """All arguments by name, with the defaults of what was not given."""
    expected = operation._schema.arguments
    given = dict(zip((each.name for each in expected), args, strict=False)) | kwargs
    return {each.name: given.get(each.name, each.default_value) for each in expected}


def name_of(operation: OpOverload) -> str:
    """Its name without the marks of variants: add for add_.Tensor, mean for mean.dim."""
    return str(operation.overloadpacket.__name__).removesuffix("_")


def kernel_of(name: str, a: Arguments, axes: int) -> str:
    """The kernel along the last `axes` axes as tables print it; "" for an operation without one.

    Torch pools a row as a picture of height 1; with `axes` 1 that height stays out of the text.
    """
    if name == "convolution":
        return describe(a["weight"].shape[2:], a["stride"], a["dilation"], groups=a["groups"])
    if name not in POOLINGS:
        return ""
    kernel, stride, _, dilation = (each[-axes:] for each in pooling(a))
    return describe(kernel, stride, dilation)


def check_size(name: str, a: Arguments) -> None:
    """Refuse an input that does not fit, in words that say why."""
    if name == "convolution":
        shape, weight = a["input"].shape, a["weight"].shape
        channels = weight[0] if a["transposed"] else weight[1] * a["groups"]
        _check_count("channels", channels, shape[1])
        if not a["transposed"]:
            for n, k, s, p, d in zip(shape[2:], weight[2:], a["stride"], a["padding"], a["dilation"], strict=True):
                output_size(n, k, s, p, d)
    elif name == "addmm":
        _check_count("features", a["mat2"].shape[0], a["mat1"].shape[1])
    elif name in POOLINGS:
        settings = pooling(a)
        for n, k, s, p, d in zip(a["self"].shape[-len(settings[0]) :], *settings, strict=True):
            output_size(n, k, s, p, d, ceil_mode=a["ceil_mode"])


def _check_count(what: str, expected: int, found: int) -> None:
    if found != expected:
        raise ValueError(f"It has weights for {expected} {what}, and gets {found}.")


def pooling(a: Arguments) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]:
    """Kernel, stride, padding and dilation of a pooling, one number an axis each."""
    kernel = a["kernel_size"]
    settings = (a["stride"] or kernel, a["padding"], a.get("dilation", [1]))
    axes = len(kernel)
    stride, padding, dilation = ([*each] * axes if len(each) == 1 else [*each] for each in settings)
    return kernel, stride[:axes], padding[:axes], dilation[:axes]


def _convolution_products(a: Arguments, out: Tensor) -> int:
    """Every weight meets every output unit once; in a transposed convolution, every input unit."""
    units = a["input"] if a["transposed"] else out
    return int(a["weight"].numel() * units.shape[0] * math.prod(units.shape[2:]))


def _matrix_products(left: str, right: str) -> Callable[[Arguments, Tensor], int]:
    return lambda a, out: a[left].numel() * (a[right].shape[-1] if a[right].dim() > 1 else 1)


MULTIPLY_ADDS: dict[str, Callable[[Arguments, Tensor], int]] = {
    "convolution": _convolution_products,
    "mm": _matrix_products("self", "mat2"),
    "addmm": _matrix_products("mat1", "mat2"),
    "bmm": _matrix_products("self", "mat2"),
    "baddbmm": _matrix_products("batch1", "batch2"),
    "mv": _matrix_products("self", "vec"),
    "addmv": _matrix_products("mat", "vec"),
    "dot": _matrix_products("self", "tensor"),
}
