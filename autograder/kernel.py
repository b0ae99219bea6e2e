"""The few Linux calls that Python 3.11 lacks, by ctypes: each wrapper raises OSError, none decides anything."""

import ctypes
import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from autograder.syscalls import machine, number

_libc = ctypes.CDLL(None, use_errno=True)

#: CLONE_NEW* by the short names that policies use.
NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = (
    1 << 10,
    1 << 11,
    1 << 12,
    1 << 14,
    1 << 18,
    1 << 21,
)
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 24, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPABILITY_VERSION_3 = 0x20080522
M_ARENA_MAX = -8


def _check(result: int, call: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")
    return result


def syscall(name: str, *arguments: object) -> int:
    """Call by name, for calls that libc does not wrap. Raises OSError, also where the machine has no such call."""
    nr = number(name, machine())
    if nr is None:
        raise OSError(38, f"{name}: this machine has no such system call")
    return _check(_libc.syscall(ctypes.c_long(nr), *arguments), name)


def unshare(names: Iterable[str]) -> None:
    """Leave the namespaces of these names for new ones."""
    flags = 0
    for name in names:
        flags |= NAMESPACES[name]
    _check(_libc.unshare(ctypes.c_int(flags)), f"unshare {' '.join(names)}")


def join_namespace(descriptor: int, name: str) -> None:
    """Enter the namespace behind a /proc/PID/ns descriptor; for "pid" it is our next children who do."""
    _check(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(NAMESPACES[name])), f"setns {name}")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    encoded = [os.fsencode(text) if text else None for text in (source, target, kind, options)]
    _check(
        _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]),
        f"mount {kind or source} on {target}",
    )


def umount(target: str) -> None:
    """Detach a mount now, for good once nothing uses it."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    syscall("pivot_root", ctypes.c_char_p(os.fsencode(new_root)), ctypes.c_char_p(os.fsencode(put_old)))


def prctl(option: int, *arguments: int) -> int:
    padded = [ctypes.c_ulong(value) for value in (*arguments, *(0,) * (4 - len(arguments)))]
    return _check(_libc.prctl(ctypes.c_int(option), *padded), f"prctl {option}")


def die_with_parent(signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent ends. A change of user id forgets it."""
    prctl(PR_SET_PDEATHSIG, signal)


def drop_capability_bounds() -> None:
    """No capability can be gained by any later exec."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        prctl(PR_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """Give up every capability that this process holds."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    syscall("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def close_all_but(keep: Iterable[int]) -> None:
    """Close every descriptor of this process that is not in `keep`."""
    edges = [-1, *sorted(set(keep)), 0xFFFFFFFF]
    for below, above in pairwise(edges):
        first, last = below + 1, above - 1 if above != edges[-1] else above
        if first <= last:
            syscall("close_range", ctypes.c_uint(first), ctypes.c_uint(last), ctypes.c_uint(0))


def limit_malloc_arenas(count: int) -> None:
    """Keep a thread from reserving 64 MB of address space for its heap (glibc; elsewhere nothing happens)."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(ctypes.c_int(M_ARENA_MAX), ctypes.c_int(count))
