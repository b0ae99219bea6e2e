import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nbformat.v4 import new_output
from nbgrader.utils import determine_grade

from autograder.assignment import Assignment
from autograder.course import LatePolicy
from autograder.direct import DirectExecutor
from autograder.grade import Handed, Mark, Result, Run, Verdict, draws_key, grade, with_marks
from autograder.record import autograded
from autograder.submission import Submission, with_answers


class Scripted:
    """An executor that says what it is told to."""

    engine, sandbox = "scripted", "none"

    def __init__(self, run: Run) -> None:
        self._run = run

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        return self._run


def handed(assignment: Assignment, answers: dict[str, str], **rest: Any) -> Handed:
    return Handed("ada", json.dumps(with_answers(assignment, answers)).encode(), **rest)


def statuses(result: Result) -> dict[str, str]:
    return {cell.id: cell.status for cell in result.cells}


def points(result: Result) -> list[float]:
    return [cell.points for cell in result.cells]


FULL = {
    "double-numbers": Verdict(2, "passed"),
    "double-arrays": Verdict(3, "passed"),
    "mean-test": Verdict(4, "passed"),
}


def test_a_right_notebook_gets_all_but_the_essay(
    tiny: Assignment, right: dict[str, str], direct: DirectExecutor
) -> None:
    result, notebook = grade(tiny, handed(tiny, {**right, "essay": "With outliers."}), direct, None)
    assert (result.score, result.max_score, result.status) == (9, 10, "needs-manual")
    assert statuses(result)["essay"] == "needs-manual"
    assert result.message == "3 of 4 parts passed. A human marks the rest."
    scores = [determine_grade(cell)[0] for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert scores == [2, 3, 4, None]


def test_an_untouched_notebook_was_not_attempted(tiny: Assignment, direct: DirectExecutor) -> None:
    result, _ = grade(tiny, handed(tiny, {}), direct, None)
    assert (result.score, result.status, result.message) == (0, "not-attempted", "Nothing was written.")
    assert set(statuses(result).values()) == {"not-attempted"}


def test_work_in_an_extra_cell_counts_although_the_answer_is_blank(tiny: Assignment, direct: DirectExecutor) -> None:
    notebook = with_answers(tiny, {})
    notebook.cells.insert(5, {"cell_type": "code", "source": "def double(x): return x + x", "metadata": {}})
    result, _ = grade(tiny, Handed("ada", json.dumps(notebook).encode()), direct, None)
    assert points(result) == [2, 3, 0, 0]


def test_a_cell_that_stopped_explains_the_failed_test(
    tiny: Assignment, right: dict[str, str], direct: DirectExecutor
) -> None:
    result, _ = grade(tiny, handed(tiny, {**right, "double": "def double(x:\n    return 2"}), direct, None)
    assert statuses(result)["double-numbers"] == "failed"
    assert result.cells[0].message.startswith("Your cell stopped with SyntaxError")
    assert "NameError" in result.cells[0].message


def test_a_hint_of_the_visible_half_comes_with_its_values(tiny: Assignment, direct: DirectExecutor) -> None:
    result, _ = grade(tiny, handed(tiny, {"double": "def double(x):\n    return x * x"}), direct, None)
    assert "do not square it" in result.cells[0].message
    assert "9" in result.cells[0].message


def test_the_hidden_half_shows_its_hint_and_nothing_of_its_inputs(
    tiny: Assignment, right: dict[str, str], direct: DirectExecutor
) -> None:
    leaky = {
        "double": "def double(x):\n    return 6 if isinstance(x, int) else 2 * x",
        "mean": "def mean(v):\n    if len(v) == 3: return 3.0\n    raise ValueError(f'leak {v}')",
    }
    result, notebook = grade(tiny, handed(tiny, leaky), direct, None)
    assert result.cells[0].message == "double must work for every whole number, not for 3 alone."
    assert result.cells[2].message == "Your code raised ValueError on an input of the hidden tests."
    assert "leak" not in json.dumps([cell.get("outputs") for cell in notebook.cells])


@pytest.mark.parametrize("points_", [float("nan"), float("inf"), -5.0, 1e9, 3.7])
def test_points_stay_between_zero_and_the_maximum(tiny: Assignment, right: dict[str, str], points_: float) -> None:
    run = Run({**FULL, "mean-test": Verdict(points_, "passed")})
    result, _ = grade(tiny, handed(tiny, right), Scripted(run), None)
    assert 0 <= result.cells[2].points <= 4
    assert result.cells[2].points == (3.7 if points_ == 3.7 else 4 if points_ == 1e9 else 0)


def test_nbgrader_reads_partial_points_from_the_record(tiny: Assignment, right: dict[str, str]) -> None:
    run = Run({**FULL, "mean-test": Verdict(2.5, "partial", "Half of it.")})
    result, notebook = grade(tiny, handed(tiny, right), Scripted(run), None)
    cell = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "mean-test")
    assert determine_grade(cell) == (2.5, 4)
    assert result.status == "partial"


