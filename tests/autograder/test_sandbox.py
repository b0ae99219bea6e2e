"""The sandbox attacked from inside, at every level that this machine offers."""

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.policy import SANDBOXES, Limits
from autograder.probe import probe_all
from autograder.zygote import Exit, Zygote

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SMALL = Limits(submission_seconds=90, memory_mb=128, processes=16, disk_mb=16)
LIMIT_REASONS = ("memory", "processes", "disk")
ORDINARY = "CONVBOOK_TEST_AS_NOBODY"


@pytest.fixture(params=SANDBOXES)
def level(request):
    found = {probe.level: probe for probe in probe_all()}[request.param]
    if not found.available:
        pytest.skip(f"{found.level}: {found.reason}")
    return found.level


@pytest.fixture(scope="module")
def zygote():
    with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]) as started:
        yield started


@pytest.fixture
def bystander():
    """A process of the same user that nothing inside may touch."""
    process = subprocess.Popen(["sleep", "60"], cwd="/")
    yield process
    assert process.poll() is None, "a process outside the sandbox was killed"
    process.kill()
    process.wait()


class Attack:
    """One attack under way: what it wrote so far, how it ended, whether anything of it still lives."""

    def __init__(self, zygote, name, level, limits=SMALL, **job):
        self.reading, writing = os.pipe()
        job = {"attack": name, **job}
        self.child = zygote.spawn("attack", job, fds=[writing], level=level, limits=limits, stderr=2)
        os.close(writing)
        self.output = b""

    def wait(self) -> Exit:
        end = self.child.wait(timeout=120)
        while self._readable(30):
            data = os.read(self.reading, 1 << 16)
            if not data:
                os.close(self.reading)
                return end
            self.output += data
        raise AssertionError("a process of the submission still lives: it holds the pipe open")

    def read_some(self) -> bytes:
        assert self._readable(20)
        return os.read(self.reading, 1 << 16)

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self.reading], [], [], seconds)[0])

    @property
    def steps(self) -> int:
        return self.output.partition(b"{")[0].count(b".")


def result(zygote, name, level, limits=SMALL, **job):
    """What an attack that returns has achieved."""
    attack = Attack(zygote, name, level, limits, **job)
    end = attack.wait()
    assert (end.reason, end.code) == ("exited", 0), end
    return json.loads(attack.output)["result"]


