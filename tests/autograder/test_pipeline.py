import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook as NbgraderGradebook
from nbgrader.apps import GenerateFeedbackApp
from nbgrader.utils import determine_grade
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.direct import DirectExecutor
from autograder.errors import EngineError, InstructorError
from autograder.grade import Run
from autograder.gradebook import Gradebook
from autograder.pipeline import JOURNAL, Summary, grade_class
from autograder.submission import Submission, with_answers

HIDDEN = ("draws", "not for 3 alone", "keep the shape of an array", "whatever it is", "size=7", "rng.integers")


class Counting:
    """The direct executor, counting and failing on demand."""

    engine, sandbox = "direct", "none"

    def __init__(self, direct: DirectExecutor) -> None:
        self._direct = direct
        self.seen: list[str] = []
        self.broken = ""
        self.dies = ""

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        self.seen.append(submission.student)
        if submission.student == self.broken:
            raise EngineError("It broke.")
        if submission.student == self.dies:
            raise KeyboardInterrupt
        return self._direct.run(assignment, submission, draws_key)


@pytest.fixture
def executor(direct: DirectExecutor) -> Counting:
    return Counting(direct)


@pytest.fixture
def run(tiny: Assignment, executor: Counting, tmp_path: Path) -> Callable[..., Summary]:
    def call(folder: Path, **options: Any) -> Summary:
        executor.seen.clear()
        collected, _ = collect(folder, "tiny")
        return grade_class(tiny, collected, executor, tmp_path / "out", **{"jobs": 2, **options})

    return call


@pytest.fixture
def book(tmp_path: Path) -> Callable[[], NbgraderGradebook]:
    return lambda: NbgraderGradebook(f"sqlite:///{tmp_path / 'out' / 'gradebook.db'}", "tiny-course")


def scores(summary: Summary) -> dict[str, float]:
    return {result.student: result.score for result in summary.results.results}


def test_a_class_leaves_everything_that_is_promised(
    run: Callable[..., Summary],
    hand_in: Callable[..., Path],
    right: dict[str, str],
    book: Callable[[], NbgraderGradebook],
    tmp_path: Path,
) -> None:
    hand_in("ada", {**right, "essay": "With outliers, as 7 ≪ 1000."})
    hand_in("bo", {**right, "double": "def double(x):\n    return x * x"})
    folder = hand_in("cy", b"{nope")
    summary = run(folder)
    out = tmp_path / "out"
    assert scores(summary) == {"ada": 9, "bo": 4, "cy": 0}

    results = json.loads((out / "results.json").read_text())
    assert {key: results[key] for key in ("assignment", "sandbox", "engine", "seed")} == {
        "assignment": "tiny",
        "sandbox": "none",
        "engine": "direct",
        "seed": "practice",
    }
    assert list(results["results"][0]) == [
        "student", "score", "max_score", "status", "message", "flags", "seconds", "cells",
    ]  # fmt: skip
    assert list(results["results"][0]["cells"][0]) == ["id", "points", "max_points", "status", "message"]

    with (out / "grades.csv").open(newline="") as file:
        assert [(row["student"], row["score"], row["mean-test"]) for row in csv.DictReader(file)] == [
            ("ada", "9", "4"),
            ("bo", "4", "4"),
            ("cy", "0", "0"),
        ]
    assert "practice seed was used" in (out / "report.html").read_text()

    with book() as gradebook:
        for result in summary.results.results:
            submission = gradebook.find_submission("tiny", result.student)
            assert submission.score == result.score
            assert submission.max_score == 10
            assert submission.needs_manual_grade == (result.student == "ada")
            record = nbformat.read(out / "autograded" / result.student / "tiny" / "tiny.ipynb", as_version=4)
            nbformat.validate(record)
            for cell in result.cells:
                grade = gradebook.find_grade(cell.id, "tiny", "tiny", result.student)
                (node,) = (n for n in record.cells if n.metadata.get("nbgrader", {}).get("grade_id") == cell.id)
                by_nbgrader, maximum = determine_grade(node)
                assert (grade.auto_score, grade.max_score) == (by_nbgrader, maximum)
                assert (by_nbgrader or 0, maximum) == (cell.points, cell.max_points)
        comment = gradebook.find_comment("double", "tiny", "tiny", "bo").comment
        assert "do not square it" in comment.replace("\\", "")
        assert gradebook.find_comment("essay", "tiny", "tiny", "bo").comment == "No response."

    for student in scores(summary):
        page = (out / "feedback" / student / "tiny.html").read_text()
        record_text = (out / "autograded" / student / "tiny" / "tiny.ipynb").read_text()
        for secret in HIDDEN:
            assert secret not in page
            assert secret not in record_text
    assert "do not square it" in (out / "feedback" / "bo" / "tiny.html").read_text()
    assert "damaged" in (out / "feedback" / "cy" / "tiny.html").read_text()


