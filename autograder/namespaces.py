"""A private file system: a small tmpfs as root, the libraries bound into it read-only, own /proc, /dev and /tmp.

Runs in the first process of a fresh process namespace, in a fresh mount namespace, while it still holds the
capability to mount. What is not in the list does not exist for the submission.
"""

import os
import struct
from collections.abc import Iterable
from ctypes import c_char_p, c_size_t
from pathlib import Path

from autograder.kernel import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    pivot_root,
    syscall,
    umount,
)
from autograder.policy import FILES

AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
STAGE = "/tmp"  # noqa: S108  any folder will do: the new root is mounted over it, in our mount namespace only
HOME = Path("/tmp")  # noqa: S108  inside the private root


def map_user(inner_id: int, uid: int, gid: int) -> None:
    """In a fresh user namespace, show this one user and group as `inner_id`; no other exists."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner_id} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inner_id} {gid} 1")


def enter_private_root(readable: Iterable[Path], devices: Iterable[str], disk_mb: int, uid: int) -> None:
    """Make the private root and move into it for good."""
    os.umask(0o022)
    # Opened first: the stage may cover a source.
    sources = [(path, os.open(path, os.O_PATH)) for path in readable if path.exists()]
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, f"size={disk_mb}m,nr_inodes={FILES},mode=755")
    root = Path(STAGE)
    for path, descriptor in sources:
        _bind_read_only(descriptor, root / path.relative_to("/"))
        os.close(descriptor)
    _devices(root / "dev", devices)
    for name in ("tmp", "dev/shm", "proc", "old"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "dev/shm"):
        (root / name).chmod(0o1777)
    _users(root / "etc", uid)
    mount("proc", f"{STAGE}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(STAGE)
    pivot_root(".", "old")
    umount("/old")
    Path("/old").rmdir()
    os.chdir(HOME)
    os.umask(0o077)


def _bind_read_only(source: int, target: Path) -> None:
    link = f"/proc/self/fd/{source}"
    if Path(link).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(link, str(target), flags=MS_BIND | MS_REC)
    # Unlike a remount this reaches the mounts below, too.
    attributes = struct.pack("<QQQQ", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, 0)
    syscall(
        "mount_setattr", AT_FDCWD, c_char_p(os.fsencode(target)), AT_RECURSIVE, attributes, c_size_t(len(attributes))
    )


def _devices(dev: Path, names: Iterable[str]) -> None:
    """Harmless devices of the host, and terminals of our own (a shell command's output goes through one)."""
    (dev / "pts").mkdir(parents=True)
    for name in names:
        (dev / name).touch()
        mount(f"/dev/{name}", str(dev / name), flags=MS_BIND)
    mount("devpts", str(dev / "pts"), "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    (dev / "ptmx").symlink_to("pts/ptmx")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (dev / name).symlink_to(f"/proc/self/fd{target}")


def _users(etc: Path, uid: int) -> None:
    """The host's user names stay outside."""
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(f"student:x:{uid}:{uid}::{HOME}:/bin/sh\n")
    (etc / "group").write_text(f"student:x:{uid}:\n")
