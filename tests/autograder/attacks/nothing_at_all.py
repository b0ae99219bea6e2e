"""Returns an empty array, which careless comparisons let through. Owed: the honest score."""

EARNS = 15

ANSWER = r"""
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.empty((0,))
"""
