"""What tests may do with a student's names: each cell here means the same in JupyterLab and in the judge."""

import pytest

from autograder import link
from autograder.proxies import RemoteError, known_exceptions, remote_error
from tests.autograder.engine import cell, direct, verdicts

SETUP = cell(
    "helper",
    """
import copy
import functools
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from convbook import check

class Refused(Exception):
    def __init__(self, code, reason):
        self.code = code

def ones():
    return torch.ones(2, requires_grad=True)

def raised(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error
""",
)

ANSWERS = cell(
    "answer",
    '''
import numpy as np
import torch
from torch import nn
from collections import OrderedDict

counter = 7
table = {"a": [1, (2.5, None)], "b": {"c": 2**100}}
settings = OrderedDict(first=1, second=True)

def scale(x, *, by=2, shift=0):
    return x * by + shift

def identity(x):
    return x

def fail(kind, *args):
    raise kind(*args)

def refuse():
    raise Refused(3, "no")

def linalg():
    return np.linalg.inv(np.zeros((2, 2)))

def apply(function, *args, **kwargs):
    return function(*args, **kwargs)

def count_to(n):
    for k in range(n):
        yield k

def forever():
    k = 0
    while True:
        yield np.full(2, k)
        k += 1

def adder(n):
    return lambda x: x + n

def pairs():
    return iter([(1, "a"), (2, "b")])

class Momentum:
    """An optimizer with a step."""

    def __init__(self, rate, mu=0.9):
        self.rate, self.mu, self.velocity = rate, mu, {}

    def step(self, weights, gradients):
        for name, gradient in gradients.items():
            self.velocity[name] = self.mu * self.velocity.get(name, 0) + gradient
            weights[name] = weights[name] - self.rate * self.velocity[name]
        return weights

    @property
    def speed(self):
        return sum(float(abs(v).sum()) for v in self.velocity.values())

class Grid:
    def __init__(self, n):
        self.cells = list(range(n))
    def __len__(self):
        return len(self.cells)
    def __getitem__(self, k):
        return self.cells[k]
    def __setitem__(self, k, value):
        self.cells[k] = value
    def __iter__(self):
        return iter(self.cells)

class Pictures(torch.utils.data.Dataset):
    def __len__(self):
        return 10
    def __getitem__(self, k):
        return torch.full((1, 2, 2), float(k)), k % 3

class Block(nn.Module):
    def __init__(self, channels, p=0.5):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.drop = nn.Dropout(p)
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 3)])

    def forward(self, x):
        return self.drop(torch.relu(self.norm(self.conv(x))) + x)

class Recorder:
    def __enter__(self):
        self.open = True
        return self
    def __exit__(self, *exc):
        self.open = False

class Tensorlike(torch.Tensor):
    pass

class Image:
    pixels = np.ones((2, 2))
''',
    "answers",
)

