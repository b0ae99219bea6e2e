"""The executors: each submission gets two processes, forked warm; the student's is in the sandbox.

    executor ──job──► judge (trusted: no walls it needs, no network)  ◄──── requests ────►  student (sandboxed)
        ▲                │                                            ◄──── outputs ──────
        └─── verdicts ───┘

Two zygotes, so that nothing of a judge is ever in memory that a student's process is copied from. The executor holds
the sockets only until both children have them. It reads nothing but the judge's verdicts; how the student's process
ended comes from the zygote, and turns "your code ended" into the reason. In the in-kernel mode the judge has the
tests run in the student's process; all else is the same.
"""

import json
import select
import socket
import time
from concurrent.futures import Future
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

import nbformat
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.errors import EngineError
from autograder.grade import Run, Verdict
from autograder.halts import Forbidden
from autograder.judge import compiled, to_json
from autograder.policy import Level, Limits
from autograder.runner import CellRun, Given, Step
from autograder.submission import Submission
from autograder.warm import WarmProcesses, slow_libraries
from autograder.zygote import Child, Exit, Zygote

#: Both processes outlive the limit on the submission, which the judge keeps, by so much; then they are killed.
GRACE_SECONDS = 10
END_SECONDS = 5
VERDICT_BYTES = 64 << 20
#: The judge holds what the student's code returns, once as bytes and once as values.
JUDGE_MEMORY_FACTOR = 3
ATTEMPTS = 2

#: The slow libraries of the students' processes, and those of the engine's.
_Libraries = tuple[tuple[str, ...], tuple[str, ...]]


class _Doubtful(Exception):
    """The judge gave no verdicts: its process is killed, never believed."""


class JudgeExecutor:
    """Runs submissions with the verdict made outside the student's process. A context manager.

    Args:
        level: the sandbox of the student's processes.
        warm: processes that were started before; closed with the executor.
    """

    engine = "judge"
    """Also the name of what runs in the judge's process (`autograder.zygote.TARGETS`)."""

    def __init__(self, level: Level, warm: WarmProcesses | None = None) -> None:
        self.sandbox: str = level
        self._level: Level = level
        self._warm = warm or WarmProcesses()
        self._libraries: dict[str, _Libraries] = {}
        self._told: tuple[str, dict[str, Any]] = ("", {})

    def prepare(self, assignment: Assignment) -> tuple[Future[Zygote], Future[Zygote]]:
        """Start the zygotes of students and of judges, with the libraries that the assignment uses.

        `run` does so when they are not there yet. Whoever has something else to do in the meantime asks for it early.
        """
        if assignment.digest not in self._libraries:
            self._libraries[assignment.digest] = self._needed(assignment)
        theirs, ours = self._libraries[assignment.digest]
        return self._warm.start("student", theirs), self._warm.start(self.engine, ours)

    def _needed(self, assignment: Assignment) -> _Libraries:
        code = [cell for cell in assignment.cells if cell.cell_type == "code"]
        ours = slow_libraries(cell.source for cell in code)
        theirs = slow_libraries(cell.source for cell in code if cell.kind != "test" or self.engine == "in-kernel")
        if "torch" in theirs:  # a test's gradients run through both processes
            theirs = ours
        if self._level == "landlock":  # a DataLoader must be told of it when torch is imported (`autograder.newborn`)
            theirs = tuple(dict.fromkeys(("torch", *theirs)))
        return theirs, ours

    def close(self) -> None:
        """End the zygotes and everything that they forked."""
        self._warm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        """See `autograder.grade.Executor`. What was in doubt is tried once more."""
        doubt = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                students, judges = self.prepare(assignment)
                runs, end = self._judge((students.result(), judges.result()), assignment, submission, draws_key)
                return _outcome(assignment, runs, end)
            except (_Doubtful, EngineError) as error:
                ended, doubt = self._warm.forget_ended(), str(error)
                if ended and attempt == ATTEMPTS:
                    raise EngineError(f"A warm process ended under this submission, again: {error}") from None
                if isinstance(error, EngineError) and not ended:
                    raise
        message = "Your notebook could not be graded: checking what your code returned did not end well."
        return Run({}, status="crashed", message=message, flags=(f"The judge gave no verdicts: {doubt}",))

    def told(self, assignment: Assignment) -> dict[str, Any]:
        """What the engine's process is told of the assignment; the same for everybody."""
        tests = to_json(compiled(assignment.cells))
        return {**_common(assignment), "plan": assignment.plan.to_json(), "tests": tests}

    def _judge(
        self, zygotes: tuple[Zygote, Zygote], assignment: Assignment, submission: Submission, draws_key: bytes
    ) -> tuple[list[CellRun], Exit]:
        students, judges = zygotes
        limits = assignment.settings.limits
        digest, told = self._told
        if digest != assignment.digest:
            told = self.told(assignment)
            self._told = assignment.digest, told
        job = {**told, "steps": [asdict(step) for step in _steps(submission)], "draws_key": draws_key.hex()}
        longer = replace(limits, submission_seconds=limits.submission_seconds + GRACE_SECONDS)
        requests, outputs, verdicts = (socket.socketpair() for _ in range(3))
        student = judge = None
        try:
            student = _spawn(students, "student", {}, [requests[1], outputs[1]], self._level, longer)
            judge = _spawn(
                judges,
                self.engine,
                job,
                [requests[0], outputs[0], verdicts[1]],
                "trusted",
                replace(longer, memory_mb=longer.memory_mb * JUDGE_MEMORY_FACTOR),
            )
            text = _read_all(verdicts[0], time.monotonic() + longer.submission_seconds + GRACE_SECONDS)
            if not text:
                judge.kill()
                end = judge.wait(END_SECONDS)
                raise _Doubtful(f"{end.reason} {end.detail}".strip())
            student.kill()
            return [CellRun(**run) for run in json.loads(text)], student.wait(END_SECONDS)
        except (ValueError, TypeError) as error:
            raise _Doubtful(f"its verdicts are no verdicts ({error})") from None
        except TimeoutError as error:
            raise EngineError(f"A process did not end when it was killed: {error}") from None
        finally:
            for pair in (requests, outputs, verdicts):
                for end_of_pair in pair:
                    end_of_pair.close()
            for child in (student, judge):
                if child is not None:
                    child.close()


