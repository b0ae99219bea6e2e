"""Verdicts and what a student reads of them; each hole of the prototype has its test."""

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from autograder import link
from autograder.codec import encode
from autograder.decoder import Decoder
from autograder.link import Link
from autograder.peer import Channel, Closed
from autograder.policy import Limits
from autograder.runner import CellRun, Step
from autograder.wire import Reference
from tests.autograder.engine import cell, judged, steps_of, verdicts

SETUP = cell("helper", "import numpy as np\nfrom convbook import check", "setup")
DOUBLE = cell("answer", "def double(x):\n    return 2 * x", "double")
DOUBLE_TEST = cell(
    "test",
    """
x = check.draws("double-test").normal(size=(3, 4))
expected = x + x
check.check_close(double(x), expected, hint="Twice the input.")
### BEGIN HIDDEN TESTS
check.check_close(double(np.array([7.25, 3.5])), np.array([14.5, 7.0]), hint="Any shape must do.")
### END HIDDEN TESTS
""",
    "double-test",
)
# Runs after everything: shows whether an attack on one test also reached another.
HONEST = cell("answer", "def honest(x):\n    return x + 1", "honest")
HONEST_TEST = cell("test", "assert honest(1) == 2", "honest-test")
COURSE = [SETUP, DOUBLE, DOUBLE_TEST, HONEST, HONEST_TEST]


def double(source: str, **options: Any) -> CellRun:
    """The verdict on one answer to `double`."""
    return verdicts(COURSE, {"double": source}, **options)["double-test"]


def test_a_right_answer_passes_and_every_cell_has_a_run_in_order() -> None:
    runs = judged(COURSE, steps_of(COURSE, {}))
    assert [(run.place, run.id) for run in runs] == list(
        enumerate(["setup", "double", "double-test", "honest", "honest-test"])
    )
    assert [run.status for run in runs] == ["ran", "ran", "passed", "ran", "passed"]
    assert [run.count for run in runs] == [1, 2, None, 3, None]


def test_the_visible_half_shows_hint_and_values_the_hidden_half_its_hint_only() -> None:
    visible = double("def double(x):\n    return 3 * x")
    assert visible.status == "failed" and visible.message.startswith("Twice the input.\n") and len(visible.message) > 40
    hidden = double("def double(x):\n    return 2 * x if x.ndim == 2 else x")
    assert (hidden.status, hidden.message) == ("failed", "Any shape must do.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("raise NotImplementedError", "double is not defined"),
        ("def double(x): return None", "None"),
        ("double = 5", "not callable"),
        ("def double(x): return y", "Your code raised NameError: name 'y' is not defined"),
        ("def double(x): raise ValueError('my words')", "Your code raised ValueError: my words"),
        ("class Odd(Exception): pass\ndef double(x): raise Odd('my words')", "Your code raised Odd: my words"),
        ("def double(x): raise SystemExit(3)", "Your code raised SystemExit: 3"),
        ("def double(x): raise KeyboardInterrupt", "Your code raised KeyboardInterrupt."),
        ("def double(x): raise MemoryError", "Your code needed more than the 1024 MB of memory"),
        ("def double(x): return double(x)", "Your code raised RecursionError"),
    ],
)
def test_a_failure_names_its_reason(answer: str, words: str) -> None:
    run = double(answer)
    assert run.status == ("memory" if "MemoryError" in answer else "failed")
    assert words in run.message and not run.fault


def test_what_the_hidden_half_hands_over_is_not_shown_to_the_student() -> None:
    for way in (
        "raise ValueError(repr(x))",
        "raise type(f'Leak{x!r}', (Exception,), {})(x)",
        "print(repr(x)); import sys; print(x, file=sys.stderr); import os; os.write(1, repr(x).encode()); return x",
        "import warnings; warnings.warn(repr(x)); return x",
        "raise AssertionError(repr(x))",
        "return {'seen': repr(x)}",
    ):
        run = double(f"def double(x):\n    if x.ndim == 2: return 2 * x\n    {way}")
        assert run.status == "failed"
        assert not any("7.25" in str(part) for part in (run.message, run.outputs)), way


