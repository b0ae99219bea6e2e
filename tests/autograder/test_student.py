"""The student's process answers one question at a time and ends with the judge."""

import os
import socket
from typing import Any

import numpy as np
import pytest

from autograder import student
from autograder.peer import Channel, Closed, Peer
from autograder.wire import BadFrame, Reference
from tests.autograder.engine import fork

OPEN = [[], 60.0, None, None]


class Asker(Peer):
    """A judge that checks nothing: references stay references, callbacks add one."""

    def refer(self, value: object) -> Reference:
        assert isinstance(value, Reference)
        return value

    def resolve(self, reference: Reference) -> Reference:
        return reference

    def serve(self, question: list[Any], decoder: object) -> None:
        _, number, operation, (key, args, kwargs), _ = question
        assert (operation, key, kwargs) == ("callback", 5, {})
        if args == ("fail",):
            self.send(self.encode(["e", number, ["Own", "KeyError", "Exception"], [], "words"]), None)
        else:
            self.send(self.encode(["a", number, args[0] + 1, None]), None)

    def ask(self, operation: str, *arguments: Any, context: list[Any] = OPEN) -> Any:
        message, _, _ = self.exchange(operation, list(arguments), context, None)
        return message[2] if message[0] == "a" else message[2:]


@pytest.fixture
def asker() -> Any:
    requests, outputs = socket.socketpair(), socket.socketpair()
    pid = fork(lambda: student.serve(requests[0], outputs[0]), [requests[0].fileno(), outputs[0].fileno()])
    requests[0].close()
    outputs[0].close()
    with requests[1], outputs[1]:
        yield Asker(Channel(requests[1]))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0  # it ends by itself when the judge is gone


def test_cells_run_and_names_are_found_as_they_are_now(asker: Asker) -> None:
    assert asker.ask("name", "x") == []
    assert asker.ask("exec", "x = 1", True) == [1, None]
    assert asker.ask("name", "x") == [1]
    assert asker.ask("exec", "x += 1; 1 / 0", True) == [2, "ZeroDivisionError"]
    assert asker.ask("name", "x") == [2]


def test_objects_are_numbered_once_and_forgotten_when_told(asker: Asker) -> None:
    asker.ask("exec", "class Thing: size = 3\nthing = Thing()", True)
    (thing,) = asker.ask("name", "thing")
    assert (thing.kind, thing.name, thing.is_module) == ("object", "Thing", False)
    assert asker.ask("name", "thing") == [thing]
    assert asker.ask("get", thing, "size") == 3
    (again,) = asker.ask("name", "thing", context=[[thing.number], 60.0, None, None])
    assert again.number != thing.number
    assert asker.ask("get", again, "size") == 3


def test_what_code_raises_is_described_and_nothing_else_happens(asker: Asker) -> None:
    asker.ask(
        "exec", "def f(kind, *args): raise kind(*args)\nclass Odd(KeyError):\n    def __str__(self): return 1 / 0", True
    )
    (f,), (odd,) = asker.ask("name", "f"), asker.ask("name", "Odd")
    names, arguments, text = asker.ask("call", f, (odd, "k"), {})
    assert names[:2] == ["Odd", "KeyError"] and arguments == ["k"] and text == ""
    names, arguments, _ = asker.ask("call", f, (Reference("library", name="builtins:SystemExit"), {"a": 1}), {})
    assert names[0] == "SystemExit" and arguments == []
    assert asker.ask("no_such_operation")[0][0] == "AttributeError"
    names, _, text = asker.ask("call", Reference("library", name="builtins:list"), (range_of(600_000),), {})
    assert names[0] == "TooLarge" and "values" in text
    assert asker.ask("exec", "1", True) == [2, None]


def range_of(n: int) -> Any:
    return np.arange(n)


def test_time_is_up_for_a_call_and_for_a_cell(asker: Asker) -> None:
    soon = [[], 0.2, None, None]
    assert asker.ask("exec", "while True: x = 1", True, context=soon)[1] == "OutOfTime"
    asker.ask("exec", "def loop():\n    while True:\n        try: x = 1\n        except Exception: pass", True)
    (loop,) = asker.ask("name", "loop")
    assert asker.ask("call", loop, (), {}, context=soon)[0][0] == "OutOfTime"
    assert asker.ask("call", Reference("library", name="builtins:abs"), (-3,), {}) == 3


def test_callbacks_go_back_to_the_judge(asker: Asker) -> None:
    asker.ask("exec", "def twice(f, x): return f(f(x))", True)
    (twice,) = asker.ask("name", "twice")
    back = Reference("callback", 5)
    assert asker.ask("call", twice, (back, 1), {}) == 3
    names, _, text = asker.ask("call", twice, (back, "fail"), {})
    assert names[0] == "KeyError" and text == "'words'"


def test_a_message_that_is_none_is_refused() -> None:
    for message in ([], ["a", 1], ["a", "1", 2, None], [1, 1, 1, 1], {"a": 1}, ["q", 1, "callback", []]):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            sender, receiver = Asker(Channel(theirs)), Asker(Channel(ours))
            sender.send(sender.encode(message), None)  # type: ignore[arg-type]
            with pytest.raises(BadFrame):
                receiver.receive(None)


def test_a_channel_knows_silence_words_and_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        assert channel.is_quiet()
        with pytest.raises(TimeoutError):
            channel.receive(0.0)
        theirs.send(b"x")
        assert not channel.is_quiet()
        theirs.close()
        with pytest.raises(Closed):
            channel.receive(None)
        with pytest.raises(Closed):
            channel.is_quiet()
        with pytest.raises(Closed):
            channel.send([b"x"], None)
