"""Many machines: submissions run on the workers of a Dask cluster; everything else stays where the command runs.

    client                             scheduler                         worker, one a machine
    reads, rebuilds, keeps the secret  ── notebook's JSON, draws key ──► its own executor: zygotes, sandbox
    one writer: gradebook, journal     ◄── verdicts and outputs, JSON ── as many at once as it has threads

The assignment travels once to each worker, in a plugin that owns the worker's executor. A worker that runs other
software than the client, or gives less of a sandbox than the run promises, is refused before anything is graded. One
that joins later passes the same checks, or stops with the reason in its log. So every worker of the cluster will do,
and scheduling, back-pressure and the tasks of a worker that died are left to Dask.

No student's name and no secret seed leaves the client: a task holds the text of a notebook and the key of its draws.
"""

import asyncio
import functools
import hashlib
import itertools
import json
import logging
import platform
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import nbformat

import autograder
import convbook
from autograder.assignment import Assignment
from autograder.errors import ClusterError, EngineError, InstructorError, SandboxError
from autograder.grade import Run, Verdict
from autograder.judged import JudgeExecutor
from autograder.judged import executor as make_executor
from autograder.policy import SANDBOXES, Level
from autograder.probe import choose
from autograder.submission import Submission

try:
    import distributed
    from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
except ImportError:
    raise InstructorError("Grading on a cluster needs Dask. Run: pip install 'convbook[cluster]'") from None

CONNECT_SECONDS = 15
#: So long a cluster may be without any worker before the run gives up.
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 2.0
CLOSE_SECONDS = 5
#: Submissions on their way for each thread of the cluster: one runs, one waits beside it.
AHEAD = 2
LEAST_AHEAD = 32  # a small cluster may grow


class ClusterExecutor:
    """Runs submissions on a Dask cluster. A context manager, and an `autograder.grade.Executor`.

    Args:
        address: of the scheduler, e.g. "tcp://10.0.0.1:8786"; "tls://…" with Dask's own settings for certificates.
        assignment: what is graded.
        sandbox: a level, for every worker; None: the strongest of each, and the run is recorded with the weakest.
        patience: seconds that the cluster may be without workers.
        say: told what a human has to know while waiting.

    Raises:
        InstructorError: no scheduler, no workers, or a machine that must not grade, with what to do about it.
    """

    def __init__(
        self,
        address: str,
        assignment: Assignment,
        sandbox: str | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        say: Callable[[str], object] = print,
    ) -> None:
        self.engine = assignment.settings.engine
        self._address, self._assignment = address, assignment
        self._patience, self._say = patience, say
        self._name = f"autograder-{uuid4().hex[:12]}"
        self._numbers = itertools.count()
        self._looking = threading.Lock()
        self._looked = self._seen = time.monotonic()
        self._client = _connect(address)
        try:
            self._await_workers()
            self.sandbox: str = self._weakest(sandbox)
            self._client.register_plugin(_Farewell(self._name, self._client.id), name=self._name)
            self._client.register_plugin(Judging(assignment, sandbox, self.sandbox, software()), name=self._name)
            threads = self._client.nthreads()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | CancelledError):
                raise self._lost() from error
            raise
        self.workers, self.threads = len(threads), sum(threads.values())

    @property
    def jobs(self) -> int:
        """How many calls of `run` at once keep the cluster busy."""
        return max(AHEAD * self.threads, LEAST_AHEAD)

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        """See `autograder.grade.Executor`. Raises `ClusterError` when scheduler or workers are gone for good."""
        if assignment is not self._assignment:
            raise ValueError("An executor on a cluster runs the one assignment that its workers hold.")
        future = self._submit(_letter(submission, draws_key))
        try:
            return _run_from(self._await(future))
        except distributed.KilledWorker as error:
            message = "Your notebook could not be graded: the machines that ran it stopped."
            flag = f"Every worker that ran it ended, the last was {error.last_worker.address}. Look at the notebook."
            return Run({}, status="crashed", message=message, flags=(flag,))
        except EngineError:
            raise
        except Exception as error:  # whatever a worker may raise, or what Dask makes of a lost connection
            if future.status == "error":
                raise EngineError(f"A worker failed: {type(error).__name__}: {error}") from error
            raise self._lost() from error
        finally:
            future.release()

    def close(self) -> None:
        """Leave the cluster: the scheduler then ends what the run has on the workers."""
        self._client.close(CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _submit(self, letter: str) -> "distributed.Future[str]":
        try:
            return self._client.submit(_judge, self._name, letter, key=(self._name, next(self._numbers)), retries=1)
        except (OSError, RuntimeError) as error:  # the client gave up on the scheduler
            raise self._lost() from error

    def _await(self, future: "distributed.Future[str]") -> str:
        while True:
            try:
                return future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                self._look_for_workers()

    def _look_for_workers(self) -> None:
        """Give up when no worker has been there for too long. One thread asks for all."""
        with self._looking:
            now = time.monotonic()
            if now < self._looked + LOOK_SECONDS:
                return
            self._looked = now
            if self._client.nthreads():
                self._seen = now
            elif now > self._seen + self._patience:
                raise ClusterError(
                    f"No worker was left on {self._address} for {self._patience:.0f} s. What was graded is kept. "
                    "Start workers and run the same command again."
                )

    def _await_workers(self) -> None:
        if not self._client.nthreads():
            self._say(
                f"No worker is connected to {self._address} yet; I wait {self._patience:.0f} s. "
                f"On each machine, run: dask worker {self._address} --nworkers 1 --nthreads 2"
            )
        try:
            self._client.wait_for_workers(1, timeout=self._patience)
        except TimeoutError:
            raise InstructorError(
                f"No worker came to {self._address} within {self._patience:.0f} s. "
                f"On each machine, run: dask worker {self._address} --nworkers 1 --nthreads 2"
            ) from None

    def _weakest(self, sandbox: str | None) -> Level:
        """The weakest level among the workers. Raises `InstructorError` with all machines that must not grade."""
        found: dict[str, Any] = self._client.run(look, sandbox, on_error="return")
        try:
            found["scheduler"] = {**self._client.run_on_scheduler(_look_at_software), "level": "none"}
        except (ImportError, AttributeError) as error:
            found["scheduler"] = error
        ours = software()
        refused = [
            f"  {address}: {reason}" for address, each in sorted(found.items()) if (reason := _unfit(each, ours))
        ]
        if refused:
            raise InstructorError(
                f"{len(refused)} of the cluster's {len(found)} machines must not grade. "
                "Mend them or stop them, then run the same command again.\n" + "\n".join(refused)
            )
        levels: list[Level] = [each["level"] for address, each in found.items() if address != "scheduler"]
        return "none" if "none" in levels else max(levels, key=SANDBOXES.index)

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"The scheduler {self._address} is gone. What was graded is kept. "
            "Start the cluster again, then run the same command again."
        )


