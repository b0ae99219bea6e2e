"""A class that never was: submissions made from the solutions and the catalogue of mistakes.

What honest classes hand in, right and wrong, in the formats in which tools save it, and what some hand in instead of
a notebook. Always the same files for the same assignment, so a graded sample can be kept.
"""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignment import Assignment, Cell
from autograder.files import write_if_changed
from autograder.submission import with_answers
from autograder.verify import Catalogue

_MARKS = re.compile(r"^.*### (?:BEGIN|END) SOLUTION.*\n?", re.MULTILINE)


def write_sample(assignment: Assignment, out: Path) -> list[str]:
    """Write OUT/STUDENT/NAME/… for every student of the sample class; returns their names."""
    students = _Class(assignment).students()
    for student, (file, text) in students.items():
        write_if_changed(out / student / assignment.name / file, text)
    return list(students)


class _Class:
    """The sample class of one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._catalogue = Catalogue.load(assignment)
        self._answers = [cell for cell in assignment.cells if cell.kind in ("answer", "manual")]
        self._right = {cell.id: _MARKS.sub("", cell.source).rstrip("\n") for cell in self._answers}

    def students(self) -> dict[str, tuple[str, str]]:
        """File name and content by student."""
        name = f"{self._assignment.name}.ipynb"
        first, last = self._code()[0], self._code()[-1]
        whole = nbformat.writes(self._notebook())
        students = {
            "ada": (name, whole),
            "emmy": (name, nbformat.writes(self._notebook(self._alternatives(0)))),
            "alan": (name, nbformat.writes(self._notebook(self._alternatives(1)))),
            "blaise": (name, nbformat.writes(self._assignment.notebook())),
            "carl": (name, nbformat.writes(self._notebook({last.id: last.visible_source}))),
            "dorothy": (name, nbformat.writes(self._notebook({first.id: _broken(self._right[first.id])}))),
            "edsger": (name, nbformat.writes(self._notebook({last.id: _endless(last)}))),
            "frances": (name, _with(self._notebook(), _colab)),
            "grace": (name, _with(self._notebook(self._alternatives(0)), _vscode)),
            "hedy": (f"{self._assignment.name}-Copy1.ipynb", whole),
            "ida": (name, _with(self._notebook(), _stripped)),
            "joan": (name, nbformat.writes(self._chatty())),
            "kurt": (name, whole[: len(whole) * 2 // 3]),
            "lise": (name, nbformat.writes(_other())),
            "maria": (name, nbformat.writes(self._notebook(self._mistakes(0)))),
        }
        names = iter(("niels", "olga", "paul", "rosalind", "srinivasa", "tycho", "ursula", "vera", "william"))
        for question in self._code():
            mistakes = [each for each in self._catalogue.mistakes if each.question == question.id]
            # The last one is the subtlest by habit: the one that passes a part or the visible tests.
            for mistake in mistakes[-1:]:
                student = next(names, None)
                if student:
                    students[student] = (name, nbformat.writes(self._notebook({question.id: mistake.source})))
        return students

    def _code(self) -> list[Cell]:
        return [cell for cell in self._answers if cell.kind == "answer"]

    def _notebook(self, other: dict[str, str] | None = None) -> NotebookNode:
        """The notebook with right answers, save for those in `other`."""
        return with_answers(self._assignment, {**self._right, **(other or {})})

    def _alternatives(self, number: int) -> dict[str, str]:
        """For each question its alternative of this number (or its last)."""
        found: dict[str, list[str]] = {}
        for each in self._catalogue.alternatives:
            found.setdefault(each.question, []).append(each.source)
        return {question: sources[min(number, len(sources) - 1)] for question, sources in found.items()}

    def _mistakes(self, number: int) -> dict[str, str]:
        """For each question its mistake of this number (or its last)."""
        found: dict[str, list[str]] = {}
        for each in self._catalogue.mistakes:
            found.setdefault(each.question, []).append(each.source)
        return {question: sources[min(number, len(sources) - 1)] for question, sources in found.items()}

    def _chatty(self) -> NotebookNode:
        """A right notebook with cells of its own that print, warn and keep notes between ours."""
        notebook = self._notebook()
        notes = "My notes: été, 東京, 🙂. <b>Ask about padding!</b>"
        warn = "import sys\nimport warnings\n\nwarnings.warn('only a warning')\nprint('progress 100%', file=sys.stderr)"
        for place in range(len(notebook.cells), 1, -4):
            notebook.cells.insert(place, new_code_cell("print('so far so good')", id=f"own-{place}"))
        notebook.cells.insert(2, new_code_cell(warn, id="own-warning"))
        notebook.cells.insert(2, new_markdown_cell(notes, id="own-notes"))
        return notebook


def _broken(source: str) -> str:
    """The answer as it stands when the bell rings: a parenthesis short."""
    return source + "\nprint(("


def _endless(cell: Cell) -> str:
    """An answer that loops for ever when it is called, or at once where it defines no function."""
    match = re.search(r"^def (\w+)\(", cell.visible_source, re.MULTILINE)
    loop = "while True:\n    pass"
    return loop if not match else f"def {match[1]}(*args, **kwargs):\n    while True:\n        pass"


def _with(notebook: NotebookNode, change: Callable[[NotebookNode], None]) -> str:
    notebook = copy.deepcopy(notebook)
    change(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _colab(notebook: NotebookNode) -> None:
    """As Colab saves: format 4.0, cell ids moved into metadata, its own keys, another kernel."""
    notebook.nbformat_minor = 0
    notebook.metadata = NotebookNode(
        colab={"provenance": [], "toc_visible": True},
        kernelspec={"name": "python3", "display_name": "Python 3"},
        language_info={"name": "python"},
        accelerator="GPU",
    )
    for cell in notebook.cells:
        cell.metadata = NotebookNode({**cell.metadata, "id": cell.pop("id")})
        if cell.cell_type == "code":
            cell.metadata["outputId"] = "3c1e0f6a-7f0e-4c56-9f5d-2f3e0d9d7a11"
            cell.metadata["colab"] = {"base_uri": "https://localhost:8080/"}


def _vscode(notebook: NotebookNode) -> None:
    """As VS Code saves: a kernel of the user's own, full language information, sources as lists of lines."""
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": ".venv", "language": "python", "name": "python3"},
        language_info={"name": "python", "version": "3.12.4", "file_extension": ".py", "nbconvert_exporter": "python"},
    )
    for number, cell in enumerate(notebook.cells):
        cell.source = cell.source.splitlines(keepends=True)
        if cell.cell_type == "code":
            cell.metadata = NotebookNode({**cell.metadata, "vscode": {"languageId": "python"}})
            cell.execution_count = number + 1


def _stripped(notebook: NotebookNode) -> None:
    """As converters leave it: no cell ids and no metadata at all."""
    notebook.nbformat_minor = 4
    notebook.metadata = NotebookNode()
    for cell in notebook.cells:
        del cell["id"]
        cell.metadata = NotebookNode()


def _other() -> NotebookNode:
    """A notebook of another assignment."""
    grading = {
        "grade": False,
        "grade_id": "volume",
        "locked": False,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    answer = new_code_cell("def volume(r):\n    return 4.19 * r**3", id="spheres-01", metadata={"nbgrader": grading})
    return new_notebook(cells=[new_markdown_cell("# Spheres", id="spheres-00"), answer])
