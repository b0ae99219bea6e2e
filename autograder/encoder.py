"""Values to bytes; see `autograder.codec`."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograder.wire import (
    BLOB_LIMIT,
    DEPTH_LIMIT,
    DIMENSION_LIMIT,
    F64,
    HAS_GRAD,
    HEADER,
    I64,
    INTEGER_LIMIT,
    LINKED,
    META_LIMIT,
    NUMPY_CODES,
    NUMPY_TYPES,
    PARAMETER,
    REQUIRES_GRAD,
    TEXT_LIMIT,
    TORCH_TYPES,
    U32,
    U64,
    VALUE_LIMIT,
    Reference,
    TooLarge,
)

_REFERENCE_TAGS: dict[str, bytes] = {"object": b"H", "callback": b"K", "library": b"G"}


def refuse_object(value: object) -> Reference:
    """The `refer` of a side that sends plain data only."""
    raise TooLarge(f"A {type(value).__name__} is no plain data.")


class Encoder:
    """Writes one value.

    Args:
        refer: what an object that is no plain data is called on the other side.
        is_linked: whether a tensor belongs to a graph that stays here.

    Attributes:
        requiring: tensors written with requires_grad, in order.
        linked: tensors written for which `is_linked` holds, in order.
    """

    def __init__(
        self, refer: Callable[[object], Reference] = refuse_object, is_linked: Callable[[Any], bool] = lambda _: False
    ) -> None:
        self.requiring: list[Any] = []
        self.linked: list[Any] = []
        self._refer = refer
        self._is_linked = is_linked
        self._meta = bytearray()
        self._blobs: list[memoryview | bytes] = []
        self._blob_size = 0
        self._values = 0

    def frame(self) -> list[memoryview | bytes | bytearray]:
        """Header, meta and raw buffers, ready to be written one after the other."""
        if len(self._meta) > META_LIMIT:
            raise TooLarge(f"A value of more than {META_LIMIT >> 20} MiB does not fit in one message.")
        return [HEADER.pack(len(self._meta), self._blob_size), self._meta, *self._blobs]

    def put(self, value: object, depth: int = 0) -> None:
        """Append `value`.

        Raises:
            TooLarge: it is beyond a limit of the codec.
        """
        self._values += 1
        if depth > DEPTH_LIMIT:
            raise TooLarge(f"A value nested deeper than {DEPTH_LIMIT} levels does not fit in one message.")
        if self._values > VALUE_LIMIT:
            raise TooLarge(f"More than {VALUE_LIMIT:,} values do not fit in one message. Use an array.")
        put = _PUT.get(type(value))
        if put is not None:
            put(self, value, depth)
        elif isinstance(value, np.generic) and value.dtype in NUMPY_CODES:
            self._meta += b"g" + bytes([NUMPY_CODES[value.dtype]]) + value.tobytes()
        elif not self._put_torch(value, depth):
            self._put_reference(self._refer(value))

    def _put_bool(self, value: bool, depth: int) -> None:
        self._meta += b"T" if value else b"F"

    def _put_int(self, value: int, depth: int) -> None:
        if -(2**63) <= value < 2**63:
            self._meta += b"i" + I64.pack(value)
            return
        length = value.bit_length() // 8 + 1
        if length > INTEGER_LIMIT:
            raise TooLarge(f"An integer of more than {INTEGER_LIMIT * 8:,} bits does not fit in one message.")
        self._meta += b"I" + U32.pack(length) + value.to_bytes(length, "little", signed=True)

    def _put_float(self, value: float, depth: int) -> None:
        self._meta += b"f" + F64.pack(value)

    def _put_complex(self, value: complex, depth: int) -> None:
        self._meta += b"c" + F64.pack(value.real) + F64.pack(value.imag)

    def _put_text(self, value: str, depth: int) -> None:
        self._meta += b"s"
        self._append_text(value)

    def _append_text(self, text: str) -> None:
        self._append_bytes(text.encode("utf-8", "surrogatepass"))

    def _put_bytes(self, value: bytes, depth: int) -> None:
        self._meta += b"b"
        self._append_bytes(value)

    def _append_bytes(self, data: bytes) -> None:
        if len(data) > TEXT_LIMIT:
            raise TooLarge(f"Text of more than {TEXT_LIMIT >> 20} MiB does not fit in one message.")
        self._meta += U32.pack(len(data)) + data

    def _put_sequence(self, value: Any, depth: int) -> None:
        self._meta += _SEQUENCE_TAGS[type(value)] + U32.pack(len(value))
        for item in value:
            self.put(item, depth + 1)

    def _put_mapping(self, value: dict[Any, Any], depth: int) -> None:
        self._meta += (b"d" if type(value) is dict else b"o") + U32.pack(len(value))
        for key, item in value.items():
            self.put(key, depth + 1)
            self.put(item, depth + 1)

    def _put_slice(self, value: slice, depth: int) -> None:
        self._meta += b"/"
        for part in (value.start, value.stop, value.step):
            self.put(part, depth + 1)

    def _put_array(self, value: "np.ndarray[Any, Any]", depth: int) -> None:
        native = value.dtype.newbyteorder("=")
        if native not in NUMPY_CODES or value.ndim > DIMENSION_LIMIT:
            self._put_reference(self._refer(value))
            return
        self._require_room(value.nbytes)
        self._meta += b"A" + bytes([NUMPY_CODES[native]])
        self._append_shape(value.shape)
        self._append_blob(np.ascontiguousarray(value, native).reshape(-1).view(np.uint8).data)

    def _put_numpy_type(self, value: "np.dtype[Any]", depth: int) -> None:
        if value in NUMPY_CODES:
            self._meta += b"y" + bytes([NUMPY_CODES[value]])
        else:
            self._put_reference(self._refer(value))

    def _put_torch(self, value: Any, depth: int) -> bool:
        """Append `value` if it is one of torch's types of data; say whether it was."""
        torch = sys.modules.get("torch")
        if torch is None:
            return False
        kind = type(value)
        if kind is torch.Size:
            self._meta += b"Z"
            self._append_shape(value)
        elif kind is torch.dtype and str(value).removeprefix("torch.") in TORCH_TYPES:
            self._meta += b"D" + bytes([TORCH_TYPES.index(str(value).removeprefix("torch."))])
        elif kind is torch.device:
            self._meta += b"V"
            self._append_text(str(value))
        elif _is_plain_tensor(torch, value):
            self._put_tensor(torch, value, depth)
        else:
            return False
        return True

    def _put_tensor(self, torch: Any, value: Any, depth: int) -> None:
        self._require_room(value.numel() * value.element_size())
        grad = value.grad if value.is_leaf and isinstance(value.grad, torch.Tensor) else None
        linked = self._is_linked(value)
        flags = (
            REQUIRES_GRAD * value.requires_grad
            | PARAMETER * isinstance(value, torch.nn.Parameter)
            | HAS_GRAD * (grad is not None)
            | LINKED * linked
        )
        if value.requires_grad:
            self.requiring.append(value)
        if linked:
            self.linked.append(value)
        self._meta += b"X" + bytes([TORCH_TYPES.index(str(value.dtype).removeprefix("torch.")), flags])
        self._append_shape(value.shape)
        with torch._C.DisableTorchFunctionSubclass():  # a subclass's raw numbers, not what it makes of them
            raw = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
            raw = raw.as_strided((raw.numel(),), (1,))  # a single element may have stride 0 and still be contiguous
            self._append_blob(memoryview(raw.view(torch.uint8).numpy()) if raw.numel() else b"")
        if grad is not None:
            self.put(grad.detach().to_dense() if grad.layout is not torch.strided else grad.detach(), depth + 1)

    def _put_reference(self, reference: Reference) -> None:
        self._meta += _REFERENCE_TAGS[reference.kind]
        self._meta += U64.pack(reference.number) + bytes([reference.is_module])
        self._append_text(reference.name)

    def _append_shape(self, shape: Iterable[int]) -> None:
        sizes = [int(size) for size in shape]
        if len(sizes) > DIMENSION_LIMIT:
            raise TooLarge(f"More than {DIMENSION_LIMIT} dimensions do not fit in one message.")
        self._meta += bytes([len(sizes)]) + b"".join(I64.pack(size) for size in sizes)

    def _require_room(self, size: int) -> None:
        if self._blob_size + size > BLOB_LIMIT - 64:
            raise TooLarge(f"Arrays of more than {BLOB_LIMIT >> 20} MiB do not fit in one message.")

    def _append_blob(self, buffer: memoryview | bytes) -> None:
        padding = -len(buffer) % 64
        self._blobs += [buffer, bytes(padding)]
        self._blob_size += len(buffer) + padding


