"""Rules for tests, as far as a program can see them: run at release, before a right answer fails for no visible reason.

A test that keeps these rules means the same in JupyterLab and in the judge, where the student's names are proxies
(`autograder.names`). What a program cannot see, `autograder verify` finds by running every catalogued answer both ways.

    1  data in, data out; a driver holds no check         7  inputs come from check.draws, seeds are integers
    2  expected before the student is called (advice)     8  no eval, globals, star imports, inspect, mock, subclasses
    3  check_* only, no bare comparison of floats         9  no current figure: return the axes
    4  truth is `is True`                                10  names of tests and answers are disjoint, none is unknown
    5  no identity or aliasing across the border         11  hints are plain text, for they are shown
    6  no optimizer on, no write into, a student's tensors
"""

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from autograder import names

_FORBIDDEN_NAMES = {
    **dict.fromkeys(
        ("globals", "locals", "vars", "eval", "exec", "compile", "__import__"),
        "The student's names are not in this namespace. Write the name itself.",
    ),
    "get_ipython": "There is no IPython in the judge. Write plain Python.",
    "id": "An object's id does not cross to the student's process. Compare in a driver.",
}
_FORBIDDEN_MODULES = {
    "inspect": "A proxy has no source. Test what the function does.",
    "mock": "A patch here does not reach the student's process. Test what the function does, or use a driver.",
    "gc": "The student's objects are in another process. Use a driver.",
}
_COMPARISONS = {
    **dict.fromkeys(
        ("allclose", "isclose", "assert_close", "assert_allclose", "assert_array_almost_equal", "approx"),
        "An empty array passes and shapes are broadcast. Use check.check_close.",
    ),
    **dict.fromkeys(
        ("array_equal", "array_equiv", "assert_array_equal", "assert_equal"),
        "Types are not compared. Use check.check_equal.",
    ),
}
_ALIASING = ("shares_memory", "may_share_memory", "data_ptr", "untyped_storage", "getrefcount")
_FIGURES = ("gca", "gcf", "get_fignums")
_PREDICATES = ("isinstance", "issubclass", "hasattr", "callable")
_OPTIMIZERS = ("SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop", "Adagrad", "Adadelta", "LBFGS")
_CHECKS = ("check_close", "check_equal", "check_array", "raises")
_TORCH_RANDOM = (
    "rand",
    "randn",
    "randint",
    "randperm",
    "normal",
    "bernoulli",
    "rand_like",
    "randn_like",
    "randint_like",
)
_EXPECTED = re.compile(r"(expected|want|wanted|reference|truth|oracle)(_|\d|$)")


@dataclass(frozen=True)
class Finding:
    """What a rule says about one line.

    Attributes:
        file: the assignment's source.
        cell: the cell's id.
        line: the line within the cell, from 1.
        severity: an error stops the release, advice does not.
        message: what is wrong and what to write instead.
    """

    file: str
    cell: str
    line: int
    severity: Literal["error", "advice"]
    message: str

    def __str__(self) -> str:
        return f"{self.file}, cell {self.cell}, line {self.line}: {self.severity}: {self.message}"


@dataclass(frozen=True)
class _Test:
    """A test cell as the rules see it; `theirs` are names that hold, or come from, something of the student's."""

    id: str
    tree: ast.Module
    students: frozenset[str]
    theirs: frozenset[str]


_Found = Iterator[tuple[ast.AST, str]]


def lint(file: str, cells: Sequence[names.Cell]) -> list[Finding]:
    """All findings on an assignment's cells, in order.

    Args:
        file: how to call the assignment's source in the findings.
    """
    code = names.code(cells)
    findings = []
    for cell in code:
        if cell.kind != "scratch":
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                message = f"This is no plain Python: {error.msg}. Magics and shell commands cannot stand here."
                findings.append(Finding(file, cell.id, error.lineno or 1, "error", message))
    if findings:
        return findings
    students = names.plan(cells).students
    for cell in code:
        for node, message in _of_cell(cell, code, students):
            severity: Literal["error", "advice"] = "advice" if message.startswith("Better") else "error"
            findings.append(Finding(file, cell.id, getattr(node, "lineno", 1), severity, message))
    return findings


def _of_cell(cell: names.Cell, code: Sequence[names.Cell], students: frozenset[str]) -> _Found:
    if cell.kind == "scratch":
        return
    tree = ast.parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield node, "A star import hides which names are whose. Import the names."
    if cell.kind in ("helper", "driver"):
        yield from _of_helper(cell, tree, code, students)
    if cell.kind == "test":
        test = _Test(cell.id, tree, students, _theirs(tree, students))
        for rule in _RULES:
            yield from rule(test)
        yield from _shared_names(cell, code, students)


