"""Bytes to values; see `autograder.codec`."""

import importlib
import math
import re
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from autograder.wire import (
    DEPTH_LIMIT,
    DIMENSION_LIMIT,
    F64,
    HAS_GRAD,
    I64,
    INTEGER_LIMIT,
    LINKED,
    NUMPY_TYPES,
    PARAMETER,
    REQUIRES_GRAD,
    SAME_HASH_LIMIT,
    TEXT_LIMIT,
    TORCH_TYPES,
    U32,
    U64,
    VALUE_LIMIT,
    BadFrame,
    Reference,
)

_DEVICE = re.compile(r"(cpu|cuda|mps|meta)(:\d{1,2})?")


def refuse_reference(reference: Reference) -> object:
    """The `resolve` of a side that takes plain data only."""
    raise BadFrame(f"A reference of kind {reference.kind} was not expected.")


def _torch() -> Any:
    """torch, which the other side has loaded and this one may not have yet."""
    return importlib.import_module("torch")


class Decoder:
    """Reads one value that somebody else wrote.

    Attributes:
        requiring, linked: as the encoder's, in the same order. A linked tensor arrives without requires_grad: whoever
            decodes it ties it to the sender's graph.
    """

    def __init__(
        self, meta: memoryview, blob: memoryview, resolve: Callable[[Reference], object] = refuse_reference
    ) -> None:
        self.requiring: list[Any] = []
        self.linked: list[Any] = []
        self._resolve = resolve
        self._meta = bytes(meta)  # pieces of bytes are cheaper than views, and there are twenty in a question
        self._at = 0
        self._blob = blob
        self._blob_at = 0
        self._values = 0

    def value(self) -> Any:
        """The whole frame's value.

        Raises:
            BadFrame: the frame is malformed, too large, or longer than its value.
        """
        try:
            value = self._get(0)
        except (BadFrame, MemoryError):
            raise
        except Exception as error:  # numpy and torch refuse odd shapes with exceptions of many types
            raise BadFrame(f"The frame is malformed ({type(error).__name__}).") from None
        if self._at != len(self._meta) or self._blob_at != len(self._blob):
            raise BadFrame("The frame is longer than its value.")
        return value

    def _get(self, depth: int) -> Any:
        self._values += 1
        if depth > DEPTH_LIMIT:
            raise BadFrame("The value is nested too deep.")
        if self._values > VALUE_LIMIT:
            raise BadFrame("The frame has too many values.")
        get = _GET.get(self._byte())
        if get is None:
            raise BadFrame("The frame has an unknown tag.")
        return get(self, depth)

    def _byte(self) -> int:
        byte = self._meta[self._at]
        self._at += 1
        return byte

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._meta):
            raise BadFrame("The frame is cut off.")
        self._at += size
        return self._meta[self._at - size : self._at]

    def _number(self, kind: struct.Struct) -> Any:
        number = kind.unpack_from(self._meta, self._at)[0]
        self._at += kind.size
        return number

    def _bytes(self, limit: int) -> bytes:
        size = self._number(U32)
        if size > limit:
            raise BadFrame("The frame has a text or number over the limit.")
        return self._take(size)

    def _text(self) -> str:
        return self._bytes(TEXT_LIMIT).decode("utf-8", "surrogatepass")

    def _count(self) -> int:
        count: int = self._number(U32)
        if count > len(self._meta) - self._at:
            raise BadFrame("The frame has fewer values than it says.")
        return count

    def _items(self, depth: int) -> list[Any]:
        return [self._get(depth + 1) for _ in range(self._count())]

    def _get_set(self, depth: int) -> set[Any]:
        values = self._items(depth)
        _check_hashes(values)
        return set(values)

    def _get_mapping(self, mapping: dict[Any, Any], depth: int) -> dict[Any, Any]:
        items = [(self._get(depth + 1), self._get(depth + 1)) for _ in range(self._count())]
        _check_hashes([key for key, _ in items])
        mapping.update(items)
        return mapping

    def _shape(self) -> list[int]:
        dimensions = self._byte()
        if dimensions > DIMENSION_LIMIT:
            raise BadFrame("The frame has an array of too many dimensions.")
        return [self._number(I64) for _ in range(dimensions)]

    def _buffer(self, shape: list[int], item_size: int) -> memoryview:
        if min(shape, default=0) < 0 or max(shape, default=0) > 1 << 40:
            raise BadFrame("The frame has an array of impossible shape.")
        size, start = math.prod(shape) * item_size, self._blob_at
        if size > len(self._blob) - start:
            raise BadFrame("The frame has an array larger than its bytes.")
        self._blob_at = start + size + -size % 64
        return self._blob[start : start + size]

    def _get_array(self, depth: int) -> "np.ndarray[Any, Any]":
        dtype = NUMPY_TYPES[self._byte()]
        shape = self._shape()
        buffer = self._buffer(shape, dtype.itemsize)
        _normalise(buffer, dtype == np.bool_)
        return np.frombuffer(buffer, dtype).reshape(shape)

    def _get_scalar(self, depth: int) -> Any:
        dtype = NUMPY_TYPES[self._byte()]
        raw = bytearray(self._take(dtype.itemsize))
        _normalise(memoryview(raw), dtype == np.bool_)
        return np.frombuffer(raw, dtype)[0]

    def _get_tensor(self, depth: int) -> Any:
        torch = _torch()
        name, flags = TORCH_TYPES[self._byte()], self._byte()
        dtype, shape = getattr(torch, name), self._shape()
        buffer = self._buffer(shape, dtype.itemsize)
        _normalise(buffer, name == "bool")
        tensor = torch.frombuffer(buffer, dtype=dtype).reshape(shape) if buffer else torch.empty(shape, dtype=dtype)
        if flags & PARAMETER:
            tensor = torch.nn.Parameter(tensor, requires_grad=bool(flags & REQUIRES_GRAD))
        elif flags & REQUIRES_GRAD and not flags & LINKED:
            tensor.requires_grad_()
        if flags & REQUIRES_GRAD:
            self.requiring.append(tensor)
        if flags & LINKED:
            if flags & PARAMETER:
                raise BadFrame("A parameter has no history.")
            self.linked.append(tensor)
        if flags & HAS_GRAD:
            grad = self._get(depth + 1)
            if type(grad) is not torch.Tensor or grad.requires_grad:
                raise BadFrame("A gradient is a tensor.")
            tensor.grad = grad
        return tensor

    def _get_size(self, depth: int) -> Any:
        return _torch().Size(self._shape())

    def _get_torch_type(self, depth: int) -> Any:
        return getattr(_torch(), TORCH_TYPES[self._byte()])

    def _get_device(self, depth: int) -> Any:
        name = self._text()
        if not _DEVICE.fullmatch(name):
            raise BadFrame("The frame has an unknown device.")
        return _torch().device(name)

    def _get_reference(self, kind: Literal["object", "callback", "library"]) -> object:
        number, is_module, name = self._number(U64), self._byte() != 0, self._text()
        return self._resolve(Reference(kind, number, name, is_module))


