"""A gradebook on PostgreSQL: a real server, started here, on a socket of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from nbgrader.api import Gradebook as NbgraderGradebook

from autograder import database
from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.direct import DirectExecutor
from autograder.errors import EngineError, InstructorError
from autograder.grade import CellResult, Result
from autograder.gradebook import Gradebook
from autograder.pipeline import Summary, grade_class
from tests.autograder.conftest import RIGHT

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=Path())
pytestmark = pytest.mark.skipif(
    not (PROGRAMS / "initdb").exists(), reason="no PostgreSQL here; run: apt-get install postgresql"
)
#: PostgreSQL refuses to run as root.
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.getuid() == 0 else []
SOON = 240


class Server:
    """A PostgreSQL server that dies with the test's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = iter(range(1, 1000))
        if NOBODY:
            shutil.chown(folder, 65534, 65534)
        command = [PROGRAMS / "initdb", "--pgdata", folder / "data", "--username", "grader", "--auth", "trust"]
        command += ["--no-sync", "--no-instructions", "--encoding", "UTF8", "--locale", "C"]
        subprocess.run([*NOBODY, *command], check=True, capture_output=True, cwd=folder)
        self.start()

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off"}
        command = [PROGRAMS / "postgres", "-D", self.folder / "data"]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        dying = ["setpriv", "--pdeathsig", "KILL", *NOBODY[1:]] if shutil.which("setpriv") else []
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*dying, *command], stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + SOON
        while True:
            try:
                self.execute("SELECT 1")
                return
            except sqlalchemy.exc.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def url(self, name: str = "postgres", scheme: str = "postgresql+psycopg") -> str:
        return f"{scheme}://grader@/{name}?host={self.folder}"

    def new(self, scheme: str = "postgresql+psycopg") -> str:
        """The URL of a new, empty database."""
        name = f"book{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name, scheme)

    def execute(self, statement: str, url: str = "") -> list[Any]:
        engine = sqlalchemy.create_engine(url or self.url(), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.execute(sqlalchemy.text(statement))
                return list(found) if found.returns_rows else []
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: it holds a socket
    server = None
    try:
        server = Server(folder)
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def run(tiny: Assignment, direct: DirectExecutor, tmp_path: Path) -> Callable[..., Summary]:
    def call(folder: Path, url: str, **options: Any) -> Summary:
        collected, _ = collect(folder, "tiny")
        return grade_class(tiny, collected, direct, tmp_path / "out", jobs=2, db_url=url, **options)

    return call


def book(url: str) -> NbgraderGradebook:
    return NbgraderGradebook(url, "tiny-course")


def result_of(student: str, points: float = 2) -> Result:
    ids = {"double-numbers": 2, "double-arrays": 3, "mean-test": 4, "essay": 1}
    cells = tuple(CellResult(each, min(points, best), best, "failed", "") for each, best in ids.items())
    return Result(student, sum(cell.points for cell in cells), 10, "partial", "", (), 0, cells)


def test_a_class_is_graded_into_postgresql_and_nbgrader_reads_it(
    server: Server, run: Callable[..., Summary], hand_in: Callable[..., Path], tmp_path: Path
) -> None:
    url = server.new()
    hand_in("ada", RIGHT)
    hand_in("bo \u2260 é", RIGHT | {"double": "def double(x):\n    raise ValueError('\\x00 \\ud800 ≪')"})
    hand_in("x" * 200, {})
    folder = hand_in("cy", b"{nope")
    summary = run(folder, url)
    scores = {result.student: result.score for result in summary.results.results}
    assert sorted(scores.values()) == [0, 0, 4, 9]
    assert not (tmp_path / "out" / "gradebook.db").exists()
    with book(url) as gradebook:
        for student, score in scores.items():
            submission = gradebook.find_submission("tiny", student)
            assert (submission.score, submission.max_score) == (score, 10)
        assert gradebook.average_assignment_score("tiny") == sum(scores.values()) / 4
        assert {each["id"]: each["score"] for each in gradebook.student_dicts()} == scores
        assert "ValueError" in gradebook.find_comment("double", "tiny", "tiny", "bo _ é").comment
    assert "9.0" in (tmp_path / "out" / "feedback" / "ada" / "tiny.html").read_text()
    assert run(folder, url).kept == 4


def test_marks_given_by_hand_survive_resubmissions_and_changes_of_the_assignment(
    server: Server, run: Callable[..., Summary], hand_in: Callable[..., Path], course: Path, direct: DirectExecutor,
    tmp_path: Path,
) -> None:  # fmt: skip
    url = server.new()
    folder = hand_in("ada", RIGHT | {"essay": "With outliers."})
    assert run(folder, url).results.results[0].score == 9
    with book(url) as gradebook:
        mark = gradebook.find_grade("essay", "tiny", "tiny", "ada")
        mark.manual_score, mark.needs_manual_grade = 0.5, False
        gradebook.find_comment("essay", "tiny", "tiny", "ada").manual_comment = "Say why."
        gradebook.db.commit()
    assert run(folder, url).results.results[0].score == 9.5
    hand_in("ada", RIGHT | {"essay": "With outliers!", "mean": "def mean(values):\n    return 0.0"})
    assert run(folder, url).results.results[0].score == 5.5
    # PostgreSQL keeps foreign keys, which SQLite does not: a part that is gone takes its grades along.
    source = course / "solutions" / "tiny" / "assignment.md"
    source.write_text(source.read_text().replace("double-arrays", "double-matrices").replace("points: 4", "points: 6"))
    collected, _ = collect(folder, "tiny")
    changed = grade_class(Assignment.load(course, "tiny"), collected, direct, tmp_path / "out", jobs=1, db_url=url)
    assert (changed.results.results[0].score, changed.results.results[0].max_score) == (5.5, 12)
    with book(url) as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 5.5
        assert gradebook.find_comment("essay", "tiny", "tiny", "ada").manual_comment == "Say why."


def test_a_plain_url_means_the_driver_that_is_here(server: Server, tiny: Assignment) -> None:
    for scheme in ("postgresql", "postgres"):
        with Gradebook(server.new(scheme), tiny) as gradebook:
            gradebook.record(result_of("ada"), None, 0)
            assert gradebook.students() == {"ada"}


WRITER = """
import os, sys
from pathlib import Path
from autograder.assignment import Assignment
from autograder.gradebook import Gradebook
from tests.autograder.test_postgres import result_of
with Gradebook(sys.argv[1], Assignment.load(Path(sys.argv[2]), "tiny")) as gradebook:
    print("open", flush=True)
    for number in range(10_000):
        gradebook.record(result_of(f"s{number:04d}", points=1 + number % 2), None, 0)
"""


def test_a_writer_that_is_killed_leaves_no_half_score_and_no_lock(server: Server, tiny: Assignment) -> None:
    url = server.new()
    root = Path(__file__).resolve().parents[2]
    line = [sys.executable, "-c", WRITER, url, str(tiny.root)]
    writer = subprocess.Popen(line, cwd=root, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)})
    count = "SELECT count(*) FROM submitted_assignment"
    deadline = time.monotonic() + SOON
    assert writer.stdout and writer.stdout.readline() == b"open\n"
    while server.execute(count, url)[0][0] < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.kill()
    writer.wait()
    with Gradebook(url, tiny) as gradebook:  # at once: the lock went with the process
        written = gradebook.students()
        assert 5 <= len(written) < 10_000
    with book(url) as gradebook:
        for student in written:
            points = 1 + int(student[1:]) % 2
            assert gradebook.find_submission("tiny", student).score == result_of(student, points).score


