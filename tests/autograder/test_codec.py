"""Round trips are exact, limits hold, and bytes from a hostile process give a value or BadFrame, nothing else."""

import contextlib
import random
import struct
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.codec import decode, encode
from autograder.decoder import Decoder
from autograder.encoder import Encoder
from autograder.wire import HEADER, BadFrame, Reference, TooLarge
from tests.autograder import fuzz_codec

NUMPY_TYPES = st.sampled_from([str(dtype) for dtype in wire.NUMPY_TYPES])
ARRAYS = NUMPY_TYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4)))
TENSORS = st.builds(
    lambda name, shape: torch.randint(0, 2, tuple(shape)).to(getattr(torch, name)),
    st.sampled_from(wire.TORCH_TYPES),
    st.lists(st.integers(0, 3), max_size=4),
)
LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.integers(-(2**400), 2**400), st.floats(), st.complex_numbers()),
    *(st.text(st.characters()), st.binary(), ARRAYS, TENSORS),
    NUMPY_TYPES.flatmap(lambda dtype: hnp.arrays(dtype, ())).map(lambda array: array[()]),
    st.sampled_from([torch.float16, torch.device("cpu"), torch.device("cuda:1"), torch.Size([2, 0]), np.dtype("int8")]),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.tuples(st.integers(), st.text()))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        *(st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.sets(KEYS, max_size=4)),
        *(st.dictionaries(KEYS, inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4).map(OrderedDict)),
        st.tuples(inner, inner, inner).map(lambda parts: slice(*parts)),
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal in type, structure and every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float | complex):
        return repr(a) == repr(b)
    if isinstance(a, np.ndarray | np.generic):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, torch.Tensor):
        bits = [x.detach().contiguous().reshape(-1).view(torch.uint8) if x.numel() else x for x in (a, b)]
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.numel() == b.numel() and torch.equal(*bits))
    if isinstance(a, slice):
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_every_value_comes_back_exactly(value: Any) -> None:
    assert same(decode(encode(value)), value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=100))
def test_random_bytes_are_refused_or_decoded(meta: bytes, blob: bytes) -> None:
    with contextlib.suppress(BadFrame):
        decode(HEADER.pack(len(meta), len(blob)) + meta + blob, lambda reference: reference)


def test_mutated_frames_give_a_value_or_bad_frame_in_bounded_time_and_memory() -> None:
    assert list(fuzz_codec.run(random.Random(1), seconds=0, at_least=20_000)) == []


def test_arrays_cross_by_value_whatever_their_layout() -> None:
    grid = np.arange(24.0).reshape(4, 6)
    for array in (
        grid[::2, ::-1],
        grid.T,
        np.asfortranarray(grid),
        grid.astype(">f4"),
        np.broadcast_to(grid, (2, 4, 6)),
    ):
        copy = decode(encode(array))
        assert (copy == array).all() and copy.dtype == array.dtype.newbyteorder("=") and copy.flags.writeable
    tensor = torch.arange(24.0).reshape(4, 6)
    for view in (
        tensor.T,
        tensor[::2],
        torch.ones(()).expand(1),
        torch.ones(1, 1).expand(3, 1)[:1],
        tensor.expand(2, 4, 6),
        (tensor + 1j).conj(),
        (1j * tensor).conj().imag,
    ):
        assert torch.equal(decode(encode(view)), view)


def test_tensors_keep_grad_and_parameterhood() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.full((2,), 3.0)
    copy = decode(encode(parameter))
    assert type(copy) is torch.nn.Parameter and copy.requires_grad and torch.equal(copy.grad, parameter.grad)
    frozen = decode(encode(torch.nn.Parameter(torch.ones(2), requires_grad=False)))
    assert type(frozen) is torch.nn.Parameter and not frozen.requires_grad
    assert decode(encode(torch.ones(2, requires_grad=True))).requires_grad


def test_linked_tensors_are_listed_in_the_same_order_on_both_sides() -> None:
    x = torch.ones(2, requires_grad=True)
    encoder = Encoder(is_linked=lambda tensor: tensor.grad_fn is not None)
    encoder.put([x * 2, torch.zeros(1), (x, {"y": x.sum()})])
    frame = memoryview(bytearray(b"".join(encoder.frame())))
    meta, _blob = HEADER.unpack(frame[:16])
    decoder = Decoder(frame[16 : 16 + meta], frame[16 + meta :])
    value = decoder.value()
    assert [tensor.shape for tensor in decoder.linked] == [tensor.shape for tensor in encoder.linked]
    assert value[0] is decoder.linked[0] and not value[0].requires_grad
    assert [id(tensor) for tensor in decoder.requiring] == [id(value[0]), id(value[2][0]), id(value[2][1]["y"])]


