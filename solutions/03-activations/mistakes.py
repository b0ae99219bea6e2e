"""Known answers to assignment 03: mistakes that students make, and other right answers.

`autograder verify` runs each of them; tests/solutions does so without the autograder. An entry is a whole answer
cell, and most differ from a right one in a line, so the right one is written once.
"""

from convbook.catalogue import Alternative, Mistake, Survivor, changed

# Question 1. By cases, with masks.

SLOPES = """
def relu(x):
    value, slope = x.copy(), np.ones(x.shape)
    value[x <= 0] = 0
    slope[x <= 0] = 0
    return value, slope


def leaky_relu(x, alpha=0.01):
    left = x <= 0
    return np.where(left, alpha * x, x), np.where(left, alpha, 1.0)


def elu(x, alpha=1.0):
    value = alpha * (np.exp(x) - 1)
    gradient = alpha * np.exp(x)
    value[x > 0] = x[x > 0]
    gradient[x > 0] = 1
    return value, gradient


def tanh(x):
    return np.tanh(x), 1 / np.cosh(x) ** 2


def silu(x):
    s = 1 / (1 + np.exp(-x))
    return x * s, s * (1 + x * (1 - s))


def gelu(x):
    phi = 0.5 * (1 + np.array([math.erf(each) for each in x.ravel() / 2**0.5]).reshape(x.shape))
    return x * phi, phi + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
"""


def _slopes(name: str, *changes: tuple[str, str], points: tuple[int, int, int, int], hint: str) -> Mistake:
    parts = ("relu-test", "elu-test", "tanh-silu-test", "gelu-test")
    return Mistake("slopes", name, changed(SLOPES, *changes), dict(zip(parts, points, strict=True)), hint)


