"""Makes files until it is refused, or 50,000 of them. Owed: a result."""

EARNS = 15

ANSWER = r"""
try:
    for number in range(50_000):
        open(f"f{number}", "w").close()
except OSError:
    pass

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
