"""Known answers to assignment 01: mistakes that students make, and other right answers.

`autograder verify` runs each of them; tests/solutions does so without the autograder. An entry is a whole answer
cell, and most differ in one function, so the right rest is written once.
"""

from convbook.catalogue import Alternative, Mistake, Survivor

# Question 1. The right functions, in other words than the solution's.

OUTPUT_SIZE = """
def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return -(-n // stride)
    padded = n if padding == "valid" else n + 2 * padding
    span = k + (k - 1) * (dilation - 1)
    if padded < span:
        raise ValueError("The kernel does not fit.")
    return (padded - span) // stride + 1
"""

SAME_PADDING = """
def same_padding(n, k, stride=1, dilation=1):
    last_start = (n - 1) // stride * stride
    missing = last_start + dilation * (k - 1) + 1 - n
    if missing <= 0:
        return 0, 0
    return missing // 2, (missing + 1) // 2
"""


def _size(old: str, new: str) -> str:
    return _changed(OUTPUT_SIZE, old, new) + SAME_PADDING


def _same(old: str, new: str) -> str:
    return OUTPUT_SIZE + _changed(SAME_PADDING, old, new)


def _changed(source: str, old: str, new: str) -> str:
    """The right answer with one slip in it."""
    if source.count(old) != 1:
        raise ValueError(f"{old!r} stands {source.count(old)} times in the source.")
    return source.replace(old, new)


def _size_points(plain: int, dilation: int, same: int, zeros: int) -> dict[str, float]:
    return {
        "output-size-test": plain,
        "output-size-dilation-test": dilation,
        "output-size-same-test": same,
        "same-padding-test": zeros,
    }


