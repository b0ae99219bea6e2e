"""The engine under `nbgrader autograde`, on an ordinary nbgrader course in plain Python."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest
from nbgrader.api import SourceCell

from autograder import plugins
from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.errors import EngineError
from autograder.grade import Run
from autograder.pipeline import grade_class
from autograder.plugins import WARM
from autograder.probe import choose
from autograder.submission import with_answers
from tests.autograder.nbgrader_course import (
    FORGED,
    RIGHT,
    THIRD_LINE,
    TWO_LINES,
    NbgraderCourse,
    changed,
    duplicate,
    other_schemas,
)

FULL = {"word-counts-proverb": 2, "word-counts-empty": 1, "shelf-counts": 3, "shelf-unknown": 2, "why": None}
NOTHING = dict.fromkeys(FULL, 0)
HONEST = {
    "ada": FULL,
    "bo": {**FULL, "shelf-counts": 0, "shelf-unknown": 0},
    "blank": NOTHING,
    "edits_the_tests": {**FULL, "word-counts-proverb": 0, "word-counts-empty": 1},
    "duplicates": FULL,
    "schemas": FULL,
    "exits": {**NOTHING, "why": None},
    "forges": {**FULL, "word-counts-proverb": 0, "word-counts-empty": 0},
    "adds_an_import": FULL,
}
"""What everybody's answers are worth."""

UNREADABLE = {
    "broken": (b'{"cells": [', "damaged"),
    "empty": (b"", "The file is empty"),
    "latin": ("# na\xefve".encode("latin-1"), "not UTF-8"),
    "format_99": (b'{"nbformat": 99, "nbformat_minor": 0, "cells": [], "metadata": {}}', "format 99"),
    "cells_are_none": (b'{"nbformat": 4, "nbformat_minor": 5, "cells": {"a": [1]}, "metadata": 7}', "no list of cells"),
    "other": (b'{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}', "a notebook of something else"),
}
"""What cannot be read, and the reason that the student gets."""

HIDDEN = ("So, so; SO", "Persuasion", "queueing", "new word", "share no books")


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """The processes that the tests of this module share."""
    yield
    WARM.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    """The course with a class that handed in."""
    course = NbgraderCourse(tmp_path_factory.mktemp("nbgrader") / "course", "words", "words", "sorting")
    course.configure(TWO_LINES + THIRD_LINE)
    honest = course.notebook("words", RIGHT)

    def edit_tests(notebook: dict) -> None:
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade"):
                cell["source"], cell["metadata"]["nbgrader"]["points"] = "pass", 100

    def add_an_import(notebook: dict) -> None:
        # In the plain cell at the top, where people do it.
        notebook["cells"][3]["source"] = "import re\n" + notebook["cells"][3]["source"]

    wrong = course.notebook("words", {**RIGHT, "word-counts": "def word_counts(text):\n    return {}"})
    no_import = course.notebook("words", {**RIGHT, "word-counts": RIGHT["word-counts"].removeprefix("import re\n")})
    everybody = {
        "ada": honest,
        "bo": {**RIGHT, "shelf": RIGHT["shelf"].replace("self.titles.remove(title)", "pass")},
        "blank": {},
        "edits_the_tests": changed(wrong, edit_tests),
        "duplicates": changed(honest, duplicate),
        "schemas": changed(honest, other_schemas),
        "exits": {**RIGHT, "word-counts": "import os\nos._exit(0)"},
        "forges": {**RIGHT, "word-counts": FORGED},
        "adds_an_import": changed(no_import, add_an_import),
        **UNREADABLE,
    }
    for student, work in everybody.items():
        course.hand_in(student, "words", work[0] if isinstance(work, tuple) else work)
    for student in ("ada", "bo"):
        course.hand_in(student, "words", RIGHT if student == "ada" else {}, file="vowels")
    return course


@pytest.fixture(scope="module")
def graded(course: NbgraderCourse) -> NbgraderCourse:
    """The course after one run of nbgrader's command over the whole class."""
    done = course.command("autograde", "words")
    assert done.returncode == 0, done.stderr
    return course


@pytest.mark.parametrize("student", HONEST)
def test_one_run_gives_everybody_what_their_answers_are_worth(graded: NbgraderCourse, student: str) -> None:
    assert graded.points("words", student) == HONEST[student]


