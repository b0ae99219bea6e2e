"""The zygote's server: imports, then an event loop that forks, watches and reaps. Started by `autograder.zygote`.

One thread, checked before each fork; a child goes on in `autograder.newborn`. The server holds, per child, a link
to whoever asked for it, a pipe on which the sandbox reports, and a descriptor that tells of its end. A child is
killed as soon as its link closes, its time is up or its sums are over the limit. Its exit is told when nothing of it
is left: no process, no cgroup, no file.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autograder import kernel, landlock, sandbox, watch
from autograder.cgroup import Cgroup, CgroupTree, make_tree
from autograder.newborn import Birth, Target, live
from autograder.policy import SANDBOXES, Level, Limits, Policy, build
from autograder.scratch import Scratch, remove_tree
from autograder.zygote import Exit, Reason

SET_UP_SECONDS = 20
BURIAL_SECONDS = 2
MAX_DESCRIPTORS = 64


@dataclass(eq=False)
class Process:
    """A child as the server sees it."""

    pid: int  # what we forked: the inmate, or its supervisor
    link: socket.socket
    pipe: int
    ended: int  # pidfd
    policy: Policy
    cgroup: Cgroup | None
    home: Path | None
    deadline: float
    inmate: int | None = None
    ready: bool = False
    killed_for: Reason | None = None
    report: dict[str, Any] = field(default_factory=dict)
    unread: bytes = b""

    @property
    def supervised(self) -> bool:
        return "user" in self.policy.namespaces

    @property
    def private(self) -> bool:
        """Whether the kernel ends all of it with its first process."""
        return bool(self.policy.namespaces)

    @property
    def watched(self) -> bool:
        """Whether some sum is counted by nobody else."""
        return self.ready and self.policy.level in SANDBOXES and not (self.cgroup and self.private)

    def kill(self, reason: Reason) -> None:
        """End it and all that it started; the first reason counts."""
        self.killed_for = self.killed_for or reason
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.inmate or self.pid, signal.SIGKILL)
        if not self.private:
            self.kill_group()

    def kill_group(self) -> bool:
        """Whether anybody was left to kill, zombies included."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