def test_what_was_graded_is_kept_until_it_changes(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], executor: Counting, tmp_path: Path
) -> None:
    hand_in("ada", right)
    folder = hand_in("bo", {})
    run(folder)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".db"]
    before = {path: path.read_bytes() for path in files}
    assert run(folder).kept == 2
    assert executor.seen == []
    assert {path: path.read_bytes() for path in files} == before
    hand_in("bo", right)
    summary = run(folder)
    assert (executor.seen, summary.kept, scores(summary)) == (["bo"], 1, {"ada": 9, "bo": 9})
    assert run(folder, force=True).kept == 0
    assert sorted(executor.seen) == ["ada", "bo"]


@pytest.mark.parametrize("missing", ["autograded/ada/tiny/tiny.ipynb", "feedback/ada/tiny.html", JOURNAL])
def test_a_result_without_its_files_is_made_again(
    run: Callable[..., Summary],
    hand_in: Callable[..., Path],
    right: dict[str, str],
    executor: Counting,
    tmp_path: Path,
    missing: str,
) -> None:
    folder = hand_in("ada", right)
    run(folder)
    (tmp_path / "out" / missing).unlink()
    assert scores(run(folder)) == {"ada": 9}
    assert executor.seen == ["ada"]
    assert (tmp_path / "out" / missing).is_file()


def test_a_lost_gradebook_is_filled_again_without_running_anything(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], executor: Counting,
    book: Callable[[], NbgraderGradebook], tmp_path: Path,
) -> None:  # fmt: skip
    folder = hand_in("ada", right)
    run(folder)
    (tmp_path / "out" / "gradebook.db").unlink()
    run(folder)
    assert executor.seen == []
    with book() as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 9


def test_a_run_that_is_stopped_goes_on_where_it_was(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], executor: Counting, tmp_path: Path
) -> None:
    for student in ("ada", "bo", "cy"):
        folder = hand_in(student, right)
    executor.dies = "cy"
    with pytest.raises(KeyboardInterrupt):
        run(folder, jobs=1)
    executor.dies = ""
    # A kill may cut the last line off in the middle.
    with (tmp_path / "out" / JOURNAL).open("ab") as journal:
        journal.write(b'\n{"student": "cy", "key": "')
    summary = run(folder)
    assert executor.seen == ["cy"]
    assert scores(summary) == {"ada": 9, "bo": 9, "cy": 9}


def test_our_own_failure_loses_one_result_and_names_it(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], executor: Counting
) -> None:
    hand_in("ada", right)
    folder = hand_in("bo", right)
    executor.broken = "ada"
    summary = run(folder)
    assert (summary.lost, scores(summary)) == ({"ada": "It broke."}, {"bo": 9})
    executor.broken = ""
    assert scores(run(folder)) == {"ada": 9, "bo": 9}


def test_a_resubmission_keeps_no_points_of_the_one_before(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tiny: Assignment,
    book: Callable[[], NbgraderGradebook],
) -> None:  # fmt: skip
    run(hand_in("ada", right))
    notebook = with_answers(tiny, right)
    notebook.cells = [cell for cell in notebook.cells if "double" not in cell.source]
    assert scores(run(hand_in("ada", notebook))) == {"ada": 4}
    with book() as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 4
    run(hand_in("ada", b""))
    with book() as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 0


def test_marks_given_in_formgrader_reach_results_and_feedback_and_survive_a_regrade(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path,
    book: Callable[[], NbgraderGradebook],
) -> None:  # fmt: skip
    folder = hand_in("ada", {**right, "essay": "With outliers."})
    assert scores(run(folder)) == {"ada": 9}
    with book() as gradebook:
        grade = gradebook.find_grade("essay", "tiny", "tiny", "ada")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        gradebook.find_comment("essay", "tiny", "tiny", "ada").manual_comment = "Say why."
        gradebook.db.commit()
    summary = run(folder)
    (result,) = summary.results.results
    assert (summary.kept, result.score, result.status) == (1, 9.5, "partial")
    page = (tmp_path / "out" / "feedback" / "ada" / "tiny.html").read_text()
    assert "Say why." in page
    assert "9.5" in page
    (result,) = run(folder, force=True).results.results
    assert (result.score, result.status) == (9.5, "needs-manual")
    with book() as gradebook:
        assert gradebook.find_grade("essay", "tiny", "tiny", "ada").needs_manual_grade