def test_a_second_run_of_the_same_assignment_is_refused(
    server: Server, tiny: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.3)
    url = server.new()
    with Gradebook(url, tiny) as first:
        with pytest.raises(InstructorError, match="Another run writes tiny-course/tiny into postgresql"):
            Gradebook(url, tiny)
        first.record(result_of("ada"), None, 0)
    with Gradebook(url, tiny) as second:
        assert second.students() == {"ada"}


def test_runs_of_several_assignments_write_the_same_students_side_by_side(server: Server, tiny: Assignment) -> None:
    url = server.new()
    students = [f"s{number:02d}" for number in range(30)]

    def write(number: int) -> None:
        other = replace(tiny, name=f"tiny-{number}", file=f"tiny-{number}")
        with Gradebook(url, other) as gradebook:
            for student in students:
                gradebook.record(result_of(student), None, 0)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    with book(url) as gradebook:
        assert [each.id for each in gradebook.students] == students
        for number in range(3):
            found = gradebook.submission_dicts(f"tiny-{number}")
            assert {each["student"]: each["score"] for each in found} == dict.fromkeys(students, 7.0)


def test_a_mark_that_is_given_while_the_class_is_graded_is_kept(server: Server, tiny: Assignment) -> None:
    url = server.new()
    with Gradebook(url, tiny) as ours, book(url) as formgrader:
        ours.record(result_of("ada"), None, 0)
        mark = formgrader.find_grade("essay", "tiny", "tiny", "ada")
        mark.manual_score = 0.5
        formgrader.db.commit()
        ours.record(result_of("ada", points=1), None, 0)
        formgrader.db.expire_all()
        mark = formgrader.find_grade("essay", "tiny", "tiny", "ada")
        assert (mark.manual_score, mark.needs_manual_grade) == (0.5, True)
        assert formgrader.find_submission("tiny", "ada").score == 3.5


def test_a_server_that_goes_away_ends_the_run_with_a_sentence(server: Server, tiny: Assignment) -> None:
    url = server.new()
    with Gradebook(url, tiny) as gradebook:
        gradebook.record(result_of("ada"), None, 0)
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        with pytest.raises(EngineError, match=r"The gradebook .* can be read or written no more"):
            gradebook.record(result_of("bo"), None, 0)
    with Gradebook(url, tiny) as gradebook:
        assert gradebook.students() == {"ada"}


def test_a_reader_holds_no_transaction_open(server: Server, tiny: Assignment) -> None:
    url = server.new()
    with Gradebook(url, tiny) as gradebook:
        gradebook.record(result_of("ada"), None, 0)
        gradebook.students(), gradebook.marks(), gradebook.shown("ada")
        open_ = "SELECT state FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        assert server.execute(open_) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gradebook.db", "needs a database URL"),
        ("nosuch://x", "No kind of database is called nosuch"),
        ("postgresql+psycopg2://x", r"driver .* is missing"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_so(tiny: Assignment, url: str, sentence: str) -> None:
    with pytest.raises(InstructorError, match=sentence):
        Gradebook(url, tiny)


def test_a_password_is_in_no_message(server: Server, tiny: Assignment) -> None:
    url = server.url("nowhere").replace("grader@", "grader:hunter2@")
    with pytest.raises(InstructorError, match="cannot be opened") as refused:
        Gradebook(url, tiny)
    assert "hunter2" not in str(refused.value)
    assert "nowhere" in str(refused.value)
