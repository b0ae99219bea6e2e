"""nbgrader's gradebook, written a student at a time.

The tables, their defaults and their meaning are nbgrader's (`nbgrader.api`). Its own methods commit after every
cell; here all cells of one student's assignment are one transaction, so that a reader never sees half a score and a
resubmission never keeps points of the one before. Marks and comments given by hand are never touched: as in
nbgrader, a regrade asks for them to be looked at again.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy
from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import (
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.api import Gradebook as NbgraderGradebook
from sqlalchemy.orm import Session

from autograder.assignment import KERNELSPEC, Assignment
from autograder.errors import InstructorError
from autograder.grade import CellResult, Mark, Result
from autograder.text import escape_markdown


class Gradebook:
    """One assignment's part of a gradebook. One writer at a time."""

    def __init__(self, url: str, assignment: Assignment) -> None:
        """Open or create the gradebook and bring the assignment's rows up to date.

        Args:
            url: SQLAlchemy URL, e.g. sqlite:///gradebook.db.
            assignment: what is graded.

        Raises:
            InstructorError: the database cannot be opened.
        """
        self.url = url
        self.assignment = assignment
        _find_alembic()
        try:
            self._book = NbgraderGradebook(url, assignment.course.id)
        except (sqlalchemy.exc.SQLAlchemyError, ModuleNotFoundError, OSError) as error:
            raise InstructorError(f"The gradebook {url} cannot be opened: {error}") from None
        self._db: Session = self._book.db
        with self._db.begin_nested():
            self._sync()
        self._db.commit()

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()

    def record(self, result: Result, submitted: datetime | None, late_penalty: float) -> None:
        """Write all of one student's result in one transaction.

        Args:
            result: the verdicts.
            submitted: when it was handed in, if known.
            late_penalty: points that lateness takes, off the score with the marks given by hand.
        """
        try:
            submission = self._submission(result.student)
            submission.timestamp = submitted.astimezone(UTC).replace(tzinfo=None) if submitted else None
            (notebook,) = submission.notebooks
            notebook.late_submission_penalty = late_penalty or None
            verdicts = {cell.id: cell for cell in result.cells}
            for grade in self._rows(notebook, Grade, GradeCell):
                _set_grade(grade, verdicts.get(grade.cell.name))
            comments = self._comments(result)
            for comment in self._rows(notebook, Comment, SolutionCell):
                comment.auto_comment = comments.get(comment.cell.name)
            self._db.commit()
        except BaseException:
            self._db.rollback()
            raise

    def penalize(self, student: str, late_penalty: float) -> None:
        """Set what lateness takes from a student who is here already; nothing else changes."""
        (notebook,) = self._submission(student).notebooks
        notebook.late_submission_penalty = late_penalty or None
        self._db.commit()

    def students(self) -> set[str]:
        """Who has a submission of this assignment here."""
        query = sqlalchemy.select(SubmittedAssignment.student_id).where(SubmittedAssignment.assignment == self._row)
        return set(self._db.scalars(query))

    def marks(self) -> dict[str, dict[str, Mark]]:
        """Scores given by hand (formgrader), by student and cell; extra credit is part of the score."""
        query = (
            sqlalchemy.select(SubmittedAssignment.student_id, GradeCell.name, Grade.score, Grade.needs_manual_grade)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(GradeCell, GradeCell.id == Grade.cell_id)
            .where(SubmittedAssignment.assignment == self._row, Grade.manual_score.is_not(None))
        )
        marks: dict[str, dict[str, Mark]] = {}
        for student, cell, score, unsettled in self._db.execute(query):
            marks.setdefault(student, {})[cell] = Mark(score, not unsettled)
        return marks

    def _comments(self, result: Result) -> dict[str, str]:
        """What nbgrader shows below an answer: why its parts failed."""
        verdicts = {cell.id: cell for cell in result.cells}
        comments = {}
        for question in self.assignment.questions:
            parts = [verdicts[part.id] for part in question.parts]
            said = [f"{part.id}: {part.message}" for part in parts if part.message and part.status != "passed"]
            blank = all(part.status == "not-attempted" for part in parts)
            text = "No response." if blank else escape_markdown("\n".join(said))
            for cell in question.answers or question.parts:
                comments[cell.id] = text
        return {name: text for name, text in comments.items() if text}

    def _submission(self, student: str) -> SubmittedAssignment:
        query = sqlalchemy.select(SubmittedAssignment).where(
            SubmittedAssignment.assignment == self._row, SubmittedAssignment.student_id == student
        )
        submission = self._db.scalars(query).one_or_none()
        if submission is None:
            if self._db.get(Student, student) is None:
                self._db.add(Student(id=student))
            submission = SubmittedAssignment(assignment=self._row, student_id=student)
            submission.notebooks.append(SubmittedNotebook(notebook=self._notebook))
            self._db.add(submission)
            self._db.flush()
        return submission

    def _rows(self, notebook: SubmittedNotebook, kind: type[Any], of: type[Any]) -> list[Any]:
        """A student's grades or comments, one for each cell of the assignment; missing ones are made."""
        existing: dict[str, Any] = {
            row.cell_id: row for row in self._db.scalars(sqlalchemy.select(kind).filter_by(notebook=notebook))
        }
        rows = []
        for cell in self._notebook._base_cells:
            if isinstance(cell, of):
                row = existing.get(cell.id)
                if row is None:
                    row = kind(cell=cell, notebook=notebook)
                    self._db.add(row)
                rows.append(row)
        return rows

    def _sync(self) -> None:
        """The rows of assignment, notebook and cells as the source has them now; marks of kept cells survive."""
        name = self.assignment.name
        self._row = self._db.scalars(sqlalchemy.select(AssignmentRow).filter_by(name=name)).one_or_none()
        if self._row is None:
            self._row = AssignmentRow(name=name, course_id=self.assignment.course.id)
            self._db.add(self._row)
        due = self.assignment.settings.due
        self._row.duedate = due.replace(tzinfo=None) if due else None
        named = [notebook for notebook in self._row.notebooks if notebook.name == name]
        self._notebook = named[0] if named else Notebook(name=name, assignment=self._row)
        self._notebook.kernelspec = json.dumps(KERNELSPEC)
        self._db.add(self._notebook)
        self._db.flush()
        cells = self.assignment.cells
        self._sync_cells(
            GradeCell, {c.id: {"max_score": c.points, "cell_type": c.cell_type} for c in cells if c.graded}
        )
        self._sync_cells(SolutionCell, {c.id: {} for c in cells if c.kind in ("answer", "manual")})
        self._sync_cells(
            SourceCell,
            {
                c.id: {
                    "cell_type": c.cell_type,
                    "locked": c.kind not in ("answer", "manual"),
                    "source": c.source,
                    "checksum": c.metadata["nbgrader"].get("checksum"),
                }
                for c in cells
                if c.metadata.get("nbgrader")
            },
        )

    def _sync_cells(self, kind: type[Any], wanted: dict[str, dict[str, object]]) -> None:
        found = self._db.scalars(sqlalchemy.select(kind).filter_by(notebook=self._notebook))
        existing: dict[str, Any] = {row.name: row for row in found}
        for name, row in existing.items():
            if name not in wanted:
                for dependent in (*(getattr(row, "grades", None) or ()), *(getattr(row, "comments", None) or ())):
                    self._db.delete(dependent)
                self._db.delete(row)
        for name, values in wanted.items():
            row = existing.get(name)
            if row is None:
                self._db.add(kind(name=name, notebook=self._notebook, **values))
            else:
                for key, value in values.items():
                    setattr(row, key, value)
        self._db.flush()
        self._db.expire(self._notebook)


def _find_alembic() -> None:
    """nbgrader runs `alembic` by name for a new gradebook: it lies beside this interpreter."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    own = str(Path(sys.executable).parent)
    if own not in folders:
        os.environ["PATH"] = os.pathsep.join([own, *folders])


def _set_grade(grade: Grade, verdict: CellResult | None) -> None:
    open_ = verdict is not None and verdict.status == "needs-manual"
    grade.auto_score = None if open_ or verdict is None else verdict.points
    grade.needs_manual_grade = open_ or grade.manual_score is not None
