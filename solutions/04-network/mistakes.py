"""Known answers to assignment 04: mistakes that students make, and other right answers.

`autograder verify` runs each of them; tests/solutions does so without the autograder. An entry is a whole answer
cell, and most differ from a right one in a line, so the right one is written once.
"""

from collections.abc import Sequence

from convbook.catalogue import Alternative, Mistake, Survivor, changed

# Question 1. Log-softmax as a function of its own.

LOSS = """
def log_softmax(z):
    lowered = z - z.max(axis=1, keepdims=True)
    return lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))


def cross_entropy(z, labels):
    N, C = z.shape
    if np.any(labels < 0) or np.any(labels >= C):
        raise ValueError("some label names no class")
    logs = log_softmax(z)
    total = 0.0
    for n in range(N):
        total -= logs[n, labels[n]]
    return total / N


def cross_entropy_gradient(z, labels):
    N, C = z.shape
    wanted = np.zeros((N, C))
    wanted[np.arange(N), labels] = 1
    p = np.exp(log_softmax(z))
    return (p - wanted) / N
"""


def _loss(name: str, *changes: tuple[str, str], points: tuple[int, int, int, int], hint: str) -> Mistake:
    parts = ("loss-test", "large-scores-test", "labels-test", "slopes-test")
    return Mistake("cross-entropy", name, changed(LOSS, *changes), dict(zip(parts, points, strict=True)), hint)


LOSS_MISTAKES = [
    _loss("sums the losses", ("total / N", "total"), points=(0, 0, 1, 1), hint="and the result is their mean"),
    _loss("forgets the minus", ("total -=", "total +="), points=(0, 0, 1, 1), hint="with a minus"),
    _loss(
        "takes the logarithm to base 2",
        ("total / N", "total / N / np.log(2)"),
        points=(0, 0, 1, 1),
        hint="the natural logarithm",
    ),
    _loss(
        "divides by pictures and classes",
        ("total / N", "total / (N * C)"),
        points=(0, 0, 1, 1),
        hint="the loss is -log(3/4)",
    ),
    _loss(
        "adds the losses of all classes",
        ("logs[n, labels[n]]", "logs[n].sum()"),
        points=(0, 0, 1, 1),
        hint="the loss is -log(3/4)",
    ),
    _loss(
        "returns a loss for each picture",
        ("return total / N", "return -logs[np.arange(N), labels]"),
        points=(0, 0, 0, 1),
        hint="Return a number",
    ),
    _loss(
        "returns the probability instead of its logarithm",
        ("logs[n, labels[n]]", "np.exp(logs[n, labels[n]])"),
        points=(0, 0, 0, 1),
        hint="the natural logarithm, with a minus",
    ),
    _loss(
        "takes scores for log-probabilities",
        ("logs = log_softmax(z)", "logs = z"),
        points=(0, 0, 0, 1),
        hint="Scores go through softmax first",
    ),
    _loss(
        "takes softmax twice",
        ("logs = log_softmax(z)", "logs = log_softmax(np.exp(log_softmax(z)))"),
        points=(0, 0, 1, 1),
        hint="The right class has the probability 3/4",
    ),
    _loss(
        "takes softmax along the pictures",
        ("z.max(axis=1, keepdims=True)", "z.max(axis=0, keepdims=True)"),
        ("sum(axis=1, keepdims=True)", "sum(axis=0, keepdims=True)"),
        points=(0, 0, 1, 0),
        hint="Scores go through softmax first",
    ),
    _loss(
        "uses the first picture's label for all",
        ("labels[n]]", "labels[0]]"),
        points=(0, 0, 1, 1),
        hint="Only the right class of each picture counts",
    ),
    _loss(
        "lets large scores overflow",
        ("z - z.max(axis=1, keepdims=True)", "z"),
        points=(1, 0, 1, 1),
        hint="exp(1000) overflows",
    ),
    _loss(
        "takes the largest score of the batch off",
        ("z.max(axis=1, keepdims=True)", "z.max()"),
        points=(1, 0, 1, 1),
        hint="Each picture has a largest score of its own",
    ),
    _loss(
        "takes the mean score off",
        ("z.max(axis=1, keepdims=True)", "z.mean(axis=1, keepdims=True)"),
        points=(1, 0, 1, 1),
        hint="Some large scores give another loss",
    ),
    _loss(
        "cuts scores off at 500",
        ("z - z.max(axis=1, keepdims=True)", "z.clip(-500, 500)"),
        points=(1, 0, 1, 1),
        hint="exp(1000) overflows",
    ),
    _loss(
        "computes in float32",
        ("lowered = z -", "z = z.astype(np.float32)\n    lowered = z -"),
        points=(0, 0, 1, 0),
        hint="fewer digits than float64",
    ),
    _loss(
        "takes the largest score off in place",
        ("lowered = z - z.max(axis=1, keepdims=True)", "z -= z.max(axis=1, keepdims=True)\n    lowered = z"),
        points=(0, 1, 1, 0),
        hint="z or labels have changed",
    ),
    _loss(
        "writes the slopes over the scores",
        ("return (p - wanted) / N", "z[:] = (p - wanted) / N\n    return z"),
        points=(1, 1, 1, 0),
        hint="The slopes are a new array",
    ),
    _loss(
        "adds a small number to the probability",
        ("logs = log_softmax(z)", "logs = np.log(np.exp(log_softmax(z)) + 1e-12)"),
        points=(0, 0, 1, 1),
        hint="as a difference instead of the log of a quotient",
    ),
    _loss(
        "keeps the loss stable and lets the slopes overflow",
        ("p = np.exp(log_softmax(z))", "p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)"),
        points=(1, 0, 1, 1),
        hint="Overflow makes nan of them",
    ),
    _loss(
        "does not look for labels below 0",
        ("np.any(labels < 0) or ", ""),
        points=(1, 1, 0, 1),
        hint="NumPy counts -1 from the end",
    ),
    _loss(
        "leaves labels above the last to NumPy",
        (" or np.any(labels >= C)", ""),
        points=(1, 1, 0, 1),
        hint="NumPy raises another error",
    ),
    _loss(
        "takes C for the last class",
        ("labels >= C", "labels > C"),
        points=(1, 1, 0, 1),
        hint="Three classes are numbered 0, 1 and 2",
    ),
    _loss(
        "looks at the first label only",
        ("np.any(labels < 0) or np.any(labels >= C)", "not 0 <= labels[0] < C"),
        points=(1, 1, 0, 1),
        hint="so 3 names none",
    ),
    _loss(
        "looks at the first and the last label only",
        ("np.any(labels < 0) or np.any(labels >= C)", "not (0 <= labels[0] < C and 0 <= labels[-1] < C)"),
        points=(1, 1, 0, 1),
        hint="Look at all labels, in the middle too",
    ),
    _loss(
        "returns nan where a label names no class",
        ('raise ValueError("some label names no class")', "return float('nan')"),
        points=(1, 1, 0, 1),
        hint="Raise ValueError",
    ),
    _loss(
        "counts labels from 1",
        ("labels < 0) or np.any(labels >= C", "labels < 1) or np.any(labels > C"),
        ("labels[n]]", "labels[n] - 1]"),
        points=(0, 0, 0, 1),
        hint="Your code raised ValueError",
    ),
    _loss("turns the slopes round", ("(p - wanted)", "(wanted - p)"), points=(1, 1, 1, 0), hint="Check the sign"),
    _loss(
        "forgets that the loss is a mean",
        ("(p - wanted) / N", "p - wanted"),
        points=(1, 1, 1, 0),
        hint="each slope is half of that for one picture",
    ),
    _loss(
        "divides the slopes by the number of classes",
        ("(p - wanted) / N", "(p - wanted) / C"),
        points=(1, 1, 1, 0),
        hint="less 1 at the right class",
    ),
    _loss(
        "divides the slopes by pictures and classes",
        ("(p - wanted) / N", "(p - wanted) / p.size"),
        points=(1, 1, 1, 0),
        hint="less 1 at the right class",
    ),
    _loss(
        "takes the probabilities for the slopes",
        ("(p - wanted)", "p"),
        points=(1, 0, 1, 0),
        hint="The slope is the probability, less 1 at the right class",
    ),
    _loss(
        "takes the slope of the squared error through a sigmoid",
        ("(p - wanted) / N", "(p - wanted) * p * (1 - p) / N"),
        points=(1, 1, 1, 0),
        hint="less 1 at the right class",
    ),
    _loss(
        "stops at the slope with respect to the probabilities",
        ("(p - wanted) / N", "np.where(wanted == 1, -1 / p, 0) / N"),
        points=(1, 0, 1, 0),
        hint="The slope is the probability",
    ),
]

