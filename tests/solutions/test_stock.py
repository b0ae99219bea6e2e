"""The same test cell, the same verdict: in a plain kernel, under stock nbgrader and from the judge.

Stock nbgrader's kernel is JupyterLab's: ipykernel running the notebook from top to bottom in one process. So one run
shows both: whether a test raised, and the points that nbgrader makes of its outputs. `autograder verify` compares the
judge with the direct mode, on many more draws.

The entries of the catalogue are graded in as few notebooks as will hold them: the n-th notebook has the n-th entry of
every question, since questions do not depend on one another. Draws are the practice draws, as in JupyterLab.
"""

from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest

from autograder.assignment import Assignment, names
from autograder.direct import imports
from autograder.judged import JudgeExecutor
from autograder.submission import rebuild, with_answers
from autograder.verify import Catalogue, Check, checks
from convbook.catalogue import Alternative
from convbook.check import PRACTICE_KEY
from tests.solutions import stock

ROOT = Path(__file__).resolve().parents[2]
TORCHY = ROOT / "tests" / "autograder" / "fixtures" / "torchy"
ASSIGNMENTS = [*((ROOT, name) for name in names(ROOT)), (TORCHY, "torchy")]

WARNS = Alternative(
    "output-size",
    "warns when it is called",
    """
import warnings


def output_size(n, k, stride=1, padding=0, dilation=1):
    warnings.warn("not tested for pixels of other planets", stacklevel=1)
    if padding == "same":
        return -(-n // stride)
    room = (n if padding == "valid" else n + 2 * padding) - dilation * (k - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


def same_padding(n, k, stride=1, dilation=1):
    total = max((n - 1) // stride * stride + dilation * (k - 1) + 1 - n, 0)
    return total // 2, total - total // 2
""",
)
#: Answers beside those of the catalogues, by assignment.
MORE = {"01-convolution": (WARNS,)}
#: Where stock nbgrader gives other points than a plain kernel and the judge, by assignment, check and part; and why.
DIFFERENCES = {
    ("01-convolution", "alternative: warns when it is called", part): (0, "nbgrader takes stderr for a failure.")
    for part in ("output-size-test", "output-size-dilation-test", "output-size-same-test")
}


def notebooks(assignment: Assignment, everything: list[Check]) -> dict[str, list[Check]]:
    """Which checks share a notebook, by a name for the student who hands it in."""
    whole = [check for check in everything if not check.question]
    by_question: dict[str, list[Check]] = {}
    for check in everything:
        if check.question:
            by_question.setdefault(check.question, []).append(check)
    shared = [[check for check in row if check] for row in zip_longest(*by_question.values())]
    return {f"student-{number:02d}": row for number, row in enumerate([[check] for check in whole] + shared)}


@pytest.mark.parametrize(("root", "name"), ASSIGNMENTS, ids=[name for _, name in ASSIGNMENTS])
def test_stock_nbgrader_and_the_judge_give_every_known_answer_the_same_points(
    root: Path, name: str, tmp_path: Path
) -> None:
    assignment = Assignment.load(root, name)
    right = assignment.reference
    catalogue = Catalogue.load(assignment)
    catalogue = replace(catalogue, alternatives=(*catalogue.alternatives, *MORE.get(name, ())))
    everything = checks(assignment, catalogue)
    rows = notebooks(assignment, everything)
    handed = {}
    for student, row in rows.items():
        answers = {} if row[0].blank else right
        for check in row:
            answers = answers | check.answers
        handed[student] = with_answers(assignment, answers)

    with stock.warm(tmp_path, imports(assignment)) as environment:
        by_stock = stock.autograded(assignment, handed, tmp_path / "course", environment)
    with JudgeExecutor("none") as judge:
        by_judge = {}
        for student, notebook in handed.items():
            run = judge.run(assignment, rebuild(assignment, student, nbformat.writes(notebook).encode()), PRACTICE_KEY)
            assert not run.status, run.message
            by_judge[student] = {part: verdict.points for part, verdict in run.verdicts.items()}

    different = {}
    for student, row in rows.items():
        for check in row:
            for part, points in check.points.items():
                by_nbgrader = by_stock[student][part]
                assert by_judge[student][part] == points, (check.name, part)
                assert by_nbgrader.raised == (points == 0), (check.name, part)
                if by_nbgrader.points != points:
                    different[name, check.name, part] = by_nbgrader.points
    assert different == {key: points for key, (points, _) in DIFFERENCES.items() if key[0] == name}