SIZE_MISTAKES = [
    Mistake(
        "output-size",
        "rounds up instead of down",
        _size("return (padded - span) // stride + 1", "return -(-(padded - span) // stride) + 1"),
        _size_points(0, 0, 0, 2),
        hint="Round down.",
    ),
    Mistake(
        "output-size",
        "forgets to add 1",
        _size("// stride + 1", "// stride"),
        _size_points(0, 0, 0, 2),
        hint="3 taps fit into 5 pixels at 0, 1 and 2",
    ),
    Mistake(
        "output-size",
        "adds 1 before it divides",
        _size("return (padded - span) // stride + 1", "return (padded - span + 1) // stride"),
        _size_points(0, 0, 0, 2),
        hint="Divide first, then add 1",
    ),
    Mistake(
        "output-size",
        "pads on one side only",
        _size("n + 2 * padding", "n + padding"),
        _size_points(0, 0, 1, 2),
        hint="The padding goes on each side",
    ),
    Mistake(
        "output-size",
        "returns a float",
        """
import numpy as np


def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return np.ceil(n / stride)
    padded = n if padding == "valid" else n + 2 * padding
    span = dilation * (k - 1) + 1
    if span > padded:
        raise ValueError("The kernel does not fit.")
    return np.floor((padded - span) / stride) + 1
"""
        + SAME_PADDING,
        _size_points(0, 0, 0, 2),
        hint="it should be of type int",
    ),
    Mistake(
        "output-size",
        "forgets the dilation",
        _size("k + (k - 1) * (dilation - 1)", "k"),
        _size_points(1, 0, 0, 2),
        hint="They span 5 pixels: 3 taps have 2 gaps",
    ),
    Mistake(
        "output-size",
        "takes the span of the taps for d times k",
        _size("k + (k - 1) * (dilation - 1)", "k * dilation"),
        _size_points(1, 0, 0, 2),
        hint="They span 5 pixels: 3 taps have 2 gaps",
    ),
    Mistake(
        "output-size",
        "gives a size where the kernel does not fit",
        _size('raise ValueError("The kernel does not fit.")', "return 0"),
        _size_points(1, 0, 0, 2),
        hint="4 taps do not fit into 3 pixels",
    ),
    Mistake(
        "output-size",
        "notices a kernel that does not fit by a size below 1, after rounding towards zero",
        """
def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return -(-n // stride)
    if padding == "valid":
        padding = 0
    size = int((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1
    if size < 1:
        raise ValueError("The kernel does not fit.")
    return size
"""
        + SAME_PADDING,
        _size_points(1, 0, 0, 2),
        hint="Compare before you divide",
    ),
    Mistake(
        "output-size",
        "keeps the size under same padding at every stride",
        OUTPUT_SIZE.replace("-(-n // stride)", "n") + _changed(SAME_PADDING, "(n - 1) // stride * stride", "n - 1"),
        _size_points(1, 1, 0, 0),
        hint="keeps the size at stride 1 only",
    ),
    Mistake(
        "output-size",
        "rounds same padding down",
        _size("-(-n // stride)", "n // stride"),
        _size_points(1, 1, 0, 2),
        hint="At stride s it gives n / s, rounded up",
    ),
    Mistake(
        "output-size",
        "lets same padding fail for a large kernel",
        _size(
            """    if padding == "same":
        return -(-n // stride)
    padded = n if padding == "valid" else n + 2 * padding
    span = k + (k - 1) * (dilation - 1)
""",
            """    padded = n + 2 * padding if isinstance(padding, int) else n
    span = k + (k - 1) * (dilation - 1)
    if padding == "same" and span <= n:
        return -(-n // stride)
""",
        ),
        _size_points(1, 1, 0, 2),
        hint="The kernel does not fit.",
    ),
    Mistake(
        "output-size",
        "puts the odd zero before",
        _same("missing // 2, (missing + 1) // 2", "(missing + 1) // 2, missing // 2"),
        _size_points(1, 1, 1, 0),
        hint="The larger half goes after",
    ),
    Mistake(
        "output-size",
        "adds the same number on both sides, as for odd kernels",
        _same("missing // 2, (missing + 1) // 2", "missing // 2, missing // 2"),
        _size_points(1, 1, 1, 0),
        hint="An even kernel needs an odd number of zeros",
    ),
    Mistake(
        "output-size",
        "gives a negative number of zeros",
        _same("missing <= 0", "missing == 0"),
        _size_points(1, 1, 1, 0),
        hint="No zeros are needed, and -1 is none",
    ),
    Mistake(
        "output-size",
        "forgets the dilation in the zeros",
        _same("dilation * (k - 1)", "(k - 1)"),
        _size_points(1, 1, 1, 0),
        hint="Dilation counts",
    ),
    Mistake(
        "output-size",
        "forgets the stride in the zeros",
        _same("(n - 1) // stride * stride", "n - 1"),
        _size_points(1, 1, 1, 0),
        hint="The stride counts",
    ),
    Mistake(
        "output-size",
        "returns a list",
        _same("return missing // 2, (missing + 1) // 2", "return [missing // 2, (missing + 1) // 2]"),
        _size_points(1, 1, 1, 0),
        hint="as a tuple of two ints",
    ),
]

SIZE_ALTERNATIVES = [
    Alternative("output-size", "other closed forms", OUTPUT_SIZE + SAME_PADDING),
    Alternative(
        "output-size",
        "counts the starts one by one",
        """
def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        padding = same_padding(n, k, stride, dilation)
    elif padding == "valid":
        padding = 0, 0
    else:
        padding = padding, padding
    count, start = 0, -padding[0]
    while start + dilation * (k - 1) < n + padding[1]:
        count += 1
        start += stride
    if count == 0:
        raise ValueError("not one start")
    return count


def same_padding(n, k, stride=1, dilation=1):
    starts = list(range(0, n, stride))
    after = before = 0
    while starts[-1] + dilation * (k - 1) > n + before + after - 1:
        if after > before:
            before += 1
        else:
            after += 1
    return before, after
""",
    ),
    Alternative(
        "output-size",
        "floating point, made whole at the end",
        """
import math

import numpy as np


def output_size(n, k, stride=1, padding=0, dilation=1):
    if isinstance(padding, str):
        if padding == "same":
            return int(np.ceil(n / stride))
        padding = 0
    size = math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride + 1)
    if size <= 0:
        raise ValueError(f"a size of {size}")
    return size


def same_padding(n, k, stride=1, dilation=1):
    out = np.ceil(n / stride)
    total = np.maximum(0, (out - 1) * stride + (k - 1) * dilation + 1 - n)
    return int(np.floor(total / 2)), int(np.ceil(total / 2))
""",
    ),
]

