"""What pretraining is worth with few labeled pictures: python tools/transfer.py digits, and the same with shoes.

Four ways from the same few pictures: all layers from scratch; a linear probe, a new head on features that stay as they
are; and fine-tuning, all layers from pretrained weights, with batch norm learning or frozen. Leaves
convbook/assets/logs/transfer-NAME.json.

digits   printed letters, the weights that come with convbook, onto handwritten digits
shoes    six kinds of garments and bags onto three of shoes, Fashion-MNIST; two minutes of pretraining come first

Rates and steps were chosen for each way with draws 100 to 102, on pictures of the pool; the log has other draws and
pictures that nothing was chosen with.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import logs
import torch
from torch import nn

from convbook import pretrained
from convbook.data import Split, batches, digits, fashion_mnist, few, hold_out, split_by_class
from convbook.nets import CifarResNet, resnet_cifar
from convbook.pretrained import printed
from convbook.train import Run, evaluate, fit, setup
from convbook.train.logbook import FOLDER

BATCH = 32
SHOES = ("Sandal", "Sneaker", "Ankle boot")

Network = Callable[[int], CifarResNet]  # with a head for so many classes


@dataclass(frozen=True)
class Way:
    """How a network learns from few pictures: the steps, and the learning rates of the head and of all below it."""

    head: float
    body: float
    frozen_norms: bool
    steps: int


WAYS = {
    "from scratch": Way(head=0.05, body=0.05, frozen_norms=False, steps=300),
    "linear probe": Way(head=0.05, body=0.0, frozen_norms=True, steps=300),
    "fine-tuned": Way(head=0.05, body=0.01, frozen_norms=False, steps=300),
    "fine-tuned, norms frozen": Way(head=0.05, body=0.003, frozen_norms=True, steps=300),
}


class Silence:
    """Watches nothing: hundreds of runs would print thousands of lines."""

    def batch(self, run: Run, epochs: int) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def stopped(self, run: Run) -> None:
        pass

    def close(self) -> None:
        pass


def learn(model: CifarResNet, pictures: Split, way: Way, seed: int) -> None:
    """Train a model in place."""
    body = [parameter for name, parameter in model.named_parameters() if not name.startswith("fc.")]
    for parameter in body:
        parameter.requires_grad = way.body > 0
    model.train()
    for module in model.modules():
        if way.frozen_norms and isinstance(module, nn.BatchNorm2d):
            module.eval()
    rates = [way.head, way.body] if way.body else [way.head]
    groups = [{"params": part, "lr": rate} for part, rate in zip([model.fc.parameters(), body], rates, strict=False)]
    optimizer = torch.optim.SGD(groups, momentum=0.9, nesterov=True, weight_decay=5e-4)
    source = batches(pictures, BATCH, seed=seed)
    epochs = -(-way.steps // len(source))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=epochs * len(source), pct_start=0.2, cycle_momentum=False
    )
    fit(Run(model, source, optimizer, schedule=schedule, seed=seed), epochs, Silence())


def compare(
    pool: Split, test: Split, untrained: Network, trained: Network, per_class: int, seed: int
) -> dict[str, float]:
    """The accuracy of each way with the same few pictures, drawn from the pool by the seed."""
    pictures, _ = few(pool, per_class, seed)
    found = {}
    for name, way in WAYS.items():
        torch.manual_seed(seed)
        model = (untrained if name == "from scratch" else trained)(len(pool.classes))
        learn(model, pictures, way, seed)
        found[name] = evaluate(model, batches(test, 1_000))["accuracy"]
    return found


def onto_digits() -> tuple[Split, Split, Network, Network, dict[str, Any]]:
    """1,000 digits to draw from and 797 to test on, normalized as the letters were."""
    pictures = replace(digits(), mean=pretrained.LETTERS_MEAN, std=pretrained.LETTERS_STD)
    pool, test = hold_out(pictures, 797)
    return pool, test, printed.untrained, pretrained.letters, {"weights": printed.log()["weights"]["sha256"]}


def onto_shoes() -> tuple[Split, Split, Network, Network, dict[str, Any]]:
    """The shoes of Fashion-MNIST, and a network that is first trained on all else."""
    (pool, others), (test, unseen) = (split_by_class(fashion_mnist(name), SHOES) for name in ("train", "test"))

    def untrained(num_classes: int) -> CifarResNet:
        return resnet_cifar(8, num_classes, in_channels=1, width=16, shortcut="B")

    torch.manual_seed(0)
    first = untrained(len(others.classes))
    source = batches(others, 128, seed=0)
    optimizer = torch.optim.SGD(first.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    epochs = 5
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.1, total_steps=epochs * len(source), pct_start=0.2, cycle_momentum=False
    )
    fit(Run(first, source, optimizer, batches(unseen, 1_000), schedule), epochs)

    def trained(num_classes: int) -> CifarResNet:
        model = untrained(num_classes)
        body = {name: value for name, value in first.state_dict().items() if not name.startswith("fc.")}
        model.load_state_dict(body, strict=False)
        return model

    accuracy = evaluate(first, batches(unseen, 1_000))["accuracy"]
    return pool, test, untrained, trained, {"data": pool.source, "accuracy on the seven classes": round(accuracy, 4)}


TASKS = {"digits": (onto_digits, (1, 5, 10, 20, 50)), "shoes": (onto_shoes, (20,))}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description="What pretraining is worth with few labeled pictures.")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)), help="of the draws")
    parser.add_argument("--per-class", type=int, nargs="+", help="pictures; by default all that the log has")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder of the log")
    options = parser.parse_args(arguments)
    machine = setup("cpu", seed=0, threads=1)
    begun = time.perf_counter()
    prepare, usual = TASKS[options.task]
    pool, test, untrained, trained, facts = prepare()
    rows = []
    for count in options.per_class or usual:
        found = [compare(pool, test, untrained, trained, count, seed) for seed in options.seeds]
        for name in WAYS:
            accuracies = [each[name] for each in found]
            mean = statistics.fmean(accuracies)
            rows.append({"a class": count, "way": name, "mean": round(mean, 4), "all": logs.rounded(accuracies)})
            print(f"{count:3} a class, {name:24}: {mean:.3f}  ({min(accuracies):.3f} to {max(accuracies):.3f})")
    contents = {
        "command": logs.command(),
        "seeds": options.seeds,
        **logs.surroundings(machine.device),
        "seconds": round(time.perf_counter() - begun, 1),
        "pictures to test on": len(test),
        **facts,
        "ways": {name: vars(way) for name, way in WAYS.items()},
        "accuracies": rows,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    logs.write(options.out / f"transfer-{options.task}.json", contents)
    return contents


if __name__ == "__main__":
    main()