class Server:
    def __init__(
        self, control: socket.socket, targets: dict[str, Target], tree: CgroupTree | None, scratch: Scratch
    ) -> None:
        self._control = control
        self._targets = targets
        self._tree = tree
        self._scratch = scratch
        self._libraries = sandbox.library_paths()
        self._signals_scoped = landlock.version() >= landlock.SIGNALS_SCOPED_SINCE
        self._warm_memory = watch.memory([Path("/proc/self")])
        self._selector = selectors.DefaultSelector()
        self._processes: set[Process] = set()
        self._next_watch = 0.0
        self._lifeline = os.pipe()
        self._parent = os.pidfd_open(os.getppid())

    def serve(self) -> None:
        """Until the parent closes its end or ends."""
        self._selector.register(self._control, selectors.EVENT_READ, self._on_request)
        self._selector.register(self._parent, selectors.EVENT_READ, lambda: False)
        self._control.send(b"ready")
        running = True
        while running:
            for key, _ in self._selector.select(self._patience()):
                # Unless a handler of this round has closed it.
                if self._selector.get_map().get(key.fd) is key and key.data() is False:
                    running = False
            self._look_at_clocks()
        for process in list(self._processes):
            process.kill("killed")
            self._reap(process)

    def _patience(self) -> float | None:
        times = [process.deadline for process in self._processes]
        if any(process.watched for process in self._processes):
            times.append(self._next_watch)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        for process in self._processes:
            if now >= process.deadline:
                process.kill("wall" if process.ready else "sandbox")
                process.deadline = now + 1  # until it is reaped
        if now < self._next_watch:
            return
        for process in self._processes:
            if process.watched:
                members = (
                    watch.namespace_members(process.inmate or process.pid)
                    if process.private
                    else watch.group_members(process.pid)
                )
                over = watch.excess(process.policy.limits, members, self._warm_memory, process.home)
                if over:
                    process.kill(over)
        self._next_watch = time.monotonic() + watch.INTERVAL_SECONDS

    # Requests

    def _on_request(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, MAX_DESCRIPTORS)
        if not message:
            return False
        link = socket.socket(fileno=descriptors[0])
        try:
            self._spawn(json.loads(message), link, descriptors[1:])
        except Exception as error:
            _tell(link, Exit(None, None, "sandbox", f"{type(error).__name__}: {error}"))
            link.close()
        finally:
            for descriptor in descriptors[1:]:
                os.close(descriptor)
        return True

    def _spawn(self, request: dict[str, Any], link: socket.socket, descriptors: list[int]) -> None:
        level: Level = request["level"]
        limits = Limits(**request["limits"])
        target = self._targets[request["target"]]
        policy = build(
            level,
            limits,
            self._libraries,
            root=os.getuid() == 0,
            cgroup=self._tree is not None,
            signals_scoped=self._signals_scoped,
        )
        if len(list(Path("/proc/self/task").iterdir())) != 1:
            raise RuntimeError("the warm process has more than one thread, so a fork of it could hang")
        letter, rest = descriptors[0], descriptors[1:]
        stdout, stderr = (rest.pop(0) if request[name] else None for name in ("stdout", "stderr"))
        group = self._tree.make(os.urandom(8).hex(), limits) if self._tree else None
        home = None if policy.namespaces else self._scratch.make_home()
        reading, writing = os.pipe()
        pid = sandbox.fork(policy)
        if pid == 0:
            live(Birth(policy, target, letter, (stdout, stderr), rest, self._lifeline[0], writing, group, home))
        os.close(writing)
        os.set_blocking(reading, False)
        deadline = time.monotonic() + SET_UP_SECONDS
        process = Process(pid, link, reading, os.pidfd_open(pid), policy, group, home, deadline)
        self._processes.add(process)
        self._selector.register(link.fileno(), selectors.EVENT_READ, lambda: self._on_link(process))
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._on_report(process))
        self._selector.register(process.ended, selectors.EVENT_READ, lambda: self._reap(process))

    def _on_link(self, process: Process) -> None:
        """The other end was shut or closed: the child is not wanted any more."""
        self._selector.unregister(process.link.fileno())
        process.kill("killed")

    def _on_report(self, process: Process) -> None:
        """Lines of the sandbox, all written before the target runs or by the supervisor."""
        try:
            data = os.read(process.pipe, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(process.pipe)
            return
        *lines, process.unread = (process.unread + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            process.report.update(message)
            process.inmate = message.get("inmate", process.inmate)
            if message.get("ready"):
                process.ready = True
                process.deadline = time.monotonic() + process.policy.limits.submission_seconds
        if process.inmate and process.killed_for:
            process.kill(process.killed_for)

    # Ends

    def _reap(self, process: Process) -> None:
        if not process.private:
            # The group's number is safe from reuse until its leader is reaped.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            process.kill_group()
        _, status, used = os.wait4(process.pid, 0)
        if process.pipe in self._selector.get_map():
            self._on_report(process)
        if process.supervised:
            status = process.report.get("status", signal.SIGKILL)
            cpu = process.report.get("cpu_seconds", 0.0)
        else:
            cpu = used.ru_utime + used.ru_stime
        _bury(process)
        end = _explain(process, status, cpu)
        self._forget(process)
        _tell(process.link, end)
        process.link.close()

    def _forget(self, process: Process) -> None:
        self._processes.discard(process)
        for descriptor in (process.link.fileno(), process.pipe, process.ended):
            with contextlib.suppress(KeyError):  # an end of file was seen before
                self._selector.unregister(descriptor)
        os.close(process.pipe)
        os.close(process.ended)
        if process.cgroup:
            process.cgroup.remove()
        if process.home:
            remove_tree(process.home)
        _bury_strays({other.pid for other in self._processes})


def _bury(process: Process) -> None:
    """Reap what a dead child left in its group: orphans become ours, because we are their subreaper."""
    deadline = time.monotonic() + BURIAL_SECONDS
    while not process.private and process.kill_group() and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            while os.waitid(os.P_PGID, process.pid, os.WEXITED | os.WNOHANG):
                pass
        time.sleep(0.001)


def _bury_strays(ours: set[int]) -> None:
    """Reap whoever else ended, up to the first child of ours, whose end is for `_reap`."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in ours:
                return
            os.waitpid(found.si_pid, 0)


def _explain(process: Process, status: int, cpu: float) -> Exit:
    """The exit, with the reason that best explains it."""
    code = os.waitstatus_to_exitcode(status)
    by_signal = -code if code < 0 else None
    detail = ""
    reason: Reason
    if "error" in process.report:
        return Exit(None, None, "sandbox", process.report["error"])
    if not process.ready and process.killed_for != "killed":
        return Exit(None, None, "sandbox", f"The sandbox was not ready (status {code}).")
    if by_signal == signal.SIGKILL and process.cgroup and process.cgroup.ran_out_of_memory():
        reason = "memory"
    elif process.killed_for and by_signal == signal.SIGKILL:
        reason = process.killed_for
    elif by_signal in (signal.SIGXCPU, signal.SIGKILL) and cpu >= process.policy.limits.submission_seconds - 0.5:
        reason = "cpu"
    else:
        reason = "signal" if by_signal else "exited"
    if by_signal:
        detail = signal.strsignal(by_signal) or ""
    return Exit(None if by_signal else code, by_signal, reason, detail, cpu)


def _tell(link: socket.socket, end: Exit) -> None:
    with contextlib.suppress(OSError):  # nobody may be left to hear it
        link.send(json.dumps(asdict(end)).encode())


# Start


def _load(target: str) -> Target:
    """The function that "module:function" names."""
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(module), function)


def _preload(names: list[str]) -> None:
    for name in names:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.set_num_threads(1)
        with torch.no_grad():  # the first convolution initialises a lot; a backward pass would start threads
            torch.nn.Conv2d(1, 1, 3)(torch.zeros(1, 1, 8, 8))
    if "matplotlib" in sys.modules:
        figure = importlib.import_module("matplotlib.figure").Figure()
        importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        figure.add_subplot().set_title("warm")  # finds the fonts
        figure.canvas.draw()


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    os.umask(0o077)
    sys.path.extend(settings["path"])
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.limit_malloc_arenas(2)
    tree, scratch = make_tree(), Scratch()
    gc.disable()  # what is imported stays: there is nothing to find
    try:
        _preload(settings["preload"])
        targets = {name: _load(target) for name, target in settings["targets"].items()}
        for target in targets.values():
            getattr(sys.modules[target.__module__], "warm", lambda: None)()
        gc.collect()
        gc.enable()
        gc.freeze()  # a collection in a child then does not touch, and so copy, every warm page
        Server(control, targets, tree, scratch).serve()
    finally:
        scratch.remove()
        if tree:
            tree.remove()
    os._exit(0)  # nobody needs what torch takes a quarter of a second to put away


if __name__ == "__main__":
    main()
