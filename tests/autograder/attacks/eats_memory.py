"""Takes memory until it is refused. Owed: a result with the reason."""

EARNS = 15

ANSWER = r"""
hoard = []
while True:
    hoard.append(bytearray(16 << 20))

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
