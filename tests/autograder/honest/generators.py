"""Slides with generators, comprehensions and a lambda."""

ANSWERS = {
    "conv2d": """
from itertools import product


def windows(x, w, stride, dilation):
    kH, kW = w.shape[-2:]
    for r in range(0, x.shape[2] - dilation * (kH - 1), stride):
        yield (
            x[:, :, r : r + dilation * (kH - 1) + 1 : dilation, c : c + dilation * (kW - 1) + 1 : dilation]
            for c in range(0, x.shape[3] - dilation * (kW - 1), stride)
        )


conv2d = lambda x, w, b=None, stride=1, padding=0, dilation=1, groups=1: np.moveaxis(
    np.array([
        [
            np.concatenate(
                [np.einsum("ncij,fcij->nf", p, f) for p, f in zip(np.split(patch, groups, 1), np.split(w, groups))], 1
            ) + (0 if b is None else b)
            for patch in row
        ]
        for row in windows(np.pad(x, [(0, 0)] * 2 + [(padding,) * 2] * 2), w, stride, dilation)
    ]),
    (0, 1), (2, 3),
)
""",
}