def _of_helper(cell: names.Cell, tree: ast.Module, code: Sequence[names.Cell], students: frozenset[str]) -> _Found:
    for node in ast.walk(tree):
        called = _called(node)
        if called == "draws":
            yield node, "The key of the draws is in the judge only. Draw in the test and pass the values."
        if cell.kind == "driver" and (called in _CHECKS or isinstance(node, ast.Assert)):
            yield (
                node,
                "A driver runs where the student can change it, so it must not judge. Return data, check in the test.",
            )
    own = names.assigned(cell.source)
    if cell.kind == "helper" and (used := sorted(names.referenced(cell.source) & students - own)):
        yield tree, f"This helper uses the student's {', '.join(used)}. Write kind: driver, or pass it as an argument."


def _shared_names(cell: names.Cell, code: Sequence[names.Cell], students: frozenset[str]) -> _Found:
    bound = names.assigned(cell.source)
    for name in sorted(bound & students):
        node = next((node for node in ast.walk(ast.parse(cell.source)) if _binds(node, name)), None)
        yield node or ast.Pass(), f"{name} is the student's name as well: in Jupyter the last one wins. Rename it here."
    known = set(dir(builtins)) | students
    for other in code[: list(code).index(cell) + 1]:
        known |= names.assigned(other.source) if other.kind != "scratch" else set()
    for name in sorted(names.referenced(cell.source) - known):
        node = next((node for node in ast.walk(ast.parse(cell.source)) if _reads(node, name)), None)
        if name not in _FORBIDDEN_NAMES:
            yield node or ast.Pass(), f"No cell before this one binds {name}. Import or define it."


def _forbidden_names(test: _Test) -> _Found:
    for node in ast.walk(test.tree):
        if isinstance(node, ast.Name) and node.id in _FORBIDDEN_NAMES:
            yield node, f"{node.id}: {_FORBIDDEN_NAMES[node.id]}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            for part in {part for module in modules for part in module.split(".")} & _FORBIDDEN_MODULES.keys():
                yield node, f"{part}: {_FORBIDDEN_MODULES[part]}"
        if isinstance(node, ast.ClassDef) and any(_root(base) in test.students for base in node.bases):
            yield node, "A student's class cannot be subclassed here. Do it in a driver."
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _root(node.type) == "BaseException"):
            yield node, "This catches what ends a test. Catch Exception, or use check.raises."


def _draws(test: _Test) -> _Found:
    for node in ast.walk(test.tree):
        if not isinstance(node, ast.Call):
            continue
        called, path = _called(node), _path(node.func)
        if called == "draws" and [getattr(each, "value", None) for each in node.args] != [test.id]:
            yield node, f'The label is the grade_id of the cell. Write check.draws("{test.id}").'
        elif path[:2] in (["np", "random"], ["numpy", "random"]) and called != "seed":
            yield node, "Everybody can foresee these numbers. Draw from check.draws."
        elif path[0] == "random" or (path[0] == "torch" and len(path) == 2 and called in _TORCH_RANDOM):
            yield node, "Everybody can foresee these numbers. Draw from check.draws, then torch.from_numpy."


def _checks(test: _Test) -> _Found:
    for node in ast.walk(test.tree):
        called = _called(node)
        if called in _COMPARISONS:
            yield node, f"{called}: {_COMPARISONS[called]}"
        if isinstance(node, ast.Assert):
            yield from _assertion(node)
        if isinstance(node, ast.If) and any(isinstance(each, ast.Raise) for each in node.body) and _orders(node.test):
            yield node, "NaN is never larger than a tolerance, so it passes. Write assert error <= tolerance."
        if isinstance(node, ast.Call) and called == "zip" and not any(each.arg == "strict" for each in node.keywords):
            yield (
                node,
                "An empty list passes a loop over zip. Write zip(..., strict=True), or compare with check_equal.",
            )


def _assertion(node: ast.Assert) -> _Found:
    condition = node.test
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        condition = condition.operand
    for part in condition.values if isinstance(condition, ast.BoolOp) else [condition]:
        if isinstance(part, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in part.ops):
            yield part, "== compares neither types nor shapes. Use check.check_equal or check.check_close."
        elif isinstance(part, ast.Call | ast.Name | ast.Attribute) and not _is_predicate(part):
            yield part, "Anything may be true. Write `is True`, or use check.check_equal."