SAME = {
    "keyword arguments": "assert scale(3, by=4, shift=-2) == 10 and type(scale(1.5)) is float",
    "exact types": """
        for value in (1, True, None, 1.5, 2**100, 1j, "text", b"bytes", (1, [2]), {"k": {3}}, slice(1, 2), {1: 2},
                      np.float32(1), np.arange(3), np.array(2.0), torch.Size([1]), torch.float16, torch.arange(3)):
            back = identity(value)
            assert type(back) is type(value), value
            same = torch.equal if isinstance(value, torch.Tensor) else np.array_equal
            assert same(back, value) if hasattr(value, "dtype") else back == value
        x = torch.ones(2, dtype=torch.bfloat16)
        assert identity(x).dtype is torch.bfloat16 and math.isnan(identity(float("nan")))
        """,
    "variables": """
        assert counter == 7 and table == {"a": [1, (2.5, None)], "b": {"c": 2**100}}
        assert list(settings.items()) == [("first", 1), ("second", True)]
        counter = counter + 1
        assert counter == 8
        """,
    "exceptions": """
        for kind in (ValueError, TypeError, OSError, AssertionError, NotImplementedError, IndexError):
            error = raised(fail, kind, "words")
            assert isinstance(error, kind) and str(error) == "words" and error.args == ("words",)
        assert raised(fail, KeyError, "k").args == ("k",) and str(raised(fail, KeyError, "k")) == "'k'"
        assert isinstance(raised(fail, UnicodeDecodeError, "utf-8", b"x", 0, 1, "bad"), UnicodeError)
        assert raised(fail, ValueError, 1, None).args == (1, None)
        assert isinstance(raised(linalg), np.linalg.LinAlgError) and isinstance(raised(refuse), Refused)
        check.raises(ArithmeticError, fail, ZeroDivisionError)
        """,
    "callbacks": """
        seen = []
        def loss(a, b=1):
            seen.append((a, b))
            return a - b
        assert apply(loss, 5, b=2) == 3 and seen == [(5, 2)]
        assert apply(lambda x: x ** 2, 7) == 49 and apply(functools.partial(pow, 2), 5) == 32
        assert isinstance(raised(apply, lambda: 1 / 0), ZeroDivisionError)
        assert isinstance(raised(apply, lambda: check.check_equal(1, 2)), check.CheckFailed)
        assert apply(lambda: scale(4)) == 8
        assert apply(lambda f: f(4), adder(3)) == 7
        """,
    "library functions": """
        x = torch.tensor([-1.0, 2.0])
        for function in (F.relu, torch.tanh, torch.relu, nn.functional.softplus, torch.exp):
            assert torch.equal(apply(function, x), function(x))
        assert apply(np.exp, 0.0) == 1.0 and apply(np.add, 1, 2) == 3
        assert apply(max, 1, 2) == 2 and apply(float, 3) == 3.0
        assert apply(np.float32, 2).dtype == np.float32
        """,
    "returned functions": "add = adder(10)\nassert add(5) == 15 and callable(add)",
    "generators": """
        assert list(count_to(4)) == [0, 1, 2, 3] and [a for a, b in pairs()] == [1, 2]
        stream = forever()
        assert next(stream).tolist() == [0, 0] and next(stream).tolist() == [1, 1]
        assert isinstance(raised(next, count_to(0)), StopIteration)
        for batch in forever():
            if batch[0] == 3:
                break
        """,
    "objects with methods": """
        optimizer = Momentum(0.1, mu=0.5)
        weights = {"w": np.array([1.0, 2.0])}
        for _ in range(2):
            weights = optimizer.step(weights, {"w": np.ones(2)})
        assert np.allclose(weights["w"], [1 - 0.25, 2 - 0.25]) and optimizer.rate == 0.1
        optimizer.rate = 0.0
        assert np.allclose(optimizer.step(weights, {"w": np.ones(2)})["w"], [0.75, 1.75])
        assert hasattr(optimizer, "step") and not hasattr(optimizer, "stop") and getattr(optimizer, "stop", 5) == 5
        assert abs(optimizer.speed - 3.5) < 1e-12 and isinstance(optimizer, Momentum) and not isinstance(3, Momentum)
        assert optimizer == optimizer and optimizer is not None and optimizer != None
        twin = copy.deepcopy(optimizer)
        twin.rate = 9
        assert optimizer.rate == 0.0
        """,
    "containers": """
        grid = Grid(4)
        grid[1] = 10
        assert len(grid) == 4 and grid[1] == 10 and list(grid) == [0, 10, 2, 3] and grid[1:3] == [10, 2] and 3 in grid
        assert grid[-1] == 3 and isinstance(raised(lambda: grid[9]), IndexError)
        """,
    "context managers": "with Recorder() as r:\n    assert r.open is True\nassert r.open is False",
    "modules": """
        torch.manual_seed(0)
        net = Block(4)
        x = torch.randn(2, 4, 5, 5)
        assert isinstance(net, nn.Module) and isinstance(net, Block) and isinstance(net.conv, nn.Module)
        names = [name for name, _ in net.named_parameters()]
        assert names[:2] == ["conv.weight", "conv.bias"] and len(names) == 8
        assert {name: tuple(p.shape) for name, p in net.named_parameters()}["conv.weight"] == (4, 4, 3, 3)
        assert sum(p.numel() for p in net.parameters()) == 4 * 4 * 9 + 4 + 8 + 6 + 9
        assert all(type(p) is nn.Parameter and p.requires_grad for p in net.parameters())
        assert net.training is True
        net.eval()
        assert net.training is False and torch.equal(net(x), net(x)) and net(x).shape == x.shape
        net.train()
        assert not torch.equal(net(x), net(x))
        assert len(net.layers) == 2 and net.layers[1].out_features == 3 and len(list(net.children())) == 4
        assert net.conv.kernel_size == (3, 3) and net.conv.weight.shape == (4, 4, 3, 3)
        """,
    "state dicts both ways": """
        net, reference = Block(2).eval(), nn.Conv2d(2, 2, 3, padding=1)
        state = net.state_dict()
        assert list(state)[:2] == ["conv.weight", "conv.bias"] and type(state["conv.weight"]) is torch.Tensor
        reference.load_state_dict({k.removeprefix("conv."): v for k, v in state.items() if k.startswith("conv.")})
        x = torch.randn(1, 2, 4, 4)
        assert torch.allclose(net.conv(x), reference(x))
        state["conv.weight"] = torch.zeros(2, 2, 3, 3)
        net.load_state_dict(state)
        assert net.conv.weight.abs().sum().item() == 0
        assert isinstance(raised(net.load_state_dict, {}), RuntimeError)
        """,
    "in a Sequential": """
        net = nn.Sequential(Block(2, p=0.0), nn.Flatten(), nn.Linear(8, 3))
        net.eval()
        assert net(torch.randn(5, 2, 2, 2)).shape == (5, 3) and net[0].training is False
        """,
    "data sets": """
        batches = list(DataLoader(Pictures(), batch_size=4))
        assert [len(labels) for _, labels in batches] == [4, 4, 2] and batches[1][0][0, 0, 0, 0] == 4
        """,
    "modes": """
        with torch.no_grad():
            assert not scale(torch.ones(2, requires_grad=True)).requires_grad
        torch.set_default_dtype(torch.float64)
        assert Block(1)(torch.randn(2, 1, 2, 2)).dtype is torch.float64
        torch.set_default_dtype(torch.float32)
        """,
    "seeds": """
        np.random.seed(5)
        first = apply(np.random.rand)
        np.random.seed(5)
        assert apply(np.random.rand) == first == np.random.RandomState(5).rand()
        torch.manual_seed(3)
        first = apply(torch.rand, 2)
        torch.manual_seed(3)
        assert torch.equal(apply(torch.rand, 2), first)
        """,
    "printing": """
        import contextlib, io
        with contextlib.redirect_stdout(io.StringIO()) as text:
            apply(print, "one", 2)
        assert text.getvalue() == "one 2\\n"
        """,
    "gradients": """
        x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        y = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
        (scale(x, by=y) * torch.tensor([1.0, 10.0])).sum().backward()
        assert x.grad.tolist() == [3, 40] and y.grad.tolist() == [1, 20]
        a, b = torch.autograd.grad(scale(x, by=y).sum() + x.sum(), [x, y])
        assert a.tolist() == [4, 5] and b.tolist() == [1, 2]
        assert torch.autograd.gradcheck(lambda u, v: scale(u, by=v, shift=u * u), (x, y))
        gradient, = check.vjp(lambda u: scale(scale(u, by=3)), [x.detach()], torch.ones(2, dtype=torch.float64))
        assert gradient.tolist() == [6, 6]
        same = identity(x)
        same.sum().backward()
        assert x.grad.tolist() == [4, 41]
        z = scale(x.detach())
        assert not z.requires_grad and z.grad_fn is None
        first, second = apply(torch.split, x * 1, 1)
        second.sum().backward()
        assert x.grad.tolist() == [4, 42]
        """,
    "gradients of parameters": """
        net = Block(2, p=0.0)
        x = torch.randn(3, 2, 4, 4)
        assert net.conv.weight.grad is None
        net(x).square().sum().backward()
        once = net.conv.weight.grad.clone()
        assert once.shape == net.conv.weight.shape and once.abs().sum() > 0
        net(x).square().sum().backward()
        assert torch.allclose(net.conv.weight.grad, 2 * once, rtol=1e-4)
        check.vjp(net, [x], torch.ones_like(x))
        assert torch.allclose(net.conv.weight.grad, 2 * once, rtol=1e-4)
        net.zero_grad()
        assert net.conv.weight.grad is None
        z = torch.randn(3, 2, 4, 4, requires_grad=True)
        (F.relu(net(z)) * 2).sum().backward()
        assert z.grad.shape == z.shape and net.conv.bias.grad is not None
        """,
    "forward hooks": """
        seen = []
        net = Block(2)
        handle = net.conv.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
        net(torch.ones(1, 2, 3, 3))
        handle.remove()
        net(torch.ones(1, 2, 3, 3))
        assert seen == [(1, 2, 3, 3)]
        """,
    "attributes with data": "assert Image.pixels.sum() == 4 and Image().pixels.shape == (2, 2)",
    "plots": """
        import matplotlib
        matplotlib.use("agg")
        ax = draw([1, 2, 3])
        assert ax.get_title() == "three" and ax.lines[0].get_ydata().tolist() == [1, 2, 3] and len(ax.lines) == 1
        """,
}
SETUP_MATH = cell("helper", "import math", "math")
PLOT = cell(
    "answer",
    """
def draw(values):
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots()
    ax.plot(values)
    ax.set_title("three")
    return ax
""",
    "plot",
)


