"""The in-kernel mode in the sandbox: a course of another shape, whose tests change lists in place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder import probe
from autograder.assignment import Assignment
from autograder.grade import Handed, Result, grade
from autograder.judged import InKernelExecutor, executor
from autograder.submission import with_answers
from autograder.verify import Catalogue, Check, checks, graded

LISTS = Assignment.load(Path(__file__).parent / "fixtures" / "lists", "lists")
RIGHT = LISTS.reference
CHECKS = checks(LISTS, Catalogue.load(LISTS))


@pytest.fixture(scope="module")
def kernel() -> Iterator[InKernelExecutor]:
    with executor("in-kernel", probe.choose(None)) as found:
        assert isinstance(found, InKernelExecutor)
        yield found


def run(kernel: InKernelExecutor, answers: dict[str, str], *cells: str, **limits: int) -> tuple[Result, NotebookNode]:
    notebook = with_answers(LISTS, {**RIGHT, **answers})
    notebook.cells[3:3] = [new_code_cell(source, id=f"own-{number}") for number, source in enumerate(cells)]
    settings = replace(LISTS.settings, limits=replace(LISTS.settings.limits, **limits))
    handed = Handed("ada", json.dumps(notebook).encode())
    return grade(replace(LISTS, settings=settings), handed, kernel, bytes(32))


def points(result: Result) -> list[float]:
    return [cell.points for cell in result.cells]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_known_answer_gets_its_points_and_hint(kernel: InKernelExecutor, check: Check) -> None:
    result = graded(LISTS, check)(kernel, 0)
    found = {cell.id: cell.points for cell in result.cells}
    assert {part: found[part] for part in check.points} == check.points
    assert check.hint in " ".join(cell.message for cell in result.cells)


def test_honest_noise_costs_nothing_and_is_recorded(kernel: InKernelExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET_TOKEN", "x")
    noise = (
        "import warnings, sys, os\nwarnings.warn('careful')\nprint('50%', file=sys.stderr)",
        "print('\\ud800 東京', flush=True)",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "print(sorted(name for name in os.environ if 'SECRET' in name or 'TOKEN' in name))",
        "1 / 0",
        "7",
    )
    result, notebook = run(kernel, {}, *noise)
    assert (points(result), result.status, result.flags) == ([4, 4, 0], "partial", ())
    own = [cell for cell in notebook.cells if cell.id.startswith("extra")]
    assert "careful" in own[0].outputs[0].text
    assert own[1].outputs[0].text == "? 東京\n"
    assert "image/png" in own[2].outputs[-1].data
    assert own[3].outputs[0].text == "[]\n"
    assert own[4].outputs[-1].ename == "ZeroDivisionError"
    assert own[5].outputs[0].data["text/plain"] == "7"


def test_of_a_hidden_half_the_student_reads_the_hint_alone(kernel: InKernelExecutor) -> None:
    leaky = "def drop_repeats(items):\n    if len(items) > 3: raise ValueError(f'leak {items}')\n    items.pop()"
    result, notebook = run(kernel, {"drop-repeats": leaky})
    assert result.cells[0].message == "Your code raised ValueError on an input of the hidden tests."
    assert "leak [" not in json.dumps(notebook)
    assert "expected" not in json.dumps(notebook)  # a word of the hidden half


def test_what_is_not_written_is_not_attempted(kernel: InKernelExecutor) -> None:
    result, _ = run(kernel, {"drop-repeats": "def drop_repeats(items):\n    raise NotImplementedError"})
    assert [cell.status for cell in result.cells] == ["not-attempted", "passed", "not-attempted"]


def test_draws_differ_between_submissions_and_repeat_in_a_regrade(kernel: InKernelExecutor) -> None:
    tell = "from convbook import check\nprint(check.draws('drop-repeats-test').integers(0, 1 << 30))"
    first, again, other = (
        next(cell.outputs[0].text for cell in notebook.cells if cell.source == tell)
        for _, notebook in (run(kernel, {}, tell), run(kernel, {}, tell), run(kernel, {}, tell, "1"))
    )
    assert first == again != other


def test_an_endless_loop_costs_its_own_part_alone(kernel: InKernelExecutor) -> None:
    result, _ = run(kernel, {"drop-repeats": "def drop_repeats(items):\n    while True: pass"}, cell_seconds=1)
    assert [cell.status for cell in result.cells[:2]] == ["timeout", "passed"]
    assert result.cells[0].message == "This part took longer than 1 s."
    assert result.status == "partial"


STUBBORN = """
def drop_repeats(items):
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        pass
"""


def test_a_loop_that_cannot_be_stopped_ends_the_run(kernel: InKernelExecutor) -> None:
    result, _ = run(kernel, {"drop-repeats": STUBBORN}, cell_seconds=1)
    assert result.status == "timeout"
    assert points(result) == [0, 0, 0]
    assert result.cells[1].message.startswith("This part was not reached.")


def test_the_whole_submission_has_a_limit_of_its_own(kernel: InKernelExecutor) -> None:
    result, _ = run(kernel, {}, *["import time; time.sleep(0.9)"] * 4, submission_seconds=2)
    assert (result.status, result.score) == ("timeout", 0)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("import os; os._exit(3)", "crashed", "ended Python"),
        ("held = bytearray(1 << 31)", "memory", "256 MB"),
        ("held = [bytearray(1 << 25) for _ in range(1 << 7)]", "memory", "256 MB"),
    ],
)
def test_the_walls_are_those_of_the_judge(kernel: InKernelExecutor, body: str, status: str, message: str) -> None:
    result, _ = run(kernel, {"stack": f"class Stack(list):\n    def push(self, item):\n        {body}"})
    assert result.cells[0].points == 4
    assert (result.cells[1].status, result.cells[1].points) == (status, 0)
    assert message in result.cells[1].message


def test_nothing_outside_is_reached(kernel: InKernelExecutor) -> None:
    look = f"import os, socket\nprint(os.path.exists({str(LISTS.root)!r}))\nsocket.create_connection(('127.0.0.1', 22))"
    _, notebook = run(kernel, {}, look)
    own = next(cell for cell in notebook.cells if cell.source == look)
    assert own.outputs[0].text == "False\n"
    assert own.outputs[-1].output_type == "error"


def test_outputs_are_cut_while_they_stream(kernel: InKernelExecutor) -> None:
    result, notebook = run(kernel, {}, "for _ in range(3000):\n    print('x' * 1000, flush=True)", output_kb=50)
    assert points(result) == [4, 4, 0]
    assert "limit of 50 KB" in json.dumps(notebook)
    assert len(json.dumps(notebook)) < 200_000
