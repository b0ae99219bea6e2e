"""The engine under nbgrader: two preprocessors for `nbgrader autograde` and the formgrader's button.

    c.Autograde.sanitize_preprocessors = ["autograder.plugins.Rebuild"]
    c.Autograde.autograde_preprocessors = ["autograder.plugins.Verdicts"]

nbgrader's `Autograde` reads a submitted notebook, passes it through the first list, writes it, reads that and passes
it through the second. Its own first list stops at bad input and its own second list believes the student's kernel,
so both are replaced. `Rebuild` puts our notebook in place of what was handed in. `Verdicts` goes back to the bytes
that were handed in, so that hidden inputs, flags and reasons are those of `autograder grade`, runs them, writes the
scores in one transaction, and hands the recorded notebook back.

A third line, where files that are no notebooks at all shall get a result too, for nbgrader reads before it asks us:

    c.Autograde.exporter_class = "autograder.plugins.AnyFile"
"""

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from nbconvert.exporters import NotebookExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Enum, Unicode

from autograder.assignment import Assignment
from autograder.collect import collect_one
from autograder.course import ENGINES, Course
from autograder.errors import AssignmentError, EngineError, InstructorError, SubmissionError
from autograder.feedback import sanitize
from autograder.grade import Handed, Result, grade, with_marks
from autograder.gradebook import Gradebook
from autograder.judged import JudgeExecutor
from autograder.judged import executor as make_executor
from autograder.policy import SANDBOXES, Level
from autograder.probe import choose
from autograder.report import notices
from autograder.results import Results
from autograder.submission import rebuild
from autograder.text import escape_markdown

IDLE_SECONDS = 120.0
"""How long warm processes wait for the next submission; in a formgrader's server nobody says which is the last."""


class _Warm:
    """Executors that outlive one submission: a run, or a row of clicks, pays for their start once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._executors: dict[tuple[str, Level], JudgeExecutor] = {}
        self._timer = threading.Timer(0, self.close)

    @contextmanager
    def executor(self, engine: str, level: Level) -> Iterator[JudgeExecutor]:
        """The executor of this kind, started if need be; closed IDLE_SECONDS after its last use."""
        with self._lock:
            self._timer.cancel()
            if (engine, level) not in self._executors:
                self._executors[engine, level] = make_executor(engine, level)
            try:
                yield self._executors[engine, level]
            except EngineError:
                self.close()  # the next submission starts from new processes
                raise
            finally:
                self._timer = threading.Timer(IDLE_SECONDS, self.close)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End all of them; waits for the one in use."""
        with self._lock:
            while self._executors:
                self._executors.popitem()[1].close()


WARM = _Warm()
atexit.register(WARM.close)


@dataclass(frozen=True)
class _Job:
    """What nbgrader asks for: one notebook of one student."""

    assignment: Assignment
    handed: Handed
    db_url: str


class _Step(NbGraderPreprocessor):
    """What both steps need: the assignment, read once a run, and the student's bytes."""

    _assignments: ClassVar[WeakKeyDictionary[Any, dict[tuple[str, str], Assignment]]] = WeakKeyDictionary()

    def _job(self, resources: dict[str, Any]) -> _Job:
        converter = getattr(self.parent, "parent", None)
        if not isinstance(converter, Autograde):
            raise InstructorError("The steps of autograder.plugins belong into c.Autograde, in both of its lists.")
        asked = resources["nbgrader"]
        name, file, student = asked["assignment"], asked["notebook"], asked["student"]
        known = self._assignments.setdefault(converter, {})
        if (name, file) not in known:
            known[name, file] = _assignment(converter.coursedir, name, file)
        assignment = known[name, file]
        coursedir = converter.coursedir
        folder = Path(coursedir.root, coursedir.format_path(coursedir.submitted_directory, student, name))
        handed = collect_one(folder, student).hand(file, assignment.settings.limits.notebook_mb)
        return _Job(assignment, handed, asked["db_url"])


