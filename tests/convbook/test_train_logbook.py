"""Logs of longer trainings: what a chapter reads of them, here and where nothing but the package is installed."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convbook.data import places
from convbook.train import History, curves, logbook, logged

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in logbook.FOLDER.glob("*.json"))
RUNS = [name for name in NAMES if not name.startswith("transfer-")]


def run(network: str, seed: int, accuracy: float) -> dict:
    history = History(layers=["fc"])
    history.points.append({"step": 1, "epoch": 1.0, "loss": 2.0, "accuracy": 0.2, "gradient": 1.0, "layers": [1.0]})
    history.rows.append({"epoch": 1, "loss": 2.0, "accuracy": 0.2, "rate": 0.1, "seconds": 2.0})
    figures = {"network": network, "seed": seed, "seconds": 2.0, "test accuracy": accuracy}
    return figures | {"curves": {"rows": history.rows, "points": history.points, "layers": history.layers}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    contents = {"about": "Bars", "size": "CPU, smaller: 1 epochs, not 9", "device": "A chip", "threads": 1}
    contents["recipe"] = {"pictures": {"to train": 11_000, "held out": 1_000, "to test": 500}}
    runs = [run("flat", 0, 0.5), run("deep", 0, 0.6), run("flat", 1, 0.7), run("deep", 1, 0.8)]
    contents["runs"] = {f"{each['network']}, seed {each['seed']}": each for each in runs}
    (tmp_path / "bars-laptop.json").write_text(json.dumps(contents))
    (tmp_path / "transfer-bars.json").write_text(json.dumps({"accuracies": []}))
    monkeypatch.setattr(logbook, "FOLDER", tmp_path)
    monkeypatch.setattr(places, "_said", set())
    return tmp_path


def test_a_log_says_once_what_it_was_measured_on_and_how_large(folder, capsys):
    logged("bars-laptop")
    logged("bars-laptop")
    said = (
        "Log bars-laptop: Bars. CPU, smaller: 1 epochs, not 9. Pictures: 11,000 to train, 1,000 held out, 500 to test. "
        "4 runs, 8 s on A chip, 1 thread.\n"
    )
    assert capsys.readouterr().out == said


def test_its_curves_are_histories_and_its_figures_go_by_network_and_seed(folder):
    log = logged("bars-laptop")
    assert list(log.histories) == ["flat, seed 0", "deep, seed 0", "flat, seed 1", "deep, seed 1"]
    assert log.histories["deep, seed 1"]["loss"] == [2.0] and len(curves(log.histories).words) == 4
    assert log.figures() == {"flat": [0.5, 0.7], "deep": [0.6, 0.8]}
    assert log.figures("seconds") == {"flat": [2.0, 2.0], "deep": [2.0, 2.0]}
    with pytest.raises(KeyError, match=r"no 'speed' of every run; there are: seconds, test accuracy"):
        log.figures("speed")


def test_a_log_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(
        ValueError, match=r"no log 'ghost'\. This version of convbook has: bars-laptop, transfer-bars\."
    ):
        logged("ghost")
    with pytest.raises(ValueError, match=r"transfer-bars\.json holds no runs with curves"):
        logged("transfer-bars")


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_log_names_its_command_device_seeds_versions_and_seconds(name):
    log = json.loads((logbook.FOLDER / f"{name}.json").read_text())
    assert log["command"].startswith("python tools/") and log["device"] and log["versions"]["torch"]
    runs = log.get("runs", {"all": log})
    assert all(each["seconds"] > 0 for each in runs.values())
    assert {each["seed"] for each in runs.values()} == {0, 1, 2} if "runs" in log else len(log["seeds"]) > 2


@pytest.mark.parametrize("name", RUNS)
def test_a_committed_log_of_a_laptops_size_says_so_and_can_be_drawn(name):
    log = logged(name)
    assert name.endswith("-full") or log.contents["size"].startswith("CPU, smaller: ")
    recipe, histories = log.contents["recipe"], log.histories.values()
    assert all(len(history) == recipe["epochs"] for history in histories)
    # Steps were counted while it trained, so they know how many pictures there were.
    steps = recipe["epochs"] * math.ceil(recipe["pictures"]["to train"] / recipe["batch"])
    assert {history.points[-1]["step"] for history in histories} == {steps}
    assert curves(log.histories).words


def test_an_installed_package_has_the_logs_and_reads_them_with_nothing_else_around(tmp_path):
    """As in Colab, which installs the package without the repository, and keeps the versions that it has."""
    source, target = tmp_path / "source", tmp_path / "target"  # a copy, since a build leaves files beside its sources
    shutil.copytree(ROOT / "convbook", source / "convbook", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, timeout=300)
    (about,) = target.glob("convbook-*.dist-info/METADATA")
    asked = [
        line for line in about.read_text().splitlines() if line.startswith("Requires-Dist:") and "extra" not in line
    ]
    assert asked and all(re.fullmatch(r"Requires-Dist: (?!torch)[a-z]+>=[\d.]+", line) for line in asked), asked
    files = [path for path in target.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    assert not {"tests", "book", "solutions", "tools"} & {path.relative_to(target).parts[0] for path in files}
    code = (
        "import convbook; from convbook.train import logbook, logged\n"
        "print(convbook.__file__, *sorted(path.name for path in logbook.FOLDER.glob('*')))\n"
        "log = logged('activations-laptop'); print(len(log.histories['relu, seed 0']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    first, said, epochs = done.stdout.splitlines()
    assert first.split() == [str(target / "convbook" / "__init__.py"), *(f"{name}.json" for name in NAMES)]
    assert said.startswith("Log activations-laptop: Chapter 03") and int(epochs) >= 3
