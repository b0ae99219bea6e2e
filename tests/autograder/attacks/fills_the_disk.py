"""Writes until it is refused. Owed: a result."""

EARNS = 15

ANSWER = r"""
import os
with open("big", "wb") as file:
    try:
        for _ in range(4000):
            file.write(b"x" * (1 << 20))
            file.flush()
    except OSError:
        pass

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
