"""The judge: runs the test cells of one submission in a process of its own, and gives the verdicts.

    judge's process                                student's process (sandboxed)
    helpers, imports of the solution, tests        helpers, drivers, the student's cells
    `conv2d(x)` in a test  ── question ──────────► calls conv2d
    plain data, or a proxy ◄────────── answer ───  what it returned

A student's name in a test is fetched at the test's start and is plain data or a proxy. The verdict is made here,
from whether the test ran to its end, and never leaves.

What a student reads of a failure depends on where in the test it happened. In the visible half: all of it. From the
first hidden line on: the hint, which is the author's text, and nothing that could carry a hidden input out.

One process judges one submission: a test may change numpy's or torch's settings, and nobody else must feel it.
"""

import base64
import importlib
import marshal
import os
import random
import re
import signal
import socket
import sys
import time
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder import names
from autograder.halts import AuthorError, Halt, OutOfTime
from autograder.policy import Limits
from autograder.proxies import Misused, RemoteError
from autograder.runner import Runner, work
from autograder.text import clean
from autograder.wording import not_held, raised

_OUT_OF_MEMORY = re.compile(r"can't allocate memory|DefaultCPUAllocator")


def main(job: dict[str, Any], fds: list[int]) -> None:
    """What a warm process runs; see `autograder.runner.work`. The job's `plan` and `tests` are the assignment's."""
    tests = {id: marshal.loads(base64.b64decode(code)) for id, code in job["tests"].items()}  # noqa: S302  our own
    work(partial(Judge, plan=names.Plan.from_json(job["plan"]), tests=tests), job, fds)


def compiled(cells: Sequence[names.Cell]) -> dict[str, types.CodeType]:
    """The test cells as code, by id: compiled once for a class, since each judge would take longer than its checks."""
    tests = [cell for cell in cells if cell.kind == "test"]
    return {cell.id: compile(cell.source, _file(cell.id), "exec", dont_inherit=True) for cell in tests}


def to_json(tests: Mapping[str, types.CodeType]) -> dict[str, str]:
    """What `main` is told of them; the same Python reads it."""
    return {id: base64.b64encode(marshal.dumps(code)).decode() for id, code in tests.items()}


def _file(test: str) -> str:
    return f"<test {test}>"


def warm() -> None:
    """What the zygote calls before it forks: a judge with torch needs this, and takes 10 ms to import it."""
    if "torch" in sys.modules:
        importlib.import_module("autograder.gradients")


class _Sink:
    """What a test prints, and the student's code while a test calls it: nothing is kept from the hidden half."""

    encoding = "utf-8"

    def __init__(self, shown: "Judge") -> None:
        self._judge = shown
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < 1 << 16 and not self._judge.in_hidden_half():
            self.text += text[: 1 << 16]
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


class Judge(Runner):
    """Make one in a process, in its main thread. Arguments besides those of `Runner`:

    Args:
        plan: of the assignment.
        tests: its test cells, `compiled`.
    """

    def __init__(
        self,
        assignment: Sequence[names.Cell],
        requests: socket.socket,
        outputs: socket.socket,
        *,
        draws_key: bytes,
        limits: Limits,
        plan: names.Plan,
        tests: Mapping[str, types.CodeType],
    ) -> None:
        super().__init__(assignment, requests, outputs, draws_key=draws_key, limits=limits)
        self._plan = plan
        self._tests = tests
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

    def in_hidden_half(self) -> bool:
        """Whether a hidden line of the running test is being executed."""
        frames = _stack(sys._getframe(1))
        return any(each.f_code.co_filename == self._test and each.f_lineno >= self._hidden_from for each in frames)

    def run_cell(self, cell: names.Cell | None, source: str) -> dict[str, Any]:
        """In the student's process, and what is ours of it here."""
        fault = ""
        if ours := self._ours(cell):
            try:
                exec(compile(ours, "<helper>", "exec"), self._namespace)  # noqa: S102 - the assignment's own code
            except Exception as error:
                fault = f"The cell raised {type(error).__name__} in the judge: {error}"
            self._link.exceptions.update(_exceptions(self._namespace))
        return {**super().run_cell(cell, source), "fault": fault}

    def _ours(self, cell: names.Cell | None) -> str:
        """What the judge runs beside a cell: a helper, or the imports of a solution."""
        if cell is None:
            return ""
        return cell.source if cell.id in self._plan.helpers else self._plan.imports.get(cell.id, "")

    def run_test(self, cell: names.Cell) -> dict[str, Any]:
        """Here, with proxies for what is the student's."""
        self._prepare_torch()
        AuthorError.last = None
        self._test = _file(cell.id)
        start = names.hidden_start(cell.source)
        self._hidden_from = cell.source.count("\n", 0, start) + 1 if start < len(cell.source) else sys.maxsize
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = sink = _Sink(self)
        result: dict[str, Any] = {"status": "passed"}
        alarm = max(0.001, self._link.deadline + self._link.grace + 1 - time.monotonic())
        try:
            signal.setitimer(signal.ITIMER_REAL, alarm, 1)
            self._fetch(self._plan.reads[cell.id])
            exec(self._tests[cell.id], self._namespace)  # noqa: S102 - the assignment's own code
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

    def _fetch(self, students: list[str]) -> None:
        """Bind the student's names that a test uses, as they are now; one that is not there is not there."""
        for name in students:
            found = self._link.ask("name", name)
            self._namespace.pop(name, None)
            if type(found) is list and found:
                self._namespace[name] = found[0]

    def _failure(self, error: BaseException, source: str) -> dict[str, Any]:
        """The verdict on a test that stopped with `error`."""
        line, hidden = self._place(error)
        status, fault, text = "failed", "", _text(error)
        if isinstance(error, AuthorError):
            fault = text
            text = "This test cannot judge your answer. That is a defect of the test: tell your instructor."
        elif isinstance(error, Halt):
            status = error.status
        elif isinstance(error, RemoteError):
            name = "MemoryError" if _is_memory(error) else error.base if hidden else error.name
            status, text = raised(name, text, hidden=hidden, memory_mb=self._limits.memory_mb)
        elif _is_memory(error):
            status, text = "memory", "Checking what your code returned needs too much memory."
        elif hidden or isinstance(error, AssertionError):
            here = f"This does not hold: {source.splitlines()[line - 1].strip()}" if line else ""
            text = not_held(text or here, getattr(error, "hint", ""), hidden=hidden)
        elif isinstance(error, NameError) and error.name in self._plan.students:
            text = f"{error.name} is not defined. Did the cell that defines it run without an error?"
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
