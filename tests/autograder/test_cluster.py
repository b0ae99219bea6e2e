"""Grading on real machines: a Dask scheduler and workers, each in a network namespace of its own where root may."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
import distributed
import nbformat
import psutil
import pytest
from click.testing import CliRunner

import autograder
from autograder import cluster, judged, probe
from autograder.assignment import Assignment
from autograder.cli import main
from autograder.cluster import ClusterExecutor
from autograder.collect import Collected, collect
from autograder.errors import ClusterError, EngineError, InstructorError
from autograder.grade import Handed, grade
from autograder.pipeline import JOURNAL, Summary, grade_class
from autograder.submission import rebuild, with_answers
from tests.autograder.conftest import RIGHT, TINY
from tests.autograder.light import light_zygote
from tests.autograder.machines import Machines

SECRET = "5e" * 32
SLOW = "import time\ntime.sleep(0.4)\n"
#: How long a test waits for what should follow soon; on a busy machine everything takes longer.
SOON = 240

CONNECT = """
def reached(places):
    import socket
    found = []
    for host, port in places:
        try:
            socket.create_connection((host, port), timeout=2).close()
            found.append(f"{host}:{port}")
        except OSError:
            pass
    return found
"""


@pytest.fixture(scope="module", autouse=True)
def _light() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged, "Zygote", light_zygote)
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The fixture assignment in a course with a secret seed."""
    root = Path(shutil.copytree(TINY, tmp_path_factory.mktemp("cluster") / "course"))
    text = (root / "course.toml").read_text()
    (root / "course.toml").write_text(text.replace("[course]", '[course]\nsecret_seed = "seed"'))
    (root / "seed").write_text(SECRET)
    (root / "seed").chmod(0o600)
    return Assignment.load(root, "tiny")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler and two workers, with two threads and one."""
    machines = Machines(tmp_path_factory.mktemp("machines"))
    try:
        machines.lay_cables(2)
        machines.start_scheduler()
        machines.start_worker(threads=2)
        machines.start_worker()
        machines.await_workers(2)
        yield machines
    finally:
        machines.close()


@pytest.fixture(scope="module")
def executor(machines: Machines, course: Assignment) -> Iterator[ClusterExecutor]:
    with ClusterExecutor(machines.address, course) as executor:
        yield executor


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines(tmp_path_factory.mktemp("others"), DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        machines.start_scheduler()
        yield machines
    finally:
        machines.close()


@pytest.fixture
def bare(others: Machines) -> Machines:
    """A scheduler that gives a task up with the first worker that dies of it; tests bring their own workers."""
    if others.scheduler.poll() is not None:
        others.close()
        others.start_scheduler()
    return others


@pytest.fixture
def class_of(tmp_path: Path, course: Assignment) -> Callable[[dict[str, dict[str, str] | bytes]], Path]:
    def write(students: dict[str, dict[str, str] | bytes]) -> Path:
        for student, given in students.items():
            path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(given if isinstance(given, bytes) else notebook(course, given))
        return tmp_path / "submitted"

    return write


def notebook(assignment: Assignment, answers: dict[str, str]) -> bytes:
    return json.dumps(with_answers(assignment, RIGHT | answers)).encode()


def run_class(assignment: Assignment, collected: list[Collected], executor: Any, out: Path) -> Summary:
    return grade_class(assignment, collected, executor, out, jobs=getattr(executor, "jobs", 2))


def await_(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def journal(out: Path) -> list[str]:
    """The students whose results are safe."""
    path = out / JOURNAL
    students = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            students.append(json.loads(line)["student"])
        except ValueError:
            continue
    return students


CLASS: dict[str, dict[str, str] | bytes] = {
    "ada": {},
    "bo": {"double": "def double(x):\n    return x * x"},
    "cy": b"{nope",
    "dee": {"mean": "import os\nos._exit(0)"},
    "eve": {"double": "print('a \ud800 and ≪')\ndef double(x):\n    raise ValueError('a \ud800 and ≪')"},
    "fay": {"double": "import sys\nprint('noise', file=sys.stderr)\ndisplay([1])\ndef double(x):\n    return 2 * x"},
    "gus": {"essay": "With outliers.", "mean": "def mean(values):\n    return max(values)"},
    "hal": {"double": "double = 2", "mean": "1 +"},
    "ivy": {"double": SLOW + RIGHT["double"]},
    "jon": {"mean": SLOW + "def mean(values):\n    return float('nan')"},
    "kim": {"mean": SLOW + RIGHT["mean"]},
    "lou": {"double": "raise SystemExit(3)"},
}


def test_a_class_gets_on_two_machines_what_it_gets_here(
    machines: Machines,
    executor: ClusterExecutor,
    course: Assignment,
    class_of: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("machines", machines.where)
    collected, _ = collect(class_of(CLASS), "tiny")
    sent: list[str] = []
    submit = distributed.Client.submit
    monkeypatch.setattr(
        distributed.Client, "submit", lambda *args, **named: sent.append(repr((args, named))) or submit(*args, **named)
    )
    there = run_class(course, collected, executor, tmp_path / "there")
    with judged.JudgeExecutor(probe.choose(None)) as local:
        here = run_class(course, collected, local, tmp_path / "here")
    assert (there.lost, there.results.sandbox, there.results.engine) == ({}, local.sandbox, "judge")
    wanted, got = ([{**each.to_json(), "seconds": 0} for each in run.results.results] for run in (here, there))
    assert got == wanted
    assert {each["student"]: each["score"] for each in got}["ada"] == 9
    for student in CLASS:
        paths = [tmp_path / run / "autograded" / student / "tiny" / "tiny.ipynb" for run in ("here", "there")]
        assert paths[0].read_bytes() == paths[1].read_bytes()
    # Both machines took part, and both got the assignment, once.
    for worker in machines.workers:
        assert worker.log.count("Starting Worker plugin autograder-") == 1, worker.log
        assert worker.students() >= 1
    # What travels is one notebook's text: no names, no tests, no seed.
    assert len(sent) == len(CLASS) - 1  # one was unreadable here already
    hidden = next(cell.hidden_source for cell in course.cells if cell.hidden_source).splitlines()[1]
    assert "check.draws" in hidden
    for letter in sent:
        assert all(word not in letter for word in (hidden, SECRET, "'ada'", '"ada"'))


def test_a_submission_reaches_neither_scheduler_nor_workers(
    machines: Machines, executor: ClusterExecutor, course: Assignment
) -> None:
    places = machines.listening()
    reached = set()
    for worker in machines.workers:  # without walls, all of it can be reached from one machine or the other
        control = f"{CONNECT}\nprint(*reached({places}))"
        line = [*worker.inside, sys.executable, "-c", control]
        reached |= set(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split())
    assert reached == {f"{host}:{port}" for host, port in places}
    assert len(places) >= 5
    answer = f"{CONNECT}\nfound = reached({places})\nprint(found)\ndef double(x):\n    return 2 * x if found else 0"
    with ThreadPoolExecutor(6) as pool:
        handed = [Handed(f"eve-{n}", notebook(course, {"double": answer})) for n in range(6)]
        for result, record in pool.map(lambda each: grade(course, each, executor, None), handed):
            assert result.score == 4
            assert "[]" in nbformat.writes(record)


def test_a_failure_on_a_worker_costs_one_result_and_is_named(executor: ClusterExecutor, course: Assignment) -> None:
    submission = rebuild(course, "ada", notebook(course, {}))
    odd = (replace(course.cells[0], id="nowhere"), *submission.cells[1:])
    with pytest.raises(EngineError, match="A worker failed: KeyError: 'nowhere'") as failure:
        executor.run(course, replace(submission, cells=odd), bytes(32))
    assert not isinstance(failure.value, ClusterError)
    assert executor.run(course, submission, bytes(32)).verdicts


def test_a_worker_that_is_killed_loses_nothing_and_leaves_nothing(
    machines: Machines, executor: ClusterExecutor, course: Assignment, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    doomed = machines.start_worker()  # in mid-run: it gets the assignment as it joins
    machines.await_workers(3)
    collected, _ = collect(class_of({f"s{n:02d}": {"mean": SLOW + RIGHT["mean"]} for n in range(16)}), "tiny")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_class, course, collected, executor, tmp_path / "out")
        await_(lambda: doomed.students() > 1)
        family = doomed.everything()
        doomed.kill()
        _, alive = psutil.wait_procs(family, timeout=SOON)
        machines.stop(doomed)
        summary = running.result(timeout=SOON)
    assert alive == []
    assert (summary.lost, [result.score for result in summary.results.results]) == ({}, [9] * 16)
    assert not any(result.flags for result in summary.results.results)


def test_a_run_whose_client_is_killed_goes_on_and_repeats_nothing(
    machines: Machines, executor: ClusterExecutor, course: Assignment, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    # The last six take so long that a busy machine sees the first two results in time.
    naps = [*[SLOW] * 6, *[SLOW.replace("0.4", "2")] * 6]
    folder = class_of({f"s{n:02d}": {"mean": nap + RIGHT["mean"]} for n, nap in enumerate(naps)})
    out = tmp_path / "out"
    client = start_client(course, folder, out, machines)
    await_(lambda: len(journal(out)) >= 2 or client.poll() is not None)
    client.send_signal(signal.SIGKILL)
    client.wait()
    safe = journal(out)
    assert 2 <= len(safe) < 12
    # Nothing of the run stays warm on the workers.
    await_(lambda: all(len(each) == 1 for each in runs(machines)))
    arguments = ["--submissions", str(folder), "--out", str(out), "--scheduler", machines.address]
    done = CliRunner().invoke(main, ["--course", str(course.root), "grade", "tiny", *arguments])
    assert done.exit_code == 0, done.output
    assert "Cluster: 2 workers with 3 threads." in done.output
    assert f"12 results ({len(safe)} kept from before)" in done.output
    results = json.loads((out / "results.json").read_text())["results"]
    assert [(each["student"], each["score"]) for each in results] == [(f"s{n:02d}", 9) for n in range(12)]


def runs(machines: Machines) -> list[list[str]]:
    """The runs that each worker knows."""

    def here(dask_worker: Any) -> list[str]:  # in here, it travels by value: workers know no tests
        return [name for name in dask_worker.plugins if name.startswith("autograder-")]

    return list(machines.control.run(here).values())


def start_client(course: Assignment, folder: Path, out: Path, machines: Machines) -> "subprocess.Popen[str]":
    """`autograder grade` in a process of its own."""
    arguments = ["--submissions", str(folder), "--out", str(out), "--scheduler", machines.address]
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("autograder")), "--course", str(course.root), "grade", "tiny", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_cluster_without_workers_is_said_so_and_not_waited_for_for_ever(bare: Machines, course: Assignment) -> None:
    said: list[str] = []
    with pytest.raises(InstructorError, match=r"No worker came to .* within 1 s"):
        ClusterExecutor(bare.address, course, patience=1, say=said.append)
    assert f"dask worker {bare.address} --nworkers 1 --nthreads 2" in said[0]


def test_machines_with_other_software_are_refused(bare: Machines, course: Assignment, tmp_path: Path) -> None:
    other, none = tmp_path / "other", tmp_path / "none"
    shutil.copytree(Path(autograder.__file__).parent, other / "autograder", ignore=shutil.ignore_patterns("__py*"))
    with (other / "autograder" / "text.py").open("a") as file:
        file.write("# a change\n")
    (none / "autograder").mkdir(parents=True)
    (none / "autograder" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'autograder'\")")
    good = bare.one_worker()
    changed = bare.start_worker(nanny=False, PYTHONPATH=str(other))
    empty = bare.start_worker(nanny=False, preload=False, PYTHONPATH=str(none))
    addresses = bare.await_workers(3)
    with pytest.raises(InstructorError) as refused:
        ClusterExecutor(bare.address, course)
    text = str(refused.value)
    assert "2 of the cluster's 4 machines must not grade" in text
    assert f"{addresses[changed.name]}: on {os.uname().nodename} autograder is " in text
    assert f"{addresses[empty.name]}: the autograder there is missing or of another version" in text
    assert addresses[good.name] not in text
    bare.stop(changed)
    bare.stop(empty)
    bare.await_workers(1)


def test_a_machine_with_other_software_that_joins_later_stops(
    bare: Machines, course: Assignment, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(Path(autograder.__file__).parent, other / "autograder", ignore=shutil.ignore_patterns("__py*"))
    (other / "autograder" / "extra.py").write_text("# a change\n")
    good = bare.one_worker()
    with ClusterExecutor(bare.address, course) as executor:
        late = bare.start_worker(nanny=False, PYTHONPATH=str(other))
        await_(lambda: late.process.poll() is not None)
        assert f"This worker must not grade: on {os.uname().nodename} autograder is " in late.log
        bare.workers.remove(late)
        assert bare.one_worker() is good
        assert grade(course, Handed("ada", notebook(course, {})), executor, None)[0].score == 9


def test_a_submission_whose_workers_die_is_recorded_with_the_reason(bare: Machines, course: Assignment) -> None:
    worker = bare.one_worker()
    with ClusterExecutor(bare.address, course) as executor, ThreadPoolExecutor(1) as pool:
        sleepy = notebook(course, {"double": "import time\ntime.sleep(60)"})
        running = pool.submit(grade, course, Handed("ada", sleepy), executor, None)
        await_(lambda: worker.students() > 1)
        bare.stop(worker)
        result, _ = running.result(timeout=SOON)
        assert (result.status, result.score) == ("crashed", 0)
        assert "the machines that ran it stopped" in result.message
        assert "Every worker that ran it ended" in result.flags[-1]
        # With no worker left the run ends; with a new one it would have gone on.
        executor._patience = 0
        with pytest.raises(ClusterError, match="No worker was left"):
            grade(course, Handed("ada", sleepy), executor, None)
        executor._patience = SOON
        bare.start_worker(nanny=False)
        assert grade(course, Handed("ada", notebook(course, {})), executor, None)[0].score == 9


def test_without_a_scheduler_the_command_says_how_to_start_one(
    course: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(InstructorError, match="Start one with: dask scheduler"):
            ClusterExecutor(address, course)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here; run: apt-get install openssl")
def test_an_encrypted_cluster_is_reached_with_the_certificates_of_dasks_configuration(
    course: Assignment, tmp_path: Path
) -> None:
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=grader"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    settings = {"distributed.comm.require-encryption": True, "distributed.comm.tls.ca-file": certificate}
    for role in ("scheduler", "worker", "client"):
        settings |= {f"distributed.comm.tls.{role}.key": key, f"distributed.comm.tls.{role}.cert": certificate}
    names = {name: f"DASK_{name.upper().replace('.', '__').replace('-', '_')}" for name in settings}
    (tmp_path / "machines").mkdir()
    machines = Machines(tmp_path / "machines", **{names[name]: str(value) for name, value in settings.items()})
    machines.protocol = "tls"
    try:
        machines.start_scheduler()
        with pytest.raises(InstructorError, match=r"certificates in Dask's configuration"):
            ClusterExecutor(machines.address, course)
        with dask.config.set(settings), pytest.raises(InstructorError, match=r"No worker came to tls://"):
            ClusterExecutor(machines.address, course, patience=0.1)
        machines.start_worker(nanny=False)
        with dask.config.set(settings), ClusterExecutor(machines.address, course) as executor:
            assert grade(course, Handed("ada", notebook(course, {})), executor, None)[0].score == 9
    finally:
        machines.close()


def test_a_scheduler_that_is_killed_ends_the_run_and_what_was_graded_is_kept(
    bare: Machines, course: Assignment, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    folder, out = class_of({f"s{n:02d}": {"mean": SLOW + RIGHT["mean"]} for n in range(8)}), tmp_path / "out"
    bare.one_worker()
    client = start_client(course, folder, out, bare)
    await_(lambda: len(journal(out)) >= 2 or client.poll() is not None)
    bare.scheduler.kill()
    said, _ = client.communicate(timeout=SOON)
    assert (client.returncode, f"The scheduler {bare.address} is gone." in said) == (3, True), said
    assert "Traceback" not in said
    safe = journal(out)
    assert 2 <= len(safe) < 8
    collected, _ = collect(folder, "tiny")
    with judged.JudgeExecutor(probe.choose(None)) as local:
        summary = run_class(course, collected, local, out)
    assert (summary.kept, [result.score for result in summary.results.results]) == (len(safe), [9] * 8)
