"""Train the network that comes with convbook, on printed letters: python tools/pretrain.py (two minutes on a CPU).

Leaves letters.safetensors and its log in convbook/assets/letters/. The same command on the same machine with the same
versions gives the same weights, bit for bit; one thread, so that sums do not depend on the number of cores, and since
for pictures as small as these a second one only waits.

Every epoch has new letters. The accuracy is that on fonts which are not trained on; nothing was chosen by it but the
recipe as a whole, and the weights are those of the last step.
"""

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import logs
import torch
from safetensors.torch import save
from torch import Tensor

from convbook.data import batches
from convbook.data import letters as letters_of
from convbook.pretrained import printed
from convbook.train import Run, evaluate, fit, setup

BATCH = 128
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
TEST = 10_400  # letters, 200 a class


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


def train(n: int, epochs: int, seed: int) -> Run:
    """A complete run."""
    model = printed.untrained()
    source = FreshLetters(n, seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=epochs * len(source), pct_start=0.2, cycle_momentum=False
    )
    run = Run(model, source, optimizer, batches(letters_of("test", TEST), 1_000), schedule, seed=seed)
    fit(run, epochs)
    return run


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train the network that comes with convbook, on printed letters.")
    parser.add_argument("--letters", type=int, default=26_000, help="an epoch")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=printed.ASSETS, help="the folder for weights and log")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    machine = setup("cpu", seed=options.seed, threads=1)

    run = train(options.letters, options.epochs, machine.seed)
    path = options.out / printed.WEIGHTS
    # One entry: safetensors writes several in no particular order.
    path.write_bytes(
        save(run.model.state_dict(), {"made": "by tools/pretrain.py of convbook, on printed letters; MIT"})
    )
    measured = evaluate(run.model, batches(letters_of("test", TEST, seed=1), 1_000))
    logs.write(
        options.out / printed.LOG,
        {
            "command": logs.command(),
            "seed": machine.seed,
            **logs.surroundings(machine.device),
            "seconds": round(run.seconds, 1),
            "letters": {"an epoch": options.letters, "in all": options.letters * options.epochs, "to test": TEST},
            "accuracy": round(measured["accuracy"], 4),
            "weights": {
                "file": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "bytes": path.stat().st_size,
                "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
            },
            "curves": logs.curve(run.history),
        },
    )
    print(f"Accuracy on letters in other fonts: {measured['accuracy']:.1%}. Weights and log: {options.out}")


if __name__ == "__main__":
    main()
