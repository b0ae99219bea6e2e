"""Warm processes: import torch once, then fork a ready process for each submission in milliseconds.

    with Zygote(preload=["torch", "convbook"]) as zygote:
        child = zygote.spawn("student", {"cells": 12}, fds=[ours.fileno()], level="namespaces", limits=Limits())
        ours.close()
        end = child.wait(timeout=150)        # Exit(code=0, signal=None, reason="exited", ...)

The zygote is a server in a process of its own (`autograder.forkserver`), reached over sockets that only its parent
holds. It serves any number of children at once; `child.fileno()` becomes readable when that child has ended, so a
selector can wait for several. When the parent ends, however it ends, the zygote and all its children do.

A job travels to the child in a descriptor, so the zygote never sees it. Even so, keep two zygotes: one for
students, one for judges, so that nothing of a judge is ever in memory that a student's process is copied from.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from autograder.errors import EngineError
from autograder.policy import Level, Limits

#: What a job may run: functions `target(job: dict, fds: list[int]) -> None`, by name, fixed when a zygote starts. A
#: module that has a function `warm` has it called before the first fork.
TARGETS: Mapping[str, str] = {
    "student": "autograder.student:main",
    "judge": "autograder.judge:main",
    "in-kernel": "autograder.inkernel:main",
}

#: Imported in every zygote of its kind, where they are installed; else each child would. NumPy brings these two of its
#: modules only when they are first used.
JUDGE_LIBRARIES = ("numpy.random", "numpy.typing", "convbook.check")
STUDENT_LIBRARIES = (*JUDGE_LIBRARIES, "IPython.core.interactiveshell", "matplotlib.pyplot")

#: One thread: a fork copies the calling thread alone, and a lock held by another would stay locked for ever.
SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

START_SECONDS = 120

Reason = Literal["exited", "signal", "cpu", "memory", "processes", "disk", "wall", "killed", "sandbox", "zygote"]


@dataclass(frozen=True)
class Exit:
    """How a child ended.

    `reason`: "exited" and "signal" were the child's own doing; "cpu", "memory", "processes", "disk" and "wall" are
    limits that it passed; "killed" was our `kill`; "sandbox" means that the walls could not be put up and the target
    never ran; "zygote" that the zygote ended. `detail` says more, in a sentence, where there is more to say.
    """

    code: int | None
    signal: int | None
    reason: Reason
    detail: str = ""
    cpu_seconds: float = 0.0


class Child:
    """One forked process. Made by `Zygote.spawn`."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._exit: Exit | None = None

    def fileno(self) -> int:
        """Readable once the child has ended."""
        return self._link.fileno()

    def wait(self, timeout: float | None = None) -> Exit:
        """How the child ended. Raises TimeoutError when it has not within `timeout` seconds; it then still runs."""
        if self._exit is None:
            poll = select.poll()
            poll.register(self._link, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise TimeoutError(f"The process still runs after {timeout} seconds.")
            try:
                message = self._link.recv(1 << 16)
            except ConnectionError:
                message = b""
            self._link.close()
            self._exit = Exit(**json.loads(message)) if message else Exit(None, None, "zygote", "The zygote ended.")
        return self._exit

    def kill(self) -> None:
        """End the child and all that it started. Its exit follows; one that has ended already keeps its reason."""
        if self._exit is None:
            with contextlib.suppress(OSError):  # it has ended, or the zygote has: `wait` says which
                # No word is sent: left unread when the zygote closes its end, it would destroy the exit on its way.
                self._link.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Forget the child; one that still runs is killed."""
        if self._exit is None:
            self._exit = Exit(None, None, "killed")
            self._link.close()


class Zygote:
    """A warm server process that forks children on request.

    Args:
        preload: modules to import before the first fork, those of them that are installed.
        targets: what children may run, name to "module:function", imported at the start.
        path: folders to import targets from besides the installed packages.

    Raises:
        EngineError: the server did not start.
    """

    def __init__(
        self,
        preload: Sequence[str] = STUDENT_LIBRARIES,
        targets: Mapping[str, str] = TARGETS,
        path: Sequence[Path] = (),
    ) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {"preload": list(preload), "targets": dict(targets), "path": [str(folder) for folder in path]}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-P", "-m", "autograder.forkserver", str(theirs.fileno()), json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=_clean_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._await_start()

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if select.select([self._control], [], [], 1)[0]:
                if self._control.recv(64) == b"ready":
                    return
                break
        self.close()
        raise EngineError("The warm process did not start; its message on standard error says why.")

    def spawn(
        self,
        target: str,
        job: Mapping[str, Any],
        fds: Sequence[int] = (),
        *,
        level: Level,
        limits: Limits | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Child:
        """Fork a child that enters the sandbox and calls `target(job, fds)`.

        Args:
            job: plain JSON; all that the child is told.
            fds: descriptors that the child gets copies of (under other numbers). The caller closes its own.
            stdout, stderr: descriptors for the child's descriptors 1 and 2; /dev/null without.

        Raises:
            EngineError: the zygote has ended.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        letter = os.memfd_create("job")
        streams = [number for number in (stdout, stderr) if number is not None]
        request = {
            "target": target,
            "level": level,
            "limits": asdict(limits or Limits()),
            "stdout": stdout is not None,
            "stderr": stderr is not None,
        }
        try:
            with theirs, open(letter, "wb", closefd=False) as file:
                file.write(json.dumps(job).encode())
                file.flush()
                sent = [theirs.fileno(), letter, *streams, *fds]
                socket.send_fds(self._control, [json.dumps(request).encode()], sent)
        except OSError as error:
            ours.close()
            raise EngineError(f"The warm process has ended ({error}).") from error
        finally:
            os.close(letter)
        return Child(ours)

    def fileno(self) -> int:
        """Readable when the zygote has ended; every child's `fileno` then is, too."""
        return self._control.fileno()

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self._control.fileno() < 0 or bool(select.select([self._control], [], [], 0)[0])

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End the zygote and every child."""
        self._control.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _clean_environment() -> dict[str, str]:
    """Nothing of ours but where programs and caches are: children can read it."""
    kept = {name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ}
    return {
        **kept,
        **SINGLE_THREAD,
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # torch's memory in large pages: a fork copies a table of them
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # the order of a set is the same in a regrade
        "PYTHONDONTWRITEBYTECODE": "1",
        "CUDA_VISIBLE_DEVICES": "",  # a CUDA context does not survive a fork
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