def _is_predicate(node: ast.AST) -> bool:
    return _called(node) in (*_PREDICATES, *_COMPARISONS)  # the latter are reported as such


def _orders(node: ast.AST) -> bool:
    kinds = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    return any(isinstance(each, ast.Compare) and isinstance(each.ops[0], kinds) for each in ast.walk(node))


def _aliasing(test: _Test) -> _Found:
    message = "Identity and aliasing do not cross to the student's process. Look at them in a driver."
    for node in ast.walk(test.tree):
        if _called(node) in _ALIASING:
            yield node, message
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.Is | ast.IsNot) for each in node.ops):
            sides = [node.left, *node.comparators]
            settled = any(isinstance(side, ast.Constant) or _called(side) == "type" for side in sides)
            if not settled and any(_mentions(side, test.theirs) for side in sides):
                yield node, message
        if _called(node) in _FIGURES:
            yield node, "The figure is in the student's process. Let the function return its axes, or use a driver."


def _writes(test: _Test) -> _Found:
    message = "This changes a copy of the student's tensor. Use setattr, load_state_dict or a driver."
    for node in ast.walk(test.tree):
        called = _called(node)
        arguments = [*node.args, *(each.value for each in node.keywords)] if isinstance(node, ast.Call) else []
        if called in _OPTIMIZERS and any(_mentions(each, test.theirs) for each in arguments):
            yield node, "The optimizer would move copies of the student's parameters. Train in a driver."
        elif called.endswith("_") and not called.startswith("_") and called != "requires_grad_":
            receiver = getattr(getattr(node, "func", None), "value", None)
            if any(isinstance(each, ast.Attribute) and _root(each) in test.theirs for each in [receiver, *arguments]):
                yield node, message
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            inner = target.value if isinstance(target, ast.Subscript) else target
            is_inside = isinstance(inner, ast.Attribute) and _root(inner) in test.theirs
            if is_inside and (isinstance(target, ast.Subscript) or isinstance(node, ast.AugAssign)):
                yield node, message


def _hints(test: _Test) -> _Found:
    for node in ast.walk(test.tree):
        if isinstance(node, ast.Call) and _called(node) in _CHECKS:
            hint = next((each.value for each in node.keywords if each.arg == "hint"), None)
            if hint is None:
                yield node, "Better give it a hint= that names the misconception."
            elif not (isinstance(hint, ast.Constant) and isinstance(hint.value, str)):
                yield hint, "A hint is shown even of hidden tests, so it must hold no values. Write a plain string."


def _order(test: _Test) -> _Found:
    handed: set[str] = set()
    for statement in test.tree.body:
        stored = _stored(statement) if isinstance(statement, ast.Assign) else set()
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        of_student = [node for node in calls if _root(node.func) in test.theirs]
        if not of_student and any(_EXPECTED.match(name) for name in stored) and _mentions(statement, frozenset(handed)):
            yield statement, "Better compute this before the student's code is called: it may have changed the input."
        for call in of_student:
            values = [*call.args, *(each.value for each in call.keywords)]
            handed |= {each.id for each in values if isinstance(each, ast.Name)}
        handed -= stored


_RULES: tuple[Callable[[_Test], _Found], ...] = (_forbidden_names, _draws, _checks, _aliasing, _writes, _hints, _order)


def _theirs(tree: ast.Module, students: frozenset[str]) -> frozenset[str]:
    """The student's names and, until nothing is added, what is assigned from an expression that mentions one."""
    theirs: set[str] = set()
    before = -1
    while before != len(theirs):
        before = len(theirs)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _mentions(node.value, students | theirs):
                theirs |= _stored(node)
    return students | theirs


def _stored(node: ast.AST) -> set[str]:
    """Names that an assignment binds."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _binds(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)) or (
        isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
    )


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _mentions(node: ast.AST, known: frozenset[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in known for each in ast.walk(node))


def _path(node: ast.AST) -> list[str]:
    """a.b.c as ["a", "b", "c"]; "" for what is no name."""
    if isinstance(node, ast.Attribute):
        return [*_path(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else [""]


def _root(node: ast.AST) -> str:
    """The name that an expression of attributes, items and calls starts from."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(node: ast.AST) -> str:
    """The last name of what a call calls, "" for what is no call."""
    return _path(node.func)[-1] if isinstance(node, ast.Call) else ""
