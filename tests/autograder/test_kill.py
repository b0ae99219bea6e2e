"""A run that is killed outright, again and again, and started again, loses nothing and repeats nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook

from autograder.assignment import Assignment
from autograder.submission import with_answers

STUDENTS = 30
KILLS = 3


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory, tiny: Assignment) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for number in range(STUDENTS):
        answers = {"double": "def double(x):\n    return 2 * x" if number % 3 else "def double(x):\n    return x * x"}
        notebook = with_answers(tiny, answers)
        path = folder / f"student-{number:02d}" / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return folder


class Run:
    """`autograder grade` in a process of its own, that may be killed.

    Args:
        kill_after: events to wait for.
        seconds: and how long after them; None: it comes to its end.
    """

    def __init__(self, root: Path, submissions: Path, out: Path, kill_after: int = 0, seconds: float | None = None):
        command = [sys.executable, "-m", "autograder", "--course", root, "grade", "tiny", "--json-lines", "--jobs", "2"]
        command += ["--submissions", submissions, "--out", out]
        self.events: list[dict[str, Any]] = []
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.events.append(json.loads(line))
                done = sum(event["event"] == "graded" for event in self.events)
                if seconds is not None and done >= kill_after:
                    time.sleep(seconds)
                    break
            family = psutil.Process(process.pid).children(recursive=True) if seconds is not None else []
            if seconds is not None:
                os.kill(process.pid, signal.SIGKILL)
            self.events += [json.loads(line) for line in process.stdout if line.endswith("\n")]
        _, self.left = psutil.wait_procs(family, timeout=20)

    def graded(self) -> list[str]:
        return [event["student"] for event in self.events if event["event"] == "graded"]


def results(out: Path) -> list[dict[str, Any]]:
    found = json.loads((out / "results.json").read_text())["results"]
    return [{key: value for key, value in result.items() if key != "seconds"} for result in found]


def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(
    tiny: Assignment, submissions: Path, tmp_path: Path
) -> None:
    rng = random.Random(7)
    whole, out = tmp_path / "whole", tmp_path / "out"
    Run(tiny.root, submissions, whole)
    runs = []
    for _ in range(KILLS):
        runs.append(Run(tiny.root, submissions, out, kill_after=rng.randrange(1, 4), seconds=rng.uniform(0, 0.2)))
        assert runs[-1].left == []
        assert not (out / "results.json").exists()
    runs.append(Run(tiny.root, submissions, out))
    graded = [student for run in runs for student in run.graded()]
    assert len(graded) == len(set(graded))
    before = set(runs[0].graded()) | set(runs[1].graded()) | set(runs[2].graded())
    assert before <= {event["student"] for event in runs[-1].events if event["event"] == "kept"}
    assert results(out) == results(whole)
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "tiny-course") as book:
        scores = {each["student"]: each["score"] for each in book.submission_dicts("tiny")}
    assert scores == {result["student"]: result["score"] for result in results(whole)}
    assert len(list((out / "feedback").glob("*/tiny.html"))) == STUDENTS
