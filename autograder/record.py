"""The autograded notebook: our verdicts written as the outputs that nbgrader reads.

nbgrader scores a test cell by its outputs: none is full points, an error is none, a lone number is that number. So
a verdict becomes exactly that, and nbgrader's own `determine_grade`, feedback and formgrader show our results
unchanged. Tests stand here with their visible half only: what nbgrader makes of this notebook goes to students.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.submission import Submission
from autograder.text import encodable

if TYPE_CHECKING:
    from autograder.grade import CellResult


def autograded(
    submission: Submission, outputs: Mapping[int, list[NotebookNode]], results: Mapping[str, "CellResult"]
) -> NotebookNode:
    """The rebuilt notebook with outputs: the student's as they were, the tests' from the verdicts."""
    notebook = submission.notebook
    for place, (node, cell) in enumerate(zip(notebook.cells, submission.cells, strict=True)):
        if node.cell_type != "code":
            continue
        if cell is not None and cell.kind == "test":
            node.outputs = _verdict(results[cell.id])
        else:
            node.outputs = encodable(outputs.get(place, []))
    return notebook


def _verdict(result: "CellResult") -> list[NotebookNode]:
    if result.points >= result.max_points:
        return []
    if result.points > 0:
        number = new_output("execute_result", {"text/plain": repr(result.points)}, execution_count=None)
        return [new_output("stream", name="stdout", text=result.message + "\n"), number]
    text = result.message or f"No points: {result.status}."
    return [new_output("error", ename=result.status, evalue=text, traceback=[f"{result.status}: {text}"])]
