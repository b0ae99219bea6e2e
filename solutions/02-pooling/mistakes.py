"""Known answers to assignment 02: mistakes that students make, and other right answers.

`autograder verify` runs each of them; tests/solutions does so without the autograder. An entry is a whole answer
cell, and most differ from a right one in a line, so the right one is written once.
"""

from convbook.catalogue import Alternative, Mistake, Survivor, changed

# Question 1. Six loops, as most students write it.

POOL2D = """
def pool2d(x, size, stride=None, padding=0, kind="max", count_padding=True):
    if stride is None:
        stride = size
    N, C, H, W = x.shape
    rows = (H + 2 * padding - size) // stride + 1
    columns = (W + 2 * padding - size) // stride + 1
    y = np.zeros((N, C, rows, columns))
    for n in range(N):
        for c in range(C):
            for i in range(rows):
                for j in range(columns):
                    best = -np.inf
                    total = 0.0
                    own = 0
                    for a in range(size):
                        for b in range(size):
                            r = i * stride + a - padding
                            s = j * stride + b - padding
                            if 0 <= r < H and 0 <= s < W:
                                best = max(best, x[n, c, r, s])
                                total += x[n, c, r, s]
                                own += 1
                    number = size * size if count_padding else own
                    y[n, c, i, j] = best if kind == "max" else total / number
    return y
"""


def _pool(name: str, *changes: tuple[str, str], points: tuple[int, int, int, int], hint: str) -> Mistake:
    parts = ("pool2d-test", "pool2d-overlap-test", "pool2d-padding-test", "pool2d-average-test")
    return Mistake("pool2d", name, changed(POOL2D, *changes), dict(zip(parts, points, strict=True)), hint)


POOL_MISTAKES = [
    _pool(
        "takes a stride of 1 where none is given",
        ("stride = size", "stride = 1"),
        points=(0, 1, 0, 0),
        hint="None means the size",
    ),
    _pool(
        "lays windows side by side whatever the stride is",
        ("if stride is None:", "if True:"),
        points=(1, 0, 0, 0),
        hint="The stride says where a window starts",
    ),
    _pool(
        "swaps rows and columns",
        ("    return y\n", "    return y.transpose(0, 1, 3, 2)\n"),
        points=(0, 0, 0, 0),
        hint="The upper right window holds 2, 0, 8 and 6",
    ),
    _pool(
        "counts columns by the height",
        ("columns = (W + 2", "columns = (H + 2"),
        points=(0, 0, 0, 0),
        hint="2 by 2 windows on 5 rows and 7 columns give 2 rows and 3 columns",
    ),
    _pool(
        "keeps a window that sticks out",
        ("rows = (H + 2 * padding - size) // stride + 1", "rows = -(-(H + 2 * padding - size) // stride) + 1"),
        ("columns = (W + 2 * padding - size) // stride + 1", "columns = -(-(W + 2 * padding - size) // stride) + 1"),
        points=(0, 0, 0, 0),
        hint="what is left over at the end is dropped",
    ),
    _pool(
        "starts the search for the largest at 0",
        ("best = -np.inf", "best = 0.0"),
        points=(0, 0, 0, 2),
        hint="do not start from 0",
    ),
    _pool(
        "takes the maximum over channels as well",
        ("best = max(best, x[n, c, r, s])", "best = max(best, x[n, :, r, s].max())"),
        points=(0, 0, 0, 2),
        hint="Each channel of each picture is pooled by itself",
    ),
    _pool(
        "uses the first picture for the whole batch",
        ("best = max(best, x[n, c, r, s])", "best = max(best, x[0, c, r, s])"),
        points=(0, 0, 0, 2),
        hint="Each channel of each picture is pooled by itself",
    ),
    _pool(
        "pads with zeros before it takes the maximum",
        (
            "                                own += 1\n",
            "                                own += 1\n"
            "                            else:\n                                best = max(best, 0.0)\n",
        ),
        points=(1, 1, 0, 2),
        hint="pad with minus infinity",
    ),
    _pool(
        "starts the search at a number that pictures may lie below",
        ("best = -np.inf", "best = -10.0"),
        points=(1, 1, 0, 2),
        hint="With padding some maximum is another",
    ),
    _pool(
        "takes black pixels for padding when it looks for the largest",
        ("best = max(best, x[n, c, r, s])", "best = max(best, x[n, c, r, s] or -np.inf)"),
        points=(1, 0, 0, 2),
        hint="A pixel of the picture may be 0",
    ),
    _pool(
        "takes black pixels for padding when it divides",
        ("own += 1", "own += x[n, c, r, s] != 0"),
        ("total / number", "total / max(number, 1)"),
        points=(1, 1, 1, 0),
        hint="and counts",
    ),
    _pool(
        "pads after the picture only",
        ("i * stride + a - padding", "i * stride + a"),
        ("j * stride + b - padding", "j * stride + b"),
        points=(1, 1, 0, 0),
        hint="Padding goes on all four sides",
    ),
    _pool(
        "counts the padding once, not on both sides",
        ("rows = (H + 2 * padding", "rows = (H + padding"),
        ("columns = (W + 2 * padding", "columns = (W + padding"),
        points=(1, 1, 0, 0),
        hint="Padding goes on all four sides",
    ),
    _pool(
        "never counts padding in an average",
        ("size * size if count_padding else own", "own"),
        points=(1, 1, 1, 0),
        hint="Counted padding is zeros that are divided by as well",
    ),
    _pool(
        "always counts padding in an average",
        ("size * size if count_padding else own", "size * size"),
        points=(1, 1, 1, 0),
        hint="With count_padding=False a window divides by the pixels of the picture in it",
    ),
    _pool(
        "divides by the stride instead of the size",
        ("size * size if", "stride * stride if"),
        points=(1, 1, 1, 0),
        hint="and divides their sum by 9",
    ),
    _pool(
        "returns sums for averages",
        ("total / number", "total"),
        points=(1, 1, 1, 0),
        hint="Add the pixels of the window and divide by their number",
    ),
    _pool(
        "averages the pixels that are not zero, as if zeros were padding",
        ("                                own += 1\n", "                                own += x[n, c, r, s] != 0\n"),
        ("size * size if count_padding else own", "max(own, 1)"),
        points=(1, 1, 1, 0),
        hint="Add the pixels of the window and divide by their number",
    ),
]

