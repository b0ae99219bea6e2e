import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum, determine_grade, is_grade
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import AssignmentError
from autograder.release import release, student_notebook

HEAD = "---\nkernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n---\n\n"


def cell(source: str, **grading: object) -> str:
    extra = grading.pop("kind", None)
    defaults = {"grade": False, "grade_id": "x", "locked": False, "schema_version": 3, "solution": False, "task": False}
    lines = [f"nbgrader: {json.dumps({**defaults, **grading})}"]
    if extra:
        lines.append(f"convbook: {json.dumps({'kind': extra})}")
    return "```{code-cell} python\n---\n" + "\n".join(lines) + "\n---\n" + source + "\n```\n\n"


def load(course: Path, text: str) -> Assignment:
    (course / "solutions" / "tiny" / "assignment.md").write_text(HEAD + text)
    return Assignment.load(course, "tiny")


TEST = cell(
    "from convbook import check\n\ncheck.check_equal(f(), 1)", grade=True, locked=True, points=1, grade_id="f-test"
)


def test_kinds_come_from_the_metadata(tiny: Assignment) -> None:
    assert [(each.id, each.kind) for each in tiny.cells if each.kind not in ("text", "scratch")] == [
        ("setup", "helper"),
        ("double", "answer"),
        ("double-numbers", "test"),
        ("double-arrays", "test"),
        ("mean", "answer"),
        ("mean-test", "test"),
        ("essay", "manual"),
    ]
    assert tiny.max_score == 10


def test_parts_belong_to_the_answer_above_them(tiny: Assignment) -> None:
    assert [(question.id, [part.id for part in question.parts]) for question in tiny.questions] == [
        ("double", ["double-numbers", "double-arrays"]),
        ("mean", ["mean-test"]),
        ("essay", ["essay"]),
    ]


def test_the_two_halves_of_a_test_make_the_whole(tiny: Assignment) -> None:
    for each in tiny.cells:
        if each.kind == "test":
            assert each.visible_half + each.hidden_source == each.source
            assert "draws" not in each.visible_source
            assert "draws" in each.hidden_source


def test_the_released_notebook_holds_no_solution_and_no_hidden_test(tiny: Assignment) -> None:
    text = student_notebook(tiny)
    for secret in ("2 * x", "sum(values)", "outliers", "not for 3 alone", "BEGIN", "draws"):
        assert secret not in text
    assert "do not square it" in text
    assert text.count("raise NotImplementedError()") == 2


def test_the_released_notebook_is_valid_for_jupyter_and_nbgrader(tiny: Assignment) -> None:
    notebook = nbformat.reads(student_notebook(tiny), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert [each.id for each in notebook.cells] == [f"tiny-{n:02d}" for n in range(len(notebook.cells))]
    assert notebook.metadata.kernelspec.name == "python3"
    for each in notebook.cells:
        if "nbgrader" in each.metadata:
            assert each.metadata.nbgrader.checksum == compute_checksum(each)
            assert each.metadata.deletable is False
        if each.cell_type == "code":
            assert each.outputs == []
            assert each.execution_count is None


def test_an_untouched_essay_is_known_by_nbgrader_as_unanswered(tiny: Assignment) -> None:
    notebook = nbformat.reads(student_notebook(tiny), as_version=4)
    essay = next(each for each in notebook.cells if is_grade(each) and each.cell_type == "markdown")
    assert determine_grade(essay) == (0, 1)


def test_the_first_code_cell_installs_in_colab_and_does_nothing_here(tiny: Assignment) -> None:
    first = next(each for each in tiny.cells if each.cell_type == "code")
    assert "--no-deps" in first.source
    assert "git+https://example.org/tiny@main" in first.source
    assert "torch" not in first.source
    done = subprocess.run([sys.executable, "-c", first.source], capture_output=True, check=True)
    assert done.stdout == done.stderr == b""


def test_release_is_byte_identical_and_says_when_nothing_changed(course: Path, tmp_path: Path) -> None:
    path, changed = release(Assignment.load(course, "tiny"), tmp_path / "out")
    assert path == tmp_path / "out" / "tiny" / "tiny.ipynb"
    assert changed
    before = path.read_bytes()
    assert release(Assignment.load(course, "tiny"), tmp_path / "out") == (path, False)
    assert path.read_bytes() == before


def test_the_digest_follows_tests_and_limits(course: Path) -> None:
    before = Assignment.load(course, "tiny").digest
    source = course / "solutions" / "tiny" / "assignment.md"
    source.write_text(source.read_text().replace("size=7", "size=8"))
    changed = Assignment.load(course, "tiny").digest
    assert changed != before
    toml = course / "course.toml"
    toml.write_text(toml.read_text().replace("cell_seconds = 4", "cell_seconds = 5"))
    assert Assignment.load(course, "tiny").digest != changed


def test_an_unknown_assignment_gets_a_suggestion(course: Path) -> None:
    with pytest.raises(AssignmentError, match="Did you mean tiny"):
        Assignment.load(course, "tinny")
    with pytest.raises(AssignmentError, match="There are: tiny"):
        Assignment.load(course, "09-transfer")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cell("import os", locked=True) + TEST, "say what it is"),
        (cell("f = 1", solution=True) + cell("f", grade_id="x", solution=True) + TEST, r"[Dd]uplicate|two cells"),
        (cell("f = 1", solution=True), "no graded cell"),
        (cell("assert f", grade=True, locked=True, points=0), "points above 0"),
        (cell("assert f", grade=True, locked=True), "nbgrader refuses"),
        (cell("### BEGIN SOLUTION\nf = 1", solution=True) + TEST, "nbgrader refuses"),
        (
            cell(
                "for n in [1]:\n    assert f\n    ### BEGIN HIDDEN TESTS\n    assert g\n    ### END HIDDEN TESTS\n",
                grade=True,
                locked=True,
                points=1,
            ),
            "whole statements",
        ),
        (cell("### BEGIN HIDDEN TESTS\nassert f", grade=True, locked=True, points=1), "nbgrader refuses"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused(course: Path, text: str, message: str) -> None:
    with pytest.raises(AssignmentError, match=message):
        load(course, text)


def test_a_solution_cell_without_marks_is_cleared_whole(course: Path) -> None:
    assignment = load(course, cell("f = lambda: 1", solution=True, grade_id="f") + TEST)
    assert "lambda" not in student_notebook(assignment)


def notebook(path: Path, *cells: tuple[str, dict[str, object]], **metadata: object) -> Path:
    """A notebook of nbgrader's: cells as source and grading metadata, {} for a plain one."""
    common = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    nodes = []
    for number, (source, grading) in enumerate(cells):
        says = {"nbgrader": {**common, "grade_id": f"cell-{number}", **grading}} if grading else {}
        make = nbformat.v4.new_markdown_cell if grading.get("task") else nbformat.v4.new_code_cell
        nodes.append(make(source, metadata=says))
    path.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=nodes, metadata=metadata), path)
    return path