LOSS_ALTERNATIVES = [
    Alternative("cross-entropy", "log-softmax and one-hot rows", LOSS),
    Alternative(
        "cross-entropy",
        "logaddexp, class by class",
        """
def cross_entropy(z, labels):
    for label in labels:
        if label not in range(z.shape[1]):
            raise ValueError(f"There is no class {label}.")
    return np.mean([np.logaddexp.reduce(row) - row[label] for row, label in zip(z, labels)])


def cross_entropy_gradient(z, labels):
    slopes = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
    for row, label in zip(slopes, labels):
        row[label] -= 1.0
    return slopes / len(labels)
""",
    ),
    Alternative(
        "cross-entropy",
        "differences of scores",
        """
import math


def cross_entropy(z, labels):
    losses = []
    for scores, label in zip(z.tolist(), labels.tolist()):
        if label < 0 or label >= len(scores):
            raise ValueError
        top = max(scores)
        losses.append(top - scores[label] + math.log(sum(math.exp(score - top) for score in scores)))
    return math.fsum(losses) / len(losses)


def cross_entropy_gradient(z, labels):
    with np.errstate(over="ignore"):
        p = 1 / np.exp(z[:, None, :] - z[:, :, None]).sum(axis=2)
    return (p - (labels[:, None] == range(z.shape[1]))) / len(z)
""",
    ),
]


# Question 2. Window by window, as most students write it.

CONV = """
def conv2d_backward(dy, x, w, stride=1, padding=0):
    N, C, H, W = x.shape
    K, L = w.shape[2:]
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    dpadded = np.zeros_like(padded)
    dw = np.zeros_like(w)
    db = np.zeros(len(w))
    for n in range(N):
        for f in range(len(w)):
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    slope = dy[n, f, i, j]
                    top, left = i * stride, j * stride
                    met = padded[n, :, top : top + K, left : left + L]
                    sent = slope * w[f]
                    db[f] += slope
                    dw[f] += slope * met
                    dpadded[n, :, top : top + K, left : left + L] += sent
    dx = dpadded[:, :, padding : H + padding, padding : W + padding]
    return dx, dw, db
"""


