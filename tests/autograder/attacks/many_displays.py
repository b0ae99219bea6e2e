"""Displays 20,000 objects. Owed: the honest score, with outputs cut."""

EARNS = 15

ANSWER = r"""
from IPython.display import HTML, display
for number in range(20_000):
    display(HTML(f"<b>{number}</b>"))

def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)
"""