# Question 2. Seven loops, as most students write it.

CONV2D = """
import numpy as np


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, kH, kW = w.shape
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    span_h, span_w = dilation * (kH - 1) + 1, dilation * (kW - 1) + 1
    oH = (H + 2 * padding - span_h) // stride + 1
    oW = (W + 2 * padding - span_w) // stride + 1
    y = np.zeros((N, F, oH, oW))
    for n in range(N):
        for f in range(F):
            group = f // (F // groups)
            for r in range(oH):
                for s in range(oW):
                    total = 0.0
                    for c in range(D):
                        for i in range(kH):
                            for j in range(kW):
                                pixel = padded[n, group * D + c, r * stride + i * dilation, s * stride + j * dilation]
                                total += pixel * w[f, c, i, j]
                    if b is not None:
                        total += b[f]
                    y[n, f, r, s] = total
    return y
"""


def _conv2d_points(plain: int, stride_padding: int, dilation: int, groups: int) -> dict[str, float]:
    return {
        "conv2d-test": plain,
        "conv2d-stride-padding-test": stride_padding,
        "conv2d-dilation-test": dilation,
        "conv2d-groups-test": groups,
    }


CONV2D_MISTAKES = [
    Mistake(
        "conv2d",
        "flips the kernel",
        _changed(CONV2D, "    F, D, kH, kW = w.shape\n", "    w = w[:, :, ::-1, ::-1]\n    F, D, kH, kW = w.shape\n"),
        _conv2d_points(0, 0, 0, 0),
        hint="Do not flip the kernel",
    ),
    Mistake(
        "conv2d",
        "takes columns before rows",
        _changed(
            CONV2D,
            "    N, C, H, W = x.shape\n",
            "    x, w = x.transpose(0, 1, 3, 2), w.transpose(0, 1, 3, 2)\n    N, C, H, W = x.shape\n",
        ),
        _conv2d_points(0, 0, 0, 0),
        hint="Rows come first",
    ),
    Mistake(
        "conv2d",
        "swaps the two axes of the output",
        _changed(CONV2D, "    return y\n", "    return y.transpose(0, 1, 3, 2)\n"),
        _conv2d_points(0, 0, 0, 0),
        hint="Rows come first",
    ),
    Mistake(
        "conv2d",
        "keeps one output channel for each input channel",
        """
import numpy as np


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    N, C, H, W = x.shape
    kH, kW = w.shape[2:]
    oH = (H - dilation * (kH - 1) - 1) // stride + 1
    oW = (W - dilation * (kW - 1) - 1) // stride + 1
    y = np.zeros((N, C, oH, oW))
    for c in range(C):
        for r in range(oH):
            for s in range(oW):
                top, left = r * stride, s * stride
                window = x[:, c, top : top + dilation * kH : dilation, left : left + dilation * kW : dilation]
                y[:, c, r, s] = (window[:, :kH, :kW] * w[0, 0]).sum(axis=(1, 2)) + (0 if b is None else b[0])
    return y
""",
        _conv2d_points(0, 0, 0, 0),
        hint="Each filter sums over all input channels",
    ),
    Mistake(
        "conv2d",
        "adds the bias for every input channel",
        _changed(
            CONV2D,
            "                    if b is not None:\n                        total += b[f]\n",
            "                    if b is not None:\n                        total += D * b[f]\n",
        ),
        _conv2d_points(0, 2, 2, 0),
        hint="added once a pixel",
    ),
    Mistake(
        "conv2d",
        "forgets the bias",
        _changed(CONV2D, "total += b[f]", "pass"),
        _conv2d_points(0, 2, 2, 0),
        hint="added once a pixel",
    ),
    Mistake(
        "conv2d",
        "uses the first picture for the whole batch",
        _changed(CONV2D, "padded[n, group", "padded[0, group"),
        _conv2d_points(0, 0, 0, 0),
        hint="Each picture of the batch gets its own result",
    ),
    Mistake(
        "conv2d",
        "pads after the picture only",
        _changed(CONV2D, "padding : padding + H, padding : padding + W", ":H, :W"),
        _conv2d_points(3, 0, 0, 0),
        hint="one row of zeros above and one below",
    ),
    Mistake(
        "conv2d",
        "repeats the edge instead of adding zeros",
        _changed(
            CONV2D,
            "    padded[:, :, padding : padding + H, padding : padding + W] = x\n",
            "    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode='edge')\n",
        ),
        _conv2d_points(3, 0, 0, 0),
        hint="one row of zeros above and one below",
    ),
    Mistake(
        "conv2d",
        "strides along rows only",
        _changed(_changed(CONV2D, "- span_w) // stride + 1", "- span_w) + 1"), "s * stride", "s"),
        _conv2d_points(3, 0, 0, 0),
        hint="along rows and along columns",
    ),
    Mistake(
        "conv2d",
        "forgets the dilation in the output size",
        _changed(CONV2D, "dilation * (kH - 1) + 1, dilation * (kW - 1) + 1", "kH, kW").replace(
            "padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))",
            "more = 2 * padding + dilation * max(kH, kW)\n    padded = np.zeros((N, C, H + more, W + more))",
        ),
        _conv2d_points(3, 2, 0, 0),
        hint="so 3 windows fit into 7 pixels",
    ),
    Mistake(
        "conv2d",
        "multiplies the stride by the dilation",
        _changed(
            CONV2D,
            "r * stride + i * dilation, s * stride + j * dilation",
            "(r * stride + i) * dilation, (s * stride + j) * dilation",
        ).replace("// stride + 1", "// (stride * dilation) + 1"),
        _conv2d_points(3, 2, 0, 0),
        hint="so 3 windows fit into 7 pixels",
    ),
    Mistake(
        "conv2d",
        "dilates columns only",
        _changed(CONV2D, "r * stride + i * dilation", "r * stride + i").replace("dilation * (kH - 1) + 1", "kH"),
        _conv2d_points(3, 2, 0, 0),
        hint="Dilation spreads the rows of the kernel",
    ),
    Mistake(
        "conv2d",
        "ignores the groups",
        _changed(CONV2D, "group = f // (F // groups)", "group = 0"),
        _conv2d_points(3, 2, 2, 0),
        hint="Groups keep the order",
    ),
    Mistake(
        "conv2d",
        "deals the input channels out in turn",
        _changed(CONV2D, "group * D + c", "c * groups + group"),
        _conv2d_points(3, 2, 2, 0),
        hint="Groups keep the order",
    ),
    Mistake(
        "conv2d",
        "deals the filters out in turn",
        _changed(CONV2D, "group = f // (F // groups)", "group = f % groups"),
        _conv2d_points(3, 2, 2, 0),
        hint="the first two see channel 0, the last two see channel 1",
    ),
    Mistake(
        "conv2d",
        "returns integers",
        _changed(CONV2D, "return y", "return y.astype(int)"),
        _conv2d_points(0, 0, 0, 0),
        hint="it should hold real numbers",
    ),
]

