"""A class of attackers and honest neighbors, graded once by `autograder grade` on assignment 01.

Owed, whatever a submission does: its honest score and no more, a result with a reason, the same results for
everybody else, nothing outside touched, and no hidden test or its inputs in anything that a student reads.
"""

import importlib.util
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import psutil
import pytest
from click.testing import CliRunner

from autograder.assignment import Assignment
from autograder.cli import main
from autograder.submission import with_answers

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = sorted(path.stem for path in (Path(__file__).parent / "attacks").glob("*.py"))
NAME = "01-convolution"
NEIGHBORS = {"honest-aaa": 20.0, "honest-mmm": 11.0, "honest-zzz": 20.0}
LIMITS = (
    "limits = { cell_seconds = 6, submission_seconds = 25, memory_mb = 512, processes = 48, "
    "disk_mb = 64, output_kb = 256 }"
)
STATUSES = {"passed", "partial", "failed", "not-attempted", "timeout", "memory", "crashed", "unreadable"}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "attacks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Graded:
    """The class, graded: results by student, and the folders to look at."""

    def __init__(self, course: Path, out: Path, assignment: Assignment, output: str) -> None:
        self.course, self.out, self.assignment, self.output = course, out, assignment, output
        text = (out / "results.json").read_text()
        self.results: dict[str, dict[str, Any]] = {each["student"]: each for each in json.loads(text)["results"]}

    def shown_to(self, student: str) -> str:
        """Everything that the student gets to read."""
        page = (self.out / "feedback" / student / f"{NAME}.html").read_text()
        notebook = (self.out / "autograded" / student / NAME / f"{NAME}.ipynb").read_text()
        return page + notebook + json.dumps(self.results[student], ensure_ascii=False)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course, folder, out = (tmp_path_factory.mktemp(name) for name in ("course", "submitted", "out"))
    text = (ROOT / "course.toml").read_text()
    lines = [LIMITS if line.startswith("limits") else line for line in text.splitlines()]
    (course / "course.toml").write_text("\n".join(lines))
    shutil.copytree(ROOT / "solutions" / NAME, course / "solutions" / NAME)
    assignment = Assignment.load(course, NAME)
    right = {cell.id: cell.source for cell in assignment.cells if cell.kind == "answer"}

    def hand_in(student: str, data: bytes) -> None:
        path = folder / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)

    for student, score in NEIGHBORS.items():
        answers = right if score == 20 else right | {"conv2d": "def conv2d(*args, **kwargs):\n    return None"}
        hand_in(student, nbformat.writes(with_answers(assignment, answers)).encode())
    for name in ATTACKS:
        attack = load(name)
        if hasattr(attack, "ANSWER"):
            source = attack.ANSWER.replace("@COURSE@", str(course)).replace("@OUT@", str(out))
            hand_in(name, nbformat.writes(with_answers(assignment, right | {"conv2d": source})).encode())
        else:
            changed = attack.change(json.loads(nbformat.writes(assignment.notebook())))
            hand_in(name, changed if isinstance(changed, bytes) else json.dumps(changed).encode())
    arguments = ["--course", str(course), "grade", NAME, "--submissions", str(folder), "--out", str(out), "--jobs", "2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return Graded(course, out, assignment, done.output)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_honest_score_and_a_reason(graded: Graded, name: str) -> None:
    attack, result = load(name), graded.results[name]
    assert result["score"] == attack.EARNS, result
    assert result["status"] == getattr(attack, "STATUS", result["status"])
    assert result["status"] in STATUSES
    assert result["message"]
    assert all(cell["message"] for cell in result["cells"] if not cell["points"] and result["status"] != "unreadable")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_learns_nothing_of_the_hidden_tests(graded: Graded, name: str) -> None:
    shown = graded.shown_to(name)
    for cell in graded.assignment.cells:
        for line in cell.hidden_source.splitlines():
            if "hint=" not in line and len(line.strip()) > 30 and line not in cell.visible_source:
                assert line.strip() not in shown
    for cell in graded.results[name]["cells"]:
        assert "array(" not in cell["message"]


@pytest.mark.parametrize("student", NEIGHBORS)
def test_the_neighbors_of_attackers_keep_their_results(graded: Graded, student: str) -> None:
    assert graded.results[student]["score"] == NEIGHBORS[student]
    assert graded.results[student]["flags"] == []


def test_everybody_has_a_result(graded: Graded) -> None:
    assert set(graded.results) == {*ATTACKS, *NEIGHBORS}
    assert len(ATTACKS) >= 60


def test_the_sources_and_the_secret_are_untouched(graded: Graded) -> None:
    ours, copied = (folder / "solutions" / NAME / "assignment.md" for folder in (ROOT, graded.course))
    assert ours.read_bytes() == copied.read_bytes()
    assert (graded.course / ".secrets" / "draws-seed").stat().st_mode & 0o777 == 0o600


def test_no_process_of_an_attack_is_left() -> None:
    ours = psutil.Process()
    assert [each.cmdline() for each in ours.children(recursive=True) if "forkserver" in " ".join(each.cmdline())] == []


class Scripts(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script"
        self.found += [str(value) for name, value in attrs if name.startswith("on") or "javascript:" in str(value)]

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def test_no_script_reaches_a_page(graded: Graded) -> None:
    page = (graded.out / "feedback" / "scripts_in_outputs" / f"{NAME}.html").read_text()
    scripts = Scripts()
    scripts.feed(page)
    assert "attack-marker" in page  # as text, in the student's own source
    assert "attack-marker" not in " ".join(scripts.found)
    assert "\x1b" not in page


@pytest.mark.parametrize("name", ["tagged_cells", "edited_tests", "deleted_tests", "duplicated_tests", "more_points"])
def test_what_was_changed_is_flagged_for_a_human(graded: Graded, name: str) -> None:
    assert graded.results[name]["flags"]


def test_each_attack_says_what_it_tries_and_what_is_owed() -> None:
    assert [name for name in ATTACKS if "Owed: " not in (load(name).__doc__ or "")] == []
