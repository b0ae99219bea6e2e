"""Forks until it is refused. Owed: a result, and nothing left running."""

EARNS = 15

ANSWER = r"""
import os, time
for _ in range(500):
    try:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    except OSError:
        break

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