def _conv(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("db-test", "dw-test", "dx-test")
    return Mistake("conv2d-backward", name, changed(CONV, *changes), dict(zip(parts, points, strict=True)), hint)


CONV_MISTAKES = [
    _conv("averages over the pictures", ("dw, db", "dw, db / N"), points=(0, 1, 2), hint="Sum, do not average"),
    _conv(
        "averages over all positions",
        ("dw, db", "dw, db / dy[:, 0].size"),
        points=(0, 1, 2),
        hint="so the slopes of both add up",
    ),
    _conv(
        "keeps a bias for every picture",
        ("dw, db", "dw, dy.sum(axis=(2, 3))"),
        points=(0, 1, 2),
        hint="an array with one number a filter",
    ),
    _conv(
        "adds up the slopes of all filters",
        ("dw, db", "dw, np.array([dy.sum()])"),
        points=(0, 1, 2),
        hint="A filter's bias goes into every position",
    ),
    _conv("returns a number for the bias", ("dw, db", "dw, db.sum()"), points=(0, 1, 2), hint="Return an array"),
    _conv(
        "takes the first picture for the bias", ("db[f] +=", "db[f] += (n == 0) *"), points=(0, 1, 2), hint="50 + 60"
    ),
    _conv("leaves the biases out", ("dw, db", "dw, None"), points=(0, 1, 2), hint="the slopes of both add up"),
    _conv("returns the three in another order", ("dx, dw, db", "db, dw, dx"), points=(0, 1, 0), hint="an array with"),
    _conv(
        "keeps the last window's slope of a weight",
        ("dw[f] +=", "dw[f] ="),
        points=(1, 0, 2),
        hint="The first tap met the pixels 1 and 2",
    ),
    _conv(
        "averages the weights' slopes over the pictures",
        ("dx, dw, db", "dx, dw / N, db"),
        points=(1, 0, 2),
        hint="A weight is used for every picture",
    ),
    _conv(
        "lets every filter meet the first channel",
        ("slope * met", "slope * met[:1]"),
        points=(1, 0, 2),
        hint="Each pair of filter and channel has its own weight",
    ),
    _conv(
        "lets every filter meet the mean of the channels",
        ("slope * met", "slope * met.mean(axis=0)"),
        points=(1, 0, 2),
        hint="Each pair of filter and channel has its own weight",
    ),
    _conv(
        "flips the slopes of the weights",
        ("dx, dw, db", "dx, dw[:, :, ::-1, ::-1], db"),
        points=(1, 0, 2),
        hint="the second met 2 and 3",
    ),
    _conv(
        "swaps filters and channels",
        ("dx, dw, db", "dx, dw.swapaxes(0, 1), db"),
        points=(1, 0, 2),
        hint="for the first filter on the first channel",
    ),
    _conv(
        "pads at the end only, for the weights",
        (
            "met = padded[n, :, top : top + K, left : left + L]",
            "met = np.roll(padded, (-padding, -padding), (2, 3))[n, :, top : top + K, left : left + L]",
        ),
        points=(1, 0, 2),
        hint="Pad x before you look up what a tap met",
    ),
    _conv(
        "forgets the slope that comes in, for the weights",
        ("slope * met", "met"),
        points=(1, 0, 2),
        hint="1 · 1 + 5 · 2 = 11",
    ),
    _conv(
        "starts windows at every pixel whatever the stride is",
        ("i * stride, j * stride", "i, j"),
        points=(1, 0, 0),
        hint="With stride 2 the windows start at pixels 0 and 2",
    ),
    _conv(
        "strides along rows only",
        ("i * stride, j * stride", "i * stride, j"),
        points=(1, 0, 0),
        hint="With stride 3 the windows start at pixels 0 and 3",
    ),
    _conv(
        "strides along columns only",
        ("i * stride, j * stride", "i, j * stride"),
        points=(1, 0, 0),
        hint="in the rows 0 and 2",
    ),
    _conv(
        "adds the pictures up in dy itself",
        (
            "    return dx, dw, db",
            "    for n in range(1, N):\n        dy[0] += dy[n]\n    return dx, dw, dy[0].sum(axis=(1, 2))",
        ),
        points=(0, 1, 2),
        hint="dy has changed",
    ),
    _conv(
        "writes the slopes of the weights over the weights",
        ("    return dx, dw, db", "    w[:] = dw\n    return dx, w, db"),
        points=(1, 0, 2),
        hint="w has changed",
    ),
    _conv(
        "writes the slopes of the pixels over the pixels",
        ("    return dx, dw, db", "    x[:] = dx\n    return x, dw, db"),
        points=(1, 1, 0),
        hint="x has changed",
    ),
    _conv(
        "keeps the last window's slope of a pixel",
        ("left : left + L] += sent", "left : left + L] = sent"),
        points=(1, 1, 0),
        hint="Add what each window sends back",
    ),
    _conv(
        "flips the kernel on the way back",
        ("slope * w[f]", "slope * w[f][:, ::-1, ::-1]"),
        points=(1, 1, 0),
        hint="The middle pixel met the tap 1 in the first window",
    ),
    _conv(
        "sends back the first filter only",
        ("slope * w[f]", "slope * w[0]"),
        points=(1, 1, 0),
        hint="Every filter sends back its share to every channel",
    ),
    _conv(
        "forgets the slope that comes in, for the pixels",
        ("slope * w[f]", "w[f]"),
        points=(1, 1, 0),
        hint="1 · 1 + 5 · 10",
    ),
    _conv(
        "multiplies with the pixels once more",
        ("slope * w[f]", "slope * w[f] * met"),
        points=(1, 1, 0),
        hint="Add what each window sends back",
    ),
    _conv(
        "adds up the pictures",
        ("dpadded[n, :, top", "dpadded[:, :, top"),
        points=(1, 1, 0),
        hint="Pictures stay apart",
    ),
    _conv(
        "computes in float32",
        ("    N, C, H, W", "    x, w, dy = (each.astype(np.float32) for each in (x, w, dy))\n    N, C, H, W"),
        ("np.zeros((N", "np.zeros(dtype=np.float32, shape=(N"),
        ("np.zeros(len(w))", "np.zeros(len(w), np.float32)"),
        points=(0, 0, 0),
        hint="Some biases have other slopes",
    ),
    _conv(
        "returns the slopes of the padded picture",
        ("dpadded[:, :, padding : H + padding, padding : W + padding]", "dpadded"),
        points=(1, 1, 0),
        hint="Cut the padding off again",
    ),
    _conv(
        "cuts the padding off at the end only",
        ("dpadded[:, :, padding : H + padding, padding : W + padding]", "dpadded[:, :, :H, :W]"),
        points=(1, 1, 0),
        hint="the pixel under its last tap, 4",
    ),
    _conv(
        "cuts the padding off with a minus, which keeps nothing where there is none",
        ("padding : H + padding, padding : W + padding]", "padding:-padding, padding:-padding]"),
        points=(1, 1, 0),
        hint="Add what each window sends back",
    ),
    _conv(
        "leaves out the pixels that no window reads",
        ("padding : H + padding, padding : W + padding]", "padding : top + K - padding, padding : left + L - padding]"),
        points=(1, 1, 0),
        hint="dx has the shape of x",
    ),
]

CONV_ALTERNATIVES = [
    Alternative("conv2d-backward", "window by window", CONV),
    Alternative(
        "conv2d-backward",
        "the slopes spread out, and a full correlation with the turned kernel",
        """
def conv2d_backward(dy, x, w, stride=1, padding=0):
    window_view = np.lib.stride_tricks.sliding_window_view
    p, (K, L) = padding, w.shape[2:]
    padded = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    windows = window_view(padded, (K, L), axis=(2, 3))
    spread = np.zeros((*dy.shape[:2], *windows.shape[2:4]))
    spread[:, :, ::stride, ::stride] = dy
    around = np.pad(spread, [(0, 0), (0, 0), (K - 1, K - 1), (L - 1, L - 1)])
    dx = np.einsum("nfrsij,fcij->ncrs", window_view(around, (K, L), axis=(2, 3)), w[:, :, ::-1, ::-1])
    dw = np.einsum("nfrs,ncrsij->fcij", spread, windows)
    return dx[:, :, p : p + x.shape[2], p : p + x.shape[3]], dw, dy.sum((0, 2, 3))
""",
    ),
    Alternative(
        "conv2d-backward",
        "a matrix of windows, and its transpose",
        """
def conv2d_backward(dy, x, w, stride=1, padding=0):
    N, C, H, W = x.shape
    K, L = w.shape[2:]
    rows, columns = dy.shape[2:]
    # Number the padded pixels, so that the number in a window says where each pixel goes back to.
    tall, wide = H + 2 * padding, W + 2 * padding
    numbers = np.arange(C * tall * wide).reshape(C, tall, wide)
    places = np.array([
        numbers[:, i * stride : i * stride + K, j * stride : j * stride + L].ravel()
        for i in range(rows) for j in range(columns)
    ])
    dw, dx = 0, []
    for picture, slopes in zip(x, dy):
        flat = np.pad(picture, ((0, 0), (padding,) * 2, (padding,) * 2)).ravel()
        slopes = slopes.reshape(len(w), -1)
        dw = dw + slopes @ flat[places]
        back = np.zeros_like(flat)
        np.add.at(back, places, slopes.T @ w.reshape(len(w), -1))
        dx.append(back.reshape(C, tall, wide)[:, padding : tall - padding, padding : wide - padding])
    return np.array(dx), dw.reshape(w.shape), np.sum(dy, axis=(0, 2, 3))
""",
    ),
]


# Question 3. Equal pixels share.

POOL = """
def max_pool_backward(dy, x, size, stride):
    dx = np.zeros(x.shape)
    for n in range(dy.shape[0]):
        for c in range(dy.shape[1]):
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    place = np.s_[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
                    window = x[place]
                    best = window == window.max()
                    dx[place] += dy[n, c, i, j] * best / best.sum()
    return dx
"""


def _pool(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("routing-test", "overlap-test")
    return Mistake("max-pool-backward", name, changed(POOL, *changes), dict(zip(parts, points, strict=True)), hint)


POOL_MISTAKES = [
    _pool(
        "gives every equal pixel the whole slope",
        (" / best.sum()", ""),
        points=(0, 1),
        hint="together they get 12, not 12 each",
    ),
    _pool("overwrites where windows overlap", ("] +=", "] ="), points=(1, 0), hint="Add, do not overwrite"),
    _pool(
        "sends the pixel back instead of the slope",
        ("dy[n, c, i, j] * best", "window * best"),
        points=(0, 0),
        hint="It is dy that goes there",
    ),
    _pool(
        "multiplies the slope with the pixel",
        ("dy[n, c, i, j] * best", "dy[n, c, i, j] * window * best"),
        points=(0, 0),
        hint="not the pixel's value",
    ),
    _pool(
        "spreads the slope as average pooling does",
        ("dy[n, c, i, j] * best / best.sum()", "dy[n, c, i, j] / size**2"),
        points=(0, 0),
        hint="goes to the place of its largest pixel",
    ),
    _pool(
        "gives the whole slope to every pixel",
        ("dy[n, c, i, j] * best / best.sum()", "dy[n, c, i, j]"),
        points=(0, 0),
        hint="all others get 0",
    ),
    _pool(
        "marks the places with 1",
        ("dy[n, c, i, j] * best", "best"),
        points=(0, 0),
        hint="It is dy that goes there",
    ),
    _pool(
        "lays windows side by side whatever the stride is",
        ("    dx = np", "    stride = size\n    dx = np"),
        points=(1, 0),
        hint="so their slopes add up there",
    ),
    _pool(
        "starts windows at every pixel",
        ("    dx = np", "    stride = 1\n    dx = np"),
        points=(0, 0),
        hint="goes to the place of its largest pixel",
    ),
    _pool(
        "looks for the largest value in the whole map",
        ("dx[place] += dy[n, c, i, j] * best / best.sum()", "dx[n, c][x[n, c] == window.max()] += dy[n, c, i, j]"),
        points=(0, 1),
        hint="goes to the place of its largest pixel",
    ),
    _pool(
        "gives nothing to pixels that are not above 0",
        ("window == window.max()", "(window == window.max()) & (window > 0)"),
        ("/ best.sum()", "/ max(best.sum(), 1)"),
        points=(0, 0),
        hint="together they get 12",
    ),
    _pool(
        "compares with the first picture",
        ("window = x[place]", "window = x[(0, *place[1:])]"),
        points=(0, 0),
        hint="not the largest of its window",
    ),
    _pool(
        "compares with the first channel",
        ("window = x[place]", "window = x[(n, 0, *place[2:])]"),
        points=(0, 0),
        hint="not the largest of its window",
    ),
    _pool(
        "takes the smallest",
        ("window.max()", "window.min()"),
        points=(0, 0),
        hint="goes to the place of its largest pixel",
    ),
    _pool(
        "takes the largest magnitude",
        ("window == window.max()", "abs(window) == abs(window).max()"),
        points=(0, 0),
        hint="not the largest of its window",
    ),
    _pool(
        "shares among pixels in proportion",
        ("dy[n, c, i, j] * best / best.sum()", "dy[n, c, i, j] * window / window.sum()"),
        points=(0, 0),
        hint="all others get 0",
    ),
    _pool(
        "leaves out what is left over",
        ("np.zeros(x.shape)", "np.zeros((*x.shape[:2], dy.shape[2] * stride, dy.shape[3] * stride))"),
        points=(0, 0),
        hint="also where pixels are left over at the end",
    ),
    _pool(
        "looks for a pixel above 0, and takes the first one where there is none",
        ("window == window.max()", "window == max(window.max(), 0)"),
        (
            "            dx[place] += dy",
            "            best[0, 0] |= not best.any()\n                    dx[place] += dy",
        ),
        points=(0, 0),
        hint="not the largest of its window",
    ),
    _pool(
        "skips windows without a pixel above 0",
        (
            "                    dx[place] +=",
            "                    if window.max() > 0:\n                        dx[place] +=",
        ),
        points=(0, 0),
        hint="together they get 12",
    ),
    _pool(
        "computes in float32",
        ("np.zeros(x.shape)", "np.zeros(x.shape, np.float32)"),
        points=(0, 0),
        hint="in the digits of float64",
    ),
    _pool(
        "writes the slopes over the pixels",
        ("    return dx", "    x[:] = dx\n    return x"),
        points=(0, 1),
        hint="dy or x have changed",
    ),
    _pool(
        "gives the first of equal pixels more, and takes it from the last",
        (
            "best / best.sum()",
            "(best / best.sum() + (best.sum() > 1) * (np.eye(1, best.size) - np.eye(1, best.size, best.size - 1))"
            ".reshape(best.shape))",
        ),
        points=(0, 1),
        hint="Pixels below the largest get nothing",
    ),
]

POOL_ALTERNATIVES = [
    Alternative("max-pool-backward", "equal pixels share", POOL),
    Alternative(
        "max-pool-backward",
        "the last of equal pixels gets all",
        """
def max_pool_backward(dy, x, size, stride):
    dx = np.zeros_like(x)
    for place in np.ndindex(*dy.shape):
        n, c, i, j = place
        best = None
        for r in range(i * stride, i * stride + size):
            for s in range(j * stride, j * stride + size):
                if best is None or x[n, c, r, s] >= x[best]:
                    best = n, c, r, s
        dx[best] += dy[place]
    return dx
""",
    ),
    Alternative(
        "max-pool-backward",
        "all windows at once, tap by tap",
        """
def max_pool_backward(dy, x, size, stride):
    rows, columns = dy.shape[2:]
    taps = [np.s_[..., i : i + rows * stride : stride, j : j + columns * stride : stride]
            for i in range(size) for j in range(size)]
    best = np.max([x[tap] for tap in taps], axis=0)
    free = np.ones(dy.shape, bool)
    dx = np.zeros(x.shape)
    for tap in taps:
        here = free & (x[tap] == best)
        dx[tap] += dy * here
        free &= ~here
    return dx
""",
    ),
]


# Question 4.

NETWORK = """
class Network(nn.Module):
    def __init__(self, channels, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)
        self.head = nn.Linear(2 * width, classes)
        with torch.no_grad():
            self.head.weight.fill_(0)
            self.head.bias.fill_(0)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = nn.functional.max_pool2d(x, 2)
        x = torch.relu(self.conv2(x))
        x = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.head(x)
"""
ZERO_HEAD = """        with torch.no_grad():
            self.head.weight.fill_(0)
            self.head.bias.fill_(0)
"""


def _network(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("parameters-test", "scores-test", "fresh-test")
    return Mistake("network", name, changed(NETWORK, *changes), dict(zip(parts, points, strict=True)), hint)


NETWORK_MISTAKES = [
    _network("gives conv2 a bias", (", bias=False", ""), points=(0, 0, 1), hint="conv2 has no bias"),
    _network(
        "takes the bias from the wrong convolution",
        (", bias=False", ""),
        ("width, 3, padding=1)\n        self.conv2", "width, 3, padding=1, bias=False)\n        self.conv2"),
        points=(0, 0, 1),
        hint="conv2 has no bias",
    ),
    _network(
        "has other names for the layers",
        ("self.head = nn", "self.fc = self.head = nn"),
        points=(0, 0, 1),
        hint="The layers are called conv1, conv2 and head",
    ),
    _network(
        "keeps the layers in a plain list",
        ("self.head = nn.Linear(2 * width, classes)", "self.layers = [nn.Linear(2 * width, classes)]"),
        ("self.head.weight.fill_(0)", "self.layers[0].weight.fill_(0)"),
        ("self.head.bias.fill_(0)", "self.layers[0].bias.fill_(0)"),
        ("self.head(x)", "self.layers[0](x)"),
        points=(0, 0, 0),
        hint="The layers are called conv1, conv2 and head",
    ),
    _network(
        "is no module",
        ("(nn.Module)", ""),
        ("        super().__init__()\n", ""),
        ("def forward", "def __call__"),
        points=(0, 0, 1),
        hint="A network is an nn.Module",
    ),
    _network(
        "forgets super().__init__()",
        ("        super().__init__()\n", ""),
        points=(0, 0, 0),
        hint="AttributeError",
    ),
    _network(
        "flattens instead of averaging",
        ("nn.Linear(2 * width", "nn.Linear(8 * width"),
        ("nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)", "x.flatten(1)"),
        points=(0, 0, 1),
        hint="the head sees one number a map",
    ),
    _network(
        "has as many filters in both convolutions",
        ("width, 2 * width, 3", "width, width, 3"),
        ("nn.Linear(2 * width", "nn.Linear(width"),
        points=(0, 0, 1),
        hint="conv2 has 32 on 16",
    ),
    _network(
        "takes the width of the example",
        ("(channels, width, 3", "(channels, 16, 3"),
        ("width, 2 * width, 3", "16, 32, 3"),
        ("nn.Linear(2 * width", "nn.Linear(32"),
        points=(0, 0, 1),
        hint="Take all three from the arguments",
    ),
    _network(
        "takes the channels of the example",
        ("(channels, width, 3", "(3, width, 3"),
        points=(0, 0, 0),
        hint="Take all three from the arguments",
    ),
    _network(
        "takes the classes of the example",
        ("2 * width, classes", "2 * width, 10"),
        points=(0, 0, 0),
        hint="Take all three from the arguments",
    ),
    _network(
        "has kernels of 5 taps",
        ("(channels, width, 3, padding=1)", "(channels, width, 5, padding=2)"),
        points=(0, 0, 1),
        hint="conv1 has 16 filters on 3 channels",
    ),
    _network(
        "does not pad the first convolution",
        ("width, 3, padding=1)\n        self.conv2", "width, 3)\n        self.conv2"),
        points=(1, 0, 1),
        hint="conv1 gives 1 inside and less than 0 at the edge",
    ),
    _network(
        "does not pad the second convolution",
        ("stride=2, padding=1", "stride=2"),
        points=(1, 0, 1),
        hint="conv2 sees 4",
    ),
    _network("forgets the stride", ("stride=2, ", ""), points=(1, 0, 1), hint="conv2 sees 4"),
    _network(
        "forgets the first ReLU",
        ("torch.relu(self.conv1(x))", "self.conv1(x)"),
        points=(1, 0, 1),
        hint="Follow one picture through the table",
    ),
    _network(
        "forgets the second ReLU",
        ("torch.relu(self.conv2(x))", "self.conv2(x)"),
        points=(1, 0, 1),
        hint="which ReLU stops",
    ),
    _network(
        "forgets the pooling",
        ("        x = nn.functional.max_pool2d(x, 2)\n", ""),
        points=(1, 0, 1),
        hint="leave 3 by 4 ones",
    ),
    _network(
        "averages where it should take the maximum",
        ("max_pool2d(x, 2)", "avg_pool2d(x, 2)"),
        points=(1, 0, 1),
        hint="leave 3 by 4 ones",
    ),
    _network(
        "lets pooled windows overlap",
        ("max_pool2d(x, 2)", "max_pool2d(x, 2, 1)"),
        points=(1, 0, 1),
        hint="leave 3 by 4 ones",
    ),
    _network(
        "takes the maximum of each map at the end",
        ("adaptive_avg_pool2d", "adaptive_max_pool2d"),
        points=(1, 0, 1),
        hint="The means are 5 and 0",
    ),
    _network(
        "bends the scores",
        ("return self.head(x)", "return torch.relu(self.head(x))"),
        points=(1, 0, 0),
        hint="its slopes may not be 0",
    ),
    _network(
        "returns probabilities",
        ("return self.head(x)", "return self.head(x).softmax(dim=1)"),
        points=(1, 0, 0),
        hint="leave the softmax to the loss",
    ),
    _network(
        "returns log-probabilities",
        ("return self.head(x)", "return self.head(x).log_softmax(dim=1)"),
        points=(1, 0, 0),
        hint="Return scores, not probabilities",
    ),
    _network(
        "adds dropout",
        ("return self.head(x)", "return self.head(nn.functional.dropout(x, 0.5, self.training))"),
        points=(1, 0, 1),
        hint="The means are 5 and 0",
    ),
    _network(
        "cuts the graph in front of the head",
        ("flatten(1)", "flatten(1).detach()"),
        points=(1, 0, 1),
        hint="the slopes do not reach every parameter",
    ),
    _network(
        "freezes the head to keep it at 0",
        ("with torch.no_grad():", "self.head.requires_grad_(False)\n        with torch.no_grad():"),
        points=(1, 0, 0),
        hint="the slopes do not reach every parameter",
    ),
    _network(
        "starts the head as torch does",
        (ZERO_HEAD, ""),
        points=(1, 1, 0),
        hint="All scores of a fresh network are 0",
    ),
    _network(
        "starts the weights of the head at 0, not its biases",
        ("            self.head.bias.fill_(0)\n", ""),
        points=(1, 1, 0),
        hint="Set weights and biases of the head to 0",
    ),
    _network(
        "starts everything at 0",
        (ZERO_HEAD, "        for parameter in self.parameters():\n            nn.init.zeros_(parameter)\n"),
        points=(1, 1, 0),
        hint="no slope would ever reach them",
    ),
    _network(
        "starts all filters alike",
        (
            "self.head.bias.fill_(0)\n",
            "self.head.bias.fill_(0)\n            self.conv1.weight[:] = self.conv1.weight[0].clone()\n",
        ),
        points=(1, 1, 0),
        hint="Filters that start alike learn alike",
    ),
]

NETWORK_ALTERNATIVES = [
    Alternative("network", "layers as functions", NETWORK),
    Alternative(
        "network",
        "a function that makes a sequence of named layers",
        """
from collections import OrderedDict


def Network(channels, width, classes):
    net = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(channels, width, (3, 3), padding="same"),
        bend1=nn.ReLU(inplace=True),
        pool=nn.MaxPool2d(2),
        conv2=nn.Conv2d(width, width * 2, (3, 3), (2, 2), (1, 1), bias=False),
        bend2=nn.ReLU(),
        average=nn.AdaptiveAvgPool2d((1, 1)),
        flat=nn.Flatten(),
        head=nn.Linear(width * 2, classes),
    ))
    nn.init.constant_(net.head.weight, 0.0)
    nn.init.constant_(net.head.bias, 0.0)
    return net
""",
    ),
    Alternative(
        "network",
        "weights loaded, pooling before ReLU, a mean of rows and then of columns",
        """
class Network(torch.nn.Module):
    def __init__(self, channels, width, classes):
        super(Network, self).__init__()
        self.head = torch.nn.Linear(2 * width, classes)
        self.head.load_state_dict({name: value * 0 for name, value in self.head.state_dict().items()})
        self.conv2 = torch.nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False)
        self.conv1 = torch.nn.Conv2d(channels, width, 3, 1, 1)
        self.pool = torch.nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(self.conv1(x)).clamp(min=0)
        x = self.conv2(x).clamp(min=0)
        return self.head(x.mean(3).mean(2))
""",
    ),
]


# Question 5. The text with bugs, mended; and each bug as the change that brings it back.

FIT = """
def fit(net, train, held_out, orders, batch_size, rate):
    (images, labels), (new_images, new_labels) = train, held_out
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    history, kept = [], []
    for order in orders:
        net.train()
        for batch in order.split(batch_size):
            optimizer.zero_grad()
            scores = net(images[batch])
            loss = F.cross_entropy(scores, labels[batch])
            loss.backward()
            optimizer.step()
        net.eval()
        shares = []
        with torch.no_grad():
            for x, y in zip(new_images.split(batch_size), new_labels.split(batch_size)):
                shares.extend((net(x).argmax(dim=1) == y).double().tolist())
        history.append(sum(shares) / len(shares))
        kept.append({name: value.clone() for name, value in net.state_dict().items()})
    net.load_state_dict(kept[history.index(max(history))])
    return history
"""
#: By the part that is about it.
BUGS = {
    "fit-loss-test": (("net(images[batch])", "net(images[batch]).softmax(dim=1)"),),
    "fit-batches-test": (("            optimizer.zero_grad()\n", ""),),
    "fit-modes-test": (
        ("        net.train()\n", ""),
        ("    for order in orders:\n", "    net.train()\n    for order in orders:\n"),
    ),
    "fit-accuracy-test": (
        (
            "shares.extend((net(x).argmax(dim=1) == y).double().tolist())",
            "shares.append((net(x).argmax(dim=1) == y).double().mean().item())",
        ),
    ),
    "fit-best-test": (("{name: value.clone() for name, value in net.state_dict().items()}", "net.state_dict()"),),
}
#: What the student reads first about each.
HINTS = {
    "fit-loss-test": "scores or probabilities?",
    "fit-batches-test": "backward() adds to those that are there",
    "fit-modes-test": "Which mode is the network in when the second epoch begins?",
    "fit-accuracy-test": "must not count as much as two",
    "fit-best-test": "numbers, or the tensors that go on changing?",
}


def with_bugs(parts: Sequence[str]) -> str:
    """The text, mended but for the bugs that these parts are about."""
    return changed(FIT, *(change for part in parts for change in BUGS[part]))


def _overlooked(name: str, *parts: str) -> Mistake:
    points = {part: int(part not in parts) for part in BUGS}
    return Mistake("fit", name, with_bugs(parts), points, HINTS[parts[0]])


def _fit(name: str, *changes: tuple[str, str], points: tuple[int, int, int, int, int], hint: str) -> Mistake:
    return Mistake("fit", name, changed(FIT, *changes), dict(zip(BUGS, points, strict=True)), hint)


FIT_MISTAKES = [
    _overlooked("removes the two lines and mends nothing", *BUGS),
    *(_overlooked(f"overlooks the bug of {part}", part) for part in BUGS),
    *(_overlooked(f"mends the bug of {part} alone", *(each for each in BUGS if each != part)) for part in BUGS),
    _fit(
        "clears the slopes between backward and step",
        ("            optimizer.zero_grad()\n", ""),
        ("            optimizer.step()\n", "            optimizer.zero_grad()\n            optimizer.step()\n"),
        points=(0, 0, 0, 1, 0),
        hint="One step from zero",
    ),
    _fit(
        "clears the slopes once an epoch",
        ("            optimizer.zero_grad()\n", ""),
        ("        net.train()\n", "        net.train()\n        optimizer.zero_grad()\n"),
        points=(1, 0, 1, 1, 1),
        hint="Which slopes moved the weights?",
    ),
    _fit(
        "steps before it has slopes",
        ("            optimizer.step()\n", ""),
        ("            optimizer.zero_grad()\n", "            optimizer.step()\n            optimizer.zero_grad()\n"),
        points=(0, 0, 0, 1, 0),
        hint="One step from zero",
    ),
    _fit(
        "adds up the losses of a batch",
        ("labels[batch])", "labels[batch], reduction='sum')"),
        points=(0, 0, 1, 1, 1),
        hint="the slopes of the mean loss",
    ),
    _fit(
        "takes the logarithm of probabilities, then softmax of that, of doubled scores",
        ("net(images[batch])", "2 * net(images[batch]).log_softmax(dim=1)"),
        points=(0, 0, 1, 1, 1),
        hint="One step from zero",
    ),
    _fit(
        "trains with momentum",
        ("lr=rate)", "lr=rate, momentum=0.9)"),
        points=(1, 0, 1, 1, 1),
        hint="the second step must not change anything",
    ),
    _fit(
        "trains with Adam",
        ("torch.optim.SGD", "torch.optim.Adam"),
        points=(0, 0, 1, 1, 1),
        hint="One step from zero",
    ),
    _fit(
        "lowers the rate from epoch to epoch",
        ("        net.eval()\n", "        optimizer.param_groups[0]['lr'] *= 0.5\n        net.eval()\n"),
        points=(1, 0, 1, 1, 1),
        hint="each step takes the slope of its own batch alone",
    ),
    _fit(
        "leaves a smaller last batch out in training",
        (
            "            optimizer.zero_grad()\n",
            "            if len(batch) < batch_size:\n                continue\n            optimizer.zero_grad()\n",
        ),
        points=(1, 0, 0, 1, 0),
        hint="the last batch may be smaller",
    ),
    _fit(
        "shows the pictures in their own order",
        ("order.split", "torch.arange(len(images)).split"),
        points=(1, 0, 0, 1, 0),
        hint="Each picture of the order counts once",
    ),
    _fit(
        "does not take the labels along into the order",
        ("labels[batch]", "labels[: len(batch)]"),
        points=(0, 0, 0, 1, 0),
        hint="Compute it by hand",
    ),
    _fit(
        "never says eval",
        ("        net.eval()\n", ""),
        points=(1, 1, 0, 1, 1),
        hint="Evaluate in eval mode",
    ),
    _fit(
        "trains and evaluates in eval mode",
        ("net.train()", "net.eval()"),
        points=(1, 1, 0, 1, 1),
        hint="Which mode is the network in",
    ),
    _fit(
        "says train and eval the wrong way round",
        ("net.eval()", "net.TRAIN()"),
        ("net.train()", "net.eval()"),
        ("net.TRAIN()", "net.train()"),
        points=(1, 1, 0, 1, 1),
        hint="Evaluate in eval mode",
    ),
    _fit(
        "says eval after the evaluation",
        ("        net.eval()\n", ""),
        ("        history.append", "        net.eval()\n        history.append"),
        points=(1, 1, 0, 1, 1),
        hint="Evaluate in eval mode",
    ),
    _fit(
        "takes each batch for a full one",
        (
            "shares.extend((net(x).argmax(dim=1) == y).double().tolist())",
            "shares.append((net(x).argmax(dim=1) == y).double().mean().item() * batch_size)",
        ),
        ("sum(shares) / len(shares)", "sum(shares) / len(new_labels)"),
        points=(1, 1, 1, 0, 1),
        hint="The last one stands alone in its batch",
    ),
    _fit(
        "leaves a smaller last batch out when it evaluates",
        (
            "                shares.extend",
            "                if len(y) == batch_size or len(y) == len(new_labels):\n                    shares.extend",
        ),
        points=(1, 1, 1, 0, 1),
        hint="Four of five held-out pictures are right",
    ),
    _fit(
        "evaluates the first batch only",
        ("        history.append(sum", "        shares = shares[:batch_size]\n        history.append(sum"),
        points=(1, 1, 1, 0, 1),
        hint="Four of five held-out pictures are right",
    ),
    _fit(
        "counts accuracy in percent",
        ("sum(shares) / len(shares)", "100 * sum(shares) / len(shares)"),
        points=(1, 1, 0, 0, 0),
        hint="Four of five held-out pictures are right",
    ),
    _fit(
        "evaluates on the training pictures",
        (
            "zip(new_images.split(batch_size), new_labels.split(batch_size))",
            "zip(images.split(batch_size), labels.split(batch_size))",
        ),
        points=(1, 1, 0, 0, 0),
        hint="Four of five held-out pictures are right",
    ),
    _fit(
        "returns the last accuracy",
        ("return history", "return history[-1]"),
        points=(1, 1, 0, 0, 0),
        hint="Return a list of numbers",
    ),
    _fit(
        "returns nothing",
        ("    return history\n", ""),
        points=(1, 1, 0, 0, 0),
        hint="Return a list of numbers",
    ),
    _fit(
        "returns tensors",
        ("return history", "return torch.tensor(history)"),
        points=(1, 1, 0, 0, 0),
        hint="Return a list of numbers",
    ),
    _fit(
        "does not load what it kept",
        ("    net.load_state_dict(kept[history.index(max(history))])\n", ""),
        points=(1, 1, 1, 1, 0),
        hint="The first epoch is the best",
    ),
    _fit(
        "copies the dictionary and not the tensors",
        ("{name: value.clone() for name, value in net.state_dict().items()}", "dict(net.state_dict())"),
        points=(1, 1, 1, 1, 0),
        hint="numbers, or the tensors that go on changing?",
    ),
    _fit(
        "detaches the tensors instead of copying them",
        ("value.clone() for", "value.detach() for"),
        points=(1, 1, 1, 1, 0),
        hint="numbers, or the tensors that go on changing?",
    ),
    _fit(
        "keeps the last of equally good epochs",
        ("history.index(max(history))", "len(history) - 1 - history[::-1].index(max(history))"),
        points=(1, 1, 1, 1, 0),
        hint="the second is as good but later",
    ),
    _fit(
        "compares with a best accuracy that starts at 0",
        ("history, kept = [], []", "history, kept, best = [], None, 0"),
        (
            "        kept.append({name: value.clone() for name, value in net.state_dict().items()})\n",
            "        if history[-1] > best:\n            best = history[-1]\n"
            "            kept = {name: value.clone() for name, value in net.state_dict().items()}\n",
        ),
        (
            "    net.load_state_dict(kept[history.index(max(history))])\n",
            "    if kept:\n        net.load_state_dict(kept)\n",
        ),
        points=(1, 1, 1, 1, 0),
        hint="A best accuracy that starts at 0 is never beaten",
    ),
    _fit(
        "keeps the weights from before the epoch",
        ("        kept.append({name: value.clone() for name, value in net.state_dict().items()})\n", ""),
        (
            "        net.train()\n",
            "        kept.append({name: value.clone() for name, value in net.state_dict().items()})"
            "\n        net.train()\n",
        ),
        points=(0, 0, 0, 1, 0),
        hint="One step from zero",
    ),
    _fit(
        "stops when the accuracy does not rise",
        (
            "    net.load",
            "        if len(history) > 1 and history[-1] <= history[-2]:\n            break\n    net.load",
        ),
        points=(1, 0, 0, 1, 0),
        hint="Every epoch has an accuracy",
    ),
]

FIT_ALTERNATIVES = [
    Alternative("fit", "the text, mended", FIT),
    Alternative(
        "fit",
        "deep copies of the best, all held-out pictures at once",
        """
import copy


def fit(net, train, held_out, orders, batch_size, rate):
    descent = torch.optim.SGD(net.parameters(), rate)
    criterion = nn.CrossEntropyLoss()
    best, accuracies = -1.0, []
    for order in orders:
        net.train()
        for start in range(0, len(order), batch_size):
            picked = order[start : start + batch_size]
            loss = criterion(net(train[0][picked]), train[1][picked])
            net.zero_grad()
            loss.backward()
            descent.step()
        net.train(False)
        with torch.inference_mode():
            accuracy = torch.mean((net(held_out[0]).argmax(1) == held_out[1]).double()).item()
        accuracies.append(accuracy)
        if accuracy > best:
            best, weights = accuracy, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return accuracies
""",
    ),
    Alternative(
        "fit",
        "slopes by torch.autograd.grad, steps by hand",
        """
def fit(net, train, held_out, orders, batch_size, rate):
    parameters = list(net.parameters())
    history, best = [], None
    for order in orders:
        for batch in torch.split(order, batch_size):
            net.train()
            logs = net(train[0][batch]).log_softmax(1)
            loss = -logs[torch.arange(len(batch)), train[1][batch]].mean()
            with torch.no_grad():
                for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters)):
                    parameter -= rate * slope
        right = 0
        for x, y in zip(*held_out):
            net.eval()
            right += int(net(x[None]).argmax() == y)
        history.append(right / len(held_out[1]))
        if best is None or history[-1] > max(history[:-1]):
            best = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        for parameter, value in zip(parameters, best):
            parameter.copy_(value)
    return history
""",
    ),
]


# Question 6.

RECIPE = """
def cost(recipe, pictures):
    convolution = recipe["filters"] * 9 * 64
    dense = recipe["filters"] * 4
    return (convolution + dense) * pictures * recipe["epochs"]


def choose_recipe(pictures, budget):
    filters = 12
    epochs = budget // (580 * filters * pictures)
    return {"filters": filters, "batch": 10, "epochs": epochs, "rate": 0.3}
"""


def _recipe(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("cost-test", "recipe-test")
    return Mistake("recipe", name, changed(RECIPE, *changes), dict(zip(parts, points, strict=True)), hint)


RECIPE_MISTAKES = [
    _recipe("counts the way back as well", ("return (conv", "return 3 * (conv"), points=(0, 1), hint="2 · 9 · 64"),
    _recipe("forgets the dense layer", ("(convolution + dense)", "convolution"), points=(0, 1), hint="the dense layer"),
    _recipe("counts parameters", ("9 * 64", "9"), points=(0, 1), hint="2 · 9 · 64 multiply-adds in the convolution"),
    _recipe(
        "counts the positions of a convolution without padding",
        ("9 * 64", "9 * 36"),
        points=(0, 1),
        hint="2 · 9 · 64",
    ),
    _recipe(
        "gives the dense layer every position",
        ('recipe["filters"] * 4', 'recipe["filters"] * 64 * 4'),
        points=(0, 1),
        hint="2 · 4 in the dense layer",
    ),
    _recipe(
        "counts biases",
        ("(convolution + dense)", '(convolution + dense + recipe["filters"] + 4)'),
        points=(0, 1),
        hint="2 · 4 in the dense layer",
    ),
    _recipe(
        "counts one epoch", (' * recipe["epochs"]', ""), points=(0, 1), hint="Every epoch shows every picture once"
    ),
    _recipe("counts one picture", (" * pictures *", " *"), points=(0, 1), hint="Every epoch shows every picture once"),
    _recipe(
        "counts steps",
        (" * pictures *", ' * (pictures // recipe["batch"]) *'),
        points=(0, 1),
        hint="whatever the batches are",
    ),
    _recipe(
        "takes each batch for a full one",
        (" * pictures *", ' * -(-pictures // recipe["batch"]) * recipe["batch"] *'),
        points=(0, 1),
        hint="The last batch of an epoch may be smaller",
    ),
    _recipe(
        "leaves a smaller last batch out",
        (" * pictures *", ' * (pictures // recipe["batch"]) * recipe["batch"] *'),
        points=(0, 1),
        hint="The last batch of an epoch may be smaller",
    ),
    _recipe(
        "returns millions",
        ('recipe["epochs"]\n', 'recipe["epochs"] / 1e6\n'),
        points=(0, 1),
        hint="Return an int",
    ),
    _recipe("takes a rate that is far too small", ('"rate": 0.3', '"rate": 0.001'), points=(1, 0), hint="Is the rate"),
    _recipe(
        "takes a rate that is far too large", ('"rate": 0.3', '"rate": 10'), points=(1, 0), hint="Is the rate right"
    ),
    _recipe("has a single filter", ("filters = 12", "filters = 1"), points=(1, 0), hint="Are there filters enough"),
    _recipe(
        "has many filters and so no time to train",
        ("filters = 12", "filters = 40"),
        ("(580 * filters * pictures)", "(580 * filters * pictures) or 1"),
        points=(1, 0),
        hint="costs more than its budget",
    ),
    _recipe(
        "trains for as long with many pictures as with few",
        ("epochs = budget // (580 * filters * pictures)", "epochs = 19"),
        points=(1, 0),
        hint="With four times the pictures an epoch costs four times as much",
    ),
    _recipe(
        "trains for as short with few pictures as with many",
        ("epochs = budget // (580 * filters * pictures)", "epochs = 1"),
        points=(1, 0),
        hint="is the budget spent",
    ),
    _recipe(
        "spends a tenth of the budget",
        ("budget // (580 * filters * pictures)", "max(1, budget // (5800 * filters * pictures))"),
        points=(1, 0),
        hint="stays below 85 %",
    ),
    _recipe(
        "forgets the pictures", ("(580 * filters * pictures)", "(580 * filters)"), points=(1, 0), hint="costs more"
    ),
    _recipe(
        "takes all pictures for a batch", ('"batch": 10', '"batch": pictures'), points=(1, 0), hint="stays below 85 %"
    ),
    _recipe("has batches of 4", ('"batch": 10', '"batch": 4'), points=(1, 0), hint="A batch has at least 8 pictures"),
    _recipe("has a float of epochs", ("budget //", "budget /"), points=(1, 0), hint="of type int"),
    _recipe(
        "returns a tuple",
        ('{"filters": filters, "batch": 10, "epochs": epochs, "rate": 0.3}', "(filters, 10, epochs, 0.3)"),
        points=(1, 0),
        hint="A recipe is a dict",
    ),
    _recipe("rounds the epochs up", ("epochs = budget //", "epochs = 1 + budget //"), points=(1, 0), hint="costs more"),
]

RECIPE_ALTERNATIVES = [
    Alternative("recipe", "fewer filters", changed(RECIPE, ("filters = 12", "filters = 9"))),
    Alternative(
        "recipe",
        "more filters where there are many pictures",
        """
def cost(recipe, pictures):
    return sum(recipe["filters"] * (64 * 9 + 4) for _ in range(recipe["epochs"] * pictures))


def choose_recipe(pictures, budget):
    filters = 10 if pictures < 200 else 12
    epochs = 1
    while cost({"filters": filters, "epochs": epochs + 1}, pictures) <= budget:
        epochs += 1
    return dict(rate=0.4, epochs=epochs, batch=16, filters=filters)
""",
    ),
]

MISTAKES = [
    *LOSS_MISTAKES,
    *CONV_MISTAKES,
    *POOL_MISTAKES,
    *NETWORK_MISTAKES,
    *FIT_MISTAKES,
    *RECIPE_MISTAKES,
]
ALTERNATIVES = [
    *LOSS_ALTERNATIVES,
    *CONV_ALTERNATIVES,
    *POOL_ALTERNATIVES,
    *NETWORK_ALTERNATIVES,
    *FIT_ALTERNATIVES,
    *RECIPE_ALTERNATIVES,
]

# Changes to the solutions that are right as well. Measured for the recipe and these four: none of 3,000 trainings
# stays below 85 %, the lowest reaches 86.6 %, and the mean is 98.1 %. Two of three trainings have to stay below it.

SURVIVORS = [
    Survivor(
        "recipe",
        "recipe = {'filters': 12, 'batch': 10, 'rate': 0.3}",
        f"recipe = {{'filters': {filters}, 'batch': {batch}, 'rate': 0.3}}",
        reason="Another recipe that keeps to the budget and learns: the question has many right answers.",
    )
    for filters, batch in ((11, 10), (13, 10), (12, 9), (12, 11))
]
