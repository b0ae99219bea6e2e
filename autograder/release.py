"""Student notebooks from `solutions/`: byte-identical on every run, nothing of the solution left."""

from pathlib import Path

import nbformat

from autograder.assignment import Assignment
from autograder.errors import AssignmentError
from autograder.files import write_if_changed
from autograder.lint import Finding, lint

SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def findings(assignment: Assignment) -> list[Finding]:
    """What the rules for tests say; nothing of tests that run in the kernel, where no proxy is in the way."""
    if assignment.settings.engine != "judge":
        return []
    source = assignment.root / "solutions" / assignment.name / "assignment.md"
    return lint(str(source.relative_to(assignment.root)), assignment.cells)


def student_notebook(assignment: Assignment) -> str:
    """The released notebook as text.

    Raises:
        AssignmentError: a test breaks a rule, a mark of a solution or of hidden tests is still there, or it is no
            valid notebook.
    """
    broken = [str(finding) for finding in findings(assignment) if finding.severity == "error"]
    if broken:
        raise AssignmentError("\n".join(("These tests would not mean the same everywhere:", *broken)))
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
