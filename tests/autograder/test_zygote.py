"""The warm process: what a child gets, how it ends, who dies with whom."""

import json
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.errors import EngineError
from autograder.policy import Limits
from autograder.zygote import Exit, Zygote

HERE = Path(__file__).parent
TARGETS = {"job": "zygote_jobs:run"}


@pytest.fixture(scope="module")
def zygote():
    with Zygote(preload=["numpy"], targets=TARGETS, path=[HERE]) as started:
        yield started


class Answer:
    """A child of level "trusted" and what it says."""

    def __init__(self, zygote, do, limits=None, **job):
        self.ours, theirs = socket.socketpair()
        with theirs:
            self.child = zygote.spawn("job", {"do": do, **job}, [theirs.fileno()], level="trusted", limits=limits)

    def read(self):
        with self.ours, self.ours.makefile("rb") as file:
            return json.loads(file.read())


def ask(zygote, do, **job):
    answer = Answer(zygote, do, **job)
    said = answer.read()
    assert answer.child.wait(30).code == 0
    return said


def test_a_child_gets_its_job_whole_however_large(zygote):
    text = "é\ud800\n" * 300_000
    assert ask(zygote, "echo", text=text)["text"] == text


def test_a_child_gets_the_descriptors_in_order_and_a_working_socket(zygote):
    ends = [socket.socketpair() for _ in range(5)]
    child = zygote.spawn("job", {"do": "number"}, [theirs.fileno() for _, theirs in ends], level="trusted")
    for _, theirs in ends:
        theirs.close()
    assert [ours.recv(10) for ours, _ in ends] == [b"0", b"1", b"2", b"3", b"4"]
    assert child.wait(30).code == 0
    for ours, _ in ends:
        assert ours.recv(1) == b""  # nobody else holds the other end
        ours.close()


def test_output_goes_where_it_is_sent(zygote, tmp_path):
    out, err = (tmp_path / "out").open("wb"), (tmp_path / "err").open("wb")
    with out, err:
        zygote.spawn("job", {"do": "fail"}, level="trusted", stdout=out.fileno(), stderr=err.fileno()).wait(30)
    assert (tmp_path / "out").read_text() == "said\n"
    assert "ValueError: of no value" in (tmp_path / "err").read_text()


def test_children_share_no_random_numbers_no_main_no_temporary_folder(zygote):
    one, other = ask(zygote, "state"), ask(zygote, "state")
    assert one["main"] == other["main"] == []
    for name in ("random", "numpy", "tmp"):
        assert one[name] != other[name], name


def test_a_child_is_warm_and_alone(zygote):
    state = ask(zygote, "state")
    assert state["numpy loaded"]
    assert state["threads"] == 1
    assert state["group"] == state["session"] == state["pid"]


def test_the_callers_environment_stays_with_the_caller(monkeypatch):
    monkeypatch.setenv("CONVBOOK_DRAWS_KEY", "secret")
    with Zygote(preload=[], targets=TARGETS, path=[HERE]) as fresh:
        state = ask(fresh, "state")
    assert "secret" not in json.dumps(state["environment"])
    assert state["environment"]["OMP_NUM_THREADS"] == "1"
    assert "PYTHONPATH" not in state["environment"]


def test_several_children_run_at_once_and_a_selector_waits_for_any(zygote):
    sleepers = [Answer(zygote, "sleep") for _ in range(3)]
    quick = Answer(zygote, "echo")
    ready, _, _ = select.select([answer.child for answer in (*sleepers, quick)], [], [], 30)
    assert ready == [quick.child]
    for answer in sleepers:
        answer.child.kill()
    assert [answer.child.wait(30).reason for answer in sleepers] == ["killed"] * 3


def test_waiting_gives_up_after_the_timeout_and_the_child_lives_on(zygote):
    sleeper = Answer(zygote, "sleep")
    with pytest.raises(TimeoutError, match=r"still runs after 0\.05 seconds"):
        sleeper.child.wait(0.05)
    sleeper.child.kill()
    assert sleeper.child.wait(30) == sleeper.child.wait()  # and can be asked again
    assert sleeper.child.wait().signal == signal.SIGKILL


