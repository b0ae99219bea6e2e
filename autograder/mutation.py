"""Mutation testing: are the tests strict enough to notice a small change of the reference solution?

Each mutant is the solution of one question with one change: another operator, a comparison with its neighbor, a
constant off by one, another axis, a statement dropped, two arguments swapped. Tests that give a mutant full points
either miss something, or the mutant computes the same: an equivalent mutant, for a human to argue in the catalogue's
SURVIVORS. Whatever survives without an argument is a problem, and so is a catalogue that argues too much away.
"""

import ast
import copy
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from autograder.assignment import Assignment
from autograder.grade import Executor
from autograder.verify import Check, graded, question_of
from convbook.catalogue import Survivor

_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,  # codespell:ignore notin
    ast.NotIn: ast.In,  # codespell:ignore notin
}
_AXES = ("axis", "dim")
#: Of so many mutants one may be argued to be equivalent; one always may.
ARGUED = 10


@dataclass(frozen=True)
class Mutant:
    """A changed solution.

    Attributes:
        question: id of the answer cell.
        number: number of the line of the answer cell that changed, from 1.
        change: what changed, such as "Sub for Add".
        line, becomes: the first line that changed, before and after, as `ast.unparse` writes it.
        source: the whole changed cell.
    """

    question: str
    number: int
    change: str
    line: str
    becomes: str
    source: str

    def __str__(self) -> str:
        return f"{self.question}, line {self.number}: {self.line} → {self.becomes}"


