"""Which sandbox works on this machine: each level is tried for real, with the zygote that grading uses.

A kernel may offer a call that a container's own filter refuses, so asking for versions is not enough. A process is
put inside a level and reports what it could still reach; a level counts only when it reached nothing and could
still do an honest submission's work.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError
from autograder.policy import SANDBOXES, Level, Limits
from autograder.zygote import Exit, Zygote

TARGETS = {"look": "autograder.probe:look", "multiply": "autograder.probe:multiply"}
LIMITS = Limits(submission_seconds=10, memory_mb=256, processes=8, disk_mb=16)
TOO_MANY = 40


@dataclass(frozen=True)
class Probe:
    """What trying one level showed; `reason` says why it is not available."""

    level: Level
    available: bool
    reason: str = ""


@cache
def probe(level: Level) -> Probe:
    """One sandbox level. Takes half a second, once a process."""
    with Zygote(preload=[], targets=TARGETS) as zygote:
        return _probe(zygote, level)


def probe_all() -> tuple[Probe, ...]:
    """Every sandbox level, strongest first."""
    return tuple(probe(level) for level in SANDBOXES)


def strongest() -> Probe:
    """The strongest level that works; weaker ones are not tried. Raises `SandboxError` where none does."""
    probes = []
    for level in SANDBOXES:
        probes.append(probe(level))
        if probes[-1].available:
            return probes[-1]
    reasons = "; ".join(f"{each.level}: {each.reason}" for each in probes)
    raise SandboxError(
        f"No sandbox works on this machine ({reasons}). `autograder doctor` says how to enable one. "
        "To run the students' code without walls all the same, give `--sandbox none`."
    )


def choose(wanted: str | None) -> Level:
    """The level to grade at: the one asked for if it works, else the strongest; "none" only when asked for."""
    if wanted is None:
        return strongest().level
    if wanted == "none":
        return "none"
    for level in SANDBOXES:
        if level == wanted:
            if not probe(level).available:
                raise SandboxError(f"The sandbox {wanted} does not work on this machine: {probe(level).reason}.")
            return level
    raise SandboxError(f"There is no sandbox {wanted!r}; choose one of {', '.join(SANDBOXES)} or none.")


def _probe(zygote: Zygote, level: Level) -> Probe:
    if level == "namespaces" and os.getuid() != 0:
        return Probe(level, False, "only root can use it")
    bystander = subprocess.Popen(["sleep", "30"])  # noqa: S607
    try:
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
            Path(folder).chmod(0o777)  # so that the walls are tested, not the modes
            (Path(folder) / "canary").write_text("canary")
            job = {"folder": folder, "port": listener.getsockname()[1], "pid": bystander.pid}
            findings = _run(zygote, "look", job, level)
        findings = findings or _run(zygote, "multiply", {}, level)
    finally:
        bystander.kill()
        bystander.wait()
    return Probe(level, not findings, "; ".join(findings))


def _run(zygote: Zygote, target: str, job: dict[str, Any], level: Level) -> list[str]:
    reading, writing = os.pipe()
    try:
        child = zygote.spawn(target, job, fds=[writing], level=level, limits=LIMITS)
    finally:
        os.close(writing)
    end = child.wait(timeout=60)
    with os.fdopen(reading, "rb") as file:
        text = file.read()
    if target == "multiply" and end.reason == "processes":  # a watch stopped it, as it should
        return []
    return json.loads(text) if text else [_ended(end)]


def _ended(end: Exit) -> str:
    return end.detail or f"the process ended ({end.reason} {end.code if end.signal is None else end.signal})"


# Inside the sandbox


def look(job: dict[str, Any], fds: list[int]) -> None:
    """Try to reach out, then to work; write what is wrong as a JSON list."""
    folder = Path(job["folder"])
    wrong = [
        finding
        for finding, reach in (
            ("the network can be reached", lambda: socket.create_connection(("127.0.0.1", job["port"]), 1)),
            ("files outside can be read", lambda: (folder / "canary").read_bytes()),
            ("files outside can be written", lambda: (folder / "written").write_bytes(b"")),
            ("other processes can be seen", lambda: Path(f"/proc/{job['pid']}/environ").read_bytes()),
            ("other processes can be signalled", lambda: os.kill(job["pid"], 0)),
        )
        if _succeeds(reach)
    ]
    wrong += [
        finding
        for finding, work in (
            ("temporary files cannot be written", lambda: tempfile.TemporaryFile().close()),
            ("Python's library cannot be read", lambda: __import__("colorsys")),
            ("Python cannot be run", lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True)),
            ("commands cannot be run", lambda: subprocess.run(["sh", "-c", "true"], check=True)),  # noqa: S607
        )
        if not _succeeds(work)
    ]
    os.write(fds[0], json.dumps(wrong).encode())


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, ImportError, subprocess.SubprocessError):
        return False
    return True


def multiply(job: dict[str, Any], fds: list[int]) -> None:
    """Start more processes than are allowed."""
    wrong = ["the number of processes is not limited"]
    children = []
    try:
        for _ in range(TOO_MANY):
            pid = os.fork()
            if pid == 0:
                time.sleep(5)
                os._exit(0)
            children.append(pid)
        time.sleep(1)  # for the watch
    except OSError:
        wrong = []
    for pid in children:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    os.write(fds[0], json.dumps(wrong).encode())
