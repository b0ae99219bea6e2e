"""An assignment: the instructor's cells, each beside what the student gets of it.

The source is `solutions/NAME/assignment.md`, a MyST notebook whose code cells carry nbgrader metadata, or the
notebook `source/NAME/NAME.ipynb` of an ordinary nbgrader course. What the student gets is made by nbgrader's own
`GenerateAssignment` steps: solutions become stubs, hidden tests go, checksums and locks come. Both sides are kept in
one `Cell`, so that nothing downstream has to strip anything again.

Kinds of cells, read from the metadata (never from a submission):

    answer   solution, not graded     the student writes it
    test     graded, not solution     ours; decides points, all or nothing
    manual   graded and solution      the student writes it, a human marks it
    helper   locked, convbook.kind    ours; runs on both sides of the judge
    driver   locked, convbook.kind    ours; runs in the student's process
    scratch  code without nbgrader    the student's to change (an example to play with)
    text     everything else          never runs

A notebook of nbgrader's knows two of these only by what is usual there. Its locked code is a helper. Its plain code
often imports or defines what tests use, so it counts as an answer; where it is no plain Python, it is scratch.
"""

import ast
import copy
import difflib
import hashlib
import json
import logging
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearHiddenTests, IncludeHeaderFooter, SaveCells
from traitlets.config import Config

from autograder.course import NAME, Course, Settings
from autograder.errors import AssignmentError
from autograder.names import Plan, code, hidden_start
from autograder.names import plan as make_plan
from convbook.colab import install_cell

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Cell:
    """One cell of an assignment.

    Attributes:
        id: nbgrader's grade_id where there is one, else the cell id.
        cell_id: the notebook format's cell id, `NAME-NN`, counted in the released notebook.
        kind: see the module's docstring.
        cell_type: "code" or "markdown".
        source: the instructor's text, with solutions and hidden tests.
        visible_source: what the student gets: stubs for solutions, no hidden tests.
        points: what a test or manual cell is worth, else 0.
        metadata: the released cell's metadata.
    """

    id: str
    cell_id: str
    kind: str
    cell_type: str
    source: str
    visible_source: str
    points: float
    metadata: dict[str, Any]

    @property
    def graded(self) -> bool:
        """Whether the cell earns points."""
        return self.kind in ("test", "manual")

    @property
    def hidden_source(self) -> str:
        """The second half of a test cell: everything from the first hidden line on."""
        return self.source[hidden_start(self.source) :] if self.kind == "test" else ""

    @property
    def visible_half(self) -> str:
        """The first half of a test cell: everything before the first hidden line."""
        return self.source.removesuffix(self.hidden_source) if self.hidden_source else self.source


@dataclass(frozen=True)
class Question:
    """Answer cells and the graded parts that follow them; a manual cell is a question of its own."""

    answers: tuple[Cell, ...]
    parts: tuple[Cell, ...]

    @property
    def id(self) -> str:
        return self.answers[0].id if self.answers else self.parts[0].id


