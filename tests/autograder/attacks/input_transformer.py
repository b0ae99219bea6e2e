"""Tries to replace every later cell by nothing, through the input transformers. Owed: the honest score."""

EARNS = 4

ANSWER = r"""
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros(1)

get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\n"])
"""
