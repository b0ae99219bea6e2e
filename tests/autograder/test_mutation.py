from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.direct import DirectExecutor
from autograder.mutation import Mutant, Score, mutants, mutation_score
from convbook.catalogue import Survivor


def answer(course: Path, solution: str) -> Assignment:
    path = course / "solutions" / "tiny" / "assignment.md"
    path.write_text(path.read_text().replace("    return 2 * x", solution))
    return Assignment.load(course, "tiny")


@pytest.mark.parametrize(
    ("solution", "changes"),
    [
        ("    return x + x", {"Sub for Add", "dropped: return x + x"}),
        ("    return x if x < 2 else 2", {"LtE for Lt", "3 for 2", "1 for 2"}),
        ("    return x if not (x is None) else True", {"not dropped", "IsNot for Is", "False for True"}),
        ("    return np.sum(x, axis=0)", {"another axis", "-1 for 0"}),
        ("    return max(x, 7.5)", {"arguments 1 and 2 swapped", "8.5 for 7.5", "6.5 for 7.5"}),
        ("    x += 1\n    return -x or x", {"Sub for Add", "UAdd for USub", "And for Or", "dropped: x += 1"}),
    ],
)
def test_each_kind_of_change_is_made(course: Path, solution: str, changes: set[str]) -> None:
    found = [mutant for mutant in mutants(answer(course, solution)) if mutant.question == "double"]
    assert changes <= {mutant.change for mutant in found}
    assert len({mutant.source for mutant in found}) == len(found)
    assert all("Twice x" in mutant.source for mutant in found)
    for mutant in found:
        compile(mutant.source, "<mutant>", "exec")


def test_lines_are_those_of_the_answer_cell(course: Path) -> None:
    found = mutants(answer(course, "    y = x\n    return y + y"))
    assert {mutant.number for mutant in found if mutant.change == "Sub for Add" and mutant.question == "double"} == {5}


def test_the_text_with_bugs_behind_a_solution_is_not_changed(course: Path) -> None:
    found = mutants(answer(course, "    if x is None:\n        return 0\n    return x + x\n    return x - 7"))
    changes = {(mutant.number, mutant.change) for mutant in found if mutant.question == "double"}
    assert {(4, "IsNot for Is"), (5, "1 for 0"), (6, "Sub for Add")} <= changes
    assert {number for number, _ in changes} == {4, 5, 6}
    assert not any("x - 7" in mutant.source for mutant in found)


def test_strict_tests_find_every_mutant(tiny: Assignment, direct: DirectExecutor) -> None:
    found = mutants(tiny)
    score = mutation_score(tiny, found, direct, seeds=2)
    assert score.mutants == len(found) >= 6
    assert score.survivors == ()
    assert score.share == 1


def test_lax_tests_are_found_out(course: Path, direct: DirectExecutor) -> None:
    path = course / "solutions" / "tiny" / "assignment.md"
    path.write_text(path.read_text().replace("size=7", "size=3"))
    assignment = answer(course, "    if x is None:\n        return 1\n    return 2 * x")
    score = mutation_score(assignment, mutants(assignment), direct, seeds=2)
    assert {(mutant.number, mutant.change) for mutant in score.survivors} == {
        (4, "dropped: if x is None:"),
        (5, "dropped: return 1"),
        (5, "2 for 1"),
        (5, "0 for 1"),
    }
    assert 0 < score.share < 1


def test_no_mutants_is_a_full_score() -> None:
    assert Score(0, ()).share == 1
    assert Score(0, ()).problems([]) == []


def test_a_mutant_knows_the_line_that_changed(course: Path) -> None:
    found = mutants(answer(course, "    if x is None:\n        x = 0\n    return 2 * x"))
    dropped = next(mutant for mutant in found if mutant.change == "dropped: if x is None:")
    assert (dropped.line, dropped.becomes) == ("if x is None:", "pass")
    assert str(dropped) == "double, line 4: if x is None: → pass"


SURVIVED = Mutant("double", 4, "arguments 1 and 2 swapped", "max(x, 0)", "max(0, x)", "")
ARGUED = Survivor("double", "max(x, 0)", "max(0, x)", reason="max is symmetric")


def test_a_survivor_is_a_problem_until_it_is_argued_for() -> None:
    score = Score(10, (SURVIVED,))
    assert score.problems([ARGUED]) == []
    (problem,) = score.problems([])
    assert problem.startswith("double, line 4: max(x, 0) → max(0, x) gets full points.")


def test_an_argument_for_a_change_that_does_not_survive_is_a_problem() -> None:
    (problem,) = Score(10, ()).problems([ARGUED])
    assert "no such change survives" in problem


def test_too_many_arguments_are_a_problem() -> None:
    more = replace(SURVIVED, line="max(x, 1)", becomes="max(1, x)")
    arguments = [ARGUED, Survivor("double", "max(x, 1)", "max(1, x)", reason="max is symmetric")]
    assert Score(20, (SURVIVED, more)).problems(arguments) == []
    (problem,) = Score(19, (SURVIVED, more)).problems(arguments)
    assert problem == "SURVIVORS argues for 2 of 19 changes; at most one in ten is allowed."
