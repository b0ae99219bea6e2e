"""Run a command as a user who can read Python and this repository wherever they lie.

    python other_user.py USER HOME COMMAND ...

Called as root. Works in a mount namespace of its own: folders that only root may enter are covered there by a
public one that holds just what is needed.
"""

import os
import pwd
import sys
import tempfile
from pathlib import Path

from autograder import kernel


def open_up(needed: list[Path]) -> None:
    blocked: dict[Path, list[Path]] = {}
    for path in needed:
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & 0o001:
                blocked.setdefault(folder, []).append(path)
                break
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    for folder, paths in blocked.items():
        kept = {path: tempfile.mkdtemp() for path in paths}
        for path, place in kept.items():
            kernel.mount(str(path), place, flags=kernel.MS_BIND | kernel.MS_REC)
        kernel.mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        for path, place in kept.items():
            path.mkdir(parents=True, exist_ok=True)
            kernel.mount(place, str(path), flags=kernel.MS_BIND | kernel.MS_REC)
            kernel.umount(place)
            Path(place).rmdir()


if __name__ == "__main__":
    user, home, *command = sys.argv[1:]
    found = pwd.getpwnam(user)
    repository = Path(__file__).resolve().parents[2]
    kernel.unshare(["mount"])
    open_up([Path(sys.base_prefix), Path(sys.prefix), repository])
    os.chown(home, found.pw_uid, found.pw_gid)
    os.setgroups([])
    os.setresgid(*(found.pw_gid,) * 3)
    os.setresuid(*(found.pw_uid,) * 3)
    os.environ.update(HOME=home, TMPDIR=home, PYTHONDONTWRITEBYTECODE="1")
    os.execvp(command[0], command)
