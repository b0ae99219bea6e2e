"""One submission to one Result.

An executor runs the rebuilt notebook and gives a verdict for each test cell; this module makes the result of it:
what was not attempted, what a human has to mark, what lateness costs, and a sentence for the student.
"""

import math
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from nbformat import NotebookNode

from autograder.assignment import Assignment, Cell, Question
from autograder.errors import SubmissionError
from autograder.record import autograded
from autograder.submission import Submission, rebuild
from autograder.text import clean, plain_number
from autograder.wording import OUT_OF_TIME
from convbook.check import PRACTICE_KEY, submission_key

ENDED = ("timeout", "memory", "crashed", "unreadable")
"""Statuses of a submission that did not run to its end."""


@dataclass(frozen=True)
class Verdict:
    """What an executor found for one test cell; the message is for the student."""

    points: float
    status: str
    message: str = ""


@dataclass(frozen=True)
class Run:
    """What an executor did with one submission.

    Attributes:
        verdicts: by test cell id. A test cell without one was not reached: it gets `status`.
        outputs: what the student's cells wrote, by their place in the rebuilt notebook.
        status: "" for a run to the end, else why it ended early: timeout, memory or crashed.
        message: the reason of an early end, for the student.
        flags: what a human may want to look at.
    """

    verdicts: dict[str, Verdict]
    outputs: dict[int, list[NotebookNode]] = field(default_factory=dict)
    status: str = ""
    message: str = ""
    flags: tuple[str, ...] = ()


class Executor(Protocol):
    """Runs submissions. The pipeline calls `run` from several threads at once, each time with another submission."""

    engine: str
    sandbox: str

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        """Run one submission; whatever it does, return in bounded time with a verdict.

        Raises:
            EngineError: a defect on our side; the submission then has no result.
        """


@dataclass(frozen=True)
class CellResult:
    """The verdict on one graded cell."""

    id: str
    points: float
    max_points: float
    status: str
    message: str = ""


@dataclass(frozen=True)
class Result:
    """The verdict on one submission, as results.json has it."""

    student: str
    score: float
    max_score: float
    status: str
    message: str
    flags: tuple[str, ...]
    seconds: float
    cells: tuple[CellResult, ...]

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "cells": [vars(cell) for cell in self.cells]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Result":
        cells = tuple(CellResult(**cell) for cell in data["cells"])
        return cls(**{**data, "flags": tuple(data["flags"]), "cells": cells})

    @property
    def late_penalty(self) -> float:
        """What lateness took: the points of the cells and the score differ by nothing else."""
        return plain_number(sum(cell.points for cell in self.cells) - self.score)


@dataclass(frozen=True)
class Mark:
    """A score given by hand; settled: nothing changed since."""

    score: float
    settled: bool


@dataclass(frozen=True)
class Handed:
    """A submission as collected: its bytes, or why there are none, and when it came in."""

    student: str
    data: bytes = b""
    problem: str = ""
    submitted: datetime | None = None
    flags: tuple[str, ...] = ()


def draws_key(assignment: Assignment, secret: bytes | None, student: str, digest: str) -> bytes:
    """The key of a submission's random draws: the same on a regrade, another for everybody else."""
    return submission_key(secret or PRACTICE_KEY, assignment.name, student, digest)


def grade(
    assignment: Assignment, handed: Handed, executor: Executor, secret: bytes | None
) -> tuple[Result, NotebookNode]:
    """Grade one submission: its result and its autograded notebook."""
    started = time.monotonic()
    try:
        if handed.problem:
            raise SubmissionError(handed.problem)
        submission = rebuild(assignment, handed.student, handed.data, handed.flags)
        key = draws_key(assignment, secret, handed.student, submission.digest)
        run = executor.run(assignment, submission, key)
        cells = _cells(assignment, submission, run)
        status, message = overall(cells)
        if run.status:
            status, message = run.status, f"{clean(run.message)} {message}"
        flags, outputs = (*submission.flags, *run.flags), run.outputs
    except SubmissionError as error:
        submission = Submission(handed.student, assignment.notebook(), assignment.cells, "", handed.flags)
        unread = "Your notebook could not be read."
        cells = tuple(
            CellResult(cell.id, 0, cell.points, "unreadable", unread) for cell in assignment.cells if cell.graded
        )
        status, message, flags, outputs = "unreadable", clean(str(error)), handed.flags, {}
    score, late = late_score(assignment, handed.submitted, sum(cell.points for cell in cells))
    result = Result(
        student=handed.student,
        score=plain_number(score),
        max_score=plain_number(assignment.max_score),
        status=status,
        message=" ".join(filter(None, (message, *late))),
        flags=(*flags, *late),
        seconds=round(time.monotonic() - started, 3),
        cells=cells,
    )
    return result, autograded(submission, outputs, {cell.id: cell for cell in cells})


def _cells(assignment: Assignment, submission: Submission, run: Run) -> tuple[CellResult, ...]:
    seconds = assignment.settings.limits.cell_seconds
    return tuple(
        _cell(cell, question, submission, run, seconds) for question in assignment.questions for cell in question.parts
    )


