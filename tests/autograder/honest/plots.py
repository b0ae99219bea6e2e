"""Plots: the magic for it, a figure a cell, a style, and one drawn while a test calls the function."""

BEFORE = {
    "conv2d": "%matplotlib inline\nimport matplotlib.pyplot as plt\n\nplt.style.use('ggplot')\nplt.plot([1, 4, 9])\nplt.show()"
}
AFTER = {
    "conv2d": "fig, ax = plt.subplots(1, 2)\nax[0].imshow(conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 2, 2)))[0, 0])\nfig"
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
"""
}
