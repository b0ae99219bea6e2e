"""A class to its results: submissions run side by side, one writer records them, and a stop loses nothing.

Workers read, rebuild and run. The writer (the calling thread) takes each finished submission and writes the
autograded notebook, the gradebook, the feedback page and, last and synced to disk, a line of the journal
`.journal.jsonl`. A later run keeps a journal line whose key is the same: a key is a hash of the bytes handed in, the
time stamp, the assignment, the engine, the sandbox and the seed. So a run that was killed anywhere goes on where it
stopped, and a line without its files cannot be.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.collect import Collected
from autograder.errors import ClusterError, EngineError, InstructorError
from autograder.feedback import FeedbackExporter, plain_page
from autograder.files import write_atomic
from autograder.grade import Executor, Handed, Result, grade, with_marks
from autograder.gradebook import Gradebook
from autograder.progress import Progress
from autograder.report import write_reports
from autograder.results import Results

JOURNAL = ".journal.jsonl"
_Graded = tuple[Result, NotebookNode]


@dataclass
class Summary:
    """What a run did.

    Attributes:
        results: of everybody who has one.
        kept: how many came from an earlier run.
        lost: student and reason, for those who could not be given a result.
    """

    results: Results
    kept: int = 0
    lost: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    handed: Handed
    key: str

    def without_data(self) -> "_Job":
        """All that is wanted after the grading: a class of 50,000 notebooks would not fit."""
        return replace(self, handed=replace(self.handed, data=b""))


def grade_class(
    assignment: Assignment,
    collected: list[Collected],
    executor: Executor,
    out: Path,
    *,
    jobs: int,
    force: bool = False,
    db_url: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Grade `collected` into the folder `out`.

    Args:
        assignment: what is graded.
        collected: the submissions.
        executor: what runs them.
        out: gets results.json, grades.csv, report.html, feedback/, autograded/ and gradebook.db.
        jobs: how many submissions run at once.
        force: grade again what was graded already.
        db_url: another gradebook, as an SQLAlchemy URL.
        progress: is told of every submission.

    Raises:
        InstructorError: `out` holds another assignment, or the gradebook cannot be opened.
    """
    out = out.resolve()
    _claim(out, assignment.name)
    secret = assignment.course.secret()
    out.mkdir(parents=True, exist_ok=True)
    url = db_url or f"sqlite:///{out / 'gradebook.db'}"
    journal = _Journal(out / JOURNAL)
    seed = "secret" if secret else "practice"
    summary = Summary(Results(assignment.name, executor.sandbox, executor.engine, seed))
    done: dict[str, tuple[_Job, Result]] = {}
    progress = progress or Progress(len(collected))
    with Gradebook(url, assignment) as gradebook, ThreadPoolExecutor(jobs) as pool:
        recorder = _Recorder(out, assignment, gradebook, FeedbackExporter(gradebook))

        def todo() -> Iterator[_Job]:
            for each in collected:
                job = _job(assignment, each, executor, secret)
                old = None if force else journal.find(each.student, job.key)
                if old is None or not recorder.keep(job.handed, old):
                    yield job
                    continue
                done[each.student] = (job.without_data(), old)
                summary.kept += 1
                progress.kept(old)

        def run(job: _Job) -> _Graded:
            return grade(assignment, job.handed, executor, secret)

        for job, future in _in_parallel(pool, run, todo(), limit=2 * jobs):
            student = job.handed.student
            try:
                result, notebook = future.result()
            except ClusterError:
                raise
            except EngineError as error:
                summary.lost[student] = str(error)
                progress.lost(student, str(error))
                continue
            recorder.write(job.handed, result, notebook)
            journal.add(student, job.key, result)
            done[student] = (job.without_data(), result)
            progress.graded(result)
    kept = [done[each.student] for each in collected if each.student in done]
    summary.results.results = [recorder.marked(job.handed, result) for job, result in kept]
    journal.rewrite({job.handed.student: (job.key, result) for job, result in kept})
    write_atomic(out / "results.json", summary.results.to_text())
    write_reports(out, summary.results)
    return summary


