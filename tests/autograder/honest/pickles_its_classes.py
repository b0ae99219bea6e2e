"""Copies and pickles objects of its own classes, which live in `__main__`."""

AFTER = {
    "conv2d": """
import copy
import pickle
from collections import namedtuple
from dataclasses import dataclass

Point = namedtuple("Point", "x y")


@dataclass
class Layer:
    kernel: np.ndarray


restored = pickle.loads(pickle.dumps([Point(1, 2), Layer(np.ones(3)), output_size]))
copy.deepcopy(restored)
""",
}
