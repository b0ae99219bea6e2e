"""Plots: the magic for it, a figure a cell, a style, and one drawn while a test calls the function."""

BEFORE = {
    "conv2d": """
%matplotlib inline
import matplotlib.pyplot as plt

plt.style.use('ggplot')
plt.plot([1, 4, 9])
plt.show()
""",
}
AFTER = {
    "conv2d": """
fig, ax = plt.subplots(1, 2)
ax[0].imshow(conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 2, 2)))[0, 0])
fig
""",
}
ANSWERS = {
    "conv2d": """
@RIGHT@

_slide, _shown = conv2d, []


def conv2d(*args, **options):
    y = _slide(*args, **options)
    if not _shown:
        _shown.append(plt.figure())
        plt.imshow(y[0, 0])
        plt.show()
    return y
""",
}