def test_a_notebook_that_was_not_handed_in_or_is_another_of_the_assignment_has_points_of_its_own(
    graded: NbgraderCourse,
) -> None:
    found = {each: graded.points("words", each, "vowels") for each in ("ada", "bo", "exits")}
    assert found == {"ada": {"vowels-test": 2}, "bo": {"vowels-test": 0}, "exits": {"vowels-test": 0}}


@pytest.mark.parametrize("student", UNREADABLE)
def test_what_cannot_be_read_gets_zero_and_the_reason(graded: NbgraderCourse, student: str) -> None:
    assert graded.points("words", student) == NOTHING
    reason = UNREADABLE[student][1]
    assert reason in graded.comments("words", student).replace("\\", "")
    assert reason in graded.record("words", student).cells[0].source.replace("\\", "")


def test_reasons_and_flags_are_there_and_hidden_tests_are_not(graded: NbgraderCourse) -> None:
    assert "ended Python" in graded.comments("words", "exits")
    assert "shelf-counts: take removes one book" in graded.comments("words", "bo")
    assert "shelf-unknown: the last copy was taken before" in graded.comments("words", "bo")
    assert graded.comments("words", "blank").count("No response.") == 3
    flags = graded.record("words", "edits_the_tests").metadata["autograder"]["flags"]
    assert any(flag.startswith("Locked cell word-counts-proverb was changed") for flag in flags)
    feedback = graded.api().generate_feedback("words")
    assert feedback["success"], feedback
    pages = {path.parts[-3]: path.read_text() for path in (graded.root / "feedback").glob("*/words/words.html")}
    assert set(pages) == {*HONEST, *UNREADABLE}
    assert "Score: 8.0 / 10.0" in pages["ada"]
    assert "take removes one book" in pages["bo"]
    assert "The file is empty" in pages["empty"]
    for path in [*(graded.root / "feedback").rglob("*.html"), *(graded.root / "autograded").rglob("*.ipynb")]:
        for secret in HIDDEN:
            assert secret not in path.read_text(), path


def test_the_rows_that_nbgrader_made_are_as_it_made_them(graded: NbgraderCourse, tmp_path: Path) -> None:
    untouched = NbgraderCourse(tmp_path / "course", "words", "words", "sorting")

    def rows(course: NbgraderCourse) -> list[object]:
        with course.gradebook() as book:
            cells = [{**cell.to_dict(), "id": None} for cell in book.db.query(SourceCell).order_by(SourceCell.name)]
            assignments = [(each.name, each.duedate, each.max_score, each.course_id) for each in book.assignments]
            kernels = [notebook.kernelspec for each in book.assignments for notebook in each.notebooks]
            return [cells, assignments, kernels, len(book.db.query(SourceCell).all())]

    assert rows(graded) == rows(untouched)


def test_autograder_grade_gives_the_same_verdicts(graded: NbgraderCourse, tmp_path: Path) -> None:
    (graded.root / "course.toml").write_text('[course]\nid = "words"\n')
    try:
        assignment = Assignment.load(graded.root, "words")
    finally:
        (graded.root / "course.toml").unlink()
    collected, _ = collect(graded.root / "submitted", "words")
    with WARM.executor("judge", choose(None)) as executor:
        summary = grade_class(assignment, collected, executor, tmp_path / "out", jobs=2)
    assert not summary.lost
    assert {result.student for result in summary.results.results} == {*HONEST, *UNREADABLE}
    for result in summary.results.results:
        points = {cell.id: None if cell.status == "needs-manual" else cell.points for cell in result.cells}
        assert points == graded.points("words", result.student)
        record = graded.record("words", result.student)
        said = record.metadata["autograder"]
        assert (said["status"], said["flags"]) == (result.status, list(result.flags))
        assert said["said"][0] == result.message
        path = tmp_path / "out" / "autograded" / result.student / "words" / "words.ipynb"
        assert [cell.source for cell in record.cells[1:]] == [
            "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]
        ]