SLOPES_MISTAKES = [
    _slopes(
        "takes ReLU's slope from the right at 0",
        ("slope[x <= 0] = 0", "slope[x < 0] = 0"),
        points=(0, 1, 1, 1),
        hint="at 0 it is that from the left",
    ),
    _slopes(
        "returns ReLU's value alone",
        ("    return value, slope\n", "    return value\n"),
        points=(0, 1, 1, 1),
        hint="Return value and slope as a tuple",
    ),
    _slopes(
        "takes the larger of x and alpha x, which holds for alpha below 1 only",
        ("np.where(left, alpha * x, x)", "np.maximum(alpha * x, x)"),
        points=(0, 1, 1, 1),
        hint="an alpha above 1",
    ),
    _slopes(
        "multiplies the slope by x",
        ("np.where(left, alpha, 1.0)", "np.where(left, alpha * x, 1.0)"),
        points=(0, 1, 1, 1),
        hint="Leaky ReLU lets a share alpha",
    ),
    _slopes(
        "starts from another default of alpha",
        ("alpha=0.01", "alpha=0.1"),
        points=(0, 1, 1, 1),
        hint="Without an alpha it is 0.01",
    ),
    _slopes(
        "forgets alpha in ELU's slope",
        ("gradient = alpha * np.exp(x)", "gradient = np.exp(x)"),
        points=(1, 0, 1, 1),
        hint="alpha counts in both",
    ),
    _slopes(
        "takes ELU's value for its slope",
        ("gradient = alpha * np.exp(x)", "gradient = alpha * (np.exp(x) - 1)"),
        points=(1, 0, 1, 1),
        hint="At 0 the slope from the left is alpha",
    ),
    _slopes(
        "takes 1 for ELU's slope at 0 whatever alpha is",
        ("gradient[x > 0] = 1", "gradient[x >= 0] = 1"),
        points=(1, 0, 1, 1),
        hint="alpha counts in both",
    ),
    _slopes(
        "gives tanh the sigmoid's slope",
        ("1 / np.cosh(x) ** 2", "np.tanh(x) * (1 - np.tanh(x))"),
        points=(1, 1, 0, 1),
        hint="1 minus the square of the value",
    ),
    _slopes(
        "squares x instead of its tanh",
        ("1 / np.cosh(x) ** 2", "1 - x**2"),
        points=(1, 1, 0, 1),
        hint="1 minus the square of the value",
    ),
    _slopes(
        "forgets a term of SiLU's slope",
        ("s * (1 + x * (1 - s))", "s"),
        points=(1, 1, 0, 1),
        hint="has two terms",
    ),
    _slopes(
        "multiplies the slopes of SiLU's factors",
        ("s * (1 + x * (1 - s))", "s * (1 - s)"),
        points=(1, 1, 0, 1),
        hint="has two terms",
    ),
    _slopes(
        "writes GELU with tanh",
        (
            "0.5 * (1 + np.array([math.erf(each) for each in x.ravel() / 2**0.5]).reshape(x.shape))",
            "0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))",
        ),
        points=(1, 1, 1, 0),
        hint="are another function",
    ),
    _slopes(
        "writes GELU with a sigmoid",
        (
            "0.5 * (1 + np.array([math.erf(each) for each in x.ravel() / 2**0.5]).reshape(x.shape))",
            "1 / (1 + np.exp(-1.702 * x))",
        ),
        points=(1, 1, 1, 0),
        hint="are another function",
    ),
    _slopes(
        "forgets the root of two in erf",
        ("x.ravel() / 2**0.5", "x.ravel()"),
        points=(1, 1, 1, 0),
        hint="lie below 1 and 15.87 % below -1",
    ),
    _slopes(
        "forgets x in GELU's slope",
        ("phi + x * np.exp", "phi + np.exp"),
        points=(1, 1, 1, 0),
        hint="x times the density besides",
    ),
    _slopes(
        "writes into x",
        ("value, slope = x.copy(), np.ones(x.shape)", "value, slope = x, np.ones(x.shape)"),
        points=(0, 1, 1, 1),
        hint="x itself has changed",
    ),
    _slopes(
        "returns a difference quotient of tanh",
        ("1 / np.cosh(x) ** 2", "(np.tanh(x + 1e-5) - np.tanh(x - 1e-5)) / 2e-5"),
        points=(1, 1, 0, 1),
        hint="11 digits count",
    ),
    _slopes(
        "returns a difference quotient of SiLU",
        ("s * (1 + x * (1 - s))", "((x + 1e-7) / (1 + np.exp(-x - 1e-7)) - x * s) / 1e-7"),
        points=(1, 1, 0, 1),
        hint="is not exact enough to return",
    ),
    _slopes(
        "gives integers for slopes where alpha is one",
        ("np.where(left, alpha, 1.0)", "np.where(left, alpha, 1)"),
        points=(0, 1, 1, 1),
        hint="results hold floats all the same",
    ),
    _slopes(
        "cuts x off at -10 for ELU",
        ("    value = alpha * (np.exp(x) - 1)", "    x = np.maximum(x, -10)\n    value = alpha * (np.exp(x) - 1)"),
        points=(1, 0, 1, 1),
        hint="Write down both sides of 0",
    ),
]

SLOPES_ALTERNATIVES = [
    Alternative("slopes", "masks", SLOPES),
    Alternative(
        "slopes",
        "one number at a time",
        """
def each(function):
    def both(x, *options, **named):
        pairs = [function(number, *options, **named) for number in x.ravel().tolist()]
        return tuple(np.array(side, dtype=float).reshape(x.shape) for side in zip(*pairs))

    return both


@each
def relu(x):
    return (x, 1) if x > 0 else (0, 0)


@each
def leaky_relu(x, alpha=0.01):
    return (x, 1) if x > 0 else (alpha * x, alpha)


@each
def elu(x, alpha=1.0):
    return (x, 1) if x > 0 else (alpha * math.expm1(x), alpha * math.exp(x))


@each
def tanh(x):
    up, down = math.exp(x), math.exp(-x)
    return (up - down) / (up + down), 4 / (up + down) ** 2


@each
def silu(x):
    s = 1 / (1 + math.exp(-x))
    return x * s, s + x * math.exp(-x) * s * s


@each
def gelu(x):
    below = math.erfc(-x / math.sqrt(2)) / 2
    return x * below, below + x * math.exp(-x * x / 2) / math.sqrt(math.tau)
""",
    ),
]

# Question 2. By cases, each number bounded before exp gets it.

