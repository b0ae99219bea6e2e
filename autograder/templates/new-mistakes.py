"""What students write for NAME, wrong and right, and what it must get. `autograder verify NAME` checks all of it."""

from convbook.catalogue import Alternative, Mistake, Survivor

MISTAKES = [
    Mistake(
        question="moving-average",
        name="keeps windows that stick out",
        source='def moving_average(x, k):\n    return np.convolve(x, np.full(k, 1 / k), mode="same")',
        points={"moving-average-test": 0},
        hint="only windows that lie inside",
    ),
    Mistake(
        question="moving-average",
        name="divides by three always",
        source='def moving_average(x, k):\n    return np.convolve(x, np.ones(k), mode="valid") / 3',
        points={"moving-average-test": 0},
        hint="whatever k is",
    ),
    Mistake(
        question="moving-average",
        name="takes windows that do not overlap",
        source=(
            "def moving_average(x, k):\n    return np.array([x[i : i + k].mean() for i in range(0, len(x) - k + 1, k)])"
        ),
        points={"moving-average-test": 0},
        hint="two windows",
    ),
]

ALTERNATIVES = [
    Alternative(
        question="moving-average",
        name="a loop",
        source=(
            "def moving_average(x, k):\n"
            "    means = np.empty(len(x) - k + 1)\n"
            "    for i in range(len(means)):\n"
            "        means[i] = x[i : i + k].sum() / k\n"
            "    return means"
        ),
    ),
    Alternative(
        question="moving-average",
        name="running sums",
        source=(
            "def moving_average(x, k):\n"
            "    sums = np.concatenate([[0.0], np.cumsum(x)])\n"
            "    return (sums[k:] - sums[:-k]) / k"
        ),
    ),
]

# `autograder verify` also makes small changes to your solution. A test must notice each that computes something else.
SURVIVORS = [
    Survivor(
        question="moving-average",
        line="return np.convolve(x, np.full(k, 1 / k), mode='valid')",
        becomes="return np.convolve(np.full(k, 1 / k), x, mode='valid')",
        reason="A convolution is the same with its arguments swapped.",
    ),
]
