"""The same test cell, the same verdict: under stock nbgrader and from the judge, for every known answer.

Stock nbgrader's kernel is JupyterLab's: ipykernel running the notebook from top to bottom in one process. So one run
proves both; `autograder verify` compares the judge with the direct mode, on many more draws.

The entries of the catalogue are graded in as few notebooks as will hold them: the n-th notebook has the n-th entry of
every question, since questions do not depend on one another. Draws are the practice draws, as in JupyterLab.
"""

from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest

from autograder.assignment import Assignment, names
from autograder.direct import imports
from autograder.judged import JudgeExecutor
from autograder.submission import rebuild, with_answers
from autograder.verify import Catalogue, Check, checks
from convbook.check import PRACTICE_KEY
from tests.solutions import stock

ROOT = Path(__file__).resolve().parents[2]
TORCHY = ROOT / "tests" / "autograder" / "fixtures" / "torchy"
ASSIGNMENTS = [*((ROOT, name) for name in names(ROOT)), (TORCHY, "torchy")]

#: Where stock nbgrader gives something else: (assignment, entry, part) to its points and the reason.
DIFFERENCES: dict[tuple[str, str, str], tuple[float, str]] = {}


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
    right = {cell.id: cell.source for cell in assignment.cells if cell.kind == "answer"}
    everything = checks(assignment, Catalogue.load(assignment))
    rows = notebooks(assignment, everything)
    handed = {}
    for student, row in rows.items():
        answers = {} if row[0].blank else right
        for check in row:
            answers = answers | check.answers
        handed[student] = with_answers(assignment, answers)

    with stock.warm(tmp_path, imports(assignment)) as environment:
        by_stock = stock.points(assignment, handed, tmp_path / "course", environment)
    with JudgeExecutor("none") as judge:
        by_judge = {}
        for student, notebook in handed.items():
            run = judge.run(assignment, rebuild(assignment, student, nbformat.writes(notebook).encode()), PRACTICE_KEY)
            assert not run.status, run.message
            by_judge[student] = {part: verdict.points for part, verdict in run.verdicts.items()}

    compared = 0
    different = {}
    for student, row in rows.items():
        for check in row:
            for part, points in check.points.items():
                compared += 1
                assert by_judge[student][part] == points, (check.name, part)
                if by_stock[student][part] != points:
                    different[name, check.name, part] = by_stock[student][part]
    wanted = {key: points for key, (points, _) in DIFFERENCES.items() if key[0] == name}
    assert different == wanted
    assert compared >= len(everything)
