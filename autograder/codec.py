"""Values as bytes, and back: exact types, bounded, no pickle in either direction.

    frame   = u64 length of meta, u64 length of blob, meta, blob
    meta    = one value: a tag byte, then what the tag needs (lengths, numbers, text, further values)
    blob    = the raw buffers of arrays and tensors, in order, each padded to 64 bytes

The student's process is not trusted, so the decoder believes nothing: every length is compared with the bytes that
are there and with a limit before anything is allocated, and whatever goes wrong is one exception, `BadFrame`.
Types are exact. A subclass of float is no float: it would bring its own arithmetic, so it stays where it is.

What is no plain data crosses as a `Reference`. The two sides say what theirs mean: `refer` makes one from an object
while encoding, `resolve` finds the object while decoding.

Tensors keep `requires_grad`, `nn.Parameter` and `.grad`. Those that the sender calls linked belong to a graph that
stays with the sender; `linked` lists them in order of appearance, the same on both sides. torch is imported by
nobody here: without it no value can be a tensor.
"""

from collections.abc import Callable
from typing import Any

from autograder.decoder import Decoder, refuse_reference
from autograder.encoder import Encoder, refuse_object
from autograder.wire import HEADER, BadFrame, Reference, frame_sizes


def encode(value: object, refer: Callable[[object], Reference] = refuse_object) -> bytes:
    """One frame as bytes."""
    encoder = Encoder(refer)
    encoder.put(value)
    return b"".join(encoder.frame())


def decode(frame: bytes, resolve: Callable[[Reference], object] = refuse_reference) -> Any:
    """The value of one frame.

    Raises:
        BadFrame: it is none, or breaks a limit.
    """
    buffer = memoryview(bytearray(frame))
    if len(buffer) < HEADER.size:
        raise BadFrame("The header is cut off.")
    meta, blob = frame_sizes(buffer[: HEADER.size])
    if HEADER.size + meta + blob != len(buffer):
        raise BadFrame("The lengths in the header are not those of the frame.")
    body = buffer[HEADER.size :]
    return Decoder(body[:meta], body[meta:], resolve).value()
