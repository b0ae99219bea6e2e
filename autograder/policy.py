"""The sandbox as data: what a submission may use (`Limits`) and how each level shuts it in (`Policy`).

Nothing here touches the machine. `build` is a pure function from a level, the limits and the paths that a
submission may read to a `Policy`; `autograder.sandbox` applies one after the fork.
"""

from dataclasses import dataclass, fields
from errno import EAFNOSUPPORT, ENOSYS, EOPNOTSUPP, EPERM
from pathlib import Path
from typing import Literal, get_args

from autograder.errors import InstructorError

MIB = 1 << 20
FILES = 10_000  # in a submission's own folders together

Level = Literal["namespaces", "userns", "landlock", "trusted", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)
#: Levels that shut a submission in, strongest first.
SANDBOXES: tuple[Level, ...] = ("namespaces", "userns", "landlock")

SUMMARY: dict[Level, str] = {
    "namespaces": "own mount, process, network and IPC namespaces, own user id (as root), cgroup where writable",
    "userns": "the same namespaces inside an unprivileged user namespace",
    "landlock": "Landlock file rules, system-call filter and resource limits, in the host's namespaces",
    "trusted": "for the autograder's own judge: system-call filter and resource limits, no file rules",
    "none": "no walls: resource limits only, and only when asked for explicitly",
}


@dataclass(frozen=True)
class Limits:
    """What one submission may use. The defaults of an assignment; `course.toml` sets others."""

    cell_seconds: int = 30  # wall clock, one cell
    submission_seconds: int = 120  # wall clock of everything, and CPU time of any one process
    memory_mb: int = 1024  # growth over the warm process it is forked from; files in /tmp count
    processes: int = 64  # processes and threads together
    output_kb: int = 1024  # text and pictures, all cells together
    disk_mb: int = 256  # everything written, shared memory included
    notebook_mb: int = 10  # the file as handed in, before it is parsed

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise InstructorError(f"The limit {field.name} must be a whole number of at least 1; it is {value!r}.")


@dataclass(frozen=True)
class Test:
    """A test of one system-call argument; only its lower 32 bits are looked at."""

    argument: int  # 0 to 5
    operator: Literal["is", "is not", "has any of"]
    value: int | Literal["own pid"]


@dataclass(frozen=True)
class Rule:
    """Answer `syscall` with `errno` when every test holds. Errno 0 does nothing and reports success."""

    syscall: str
    errno: int = EPERM
    when: tuple[Test, ...] = ()


#: Refused at every level but "none", and why.
DENIED: dict[str, str] = {
    "other processes' memory and files": "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease "
    "pidfd_getfd kcmp migrate_pages move_pages",
    "mounts and roots": "mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick "
    "mount_setattr name_to_handle_at open_by_handle_at quotactl quotactl_fd fanotify_init",
    "new namespaces": "unshare setns",
    "kernel code": "bpf perf_event_open userfaultfd kexec_load kexec_file_load init_module finit_module delete_module "
    "personality modify_ldt iopl ioperm lookup_dcookie",
    "calls made by the kernel behind the filter": "io_uring_setup io_uring_enter io_uring_register",
    "keys": "keyctl add_key request_key",
    "memory outside the limits": "memfd_secret",
    "the machine": "reboot swapon swapoff acct syslog vhangup settimeofday clock_settime clock_adjtime adjtimex "
    "sethostname setdomainname",
}

AF_UNIX = 1
CLONE_NEW = 0x7E020000 | 0x80  # every CLONE_NEW* flag
CLONE_PARENT = 0x8000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
FIOSETOWN, SIOCSPGRP, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR = 0x8901, 0x8902, 0x40086602, 0x401C5820
F_SETOWN, F_SETOWN_EX = 8, 15


def _each(syscalls: str, errno: int = EPERM, *when: Test) -> tuple[Rule, ...]:
    return tuple(Rule(name, errno, when) for name in syscalls.split())


def common_rules() -> tuple[Rule, ...]:
    """System calls refused at every level but "none"."""
    return (
        *(rule for names in DENIED.values() for rule in _each(names)),
        Rule("clone", EPERM, (Test(0, "has any of", CLONE_NEW | CLONE_PARENT),)),
        Rule("clone3", ENOSYS),  # its flags lie in memory, where a filter cannot look; libc falls back to clone
        Rule("socket", EAFNOSUPPORT, (Test(0, "is not", AF_UNIX),)),
        Rule("socketpair", EAFNOSUPPORT, (Test(0, "is not", AF_UNIX),)),
        Rule("prctl", 0, (Test(0, "is", PR_SET_PDEATHSIG),)),  # it must die with the zygote
        Rule("prctl", 0, (Test(0, "is", PR_SET_DUMPABLE),)),  # it must stay open to our watch
        Rule("ioctl", EPERM, (Test(1, "is", TIOCSTI),)),
        Rule("ioctl", EPERM, (Test(1, "is", TIOCLINUX),)),
    )


