"""Runs the judge engine on small assignments, without a sandbox: two forks of this process and their sockets."""

import contextlib
import io
import itertools
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # optimizers import it, which takes seconds; forks find it warm

from autograder import student
from autograder.judge import Judge, compiled
from autograder.names import Cell, plan
from autograder.policy import Limits
from autograder.runner import CellRun, Given, Step
from autograder.wording import by_name

KEY = bytes(32)
LIMITS = Limits(cell_seconds=60, submission_seconds=100, output_kb=64)
PATIENCE_SECONDS = 120
JUDGE_MEMORY = 2 << 30


def cell(kind: str, source: str, id: str = "") -> Given:
    return Given(id or kind, kind, "code", source.strip("\n"))


def fork(child: Callable[[], None], keep: Sequence[int]) -> int:
    """A fork that holds descriptors 0, 1, 2 and `keep`, and no others."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        fences = [2, *sorted(keep), 1 << 20]
        for low, high in itertools.pairwise(fences):
            os.closerange(low + 1, high)
        torch.set_num_threads(1)  # threads of this process do not exist in a fork
        child()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def talk(child: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """Fork a child with one end of a socket pair; our end and its process id."""
    ours, theirs = socket.socketpair()
    pid = fork(lambda: child(theirs), [theirs.fileno()])
    theirs.close()
    return ours, pid


def read_all(sock: socket.socket) -> bytes:
    """Everything that comes until the other end is closed; fails after PATIENCE_SECONDS."""
    end, data = time.monotonic() + PATIENCE_SECONDS, b""
    while True:
        if not select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"The process did not end within {PATIENCE_SECONDS} s.")
        piece = sock.recv(1 << 20)
        if not piece:
            return data
        data += piece


def bury(*pids: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def judged(
    assignment: Sequence[Cell],
    steps: Sequence[Step],
    limits: Limits = LIMITS,
    serve: Callable[[socket.socket, socket.socket], None] = student.serve,
    key: bytes = KEY,
) -> list[CellRun]:
    """What the judge says, with `serve` as the student's process."""
    requests, outputs = socket.socketpair(), socket.socketpair()
    theirs, ours = (requests[0], outputs[0]), (requests[1], outputs[1])
    student_pid = fork(lambda: serve(*theirs), [sock.fileno() for sock in theirs])

    def judge(result: socket.socket) -> None:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + JUDGE_MEMORY,) * 2)
        runs = Judge(
            assignment, *ours, draws_key=key, limits=limits, plan=plan(assignment), tests=compiled(assignment)
        ).run(steps)
        result.sendall(json.dumps([asdict(run) for run in runs]).encode())

    result, theirs_of_judge = socket.socketpair()
    judge_pid = fork(lambda: judge(theirs_of_judge), [sock.fileno() for sock in (*ours, theirs_of_judge)])
    for sock in (*requests, *outputs, theirs_of_judge):
        sock.close()
    try:
        data = read_all(result)
    finally:
        result.close()
        bury(student_pid, judge_pid)
    assert data, "the judge died"
    return [CellRun(**run) for run in json.loads(data)]


def steps_of(assignment: Sequence[Cell], answers: Mapping[str, str]) -> list[Step]:
    """The rebuilt notebook: the assignment's code cells, answers replaced."""
    code = [each for each in assignment if each.cell_type == "code"]
    return [Step(place, each.id, answers.get(each.id, each.source)) for place, each in enumerate(code)]


def verdicts(
    assignment: Sequence[Cell], answers: Mapping[str, str] | None = None, **options: Any
) -> dict[str, CellRun]:
    """The runs of the test cells by id."""
    runs = judged(assignment, steps_of(assignment, answers or {}), **options)
    tests = {each.id for each in assignment if each.kind == "test"}
    return {run.id: run for run in runs if run.id in tests}


def direct(assignment: Sequence[Cell], answers: Mapping[str, str], key: bytes = KEY) -> dict[str, tuple[str, str]]:
    """Status and message of each test when everything runs in one namespace, as in JupyterLab."""

    def child(result: socket.socket) -> None:
        os.environ["CONVBOOK_DRAWS_KEY"] = key.hex()
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        found = {}
        for step in steps_of(assignment, answers):
            kind = next(each.kind for each in assignment if each.id == step.id)
            status, message = "passed", ""
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                try:
                    exec(compile(step.source, f"<{step.id}>", "exec"), main.__dict__)
                except BaseException as error:
                    status, message = by_name("", False, type(error).__name__, str(error), LIMITS.memory_mb)
            if kind == "test":
                found[step.id] = (status, message)
        result.sendall(json.dumps(found).encode())

    sock, pid = talk(child)
    try:
        data = read_all(sock)
    finally:
        sock.close()
        bury(pid)
    return {id: (status, message) for id, (status, message) in json.loads(data).items()}
