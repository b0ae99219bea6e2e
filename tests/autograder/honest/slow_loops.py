"""Slow but legal: seven loops over Python numbers, and a cell that computes for a second."""

BEFORE = {
    "conv2d": """
import time

end = time.process_time() + 1
while time.process_time() < end:
    sum(range(1000))
""",
}
ANSWERS = {
    "conv2d": """
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    (N, C, H, W), (F, D, kH, kW) = x.shape, w.shape
    rows = (H + 2 * padding - dilation * (kH - 1) - 1) // stride + 1
    cols = (W + 2 * padding - dilation * (kW - 1) - 1) // stride + 1
    y = [[[[0.0] * cols for _ in range(rows)] for _ in range(F)] for _ in range(N)]
    for n in range(N):
        for f in range(F):
            for r in range(rows):
                for c in range(cols):
                    total = 0.0 if b is None else float(b[f])
                    first = f // (F // groups) * D
                    for d in range(D):
                        for i in range(kH):
                            for j in range(kW):
                                down, across = r * stride + i * dilation - padding, c * stride + j * dilation - padding
                                if 0 <= down < H and 0 <= across < W:
                                    total += float(x[n, first + d, down, across]) * float(w[f, d, i, j])
                    y[n][f][r][c] = total
    return np.array(y)
""",
}
