"""A class of attackers and honest neighbors, graded by `autograder grade` on assignment 01, and once more.

Owed, whatever a submission does: its honest score and no more, a result with a reason, the same results for
everybody else, nothing outside touched, and no hidden test or its inputs in anything that a student reads.
"""

import csv
import io
import json
import os
import re
import shutil
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.assignment import Assignment
from autograder.cli import main
from autograder.submission import with_answers
from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = sorted(path.stem for path in (Path(__file__).parent / "attacks").glob("*.py"))
NAME = "01-convolution"
NEIGHBORS = {"honest-aaa": 20.0, "honest-mmm": 15.0, "honest-zzz": 20.0}
#: What an attack prints when it got where it must not, and at its end; its source never has them in one piece.
REACHED, TRIED = "attack-reached", "attack-tried"
#: Right answers, handed in under odd names or with something that shows whether a mark would be seen.
NAMES = {"=cmd|x": "_cmd_x", "-rf": "-rf", "\x1b[31m<b>&": "__31m_b__", "\u202eevil": "_evil", "n" * 200: "n" * 100}
CONTROL = "control"
LIMITS = (
    "limits = { cell_seconds = 9, submission_seconds = 40, memory_mb = 1024, processes = 48, "
    "disk_mb = 64, output_kb = 256 }"
)
STATUSES = {"passed", "partial", "failed", "not-attempted", "timeout", "memory", "crashed", "unreadable"}


