"""Known answers to assignment 01: mistakes that students make, and other right answers.

`autograder verify` runs each of them; tests/solutions does so without the autograder. An entry is a whole answer
cell, and most differ in one function, so the right rest is written once.
"""

from convbook.catalogue import Alternative, Mistake, Survivor, changed

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
    return changed(OUTPUT_SIZE, (old, new)) + SAME_PADDING


def _same(old: str, new: str) -> str:
    return OUTPUT_SIZE + changed(SAME_PADDING, (old, new))


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
        _size_points(0, 0, 0, 1),
        hint="Round down.",
    ),
    Mistake(
        "output-size",
        "forgets to add 1",
        _size("// stride + 1", "// stride"),
        _size_points(0, 0, 0, 1),
        hint="3 taps fit into 5 pixels at 0, 1 and 2",
    ),
    Mistake(
        "output-size",
        "adds 1 before it divides",
        _size("return (padded - span) // stride + 1", "return (padded - span + 1) // stride"),
        _size_points(0, 0, 0, 1),
        hint="Divide first, then add 1",
    ),
    Mistake(
        "output-size",
        "pads on one side only",
        _size("n + 2 * padding", "n + padding"),
        _size_points(0, 0, 1, 1),
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
        _size_points(0, 0, 0, 1),
        hint="it should be of type int",
    ),
    Mistake(
        "output-size",
        "forgets the dilation",
        _size("k + (k - 1) * (dilation - 1)", "k"),
        _size_points(1, 0, 0, 1),
        hint="They span 5 pixels: 3 taps have 2 gaps",
    ),
    Mistake(
        "output-size",
        "takes the span of the taps for d times k",
        _size("k + (k - 1) * (dilation - 1)", "k * dilation"),
        _size_points(1, 0, 0, 1),
        hint="They span 5 pixels: 3 taps have 2 gaps",
    ),
    Mistake(
        "output-size",
        "gives a size where the kernel does not fit",
        _size('raise ValueError("The kernel does not fit.")', "return 0"),
        _size_points(1, 0, 0, 1),
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
        _size_points(1, 0, 0, 1),
        hint="Compare before you divide",
    ),
    Mistake(
        "output-size",
        "compares the kernel with the pixels before the padding",
        _size("if padded < span:", "if n < span:"),
        _size_points(0, 0, 1, 1),
        hint="The kernel does not fit.",
    ),
    Mistake(
        "output-size",
        "keeps the size under same padding at every stride",
        OUTPUT_SIZE.replace("-(-n // stride)", "n") + changed(SAME_PADDING, ("(n - 1) // stride * stride", "n - 1")),
        _size_points(1, 1, 0, 0),
        hint="keeps the size at stride 1 only",
    ),
    Mistake(
        "output-size",
        "rounds same padding down",
        _size("-(-n // stride)", "n // stride"),
        _size_points(1, 1, 0, 1),
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
        _size_points(1, 1, 0, 1),
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
        changed(CONV2D, ("    F, D, kH, kW = w.shape\n", "    w = w[:, :, ::-1, ::-1]\n    F, D, kH, kW = w.shape\n")),
        _conv2d_points(0, 0, 0, 0),
        hint="Do not flip the kernel",
    ),
    Mistake(
        "conv2d",
        "takes columns before rows",
        changed(
            CONV2D,
            (
                "    N, C, H, W = x.shape\n",
                "    x, w = x.transpose(0, 1, 3, 2), w.transpose(0, 1, 3, 2)\n    N, C, H, W = x.shape\n",
            ),
        ),
        _conv2d_points(0, 0, 0, 0),
        hint="Rows come first",
    ),
    Mistake(
        "conv2d",
        "swaps the two axes of the output",
        changed(CONV2D, ("    return y\n", "    return y.transpose(0, 1, 3, 2)\n")),
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
        changed(
            CONV2D,
            (
                "                    if b is not None:\n                        total += b[f]\n",
                "                    if b is not None:\n                        total += D * b[f]\n",
            ),
        ),
        _conv2d_points(0, 1, 1, 0),
        hint="added once a pixel",
    ),
    Mistake(
        "conv2d",
        "forgets the bias",
        changed(CONV2D, ("total += b[f]", "pass")),
        _conv2d_points(0, 1, 1, 0),
        hint="added once a pixel",
    ),
    Mistake(
        "conv2d",
        "uses the first picture for the whole batch",
        changed(CONV2D, ("padded[n, group", "padded[0, group")),
        _conv2d_points(0, 0, 0, 0),
        hint="Each picture of the batch gets its own result",
    ),
    Mistake(
        "conv2d",
        "pads after the picture only",
        changed(CONV2D, ("padding : padding + H, padding : padding + W", ":H, :W")),
        _conv2d_points(2, 0, 0, 0),
        hint="one row of zeros above and one below",
    ),
    Mistake(
        "conv2d",
        "repeats the edge instead of adding zeros",
        changed(
            CONV2D,
            (
                "    padded[:, :, padding : padding + H, padding : padding + W] = x\n",
                "    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode='edge')\n",
            ),
        ),
        _conv2d_points(2, 0, 0, 0),
        hint="one row of zeros above and one below",
    ),
    Mistake(
        "conv2d",
        "strides along rows only",
        changed(changed(CONV2D, ("- span_w) // stride + 1", "- span_w) + 1")), ("s * stride", "s")),
        _conv2d_points(2, 0, 0, 0),
        hint="along rows and along columns",
    ),
    Mistake(
        "conv2d",
        "forgets the dilation in the output size",
        changed(CONV2D, ("dilation * (kH - 1) + 1, dilation * (kW - 1) + 1", "kH, kW")).replace(
            "padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))",
            "more = 2 * padding + dilation * max(kH, kW)\n    padded = np.zeros((N, C, H + more, W + more))",
        ),
        _conv2d_points(2, 1, 0, 0),
        hint="so 3 windows fit into 7 pixels",
    ),
    Mistake(
        "conv2d",
        "multiplies the stride by the dilation",
        changed(
            CONV2D,
            (
                "r * stride + i * dilation, s * stride + j * dilation",
                "(r * stride + i) * dilation, (s * stride + j) * dilation",
            ),
        ).replace("// stride + 1", "// (stride * dilation) + 1"),
        _conv2d_points(2, 1, 0, 0),
        hint="so 3 windows fit into 7 pixels",
    ),
    Mistake(
        "conv2d",
        "dilates columns only",
        changed(CONV2D, ("r * stride + i * dilation", "r * stride + i")).replace("dilation * (kH - 1) + 1", "kH"),
        _conv2d_points(2, 1, 0, 0),
        hint="Dilation spreads the rows of the kernel",
    ),
    Mistake(
        "conv2d",
        "ignores the groups",
        changed(CONV2D, ("group = f // (F // groups)", "group = 0")),
        _conv2d_points(2, 1, 1, 0),
        hint="Groups keep the order",
    ),
    Mistake(
        "conv2d",
        "deals the input channels out in turn",
        changed(CONV2D, ("group * D + c", "c * groups + group")),
        _conv2d_points(2, 1, 1, 0),
        hint="Groups keep the order",
    ),
    Mistake(
        "conv2d",
        "deals the filters out in turn",
        changed(CONV2D, ("group = f // (F // groups)", "group = f % groups")),
        _conv2d_points(2, 1, 1, 0),
        hint="the first two see channel 0, the last two see channel 1",
    ),
    Mistake(
        "conv2d",
        "returns integers",
        changed(CONV2D, ("return y", "return y.astype(int)")),
        _conv2d_points(0, 0, 0, 0),
        hint="it should hold real numbers",
    ),
    Mistake(
        "conv2d",
        "gives seven digits",
        changed(CONV2D, ("    return y\n", "    return y.astype(np.float32)\n")),
        _conv2d_points(0, 1, 1, 1),
        hint="float32 keeps seven digits",
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
    return changed(DIRECTION_KERNEL, (old, new)) + SEPARATE


def _direction_points(axes: int, angles: int, separate: int) -> dict[str, float]:
    return {"direction-kernel-test": axes, "direction-kernel-angles-test": angles, "separate-test": separate}


DIRECTION_MISTAKES = [
    Mistake(
        "direction-kernel",
        "measures the angle with the clock",
        _direction("np.sin(radians) * up", "np.sin(radians) * -up"),
        _direction_points(0, 0, 1),
        hint="90 degrees is up, towards row 0",
    ),
    Mistake(
        "direction-kernel",
        "answers from bright to dark",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return -np.cos(radians) * right - np.sin(radians) * up",
        ),
        _direction_points(0, 0, 1),
        hint="Look at the sign",
    ),
    Mistake(
        "direction-kernel",
        "takes degrees for radians",
        _direction("degrees * np.pi / 180", "degrees"),
        _direction_points(0, 0, 1),
        hint="cos and sin take radians",
    ),
    Mistake(
        "direction-kernel",
        "swaps rows and columns",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return (np.cos(radians) * right + np.sin(radians) * up).T",
        ),
        _direction_points(0, 0, 1),
        hint="at which index is the column",
    ),
    Mistake(
        "direction-kernel",
        "draws a line in the direction instead of an edge across it",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return np.cos(radians) * up + np.sin(radians) * right",
        ),
        _direction_points(0, 0, 1),
        hint="Look at the sign, and at which index is the column",
    ),
    Mistake(
        "direction-kernel",
        "blurs as well, so that a flat picture gets an answer",
        _direction("return np.cos", "return np.full((3, 3), 1 / 9) + np.cos"),
        _direction_points(0, 0, 1),
        hint="the weights add up to 0",
    ),
    Mistake(
        "direction-kernel",
        "takes directions half a turn apart for the same",
        _direction("degrees * np.pi / 180", "degrees % 180 * np.pi / 180"),
        _direction_points(0, 0, 1),
        hint="An edge knows its bright side",
    ),
    Mistake(
        "direction-kernel",
        "turns in steps of 90 degrees only",
        _direction("degrees * np.pi / 180", "round(degrees / 90) * np.pi / 2"),
        _direction_points(1, 0, 1),
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
        _direction_points(1, 0, 1),
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
        _direction_points(1, 0, 1),
        hint="Mix a kernel for right and one for up, by cosine and sine",
    ),
    Mistake(
        "direction-kernel",
        "returns integers",
        _direction(
            "return np.cos(radians) * right + np.sin(radians) * up",
            "return np.round(4 * (np.cos(radians) * right + np.sin(radians) * up)).astype(int)",
        ),
        _direction_points(0, 0, 1),
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
        _direction_points(1, 1, 0),
        hint="The kernel's corner is 0",
    ),
    Mistake(
        "direction-kernel",
        "takes every kernel for separable",
        DIRECTION_KERNEL + changed(SEPARATE, ("s[1] > 1e-9 * s[0]", "False")),
        _direction_points(1, 1, 0),
        hint="its rows are no multiples of one row",
    ),
    Mistake(
        "direction-kernel",
        "compares with a fixed number",
        DIRECTION_KERNEL + changed(SEPARATE, ("s[1] > 1e-9 * s[0]", "s[1] > 1e-9")),
        _direction_points(1, 1, 0),
        hint="Tiny weights are weights too",
    ),
    Mistake(
        "direction-kernel",
        "takes the rank with the tolerance that it has of its own",
        DIRECTION_KERNEL
        + changed(SEPARATE, ("len(s) > 1 and s[1] > 1e-9 * s[0]", "np.linalg.matrix_rank(kernel) > 1")),
        _direction_points(1, 1, 0),
        hint="A rank has a tolerance of its own, a smaller one",
    ),
    Mistake(
        "direction-kernel",
        "allows differences of a hundred thousandth",
        DIRECTION_KERNEL + changed(SEPARATE, ("s[1] > 1e-9 * s[0]", "s[1] > 1e-5 * s[0]")),
        _direction_points(1, 1, 0),
        hint="an outer product but for one weight",
    ),
    Mistake(
        "direction-kernel",
        "starts from the first weight that is not zero",
        DIRECTION_KERNEL
        + """

def separate(kernel):
    i, j = np.argwhere(kernel)[0]
    column, row = kernel[:, j], kernel[i] / kernel[i, j]
    differences = np.abs(np.outer(column, row) - kernel)
    if differences.max() > 1e-9 * np.abs(kernel).max():
        raise ValueError("This is not separable.")
    return column, row
""",
        _direction_points(1, 1, 0),
        hint="it is rounding",
    ),
    Mistake(
        "direction-kernel",
        "forgets the scale of the singular value",
        DIRECTION_KERNEL + changed(SEPARATE, ("u[:, 0] * s[0]", "u[:, 0]")),
        _direction_points(1, 1, 0),
        hint="sign and scale included",
    ),
    Mistake(
        "direction-kernel",
        "swaps column and row",
        DIRECTION_KERNEL + changed(SEPARATE, ("return u[:, 0] * s[0], v[0]", "return v[0], u[:, 0] * s[0]")),
        _direction_points(1, 1, 0),
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
        _direction_points(1, 1, 0),
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
        "central differences and the rank within a tolerance",
        """
def direction_kernel(degrees):
    kernel = np.zeros((3, 3))
    kernel[1, 2] = np.cos(np.deg2rad(degrees))
    kernel[1, 0] = -kernel[1, 2]
    kernel[0, 1] = np.sin(np.deg2rad(degrees))
    kernel[2, 1] = -kernel[0, 1]
    return kernel


def separate(kernel):
    if np.linalg.matrix_rank(kernel, tol=1e-9 * np.abs(kernel).max()) != 1:
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

# Question 4. Counts in other words, and windows as columns of a list.

PARAMETERS = """
def parameters(c_in, c_out, kernel, groups=1, bias=True):
    rows, columns = kernel
    one_filter = c_in // groups * rows * columns
    return c_out * (one_filter + bool(bias))
"""

MULTIPLY_ADDS = """
def multiply_adds(c_in, c_out, kernel, size, stride=1, groups=1):
    positions = -(-size[0] // stride) * -(-size[1] // stride)
    taps = kernel[0] * kernel[1]
    return positions * c_out * taps * c_in // groups
"""

BY_PRODUCT = """
import numpy as np


def conv2d_by_product(x, w, product, stride=1):
    N, C, H, W = x.shape
    F, _, kH, kW = w.shape
    starts = [(r, s) for r in range(0, H - kH + 1, stride) for s in range(0, W - kW + 1, stride)]
    oH, oW = (H - kH) // stride + 1, (W - kW) // stride + 1
    columns = [x[n, :, r : r + kH, s : s + kW].ravel() for n in range(N) for r, s in starts]
    y = product(w.reshape(F, -1), np.array(columns).T)
    return y.reshape(F, N, oH, oW).transpose(1, 0, 2, 3)
"""


def _cost_points(weights: int, work: int, product: int) -> dict[str, float]:
    return {"parameters-test": weights, "multiply-adds-test": work, "one-product-test": product}


def _parameters(name: str, old: str, new: str, hint: str) -> Mistake:
    return Mistake(
        "cost", name, changed(PARAMETERS, (old, new)) + MULTIPLY_ADDS + BY_PRODUCT, _cost_points(0, 1, 1), hint
    )


def _multiply_adds(name: str, old: str, new: str, hint: str) -> Mistake:
    return Mistake(
        "cost", name, PARAMETERS + changed(MULTIPLY_ADDS, (old, new)) + BY_PRODUCT, _cost_points(1, 0, 1), hint
    )


def _by_product(name: str, source: str, hint: str) -> Mistake:
    return Mistake("cost", name, PARAMETERS + MULTIPLY_ADDS + source, _cost_points(1, 1, 0), hint)


COST_MISTAKES = [
    _parameters("gives a filter one channel only", "c_in // groups * rows", "rows", "for each channel that it sees"),
    _parameters(
        "shares the weights over the filters",
        "return c_out * (one_filter + bool(bias))",
        "return one_filter + c_out * bool(bias)",
        "The 4 filters share none",
    ),
    _parameters("forgets the biases", " + bool(bias)", "", "one bias a filter"),
    _parameters(
        "has a bias for each pair of channels",
        "return c_out * (one_filter + bool(bias))",
        "return c_out * (one_filter + c_in * bool(bias))",
        "one bias a filter",
    ),
    _parameters("forgets the groups", "c_in // groups", "c_in", "a filter sees 3 of the 6 channels"),
    _parameters(
        "divides both numbers of channels by the groups",
        "return c_out * (one_filter",
        "return c_out // groups * (one_filter",
        "There are still 4 filters",
    ),
    _parameters("returns a float", "c_in // groups", "c_in / groups", "6 weights"),
    _multiply_adds(
        "slides over every pixel at any stride",
        "-(-size[0] // stride) * -(-size[1] // stride)",
        "size[0] * size[1]",
        "at the positions only",
    ),
    _multiply_adds(
        "rounds the positions down",
        "-(-size[0] // stride) * -(-size[1] // stride)",
        "(size[0] // stride) * (size[1] // stride)",
        "Round 3 / 2 up",
    ),
    _multiply_adds(
        "divides the number of positions by the stride once",
        "-(-size[0] // stride) * -(-size[1] // stride)",
        "-(-size[0] * size[1] // stride)",
        "for each axis apart",
    ),
    _multiply_adds(
        "has positions without padding",
        "-(-size[0] // stride) * -(-size[1] // stride)",
        "((size[0] - kernel[0]) // stride + 1) * ((size[1] - kernel[1]) // stride + 1)",
        "3 by 5 positions",
    ),
    _multiply_adds("counts operations, two each", "taps = ", "taps = 2 * ", "its addition count as one"),
    _multiply_adds("adds the biases", "* c_in // groups", "* c_in // groups + positions * c_out", "count as one"),
    _multiply_adds("counts one group", "* c_in // groups", "* c_in // groups // groups", "There are still 4 filters"),
    _by_product(
        "slides with loops and leaves the product alone",
        """
def conv2d_by_product(x, w, product, stride=1):
    N, C, H, W = x.shape
    F, _, kH, kW = w.shape
    rows, columns = range(0, H - kH + 1, stride), range(0, W - kW + 1, stride)
    y = np.zeros((N, F, len(rows), len(columns)))
    for n, f, r, s in np.ndindex(y.shape):
        y[n, f, r, s] = (x[n, :, rows[r] : rows[r] + kH, columns[s] : columns[s] + kW] * w[f]).sum()
    return y
""",
        "Call product once",
    ),
    _by_product(
        "multiplies window by window",
        """
def conv2d_by_product(x, w, product, stride=1):
    N, C, H, W = x.shape
    F, _, kH, kW = w.shape
    rows, columns = range(0, H - kH + 1, stride), range(0, W - kW + 1, stride)
    y = np.zeros((N, F, len(rows), len(columns)))
    for n, r, s in np.ndindex(N, len(rows), len(columns)):
        window = x[n, :, rows[r] : rows[r] + kH, columns[s] : columns[s] + kW]
        y[n, :, r, s] = product(w.reshape(F, -1), window.reshape(-1, 1))[:, 0]
    return y
""",
        "Call product once",
    ),
    _by_product(
        "multiplies picture by picture",
        changed(BY_PRODUCT, ("def conv2d_by_product(x,", "def _one(x,"))
        + """

def conv2d_by_product(x, w, product, stride=1):
    return np.concatenate([_one(each[None], w, product, stride) for each in x])
""",
        "no product a picture",
    ),
    _by_product(
        "multiplies by the matrix of the whole picture",
        """
def conv2d_by_product(x, w, product, stride=1):
    N, C, H, W = x.shape
    F, _, kH, kW = w.shape
    oH, oW = (H - kH) // stride + 1, (W - kW) // stride + 1
    matrix = np.zeros((F, oH, oW, C, H, W))
    for r in range(oH):
        for s in range(oW):
            matrix[:, r, s, :, r * stride : r * stride + kH, s * stride : s * stride + kW] = w
    y = product(x.reshape(N, -1), matrix.reshape(F * oH * oW, -1).T)
    return y.reshape(N, F, oH, oW)
""",
        "lay out windows instead",
    ),
    _by_product(
        "splits the axes of the product in the wrong order",
        changed(BY_PRODUCT, ("y.reshape(F, N, oH, oW).transpose(1, 0, 2, 3)", "y.reshape(N, F, oH, oW)")),
        "Split its axes with reshape",
    ),
    _by_product(
        "lays out weights and pixels in different orders",
        changed(BY_PRODUCT, ("w.reshape(F, -1)", "w.transpose(0, 1, 3, 2).reshape(F, -1)")),
        "come in the same order",
    ),
    _by_product(
        "puts the channels of a pixel side by side, as picture files do",
        changed(BY_PRODUCT, ("s : s + kW].ravel()", "s : s + kW].transpose(1, 2, 0).ravel()")),
        "channels, rows, columns",
    ),
    _by_product(
        "multiplies channel by channel",
        changed(BY_PRODUCT, ("def conv2d_by_product(x,", "def _one(x,"))
        + """

def conv2d_by_product(x, w, product, stride=1):
    return sum(_one(x[:, c : c + 1], w[:, c : c + 1], product, stride) for c in range(x.shape[1]))
""",
        "one product serves both",
    ),
    _by_product(
        "computes by loops and calls the product for show",
        """
def conv2d_by_product(x, w, product, stride=1):
    N, C, H, W = x.shape
    F, _, kH, kW = w.shape
    rows, columns = range(0, H - kH + 1, stride), range(0, W - kW + 1, stride)
    y = np.zeros((N, F, len(rows), len(columns)))
    for n, f, r, s in np.ndindex(y.shape):
        y[n, f, r, s] = (x[n, :, rows[r] : rows[r] + kH, columns[s] : columns[s] + kW] * w[f]).sum()
    product(np.ones((F, C * kH * kW)), np.ones((C * kH * kW, y.size // F)))
    return y
""",
        "The numbers do not come out of the product",
    ),
]

COST_ALTERNATIVES = [
    Alternative("cost", "closed forms, and a list of windows", PARAMETERS + MULTIPLY_ADDS + BY_PRODUCT),
    Alternative(
        "cost",
        "counted one by one, and a row a window",
        """
import math


def parameters(c_in, c_out, kernel, groups=1, bias=True):
    total = 0
    for _ in range(c_out):
        total += math.prod((c_in // groups, *kernel))
        if bias:
            total += 1
    return total


def multiply_adds(c_in, c_out, kernel, size, stride=1, groups=1):
    rows, columns = range(0, size[0], stride), range(0, size[1], stride)
    each = parameters(c_in, c_out, kernel, groups, bias=False)
    return sum(each for _ in rows for _ in columns)


def conv2d_by_product(x, w, product, stride=1):
    count, channels, height, width = x.shape
    filters, _, tall, wide = w.shape
    rows, columns = (height - tall) // stride + 1, (width - wide) // stride + 1
    matrix = np.empty((count, rows, columns, channels, tall, wide))
    for i in range(tall):
        for j in range(wide):
            pixels = x[:, :, i : i + rows * stride : stride, j : j + columns * stride : stride]
            matrix[..., i, j] = pixels[:, :, :rows, :columns].transpose(0, 2, 3, 1)
    y = product(matrix.reshape(-1, channels * tall * wide), w.reshape(filters, -1).T)
    return np.moveaxis(y.reshape(count, rows, columns, filters), -1, 1)
""",
    ),
    Alternative(
        "cost",
        "numbers of NumPy, and pictures along the rows",
        """
import numpy as np


def parameters(c_in, c_out, kernel, groups=1, bias=True):
    return np.prod(kernel) * c_in * c_out // groups + (c_out if bias else 0)


def multiply_adds(c_in, c_out, kernel, size, stride=1, groups=1):
    positions = np.ceil(np.array(size) / stride).astype(int).prod()
    return positions * np.prod(kernel) * (c_in // groups) * c_out


def conv2d_by_product(x, w, product, stride=1):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[1:], axis=(1, 2, 3))[:, 0, ::stride, ::stride]
    matrix = windows.reshape(*windows.shape[:3], -1)
    y = product(matrix.reshape(-1, matrix.shape[-1]), w.reshape(len(w), -1).T)
    return y.reshape(*windows.shape[:3], len(w)).transpose(0, 3, 1, 2).copy()
""",
    ),
]

# Question 5. Four loops, a number at a time.

TRANSPOSE = """
import numpy as np


def conv2d_transpose(y, w, size, stride=1, padding=0):
    H, W = size
    x = np.zeros((H, W))
    for r in range(y.shape[0]):
        for s in range(y.shape[1]):
            for i in range(w.shape[0]):
                for j in range(w.shape[1]):
                    row, column = r * stride + i - padding, s * stride + j - padding
                    if 0 <= row < H and 0 <= column < W:
                        x[row, column] += w[i, j] * y[r, s]
    return x
"""


def _transpose_points(plain: int, options: int) -> dict[str, float]:
    return {"transpose-test": plain, "transpose-stride-padding-test": options}


def _transpose(name: str, old: str, new: str, points: dict[str, float], hint: str) -> Mistake:
    return Mistake("transpose", name, changed(TRANSPOSE, (old, new)), points, hint)


TRANSPOSE_MISTAKES = [
    _transpose("flips the kernel", "w[i, j] *", "w[-1 - i, -1 - j] *", _transpose_points(0, 0), "not flipped"),
    Mistake(
        "transpose",
        "slides the kernel over the outputs with zeros around, and does not turn it",
        """
def conv2d_transpose(y, w, size, stride=1, padding=0):
    kH, kW = w.shape
    spread = np.zeros((size[0] + 2 * padding + kH - 1, size[1] + 2 * padding + kW - 1))
    spread[kH - 1 :: stride, kW - 1 :: stride][: y.shape[0], : y.shape[1]] = y
    x = np.zeros((size[0] + 2 * padding, size[1] + 2 * padding))
    for r, s in np.ndindex(x.shape):
        x[r, s] = (spread[r : r + kH, s : s + kW] * w).sum()
    return x[padding : padding + size[0], padding : padding + size[1]]
""",
        _transpose_points(0, 0),
        "not flipped",
    ),
    Mistake(
        "transpose",
        "undoes the convolution, by the inverse of its matrix",
        """
def conv2d_transpose(y, w, size, stride=1, padding=0):
    matrix = np.zeros((*y.shape, size[0] + 2 * padding, size[1] + 2 * padding))
    for r, s in np.ndindex(y.shape):
        matrix[r, s, r * stride : r * stride + w.shape[0], s * stride : s * stride + w.shape[1]] = w
    matrix = matrix[:, :, padding : padding + size[0], padding : padding + size[1]]
    return (np.linalg.pinv(matrix.reshape(y.size, -1)) @ y.ravel()).reshape(size)
""",
        _transpose_points(0, 0),
        "Pixel and tap that met in it meet again",
    ),
    _transpose(
        "overwrites where windows overlap", "] += w[i", "] = w[i", _transpose_points(0, 0), "Where windows overlap, add"
    ),
    Mistake(
        "transpose",
        "averages where windows overlap",
        TRANSPOSE.replace("transpose(", "sum(")
        + """

def conv2d_transpose(y, w, size, stride=1, padding=0):
    count = conv2d_sum(np.ones_like(y), np.ones_like(w), size, stride, padding)
    return conv2d_sum(y, w, size, stride, padding) / np.maximum(count, 1)
""",
        _transpose_points(0, 0),
        "Where windows overlap, add",
    ),
    _transpose(
        "forgets the stride",
        "r * stride + i - padding, s * stride + j - padding",
        "r + i - padding, s + j - padding",
        _transpose_points(1, 0),
        "the stride moves what they give back",
    ),
    _transpose(
        "forgets the padding",
        "r * stride + i - padding, s * stride + j - padding",
        "r * stride + i, s * stride + j",
        _transpose_points(1, 0),
        "is dropped",
    ),
    _transpose(
        "pads once more instead of cutting",
        "r * stride + i - padding, s * stride + j - padding",
        "r * stride + i + padding, s * stride + j + padding",
        _transpose_points(1, 0),
        "is dropped",
    ),
    _transpose(
        "works the size out from the outputs",
        "H, W = size",
        "H, W = ((m - 1) * stride + k - 2 * padding for m, k in zip(y.shape, w.shape))",
        _transpose_points(1, 0),
        "No window reaches the last pixel",
    ),
    _transpose(
        "lets negative places count from the other end",
        "if 0 <= row < H and 0 <= column < W:",
        "if row < H and column < W:",
        _transpose_points(1, 0),
        "a negative index counts from the end",
    ),
    _transpose(
        "multiplies the padding by the stride",
        "r * stride + i - padding, s * stride + j - padding",
        "(r - padding) * stride + i, (s - padding) * stride + j",
        _transpose_points(1, 0),
        "the padding shifts all of them by 1",
    ),
    _transpose(
        "gives seven digits",
        "    return x\n",
        "    return x.astype(np.float32)\n",
        _transpose_points(0, 1),
        "float32 keeps seven digits",
    ),
]

TRANSPOSE_ALTERNATIVES = [
    Alternative("transpose", "four loops", TRANSPOSE),
    Alternative(
        "transpose",
        "the matrix, and its transpose",
        """
def matrix_of(w, size, stride, padding):
    tall, wide = (n + 2 * padding for n in size)
    starts = [(r, s) for r in range(0, tall - w.shape[0] + 1, stride) for s in range(0, wide - w.shape[1] + 1, stride)]
    matrix = np.zeros((len(starts), tall, wide))
    for row, (r, s) in enumerate(starts):
        matrix[row, r : r + w.shape[0], s : s + w.shape[1]] = w
    return matrix[:, padding : tall - padding, padding : wide - padding].reshape(len(starts), -1)


def conv2d_transpose(y, w, size, stride=1, padding=0):
    return (matrix_of(w, size, stride, padding).T @ y.ravel()).reshape(size)
""",
    ),
    Alternative(
        "transpose",
        "outputs spread by zeros, and a kernel that is turned",
        """
def conv2d_transpose(y, w, size, stride=1, padding=0):
    kH, kW = w.shape
    tall, wide = size[0] + 2 * padding, size[1] + 2 * padding
    spread = np.zeros((tall + kH - 1, wide + kW - 1))
    spread[kH - 1 :: stride, kW - 1 :: stride][: y.shape[0], : y.shape[1]] = y
    windows = np.lib.stride_tricks.sliding_window_view(spread, (kH, kW))
    x = np.tensordot(windows, np.rot90(w, 2))
    return x[padding : tall - padding, padding : wide - padding]
""",
    ),
]

# Question 6. The colleague's text, and its three mended lines.

GIVEN = """
def convolve(picture, kernel):
    height, width = picture.shape
    rows, columns = kernel.shape
    result = np.zeros_like(picture)
    for r in range(height):
        for s in range(width):
            total = 0.0
            for i in range(rows):
                for j in range(columns):
                    y = r + rows // 2 - i
                    x = s - columns // 2 + j
                    if 0 <= y < height and 0 <= x < height:
                        total += kernel[i, j] * picture[y, x]
            result[r, s] = total
    return result
"""
TURNED = ("x = s - columns // 2 + j", "x = s + columns // 2 - j")
WIDE = ("0 <= x < height", "0 <= x < width")
FLOATS = ("np.zeros_like(picture)", "np.zeros((height, width))")


def _mended(*mends: tuple[str, str]) -> str:
    return changed(GIVEN, *mends)


def _bug(name: str, source: str, points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("bugs-pixel-test", "bugs-panorama-test", "bugs-file-test")
    return Mistake("bugs", name, source, dict(zip(parts, points, strict=True)), hint)


BUG_MISTAKES = [
    _bug("mends nothing", GIVEN, (0, 0, 0), "Is it mirrored in your result?"),
    _bug("mends the kernel's turn only", _mended(TURNED), (1, 0, 0), "its right half included"),
    _bug("mends the width only", _mended(WIDE), (0, 1, 0), "Is it mirrored in your result?"),
    _bug("mends the type only", _mended(FLOATS), (0, 0, 1), "Is it mirrored in your result?"),
    _bug(
        "does not turn the kernel at all",
        _mended(("y = r + rows // 2 - i", "y = r - rows // 2 + i"), WIDE, FLOATS),
        (0, 1, 1),
        "Is it mirrored in your result?",
    ),
    _bug(
        "mirrors the other axis instead",
        _mended(TURNED, ("y = r + rows // 2 - i", "y = r - rows // 2 + i"), WIDE, FLOATS),
        (0, 1, 1),
        "Half a turn reverses the rows and the columns",
    ),
    _bug(
        "lays the middle by the kernel's rows along both axes",
        _mended(TURNED, WIDE, FLOATS, ("s + columns // 2", "s + rows // 2")),
        (0, 0, 1),
        "at rows // 2 and columns // 2",
    ),
    _bug(
        "compares both with the width",
        _mended(TURNED, WIDE, FLOATS, ("0 <= y < height", "0 <= y < width")),
        (1, 0, 1),
        "Rows go with the height",
    ),
    _bug(
        "stops at the shorter side",
        _mended(TURNED, FLOATS, ("0 <= x < height", "0 <= x < min(height, width)")),
        (1, 0, 1),
        "its right half included",
    ),
    _bug(
        "turns the result into floats when it is too late",
        _mended(TURNED, WIDE, ("return result", "return result.astype(float)")),
        (1, 1, 0),
        "A quarter of 10 is 2.5 all the same",
    ),
    _bug(
        "collects in integers that are large enough",
        _mended(TURNED, WIDE, ("np.zeros_like(picture)", "np.zeros_like(picture, dtype=int)")),
        (0, 0, 0),
        "what type do the results have",
    ),
    _bug(
        "collects in single precision",
        _mended(TURNED, WIDE, ("np.zeros_like(picture)", "np.zeros_like(picture, dtype=np.float32)")),
        (1, 1, 0),
        "float32 keeps seven digits",
    ),
    _bug(
        "keeps the type of a picture of floats",
        _mended(
            TURNED,
            WIDE,
            ("np.zeros_like(picture)", "np.zeros_like(picture if picture.dtype.kind == 'f' else picture * 1.0)"),
        ),
        (1, 1, 0),
        "Do not take the type from the picture",
    ),
]

BUG_ALTERNATIVES = [
    Alternative("bugs", "three mended lines", _mended(TURNED, WIDE, FLOATS)),
    Alternative(
        "bugs",
        "whole numbers and the kernel turned beforehand, and no pixel tested",
        """
def convolve(picture, kernel):
    kernel = np.flip(kernel)
    rows, columns = kernel.shape
    padded = np.pad(picture.astype(np.float64), ((rows // 2,), (columns // 2,)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("rsij,ij->rs", windows, kernel)
""",
    ),
    Alternative(
        "bugs",
        "a copy of the kernel for every pixel",
        """
import numpy as np


def convolve(picture, kernel):
    (H, W), (kH, kW) = picture.shape, kernel.shape
    full = np.zeros((H + kH - 1, W + kW - 1))
    for r in range(H):
        for s in range(W):
            full[r : r + kH, s : s + kW] += float(picture[r, s]) * kernel
    return full[kH // 2 : kH // 2 + H, kW // 2 : kW // 2 + W]
""",
    ),
]

MISTAKES = [
    *SIZE_MISTAKES,
    *CONV2D_MISTAKES,
    *DIRECTION_MISTAKES,
    *COST_MISTAKES,
    *TRANSPOSE_MISTAKES,
    *BUG_MISTAKES,
]
ALTERNATIVES = [
    *SIZE_ALTERNATIVES,
    *CONV2D_ALTERNATIVES,
    *DIRECTION_ALTERNATIVES,
    *COST_ALTERNATIVES,
    *TRANSPOSE_ALTERNATIVES,
    *BUG_ALTERNATIVES,
]

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
        reason="They differ at a difference of exactly a billionth only, and no kernel is drawn so close to it.",
    ),
]
