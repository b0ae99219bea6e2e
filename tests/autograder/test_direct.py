import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import directserver
from autograder.assignment import Assignment
from autograder.direct import DirectExecutor, imports
from autograder.grade import Run
from autograder.submission import rebuild, with_answers

KEYS = [bytes([number]) * 32 for number in range(3)]
RIGHT = "def mean(values):\n    return sum(values) / len(values)"


@pytest.fixture(scope="module")
def executor(tiny: Assignment) -> Iterator[DirectExecutor]:
    with DirectExecutor(tiny) as direct:
        yield direct


def run(tiny: Assignment, executor: DirectExecutor, mean: str, key: bytes = KEYS[0]) -> Run:
    limits = replace(tiny.settings.limits, submission_seconds=3 if "while" in mean else 60)
    tiny = replace(tiny, settings=replace(tiny.settings, limits=limits))
    data = json.dumps(with_answers(tiny, {"mean": mean, "double": "def double(x):\n    return 2 * x"})).encode()
    return executor.run(tiny, rebuild(tiny, "ada", data), key)


def test_each_run_of_a_notebook_has_a_namespace_of_its_own(tiny: Assignment, executor: DirectExecutor) -> None:
    counts = f"calls = globals().get('calls', 0) + 1\nassert calls == 1\n{RIGHT}"
    for key in KEYS:
        assert run(tiny, executor, counts, key).verdicts["mean-test"].status == "passed"


def test_each_run_of_a_notebook_has_draws_of_its_own(tiny: Assignment, executor: DirectExecutor) -> None:
    tells = "def mean(values):\n    raise ValueError(__import__('os').environ['CONVBOOK_DRAWS_KEY'])"
    said = [run(tiny, executor, tells, key).verdicts["mean-test"].message for key in (*KEYS, KEYS[0])]
    assert [key.hex() in message for key, message in zip((*KEYS, KEYS[0]), said, strict=True)] == [True] * 4


@pytest.mark.parametrize(
    "ends", ["while True: pass", "__import__('os')._exit(0)", "__import__('os').kill(__import__('os').getpid(), 9)"]
)
def test_a_notebook_that_does_not_end_well_leaves_the_next_run_alone(
    tiny: Assignment, executor: DirectExecutor, ends: str
) -> None:
    assert run(tiny, executor, ends).status == "timeout"
    assert run(tiny, executor, RIGHT).verdicts["mean-test"].status == "passed"


def test_more_notebooks_than_children_are_kept_run_in_turn(tiny: Assignment, executor: DirectExecutor) -> None:
    for _ in range(2):
        for number in range(directserver.KEPT + 2):
            answer = f"{RIGHT}\nassert {number} >= 0"
            assert run(tiny, executor, answer).verdicts["mean-test"].status == "passed"


def test_what_an_assignment_imports_is_read_from_its_cells(tiny: Assignment) -> None:
    assert {"convbook", "numpy"} <= set(imports(tiny))


def test_what_torch_imports_when_it_is_first_used_is_there_before_the_fork() -> None:
    torchy = Assignment.load(Path(__file__).parent / "fixtures" / "torchy", "torchy")
    assert {"torch", "torch._dynamo", "torch.fx.experimental.symbolic_shapes"} <= set(imports(torchy))


def test_a_check_of_the_hidden_half_tells_its_hint_even_where_the_hint_is_convbooks(
    course: Path, executor: DirectExecutor
) -> None:
    path = course / "solutions" / "tiny" / "assignment.md"
    path.write_text(
        path.read_text().replace(
            "values = check.draws", "raise check.CheckFailed('try' + ' it', '1.5')\nvalues = check.draws"
        )
    )
    verdict = run(Assignment.load(course, "tiny"), executor, RIGHT).verdicts["mean-test"]
    assert (verdict.points, verdict.status, verdict.message) == (0, "failed", "try it")
