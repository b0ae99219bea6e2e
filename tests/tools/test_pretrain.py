"""The weights that come with convbook: made by one command, the same every time, as good as their log says."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from convbook import pretrained
from convbook.data import LETTERS, batches, letters
from convbook.pretrained import printed
from convbook.train import History, curves, evaluate

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = ["--letters", "520", "--epochs", "2"]


@pytest.fixture
def pretrain(tool, monkeypatch):
    module = tool("pretrain")
    monkeypatch.setattr(module, "TEST", 104)
    return module


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(pretrain, tmp_path):
    made = {}
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        torch.rand(7)  # what was drawn before does not matter
        pretrain.main([*SMALL, "--seed", str(seed), "--out", str(tmp_path / name)])
        made[name] = (tmp_path / name / printed.WEIGHTS).read_bytes()
    assert made["one"] == made["again"] != made["other"]
    one, again = (json.loads((tmp_path / name / printed.LOG).read_text()) for name in ("one", "again"))
    assert one["weights"] == again["weights"] and one["accuracy"] == again["accuracy"]
    assert one["weights"]["sha256"] == hashlib.sha256(made["one"]).hexdigest()
    assert one["seed"] == 3 and torch.__version__.startswith(one["versions"]["torch"])
    assert [row["epoch"] for row in one["curves"]["rows"]] == [1, 2]
    assert (tmp_path / "one" / printed.WEIGHTS).stat().st_mode & 0o044  # all may read what is installed for all


def test_an_epoch_can_be_entered_in_its_middle_and_has_letters_of_its_own(pretrain):
    source = pretrain.FreshLetters(300, seed=1)
    whole = list(source.epoch(2))
    assert len(whole) == len(source) == 3
    for got, expected in zip(source.epoch(2, first=1), whole[1:], strict=True):
        assert torch.equal(got[0], expected[0]) and torch.equal(got[1], expected[1])
    assert not torch.equal(next(source.epoch(3))[0], whole[0][0])


def test_the_shipped_file_is_small_and_is_the_one_that_its_log_describes():
    path = printed.ASSETS / printed.WEIGHTS
    told = printed.log()
    assert path.stat().st_size == told["weights"]["bytes"] < 2_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["weights"]["sha256"]
    assert told["command"] == "python tools/pretrain.py" and told["seed"] == 0
    with safe_open(path, "pt") as file:
        names = {name for name in file.keys() if "num_batches" not in name and "running" not in name}  # noqa: SIM118
        assert sum(file.get_tensor(name).numel() for name in names) == told["weights"]["parameters"] == 313_492
    assert "license" in (printed.ASSETS / "README.md").read_text().lower()


def test_the_shipped_weights_read_letters_in_unseen_fonts_as_well_as_their_log_says():
    network = pretrained.letters()
    drawn = letters("test", 2_600, seed=20261121)  # none of them in the log
    found = evaluate(network, batches(drawn, 650))["accuracy"]
    assert found == pytest.approx(printed.log()["accuracy"], abs=0.015)
    assert found > 0.95 > 40 / len(LETTERS)


def test_the_logs_curves_are_a_history_that_can_be_drawn():
    history = History(**printed.log()["curves"])
    assert history["validation_accuracy"][-1] > history["validation_accuracy"][0]
    assert "letters" in " ".join(curves({"letters": history}).words)


def test_a_long_curve_is_thinned_and_keeps_its_end(tool):
    logs = tool("logs")
    points = [{"step": step, "loss": 1 / 3, "layers": [0.1]} for step in range(1, 1_002)]
    kept = logs.curve(History([], points, ["fc"]))["points"]
    assert len(kept) <= logs.POINTS and kept[-1] == {"step": 1_001, "loss": 0.33333, "layers": [0.1]}
    assert all("layers" not in point for point in kept[:-1])


def test_a_log_is_plain_json_with_a_line_a_row(tool, tmp_path):
    logs = tool("logs")
    contents = {"a": [{"b": 1.5, "c": "ä"}, {"b": 2.5, "c": ""}], "d": {}, "e": [], "f": {"g": {"h": None}}}
    logs.write(tmp_path / "log.json", contents)
    text = (tmp_path / "log.json").read_text()
    assert json.loads(text) == contents
    assert '    {"b": 1.5, "c": "ä"},\n' in text
    assert [path.name for path in Path(tmp_path).iterdir()] == ["log.json"]
    with pytest.raises(ValueError, match="JSON"):
        logs.write(tmp_path / "log.json", {"loss": float("nan")})
    assert json.loads((tmp_path / "log.json").read_text()) == contents
