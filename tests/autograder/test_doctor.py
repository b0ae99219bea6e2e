"""The report on this machine, and the advice for others."""

import os
import subprocess
import sys

import pytest

from autograder import doctor, probe
from autograder.errors import SandboxError
from autograder.probe import Probe

REFUSED = Probe("userns", False, "Operation not permitted")


def test_the_level_is_the_strongest_that_the_probe_found():
    found = doctor.report()
    assert found.level == probe.strongest().level
    assert found.safe


def test_every_check_that_is_not_well_says_what_to_do():
    for check in doctor.report().checks:
        assert check.found
        assert check.ok or check.advice or check.name.startswith("sandbox"), check


def test_room_scratch_space_gpu_and_programs_are_looked_at():
    names = {check.name for check in doctor.report().checks}
    assert {"machine", "sandbox", "memory limit", "room", "scratch space", "GPU", "torch", "nbgrader"} <= names


def test_looking_does_not_load_torch():
    program = "import sys, autograder.doctor as d; d.report(); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_looking_leaves_no_cgroup_and_no_process():
    doctor.report()
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True)
    assert "forkserver" not in children.stdout


@pytest.mark.parametrize(
    ("setting", "value", "command"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ],
)
def test_a_setting_that_forbids_user_namespaces_comes_with_its_command(setting, value, command):
    assert f"sudo sysctl {command}" in doctor.advice(REFUSED, {setting: value}, in_container=False)
    assert doctor.advice(REFUSED, {setting: "" if value == "1" else "1"}, in_container=False) == ""


def test_in_a_container_the_advice_is_about_the_container():
    assert "docker run --security-opt" in doctor.advice(REFUSED, {}, in_container=True)
    assert "--privileged" in doctor.advice(Probe("namespaces", False, "refused"), {}, in_container=True)


# A machine without a sandbox


@pytest.fixture
def bare(monkeypatch):
    monkeypatch.setattr(probe, "probe", lambda level: Probe(level, False, "refused here"))


def test_without_a_sandbox_the_machine_is_not_safe_and_grading_is_refused(bare):
    found = doctor.report()
    assert not found.safe
    assert [check.found for check in found.checks if check.name == "sandbox userns"] == ["refused here"]
    with pytest.raises(SandboxError, match="--sandbox none"):
        probe.choose(None)
    with pytest.raises(SandboxError, match="landlock does not work on this machine: refused here"):
        probe.choose("landlock")


def test_no_sandbox_is_used_only_when_asked_for(bare):
    assert probe.choose("none") == "none"


def test_levels_weaker_than_the_one_that_works_are_not_tried(monkeypatch):
    tried = []
    monkeypatch.setattr(probe, "probe", lambda level: tried.append(level) or Probe(level, level == "userns"))
    assert probe.choose(None) == "userns"
    assert set(tried) == {"namespaces", "userns"}


def test_a_level_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(SandboxError, match="namespaces, userns, landlock or none"):
        probe.choose("trusted")


def test_a_weaker_level_can_be_asked_for():
    for found in probe.probe_all():
        if found.available:
            assert probe.choose(found.level) == found.level


def test_a_stronger_level_without_rights_is_named_with_its_reason(monkeypatch):
    monkeypatch.setattr(
        doctor,
        "probe_all",
        lambda: (Probe("namespaces", False, "only root can use it"), Probe("userns", True)),
    )
    checks = {check.name: check for check in doctor.report().checks}
    assert checks["sandbox"].found.startswith("userns")
    assert checks["sandbox namespaces"].found == "only root can use it"
    assert checks["sandbox namespaces"].ok
    assert "sandbox landlock" not in checks