_SEQUENCE_TAGS: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"S"}
_PUT: dict[type, Callable[[Encoder, Any, int], None]] = {
    type(None): lambda encoder, value, depth: encoder._meta.extend(b"N"),
    bool: Encoder._put_bool,
    int: Encoder._put_int,
    float: Encoder._put_float,
    complex: Encoder._put_complex,
    str: Encoder._put_text,
    bytes: Encoder._put_bytes,
    list: Encoder._put_sequence,
    tuple: Encoder._put_sequence,
    set: Encoder._put_sequence,
    dict: Encoder._put_mapping,
    OrderedDict: Encoder._put_mapping,
    slice: Encoder._put_slice,
    np.ndarray: Encoder._put_array,
    **dict.fromkeys({type(dtype) for dtype in NUMPY_TYPES}, Encoder._put_numpy_type),
}


def _is_plain_tensor(torch: Any, value: Any) -> bool:
    """A dense tensor of a known type: torch's own classes, and torchvision's (images with a label on them)."""
    if not isinstance(value, torch.Tensor):
        return False
    kind = type(value)
    known = kind in (torch.Tensor, torch.nn.Parameter) or kind.__module__.partition(".")[0] == "torchvision"
    return bool(
        known
        and value.layout is torch.strided
        and str(value.dtype).removeprefix("torch.") in TORCH_TYPES
        and value.device.type in ("cpu", "cuda")
        and value.dim() <= DIMENSION_LIMIT
    )