CONV2D_ALTERNATIVES = [
    Alternative("conv2d", "seven loops", CONV2D),
    Alternative(
        "conv2d",
        "sliding windows and one einsum",
        """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    kH, kW = w.shape[2:]
    x = np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    span = ((kH - 1) * dilation + 1, (kW - 1) * dilation + 1)
    windows = sliding_window_view(x, span, axis=(2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = zip(np.split(windows, groups, axis=1), np.split(w, groups))
    y = np.concatenate([np.einsum("nchwij,fcij->nfhw", each, filters) for each, filters in parts], axis=1)
    return y if b is None else y + b.reshape(1, -1, 1, 1)
""",
    ),
    Alternative(
        "conv2d",
        "im2col: a matrix of windows times a matrix of filters",
        """
def columns(picture, kH, kW, stride, dilation):
    C, H, W = picture.shape
    rows = range(0, H - dilation * (kH - 1), stride)
    cols = range(0, W - dilation * (kW - 1), stride)
    patches = [
        picture[:, r : r + dilation * (kH - 1) + 1 : dilation, s : s + dilation * (kW - 1) + 1 : dilation].ravel()
        for r in rows
        for s in cols
    ]
    return np.array(patches).T, len(rows), len(cols)


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    C_out, depth, kH, kW = w.shape
    share = C_out // groups
    results = []
    for picture in x:
        picture = np.pad(picture, ((0, 0), (padding, padding), (padding, padding)))
        maps = []
        for g in range(groups):
            matrix, height, width = columns(picture[g * depth : (g + 1) * depth], kH, kW, stride, dilation)
            filters = w[g * share : (g + 1) * share].reshape(share, -1)
            maps.append((filters @ matrix).reshape(share, height, width))
        results.append(np.concatenate(maps))
    y = np.stack(results)
    if b is not None:
        y += b[:, np.newaxis, np.newaxis]
    return y
""",
    ),
    Alternative(
        "conv2d",
        "a kernel blown up with zeros, every start, then every stride-th",
        """
import numpy as np


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    F, D, kH, kW = w.shape
    C = x.shape[1]
    full = np.zeros((F, C, dilation * (kH - 1) + 1, dilation * (kW - 1) + 1))
    for f in range(F):
        g = f * groups // F
        full[f, g * D : (g + 1) * D, ::dilation, ::dilation] = w[f]
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), mode="constant", constant_values=0)
    tall, wide = full.shape[2:]
    y = [
        [np.tensordot(x[:, :, r : r + tall, s : s + wide], full, axes=([1, 2, 3], [1, 2, 3]))
         for s in range(x.shape[3] - wide + 1)]
        for r in range(x.shape[2] - tall + 1)
    ]
    y = np.array(y).transpose(2, 3, 0, 1)
    if b is not None:
        y = y + b[None, :, None, None]
    return y[:, :, ::stride, ::stride]
""",
    ),
]