def _connect(address: str) -> "distributed.Client":
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost connection becomes a sentence of ours
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except TypeError as error:  # what Dask says without certificates
        raise InstructorError(
            f"{address} cannot be used: {error}. For tls:// addresses, name the certificates in Dask's configuration "
            "(distributed.comm.tls)."
        ) from None
    except (OSError, ValueError) as error:
        raise InstructorError(
            f"No Dask scheduler answers at {address} ({error}). Start one with: dask scheduler, "
            "and give --scheduler the address that it prints."
        ) from None


# On every machine


@functools.cache
def software() -> dict[str, str]:
    """What a verdict depends on besides the assignment: our own sources and the libraries that tests call."""
    digest = hashlib.sha256()
    for package in (autograder, convbook):
        for folder in map(Path, package.__path__):
            for path in sorted(folder.rglob("*.py")):
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    found = {"autograder": digest.hexdigest()[:12], "Python": ".".join(platform.python_version_tuple()[:2])}
    for library in ("numpy", "torch", "torchvision"):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "missing"
    return found


async def look(sandbox: str | None) -> dict[str, Any]:
    """What a worker is: its host, its software, the sandbox level it gives or why it does not."""
    found = _look_at_software()
    try:
        return {**found, "level": await asyncio.to_thread(choose, sandbox)}
    except SandboxError as error:
        return {**found, "level": "", "reason": str(error)}


def _look_at_software() -> dict[str, Any]:
    return {"host": socket.gethostname(), "software": software()}


def _unfit(found: Any, ours: dict[str, str]) -> str:
    """Why a machine must not grade; "" for one that may."""
    if isinstance(found, Exception):
        return f"the autograder there is missing or of another version ({found}). Install the one that runs here."
    return _difference(found["host"], found["software"], ours) or (
        "" if found["level"] else f"on {found['host']}: {found['reason']}"
    )


