"""Returns NumPy's integers for sizes, as NumPy's functions do."""

ANSWERS = {
    "output-size": """
def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return np.ceil(n / stride).astype(int)
    room = np.int64(n if padding == "valid" else n + 2 * padding) - dilation * (k - 1) - 1
    if room < 0:
        raise ValueError("too small")
    return np.floor_divide(room, stride) + np.int64(1)


def same_padding(n, k, stride=1, dilation=1):
    total = np.maximum((n - 1) // stride * stride + dilation * (k - 1) + 1 - n, 0)
    return np.int32(total // 2), total - total // 2
""",
}