def _cell(cell: Cell, question: Question, submission: Submission, run: Run, seconds: int) -> CellResult:
    blank = all(answer.id in submission.blank for answer in question.answers or (cell,))
    if cell.kind == "manual":
        if blank:
            return CellResult(cell.id, 0, cell.points, "not-attempted", "You wrote nothing here.")
        return CellResult(cell.id, 0, cell.points, "needs-manual", "A human marks this part.")
    reason = f"This part was not reached. {run.message}".strip()
    verdict = run.verdicts.get(cell.id) or Verdict(0, run.status or "crashed", reason)
    points = verdict.points if math.isfinite(verdict.points) else 0
    points = min(max(points, 0), cell.points)
    if verdict.status == "passed" or not question.answers:
        return CellResult(cell.id, points, cell.points, verdict.status, clean(verdict.message))
    if blank and verdict.status == "failed":
        return CellResult(cell.id, points, cell.points, "not-attempted", "You have not written this part yet.")
    status, reason = _stopped(question, submission, run, seconds)
    message = " ".join(filter(None, (reason, clean(verdict.message))))
    return CellResult(cell.id, points, cell.points, status or verdict.status, message)


def _stopped(question: Question, submission: Submission, run: Run, seconds: int) -> tuple[str, str]:
    """Why the student's own answer cell did not run to its end, if so: it explains a failing test best."""
    answers = {answer.id for answer in question.answers}
    for place, cell in enumerate(submission.cells):
        if cell and cell.id in answers:
            for output in run.outputs.get(place, []):
                if output.output_type == "error":
                    return _reason(str(output.ename), str(output.evalue), seconds)
    return "", ""


def _reason(name: str, text: str, seconds: int) -> tuple[str, str]:
    """Status and sentence for an exception that stopped an answer cell; no status where the test's own will do."""
    if name == OUT_OF_TIME:
        return "timeout", f"Your cell took longer than {seconds} s and was stopped."
    if name == "MemoryError":
        return "memory", "Your cell ran out of memory."
    return "", clean(f"Your cell stopped with {name}: {text}".rstrip(": .") + ".", 500)


def overall(cells: tuple[CellResult, ...]) -> tuple[str, str]:
    """A submission's status and a sentence about it, from its cells."""
    passed = sum(cell.status == "passed" for cell in cells)
    statuses = {cell.status for cell in cells}
    count = f"{passed} of {len(cells)} parts passed."
    if statuses == {"not-attempted"}:
        return "not-attempted", "Nothing was written."
    if "needs-manual" in statuses:
        return "needs-manual", f"{count} A human marks the rest."
    if statuses == {"passed"}:
        return "passed", "All parts passed."
    rest = [
        f"{word}: {', '.join(cell.id for cell in cells if cell.status == status)}."
        for status, word in _WORDS.items()
        if status in statuses
    ]
    if any(cell.points for cell in cells):
        return "partial", " ".join((count, *rest))
    stopped = next((status for status in ENDED if status in statuses), "failed")
    return stopped, " ".join((count, *rest))


_WORDS = {
    "failed": "Failed",
    "not-attempted": "Not attempted",
    "timeout": "Out of time",
    "memory": "Out of memory",
    "crashed": "Crashed",
}


def late_score(assignment: Assignment, submitted: datetime | None, score: float) -> tuple[float, tuple[str, ...]]:
    """The score after the late policy, and a sentence where lateness matters."""
    due = assignment.settings.due
    if due is None:
        return score, ()
    if submitted is None:
        return score, ("The time of submission is not known, so lateness was not checked.",)
    if submitted > datetime.now(UTC) + timedelta(days=1):
        return score, (f"The time of submission lies in the future: {submitted:%Y-%m-%d %H:%M} UTC.",)
    late = submitted - due
    if late <= timedelta(0):
        return score, ()
    factor = assignment.settings.late.factor(late)
    hours = late / timedelta(hours=1)
    return score * factor, (f"Late by {hours:.1f} hours: {factor:.0%} of the score is kept.",)


def with_marks(assignment: Assignment, result: Result, submitted: datetime | None, marks: dict[str, Mark]) -> Result:
    """The result with the scores that a human gave, by cell, in place of ours."""
    if not marks:
        return result
    cells = tuple(_marked(cell, marks[cell.id]) if cell.id in marks else cell for cell in result.cells)
    score, _ = late_score(assignment, submitted, sum(cell.points for cell in cells))
    status, message = (result.status, result.message) if result.status in ENDED else overall(cells)
    return replace(result, cells=cells, score=plain_number(score), status=status, message=message)


def _marked(cell: CellResult, mark: Mark) -> CellResult:
    status = "passed" if mark.score >= cell.max_points else "partial" if mark.score > 0 else "failed"
    text = "Marked by hand." if mark.settled else "Marked by hand before the last change; to be looked at again."
    return replace(
        cell, points=plain_number(mark.score), status=status if mark.settled else "needs-manual", message=text
    )
