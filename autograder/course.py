"""course.toml, the one place an instructor edits, and the secret seed that it names.

A wrong key or type stops the command with the key, its line and what to write instead: a limit that was
misspelt and silently ignored would be found out by the class.
"""

import math
import os
import re
import stat
import tomllib
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.policy import Limits

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""What an assignment may be called: the name is a folder, a file, a cell id and a gradebook key."""

ENGINES = ("judge", "in-kernel")
"""Where an assignment's tests run: in a process of ours, or beside the student's code as in stock nbgrader."""


@dataclass(frozen=True)
class LatePolicy:
    """What a late submission costs.

    Within `grace_minutes` of the due date nothing. After that every started day since the due date takes
    `penalty_per_day` of the score, until `lowest_factor` of it is left.
    """

    grace_minutes: int = 0
    penalty_per_day: float = 0.0
    lowest_factor: float = 0.0

    def factor(self, late: timedelta) -> float:
        """The share of the score that is kept by a submission that is `late` (negative: early)."""
        if late <= timedelta(minutes=self.grace_minutes):
            return 1.0
        days = math.ceil(late / timedelta(days=1))
        return max(self.lowest_factor, 1.0 - self.penalty_per_day * days)


@dataclass(frozen=True)
class Settings:
    """What course.toml says about one assignment."""

    title: str = ""
    due: datetime | None = None
    late: LatePolicy = field(default_factory=LatePolicy)
    engine: str = ENGINES[0]
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Course:
    """A course's root folder and what its course.toml says."""

    root: Path
    id: str
    title: str = ""
    repository: str = ""
    branch: str = "main"
    secret_seed: str = ""
    assignments: dict[str, Settings] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> "Course":
        """Read ROOT/course.toml; raises `CourseError` with the key and its line."""
        path = root / "course.toml"
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except FileNotFoundError:
            raise CourseError(
                f"There is no {path}. Run this inside a course, or name the course's folder with --course."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CourseError(f"{path} is not TOML: {error}") from None
        return _Reader(path, text).course(root, data)

    @classmethod
    def find(cls, start: Path) -> "Course":
        """The course that `start` lies in: the nearest folder upwards with a course.toml."""
        for folder in (start.resolve(), *start.resolve().parents):
            if (folder / "course.toml").is_file():
                return cls.load(folder)
        raise CourseError(
            f"There is no course.toml in {start.resolve()} or above it. "
            "Run this inside a course, or name the course's folder with --course."
        )

    def settings(self, name: str) -> Settings:
        """The settings of one assignment; the defaults where course.toml is silent."""
        return self.assignments.get(name, Settings(title=name))

    def source(self, name: str) -> Path | None:
        """The assignment's text: solutions/NAME/assignment.md, or source/NAME/NAME.ipynb; None: there is neither."""
        paths = (self.root / "solutions" / name / "assignment.md", self.root / "source" / name / f"{name}.ipynb")
        return next((path for path in paths if path.is_file()), None)

    def secret(self) -> bytes | None:
        """The secret seed, made on first use and readable by its owner alone; None: course.toml names none."""
        if not self.secret_seed:
            return None
        path = self.root / self.secret_seed
        if not path.exists():
            _make_secret(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise CourseError(f"{path} holds the secret seed and others can read it. Run: chmod 600 {path}")
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if not re.fullmatch(r"(?:[0-9a-f]{2}){32,}", text):
            raise CourseError(
                f"{path} should hold at least 64 hexadecimal digits. Put the right file back, or delete it: "
                "a new seed is made, and every hidden input changes."
            )
        return bytes.fromhex(text)


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(32).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the file exists, so two graders that start together share one seed.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


class _Reader:
    """Turns the parsed TOML into dataclasses and knows how to say what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def course(self, root: Path, data: dict[str, Any]) -> Course:
        self._known(data, {"course", "assignments"}, ())
        table = self._get(data, (), "course", dict, None)
        if table is None:
            raise CourseError(f'{self.path} has no [course] table. Write: [course]\\nid = "my-course"')
        self._known(table, {"id", "title", "repository", "branch", "secret_seed"}, ("course",))
        texts = {key: self._get(table, ("course",), key, str, "") for key in ("id", "title", "repository")}
        if not NAME.fullmatch(texts["id"]):
            raise self._error(("course", "id"), "needs letters, digits, - and _", 'id = "my-course"')
        assignments = self._get(data, (), "assignments", dict, {})
        return Course(
            root=root.resolve(),
            **texts,
            branch=self._get(table, ("course",), "branch", str, "main"),
            secret_seed=self._get(table, ("course",), "secret_seed", str, ""),
            assignments={name: self._settings(name, assignments) for name in assignments},
        )

    def _settings(self, name: str, assignments: dict[str, Any]) -> Settings:
        path = ("assignments", name)
        if not NAME.fullmatch(name):
            raise self._error(path, "is no name for a folder", "[assignments.01-convolution]")
        table = self._get(assignments, ("assignments",), name, dict, {})
        self._known(table, {"title", "due", "late", "attempts", "engine", "limits"}, path)
        due = self._get(table, path, "due", datetime, None)
        if due is not None and due.tzinfo is None:
            raise self._error((*path, "due"), "needs a time zone", f"due = {due.isoformat()}+01:00")
        engine = self._get(table, path, "engine", str, ENGINES[0])
        if engine not in ENGINES:
            raise self._error((*path, "engine"), "is no engine", " or ".join(f'engine = "{name}"' for name in ENGINES))
        if self._get(table, path, "attempts", int, 0):
            problem = "can be limited only where students hand in: a file does not say which attempt it is"
            raise self._error((*path, "attempts"), problem, "attempts = 0, and set the limit there")
        late = self._get(table, path, "late", dict, {})
        self._known(late, {each.name for each in fields(LatePolicy)}, (*path, "late"))
        limits = self._get(table, path, "limits", dict, {})
        self._known(limits, {each.name for each in fields(Limits)}, (*path, "limits"))
        return Settings(
            title=self._get(table, path, "title", str, name),
            due=due.astimezone(UTC) if due else None,
            late=LatePolicy(
                grace_minutes=self._get(late, (*path, "late"), "grace_minutes", int, 0),
                penalty_per_day=self._share(late, (*path, "late"), "penalty_per_day"),
                lowest_factor=self._share(late, (*path, "late"), "lowest_factor"),
            ),
            engine=engine,
            limits=Limits(
                **{key: self._get(limits, (*path, "limits"), key, int, 0, least=1) for key in limits},
            ),
        )

    def _get(
        self, table: dict[str, Any], path: tuple[str, ...], key: str, kind: type, default: Any, least: int = 0
    ) -> Any:
        if key not in table:
            return default
        value = table[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            want, example = _EXAMPLES[kind]
            raise self._error((*path, key), f"should be {want}", example.format(key=key))
        if isinstance(value, int) and value < least:
            raise self._error((*path, key), f"should be at least {least}", f"{key} = {max(least, 1)}")
        return value

    def _share(self, table: dict[str, Any], path: tuple[str, ...], key: str) -> float:
        value = table.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._error((*path, key), "should be a share between 0 and 1", f"{key} = 0.1")
        return float(value)

    def _known(self, table: dict[str, Any], known: set[str], path: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                raise self._error((*path, key), "is no key that I know", "one of: " + ", ".join(sorted(known)))

    def _error(self, path: tuple[str, ...], problem: str, write: str) -> CourseError:
        # tomllib keeps no positions: the line is the last mention of each part of the path in turn.
        line = 0
        for part in path:
            pattern = re.compile(rf"(?<![\w-]){re.escape(part)}(?![\w-])")
            line = next((n for n in range(line, len(self.lines)) if pattern.search(self.lines[n])), line)
        return CourseError(f"{self.path}, line {line + 1}: {'.'.join(path)} {problem}. Write: {write}")


_EXAMPLES: dict[type, tuple[str, str]] = {
    str: ("text in quotes", '{key} = "…"'),
    int: ("a whole number", "{key} = 1"),
    dict: ("a table", "{key} = {{ … }}"),
    datetime: ("a date and time with a time zone", "{key} = 2026-12-18T23:59:00+01:00"),
}
