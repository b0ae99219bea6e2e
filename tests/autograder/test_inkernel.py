import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.assignment import Assignment
from autograder.grade import Handed, Result, grade
from autograder.inkernel import KernelExecutor
from autograder.submission import with_answers


def run(assignment: Assignment, answers: dict[str, str], *cells: str, **limits: int) -> tuple[Result, NotebookNode]:
    notebook = with_answers(assignment, answers)
    notebook.cells[3:3] = [new_code_cell(source) for source in cells]
    settings = replace(assignment.settings, limits=replace(assignment.settings.limits, **limits))
    handed = Handed("ada", json.dumps(notebook).encode())
    return grade(replace(assignment, settings=settings), handed, KernelExecutor(), None)


def points(result: Result) -> list[float]:
    return [cell.points for cell in result.cells]


def test_honest_noise_costs_nothing_and_is_recorded(tiny: Assignment, right: dict[str, str]) -> None:
    noise = (
        "import warnings, sys, os\nwarnings.warn('careful')\nprint('50%', file=sys.stderr)",
        "print('\\ud800 東京', flush=True)",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "print(sorted(name for name in os.environ if 'SECRET' in name or 'TOKEN' in name), os.getcwd())",
        "1 / 0",
        "7",
    )
    os.environ["MY_SECRET_TOKEN"] = "x"
    try:
        result, notebook = run(tiny, right, *noise)
    finally:
        del os.environ["MY_SECRET_TOKEN"]
    assert (points(result), result.status, result.flags) == ([2, 3, 4, 0], "partial", ())
    own = [cell for cell in notebook.cells if cell.id.startswith("extra")]
    assert "careful" in own[0].outputs[0].text
    assert own[1].outputs[0].text == "\ufffd 東京\n"
    assert "image/png" in own[2].outputs[-1].data
    assert own[3].outputs[0].text.startswith("[] /tmp")
    assert own[4].outputs[-1].ename == "ZeroDivisionError"
    assert own[5].outputs[0].data["text/plain"] == "7"


def test_hints_are_those_of_the_half_that_failed(tiny: Assignment, right: dict[str, str]) -> None:
    result, _ = run(
        tiny,
        {
            "double": "def double(x):\n    return x * x if x.__class__ is int else 2 * x",
            "mean": "def mean(v):\n    if len(v) == 3: return 3.0\n    raise ValueError(f'leak {v}')",
        },
    )
    assert points(result) == [0, 3, 0, 0]
    assert "do not square it" in result.cells[0].message
    assert "9" in result.cells[0].message
    assert result.cells[2].message == "Your code raised ValueError on an input of the hidden tests."


def test_an_endless_loop_costs_its_own_part_alone(tiny: Assignment, right: dict[str, str]) -> None:
    result, _ = run(tiny, {**right, "double": "def double(x):\n    while True: pass"}, cell_seconds=1)
    assert [cell.status for cell in result.cells[:3]] == ["timeout", "timeout", "passed"]
    assert result.cells[0].message == "This part took longer than 1 s."
    assert result.status == "partial"


STUBBORN = """
def double(x):
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass
"""


def test_a_loop_that_cannot_be_interrupted_ends_the_run(tiny: Assignment, right: dict[str, str]) -> None:
    started = time.monotonic()
    result, _ = run(tiny, {**right, "double": STUBBORN}, cell_seconds=1)
    assert time.monotonic() - started < 40
    assert result.status == "timeout"
    assert "could not be interrupted" in result.message
    assert points(result) == [0, 0, 0, 0]


def test_the_whole_submission_has_a_limit_of_its_own(tiny: Assignment, right: dict[str, str]) -> None:
    result, _ = run(tiny, right, *["import time; time.sleep(0.9)"] * 4, submission_seconds=2)
    assert (result.status, result.score) == ("timeout", 0)
    assert "longer than 2 s" in result.message


def test_a_dead_kernel_keeps_what_was_earned_and_leaves_nobody_behind(
    tiny: Assignment, right: dict[str, str], tmp_path: Path
) -> None:
    child = f"import subprocess\nsubprocess.Popen(['sh', '-c', 'echo $$ > {tmp_path}/pid; sleep 60'])"
    dead = "def mean(v):\n    import os, time\n    time.sleep(0.3)\n    os._exit(3)"
    result, _ = run(tiny, {**right, "mean": dead}, child)
    assert (points(result), result.status) == ([2, 3, 0, 0], "crashed")
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        for _ in range(50):
            os.kill(pid, 0)
            time.sleep(0.1)


def test_outputs_are_cut_while_they_stream(tiny: Assignment, right: dict[str, str]) -> None:
    result, notebook = run(tiny, right, "for _ in range(3000):\n    print('x' * 1000, flush=True)", output_kb=50)
    assert points(result) == [2, 3, 4, 0]
    assert result.flags == ("Outputs were cut at the limit.",)
    assert len(json.dumps(notebook)) < 200_000


def test_a_memory_error_is_named(tiny: Assignment, right: dict[str, str]) -> None:
    result, _ = run(tiny, {**right, "mean": "def mean(v):\n    raise MemoryError"})
    assert result.cells[2].status == "memory"
