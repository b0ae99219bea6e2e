import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbgrader.validator import Validator

from autograder import probe
from autograder.assignment import Assignment
from autograder.cli import main
from autograder.doctor import Check, Report
from autograder.submission import with_answers


@pytest.fixture
def run(course: Path) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, ["--course", str(course), *map(str, arguments)])


def test_release_writes_and_then_leaves_alone(run: Callable[..., Result], course: Path) -> None:
    first = run("release")
    path = course / "notebooks" / "assignments" / "tiny" / "tiny.ipynb"
    assert (first.exit_code, first.output) == (0, f"{path} written\n")
    assert run("release", "tiny").output == f"{path} is up to date\n"


def test_a_class_of_bad_files_is_graded_to_the_end(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for student, content in {"ada": b"{nope", "bo": b'{"nbformat": 4, "cells": []}', "cy": b""}.items():
        (folder / student / "tiny").mkdir(parents=True)
        (folder / student / "tiny" / "tiny.ipynb").write_bytes(content)
    (folder / "di" / "other").mkdir(parents=True)
    (folder / "di" / "other" / "other.ipynb").write_bytes(b"{}")
    done = run("grade", "tiny", "--submissions", folder, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "3 results (0 kept from before): 3 unreadable" in done.output
    assert "1 folders hold nothing of tiny: di" in done.output
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [each["status"] for each in results["results"]] == ["unreadable"] * 3
    reasons = [each["message"].split(":")[0] for each in results["results"]]
    assert reasons == ["The file is damaged", "This is a notebook of something else", reasons[2]]
    before = (tmp_path / "out" / "report.html").read_bytes()
    (tmp_path / "out" / "report.html").unlink()
    assert run("report", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "tiny", "--submissions", "nowhere", "--out", "out"], "There is no nowhere"),
        (["grade", "tinny", "--submissions", ".", "--out", "out"], "Did you mean tiny?"),
        (["grade", "tiny", "--submissions", "empty", "--out", "out"], "I look for STUDENT/tiny/tiny.ipynb"),
        (["grade", "tiny", "--out", "out"], "--submissions"),
        (["grade", "tiny", "--submissions", ".", "--out", "out", "--jobs", "0"], "--jobs"),
        (["report", "empty"], "There is no empty/results.json"),
        (["verify", "other"], "There are: tiny"),
        (["new", "../evil"], "cannot be a name"),
        (["new", "tiny"], "is there already"),
        (["--course", "empty", "release"], "no empty/course.toml"),
    ],
)
def test_unusable_arguments_end_with_2_and_a_sentence(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(course)
    (course / "empty").mkdir()
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output
    assert not (course / "out").exists()


def test_verify_says_what_holds_and_ends_with_1_when_something_does_not(
    run: Callable[..., Result], course: Path
) -> None:
    good = run("verify", "--seeds", "1")
    assert (good.exit_code, good.output.splitlines()) == (
        0,
        [
            "tiny: 8 of 8 checks hold (direct and judge, 1 seeds)",
            "tiny: the tests notice 100% of 6 changes to the solutions",
        ],
    )
    path = course / "solutions" / "tiny" / "mistakes.py"
    path.write_text(path.read_text().replace("do not square it", "do not cube it"))
    bad = run("verify", "tiny", "--seeds", "1", "--no-mutants", "--no-judged")
    assert bad.exit_code == 1
    assert "7 of 8 checks hold" in bad.output
    assert "double, mistake: squares: the student does not read 'do not cube it'" in bad.output


def test_a_new_assignment_verifies_and_can_be_released(run: Callable[..., Result], course: Path) -> None:
    made = run("new", "02-smooth")
    assert made.exit_code == 0
    assert (
        "02-smooth: 7 of 7 checks hold"
        in run("verify", "02-smooth", "--seeds", "3", "--no-mutants", "--no-judged").output
    )
    assert run("release", "02-smooth").exit_code == 0
    assert "# Smooth" in (course / "solutions" / "02-smooth" / "assignment.md").read_text()


def test_nbgraders_validate_works_on_the_released_notebook(
    run: Callable[..., Result], course: Path, right: dict[str, str], tmp_path: Path
) -> None:
    run("release", "tiny", "--out", tmp_path)
    path = tmp_path / "tiny" / "tiny.ipynb"
    validator = Validator(log_level=50) if "log_level" in Validator.class_trait_names() else Validator()
    failed = validator.validate(str(path))["failed"]
    assert len(failed) == 4
    notebook = with_answers(Assignment.load(course, "tiny"), {**right, "essay": "With outliers."})
    path.write_text(nbformat.writes(notebook))
    assert validator.validate(str(path)) == {}


def test_a_sample_class_is_graded_end_to_end(run: Callable[..., Result], tmp_path: Path) -> None:
    made = run("sample", "tiny", "--out", tmp_path / "in")
    assert made.exit_code == 0
    for student in ("edsger", "joan"):  # the endless loop and the chatty one; all others run in test_sample.py
        shutil.move(tmp_path / "in" / student, tmp_path / "class" / student)
    done = run("grade", "tiny", "--submissions", tmp_path / "class", "--out", tmp_path / "out", "--jobs", "2")
    assert done.exit_code == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results["engine"], results["sandbox"], results["seed"]) == ("judge", probe.choose(None), "practice")
    assert [each["score"] for each in results["results"]] == [5, 9]
    assert [cell["status"] for cell in results["results"][0]["cells"]][2] == "timeout"


def test_an_in_kernel_assignment_runs_in_the_sandbox_and_says_what_it_is(
    run: Callable[..., Result], course: Path, hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path
) -> None:
    path = course / "course.toml"
    path.write_text(path.read_text() + 'engine = "in-kernel"\n')
    arguments = ["grade", "tiny", "--submissions", hand_in("ada", right), "--out", tmp_path / "out"]
    done = run(*arguments)
    assert done.exit_code == 0
    assert "Engine: in-kernel." in done.output
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results["engine"], results["sandbox"]) == ("in-kernel", probe.choose(None))
    assert [each["score"] for each in results["results"]] == [9]
    assert "can forge its verdict" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(("level", "code"), [("namespaces", 0), (None, 1)])
def test_doctor_ends_with_1_where_grading_would_not_be_safe(
    monkeypatch: pytest.MonkeyPatch, level: str | None, code: int
) -> None:
    checks = (Check("sandbox", level is not None, "what was found", "what to do"),)
    monkeypatch.setattr("autograder.doctor.report", lambda: Report(level, checks))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == code
    assert "sandbox: what was found\n    what to do" in done.output


def test_a_test_that_breaks_a_rule_is_not_released(run: Callable[..., Result], course: Path) -> None:
    path = course / "solutions" / "tiny" / "assignment.md"
    path.write_text(
        path.read_text().replace("check.check_equal(double(3), 6, ", "assert np.allclose(double(3), 6), dict(")
    )
    done = run("release")
    assert done.exit_code == 2
    assert "assignment.md, cell double-numbers, line 1: error: " in done.output
    assert "Use check.check_close" in done.output
    assert not (course / "notebooks").exists()
