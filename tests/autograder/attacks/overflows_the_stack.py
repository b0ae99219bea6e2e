"""Recurses in C until the stack ends. Owed: a result with the reason."""

EARNS = 4
STATUS = "crashed"

ANSWER = r"""
import sys
sys.setrecursionlimit(10**9)

class Deep:
    def __getattr__(self, name): return getattr(self, name)

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return Deep().deeper
"""
