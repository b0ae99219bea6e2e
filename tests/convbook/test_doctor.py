import sys

import pytest

from convbook import doctor


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["convbook", *arguments])
    doctor.main()


def test_a_whole_machine_is_told_so(monkeypatch, capsys):
    run(monkeypatch, "doctor")
    report = capsys.readouterr().out
    assert "This machine can run" in report
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in report
    assert "training runs on the" in report


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, capsys):
    there = doctor.version_of
    monkeypatch.setattr(doctor, "version_of", lambda name: None if name == "anywidget" else there(name))
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "doctor")
    assert end.value.code
    assert "✗ anywidget is missing (demos). Install it with: pip install anywidget" in capsys.readouterr().out


def test_a_useful_package_may_be_missing(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "version_of", lambda name: None if name in doctor.USEFUL else "1.0")
    run(monkeypatch, "doctor")
    assert "nbgrader is missing" in capsys.readouterr().out


def test_another_word_gets_the_usage(monkeypatch):
    with pytest.raises(SystemExit, match="usage: convbook doctor"):
        run(monkeypatch, "surgeon")
