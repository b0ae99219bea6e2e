"""The arithmetic of sizes: how many positions a kernel has along one axis, and how much padding keeps a size.

Every axis of a picture is treated alone, so all functions take and return plain integers:
`n` input size, `k` kernel size, and stride, padding and dilation as in `torch.nn.Conv2d`.
The relations are those of Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285.
"""


def effective_size(k: int, dilation: int = 1) -> int:
    """Pixels from the first to the last tap of a kernel with `k` taps, `dilation` pixels apart: d(k − 1) + 1."""
    _at_least(1, k=k, dilation=dilation)
    return dilation * (k - 1) + 1


def output_size(n: int, k: int, stride: int = 1, padding: int | tuple[int, int] = 0, dilation: int = 1) -> int:
    """Number of positions of a kernel along one axis: ⌊(n + padding − d(k − 1) − 1) / s⌋ + 1.

    `padding` is an amount for each side, or a pair (before, after). Raises ValueError where the kernel does not fit.
    """
    _at_least(1, n=n, stride=stride)
    before, after = padding if isinstance(padding, tuple) else (padding, padding)
    _at_least(0, padding=min(before, after))
    padded, span = n + before + after, effective_size(k, dilation)
    if span > padded:
        raise ValueError(
            f"The kernel spans {span} pixels and the padded input has only {padded}: "
            "pad more, or take a smaller kernel or dilation."
        )
    return (padded - span) // stride + 1


def same_padding(n: int, k: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Padding (before, after) that makes the output size ⌈n / s⌉, TensorFlow's meaning of "same".

    Where the total is odd the extra pixel goes after, as in TensorFlow and, at stride 1, in torch.
    Source: the notes on padding at https://www.tensorflow.org/api_docs/python/tf/nn.
    """
    _at_least(1, n=n, stride=stride)
    positions = -(-n // stride)
    total = max((positions - 1) * stride + effective_size(k, dilation) - n, 0)
    return total // 2, total - total // 2


def _at_least(lowest: int, **values: int) -> None:
    for name, value in values.items():
        if value < lowest:
            raise ValueError(f"{name} is {value}; it must be at least {lowest}.")
