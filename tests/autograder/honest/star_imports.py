"""Imports all names of math, which hides some of Python's own."""

BEFORE = {
    "output-size": """
from math import *
from random import *
""",
}
ANSWERS = {
    "direction-kernel": """
from math import *


def direction_kernel(degrees):
    a = radians(degrees)
    return np.array([[sin(a) - cos(a), 2 * sin(a), sin(a) + cos(a)], [-2 * cos(a), 0, 2 * cos(a)],
                     [-sin(a) - cos(a), -2 * sin(a), cos(a) - sin(a)]])


def separate(kernel):
    u, s, v = np.linalg.svd(kernel)
    if len(s) > 1 and s[1] > 1e-9 * s[0]:
        raise ValueError
    return u[:, 0] * sqrt(s[0]), v[0] * sqrt(s[0])
""",
}
