"""Landlock: a process gives up opening files outside a list, for itself and all that it starts.

Works for any user, needs no mount and no namespace. It guards the opening, making, renaming and removing of files;
what it leaves open (modes, socket files, signals before Linux 6.12) is closed by `policy.shared_host_rules`.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from autograder.kernel import PR_SET_NO_NEW_PRIVS, prctl, syscall

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
ALL_FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR

CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3
#: Before version 3 (Linux 6.2) a file that can only be read could still be emptied.
OLDEST_VERSION = 3
SIGNALS_SCOPED_SINCE = 6


def version() -> int:
    """The kernel's Landlock version, 0 where it has none or has it switched off."""
    try:
        return syscall("landlock_create_ruleset", None, ctypes.c_size_t(0), CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path], devices: Iterable[Path]) -> None:
    """Allow reading under `readable`, everything under `writable`, reading and writing `devices`; refuse the rest."""
    abi = version()
    if abi < OLDEST_VERSION:
        raise OSError(f"Landlock version {OLDEST_VERSION} (Linux 6.2) is needed; this kernel has version {abi}")
    handled = (1 << 15) - 1 | (IOCTL_DEV if abi >= 5 else 0)
    # struct landlock_ruleset_attr grew with the versions: file rights, network rights (unused), scopes.
    attributes = struct.pack("<Q", handled)
    if abi >= SIGNALS_SCOPED_SINCE:
        attributes += struct.pack("<QQ", 0, SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    ruleset = syscall("landlock_create_ruleset", attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for paths, rights in (
            (readable, READ),
            (writable, handled & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV)),
            (devices, READ_FILE | WRITE_FILE),
        ):
            for path in paths:
                _allow(ruleset, path, rights)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        rights &= ALL_FILE_RIGHTS
    parent = os.open(path, os.O_PATH)
    try:
        syscall("landlock_add_rule", ruleset, RULE_PATH_BENEATH, struct.pack("<Qi", rights, parent), 0)
    finally:
        os.close(parent)
