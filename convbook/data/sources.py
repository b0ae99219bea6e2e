"""How a data set is found: every place in its order, then a download, then a sentence that says what to do.

A place is read and checked whole before anything of it is used. What is broken is named and passed over; where it
is our own download it is put aside first, so that the next download has room and nothing is lost. A download goes
to a folder beside its place, is checked there and then renamed: whoever looks meanwhile sees all of it or nothing.
"""

import http.client
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from convbook.data import places
from convbook.data.places import Absent, Broken, say_once

T = TypeVar("T")

_one_at_a_time = threading.Lock()

ANSWER_SECONDS = 5  # for a server to answer at all
STALL_SECONDS = 30  # without a byte during a download
ABANDONED_SECONDS = 24 * 60 * 60


class DataUnavailable(RuntimeError):
    """A data set is in none of its places and could not be downloaded; the message says where it was looked for."""


@dataclass(frozen=True)
class DataSet(Generic[T]):
    """What `obtain` has to know of a data set."""

    title: str
    folder: str  # its name in the cache
    read: Callable[[Path], T]  # all of it, checked; raises Absent or Broken
    fetch: Callable[[Path], str]  # downloads into an empty folder, returns the address; raises what _obtain catches
    layout: str  # what CONVBOOK_DATA should hold
    installed: tuple[tuple[Path, str], ...] = ()  # places where a system package puts it, and the package's name
    shared: tuple[tuple[Path, str], ...] = ()  # places where other programs keep it, and words for them


def obtain(data: DataSet[T]) -> tuple[T, str]:
    """The data and where it came from: the cache, a system package, CONVBOOK_DATA, or a download.

    Raises:
        DataUnavailable: it is in none of them. The message lists what was tried.
    """
    with _one_at_a_time:  # a second thread then finds what the first has downloaded
        return _obtain(data)


def _obtain(data: DataSet[T]) -> tuple[T, str]:
    tried = []
    for folder, words, ours in _shelves(data):
        try:
            return data.read(folder), f"from {words}, {folder}"
        except Absent:
            tried.append(f"{words}, {folder}: not there")
        except Broken as broken:
            say_once(f"{data.title}: {broken} {_aside(folder) if ours else 'Passing over it.'}")
            tried.append(f"{words}, {folder}: broken")
        except OSError as problem:
            tried.append(f"{words}, {folder}: cannot be read ({problem.strerror})")
    if places.own_folder() is None:
        tried.append("CONVBOOK_DATA: not set")
    try:
        return _download(data)
    except (Broken, ImportError, OSError, RuntimeError, http.client.HTTPException) as problem:
        tried.append(f"download: {' '.join(str(problem).split())}")
        package = "".join(f"`apt-get install {name}`, or " for _, name in data.installed)
        attempts = "".join(f"\n- {each}" for each in tried)
        raise DataUnavailable(
            f"{data.title} was not found. Tried, in this order:{attempts}\n"
            f"To mend it: {package}put {data.layout} into a folder and set CONVBOOK_DATA to it."
        ) from problem


def _shelves(data: DataSet[T]) -> Iterator[tuple[Path, str, bool]]:
    """Folders in their order, words for each, and whether convbook itself put the data there."""
    for cache in places.caches():
        yield cache / data.folder, "the cache", True
    for folder, package in data.installed:
        yield folder, f"the package {package}", False
    for folder, words in data.shared:
        yield folder, words, False
    own = places.own_folder()
    if own is not None:
        yield own, "CONVBOOK_DATA", False


def _aside(folder: Path) -> str:
    try:
        aside = places.put_aside(folder)
    except OSError as problem:
        return f"It cannot be put aside ({problem.strerror}); passing over it."
    return f"Put aside as {aside}." if aside else "Another process has put it aside."


def _download(data: DataSet[T]) -> tuple[T, str]:
    cache, unwritable = places.writable_cache()
    target = cache / data.folder
    for left in cache.glob(".partial-*"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            say_once(f"{left} is left of a download that was cut short. It can be deleted.")
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=cache) as partial:
        folder = Path(partial) / data.folder
        folder.mkdir()
        address = data.fetch(folder)
        value = data.read(folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker, with the same data
                raise
    if unwritable:
        say_once(
            f"{unwritable}: the download is kept until this process ends. "
            "Set CONVBOOK_CACHE to a folder that can be written to keep it."
        )
    return value, f"downloaded from {address} to {target}"


def torchvision_datasets(title: str) -> ModuleType:
    """torchvision.datasets, or an ImportError that says how to get it."""
    try:
        from torchvision import datasets
    except ImportError as problem:
        raise ImportError(
            f"{title} is downloaded by torchvision, which is missing: `pip install torchvision`."
        ) from problem
    return datasets


@contextmanager
def network(address: str) -> Iterator[None]:
    """For downloads from this server: fail at once where it does not answer, and after a while where it stalls.

    torchvision itself waits without end.
    """
    problem = _silence(address)
    if problem:
        raise ConnectionError(problem)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _silence(address: str) -> str:
    """Why a server does not answer, or "" where it does. In a thread, since looking up a name knows no time limit."""
    outcome = [f"{address} has not answered for {ANSWER_SECONDS} s"]

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310  the addresses are torchvision's own
        try:
            urllib.request.urlopen(request, timeout=ANSWER_SECONDS).close()  # noqa: S310
            outcome[0] = ""
        except urllib.error.HTTPError:
            outcome[0] = ""  # an answer, if an unfriendly one
        except (OSError, http.client.HTTPException) as problem:
            outcome[0] = f"{address} cannot be reached ({getattr(problem, 'reason', problem)})"

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS + 1)
    return outcome[0]
