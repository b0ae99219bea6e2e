"""What a notebook trains on: one call chooses the device, the budget and the seed, and says so."""

import os
import random
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch

Budget = Literal["laptop", "full"]
T = TypeVar("T")


@dataclass(frozen=True)
class Machine:
    """What `setup` chose.

    Attributes:
        device: where models and batches go, as in `model.to(machine.device)`.
        budget: "laptop" for runs of seconds on a CPU, "full" for the sizes of the papers.
        seed: of every random number; give it to `batches` and `Run` as well.
        threads: CPU threads of torch. The last digits of a sum depend on their number.
    """

    device: torch.device
    budget: Budget
    seed: int
    threads: int

    def pick(self, *, laptop: T, full: T) -> T:
        """The value for this machine's budget, as in `epochs = machine.pick(laptop=2, full=20)`."""
        return laptop if self.budget == "laptop" else full

    def __str__(self) -> str:
        if self.device.type == "cuda":
            where = f"the GPU {torch.cuda.get_device_name(self.device)} ({self.device})"
        else:
            where = "the GPU of this Mac (mps)" if self.device.type == "mps" else "the CPU"
        threads = f"{self.threads} CPU thread{'s' if self.threads > 1 else ''}"
        return f"Training on {where}, {threads}, {self.budget} budget, seed {self.seed}."


def setup(
    device: str | torch.device | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Machine:
    """Choose where and how much to train, seed all random numbers, and print the choice.

    Args:
        device: "cpu", "cuda", "cuda:1" or "mps"; by default a GPU where there is one.
        budget: "laptop" or "full"; by default "full" on a GPU.
        seed: for torch, NumPy's old global generator and `random`.
        threads: CPU threads of torch; by default what torch has chosen, at most one a core.

    Raises:
        ValueError: the device is not there, or another argument makes no sense. The message names what is there.
    """
    there = available()
    try:
        chosen = torch.device(device if device is not None else there[0])
    except RuntimeError:
        raise ValueError(f"There is no kind of device {device!r}. This machine has: {', '.join(there)}.") from None
    if chosen.type not in there or (chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count()):
        raise ValueError(f"This machine has no {str(chosen)!r} that torch can use. It has: {', '.join(there)}.")
    if budget not in (None, "laptop", "full"):
        raise ValueError(f"budget is {budget!r}. Choose 'laptop' or 'full'.")
    if threads is not None:
        if threads < 1:
            raise ValueError(f"threads is {threads}. Give at least 1.")
        torch.set_num_threads(min(threads, os.cpu_count() or threads))
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    machine = Machine(
        device=chosen,
        budget=budget or ("laptop" if chosen.type == "cpu" else "full"),
        seed=seed,
        threads=torch.get_num_threads(),
    )
    print(machine)
    return machine


def available() -> list[str]:
    """The kinds of devices that torch can use here, the quickest first."""
    found = ["cuda"] if torch.cuda.is_available() else []
    return [*found, "mps", "cpu"] if torch.backends.mps.is_available() else [*found, "cpu"]
