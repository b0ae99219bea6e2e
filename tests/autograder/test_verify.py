from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.direct import DirectExecutor
from autograder.errors import AssignmentError
from autograder.grade import Run
from autograder.submission import Submission
from autograder.verify import Catalogue, Problem, checks, verify


@pytest.fixture
def problems(direct: DirectExecutor) -> Callable[[Path], list[Problem]]:
    def run(course: Path) -> list[Problem]:
        assignment = Assignment.load(course, "tiny")
        return verify(assignment, checks(assignment, Catalogue.load(assignment)), [direct], seeds=2)

    return run


def change(course: Path, file: str, old: str, new: str) -> Path:
    path = course / "solutions" / "tiny" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return course


def test_the_fixture_course_verifies(course: Path, problems: Callable[[Path], list[Problem]]) -> None:
    assert problems(course) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "name", "words"),
    [
        ("mistakes.py", '-numbers": 2', '-numbers": 1', "mistake: flattens arrays", "gets 2 points, not 1"),
        ("mistakes.py", "do not square it", "do not cube it", "mistake: squares", "does not read 'do not cube it'"),
        ("mistakes.py", "return x + x", "return x", "alternative: adds", "gets 0 points, not 2"),
        ("assignment.md", "return 2 * x", "return 3 * x", "the reference solution", "gets 0 points, not 2"),
        ("assignment.md", "equal(double(n),", "equal(2 * n,", "mistake: knows the example", "gets 2 points, not 0"),
        ("assignment.md", "size=7", "size=3", "mistake: divides by three", "gets 4 points, not 0"),
    ],
)
def test_whatever_does_not_hold_is_found(
    course: Path, problems: Callable[[Path], list[Problem]], file: str, old: str, new: str, name: str, words: str
) -> None:
    found = problems(change(course, file, old, new))
    assert any(problem.check.name == name and words in problem.what for problem in found), found


def test_a_release_that_earns_points_is_found(course: Path, problems: Callable[[Path], list[Problem]]) -> None:
    change(course, "assignment.md", "check.check_close(mean([1, 2, 6]), 3.0", "check.check_close(3.0, 3.0")
    change(course, "assignment.md", "check.check_close(mean(values), expected", "check.check_close(expected, expected")
    assert [(each.check.name, each.what) for each in problems(course)] == [
        ("the released notebook", "mean-test gets 4 points, not 0 (direct, seed 0)"),
        ("mistake: divides by three", "mean-test gets 4 points, not 0 (direct, seed 0)"),
    ]


def test_modes_that_disagree_are_found_although_both_give_what_is_owed(
    tiny: Assignment, direct: DirectExecutor
) -> None:
    class Other:
        engine, sandbox = "other", "none"

        def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
            run = direct.run(assignment, submission, draws_key)
            slow = {id: replace(each, status="timeout") for id, each in run.verdicts.items() if each.status == "failed"}
            return replace(run, verdicts={**run.verdicts, **slow})

    mistake = next(each for each in checks(tiny, Catalogue.load(tiny)) if each.name == "mistake: divides by three")
    (problem,) = verify(tiny, [mistake], [direct, Other()], seeds=1)
    assert problem.what == ("mean-test gets 0 points (failed) in direct mode, but 0 (timeout) by other (seed 0)")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('question="mean"', 'question="median"', "names the question median"),
        ('points={"mean-test": 0}', 'points={"mean-test": 0, "x": 0}', "exactly these parts"),
        ('"double-arrays": 0', '"mean-test": 0', "exactly these parts"),
        ("MISTAKES = [", "MISTAKES = [1 / 0,", "does not run: ZeroDivisionError"),
        ("MISTAKES = [", 'SURVIVORS = [Survivor("median", "a", "b", "c")]\nMISTAKES = [', "names the question median"),
        ("MISTAKES = [", 'SURVIVORS = [Survivor("mean", "a", "b", "")]\nMISTAKES = [', "reason is ''. Give it a text"),
    ],
)
def test_a_catalogue_that_breaks_the_contract_is_refused(course: Path, old: str, new: str, words: str) -> None:
    change(course, "mistakes.py", "Alternative, Mistake", "Alternative, Mistake, Survivor")
    assignment = Assignment.load(change(course, "mistakes.py", old, new), "tiny")
    with pytest.raises(AssignmentError, match=words):
        Catalogue.load(assignment)


def test_a_missing_catalogue_is_said_so(course: Path) -> None:
    (course / "solutions" / "tiny" / "mistakes.py").unlink()
    with pytest.raises(AssignmentError, match="Declare MISTAKES"):
        Catalogue.load(Assignment.load(course, "tiny"))
