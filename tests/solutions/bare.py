"""An assignment without the autograder and without nbgrader: its cells, run one after another in this process."""

import ast
import os
import re
import symtable
from collections.abc import Iterator
from contextlib import contextmanager

import jupytext

from convbook import check
from tests.loading import ROOT, load

HIDDEN = "### BEGIN HIDDEN TESTS\n"


class Notebook:
    """The instructor's notebook of an assignment, and its catalogue.

    Attributes:
        name: the assignment's.
        text: all of its Markdown.
        answers: source by answer id.
        tests: source by part.
        points: what each part is worth.
        stubs: what the release makes of each answer.
        catalogue: the module mistakes.py.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        folder = ROOT / "solutions" / name
        cells = jupytext.read(folder / "assignment.md", fmt="md:myst").cells
        self.text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        self._cells = [(cell.source, cell.metadata["nbgrader"]) for cell in cells if cell.cell_type == "code"]
        self.answers = {grading["grade_id"]: source for source, grading in self._cells if grading["solution"]}
        self.tests = {grading["grade_id"]: source for source, grading in self._cells if grading["grade"]}
        self.points = {grading["grade_id"]: grading["points"] for _, grading in self._cells if grading["grade"]}
        self.stubs = {name: _stub(source) for name, source in self.answers.items()}
        self.catalogue = load(folder / "mistakes.py")

    def run(self, seed: int, **answers: str) -> dict[str, tuple[float, str]]:
        """Points and message by part, for the notebook with some answers replaced."""
        namespace: dict[str, object] = {"__name__": "__main__"}
        found = {}
        with _draws(seed):
            for source, grading in self._cells:
                name = grading["grade_id"]
                if grading["grade"]:
                    message = _failure(source, namespace)
                    found[name] = (0 if message else grading["points"], message)
                else:
                    exec(compile(answers.get(name, source), name, "exec"), namespace)
        return found

    def parts_of(self, question: str) -> set[str]:
        """The test cells between this answer cell and the next."""
        order = [grading["grade_id"] for _, grading in self._cells if grading["grade"] or grading["solution"]]
        following = order[order.index(question) + 1 :]
        end = next((place for place, name in enumerate(following) if name in self.answers), len(following))
        return set(following[:end])

    def namespace(self) -> dict[str, object]:
        """What stands in the notebook's namespace behind the helpers and the solutions."""
        found: dict[str, object] = {}
        for source, grading in self._cells:
            if not grading["grade"]:
                exec(source, found)
        return found


def points(found: dict[str, tuple[float, str]]) -> dict[str, float]:
    """The points alone of what `Notebook.run` returns."""
    return {name: score for name, (score, _) in found.items()}


def bound(source: str) -> set[str]:
    """The global names that a cell binds."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported() or each.is_namespace()}


def hints(source: str) -> list[ast.expr | None]:
    """The `hint=` of every check in a cell, None where a check has none."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    calls = [node for node in calls if ast.unparse(node.func).startswith(("check.check_", "check.raises"))]
    return [next((each.value for each in node.keywords if each.arg == "hint"), None) for node in calls]


def _stub(source: str) -> str:
    return re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "raise NotImplementedError()", source, flags=re.DOTALL)


@contextmanager
def _draws(seed: int) -> Iterator[None]:
    before = os.environ.get("CONVBOOK_DRAWS_KEY")
    os.environ["CONVBOOK_DRAWS_KEY"] = f"{seed:064x}"
    try:
        yield
    finally:
        del os.environ["CONVBOOK_DRAWS_KEY"]
        if before is not None:
            os.environ["CONVBOOK_DRAWS_KEY"] = before


def _failure(source: str, namespace: dict[str, object]) -> str:
    """What the student reads of a test cell; nothing where it passes."""
    visible, hidden = source.split(HIDDEN)
    try:
        exec(visible, namespace)
    except Exception as error:
        return str(error) if isinstance(error, AssertionError) else f"Your code raised {type(error).__name__}: {error}"
    try:
        exec(hidden, namespace)
    except check.CheckFailed as error:
        return error.hint or "A hidden test failed."
    except Exception as error:
        return f"Your code raised {type(error).__name__} on an input of the hidden tests."
    return ""
