"""Stock nbgrader on our assignments: a course of its own, made from the same source."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat

from autograder.assignment import Assignment
from autograder.errors import EngineError


def write_course(
    assignment: Assignment, folder: Path, cell_seconds: int, environment: dict[str, str] | None = None
) -> None:
    """An nbgrader course in `folder`, its assignment released; submissions go to submitted/STUDENT/NAME/.

    Args:
        assignment: what is graded.
        folder: an empty folder.
        cell_seconds: the limit of a cell.
        environment: of nbgrader; None: ours.

    Raises:
        EngineError: nbgrader refuses the assignment.
    """
    name = assignment.name
    source = assignment.notebook()
    for node, cell in zip(source.cells, assignment.cells, strict=True):
        node.source = cell.source
    path = folder / "source" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source, path)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'stock'\nc.ExecutePreprocessor.timeout = {cell_seconds}\n"
    )
    run(folder, "generate_assignment", name, "--create", environment=environment)


def run(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run an nbgrader command in a course.

    Raises:
        EngineError: it failed; with the end of what it said.
    """
    environment = with_programs(os.environ if environment is None else environment)
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise EngineError(f"nbgrader {' '.join(arguments)} failed: {done.stderr[-2000:]}")


def with_programs(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with our Python's folder first in PATH: nbgrader runs alembic by name."""
    return {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"}
