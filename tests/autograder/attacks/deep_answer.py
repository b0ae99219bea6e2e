"""Returns lists nested a million deep, and one that holds itself. Owed: the honest score."""

EARNS = 15

ANSWER = r"""
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    deep = []
    deep.append(deep)
    for _ in range(1_000_000):
        deep = [deep]
    return deep
"""
