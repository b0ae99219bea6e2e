"""Real machines for tests: a Dask scheduler and workers, each worker in a network namespace of its own where root may.

Everything started here dies with the test's process (PR_SET_PDEATHSIG), however that ends; a namespace and its cable
go with the last process in it.
"""

import contextlib
import functools
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import distributed
import psutil

from tests.autograder import light

START_SECONDS = 240
NAMESPACES = os.getuid() == 0 and all(map(shutil.which, ("ip", "unshare", "nsenter", "setpriv")))


class Machines:
    """A scheduler and its workers. Logs and scratch files go to `folder`; `close` ends everything."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)
        self.workers: list[Worker] = []
        self.port = 0
        self.where = "loopback"
        self.host = "127.0.0.1"
        self.protocol = "tcp"
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

    def start_scheduler(self) -> None:
        """Start it and learn its port; clients of this machine reach it on loopback."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        command = ["scheduler", "--protocol", self.protocol, "--host", self.host, "--port", "0", "--no-dashboard"]
        command += ["--scheduler-file", str(file)]
        self.scheduler = self._start("scheduler", command)
        _until(lambda: file.exists() and file.read_text().endswith("}"), self.scheduler, "the scheduler")
        self.port = int(file.read_text().split('"address": "')[1].split('"')[0].rsplit(":", 1)[1])

    @property
    def address(self) -> str:
        return f"{self.protocol}://127.0.0.1:{self.port}"

    def start_worker(self, threads: int = 1, nanny: bool = True, preload: bool = True, **environment: str) -> "Worker":
        """Start a worker; `await_workers` waits for it."""
        inside: list[str] = []
        gateway = host = "127.0.0.1"
        if self._cables:
            gateway, inside = self._cables.pop(0)
            host = gateway[:-1] + "2"
        name = f"worker-{next(self._numbers)}"
        command = [
            "worker",
            f"{self.protocol}://{gateway}:{self.port}",
            "--host",
            host,
            "--nworkers",
            "1",
            "--no-dashboard",
        ]
        command += ["--nthreads", str(threads), "--name", name, "--local-directory", str(self._folder / name)]
        command += ["--preload", light.__file__] if preload else []
        command += [] if nanny else ["--no-nanny"]
        worker = Worker(name, inside, host, gateway, self._start(name, command, inside, environment), self._log(name))
        self.workers.append(worker)
        return worker

    @functools.cached_property
    def control(self) -> distributed.Client:
        """A client to look at the cluster with."""
        return distributed.Client(self.address, set_as_default=False)

    def await_workers(self, count: int) -> dict[str, str]:
        """Wait until there are exactly so many; their addresses by name."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = {each["name"]: address for address, each in self.control.scheduler_info(-1)["workers"].items()}
            if len(found) == count:
                return found
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(found)} workers instead of {count}")
            time.sleep(0.05)

    def listening(self) -> list[tuple[str, int]]:
        """Where the scheduler, the workers and their nannies listen, as the workers see them."""
        infos = self.control.scheduler_info(-1)["workers"]
        found = {each for address, info in infos.items() for each in (address, info["nanny"]) if each}
        found |= {f"tcp://{worker.gateway}:{self.port}" for worker in self.workers}
        return sorted((url.hostname or "", url.port or 0) for url in map(urlsplit, found))

    def one_worker(self) -> "Worker":
        """The one that is there, or a new one."""
        if not self.workers:
            self.start_worker(nanny=False)
        self.await_workers(1)
        return self.workers[0]

    def stop(self, worker: "Worker") -> None:
        """End one worker and all that it started."""
        self.workers.remove(worker)
        _end(worker.process)

    def close(self) -> None:
        """End everything; a scheduler may be started again."""
        if "control" in vars(self):
            self.control.close(1)
            del self.control
        for process in reversed(self._processes):
            _end(process)
        self._processes, self.workers = [], []

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

    def __init__(
        self, name: str, inside: list[str], host: str, gateway: str, process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self.name, self.inside, self.process, self._log = name, inside, process, log
        self.host, self.gateway = host, gateway

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def everything(self) -> list[psutil.Process]:
        """The nanny, the worker, its warm processes and whatever runs in them."""
        return [psutil.Process(self.process.pid), *descendants(self.process.pid)] if self.process.poll() is None else []

    def students(self) -> int:
        """The warm process of students and its children: a worker that grades has more than one."""
        return sum("autograder.student:main" in command for command in map(_command, self.everything()))

    def kill(self) -> None:
        """As a power cut would: SIGKILL, the nanny first, so that it starts no other."""
        for each in (psutil.Process(self.process.pid), *self._own()):
            each.kill()

    def _own(self) -> list[psutil.Process]:
        """The worker's process, where it is below a nanny."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "spawn_main" in _command(each)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _end(process: subprocess.Popen[bytes]) -> None:
    family = descendants(process.pid)
    process.kill()
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _dying_with_us() -> list[str]:
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _until(true: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.05)
