"""Student notebooks from `solutions/`: byte-identical on every run, nothing of the solution left."""

from pathlib import Path

import nbformat

from autograder.assignment import Assignment
from autograder.errors import AssignmentError
from autograder.files import write_if_changed

SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def student_notebook(assignment: Assignment) -> str:
    """The released notebook as text.

    Raises:
        AssignmentError: a mark of a solution or of hidden tests is still there, or it is no valid notebook.
    """
    notebook = assignment.notebook()
    text = nbformat.writes(notebook)
    left = [mark for mark in SECRETS if mark in text]
    if left:
        raise AssignmentError(f"{assignment.name}: '{left[0]}' would reach the students. Check that cell's marks.")
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise AssignmentError(f"{assignment.name} would be no valid notebook: {error.message}") from None
    return text.rstrip("\n") + "\n"


def release(assignment: Assignment, folder: Path) -> tuple[Path, bool]:
    """Write FOLDER/NAME/NAME.ipynb; returns the path and whether it changed."""
    path = folder / assignment.name / f"{assignment.name}.ipynb"
    return path, write_if_changed(path, student_notebook(assignment))
