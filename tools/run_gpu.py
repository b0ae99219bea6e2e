"""Run the course's training demos at full size, and log them for the chapters: python tools/run_gpu.py [DEMO …].

Each demo is some networks trained alike, with several seeds. Its log, convbook/assets/logs/DEMO-BUDGET.json, is written
after every run, and read by convbook.train.logged. A second call keeps the runs that the log has, goes on with the one
that was interrupted, and starts afresh where the demo, the device or a version has changed. Without a GPU everything is
done at a laptop's size, and the log says what is smaller. Demos whose data cannot be had are named, with the reason;
where one failed otherwise, the exit code is 1.

CIFAR-10 comes from CONVBOOK_DATA or a download. A folder CONVBOOK_DATA with cifar10_jpeg.npz, a copy of its pictures as
JPEG, will do as well; logs then say cifar10-jpeg, since accuracies differ a little.

A machine that has no more than torch, NumPy and Pillow runs it too: PYTHONPATH=. python3 tools/run_gpu.py
"""

import argparse
import io
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import logs
import numpy as np
import torch
from torch import Tensor, nn

from convbook import data
from convbook.data import Split, batches, hold_out, places, subset
from convbook.data.downloads import CIFAR_CLASSES, CIFAR_MEAN, CIFAR_STD
from convbook.nets import ACTIVATIONS, lenet, plain_cifar, resnet_cifar
from convbook.train import Machine, Run, evaluate, fit, setup
from convbook.train.logbook import FOLDER

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = 1 / 12  # of the training set, to validate on
NESTEROV = partial(torch.optim.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4)


@dataclass(frozen=True)
class Size:
    """How much is trained.

    Attributes:
        epochs, batch, rate: complete epochs, pictures a batch, the learning rate at its highest.
        pictures: of the training set, drawn in proportion, before some are held out; None takes all.
        seeds: each network is trained with 0, 1, … of them.
        aim: an accuracy on validation data; the log says after how many seconds a complete epoch had reached it.
    """

    epochs: int
    batch: int
    rate: float
    pictures: int | None = None
    seeds: int = 1
    aim: float | None = None


@dataclass(frozen=True)
class Demo:
    """Networks by name, trained alike.

    Attributes:
        optimizer: made of the parameters and a learning rate.
        one_cycle: the rate goes up for a fifth of the time, then down to nothing; else it stays.
        measures: of a trained network on the test pictures, beside its accuracy.
    """

    about: str
    data: Callable[[str], Split]
    networks: dict[str, Callable[[], nn.Module]]
    laptop: Size
    full: Size
    optimizer: "partial[torch.optim.Optimizer]" = NESTEROV
    one_cycle: bool = True
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None
    measures: dict[str, Callable[[nn.Module, Split], float]] = field(default_factory=dict)


def cifar(split: str) -> Split:
    """CIFAR-10, or its JPEG copy. Raises DataUnavailable or ImportError (no torchvision) where neither is there."""
    try:
        return data.cifar10("train" if split == "train" else "test")
    except (data.DataUnavailable, ImportError):
        copy = (places.own_folder() or Path()) / "cifar10_jpeg.npz"
        if not copy.exists():
            raise
    from PIL import Image

    with np.load(copy) as stored:
        content, offsets = stored["jpeg"].tobytes(), stored["offsets"]
        chosen = np.flatnonzero(stored["train"] == (split == "train"))
        labels = stored["labels"][chosen].astype(np.int64)
    files = (io.BytesIO(content[offsets[place] : offsets[place + 1]]) for place in chosen)
    images = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    source = f"cifar10-jpeg, CIFAR-10 from a copy as JPEG, {copy}"
    places.say_once(f"{source}.")
    return Split(images, labels, CIFAR_CLASSES, CIFAR_MEAN, CIFAR_STD, source)


def crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pad by 4, cut out 32×32 anywhere, mirror half of them (He et al., 2016, section 4.2)."""
    count, _, height, width = images.shape
    draw = partial(torch.randint, generator=generator, device=images.device)
    top, left, mirrored = draw(9, (count, 1)), draw(9, (count, 1)), draw(2, (count, 1)).bool()
    rows = top + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device).expand(count, width)
    columns = left + torch.where(mirrored, width - 1 - columns, columns)
    padded = nn.functional.pad(images, (4, 4, 4, 4)).permute(0, 2, 3, 1)
    picked = padded[torch.arange(count, device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2).contiguous()


def garments(split: str) -> Split:
    return data.fashion_mnist("train" if split == "train" else "test")


def blurred_max(channels: int) -> nn.Module:
    """A maximum at stride 1, then a blur at stride 2 with fixed weights (Zhang, 2019)."""
    blur = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False, padding_mode="reflect")
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    blur.weight = nn.Parameter(torch.outer(row, row).expand_as(blur.weight).clone(), requires_grad=False)
    return nn.Sequential(nn.MaxPool2d(2, stride=1), blur)


#: What halves the maps of chapter 02's network.
HALVINGS: dict[str, Callable[[int], nn.Module]] = {
    "max": lambda channels: nn.MaxPool2d(2),
    "mean": lambda channels: nn.AvgPool2d(2),
    "stride": lambda channels: nn.Conv2d(channels, channels, 2, stride=2),
    "blurred max": blurred_max,
}


def halving(name: str) -> nn.Sequential:
    """Chapter 02's network."""
    halve = HALVINGS[name]
    first = nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), halve(8)
    second = nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), halve(16)
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(16 * 7 * 7, 10))


