"""What the units of a result see, for each of torch's operations: the rules by which receptive fields go along.

A rule turns the fields of a map, whose picture axes are its last ones, into those of the result. It is as in tables
of receptive fields: normalization counts as a function of each unit by itself, though its statistics are of many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tag, Tensor
from torch._ops import OpOverload

from convbook.shapes.field import Field
from convbook.shapes.layers import Shape
from convbook.shapes.operations import POOLINGS, Arguments, name_of, pooling


@dataclass(frozen=True)
class Seen:
    """What the units of a tensor see.

    Attributes:
        fields: one an axis of the picture.
        grid: units along each axis; a flat tensor remembers it.
        flat: whether all units stand in one row.
    """

    fields: tuple[Field, ...]
    grid: Shape
    flat: bool = False


class LostError(Exception):
    """No rule says what the units of a result see; the text goes on from "since"."""


def step_of(operation: OpOverload, before: Seen | None, after: Seen | None) -> str:
    """What a reader would call it; "" for a step that none would name, such as another view of the same numbers."""
    name = name_of(operation)
    if before and after and after.flat > before.flat:
        return "flatten" if RULES.get(name) is _reshape else name
    if name in ("detach", "alias", "clone", "_to_copy") or RULES.get(name) in (_reshape, _permute, _pick):
        return ""
    return "linear" if name in ("addmm", "mm") else name.removesuffix("_with_indices")


Rule = Callable[[Seen, Arguments, Tensor], Seen]


def follow(operation: OpOverload, a: Arguments, sources: Sequence[Seen], out: Tensor) -> Seen:
    """What the units of `out` see, when those of its arguments see `sources`; raises LostError without a rule."""
    name = name_of(operation)
    if name == "cat" or Tag.pointwise in operation.tags:
        return _join(name, a, sources, out)
    if name not in RULES:
        raise LostError(f"{name} has no rule")
    if len(sources) > 1:
        raise LostError(f"{name} combines two maps")
    return RULES[name](sources[0], a, out)


def _join(name: str, a: Arguments, sources: Sequence[Seen], out: Tensor) -> Seen:
    """Unit by unit, or maps stacked on their channels."""
    first = sources[0]
    if name == "cat" and not first.flat and a["dim"] % out.dim() >= out.dim() - len(first.grid):
        raise LostError("cat joins maps side by side")
    fields, size = first.fields, first.grid if first.flat else _last(out.shape, len(first.grid))
    if any((other.grid, other.flat) != (size, first.flat) for other in sources):
        raise LostError(f"{name} joins maps of different sizes")
    for other in sources[1:]:
        try:
            fields = tuple(one.merge(two) for one, two in zip(fields, other.fields, strict=True))
        except ValueError as error:
            raise LostError(str(error)) from None
    return Seen(fields, first.grid, first.flat)


def _keep(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    return seen


def _moved(seen: Seen, fields: Sequence[Field], out: Tensor) -> Seen:
    """New fields, with the grid that the result has."""
    return Seen(tuple(fields), _last(out.shape, len(seen.fields)))


def _last(values: Sequence[int], count: int) -> Shape:
    return tuple(values[len(values) - count :])


def _convolve(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    settings = zip(
        seen.fields,
        *(_last(each, len(seen.fields)) for each in (a["weight"].shape, a["stride"], a["padding"], a["dilation"])),
        strict=True,
    )
    slide = Field.slide_transposed if a["transposed"] else Field.slide
    return _moved(seen, [slide(*each) for each in settings], out)


def _pool(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    settings = zip(seen.fields, *(_last(each, len(seen.fields)) for each in pooling(a)), strict=True)
    return _moved(seen, [Field.slide(*each) for each in settings], out)


def _resize(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    sizes = _last(out.shape, len(seen.fields))
    return _moved(seen, [f.resize(n, m) for f, n, m in zip(seen.fields, seen.grid, sizes, strict=True)], out)


def _interpolate(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    if a.get("align_corners"):
        raise LostError("corners are aligned, so that no pattern repeats")
    sizes = _last(out.shape, len(seen.fields))
    scales = [value for name, value in a.items() if name.startswith("scales")][-len(sizes) :]
    if any(scale is not None and n * scale != m for n, m, scale in zip(seen.grid, sizes, scales, strict=True)):
        raise LostError("the map is resized by no whole number of units")
    linear = "align_corners" in a
    fields = [f.interpolate(n, m, linear=linear) for f, n, m in zip(seen.fields, seen.grid, sizes, strict=True)]
    return _moved(seen, fields, out)


def _pad(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    """`pad` counts from the last axis: (left, right, top, bottom)."""
    axes = len(seen.fields)
    before = [*(a["pad"] if "pad" in a else a["padding"])][::2] + [0] * axes
    return _moved(seen, [f.slide(1, 1, p) for f, p in zip(seen.fields, before[:axes][::-1], strict=True)], out)


def _slice(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    axis = a["dim"] % out.dim() - (out.dim() - len(seen.fields))
    if seen.flat or axis < 0:
        return seen
    start, n = a["start"] or 0, seen.grid[axis]
    start = min(max(start + n if start < 0 else start, 0), n)
    fields = [*seen.fields]
    fields[axis] = fields[axis].slide(1, a["step"], -start)
    return _moved(seen, fields, out)


def _reduce(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    """A mean, sum or maximum: over channels it changes nothing here, over the whole picture it is global pooling."""
    axes = a["self"].dim()
    over = {each % axes for each in a.get("dim") or range(axes)}
    picture = set(range(axes - len(seen.fields), axes)) if not seen.flat else set()
    if not over & picture:
        return seen
    if not picture <= over:
        raise LostError("one axis of the picture goes away")
    return _whole(seen, flat=not a.get("keepdim"))


def _softmax(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    if not seen.flat and a["dim"] % out.dim() >= out.dim() - len(seen.fields):
        raise LostError("softmax runs over the axes of the picture")
    return seen


def _reshape(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    """Numbers stay in their order: where the last axes stay, the picture does; one row an example is flat."""
    if out.dim() > len(seen.grid) and not seen.flat and _last(out.shape, len(seen.grid)) == seen.grid:
        return seen
    if out.dim() == 2 and out.shape[0] == 1:
        return Seen(seen.fields, seen.grid, flat=True)
    if set(seen.grid) <= {1}:  # whatever the shape, all units see the same
        return Seen(seen.fields, seen.grid, flat=True)
    raise LostError("the map is reshaped")


def _pick(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    """Some of the channels."""
    if seen.flat or a["dim"] % a["self"].dim() < a["self"].dim() - len(seen.grid):
        return seen
    raise LostError("the picture is cut into pieces")


def _permute(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    if not seen.flat and _last(out.shape, len(seen.grid)) == seen.grid:
        dims = a["dims"] if "dims" in a else _swapped(out.dim(), a["dim0"], a["dim1"])
        kept = range(out.dim() - len(seen.grid), out.dim())
        if [dims[place] % out.dim() for place in kept] == [*kept]:
            return seen
    raise LostError("the axes of the map change places")


def _swapped(axes: int, one: int, other: int) -> list[int]:
    dims = [*range(axes)]
    dims[one], dims[other] = dims[other], dims[one]
    return dims


def _dense(seen: Seen, a: Arguments, out: Tensor) -> Seen:
    left = a["mat1"] if "mat1" in a else a["self"]
    if (not seen.flat and len(seen.fields) > 1) or left.shape[0] != 1:
        raise LostError("a matrix product takes something else than one row of features")
    return _whole(seen, flat=True)


def _whole(seen: Seen, *, flat: bool) -> Seen:
    fields = tuple(field.whole(n) for field, n in zip(seen.fields, seen.grid, strict=True))
    return Seen(fields, tuple(1 for _ in seen.grid), flat)


#: Tensors that take from another at most its shape: what they hold comes from no pixel.
CONSTANTS = {f"{prefix}{name}" for prefix in ("new_", "") for name in ("empty", "zeros", "ones", "full")} | {
    f"{name}_like" for name in ("empty", "zeros", "ones", "full", "rand", "randn")
}

_UNIT_BY_UNIT = {
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
    *("_batch_norm_no_update", "native_group_norm", "native_layer_norm", "native_dropout"),
    *("hardswish", "_prelu_kernel", "threshold", "_to_copy", "detach", "alias", "clone"),
}

RULES: dict[str, Rule] = {
    **dict.fromkeys(POOLINGS, _pool),
    **{f"_adaptive_avg_pool{axes}d": _resize for axes in (2, 3)},
    **{f"adaptive_max_pool{axes}d": _resize for axes in (2, 3)},
    **{f"upsample_{how}": _interpolate for how in ("linear1d", "bilinear2d", "trilinear3d")},
    **{f"upsample_nearest{axes}d": _interpolate for axes in (1, 2, 3)},
    **{f"{kind}_pad{axes}d": _pad for kind in ("reflection", "replication") for axes in (1, 2, 3)},
    "constant_pad_nd": _pad,
    "convolution": _convolve,
    "addmm": _dense,
    "mm": _dense,
    "mean": _reduce,
    "sum": _reduce,
    "amax": _reduce,
    "slice": _slice,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    **dict.fromkeys(("view", "_unsafe_view", "unsqueeze", "squeeze", "expand"), _reshape),
    **dict.fromkeys(("permute", "transpose", "t"), _permute),
    **dict.fromkeys(("split", "split_with_sizes", "unbind", "select"), _pick),
    **dict.fromkeys(_UNIT_BY_UNIT, _keep),
}

#: No rule is needed: they have no products that anybody counts.
_FREE = {"_safe_softmax", "argmax", "as_strided", "cat", "copy", "cumsum", "gather", "index", "lift_fresh", "prod"} | {
    *("max", "min", "roll", "sort", "stack", "topk", "unsafe_split", "var_mean")
}


def is_free(operation: OpOverload) -> bool:
    """Whether it is known to have no multiply-adds that tables count."""
    name = name_of(operation)
    return operation.is_view or Tag.pointwise in operation.tags or name in _FREE or name in RULES or name in CONSTANTS
