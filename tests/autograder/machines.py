"""Real machines for tests: a Dask scheduler and workers, each worker in a network namespace of its own where root may.

Everything started here dies with the test's process (PR_SET_PDEATHSIG), however that ends; a namespace and its cable
go with the last process in it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import psutil

START_SECONDS = 60
NAMESPACES = os.getuid() == 0 and all(map(shutil.which, ("ip", "unshare", "nsenter", "setpriv")))
#: The fixture assignment needs no torch, so warm processes start in half a second instead of four.
PRELOAD = ("numpy", "IPython.core.interactiveshell")
LIGHT = f"""
import functools
from autograder import judged, zygote
judged.Zygote = functools.partial(zygote.Zygote, preload={PRELOAD!r})
"""


class Machines:
    """A scheduler and its workers. Logs and scratch files go to `folder`; `close` ends everything."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._numbers = iter(range(1, 100))
        self.where = "loopback"
        self.host = "127.0.0.1"
        (folder / "light.py").write_text(LIGHT)
        self._environment = {**os.environ, **environment}
        self._cables: list[tuple[str, list[str]]] = []

    def lay_cables(self, count: int) -> None:
        """Namespaces for the next `count` workers, if this machine gives them."""
        if not NAMESPACES:
            return
        try:
            self._cables = [self._cable(number) for number in range(count)]
        except subprocess.CalledProcessError:
            return
        self.where, self.host = "network namespaces", "0.0.0.0"

    def start_scheduler(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it and learn its port; clients of this machine reach it on loopback."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        command = ["scheduler", "--host", self.host, "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        process = self._start("scheduler", [*command, *arguments])
        _until(lambda: file.exists() and file.read_text().endswith("}"), process, "the scheduler")
        self.port = int(file.read_text().split('"address": "')[1].split('"')[0].rsplit(":", 1)[1])
        return process

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_worker(self, threads: int = 1, *arguments: str, **environment: str) -> "Worker":
        """Start a worker with its nanny; wait for it with `await_workers`."""
        number = next(self._numbers)
        inside, gateway, own = [], "127.0.0.1", "127.0.0.1"
        if self._cables:
            gateway, inside = self._cables.pop(0)
            own = gateway[:-1] + "2"
        name = f"worker-{number}"
        command = ["worker", f"tcp://{gateway}:{self.port}", "--host", own, "--nworkers", "1", "--no-dashboard"]
        command += ["--nthreads", str(threads), "--name", name, "--local-directory", str(self._folder / name)]
        command += ["--preload", str(self._folder / "light.py"), *arguments]
        return Worker(name, inside, own, self._start(name, command, inside, environment), self._log(name))

    def close(self) -> None:
        for process in reversed(self._processes):
            for each in descendants(process.pid):
                _kill(each)
            process.kill()
            process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _start(
        self,
        name: str,
        command: list[str],
        inside: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.Popen[bytes]:
        kind, *rest = command
        line = [*_dying_with_us(), *inside, sys.executable, "-m", f"distributed.cli.dask_{kind}", *rest]
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environment, **environment},
                cwd=self._folder,
            )
        self._processes.append(process)
        return process

    def _cable(self, number: int) -> tuple[str, list[str]]:
        """A namespace held by a sleeping process, and a cable into it: our end's address, and how to enter."""
        holder = subprocess.Popen([*_dying_with_us(), "unshare", "--net", "sleep", "600"])
        self._processes.append(holder)
        link, ours = Path(f"/proc/{holder.pid}/ns/net"), Path("/proc/self/ns/net").readlink()
        _until(lambda: link.readlink() != ours, holder, "unshare")
        subnet = f"10.{200 + number}.{os.getpid() % 250}"
        outer, inner = f"cb{os.getpid()}.{number}", "machine"
        enter = ["nsenter", f"--net={link}"]
        for line in (
            ["ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", str(holder.pid)],
            ["ip", "addr", "add", f"{subnet}.1/24", "dev", outer],
            ["ip", "link", "set", outer, "up"],
            [*enter, "ip", "addr", "add", f"{subnet}.2/24", "dev", inner],
            [*enter, "ip", "link", "set", inner, "up"],
            [*enter, "ip", "link", "set", "lo", "up"],
        ):
            subprocess.run(line, check=True, capture_output=True)
        return f"{subnet}.1", enter


class Worker:
    """A worker process and its nanny."""

    def __init__(self, name: str, inside: list[str], host: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.inside, self.host, self.process, self._log = name, inside, host, process, log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def everything(self) -> list[psutil.Process]:
        """The nanny, the worker, its warm processes and whatever runs in them."""
        return [psutil.Process(self.process.pid), *descendants(self.process.pid)]

    def kill(self) -> None:
        """As a power cut would, but nothing else of the machine: SIGKILL for nanny and worker alone."""
        worker = [each for each in psutil.Process(self.process.pid).children() if "spawn_main" in each.cmdline()[-2]]
        for each in (psutil.Process(self.process.pid), *worker):
            each.send_signal(signal.SIGKILL)


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _dying_with_us() -> list[str]:
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _until(true: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.05)