# Question 3. Prewitt's kernels, and singular values.

DIRECTION_KERNEL = """
import numpy as np


def direction_kernel(degrees):
    radians = degrees * np.pi / 180
    right = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
    up = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    return np.cos(radians) * right + np.sin(radians) * up
"""

SEPARATE = """
def separate(kernel):
    u, s, v = np.linalg.svd(kernel)
    if len(s) > 1 and s[1] > 1e-9 * s[0]:
        raise ValueError("The rank is above 1.")
    return u[:, 0] * s[0], v[0]
"""


def _direction(old: str, new: str) -> str:
    return _changed(DIRECTION_KERNEL, old, new) + SEPARATE


def _direction_points(axes: int, angles: int, separate: int) -> dict[str, float]:
    return {"direction-kernel-test": axes, "direction-kernel-angles-test": angles, "separate-test": separate}


DIRECTION_MISTAKES = [
    Mistake(
        "direction-kernel",
        "measures the angle with the clock",
        _direction("np.sin(radians) * up", "np.sin(radians) * -up"),
        _direction_points(0, 0, 2),
        hint="90 degrees is up, towards row 0",
    ),
    Mistake(
        "direction-kernel",
        "answers from bright to dark",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return -np.cos(radians) * right - np.sin(radians) * up",
        ),
        _direction_points(0, 0, 2),
        hint="Look at the sign",
    ),
    Mistake(
        "direction-kernel",
        "takes degrees for radians",
        _direction("degrees * np.pi / 180", "degrees"),
        _direction_points(0, 0, 2),
        hint="cos and sin take radians",
    ),
    Mistake(
        "direction-kernel",
        "swaps rows and columns",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return (np.cos(radians) * right + np.sin(radians) * up).T",
        ),
        _direction_points(0, 0, 2),
        hint="at which index is the column",
    ),
    Mistake(
        "direction-kernel",
        "draws a line in the direction instead of an edge across it",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return np.cos(radians) * up + np.sin(radians) * right",
        ),
        _direction_points(0, 0, 2),
        hint="Look at the sign, and at which index is the column",
    ),
    Mistake(
        "direction-kernel",
        "blurs as well, so that a flat picture gets an answer",
        _direction("return np.cos", "return np.full((3, 3), 1 / 9) + np.cos"),
        _direction_points(0, 0, 2),
        hint="the weights add up to 0",
    ),
    Mistake(
        "direction-kernel",
        "turns in steps of 90 degrees only",
        _direction("degrees * np.pi / 180", "round(degrees / 90) * np.pi / 2"),
        _direction_points(2, 0, 2),
        hint="A ramp across the direction gets an answer",
    ),
    Mistake(
        "direction-kernel",
        "turns in steps of 45 degrees, as compass kernels do",
        """
import numpy as np


def direction_kernel(degrees):
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    weights = [-1.0, 0, 1, 2, 1, 0, -1, -2]
    steps = round(degrees / 45) % 8
    kernel = np.zeros((3, 3))
    for place, (row, column) in enumerate(ring):
        kernel[row, column] = weights[(place + steps) % 8]
    return kernel
"""
        + SEPARATE,
        _direction_points(2, 0, 2),
        hint="A ramp across the direction gets an answer",
    ),
    Mistake(
        "direction-kernel",
        "mixes by the share of a right angle instead of cosine and sine",
        _direction(
            "    return np.cos(radians) * right + np.sin(radians) * up\n",
            """    share = degrees % 360 / 90
    weights = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)]
    first, second = weights[int(share)], weights[int(share) + 1]
    part = share - int(share)
    across = (1 - part) * first[0] + part * second[0]
    upward = (1 - part) * first[1] + part * second[1]
    return float(across) * right + float(upward) * up
""",
        ),
        _direction_points(2, 0, 2),
        hint="Mix a kernel for right and one for up, by cosine and sine",
    ),
    Mistake(
        "direction-kernel",
        "returns integers",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return np.round(4 * (np.cos(radians) * right + np.sin(radians) * up)).astype(int)",
        ),
        _direction_points(0, 0, 2),
        hint="Whole numbers become floats",
    ),
    Mistake(
        "direction-kernel",
        "separates by the weight in the corner",
        DIRECTION_KERNEL
        + """

def separate(kernel):
    column, row = kernel[:, 0], kernel[0] / kernel[0, 0]
    if np.abs(np.outer(column, row) - kernel).max() > 1e-9 * np.abs(kernel).max():
        raise ValueError("This is not separable.")
    return column, row
""",
        _direction_points(2, 2, 0),
        hint="The kernel's corner is 0",
    ),
    Mistake(
        "direction-kernel",
        "takes every kernel for separable",
        DIRECTION_KERNEL + _changed(SEPARATE, "s[1] > 1e-9 * s[0]", "False"),
        _direction_points(2, 2, 0),
        hint="its rows are no multiples of one row",
    ),
    Mistake(
        "direction-kernel",
        "compares with a fixed number",
        DIRECTION_KERNEL + _changed(SEPARATE, "s[1] > 1e-9 * s[0]", "s[1] > 1e-9"),
        _direction_points(2, 2, 0),
        hint="Tiny weights are weights too",
    ),
    Mistake(
        "direction-kernel",
        "forgets the scale of the singular value",
        DIRECTION_KERNEL + _changed(SEPARATE, "u[:, 0] * s[0]", "u[:, 0]"),
        _direction_points(2, 2, 0),
        hint="sign and scale included",
    ),
    Mistake(
        "direction-kernel",
        "swaps column and row",
        DIRECTION_KERNEL + _changed(SEPARATE, "return u[:, 0] * s[0], v[0]", "return v[0], u[:, 0] * s[0]"),
        _direction_points(2, 2, 0),
        hint="sign and scale included",
    ),
    Mistake(
        "direction-kernel",
        "takes sums of rows and columns",
        DIRECTION_KERNEL
        + """

def separate(kernel):
    if np.linalg.matrix_rank(kernel) > 1:
        raise ValueError("This is not separable.")
    return np.abs(kernel).sum(axis=1), np.abs(kernel).sum(axis=0) / np.abs(kernel).sum()
""",
        _direction_points(2, 2, 0),
        hint="sign and scale included",
    ),
]

