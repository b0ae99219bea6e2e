"""Fuzz the codec's decoder with mutated frames: `python tests/autograder/fuzz_codec.py --seconds 600`.

Honest frames are cut, spliced and sprinkled with odd bytes. A frame that reaches a line of the decoder which none
reached before joins the corpus, so coverage guides the search. Whatever comes, the decoder must return a value or
raise BadFrame, within a second and within 200 MB.
"""

import argparse
import random
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np
import torch

from autograder import decoder
from autograder.codec import decode, encode
from autograder.wire import HEADER, BadFrame, Reference

MEMORY_LIMIT_MB = 200
SECONDS_LIMIT = 1.0
ODD_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)
TAGS = b"NTFiIfcsbltSdo/AgyXZDVHKG"


def seeds() -> list[bytes]:
    """One honest frame a type, and one with everything."""
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    parameter.grad = torch.zeros(2, 3)
    values: list[Any] = [
        [None, True, False, 0, -1, 2**63, 2**100, 1.5, 1j, "text \ud800", b"bytes"],
        ((1, (2,)), [3], {4}, {"a": 1}, OrderedDict(b=2), slice(1, None, 2)),
        [
            np.arange(12.0).reshape(3, 4),
            np.zeros((0, 3), np.uint8),
            np.array([True, False]),
            np.float32(2),
            np.bool_(1),
        ],
        [
            torch.arange(6).reshape(2, 3),
            parameter,
            torch.tensor(1.0, requires_grad=True),
            torch.zeros(3, dtype=torch.bfloat16),
        ],
        [torch.Size([1, 2]), torch.float16, torch.device("cpu"), np.dtype("int8")],
        ["a", 2**60, {"grad": np.ones((2, 2))}, Reference("object", 3, "Net", True)],
    ]
    values.append(list(values))
    return [encode(value, refer) for value in values]


def refer(value: object) -> Reference:
    assert isinstance(value, Reference)
    return value


def mutate(rng: random.Random, frames: list[bytes]) -> bytes:
    """One frame of the corpus with a few changes; mostly with lengths that fit, so that it gets past the header."""
    frame = rng.choice(frames)
    meta_size, _ = HEADER.unpack(frame[: HEADER.size])
    meta, blob = bytearray(frame[HEADER.size :][:meta_size]), bytearray(frame[HEADER.size :][meta_size:])
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        part = blob if blob and rng.random() < 0.1 else meta
        at = rng.randrange(len(part) + 1)
        match rng.randrange(7):
            case 0:
                part[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                part[at : at + 1] = bytes([rng.choice(TAGS)])
            case 2:
                size = rng.choice((1, 2, 4, 8))
                part[at : at + size] = (rng.choice(ODD_NUMBERS) % 256**size).to_bytes(size, "little")
            case 3:
                del part[at : at + rng.choice((1, 4, 8, 50))]
            case 4:
                part[at:at] = part[rng.randrange(len(part) + 1) :][: rng.choice((1, 8, 60))]
            case 5:
                other = rng.choice(frames)[HEADER.size :]
                start = rng.randrange(len(other) + 1)
                part[at:at] = other[start : start + rng.choice((5, 20, 200))]
            case 6:
                part[at:at] = bytes([rng.choice(b"ltSd")]) + (1).to_bytes(4, "little")
    if rng.random() < 0.02:
        return HEADER.pack(rng.choice(ODD_NUMBERS), rng.choice(ODD_NUMBERS)) + bytes(meta + blob)
    return HEADER.pack(len(meta), len(blob)) + bytes(meta + blob)


class Coverage:
    """Lines of the decoder that have run."""

    def __init__(self) -> None:
        self.lines: set[tuple[int, int]] = set()
        self.grew = False

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != decoder.__file__:
            return None
        if event == "line":
            line = (frame.f_code.co_firstlineno, frame.f_lineno)
            self.grew |= line not in self.lines
            self.lines.add(line)
        return self.trace


def run(rng: random.Random, seconds: float, at_least: int) -> Iterator[str]:
    """Fuzz until both bounds are reached; yield what was wrong."""
    frames, coverage = seeds(), Coverage()
    end, count, refused = time.monotonic() + seconds, 0, 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while count < at_least or time.monotonic() < end:
        frame = mutate(rng, frames)
        count += 1
        started = time.process_time()
        # Tracing costs time, so only some frames are traced.
        coverage.grew = False
        sys.settrace(coverage.trace if count % 8 == 0 else None)
        try:
            decode(frame, lambda reference: reference)
        except BadFrame:
            refused += 1
        except Exception as error:
            yield f"{type(error).__name__}: {error} from {frame!r}"
        finally:
            sys.settrace(None)
        if coverage.grew:
            frames.append(frame)
        if time.process_time() - started > SECONDS_LIMIT:
            yield f"more than {SECONDS_LIMIT} s of work for {frame!r}"
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory > MEMORY_LIMIT_MB << 10:
            yield f"more than {MEMORY_LIMIT_MB} MB after {frame!r}"
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count:,} frames, {refused:,} refused, {len(frames)} in the corpus, {len(coverage.lines)} lines reached")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wrong = 0
    for problem in run(random.Random(arguments.seed), arguments.seconds, 0):
        wrong += 1
        print(problem[:2000], flush=True)
    return wrong > 0


if __name__ == "__main__":
    raise SystemExit(main())
