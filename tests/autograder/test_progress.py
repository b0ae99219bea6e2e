import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.grade import CellResult, Result
from autograder.progress import Bar, Lines


def result(student: str, status: str, *flags: str) -> Result:
    return Result(student, 1, 2, status, "Why.", flags, 0.5, (CellResult("a", 1, 2, status),))


def test_a_bar_counts_what_passed_what_failed_and_what_is_odd(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(6, "tiny") as bar:
        bar.kept(result("ada", "passed"))
        bar.graded(result("ben", "partial"))
        bar.graded(result("cyd", "passed", "Cells were moved."))
        bar.graded(result("dan", "timeout"))
        bar.lost("eve", "The machine is full.")
    shown = capsys.readouterr().err.split("\r")[-1]
    assert "1 passed, 1 failed, 2 odd, 1 lost" in shown
    assert "5/6" in shown


def test_lines_are_json_and_say_what_happened_to_each() -> None:
    file = io.StringIO()
    with Lines(2, file) as lines:
        lines.kept(result("ada", "passed"))
        lines.lost("eve", "The machine is full.")
    start, kept, lost = map(json.loads, file.getvalue().splitlines())
    assert start == {"event": "start", "submissions": 2}
    assert (kept["event"], kept["student"], kept["score"], kept["status"]) == ("kept", "ada", 1, "passed")
    assert lost == {"event": "lost", "student": "eve", "reason": "The machine is full."}


def test_the_command_is_quiet_or_speaks_json(
    course: Path, hand_in: Callable[..., Path], right: dict[str, str], tmp_path: Path
) -> None:
    def grade(*options: str) -> list[str]:
        arguments = ["--course", course, "grade", "tiny", "--submissions", hand_in("ada", right), "--out", tmp_path]
        done = CliRunner().invoke(main, [*map(str, arguments), *options])
        assert done.exit_code == (2 if len(options) > 1 else 0), done.output
        return done.output.splitlines()

    events = [json.loads(line) for line in grade("--json-lines")]
    assert [event["event"] for event in events] == ["start", "graded"]
    assert grade("--quiet") == []
    assert [json.loads(line)["event"] for line in grade("--json-lines")] == ["start", "kept"]
    assert "one of them" in grade("--quiet", "--json-lines")[-1]
