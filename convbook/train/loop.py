"""The training loop."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import torch
from torch import Tensor, nn

from convbook.train import checkpoint, checks
from convbook.train.history import History
from convbook.train.meter import hits
from convbook.train.progress import Progress
from convbook.train.run import Run


class Watcher(Protocol):
    """Who is told how a run goes on."""

    def batch(self, run: Run, epochs: int) -> None:
        """A batch is done."""

    def say(self, text: str) -> None:
        """A sentence for the reader."""

    def stopped(self, run: Run) -> None:
        """The run was interrupted after a complete batch, and can go on."""

    def close(self) -> None:
        """`fit` returns or raises."""


def fit(run: Run, epochs: int, watcher: Watcher | None = None) -> History:
    """Train until the run has `epochs` complete epochs; a run that has begun goes on where it stopped.

    An interrupt of the cell lets the present batch end, writes the checkpoint and raises KeyboardInterrupt; call
    `fit` again to go on. A second interrupt does not wait for the batch, which may leave it half done.

    Returns:
        The run's history.

    Raises:
        ValueError: this cannot train; the message says why and what to do.
        FloatingPointError: the loss became infinite or no number.
        KeyboardInterrupt: the cell was interrupted, or `run.stop` was set.
    """
    model, optimizer, scaler = run.model, run.optimizer, run.scaler
    watcher = watcher or Progress()
    first = checks.FirstBatch(run, watcher.say)
    with _session(run, watcher):
        if run.epoch >= epochs:
            watcher.say(f"This run has {run.epoch} complete epochs already: fit(run, {run.epoch + 1}) trains one more.")
        while run.epoch < epochs:
            for images, labels in run.left():
                first.batch(images, labels)
                with run.draws.of(run.step):  # its own random numbers, the same when the run is resumed
                    with run.autocast():
                        outputs = model(images)
                        first.outputs(outputs, labels)
                        loss = run.loss(outputs, labels)
                    optimizer.zero_grad()
                    scaler.scale(loss).backward()
                    scaler.unscale_(optimizer)
                    first.gradients(outputs, loss)
                    if run.clip is not None:
                        nn.utils.clip_grad_norm_(model.parameters(), run.clip)
                    scaler.step(optimizer)
                    scaler.update()
                    if run.schedule is not None:
                        run.schedule.step()
                run.record(loss, outputs, labels)
                watcher.batch(run, epochs)
            run.end_epoch(_validate(run))
            watcher.batch(run, epochs)
            _save(run, watcher)
    return run.history


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy,
) -> dict[str, float]:
    """The mean loss and the accuracy over all batches, in evaluation mode; each module's own mode is put back."""
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    model.eval()
    try:
        sums = torch.zeros(2, dtype=torch.float64, device="cpu" if device.type == "mps" else device)
        count = 0
        for images, labels in batches:
            outputs, labels = model(images.to(device)), labels.to(device)
            right, number = hits(outputs, labels)
            sums += torch.stack((loss(outputs, labels).float() * number, right)).to(sums)
            count += number
    finally:
        for module, training in modes:
            module.training = training
    if count == 0:
        raise ValueError("There is no batch to evaluate on.")
    return {"loss": float(sums[0]) / count, "accuracy": float(sums[1]) / count}


def _validate(run: Run) -> dict[str, float]:
    if run.validation is None:
        return {}
    with run.autocast():
        return evaluate(run.model, run.moved(run.validation), run.loss)


@contextmanager
def _session(run: Run, watcher: Watcher) -> Iterator[None]:
    """What surrounds the loop: checkpoint, clock, interrupts, and exceptions with advice."""
    try:
        if checkpoint.restore(run):
            watcher.say(f"{run.checkpoint}: going on after {run.where()}.")
        run.start_clock()
        with _interruptible(run.stop):
            yield
    except _AtOnce:
        watcher.say(
            "Interrupted in the middle of a batch, so the model may hold half an update. "
            + (f"{run.checkpoint} holds the last complete one." if run.checkpoint else "Build it again to be sure.")
        )
        raise
    except KeyboardInterrupt:
        run.stop_clock()
        _save(run, watcher)
        watcher.stopped(run)
        raise
    except Exception as error:
        if words := checks.advice(error, run):
            error.add_note(words)
        raise
    finally:
        run.stop_clock()
        run.stop.clear()
        watcher.close()


def _save(run: Run, watcher: Watcher) -> None:
    try:
        checkpoint.save(run)
    except (OSError, RuntimeError) as problem:  # torch says RuntimeError where the disk is full
        watcher.say(f"{run.checkpoint} cannot be written ({problem}). Training goes on, without a checkpoint.")


class _AtOnce(KeyboardInterrupt):
    """The second interrupt: it does not wait for the batch to end."""


@contextmanager
def _interruptible(stop: threading.Event) -> Iterator[None]:
    """An interrupt sets `stop`, so that a batch is done or not done; a second one raises. Other threads get none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise _AtOnce
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
