"""An ordinary nbgrader course in a folder, with our two lines in its configuration, and a class that hands in."""

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

# nbgrader runs alembic by name, as an activated environment has it.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

FIXTURES = Path(__file__).parent / "fixtures"
TWO_LINES = """\
c = get_config()
c.Autograde.sanitize_preprocessors = ["autograder.plugins.Rebuild"]
c.Autograde.autograde_preprocessors = ["autograder.plugins.Verdicts"]
"""
INERT_PAGES = """\
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "autograder.plugins.inert_markdown"}
"""
THIRD_LINE = 'c.Autograde.exporter_class = "autograder.plugins.AnyFile"\n'

RIGHT = {
    "word-counts": "import re\n\ndef word_counts(text):\n    return dict(Counter(re.findall('[a-z]+', text.lower())))",
    "shelf": """\
class Shelf:
    def __init__(self):
        self.titles = []

    def add(self, title, count=1):
        self.titles.extend([title] * count)

    def take(self, title):
        if title not in self.titles:
            raise Unknown(title)
        self.titles.remove(title)

    def total(self):
        return len(self.titles)""",
    "why": "A class keeps the rules beside the data.",
    "vowels": "def vowels(text):\n    return len([each for each in text if each in 'aeiou'])",
    "sort": "def sort(values):\n    values[:] = sorted(values)",
}
"""Right answers, and not those of the solutions."""

FORGED = """\
import sys
class Yes(dict):
    def __eq__(self, other): return True
    def __getitem__(self, key): return 2
    def __missing__(self, key): return 2
    def values(self): return [6]
    __hash__ = None
def word_counts(text): return Yes()
get_ipython().input_transformers_post.append(lambda lines: [line for line in lines if "assert" not in line])
sys.displayhook = lambda value: None
sys.excepthook = lambda *_: None
get_ipython().showtraceback = lambda *_, **__: None"""


class NbgraderCourse:
    """A course folder as nbgrader has it."""

    def __init__(self, root: Path, fixture: str, *assignments: str) -> None:
        self.root = root
        shutil.copytree(FIXTURES / fixture, root)
        self.configure(TWO_LINES)
        for name in assignments:
            made = self.api().generate_assignment(name)
            assert made["success"], made

    def configure(self, text: str) -> None:
        (self.root / "nbgrader_config.py").write_text(text)

    def api(self, **verdicts: str) -> NbGraderAPI:
        """nbgrader in this process, with this folder's configuration and traits of `Verdicts` besides."""
        config = Config()
        text = (self.root / "nbgrader_config.py").read_text()
        exec(text, {"get_config": lambda: config})
        config.CourseDirectory.root = str(self.root)
        config.Verdicts.update(verdicts)
        return NbGraderAPI(config=config)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """nbgrader's own command line."""
        command = [sys.executable, "-W", "ignore", "-m", "nbgrader", *words]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=300, check=False)

    def notebook(self, name: str, answers: Mapping[str, str], file: str = "") -> NotebookNode:
        """The released notebook with answers filled in by grade_id."""
        notebook = nbformat.read(self.root / "release" / name / f"{file or name}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        return notebook

    def hand_in(
        self, student: str, name: str, work: Mapping[str, str] | bytes | NotebookNode, file: str = "", stamp: str = ""
    ) -> Path:
        """Put a notebook, or any bytes, where nbgrader looks for what was handed in."""
        path = self.root / "submitted" / student / name / f"{file or name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(work, bytes):
            path.write_bytes(work)
        else:
            notebook = work if isinstance(work, NotebookNode) else self.notebook(name, work, file)
            path.write_text(json.dumps(notebook), encoding="utf-8")
        if stamp:
            (path.parent / "timestamp.txt").write_text(stamp)
        return path

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.root / 'gradebook.db'}")

    def points(self, name: str, student: str, file: str = "") -> dict[str, float | None]:
        """A student's points by cell, as the gradebook has them; None where a human has to mark."""
        with self.gradebook() as book:
            notebook = book.find_submission_notebook(file or name, name, student)
            return {grade.cell.name: None if grade.needs_manual_grade else grade.score for grade in notebook.grades}

    def comments(self, name: str, student: str) -> str:
        with self.gradebook() as book:
            notebook = book.find_submission_notebook(name, name, student)
            return "\n".join(comment.comment or "" for comment in notebook.comments)

    def record(self, name: str, student: str, file: str = "") -> NotebookNode:
        path = self.root / "autograded" / student / name / f"{file or name}.ipynb"
        return nbformat.read(path, as_version=4)


def changed(notebook: NotebookNode, change: Callable[[Any], object]) -> NotebookNode:
    """A copy of a notebook that was changed."""
    notebook = copy.deepcopy(notebook)
    change(notebook)
    return notebook


def duplicate(notebook: NotebookNode) -> None:
    """Hand every cell of nbgrader's in twice, the second time with nothing in it."""
    for cell in [cell for cell in notebook.cells if "nbgrader" in cell.metadata]:
        notebook.cells.append(new_code_cell("", metadata=copy.deepcopy(cell.metadata)))
        del notebook.cells[-1]["id"]


def other_schemas(notebook: NotebookNode) -> None:
    """Versions of nbgrader's metadata that stop a whole class in stock nbgrader."""
    for number, cell in enumerate(cell for cell in notebook.cells if "nbgrader" in cell.metadata):
        cell.metadata["nbgrader"]["schema_version"] = (1, 99, "three", None)[number % 4]