def test_killing_a_child_that_has_ended_changes_nothing(zygote):
    answer = Answer(zygote, "echo")
    select.select([answer.child], [], [], 30)
    answer.child.kill()
    assert answer.child.wait(30).reason == "exited"


def test_a_child_that_is_forgotten_is_killed(zygote):
    sleeper = Answer(zygote, "sleep")
    sleeper.child.close()
    assert sleeper.ours.recv(1) == b""


def test_time_is_up_for_the_zygotes_own_clock(zygote):
    sleeper = Answer(zygote, "sleep", limits=Limits(submission_seconds=1))
    end = sleeper.child.wait(30)
    assert (end.reason, end.signal) == ("wall", signal.SIGKILL)


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 3), (None, 0), ("a text", 1), (True, 1)])
def test_the_exit_code_is_reported(zygote, code, expected):
    end = Answer(zygote, "exit", code=code).child.wait(30)
    assert end == Exit(expected, None, "exited", "", end.cpu_seconds)


def test_an_unknown_target_or_level_is_answered_and_the_zygote_serves_on(zygote):
    assert zygote.spawn("missing", {}, level="trusted").wait(30).reason == "sandbox"
    assert "Unknown sandbox level" in zygote.spawn("job", {}, level="jail").wait(30).detail
    assert ask(zygote, "echo", text="still here")["text"] == "still here"


def test_no_descriptor_stays_behind_in_the_zygote(zygote):
    descriptors = Path(f"/proc/{zygote.pid}/fd")

    def open_once_settled(at_most):
        deadline = time.monotonic() + 10  # a link is closed just after the exit is told
        while (count := len(list(descriptors.iterdir()))) > at_most and time.monotonic() < deadline:
            time.sleep(0.01)
        return count

    with Zygote(preload=[], targets=TARGETS, path=[HERE]) as fresh:
        before = len(list(Path(f"/proc/{fresh.pid}/fd").iterdir()))  # of one that has served nobody
    for _ in range(5):
        ask(zygote, "echo")
    zygote.spawn("missing", {}, level="trusted").wait(30)
    assert open_once_settled(before) <= before


def test_a_zygote_with_a_second_thread_refuses_to_fork():
    with Zygote(preload=[], targets={"job": "zygote_jobs_threaded:run"}, path=[HERE]) as threaded:
        end = threaded.spawn("job", {}, level="trusted").wait(30)
    assert end.reason == "sandbox"
    assert "more than one thread" in end.detail


def test_closing_the_zygote_ends_its_children():
    with Zygote(preload=[], targets=TARGETS, path=[HERE]) as fresh:
        sleeper = Answer(fresh, "sleep")
        assert sleeper.ours.recv(1) == b"."
    assert sleeper.ours.recv(1) == b""
    assert sleeper.child.wait(30).reason in ("killed", "zygote")
    with pytest.raises(EngineError, match="has ended"):
        fresh.spawn("job", {}, level="trusted")


def test_everything_dies_with_a_grader_that_is_killed_outright():
    ours, theirs = socket.socketpair()
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from autograder.zygote import Zygote\n"
        f"zygote = Zygote(preload=[], targets={TARGETS!r}, path=[Path({str(HERE)!r})])\n"
        f"child = zygote.spawn('job', {{'do': 'sleep'}}, [{theirs.fileno()}], level='trusted')\n"
        "time.sleep(60)\n"
    )
    with theirs:
        grader = subprocess.Popen([sys.executable, "-c", program], pass_fds=[theirs.fileno()])
    try:
        ours.settimeout(30)
        assert ours.recv(1) == b"."
    finally:
        grader.kill()
        grader.wait()
    assert ours.recv(1) == b""
    ours.close()


def test_a_zygote_that_cannot_start_says_so():
    with pytest.raises(EngineError, match="did not start"):
        Zygote(preload=[], targets={"job": "no_such_module:run"})


def test_a_child_that_ends_just_as_it_is_killed_still_says_how(zygote: Zygote) -> None:
    """The exit and the wish to kill cross on the link; neither may destroy the other."""
    reasons = set()
    for number in range(60):
        child = zygote.spawn("job", {"do": "exit", "code": 0}, level="trusted")
        time.sleep(number / 4000)
        child.kill()
        reasons.add(child.wait(10).reason)
    assert reasons <= {"exited", "killed"}