class _Recorder:
    """The one writer of autograded notebooks, gradebook and feedback."""

    def __init__(self, out: Path, assignment: Assignment, gradebook: Gradebook, exporter: FeedbackExporter) -> None:
        self._out, self._assignment = out, assignment
        self._gradebook, self._exporter = gradebook, exporter
        self._recorded, self._marks = gradebook.students(), gradebook.marks()

    def marked(self, handed: Handed, result: Result) -> Result:
        """The result with what was marked by hand."""
        return with_marks(self._assignment, result, handed.submitted, self._marks.get(handed.student, {}))

    def write(self, handed: Handed, result: Result, notebook: NotebookNode) -> None:
        """Everything but the journal's line, for one student. Marks given before are to be looked at again."""
        marks = self._marks.get(handed.student, {})
        self._marks[handed.student] = {cell: replace(mark, settled=False) for cell, mark in marks.items()}
        text = nbformat.v4.writes(notebook).encode("utf-8", "replace")
        write_atomic(self._notebook_path(handed.student), text)
        self._gradebook.record(result, handed.submitted, self.marked(handed, result).late_penalty)
        self._feedback(handed, result, notebook)

    def keep(self, handed: Handed, result: Result) -> bool:
        """Whether all files of an earlier result are there; marks given since then reach the feedback."""
        student = handed.student
        if not self._notebook_path(student).is_file() or not self._feedback_path(student).is_file():
            return False
        if student not in self._recorded:
            self._gradebook.record(result, handed.submitted, result.late_penalty)
        elif student in self._marks:
            self._gradebook.penalize(student, self.marked(handed, result).late_penalty)
            self._feedback(handed, result, nbformat.read(self._notebook_path(student), as_version=4))
        return True

    def _feedback(self, handed: Handed, result: Result, notebook: NotebookNode) -> None:
        marked = self.marked(handed, result)
        try:
            page = self._exporter.page(handed.student, notebook, marked.message)
        except Exception:  # a submission may upset the exporter; its result must reach the student all the same
            parts = [f"{cell.id}: {cell.points} of {cell.max_points}. {cell.message}" for cell in marked.cells]
            title = f"{self._assignment.name}: {marked.score} of {marked.max_score}"
            page = plain_page(title, [marked.message, *parts])
        write_atomic(self._feedback_path(handed.student), page.encode("utf-8", "replace"))

    def _notebook_path(self, student: str) -> Path:
        name = self._assignment.name
        return self._out / "autograded" / student / name / f"{name}.ipynb"

    def _feedback_path(self, student: str) -> Path:
        return self._out / "feedback" / student / f"{self._assignment.name}.html"


def _claim(out: Path, name: str) -> None:
    """Refuse a folder with another assignment's results: one would silently replace the other."""
    if out.exists() and not out.is_dir():
        raise InstructorError(f"{out} is a file. Give --out a folder.")
    try:
        other = Results.load(out).assignment
    except InstructorError:
        return
    if other != name:
        raise InstructorError(f"{out} holds the results of {other}. Give --out a folder of its own for {name}.")


def _job(assignment: Assignment, each: Collected, executor: Executor, secret: bytes | None) -> _Job:
    handed = each.hand(assignment.name, assignment.settings.limits.notebook_mb)
    parts = [
        hashlib.sha256(handed.data).hexdigest(),
        [handed.problem, str(handed.submitted), handed.flags],
        [assignment.digest, executor.engine, executor.sandbox],
        hashlib.sha256(secret or b"").hexdigest(),
    ]
    return _Job(handed, hashlib.sha256(json.dumps(parts).encode()).hexdigest())


def _in_parallel(
    pool: ThreadPoolExecutor, run: Callable[[_Job], _Graded], jobs: Iterable[_Job], limit: int
) -> Iterator[tuple[_Job, Future[_Graded]]]:
    """Finished jobs as they finish, with at most `limit` waiting: a large class is never all in memory."""
    pending: dict[Future[_Graded], _Job] = {}
    jobs = iter(jobs)
    try:
        while True:
            while len(pending) < limit and (job := next(jobs, None)) is not None:
                pending[pool.submit(run, job)] = job
            if not pending:
                return
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield pending.pop(future), future
    finally:
        for future in pending:
            future.cancel()


class _Journal:
    """Results as they come, a JSON line each, synced: what is in it survives a kill."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, str], Result] = {}
        if path.is_file():
            for line in path.read_bytes().splitlines():
                try:
                    entry = json.loads(line)
                    self._found[entry["student"], entry["key"]] = Result.from_json(entry["result"])
                except (ValueError, KeyError, TypeError):
                    continue  # the line that a kill cut off: its submission is graded again

    def find(self, student: str, key: str) -> Result | None:
        return self._found.get((student, key))

    def add(self, student: str, key: str, result: Result) -> None:
        with self._path.open("ab") as file:
            # A line of its own, even after one that was cut off.
            file.write(b"\n" + _line(student, key, result))
            file.flush()
            os.fsync(file.fileno())

    def rewrite(self, entries: dict[str, tuple[str, Result]]) -> None:
        """Drop what is out of date."""
        lines = (_line(student, key, result) for student, (key, result) in entries.items())
        write_atomic(self._path, b"\n".join(lines) + b"\n")


def _line(student: str, key: str, result: Result) -> bytes:
    return json.dumps({"student": student, "key": key, "result": result.to_json()}).encode()