def dedent(source: str) -> str:
    lines = source.strip("\n").splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def course(tests: dict[str, str]) -> list:  # type: ignore[type-arg]
    return [SETUP_MATH, SETUP, ANSWERS, PLOT, *(cell("test", dedent(source), name) for name, source in tests.items())]


@pytest.fixture(scope="module")
def both() -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Status and message of every cell above, direct and judged; each mode in one process."""
    cells = course(SAME)
    plain = direct(cells, {})
    return {name: (plain[name], (run.status, run.message + run.fault)) for name, run in verdicts(cells).items()}


@pytest.mark.parametrize("name", SAME)
def test_a_test_cell_means_the_same_direct_and_judged(name: str, both: dict) -> None:  # type: ignore[type-arg]
    plain, judged = both[name]
    assert plain == ("passed", "")
    assert judged == ("passed", "")


AUTHOR_ERRORS = {
    "writing into a parameter": "w = Block(1).conv.weight\nwith torch.no_grad():\n    w.zero_()\nscale(1)",
    "writing into its data": "w = Block(1).conv.weight\nw.data.fill_(1.0)",
    "writing into a frozen parameter": "b = Block(1)\nb.requires_grad_(False)\nw = b.conv.weight\nw.zero_()\nscale(1)",
    "an optimizer on parameters": "torch.optim.SGD(Block(1).parameters(), lr=0.1)",
    "an optimizer on groups": "torch.optim.Adam([{'params': [Block(1).conv.weight]}])",
    "a module of the test's": "identity(nn.Linear(2, 2))",
    "a generator": "identity(np.random.default_rng(0))",
    "a class of the test's": "class Own: pass\nidentity(Own)",
    "too deep": "x = []\nfor _ in range(60): x = [x]\nidentity(x)",
    "shallow copies": "copy.copy(Grid(2))",
    "second derivatives": "x = ones()\ntorch.autograd.grad(scale(x).sum(), x, create_graph=True)",
    "gradients through a callback": "w = ones()\napply(lambda y: y * w, ones())",
}


def test_what_cannot_work_is_named_for_the_author_and_costs_no_other_part() -> None:
    runs = verdicts(course({**AUTHOR_ERRORS, "last": "assert scale(1) == 2"}))
    assert runs.pop("last").status == "passed"
    for name, run in runs.items():
        assert run.status == "failed" and run.fault, name
        assert "tell your instructor" in run.message and run.fault not in run.message


def test_an_author_error_cannot_be_swallowed() -> None:
    ways = ("identity(nn.Linear(2, 2))", "copy.copy(Grid(2))", AUTHOR_ERRORS["an optimizer on parameters"])
    tests = {way: f"try:\n    {way}\nexcept BaseException:\n    pass" for way in ways}
    for run in verdicts(course(tests)).values():
        assert run.status == "failed" and run.fault


MISUSED = {
    "truth": "assert Grid(2)",
    "equality": "assert Grid(2) == [0, 1]",
    "arithmetic": "Grid(2) + 1",
    "order": "assert Grid(2) < Grid(3)",
    "close": "check.check_close(Image(), np.ones((2, 2)))",
    "tensor subclass": "check.check_close(identity_of_subclass(), torch.ones(2))",
    "float": "float(Grid(2))",
    "subclass": "class Mine(Block): pass\nMine(1)(torch.ones(1, 1, 1, 1))",
}


def test_a_student_object_is_no_plain_value() -> None:
    extra = cell("answer", "def identity_of_subclass():\n    return torch.ones(2).as_subclass(Tensorlike)", "extra")
    cells = course(MISUSED)
    runs = verdicts([*cells[:4], extra, *cells[4:]])
    for name, run in runs.items():
        assert run.status == "failed", name


def test_dunder_attributes_never_reach_the_students_process() -> None:
    """A forwarded __array_interface__ makes numpy read memory at an address of the student's choice."""
    hostile = cell(
        "answer",
        """
asked = []
class Hostile:
    __array_interface__ = {"shape": (4,), "typestr": "<f8", "data": (8, False), "version": 3}
    __array_struct__ = __array__ = __torch_function__ = __float__ = __index__ = None
    def __getattribute__(self, name):
        asked.append(name)
        return object.__getattribute__(self, name)
thing = Hostile()
""",
    )
    test = """
import numpy as np, torch
for use in (np.asarray, np.sum, torch.as_tensor, float, lambda x: np.ones(2) * x, lambda x: torch.ones(2) + x,
            lambda x: np.allclose(x, 1), lambda x: x.__array_interface__, lambda x: x.__dict__):
    try:
        use(thing)
    except Exception:
        pass
assert asked == []
thing.name_that_is_asked = 1
"""
    run = verdicts([hostile, cell("test", test)])["test"]
    assert (run.status, run.message) == ("passed", "")


