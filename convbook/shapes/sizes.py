"""The arithmetic of sizes: how many positions a kernel has along one axis, and how much padding keeps a size.

Every axis of a picture is treated alone, so all functions take and return plain integers:
`n` input size, `k` kernel size, and stride, padding and dilation as in `torch.nn.Conv2d`.
The relations are those of Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285.
"""

import operator


def effective_size(k: int, dilation: int = 1) -> int:
    """Pixels from the first to the last tap of a kernel with `k` taps, `dilation` pixels apart: d(k − 1) + 1."""
    at_least(1, k=k, dilation=dilation)
    return dilation * (k - 1) + 1


def output_size(
    n: int,
    k: int,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    *,
    ceil_mode: bool = False,
) -> int:
    """Number of positions of a kernel along one axis: ⌊(n + padding − d(k − 1) − 1) / s⌋ + 1 (relation 15).

    `padding` is an amount for each side, or a pair (before, after). `ceil_mode` is that of torch's poolings:
    it rounds up, so that a last window may hang over the end, as long as it starts before the padding behind.
    Raises ValueError where the kernel does not fit, TypeError where a setting is no whole number.
    """
    before, after = padding if isinstance(padding, tuple) else (padding, padding)
    at_least(1, n=n, stride=stride)
    at_least(0, padding=before)
    at_least(0, padding=after)
    padded, span = n + before + after, effective_size(k, dilation)
    if span > padded + (stride - 1 if ceil_mode else 0):
        raise ValueError(
            f"The kernel spans {span} pixels and the padded input has only {padded}: "
            "pad more, or take a smaller kernel or dilation."
        )
    if not ceil_mode:
        return (padded - span) // stride + 1
    positions = -(-(padded - span) // stride) + 1
    return positions - 1 if (positions - 1) * stride >= n + before else positions


def transposed_size(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0
) -> int:
    """Output size of a transposed convolution: (n − 1)s − 2p + d(k − 1) + a + 1 (relation 14, and dilation).

    It turns the input size that a convolution with the same k, s, p and d had back from its output size. A stride
    s > 1 makes s input sizes one output size: `output_padding` a, below the stride or the dilation, says which.
    Raises ValueError where nothing would be left, TypeError where a setting is no whole number.
    """
    at_least(1, n=n, stride=stride)
    at_least(0, padding=padding, output_padding=output_padding)
    span = effective_size(k, dilation)
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding is {output_padding}; it must be smaller than the stride, {stride}, "
            f"or the dilation, {dilation}."
        )
    whole = (n - 1) * stride + span + output_padding
    if whole <= 2 * padding:
        raise ValueError(
            f"The output has {whole} pixels before cropping, and padding {padding} crops {2 * padding}: "
            "nothing is left. Pad less."
        )
    return whole - 2 * padding


def same_padding(n: int, k: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Padding (before, after) that makes the output size ⌈n / s⌉, TensorFlow's meaning of "same".

    Where the total is odd the extra pixel goes after, as in TensorFlow and, at stride 1, in torch.
    Source: the notes on padding at https://www.tensorflow.org/api_docs/python/tf/nn.
    """
    at_least(1, n=n, stride=stride)
    positions = -(-n // stride)
    total = max((positions - 1) * stride + effective_size(k, dilation) - n, 0)
    return total // 2, total - total // 2


def at_least(lowest: int, **values: int) -> None:
    """Refuse what is no whole number, or lower than `lowest`, by its name."""
    for name, value in values.items():
        try:
            operator.index(value)
        except TypeError:
            raise TypeError(f"{name} is {value!r}; it must be a whole number.") from None
        if value < lowest:
            raise ValueError(f"{name} is {value}; it must be at least {lowest}.")
