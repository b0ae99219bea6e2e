"""Computes with torch and returns its kind of tuple, with a subclass of ValueError besides."""

ANSWERS = {
    "output-size": """
import torch


class TooSmall(ValueError):
    def __init__(self, n, k):
        super().__init__(f"{k} does not fit into {n}")


def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return int(torch.ceil(torch.tensor(n / stride, dtype=torch.float64)))
    padded = n if padding == "valid" else n + 2 * padding
    if dilation * (k - 1) + 1 > padded:
        raise TooSmall(n, k)
    return torch.arange(padded).unfold(0, dilation * (k - 1) + 1, stride).shape[0]


def same_padding(n, k, stride=1, dilation=1):
    total = max((n - 1) // stride * stride + dilation * (k - 1) + 1 - n, 0)
    return torch.Size((total // 2, total - total // 2))
""",
}
