"""Random numbers of a batch that depend on the seed and the batch alone, and turns between those who train at once.

torch has one global generator for all threads. A batch borrows it: the generator's state is put aside, seeded by
(seed, step), used, and put back. So dropout draws the same masks whether a run was interrupted or not, and the cells
of the notebook draw as if nothing trained. While one batch has borrowed the generator no other may, hence the turns;
they also keep two runs from fighting for the same cores.

A cell that draws from torch at the very moment when a batch in another thread has borrowed the generator would disturb
both. Most networks draw nothing, so in a thread the generator is left alone once a first batch has drawn nothing.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


class Turns:
    """A lock that is granted in the order of asking, so that nobody who trains starves."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()  # first the one whose turn it is

    def __enter__(self) -> None:
        mine = threading.Lock()
        mine.acquire()
        with self._guard:
            self._waiting.append(mine)
            if self._waiting[0] is mine:
                return
        try:
            mine.acquire()  # until the one before hands over
        except BaseException:  # an impatient interrupt
            self._leave(mine)
            raise

    def __exit__(self, *_: object) -> None:
        self._leave(self._waiting[0])

    def _leave(self, one: threading.Lock) -> None:
        with self._guard:
            had_turn = self._waiting[0] is one
            self._waiting.remove(one)
            if had_turn and self._waiting:
                self._waiting[0].release()


turns = Turns()


def mix(*numbers: int) -> int:
    """A seed of 63 bits from several numbers that are not negative."""
    (state,) = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return int(state >> np.uint64(1))


@contextmanager
def borrowed(device: torch.device, *numbers: int) -> Iterator[None]:
    """torch's generators of the CPU and of `device`, seeded by the numbers, and put back as they were."""
    seed, on_mac = mix(*numbers), device.type == "mps"
    devices = [device] if device.type == "cuda" else []
    mac = torch.mps.get_rng_state() if on_mac else None
    try:
        with torch.random.fork_rng(devices=devices):
            torch.default_generator.manual_seed(seed)
            if devices:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            if on_mac:
                torch.mps.manual_seed(seed)
            yield
    finally:
        if mac is not None:
            torch.mps.set_rng_state(mac)


class Draws:
    """The random numbers of a run's batches."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed, self.device = seed, device
        self._needed: bool | None = None  # unknown before the first batch

    @contextmanager
    def of(self, step: int) -> Iterator[None]:
        """Around a batch: it is its turn, and what it draws depends on (seed, step)."""
        alone = threading.current_thread() is threading.main_thread()
        with turns:
            if self._needed is False and not alone:
                yield
                return
            with borrowed(self.device, self.seed, step):
                before = self._states()
                yield
                if not self._needed:
                    after = self._states()
                    self._needed = any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))

    def _states(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device))
        elif self.device.type == "mps":
            states.append(torch.mps.get_rng_state())
        return states