def test_a_resubmission_resets_every_cell_and_keeps_marks_given_by_hand(graded: NbgraderCourse) -> None:
    with graded.gradebook() as book:
        grade = book.find_grade("why", "words", "words", "bo")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1, 0.5, False
        book.find_comment("why", "words", "words", "bo").manual_comment = "Say which rules."
        book.db.commit()
    work = graded.notebook("words", {**RIGHT, "word-counts": "def word_counts(text):\n    return {}"})
    del work.cells[next(n for n, cell in enumerate(work.cells) if "word_counts(PROVERB)" in cell.source)]
    graded.hand_in("bo", "words", work)
    assert graded.api().autograde("words", "bo")["success"]
    points = {**FULL, "word-counts-proverb": 0, "word-counts-empty": 1}
    assert graded.points("words", "bo") == points
    with graded.gradebook() as book:
        grade = book.find_grade("why", "words", "words", "bo")
        assert (grade.score, grade.needs_manual_grade) == (1.5, True)
        assert book.find_comment("why", "words", "words", "bo").comment == "Say which rules."
        assert book.find_submission("words", "bo").score == 7.5


def test_without_the_third_line_an_unreadable_file_stops_at_nbgrader_and_nobody_else_does(
    graded: NbgraderCourse,
) -> None:
    graded.configure(TWO_LINES)
    try:
        assert not graded.api().autograde("words", "broken")["success"]
        assert graded.api().autograde("words", "schemas")["success"]
    finally:
        graded.configure(TWO_LINES + THIRD_LINE)
    assert graded.points("words", "schemas") == FULL


def test_in_the_kernel_tests_can_look_at_what_they_passed_and_every_page_says_so(graded: NbgraderCourse) -> None:
    graded.hand_in("ada", "sorting", RIGHT)
    graded.hand_in("bo", "sorting", {"sort": "def sort(values):\n    return sorted(values)"})
    graded.hand_in("forges", "sorting", {"sort": "get_ipython().input_transformers_post.append(lambda _: ['pass\\n'])"})
    api = graded.api(engine="in-kernel")
    for student in ("ada", "bo", "forges"):
        result = api.autograde("sorting", student)
        assert result["success"], result
    assert api.autograde("words", "ada")["success"]
    assert graded.points("words", "ada") == FULL
    assert [graded.points("sorting", each)["sort-test"] for each in ("ada", "bo")] == [2, 0]
    # This is what the judge is for.
    assert graded.points("sorting", "forges") == {"sort-test": 2}
    for student in ("ada", "bo", "forges"):
        record = graded.record("sorting", student)
        assert record.metadata["autograder"]["engine"] == "in-kernel"
        assert "can forge its verdict in this mode" in record.cells[0].source
    assert api.generate_feedback("sorting")["success"]
    page = (graded.root / "feedback" / "ada" / "sorting" / "sorting.html").read_text()
    assert "can forge its verdict in this mode" in page
    # The judge sends copies, so it cannot see such a change: no points are better than wrong ones.
    assert graded.api().autograde("sorting", "ada")["success"]
    assert graded.points("sorting", "ada") == {"sort-test": 0}