def test_what_the_visible_half_prints_is_kept() -> None:
    run = double("def double(x):\n    print('shape', x.shape)\n    return 2 * x")
    assert run.status == "passed"
    assert run.outputs == [{"output_type": "stream", "name": "stdout", "text": "shape (3, 4)\n"}]


def test_a_value_without_a_text_is_judged_all_the_same() -> None:
    cells = [cell("answer", "value = 1 << 30_000"), cell("test", "assert value == 3, value"), HONEST, HONEST_TEST]
    runs = verdicts(cells)
    assert [run.status for run in runs.values()] == ["failed", "passed"] and runs["test"].message


def test_hidden_is_decided_by_every_line_that_led_there() -> None:
    cells = [
        DOUBLE,
        cell(
            "test",
            """
def compare(a, b):
    assert a == b, f"{a} is not {b}"
compare(double(1), 2)
### BEGIN HIDDEN TESTS
compare(double(725), 1450)
### END HIDDEN TESTS
compare(double(2), 4)
""",
        ),
    ]
    assert verdicts(cells, {"double": "def double(x): return 0"})["test"].message == "0 is not 2"
    wrong = verdicts(cells, {"double": "def double(x): return 2 * x if x < 9 else 3"})["test"]
    assert (wrong.status, wrong.message) == ("failed", "A hidden test failed.")


def test_text_for_people_holds_no_controls_no_direction_marks_and_no_surrogates() -> None:
    run = double(r"def double(x): raise ValueError('\x1b[31mred\x1b[0m \u202eabc\x00 \ud800')")
    assert run.status == "failed"
    assert "red" in run.message and run.message.isprintable() and not set(run.message) & set("\x1b\x00\u202e\ud800")
    long = double("def double(x): raise ValueError('\\x1b[1m' * 200_000)")
    assert len(long.message) <= 2000


# Holes 1 to 7 of facts/judge.md.


def test_an_imported_name_is_never_the_students() -> None:
    imports = cell("answer", "import numpy as np\ndef double(x):\n    return 2 * x", "double")
    test = cell("test", "assert np.allclose(double(np.ones(2)), [2, 2])")
    fake = "class np:\n    ones = lambda n: None\n    allclose = lambda *a: True\ndef double(x): return 0"
    assert verdicts([imports, test], {})["test"].status == "passed"
    assert verdicts([imports, test], {"double": fake})["test"].status == "failed"
    assert verdicts([SETUP, imports, test], {"double": fake})["test"].status == "failed"
    assert verdicts([imports, cell("helper", "import numpy as np"), test], {"double": fake})["test"].status == "failed"


def test_a_helpers_name_is_never_the_students() -> None:
    cells = [
        cell("helper", "def ref(x): return x + x"),
        DOUBLE,
        cell("test", "want = ref(2)\nassert double(2) == want"),
    ]
    assert verdicts(cells, {"double": "def ref(x): return 0\ndef double(x): return 0"})["test"].status == "failed"


STUDENT = """
import gc, os, socket
from autograder.student import Student
from autograder import link
from autograder.codec import encode
me = next(each for each in gc.get_objects() if type(each) is Student)
"""


def test_a_reply_cannot_change_the_tests_own_values() -> None:
    cells = [SETUP, DOUBLE, cell("test", "x = np.ones(3)\ny = double(x)\nassert (x == 1).all() and (y == 2).all()")]
    assert verdicts(cells, {"double": "def double(x):\n    x *= 2\n    return x"})["test"].status == "passed"
    cells[-1] = cell("test", "x = np.ones(3)\ngot = double(x)\nexpected = 2 * x\nassert (got == expected).all()")
    assert verdicts(cells, {"double": "def double(x):\n    x *= 0\n    return x"})["test"].status == "failed"


def test_a_reply_with_a_field_that_was_not_asked_for_is_refused() -> None:
    forged = (
        STUDENT
        + "def double(x):\n    me._channel.send([encode(['a', 1, 14.5, None, [[0, 0]]])], None)\n    return 2 * x"
    )
    run = double(forged)
    assert run.status == "crashed" and "disturbed" in run.message


