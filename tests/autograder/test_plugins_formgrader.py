"""The engine behind the formgrader's button, in a real Jupyter server."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.direct import DirectExecutor
from autograder.pipeline import grade_class
from autograder.submission import with_answers
from tests.autograder.nbgrader_course import FORGED, INERT_PAGES, RIGHT, TWO_LINES, NbgraderCourse

HIDDEN = ("So, so; SO", "Persuasion", "new word", "share no books")
WAIT_SECONDS = 120
ALIVE = """It keeps <script>window.taken = 1</script> <img src="x" onerror="window.taken = 2"> the *rules*.

<iframe srcdoc="<script>parent.taken = 3</script>"></iframe> [here](javascript:window.taken=4)"""
SHOWS = """
from IPython.display import HTML, Javascript, display
display(HTML("<script>window.taken = 5</script><img src='x' onerror='window.taken = 6'>"))
display(Javascript("window.taken = 7"))"""


class Formgrader:
    """A Jupyter server over a course, on a port and with folders of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        home.mkdir()
        folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        extensions = {"nbgrader.server_extensions.formgrader": True}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-W", "ignore", "-m", "jupyter_server", "--ip=127.0.0.1", "--port=0"),
                *("--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"),
                *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
                f"--ServerApp.jpserver_extensions={extensions}",
            ],
            cwd=root,
            env={**os.environ, **folders, "HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=(home / "log").open("w"),
        )
        self.home = home
        self.url = ""
        end = time.monotonic() + WAIT_SECONDS
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                self.close()
                raise AssertionError((home / "log").read_text())
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether the server is up; its file may be half written, and its port be known before it listens."""
        for path in (self.home / "runtime").glob("jpserver-*.json"):
            with suppress(ValueError, urllib.error.URLError):
                self.url = f"http://127.0.0.1:{json.loads(path.read_text())['port']}/formgrader"
                return bool(self.api("GET", "status")["status"])
        return False

    def ask(self, method: str, path: str, body: object = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return answer.read().decode()

    def api(self, method: str, path: str, body: object = None) -> Any:
        return json.loads(self.ask(method, f"api/{path}", body) or "null")

    def autograde(self, student: str) -> None:
        """What the button does."""
        done = self.api("POST", f"submission/words/{student}/autograde")
        assert done["success"], done

    def notebook(self, student: str) -> str:
        """The id of a student's notebook."""
        rows = self.api("GET", "submitted_notebooks/words/words")
        return next(row["id"] for row in rows if row["student"] == student)

    def rows(self, kind: str, student: str) -> dict[str, dict[str, Any]]:
        """Grades or comments of a student, by cell."""
        return {row["name"]: row for row in self.api("GET", f"{kind}?submission_id={self.notebook(student)}")}

    def scores(self) -> dict[str, tuple[float, float, bool]]:
        rows = self.api("GET", "submissions/words")
        return {row["student"]: (row["score"], row["max_score"], row["needs_manual_grade"]) for row in rows}

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)

    def children(self) -> list[int]:
        """The processes that the server started and that are alive."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(each) for each in text.split()]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    """A course that three students handed in to."""
    course = NbgraderCourse(tmp_path_factory.mktemp("formgrader") / "course", "words", "words")
    course.hand_in("ada", "words", RIGHT)
    course.hand_in("bo", "words", {**RIGHT, "shelf": RIGHT["shelf"].replace("self.titles.remove(title)", "pass")})
    course.configure(TWO_LINES + INERT_PAGES)
    course.hand_in("forges", "words", {**RIGHT, "word-counts": FORGED + SHOWS, "why": ALIVE})
    return course


@pytest.fixture(scope="module")
def formgrader(course: NbgraderCourse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Formgrader]:
    """A server whose button was pressed once for each of them."""
    server = Formgrader(course.root, tmp_path_factory.mktemp("server") / "home")
    try:
        for student in ("ada", "bo", "forges"):
            server.autograde(student)
        yield server
    finally:
        server.close()


def test_the_button_gives_the_verdicts_of_autograder_grade(formgrader: Formgrader) -> None:
    assert formgrader.scores() == {"ada": (8, 12, True), "bo": (3, 12, True), "forges": (5, 12, True)}
    points = {cell: row["auto_score"] for cell, row in formgrader.rows("grades", "forges").items()}
    assert points == {
        "word-counts-proverb": 0,
        "word-counts-empty": 0,
        "shelf-counts": 3,
        "shelf-unknown": 2,
        "why": None,
    }
    assert "take removes one book" in formgrader.rows("comments", "bo")["shelf"]["auto_comment"]


def test_a_row_of_clicks_keeps_one_pair_of_processes(formgrader: Formgrader) -> None:
    before = formgrader.children()
    assert len(before) == 2
    formgrader.autograde("ada")
    assert formgrader.children() == before


def test_a_human_sees_points_messages_and_boxes_but_no_hidden_test(formgrader: Formgrader, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 1900})
    page.goto(f"{formgrader.url}/submissions/{formgrader.notebook('bo')}/")
    score = page.locator("input.score#shelf-counts")
    expect(score).to_have_attribute("placeholder", "0")
    expect(page.locator("input.score#word-counts-proverb")).to_have_attribute("placeholder", "2")
    comment = page.locator("textarea#shelf-comment")
    expect(comment).to_have_attribute("placeholder", re.compile("^shelf-counts: take removes one book"))
    expect(page.locator("input.score#why")).to_be_visible()
    expect(page.locator("textarea#why-comment")).to_be_visible()
    expect(page.get_by_text("2 of 5 parts passed. A human marks the rest.")).to_be_visible()
    for secret in HIDDEN:
        assert secret not in page.content()
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / "formgrader.png", full_page=True)
    page.close()


def test_nothing_that_a_student_wrote_is_alive_on_the_pages(
    formgrader: Formgrader, course: NbgraderCourse, browser: Browser
) -> None:
    done = formgrader.api("POST", "assignment/words/forges/generate_feedback")
    assert done["success"], done
    page = browser.new_page()
    feedback = course.root / "feedback" / "forges" / "words" / "words.html"
    for address in (f"{formgrader.url}/submissions/{formgrader.notebook('forges')}/", feedback.as_uri()):
        page.goto(address)
        expect(page.get_by_text("It keeps")).to_be_visible()
        expect(page.locator("em").filter(has_text="rules")).to_be_visible()
        assert page.evaluate("window.taken") is None
        assert not page.locator("iframe, [onerror], a[href^=javascript]").count()
    page.close()


def test_marks_and_comments_of_a_human_survive_a_regrade_and_a_new_submission(
    formgrader: Formgrader, course: NbgraderCourse
) -> None:
    grade, comment = formgrader.rows("grades", "ada")["why"], formgrader.rows("comments", "ada")["why"]
    formgrader.api("PUT", f"grade/{grade['id']}", {"manual_score": 1.5})
    formgrader.api("PUT", f"comment/{comment['id']}", {"manual_comment": "Which rules?"})
    assert formgrader.scores()["ada"] == (9.5, 12, False)
    formgrader.autograde("ada")
    assert formgrader.scores()["ada"] == (9.5, 12, True)
    course.hand_in("ada", "words", {"why": "I forgot the rest.", "shelf": RIGHT["shelf"]})
    formgrader.autograde("ada")
    assert formgrader.scores()["ada"] == (6.5, 12, True)
    assert formgrader.rows("comments", "ada")["why"]["manual_comment"] == "Which rules?"
    done = formgrader.api("POST", "assignment/words/ada/generate_feedback")
    assert done["success"], done
    page = (course.root / "feedback" / "ada" / "words" / "words.html").read_text()
    assert "Score: 6.5 / 10.0" in page
    assert "Which rules?" in page


def test_pages_over_the_folder_that_autograder_grade_wrote(
    tiny: Assignment, right: dict[str, str], direct: DirectExecutor, browser: Browser, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    handed = {"eve": {**right, "essay": "With outliers.", "mean": "def mean(v):\n    return 3.0"}, "mal": b"{"}
    for student, work in handed.items():
        path = out / "submitted" / student / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(work if isinstance(work, bytes) else json.dumps(with_answers(tiny, work)).encode())
    grade_class(tiny, collect(out / "submitted", "tiny")[0], direct, out, jobs=1)
    server = Formgrader(out, tmp_path / "home")
    try:
        rows = {row["student"]: row for row in server.api("GET", "submitted_notebooks/tiny/tiny")}
        assert {name: (row["score"], row["max_score"]) for name, row in rows.items()} == {
            "eve": (5, 10),
            "mal": (0, 10),
        }
        page = browser.new_page()
        page.goto(f"{server.url}/submissions/{rows['eve']['id']}/")
        expect(page.locator("input.score#mean-test")).to_have_attribute("placeholder", "0")
        expect(page.locator("textarea#mean-comment")).to_have_attribute("placeholder", re.compile("whatever it is"))
        page.goto(f"{server.url}/submissions/{rows['mal']['id']}/")
        expect(page.locator("textarea#double-comment")).to_have_attribute("placeholder", re.compile("file is damaged"))
        page.close()
    finally:
        server.close()
