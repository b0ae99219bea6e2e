"""Honest submissions that graders often fail, graded once by `autograder grade` on assignment 01.

Owed to each: its full score, whatever tool saved it and however its code is written, and no word that accuses.
"""

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.assignment import Assignment
from autograder.cli import main
from autograder.submission import with_answers
from tests.autograder.engine import verdicts
from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]
HONEST = sorted(path.stem for path in (Path(__file__).parent / "honest").glob("*.py"))
NAME = "01-convolution"


#: Where a question asks for a number: the same one as all kinds of numbers, and off by nine tenths of the tolerance.
NUMBERS = {
    "double": ["x + x", "np.multiply(2, x)", "np.add(x, x, dtype=np.int32) if type(x) is int else np.add(x, x)"],
    "mean": [
        "float(sum(values)) / len(values)",
        "np.mean(values)",
        "np.array(values, dtype=np.float64).mean()",
        "__import__('torch').tensor(values, dtype=__import__('torch').float64).mean().item()",
        "__import__('statistics').fmean(reversed(values))",
        "sum(values) / len(values) * (1 + 0.9e-12)",
    ],
}


def handed_in(assignment: Assignment, honest: ModuleType) -> bytes:
    """The file of an honest student: the reference solution, with what the module changes of it."""
    right = assignment.reference

    def sources(name: str) -> dict[str, str]:
        given: dict[str, str] = getattr(honest, name, {})
        return {question: source.strip("\n").replace("@RIGHT@", right[question]) for question, source in given.items()}

    notebook = with_answers(assignment, right | sources("ANSWERS"))
    before, after = sources("BEFORE"), sources("AFTER")
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        question = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cells += [new_code_cell(before[question])] if question in before else []
        cells += [cell]
        cells += [new_code_cell(after[question])] if question in after else []
    notebook.cells = cells
    document = json.loads(json.dumps(notebook))
    if hasattr(honest, "change"):
        document = honest.change(document)
    return document if isinstance(document, bytes) else json.dumps(document).encode()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    course, folder, out = (tmp_path_factory.mktemp(name) for name in ("course", "submitted", "out"))
    shutil.copy(ROOT / "course.toml", course)
    shutil.copytree(ROOT / "solutions" / NAME, course / "solutions" / NAME)
    assignment = Assignment.load(course, NAME)
    for name in HONEST:
        path = folder / name / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(handed_in(assignment, load(f"tests/autograder/honest/{name}.py")))
    arguments = ["--course", str(course), "grade", NAME, "--submissions", str(folder), "--out", str(out), "--jobs", "2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return {each["student"]: each for each in json.loads((out / "results.json").read_text())["results"]}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_submission_scores_in_full(results: dict[str, dict[str, Any]], name: str) -> None:
    result = results[name]
    assert (result["score"], result["status"]) == (20, "passed"), result
    assert all(cell["status"] == "passed" for cell in result["cells"])


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_submission_is_flagged_only_for_what_a_human_may_want_to_see(
    results: dict[str, dict[str, Any]], name: str
) -> None:
    allowed = getattr(load(f"tests/autograder/honest/{name}.py"), "FLAGS", ())
    flags = results[name]["flags"]
    assert all(flag.startswith(allowed) for flag in flags) if allowed else not flags, flags
    assert all(any(flag.startswith(each) for flag in flags) for each in allowed), flags


@pytest.mark.parametrize(("question", "number"), [(each, number) for each in NUMBERS for number in NUMBERS[each]])
def test_any_kind_of_number_scores_where_a_number_is_asked_for(tiny: Assignment, question: str, number: str) -> None:
    name = {"double": "x", "mean": "values"}[question]
    runs = verdicts(tiny.cells, {question: f"def {question}({name}):\n    return {number}"})
    assert {id: run.status for id, run in runs.items()} == dict.fromkeys(runs, "passed"), runs


def test_everybody_has_a_result(results: dict[str, dict[str, Any]]) -> None:
    assert set(results) == set(HONEST)
    assert len(HONEST) >= 60


def test_each_says_what_its_student_did() -> None:
    said = {name: load(f"tests/autograder/honest/{name}.py").__doc__ or "" for name in HONEST}
    assert [name for name, text in said.items() if not text.strip().endswith(".")] == []
