"""What a value is, decided by its exact type, so that no class of a student's own takes part in a comparison.

A subclass of float, of ndarray or of Tensor may lie in every method; here it is nothing that is known.
"""

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBER, ARRAY, TENSOR = "number", "NumPy array", "torch tensor"

#: Plain integer types; bool and np.bool_ are none. Numbers of more than 64 bits differ between machines: none here.
INTEGERS = frozenset({int, *(np.dtype(code).type for code in "bBhHiIlLqQ")})
_NUMBERS = INTEGERS | {float, *(np.dtype(code).type for code in "efd")}
_FAMILIES = {"b": "booleans", "i": "integers", "u": "integers", "f": "real numbers"}


def form(value: Any) -> str:
    """NUMBER, ARRAY or TENSOR; "" for all else, and for tensors without strided data."""
    if type(value) in _NUMBERS:
        return NUMBER
    if type(value) is np.ndarray:
        return ARRAY
    torch = sys.modules.get("torch")  # no tensor can be here before torch is
    if torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter):
        return TENSOR if value.layout is torch.strided and value.device.type != "meta" else ""
    return ""


def family(value: Any) -> str:
    """The kind of numbers in it, whatever their precision: real numbers, integers or booleans; "" for all else."""
    kind = form(value)
    if kind == NUMBER:
        return "integers" if type(value) in INTEGERS else "real numbers"
    if kind == ARRAY:
        return _FAMILIES.get(value.dtype.kind, "") if value.dtype.itemsize <= 8 else ""
    if kind == TENSOR:
        torch = sys.modules["torch"]
        if value.dtype.is_floating_point:
            return "real numbers"
        integers = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)
        return "booleans" if value.dtype is torch.bool else "integers" if value.dtype in integers else ""
    return ""


def float64(value: Any) -> NDArray[np.float64]:
    """A float64 copy of a number, array or tensor; what is too large becomes infinite."""
    if form(value) == TENSOR:
        value = value.detach().cpu().double().resolve_neg().numpy()
    try:
        with np.errstate(over="ignore"):
            return np.array(value, dtype=np.float64)
    except OverflowError:
        return np.array(math.inf)


def is_size(value: object) -> bool:
    """Whether it is a torch.Size, which torch gives where NumPy gives a tuple."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) is torch.Size


def describe(value: Any) -> str:
    """A value by its type, for a sentence that goes on from "is"."""
    if value is None:
        return "None (is a return missing?)"
    kind = form(value)
    if kind in (ARRAY, TENSOR):
        return f"a {kind} of type {value.dtype} and shape {tuple(value.shape)}"
    return f"of type {type(value).__name__[:60]}"


def short(value: object) -> str:
    """The text of a plain value, cut after 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return describe(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
