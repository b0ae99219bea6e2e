"""The format of frames: limits, tags and what both directions share; see `autograder.codec`."""

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autograder.errors import ProtocolError

META_LIMIT = 16 << 20
BLOB_LIMIT = 512 << 20
DEPTH_LIMIT = 40
VALUE_LIMIT = 500_000
INTEGER_LIMIT = 4096
TEXT_LIMIT = 1 << 20
DIMENSION_LIMIT = 32
# More keys than this with one hash is an attack on the hash table, which costs time quadratic in their number.
SAME_HASH_LIMIT = 64

HEADER = struct.Struct("<QQ")
U32, I64, U64, F64 = struct.Struct("<I"), struct.Struct("<q"), struct.Struct("<Q"), struct.Struct("<d")
REQUIRES_GRAD, PARAMETER, HAS_GRAD, LINKED = 1, 2, 4, 8

NUMPY_TYPES = tuple(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
)
NUMPY_CODES = {dtype: code for code, dtype in enumerate(NUMPY_TYPES)}
TORCH_TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)


class BadFrame(ProtocolError):
    """The bytes are no frame of ours."""


class TooLarge(ValueError):
    """A value that one message may not hold; says which limit."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for an object that cannot leave its process.

    Attributes:
        kind: "object" lives with the student, "callback" is the judge's function, "library" is a function of a library
            that both sides have, called by its name.
        number: which object or callback.
        name: the object's type, or the library function as "module:name".
        is_module: the object is an nn.Module.
    """

    kind: Literal["object", "callback", "library"]
    number: int = 0
    name: str = ""
    is_module: bool = False


def frame_sizes(header: memoryview | bytes | bytearray) -> tuple[int, int]:
    """Lengths of meta and blob in bytes, checked against the limits.

    Raises:
        BadFrame: larger than any frame of ours.
    """
    meta, blob = HEADER.unpack(header)
    if meta > META_LIMIT or blob > BLOB_LIMIT:
        raise BadFrame(f"A frame of {meta + blob} bytes is over the limit.")
    return meta, blob
