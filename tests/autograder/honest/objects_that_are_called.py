"""Writes classes where functions were asked for: a callable object, a bound method, a partial."""

ANSWERS = {
    "conv2d": """
from dataclasses import dataclass
from functools import partial

@RIGHT@


@dataclass
class Slider:
    calls: int = 0

    def __call__(self, *args, **options):
        self.calls += 1
        return self._slide(*args, **options)

    _slide = staticmethod(conv2d)


conv2d = Slider()
""",
    "output-size": """
from functools import partial


class Sizes:
    @staticmethod
    def span(k, d):
        return d * (k - 1) + 1

    def output_size(self, n, k, stride=1, padding=0, dilation=1):
        if padding == "same":
            return -(-n // stride)
        room = (n if padding == "valid" else n + 2 * padding) - self.span(k, dilation)
        if room < 0:
            raise ValueError
        return room // stride + 1

    @classmethod
    def same_padding(cls, more, n, k, stride=1, dilation=1):
        total = max((n - 1) // stride * stride + cls.span(k, dilation) - n, 0)
        return total // 2, (total + more) // 2


output_size = Sizes().output_size
same_padding = partial(Sizes.same_padding, 1)
""",
}