LYING = {
    "float subclass": (
        "class Lie(float):\n    __eq__ = __le__ = __lt__ = lambda *a: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda *a: Lie(0)\n    __hash__ = None\nvalue = Lie(9)",
        "check.check_close(value, 4.0)",
    ),
    "equality": ("class Lie:\n    def __eq__(self, other): return True\nvalue = Lie()", "assert value == 4"),
    "array subclass": (
        "class Lie(np.ndarray):\n    def __array_ufunc__(self, *a, **k): return True\nvalue = np.zeros(2).view(Lie)",
        "assert np.allclose(value, np.ones(2))",
    ),
    "truth": ("class Lie:\n    def __bool__(self): return True\nvalue = Lie()", "assert value"),
    "length": (
        "class Lie:\n    def __len__(self): return 4\n    def __iter__(self): return iter(())\nvalue = Lie()",
        "assert value == [1]",
    ),
    "patched allclose": (
        "import numpy as np\nnp.allclose = lambda *a, **k: True\nvalue = np.zeros(2)",
        "assert np.allclose(value, [1, 1])",
    ),
    "patched check": (
        "from convbook import check\ncheck.check_close = lambda *a, **k: None\nvalue = 1.0",
        "check.check_close(value, 4.0)",
    ),
    "builtins": (
        "import builtins\nbuiltins.abs = lambda x: 0\nvalue = 5.0",
        "assert abs(value - 4) < 1e-9",
    ),
    "NaN": ("value = float('nan')", "check.check_close(value, 4.0)"),
    "empty": ("value = np.array([])", "check.check_close(value, np.ones(2))"),
    "infinite loop in repr": (
        "class Lie:\n    def __repr__(self):\n        while True: pass\nvalue = Lie()",
        "check.check_close(value, 4.0)",
    ),
}


