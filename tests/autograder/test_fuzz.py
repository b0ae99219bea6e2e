"""Some hundreds of mutated notebooks, and that the fuzz would notice; the long run is `fuzz_notebooks.py`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder import probe
from autograder.assignment import Assignment
from autograder.direct import DirectExecutor
from autograder.grade import Handed, Result, grade
from autograder.judged import JudgeExecutor
from tests.autograder import fuzz_notebooks as fuzz
from tests.autograder.mutated_notebooks import LEVELS, Case, bases, make

SEED, COUNT = 1, 320
CASES = [make(SEED, number) for number in range(COUNT)]


def test_mutated_notebooks_end_with_a_valid_result(tiny: Assignment, direct: DirectExecutor) -> None:
    cases = [case for case in CASES if not fuzz.is_judged(case)]
    assert [line for case in cases for line in fuzz.check_alone(tiny, case, direct)] == []


def test_a_class_of_mutated_notebooks_leaves_what_is_promised(tiny: Assignment, tmp_path: Path) -> None:
    cases = [case for case in CASES if fuzz.is_judged(case)]
    assert len(cases) >= 60
    with JudgeExecutor(probe.choose(None)) as judge:
        assert fuzz.check_class(tiny, cases, judge, tmp_path, jobs=2) == []


def test_a_case_is_made_from_its_number_alone() -> None:
    assert make(SEED, 7).data == CASES[7].data != make(SEED + 1, 7).data
    assert {case.level for case in CASES} == set(LEVELS)
    assert {case.base.name for case in CASES} == {base.name for base in bases()}


def test_notebooks_earn_what_is_said_before_they_are_mutated(tiny: Assignment, direct: DirectExecutor) -> None:
    for number, base in enumerate(bases()):
        case = Case(number, "locked", base, json.dumps(base.document).encode())
        assert fuzz.check_alone(tiny, case, direct) == []


def part(result: Result, number: int, **changes: Any) -> Result:
    cells = list(result.cells)
    cells[number] = replace(cells[number], **changes)
    return replace(result, cells=tuple(cells), score=sum(cell.points for cell in cells))


WRONG: dict[str, tuple[Callable[[Result], Result], str]] = {
    "another score": (lambda result: replace(result, score=9), "which its parts do not give"),
    "not a number": (lambda result: replace(result, seconds=float("inf")), "a number that is none"),
    "another word": (lambda result: replace(result, status="odd"), "a status that is none"),
    "nothing said": (lambda result: replace(result, message=""), "no message"),
    "nothing said of a part": (lambda result: part(result, 0, message=""), "says nothing"),
    "a part missing": (lambda result: replace(result, cells=result.cells[1:]), "not those of the assignment"),
    "a part won": (lambda result: part(result, 0, points=2), "more than before"),
    "a part lost": (lambda result: part(result, 2, points=0, message="x"), "only cells of ours were touched"),
    "more than all": (lambda result: part(result, 2, points=5), "5 of 4 points"),
}


@pytest.fixture(scope="module")
def half(tiny: Assignment, direct: DirectExecutor) -> tuple[Case, Result, Any]:
    base = next(base for base in bases() if base.name == "half")
    case = Case(0, "locked", base, json.dumps(base.document).encode())
    return case, *grade(tiny, Handed(case.student, case.data), direct, None)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_result_is_noticed(tiny: Assignment, half: tuple[Case, Result, Any], name: str) -> None:
    case, result, _ = half
    spoil, words = WRONG[name]
    assert any(words in problem for problem in fuzz.result_problems(tiny, case, spoil(result)))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"points": 4', '"points": 5', "nbgrader reads"),
        ("check_equal(double(3), 6", "check_equal(6, 6", "text of double-numbers"),
        ('"points": 4', '"points": 5', "metadata of mean-test"),
        ("tiny-02", "tiny-52", "our cells in order"),
        ("Two small questions", "check.draws", "hidden tests show"),
    ],
)
def test_a_notebook_that_says_otherwise_is_noticed(
    tiny: Assignment, half: tuple[Case, Result, Any], before: str, after: str, words: str
) -> None:
    case, result, notebook = half
    text = json.dumps(notebook)
    assert before in text
    changed = nbformat.from_dict(json.loads(text.replace(before, after)))
    assert any(words in problem for problem in fuzz.notebook_problems(tiny, case, result, changed))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Score: <script>", "script"),
        ("Score: <p onclick=x>", "onclick"),
        ("Score: <a href='JavaScript:x'>", "href"),
        ("plain", "could not be made"),
        ("Score: \x1b", "control characters"),
        ("Score: check.draws", "hidden tests show"),
    ],
)
def test_a_page_with_something_alive_in_it_is_noticed(half: tuple[Case, Result, Any], body: str, words: str) -> None:
    assert words in " ".join(fuzz.page_problems(half[0], f"<head></head><body>{body}</body>"))
