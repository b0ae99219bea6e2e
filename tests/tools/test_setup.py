"""The set-up's own decisions; that it installs is proven by every `make test` on a clean clone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup():
    return load("tools/setup.py")


def test_an_unprivileged_user_is_told_the_command(setup, monkeypatch):
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="sudo apt-get install -y chromium"):
        setup.install_system_package("chromium")


def test_nothing_is_installed_twice(setup, monkeypatch, tmp_path):
    monkeypatch.setattr(setup, "STAMP", tmp_path / "stamp")
    setup.STAMP.write_text(setup.hash_inputs())
    monkeypatch.setattr(setup, "make_venv", lambda: pytest.fail("the stamp was ignored"))
    monkeypatch.setattr(setup.sys, "argv", ["setup.py"])
    setup.main()


def test_a_changed_pin_changes_the_stamp(setup, monkeypatch, tmp_path):
    for name in setup.INPUTS:
        (tmp_path / name).write_text("torch==1\n")
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    before = setup.hash_inputs()
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    assert setup.hash_inputs() != before


def test_every_requirement_is_pinned_exactly():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "# "]
    assert len(lines) > 100
    assert [line for line in lines if "==" not in line] == []


def test_a_step_says_its_time_and_keeps_its_log(tmp_path):
    done = step("hello", "a greeting", sys.executable, "-c", "print('inside')")
    assert done.returncode == 0
    assert done.stdout.startswith("hello")
    assert "a greeting" in done.stdout
    assert "inside" not in done.stdout


def test_a_failed_step_shows_its_output_and_fails():
    done = step("sorry", "nothing", sys.executable, "-c", "print('the reason'); raise SystemExit(3)")
    assert done.returncode != 0
    assert "the reason" in done.stdout
    assert "sorry failed" in done.stderr


def step(name: str, leaves: str, *command: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(ROOT / "tools" / "step.py"), name, leaves, "--", *command]
    return subprocess.run(script, capture_output=True, text=True, check=False)


def test_what_only_some_tests_need_is_named_and_missed_by_nobody_else(setup, monkeypatch, capsys):
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    setup.install_system_package("initdb")
    assert "sudo apt-get install -y postgresql" in capsys.readouterr().out


def test_a_servers_programs_are_found_off_the_path(setup):
    assert setup.is_there("sh")
    assert not setup.is_there("no-such-program")