class Rebuild(_Step):
    """Puts the assignment's own notebook in place of the submission: only answers and extra cells are the student's."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """A notebook that nothing was handed in of, or nothing readable, is the released one; `Verdicts` says why."""
        job = self._job(resources)
        try:
            return rebuild(job.assignment, job.handed.student, job.handed.data).notebook, resources
        except SubmissionError:
            return job.assignment.notebook(), resources


class Verdicts(_Step):
    """Runs a submission in the sandbox, and writes its scores and its outputs."""

    engine = Enum(
        ENGINES,
        default_value=None,
        allow_none=True,
        help="Where tests run. Without it: what course.toml says of the assignment, else in the judge.",
    ).tag(config=True)
    sandbox = Unicode(
        None,
        allow_none=True,
        help=f"Level of the sandbox: {', '.join(SANDBOXES)}, or none for no walls. Without it: the strongest here.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Raises InstructorError and EngineError: nbgrader logs them, and goes on with the next student."""
        job = self._job(resources)
        assignment, secret = job.assignment, job.assignment.course.secret()
        with WARM.executor(self.engine or assignment.settings.engine, choose(self.sandbox)) as executor:
            result, notebook = grade(assignment, job.handed, executor, secret)
        with Gradebook(job.db_url, assignment) as gradebook:
            found = gradebook.marks(result.student).get(result.student, {})
            marks = {cell: replace(mark, settled=False) for cell, mark in found.items()}
            marked = with_marks(assignment, result, job.handed.submitted, marks)
            gradebook.record(result, job.handed.submitted, marked.late_penalty)
        for flag in result.flags:
            self.log.warning("%s, %s: %s", result.student, assignment.file, flag)
        drawn = any("draws(" in cell.source for cell in assignment.cells if cell.kind == "test")
        seed = "practice" if drawn and not secret else "secret"
        _sign(notebook, result, Results(assignment.name, executor.sandbox, executor.engine, seed))
        return notebook, resources


class AnyFile(NotebookExporter):
    """Gives nbgrader an empty notebook for a file that holds none, so that the steps above are asked about it."""

    def from_file(self, file_stream: Any, resources: Any = None, **kw: Any) -> Any:
        """As nbconvert's, but that it never fails for what is in the file."""
        try:
            return super().from_file(file_stream, resources, **kw)
        except Exception:
            return self.from_notebook_node(new_notebook(), resources, **kw)


def _assignment(coursedir: Any, name: str, file: str) -> Assignment:
    """An assignment of this folder's course.toml and solutions/, else of nbgrader's source folder."""
    root = Path(coursedir.root)
    course = Course.load(root) if (root / "course.toml").is_file() else Course(root, id="")
    course = replace(course, id=coursedir.course_id)  # the gradebook's is nbgrader's
    if file == name and (root / "solutions" / name / "assignment.md").is_file():
        return replace(Assignment.load(root, name), course=course)
    source = Path(coursedir.format_path(coursedir.source_directory, ".", name), f"{file}.ipynb")
    if not (root / source).is_file():
        raise AssignmentError(f"There is no {root / source}. Verdicts need the instructor's notebook: put it back.")
    return Assignment.from_notebook(root / source, course, name, coursedir.config)


def _sign(notebook: NotebookNode, result: Result, how: Results) -> None:
    """Say on top of the notebook what came of it and how, for the feedback page and the formgrader."""
    said = [result.message, *notices(how)]
    notebook.metadata["autograder"] = {
        "status": result.status,
        "flags": list(result.flags),
        "engine": how.engine,
        "sandbox": how.sandbox,
        "said": said,
    }
    notebook.cells.insert(0, new_markdown_cell("\n\n".join(map(escape_markdown, said)), id="autograder"))


def inert_markdown(source: str) -> str:
    """Markdown as HTML in which nothing is alive: a filter for nbgrader's pages, which trust what students wrote."""
    return sanitize(markdown2html(source))
