"""Fork a process and apply a policy to it.

Theory of operation, for the levels with namespaces. The warm, single-threaded zygote forks the *inmate* as process 1
of a new process namespace. The kernel ends every process of such a namespace with its process 1, so killing the
inmate kills all. The inmate leaves for its other namespaces, then takes one right after another from itself:

    root      zygote ──fork──► inmate: private root, own user id, no capabilities, limits, filter, then the target
    others    zygote ──fork──► supervisor ──fork──► inmate: the same, but for the user id

Without root, a process namespace comes only with a user namespace, which the zygote itself must not enter: so the
supervisor does, waits for the inmate and reports how it ended. The inmate dies with its parent, the supervisor with
the zygote (PDEATHSIG, which the filter keeps from being unset).

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
    """A user id that no other process has, from this process's id in the namespace that /proc shows."""
    pid = int(Path("/proc/self").readlink().name)
    ranges = [[int(field) for field in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    uid = FIRST_UID + pid
    if any(start <= uid < start + count for start, _, count in ranges):
        return uid
    return FIRST_SMALL_UID + pid % SMALL_UIDS


def fork(policy: Policy) -> int:
    """Like `os.fork`; at the level "namespaces" the child is process 1 of a new process namespace."""
    if "pid" not in policy.namespaces or "user" in policy.namespaces:
        return os.fork()
    ours = os.open("/proc/self/ns/pid", os.O_RDONLY)
    kernel.unshare(["pid"])  # holds for children, not for ourselves
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:
            kernel.join_namespace(ours, "pid")
        os.close(ours)
    return pid


def enter(policy: Policy, *, pipe: int, cgroup: Cgroup | None, home: Path | None) -> Path:
    """Shut the calling process, just forked and single-threaded, in. Returns its home, in the process that goes on.

    Args:
        pipe: where the supervisor reports; the caller closes it before the target runs.
        home: a folder of its own, for levels without a private root.
    """
    if policy.namespaces:
        if "user" in policy.namespaces:
            _become_supervised(policy, pipe)
        else:
            kernel.unshare(name for name in policy.namespaces if name != "pid")  # `fork` has done that
        return _enter_private_root(policy, cgroup)
    if home is None:
        raise ValueError("A level without a private root needs a home folder.")
    if cgroup:
        cgroup.join()
    if policy.own_uid:
        uid = own_uid()
        os.chown(home, uid, uid)
        _become(uid)
    os.chdir(home)
    _set_limits(policy)
    if policy.landlock:
        _check_reachable(policy.readable)
        own_process = Path("/proc", str(os.getpid()))
        landlock.restrict((*policy.readable, own_process), (home,), [Path("/dev", name) for name in policy.devices])
    if policy.rules:
        seccomp.install(policy.rules)
    return home


def _become_supervised(policy: Policy, pipe: int) -> None:
    """Enter a user namespace and fork; returns in the inmate."""
    ids = os.getuid(), os.getgid()
    kernel.unshare(policy.namespaces)
    namespaces.map_user(INNER_UID, *ids)
    lifeline, held_open = os.pipe()
    pid = os.fork()
    if pid:
        _supervise(pid, pipe, held_open)
    os.close(held_open)
    die_with(lifeline)
    os.close(lifeline)


def _enter_private_root(policy: Policy, cgroup: Cgroup | None) -> Path:
    uid = own_uid() if policy.own_uid else INNER_UID
    if cgroup:
        cgroup.join()
    namespaces.enter_private_root(policy.readable, policy.devices, policy.limits.disk_mb, uid)
    if policy.own_uid:
        _become(uid)
    else:
        kernel.drop_capability_bounds()
        kernel.drop_capabilities()
    _set_limits(policy)
    seccomp.install(policy.rules)
    return namespaces.HOME


def die_with(lifeline: int) -> None:
    """End with our parent, also if it has ended already: then nobody holds the other end of the lifeline."""
    kernel.die_with_parent(signal.SIGKILL)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(1)


def _become(uid: int) -> None:
    """Take a user id for good, with no groups and no capabilities."""
    kernel.drop_capability_bounds()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    # Undo what the kernel does at a change of id: it forgets the first and hides its own /proc/self from the process.
    kernel.die_with_parent(signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


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
