"""Checks against odd values: what passes is exactly what a right answer may be."""

import hashlib
import hmac
import itertools
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from convbook import check
from convbook.catalogue import Alternative, Mistake

ONES = np.ones((2, 3))


class LyingFloat(float):
    """A wrong number whose every operation says that it is right."""

    def _zero(self, *others):
        return 0.0

    def _true(self, *others):
        return True

    __sub__ = __rsub__ = __abs__ = _zero
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = _true
    __hash__ = float.__hash__


class LyingArray(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(self.shape)


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.zeros(2, 3)


class Equal:
    __array_interface__ = np.ones(1).__array_interface__

    def __eq__(self, other):
        return True

    def __float__(self):
        return 1.0

    __hash__ = None


def failure(function, *args, **kwargs):
    with pytest.raises(check.CheckFailed) as caught:
        function(*args, **kwargs)
    return caught.value


# draws


def test_draws_are_seeded_by_hmac_of_key_and_label(monkeypatch):
    monkeypatch.setenv("CONVBOOK_DRAWS_KEY", "00ff")
    seed = int.from_bytes(hmac.new(b"\x00\xff", b"a-test", hashlib.sha256).digest(), "big")
    assert check.draws("a-test").integers(2**60) == np.random.default_rng(seed).integers(2**60)


def test_draws_repeat_for_a_label_and_differ_between_labels_and_keys(monkeypatch):
    seen = set()
    for key, label in itertools.product([None, "00", "01"], ["a-test", "b-test"]):
        if key is None:
            monkeypatch.delenv("CONVBOOK_DRAWS_KEY", raising=False)
        else:
            monkeypatch.setenv("CONVBOOK_DRAWS_KEY", key)
        first, second = (int(check.draws(label).integers(2**60)) for _ in range(2))
        assert first == second
        seen.add(first)
    assert len(seen) == 6


def test_without_a_key_the_draws_are_those_of_the_public_practice_key(monkeypatch):
    monkeypatch.delenv("CONVBOOK_DRAWS_KEY", raising=False)
    practice = check.draws("a-test").normal()
    monkeypatch.setenv("CONVBOOK_DRAWS_KEY", check.PRACTICE_KEY.hex())
    assert check.draws("a-test").normal() == practice


@pytest.mark.parametrize("key", ["", "xyz", "0"])
def test_a_broken_key_is_no_practice_key(monkeypatch, key):
    monkeypatch.setenv("CONVBOOK_DRAWS_KEY", key)
    with pytest.raises(ValueError, match="hexadecimal"):
        check.draws("a-test")


def test_draws_want_a_label():
    with pytest.raises(ValueError, match="grade_id"):
        check.draws("")


fields = st.text(st.characters(), max_size=4)


@given(st.tuples(fields, fields, fields), st.tuples(fields, fields, fields))
def test_submission_keys_agree_exactly_when_all_fields_do(first, second):
    assert (check.submission_key(b"s", *first) == check.submission_key(b"s", *second)) == (first == second)


def test_moving_a_letter_from_field_to_field_changes_the_submission_key():
    keys = {check.submission_key(b"s", *fields) for fields in [("ab", "c", "d"), ("a", "bc", "d"), ("a\0b", "", "cd")]}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_submission_keys_depend_on_the_secret_and_take_any_file_name():
    assert check.submission_key(b"s", "a", "\udce4", "d") != check.submission_key(b"t", "a", "\udce4", "d")
    with pytest.raises(ValueError, match="empty"):
        check.submission_key(b"", "a", "b", "c")


# check_close: what passes


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        (1.0, 1),
        (np.float64(1), 1.0),
        (np.float32(1), 1.0),
        (np.int16(1), 1.0),
        (ONES.copy(), ONES),
        (ONES.astype(np.float32), ONES),
        (ONES.astype(">f8"), ONES),
        (np.asfortranarray(ONES), ONES),
        (np.broadcast_to(1.0, (2, 3)), ONES),
        (np.array(1.0), np.array(1.0)),
        (np.array([1], np.uint8), np.array([1])),
        (torch.ones(2, 3), torch.ones(2, 3).double()),
        (torch.tensor(1.0), torch.tensor(1.0)),
        (torch.ones(3, requires_grad=True), torch.ones(3)),
        (torch.nn.Parameter(torch.ones(3)), torch.ones(3)),
        (torch.ones(3, dtype=torch.bfloat16), torch.ones(3)),
        (torch.view_as_complex(-torch.ones(3, 2)).conj().imag, torch.ones(3)),
        (torch.ones(2, dtype=torch.int32), torch.ones(2, dtype=torch.int64)),
        ((ONES.copy(), 2.0), (ONES, 2)),
        ([torch.zeros(2), [1.0]], [torch.zeros(2), [1.0]]),
    ],
)
def test_close_takes_every_form_of_a_right_answer(actual, expected):
    check.check_close(actual, expected)


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6)), st.data())
def test_close_draws_the_line_at_atol_plus_rtol_times_expected(expected, data):
    index = tuple(data.draw(st.integers(0, side - 1)) for side in expected.shape)
    bound = 0.01 + 0.1 * abs(expected[index])
    for actual_array, wrap in ((expected.copy(), lambda each: each), (expected.copy(), torch.from_numpy)):
        actual_array[index] = expected[index] - 0.999 * bound
        check.check_close(wrap(actual_array), wrap(expected), rtol=0.1, atol=0.01)
        actual_array[index] = expected[index] - 1.001 * bound
        error = failure(check.check_close, wrap(actual_array), wrap(expected), rtol=0.1, atol=0.01)
        assert f"index {index if len(index) > 1 else index[0]}" in error.detail


