"""Crashes Python. Owed: a result with the reason."""

EARNS = 4

ANSWER = r"""
import ctypes
ctypes.string_at(0)

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
