"""The training demos in small: what is logged, kept, resumed, skipped and failed."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convbook.data import DataUnavailable, Split, batches
from convbook.nets import lenet
from convbook.train import History, Machine, Run, curves

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("one_thread")


def pictures(split):
    rng = np.random.default_rng({"train": 0, "test": 1}[split])
    labels = np.arange(120 if split == "train" else 30, dtype=np.int64) % 10
    images = rng.integers(0, 40, (len(labels), 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 2 : 2 * label + 6, 8:20] = 250
    return Split(images, labels, tuple("0123456789"), (0.2,), (0.3,), "Bars from nowhere, /tmp")


def first_class(model, test):
    assert not model.training
    (images, _), *_ = batches(test, len(test))
    return (model(images).argmax(1) == 0).double().mean().item()


@pytest.fixture
def gpu(tool, monkeypatch):
    """The tool with one demo, of two small networks with dropout, on made-up pictures."""
    module = tool("run_gpu")

    def network(width):
        return nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 10))

    demo = replace(
        module.DEMOS["lenet"],
        data=pictures,
        networks={"narrow": lambda: network(8), "wide": lambda: network(32)},
        laptop=module.Size(epochs=3, batch=5, rate=0.01, seeds=2, aim=0.5),
        full=module.Size(epochs=8, batch=5, rate=0.01, seeds=2, aim=0.9),
        measures={"share of the first class": first_class},
    )
    monkeypatch.setattr(module, "DEMOS", {"bars": demo})
    return module


@pytest.fixture
def call(gpu, tmp_path):
    def run(*arguments, folder="logs"):
        out, work = tmp_path / folder, tmp_path / f"{folder}-work"
        code = gpu.main([*arguments, "--device", "cpu", "--threads", "1", "--out", str(out), "--work", str(work)])
        return code, {path.name: json.loads(path.read_text()) for path in out.iterdir()}, list(work.iterdir())

    return run


def without_clock(run):
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in run["curves"]["rows"]]
    return rows, run["curves"]["points"], run["test accuracy"]


def test_the_log_tells_device_versions_seed_seconds_and_curves(call):
    code, logs, left = call()
    log = logs["bars-laptop.json"]
    assert code == 0 and left == []
    assert list(log["runs"]) == [f"{name}, seed {seed}" for seed in (0, 1) for name in ("narrow", "wide")]
    assert log["device"] and log["versions"]["torch"] and log["threads"] == 1
    assert log["recipe"]["pictures"] == {"to train": 110, "held out": 10, "to test": 30}
    assert log["recipe"]["data"] == "Bars"  # wherever they lie
    wide = log["runs"]["wide, seed 1"]
    assert wide["seed"] == 1 and wide["seconds"] > 0 and wide["test accuracy"] > 0.5
    reached = [row["seconds"] for row in wide["curves"]["rows"] if row["validation_accuracy"] >= 0.5]
    assert wide["seconds to the aim"] == reached[0] and wide["aim"] == 0.5
    assert wide["share of the first class"] == pytest.approx(0.1, abs=0.1)
    assert log["size"] == "CPU, smaller: 3 epochs, not 8"
    history = History(**wide["curves"])
    assert history["epoch"] == [1, 2, 3] and "wide" in " ".join(curves({"wide": history}).words)


def test_runs_that_the_log_has_are_kept_and_more_seeds_are_added(call, gpu, monkeypatch, capsys):
    _, before, _ = call("--seeds", "1")
    trained = []
    real = gpu.train
    monkeypatch.setattr(gpu, "train", lambda *given: trained.append((given[1], given[5])) or real(*given))
    _, after, _ = call()
    assert trained == [("narrow", 1), ("wide", 1)]
    old, new = before["bars-laptop.json"]["runs"], after["bars-laptop.json"]["runs"]
    assert all(new[label] == run for label, run in old.items()) and len(new) == 4
    assert "bars: narrow, seed 0 is in" in capsys.readouterr().out


def test_a_run_that_was_interrupted_ends_like_one_that_was_not(call, gpu, monkeypatch):
    _, expected, _ = call("--seeds", "1", folder="whole")
    real = gpu.fit

    def interrupted(run, epochs):
        real(run, 1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(gpu, "fit", interrupted)
        call("--seeds", "1")
    resumed = []
    monkeypatch.setattr(gpu, "fit", lambda run, epochs: (real(run, epochs), resumed.append(run.step)))
    _, found, left = call("--seeds", "1")
    assert left == [] and len(resumed) == 2
    for label, run in expected["bars-laptop.json"]["runs"].items():
        assert without_clock(found["bars-laptop.json"]["runs"][label]) == without_clock(run)


def test_a_log_of_another_recipe_is_not_mixed_with_this_one(call, capsys):
    call("--seeds", "1")
    _, logs, _ = call("--seeds", "1", "--epochs", "1", "--pictures", "60")
    assert "is of another recipe: its runs are done again" in capsys.readouterr().out
    assert logs["bars-laptop.json"]["recipe"]["pictures"]["to train"] == 55
    assert [len(run["curves"]["rows"]) for run in logs["bars-laptop.json"]["runs"].values()] == [1, 1]


def test_demos_without_data_are_skipped_and_failures_leave_the_others(call, gpu, monkeypatch, capsys):
    def nowhere(split):
        raise DataUnavailable("It is nowhere. Put it somewhere.")

    def broken():
        raise RuntimeError("CUDA ran away")

    bars = gpu.DEMOS["bars"]
    demos = {"absent": replace(bars, data=nowhere), "broken": replace(bars, networks={"x": broken}), "bars": bars}
    monkeypatch.setattr(gpu, "DEMOS", demos)
    code, logs, _ = call("--seeds", "1")
    assert code == 1 and list(logs) == ["bars-laptop.json"]
    said = capsys.readouterr().err
    assert "absent: skipped. It is nowhere. Put it somewhere." in said and "broken: failed. CUDA ran away" in said
    assert call("absent", "bars")[0] == 0
    with pytest.raises(SystemExit):
        call("ghost")
    assert "there is no demo ghost; there are: absent, broken, bars" in capsys.readouterr().err


DEMOS = {"pooling": (1, 28), "activations": (1, 28), "lenet": (1, 28), "resnet-20": (3, 32), "depth": (3, 32)}


def test_these_are_the_demos(tool):
    assert list(tool("run_gpu").DEMOS) == list(DEMOS)


@pytest.mark.parametrize("key", DEMOS)
def test_every_demo_has_networks_for_its_pictures(tool, key):
    demo = tool("run_gpu").DEMOS[key]
    channels, side = DEMOS[key]
    for make in demo.networks.values():
        assert make().eval()(torch.zeros(2, channels, side, side)).shape == (2, 10)
    assert demo.full.epochs > demo.laptop.epochs and demo.full.pictures is None


@pytest.mark.parametrize(
    ("size", "full", "device", "expected"),
    [
        ({}, {}, "cuda", "CUDA, full size"),
        ({"epochs": 1}, {}, "cuda", "CUDA, smaller: 1 epochs, not 5"),
        (
            {"pictures": 300, "seeds": 1},
            {"seeds": 3},
            "cpu",
            "CPU, smaller: 300 pictures of the training set, not all; 1 seeds, not 3",
        ),
        (
            {"epochs": 9},
            {"pictures": 10},
            "cpu",
            "CPU, not the full size: 9 epochs, not 5; all pictures of the training set, not 10",
        ),
    ],
)
def test_a_log_says_in_words_what_is_smaller_than_at_full_size(tool, size, full, device, expected):
    module = tool("run_gpu")
    usual = {"epochs": 5, "batch": 8, "rate": 0.1}
    assert module.words(module.Size(**usual | size), module.Size(**usual | full), torch.device(device)) == expected


def chapter_cells(name):
    """What the cells of a chapter that hold these lines define."""
    source = (ROOT / "book" / f"{name}.md").read_text()
    return re.findall(r"^```\{code-cell\} python\n(.*?)^```$", source, re.MULTILINE | re.DOTALL)


def test_the_pooling_demo_compares_what_chapter_02_compares(tool):
    module = tool("run_gpu")
    scope = {"torch": torch}
    for cell in chapter_cells("02-pooling"):
        if "def blurred_max" in cell or "halvings = {" in cell or "def kept" in cell:
            exec(cell, scope)
    assert list(module.DEMOS["pooling"].networks) == list(scope["halvings"])
    test = pictures("test")
    scope["checked"] = batches(test, 7)
    for name, make in module.DEMOS["pooling"].networks.items():
        torch.manual_seed(1)
        theirs = scope["network"](scope["halvings"][name])
        torch.manual_seed(1)
        ours = make()
        images = torch.randn(3, 1, 28, 28)
        assert torch.equal(ours(images), theirs(images)) and ours(images).shape == (3, 10)
        assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]
        assert module.kept(ours, test) == scope["kept"](theirs)


def test_the_activations_demo_is_the_panel_of_chapter_03_on_more_pictures(tool):
    demo = tool("run_gpu").DEMOS["activations"]
    (cell,) = (cell for cell in chapter_cells("03-activations") if "TrainingPanel(" in cell)
    (build,) = (cell for cell in chapter_cells("03-activations") if "def build" in cell)
    device = torch.device("cpu")
    scope = {"torch": torch, "lenet": lenet, "batches": batches, "Run": Run, "build": None}
    scope |= {"machine": Machine(device, "laptop", 0, 1), "train": pictures("train"), "checked": None}
    scope["TrainingPanel"] = lambda build, choices, **more: (choices, more)
    exec(cell, scope)
    choices, more = scope["panel"]
    assert sorted(choices["activation"]) == sorted(demo.networks) and more["batch_size"] == demo.laptop.batch
    exec(build, scope)
    for name, make in demo.networks.items():
        torch.manual_seed(1)
        run = scope["build"]({"activation": name, "batch_size": 5})
        torch.manual_seed(1)
        ours = make()
        assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), ours.parameters(), strict=True))
        assert repr(run.model) == repr(ours)
        assert repr(run.optimizer) == repr(demo.optimizer(ours.parameters(), lr=demo.laptop.rate))
        assert run.schedule is None and not demo.one_cycle


def test_cropping_and_mirroring_gives_pictures_that_can_be_cut_from_the_padded_ones(tool):
    module = tool("run_gpu")
    images = torch.arange(40 * 2 * 6 * 6, dtype=torch.float32).view(40, 2, 6, 6) + 1
    found = module.crop_and_flip(images, torch.Generator().manual_seed(0))
    assert torch.equal(found, module.crop_and_flip(images, torch.Generator().manual_seed(0)))
    padded = nn.functional.pad(images, (4, 4, 4, 4))
    places = set()
    for image, whole in zip(found, padded, strict=True):
        cut = {
            (top, left, mirrored): whole[:, top : top + 6, left : left + 6].flip(2 if mirrored else ())
            for top in range(9)
            for left in range(9)
            for mirrored in (False, True)
        }
        matches = [place for place, picture in cut.items() if torch.equal(picture, image)]
        assert matches
        places.update(matches[:1] if len(matches) == 1 else ())
    assert {mirrored for *_, mirrored in places} == {False, True} and len(places) > 20


@pytest.mark.parametrize("problem", [DataUnavailable, ImportError])
def test_the_jpeg_copy_of_cifar_is_read_and_named_as_such(tool, tmp_path, monkeypatch, problem):
    module = tool("run_gpu")

    def absent(split):
        raise problem("no CIFAR-10, or no torchvision")

    monkeypatch.setattr(module.data, "cifar10", absent)
    monkeypatch.setenv("CONVBOOK_DATA", str(tmp_path))
    with pytest.raises(problem):
        module.cifar("train")
    colors, files = [(250, 10, 10), (10, 250, 10), (10, 10, 250)], []
    for color in colors:
        Image.new("RGB", (32, 32), color).save(file := io.BytesIO(), "JPEG")
        files.append(file.getvalue())
    np.savez(
        tmp_path / "cifar10_jpeg.npz",
        jpeg=np.frombuffer(b"".join(files), np.uint8),
        offsets=np.cumsum([0, *map(len, files)]),
        labels=np.array([3, 1, 4], np.uint8),
        train=np.array([True, False, True]),
    )
    train, test = module.cifar("train"), module.cifar("test")
    assert train.images.shape == (2, 32, 32, 3) and train.labels.tolist() == [3, 4] and test.labels.tolist() == [1]
    for split, color in ((train, colors[0]), (test, colors[1])):
        assert np.abs(split.images[0].astype(int) - color).max() < 5
    assert train.source.startswith("cifar10-jpeg, ")