@torch.no_grad()
def kept(model: nn.Module, test: Split) -> float:
    """The share of pictures whose answer survives a shift by one pixel, around the border."""
    device = next(model.parameters()).device
    pairs = ((images, images.roll(1, -1)) for images, _ in batches(test, 1_000, device=device))
    same = [model(images).argmax(1) == model(moved).argmax(1) for images, moved in pairs]
    return float(torch.cat(same).double().mean())


DEMOS = {
    "pooling": Demo(
        about="Chapter 02: four ways to halve a map, on Fashion-MNIST",
        data=garments,
        networks={name: partial(halving, name) for name in HALVINGS},
        laptop=Size(epochs=3, batch=32, rate=0.005, pictures=12_000, seeds=3),
        full=Size(epochs=10, batch=32, rate=0.005, seeds=5),
        optimizer=partial(torch.optim.Adam),
        one_cycle=False,
        measures={"answers kept": kept},
    ),
    "activations": Demo(
        about="Chapter 03: LeNet with eight activations, on Fashion-MNIST",
        data=garments,
        networks={name: partial(lenet, activation=name, pool="avg") for name in ACTIVATIONS},
        laptop=Size(epochs=3, batch=50, rate=0.01, seeds=3),
        full=Size(epochs=20, batch=50, rate=0.01, seeds=5),
        optimizer=partial(torch.optim.SGD, momentum=0.9),
        one_cycle=False,
    ),
    "lenet": Demo(
        about="Chapter 04: LeNet on Fashion-MNIST",
        data=garments,
        networks={"LeNet": lenet},
        laptop=Size(epochs=3, batch=64, rate=0.05, seeds=3, aim=0.85),
        full=Size(epochs=10, batch=128, rate=0.1, seeds=3, aim=0.90),
    ),
    "resnet-20": Demo(
        about="Chapter 08: a residual network of 20 layers on CIFAR-10",
        data=cifar,
        networks={"residual, 20 layers": partial(resnet_cifar, 20)},
        laptop=Size(epochs=2, batch=128, rate=0.1, pictures=5_000),
        full=Size(epochs=40, batch=256, rate=0.3, aim=0.91),
        augment=crop_and_flip,
    ),
    "depth": Demo(
        about="Chapter 08: plain and residual networks of 20 and 56 layers on CIFAR-10",
        data=cifar,
        networks={
            f"{kind}, {depth} layers": partial(make, depth)
            for kind, make in (("plain", plain_cifar), ("residual", resnet_cifar))
            for depth in (20, 56)
        },
        laptop=Size(epochs=1, batch=128, rate=0.1, pictures=1_000),
        full=Size(epochs=40, batch=256, rate=0.1, seeds=3),
        optimizer=partial(NESTEROV, weight_decay=1e-4),
        augment=crop_and_flip,
    ),
}


def train(demo: Demo, name: str, size: Size, pictures: Split, machine: Machine, seed: int, checkpoint: Path) -> Run:
    """A complete run of one network; one that was interrupted goes on from its checkpoint."""
    torch.manual_seed(seed)
    model = demo.networks[name]().to(machine.device)
    learned, held_out = parts(pictures)
    source = batches(learned, size.batch, seed=seed, device=machine.device, augment=demo.augment)
    optimizer = demo.optimizer(model.parameters(), lr=size.rate)
    schedule = None
    if demo.one_cycle:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, size.rate, total_steps=size.epochs * len(source), pct_start=0.2, cycle_momentum=False
        )
    validation = batches(held_out, 1_000, device=machine.device)
    run = Run(model, source, optimizer, validation, schedule, seed=seed, name=name, checkpoint=checkpoint)
    fit(run, size.epochs)
    return run


def parts(pictures: Split) -> tuple[Split, Split]:
    """What is trained on, and what is held out to validate on."""
    return hold_out(pictures, round(len(pictures) * HELD_OUT), seed=0)


def result(run: Run, test: Split, demo: Demo, aim: float | None) -> dict[str, Any]:
    """What the log keeps of a run."""
    contents: dict[str, Any] = {
        "seconds": run.seconds,
        "test accuracy": evaluate(run.model, batches(test, 1_000))["accuracy"],
    }
    run.model.eval()
    contents |= {name: measure(run.model, test) for name, measure in demo.measures.items()}
    if aim is not None:
        reached = [row["seconds"] for row in run.history.rows if row["validation_accuracy"] >= aim]
        contents |= {"aim": aim, "seconds to the aim": reached[0] if reached else None}
    return {**logs.rounded(contents), "curves": logs.curve(run.history)}