def test_close_leaves_its_arguments_alone():
    tensor = torch.ones(2, requires_grad=True)
    array = np.ones(2)
    array.flags.writeable = False
    check.check_close((tensor, array), (torch.ones(2), np.ones(2)))
    assert tensor.requires_grad
    assert tensor.grad is None


# check_close: what fails


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (None, 1.0, "is a return missing?"),
        (True, 1, "type bool"),
        (np.True_, 1, "number"),
        ("1.0", 1.0, "type str"),
        (1 + 0j, 1.0, "type complex"),
        (Fraction(1), 1.0, "type Fraction"),
        (LyingFloat(7), 1.0, "type LyingFloat"),
        (Equal(), 1.0, "type Equal"),
        (np.array(1.0), 1.0, "NumPy array"),
        (torch.tensor(1.0), 1.0, "torch tensor"),
        (1.0, np.array(1.0), "NumPy array"),
        ([1.0], np.ones(1), "type list"),
        (torch.ones(2), np.ones(2), "NumPy array"),
        (np.ones(2), torch.ones(2), "torch tensor"),
        (np.ones((2, 3)).view(LyingArray), ONES, "type LyingArray"),
        (np.ma.array(ONES, mask=True), ONES, "type MaskedArray"),
        (torch.ones(2, 3).as_subclass(LyingTensor), torch.zeros(2, 3), "type LyingTensor"),
        (torch.ones(2).to_sparse(), torch.ones(2), "torch tensor"),
        (torch.ones(2, device="meta"), torch.ones(2), "torch tensor"),
        (Equal(), ONES, "type Equal"),
        (ONES.astype(object), ONES, "real numbers"),
        (ONES.astype(int), ONES, "real numbers"),
        (ONES.astype(bool), ONES, "real numbers"),
        (ONES.astype(complex), ONES, "real numbers"),
        (ONES, ONES.astype(int), "integers"),
        (torch.ones(2, dtype=torch.int64), torch.ones(2), "real numbers"),
        (torch.ones(2, dtype=torch.complex64), torch.ones(2), "real numbers"),
        (np.ones((1, 3)), ONES, "shape (1, 3)"),
        (np.ones((2, 3, 1)), ONES, "shape (2, 3, 1)"),
        (np.ones(()), ONES, "shape ()"),
        (np.ones((0, 3)), ONES, "shape (0, 3)"),
        (np.empty(0), np.array(4.0), "shape (0,)"),
        (np.broadcast_to(1.0, (10**6, 10**6)), ONES, "shape"),
        (torch.ones(1, 3), torch.ones(2, 3), "shape (1, 3)"),
        (np.nan, 1.0, "nan"),
        (np.inf, 1.0, "inf"),
        (10**400, 1.0, "inf"),
        (np.longdouble(1), 1.0, "longdouble"),
        (ONES.astype(np.longdouble), ONES, "float128"),
        (np.array([[1, 1, 1], [1, np.nan, 1]]), ONES, "nan at index (1, 1)"),
        (torch.tensor([1.0, torch.nan]), torch.ones(2), "nan at index 1"),
        (-1e308, 1.7e308, "1.7e+308"),
        (1.1, 1.0, "is 1.1; it should be 1.0"),
        ([1.0], (1.0,), "tuple"),
        ((1.0,), [1.0], "list"),
        ((1.0, 2.0), (1.0,), "length 2"),
        ((), (1.0,), "length 0"),
        ((1.0, 2.5), (1.0, 2.0), "the result[1] is 2.5"),
        (iter([1.0]), [1.0], "list"),
    ],
)
def test_close_fails_what_is_no_right_answer_and_says_why(actual, expected, words):
    error = failure(check.check_close, actual, expected, hint="Look here.")
    assert error.hint == "Look here."
    assert words in error.detail
    assert str(error) == f"{error.hint}\n{error.detail}"


