"""A module, an optimizer, gradients: known answers get the same verdict in one namespace and from the judge."""

import runpy
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.judged import JudgeExecutor
from convbook.catalogue import Alternative, Mistake
from tests.autograder.engine import direct, verdicts

ROOT = Path(__file__).parent / "fixtures" / "torchy"
ASSIGNMENT = Assignment.load(ROOT, "torchy")
CATALOGUE = runpy.run_path(str(ROOT / "solutions" / "torchy" / "mistakes.py"))
ENTRIES: list[Mistake | Alternative] = [*CATALOGUE["MISTAKES"], *CATALOGUE["ALTERNATIVES"]]
PARTS = {part.id: part.points for part in ASSIGNMENT.cells if part.kind == "test"}
KEYS = [bytes([number]) * 32 for number in range(2)]


def points(answers: dict[str, str], key: bytes) -> tuple[dict[str, float], dict[str, str]]:
    """Points by part, the same in both modes, and the messages of the judge."""
    runs = verdicts(ASSIGNMENT.cells, answers, key=key)
    plain = direct(ASSIGNMENT.cells, answers, key=key)
    assert not [run.fault for run in runs.values() if run.fault]
    assert {id: run.status for id, run in runs.items()} == {id: status for id, (status, _) in plain.items()}
    earned = {id: PARTS[id] if run.status == "passed" else 0 for id, run in runs.items()}
    return earned, {id: run.message for id, run in runs.items()}


@pytest.mark.parametrize("key", KEYS, ids=["one key", "another"])
def test_the_reference_passes_in_both_modes(key: bytes) -> None:
    assert points({}, key)[0] == PARTS


def test_the_release_version_earns_nothing_in_both_modes() -> None:
    released = {cell.id: cell.visible_source for cell in ASSIGNMENT.cells}
    assert points(released, KEYS[0])[0] == dict.fromkeys(PARTS, 0)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.question}: {entry.name}")
def test_every_catalogued_answer_earns_its_points_in_both_modes(entry: Mistake | Alternative) -> None:
    earned, messages = points({entry.question: entry.source}, KEYS[0])
    wanted = PARTS | (dict(entry.points) if isinstance(entry, Mistake) else {})
    assert earned == wanted, messages
    if isinstance(entry, Mistake):
        lost = [messages[part] for part in entry.points if earned[part] == 0]
        assert any(entry.hint in message for message in lost), lost


def test_the_students_process_has_what_gradients_need_of_both() -> None:
    theirs, ours = JudgeExecutor("none")._needed(ASSIGNMENT)
    assert theirs == ours
    assert "torch.fx.experimental.symbolic_shapes" in theirs
