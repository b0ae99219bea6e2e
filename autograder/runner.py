"""Runs the cells of one submission, a step at a time, against the student's process; the engines' common half.

The steps are those of the rebuilt notebook, in order. A student's cell runs in the student's process when its turn
comes, so that it cannot read later ones ahead. What a test cell is run with makes the engine: `autograder.judge`
runs it here, `autograder.inkernel` in the student's process.
"""

import json
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from autograder import names
from autograder.halts import Ended, Halt
from autograder.link import Link
from autograder.outputs import Reader
from autograder.peer import Channel
from autograder.policy import Limits
from autograder.proxies import RemoteError
from autograder.wording import OUT_OF_TIME


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
        status: a test: passed, failed, not-attempted, timeout, memory or crashed. Another cell: ran, raised, or why
            it did not.
        message: for the student.
        fault: what is wrong with the test itself, for the instructor; "" where nothing is.
        halt: why the student's process can be asked no more, since this step or before: the class in
            `autograder.halts` by name; "" while it can.
        outputs, count: what the cell showed and its execution count, as a notebook file has them.
    """

    place: int
    id: str
    status: str
    message: str = ""
    fault: str = ""
    halt: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether the student's process was gone."""
        return self.halt == Ended.__name__


@dataclass(frozen=True)
class Given:
    """A cell of the assignment, as plain data; see `names.Cell`."""

    id: str
    kind: str
    cell_type: str
    source: str


class Runner:
    """Base of the engines.

    Args:
        assignment: the assignment's cells, with solutions and hidden tests.
        requests, outputs: our ends of the pairs whose other ends `autograder.student.serve` has.
        draws_key: the key of this submission's random draws.
        limits: cell_seconds, submission_seconds and output_kb hold here; the sandbox sees to the others.
    """

    def __init__(
        self,
        assignment: Sequence[names.Cell],
        requests: socket.socket,
        outputs: socket.socket,
        *,
        draws_key: bytes,
        limits: Limits,
    ) -> None:
        self._cells = {cell.id: cell for cell in assignment}
        self._reader = Reader(outputs, limits.output_kb << 10)
        self._link = Link(Channel(requests, self._reader), self._reader)
        self._draws_key = draws_key
        self._limits = limits
        self._end = time.monotonic() + limits.submission_seconds

    def run(self, steps: Sequence[Step]) -> list[CellRun]:
        """Run every step; call it once."""
        return [self._step(step) for step in steps]

    def run_test(self, cell: names.Cell) -> dict[str, Any]:
        """Run a test cell: fields of its `CellRun`."""
        raise NotImplementedError

    def run_cell(self, cell: names.Cell | None, source: str) -> dict[str, Any]:
        """Run any other cell in the student's process: fields of its `CellRun`.

        Args:
            cell: None for one of the student's own.
            source: its text.
        """
        try:
            answer = self._link.ask("exec", source, True)
        except Halt as halt:
            return {"status": halt.status, "message": str(halt), "outputs": self._reader.take()}
        except RemoteError as error:
            answer = [None, error.name]
        outputs = self._reader.take()
        count, name = answer if type(answer) is list and len(answer) == 2 else (None, None)
        count = count if type(count) is int and 0 <= count < 1 << 31 else None
        if name == OUT_OF_TIME:
            message = f"This cell took longer than {self._link.seconds} s."
            return {"status": "timeout", "message": message, "outputs": outputs, "count": count}
        return {"status": "ran" if name is None else "raised", "outputs": outputs, "count": count}

    def _step(self, step: Step) -> CellRun:
        cell = self._cells.get(step.id)
        started = time.monotonic()
        self._link.deadline = min(started + self._limits.cell_seconds, self._end)
        self._link.seconds = self._limits.cell_seconds
        if self._link.deadline == self._end:
            self._link.seconds = self._limits.submission_seconds
        run: dict[str, Any]
        if self._link.halt is not None:
            run = {"status": self._link.halt.status, "message": f"This part was not reached. {self._link.halt}"}
        elif cell is not None and cell.kind == "test":
            run = self.run_test(cell)
        else:
            theirs = cell is None or cell.kind in ("answer", "manual", "scratch")
            run = self.run_cell(cell, step.source if theirs or cell is None else cell.source)
        seconds = round(time.monotonic() - started, 3)
        halt = type(self._link.halt).__name__ if self._link.halt else ""
        return CellRun(place=step.place, id=step.id, halt=halt, seconds=seconds, **run)


def work(engine: Callable[..., Runner], job: dict[str, Any], fds: list[int]) -> None:
    """What a warm process runs (see `autograder.zygote`).

    Args:
        engine: the `Runner` to make.
        job: assignment (list of `Given`), steps (list of `Step`), draws_key (hex), limits (`Limits`), as plain data.
        fds: our ends of `requests` and `outputs`, and where the list of `CellRun` goes, as JSON.
    """
    requests, outputs, results = (socket.socket(fileno=fd) for fd in fds)
    assignment = [Given(**cell) for cell in job["assignment"]]
    key, limits = bytes.fromhex(job["draws_key"]), Limits(**job["limits"])
    runner = engine(assignment, requests, outputs, draws_key=key, limits=limits)
    runs = runner.run([Step(**step) for step in job["steps"]])
    results.sendall(json.dumps([asdict(run) for run in runs]).encode())
