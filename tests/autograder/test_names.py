"""Which names are the student's is read from the assignment, whatever the scope they stand in."""

import json

import pytest

from autograder.names import Plan, assigned, import_statements, imported, plan, referenced
from tests.autograder.engine import cell


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("f(x)", {"f", "x"}),
        ("x = g(x)", {"g", "x"}),
        ("y = 1\ny", {"y"}),
        ("lambda a: f(a, b)", {"f", "b"}),
        ("[f(a) for a in range(3) if g(a)]", {"f", "g", "range"}),
        ("def test():\n    def inner(c=f):\n        return g(c)\n    return inner", {"f", "g"}),
        ("def test(f):\n    return f(1)", set()),
        ("class T(Base):\n    size = f()\n    def run(self):\n        return g(self.size)", {"Base", "f", "g"}),
        ("def test():\n    global n\n    n += 1", {"n"}),
        ("@mark\ndef test(): ...", {"mark"}),
        ("del f", set()),
        ("f'{x!r:{width}}'", {"x", "width"}),
        ("match f():\n    case Point(x=1): ...", {"f", "Point"}),
    ],
)
def test_names_that_a_cell_reads(source: str, names: set[str]) -> None:
    assert referenced(source) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b.c = 1", {"a"}),
        ("a, (b, *c) = x", {"a", "b", "c"}),
        ("def f(x):\n    y = 1", {"f"}),
        ("class T:\n    z = 1", {"T"}),
        ("import numpy as np, os.path\nfrom a import b as c", {"np", "os", "c"}),
        ("for k in x: ...", {"k"}),
        ("with x as y: ...", {"y"}),
        ("(w := 1)", {"w"}),
        ("[v := k for k in x]", {"v"}),
        ("def f():\n    global n\n    n = 1", {"f", "n"}),
        ("try: ...\nexcept E as e: ...", {"e"}),
    ],
)
def test_names_that_a_cell_binds(source: str, names: set[str]) -> None:
    assert assigned(source) == names


def test_imports_of_the_top_level() -> None:
    source = "import os.path, numpy as np\ndef f():\n    import sys\nfrom math import pi as p, e\nx = 1"
    assert imported(source) == ["os", "np", "p", "e"]
    assert import_statements(source) == "import os.path, numpy as np\nfrom math import pi as p, e"


def test_the_plan_of_an_assignment() -> None:
    cells = [
        cell("helper", "import numpy as np\ndef ref(x): return x", "references"),
        cell("answer", "import torch\ndef mine(x): return np.sum(x)\nshape = (1, 2)", "first"),
        cell("helper", "def apply_mine(x): return mine(x)", "uses the student's"),
        cell("driver", "import copy\ndef drive(n): return copy.copy(n)", "driver"),
        cell("answer", "def ref(x): return 0\nnp = torch = copy = None", "second"),
        cell("scratch", "anything = mine", "example"),
        cell("test", "own = mine(ref(1))", "test"),
    ]
    assert plan(cells) == Plan(
        students=frozenset({"mine", "shape", "apply_mine", "drive", "copy"}),
        helpers=frozenset({"references"}),
        imports={"first": "import torch", "second": ""},
        reads={"test": ["mine"]},
    )
    assert Plan.from_json(json.loads(json.dumps(plan(cells).to_json()))) == plan(cells)


def test_a_helper_below_takes_a_name_of_the_students_over() -> None:
    cells = [cell("answer", "def f(x): return 1"), cell("helper", "def f(x): return 2"), cell("test", "f(1)")]
    assert plan(cells).students == frozenset()


def test_cells_that_are_no_code_bind_nothing() -> None:
    from autograder.runner import Given

    assert (
        plan([Given("a", "manual", "markdown", "x = 1"), Given("b", "text", "code", "y = 1")]).students == frozenset()
    )