class Services:
    """What a submission must not reach: listeners on loopback and on unix sockets, and a file that all may read."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder = folder
        self.abstract = f"attack-{os.getpid()}-{id(self)}"
        self.canary = folder / "canary"
        self.canary.write_text("canary")
        self._listeners = [
            self._bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            self._bound(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract),
            self._bound(socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        ]
        self.port = self._listeners[0].getsockname()[1]
        self._listeners.append(self._bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", self.port)))
        (folder / "socket").chmod(0o777)

    @staticmethod
    def _bound(family: int, kind: int, address: Any) -> socket.socket:
        listener = socket.socket(family, kind)
        listener.bind(address)
        listener.setblocking(False)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        return listener

    def reached(self) -> list[str]:
        """Who of the listeners has heard of anybody."""
        heard = []
        for listener in self._listeners:
            try:
                listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()[0].close()
                heard.append(str(listener.getsockname()))
            except BlockingIOError:
                continue
        return heard

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


class Graded:
    """The class and its folders; `grade` grades what is handed in now."""

    def __init__(self, base: Path, services: Services) -> None:
        self.course, self.submitted, self.out = base / "course", base / "submitted", base / "out"
        self.services = services
        self.results: dict[str, dict[str, Any]] = {}
        text = (ROOT / "course.toml").read_text()
        lines = [LIMITS if line.startswith("limits") else line for line in text.splitlines()]
        shutil.copytree(ROOT / "solutions" / NAME, self.course / "solutions" / NAME)
        (self.course / "course.toml").write_text("\n".join(lines))
        self.assignment = Assignment.load(self.course, NAME)
        self.right = self.assignment.reference

    def notebook(self, **answers: str) -> dict[str, Any]:
        """A notebook with right answers but for those given."""
        named = {name.replace("_", "-"): source for name, source in answers.items()}
        return json.loads(nbformat.writes(with_answers(self.assignment, self.right | named)))

    def hand_in(self, student: str, notebook: bytes | dict[str, Any], files: dict[str, str] | None = None) -> None:
        folder = self.submitted / student / NAME
        data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        for path, content in {f"{NAME}.ipynb": data, **{k: v.encode() for k, v in (files or {}).items()}}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    def attack(self, name: str) -> None:
        attack = load(f"tests/autograder/attacks/{name}.py")
        places = {
            "@COURSE@": self.course,
            "@OUT@": self.out,
            "@SUBMITTED@": self.submitted,
            "@SERVED@": self.services.folder,
            "@ABSTRACT@": self.services.abstract,
            "@PORT@": self.services.port,
        }
        if hasattr(attack, "ANSWER"):
            source = re.sub("@[A-Z]+@", lambda match: str(places[match[0]]), attack.ANSWER)
            notebook: Any = self.notebook(conv2d=source)
        else:
            released = json.loads(nbformat.writes(self.assignment.notebook()))
            notebook = attack.change(self.notebook() if getattr(attack, "RIGHT", False) else released)
        self.hand_in(name, notebook, getattr(attack, "FILES", {}))

    def grade(self, submissions: Path) -> str:
        """Run the command, load the results, and return what it printed."""
        arguments = ["--course", str(self.course), "grade", NAME, "--submissions", str(submissions), "--jobs", "4"]
        secret = {"SECRET_OF_THE_GRADER": "password"}
        done = CliRunner().invoke(main, [*arguments, "--out", str(self.out)], env=secret)
        assert done.exit_code == 0, done.output
        text = (self.out / "results.json").read_text()
        self.results = {each["student"]: each for each in json.loads(text)["results"]}
        return done.output

    def shown_to(self, student: str) -> str:
        """Everything that the student gets to read."""
        page = (self.out / "feedback" / student / f"{NAME}.html").read_text()
        notebook = (self.out / "autograded" / student / NAME / f"{NAME}.ipynb").read_text()
        return page + notebook + json.dumps(self.results[student], ensure_ascii=False)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A folder that any user of the machine could enter, so that the walls alone keep submissions out."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="attacks-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def graded(base: Path) -> Iterator[Graded]:
    (base / "served").mkdir()
    services = Services(base / "served")
    graded = Graded(base, services)
    for student, score in NEIGHBORS.items():
        wrong = {} if score == 20 else {"conv2d": "def conv2d(*args, **kwargs):\n    return None"}
        graded.hand_in(student, graded.notebook(**wrong))
    for student in NAMES:
        graded.hand_in(student[:200], graded.notebook())
    graded.hand_in(CONTROL, graded.notebook(conv2d=f"print({REACHED!r})\n{graded.right['conv2d']}"))
    for name in ATTACKS:
        graded.attack(name)
    graded.grade(graded.submitted)
    yield graded
    services.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_honest_score_and_a_reason(graded: Graded, name: str) -> None:
    attack, result = load(f"tests/autograder/attacks/{name}.py"), graded.results[name]
    assert result["score"] == attack.EARNS, result
    assert result["status"] == getattr(attack, "STATUS", result["status"])
    assert result["status"] in STATUSES
    assert result["message"]
    assert all(cell["message"] for cell in result["cells"] if not cell["points"])
    assert result["flags"] or not getattr(attack, "FLAGGED", False)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_reaches_and_learns_nothing(graded: Graded, name: str) -> None:
    shown = graded.shown_to(name)
    assert REACHED not in shown
    source = (Path(__file__).parent / "attacks" / f"{name}.py").read_text()
    assert TRIED in shown or "-reached" not in source, "it did not get to its end"
    for cell in graded.assignment.cells:
        for line in cell.hidden_source.splitlines():
            if "hint=" not in line and len(line.strip()) > 30 and line not in cell.visible_source:
                assert line.strip() not in shown
    text = json.dumps(graded.results[name], ensure_ascii=False)
    assert "array(" not in text
    assert len(text) < 20_000
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text)


def test_what_an_attack_reached_would_be_seen(graded: Graded) -> None:
    assert REACHED in graded.shown_to(CONTROL)


@pytest.mark.parametrize("student", NEIGHBORS)
def test_the_neighbors_of_attackers_keep_their_results(graded: Graded, student: str) -> None:
    assert graded.results[student]["score"] == NEIGHBORS[student]
    assert graded.results[student]["flags"] == []


def test_everybody_has_a_result(graded: Graded) -> None:
    assert set(graded.results) == {*ATTACKS, *NEIGHBORS, *NAMES.values(), CONTROL}
    assert all(graded.results[name]["score"] == 20 for name in NAMES.values())
    assert len(ATTACKS) >= 60


def test_nothing_outside_was_touched_or_reached(graded: Graded) -> None:
    ours, copied = (folder / "solutions" / NAME / "assignment.md" for folder in (ROOT, graded.course))
    assert ours.read_bytes() == copied.read_bytes()
    assert (graded.course / ".secrets" / "draws-seed").stat().st_mode & 0o777 == 0o600
    assert graded.services.reached() == []
    assert graded.services.canary.read_text() == "canary"
    assert sorted(path.name for path in graded.services.folder.iterdir()) == ["canary", "socket"]


def test_no_process_of_an_attack_is_left(graded: Graded) -> None:
    ours = psutil.Process()
    assert [each.cmdline() for each in ours.children(recursive=True) if "forkserver" in " ".join(each.cmdline())] == []
    everybody = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in everybody if line.startswith("attack-daemon") and str(graded.course) in line] == []


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


def test_no_text_of_a_submission_is_a_formula_or_a_tag_in_a_report(graded: Graded) -> None:
    text = (graded.out / "grades.csv").read_text()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == len(graded.results) + 1
    assert any("HYPERLINK" in cell for row in rows for cell in row)
    for cell in [cell for row in rows for cell in row] + re.split("[;\t\n]", text):
        assert not cell.strip().startswith(("=", "@", "+", "-")), cell
    report = (graded.out / "report.html").read_text()
    assert "\x1b" not in report and "<b>&" not in report and "\u202e" not in report


# Handing in once more.


@pytest.fixture(scope="module")
def again(graded: Graded) -> tuple[Graded, dict[str, dict[str, Any]], str]:
    """The class graded once more, from a zip: two students handed in something else, one tries to write elsewhere."""
    before = dict(graded.results)
    without_test = graded.notebook(conv2d="def conv2d(*args, **kwargs):\n    return None")
    without_test["cells"] = [
        cell
        for cell in without_test["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") not in ("conv2d-test", "separate-test", "output-size")
    ]
    graded.hand_in("honest-aaa", without_test)
    graded.hand_in("honest-mmm", b"")
    archive = graded.submitted.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(graded.submitted.rglob("*")):
            if path.is_file():
                file.write(path, Path("class") / path.relative_to(graded.submitted))
        forged = json.dumps(graded.notebook())
        for name in (
            "../served/canary",
            "../../../../attack-slip.ipynb",
            "class/../honest-mmm/x.ipynb",
            "/attack.ipynb",
        ):
            file.writestr(name, forged)
        link = zipfile.ZipInfo(f"class/linked/{NAME}/{NAME}.ipynb")
        link.external_attr = 0o120777 << 16
        file.writestr(link, str(graded.services.canary))
    output = graded.grade(archive)
    return graded, before, output


def test_a_new_hand_in_keeps_no_points_of_the_one_before(again: tuple[Graded, dict[str, dict[str, Any]], str]) -> None:
    graded, before, _ = again
    assert before["honest-aaa"]["score"] == 20
    result = graded.results["honest-aaa"]
    points = {cell["id"]: cell["points"] for cell in result["cells"]}
    assert (points["conv2d-test"], points["separate-test"], points["output-size-test"]) == (0, 1, 0)
    assert result["score"] == 11
    assert any("conv2d-test is missing" in flag for flag in result["flags"])
    assert (graded.results["honest-mmm"]["score"], graded.results["honest-mmm"]["status"]) == (0, "unreadable")
    with Gradebook(f"sqlite:///{graded.out / 'gradebook.db'}", "convbook") as gradebook:
        for student, score in (("honest-aaa", 11), ("honest-mmm", 0), ("honest-zzz", 20)):
            assert gradebook.find_submission(NAME, student).score == score


def test_names_and_links_in_a_zip_lead_nowhere(again: tuple[Graded, dict[str, dict[str, Any]], str]) -> None:
    graded, _, _ = again
    test_nothing_outside_was_touched_or_reached(graded)
    assert list(graded.course.parent.glob("**/attack*.ipynb")) == []
    assert graded.results["linked"]["score"] == 0
    assert "is a link" in graded.results["linked"]["message"]


def test_everybody_else_keeps_the_result_of_before(again: tuple[Graded, dict[str, dict[str, Any]], str]) -> None:
    graded, before, output = again
    changed = {"honest-aaa", "honest-mmm"}
    assert {name: graded.results[name] for name in before if name not in changed} == {
        name: result for name, result in before.items() if name not in changed
    }
    assert f"({len(before) - len(changed)} kept from before)" in output


# The catalogue.


def test_each_attack_says_what_it_tries_and_what_is_owed() -> None:
    for name in ATTACKS:
        attack = load(f"tests/autograder/attacks/{name}.py")
        assert "Owed: " in (attack.__doc__ or ""), name
        assert ("flagged" in attack.__doc__) == getattr(attack, "FLAGGED", False), name
        assert hasattr(attack, "ANSWER") != hasattr(attack, "change"), name


def test_each_attack_and_each_test_that_is_named_has_its_place_in_the_table() -> None:
    table = (Path(__file__).parent / "attacks" / "README.md").read_text()
    assert [name for name in ATTACKS if f"`{name}`" not in table] == []
    named = set(re.findall(r"`(test_\w+)(?:\.py)?`", table))
    modules = {path.stem: path.read_text() for path in Path(__file__).parent.glob("test_*.py")}
    defined = set(modules) | {name for text in modules.values() for name in re.findall(r"^def (test_\w+)", text, re.M)}
    assert named <= defined, named - defined
