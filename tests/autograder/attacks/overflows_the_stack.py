"""Recurses in C until the stack ends. Owed: a result with the reason."""

EARNS = 11

ANSWER = r"""
import sys
sys.setrecursionlimit(10**9)
def deeper(f): return deeper(lambda: f)
deeper(deeper)

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
