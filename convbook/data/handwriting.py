"""Handwritten digits, 8×8, from scikit-learn: the test part of a data set by Alpaydin and Kaynak (1998).

https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits. Each pixel counts the ink in a block
of 4×4 of a 32×32 bitmap.
"""

import numpy as np

from convbook.data.places import say_once
from convbook.data.splits import Split

#: Of all 1,797 pictures, after division by 255.
MEAN, STD = (0.3053,), (0.3760,)


def digits() -> Split:
    """1,797 pictures of shape (8, 8) in ten classes, "0" to "9"; what scikit-learn counts as 16 is 255 here.

    There is no official split: hold some out with `hold_out`. Raises ImportError where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as problem:
        raise ImportError("The digits come with scikit-learn: `pip install scikit-learn`.") from problem
    loaded = load_digits()
    source = "Handwritten digits by E. Alpaydin and C. Kaynak, from scikit-learn"
    say_once(f"{source}.")
    images = np.rint(loaded.images * (255 / 16)).astype(np.uint8)
    return Split(images, loaded.target.astype(np.int64), tuple("0123456789"), MEAN, STD, source)