_READERS: dict[bytes, Callable[[Decoder, int], Any]] = {
    b"N": lambda decoder, depth: None,
    b"T": lambda decoder, depth: True,
    b"F": lambda decoder, depth: False,
    b"i": lambda decoder, depth: decoder._number(I64),
    b"I": lambda decoder, depth: int.from_bytes(decoder._bytes(INTEGER_LIMIT), "little", signed=True),
    b"f": lambda decoder, depth: decoder._number(F64),
    b"c": lambda decoder, depth: complex(decoder._number(F64), decoder._number(F64)),
    b"s": lambda decoder, depth: decoder._text(),
    b"b": lambda decoder, depth: decoder._bytes(TEXT_LIMIT),
    b"l": Decoder._items,
    b"t": lambda decoder, depth: tuple(decoder._items(depth)),
    b"S": Decoder._get_set,
    b"d": lambda decoder, depth: decoder._get_mapping({}, depth),
    b"o": lambda decoder, depth: decoder._get_mapping(OrderedDict(), depth),
    b"/": lambda decoder, depth: slice(*(decoder._get(depth + 1) for _ in range(3))),
    b"A": Decoder._get_array,
    b"g": Decoder._get_scalar,
    b"y": lambda decoder, depth: NUMPY_TYPES[decoder._byte()],
    b"X": Decoder._get_tensor,
    b"Z": Decoder._get_size,
    b"D": Decoder._get_torch_type,
    b"V": Decoder._get_device,
    b"H": lambda decoder, depth: decoder._get_reference("object"),
    b"K": lambda decoder, depth: decoder._get_reference("callback"),
    b"G": lambda decoder, depth: decoder._get_reference("library"),
}
_GET = {ord(tag): reader for tag, reader in _READERS.items()}


def _check_hashes(keys: list[Any]) -> None:
    """Before a hash table is made of them."""
    if len(keys) > SAME_HASH_LIMIT and max(Counter(map(hash, keys)).values()) > SAME_HASH_LIMIT:
        raise BadFrame("The frame has too many keys with the same hash.")


def _normalise(buffer: memoryview, is_bool: bool) -> None:
    """A truth value is the byte 0 or 1; the others make numpy and torch disagree with themselves."""
    if is_bool:
        raw = np.frombuffer(buffer, np.uint8)
        np.minimum(raw, 1, out=raw)