def go(key: str, size: Size, machine: Machine, folder: Path, work: Path) -> None:
    """All runs of a demo that its log does not have yet.

    Raises:
        DataUnavailable, ImportError: its data cannot be had.
    """
    demo = DEMOS[key]
    pictures, test = demo.data("train"), demo.data("test")
    if size.pictures is not None:
        pictures = subset(pictures, min(size.pictures, len(pictures)))
    learned, held_out = parts(pictures)
    recipe = {name: value for name, value in asdict(size).items() if name not in ("pictures", "seeds", "aim")} | {
        "optimizer": {"name": demo.optimizer.func.__name__, **demo.optimizer.keywords},
        "one cycle": demo.one_cycle,
        "augmented": demo.augment is not None,
        "pictures": {"to train": len(learned), "held out": len(held_out), "to test": len(test)},
        "data": pictures.source.partition(" from ")[0].removesuffix(" downloaded"),
    }
    path = folder / f"{key}-{machine.budget}.json"
    log = {
        "about": demo.about,
        "size": words(size, demo.full, machine.device),
        "command": logs.command(),
        **logs.surroundings(machine.device),
        "recipe": recipe,
        "runs": {},
    }
    log["runs"] = earlier(path, log)
    for seed in range(size.seeds):
        for name in demo.networks:
            label = f"{name}, seed {seed}"
            if label in log["runs"]:
                print(f"{key}: {label} is in {path}.")
                continue
            print(f"{key}: {label}")
            checkpoint = work / f"{path.stem}-{label.replace(', ', '-').replace(' ', '-')}.pt"
            run = train(demo, name, size, pictures, machine, seed, checkpoint)
            log["runs"][label] = {"network": name, "seed": seed, **result(run, test, demo, size.aim)}
            logs.write(path, log)
            checkpoint.unlink()
            print(f"{key}: {label}: {log['runs'][label]['test accuracy']:.1%} on test pictures. {path}")


def words(size: Size, full: Size, device: torch.device) -> str:
    """Where it ran, and how that differs from the full size, so that no reader takes the one for the other."""
    counted = {"epochs": "epochs", "pictures": "pictures of the training set", "seeds": "seeds"}
    pairs = {what: (getattr(size, name), getattr(full, name)) for name, what in counted.items()}
    others = [f"{here or 'all'} {what}, not {there or 'all'}" for what, (here, there) in pairs.items() if here != there]
    smaller = all((here or math.inf) <= (there or math.inf) for here, there in pairs.values())
    size_of_it = "smaller" if smaller else "not the full size"
    return f"{device.type.upper()}, " + (f"{size_of_it}: {'; '.join(others)}" if others else "full size")


def earlier(path: Path, log: dict[str, Any]) -> dict[str, Any]:
    """The runs of an earlier log, where nothing has changed that could change a run."""
    if not path.exists():
        return {}
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = [name for name in ("device", "versions", "recipe") if before.get(name) != logs.rounded(log[name])]
    if changed:
        print(f"{path} is of another {' and other '.join(changed)}: its runs are done again.")
        return {}
    runs: dict[str, Any] = before["runs"]
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the course's training demos, and log them.")
    parser.add_argument("demos", nargs="*", metavar="DEMO", help=f"of {', '.join(DEMOS)}; by default all")
    parser.add_argument("--device", help="cpu, cuda or mps; by default a GPU where there is one")
    parser.add_argument("--budget", choices=("laptop", "full"), help="by default full on a GPU, else laptop")
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--epochs", type=int, help="instead of the budget's")
    parser.add_argument("--pictures", type=int, help="of the training set, instead of the budget's")
    parser.add_argument("--seeds", type=int, help="how many, instead of the budget's")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder of the logs")
    parser.add_argument("--work", type=Path, default=ROOT / "_build" / "runs", help="the folder of the checkpoints")
    options = parser.parse_args(arguments)
    if unknown := [key for key in options.demos if key not in DEMOS]:
        parser.error(f"there is no demo {', '.join(unknown)}; there are: {', '.join(DEMOS)}")
    machine = setup(options.device, options.budget, threads=options.threads)
    for folder in (options.out, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    skipped: dict[str, Exception] = {}
    failed: dict[str, Exception] = {}
    for key in options.demos or DEMOS:
        usual = asdict(machine.pick(laptop=DEMOS[key].laptop, full=DEMOS[key].full))
        given = {name: vars(options)[name] for name in ("epochs", "pictures", "seeds") if vars(options)[name]}
        try:
            go(key, Size(**usual | given), machine, options.out, options.work)
        except (data.DataUnavailable, ImportError) as problem:
            skipped[key] = problem
        except (ArithmeticError, RuntimeError, ValueError) as problem:  # one that fails leaves the others
            failed[key] = problem
    for what, reasons in (("skipped", skipped), ("failed", failed)):
        for key, reason in reasons.items():
            print(f"{key}: {what}. {reason}", *getattr(reason, "__notes__", []), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