DIRECTION_ALTERNATIVES = [
    Alternative("direction-kernel", "Prewitt and singular values", DIRECTION_KERNEL + SEPARATE),
    Alternative(
        "direction-kernel",
        "Scharr and 2 by 2 determinants",
        """
import math


def direction_kernel(degrees):
    scharr = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 32
    a = math.radians(degrees)
    return math.cos(a) * scharr - math.sin(a) * scharr.T


def separate(kernel):
    rows, columns = kernel.shape
    largest = np.abs(kernel).max()
    i, j = np.argwhere(np.abs(kernel) == largest)[0]
    for r in range(rows):
        for c in range(columns):
            determinant = kernel[i, j] * kernel[r, c] - kernel[r, j] * kernel[i, c]
            if abs(determinant) > 1e-9 * largest**2:
                raise ValueError("Two rows are no multiples of each other.")
    return kernel[:, j] / kernel[i, j], kernel[i].copy()
""",
    ),
    Alternative(
        "direction-kernel",
        "central differences and the rank",
        """
def direction_kernel(degrees):
    kernel = np.zeros((3, 3))
    kernel[1, 2] = np.cos(np.deg2rad(degrees))
    kernel[1, 0] = -kernel[1, 2]
    kernel[0, 1] = np.sin(np.deg2rad(degrees))
    kernel[2, 1] = -kernel[0, 1]
    return kernel


def separate(kernel):
    if np.linalg.matrix_rank(kernel) != 1:
        raise ValueError("not of rank 1")
    row = kernel[np.argmax(np.abs(kernel).sum(axis=1))]
    column = kernel @ row / (row @ row)
    return column, row
""",
    ),
    Alternative(
        "direction-kernel",
        "the ramp itself, in single precision",
        """
def direction_kernel(degrees):
    kernel = np.empty((3, 3), dtype=np.float32)
    for i in range(3):
        for j in range(3):
            kernel[i, j] = (j - 1) * np.cos(np.radians(degrees)) + (1 - i) * np.sin(np.radians(degrees))
    return kernel


def separate(kernel):
    size = np.abs(kernel).max()
    scaled = kernel / size
    i = int(np.argmax(np.linalg.norm(scaled, axis=1)))
    row = scaled[i] / np.linalg.norm(scaled[i])
    column = scaled @ row
    if np.any(np.abs(column[:, None] * row[None, :] - scaled) > 1e-9):
        raise ValueError("not separable")
    return column * size, row
""",
    ),
]

MISTAKES = [*SIZE_MISTAKES, *CONV2D_MISTAKES, *DIRECTION_MISTAKES]
ALTERNATIVES = [*SIZE_ALTERNATIVES, *CONV2D_ALTERNATIVES, *DIRECTION_ALTERNATIVES]

# Changes to the solutions that compute the same.

SURVIVORS = [
    Survivor(
        "output-size",
        "total = max(needed - n, 0)",
        "total = max(0, needed - n)",
        reason="max(a, b) is max(b, a) for integers.",
    ),
    Survivor(
        "conv2d",
        "x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))",
        "x = np.pad(x, ((0, 0), (0, 1), (padding, padding), (padding, padding)))",
        reason="A channel of zeros behind the last is never read: each filter takes its own group's channels only.",
    ),
    Survivor(
        "direction-kernel",
        "if np.abs(np.outer(column, row) - kernel).max() > 1e-09 * abs(kernel[i, j]):",
        "if np.abs(np.outer(column, row) - kernel).max() >= 1e-09 * abs(kernel[i, j]):",
        reason="They differ at a difference of exactly a billionth, which the text leaves open.",
    ),
]