@dataclass(frozen=True)
class Score:
    """How many mutants lose points, and which do not."""

    mutants: int
    survivors: tuple[Mutant, ...]

    @property
    def share(self) -> float:
        """The share of mutants that lose points; 1 where there are none."""
        return 1 - len(self.survivors) / self.mutants if self.mutants else 1.0

    def problems(self, argued: Sequence[Survivor]) -> list[str]:
        """Survivors that nobody argued for, arguments for none, and too many arguments."""
        reasons = {(each.question, each.line, each.becomes) for each in argued}
        survived = {(each.question, each.line, each.becomes) for each in self.survivors}
        bare = [each for each in self.survivors if (each.question, each.line, each.becomes) not in reasons]
        found = [
            f"{mutant} gets full points. Strengthen a test, or argue in SURVIVORS that it computes the same."
            for mutant in bare
        ]
        found += [
            f"{question}: {line} → {becomes} is listed in SURVIVORS, but no such change survives. Remove it there."
            for question, line, becomes in sorted(reasons - survived)
        ]
        count = len(self.survivors) - len(bare)
        if count > max(1, self.mutants // ARGUED):
            found.append(f"SURVIVORS argues for {count} of {self.mutants} changes; at most one in ten is allowed.")
        return found


def mutants(assignment: Assignment) -> list[Mutant]:
    """All mutants of all reference solutions, each different from the solution and from the others."""
    found = []
    for cell in assignment.cells:
        if cell.kind == "answer":
            tree = _living(ast.parse(cell.source))
            original = ast.unparse(tree)
            seen = {original}
            for number, change, mutated in _mutations(tree):
                source = ast.unparse(ast.fix_missing_locations(mutated))
                if source not in seen:
                    seen.add(source)
                    lines = zip(original.splitlines(), source.splitlines(), strict=False)
                    line, becomes = next((one.strip(), other.strip()) for one, other in lines if one != other)
                    found.append(Mutant(cell.id, number, change, line, becomes, source))
    return found


def mutation_score(
    assignment: Assignment,
    mutants_: list[Mutant],
    executor: Executor,
    seeds: int,
    progress: Callable[[], object] = lambda: None,
) -> Score:
    """Run every mutant with up to `seeds` draws; it is found as soon as one part of its question loses points."""
    if mutants_:
        assignment = _impatient(assignment, executor)

    def survives(mutant: Mutant) -> bool:
        parts = {part.id: part.points for part in question_of(assignment, mutant.question).parts}
        check = Check(mutant.question, mutant.change, {mutant.question: mutant.source}, parts)
        result_of = graded(assignment, check)
        results = (result_of(executor, seed) for seed in range(seeds))
        full = all(cell.points == parts.get(cell.id, cell.points) for result in results for cell in result.cells)
        progress()
        return full

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        survived = list(pool.map(survives, mutants_))
    survivors = tuple(mutant for mutant, full in zip(mutants_, survived, strict=True) if full)
    return Score(len(mutants_), survivors)


def _impatient(assignment: Assignment, executor: Executor) -> Assignment:
    """The assignment with little time: some mutants never end, and the solution says how long is long."""
    started = time.monotonic()
    graded(assignment, Check("", "the reference solution", {}, {}))(executor, 0)
    seconds = 5 + round(10 * (time.monotonic() - started))
    limits = replace(assignment.settings.limits, submission_seconds=seconds)
    return replace(assignment, settings=replace(assignment.settings, limits=limits))


def _living(tree: ast.Module) -> ast.Module:
    """The tree without what stands after a return or raise in its block: it never runs, so no test could notice.

    A question that asks for mended code has its solution first and then the text with bugs, which students get.
    """
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                ends = (place for place, each in enumerate(body) if isinstance(each, ast.Return | ast.Raise))
                del body[next(ends, len(body)) + 1 :]
    return tree


def _mutations(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Every single change: its line, its description and the changed tree."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in docstrings:
            continue
        for change in range(len(_changes(node))):
            # The copy is walked in the same order, so the number finds the same node in it.
            mutated = copy.deepcopy(tree)
            twin = next(each for count, each in enumerate(ast.walk(mutated)) if count == number)
            place, words, apply = _changes(twin)[change]
            apply()
            yield getattr(place, "lineno", 0), words, mutated


def _changes(node: ast.AST) -> list[tuple[ast.AST, str, Callable[[], None]]]:
    """What can be changed at one node: where that is, a description and a function that does it."""
    dropped: list[tuple[ast.AST, str, Callable[[], None]]] = []
    for name in ("body", "orelse"):
        body = getattr(node, name, None)
        if isinstance(body, list) and not isinstance(node, ast.Module):
            dropped += [
                (each, f"dropped: {ast.unparse(each).splitlines()[0][:60]}", _drop(body, place))
                for place, each in enumerate(body)
                if not isinstance(each, ast.Pass) and not _is_docstring(each)
            ]
    return [*((node, *change) for change in _here(node)), *dropped]


def _here(node: ast.AST) -> list[tuple[str, Callable[[], None]]]:
    changes: list[tuple[str, Callable[[], None]]] = []
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _BINARY:
        changes.append(_replace(node, "op", _BINARY[type(node.op)]()))
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changes.append(_item(node.ops, place, _COMPARE[type(operator)]()))
    if isinstance(node, ast.BoolOp):
        changes.append(_replace(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        changes.append(_replace(node, "op", ast.UAdd() if isinstance(node.op, ast.USub) else ast.Invert()))
        if isinstance(node.op, ast.Not):
            changes[-1] = ("not dropped", lambda: _become(node, node.operand))
    if isinstance(node, ast.Constant):
        changes += _constants(node)
    if isinstance(node, ast.keyword) and node.arg in _AXES and isinstance(node.value, ast.Constant):
        wrong = ast.Constant(0 if node.value.value in (1, -1) else 1)
        changes.append((f"another {node.arg}", lambda: setattr(node, "value", wrong)))
    if isinstance(node, ast.Call):
        for place in range(len(node.args) - 1):
            changes.append((f"arguments {place + 1} and {place + 2} swapped", _swap(node.args, place)))
    return changes


def _constants(node: ast.Constant) -> list[tuple[str, Callable[[], None]]]:
    value = node.value
    if isinstance(value, bool):
        return [(f"{not value} for {value}", lambda: setattr(node, "value", not value))]
    if isinstance(value, int | float):
        return [
            (f"{value + step} for {value}", lambda step=step: setattr(node, "value", value + step))  # type: ignore[misc]
            for step in (1, -1)
        ]
    return []


def _replace(node: ast.AST, name: str, new: ast.AST) -> tuple[str, Callable[[], None]]:
    old = getattr(node, name)
    return f"{type(new).__name__} for {type(old).__name__}", lambda: setattr(node, name, new)


def _item(items: list[ast.cmpop], place: int, new: ast.cmpop) -> tuple[str, Callable[[], None]]:
    return f"{type(new).__name__} for {type(items[place]).__name__}", lambda: items.__setitem__(place, new)


def _become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node into a copy of another, in place: its parent is not known here."""
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__


def _swap(items: list[ast.expr], place: int) -> Callable[[], None]:
    def apply() -> None:
        items[place], items[place + 1] = items[place + 1], items[place]

    return apply


def _drop(body: list[ast.stmt], place: int) -> Callable[[], None]:
    return lambda: body.__setitem__(place, ast.Pass())


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