POOL_ALTERNATIVES = [
    Alternative("pool2d", "six loops", POOL2D),
    Alternative(
        "pool2d",
        "sliding windows",
        """
from numpy.lib.stride_tricks import sliding_window_view


def pool2d(x, size, stride=None, padding=0, kind="max", count_padding=True):
    stride = stride or size

    def windows(pixels, fill):
        pixels = np.pad(pixels, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=fill)
        return sliding_window_view(pixels, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]

    if kind == "max":
        return windows(x, -np.inf).max((-2, -1))
    if count_padding:
        return windows(x, 0).mean((-2, -1))
    return np.nanmean(windows(x, np.nan), axis=(-2, -1))
""",
    ),
    Alternative(
        "pool2d",
        "rows first, then columns",
        """
def pool2d(x, size, stride=None, padding=0, kind="max", count_padding=True):
    for axis in (2, 3):
        x = along(x, axis, size, stride or size, padding, kind, count_padding)
    return x


def along(x, axis, size, stride, padding, kind, count_padding):
    x = np.moveaxis(x, axis, 0)
    n = len(x)
    found = []
    for start in range(-padding, n + padding - size + 1, stride):
        window = x[max(start, 0) : min(start + size, n)]
        if kind == "max":
            found.append(window.max(axis=0))
        else:
            found.append(window.sum(axis=0) / (size if count_padding else len(window)))
    return np.moveaxis(np.array(found), 0, axis)
""",
    ),
    Alternative(
        "pool2d",
        "one tap of all windows at a time",
        """
def pool2d(x, size, stride=None, padding=0, kind="max", count_padding=True):
    if stride is None:
        stride = size
    combine, fill = (np.maximum, np.finfo(float).min) if kind == "max" else (np.add, 0.0)

    def reduce(pixels, fill):
        padded = np.pad(pixels, ((0, 0), (0, 0)) + ((padding, padding),) * 2, constant_values=fill)
        rows, columns = padded.shape[2] - size + 1, padded.shape[3] - size + 1
        y = None
        for tap in range(size * size):
            i, j = divmod(tap, size)
            part = padded[:, :, i : i + rows : stride, j : j + columns : stride]
            y = part.copy() if y is None else combine(y, part)
        return y

    y = reduce(x, fill)
    if kind == "max":
        return y
    return y / reduce(np.ones_like(x), 1.0 if count_padding else 0.0)
""",
    ),
]

# Question 2. From the definitions: the field by its ends, in units of the input.

FIELDS = """
def sizes(layers, n):
    result = []
    for layer in layers:
        n = output_size(n, layer["kernel"], layer["stride"], layer["padding"], layer["dilation"])
        result.append(n)
    return result


def receptive_field(layers):
    r, j = 1, 1
    for layer in layers:
        span = layer["dilation"] * (layer["kernel"] - 1) + 1
        r = r + (span - 1) * j
        j = j * layer["stride"]
    return r, j


def pixels_seen(layers, unit):
    r, j, start = 1, 1, 0
    for layer in layers:
        start = start - layer["padding"] * j
        r = r + layer["dilation"] * (layer["kernel"] - 1) * j
        j = j * layer["stride"]
    first = start + unit * j
    return first, first + r - 1
"""