@pytest.fixture
def canary(tmp_path):
    """Stands for the gradebook, a solution, the seed: its modes let everybody in, so only the walls keep it."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o777)
    path = folder / "canary"
    path.write_text("secret")
    path.chmod(0o666)
    yield path
    shutil.rmtree(folder)


def test_the_strongest_level_of_this_machine_is_tested():
    assert any(probe.available for probe in probe_all()), [probe.reason for probe in probe_all()]


# Reaching out


def test_no_network_no_loopback_no_socket_of_others(zygote, level, canary):
    name, file = f"convbook-test-{os.getpid()}", str(canary.with_name("socket"))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0" + name)
        abstract.listen()
        with socket.socket(socket.AF_UNIX) as named:
            named.bind(file)
            named.listen()
            Path(file).chmod(0o777)
            port = server.getsockname()[1]
            reached = result(zygote, "reach_network", level, port=port, abstract=name, socket_file=file)
            # The same attack outside: it does reach all of these, so the walls are what stops it.
            open_air = result(zygote, "reach_network", "none", port=port, abstract=name, socket_file=file)
    assert reached == []
    assert {"loopback", "abstract socket", "socket file"} <= set(open_air)


def test_no_file_outside_can_be_read_written_or_listed(zygote, level, canary):
    before = canary.stat()
    reached = result(zygote, "reach_files", level, canary=str(canary), pid=os.getpid(), root=str(ROOT), walls=True)
    assert reached == []
    assert canary.read_text() == "secret"
    assert sorted(canary.parent.iterdir()) == [canary]
    assert canary.stat() == before or canary.stat().st_mtime == before.st_mtime


def test_the_same_files_are_open_without_walls(zygote, canary):
    reached = result(zygote, "reach_files", "none", canary=str(canary), pid=os.getpid(), walls=False)
    assert {"read", "read through a link", "list", "write"} <= set(reached)


def test_modes_times_and_attributes_of_files_outside_stay(zygote, level, canary):
    before = canary.stat()
    result(zygote, "change_attributes", level, canary=str(canary))
    after = canary.stat()
    assert (after.st_mode, after.st_mtime, after.st_ctime) == (before.st_mode, before.st_mtime, before.st_ctime)


def test_a_secret_in_the_graders_environment_or_command_line_is_not_seen(level, monkeypatch):
    word = f"secret-{os.urandom(8).hex()}"
    monkeypatch.setenv("CONVBOOK_SECRET", word)
    holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", word])
    try:
        with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]) as fresh:
            assert result(fresh, "find_secrets", level, word=word, pid=holder.pid) == []
            assert result(fresh, "find_secrets", "none", word=word, pid=holder.pid) != []
    finally:
        holder.kill()
        holder.wait()


def test_only_the_descriptors_that_were_passed_are_open(zygote, level):
    secret = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        assert result(zygote, "open_descriptors", level) == []
    finally:
        os.close(secret)


def test_no_process_outside_can_be_killed_traced_read_or_limited(zygote, level, bystander):
    pids = [bystander.pid, zygote.pid]
    assert result(zygote, "reach_processes", level, pids=pids, limits=SMALL) in ([], ["everybody"])
    assert bystander.poll() is None
    assert result(zygote, "open_descriptors", level) == []  # the zygote still serves


def test_no_rights_can_be_gained(zygote, level):
    got = result(zygote, "gain_rights", level)
    assert got == {"capabilities": [0] * 4, "no new privileges": "1", "filtered": "2", "achieved": []}


def test_dangerous_system_calls_are_refused(zygote, level):
    errnos = result(zygote, "make_denied_calls", level)
    no_such_call = {name: errnos.pop(name) for name in ("newer than the table", "x32", "clone3")}
    assert set(no_such_call.values()) == {errno.ENOSYS}
    assert {name for name, value in errnos.items() if value != errno.EPERM} == set()


def test_a_submission_sees_nothing_of_one_that_runs_beside_it(zygote, level):
    word = os.urandom(8).hex()
    first = Attack(zygote, "keep_a_secret", level, word=word)
    path = first.read_some().decode().strip()
    reached = result(zygote, "reach_files", level, canary=path, pid=1, root=str(ROOT), walls=True)
    assert "read" not in reached
    assert result(zygote, "find_secrets", level, word=word, pid=zygote.pid) == []
    first.child.kill()
    assert first.wait().reason == "killed"


# Using too much


@pytest.mark.parametrize("attack", ["fork_bomb", "thread_bomb"])
def test_processes_and_threads_are_capped(zygote, level, attack):
    bomb = Attack(zygote, attack, level)
    end = bomb.wait()
    assert end.reason == "processes" or bomb.steps < SMALL.processes, (end, bomb.steps)


@pytest.mark.parametrize("attack", ["private_memory", "shared_memory", "memory_files", "memory_of_many"])
def test_memory_is_capped(zygote, level, attack):
    bomb = Attack(zygote, attack, level)
    end = bomb.wait()
    stopped_by_kernel = bomb.steps * 8 <= SMALL.memory_mb + 64 + 256  # slack of the cgroup, of the address space
    assert end.reason == "memory" or (stopped_by_kernel and bomb.steps < 50), (end, bomb.steps)


def test_disk_use_is_capped_in_sum(zygote, level):
    bomb = Attack(zygote, "fill_disk", level)
    end = bomb.wait()
    assert end.reason in ("disk", "memory") or bomb.steps * 2 <= SMALL.disk_mb, (end, bomb.steps)


def test_the_number_of_files_is_capped(zygote, level):
    bomb = Attack(zygote, "fill_inodes", level)
    end = bomb.wait()
    assert end.reason == "disk" or bomb.steps < 105, (end, bomb.steps)


def test_one_file_is_capped(zygote, level):
    bomb = Attack(zygote, "one_big_file", level)
    bomb.wait()
    assert bomb.steps * 2 <= SMALL.disk_mb


@pytest.mark.parametrize("attack", ["ignore_signals", "sleep"])
def test_time_is_limited_whatever_signals_are_ignored(zygote, level, attack):
    end = Attack(zygote, attack, level, Limits(submission_seconds=1)).wait()
    assert end.reason in ("wall", "cpu")
    assert end.signal == signal.SIGKILL


# Outliving


def test_a_daemon_does_not_survive_its_submission(zygote, level):
    assert result(zygote, "leave_a_daemon", level) == "left"  # and Attack.wait saw the pipe close


def test_everything_dies_with_the_zygote(level):
    with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]) as fresh:
        clinging = Attack(fresh, "cling_to_life", level)
        clinging.read_some()
        os.kill(fresh.pid, signal.SIGKILL)
        assert clinging.wait().reason == "zygote"


def test_nothing_is_left_on_the_machine(level):
    groups = Path("/sys/fs/cgroup")
    name = f"convbook-left-{os.urandom(4).hex()}"
    with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]) as fresh:
        assert result(fresh, "leave_shared_memory", level, file=name) == "left"
        pid = fresh.pid
    assert not list(Path("/dev/shm").glob(name))
    assert not list(groups.rglob(f"autograder-{pid}"))
    assert not list(Path(tempfile.gettempdir()).glob(f"autograder-*/*/{name}"))


def test_what_a_killed_zygote_left_is_removed_by_the_next(level):
    name = f"convbook-left-{os.urandom(4).hex()}"
    with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]) as fresh:
        attack = Attack(fresh, "leave_file_and_sleep", level, file=name)
        attack.read_some()
        os.kill(fresh.pid, signal.SIGKILL)
        assert attack.wait().reason == "zygote"
        pid = fresh.pid
    with Zygote(preload=[], targets={"attack": "sandbox_attacks:run"}, path=[HERE]):
        assert not list(Path(tempfile.gettempdir()).glob(f"autograder-*/*/{name}"))
        assert not list(Path("/sys/fs/cgroup").rglob(f"autograder-{pid}"))


# Ending: the reason is right, whatever the end


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        ("exit_at_once", {("exited", 7, None)}),
        ("abort", {("signal", None, signal.SIGABRT), ("signal", None, signal.SIGSEGV)}),
        ("segfault", {("signal", None, signal.SIGSEGV)}),
        ("recurse_in_c", {("signal", None, signal.SIGSEGV), ("exited", 1, None)}),
        ("raise_error", {("exited", 1, None)}),
    ],
)
def test_every_end_has_its_reason(zygote, level, attack, expected):
    end = Attack(zygote, attack, level).wait()
    assert (end.reason, end.code, end.signal) in expected


# What must keep working


def test_everyday_work_succeeds(zygote, level):
    assert result(zygote, "everyday_work", level, Limits(), own_devices=level != "landlock") == {
        "temporary file": "kept",
        "home": True,
        "command": "42\n",
        "python": "42\n",
        "library": [0.0, 0.0, 0],
        "source": True,
        "database": [42],
        "threads": [1, 2],
        "processes": [1, 2],
        "package": True,
        "terminal": level != "landlock",
        "main": [],
    }


@pytest.fixture(scope="module")
def torch_zygote():
    with Zygote(
        preload=["torch", "matplotlib.pyplot"], targets={"attack": "sandbox_attacks:run"}, path=[HERE]
    ) as started:
        yield started


def test_training_with_loader_workers_plots_and_saving_work(torch_zygote, level):
    first = result(torch_zygote, "train", level, Limits())
    second = result(torch_zygote, "train", level, Limits())
    assert first["falls"] and first["plot"] and first["saved"]
    for one, other in zip(first["draws"], second["draws"], strict=True):
        assert one != other, "two submissions share a stream of random numbers"


# Other users


@pytest.mark.skipif(os.getuid() != 0 or ORDINARY in os.environ, reason="only root can become another user")
@pytest.mark.parametrize(
    ("user", "which"), [("nobody", "landlock or userns and not training"), ("root", "landlock and not training")]
)
def test_the_walls_stand_for_other_users_too(user, which):
    """This whole file once more, as an ordinary user; and as root at the level that it would not choose itself."""
    home = tempfile.mkdtemp(dir="/var/tmp")
    pytest_command = [sys.executable, "-m", "pytest", Path(__file__), "-k", which, "-p", "no:cacheprovider", "-rs"]
    try:
        run = subprocess.run(
            [sys.executable, HERE / "other_user.py", user, home, *pytest_command],
            cwd=ROOT,
            env={**os.environ, ORDINARY: "1"},
            capture_output=True,
            text=True,
            timeout=900,
        )
    finally:
        shutil.rmtree(home)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "passed" in run.stdout
