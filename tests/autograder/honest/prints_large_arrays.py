"""Prints arrays in full: a million characters, at the top and at every call."""

BEFORE = {
    "conv2d": """
import sys

np.set_printoptions(threshold=sys.maxsize)
print(np.arange(100_000.0))
np.zeros((200, 200))
""",
}
ANSWERS = {
    "conv2d": """
@RIGHT@

_slide = conv2d


def conv2d(x, w, *args, **options):
    y = _slide(x, w, *args, **options)
    print("x", x, "y", y)
    return y
""",
}
