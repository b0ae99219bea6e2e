"""Apply a policy to a freshly forked process.

Theory of operation, for the levels with namespaces. The zygote (warm, single-threaded) forks the *supervisor*; the
supervisor leaves for new namespaces and forks the *inmate*, which is process 1 of the new process namespace:

    zygote ──fork──► supervisor: waits for the inmate, reports how it ended
                        └──fork──► inmate: private root, own user id, no capabilities, limits, filter, then the target

The kernel ends every process of a process namespace with its process 1, so killing the inmate kills all. The inmate
dies with the supervisor, the supervisor with the zygote (PDEATHSIG, which the filter keeps from being unset).

The order of the inmate's steps matters. The cgroup comes first, while its files can be seen; the root before the
user id, because mounting needs capabilities; then capabilities, limits, and last the filter, which refuses many of
the calls that the steps before it make.

At the Landlock level there is one process and no supervisor: the filter keeps all that it starts in one process
group, and the zygote kills the group.

Applying fails closed: an error is reported to the zygote and the target never runs.
"""

import importlib.util
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from autograder import kernel, landlock, namespaces, seccomp
from autograder.cgroup import Cgroup
from autograder.errors import SandboxError
from autograder.policy import Policy

#: A user id of its own for each sandbox: above every id in common use, plus the process id, which is unique.
FIRST_UID = 0x70000000
#: Where a container maps only 65,536 ids.
FIRST_SMALL_UID, SMALL_UIDS = 61_000, 4_000
INNER_UID = 1000  # what a user namespace shows

Report = Callable[[dict[str, Any]], None]


def reporter(descriptor: int) -> Report:
    """Write one JSON object a line to the zygote."""

    def report(message: dict[str, Any]) -> None:
        os.write(descriptor, json.dumps(message).encode() + b"\n")

    return report


def library_paths() -> tuple[Path, ...]:
    """What a submission needs to read: Python, its packages, and the convbook package without what lies around it."""
    names = ("bin", "lib", "lib64", "share", "pyvenv.cfg")  # never the whole prefix: it may be the course itself
    paths = [Path(prefix, name) for prefix in (sys.base_prefix, sys.prefix) for name in names]
    paths += [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    spec = importlib.util.find_spec("convbook")
    if spec and spec.submodule_search_locations:
        paths.append(Path(next(iter(spec.submodule_search_locations))))
    kept: list[Path] = []
    for path in paths:
        if path.exists() and not any(path.is_relative_to(other) for other in (Path("/usr"), *kept)):
            kept.append(path)
    return tuple(kept)


def own_uid() -> int:
    """A user id that no other process has, from this process's id."""
    pid = os.getpid()
    ranges = [[int(field) for field in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    uid = FIRST_UID + pid
    if any(start <= uid < start + count for start, _, count in ranges):
        return uid
    return FIRST_SMALL_UID + pid % SMALL_UIDS


def enter(policy: Policy, *, pipe: int, cgroup: Cgroup | None, home: Path | None) -> Path:
    """Shut the calling process, just forked and single-threaded, in. Returns its home, in the process that goes on.

    Args:
        pipe: where the supervisor reports; the caller closes it before the target runs.
        home: a folder of its own, for levels without a private root.
    """
    if policy.namespaces:
        return _enter_namespaces(policy, pipe, cgroup)
    if home is None:
        raise ValueError("A level without a private root needs a home folder.")
    if cgroup:
        cgroup.join()
    if policy.own_uid:
        uid = own_uid()
        os.chown(home, uid, uid)
        _become(uid)
    kernel.die_with_parent(signal.SIGKILL)
    os.chdir(home)
    _set_limits(policy)
    if policy.landlock:
        _check_reachable(policy.readable)
        own_process = Path("/proc", str(os.getpid()))
        landlock.restrict((*policy.readable, own_process), (home,), [Path("/dev", name) for name in policy.devices])
    if policy.rules:
        seccomp.install(policy.rules)
    return home


def _enter_namespaces(policy: Policy, pipe: int, cgroup: Cgroup | None) -> Path:
    uid = own_uid() if policy.own_uid else INNER_UID
    ids = os.getuid(), os.getgid()
    kernel.unshare(policy.namespaces)
    if "user" in policy.namespaces:
        namespaces.map_user(INNER_UID, *ids)
    lifeline, held_open = os.pipe()
    pid = os.fork()
    if pid:
        _supervise(pid, pipe, held_open)
    os.close(held_open)
    if cgroup:
        cgroup.join()
    namespaces.enter_private_root(policy.readable, policy.devices, policy.limits.disk_mb, uid)
    if policy.own_uid:
        _become(uid)
    else:
        kernel.drop_capability_bounds()
        kernel.drop_capabilities()
    kernel.die_with_parent(signal.SIGKILL)
    if select.select([lifeline], [], [], 0)[0]:  # the supervisor ended before the line above took hold
        os._exit(1)
    os.close(lifeline)
    _set_limits(policy)
    seccomp.install(policy.rules)
    return namespaces.HOME


def _become(uid: int) -> None:
    """Take a user id for good, with no groups and no capabilities."""
    kernel.drop_capability_bounds()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # the change of id hid its own /proc/self from it


def _check_reachable(paths: tuple[Path, ...]) -> None:
    for path in paths:
        try:
            path.stat()
        except PermissionError as error:
            raise SandboxError(
                f"{path} cannot be read by the sandbox's own user id; "
                "use a Python that all users can read, or open the folders above it with chmod a+rx"
            ) from error
        except OSError:
            pass  # not on this machine


def _supervise(pid: int, pipe: int, lifeline: int) -> NoReturn:
    """Hold nothing but the pipe and the lifeline; report the inmate's process id now and its end later."""
    kernel.close_all_but([pipe, lifeline])
    report = reporter(pipe)
    with suppress(OSError):  # without a zygote there is nobody to tell
        report({"inmate": pid})
    _, status, used = os.wait4(pid, 0)
    with suppress(OSError):
        report({"status": status, "cpu_seconds": used.ru_utime + used.ru_stime})
    os._exit(0)


def _set_limits(policy: Policy) -> None:
    for name, value in policy.rlimits:
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    now = memory_of("self")
    resource.setrlimit(resource.RLIMIT_DATA, (now["VmData"] + policy.data_growth,) * 2)
    if policy.address_growth is not None:
        resource.setrlimit(resource.RLIMIT_AS, (now["VmSize"] + policy.address_growth,) * 2)


def memory_of(process: str) -> dict[str, int]:
    """The Vm and Rss lines of /proc/PROCESS/status, in bytes."""
    lines = Path("/proc", process, "status").read_text().splitlines()
    return {
        name: int(value.split()[0]) * 1024
        for name, value in (line.split(":", 1) for line in lines)
        if name.startswith(("Vm", "Rss"))
    }