def test_a_lie_about_a_value_does_not_pass() -> None:
    cells = [SETUP]
    for name, (answer, test) in LYING.items():
        cells += [cell("answer", answer.replace("value", f"value{len(cells)}"), f"answer {name}")]
        cells += [cell("test", test.replace("value", f"value{len(cells) - 1}"), name)]
    for name, run in verdicts(cells).items():
        assert run.status == "failed", name


LARGE = {
    "deep": "x = []\n    for _ in range(10**5): x = [x]\n    return x",
    "self-containing": "x = []; x.append(x); return x",
    "long": "return list(range(10**6))",
    "array of 8 TB": "return np.broadcast_to(1.0, (10**6, 10**6))",
    "integer": "return 1 << 10**6",
    "callback flood": "while True: f(1)",
    "callback recursion": "return apply(lambda n: f(n), f)",
    "many arguments": "f(*range(600_000))",
}


@pytest.mark.parametrize("name", LARGE)
def test_too_large_an_answer_is_refused_with_a_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "CALLBACK_LIMIT", 500)
    body = LARGE[name]
    answer = cell("answer", f"import numpy as np\nimport sys\ndef make(f):\n    {body}\ndef apply(f, *a): return f(*a)")
    test = cell("test", "def call(n):\n    return make(call) if n == 7 else n\nmake(call)")
    run = verdicts([answer, test])["test"]
    assert run.status in ("failed", "crashed") and run.message


