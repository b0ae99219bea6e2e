"""Home folders for children without a private root: one folder a zygote, one in it a child.

The zygote holds a lock on its folder as long as it lives. A folder that can be locked is therefore abandoned, by a
zygote that was killed outright, and the next zygote of the same user removes it.
"""

import contextlib
import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

PREFIX = "autograder-"


class Scratch:
    def __init__(self) -> None:
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/"):
            _remove_if_abandoned(folder)
        hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))  # until it is locked
        hidden.chmod(0o711)  # a child with a user id of its own passes through
        self._lock = os.open(hidden, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._folder = hidden.rename(hidden.with_name(hidden.name[1:]))

    def make_home(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._folder))

    def remove(self) -> None:
        os.close(self._lock)
        remove_tree(self._folder)


def _remove_if_abandoned(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(folder)
        finally:
            os.close(lock)


def remove_tree(folder: Path) -> None:
    """Remove a hostile folder: as deep as it likes, with folders that cannot be listed."""
    with contextlib.suppress(OSError):
        folder.rmdir()  # most are empty
        return
    for command in (["chmod", "-R", "u+rwX", str(folder)], ["rm", "-rf", "--one-file-system", str(folder)]):
        subprocess.run(command, stderr=subprocess.DEVNULL, check=False)  # noqa: S603  plain tools, our own folder
