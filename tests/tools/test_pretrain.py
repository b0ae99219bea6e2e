"""The weights that come with convbook: made by one command, the same every time, as good as their log says."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from convbook import nets, pretrained
from convbook.data import LETTERS, Split, batches, fashion_mnist, letters
from convbook.pretrained import garments, printed
from convbook.train import History, curves, evaluate

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = ["--pictures", "520", "--epochs", "2"]


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


def test_lenet_is_made_the_same_again_in_16_bits_and_measured_after_rounding(pretrain, tmp_path, monkeypatch):
    def few(split):
        some = fashion_mnist(split, bundled=True)
        return replace(some, images=some.images[:600], labels=some.labels[:600])

    monkeypatch.setattr(pretrain, "fashion_mnist", few)
    made = {}
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        torch.rand(7)
        pretrain.main(["lenet", *SMALL, "--seed", str(seed), "--out", str(tmp_path / name)])
        made[name] = (tmp_path / name / garments.WEIGHTS).read_bytes()
    assert made["one"] == made["again"] != made["other"]
    told = json.loads((tmp_path / "one" / garments.LOG).read_text())
    assert told["weights"]["sha256"] == hashlib.sha256(made["one"]).hexdigest()
    assert told["pictures"] == {"to train": 520, "held out": 60, "to test": 600}
    state = load(made["one"])
    assert {value.dtype for value in state.values()} == {torch.float16}
    network = nets.lenet()
    network.load_state_dict(state)
    assert told["accuracy"] == round(evaluate(network, batches(few("test"), 600))["accuracy"], 4)


def test_pictures_are_mirrored_and_moved_with_black_behind_them(pretrain):
    picture = torch.zeros(1, 1, 28, 28)
    picture[0, 0, 10, 3] = 1.0
    images = (picture.expand(40, -1, -1, -1) - 0.3) / 0.4
    places = set()
    for seed in range(40):
        out = pretrain.moved(images, torch.Generator().manual_seed(seed))
        assert out.shape == images.shape and out.min() == images.min()
        lit = (out > 0).nonzero()
        assert len(lit) == 40 and len({int(row) for *_, row, _ in lit}) == 1
        shift = int(lit[0, 2]) - 10
        columns = {int(column) for *_, column in lit}
        move = min(columns) - 3
        assert columns == {3 + move, 24 + move}, "some are mirrored, and all are moved alike"
        places.add((shift, move))
    assert {abs(each) for place in places for each in place} == {0, 1, 2}


def test_the_shipped_lenet_is_small_and_is_the_one_that_its_log_describes():
    path = garments.ASSETS / garments.WEIGHTS
    content, told = path.read_bytes(), garments.log()
    assert len(gzip.compress(content, 6)) < 150_000
    assert hashlib.sha256(content).hexdigest() == told["weights"]["sha256"]
    assert told["command"] == "python tools/pretrain.py lenet" and told["seed"] == 0
    state = load(content)
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert sum(value.numel() for value in state.values()) == told["weights"]["parameters"] == 61_706
    assert told["pictures"] == {"to train": 55_000, "held out": 5_000, "to test": 10_000}
    assert "license" in (garments.ASSETS / "README.md").read_text().lower()


def test_the_shipped_lenet_knows_garments_as_well_as_its_log_says():
    some: Split = fashion_mnist("test", bundled=True)
    found = evaluate(pretrained.lenet(), batches(some, 500))["accuracy"]
    assert found == pytest.approx(garments.log()["accuracy"], abs=0.02)
    assert found > 0.89
    assert abs(garments.log()["accuracy"] - garments.log()["before rounding"]) < 0.001


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
