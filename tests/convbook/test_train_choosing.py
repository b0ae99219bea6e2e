"""A run starts with what was chosen before Start was pressed, in whatever order the page's messages come."""

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from convbook.train import Run, TrainingPanel, choosing
from convbook.train.choosing import LOOKS, Chooser

WAIT = 120  # seconds, on a busy machine


@pytest.fixture
def chooser() -> Iterator[Chooser]:
    made = Chooser({"rate": [0.1, 0.01], "pool": ["max", "avg"]})
    yield made
    made.close()


def answer(chooser: Chooser, name: str, **more: int) -> None:
    """What a page sends for a dropdown when it has met the question."""
    chooser.dropdowns[name].set_state({"answered": chooser._question.value, **more})


def ask(chooser: Chooser) -> list[list[str]]:
    """Ask, and give the list that the choice goes into when all have answered."""
    started: list[list[str]] = []
    chooser.ask(lambda: started.append(chooser.chosen({})[0]))
    return started


def test_a_page_copies_the_question_into_every_dropdown(chooser: Chooser) -> None:
    question = (chooser._question, "value")
    assert [link.source for link in chooser._links] == [question, question]
    assert [link.target for link in chooser._links] == [(each, "answered") for each in chooser.dropdowns.values()]
    assert all("answered" in each.get_state() for each in chooser.dropdowns.values())


def test_a_choice_that_comes_after_the_press_and_with_the_answer_counts(chooser: Chooser) -> None:
    started = ask(chooser)
    answer(chooser, "pool")
    assert not started and chooser.asking
    answer(chooser, "rate", index=1)
    assert started == [["0.01", "max"]] and not chooser.asking


def test_a_choice_on_its_own_is_no_answer(chooser: Chooser) -> None:
    started = ask(chooser)
    for name in ("rate", "pool"):
        chooser.dropdowns[name].set_state({"index": 1})
    assert not started
    for name in ("rate", "pool"):
        answer(chooser, name)
    assert started == [["0.01", "avg"]]


def test_an_answer_to_an_earlier_question_starts_nothing(chooser: Chooser) -> None:
    first = ask(chooser)
    answer(chooser, "rate")
    chooser.forget()
    answer(chooser, "pool")
    assert not first
    second = ask(chooser)
    answer(chooser, "pool")
    assert not second
    answer(chooser, "rate")
    assert second == [["0.1", "max"]]


def test_a_page_that_never_answers_is_waited_for_once(chooser: Chooser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "LATE", WAIT)  # on a busy machine a test may be slow
    started = ask(chooser)
    for _ in range(LOOKS - 1):
        chooser.look()
    assert not started
    chooser.look()
    assert len(started) == 1 and not chooser.asking
    again = ask(chooser)
    chooser.look()
    assert len(again) == 1
    for name in ("rate", "pool"):  # late, yet it does answer
        answer(chooser, name)
    patient = ask(chooser)
    chooser.look()
    assert not patient and len(started) == len(again) == 1


def test_a_busy_kernel_is_no_page_without_an_answer(chooser: Chooser, monkeypatch: pytest.MonkeyPatch) -> None:
    # Cell after cell runs, and what the dropdowns say waits behind them.
    clock = 0.0
    monkeypatch.setattr(choosing, "time", SimpleNamespace(monotonic=lambda: clock))
    started = ask(chooser)
    for _ in range(3 * LOOKS):
        clock += 5
        chooser.look()
    assert not started
    answer(chooser, "rate")
    answer(chooser, "pool", index=1)
    assert started == [["0.1", "avg"]]


def test_where_there_is_nothing_to_choose_nobody_is_asked() -> None:
    chooser = Chooser({})
    assert ask(chooser) == [[]] and not chooser.asking
    chooser.close()


def build(choice: dict[str, float]) -> Run:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    data = [(torch.zeros(2, 1, 4, 4), torch.tensor([0, 1]))]
    return Run(model, data, torch.optim.SGD(model.parameters(), lr=choice["rate"]))


def in_a_kernel(story: Callable[[TrainingPanel], None], then: Callable[[TrainingPanel], None]) -> None:
    """A panel beside a running event loop, as in a notebook; `then` once the loop has run and the panel is idle."""

    async def cell() -> None:
        panel = TrainingPanel(build, {"rate": [0.1, 0.01]})
        try:
            story(panel)
            while panel._following:
                await asyncio.sleep(0.01)
            then(panel)
        finally:
            panel.close()

    asyncio.run(asyncio.wait_for(cell(), WAIT))


def test_start_in_a_notebook_waits_for_the_answer() -> None:
    def story(panel: TrainingPanel) -> None:
        panel._main.click()
        assert panel.background.state == "idle" and "Starting, as soon as" in panel._status.value
        panel._main.click()  # an impatient reader
        answer(panel.chooser, "rate", index=1)
        assert panel.background.state != "idle"

    def then(panel: TrainingPanel) -> None:
        assert panel.wait(WAIT) and panel.background.state == "finished" and list(panel.runs) == ["0.01"]

    in_a_kernel(story, then)


def test_stop_takes_a_start_back_that_still_waits() -> None:
    def story(panel: TrainingPanel) -> None:
        panel._main.click()
        panel._stop.click()
        answer(panel.chooser, "rate")

    def then(panel: TrainingPanel) -> None:
        assert panel.background.state == "idle" and panel.runs == {}
        assert "Nothing has been trained yet" in panel._status.value

    in_a_kernel(story, then)


def test_start_works_in_a_page_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "LATE", WAIT)

    def then(panel: TrainingPanel) -> None:
        assert panel.background.state == "finished" and list(panel.runs) == ["0.1"]

    in_a_kernel(lambda panel: panel._main.click(), then)
