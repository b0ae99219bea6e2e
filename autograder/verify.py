"""Does the assignment do what its catalogue says?

Every known mistake must get exactly its points and show the student its hint; every alternative and the reference
solution must get full points; the released notebook must get none. Each is run with several seeds, because hidden
inputs are drawn, and a test that is right only for some draws is wrong. And each is run in every mode, because a
test that behaves otherwise across the judge's border is wrong too, most often without a sound.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import nbformat

from autograder.assignment import Assignment, Question
from autograder.errors import AssignmentError
from autograder.grade import Executor, Handed, Result, grade
from autograder.submission import with_answers
from convbook.catalogue import Alternative, Mistake, Survivor

SECRET = b"autograder verify"


@dataclass(frozen=True)
class Catalogue:
    """What mistakes.py declares."""

    mistakes: tuple[Mistake, ...]
    alternatives: tuple[Alternative, ...]
    survivors: tuple[Survivor, ...] = ()

    @classmethod
    def load(cls, assignment: Assignment) -> "Catalogue":
        """Read solutions/NAME/mistakes.py.

        Raises:
            AssignmentError: it cannot be run, names a question that does not exist, or misses a part of it.
        """
        path = assignment.root / "solutions" / assignment.name / "mistakes.py"
        module: dict[str, Any] = {"__name__": f"mistakes of {assignment.name}"}
        try:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module)  # noqa: S102 (the course's own)
        except FileNotFoundError:
            raise AssignmentError(f"There is no {path}. Declare MISTAKES and ALTERNATIVES there.") from None
        except Exception as error:  # whatever the module does wrong
            raise AssignmentError(f"{path} does not run: {type(error).__name__}: {error}") from error
        catalogue = cls(*(tuple(module.get(name, ())) for name in ("MISTAKES", "ALTERNATIVES", "SURVIVORS")))
        for mistake in catalogue.mistakes:
            parts = {part.id for part in question_of(assignment, mistake.question).parts}
            if set(mistake.points) != parts:
                raise AssignmentError(
                    f"{path}: mistake '{mistake.name}' should give points for exactly these parts of "
                    f"{mistake.question}: {', '.join(sorted(parts))}."
                )
        for question in (
            each.question for entries in (catalogue.alternatives, catalogue.survivors) for each in entries
        ):
            question_of(assignment, question)
        return catalogue


@dataclass(frozen=True)
class Check:
    """One thing that must hold: a notebook, and what each part must get.

    Attributes:
        question: id of the answer cell, "" for the whole assignment.
        name: what is checked, for people.
        answers: source by answer id; all others hold the reference solution, or the stub where `blank`.
        points: what each part must get.
        hint: what the student must read.
    """

    question: str
    name: str
    answers: dict[str, str]
    points: dict[str, float]
    hint: str = ""
    blank: bool = False


@dataclass(frozen=True)
class Problem:
    """A check that does not hold, with what came instead."""

    check: Check
    what: str


def question_of(assignment: Assignment, answer: str) -> Question:
    """The question that an answer cell belongs to; raises `AssignmentError` where there is none."""
    for question in assignment.questions:
        if any(cell.id == answer for cell in question.answers):
            return question
    known = [cell.id for question in assignment.questions for cell in question.answers]
    raise AssignmentError(f"{assignment.name}: mistakes.py names the question {answer}; there are {', '.join(known)}.")


def checks(assignment: Assignment, catalogue: Catalogue) -> list[Check]:
    """Everything that must hold for the assignment."""
    tests = {cell.id: cell.points for cell in assignment.cells if cell.kind == "test"}
    everything = [
        Check("", "the reference solution", {}, tests),
        Check("", "the released notebook", {}, dict.fromkeys(tests, 0), blank=True),
    ]
    for mistake in catalogue.mistakes:
        answers = {mistake.question: mistake.source}
        name = f"mistake: {mistake.name}"
        everything.append(Check(mistake.question, name, answers, dict(mistake.points), mistake.hint))
    for other in catalogue.alternatives:
        parts = question_of(assignment, other.question).parts
        full = {part.id: part.points for part in parts}
        everything.append(Check(other.question, f"alternative: {other.name}", {other.question: other.source}, full))
    return everything


def verify(
    assignment: Assignment,
    wanted: Sequence[Check],
    executors: Sequence[Executor],
    seeds: int,
    progress: Callable[[], object] = lambda: None,
) -> list[Problem]:
    """Run every check with `seeds` different draws in every executor; all must give what is owed, and the same.

    Returns: what does not hold, one problem a check.
    """

    def first_problem(check: Check) -> str | None:
        problem = next(_problems(assignment, check, executors, seeds), None)
        progress()
        return problem

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(first_problem, wanted))
    return [Problem(check, what) for check, what in zip(wanted, problems, strict=True) if what]


def graded(assignment: Assignment, check: Check) -> Callable[[Executor, int], Result]:
    """A function that grades the notebook of a check in an executor, with the draws of a seed."""
    if check.question:
        # Only the question's own tests run: what others get is not asked, and they cost most of the time.
        parts = {part.id for part in question_of(assignment, check.question).parts}
        kept = tuple(cell for cell in assignment.cells if cell.kind != "test" or cell.id in parts)
        assignment = replace(assignment, cells=kept)
    reference = {} if check.blank else assignment.reference
    data = nbformat.writes(with_answers(assignment, {**reference, **check.answers})).encode()
    return lambda executor, seed: grade(assignment, Handed(f"seed-{seed}", data), executor, SECRET)[0]


def _problems(assignment: Assignment, check: Check, executors: Sequence[Executor], seeds: int) -> Iterator[str]:
    result_of = graded(assignment, check)
    for seed in range(seeds):
        verdicts: list[dict[str, tuple[float, str]]] = []
        for executor in executors:
            result = result_of(executor, seed)
            verdicts.append({cell.id: (cell.points, cell.status) for cell in result.cells})
            for what in _wrong(check, result):
                yield f"{what} ({executor.engine}, seed {seed})"
        for executor, verdict in zip(executors, verdicts, strict=True):
            for part in verdict:
                if verdict[part] != verdicts[0][part]:
                    (points, status), (first_points, first_status) = verdict[part], verdicts[0][part]
                    yield (
                        f"{part} gets {first_points:g} points ({first_status}) in {executors[0].engine} mode, "
                        f"but {points:g} ({status}) by {executor.engine} (seed {seed})"
                    )


def _wrong(check: Check, result: Result) -> Iterator[str]:
    cells = {cell.id: cell for cell in result.cells}
    for part, points in check.points.items():
        if part not in cells:
            yield f"{part} gave no verdict: {result.message}"
        elif cells[part].points != points:
            said = f": {cells[part].message}" if cells[part].message else ""
            yield f"{part} gets {cells[part].points:g} points, not {points:g}{said}"
    if check.hint and not any(check.hint in cell.message for cell in result.cells):
        said = " | ".join(cell.message for cell in result.cells if cell.message)
        yield f"the student does not read '{check.hint}' but '{said}'"
