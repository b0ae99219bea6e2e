"""What a run shows while it grades: a bar for people, a JSON line a submission for scripts, or nothing."""

import json
import sys
from collections import Counter
from types import TracebackType
from typing import Any, Self, TextIO

from tqdm import tqdm

from autograder.grade import Result
from autograder.report import is_odd


class Progress:
    """Shows nothing; the base of those that do. A context manager.

    Args:
        total: how many submissions there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total

    def kept(self, result: Result) -> None:
        """A result of an earlier run still holds."""

    def graded(self, result: Result) -> None:
        """A submission was graded."""

    def lost(self, student: str, reason: str) -> None:
        """A submission could not be given a result."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Bar(Progress):
    """Rate, time left, and counts of what passed, what did not and what a human should look at.

    Args:
        total: how many submissions there are.
        name: what is graded.
    """

    def __init__(self, total: int, name: str) -> None:
        super().__init__(total)
        self._counts = Counter(passed=0, failed=0, odd=0)
        self._bar = tqdm(total=total, desc=name, unit="submission", dynamic_ncols=True)
        self._show()

    def kept(self, result: Result) -> None:
        self._count(result)
        # What was there before says nothing about the rate.
        self._bar.initial += 1
        self._bar.update()

    def graded(self, result: Result) -> None:
        self._count(result)
        self._bar.update()

    def lost(self, student: str, reason: str) -> None:
        self._counts["lost"] += 1
        self._show()
        self._bar.update()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def _count(self, result: Result) -> None:
        self._counts["odd" if is_odd(result) else "passed" if result.status == "passed" else "failed"] += 1
        self._show()

    def _show(self) -> None:
        self._bar.set_postfix_str(", ".join(f"{count} {word}" for word, count in self._counts.items()), refresh=False)


class Lines(Progress):
    """One JSON object a line: an event, the student, and the result or the reason.

    Args:
        total: how many submissions there are.
        file: where to.
    """

    def __init__(self, total: int, file: TextIO | None = None) -> None:
        super().__init__(total)
        self._file = file or sys.stdout
        self._say(event="start", submissions=total)

    def kept(self, result: Result) -> None:
        self._say(event="kept", **_short(result))

    def graded(self, result: Result) -> None:
        self._say(event="graded", **_short(result))

    def lost(self, student: str, reason: str) -> None:
        self._say(event="lost", student=student, reason=reason)

    def _say(self, **said: Any) -> None:
        print(json.dumps(said), file=self._file, flush=True)


def _short(result: Result) -> dict[str, Any]:
    said = result.to_json()
    return {key: said[key] for key in ("student", "score", "max_score", "status", "message", "flags", "seconds")}
