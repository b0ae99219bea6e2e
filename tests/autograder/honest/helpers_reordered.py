"""Two helper cells in an order that only works because Python looks names up when it calls."""

BEFORE = {
    "output-size": "def span_of(k, dilation):\n    return gaps(k) * dilation + 1",
    "conv2d": "def unrelated():\n    return span_of(3, 1)",
}
ANSWERS = {
    "output-size": """
def gaps(k):
    return k - 1


def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return -(-n // stride)
    room = (n if padding == "valid" else n + 2 * padding) - span_of(k, dilation)
    if room < 0:
        raise ValueError
    return room // stride + 1


def same_padding(n, k, stride=1, dilation=1):
    total = max((n - 1) // stride * stride + span_of(k, dilation) - n, 0)
    return total // 2, (total + 1) // 2
""",
}
