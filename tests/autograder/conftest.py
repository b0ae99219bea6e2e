import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.direct import DirectExecutor
from autograder.submission import with_answers

TINY = Path(__file__).parent / "fixtures" / "tiny"
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(values):\n    return sum(values) / len(values)",
}


@pytest.fixture(scope="session")
def tiny() -> Assignment:
    """The fixture assignment: two questions, three test cells, one essay, 10 points."""
    return Assignment.load(TINY, "tiny")


@pytest.fixture
def right() -> dict[str, str]:
    """Right answers to the fixture assignment."""
    return dict(RIGHT)


@pytest.fixture(scope="session")
def direct(tiny: Assignment) -> Iterator[DirectExecutor]:
    """Runs notebooks of the fixture assignment without a kernel."""
    with DirectExecutor(tiny) as executor:
        yield executor


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the fixture course, to be changed."""
    return Path(shutil.copytree(TINY, tmp_path / "course"))


@pytest.fixture
def hand_in(tmp_path: Path, tiny: Assignment) -> Callable[..., Path]:
    """Writes a submission in nbgrader's layout and returns the folder of them all."""

    def write(student: str, answers: dict[str, str] | bytes | NotebookNode) -> Path:
        path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(answers, NotebookNode):
            path.write_text(nbformat.writes(answers), encoding="utf-8")
        elif isinstance(answers, bytes):
            path.write_bytes(answers)
        else:
            path.write_text(nbformat.writes(with_answers(tiny, answers)), encoding="utf-8")
        return tmp_path / "submitted"

    return write