@dataclass(frozen=True)
class Assignment:
    """An assignment as the course has it; see the module's docstring.

    Attributes:
        file: the notebook's name without its ending. It is `name`, but where an assignment has several notebooks.
    """

    root: Path
    name: str
    file: str
    course: Course
    settings: Settings
    cells: tuple[Cell, ...]

    @classmethod
    def load(cls, root: Path, name: str) -> "Assignment":
        """Read solutions/NAME/assignment.md of the course in `root`, or else its source/NAME/NAME.ipynb.

        Raises:
            AssignmentError: there is no such assignment, or it breaks the contract; says which cell and what to write.
            CourseError: course.toml cannot be used.
        """
        course = Course.load(root)
        if not NAME.fullmatch(name):
            raise AssignmentError(f"{name!r} is no assignment's name, which has letters, digits, - and _ only.")
        path = course.source(name)
        if path and path.suffix == ".md":
            return cls._of(_read(path, course, name), path, course, name, Config())
        if path:
            return cls.from_notebook(path, course, name)
        known = names(course.root)
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known) or 'none yet'}."
        raise AssignmentError(f"There is no assignment {name} in {course.root / 'solutions'}. {hint}")

    @classmethod
    def from_notebook(cls, path: Path, course: Course, name: str, config: Config | None = None) -> "Assignment":
        """Read an instructor's notebook of an nbgrader course.

        Args:
            path: the notebook, with solutions and hidden tests.
            course: what it belongs to.
            name: the assignment.
            config: nbgrader's configuration, which may set the text of stubs.

        Raises:
            AssignmentError: as `load`.
        """
        config = config or Config()
        defaults = ClearHiddenTests()
        for key in ("begin_test_delimeter", "end_test_delimeter"):
            if config.ClearHiddenTests.get(key, getattr(defaults, key)) != getattr(defaults, key):
                raise AssignmentError(f"Remove c.ClearHiddenTests.{key}: hidden tests stand below BEGIN HIDDEN TESTS.")
        return cls._of(_read_notebook(path), path, course, name, config)

    @classmethod
    def _of(cls, source: NotebookNode, path: Path, course: Course, name: str, config: Config) -> "Assignment":
        released = _released(source, path, config)
        cells = tuple(_cell(path, inner, outer) for inner, outer in zip(source.cells, released.cells, strict=True))
        twice = [each for each, count in Counter(cell.id for cell in cells).items() if count > 1]
        if twice:
            raise AssignmentError(f"{path}: two cells are called {twice[0]}. Give each its own grade_id.")
        if not any(cell.graded for cell in cells):
            raise AssignmentError(f"{path} has no graded cell. Give one cell grade: true and points.")
        file = path.stem if path.suffix == ".ipynb" else name
        return cls(course.root, name, file, course, course.settings(name), cells)

    @property
    def max_score(self) -> float:
        """The sum of all points."""
        return sum(cell.points for cell in self.cells)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The cells as questions, in order: a new one starts at an answer that follows a test."""
        groups: list[tuple[list[Cell], list[Cell]]] = []
        for cell in self.cells:
            if cell.kind == "answer" and (not groups or groups[-1][1]):
                groups.append(([cell], []))
            elif cell.kind == "answer":
                groups[-1][0].append(cell)
            elif cell.kind == "manual":
                groups.append(([], [cell]))
            elif cell.kind == "test":
                if not groups or (groups[-1][1] and groups[-1][1][-1].kind == "manual"):
                    groups.append(([], []))
                groups[-1][1].append(cell)
        return tuple(Question(tuple(answers), tuple(parts)) for answers, parts in groups)

    @property
    def reference(self) -> dict[str, str]:
        """The solutions, by the id of their cell."""
        return {cell.id: cell.source for cell in self.cells if cell.kind == "answer"}

    @cached_property
    def plan(self) -> Plan:
        """Which names of the tests are the student's.

        Raises:
            AssignmentError: a cell is no plain Python.
        """
        for cell in code(self.cells):
            try:
                if cell.kind == "test":
                    compile(cell.source, cell.id, "exec", dont_inherit=True)
                elif cell.kind != "scratch":  # those run in the student's process alone
                    ast.parse(cell.source)
            except SyntaxError as error:
                raise AssignmentError(
                    f"{self.file}, cell {cell.id}, line {error.lineno} is no plain Python: {error.msg}. Move magics to "
                    "a cell of their own that is not locked, or have the tests run in the kernel: "
                    'engine = "in-kernel" in course.toml, or c.Verdicts.engine = "in-kernel" under nbgrader.'
                ) from None
        return make_plan(self.cells)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that a verdict depends on: a stored result is kept while it stays the same."""
        # Limits decide timeouts and the late policy decides scores, so both belong to it.
        policy = [asdict(self.settings.limits), asdict(self.settings.late), str(self.settings.due)]
        content = [[cell.id, cell.kind, cell.source, cell.visible_source, cell.points] for cell in self.cells]
        return hashlib.sha256(json.dumps([self.name, content, policy], sort_keys=True).encode()).hexdigest()

    def notebook(self) -> NotebookNode:
        """The student's notebook: a fresh copy, no outputs."""
        return _notebook([_node(cell) for cell in self.cells])


def names(root: Path) -> list[str]:
    """The assignments of the course in `root`, sorted."""
    return sorted(path.parent.name for path in root.glob("solutions/*/assignment.md"))


