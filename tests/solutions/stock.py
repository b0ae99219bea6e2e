"""Stock nbgrader on notebooks of an assignment: its own course, commands, converters, preprocessors and gradebook."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder import stock
from autograder.assignment import Assignment
from autograder.zygote import SINGLE_THREAD
from tests.solutions import warm_kernel

#: Of the kernels: far more than any catalogued answer takes.
CELL_SECONDS = 120


@contextmanager
def warm(folder: Path, modules: list[str]) -> Iterator[dict[str, str]]:
    """The environment in which the kernel `python3` is forked warm."""
    address = folder / "kernels"
    warm_kernel.kernelspec(folder / "jupyter", address)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "CONVBOOK_DRAWS_KEY"},
        **SINGLE_THREAD,
        "HOME": str(folder),
        "JUPYTER_PATH": str(folder / "jupyter"),
    }
    command = [sys.executable, warm_kernel.__file__, "serve", str(address), *modules]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield environment
        finally:
            server.kill()


@dataclass(frozen=True)
class Part:
    """A test cell of one submission.

    Attributes:
        points: what nbgrader gives for it.
        raised: whether the kernel stopped it with an exception, which is what somebody in JupyterLab sees.
    """

    points: float
    raised: bool


def autograded(
    assignment: Assignment, submissions: Mapping[str, NotebookNode], folder: Path, environment: dict[str, str]
) -> dict[str, dict[str, Part]]:
    """What `nbgrader autograde` makes of each student's test cells, by student and part."""
    name = assignment.name
    stock.write_course(assignment, folder, CELL_SECONDS, environment)
    with (folder / "nbgrader_config.py").open("a") as config:  # what a kernel does after its last cell counts nowhere
        config.write("c.ExecutePreprocessor.shutdown_kernel = 'immediate'\n")
    for student, notebook in submissions.items():
        path = folder / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    stock.run(folder, "autograde", name, "--create", environment=environment)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "stock") as gradebook:
        return {student: dict(_parts(gradebook, name, student, folder)) for student in submissions}


def _parts(gradebook: Gradebook, name: str, student: str, folder: Path) -> Iterator[tuple[str, Part]]:
    notebook = nbformat.read(folder / "autograded" / student / name / f"{name}.ipynb", nbformat.NO_CONVERT)
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("grade") and not grading["solution"]:
            grade = gradebook.find_grade(grading["grade_id"], name, name, student)
            raised = any(output.output_type == "error" for output in cell.outputs)
            yield grading["grade_id"], Part(grade.auto_score, raised)