def test_the_students_process_holds_no_descriptor_of_the_judges() -> None:
    look = cell(
        "answer",
        """
import os, stat
found = 0
for fd in range(1000):
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        continue
    found += fd > 0 and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode))
""",
    )
    # The two sockets of `serve`, and descriptors 1 and 2, which are the second of them.
    assert verdicts([look, cell("test", "assert found == 4, found")])["test"].message == ""


def test_a_question_cannot_be_answered_before_it_is_asked() -> None:
    for number in range(3):
        forged = (
            STUDENT + f"me._channel.send([encode(['a', {number}, [14.5], None])] * 3, None)\ndef double(x): return 0"
        )
        run = double(forged)
        assert run.status == "crashed" and "disturbed the grader" in run.message


def test_one_judge_serves_one_submission() -> None:
    test = cell("test", "import sys\nsys.left_behind = np.seterr(all='raise')\nassert double(1) == 2")
    again = cell("test", "import sys\nassert not hasattr(sys, 'left_behind')")
    assert verdicts([SETUP, DOUBLE, test])["test"].status == "passed"
    assert verdicts([SETUP, DOUBLE, again])["test"].status == "passed"


def test_a_test_may_catch_what_a_student_raises_by_its_builtin_type() -> None:
    test = """
try:
    double(0)
except KeyError as error:
    assert error.args == ("key",) and str(error) == "'key'"
else:
    raise AssertionError("no exception")
check.raises(LookupError, double, 0)
"""
    cells = [SETUP, DOUBLE, cell("test", test)]
    assert verdicts(cells, {"double": "def double(x): raise KeyError('key')"})["test"].status == "passed"
    assert verdicts(cells, {"double": "def double(x): return {}[x]"})["test"].status == "failed"
    assert verdicts(cells)["test"].message == "no exception"


def test_a_test_with_no_hidden_half_shows_all_of_its_last_line() -> None:
    run = verdicts([DOUBLE, cell("test", "assert double(1) == 3, 'It is 3.'")])["test"]
    assert (run.status, run.message) == ("failed", "It is 3.")


@pytest.mark.parametrize("way", ["os._exit(0)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"])
def test_a_dead_process_fails_even_a_test_that_expects_any_exception(way: str) -> None:
    cells = [SETUP, DOUBLE, cell("test", "check.raises(Exception, double, 1)"), HONEST, HONEST_TEST]
    runs = verdicts(cells, {"double": f"import os\ndef double(x):\n    {way}"})
    assert {run.status for run in runs.values()} == {"crashed"} and all(run.ended for run in runs.values())
    assert "ended the process" in runs["test"].message


def test_a_test_that_swallows_everything_still_fails_when_the_process_is_gone() -> None:
    swallow = cell("test", "try:\n    double(1)\nexcept BaseException:\n    pass")
    assert verdicts([DOUBLE, swallow], {"double": "import os\ndef double(x): os._exit(0)"})["test"].status == "crashed"


def test_stop_iteration_of_a_student_does_not_end_a_loop_of_the_test() -> None:
    cells = [DOUBLE, cell("test", "assert all(map(lambda x: double(x) == 2 * x, [1, 2, 3]))")]
    assert verdicts(cells)["test"].status == "passed"
    assert verdicts(cells, {"double": "def double(x): raise StopIteration"})["test"].status == "failed"


