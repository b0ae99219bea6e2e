"""What pretraining is worth: the committed figures are those of the shipped weights, and a small version agrees."""

import json
import statistics
from dataclasses import replace

import pytest
import torch

from convbook.data import fashion_mnist, subset
from convbook.pretrained import printed

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def transfer(tool):
    return tool("transfer")


def logged(transfer, task):
    log = json.loads((transfer.FOLDER / f"transfer-{task}.json").read_text())
    return log, {(row["a class"], row["way"]): row["mean"] for row in log["accuracies"]}


def test_the_logs_figures_are_of_the_shipped_weights_and_of_the_ways_as_they_are(transfer):
    log, means = logged(transfer, "digits")
    assert log["weights"] == printed.log()["weights"]["sha256"]
    assert log["command"] == "python tools/transfer.py digits" and len(log["seeds"]) >= 4
    assert log["ways"] == {name: vars(way) for name, way in transfer.WAYS.items()}
    assert list(means) == [(count, way) for count in (1, 5, 10, 20, 50) for way in transfer.WAYS]
    for row in log["accuracies"]:
        assert row["mean"] == pytest.approx(statistics.fmean(row["all"]), abs=1e-4)
        assert len(row["all"]) == len(log["seeds"])


def test_with_five_a_class_a_probe_beats_scratch_and_fine_tuning_beats_the_probe(transfer):
    _, means = logged(transfer, "digits")
    assert means[5, "from scratch"] + 0.03 < means[5, "linear probe"] < means[5, "fine-tuned"]


def test_with_fifty_a_class_scratch_has_overtaken_the_probe(transfer):
    _, means = logged(transfer, "digits")
    assert means[50, "from scratch"] > means[50, "linear probe"]


def test_a_small_version_has_the_same_order(transfer, monkeypatch):
    short = {name: replace(transfer.WAYS[name], steps=40) for name in ("from scratch", "fine-tuned")}
    monkeypatch.setattr(transfer, "WAYS", short)
    pool, test, untrained, trained, _ = transfer.onto_digits()
    found = [transfer.compare(pool, test, untrained, trained, 5, seed) for seed in (11, 12)]
    mean = {name: statistics.fmean(each[name] for each in found) for name in short}
    assert mean["from scratch"] + 0.02 < mean["fine-tuned"]


def test_the_network_for_shoes_has_learned_from_all_but_shoes(transfer, monkeypatch):
    def small(split):
        return subset(fashion_mnist(split, bundled=True), 500)

    monkeypatch.setattr(transfer, "fashion_mnist", small)
    pool, test, untrained, trained, facts = transfer.onto_shoes()
    assert pool.classes == test.classes == transfer.SHOES and len(pool) == 150
    one, other = trained(3).state_dict(), trained(3).state_dict()
    torch.manual_seed(0)
    assert not torch.equal(one["conv1.weight"], untrained(7).state_dict()["conv1.weight"])
    assert all(torch.equal(one[name], other[name]) for name in one if not name.startswith("fc."))
    assert facts["accuracy on the seven classes"] > 2 / 7


def test_a_way_trains_what_it_says_and_leaves_the_rest(transfer):
    pool, _, _, trained, _ = transfer.onto_digits()
    before = trained(10).state_dict()
    changed = {}
    for name, way in transfer.WAYS.items():
        model = trained(10)
        transfer.learn(model, transfer.few(pool, 1, 0)[0], replace(way, steps=3), seed=0)
        after = model.state_dict()
        changed[name] = {
            "head": not (after["fc.weight"] == before["fc.weight"]).all(),
            "body": not (after["conv1.weight"] == before["conv1.weight"]).all(),
            "statistics": not (after["bn1.running_mean"] == before["bn1.running_mean"]).all(),
        }
    assert changed == {
        "from scratch": {"head": True, "body": True, "statistics": True},
        "linear probe": {"head": True, "body": False, "statistics": False},
        "fine-tuned": {"head": True, "body": True, "statistics": True},
        "fine-tuned, norms frozen": {"head": True, "body": True, "statistics": False},
    }
