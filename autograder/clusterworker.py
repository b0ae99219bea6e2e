"""What runs on each machine of a cluster: the check that it may grade, and an executor of its own (see `cluster`)."""

import asyncio
import functools
import hashlib
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import distributed
from distributed.diagnostics.plugin import WorkerPlugin

import autograder
import convbook
from autograder.assignment import Assignment
from autograder.errors import EngineError, InstructorError, SandboxError
from autograder.judged import JudgeExecutor
from autograder.judged import executor as make_executor
from autograder.letters import open_letter, write_run
from autograder.policy import SANDBOXES
from autograder.probe import choose


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
    found = look_at_software()
    try:
        return {**found, "level": await asyncio.to_thread(choose, sandbox)}
    except SandboxError as error:
        return {**found, "level": "", "reason": str(error)}


def look_at_software() -> dict[str, Any]:
    """The host's name and its software."""
    return {"host": socket.gethostname(), "software": software()}


def difference(host: str, theirs: dict[str, str], ours: dict[str, str]) -> str:
    """What differs in the software, as a sentence; "" for nothing."""
    other = [f"{name} is {theirs.get(name)} there and {mine} here" for name, mine in ours.items()
             if theirs.get(name) != mine]  # fmt: skip
    return f"on {host} {', '.join(other)}. Install the same version on both." if other else ""


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
        if reason := difference(socket.gethostname(), software(), self._software):
            raise InstructorError(f"This worker must not grade: {reason}")
        level = choose(self._sandbox)
        if level != self._promised and SANDBOXES.index(level) > SANDBOXES.index(self._promised):
            raise SandboxError(f"This worker must not grade: its sandbox {level} is weaker than {self._promised}.")
        return make_executor(self._assignment.settings.engine, level)

    def judge(self, letter: str) -> str:
        """One letter to one answer."""
        assert self._executor
        try:
            return write_run(self._executor.run(self._assignment, *open_letter(self._assignment, letter)))
        except EngineError:
            if self._ended:  # the worker is leaving: its executor was closed under the submission
                raise distributed.Reschedule from None
            raise
        finally:
            if self._ended:  # it may have been warming up when it was closed
                self._executor.close()


def judge(name: str, letter: str) -> str:
    """The task: one rebuilt notebook to one `Run`, as JSON."""
    plugin = distributed.get_worker().plugins[name]
    assert isinstance(plugin, Judging)
    return plugin.judge(letter)
