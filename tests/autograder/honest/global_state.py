"""Counts its calls and keeps the last result in globals, under names that tests use too."""

ANSWERS = {
    "conv2d": """
expected = rng = None
x, w, b, n, k = 1, 2, 3, 4, 5
calls = 0
last = {}

@RIGHT@

_slide = conv2d


def conv2d(*args, **options):
    global calls, x
    calls += 1
    last["result"] = x = _slide(*args, **options)
    return last["result"]
""",
}
