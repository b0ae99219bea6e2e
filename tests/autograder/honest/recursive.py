"""Recurses a position at a time, with a higher recursion limit."""

ANSWERS = {
    "output-size": """
import sys

sys.setrecursionlimit(20_000)


def count(room, stride):
    return 0 if room < 0 else 1 + count(room - stride, stride)


def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return count(n - 1, stride)
    found = count((n if padding == "valid" else n + 2 * padding) - dilation * (k - 1) - 1, stride)
    if not found:
        raise ValueError("does not fit")
    return found


def same_padding(n, k, stride=1, dilation=1, before=0, after=0):
    if n + before + after >= (output_size(n, k, stride, "same") - 1) * stride + dilation * (k - 1) + 1:
        return before, after
    if before < after:
        return same_padding(n, k, stride, dilation, before + 1, after)
    return same_padding(n, k, stride, dilation, before, after + 1)


assert count(5_000, 1) == 5_001
""",
}