def _difference(host: str, theirs: dict[str, str], ours: dict[str, str]) -> str:
    other = [f"{name} is {theirs.get(name)} there and {mine} here" for name, mine in ours.items()
             if theirs.get(name) != mine]  # fmt: skip
    return f"on {host} {', '.join(other)}. Install the same version on both." if other else ""


# On the scheduler


class _Farewell(SchedulerPlugin):
    """Ends a run on all workers when its client goes, however it goes: nothing stays warm for nobody."""

    def __init__(self, run: str, client: str) -> None:
        self._run, self._client = run, client

    def remove_client(self, scheduler: "distributed.Scheduler", client: str) -> None:
        if client == self._client:
            scheduler.loop.add_callback(scheduler.unregister_worker_plugin, comm=None, name=self._run)
            scheduler.remove_plugin(self._run)


# On the workers


class Judging(WorkerPlugin):
    """A worker's own executor for one run: what the client runs in two zygotes here, the worker runs there."""

    def __init__(self, assignment: Assignment, sandbox: str | None, promised: str, software: dict[str, str]) -> None:
        self._assignment, self._sandbox = assignment, sandbox
        self._promised, self._software = promised, software
        self._executor: JudgeExecutor | None = None
        self._ended = False

    async def setup(self, worker: "distributed.Worker") -> None:
        """Make the executor. A machine that is unfit stops: Dask would send it submissions all the same."""
        try:
            self._executor = await asyncio.to_thread(self._open)
        except InstructorError as error:
            await worker.close(nanny=True, reason=str(error))
            raise

    async def teardown(self, worker: "distributed.Worker") -> None:
        self._ended = True
        if self._executor:
            await asyncio.to_thread(self._executor.close)

    def _open(self) -> JudgeExecutor:
        difference = _difference(socket.gethostname(), software(), self._software)
        if difference:
            raise InstructorError(f"This worker must not grade: {difference}")
        level = choose(self._sandbox)
        if level != self._promised and SANDBOXES.index(level) > SANDBOXES.index(self._promised):
            raise SandboxError(f"This worker must not grade: its sandbox {level} is weaker than {self._promised}.")
        return make_executor(self._assignment.settings.engine, level)

    def judge(self, letter: str) -> str:
        """One letter to one answer."""
        assert self._executor
        try:
            return _text(self._executor.run(self._assignment, *_open_letter(self._assignment, letter)))
        except EngineError:
            if self._ended:  # the worker is leaving: its executor was closed under the submission
                raise distributed.Reschedule from None
            raise
        finally:
            if self._ended:  # it may have been warming up when it was closed
                self._executor.close()


def _judge(name: str, letter: str) -> str:
    """The task: one rebuilt notebook to one `Run`, as JSON."""
    plugin = distributed.get_worker().plugins[name]
    assert isinstance(plugin, Judging)
    return plugin.judge(letter)


# Letters


def _letter(submission: Submission, draws_key: bytes) -> str:
    """The submission as an executor needs it, without the student's name."""
    return json.dumps(
        {
            "notebook": submission.notebook,
            "cells": [cell.id if cell else None for cell in submission.cells],
            "digest": submission.digest,
            "blank": sorted(submission.blank),
            "draws_key": draws_key.hex(),
        }
    )


def _open_letter(assignment: Assignment, letter: str) -> tuple[Submission, bytes]:
    given = json.loads(letter)
    cells = {cell.id: cell for cell in assignment.cells}
    submission = Submission(
        student="",
        notebook=nbformat.from_dict(given["notebook"]),
        cells=tuple(None if each is None else cells[each] for each in given["cells"]),
        digest=given["digest"],
        blank=frozenset(given["blank"]),
    )
    return submission, bytes.fromhex(given["draws_key"])


def _text(run: Run) -> str:
    return json.dumps(asdict(run))


def _run_from(text: str) -> Run:
    given = json.loads(text)
    return Run(
        verdicts={name: Verdict(**verdict) for name, verdict in given["verdicts"].items()},
        outputs={int(place): [nbformat.from_dict(each) for each in some] for place, some in given["outputs"].items()},
        status=given["status"],
        message=given["message"],
        flags=tuple(given["flags"]),
    )
