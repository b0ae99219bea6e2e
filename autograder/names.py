"""Which names of a test are the student's: read from the solution, never from a submission.

A name is the student's when a solution cell or a driver binds it. It is ours when a helper binds it or when it is
imported anywhere: a submission that binds `np` to a module of its own must not answer `np.allclose`. In a test cell
the test's own names come first, then the helpers', then the student's, then Python's.

    helper   runs on both sides; the test sees the judge's copy. One that uses a student's name runs there only.
    driver   runs in the student's process; the test sees a proxy.
"""

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

_HIDDEN = re.compile(r"^.*BEGIN HIDDEN TESTS.*$", re.MULTILINE)


class Cell(Protocol):
    """A cell of an assignment; `source` is the instructor's, with solutions and hidden tests."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def cell_type(self) -> str: ...

    @property
    def source(self) -> str: ...


@dataclass(frozen=True)
class Plan:
    """What runs in the judge.

    Attributes:
        students: names that a test reaches by proxy.
        helpers: ids of helper cells that run in the judge as well.
        imports: by id of a solution cell, the import statements that the judge runs in its place.
        reads: by id of a test cell, the student's names that it uses, sorted.
    """

    students: frozenset[str]
    helpers: frozenset[str]
    imports: dict[str, str]
    reads: dict[str, list[str]]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "students": sorted(self.students), "helpers": sorted(self.helpers)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Plan":
        return cls(**{**data, "students": frozenset(data["students"]), "helpers": frozenset(data["helpers"])})


def hidden_start(source: str) -> int:
    """Where the hidden half of a test cell begins: everything from this line on is hidden."""
    match = _HIDDEN.search(source)
    return match.start() if match else len(source)


def code(cells: Sequence[Cell]) -> list[Cell]:
    """The code cells among `cells` that are no text."""
    return [cell for cell in cells if cell.cell_type == "code" and cell.kind != "text"]


def plan(cells: Sequence[Cell]) -> Plan:
    """Decide from an assignment's own cells.

    Raises:
        SyntaxError: a helper, driver, solution or test is no Python.
    """
    ours: set[str] = set()
    for cell in code(cells):
        if cell.kind in ("answer", "manual", "helper", "test"):
            ours |= set(imported(cell.source))
    students: set[str] = set()
    helpers: set[str] = set()
    imports: dict[str, str] = {}
    for cell in code(cells):
        if cell.kind not in ("answer", "manual", "helper", "driver"):
            continue
        used, bound = referenced(cell.source), assigned(cell.source)
        if cell.kind in ("answer", "manual"):
            students |= bound - ours
            imports[cell.id] = import_statements(cell.source)
        elif cell.kind == "driver" or used & students:
            students |= bound - ours
        else:
            helpers.add(cell.id)
            ours |= bound
            students -= bound
    tests = [cell for cell in code(cells) if cell.kind == "test"]
    reads = {cell.id: sorted(referenced(cell.source) & students) for cell in tests}
    return Plan(frozenset(students), frozenset(helpers), imports, reads)


def referenced(source: str) -> set[str]:
    """Names that a cell reads from the notebook's namespace, in whichever function, class or lambda."""
    read = {symbol.get_name() for symbol, is_global in _symbols(source) if is_global and symbol.is_referenced()}
    # symtable takes `n += 1` for an assignment only.
    targets = [node.target for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AugAssign)]
    return read | ({target.id for target in targets if isinstance(target, ast.Name)} & assigned(source))


def assigned(source: str) -> set[str]:
    """Names that a cell binds in the notebook's namespace: by assignment, `def`, `class`, `import` or `global`."""
    return {
        symbol.get_name()
        for symbol, is_global in _symbols(source)
        if is_global and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace())
    }


def imported(source: str) -> list[str]:
    """Names that the import statements of a cell's top level bind."""
    return [alias.asname or alias.name.partition(".")[0] for statement in _imports(source) for alias in statement.names]


def import_statements(source: str) -> str:
    """The import statements of a cell's top level."""
    return "\n".join(ast.unparse(statement) for statement in _imports(source))


def _imports(source: str) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement


def _symbols(source: str) -> Iterator[tuple[symtable.Symbol, bool]]:
    """Every symbol of every scope, and whether it stands for a name of the notebook's namespace."""
    top = symtable.symtable(source, "<cell>", "exec")
    tables = [top]
    for table in tables:
        for symbol in table.get_symbols():
            yield symbol, table is top or symbol.is_global()
        tables += table.get_children()