GRADED: dict[str, object] = {"grade": True, "locked": True, "points": 1, "grade_id": "f-test"}


def test_a_notebook_of_nbgrader_is_read_as_its_authors_mean_it(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "source" / "week 1" / "first.ipynb",
        ("import math\nlimit = 3", {}),
        ("%matplotlib inline", {}),
        ("def helper(): ...", {"locked": True, "grade_id": "given"}),
        ("### BEGIN SOLUTION\nf = 1\n### END SOLUTION", {"solution": True, "grade_id": "f"}),
        ("assert f == 1\n### BEGIN HIDDEN TESTS\nassert f < math.pi\n### END HIDDEN TESTS", GRADED),
    )
    config = Config()
    config.ClearSolutions.code_stub = {"python": "f = ..."}
    read = Assignment.from_notebook(path, Course(tmp_path, id="any"), "week 1", config)
    assert [cell.kind for cell in read.cells] == ["answer", "scratch", "helper", "answer", "test"]
    assert (read.name, read.file, read.max_score) == ("week 1", "first", 1)
    assert [(question.answers[-1].id, len(question.parts)) for question in read.questions] == [("f", 1)]
    assert read.cells[3].visible_source == "f = ..."
    assert read.cells[4].visible_source == "assert f == 1"


@pytest.mark.parametrize(
    ("source", "grading", "metadata", "reason"),
    [
        ("f = 1", {}, {}, "has no graded cell"),
        ("assert f", {**GRADED, "points": 0}, {}, "give it points above 0"),
        ("%time f", GRADED, {}, "line 1 is no Python"),
        ("", {"task": True, "locked": True, "points": 2}, {}, "task cells are not supported"),
        ("f <- 1", GRADED, {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}, "runs Python alone"),
        ("assert f", {**GRADED, "schema_version": 99}, {}, "nbgrader refuses it"),
    ],
)
def test_a_notebook_that_the_engine_cannot_grade_is_refused_with_what_to_do(
    tmp_path: Path, source: str, grading: dict[str, object], metadata: dict[str, object], reason: str
) -> None:
    path = notebook(tmp_path / "source" / "a" / "a.ipynb", (source, grading), **metadata)
    with pytest.raises(AssignmentError, match=reason):
        Assignment.from_notebook(path, Course(tmp_path, id="any"), "a")


def test_other_marks_of_hidden_tests_are_refused_before_they_could_show_any(tmp_path: Path) -> None:
    path = notebook(tmp_path / "source" / "a" / "a.ipynb", ("assert f", GRADED))
    config = Config()
    config.ClearHiddenTests.begin_test_delimeter = "SECRET"
    with pytest.raises(AssignmentError, match=r"Remove c\.ClearHiddenTests\.begin_test_delimeter"):
        Assignment.from_notebook(path, Course(tmp_path, id="any"), "a", config)


def test_a_course_may_keep_an_assignment_as_nbgraders_notebook(course: Path) -> None:
    notebook(course / "source" / "extra" / "extra.ipynb", ("assert f", GRADED))
    assert Assignment.load(course, "extra").max_score == 1
    with pytest.raises(AssignmentError, match="There is no assignment extr"):
        Assignment.load(course, "extr")


def test_reading_assignments_builds_no_parsers_that_nobody_needs() -> None:
    """jsonschema's, of international addresses: a second of every start."""
    code = "import autograder.assignment, jsonschema, sys; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
