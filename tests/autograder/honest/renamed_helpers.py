"""Imports under names of its own and calls its helper `main`."""

ANSWERS = {
    "direction-kernel": """
import numpy as numeric
from numpy import outer as times


def main(kind):
    return times([1.0, 2, 1], [-1.0, 0, 1]) if kind else times([1.0, 0, -1], [1.0, 2, 1])


def direction_kernel(degrees):
    turn = numeric.deg2rad(degrees)
    return numeric.cos(turn) * main(True) + numeric.sin(turn) * main(False)


def separate(kernel):
    left, sizes, right = numeric.linalg.svd(kernel)
    if (sizes[1:] > 1e-9 * sizes[0]).any():
        raise ValueError("more than one outer product is needed")
    return left[:, 0] * sizes[0], right[0]
""",
}
