"""The in-kernel mode: tests run in a Jupyter kernel beside the student's code, as in stock nbgrader.

For a course whose tests cannot run by proxy. The verdict comes out of an interpreter that the student controls, so
this mode keeps honest students apart from wrong answers and nothing more; every report says that it was used.
What it adds to the stock way: each half of a test cell runs on its own, so that it is known which half failed; only
an error counts, never a printed number or a warning; there is a limit on the whole submission and on its outputs;
whatever a kernel started dies with it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from autograder.assignment import Assignment, Cell
from autograder.grade import Run, Verdict, failure
from autograder.policy import Limits
from autograder.submission import Submission

TIMEOUT = "CellTimeoutError"
_STARTUP_SECONDS = 60
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


class KernelExecutor:
    """Runs submissions in kernels of this very interpreter."""

    engine = "in-kernel"
    sandbox = "none"

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        """See `autograder.grade.Executor`."""
        with tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as folder:
            return asyncio.run(_Session(assignment.settings.limits, submission, Path(folder)).run(draws_key))


class _OwnKernel(KernelSpecManager):
    """Knows one kernel: ipykernel of this interpreter, whatever the user has installed elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
        argv.append("--Session.packer=autograder.kerneljson.pack")
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class _Client(NotebookClient):
    """A client that stops collecting outputs at a limit."""

    budget = 0

    def output(self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        self.budget -= len(repr(msg["content"]))
        if self.budget < 0:
            return None
        return super().output(outs, msg, display_id, cell_index)


class _Ended(Exception):
    """The run is over before its last cell: an outcome, not an error."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Session:
    """One submission in one kernel."""

    def __init__(self, limits: Limits, submission: Submission, folder: Path) -> None:
        self._limits, self._submission, self._folder = limits, submission, folder
        self._verdicts: dict[str, Verdict] = {}
        self._outputs: dict[int, list[NotebookNode]] = {}
        self._deadline = 0.0
        self._reply: dict[str, Any] = {}
        self._channels: Any = None
        self._manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=_OwnKernel(),
            transport="ipc",
            ip=str(folder / "k"),
            connection_file=str(folder / "kernel.json"),
        )
        self._client = _Client(
            NotebookNode(cells=[], metadata=NotebookNode(), nbformat=4, nbformat_minor=5),
            km=self._manager,
            allow_errors=True,
            timeout_func=lambda _: self._seconds_left(),
            interrupt_on_timeout=True,
            error_on_timeout={"ename": TIMEOUT, "evalue": "", "traceback": []},
            startup_timeout=_STARTUP_SECONDS,
            store_widget_state=False,
            log=logging.Logger("nbclient", logging.CRITICAL + 1),  # what it would log is in the verdicts
            on_cell_executed=self._replied,
        )
        self._client.budget = limits.output_kb * 1024

    async def run(self, draws_key: bytes) -> Run:
        work = self._folder / "work"
        work.mkdir()
        ended = _Ended("", "")
        try:
            await self._client.async_start_new_kernel(env=self._environment(work, draws_key), cwd=str(work))
            self._channels = await self._client.async_start_new_kernel_client()
            self._deadline = time.monotonic() + self._limits.submission_seconds
            await self._cells()
        except _Ended as reason:
            ended = reason
        finally:
            await self._kill()
        flags = ("Outputs were cut at the limit.",) if self._client.budget < 0 else ()
        return Run(self._verdicts, self._outputs, ended.status, ended.message, flags)

    def _environment(self, home: Path, draws_key: bytes) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(home),
            "IPYTHONDIR": str(self._folder / "ipython"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "CONVBOOK_DRAWS_KEY": draws_key.hex(),
        }

    async def _cells(self) -> None:
        for place, (node, cell) in enumerate(zip(self._submission.notebook.cells, self._submission.cells, strict=True)):
            if node.cell_type != "code":
                continue
            if cell is not None and cell.kind == "test":
                self._verdicts[cell.id] = await self._test(cell)
            else:
                self._outputs[place] = await self._execute(node.source)

    async def _test(self, cell: Cell) -> Verdict:
        for hidden, source in ((False, cell.visible_half), (True, cell.hidden_source)):
            outputs = await self._execute(source) if source.strip() else []
            error = next((output for output in outputs if output.output_type == "error"), None)
            if error is None:
                continue
            if error.ename == TIMEOUT:
                return Verdict(0, "timeout", f"This part took longer than {self._limits.cell_seconds} s.")
            return failure(cell, hidden, error.ename, error.evalue)
        return Verdict(cell.points, "passed")

    async def _execute(self, source: str) -> list[NotebookNode]:
        """Run one source; returns its outputs, with an error among them if it did not end well."""
        if self._deadline - time.monotonic() <= 0:
            raise _Ended("timeout", f"The notebook took longer than {self._limits.submission_seconds} s.")
        node = new_code_cell(source)
        self._client.nb.cells = [node]
        self._reply = {}
        try:
            # nbclient has its own limit; this one holds where the kernel does not even answer an interrupt.
            await asyncio.wait_for(self._client.async_execute_cell(node, 0), self._seconds_left() + 15)
        except DeadKernelError:
            raise self._died() from None
        except TimeoutError:
            raise _Ended("timeout", "Your code could not be interrupted.") from None
        outputs = [output for output in node.outputs if output.output_type != "error"]
        errors = [output for output in node.outputs if output.output_type == "error"]
        if self._reply.get("ename") == TIMEOUT:
            text = f"no end after {self._limits.cell_seconds} s"
            await self._recover()
            return [*outputs, new_output("error", ename=TIMEOUT, evalue=text, traceback=[f"{TIMEOUT}: {text}"])]
        if self._reply.get("status") != "ok" and not errors:
            name = str(self._reply.get("ename", "Stopped"))
            errors = [new_output("error", ename=name, evalue=str(self._reply.get("evalue", "")), traceback=[name])]
        return outputs + errors

    def _replied(self, execute_reply: dict[str, Any], **_: Any) -> None:
        self._reply = execute_reply["content"]

    def _seconds_left(self) -> int:
        return max(1, min(self._limits.cell_seconds, round(self._deadline - time.monotonic())))

    async def _recover(self) -> None:
        """After an interrupt the kernel must answer, or there is no point in asking it more."""
        try:
            await self._channels.wait_for_ready(timeout=5)
        except RuntimeError:
            raise _Ended("timeout", "Your code ran out of time and could not be interrupted.") from None

    def _died(self) -> _Ended:
        process = getattr(self._manager.provisioner, "process", None)
        if getattr(process, "returncode", None) == -signal.SIGKILL:
            return _Ended("memory", "Python was killed while it ran your code, most likely for lack of memory.")
        return _Ended("crashed", "Python ended while it ran your code (os._exit, sys.exit or a crash in a library).")

    async def _kill(self) -> None:
        """End the kernel and what it started: they share a process group."""
        process = getattr(self._manager.provisioner, "process", None)
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        if self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=True)
        if self._channels is not None:
            self._channels.stop_channels()