def test_callbacks_nest_to_a_limit() -> None:
    answer = cell("answer", "def ping(f, n): return f(n)")
    down = "def pong(n): return 0 if n == 0 else ping(pong, n - 1)\n"
    runs = verdicts(
        [
            answer,
            cell("test", down + "assert ping(pong, 10) == 0", "few"),
            cell("test", down + "ping(pong, 200)", "many"),
        ]
    )
    assert (runs["few"].status, runs["many"].status) == ("passed", "crashed")
    assert "nested" in runs["many"].message


def test_objects_and_graphs_are_let_go() -> None:
    answer = cell(
        "answer",
        """
import gc, torch
from autograder.student import Student
class Thing: pass
def make(): return Thing()
def double(x): return (x * 2).relu()
def kept(): return len(next(each for each in gc.get_objects() if type(each) is Student)._objects)
""",
    )
    test = """
import torch
before = kept()
for _ in range(50):
    make()
    double(torch.ones(4, requires_grad=True)).sum().backward()
assert kept() <= before + 4, kept() - before
things = [make() for _ in range(50)]
assert kept() >= 50
"""
    assert verdicts([answer, cell("test", test)])["test"].message == ""


@pytest.mark.parametrize("name", sorted(known_exceptions()))
def test_every_known_exception_can_be_raised_here(name: str) -> None:
    kind = known_exceptions()[name]
    error = remote_error(["Theirs", name, "Exception"], ["a", 2], "words", known_exceptions())
    assert isinstance(error, kind) and isinstance(error, RemoteError) and isinstance(error, Exception)
    assert (error.name, error.base, str(error), error.args) == ("Theirs", kind.__name__, "words", ("a", 2))


def test_an_exception_of_no_known_class_is_a_plain_one() -> None:
    for names in ([], ["Odd", "object"], ["SystemExit", "BaseException"], ["StopIteration"], ["GeneratorExit"]):
        error = remote_error(names, [], "words", {**known_exceptions()})
        assert type(error) is RemoteError and not isinstance(error, StopIteration)
