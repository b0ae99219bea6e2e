"""Sums that no resource limit covers, looked at a few times a second where no cgroup or private root does it.

RLIMIT_* count a process or a user. What a submission's processes use together is read from /proc and from its home
folder instead, so a limit may be passed for the length of one interval before the submission is killed.
"""

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from autograder.policy import FILES, MIB, Limits

INTERVAL_SECONDS = 0.25
Excess = Literal["memory", "processes", "disk"]

_OWN_MEMORY = re.compile(r"^(?:Pss_Anon|Pss_Shmem):\s+(\d+) kB$", re.MULTILINE)


def group_members(group: int) -> list[Path]:
    """/proc folders of a process group. Its members cannot leave: the filter answers setsid and setpgid itself."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, IndexError, ValueError):
                # After the name, which may hold anything: state, parent, group.
                if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                    members.append(entry)
    return members


def namespace_members(inmate: int) -> list[Path]:
    """/proc folders of every process in the process namespace of its process 1, through that process's own /proc."""
    try:
        return [entry for entry in Path(f"/proc/{inmate}/root/proc").iterdir() if entry.name.isdecimal()]
    except OSError:
        return []


def memory(members: Iterable[Path]) -> int:
    """Bytes of private and shared memory; a page that two of them share counts once."""
    total = 0
    for member in members:
        with suppress(OSError):
            total += 1024 * sum(map(int, _OWN_MEMORY.findall((member / "smaps_rollup").read_text())))
    return total


def threads(members: Iterable[Path]) -> int:
    total = 0
    for member in members:
        with suppress(OSError):
            total += len(list((member / "task").iterdir()))
    return total


def disk(home: Path, members: Iterable[Path]) -> tuple[int, int]:
    """Bytes and files under a folder, and of deleted files that a process still holds open."""
    size, files = 0, 0
    for folder, _, names in os.walk(home):
        for name in names:
            files += 1
            with suppress(OSError):
                size += os.lstat(Path(folder, name)).st_blocks * 512
        if files > FILES:
            break
    for member in members:
        with suppress(OSError):
            for descriptor in (member / "fd").iterdir():
                with suppress(OSError):
                    found = descriptor.stat()
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        size += found.st_blocks * 512
    return size, files


def excess(limits: Limits, members: list[Path], warm_memory: int, home: Path | None) -> Excess | None:
    """Which limit is passed, if any. `warm_memory` is what the zygote itself held at the fork."""
    if memory(members) > limits.memory_mb * MIB + warm_memory:
        return "memory"
    if home is None:  # the user namespace counts processes, the tmpfs files
        return None
    if threads(members) > limits.processes:
        return "processes"
    size, files = disk(home, members)
    return "disk" if size > limits.disk_mb * MIB or files > FILES else None
