"""Checks for the tests of an assignment: the same in JupyterLab, under stock nbgrader and in the judge.

A test cell draws its inputs, computes what it expects from copies, calls the student's function and compares:

    rng = check.draws("mean-test")  # the label is the grade_id of the test cell
    x = rng.normal(size=(3, 4))
    expected = x.mean(axis=0)
    check.check_close(mean(x.copy()), expected, hint="Average over rows: axis 0 has to disappear.")

A failing check raises CheckFailed, whose `hint` names the misconception and whose `detail` holds the values.
Graders show students the hint of a hidden test and never its detail. Checks look at the exact type first, then the
kind of numbers, the shape, whether all is finite, and the values last: no method of a value's own class is asked,
nothing is broadcast, and NaN and empty arrays never pass.
"""

import hmac
import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from convbook.values import ARRAY, INTEGERS, NUMBER, TENSOR, describe, family, float64, form, is_size, short

if TYPE_CHECKING:
    import torch

__all__ = [
    "PRACTICE_KEY",
    "CheckFailed",
    "check_array",
    "check_close",
    "check_equal",
    "draws",
    "driver",
    "raises",
    "submission_key",
    "vjp",
]

#: Seeds the draws where no grader sets a key. Public on purpose: practice inputs are the same for everybody.
PRACTICE_KEY = b"the public key of practice draws"

#: What check_equal compares besides sequences and arrays: any type of a family will do for another.
_EXACT = ({bool, np.bool_}, INTEGERS, {str}, {bytes}, {type(None)})

F = TypeVar("F", bound=Callable[..., Any])


class CheckFailed(AssertionError):
    """A check that did not hold.

    Attributes:
        hint: what the test's author says about it: the misconception and what to look at. May be empty.
        detail: what was found and what was expected. Not for a student's eyes where the test is hidden.
    """

    def __init__(self, hint: str, detail: str) -> None:
        self.hint, self.detail = hint, detail
        super().__init__("\n".join(filter(None, (hint, detail))))


def draws(label: str) -> np.random.Generator:
    """A generator of random test inputs, seeded by HMAC-SHA256(key, label).

    Args:
        label: the grade_id of the test cell, word for word. So each cell has draws of its own, whatever ran before.
            A second call with the same label repeats the first, so call it once a cell.

    The key is `CONVBOOK_DRAWS_KEY` of the environment in hex (a grader sets it, see `submission_key`), else
    PRACTICE_KEY. Draws repeat under the same key and the same version of NumPy; tests must hold for all of them.

    Raises:
        ValueError: the label is empty, or the key is no hex.
    """
    if not label:
        raise ValueError('Name the draws: check.draws("the grade_id of this test cell").')
    text = os.environ.get("CONVBOOK_DRAWS_KEY")
    try:
        key = PRACTICE_KEY if text is None else bytes.fromhex(text)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("CONVBOOK_DRAWS_KEY is no hexadecimal number. Unset it to get the practice draws.")
    return np.random.default_rng(int.from_bytes(hmac.digest(key, label.encode(), "sha256"), "big"))


def submission_key(secret: bytes, assignment: str, student: str, digest: str) -> bytes:
    """The draws key of one submission: HMAC-SHA256(secret, fields), 32 bytes.

    The same submission gets the same key again; another student, assignment or content gets another one.
    Each field is preceded by its length, so that no two triples of fields give the same message.

    Raises:
        ValueError: the secret is empty, so that anybody could compute the key.
    """
    if not secret:
        raise ValueError("The secret seed is empty: anybody could foresee the draws.")
    # File systems may hand over names that are no Unicode; they arrive as lone surrogates.
    fields = [field.encode("utf-8", "surrogatepass") for field in (assignment, student, digest)]
    message = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    return hmac.digest(secret, message, "sha256")


def driver(function: F) -> F:
    """Mark a function of ours that runs in the student's process; elsewhere it is the function itself."""
    return function