def _read(path: Path, course: Course, name: str) -> NotebookNode:
    try:
        notebook = cast(NotebookNode, jupytext.read(path, fmt="md:myst"))
    except Exception as error:  # jupytext raises what its parsers raise
        raise AssignmentError(f"{path} is not a MyST notebook: {error}") from error
    first = next((n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells))
    install = install_cell(course.repository, course.branch)
    notebook.cells.insert(first, new_code_cell(install))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{name}-{number:02d}"
    return _notebook(notebook.cells)


def _read_notebook(path: Path) -> NotebookNode:
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises what its parsers raise
        raise AssignmentError(f"{path} is not a notebook: {error}") from error
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        raise AssignmentError(f"{path} is written in {language}. This engine runs Python alone.")
    for number, cell in enumerate(notebook.cells):
        # Ids came with format 4.5; a notebook without them stays without in the student's hands.
        cell.setdefault("id", f"cell-{number:03d}")
    return _notebook(notebook.cells)


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    metadata = {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
    return NotebookNode(cells=cells, metadata=NotebookNode(metadata), nbformat=4, nbformat_minor=5)


def _released(source: NotebookNode, path: Path, config: Config) -> NotebookNode:
    """What nbgrader's generate_assignment makes of the source, in memory; the gradebook step is ours.

    Header and footer are left out: they belong to no question, and in a submission they run as cells of the student's.
    """
    notebook = copy.deepcopy(source)
    resources: dict[str, Any] = {}
    quiet = logging.Logger("nbgrader", logging.CRITICAL + 1)  # what it would log comes with the exception
    for step in GenerateAssignment.class_traits()["preprocessors"].default():
        if step not in (SaveCells, IncludeHeaderFooter):
            try:
                notebook, resources = step(log=quiet, config=config).preprocess(notebook, resources)
            except Exception as error:  # nbgrader raises RuntimeError, ValueError and its own
                # CheckCellMetadata hides the reason behind "may be corrupted".
                raise AssignmentError(f"{path}: nbgrader refuses it: {error.__context__ or error}") from error
    return notebook


def _cell(path: Path, inner: NotebookNode, outer: NotebookNode) -> Cell:
    grading = inner.metadata.get("nbgrader", {})
    identifier = grading.get("grade_id", inner.id)
    kind = _kind(path, identifier, inner, grading)
    cell = Cell(
        id=identifier,
        cell_id=inner.id,
        kind=kind,
        cell_type=inner.cell_type,
        source=inner.source,
        visible_source=outer.source,
        points=grading.get("points", 0) if grading.get("grade") else 0,
        metadata=outer.metadata,
    )
    if kind == "test":
        for half in (cell.visible_half, cell.hidden_source):
            try:
                ast.parse(half)
            except SyntaxError as error:
                raise AssignmentError(
                    f"{path}, cell {identifier}: line {error.lineno} is no Python: {error.msg}. "
                    "The hidden tests and what stands before them must be whole statements of their own."
                ) from None
    if cell.graded and not cell.points > 0:
        raise AssignmentError(f"{path}, cell {identifier} is graded: give it points above 0.")
    return cell


def _kind(path: Path, identifier: str, cell: NotebookNode, grading: dict[str, Any]) -> str:
    grade, solution, locked = (bool(grading.get(key)) for key in ("grade", "solution", "locked"))
    where = f"{path}, cell {identifier}"
    if grading.get("task"):
        raise AssignmentError(f"{where}: task cells are not supported. Use grade: true with solution: true.")
    if grade and solution:
        return "manual"
    if cell.cell_type != "code":
        return "text"
    if grade or solution:
        return "test" if grade else "answer"
    of_nbgrader = path.suffix == ".ipynb"
    if not locked:
        return "answer" if of_nbgrader and _is_python(cell.source) else "scratch"
    kind = cell.metadata.get("convbook", {}).get("kind", "helper" if of_nbgrader else "")
    if kind not in ("helper", "driver"):
        raise AssignmentError(f"{where} is locked code: say what it is with convbook: {{kind: helper}} or driver.")
    return str(kind)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:  # a magic or a shell command
        return False
    return True


def _node(cell: Cell) -> NotebookNode:
    node = NotebookNode(
        id=cell.cell_id, cell_type=cell.cell_type, metadata=copy.deepcopy(cell.metadata), source=cell.visible_source
    )
    if cell.cell_type == "code":
        node.update(execution_count=None, outputs=[])
    return node