def shared_host_rules(signals_scoped: bool) -> tuple[Rule, ...]:
    """Further refusals for the Landlock level, which shares process ids, IPC and the user id with the host.

    Landlock guards opening files. It does not guard connecting to a socket file, changing a file's mode, times or
    attributes, or acting on a process of the same user.
    """
    others = (Test(0, "is not", 0), Test(0, "is not", "own pid"))
    signals = () if signals_scoped else (*_each("kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo", EPERM, *others),)
    return (
        Rule("socket", EAFNOSUPPORT),  # a socket file leads to D-Bus, Docker, X11; pairs stay allowed
        *_each("setsid setpgid", 0),  # one process group, so that one kill reaches everything
        *signals,
        *(() if signals_scoped else _each("pidfd_send_signal")),
        *_each("prlimit64 sched_setaffinity sched_setscheduler sched_setparam sched_setattr", EPERM, *others),
        Rule("setpriority", EPERM, (Test(1, "is not", 0),)),
        Rule("ioprio_set", EPERM, (Test(1, "is not", 0),)),
        Rule("fcntl", EPERM, (Test(1, "is", F_SETOWN),)),  # else SIGIO, or any signal, to any process
        Rule("fcntl", EPERM, (Test(1, "is", F_SETOWN_EX),)),
        *(
            Rule("ioctl", EPERM, (Test(1, "is", request),))
            for request in (FIOSETOWN, SIOCSPGRP, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR)
        ),
        # Reported as done, so that shutil.copy works.
        *_each("chmod fchmod fchmodat chown lchown fchown fchownat utime utimes futimesat utimensat", 0),
        *_each("setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr", EOPNOTSUPP),
        *_each("shmget shmat semget msgget mq_open mq_unlink"),
    )


@dataclass(frozen=True)
class Policy:
    """All that `autograder.sandbox.enter` needs to know about one level."""

    level: Level
    limits: Limits
    namespaces: tuple[str, ...]  # names of `autograder.kernel.NAMESPACES`; a private root comes with "mount"
    landlock: bool
    readable: tuple[Path, ...]  # all else is invisible (private root) or cannot be opened (Landlock)
    devices: tuple[str, ...]
    rules: tuple[Rule, ...]
    rlimits: tuple[tuple[str, int], ...]  # names of the `resource` module, bytes or counts
    data_growth: int  # bytes of private memory over the warm process (RLIMIT_DATA)
    address_growth: int | None  # bytes of address space over it (RLIMIT_AS), None: a cgroup counts better
    own_uid: bool  # a user id of its own, which only root can give


SYSTEM_PATHS = tuple(
    Path(path)
    for path in (
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/etc/alternatives",
        "/etc/fonts",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/sys/devices/system/cpu",
    )
)
PROC_FILES = tuple(Path("/proc", name) for name in ("cpuinfo", "meminfo", "stat", "filesystems"))
DEVICES = ("null", "zero", "full", "random", "urandom")
ADDRESS_SLACK = 256 * MIB  # thread arenas and guard pages, reserved but never touched


def build(
    level: Level,
    limits: Limits,
    library_paths: tuple[Path, ...] = (),
    *,
    root: bool,
    cgroup: bool,
    signals_scoped: bool = False,
) -> Policy:
    """The policy of a level.

    Args:
        library_paths: Python's standard library, site-packages, the convbook package.
        root: the zygote may change user ids.
        cgroup: a cgroup counts memory and processes.
        signals_scoped: Landlock keeps signals inside the sandbox (Linux 6.12).
    """
    if level not in LEVELS:
        raise InstructorError(f"Unknown sandbox level {level!r}; the levels are {', '.join(LEVELS)}.")
    private = level in ("namespaces", "userns")
    shut_in = level in SANDBOXES
    own_uid = root and level in ("namespaces", "landlock")
    rules = common_rules() if level != "none" else ()
    if level == "landlock":
        rules += shared_host_rules(signals_scoped)
    if shut_in and not cgroup:
        rules += (Rule("memfd_create", ENOSYS),)  # its pages count towards no resource limit
    counted = own_uid or level == "userns"  # RLIMIT_NPROC counts a user id in its user namespace
    return Policy(
        level=level,
        limits=limits,
        namespaces=(("user",) if level == "userns" else ()) + ("mount", "pid", "net", "ipc", "uts") if private else (),
        landlock=level == "landlock",
        readable=SYSTEM_PATHS + (() if private else PROC_FILES) + library_paths if shut_in else (),
        devices=DEVICES if shut_in else (),
        rules=rules,
        rlimits=(
            ("RLIMIT_CORE", 0),
            ("RLIMIT_CPU", limits.submission_seconds),
            ("RLIMIT_FSIZE", limits.disk_mb * MIB),
            ("RLIMIT_NOFILE", 256),
            ("RLIMIT_MEMLOCK", 64 * 1024),
            ("RLIMIT_MSGQUEUE", 0),
            ("RLIMIT_NICE", 0),
            ("RLIMIT_RTPRIO", 0),
            *((("RLIMIT_NPROC", limits.processes),) if counted else ()),
        ),
        data_growth=limits.memory_mb * MIB,
        address_growth=None if cgroup else limits.memory_mb * MIB + ADDRESS_SLACK,
        own_uid=own_uid,
    )