def test_close_shows_the_first_difference_and_how_many_there_are():
    error = failure(check.check_close, np.array([[1.0, 2], [3, 5]]), np.array([[1.0, 3], [3, 4]]), name="conv2d(x, w)")
    assert str(error) == "conv2d(x, w) is 2.0 at index (0, 1); it should be 3.0. 2 of 4 values differ."


@pytest.mark.parametrize("expected", [np.nan, np.array([1.0, np.inf]), np.empty(0), (), [], torch.empty(0)])
def test_close_refuses_a_test_that_cannot_fail_or_cannot_pass(expected):
    with pytest.raises(ValueError, match="expects"):
        check.check_close(expected, expected)


@pytest.mark.parametrize("expected", ["a", None, True, Equal(), np.array([True]), np.array([1j]), {"a": 1.0}])
def test_close_refuses_what_are_no_numbers(expected):
    with pytest.raises(TypeError, match="expects"):
        check.check_close(expected, expected)


@pytest.mark.parametrize("tolerances", [{"rtol": -1}, {"atol": float("nan")}, {"rtol": float("inf")}])
def test_close_refuses_tolerances_that_let_everything_or_nothing_pass(tolerances):
    with pytest.raises(ValueError, match="Tolerances"):
        check.check_close(1.0, 1.0, **tolerances)


# check_array


def test_array_gives_a_float64_copy():
    actual = np.ones((2, 3), np.float32)
    copy = check.check_array(actual, (2, 3))
    copy[:] = 0
    assert copy.dtype == np.float64
    assert (actual == 1).all()


@pytest.mark.parametrize(
    ("actual", "words"),
    [
        (None, "return missing"),
        (ONES.tolist(), "list"),
        (ONES.view(LyingArray), "LyingArray"),
        (torch.ones(2, 3), "torch tensor"),
        (ONES.astype(int), "int64"),
        (ONES.astype(object), "object"),
        (ONES.T, "shape (3, 2)"),
        (np.full((2, 3), -np.inf), "-inf at index (0, 0)"),
    ],
)
def test_array_fails_what_is_no_array_of_finite_real_numbers(actual, words):
    assert words in failure(check.check_array, actual, (2, 3), hint="Look here.").detail


# check_equal


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (3, 3),
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (3, np.int64(3)),
        (True, True),
        (np.False_, False),
        ("same", "same"),
        (b"x", b"x"),
        (None, None),
        ((1, ("a", True)), (1, ("a", True))),
        ([1, 2], [1, 2]),
        (torch.ones(2, 3).shape, (2, 3)),
        (np.array([1, 2]), np.array([1, 2], np.uint8)),
        (np.array(True), np.array(True)),
        (torch.tensor([True, False]), torch.tensor([True, False])),
        (2**70, 2**70),
    ],
)
def test_equal_takes_what_is_the_same_value(actual, expected):
    check.check_equal(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (4, 3, "is 4; it should be 3"),
        (True, 1, "type bool"),
        (1, True, "type int"),
        (3.0, 3, "type float"),
        (np.float64(3), 3, "type float64"),
        (np.array(3), 3, "NumPy array"),
        (torch.tensor(3), 3, "torch tensor"),
        (Equal(), 3, "type Equal"),
        (LyingFloat(3), 3, "type LyingFloat"),
        (type("LyingInt", (int,), {"__ne__": lambda self, other: False})(4), 3, "type LyingInt"),
        (type("LyingStr", (str,), {"__ne__": lambda self, other: False})("a"), "b", "type LyingStr"),
        (None, 3, "return missing"),
        (0, None, "type int"),
        ("Same", "same", "'Same'"),
        (b"same", "same", "type bytes"),
        ([1, 2], (1, 2), "tuple"),
        ((1, 2, 3), (1, 2), "length 3"),
        ((1, 3), (1, 2), "the result[1] is 3"),
        (torch.ones(2, 3).shape, [2, 3], "list"),
        (np.array([1, 3]), np.array([1, 2]), "3 at index 1; it should be 2. 1 of 2"),
        (np.array([1.0, 2.0]), np.array([1, 2]), "float64"),
        (np.array([1, 1]), np.array([True, True]), "int64"),
        (np.array([[1, 2]]), np.array([1, 2]), "shape (1, 2)"),
        (np.array([2**64 - 1], np.uint64), np.array([-1]), "18446744073709551615"),
        (np.array([2**53 + 1]), np.array([2**53]), "9007199254740993"),
        ("x" * 1000, "y", "..."),
    ],
)
def test_equal_fails_what_is_another_value_or_another_type(actual, expected, words):
    error = failure(check.check_equal, actual, expected, hint="Look here.")
    assert error.hint == "Look here."
    assert words in error.detail
    assert len(error.detail) < 300


def test_equal_fails_an_integer_that_python_refuses_to_print():
    assert "type int" in failure(check.check_equal, 10**5000, 3).detail