class InKernelExecutor(JudgeExecutor):
    """Runs submissions with the tests in the student's process: verdicts that can be forged, inside the same walls."""

    engine = "in-kernel"

    def told(self, assignment: Assignment) -> dict[str, Any]:
        return _common(assignment)


def executor(engine: str, level: Level, warm: WarmProcesses | None = None) -> JudgeExecutor:
    """The executor of an engine that course.toml names. It closes the processes that it is given."""
    kinds = {kind.engine: kind for kind in (JudgeExecutor, InKernelExecutor)}
    return kinds[engine](level, warm)


def _common(assignment: Assignment) -> dict[str, Any]:
    cells = [Given(cell.id, cell.kind, cell.cell_type, cell.source) for cell in assignment.cells]
    return {"assignment": [asdict(cell) for cell in cells], "limits": asdict(assignment.settings.limits)}


def _spawn(
    zygote: Zygote, target: str, job: dict[str, Any], ends: list[socket.socket], level: Level, limits: Limits
) -> Child:
    """Hand the ends over: ours are closed, so that each process sees when the other is gone."""
    try:
        return zygote.spawn(target, job, [end.fileno() for end in ends], level=level, limits=limits)
    finally:
        for end in ends:
            end.close()


def _steps(submission: Submission) -> list[Step]:
    """The code cells of the rebuilt notebook; of cells of ours the judge has the source."""
    steps = []
    for place, (node, cell) in enumerate(zip(submission.notebook.cells, submission.cells, strict=True)):
        if node.cell_type == "code":
            steps.append(Step(place, cell.id if cell else "", node.source))
    return steps


def _read_all(sock: socket.socket, deadline: float) -> bytes:
    """All that the judge says; nothing where it does not come to an end in time, or says too much."""
    data = bytearray()
    while select.select([sock], [], [], max(0.0, deadline - time.monotonic()))[0]:
        piece = sock.recv(1 << 20)
        if not piece:
            return bytes(data)
        data += piece
        if len(data) > VERDICT_BYTES:
            return b""
    return b""


def _outcome(assignment: Assignment, runs: list[CellRun], end: Exit) -> Run:
    """What the judge found, with the reason where the student's process ended early."""
    if end.reason in ("sandbox", "zygote"):
        raise EngineError(f"The student's process could not be started in its sandbox: {end.detail}")
    cells = {cell.id: cell for cell in assignment.cells}
    ended = next((run for run in runs if run.ended), None)
    status, message = "", ""
    if ended is not None:
        status, message = _why(end, assignment.settings.limits) or (ended.status, ended.message)
    verdicts: dict[str, Verdict] = {}
    outputs: dict[int, list[NotebookNode]] = {}
    flags = [f"Test {run.id}: {run.fault}" for run in runs if run.fault]
    if any(run.halt == Forbidden.__name__ for run in runs):
        flags.append("It wrote to the grader's own channel what no honest code writes.")
    for run in runs:
        cell = cells.get(run.id)
        if cell is not None and cell.kind == "test":
            if run.ended and run.status != "passed":
                verdicts[run.id] = Verdict(0, status, message)
            else:
                verdicts[run.id] = Verdict(cell.points if run.status == "passed" else 0, run.status, run.message)
        if run.outputs:
            outputs[run.place] = [nbformat.from_dict(output) for output in run.outputs]
    return Run(verdicts, outputs, status, message, tuple(flags))


def _why(end: Exit, limits: Limits) -> tuple[str, str] | None:
    """Status and reason, for the student, of a process that ended before its notebook; None: the judge knows best."""
    match end.reason:
        case "memory":
            return "memory", f"Your code used more than {limits.memory_mb} MB of memory."
        case "cpu" | "wall":
            return "timeout", f"Your notebook took longer than {limits.submission_seconds} s."
        case "processes":
            return "crashed", f"Your code started more than {limits.processes} processes and threads."
        case "disk":
            return "crashed", f"Your code wrote more than {limits.disk_mb} MB to disk."
        case "signal":
            return "crashed", f"Python crashed while it ran your code ({end.detail or 'by a signal'})."
        case "exited":
            return "crashed", "Your code ended Python (os._exit or sys.exit)."
    return None
