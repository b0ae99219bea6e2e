"""What this machine offers for grading: the sandbox first, then room, then what is missing and how to get it.

`report()` looks and changes nothing. A check that is not `ok` names the command that mends it; grading is `safe`
when some sandbox level works.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import landlock
from autograder.cgroup import make_tree
from autograder.errors import SandboxError
from autograder.policy import MIB, SUMMARY, Level, Limits
from autograder.probe import Probe, probe_all
from autograder.syscalls import machine

#: Settings that can forbid unprivileged user namespaces: the value that forbids, and the one that allows.
USERNS_SETTINGS = {
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "user/max_user_namespaces": ("0", "10000"),
}
NEEDED = ("torch", "nbgrader", "convbook")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, and what to do where it is not well."""

    name: str
    ok: bool
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Report:
    level: Level | None  # the strongest sandbox that works here
    checks: tuple[Check, ...]

    @property
    def safe(self) -> bool:
        """Whether untrusted code can be graded here."""
        return self.level is not None


def report() -> Report:
    """Look at this machine. Takes about a second."""
    try:
        known = machine().name
    except SandboxError as error:
        return Report(None, (Check("sandbox", False, str(error)),))
    probes = probe_all()
    level = next((probe.level for probe in probes if probe.available), None)
    checks = [Check("machine", True, f"Linux {platform.release()} on {known}"), *_sandbox(probes, level)]
    if level:
        checks += [_counting(level)]
    return Report(level, (*checks, _room(Limits()), _scratch(Limits()), _gpu(), *_programs()))


def _sandbox(probes: tuple[Probe, ...], level: Level | None) -> Iterator[Check]:
    """The level in use, and each stronger one with what would enable it."""
    yield Check(
        "sandbox",
        level is not None,
        f"{level}: {SUMMARY[level]}" if level else "no level works; grading is refused without --sandbox none",
    )
    settings = {name: _read(Path("/proc/sys", name)) for name in USERNS_SETTINGS}
    in_container = any(mark.exists() for mark in CONTAINER_MARKS)
    for probe in probes:
        if probe.level == level:
            return
        yield Check(f"sandbox {probe.level}", level is not None, probe.reason, advice(probe, settings, in_container))


def advice(probe: Probe, settings: Mapping[str, str], in_container: bool) -> str:
    """How to enable a level that does not work here."""
    if probe.level == "landlock":
        if landlock.version() < landlock.OLDEST_VERSION:
            return "Landlock needs Linux 6.2, with landlock in the boot parameter lsm=."
        return ""
    if in_container and probe.level == "namespaces":
        return "Start the container with: docker run --privileged"
    if probe.level == "namespaces":
        return "Run the autograder as root: sudo .venv/bin/autograder grade ..."
    forbidden = [
        f"sudo sysctl {name.replace('/', '.')}={allowed}"
        for name, (forbidding, allowed) in USERNS_SETTINGS.items()
        if settings.get(name) == forbidding
    ]
    if in_container:
        forbidden.append(
            "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined"
        )
    return "To enable it: " + "; ".join(forbidden) if forbidden else ""


def _counting(level: Level) -> Check:
    """Who counts the memory of all processes of a submission together."""
    tree = make_tree()
    if tree:
        tree.remove()
        return Check("memory limit", True, f"counted by the kernel, cgroup version {tree.group.version}")
    return Check(
        "memory limit",
        True,
        "limited for each process; the sum is looked at four times a second, because no cgroup can be made",
        "" if level == "namespaces" else "Run as root to have the kernel count it.",
    )


def _room(limits: Limits) -> Check:
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    at_once = max(1, min(cores, memory // (limits.memory_mb + 512)))
    return Check("room", True, f"{cores} cores and {memory} MB of memory: {at_once} submissions at once")


def _scratch(limits: Limits) -> Check:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free // MIB
    return Check(
        "scratch space",
        free > limits.disk_mb,
        f"{free} MB free in {folder}",
        "" if free > limits.disk_mb else "Free some space there, or set TMPDIR to another folder.",
    )


def _gpu() -> Check:
    """Asked of the driver's own tool: a CUDA context in this process would not survive a fork."""
    tool = shutil.which("nvidia-smi")
    names = ""
    if tool:
        query = [tool, "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False).stdout.strip()  # noqa: S603
    found = f"{', '.join(names.splitlines())}; not used" if names else "none; none is needed"
    return Check("GPU", True, f"{found}: submissions run on the CPU, where a regrade repeats the result")


def _programs() -> Iterator[Check]:
    for name in NEEDED:
        here = importlib.util.find_spec(name) is not None
        yield Check(name, here, "installed" if here else "missing", "" if here else "Run: make setup")


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
