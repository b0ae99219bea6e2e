"""A control group a submission, where this user may make one: the kernel counts memory and processes in sum.

Both generations are in use. Version 2 has one tree; version 1 has a tree a controller. Version 1 lets a group hold
processes and groups, so ours is made under the group that we are in. Version 2 allows that for the top group of the
machine only; where that is not ours to write to (an ordinary user, most containers), `autograder.watch` counts.
"""

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.policy import MIB, Limits

CONTROLLERS = ("memory", "pids")
PREFIX = "autograder-"
#: Pages of the warm process that the child writes to are charged to the child: Python's reference counts alone
#: touch about 50 MB. It is not the student's doing.
WARM_COPIES = 64 * MIB


@dataclass(frozen=True)
class Cgroup:
    """One submission's group: the same folder in one tree (version 2) or in two (version 1)."""

    version: Literal[1, 2]
    folders: tuple[Path, ...]

    def limit(self, limits: Limits) -> None:
        memory, processes = str(limits.memory_mb * MIB + WARM_COPIES), str(limits.processes)
        for folder in self.folders:
            if self.version == 2:
                _write(folder / "memory.max", memory)
                _write(folder / "memory.swap.max", "0", optional=True)
                _write(folder / "memory.oom.group", "1", optional=True)
                _write(folder / "pids.max", processes)
            elif (folder / "memory.limit_in_bytes").exists():
                _write(folder / "memory.limit_in_bytes", memory)
                _write(folder / "memory.memsw.limit_in_bytes", memory, optional=True)
            else:
                _write(folder / "pids.max", processes)

    def join(self) -> None:
        """Move the calling process in; its children are born there."""
        for folder in self.folders:
            _write(folder / "cgroup.procs", "0")

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process of this group for memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    if re.search(r"^oom_kill [1-9]", (folder / name).read_text(), re.MULTILINE):
                        return True
        return False

    def remove(self) -> None:
        """Kill what is left inside and remove the group."""
        for folder in self.folders:
            for _ in range(100):
                try:
                    members = [int(line) for line in (folder / "cgroup.procs").read_text().split()]
                    for pid in members:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)


@dataclass(frozen=True)
class CgroupTree:
    """The zygote's own group, parent of its children's."""

    group: Cgroup

    def make(self, name: str, limits: Limits) -> Cgroup:
        group = Cgroup(self.group.version, tuple(folder / name for folder in self.group.folders))
        for folder in group.folders:
            folder.mkdir()
        group.limit(limits)
        return group

    def remove(self) -> None:
        for folder in self.group.folders:
            for child in folder.glob("*/"):
                Cgroup(self.group.version, (child,)).remove()
        self.group.remove()


def make_tree() -> CgroupTree | None:
    """A group of our own that has worked once, or None where this user may not make one."""
    mounts = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for version, parents in _candidates(mounts, own):
        group = Cgroup(version, tuple(parent / f"{PREFIX}{os.getpid()}" for parent in parents))
        tree = CgroupTree(group)
        try:
            for parent, folder in zip(parents, group.folders, strict=True):
                _remove_abandoned(parent, version)
                folder.mkdir()
                if version == 2:
                    _enable(parent)
                    _enable(folder)
            if _works(tree):
                return tree
        except OSError:
            pass
        tree.remove()
    return None


def _candidates(mounts: list[list[str]], own: list[list[str]]) -> list[tuple[Literal[1, 2], tuple[Path, ...]]]:
    """Parents to try: version 2 before version 1, our own group before the top one."""
    top: dict[str, Path] = {}
    for left, right in mounts:
        kind, _, options = right.split(" ", 2)
        where = Path(left.split()[4])
        if kind == "cgroup2" and "memory" in _read(where / "cgroup.controllers").split():
            top[""] = where
        elif kind == "cgroup":
            for name in set(options.split(",")) & set(CONTROLLERS):
                top[name] = where
    inside = {name: path.lstrip("/") for _, names, path in own for name in names.split(",")}
    found: list[tuple[Literal[1, 2], tuple[Path, ...]]] = []
    if "" in top:
        found += [(2, (top[""],))]
    if all(name in top for name in CONTROLLERS):
        found += [(1, tuple(top[name] / inside.get(name, "") for name in CONTROLLERS))]
        found += [(1, tuple(top[name] for name in CONTROLLERS))]
    return found


def _enable(folder: Path) -> None:
    missing = set(CONTROLLERS) - set(_read(folder / "cgroup.subtree_control").split())
    if missing:
        _write(folder / "cgroup.subtree_control", " ".join(f"+{name}" for name in missing))


def _works(tree: CgroupTree) -> bool:
    """Send a process in: rights on the folder alone are not enough. Call it from a single thread only."""
    group = tree.make("try", Limits())
    pid = os.fork()
    if pid == 0:
        try:
            group.join()
        except OSError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    group.remove()
    return status == 0


def _remove_abandoned(parent: Path, version: Literal[1, 2]) -> None:
    """A zygote that was killed outright could not remove its group."""
    for folder in parent.glob(f"{PREFIX}*/"):
        pid = folder.name.removeprefix(PREFIX)
        if pid.isdecimal() and not Path("/proc", pid).exists():
            CgroupTree(Cgroup(version, (folder,))).remove()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _write(path: Path, text: str, *, optional: bool = False) -> None:
    try:
        path.write_text(text)
    except OSError:
        if not optional:
            raise
