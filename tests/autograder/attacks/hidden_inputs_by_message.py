"""Puts its inputs into exceptions and prints, to read the hidden ones later. Owed: 0, nothing shown."""

EARNS = 11

ANSWER = r"""
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    print("stolen-by-print", x)
    raise ValueError(f"stolen-by-message {x!r}") if x.size > 40 else ValueError("small")
"""