def check_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    hint: str = "",
    name: str = "the result",
) -> None:
    """Check that |actual − expected| ≤ atol + rtol·|expected| everywhere; the defaults are those of numpy.allclose.

    Args:
        actual: what the student's code gave.
        expected: a number, a NumPy array, a torch tensor, or a tuple or list of these. For a number any plain
            number will do (int, float, NumPy scalar; no bool). For an array or tensor `actual` must be one too
            (exactly, no subclass), with the same shape and the same kind of numbers, real or integer; the
            precision may differ. For a tuple or list the type and the length must agree.
        hint: the misconception and what to look at.
        name: what `actual` is, for the detail.

    Raises:
        CheckFailed: it does not hold.
        TypeError, ValueError: the test itself is wrong: it expects something empty, not finite or not comparable.
    """
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise ValueError(f"Tolerances are finite and not negative, but rtol is {rtol} and atol is {atol}.")
    if type(expected) in (tuple, list):
        for index, (part, wanted) in enumerate(_pairs(actual, expected, hint, name)):
            check_close(part, wanted, rtol=rtol, atol=atol, hint=hint, name=f"{name}[{index}]")
        return
    if family(expected) not in ("real numbers", "integers"):
        raise TypeError(f"The test expects what is {describe(expected)}; check_close compares numbers only.")
    target = float64(expected)
    if target.size == 0 or not np.isfinite(target).all():
        raise ValueError("The test expects something empty or not finite: nothing could be compared.")
    _require(actual, form(expected), family(expected), target.shape, hint, name)
    found = _finite(actual, hint, name)
    with np.errstate(over="ignore"):
        close = np.abs(found - target) <= atol + rtol * np.abs(target)
    if not close.all():
        raise CheckFailed(hint, _difference(found, target, ~close, name))


def check_array(
    actual: Any, shape: tuple[int, ...], *, hint: str = "", name: str = "the result"
) -> NDArray[np.float64]:
    """Check that `actual` is a NumPy array of finite real numbers with this shape, and return a float64 copy.

    For questions with many right answers: the test goes on to check a property of the copy.

    Raises:
        CheckFailed: it is something else.
    """
    _require(actual, ARRAY, "real numbers", shape, hint, name)
    return _finite(actual, hint, name)


def check_equal(actual: Any, expected: Any, *, hint: str = "", name: str = "the result") -> None:
    """Check that `actual` equals `expected` exactly, kind of type included.

    Args:
        actual: what the student's code gave.
        expected: None, a bool, an integer, a str, bytes, a NumPy array or torch tensor of integers or booleans,
            or a tuple or list of these. True is not 1, and neither is 1.0. A NumPy integer will do for an int, a
            NumPy bool for a bool and a torch.Size for a tuple; a list is no tuple.
        hint: the misconception and what to look at.
        name: what `actual` is, for the detail.

    Raises:
        CheckFailed: it does not hold.
        TypeError, ValueError: the test itself is wrong: it expects something empty, or what has no exact equality.
    """
    if type(expected) in (tuple, list):
        for index, (part, wanted) in enumerate(_pairs(actual, expected, hint, name)):
            check_equal(part, wanted, hint=hint, name=f"{name}[{index}]")
        return
    if form(expected) in (ARRAY, TENSOR) and family(expected) in ("integers", "booleans"):
        _require(actual, form(expected), family(expected), tuple(expected.shape), hint, name)
        # Python's own integers, so that int64 against uint64 is exact.
        found, target = (np.array(each.tolist(), dtype=object) for each in (actual, expected))
        if target.size == 0:
            raise ValueError("The test expects an empty array: nothing would be compared.")
        if (found != target).any():
            raise CheckFailed(hint, _difference(found, target, found != target, name))
        return
    types = next((each for each in _EXACT if type(expected) in each), None)
    if types is None:
        raise TypeError(f"The test expects what is {describe(expected)}; for real numbers there is check_close.")
    if type(actual) not in types:
        raise CheckFailed(hint, f"{name} is {describe(actual)}; it should be {describe(expected)}.")
    if actual != expected:
        raise CheckFailed(hint, f"{name} is {short(actual)}; it should be {short(expected)}.")


