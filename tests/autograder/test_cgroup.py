"""Control groups of both generations: where one is made, what is written, what is read back."""

import signal
import subprocess
from pathlib import Path

import pytest

from autograder.cgroup import WARM_COPIES, Cgroup, _candidates, make_tree
from autograder.policy import Limits

LIMITS = Limits(memory_mb=100, processes=7)
MEMORY = str((100 << 20) + WARM_COPIES)


def mounts(*lines):
    return [line.split(" - ") for line in lines]


def test_version_1_starts_under_our_own_groups():
    found = _candidates(
        mounts(
            "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
            "31 25 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids",
            "32 25 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
        ),
        [["4", "memory", "/jobs/7"], ["8", "pids", "/"]],
    )
    top = Path("/sys/fs/cgroup")
    assert found == [(1, (top / "memory/jobs/7", top / "pids")), (1, (top / "memory", top / "pids"))]


def test_version_2_uses_the_top_group_and_only_with_a_memory_controller(tmp_path):
    mounted = mounts(f"30 25 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate")
    assert _candidates(mounted, [["0", "", "/user.slice"]]) == []
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    assert _candidates(mounted, [["0", "", "/user.slice"]]) == [(2, (tmp_path,))]


def test_version_2_limits_memory_swap_and_processes_and_kills_the_group_as_one(tmp_path):
    Cgroup(2, (tmp_path,)).limit(LIMITS)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {"memory.max": MEMORY, "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "7"}


def test_version_1_limits_each_controller_in_its_own_tree(tmp_path):
    memory, pids = tmp_path / "memory", tmp_path / "pids"
    memory.mkdir()
    pids.mkdir()
    (memory / "memory.limit_in_bytes").touch()
    Cgroup(1, (memory, pids)).limit(LIMITS)
    assert (memory / "memory.limit_in_bytes").read_text() == MEMORY
    assert (pids / "pids.max").read_text() == "7"
    assert not (memory / "pids.max").exists()


@pytest.mark.parametrize("name", ["memory.events", "memory.oom_control"])
def test_a_kill_for_memory_is_read_from_either_generation(tmp_path, name):
    group = Cgroup(2, (tmp_path,))
    assert not group.ran_out_of_memory()
    (tmp_path / name).write_text("low 0\nunder_oom 0\noom_kill 0\n")
    assert not group.ran_out_of_memory()
    (tmp_path / name).write_text("low 0\nunder_oom 0\noom_kill 1\n")
    assert group.ran_out_of_memory()


def test_a_real_group_is_made_holds_a_process_and_is_removed():
    tree = make_tree()
    if tree is None:
        pytest.skip("this user may not make a cgroup here")
    try:
        group = tree.make("held", LIMITS)
        sleeper = subprocess.Popen(["sleep", "60"], preexec_fn=group.join)
        for folder in group.folders:
            assert (folder / "cgroup.procs").read_text().split() == [str(sleeper.pid)]
        group.remove()
        assert sleeper.wait(10) == -signal.SIGKILL
        assert not any(folder.exists() for folder in group.folders)
    finally:
        tree.remove()
    assert not any(folder.exists() for folder in tree.group.folders)