# Limits.


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For code that will not stop at its deadline."""
    monkeypatch.setattr(Link, "grace", 0.3)


@pytest.fixture
def few_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "OBJECT_LIMIT", 1000)


SHORT = Limits(cell_seconds=2, submission_seconds=60, output_kb=64)


@pytest.mark.parametrize(
    "body",
    ["while True: pass", "__import__('time').sleep(60)"],
    ids=["loop", "sleep"],
)
def test_an_endless_call_times_out_and_the_next_part_is_still_judged(body: str) -> None:
    runs = verdicts(COURSE, {"double": f"def double(x):\n    {body}"}, limits=SHORT)
    assert runs["double-test"].status == "timeout" and "2 s" in runs["double-test"].message
    assert runs["honest-test"].status == "passed"


def test_an_endless_cell_times_out_and_the_next_is_still_run() -> None:
    runs = judged(COURSE, steps_of(COURSE, {"double": "while True:\n    try: pass\n    except Exception: pass"}), SHORT)
    assert [run.status for run in runs] == ["ran", "timeout", "failed", "ran", "passed"]
    assert "longer than 2 s" in runs[1].message


@pytest.mark.parametrize(
    "body",
    ["sum(range(10**12))", "import signal\n  signal.signal(signal.SIGALRM, signal.SIG_IGN)\n  while True: pass"],
    ids=["in C", "no alarm"],
)
@pytest.mark.usefixtures("impatient")
def test_code_that_does_not_obey_is_not_waited_for(body: str) -> None:
    runs = verdicts(COURSE, {"double": f"def double(x):\n  {body}"}, limits=SHORT)
    assert {run.status for run in runs.values()} == {"timeout"} and not any(run.ended for run in runs.values())
    assert "not reached" not in runs["double-test"].message
    assert runs["honest-test"].message == "This part was not reached. Your code gave no answer within 2 s."


def test_the_submission_as_a_whole_has_a_limit() -> None:
    limits = Limits(cell_seconds=60, submission_seconds=2, output_kb=64)
    steps = [Step(n, "", "while True: pass") for n in range(4)] + [Step(4, "honest-test")]
    runs = judged(COURSE, steps, limits)
    assert [run.status for run in runs] == ["timeout"] * 5


def test_an_endless_iterator_ends_with_the_cell() -> None:
    cells = [cell("answer", "import itertools\nnumbers = itertools.count()"), cell("test", "for n in numbers: pass")]
    run = verdicts(cells, limits=SHORT)["test"]
    assert run.status == "timeout"


@pytest.mark.usefixtures("impatient")
def test_a_number_that_keeps_the_judge_busy_times_out() -> None:
    cells = [cell("answer", "n = 10**15"), cell("test", "for i in range(n): pass"), HONEST, HONEST_TEST]
    runs = verdicts(cells, limits=SHORT)
    assert runs["test"].status == "timeout" and "Checking" in runs["test"].message
    assert runs["honest-test"].status == "passed"


def test_too_much_memory_in_the_judge_is_a_verdict() -> None:
    outer = cell("test", "x = double(np.zeros((60_000, 1)))\nassert abs(x - np.zeros(60_000)).max() < 1")
    runs = verdicts([SETUP, DOUBLE, outer, HONEST, HONEST_TEST])
    assert (runs["test"].status, runs["honest-test"].status) == ("memory", "passed")
    torch = cell("test", "import torch\nx = torch.zeros(10**6, 1) - torch.zeros(10**6)", "test")
    assert verdicts([torch])["test"].status == "memory"


FLOOD = {
    "print": "for _ in range(300): print('x' * 10_000)",
    "one line": "print('x' * 5_000_000)",
    "descriptor": "import os\nfor _ in range(100): os.write(1, b'x' * 50_000)",
    "subprocess": "!yes | head -c 3000000",
    "displays": "for n in range(3000): display(n)",
    "huge display": "from IPython.display import HTML\ndisplay(HTML('x' * 5_000_000))",
}


@pytest.mark.parametrize("way", FLOOD)
def test_a_flood_of_output_is_cut_and_costs_no_points(way: str) -> None:
    steps = [Step(0, "setup"), Step(1, "", FLOOD[way]), Step(2, "double", DOUBLE.source), Step(3, "double-test")]
    runs = judged(COURSE, steps)
    assert [run.status for run in runs] == ["ran", "ran", "ran", "passed"]
    assert len(str(runs[1].outputs)) < 2 * 64 * 1024
    assert "limit of 64 KB" in str(runs[1].outputs)


# A process that does not speak the protocol.


def liar(reply: Callable[[socket.socket, list[Any]], None]) -> Callable[[socket.socket, socket.socket], None]:
    """A student's process that answers with `reply`; told questions, it runs no cell."""

    def serve(requests: socket.socket, outputs: socket.socket) -> None:
        channel = Channel(requests)
        try:
            while True:
                meta, blob = channel.receive(None)
                question = Decoder(meta, blob, lambda reference: reference).value()
                requests.setblocking(True)
                if question[2] == "exec":
                    requests.sendall(encode(["a", question[1], [1, None], None]))
                elif question[2] == "name":
                    function = Reference("object", 1, "function")
                    requests.sendall(encode(["a", question[1], [function], None], lambda value: value))
                else:
                    reply(requests, question)
                requests.setblocking(False)
        except (Closed, OSError):
            os._exit(0)

    return serve


