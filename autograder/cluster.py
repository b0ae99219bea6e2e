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

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from autograder.assignment import Assignment
from autograder.errors import ClusterError, EngineError, InstructorError
from autograder.grade import Run
from autograder.letters import read_run, write_letter
from autograder.policy import SANDBOXES, Level
from autograder.submission import Submission

try:
    import distributed
    from distributed.diagnostics.plugin import SchedulerPlugin
except ImportError:
    raise InstructorError("Grading on a cluster needs Dask. Run: pip install 'convbook[cluster]'") from None

from autograder.clusterworker import Judging, difference, judge, look, look_at_software, software

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
        future = self._submit(write_letter(submission, draws_key))
        try:
            return read_run(self._await(future))
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
            return self._client.submit(judge, self._name, letter, key=(self._name, next(self._numbers)), retries=1)
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
            found["scheduler"] = {**self._client.run_on_scheduler(look_at_software), "level": "none"}
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


def _unfit(found: Any, ours: dict[str, str]) -> str:
    """Why a machine must not grade; "" for one that may."""
    if isinstance(found, Exception):
        return f"the autograder there is missing or of another version ({found}). Install the one that runs here."
    return difference(found["host"], found["software"], ours) or (
        "" if found["level"] else f"on {found['host']}: {found['reason']}"
    )


class _Farewell(SchedulerPlugin):
    """Ends a run on all workers when its client goes, however it goes: nothing stays warm for nobody."""

    def __init__(self, run: str, client: str) -> None:
        self._run, self._client = run, client

    def remove_client(self, scheduler: "distributed.Scheduler", client: str) -> None:
        if client == self._client:
            scheduler.loop.add_callback(scheduler.unregister_worker_plugin, comm=None, name=self._run)
            scheduler.remove_plugin(self._run)
