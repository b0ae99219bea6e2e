"""The engine from bytes to result: two warm processes, the strongest sandbox of this machine, the tiny assignment."""

import os
import signal
from dataclasses import replace

import nbformat
import pytest

from autograder import probe
from autograder.errors import EngineError
from autograder.grade import Handed, Result, grade
from autograder.judged import JudgeExecutor
from autograder.submission import with_answers
from autograder.zygote import Child, Exit, Zygote

SECRET = bytes(32)


@pytest.fixture(scope="module")
def executor():
    with JudgeExecutor(probe.choose(None)) as executor:
        yield executor


@pytest.fixture
def graded(tiny, executor):
    def run(**answers: str) -> Result:
        reference = tiny.reference
        notebook = with_answers(tiny, reference | answers)
        result, _ = grade(tiny, Handed("ada", nbformat.writes(notebook).encode()), executor, SECRET)
        return result

    return run


def status(result: Result) -> dict[str, str]:
    return {cell.id: cell.status for cell in result.cells}


def test_the_reference_gets_every_autograded_point(graded):
    result = graded()
    assert result.score == 9
    assert set(status(result).values()) == {"passed", "not-attempted"}


def test_the_release_gets_nothing(tiny, executor):
    data = nbformat.writes(with_answers(tiny, {})).encode()
    result, _ = grade(tiny, Handed("ada", data), executor, SECRET)
    assert (result.score, result.status) == (0, "not-attempted")


def test_a_wrong_answer_costs_its_own_question_alone(graded):
    result = graded(double="def double(x):\n    return x * x")
    assert result.score == 4
    assert result.status == "partial"
    assert "do not square it" in result.cells[0].message


@pytest.mark.parametrize(
    ("source", "wanted", "message"),
    [
        ("import os\nos._exit(0)", "crashed", "ended Python"),
        ("import ctypes\nctypes.string_at(0)", "crashed", "Segmentation fault"),
    ],
)
def test_a_process_that_ends_early_gives_a_reason(graded, source, wanted, message):
    result = graded(double=source)
    assert result.status == wanted
    assert message in result.message
    assert result.score == 0


def test_an_endless_loop_costs_its_own_question_alone(graded):
    result = graded(double="while True:\n    try:\n        while True: pass\n    except BaseException: pass")
    assert result.score == 4


def test_a_regrade_gives_the_same_result(graded):
    first, second = (graded(mean="def mean(values):\n    return max(values)") for _ in range(2))
    assert [cell.message for cell in first.cells] == [cell.message for cell in second.cells]


def test_the_student_process_holds_no_test(graded):
    """An answer that searches its own memory for words of a hidden hint, and its environment for the draws key."""
    search = """
import gc
needle = " ".join(["whatever", "it", "is"])
holders = [o for o in gc.get_objects() if type(o) in (dict, list, tuple)]
parts = [part for o in holders for part in (o.values() if type(o) is dict else o)]
found = [part for part in parts if type(part) is str and needle in part and part is not needle]
found += [1 for line in open("/proc/self/environ") if "DRAWS" in line]
def double(x):
    if found:
        raise RuntimeError("found a test")
    return 2 * x
"""
    assert graded(double=search).score == 9


def test_a_judge_that_says_nothing_is_tried_again_and_then_recorded(tiny, executor, monkeypatch):
    ends = []
    wait = Child.wait

    def judge_dies(child: Child, timeout: float | None = None) -> Exit:
        ends.append(wait(child, timeout))
        return Exit(None, 9, "memory")

    monkeypatch.setattr("autograder.judged._read_all", lambda *_: b"")
    monkeypatch.setattr(Child, "wait", judge_dies)
    data = nbformat.writes(with_answers(tiny, {"double": "x = 1"})).encode()
    result, _ = grade(tiny, Handed("ada", data), executor, SECRET)
    assert len(ends) == 2
    assert result.status == "crashed"
    assert "could not be graded" in result.message
    assert "The judge gave no verdicts: memory" in result.flags[0]


def test_a_sandbox_that_fails_is_our_fault_and_no_verdict(tiny, executor, monkeypatch):
    monkeypatch.setattr(Child, "wait", lambda *_: Exit(None, None, "sandbox", "no room"))
    data = nbformat.writes(with_answers(tiny, {})).encode()
    with pytest.raises(EngineError, match="no room"):
        grade(tiny, Handed("ada", data), executor, SECRET)


def test_a_zygote_that_is_killed_is_replaced_and_the_submission_tried_again(tiny, graded, executor, monkeypatch):
    first = graded()
    students, _ = executor.prepare(tiny)
    before = students.result()
    spawn, kills = Zygote.spawn, []

    def kill_one(zygote: Zygote, target: str, *arguments: object, **options: object) -> Child:
        child = spawn(zygote, target, *arguments, **options)
        if target == "judge" and not kills:
            kills.append(before.pid)
            os.kill(before.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(Zygote, "spawn", kill_one)
    again = graded()
    assert kills
    assert [cell.points for cell in again.cells] == [cell.points for cell in first.cells]
    assert again.flags == ()
    assert executor.prepare(tiny)[0].result() is not before


def test_a_zygote_that_is_killed_each_time_is_our_fault(tiny, executor, monkeypatch):
    spawn = Zygote.spawn

    def kill(zygote: Zygote, *arguments: object, **options: object) -> Child:
        child = spawn(zygote, *arguments, **options)
        os.kill(zygote.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(Zygote, "spawn", kill)
    with pytest.raises(EngineError, match="ended under this submission"):
        grade(tiny, Handed("ada", nbformat.writes(with_answers(tiny, {})).encode()), executor, SECRET)


def test_torch_may_be_loaded_on_one_side_alone(tiny, executor):
    """The tiny assignment never names torch, so nobody has loaded it: a tensor is a wrong answer, no disturbance."""
    answers = {
        "double": "import torch\ndef double(x):\n    return torch.tensor([2.0, 2.0])",
        "mean": "torch.set_default_dtype(torch.float64)\n"
        "def mean(v):\n    return float(torch.tensor(v, dtype=torch.float64).mean())",
    }
    limits = replace(tiny.settings.limits, cell_seconds=60, submission_seconds=90)  # importing torch takes a while
    patient = replace(tiny, settings=replace(tiny.settings, limits=limits))
    data = nbformat.writes(with_answers(tiny, answers)).encode()
    result, _ = grade(patient, Handed("ada", data), executor, SECRET)
    assert [cell.points for cell in result.cells] == [0, 0, 4, 0], result
    assert "torch tensor" in result.cells[1].message
    assert result.flags == ()