def test_marks_survive_a_change_of_the_assignment(
    course: Path, hand_in: Callable[..., Path], right: dict[str, str], executor: Counting, tmp_path: Path,
    book: Callable[[], NbgraderGradebook],
) -> None:  # fmt: skip
    collected, _ = collect(hand_in("ada", {**right, "essay": "With outliers."}), "tiny")
    out = tmp_path / "out"
    grade_class(Assignment.load(course, "tiny"), collected, executor, out, jobs=1)
    with book() as gradebook:
        gradebook.find_grade("essay", "tiny", "tiny", "ada").manual_score = 1
        gradebook.db.commit()
    source = course / "solutions" / "tiny" / "assignment.md"
    text = source.read_text().replace("points: 4", "points: 6").replace("double-arrays", "double-matrices")
    source.write_text(text)
    changed = grade_class(Assignment.load(course, "tiny"), collected, executor, out, jobs=1)
    (result,) = changed.results.results
    assert (result.score, result.max_score) == (12, 12)
    with book() as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 12
        assert gradebook.find_submission("tiny", "ada").max_score == 12


def test_another_assignments_folder_is_refused(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path
) -> None:
    folder = hand_in("ada", right)
    run(folder)
    path = tmp_path / "out" / "results.json"
    path.write_text(path.read_text().replace('"tiny"', '"other"'))
    with pytest.raises(InstructorError, match="holds the results of other"):
        run(folder)


def test_a_gradebook_that_cannot_be_opened_is_said_so(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str]
) -> None:
    with pytest.raises(InstructorError, match="cannot be opened"):
        run(hand_in("ada", right), db_url="sqlite:////nowhere/at/all.db")


def test_a_students_name_and_cells_are_inert_on_every_page(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tiny: Assignment, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>[x](javascript:alert(3))<style>*{}</style>"
    notebook = with_answers(tiny, {**right, "essay": f"{evil}\n\n{evil}</div></body><script>alert(4)</script>"})
    notebook.cells.append(new_markdown_cell(evil, metadata={"tags": [evil]}))
    run(hand_in("=cmd()<u>", notebook))
    out = tmp_path / "out"
    (page,) = (out / "feedback").rglob("*.html")
    body = page.read_text().split("<body>")[1]
    for text in (body, (out / "report.html").read_text()):
        for poison in ("<script", "onerror=", 'href="javascript:', "<u>", "<style>*"):
            assert poison not in text
    assert page.read_text().count("</body>") == 1
    assert (out / "grades.csv").read_text().splitlines()[1].startswith("_cmd")


def test_a_page_that_the_exporter_cannot_make_is_replaced_by_a_plain_one(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr("autograder.feedback.FeedbackExporter.page", fail)
    run(hand_in("ada", {**right, "double": "def double(x):\n    return '<b>'"}))
    page = (tmp_path / "out" / "feedback" / "ada" / "tiny.html").read_text()
    assert "tiny: 4 of 10" in page
    assert "double-numbers: 0 of 2." in page
    assert "<b>" not in page


def test_nbgraders_own_feedback_command_makes_a_page_without_hidden_tests(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path
) -> None:
    run(hand_in("ada", {**right, "mean": "def mean(v):\n    return 3.0"}))
    config = Config()
    config.CourseDirectory.root = str(tmp_path / "out")
    config.CourseDirectory.course_id = "tiny-course"
    config.CourseDirectory.feedback_directory = "by_nbgrader"
    config.GenerateFeedbackApp.log_level = 50
    GenerateFeedbackApp.clear_instance()
    app = GenerateFeedbackApp.instance(config=config)
    app.initialize(["tiny"])
    app.start()
    GenerateFeedbackApp.clear_instance()
    page = (tmp_path / "out" / "by_nbgrader" / "ada" / "tiny" / "tiny.html").read_text()
    assert "Score: 5.0 / 10.0" in page
    for secret in HIDDEN:
        assert secret not in page or secret == "whatever it is"


def test_a_crash_while_recording_changes_nothing(
    run: Callable[..., Summary], hand_in: Callable[..., Path], right: dict[str, str], tiny: Assignment, tmp_path: Path,
    book: Callable[[], NbgraderGradebook], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run(hand_in("ada", right))
    monkeypatch.setattr(Gradebook, "_comments", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(hand_in("ada", {}))
    monkeypatch.undo()
    with book() as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 9
    assert scores(run(hand_in("ada", {}))) == {"ada": 0}
    shutil.rmtree(tmp_path / "out")
