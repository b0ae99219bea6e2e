"""Each rule finds what breaks it, says where and what to write, and leaves a good test alone."""

from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.lint import Finding, lint
from autograder.names import Cell
from tests.autograder.engine import cell

COURSE = Path(__file__).parent / "fixtures" / "torchy"
SETUP = cell("helper", "import numpy as np\nimport torch\nfrom torch import nn\nfrom convbook import check", "setup")
ANSWER = cell("answer", "def f(x): return x\nclass Net(nn.Module): ...\nvalue = 3", "answer")

GOOD = """
rng = check.draws("test")
x = rng.normal(size=(3, 4))
expected = x + 1
check.check_close(f(x.copy()), expected, hint="Add one.")
check.check_equal(value, 3, hint="Three.")
check.raises(ValueError, f, None, hint="Refuse None.")
net = Net()
error = abs(float(f(torch.ones(3)).sum()) - 3)
assert error <= 1e-6, "Too far off."
assert net.training is True and isinstance(net, nn.Module) and type(value) is int and "a" in {"a": 1}
reference = nn.Linear(2, 2)
optimizer = torch.optim.SGD(reference.parameters(), lr=0.1)
reference.weight.data.zero_()
for a, b in zip([1], [2], strict=True):
    assert a < b
net.load_state_dict({})
net.scale = 2
torch.manual_seed(0)
np.random.seed(0)
y = x.copy()
y[0] = 0
"""


def findings(source: str, *before: Cell, kind: str = "test") -> list[Finding]:
    return lint("assignment.md", [SETUP, ANSWER, *before, cell(kind, source, "test")])


def test_a_good_test_has_no_findings() -> None:
    assert findings(GOOD) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("globals()['f'](1)", "globals"),
        ("eval('f(1)')", "eval"),
        ("exec('f(1)')", "exec"),
        ("get_ipython().run_cell('f(1)')", "get_ipython"),
        ("from math import *", "star import"),
        ("import inspect", "inspect"),
        ("from unittest import mock", "mock"),
        ("import unittest.mock as m", "mock"),
        ("class Mine(Net): ...", "subclassed"),
        ("try:\n    f(1)\nexcept: ...", "Catch Exception"),
        ("try:\n    f(1)\nexcept BaseException: ...", "Catch Exception"),
        ("check.draws('other')", 'check.draws("test")'),
        ("label = 'test'\ncheck.draws(label)", 'check.draws("test")'),
        ("np.random.rand(3)", "check.draws"),
        ("np.random.default_rng(0)", "check.draws"),
        ("torch.randn(3)", "check.draws"),
        ("import random\nrandom.random()", "check.draws"),
        ("assert np.allclose(f(1), 1)", "check.check_close"),
        ("torch.testing.assert_close(f(1), 1)", "check.check_close"),
        ("assert torch.equal(f(1), 1) is True and np.array_equal(f(1), 1)", "check.check_equal"),
        ("assert f(1) == 1", "check.check_equal"),
        ("assert not f(1) != 1", "check.check_equal"),
        ("assert f(1)", "`is True`"),
        ("assert value", "`is True`"),
        ("assert all(f(k) > 0 for k in [1])", "`is True`"),
        ("if abs(f(1) - 1) > 1e-6:\n    raise ValueError", "NaN"),
        ("for a, b in zip(f([1]), [1]): ...", "strict=True"),
        ("x = [1]\nassert f(x) is x", "driver"),
        ("x = np.ones(2)\nassert np.shares_memory(f(x), x) is False", "driver"),
        ("id(f(1))", "driver"),
        ("import matplotlib.pyplot as plt\nplt.gca()", "axes"),
        ("net = Net()\nopt = torch.optim.SGD(net.parameters(), lr=1)", "driver"),
        ("from torch.optim import Adam\nnet = Net()\nopt = Adam([{'params': net.fc.parameters()}])", "driver"),
        ("net = Net()\nnet.fc.weight.data.fill_(1)", "load_state_dict"),
        ("net = Net()\nwith torch.no_grad():\n    net.w.copy_(torch.ones(2))", "load_state_dict"),
        ("net = Net()\nnn.init.zeros_(net.fc.weight)", "load_state_dict"),
        ("net = Net()\nnet.w[0] = 1", "load_state_dict"),
        ("net = Net()\nnet.w += 1", "load_state_dict"),
        ("value = f(1)", "student's name as well"),
        ("def f(x): return 1", "student's name as well"),
        ("f(unknown)", "binds unknown"),
        ("check.check_equal(f(1), 1, hint=f'got {f(1)}')", "plain string"),
        ("%timeit f(1)", "plain Python"),
    ],
)
def test_a_rule_finds_what_breaks_it(source: str, words: str) -> None:
    found = [finding for finding in findings(source) if finding.severity == "error"]
    assert any(words in finding.message for finding in found), found
    assert len(found) == 1, found


def test_a_finding_says_where() -> None:
    (found,) = findings("x = 1\n\nassert f(x) == 1")
    assert (found.cell, found.line) == ("test", 3)
    assert str(found).startswith("assignment.md, cell test, line 3: error: == compares neither")


def test_what_is_expected_should_be_computed_first() -> None:
    late = "x = check.draws('test').normal(size=3)\ngot = f(x)\nexpected = x + 1"
    (found,) = findings(late)
    assert found.severity == "advice" and found.line == 3
    assert not findings("x = check.draws('test').normal(size=3)\nexpected = x + 1\ngot = f(x)")
    assert not findings("x = check.draws('test').normal(size=3)\ngot = f(x)\nx = 5\nexpected = x + 1")


def test_a_check_without_a_hint_gets_advice() -> None:
    (found,) = findings("check.check_equal(f(1), 1)")
    assert found.severity == "advice" and "hint=" in found.message


def test_drivers_hold_no_check_and_no_draws() -> None:
    assert "must not judge" in findings("def drive(n):\n    assert n", kind="driver")[0].message
    assert (
        "must not judge" in findings("def drive(n):\n    check.check_equal(n, 1, hint='x')", kind="driver")[0].message
    )
    assert "in the judge only" in findings("rng = check.draws('test')", kind="driver")[0].message
    assert "in the judge only" in findings("rng = check.draws('test')", kind="helper")[0].message
    assert not findings("def drive(n):\n    return f(n)", kind="driver")


def test_a_helper_that_uses_the_students_names_is_a_driver() -> None:
    assert "kind: driver" in findings("def both(x):\n    return f(x)", kind="helper")[0].message
    assert not findings("def both(f, x):\n    return f(x)", kind="helper")


def test_names_of_earlier_tests_and_helpers_are_known() -> None:
    assert not findings("y = tolerance", cell("test", "tolerance = 1", "earlier"))
    assert not findings("y = reference(1)", cell("helper", "def reference(x): return x", "more"))


def test_scratch_cells_may_hold_anything() -> None:
    assert not findings("%pip install x\nfrom math import *", kind="scratch")


def test_the_fixture_assignment_is_clean() -> None:
    assignment = Assignment.load(COURSE, "torchy")
    assert [str(finding) for finding in lint("torchy", assignment.cells)] == []