def _field(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("sizes-test", "receptive-field-test", "pixels-seen-test")
    return Mistake("receptive-field", name, changed(FIELDS, *changes), dict(zip(parts, points, strict=True)), hint)


FIELD_MISTAKES = [
    _field(
        "starts every layer from the picture",
        ("        n = output_size(n,", "        m = output_size(n,"),
        ("result.append(n)", "result.append(m)"),
        points=(0, 2, 1),
        hint="Each layer starts from the size that the layer before it left",
    ),
    _field(
        "lets poolings divide the size, whatever their settings are",
        (
            "        result.append(n)",
            '        if layer["kind"] == "pool":\n            n = (result or [before])[-1] // layer["kernel"]\n'
            "        result.append(n)",
        ),
        ("    result = []", "    result, before = [], n"),
        points=(0, 2, 1),
        hint="a pooling has a padding and a stride of its own",
    ),
    _field(
        "includes the size of the input",
        ("    result = []", "    result = [n]"),
        points=(0, 2, 1),
        hint="Return a list with one int a layer",
    ),
    _field(
        "adds up kernels",
        ("r = r + (span - 1) * j", "r = r + span * j"),
        points=(1, 0, 1),
        hint="Two 3-tap layers see 5 pixels, not 6",
    ),
    _field(
        "multiplies kernels",
        ("r = r + (span - 1) * j", "r = r * span"),
        points=(1, 0, 1),
        hint="not 6 and not 9",
    ),
    _field(
        "forgets the jump",
        ("r = r + (span - 1) * j", "r = r + (span - 1)"),
        points=(1, 0, 1),
        hint="A layer adds one tap less than it has",
    ),
    _field(
        "takes the layer's own stride into its own field",
        (
            '        r = r + (span - 1) * j\n        j = j * layer["stride"]\n',
            '        j = j * layer["stride"]\n        r = r + (span - 1) * j\n',
        ),
        points=(1, 0, 1),
        hint="A layer adds one tap less than it has",
    ),
    _field(
        "adds strides",
        (
            '        j = j * layer["stride"]\n    return r, j\n',
            '        j = j + layer["stride"] - 1\n    return r, j\n',
        ),
        points=(1, 0, 1),
        hint="Strides multiply",
    ),
    _field(
        "keeps the last layer's stride for the jump",
        ('        j = j * layer["stride"]\n    return r, j\n', '        j = layer["stride"]\n    return r, j\n'),
        points=(1, 0, 1),
        hint="units lie 2 pixels apart, and so they do to the end",
    ),
    _field(
        "skips poolings, which have no weights",
        (
            "    r, j = 1, 1\n    for layer in layers:\n",
            '    r, j = 1, 1\n    for layer in [each for each in layers if each["kind"] == "conv"]:\n',
        ),
        points=(1, 0, 1),
        hint="Behind the pooling, units lie 2 pixels apart",
    ),
    _field(
        "forgets the dilation",
        ('span = layer["dilation"] * (layer["kernel"] - 1) + 1', 'span = layer["kernel"]'),
        points=(1, 0, 1),
        hint="A dilated kernel reaches further",
    ),
    _field(
        "takes dilation for part of the jump",
        (
            '        j = j * layer["stride"]\n    return r, j\n',
            '        j = j * layer["stride"] * layer["dilation"]\n    return r, j\n',
        ),
        points=(1, 0, 1),
        hint="It leaves the jump as it is",
    ),
    _field(
        "gives one past the last pixel",
        ("return first, first + r - 1", "return first, first + r"),
        points=(1, 2, 0),
        hint="The last pixel is counted",
    ),
    _field(
        "ignores padding",
        ('start - layer["padding"] * j', "start"),
        points=(1, 2, 0),
        hint="Padding moves what a unit sees to the front",
    ),
    _field(
        "cuts off what is padding",
        ("return first, first + r - 1", "return max(first, 0), first + r - 1"),
        points=(1, 2, 0),
        hint="Negative is right here",
    ),
    _field(
        "counts the padding of every layer in pixels",
        ('start - layer["padding"] * j', 'start - layer["padding"]'),
        points=(1, 2, 0),
        hint="the padding counts times the jump in front of its layer",
    ),
    _field(
        "puts unit 0 in the middle of its field",
        ("first = start + unit * j", "first = start + unit * j - (r - 1) // 2"),
        points=(1, 2, 0),
        hint="Unit 0 sees pixels 0 to 7",
    ),
    _field(
        "turns the caller's list around",
        (
            "    r, j, start = 1, 1, 0\n    for layer in layers:",
            "    layers.reverse()\n    r, j, start = 1, 1, 0\n    for layer in layers[::-1]:",
        ),
        points=(1, 2, 0),
        hint="The list of layers has changed",
    ),
    _field(
        "empties the caller's list",
        (
            "    for layer in layers:\n        n = output",
            "    while layers:\n        layer = layers.pop(0)\n        n = output",
        ),
        points=(0, 2, 1),
        hint="The list of layers has changed",
    ),
]

FIELD_ALTERNATIVES = [
    Alternative("receptive-field", "start and jump from the front", FIELDS),
    Alternative(
        "receptive-field",
        "all pixels of a unit, followed back",
        """
def sizes(layers, n):
    keys = ("kernel", "stride", "padding", "dilation")
    return [n := output_size(n, *(layer[key] for key in keys)) for layer in layers]


def looks_at(layers, unit):
    units = {unit}
    for layer in layers[::-1]:
        ends = min(units), max(units)
        units = {
            u * layer["stride"] - layer["padding"] + tap * layer["dilation"]
            for u in ends
            for tap in range(layer["kernel"])
        }
    return units


def receptive_field(layers):
    one, two = looks_at(layers, 0), looks_at(layers, 1)
    return max(one) - min(one) + 1, min(two) - min(one)


def pixels_seen(layers, unit):
    return min(looks_at(layers, unit)), max(looks_at(layers, unit))
""",
    ),
    Alternative(
        "receptive-field",
        "recursion",
        """
def sizes(layers, n):
    if not layers:
        return []
    first = layers[0]
    m = (n + 2 * first["padding"] - first["dilation"] * (first["kernel"] - 1) - 1) // first["stride"] + 1
    return [m] + sizes(layers[1:], m)


def receptive_field(layers):
    first, last = pixels_seen(layers, 0)
    return last - first + 1, pixels_seen(layers, 1)[0] - first


def pixels_seen(layers, unit):
    if not layers:
        return unit, unit
    *front, layer = layers
    left = unit * layer["stride"] - layer["padding"]
    right = left + layer["dilation"] * (layer["kernel"] - 1)
    return pixels_seen(front, left)[0], pixels_seen(front, right)[1]
""",
    ),
]

# Question 3. Two walks over the layers.

COST = """
def parameters(layers, shape):
    found = []
    depth = shape[0]
    for layer in layers:
        if layer["kind"] == "conv":
            a_filter = (depth // layer["groups"]) * layer["kernel"] * layer["kernel"]
            found.append(layer["channels"] * (a_filter + (1 if layer["bias"] else 0)))
        elif layer["kind"] == "dense":
            found.append(layer["features"] * depth + (layer["features"] if layer["bias"] else 0))
        else:
            found.append(0)
        shape = after(layer, shape)
        depth = shape[0]
    return found


def multiply_adds(layers, shape):
    costs = []
    for layer in layers:
        made = after(layer, shape)
        if layer["kind"] == "conv":
            weights = layer["channels"] * (shape[0] // layer["groups"]) * layer["kernel"] ** 2
            costs.append(weights * made[1] * made[2])
        elif layer["kind"] == "dense":
            costs.append(shape[0] * layer["features"])
        else:
            costs.append(0)
        shape = made
    return costs


def after(layer, shape):
    if layer["kind"] == "dense":
        return (layer["features"],)
    if layer["kind"] == "flatten":
        return (shape[0] * shape[1] * shape[2],)
    sliding = [layer["kernel"], layer["stride"], layer["padding"], layer["dilation"]]
    height, width = output_size(shape[1], *sliding), output_size(shape[2], *sliding)
    return (layer["channels"] if layer["kind"] == "conv" else shape[0], height, width)
"""


def _cost(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("parameters-test", "multiply-adds-test", "network-cost-test")
    return Mistake("cost", name, changed(COST, *changes), dict(zip(parts, points, strict=True)), hint)


COST_MISTAKES = [
    _cost(
        "forgets the input channels",
        ('(depth // layer["groups"]) * layer["kernel"] * layer["kernel"]', 'layer["kernel"] * layer["kernel"]'),
        points=(0, 1, 0),
        hint="A filter has a weight for each input channel and tap",
    ),
    _cost(
        "gives the layer one bias",
        (
            'layer["channels"] * (a_filter + (1 if layer["bias"] else 0))',
            'layer["channels"] * a_filter + (1 if layer["bias"] else 0)',
        ),
        points=(0, 1, 0),
        hint="and one bias: 4 filters of",
    ),
    _cost(
        "gives every layer a bias",
        ('(a_filter + (1 if layer["bias"] else 0))', "(a_filter + 1)"),
        points=(0, 1, 1),
        hint="Without bias, no biases",
    ),
    _cost(
        "counts weights anew for every position",
        (
            'found.append(layer["channels"] * (a_filter',
            'made = after(layer, shape)\n            found.append(made[1] * made[2] * layer["channels"] * (a_filter',
        ),
        points=(0, 1, 0),
        hint="A filter has a weight for each input channel and tap, and one bias",
    ),
    _cost(
        "gives poolings a weight a pixel of the window",
        (
            "        else:\n            found.append(0)",
            '        else:\n            found.append(layer.get("kernel", 0) ** 2)',
        ),
        points=(0, 1, 0),
        hint="A pooling has none",
    ),
    _cost(
        "ignores groups in the parameters",
        ('(depth // layer["groups"]) *', "depth *"),
        points=(0, 1, 1),
        hint="With groups a filter sees its share of the input channels",
    ),
    _cost(
        "divides the parameters by the groups, filters included",
        ('found.append(layer["channels"] * (a_filter', 'found.append(layer["channels"] // layer["groups"] * (a_filter'),
        points=(0, 1, 1),
        hint="With groups a filter sees its share of the input channels",
    ),
    _cost(
        "adds the biases to the multiply-adds",
        ("costs.append(weights * made", 'costs.append((weights + layer["channels"]) * made'),
        points=(1, 0, 0),
        hint="biases are not multiplied",
    ),
    _cost(
        "takes the positions of the input",
        ("weights * made[1] * made[2]", "weights * shape[1] * shape[2]"),
        points=(1, 0, 0),
        hint="positions are those of the output",
    ),
    _cost(
        "ignores groups in the multiply-adds",
        ('(shape[0] // layer["groups"])', "shape[0]"),
        points=(1, 0, 1),
        hint="With groups a filter multiplies its share of the channels",
    ),
    _cost(
        "leaves out products with padded zeros",
        (
            "            costs.append(weights * made[1] * made[2])\n",
            "            inner = after({**layer, 'padding': 0}, shape)\n"
            "            costs.append(weights * inner[1] * inner[2])\n",
        ),
        points=(1, 0, 0),
        hint="A padded zero is multiplied like any pixel",
    ),
    _cost(
        "counts the additions of poolings",
        (
            "        else:\n            costs.append(0)",
            '        else:\n            costs.append(layer.get("kernel", 0) ** 2 * int(np.prod(made)))',
        ),
        points=(1, 0, 0),
        hint="a pooling multiplies nothing",
    ),
    _cost(
        "works on the picture in every layer",
        ("        shape = made\n", "        shape = (made[0], *shape[1:])\n"),
        points=(1, 0, 0),
        hint="Each layer works on the map that the one before it left",
    ),
    _cost(
        "counts products and sums apart",
        ("weights * made[1] * made[2]", "2 * weights * made[1] * made[2]"),
        points=(1, 0, 0),
        hint="72 weights at 3·4 output positions",
    ),
    _cost(
        "gives a dense layer one bias",
        ('(layer["features"] if layer["bias"] else 0)', "1"),
        points=(1, 1, 0),
        hint="and a bias for each that comes out",
    ),
    _cost(
        "flattens to the number of channels",
        ("return (shape[0] * shape[1] * shape[2],)", "return (shape[0],)"),
        points=(1, 1, 0),
        hint="Behind the last pooling 16·5·5 numbers go in",
    ),
    _cost(
        "adds the biases to the multiply-adds of a dense layer",
        ('costs.append(shape[0] * layer["features"])', 'costs.append((shape[0] + 1) * layer["features"])'),
        points=(1, 1, 0),
        hint="as many multiply-adds as weights, without the biases",
    ),
]

COST_ALTERNATIVES = [
    Alternative("cost", "two walks", COST),
    Alternative(
        "cost",
        "shapes first, NumPy's integers",
        """
def shapes(layers, shape):
    yield tuple(shape)
    for layer in layers:
        if layer["kind"] == "flatten":
            shape = (np.prod(shape),)
        elif layer["kind"] == "dense":
            shape = (layer["features"],)
        else:
            span = layer["dilation"] * (layer["kernel"] - 1) + 1
            sides = (np.array(shape[1:]) + 2 * layer["padding"] - span) // layer["stride"] + 1
            shape = (layer.get("channels", shape[0]), *sides)
        yield shape


def weights(layer, depth):
    if "features" in layer:
        return layer["features"] * depth
    if "channels" in layer:
        return layer["channels"] * depth * layer["kernel"] ** 2 // layer["groups"]
    return 0


def parameters(layers, shape):
    biases = [each.get("bias", False) * each.get("channels", each.get("features", 0)) for each in layers]
    return [weights(layer, s[0]) + b for layer, s, b in zip(layers, shapes(layers, shape), biases)]


def multiply_adds(layers, shape):
    made = list(shapes(layers, shape))
    return [weights(layer, a[0]) * np.prod(b[1:], dtype=int) for layer, a, b in zip(layers, made, made[1:])]
""",
    ),
    Alternative(
        "cost",
        "a class that counts",
        """
class Counter:
    def __init__(self, shape):
        self.shape = list(shape)

    def conv(self, kernel, stride, padding, dilation, channels, groups, bias):
        weights = 0
        for _ in range(channels):
            weights += self.shape[0] // groups * kernel * kernel
        self.pool(kernel, stride, padding, dilation)
        self.shape[0] = channels
        return weights + bias * channels, weights * self.shape[1] * self.shape[2]

    def pool(self, kernel, stride, padding, dilation):
        self.shape[1:] = [output_size(n, kernel, stride, padding, dilation) for n in self.shape[1:]]
        return 0, 0

    def flatten(self):
        self.shape = [self.shape[0] * self.shape[1] * self.shape[2]]
        return 0, 0

    def dense(self, features, bias):
        weights = self.shape[0] * features
        self.shape = [features]
        return weights + bias * features, weights


def counts(layers, shape):
    counter = Counter(shape)
    for layer in layers:
        settings = dict(layer)
        yield getattr(counter, settings.pop("kind"))(**settings)


def parameters(layers, shape):
    return [each[0] for each in counts(layers, shape)]


def multiply_adds(layers, shape):
    return [each[1] for each in counts(layers, shape)]
""",
    ),
]

# Question 4.

SHIFT = """
def shift_sensitivity(f, x, shifts):
    before = np.asarray(f(x))
    total = 0.0
    for down, right in shifts:
        moved = np.roll(np.roll(x, down, axis=-2), right, axis=-1)
        after = np.asarray(f(moved))
        total += np.sum(np.abs(after - before)) / np.sum(np.abs(before))
    return total / len(shifts)
"""


def _shift(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("shift-sensitivity-test", "shift-sensitivity-stack-test")
    return Mistake("shift-sensitivity", name, changed(SHIFT, *changes), dict(zip(parts, points, strict=True)), hint)


SHIFT_MISTAKES = [
    _shift(
        "moves to the left and up",
        ("np.roll(x, down, axis=-2), right, axis=-1", "np.roll(x, -down, axis=-2), -right, axis=-1"),
        points=(0, 0),
        hint="the bottom row comes in at the top",
    ),
    _shift(
        "adds differences with their signs",
        ("np.sum(np.abs(after - before))", "np.abs(np.sum(after - before))"),
        points=(0, 0),
        hint="Take absolute values before you add",
    ),
    _shift(
        "divides by the sum, signs included",
        ("np.sum(np.abs(before))", "np.sum(before)"),
        points=(0, 0),
        hint="where do absolute values belong",
    ),
    _shift(
        "divides by what is there after the shift",
        ("/ np.sum(np.abs(before))", "/ np.sum(np.abs(after))"),
        points=(0, 0),
        hint="Divide by what was there before the shift",
    ),
    _shift(
        "divides by the input",
        ("/ np.sum(np.abs(before))", "/ np.sum(np.abs(x))"),
        points=(0, 0),
        hint="Divide by what was there before the shift",
    ),
    _shift(
        "does not divide",
        (" / np.sum(np.abs(before))", ""),
        points=(0, 0),
        hint="Divide by what was there before the shift",
    ),
    _shift(
        "rolls the flattened map",
        ("np.roll(np.roll(x, down, axis=-2), right, axis=-1)", "np.roll(x, down + right)"),
        points=(0, 0),
        hint="along the axis of rows",
    ),
    _shift(
        "takes the shift as (right, down)",
        ("for down, right in shifts", "for right, down in shifts"),
        points=(0, 0),
        hint="(1, 0) moves down by one",
    ),
    _shift(
        "fills with zeros instead of going round",
        (
            "        after = ",
            """        if down:
            moved[..., slice(None, down) if down > 0 else slice(down, None), :] = 0
        if right:
            moved[..., slice(None, right) if right > 0 else slice(right, None)] = 0
        after = """,
        ),
        points=(0, 0),
        hint="the bottom row comes in at the top",
    ),
    _shift(
        "moves the output along before it compares",
        (
            "        after = np.asarray(f(moved))",
            "        after = np.roll(np.asarray(f(moved)), (-down, -right), axis=(-2, -1))",
        ),
        points=(0, 0),
        hint="compare the two as they come out of f",
    ),
    _shift(
        "takes the largest of the shifts",
        ("total += np.sum(", "total = max(total, np.sum("),
        ("np.sum(np.abs(before))", "np.sum(np.abs(before)))"),
        ("return total / len(shifts)", "return total"),
        points=(1, 0),
        hint="their mean is 1.5",
    ),
    _shift(
        "adds up the shifts",
        ("return total / len(shifts)", "return total"),
        points=(1, 0),
        hint="their mean is 1.5",
    ),
    _shift(
        "returns after the first shift",
        ("    return total / len(shifts)", "        break\n    return total"),
        points=(1, 0),
        hint="their mean is 1.5",
    ),
    _shift(
        "moves the first two axes of a stack",
        ("np.roll(np.roll(x, down, axis=-2), right, axis=-1)", "np.roll(x, (down, right), axis=(0, 1))"),
        points=(1, 0),
        hint="they are the last two axes",
    ),
    _shift(
        "takes the mean of each pixel's own change",
        (
            "np.sum(np.abs(after - before)) / np.sum(np.abs(before))",
            "np.mean(np.abs(after - before) / np.maximum(np.abs(before), 1e-12))",
        ),
        points=(0, 0),
        hint="two lose 1 and two gain 1, which is 4 / 2",
    ),
]

SHIFT_ALTERNATIVES = [
    Alternative("shift-sensitivity", "two rolls and a loop", SHIFT),
    Alternative(
        "shift-sensitivity",
        "indices and means",
        """
def shift_sensitivity(f, x, shifts):
    H, W = x.shape[-2:]
    reference = f(x)
    scale = np.mean(np.abs(reference))
    values = []
    for down, right in shifts:
        rows = (np.arange(H) - down) % H
        columns = (np.arange(W) - right) % W
        moved = x[..., rows, :][..., columns]
        values.append(np.mean(np.abs(reference - f(moved))) / scale)
    return float(np.mean(values))
""",
    ),
    Alternative(
        "shift-sensitivity",
        "everything in one array",
        """
def shift_sensitivity(f, x, shifts):
    results = np.array([f(np.roll(x, s, (-2, -1))) for s in [(0, 0), *shifts]]).reshape(len(shifts) + 1, -1)
    return np.linalg.norm(results[1:] - results[0], 1, axis=1).mean() / np.linalg.norm(results[0], 1)
""",
    ),
]

# Question 5. Rows first, then columns.

BLUR = """
def binomial(size):
    row = [1]
    while len(row) < size:
        row = [1] + [a + b for a, b in zip(row, row[1:])] + [1]
    return np.array(row) / sum(row)


def blur_pool(x, size=3, stride=2):
    taps = binomial(size)
    before, after = (size - 1) // 2, size // 2
    N, C, H, W = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), mode="reflect")
    tall = sum(taps[i] * padded[:, :, i : i + H] for i in range(size))
    wide = sum(taps[j] * tall[:, :, :, j : j + W] for j in range(size))
    return wide[:, :, ::stride, ::stride]
"""


def _blur(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("binomial-test", "blur-pool-test")
    return Mistake("blur-pool", name, changed(BLUR, *changes), dict(zip(parts, points, strict=True)), hint)


BLUR_MISTAKES = [
    _blur(
        "takes a box instead of Pascal's triangle",
        ("np.array(row) / sum(row)", "np.full(size, 1 / size)"),
        points=(0, 0),
        hint="The taps are 1, 3, 3, 1",
    ),
    _blur(
        "does not divide the taps",
        ("np.array(row) / sum(row)", "np.array(row, dtype=float)"),
        points=(0, 0),
        hint="divided by their sum, which is 8",
    ),
    _blur(
        "divides the taps by the largest",
        ("/ sum(row)", "/ max(row)"),
        points=(0, 0),
        hint="divided by their sum, which is 8",
    ),
    _blur(
        "gives one tap too many",
        ("len(row) < size", "len(row) <= size"),
        points=(0, 0),
        hint="There are as many as size says",
    ),
    _blur(
        "builds a triangle of slopes, which agrees up to 3 taps",
        (
            "    return np.array(row) / sum(row)",
            "    row = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1))\n    return row / row.sum()",
        ),
        points=(0, 0),
        hint="The taps are 1, 3, 3, 1",
    ),
    _blur(
        "starts with two taps",
        ("row = [1]\n", "row = [1, 1]\n"),
        points=(0, 0),
        hint="One tap is the top of Pascal's triangle",
    ),
    _blur(
        "thins out before it blurs",
        ("    N, C, H, W = x.shape\n", "    x = x[:, :, ::stride, ::stride]\n    N, C, H, W = x.shape\n"),
        ("    return wide[:, :, ::stride, ::stride]\n", "    return wide\n"),
        points=(1, 0),
        hint="Blur first, then keep every second pixel",
    ),
    _blur(
        "does not thin out",
        ("wide[:, :, ::stride, ::stride]", "wide"),
        points=(1, 0),
        hint="it should have shape (1, 1, 2, 3)",
    ),
    _blur(
        "pads with zeros",
        ('mode="reflect"', 'mode="constant"'),
        points=(1, 0),
        hint="Zero padding darkens the edges",
    ),
    _blur(
        "repeats the edge",
        ('mode="reflect"', 'mode="edge"'),
        points=(1, 0),
        hint="does not repeat it, so the corner counts once",
    ),
    _blur(
        "mirrors the edge pixel as well",
        ('mode="reflect"', 'mode="symmetric"'),
        points=(1, 0),
        hint="does not repeat it, so the corner counts once",
    ),
    _blur(
        "goes round at the edges",
        ('mode="reflect"', 'mode="wrap"'),
        points=(1, 0),
        hint="Reflection mirrors at the edge pixel",
    ),
    _blur(
        "blurs along columns only",
        (
            "    tall = sum(taps[i] * padded[:, :, i : i + H] for i in range(size))\n",
            "    tall = padded[:, :, before : before + H]\n",
        ),
        points=(1, 0),
        hint="A bright corner spreads by 4, 2 and 1 sixteenths",
    ),
    _blur(
        "adds the two blurs instead of one after the other",
        (
            "    wide = sum(taps[j] * tall[:, :, :, j : j + W] for j in range(size))\n",
            "    wide = sum(taps[j] * padded[:, :, before : before + H, j : j + W] for j in range(size))\n"
            "    wide = (wide + tall[:, :, :, before : before + W]) / 2\n",
        ),
        points=(1, 0),
        hint="A bright corner spreads by 4, 2 and 1 sixteenths",
    ),
    _blur(
        "pads the larger half before",
        ("(size - 1) // 2, size // 2", "size // 2, (size - 1) // 2"),
        points=(1, 0),
        hint="4 taps are padded by 1 before and 2 after",
    ),
    _blur(
        "pads by the same number on both sides, as for odd sizes",
        ("(size - 1) // 2, size // 2", "size // 2, size // 2"),
        ("N, C, H, W = x.shape", "N, C, H, W = x.shape\n    H, W = H + 1 - size % 2, W + 1 - size % 2"),
        points=(1, 0),
        hint="4 taps are padded by 1 before and 2 after",
    ),
    _blur(
        "blurs over channels as well",
        ("return wide[", "wide = wide.mean(axis=1, keepdims=True).repeat(C, axis=1)\n    return wide["),
        points=(1, 0),
        hint="several channels",
    ),
    _blur(
        "keeps every second pixel, whatever the stride is",
        ("wide[:, :, ::stride, ::stride]", "wide[:, :, ::2, ::2]"),
        points=(1, 0),
        hint="stride=1 keeps every pixel",
    ),
]

BLUR_ALTERNATIVES = [
    Alternative("blur-pool", "two passes", BLUR),
    Alternative(
        "blur-pool",
        "factorials and a sum over windows",
        """
from math import comb

from numpy.lib.stride_tricks import sliding_window_view


def binomial(size):
    return np.array([comb(size - 1, k) for k in range(size)]) * 0.5 ** (size - 1)


def blur_pool(x, size=3, stride=2):
    kernel = np.outer(binomial(size), binomial(size))
    sides = ((size - 1) // 2, size // 2)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="reflect")
    windows = sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ij->nchw", windows, kernel)
""",
    ),
    Alternative(
        "blur-pool",
        "neighbors averaged again and again, loops",
        """
def binomial(size):
    taps = np.zeros(size)
    taps[0] = 1
    for _ in range(size - 1):
        taps = (taps + np.roll(taps, 1)) / 2
    return taps


def blur_pool(x, size=3, stride=2):
    taps = binomial(size)
    N, C, H, W = x.shape

    def mirrored(i, n):
        return -i if i < 0 else 2 * (n - 1) - i if i >= n else i

    rows, columns = range(0, H, stride), range(0, W, stride)
    y = np.zeros((N, C, len(rows), len(columns)))
    shift = (size - 1) // 2
    for a, r in enumerate(rows):
        for b, s in enumerate(columns):
            for i in range(size):
                for j in range(size):
                    y[:, :, a, b] += taps[i] * taps[j] * x[:, :, mirrored(r + i - shift, H), mirrored(s + j - shift, W)]
    return y
""",
    ),
]

# Question 6. The mended text; a mistake puts bugs back.

MENDED = """
def max_and_place(x, size, stride, padding):
    tall, wide = size
    padded = np.pad(x, padding, constant_values=-np.inf)
    rows = (x.shape[0] + 2 * padding - tall) // stride + 1
    columns = (x.shape[1] + 2 * padding - wide) // stride + 1
    values = np.zeros((rows, columns))
    places = np.zeros((rows, columns, 2), dtype=int)
    for i in range(rows):
        for j in range(columns):
            window = padded[i * stride : i * stride + tall, j * stride : j * stride + wide]
            values[i, j] = window.max()
            row, column = divmod(window.argmax(), wide)
            places[i, j] = i * stride + row - padding, j * stride + column - padding
    return values, places
"""
ZEROS = (", constant_values=-np.inf", "")
OFFSET = ("i * stride + row - padding, j * stride + column - padding", "i * stride + row, j * stride + column")
WIDTH = ("window.argmax(), wide", "window.argmax(), tall")


def _bug(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("bug-one-test", "bug-two-test", "bug-three-test")
    return Mistake("max-and-place", name, changed(MENDED, *changes), dict(zip(parts, points, strict=True)), hint)


BUG_MISTAKES = [
    _bug(
        "removes the two lines and mends nothing",
        ZEROS,
        OFFSET,
        WIDTH,
        points=(0, 0, 0),
        hint="No pixel of this map is 0 or larger",
    ),
    _bug(
        "mends the padding alone",
        OFFSET,
        WIDTH,
        points=(1, 0, 0),
        hint="where the 1 stands in row 0 and column 0",
    ),
    _bug("mends the offset alone", ZEROS, WIDTH, points=(0, 1, 0), hint="pixel 3 of such a window"),
    _bug("mends the width alone", ZEROS, OFFSET, points=(0, 0, 1), hint="In which array was it counted?"),
    _bug("overlooks the padding", ZEROS, points=(0, 1, 1), hint="a number come from that is no pixel of its window"),
    _bug("overlooks the offset", OFFSET, points=(1, 0, 1), hint="In which array was it counted?"),
    _bug("overlooks the width", WIDTH, points=(1, 1, 0), hint="argmax counts row by row"),
    _bug(
        "pads with a number that small maps do not reach",
        ("constant_values=-np.inf", "constant_values=-99"),
        points=(0, 1, 1),
        hint="The padding must lose against every number",
    ),
    _bug(
        "takes the offset off the row alone",
        ("column - padding", "column"),
        points=(1, 0, 1),
        hint="Each place should be one of x",
    ),
    _bug(
        "takes 1 off instead of the padding",
        ("row - padding, j * stride + column - padding", "row - 1, j * stride + column - 1"),
        points=(1, 0, 0),
        hint="Try paddings of 1 and 2",
    ),
    _bug(
        "cuts places off at 0 instead of moving them",
        (
            "i * stride + row - padding, j * stride + column - padding",
            "min(i * stride + row, len(x) - 1), min(j * stride + column, len(x[0]) - 1)",
        ),
        points=(1, 0, 1),
        hint="Each place should be one of x",
    ),
    _bug(
        "takes the last of equal pixels",
        ("window.argmax()", "window.size - 1 - window.ravel()[::-1].argmax()"),
        points=(1, 0, 1),
        hint="maps with equal pixels",
    ),
    _bug(
        "swaps row and column for oblong windows",
        ("row, column = divmod(window.argmax(), wide)", "column, row = divmod(window.T.argmax(), wide)"),
        points=(1, 0, 0),
        hint="argmax counts row by row",
    ),
]

BUG_ALTERNATIVES = [
    Alternative("max-and-place", "the text, mended", MENDED),
    Alternative(
        "max-and-place",
        "windows cut to the map, no padding at all",
        """
def max_and_place(x, size, stride, padding):
    H, W = x.shape
    values, places = [], []
    for top in range(-padding, H + padding - size[0] + 1, stride):
        values.append([])
        places.append([])
        for left in range(-padding, W + padding - size[1] + 1, stride):
            r, s = max(top, 0), max(left, 0)
            window = x[r : top + size[0], s : left + size[1]]
            i, j = np.unravel_index(window.argmax(), window.shape)
            values[-1].append(window[i, j])
            places[-1].append((r + i, s + j))
    return np.array(values), np.array(places)
""",
    ),
    Alternative(
        "max-and-place",
        "a search, pixel by pixel",
        """
def max_and_place(x, size, stride, padding):
    tall, wide = size
    H, W = x.shape
    shape = (H + 2 * padding - tall) // stride + 1, (W + 2 * padding - wide) // stride + 1
    values, places = np.full(shape, -np.inf), np.full((*shape, 2), -1)
    for i in range(shape[0]):
        for j in range(shape[1]):
            for r in range(i * stride - padding, i * stride - padding + tall):
                for s in range(j * stride - padding, j * stride - padding + wide):
                    if 0 <= r < H and 0 <= s < W and x[r, s] > values[i, j]:
                        values[i, j] = x[r, s]
                        places[i, j] = r, s
    return values, places
""",
    ),
]

MISTAKES = [*POOL_MISTAKES, *FIELD_MISTAKES, *COST_MISTAKES, *SHIFT_MISTAKES, *BLUR_MISTAKES, *BUG_MISTAKES]
ALTERNATIVES = [
    *POOL_ALTERNATIVES,
    *FIELD_ALTERNATIVES,
    *COST_ALTERNATIVES,
    *SHIFT_ALTERNATIVES,
    *BLUR_ALTERNATIVES,
    *BUG_ALTERNATIVES,
]

# Changes to the solutions that compute the same.

SURVIVORS = [
    Survivor(
        "cost",
        "weights = layer['features'] * shape[0]",
        "weights = layer['features'] * shape[-1]",
        reason="A dense layer takes a flat row, whose shape has one number: the first is the last.",
    ),
    Survivor(
        "blur-pool",
        "taps = np.convolve(taps, [0.5, 0.5])",
        "taps = np.convolve([0.5, 0.5], taps)",
        reason="Convolution commutes.",
    ),
    *(
        Survivor(
            "blur-pool",
            "taps, sides = (binomial(size), ((size - 1) // 2, size // 2))",
            f"taps, sides = (binomial(size), ((size - 1) // 2, {more}))",
            reason="What is reflected beyond the last tap of the last pixel is never read.",
        )
        for more in ("size * 2", "size // 1")
    ),
]