def raises(
    exception: type[Exception], function: Callable[..., object], /, *args: object, hint: str = "", **kwargs: object
) -> None:
    """Check that function(*args, **kwargs) raises `exception` or a subclass of it.

    Raises:
        CheckFailed: it returned, or raised something else.
    """
    try:
        value = function(*args, **kwargs)
    except exception:
        return
    except Exception as error:
        other = f"{type(error).__name__}: {error}"[:200]
        raise CheckFailed(hint, f"The call should raise {exception.__name__}; it raised {other}.") from error
    raise CheckFailed(hint, f"The call should raise {exception.__name__}; what it returned is {describe(value)}.")


def vjp(
    function: Callable[..., "torch.Tensor"], inputs: Sequence["torch.Tensor"], cotangent: "torch.Tensor"
) -> list["torch.Tensor"]:
    """Gradients of ⟨cotangent, function(*inputs)⟩ with respect to each input (vector-Jacobian product).

    Args:
        function: takes the inputs as positional arguments and returns one tensor of the cotangent's shape.
        inputs: floating-point tensors; the function gets copies of them.
        cotangent: weights of the outputs.

    Returns: one tensor an input, in its shape; zeros where the output does not depend on it.

    Raises:
        CheckFailed: the function returned something else, or its output is cut off from the inputs.
    """
    import torch

    leaves = [each.detach().clone().requires_grad_() for each in inputs]
    with torch.enable_grad():
        output = function(*leaves)
    _require(output, TENSOR, "real numbers", tuple(cotangent.shape), "", "the output")
    if not output.requires_grad:
        raise CheckFailed(
            "torch cannot follow the output back to the inputs.",
            "Look for .detach(), .item(), .numpy(), torch.no_grad() and torch.tensor(): each cuts the graph.",
        )
    return list(torch.autograd.grad(output, leaves, cotangent.to(output), materialize_grads=True))


def _require(actual: Any, kind: str, numbers: str, shape: tuple[int, ...], hint: str, name: str) -> None:
    """Exact type, kind of numbers and shape, in this order."""
    if form(actual) != kind:
        raise CheckFailed(hint, f"{name} is {describe(actual)}; it should be a {kind}.")
    if kind == NUMBER:
        return
    if family(actual) != numbers:
        raise CheckFailed(hint, f"{name} holds values of type {actual.dtype}; it should hold {numbers}.")
    if tuple(actual.shape) != shape:
        raise CheckFailed(hint, f"{name} has shape {tuple(actual.shape)}; it should have shape {shape}.")


def _finite(actual: Any, hint: str, name: str) -> NDArray[np.float64]:
    found = float64(actual)
    bad = ~np.isfinite(found)
    if bad.any():
        raise CheckFailed(hint, f"{name} is {_first(found, bad)}; it should be finite.")
    return found


def _pairs(actual: Any, expected: Any, hint: str, name: str) -> list[tuple[Any, Any]]:
    """The elements of two tuples or two lists, after a look at type and length."""
    kind = type(expected)
    if not expected:
        raise ValueError(f"The test expects an empty {kind.__name__}: nothing would be compared.")
    if type(actual) is not kind and not (kind is tuple and is_size(actual)):
        raise CheckFailed(hint, f"{name} is {describe(actual)}; it should be a {kind.__name__}.")
    if len(actual) != len(expected):
        raise CheckFailed(hint, f"{name} has length {len(actual)}; it should have length {len(expected)}.")
    return list(zip(actual, expected, strict=True))


def _difference(found: NDArray[Any], target: NDArray[Any], bad: NDArray[np.bool_], name: str) -> str:
    text = f"{name} is {_first(found, bad)}; it should be {_first(target, bad, place=False)}."
    return f"{text} {bad.sum()} of {bad.size} values differ." if bad.ndim else text


def _first(values: NDArray[Any], bad: NDArray[np.bool_], *, place: bool = True) -> str:
    """The first bad value in the shortest digits that tell it from every other number, and where it is."""
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    value = repr(values[index].item() if isinstance(values[index], np.generic) else values[index])
    return f"{value} at index {index if len(index) > 1 else index[0]}" if place and index else value
