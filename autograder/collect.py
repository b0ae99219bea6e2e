"""Where submissions come from: nbgrader's folders, or what a learning platform exports, as a folder or a zip.

    DIR/STUDENT/NAME/NAME.ipynb                                nbgrader's `submitted/`
    DIR/Surname Name_12345_assignsubmission_file_/x.ipynb      Moodle, a folder a student
    DIR/Surname Name_12345_assignsubmission_file_x.ipynb       Moodle, flat
    DIR/lastfirst_12345_67890_x.ipynb                          Canvas
    DIR/student.ipynb                                          anything else

A zip is read where it is: nothing is unpacked, so no name in it can lead anywhere. Links are not followed. A
student's file that cannot be read becomes a submission with a problem, so everybody who handed in gets a result.
"""

import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import dateutil.parser
from nbgrader.utils import parse_utc

from autograder.errors import InstructorError
from autograder.grade import Handed
from autograder.text import clean

MAX_ENTRIES = 100_000
MAX_FILES = 1_000  # of one student
_MOODLE = re.compile(r"(?P<student>[^_].*?)_(?P<id>\d+)_assignsubmission_file_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(r"(?P<student>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)", re.DOTALL)
_OFFSET = re.compile(r":\d\d[\d:.]* ?[+-]\d\d:?\d\d$")
_UNSAFE = re.compile(r"[^\w .@+-]")


@dataclass(frozen=True)
class _File:
    """A file in a folder or a zip: its path inside, and how to read at most so many bytes of it."""

    path: PurePosixPath
    read: Callable[[int], bytes]
    link: bool = False
    other_names: bool = False  # hard links


@dataclass(frozen=True)
class Collected:
    """One student's files, not read yet: a class may be larger than memory."""

    student: str
    notebooks: tuple[_File, ...]
    others: tuple[str, ...] = ()
    timestamp: _File | None = None
    flags: tuple[str, ...] = ()

    def hand(self, name: str, notebook_mb: int) -> Handed:
        """Read the submission of assignment `name`; never raises for what a student did."""
        named = [file for file in self.notebooks if file.path.stem == name] or list(self.notebooks)
        problem, data, flags = "", b"", list(self.flags)
        if not named:
            other = f" There is only {self.others[0]}." if self.others else ""
            problem = f"No notebook was handed in.{other} Hand in {name}.ipynb."
        elif len(named) > 1:
            problem = f"There are {len(named)} notebooks and none is called {name}.ipynb. Hand in one."
        elif named[0].link:
            problem = "The file is a link. Hand in the notebook itself."
            flags.append("A link was handed in; it was not followed.")
        else:
            if named[0].other_names:
                flags.append("The file has other names on this disk (hard links): see where it comes from.")
            try:
                data = named[0].read(notebook_mb * 2**20 + 1)
            except Exception:  # a zip's decompressors raise a dozen classes, none of them in common
                problem = "The file cannot be read. Hand it in again."
        submitted = self._submitted(flags)
        return Handed(self.student, data, problem, submitted, tuple(flags))

    def _submitted(self, flags: list[str]) -> datetime | None:
        if self.timestamp is None:
            return None
        try:
            text = self.timestamp.read(200).decode("ascii").strip()
            return _utc(text) if text else None
        except Exception:  # as above; parsers of dates raise others still
            flags.append("The file timestamp.txt holds no date; it was ignored.")
            return None


def _utc(text: str) -> datetime:
    # nbgrader takes "+01:00" for no offset and "+0100" for a hundred seconds.
    if _OFFSET.search(text):
        return dateutil.parser.parse(text).astimezone(UTC)
    return parse_utc(text).replace(tzinfo=UTC)


def collect(source: Path, name: str) -> tuple[list[Collected], list[str]]:
    """Everything handed in for assignment `name`, sorted by student, and the folders that hold nothing of it.

    Raises:
        InstructorError: there is no such folder or zip, or nothing was handed in.
    """
    if source.is_dir():
        files = _bounded(_folder(source), source)
    elif source.is_file() and zipfile.is_zipfile(source):
        try:
            archive = zipfile.ZipFile(source)
        except Exception as error:  # a damaged one raises many classes
            raise InstructorError(f"The zip file {source} is damaged ({error}). Download it again.") from None
        files = _bounded(_zip(archive), source)
    elif source.exists():
        raise InstructorError(f"{source} is neither a folder nor a zip file. Give --submissions one of them.")
    else:
        raise InstructorError(f"There is no {source}. Give --submissions the folder or zip with the submissions.")
    students, without = _students(files, name)
    if not students:
        raise InstructorError(
            f"{source} holds no submissions. I look for STUDENT/{name}/{name}.ipynb, "
            "or for notebooks side by side as Moodle and Canvas export them."
        )
    return students, without


def collect_one(folder: Path, student: str) -> Collected:
    """One student's own folder of one assignment, as nbgrader lays it out; further folders in it are not looked at."""
    files = [file for file in _folder(folder) if len(file.path.parts) == 1]
    notebooks = tuple(file for file in files if file.path.suffix == ".ipynb")
    stamp = next((file for file in files if file.path.name == "timestamp.txt" and not file.link), None)
    return Collected(student, notebooks, timestamp=stamp)


def _bounded(files: Iterable[_File], source: Path) -> list[_File]:
    """The files, but of one student's flood only the first, so that it stops nobody else."""
    bounded, counts = [], Counter[tuple[str, ...]]()
    for file in files:
        folder = file.path.parent.parts[:2]  # STUDENT/NAME, or () for files side by side
        counts[folder] += 1
        if counts[folder] > MAX_ENTRIES and not folder:
            raise InstructorError(f"{source} holds more than {MAX_ENTRIES} files. Is it the right one?")
        if counts[folder] <= MAX_FILES or not folder:
            bounded.append(file)
    return bounded


def _folder(root: Path) -> Iterator[_File]:
    for folder, subfolders, names in os.walk(root, followlinks=False):
        depth = len(Path(folder).relative_to(root).parts)
        links = [each for each in subfolders if (Path(folder) / each).is_symlink()]
        subfolders[:] = sorted(each for each in subfolders if depth < 3 and each not in links)
        for each in sorted((*names, *links), key=lambda name: not name.endswith(".ipynb")):  # as in a zip
            path = Path(folder) / each
            inside = PurePosixPath(path.relative_to(root).as_posix())
            status = path.lstat()
            hard = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
            link = stat.S_ISLNK(status.st_mode)
            yield _File(inside, lambda limit, path=path: _read(path, limit), link, hard)  # type: ignore[misc]


def _read(path: Path, limit: int) -> bytes:
    # No link is followed and a pipe is not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("no regular file")
        return file.read(limit)


def _zip(archive: zipfile.ZipFile) -> Iterator[_File]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    entries.sort(key=lambda entry: not entry.filename.endswith(".ipynb"))  # first what a flood must not hide
    found = [(entry, PurePosixPath(entry.filename.replace("\\", "/"))) for entry in entries]
    found = [(entry, path) for entry, path in found if not _ignored(path)]

    def read(entry: zipfile.ZipInfo, limit: int) -> bytes:
        with archive.open(entry) as file:
            return file.read(limit)

    parts = [path for _, path in found]
    # Platforms wrap the class in a folder of its own at times; nbgrader's layout has three levels below it.
    tops = {path.parts[0] for path in parts if path.parts}
    wrapped = len(tops) == 1 and all(len(path.parts) > 1 for path in parts) and not _one_student(parts)
    for entry, path in found:
        inside = PurePosixPath(*path.parts[1:]) if wrapped else path
        link = stat.S_ISLNK(entry.external_attr >> 16)
        yield _File(inside, lambda limit, entry=entry: read(entry, limit), link)  # type: ignore[misc]


def _ignored(path: PurePosixPath) -> bool:
    """Whether a path is no submission: hidden, left by a Mac, or leading elsewhere."""
    return path.is_absolute() or any(part == ".." or part.startswith((".", "__MACOSX")) for part in path.parts)


def _one_student(paths: list[PurePosixPath]) -> bool:
    """Whether the one folder at the top of a zip is a student's rather than the class's."""
    return _MOODLE.fullmatch(paths[0].parts[0]) is not None or all(
        len(path.parts) == 3 and path.parts[1] == path.stem for path in paths if path.suffix == ".ipynb"
    )


def _students(files: list[_File], name: str) -> tuple[list[Collected], list[str]]:
    groups: dict[tuple[str, str], list[_File]] = {}
    folders: set[str] = set()
    used: set[str] = set()
    late: set[tuple[str, str]] = set()
    for file in files:
        parts = file.path.parts
        if not parts or _ignored(file.path):
            continue
        if len(parts) == 1:
            student, number, is_late = _from_file_name(file.path.name)
            if not number and file.path.suffix != ".ipynb" and not file.link:
                continue  # a class list or a read-me beside the notebooks
        else:
            match = _MOODLE.fullmatch(parts[0])
            student, number, is_late = (match["student"], match["id"], False) if match else (parts[0], "", False)
            folders.add(parts[0])
            # STUDENT/OTHER/… is work of another assignment.
            if len(parts) > 3 or (len(parts) == 3 and parts[1] != name):
                continue
        groups.setdefault((student, number), []).append(file)
        used.add(parts[0])
        if is_late:
            late.add((student, number))
    students: dict[str, Collected] = {}
    seen: dict[str, int] = {}
    for student, _ in groups:
        seen[student] = seen.get(student, 0) + 1
    for (student, number), everything in sorted(groups.items(), key=lambda item: item[0]):
        own = [file for file in everything if len(file.path.parts) == 3] or everything
        safe = _safe(f"{student}_{number}" if seen[student] > 1 and number else student)
        flags = ["The platform marked this as late."] if (student, number) in late else []
        if len(own) >= MAX_FILES:
            flags.append(f"There are {MAX_FILES} files or more; the rest was not looked at.")
        if safe in students:
            number_ = next(n for n in range(2, MAX_ENTRIES) if f"{safe}-{n}" not in students)
            flags.append(f"Another submission is called {safe} too.")
            safe = f"{safe}-{number_}"
        notebooks = tuple(file for file in own if file.path.suffix == ".ipynb" or file.link)
        others = tuple(file.path.name for file in own if file not in notebooks and file.path.name != "timestamp.txt")
        stamp = next((file for file in own if file.path.name == "timestamp.txt" and not file.link), None)
        # nbgrader writes it beside what it collects; in a platform's export it can only come from the student.
        if stamp and (number or len(stamp.path.parts) != 3):
            flags.append("A file timestamp.txt was handed in; it was not believed.")
            stamp = None
        students[safe] = Collected(safe, notebooks, others, stamp, tuple(flags))
    return [students[each] for each in sorted(students)], sorted(clean(folder, 100) for folder in folders - used)


def _from_file_name(name: str) -> tuple[str, str, bool]:
    """Student, the platform's number and whether the platform says late."""
    match = _MOODLE.fullmatch(name)
    if match:
        return match["student"], match["id"], False
    match = _CANVAS.fullmatch(name)
    if match:
        return match["student"], match["id"], bool(match["late"])
    return PurePosixPath(name).stem, "", False


def _safe(student: str) -> str:
    """A student's name as a folder and a gradebook key."""
    name = _UNSAFE.sub("_", student).strip(" .")[:100].strip(" .")
    return name if name.strip("_-") else "unnamed"