def test_magics_where_the_judge_reads_names_are_refused_with_what_to_do(
    graded: NbgraderCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = graded.root / "source" / "words" / "words.ipynb"
    text = source.read_text()
    source.write_text(text.replace('"class Unknown', '"%precision 2\\n", "class Unknown', 1))
    monkeypatch.setattr(plugins, "WARM", plugins._Warm())
    try:
        refused = graded.api().autograde("words", "schemas")
        monkeypatch.setattr(plugins, "make_executor", lambda engine, level: Unwalled(level))
        assert "words, cell given, line 1 is no plain Python" in refused["log"]
        plugins.WARM.close()
        assert graded.api(engine="in-kernel", sandbox="none").autograde("words", "schemas")["success"]
    finally:
        plugins.WARM.close()
        source.write_text(text)


def test_without_a_sandbox_grading_is_refused_unless_it_is_asked_for(
    graded: NbgraderCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = graded.points("words", "ada")
    refused = graded.api(sandbox="moat").autograde("words", "ada")
    assert not refused["success"]
    assert "There is no sandbox 'moat'" in refused["log"]
    assert graded.points("words", "ada") == before
    monkeypatch.setattr(plugins, "make_executor", lambda engine, level: Unwalled(level))
    monkeypatch.setattr(plugins, "WARM", plugins._Warm())
    assert graded.api(sandbox="none").autograde("words", "ada")["success"]
    assert "No sandbox was used" in graded.record("words", "ada").cells[0].source


class Unwalled:
    """Runs nothing."""

    engine = "judge"

    def __init__(self, sandbox: str) -> None:
        self.sandbox = sandbox

    def run(self, *_: object) -> Run:
        return Run({}, status="crashed", message="It ended.")

    def close(self) -> None: ...


def test_warm_processes_end_when_nobody_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    class Cold:
        def close(self) -> None:
            ended.set()

    monkeypatch.setattr(plugins, "make_executor", lambda *_: Cold())
    monkeypatch.setattr(plugins, "IDLE_SECONDS", 0.01)
    warm = plugins._Warm()
    with warm.executor("judge", "none") as first:
        assert not ended.wait(0.1)
    assert ended.wait(30)
    ended.clear()
    with pytest.raises(EngineError), warm.executor("judge", "none") as second:
        assert second is not first
        raise EngineError("It broke.")
    assert ended.is_set()


def test_a_course_of_ours_brings_its_limits_dates_and_seed(
    tmp_path: Path, right: dict[str, str], tiny: Assignment
) -> None:
    course = NbgraderCourse(tmp_path / "course", "tiny")
    settings = (course.root / "course.toml").read_text()
    due = "due = 2026-03-01T12:00:00Z\nlate = { penalty_per_day = 0.25 }"
    settings = settings.replace("[course]", '[course]\nsecret_seed = ".secrets/seed"', 1)
    settings = settings.replace("[assignments.tiny]", f"[assignments.tiny]\n{due}", 1)
    (course.root / "course.toml").write_text(settings)
    source = course.root / "source" / "tiny" / "tiny.ipynb"
    source.parent.mkdir(parents=True)
    jupytext.write(jupytext.read(course.root / "solutions" / "tiny" / "assignment.md"), source)
    assert course.api().generate_assignment("tiny")["success"]
    course.hand_in("late", "tiny", with_answers(tiny, right), stamp="2026-03-02 12:00:00 UTC")
    large = changed(with_answers(tiny, right), lambda notebook: notebook.metadata.update(filling="x" * 2**20))
    course.hand_in("large", "tiny", large, stamp="2026-03-01 11:00:00 UTC")
    for student in ("late", "large"):
        result = course.api().autograde("tiny", student)
        assert result["success"], result
    assert course.points("tiny", "late") == {"double-numbers": 2, "double-arrays": 3, "mean-test": 4, "essay": 0}
    assert set(course.points("tiny", "large").values()) == {0}
    assert "larger than 1 MB" in course.comments("tiny", "large")
    with course.gradebook() as book:
        assert book.find_assignment("tiny").duedate.isoformat() == "2026-03-01T12:00:00"
        assert book.find_submission("tiny", "late").late_submission_penalty == pytest.approx(9 * 0.25)
        assert book.find_submission("tiny", "large").late_submission_penalty == 0
    assert (course.root / ".secrets" / "seed").is_file()
    said = " ".join(course.record("tiny", "late").metadata["autograder"]["said"])
    assert "75% of the score is kept" in said
    assert "practice seed" not in said


def test_nbgraders_own_late_policy_may_follow_ours(graded: NbgraderCourse) -> None:
    with graded.gradebook() as book:
        book.update_or_create_assignment("sorting", duedate="2026-03-01 12:00:00 UTC")
    graded.hand_in("zoe", "sorting", RIGHT, stamp="2026-03-02 12:00:00 UTC")
    steps = '["autograder.plugins.Verdicts", "nbgrader.preprocessors.AssignLatePenalties"]'
    graded.configure(
        f"{TWO_LINES}c.Autograde.autograde_preprocessors = {steps}\n"
        'c.LateSubmissionPlugin.penalty_method = "zero"\nc.Verdicts.engine = "in-kernel"\n'
    )
    try:
        result = graded.api().autograde("sorting", "zoe")
        assert result["success"], result
    finally:
        graded.configure(TWO_LINES + THIRD_LINE)
    with graded.gradebook() as book:
        submission = book.find_submission("sorting", "zoe")
        assert (submission.score, submission.late_submission_penalty) == (2, 2)
        assert book.find_assignment("sorting").duedate.isoformat() == "2026-03-01T12:00:00"
