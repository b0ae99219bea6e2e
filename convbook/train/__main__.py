"""`python -m convbook.train`: train LeNet on Fashion-MNIST, from data to weights in one line."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from convbook.data import batches, fashion_mnist, hold_out
from convbook.nets import lenet
from convbook.train.loop import evaluate, fit
from convbook.train.machine import setup
from convbook.train.run import Run

VALIDATION = 1 / 12  # of the training pictures: 5,000 of the 60,000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m convbook.train", description="Train LeNet on Fashion-MNIST.")
    parser.add_argument("--device", help="cpu, cuda or mps; by default a GPU where there is one")
    parser.add_argument("--budget", choices=("laptop", "full"), help="by default full on a GPU, else laptop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--epochs", type=int, help="by default 3 on a laptop's budget and 10 on a full one")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate at its highest")
    parser.add_argument("--bundled", action="store_true", help="take the small subset that comes with convbook")
    parser.add_argument("--out", type=Path, default=Path("lenet-fashion-mnist.pt"), help="where the weights go")
    parser.add_argument("--checkpoint", type=Path, help="a file to write after each epoch, and to go on from")
    options = parser.parse_args(arguments)
    if not options.out.absolute().parent.is_dir():
        parser.error(f"there is no folder {options.out.absolute().parent} for the weights; make it first")
    try:
        machine = setup(options.device, options.budget, options.seed, options.threads)
    except ValueError as problem:
        parser.error(str(problem))
    epochs = options.epochs or machine.pick(laptop=3, full=10)

    pictures = fashion_mnist("train", bundled=options.bundled)
    test = fashion_mnist("test", bundled=options.bundled)
    train, validation = hold_out(pictures, round(len(pictures) * VALIDATION), seed=machine.seed)
    model = lenet().to(machine.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=options.rate, momentum=0.9, nesterov=True)
    source = batches(train, options.batch_size, seed=machine.seed, device=machine.device)
    run = Run(
        model,
        source,
        optimizer,
        validation=batches(validation, 1000, device=machine.device),
        # Up for a fifth of the time, then down to nothing (Smith and Topin, 2018, https://arxiv.org/abs/1708.07120).
        schedule=torch.optim.lr_scheduler.OneCycleLR(
            optimizer, options.rate, total_steps=epochs * len(source), pct_start=0.2, cycle_momentum=False
        ),
        seed=machine.seed,
        checkpoint=options.checkpoint,
    )
    fit(run, epochs)
    measured = evaluate(model, batches(test, 1000, device=machine.device))
    print(f"Accuracy on {len(test):,} test pictures: {measured['accuracy']:.1%}.")
    torch.save({name: value.cpu() for name, value in model.state_dict().items()}, options.out)
    print(f"Weights: {options.out}")


if __name__ == "__main__":
    main()
