"""Prints 60 MB in one line. Owed: the honest score, with outputs cut."""

EARNS = 15

ANSWER = r"""
print("x" * (60 << 20))

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
