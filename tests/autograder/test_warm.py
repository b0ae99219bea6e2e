"""Zygotes are shared by what they have in memory, started once, and replaced when they end."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from autograder import warm
from autograder.errors import EngineError
from autograder.warm import WarmProcesses, code_of, slow_libraries


@pytest.fixture
def processes() -> Iterator[WarmProcesses]:
    found = WarmProcesses()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("text", "libraries"),
    [
        ("import numpy as np", ()),
        ("import torch\nlayer = torch.nn.Linear(2, 3)", ("torch",)),
        ("from convbook import nets", ("torch",)),
        ("a trained tortoise; torches", ()),
        ("from torchvision import models\ntorch.optim.SGD", ("torch", "torchvision", "torch._dynamo")),
        ("check.vjp(f, [x], dy)", ("torch", "torch.fx.experimental.symbolic_shapes")),
        ("def conv2d_backward(dy): ...", ()),
        ("def backward(dy): ...", ()),
    ],
)
def test_words_tell_of_libraries(text: str, libraries: tuple[str, ...]) -> None:
    assert slow_libraries([text]) == libraries


def test_prose_tells_of_no_library() -> None:
    cell = "```{code-cell} python\nimport numpy as np\n```"
    assert code_of(f"Do as torch does.\n\n{cell}\n\n```python\nimport torch\n```\n\n{cell}\n") == [cell, cell]
    assert code_of("a notebook's JSON") == ["a notebook's JSON"]


def test_many_who_ask_at_once_share_one(processes: WarmProcesses) -> None:
    with ThreadPoolExecutor(8) as pool:
        zygotes = list(pool.map(lambda _: processes.start("judge", ()).result(), range(8)))
    assert len({zygote.pid for zygote in zygotes}) == 1


def test_one_with_more_in_memory_serves_who_needs_less(processes: WarmProcesses, monkeypatch) -> None:
    monkeypatch.setitem(warm._ALWAYS, "judge", ())
    more = processes.start("judge", ("colorsys", "this"))
    assert processes.start("judge", ("colorsys",)) is more
    assert processes.start("judge", ("colorsys", "calendar")) is not more
    assert processes.start("student", ()) is not more


def test_one_that_ended_is_replaced_and_the_others_stay(processes: WarmProcesses) -> None:
    judge, student = (processes.start(kind, ()) for kind in ("judge", "student"))
    assert not processes.forget_ended()
    os.kill(judge.result().pid, signal.SIGKILL)
    while not judge.result().ended:
        pass
    assert processes.forget_ended()
    assert processes.start("judge", ()).result().pid != judge.result().pid
    assert processes.start("student", ()) is student


def test_a_start_that_fails_is_told_to_all_and_tried_again(processes: WarmProcesses, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise EngineError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(warm, "Zygote", fail)
        for _ in range(2):
            with pytest.raises(EngineError, match="no room"):
                processes.start("judge", ()).result()
    assert processes.forget_ended()
    assert processes.start("judge", ()).result().pid


def test_closing_leaves_no_process(processes: WarmProcesses) -> None:
    pids = [processes.start(kind, ()).result().pid for kind in ("judge", "student")]
    processes.close()
    processes.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
