"""Loops inside C, where no signal handler of Python runs. Owed: a result in time."""

EARNS = 4

ANSWER = r"""
import itertools
sum(itertools.repeat(0))

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
