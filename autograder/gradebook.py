"""nbgrader's gradebook, written a student at a time.

The tables, their defaults and their meaning are nbgrader's (`nbgrader.api`). Its own methods commit after every
cell; here all cells of one student's assignment are one transaction, so that a reader never sees half a score and a
resubmission never keeps points of the one before. Marks and comments given by hand are never touched: as in
nbgrader, a regrade asks for them to be looked at again.

The database may be one that nbgrader made and keeps: its other notebooks, and dates that course.toml does not name,
stay as they are.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import sqlalchemy
from nbformat import NotebookNode
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
    new_uuid,
)
from nbgrader.api import Gradebook as NbgraderGradebook
from nbgrader.utils import compute_checksum
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from autograder import database
from autograder.assignment import KERNELSPEC, Assignment, Cell
from autograder.errors import EngineError, InstructorError
from autograder.grade import CellResult, Mark, Result
from autograder.text import escape_markdown


@dataclass(frozen=True)
class Shown:
    """What the gradebook says of one student's work, marks and comments given by hand included.

    Attributes:
        score: after lateness.
        max_score: the sum of all points.
        late_penalty: points that lateness took.
        points: score and maximum by graded cell.
        comments: by answer cell, where there is one.
    """

    score: float
    max_score: float
    late_penalty: float
    points: dict[str, tuple[float, float]]
    comments: dict[str, str | None]


class Gradebook:
    """One assignment's part of a gradebook. One writer at a time."""

    def __init__(self, url: str, assignment: Assignment) -> None:
        """Open or create the gradebook and bring the assignment's rows up to date.

        Args:
            url: SQLAlchemy URL, e.g. sqlite:///gradebook.db or postgresql://user@host/database.
            assignment: what is graded.

        Raises:
            InstructorError: the database cannot be opened, or another run writes this assignment into it.
        """
        self.assignment = assignment
        self._url = database.find(url)
        self._open = ExitStack()
        try:
            self._open.enter_context(database.held(self._url, f"{assignment.course.id}/{assignment.name}"))
            with database.held(self._url, "the tables"):  # two that come first at once would both make them
                database.make_tables(self._url)
                self._book = NbgraderGradebook(self._url.render_as_string(hide_password=False), assignment.course.id)
                self._open.callback(self._book.close)
                self._db: Session = self._book.db
                with self._db.begin_nested():
                    self._sync()
                self._db.commit()
        except BaseException as error:
            self._open.close()
            if isinstance(error, sqlalchemy.exc.SQLAlchemyError | OSError):
                where, why = database.shown(self._url), database.reason(error)
                raise InstructorError(f"The gradebook {where} cannot be opened: {why}") from None
            raise

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def record(self, result: Result, submitted: datetime | None, late_penalty: float) -> None:
        """Write all of one student's result in one transaction.

        Args:
            result: the verdicts.
            submitted: when it was handed in, if known.
            late_penalty: points that lateness takes, off the score with the marks given by hand.
        """
        with self._transaction():
            submission, notebook = self._submitted(result.student)
            stamp = submitted.astimezone(UTC).replace(tzinfo=None) if submitted else None
            self._update(SubmittedAssignment, submission, timestamp=stamp)
            self._update(SubmittedNotebook, notebook, late_submission_penalty=late_penalty or None)
            verdicts, comments = {cell.id: cell for cell in result.cells}, self._comments(result)
            by_hand = self._existing(Grade, notebook, Grade.manual_score)
            grades = {
                cell: _grade(verdicts.get(name), by_hand.get(cell) is not None)
                for name, cell in self._cell_ids[GradeCell].items()
            }
            self._write(Grade, notebook, grades)
            said = {cell: {"auto_comment": comments.get(name)} for name, cell in self._cell_ids[SolutionCell].items()}
            self._write(Comment, notebook, said)

    def penalize(self, student: str, late_penalty: float) -> None:
        """Set what lateness takes from a student who is here already; nothing else changes."""
        with self._transaction():
            _, notebook = self._submitted(student)
            self._update(SubmittedNotebook, notebook, late_submission_penalty=late_penalty or None)

    def students(self) -> set[str]:
        """Who has a submission of this assignment here."""
        query = sqlalchemy.select(SubmittedAssignment.student_id).where(
            SubmittedAssignment.assignment_id == self._assignment_id
        )
        with self._transaction():
            return set(self._db.scalars(query))

    def marks(self, student: str | None = None) -> dict[str, dict[str, Mark]]:
        """Scores given by hand (formgrader), by student (all, or one) and cell; extra credit is part of the score."""
        query = (
            sqlalchemy.select(SubmittedAssignment.student_id, GradeCell.name, Grade.score, Grade.needs_manual_grade)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(GradeCell, GradeCell.id == Grade.cell_id)
            .where(SubmittedNotebook.notebook_id == self._notebook_id, Grade.manual_score.is_not(None))
        )
        if student is not None:
            query = query.where(SubmittedAssignment.student_id == student)
        marks: dict[str, dict[str, Mark]] = {}
        with self._transaction():
            for owner, cell, score, unsettled in self._db.execute(query):
                marks.setdefault(owner, {})[cell] = Mark(score, not unsettled)
        return marks

    def shown(self, student: str) -> Shown:
        """What a student's feedback page shows; the student is here already."""
        with self._transaction():
            _, notebook = self._submitted(student)
            grades = self._db.execute(
                sqlalchemy.select(GradeCell.name, Grade.score, GradeCell.max_score)
                .join(GradeCell, GradeCell.id == Grade.cell_id)
                .where(Grade.notebook_id == notebook)
            )
            comments = self._db.execute(
                sqlalchemy.select(SolutionCell.name, Comment.comment)
                .join(SolutionCell, SolutionCell.id == Comment.cell_id)
                .where(Comment.notebook_id == notebook)
            )
            points = {name: (score, maximum) for name, score, maximum in grades}
            said: dict[str, str | None] = dict(comments.tuples().all())
            late = sqlalchemy.select(SubmittedNotebook.late_submission_penalty).where(SubmittedNotebook.id == notebook)
            penalty = self._db.scalars(late).one() or 0
        total = sum(score for score, _ in points.values())
        return Shown(
            score=total - penalty,
            max_score=sum(maximum for _, maximum in points.values()),
            late_penalty=penalty,
            points=points,
            comments=said,
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One piece of work: all of it is kept or nothing, and nothing stays open behind it."""
        try:
            yield
            self._db.commit()
        except sqlalchemy.exc.SQLAlchemyError as error:
            with suppress(sqlalchemy.exc.SQLAlchemyError):
                self._db.rollback()
            where, why = database.shown(self._url), database.reason(error)
            raise EngineError(
                f"The gradebook {where} can be read or written no more: {why}. "
                "What was graded is kept. Mend the gradebook, then run the same command again."
            ) from error
        except BaseException:
            self._db.rollback()
            raise

    def _comments(self, result: Result) -> dict[str, str]:
        """What nbgrader shows below an answer: why its parts failed, or why nothing could be read."""
        verdicts = {cell.id: cell for cell in result.cells}
        comments = {}
        for question in self.assignment.questions:
            parts = [verdicts[part.id] for part in question.parts]
            quiet = ("passed", "needs-manual")  # what a human marks, a human comments on
            said = [f"{part.id}: {part.message}" for part in parts if part.message and part.status not in quiet]
            blank = all(part.status == "not-attempted" for part in parts)
            text = "No response." if blank else escape_markdown("\n".join(said))
            if result.status == "unreadable":
                text = escape_markdown(result.message)
            for cell in question.answers or question.parts:
                comments[cell.id] = text
        return {name: text for name, text in comments.items() if text}

    # Rows are written by statement: nbgrader's objects would be read again after every student.

    def _submitted(self, student: str) -> tuple[str, str]:
        """Ids of a student's submission and its notebook; both are made where they are not there yet."""
        query = (
            sqlalchemy.select(SubmittedAssignment.id, SubmittedNotebook.id)
            .outerjoin(
                SubmittedNotebook,
                (SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                & (SubmittedNotebook.notebook_id == self._notebook_id),
            )
            .where(SubmittedAssignment.assignment_id == self._assignment_id, SubmittedAssignment.student_id == student)
        )
        submission, notebook = self._db.execute(query).one_or_none() or (None, None)
        if submission is None:
            self._add_student(student)
            submission = self._insert(SubmittedAssignment, assignment_id=self._assignment_id, student_id=student)
        if notebook is None:
            notebook = self._insert(SubmittedNotebook, assignment_id=submission, notebook_id=self._notebook_id)
        return submission, notebook

    def _add_student(self, student: str) -> None:
        """Where it is new; a run of another assignment may make the same one at the same moment."""
        kind = postgresql if self._url.get_backend_name() == "postgresql" else sqlite
        self._db.execute(kind.insert(Student.__table__).values(id=student).on_conflict_do_nothing())

    def _insert(self, kind: type[Any], **values: Any) -> str:
        """A new row's id."""
        row = new_uuid()
        self._db.execute(sqlalchemy.insert(kind.__table__).values(id=row, **values))
        return row

    def _update(self, kind: type[Any], row: str, **values: Any) -> None:
        self._db.execute(sqlalchemy.update(kind.__table__).where(kind.__table__.c.id == row).values(**values))

    def _existing(self, kind: type[Any], notebook: str, column: Any) -> dict[str, Any]:
        """A column of the rows that a notebook has already, by cell."""
        query = sqlalchemy.select(kind.cell_id, column).where(kind.notebook_id == notebook)
        return dict(self._db.execute(query).tuples().all())

    def _write(self, kind: type[Any], notebook: str, wanted: dict[str, dict[str, Any]]) -> None:
        """A row of `wanted` for each cell: changed where it is there, else made."""
        table, known = kind.__table__, self._existing(kind, notebook, kind.id)
        old = [{**values, "row": known[cell]} for cell, values in wanted.items() if cell in known]
        new = [
            {**values, "cell_id": cell, "notebook_id": notebook} for cell, values in wanted.items() if cell not in known
        ]
        if old:
            self._db.execute(sqlalchemy.update(table).where(table.c.id == sqlalchemy.bindparam("row")), old)
        if new:
            self._db.execute(sqlalchemy.insert(table), new)

    def _sync(self) -> None:
        """The rows of assignment, notebook and cells as the source has them now; marks of kept cells survive."""
        name = self.assignment.name
        self._row = self._db.scalars(sqlalchemy.select(AssignmentRow).filter_by(name=name)).one_or_none()
        if self._row is None:
            self._row = AssignmentRow(name=name, course_id=self.assignment.course.id)
            self._db.add(self._row)
        if name in self.assignment.course.assignments:
            due = self.assignment.settings.due
            self._row.duedate = due.replace(tzinfo=None) if due else None
        file = self.assignment.file
        named = [notebook for notebook in self._row.notebooks if notebook.name == file]
        new = Notebook(name=file, assignment=self._row, kernelspec=json.dumps(KERNELSPEC)) if not named else None
        self._notebook = new or named[0]
        self._db.add(self._notebook)
        self._db.flush()
        cells = self.assignment.cells
        self._sync_cells(
            GradeCell, {c.id: {"max_score": c.points, "cell_type": c.cell_type} for c in cells if c.graded}
        )
        known = {c.id: c.metadata["nbgrader"] for c in cells if c.metadata.get("nbgrader")}
        solutions: dict[str, dict[str, object]] = {each: {} for each, says in known.items() if says["solution"]}
        self._sync_cells(SolutionCell, solutions)
        kept = {each for each, says in known.items() if says["solution"] or says["grade"] or says["locked"]}
        self._sync_cells(SourceCell, {c.id: _source(c) for c in cells if c.id in kept})
        self._assignment_id, self._notebook_id = self._row.id, self._notebook.id
        self._cell_ids: dict[type[Any], dict[str, str]] = {
            kind: dict(
                self._db.execute(sqlalchemy.select(kind.name, kind.id).filter_by(notebook=self._notebook))
                .tuples()
                .all()
            )
            for kind in (GradeCell, SolutionCell)
        }

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


def _source(cell: Cell) -> dict[str, object]:
    """What nbgrader keeps of a cell to put it back: with hidden tests, without solutions."""
    locked = cell.kind not in ("answer", "manual")
    source = cell.source if locked else cell.visible_source
    node = NotebookNode(cell_type=cell.cell_type, source=source, metadata=cell.metadata)
    return {"cell_type": cell.cell_type, "locked": locked, "source": source, "checksum": compute_checksum(node)}


def _grade(verdict: CellResult | None, marked: bool) -> dict[str, object]:
    """The columns of a grade. A mark given by hand stays, and is to be looked at again."""
    open_ = verdict is not None and verdict.status == "needs-manual"
    score = None if open_ or verdict is None else verdict.points
    return {"auto_score": score, "needs_manual_grade": open_ or marked}
