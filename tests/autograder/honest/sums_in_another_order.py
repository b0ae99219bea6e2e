"""Adds up in another order, as a GPU does: the last digits differ from any other device's."""

ANSWERS = {
    "conv2d": """
import math


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    F, D, kH, kW = w.shape
    rows = (x.shape[2] - dilation * (kH - 1) - 1) // stride + 1
    cols = (x.shape[3] - dilation * (kW - 1) - 1) // stride + 1
    y = np.empty((len(x), F, rows, cols))
    for n, f, r, c in np.ndindex(*y.shape):
        first = f // (F // groups) * D
        window = x[n, first : first + D, r * stride :, c * stride :][:, ::dilation, ::dilation][:, :kH, :kW]
        products = (window * w[f]).ravel()[::-1]
        y[n, f, r, c] = math.fsum(products[::2]) + math.fsum(products[1::2]) + (0 if b is None else b[f])
    return y
""",
}
