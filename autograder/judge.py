"""The judge: runs the test cells of one submission, in a process of its own, and gives the verdicts.

    judge's process                                student's process (sandboxed)
    helpers, imports of the solution, tests        helpers, drivers, the student's cells
    `conv2d(x)` in a test  ── question ──────────► calls conv2d
    plain data, or a proxy ◄────────── answer ───  what it returned

The steps are those of the rebuilt notebook, in order. A student's cell runs in the student's process when its turn
comes, so that it cannot read later ones ahead. A test runs here: a student's name in it is fetched at its start and
is plain data or a proxy. The verdict is made here, from whether the test ran to its end, and never leaves.

What a student reads of a failure depends on where in the test it happened. In the visible half: all of it. From the
first hidden line on: the hint, which is the author's text, and nothing that could carry a hidden input out.

One process judges one submission: a test may change numpy's or torch's settings, and nobody else must feel it.
"""

import json
import os
import random
import re
import signal
import socket
import sys
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from autograder import names
from autograder.halts import AuthorError, Halt, OutOfTime
from autograder.link import Link
from autograder.outputs import Reader
from autograder.peer import Channel
from autograder.policy import Limits
from autograder.proxies import Misused, RemoteError
from autograder.text import clean

_OUT_OF_MEMORY = re.compile(r"can't allocate memory|DefaultCPUAllocator")


@dataclass(frozen=True)
class Step:
    """One code cell of the rebuilt notebook: ours by its id, or the student's by its text.

    Attributes:
        place: its place in the notebook.
        id: the assignment's id for it, "" for a cell of the student's own.
        source: the student's text of an answer or a cell of their own; not looked at for cells of ours.
    """

    place: int
    id: str
    source: str = ""


@dataclass(frozen=True)
class CellRun:
    """What happened to one step.

    Attributes:
        status: a test: passed, failed, timeout, memory or crashed. Another cell: ran, raised, or why it did not.
        message: for the student.
        fault: what is wrong with the test itself, for the instructor; "" where nothing is.
        ended: the student's process was gone, at this step or before.
        outputs, count: what the cell showed and its execution count, as a notebook file has them.
    """

    place: int
    id: str
    status: str
    message: str = ""
    fault: str = ""
    ended: bool = False
    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Given:
    """A cell of the assignment, as plain data; see `names.Cell`."""

    id: str
    kind: str
    cell_type: str
    source: str


def main(job: dict[str, Any], fds: list[int]) -> None:
    """What a warm process runs (see `autograder.zygote`).

    Args:
        job: assignment (list of `Given`), steps (list of `Step`), draws_key (hex), limits (`Limits`), as plain data.
        fds: our ends of `requests` and `outputs`, and where the list of `CellRun` goes, as JSON.
    """
    requests, outputs, results = (socket.socket(fileno=fd) for fd in fds)
    runs = judge(
        [Given(**cell) for cell in job["assignment"]],
        [Step(**step) for step in job["steps"]],
        requests,
        outputs,
        draws_key=bytes.fromhex(job["draws_key"]),
        limits=Limits(**job["limits"]),
    )
    results.sendall(json.dumps([asdict(run) for run in runs]).encode())


def judge(
    assignment: Sequence[names.Cell],
    steps: Sequence[Step],
    requests: socket.socket,
    outputs: socket.socket,
    *,
    draws_key: bytes,
    limits: Limits,
) -> list[CellRun]:
    """Judge one submission; call it once in a process, in its main thread.

    Args:
        assignment: the assignment's cells, with solutions and hidden tests.
        steps: the rebuilt notebook's code cells.
        requests, outputs: our ends of the pairs whose other ends `autograder.student.serve` has.
        draws_key: the key of this submission's random draws.
        limits: cell_seconds, submission_seconds and output_kb hold here; the sandbox sees to the others.

    Raises:
        SyntaxError: a cell of the assignment is no Python.
    """
    reader = Reader(outputs, limits.output_kb << 10)
    link = Link(Channel(requests, reader), reader)
    return _Judge(assignment, link, reader, draws_key, limits).run(steps)