class LyingFloat(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class LyingTensor(torch.Tensor):
    pass


Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "value",
    [
        *(LyingFloat(1), LyingTensor(), Pair(1, 2), object(), np.array([object()]), np.array("text"), np.ma.array([1])),
        *(
            np.array([(1, 2)], "i4,i4"),
            np.longdouble(1),
            torch.zeros(2).to_sparse(),
            torch.zeros(2, device="meta"),
            len,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_plain_data_is_never_sent_as_if_it_were(value: Any) -> None:
    seen = []

    def refer(thing: object) -> Reference:
        seen.append(thing)
        return Reference("object", 7, type(thing).__name__)

    assert decode(encode([value], refer), lambda reference: reference) == [Reference("object", 7, type(value).__name__)]
    assert seen[0] is value
    with pytest.raises(TooLarge):
        encode(value)
    with pytest.raises(BadFrame):
        decode(encode(value, refer))


def test_labelled_images_of_torchvision_cross_as_tensors() -> None:
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    image = tv_tensors.Image(torch.ones(3, 2, 2))
    assert type(decode(encode(image))) is torch.Tensor


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1 << 40_000, "bits"),
        ("x" * (wire.TEXT_LIMIT + 1), "Text"),
        ([None] * (wire.VALUE_LIMIT + 1), "values"),
        (np.broadcast_to(1.0, (1 << 40,)), "MiB"),
        (torch.ones(1).expand(1 << 40), "MiB"),
        ([b"x" * wire.TEXT_LIMIT] * 17, "MiB"),
    ],
    ids=["integer", "text", "values", "array", "tensor", "meta"],
)
def test_values_over_a_limit_are_refused_by_name_before_memory_is_spent(value: Any, words: str) -> None:
    with pytest.raises(TooLarge, match=words):
        encode(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TooLarge, match="nested"):
        encode(value)


def frame(meta: bytes, blob: bytes = b"") -> bytes:
    return HEADER.pack(len(meta), len(blob)) + meta + blob


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        HEADER.pack(1 << 62, 0),
        HEADER.pack(0, 1 << 62),
        HEADER.pack(0, 0),
        frame(b"N", bytes(64)),
        frame(b"NN"),
        frame(b"?"),
        frame(b"s" + u32(2**32 - 1)),
        frame(b"l" + u32(2**32 - 1)),
        frame(b"l" + u32(1) * 60 + b"N"),
        frame((b"l" + u32(1)) * 100_000 + b"N"),
        frame(b"s" + u32(1) + b"\xff"),
        frame(b"d" + u32(1) + b"l" + u32(0) + b"N"),
        frame(b"S" + u32(1) + b"d" + u32(0)),
        frame(b"A\x00\x01" + struct.pack("<q", -1)),
        frame(b"A\x00\x01" + struct.pack("<q", 1 << 39)),
        frame(b"A\x00\x02" + struct.pack("<qq", 1 << 39, 1 << 39), bytes(64)),
        frame(b"A\x00\xff"),
        frame(b"A\x63\x00"),
        frame(b"X\x63\x00\x00"),
        frame(b"X\x09\x04\x00N", bytes(64)),
        frame(b"X\x01\x01\x00", bytes(64)),
        frame(b"X\x08\x0b\x00", bytes(64)),
        frame(b"V" + u32(4) + b"disk"),
    ],
    ids=range(25),
)
def test_a_malformed_frame_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(data)


def test_a_truth_value_is_normalised() -> None:
    array = decode(frame(b"A\x00\x01" + struct.pack("<q", 2), b"\x02\x00" + bytes(62)))
    assert array.view(np.uint8).tolist() == [1, 0]
    tensor = decode(frame(b"X\x00\x00\x01" + struct.pack("<q", 2), b"\x02\x00" + bytes(62)))
    assert tensor.view(torch.uint8).tolist() == [1, 0]
    assert decode(frame(b"g\x00\xff")).tobytes() == b"\x01"


def test_many_keys_with_one_hash_are_refused() -> None:
    prime = 2**61 - 1
    collisions = [k * prime for k in range(1, 200)]
    with pytest.raises(BadFrame, match="hash"):
        decode(encode(dict.fromkeys(collisions)))
    with pytest.raises(BadFrame, match="hash"):
        decode(encode(set(collisions)))