@pytest.mark.parametrize("expected", [1.0, np.float64(1), np.ones(2), Equal(), {1}, {"a": 1}])
def test_equal_refuses_what_has_no_exact_equality(expected):
    with pytest.raises(TypeError, match="check_close"):
        check.check_equal(expected, expected)


@pytest.mark.parametrize("expected", [(), [], np.empty(0, int)])
def test_equal_refuses_a_test_that_cannot_fail(expected):
    with pytest.raises(ValueError, match="empty"):
        check.check_equal(expected, expected)


# raises


def test_raises_passes_the_arguments_on_and_takes_a_subclass():
    def function(a, *, b):
        raise UnicodeError(a, b)

    check.raises(ValueError, function, 1, b=2)


def test_raises_fails_a_function_that_returns():
    error = failure(check.raises, ValueError, lambda: 3, hint="Look here.")
    assert (error.hint, error.detail) == (
        "Look here.",
        "The call should raise ValueError; what it returned is of type int.",
    )


def test_raises_fails_another_exception_and_names_it():
    error = failure(check.raises, ValueError, lambda: {}["a"])
    assert str(error) == "The call should raise ValueError; it raised KeyError: 'a'."
    assert isinstance(error.__cause__, KeyError)


def test_raises_lets_an_exit_through():
    with pytest.raises(SystemExit):
        check.raises(ValueError, sys.exit)


# vjp


def test_vjp_gives_the_gradients_of_a_matrix_product():
    a, b, g = (torch.randn(size, dtype=torch.float64) for size in [(2, 3), (3, 4), (2, 4)])
    check.check_close(check.vjp(torch.matmul, [a, b], g), [g @ b.T, a.T @ g])


def test_vjp_works_without_grad_mode_in_the_precision_of_the_output_and_leaves_the_inputs_alone():
    x = torch.ones(3)
    with torch.no_grad():
        gradients = check.vjp(lambda x: x * 3, [x], torch.ones(3).double())
    check.check_close(gradients, [torch.full((3,), 3.0)])
    assert not x.requires_grad


def test_vjp_is_zero_where_the_output_does_not_depend():
    a, b = torch.ones(2), torch.ones(3)
    check.check_close(check.vjp(lambda a, b: a * 2, [a, b], torch.ones(2)), [torch.full((2,), 2.0), torch.zeros(3)])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: None, "return missing"),
        (lambda x: x.detach().numpy(), "NumPy array"),
        (lambda x: x.sum(), "shape ()"),
        (lambda x: x.detach() * 2, "cuts the graph"),
        (lambda x: x > 0, "real numbers"),
    ],
)
def test_vjp_says_what_is_wrong_with_an_output(function, words):
    assert words in str(failure(check.vjp, function, [torch.ones(3)], torch.ones(3)))


# the module


def test_a_driver_is_the_function_itself():
    def function():
        return 1

    assert check.driver(function) is function


def test_checks_of_arrays_do_not_import_torch():
    code = (
        "import sys, numpy as np; from convbook import check; check.check_close(np.ones(2), np.ones(2));"
        "check.check_equal((1, True), (1, True)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_optimized_python_still_checks():
    code = "from convbook import check\ntry: check.check_close(2.0, 1.0)\nexcept AssertionError: print('failed')"
    done = subprocess.run([sys.executable, "-O", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "failed\n"


# the catalogue


def test_a_catalogue_entry_keeps_what_it_was_given():
    mistake = Mistake("size", "rounds up", "def size(): ...", {"size-test": 0, "size-more-test": 1.5}, "whole steps")
    assert mistake.points["size-more-test"] == 1.5
    assert Alternative("size", "a loop", "def size(): ...").source == "def size(): ..."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"question": ""}, "question is ''"),
        ({"name": " "}, "name is ' '"),
        ({"source": None}, "source is None"),
        ({"source": "def f(:"}, "line 1 of its source is no Python"),
        ({"hint": ""}, "hint is ''"),
        ({"points": {}}, "List every graded part"),
        ({"points": {"a": -1}}, "points['a'] is -1"),
        ({"points": {"a": True}}, "points['a'] is True"),
        ({"points": {"a": float("nan")}}, "points['a'] is nan"),
        ({"points": {1: 1}}, "points[1] is 1"),
    ],
)
def test_a_mistake_that_says_too_little_is_refused(change, words):
    entry = {"question": "q", "name": "n", "source": "x = 1", "points": {"q-test": 0}, "hint": "h"}
    with pytest.raises(ValueError, match="Mistake") as caught:
        Mistake(**(entry | change))
    assert words in str(caught.value)


def test_an_alternative_that_says_too_little_is_refused():
    with pytest.raises(ValueError, match="Alternative 'n' of q: source is ''"):
        Alternative("q", "n", "")