@pytest.mark.parametrize("status", ["timeout", "memory", "crashed"])
def test_a_run_that_ended_early_keeps_what_it_earned(tiny: Assignment, right: dict[str, str], status: str) -> None:
    run = Run({"double-numbers": Verdict(2, "passed")}, status=status, message="It ended.")
    result, _ = grade(tiny, handed(tiny, right), Scripted(run), None)
    assert (result.score, result.status) == (2, status)
    assert statuses(result) == {
        "double-numbers": "passed",
        "double-arrays": status,
        "mean-test": status,
        "essay": "not-attempted",
    }
    assert result.message.startswith("It ended. 1 of 4 parts passed.")
    assert result.cells[1].message == "This part was not reached. It ended."


def test_what_cannot_be_read_gets_a_result_with_its_reason(tiny: Assignment) -> None:
    result, notebook = grade(tiny, Handed("ada", b"{nope"), Scripted(Run(FULL)), None)
    assert (result.score, result.status) == (0, "unreadable")
    assert "damaged" in result.message
    assert set(statuses(result).values()) == {"unreadable"}
    assert [cell.source for cell in notebook.cells] == [cell.visible_source for cell in tiny.cells]


def test_messages_are_cleaned(tiny: Assignment, right: dict[str, str]) -> None:
    run = Run({**FULL, "mean-test": Verdict(0, "failed", "\x1b[31mred\x1b[0m \u202eevil\ud800" + "x" * 9000)})
    result, _ = grade(tiny, handed(tiny, right), Scripted(run), None)
    message = result.cells[2].message
    assert message.startswith("red \ufffdevil\ufffd")
    assert len(message) <= 2000
    message.encode()


def test_draws_differ_by_student_and_content_and_repeat(tiny: Assignment) -> None:
    keys = {
        draws_key(tiny, secret, student, digest)
        for secret in (None, b"s" * 32)
        for student in ("ada", "bo")
        for digest in ("0", "1")
    }
    assert len(keys) == 8
    assert draws_key(tiny, None, "ada", "0") in keys


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("submitted", "score", "words"),
    [
        (None, 9, "not known"),
        (NOW - timedelta(days=10), 9, ""),
        (NOW - timedelta(days=9) + timedelta(minutes=5), 9, "100%"),
        (NOW - timedelta(days=9) + timedelta(hours=3), 8.1, "Late by 3.0 hours: 90%"),
        (NOW - timedelta(days=1), 4.5, "50%"),
        (NOW + timedelta(days=3), 9, "future"),
    ],
)
def test_lateness_takes_its_share_and_says_so(
    tiny: Assignment, right: dict[str, str], submitted: datetime | None, score: float, words: str
) -> None:
    policy = LatePolicy(grace_minutes=15, penalty_per_day=0.1, lowest_factor=0.5)
    late = replace(tiny, settings=replace(tiny.settings, due=NOW - timedelta(days=9), late=policy))
    result, _ = grade(late, handed(late, right, submitted=submitted), Scripted(Run(FULL)), None)
    assert result.score == pytest.approx(score)
    assert result.late_penalty == pytest.approx(9 - score)
    assert all(words in flag for flag in result.flags)
    assert bool(words) == bool(result.flags)
    assert words in result.message


def test_marks_by_hand_replace_our_points(tiny: Assignment, right: dict[str, str]) -> None:
    answers = {**right, "essay": "With outliers."}
    result, _ = grade(tiny, handed(tiny, answers), Scripted(Run(FULL)), None)
    marked = with_marks(tiny, result, None, {"essay": Mark(1, True)})
    assert (marked.score, marked.status) == (10, "passed")
    unsettled = with_marks(tiny, result, None, {"essay": Mark(1, False)})
    assert (unsettled.score, unsettled.status) == (10, "needs-manual")
    assert with_marks(tiny, result, None, {}) is result


def test_results_survive_json(tiny: Assignment, right: dict[str, str]) -> None:
    result, _ = grade(tiny, handed(tiny, right, flags=("odd",)), Scripted(Run(FULL)), None)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_outputs_of_own_cells_stay_in_the_record_and_those_of_tests_do_not(tiny: Assignment) -> None:
    submission = Submission("ada", tiny.notebook(), tiny.cells, "")
    outputs = {place: [new_output("stream", text="said")] for place in range(len(tiny.cells))}
    result, _ = grade(tiny, handed(tiny, {}), Scripted(Run(FULL)), None)
    notebook = autograded(submission, outputs, {cell.id: cell for cell in result.cells})
    for node, cell in zip(notebook.cells, tiny.cells, strict=True):
        if cell.kind == "test":
            assert node.outputs == []
        elif node.cell_type == "code":
            assert node.outputs[0].text == "said"
