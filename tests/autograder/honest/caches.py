"""Keeps the last results in a cache by shape and content, and returns the same array again."""

ANSWERS = {
    "conv2d": """
import hashlib

CACHE = {}

@RIGHT@

_slide = conv2d


def conv2d(x, w, b=None, *args, **options):
    key = (x.tobytes(), x.shape, w.tobytes(), w.shape, None if b is None else b.tobytes(), args, tuple(options.items()))
    key = hashlib.sha256(repr(key).encode()).digest()
    if key not in CACHE:
        CACHE[key] = _slide(x, w, b, *args, **options)
    return CACHE[key]
""",
}