def send(*values: Any) -> Callable[[socket.socket, list[Any]], None]:
    """Reply with frames; "ID" in them stands for the id of the question."""

    def reply(sock: socket.socket, question: list[Any]) -> None:
        for value in values:
            message = [question[1] if each == "ID" else each for each in value] if type(value) is list else value
            sock.sendall(message if type(message) is bytes else encode(message, lambda each: each))

    return reply


def never(sock: socket.socket, question: list[Any]) -> None:
    time.sleep(60)


def drip(sock: socket.socket, question: list[Any]) -> None:
    sock.sendall((1 << 20).to_bytes(8, "little") + bytes(8))
    while True:
        sock.sendall(b"N")
        time.sleep(0.05)


def flood(sock: socket.socket, question: list[Any]) -> None:
    while True:
        sock.sendall(encode(["a", question[1], 14.5, None]))


FORGED: dict[str, tuple[Callable[[socket.socket, list[Any]], None], str]] = {
    "garbage": (send(b"\x00" * 100), "crashed"),
    "huge frame": (send((1 << 62).to_bytes(8, "little") + bytes(8)), "crashed"),
    "huge blob": (send(bytes(8) + (1 << 62).to_bytes(8, "little")), "crashed"),
    "no list": (send({"a": 1}), "crashed"),
    "short": (send(["a", "ID", 14.5]), "crashed"),
    "long": (send(["a", "ID", 14.5, None, []]), "crashed"),
    "other id": (send(["a", 1, 14.5, None]), "crashed"),
    "id of another type": (send(["a", 1.5, 14.5, None]), "crashed"),
    "unknown kind": (send(["x", "ID", 14.5, None]), "crashed"),
    "exception without names": (send(["e", "ID", 5, [], "text"]), "crashed"),
    "exception with objects": (send(["e", "ID", [None], [], "text"]), "crashed"),
    "lying mro": (send(["e", "ID", ["CheckFailed", "Halt", "AuthorError", "StopIteration"], [], "text"]), "failed"),
    "library reference": (send(["a", "ID", Reference("library", name="os:system"), None]), "crashed"),
    "callback reference": (send(["a", "ID", Reference("callback", 1), None]), "crashed"),
    "question": (send(["q", 5, "exec", ["1"], None]), "crashed"),
    "unknown callback": (send(["q", 5, "callback", [99, (), {}], None]), "crashed"),
    "callback of odd types": (send(["q", 5, "callback", [[], {}, ()], None]), "crashed"),
    "odd type name": (send(["a", "ID", Reference("object", 2, "x" * 1000), None]), "crashed"),
    "object": (send(["a", "ID", Reference("object", 2, "ndarray"), None]), "failed"),
    "module": (send(["a", "ID", Reference("object", 2, "ndarray", True), None]), "failed"),
    "graph of nothing": (send(["a", "ID", 14.5, 7]), "failed"),
    "many objects": (send(["a", "ID", [Reference("object", n + 2, "x") for n in range(1100)], None]), "crashed"),
    "never": (never, "timeout"),
    "drip": (drip, "timeout"),
    "flood": (flood, "failed"),
    "closed": (lambda sock, question: os._exit(0), "crashed"),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.usefixtures("impatient", "few_objects")
def test_a_process_that_breaks_the_protocol_gets_a_verdict_with_a_reason(name: str) -> None:
    reply, status = FORGED[name]
    run = double("", serve=liar(reply), limits=Limits(cell_seconds=1 if status == "timeout" else 20, output_kb=64))
    assert run.status == status and run.message


def test_the_judge_can_be_fooled_by_nothing_but_right_values() -> None:
    """The stand-in above can pass: what it answers is what is judged."""
    reply = send(["a", "ID", 14.5, None])
    cells = [SETUP, DOUBLE, cell("test", "check.check_close(double(7.25), 14.5)")]
    assert verdicts(cells, serve=liar(reply))["test"].status == "passed"
