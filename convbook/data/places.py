"""Where data may lie, what is said about it, and how a file that cannot be trusted is put aside."""

import hashlib
import os
import tempfile
from pathlib import Path

_said: set[str] = set()
_for_this_process: list[tempfile.TemporaryDirectory[str]] = []


def say_once(line: str) -> None:
    """Print a line that this process has not printed yet."""
    if line not in _said:
        _said.add(line)
        print(line)


def own_folder() -> Path | None:
    """The folder that CONVBOOK_DATA names, or None where it is not set."""
    named = os.environ.get("CONVBOOK_DATA")
    return Path(named).expanduser() if named else None


def cache_folder() -> Path:
    """Where downloads are kept: CONVBOOK_CACHE, else convbook in XDG_CACHE_HOME, else in ~/.cache."""
    named, shared = os.environ.get("CONVBOOK_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named).expanduser()
    try:
        return (Path(shared) if shared else Path.home() / ".cache") / "convbook"
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / "convbook"


def writable_cache() -> tuple[Path, str]:
    """The cache and "", or where it cannot be written a folder that goes when this process ends, and why."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache):
            return cache, ""
    except OSError as problem:
        why = f"{cache} cannot be written ({problem.strerror})"
    if not _for_this_process:
        _for_this_process.append(tempfile.TemporaryDirectory(prefix="convbook-"))
    return Path(_for_this_process[0].name), why


def caches() -> list[Path]:
    """Where an earlier download may lie."""
    return [cache_folder(), *(Path(folder.name) for folder in _for_this_process)]


class Absent(Exception):
    """A place does not hold the data set."""


class Broken(Exception):
    """A place holds the data set with a file that is missing, cut short or changed."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} {reason}")


def content_of(path: Path) -> bytes:
    """All of a file. Raises Broken where it is missing, since only files of a set that is there are asked for."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Broken(path, "is missing, though its folder is there.") from None


def check_digest(path: Path, content: bytes, kind: str, expected: str) -> None:
    """Raise Broken, with both digests, where the content is not the expected one."""
    found = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise Broken(path, f"is broken: its {kind.upper()} is {found}, expected {expected}.")


def put_aside(folder: Path) -> Path | None:
    """Rename a folder of the cache to NAME.broken, NAME.broken-2, …; None where another process was quicker."""
    for number in range(1, 1000):
        aside = folder.with_name(f"{folder.name}.broken" + (f"-{number}" if number > 1 else ""))
        if not aside.exists():
            try:
                return folder.rename(aside)
            except FileNotFoundError:
                return None
    raise OSError(f"There are 1,000 broken copies beside {folder}. Delete them.")
