"""Receptive fields: which pixels of the input the units of a map can see, along one axis.

In a chain of convolutions and poolings every unit sees `size` pixels, and the next unit sees as many, `jump` pixels
on. A kernel of k taps at stride s, with padding p and dilation d, turns (size, jump, start) into
(size + d(k − 1)·jump, s·jump, start − p·jump): Araujo et al. (2019), https://doi.org/10.23915/distill.00021.

After a transposed convolution neighbors differ in what they see, in a pattern that repeats. So a Field keeps one span
for each unit of the pattern, and every layer is one statement: which units below a unit looks at.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

Span = tuple[int, int] | None  # first and last pixel, both seen; None where a unit sees nothing


@dataclass(frozen=True)
class Field:
    """What the units of a map see along one axis. `Field()` is the input itself: each pixel sees itself.

    Pixels count from 0. Those below 0 or beyond the last are padding; like most tables, a field counts them.

    Attributes:
        spans: what the first units see; the pattern repeats after them.
        shift: how many pixels further on the pattern repeats.
    """

    spans: tuple[Span, ...] = ((0, 0),)
    shift: int = 1

    def sees(self, unit: int) -> Span:
        """First and last pixel that this unit sees, counted from 0; None for a unit that sees nothing."""
        turns, place = divmod(unit, len(self.spans))
        span = self.spans[place]
        return None if span is None else (span[0] + turns * self.shift, span[1] + turns * self.shift)

    @property
    def size(self) -> int:
        """Pixels from the first to the last one seen: the receptive field. Of several sizes, the largest."""
        return max((last - first + 1 for first, last in filter(None, self.spans)), default=0)

    @property
    def jump(self) -> int | Fraction:
        """Pixels from what a unit sees to what the next one sees; their mean, where it alternates."""
        mean = Fraction(self.shift, len(self.spans))
        return mean.numerator if mean.denominator == 1 else mean

    @property
    def start(self) -> int | None:
        """The first pixel that unit 0 sees; negative where it is padding."""
        return None if self.spans[0] is None else self.spans[0][0]

    def center(self, unit: int = 0) -> float | None:
        """The middle of what a unit sees, in pixels from the center of pixel 0."""
        span = self.sees(unit)
        return None if span is None else (span[0] + span[1]) / 2

    def slide(self, k: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """After a convolution or pooling; `padding` is the amount before the first pixel."""
        return self._gather(lambda unit: (unit * stride - padding + tap * dilation for tap in range(k)), 1, stride)

    def slide_transposed(self, k: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """After a transposed convolution: tap t of input unit i lands on output unit i·s − p + t·d."""

        def below(unit: int) -> Iterable[int]:
            places = (unit + padding - tap * dilation for tap in range(k))
            return (place // stride for place in places if place % stride == 0)

        return self._gather(below, stride, 1)

    def resize(self, n: int, size: int) -> "Field":
        """After adaptive pooling from n units to `size`: unit i averages units ⌊i·n/size⌋ to ⌈(i + 1)·n/size⌉ − 1."""
        if size == 1:
            return self.whole(n)
        common = math.gcd(n, size)
        return self._gather(
            lambda unit: range(unit * n // size, -(-(unit + 1) * n // size)), size // common, n // common
        )

    def interpolate(self, n: int, size: int, *, linear: bool = False) -> "Field":
        """After n units become `size`: unit i copies unit ⌊i·n/size⌋, or mixes the two round (i + ½)·n/size − ½."""

        def below(unit: int) -> Iterable[int]:
            if not linear:
                return [unit * n // size]
            place, rest = divmod((2 * unit + 1) * n - size, 2 * size)
            return [place, place + 1] if rest else [place]

        common = math.gcd(n, size)
        return self._gather(below, size // common, n // common)

    def whole(self, n: int) -> "Field":
        """After a dense layer or global pooling over n units: each sees what all of them see, so the jump is 0."""
        return Field((_hull(map(self.sees, range(n))),), 0)

    def merge(self, other: "Field") -> "Field":
        """Where two branches meet: a unit sees what its two sources see, and all between.

        Raises ValueError where the branches do not line up, since their jumps differ.
        """
        if self.jump != other.jump:
            raise ValueError(f"branches meet whose units are {self.jump} and {other.jump} pixels apart")
        period = math.lcm(len(self.spans), len(other.spans))
        spans = tuple(_hull([self.sees(unit), other.sees(unit)]) for unit in range(period))
        return _shortest(spans, self.shift * period // len(self.spans))

    def _gather(self, below: Callable[[int], Iterable[int]], period: int, units: int) -> "Field":
        """The field of a layer whose unit i looks at the units below(i), where below(i + period) = below(i) + units."""
        repeats = len(self.spans) // math.gcd(len(self.spans), units)
        spans = tuple(_hull(map(self.sees, below(unit))) for unit in range(period * repeats))
        return _shortest(spans, self.shift * units * repeats // len(self.spans))


def _hull(spans: Iterable[Span]) -> Span:
    seen = list(filter(None, spans))
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def _shortest(spans: tuple[Span, ...], shift: int) -> Field:
    """The same field with the shortest pattern, so that a convolution can undo what a transposed one did."""
    for period in range(1, len(spans)):
        if len(spans) % period == 0 and shift % (len(spans) // period) == 0:
            short = Field(spans[:period], shift * period // len(spans))
            if all(short.sees(unit) == span for unit, span in enumerate(spans)):
                return short
    return Field(spans, shift)