class _Sink:
    """What a test prints, and the student's code while a test calls it: nothing is kept from the hidden half."""

    encoding = "utf-8"

    def __init__(self, shown: "_Judge") -> None:
        self._judge = shown
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < 1 << 16 and not self._judge.in_hidden_half():
            self.text += text[: 1 << 16]
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


class _Judge:
    def __init__(
        self, assignment: Sequence[names.Cell], link: Link, reader: Reader, draws_key: bytes, limits: Limits
    ) -> None:
        self._cells = {cell.id: cell for cell in assignment}
        self._plan = names.plan(assignment)
        self._link = link
        self._reader = reader
        self._limits = limits
        self._end = time.monotonic() + limits.submission_seconds
        self._test = ""  # the file name that the running test is compiled under
        self._hidden_from = sys.maxsize  # its first hidden line
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self._namespace = module.__dict__
        os.environ["CONVBOOK_DRAWS_KEY"] = draws_key.hex()
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGALRM, self._alarm)
        self._torch_prepared = False
        self._forward(np.random, "seed", "numpy")
        self._forward(random, "seed", "random")

    def run(self, steps: Sequence[Step]) -> list[CellRun]:
        return [self._step(step) for step in steps]

    def in_hidden_half(self) -> bool:
        """Whether a hidden line of the running test is being executed."""
        frames = _stack(sys._getframe(1))
        return any(each.f_code.co_filename == self._test and each.f_lineno >= self._hidden_from for each in frames)

    def _step(self, step: Step) -> CellRun:
        cell = self._cells.get(step.id)
        started = time.monotonic()
        self._link.deadline = min(started + self._limits.cell_seconds, self._end)
        self._link.seconds = self._limits.cell_seconds
        if self._link.deadline == self._end:
            self._link.seconds = self._limits.submission_seconds
        if cell is not None and cell.kind == "test":
            run = self._run_test(cell)
        elif cell is None or cell.kind in ("answer", "manual", "scratch"):
            run = self._run_cell(step.source, self._plan.imports.get(step.id, ""))
        else:
            run = self._run_cell(cell.source, cell.source if cell.id in self._plan.helpers else "")
        seconds = round(time.monotonic() - started, 3)
        return CellRun(place=step.place, id=step.id, ended=self._link.halt is not None, seconds=seconds, **run)

    def _run_cell(self, source: str, ours: str) -> dict[str, Any]:
        """Run a cell in the student's process, and what is ours of it here."""
        fault = ""
        if ours:
            try:
                exec(compile(ours, "<helper>", "exec"), self._namespace)  # noqa: S102 - the assignment's own code
            except Exception as error:
                fault = f"The cell raised {type(error).__name__} in the judge: {error}"
            self._link.exceptions.update(_exceptions(self._namespace))
        try:
            answer = self._link.ask("exec", source)
        except Halt as halt:
            return {"status": halt.status, "message": str(halt), "outputs": self._reader.take(), "fault": fault}
        except RemoteError as error:
            answer = [None, error.name]
        outputs = self._reader.take()
        count, name = answer if type(answer) is list and len(answer) == 2 else (None, None)
        count = count if type(count) is int and 0 <= count < 1 << 31 else None
        if name == "OutOfTime":
            message = f"This cell took longer than {self._link.seconds} s."
            return {"status": "timeout", "message": message, "outputs": outputs, "count": count, "fault": fault}
        status = "ran" if name is None else "raised"
        return {"status": status, "outputs": outputs, "count": count, "fault": fault}

    def _run_test(self, cell: names.Cell) -> dict[str, Any]:
        self._prepare_torch()
        AuthorError.last = None
        self._test = f"<test {cell.id}>"
        hidden = names.HIDDEN.search(cell.source)
        self._hidden_from = cell.source.count("\n", 0, hidden.start()) + 1 if hidden else sys.maxsize
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = sink = _Sink(self)
        result: dict[str, Any] = {"status": "passed"}
        alarm = max(0.001, self._link.deadline + self._link.grace + 1 - time.monotonic())
        try:
            signal.setitimer(signal.ITIMER_REAL, alarm, 1)
            self._fetch(cell.source)
            exec(compile(cell.source, self._test, "exec"), self._namespace)  # noqa: S102 - the assignment's own code
            self._link.check_snapshots()
        except BaseException as error:
            result = self._failure(error, cell.source)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.stdout, sys.stderr = streams
        for halt in (AuthorError.last, self._link.halt):  # a test that swallowed one has not passed
            if halt is not None and result["status"] == "passed":
                result = self._failure(halt, cell.source)
        text = clean(sink.text, 1 << 16)
        result["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        return result

    def _fetch(self, source: str) -> None:
        """Bind the student's names that a test uses, as they are now; one that is not there is not there."""
        for name in sorted(names.referenced(source) & self._plan.students):
            found = self._link.ask("name", name)
            self._namespace.pop(name, None)
            if type(found) is list and found:
                self._namespace[name] = found[0]

    def _failure(self, error: BaseException, source: str) -> dict[str, Any]:
        """The verdict on a test that stopped with `error`."""
        line, hidden = self._place(error)
        status, fault, text = "failed", "", _text(error)
        hint = getattr(error, "hint", "")
        if isinstance(error, AuthorError):
            fault, text = (
                text,
                "This test cannot judge your answer. That is a defect of the test: tell your instructor.",
            )
        elif isinstance(error, Halt):
            status = error.status
        elif _is_memory(error):
            status = "memory"
            text = "Checking what your code returned needs too much memory."
            if isinstance(error, RemoteError):
                text = f"Your code used more than {self._limits.memory_mb} MB of memory."
        elif isinstance(error, RemoteError):
            text = f"Your code raised {error.name}: {text}" if text else f"Your code raised {error.name}."
            if hidden:
                text = f"Your code raised {error.base} on an input of the hidden tests."
        elif hidden:
            text = hint or "A hidden test failed."
        elif isinstance(error, NameError) and error.name in self._plan.students:
            text = f"{error.name} is not defined. Did the cell that defines it run without an error?"
        elif isinstance(error, AssertionError):
            text = text or f"This does not hold: {source.splitlines()[line - 1].strip() if line else ''}"
        elif not isinstance(error, Misused):
            text = f"The test stopped with {type(error).__name__}: {text}"
        return {"status": status, "message": clean(text), "fault": clean(fault)}

    def _place(self, error: BaseException) -> tuple[int, bool]:
        """The line of the test that it stopped at, and whether any hidden line led there."""
        lines = []
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._test:
                lines.append(trace.tb_lineno)
            trace = trace.tb_next
        return lines[0] if lines else 0, max(lines, default=0) >= self._hidden_from

    def _alarm(self, _: int, frame: types.FrameType | None) -> None:
        if any(each.f_code.co_filename == self._test for each in _stack(frame)):  # else it is just over
            raise OutOfTime(f"Checking what your code returned took more than {self._link.seconds} s.")

    def _prepare_torch(self) -> None:
        """Once the assignment has imported torch."""
        if "torch" in sys.modules and not self._torch_prepared:
            self._torch_prepared = True
            from autograder.gradients import refuse_snapshots_in_optimizers

            refuse_snapshots_in_optimizers()
            self._forward(sys.modules["torch"], "manual_seed", "torch")

    def _forward(self, module: types.ModuleType, function: str, library: str) -> None:
        """A seed that a test sets holds in both processes."""
        original = getattr(module, function)

        def seed(value: Any = None) -> Any:
            if self._test and type(value) is int:
                self._link.ask("seed", library, value)
            return original(value)

        setattr(module, function, seed)


def _stack(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _exceptions(namespace: dict[str, Any]) -> dict[str, type[Exception]]:
    """Exception classes that helper cells define: a student may raise them, a test may expect them."""
    return {
        name: value
        for name, value in namespace.items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == "__main__"
    }


def _text(error: BaseException) -> str:
    """`str(error)`, which a test may have built from values that have no text, such as an enormous integer."""
    try:
        return str(error)
    except Exception:
        return ""


def _is_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch says so with a RuntimeError."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(_text(error)))
    )