STABLE = """
def sigmoid(x):
    right = 1 / (1 + np.exp(-np.maximum(x, 0)))
    left = np.exp(np.minimum(x, 0))
    return np.where(x >= 0, right, left / (1 + left))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def log_softmax(z):
    top = np.max(z, axis=-1)[:, None]
    sums = np.exp(z - top).sum(-1)[:, None]
    return z - top - np.log(sums)
"""
LEFT = "np.where(x >= 0, right, left / (1 + left))"
BEND = "np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))"
LOGS = "z - top - np.log(sums)"


def _stable(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("sigmoid-test", "softplus-test", "log-softmax-test")
    return Mistake("stable", name, changed(STABLE, *changes), dict(zip(parts, points, strict=True)), hint)


STABLE_MISTAKES = [
    _stable(
        "writes the sigmoid as on paper", (LEFT, "1 / (1 + np.exp(-x))"), points=(0, 1, 2), hint="exp of a large number"
    ),
    _stable(
        "computes both forms of the sigmoid everywhere",
        (LEFT, "np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))"),
        points=(0, 1, 2),
        hint="np.where computes both sides",
    ),
    _stable(
        "cuts x off at 500, which is fewer digits",
        (LEFT, "1 / (1 + np.exp(-np.clip(x, -500, 500)))"),
        points=(0, 1, 2),
        hint="has fewer than 12 right digits",
    ),
    _stable(
        "writes the sigmoid with tanh, which loses small values",
        (LEFT, "0.5 * (1 + np.tanh(x / 2))"),
        points=(0, 1, 2),
        hint="difference of numbers near 1",
    ),
    _stable(
        "takes the left half from 1",
        (LEFT, "np.where(x >= 0, right, 1 - 1 / (1 + left))"),
        points=(0, 1, 2),
        hint="difference of numbers near 1",
    ),
    _stable(
        "writes softplus as on paper",
        (BEND, "np.log(1 + np.exp(x))"),
        points=(1, 0, 2),
        hint="Take x out of the logarithm",
    ),
    _stable(
        "takes log instead of log1p",
        (BEND, "np.maximum(x, 0) + np.log(1 + np.exp(-abs(x)))"),
        points=(1, 0, 2),
        hint="1 + exp(-40) is rounded to 1",
    ),
    _stable(
        "switches to x at 20, as torch does",
        (BEND, "np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20))))"),
        points=(1, 0, 2),
        hint="at 22 softplus is not yet x",
    ),
    _stable(
        "takes a ReLU for softplus",
        (BEND, "np.maximum(x, 0)"),
        points=(1, 0, 2),
        hint="at 22 softplus is not yet x",
    ),
    _stable(
        "takes the logarithm of softmax",
        (LOGS, "np.log(np.exp(z - top) / sums)"),
        points=(1, 1, 0),
        hint="take the logarithm of the sum alone",
    ),
    _stable(
        "keeps softmax from 0 by a small number",
        (LOGS, "np.log(np.exp(z - top) / sums + 1e-12)"),
        points=(1, 1, 0),
        hint="Nothing may be cut off",
    ),
    _stable(
        "does not subtract the largest score",
        ("top = np.max(z, axis=-1)[:, None]", "top = 0"),
        points=(1, 1, 0),
        hint="Subtract the largest score first",
    ),
    _stable(
        "subtracts the largest score of all rows",
        ("top = np.max(z, axis=-1)[:, None]", "top = np.max(z)"),
        points=(1, 1, 0),
        hint="Each row has a largest score of its own",
    ),
    _stable(
        "sums over all rows",
        (".sum(-1)[:, None]", ".sum()"),
        points=(1, 1, 0),
        hint="sum over the columns, row by row",
    ),
    _stable(
        "forgets to take the logarithm",
        (LOGS, "np.exp(z - top) / sums"),
        points=(1, 1, 0),
        hint="Nothing may be cut off",
    ),
    _stable(
        "silences NumPy",
        (f"    return {LEFT}", "    with np.errstate(all='ignore'):\n        return 1 / (1 + np.exp(-x))"),
        points=(0, 1, 2),
        hint="exp of a large number",
    ),
    _stable(
        "subtracts the largest score in place",
        ("    top =", "    z -= np.max(z, axis=-1)[:, None]\n    top ="),
        points=(1, 1, 0),
        hint="z itself has changed",
    ),
    _stable(
        "switches to x + exp(-x) at 10",
        (BEND, "np.where(x > 10, x + np.exp(-np.maximum(x, 10)), np.log1p(np.exp(np.minimum(x, 10))))"),
        points=(1, 0, 2),
        hint="has fewer than 12 right digits",
    ),
]

STABLE_ALTERNATIVES = [
    Alternative("stable", "cases", STABLE),
    Alternative(
        "stable",
        "logaddexp",
        """
def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def softplus(x):
    return np.logaddexp(0, x)


def log_softmax(z):
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)
""",
    ),
    Alternative(
        "stable",
        "masks and loops",
        """
def sigmoid(x):
    result = np.empty_like(x)
    right = x > 0
    result[right] = 1 / (1 + np.exp(-x[right]))
    grown = np.exp(x[~right])
    result[~right] = grown / (grown + 1)
    return result


def softplus(x):
    return np.array([max(each, 0) + math.log1p(math.exp(-abs(each))) for each in x.ravel()]).reshape(x.shape)


def log_softmax(z):
    result = []
    for row in z.tolist():
        top = max(row)
        total = math.log(sum(math.exp(each - top) for each in row))
        result.append([each - top - total for each in row])
    return np.array(result)
""",
    ),
]

# Question 3. One unit, one picture at a time.

DEAD = """
def dead_units(z):
    dead = []
    for c in range(z.shape[1]):
        dead.append(bool(z[:, c].max() <= 0))
    return np.array(dead)


def dead_rates(layers, x):
    rates = []
    for w, b in layers:
        z = x @ w.T + b
        x = np.maximum(z, 0)
        rates.append(float(np.mean(np.sum(x, axis=0) == 0)))
    return rates
"""


def _dead(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("dead-units-test", "dead-rates-test")
    return Mistake("dead", name, changed(DEAD, *changes), dict(zip(parts, points, strict=True)), hint)


DEAD_MISTAKES = [
    _dead(
        "takes a sum of 0 for life",
        (".max() <= 0", ".max() < 0"),
        points=(0, 2),
        hint="A unit is dead if its sum is 0 or less",
    ),
    _dead(
        "calls a unit dead that is silent once",
        ("z[:, c].max()", "z[:, c].min()"),
        points=(0, 2),
        hint="One row where it is positive keeps it alive",
    ),
    _dead(
        "asks whether a unit is silent on average",
        ("z[:, c].max()", "z[:, c].mean()"),
        points=(0, 2),
        hint="One row where it is positive keeps it alive",
    ),
    _dead(
        "looks at pictures instead of units",
        ("z.shape[1]", "z.shape[0]"),
        ("z[:, c]", "z[c]"),
        points=(0, 2),
        hint="one a column",
    ),
    _dead(
        "returns the living",
        (".max() <= 0", ".max() > 0"),
        points=(0, 2),
        hint="A unit is dead if its sum is 0 or less",
    ),
    _dead(
        "looks at the first pixel of a map",
        ("z[:, c].max()", "z[:, c].reshape(len(z), -1)[:, 0].max()"),
        points=(0, 2),
        hint="Look at all pixels of all pictures",
    ),
    _dead(
        "takes the share of zeros",
        ("np.mean(np.sum(x, axis=0) == 0)", "np.mean(x == 0)"),
        points=(1, 0),
        hint="not the share of zeros",
    ),
    _dead(
        "forgets the bias",
        ("x @ w.T + b", "x @ w.T"),
        points=(1, 0),
        hint="The bias counts",
    ),
    _dead(
        "hands the sums on without the ReLU",
        ("        x = np.maximum(z, 0)\n", ""),
        ("np.sum(x, axis=0) == 0", "np.max(z, axis=0) <= 0"),
        ("        rates.append", "        x = z\n        rates.append"),
        points=(1, 0),
        hint="what the ReLU left",
    ),
    _dead(
        "starts every layer from the input",
        ("        x = np.maximum(z, 0)\n", ""),
        ("np.sum(x, axis=0) == 0", "np.max(z, axis=0) <= 0"),
        points=(1, 0),
        hint="nor the input",
    ),
    _dead(
        "counts instead of dividing",
        ("np.mean(np.sum(x, axis=0) == 0)", "np.sum(np.sum(x, axis=0) == 0)"),
        points=(1, 0),
        hint="Two of four weights are negative",
    ),
    _dead(
        "returns one rate for the whole stack",
        ("    return rates\n", "    return np.mean(rates)\n"),
        points=(1, 0),
        hint="Return a list of floats",
    ),
    _dead(
        "takes the ReLU in place",
        ("    dead = []", "    z[z < 0] = 0\n    dead = []"),
        points=(0, 2),
        hint="z itself has changed",
    ),
    _dead(
        "takes little for nothing",
        (".max() <= 0", ".max() < 1e-8"),
        points=(0, 2),
        hint="Try a single positive number among many",
    ),
]

DEAD_ALTERNATIVES = [
    Alternative("dead", "loops", DEAD),
    Alternative(
        "dead",
        "the activations of each unit in a row",
        """
def dead_units(z):
    rows = np.moveaxis(np.maximum(z, 0), 1, 0).reshape(z.shape[1], -1)
    return ~rows.any(axis=1)


def dead_rates(layers, x):
    rates = []
    for weights, shifts in layers:
        x = np.einsum("ni,oi->no", x, weights) + shifts[None, :]
        dead = dead_units(x)
        rates.append(dead.sum() / len(dead))
        x = x * (x > 0)
    return rates
""",
    ),
]

# Question 4. Step by step.

PAIRS = """
def output_and_loss(task):
    units = task["number"]
    if task["kind"] == "classes":
        if not task["exclusive"]:
            return units, "sigmoid", "binary cross-entropy"
        if units == 2:
            return 1, "sigmoid", "binary cross-entropy"
        return units, "softmax", "cross-entropy"
    if task["low"] is None:
        activation = "identity"
    elif task["high"] is None:
        activation = "softplus"
    elif task["low"] == 0:
        activation = "sigmoid"
    else:
        activation = "tanh"
    if task["outliers"]:
        return units, activation, "absolute error"
    return units, activation, "squared error"
"""


def _pairs(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("pairs-classes-test", "pairs-numbers-test", "pairs-outliers-test")
    return Mistake("pairs", name, changed(PAIRS, *changes), dict(zip(parts, points, strict=True)), hint)


PAIRS_MISTAKES = [
    _pairs(
        "gives two classes a softmax of two units",
        ("units == 2", "False"),
        points=(0, 1, 1),
        hint="One probability p is enough",
    ),
    _pairs(
        "gives two classes two units with sigmoids",
        ('return 1, "sigmoid"', 'return 2, "sigmoid"'),
        points=(0, 1, 1),
        hint="One probability p is enough",
    ),
    _pairs(
        "gives two classes a tanh",
        ('return 1, "sigmoid"', 'return 1, "tanh"'),
        points=(0, 1, 1),
        hint="tanh gives no probabilities",
    ),
    _pairs(
        "gives labels a softmax",
        (
            '            return units, "sigmoid", "binary cross-entropy"',
            '            return units, "softmax", "cross-entropy"',
        ),
        points=(0, 1, 1),
        hint="a softmax would let them compete",
    ),
    _pairs(
        "gives exclusive classes a sigmoid each",
        ('return units, "softmax", "cross-entropy"', 'return units, "sigmoid", "binary cross-entropy"'),
        points=(0, 1, 1),
        hint="A digit is exactly one of ten",
    ),
    _pairs(
        "takes two labels for two classes",
        ('if not task["exclusive"]:', 'if not task["exclusive"] and units != 2:'),
        points=(0, 1, 1),
        hint="Try 2 and 3 that exclude each other",
    ),
    _pairs(
        "leaves the output of positive numbers unbounded",
        ('activation = "softplus"', 'activation = "identity"'),
        points=(1, 0, 1),
        hint="never negative and has no upper bound",
    ),
    _pairs(
        "takes numbers between 0 and 1 for probabilities of classes",
        (
            '    if task["outliers"]:',
            '    if activation == "sigmoid":\n        return units, activation, "binary cross-entropy"\n'
            '    if task["outliers"]:',
        ),
        points=(1, 0, 1),
        hint="so the loss is one for numbers",
    ),
    _pairs(
        "gives numbers from -1 to 1 a sigmoid",
        ('activation = "tanh"', 'activation = "sigmoid"'),
        points=(1, 0, 1),
        hint="Which activation goes from -1 to 1?",
    ),
    _pairs(
        "takes a lower bound of 0 for none",
        ('if task["low"] is None:', 'if not task["low"]:'),
        points=(1, 0, 1),
        hint="never negative and has no upper bound",
    ),
    _pairs(
        "overlooks outliers",
        ('if task["outliers"]:', "if False:"),
        points=(1, 1, 0),
        hint="a few outliers would rule the training",
    ),
    _pairs(
        "swaps the losses of numbers",
        ('if task["outliers"]:', 'if not task["outliers"]:'),
        points=(1, 0, 0),
        hint="a few outliers would rule the training",
    ),
    _pairs(
        "always takes the absolute error",
        ('if task["outliers"]:', "if True:"),
        points=(1, 0, 0),
        hint="Without outliers numbers get the squared error",
    ),
    _pairs(
        "takes numbers with outliers for unbounded",
        ('return units, activation, "absolute error"', 'return units, "identity", "absolute error"'),
        points=(1, 0, 1),
        hint="Those change the loss, and not the range",
    ),
    _pairs(
        "takes numbers with bounds for free of outliers",
        ('if task["outliers"]:', 'if task["outliers"] and task["low"] is None:'),
        points=(1, 1, 0),
        hint="What does the task say about outliers?",
    ),
]

PAIRS_ALTERNATIVES = [
    Alternative("pairs", "step by step", PAIRS),
    Alternative(
        "pairs",
        "match",
        """
def output_and_loss(task):
    match task:
        case {"kind": "classes", "exclusive": True, "number": 2}:
            return 1, "sigmoid", "binary cross-entropy"
        case {"kind": "classes", "exclusive": True, "number": number}:
            return number, "softmax", "cross-entropy"
        case {"kind": "classes", "number": number}:
            return number, "sigmoid", "binary cross-entropy"
        case {"number": number, "low": low, "high": high, "outliers": outliers}:
            bends = {"NoneNone": "identity", "0None": "softplus", "01": "sigmoid", "-11": "tanh"}
            return number, bends[f"{low}{high}"], ("squared", "absolute")[outliers] + " error"
""",
    ),
]

# Question 5. Bisection of the logarithm, a fixed number of times.

HEAT = """
def softmax(z, temperature=1.0):
    z = z / temperature
    z = z - z.max(axis=1)[:, None]
    e = np.exp(z)
    return e / e.sum(axis=1)[:, None]


def temperature_for(z, share):
    low, high = -10.0, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        shares = np.exp((z - max(z)) / np.exp(middle))
        if max(shares) / sum(shares) > share:
            low = middle
        else:
            high = middle
    return np.exp(middle)
"""


def _heat(name: str, *changes: tuple[str, str], points: tuple[int, int], hint: str) -> Mistake:
    parts = ("softmax-test", "temperature-test")
    return Mistake("temperature", name, changed(HEAT, *changes), dict(zip(parts, points, strict=True)), hint)


HEAT_MISTAKES = [
    _heat(
        "multiplies by the temperature",
        ("z = z / temperature", "z = z * temperature"),
        points=(0, 2),
        hint="divide the scores by the temperature",
    ),
    _heat(
        "divides the shares by the temperature",
        ("    z = z / temperature\n", ""),
        ("e / e.sum(axis=1)[:, None]", "e / e.sum(axis=1)[:, None] / temperature"),
        points=(0, 2),
        hint="not the shares",
    ),
    _heat(
        "ignores the temperature",
        ("    z = z / temperature\n", ""),
        points=(0, 2),
        hint="divide the scores by the temperature",
    ),
    _heat(
        "does not subtract the largest score",
        ("z = z - z.max(axis=1)[:, None]", "z = z + 0"),
        points=(0, 2),
        hint="exp(1000) overflows",
    ),
    _heat(
        "subtracts the largest score of all rows",
        ("z.max(axis=1)[:, None]", "z.max()"),
        points=(0, 2),
        hint="Subtract the largest score of each row",
    ),
    _heat(
        "sums over columns of the batch",
        ("e / e.sum(axis=1)[:, None]", "e / e.sum(axis=0)"),
        points=(0, 2),
        hint="Each row adds up to 1 by itself",
    ),
    _heat(
        "goes the wrong way",
        ("/ sum(shares) > share", "/ sum(shares) < share"),
        points=(1, 0),
        hint="the temperature is too low",
    ),
    _heat(
        "stops too early",
        ("range(100)", "range(12)"),
        points=(1, 0),
        hint="At temperature 2 these two scores",
    ),
    _heat(
        "starts at a temperature of 1",
        ("low, high = -10.0", "low, high = 0.0"),
        points=(1, 0),
        hint="A temperature may be below 1",
    ),
    _heat(
        "stops at a temperature of 10",
        ("-10.0, 10.0", "-10.0, np.log(10)"),
        points=(1, 0),
        hint="They lie between 0.05 and 200",
    ),
    _heat(
        "solves for the two largest scores, as with two classes",
        (
            "    return np.exp(middle)",
            "    first, second = sorted(z)[:-3:-1]\n    return (first - second) / np.log(share / (1 - share))",
        ),
        points=(1, 0),
        hint="All classes count",
    ),
    _heat(
        "takes the first class for the largest",
        ("max(shares) / sum", "shares[0] / sum"),
        points=(1, 0),
        hint="All classes count, in any order",
    ),
    _heat(
        "cuts scores off in place of subtracting the largest",
        ("z = z - z.max(axis=1)[:, None]", "z = np.clip(z, -700, 700)"),
        points=(0, 2),
        hint="Scores that are cut off",
    ),
    _heat(
        "subtracts the largest score undivided",
        (
            "    z = z / temperature\n    z = z - z.max(axis=1)[:, None]",
            "    z = z / temperature - z.max(axis=1)[:, None]",
        ),
        points=(0, 2),
        hint="Some scores and temperatures give other shares",
    ),
    _heat(
        "stops when the share is near",
        (
            "        if max(shares)",
            "        if abs(max(shares) / sum(shares) - share) < 1e-8:\n            break\n        if max(shares)",
        ),
        points=(1, 0),
        hint="or more digits of it",
    ),
    _heat(
        "subtracts the largest score in place",
        ("    low, high = -10.0", "    z -= max(z)\n    low, high = -10.0"),
        points=(1, 0),
        hint="z itself has changed",
    ),
    _heat(
        "takes exp of the scores themselves",
        ("np.exp((z - max(z)) / np.exp(middle))", "np.exp(z / np.exp(middle))"),
        points=(1, 0),
        hint="so subtract the largest",
    ),
]

HEAT_ALTERNATIVES = [
    Alternative("temperature", "bisection of the logarithm", HEAT),
    Alternative(
        "temperature",
        "Newton's method on the inverse temperature",
        """
def softmax(z, temperature=1.0):
    logs = z / temperature
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return np.exp(logs)


def temperature_for(z, share):
    d = z - z.max()
    beta = 0.0
    # log of the sum falls and is convex in beta, so Newton's steps from 0 never go too far
    for _ in range(200):
        weights = np.exp(beta * d)
        beta -= (np.log(weights.sum()) + np.log(share)) / ((weights @ d) / weights.sum())
    return float(1 / beta)
""",
    ),
]

# Question 6. The mended text; a mistake puts bugs back.

MENDED = """
def watch(layers, x):
    report = []
    for w, b in layers:
        z = x @ w.T + b
        a = np.tanh(z)
        saturated = np.mean(abs(a) > 0.99)
        slope = np.mean(1 - a**2)
        report.append((saturated, slope))
        x = a
    return report
"""
ONE_END = ("abs(a) > 0.99", "a > 0.99")
SUMS = ("1 - a**2", "1 - z**2")
HANDED = ("x = a\n", "x = z\n")


def _bug(name: str, *changes: tuple[str, str], points: tuple[int, int, int], hint: str) -> Mistake:
    parts = ("bugs-saturated-test", "bugs-slope-test", "bugs-layers-test")
    return Mistake("bugs", name, changed(MENDED, *changes), dict(zip(parts, points, strict=True)), hint)


BUG_MISTAKES = [
    _bug("removes the two lines and mends nothing", ONE_END, SUMS, HANDED, points=(0, 0, 0), hint="tanh has two ends"),
    _bug("mends the ends alone", SUMS, HANDED, points=(1, 0, 0), hint="Of which number is the square taken?"),
    _bug("mends the slope alone", ONE_END, HANDED, points=(0, 1, 0), hint="What does a layer hand on?"),
    _bug("mends the handing on alone", ONE_END, SUMS, points=(0, 0, 1), hint="tanh has two ends"),
    _bug("overlooks the lower end", ONE_END, points=(0, 1, 1), hint="tanh has two ends"),
    _bug("overlooks the slope", SUMS, points=(1, 0, 1), hint="Of which number is the square taken?"),
    _bug("overlooks the handing on", HANDED, points=(1, 1, 0), hint="What does a layer hand on?"),
    _bug("looks at the lower end alone", ("abs(a) > 0.99", "a < -0.99"), points=(0, 1, 0), hint="tanh has two ends"),
    _bug(
        "compares the sums with the ends",
        ("abs(a) > 0.99", "abs(z) > 0.99"),
        points=(0, 1, 0),
        hint="within 0.01 of an end of its range",
    ),
    _bug("takes the slope without the square", ("1 - a**2", "1 - a"), points=(1, 0, 1), hint="1 - 0.6² = 0.64"),
    _bug(
        "calls a slope below 0.01 saturated",
        ("abs(a) > 0.99", "1 - a**2 < 0.01"),
        points=(0, 1, 0),
        hint="A slope of 0.01 is another line",
    ),
    _bug("hands on sizes without signs", ("x = a\n", "x = abs(a)\n"), points=(1, 1, 0), hint="may be negative"),
    _bug(
        "multiplies the slopes of layers",
        ("        report.append(", "        slope *= report[-1][1] if report else 1\n        report.append("),
        points=(1, 0, 1),
        hint="each layer has its own",
    ),
]

BUG_ALTERNATIVES = [
    Alternative("bugs", "the text, mended", MENDED),
    Alternative(
        "bugs",
        "slopes by cosh, loops",
        """
def watch(layers, x):
    report = []
    for w, b in layers:
        sums = [sum(p * q for p, q in zip(row, unit)) + shift for row in x for unit, shift in zip(w, b)]
        activations = [math.tanh(each) for each in sums]
        near = sum(1 for each in activations if 1 - abs(each) < 0.01)
        slopes = [math.cosh(each) ** -2 for each in sums]
        report.append((near / len(sums), sum(slopes) / len(sums)))
        x = np.array(activations).reshape(len(x), len(b))
    return report
""",
    ),
]

MISTAKES = [*SLOPES_MISTAKES, *STABLE_MISTAKES, *DEAD_MISTAKES, *PAIRS_MISTAKES, *HEAT_MISTAKES, *BUG_MISTAKES]
ALTERNATIVES = [
    *SLOPES_ALTERNATIVES,
    *STABLE_ALTERNATIVES,
    *DEAD_ALTERNATIVES,
    *PAIRS_ALTERNATIVES,
    *HEAT_ALTERNATIVES,
    *BUG_ALTERNATIVES,
]

# Changes to the solutions that compute the same.

SURVIVORS = [
    Survivor(
        "temperature",
        "if softmax(z[None], p / (1 - p)).max() > share:",
        "if softmax(z[None], p / (1 - p)).max() >= share:",
        reason="Where the share is met exactly, p is the answer, and both halves close in on it.",
    ),
    *(
        Survivor(
            "temperature",
            "for _ in range(60):",
            f"for _ in range({times}):",
            reason="Twenty halvings fewer would still leave 6 right digits.",
        )
        for times in (59, 61)
    ),
    Survivor(
        "bugs",
        "report.append((np.mean(np.abs(x) > 0.99).item(), np.mean(1 - x ** 2).item()))",
        "report.append((np.mean(np.abs(x) >= 0.99).item(), np.mean(1 - x ** 2).item()))",
        reason="They differ where a tanh is 0.99 to the last bit: no draw meets that, and the text leaves it open.",
    ),
]
