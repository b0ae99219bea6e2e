"""Aborts the process when a test calls. Owed: a result with the reason."""

EARNS = 4
STATUS = "crashed"

ANSWER = r"""
import os

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    os.abort()
"""
