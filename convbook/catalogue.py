"""What `solutions/NN/mistakes.py` declares: answers whose verdict is known, which test an assignment's tests.

A catalogue is data: the lists MISTAKES and ALTERNATIVES, and SURVIVORS where there are any. `autograder verify` puts
each mistake and alternative in the place of its question's answer cell and compares the verdicts. It also makes small
changes to the solutions: a test must notice each, or SURVIVORS says why none can.
"""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass


def changed(source: str, *changes: tuple[str, str]) -> str:
    """A right answer with a slip in it: each text that is given, replaced by its other.

    Raises ValueError where a text does not stand in the source exactly once.
    """
    for old, new in changes:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in the source.")
        source = source.replace(old, new)
    return source


@dataclass(frozen=True)
class Alternative:
    """Another right answer: it gets full points on every part of its question.

    Attributes:
        question: grade_id of the answer cell that `source` replaces.
        name: what is different about it, in a few words.
        source: the whole answer cell.
    """

    question: str
    name: str
    source: str

    def __post_init__(self) -> None:
        _check_text(self, "question", "name", "source")


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students do give.

    Attributes:
        question: grade_id of the answer cell that `source` replaces.
        name: the misconception, in a few words.
        source: the whole answer cell. It compiles: a mistake of thought, not of typing.
        points: what it earns, for every graded part of the question by grade_id.
        hint: words that the student must read in the message of a part that it loses.
    """

    question: str
    name: str
    source: str
    points: Mapping[str, float]
    hint: str

    def __post_init__(self) -> None:
        _check_text(self, "question", "name", "source", "hint")
        where = f"Mistake {self.name!r} of {self.question}"
        if not self.points:
            raise ValueError(f"{where}: points is empty. List every graded part of the question with what it earns.")
        for part, value in self.points.items():
            if type(part) is not str or type(value) not in (int, float) or not 0 <= value < math.inf:
                raise ValueError(f"{where}: points[{part!r}] is {value!r}. Give a number of points, at least 0.")


@dataclass(frozen=True)
class Survivor:
    """A change to a reference solution that no test can notice, since both compute the same.

    Attributes:
        question: grade_id of the answer cell.
        line: the line as `autograder verify` shows it.
        becomes: what the change makes of it.
        reason: why the answer stays right, for whoever doubts it.
    """

    question: str
    line: str
    becomes: str
    reason: str

    def __post_init__(self) -> None:
        _check_filled(self, f"Survivor of {self.question}", "question", "line", "becomes", "reason")


def _check_text(entry: Alternative | Mistake, *fields: str) -> None:
    where = f"{type(entry).__name__} {entry.name!r} of {entry.question}"
    _check_filled(entry, where, *fields)
    try:
        ast.parse(entry.source)
    except SyntaxError as error:
        raise ValueError(f"{where}: line {error.lineno} of its source is no Python: {error.msg}.") from None


def _check_filled(entry: object, where: str, *fields: str) -> None:
    for field in fields:
        value = getattr(entry, field)
        if type(value) is not str or not value.strip():
            raise ValueError(f"{where}: {field} is {value!r}. Give it a text that is not empty.")
