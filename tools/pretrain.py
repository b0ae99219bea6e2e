"""Train the networks that come with convbook: python tools/pretrain.py [letters | lenet] (minutes on a CPU).

Leaves the weights and their log in convbook/assets/. The same command on the same machine with the same versions gives
the same weights, bit for bit; one thread, so that sums do not depend on the number of cores, and since for pictures as
small as these a second one only waits.

letters: printed letters, new ones in every epoch. The accuracy is that on fonts which are not trained on.
lenet: Fashion-MNIST in full, mirrored and moved at random, and of the training set 5,000 pictures held out for the
curves. Its weights are rounded to 16 bits, so that a page can carry them. The accuracy is that of the rounded weights
on the test set.

Nothing was chosen by the accuracy but a recipe as a whole, and the weights are those of the last step.
"""

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import logs
import torch
from safetensors.torch import save
from torch import Tensor, nn

from convbook import nets
from convbook.data import Split, batches, fashion_mnist, hold_out, subset
from convbook.data import letters as letters_of
from convbook.pretrained import garments, printed
from convbook.train import Run, evaluate, fit, setup

BATCH = 128
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
TEST = 10_400  # letters, 200 a class
HELD_OUT = 5_000  # garments
SHIFT = 2  # pixels at most, in each direction


@dataclass(frozen=True)
class Recipe:
    """What a network is made from, and how it is measured at the end."""

    run: Run
    test: Split
    out: Path
    weights: str
    log: str
    half: bool
    made: str
    told: dict[str, Any]


class FreshLetters:
    """Batches of letters that are drawn anew for each epoch, from (seed, epoch) alone."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed = n, seed

    def __len__(self) -> int:
        return -(-self.n // BATCH)

    def epoch(self, number: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        drawn = letters_of("train", self.n, seed=1_000 * self.seed + number)
        return batches(drawn, BATCH, seed=self.seed).epoch(number, first)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self.epoch(0)


def moved(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture mirrored or not, and all of the batch moved by the same few pixels; what comes in is black."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    images = torch.where(mirrored, images.flip(-1), images)
    down, right = torch.randint(2 * SHIFT + 1, (2,), generator=generator).tolist()
    padded = nn.functional.pad(images, (SHIFT,) * 4, value=float(images.min()))
    return padded[..., down : down + images.shape[-2], right : right + images.shape[-1]]


def prepare(model: nn.Module, source: Any, epochs: int, validation: Split, seed: int) -> Run:
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=epochs * len(source), pct_start=0.2, cycle_momentum=False
    )
    return Run(model, source, optimizer, batches(validation, 1_000), schedule, seed=seed)


def letters(pictures: int | None, epochs: int, seed: int) -> Recipe:
    n = pictures or 26_000
    return Recipe(
        prepare(printed.untrained(), FreshLetters(n, seed), epochs, letters_of("test", TEST), seed),
        letters_of("test", TEST, seed=1),
        printed.ASSETS,
        printed.WEIGHTS,
        printed.LOG,
        half=False,
        made="by tools/pretrain.py of convbook, on printed letters; MIT",
        told={"letters": {"an epoch": n, "in all": n * epochs, "to test": TEST}},
    )


def lenet(pictures: int | None, epochs: int, seed: int) -> Recipe:
    everything, test = fashion_mnist("train"), fashion_mnist("test")
    train, validation = hold_out(everything, min(HELD_OUT, len(everything) // 10), seed)
    train = subset(train, pictures or len(train), seed)
    source = batches(train, BATCH, seed=seed, augment=moved)
    counted = {"to train": len(train), "held out": len(validation), "to test": len(test)}
    return Recipe(
        prepare(nets.lenet(), source, epochs, validation, seed),
        test,
        garments.ASSETS,
        garments.WEIGHTS,
        garments.LOG,
        half=True,
        made="by tools/pretrain.py of convbook, on Fashion-MNIST; MIT",
        told={"data": everything.source, "pictures": counted},
    )


RECIPES = {"letters": letters, "lenet": lenet}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a network that comes with convbook.")
    parser.add_argument("network", nargs="?", choices=RECIPES, default="letters")
    parser.add_argument("--pictures", type=int, help="an epoch (default: 26,000 letters, or all garments)")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the folder for weights and log (default: where convbook keeps them)")
    options = parser.parse_args(arguments)
    machine = setup("cpu", seed=options.seed, threads=1)

    recipe = RECIPES[options.network](options.pictures, options.epochs, machine.seed)
    out = options.out or recipe.out
    out.mkdir(parents=True, exist_ok=True)
    run, model = recipe.run, recipe.run.model
    fit(run, options.epochs)
    test = batches(recipe.test, 1_000)
    accuracy = {"accuracy": round(evaluate(model, test)["accuracy"], 4)}
    weights = model.state_dict()
    if recipe.half:
        weights = {name: value.half() for name, value in weights.items()}
        model.load_state_dict(weights)
        accuracy = {"accuracy": round(evaluate(model, test)["accuracy"], 4), "before rounding": accuracy["accuracy"]}
    path = out / recipe.weights
    path.write_bytes(save(weights, {"made": recipe.made}))  # one entry: safetensors writes several in no set order
    logs.write(
        out / recipe.log,
        {
            "command": logs.command(),
            "seed": machine.seed,
            **logs.surroundings(machine.device),
            "seconds": round(run.seconds, 1),
            **recipe.told,
            **accuracy,
            "weights": {
                "file": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "bytes": path.stat().st_size,
                "parameters": sum(parameter.numel() for parameter in model.parameters()),
            },
            "curves": logs.curve(run.history),
        },
    )
    print(f"Accuracy on {len(recipe.test):,} pictures to test: {accuracy['accuracy']:.1%}. Weights and log: {out}")


if __name__ == "__main__":
    main()
