"""A thread that trains, and what it can be told: begin, pause, go on, stop.

torch computes outside of Python's global lock, so a thread leaves the notebook free, and other cells run between and
beside its batches. Asyncio in the kernel's own thread would not: a batch of a deep network takes seconds on a CPU. A
process of its own would be freer still, but could not take a model made of the notebook's functions.

Pause is an end: the thread stops `fit` before the next batch and is gone. Going on is a new thread and a new `fit` of
the same run. So a run that was paused differs from one that was not in nothing but the clock.

    idle → building → training → finished
                 ↘     ↕    ↘
                      paused → stopped        failed (from building or training)
"""

import atexit
import re
import threading
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from convbook.train import checks
from convbook.train.history import History
from convbook.train.loop import fit
from convbook.train.randomness import borrowed, turns
from convbook.train.run import Run

State = Literal["idle", "building", "training", "pausing", "paused", "stopping", "stopped", "finished", "failed"]

_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python[\d.]+|convbook[/\\]train)[/\\]")

BUSY: frozenset[State] = frozenset({"building", "training", "pausing", "stopping"})


@dataclass(frozen=True)
class Failure:
    """An exception that ended a run, as text: what was raised keeps no model alive.

    Attributes:
        line: the last line of the traceback.
        advice: what to look at; may be empty.
        details: the whole traceback.
        memory: whether a smaller batch may help.
    """

    line: str
    advice: str
    details: str
    memory: bool


class Background:
    """At most one run at a time. Any thread may call any method; all but `train_here` and `join` return at once."""

    def __init__(self) -> None:
        self.state: State = "idle"
        self.run: Run | None = None
        self.history = History()
        self.failure: Failure | None = None
        self.remarks: list[str] = []
        self.closed = False
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._epochs = 0
        _all.add(self)

    def start(self, build: Callable[[], Run], epochs: int, seed: int = 0) -> None:
        """Build a run and train it for some epochs, instead of the one before, whose model is freed first.

        `build` runs in the thread too, with torch's random numbers seeded. Raises RuntimeError while a run is busy.
        """
        with self._lock:
            self._forget()
            self._epochs = epochs
            self._launch("building", lambda: self._build(build, seed))

    def train_here(self, build: Callable[[], Run], epochs: int, seed: int = 0) -> None:
        """The same in the caller's thread, with progress shown; an interrupt counts as a pause and is raised again."""
        with self._lock:
            self._forget()
            self.state = "building"
        end: State = "failed"
        try:
            self.run = self._build(build, seed)
            self.history, self.state, self._epochs = self.run.history, "training", epochs
            fit(self.run, epochs)
            end = "finished"
        except KeyboardInterrupt:
            end = "paused" if self.run is not None else "idle"
            raise
        except BaseException as error:  # a model may call exit(), too
            self.failure, self.run = _failure(error), None
            raise
        finally:
            self.state = end

    def pause(self) -> None:
        """Stop before the next batch, such that `resume` goes on from there."""
        self._halt("pausing")

    def resume(self) -> None:
        """Go on after a pause."""
        with self._lock:
            if self.state == "paused" and not self.closed:
                self._launch("training", lambda: self.run)

    def stop(self) -> None:
        """End the run before the next batch. Its model stays until another run starts."""
        with self._lock:
            if self.state == "paused":
                self.state = "stopped"
            self._halt("stopping")

    def close(self) -> None:
        """Stop, and let go of the model."""
        with self._lock:
            self.closed = True
            self.stop()
            if self.state not in BUSY:
                self.run = None

    def succeed(self, other: "Background") -> None:
        """Take the place of another, closed one: nothing starts before its thread has let go of its model."""
        self._thread = other._thread

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; whether it is gone."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _forget(self) -> None:
        """Let go of the run before. Raises RuntimeError while it is busy."""
        if self.state in BUSY or self.closed:
            raise RuntimeError(f"The panel is {'closed' if self.closed else self.state}: it cannot start a run now.")
        self.run, self.failure, self.history, self.remarks = None, None, History(), []

    def _halt(self, state: State) -> None:
        with self._lock:
            if self.state in BUSY:
                self.state = state
                if self.run is not None:
                    self.run.stop.set()

    def _launch(self, state: State, make: Callable[[], Run | None]) -> None:
        before, self.state = self._thread, state
        self._thread = threading.Thread(target=self._work, args=(make, before), name="convbook-training", daemon=True)
        self._thread.start()

    def _build(self, build: Callable[[], Run], seed: int) -> Run:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with turns, borrowed(device, seed):
            run = build()
        if not isinstance(run, Run):
            raise TypeError(f"The build function returned {type(run).__name__}. It must return a Run.")
        return run

    def _work(self, make: Callable[[], Run | None], before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # two models need not fit into memory
        end: State = "finished"
        try:
            self._train(make)
        except KeyboardInterrupt:
            end = "stopped"
        except BaseException as error:  # an exit() would end this thread, and nobody would hear of it
            end = "failed"
            self.failure = _failure(error)
            # The frames of the traceback hold the batch and the graph.
            traceback.clear_frames(error.__traceback__)
        with self._lock:
            self.state = "paused" if end == "stopped" and self.state == "pausing" else end
            if self.run is not None:
                self.run.stop.clear()  # a button may have been pressed after the last batch
            if self.closed or end == "failed":
                self.run = None
        if end == "failed" and torch.cuda.is_available() and self.failure and self.failure.memory:
            torch.cuda.empty_cache()

    def _train(self, make: Callable[[], Run | None]) -> None:
        run = make()
        assert run is not None  # what is paused has a run
        with self._lock:
            self.run, self.history = run, run.history
            if self.state in ("pausing", "stopping") or self.closed:
                run.stop.set()
            else:
                self.state = "training"
        fit(run, self._epochs, _Remarks(self.remarks))


class _Remarks:
    """A watcher that keeps what `fit` says; for all else there are `run` and `history`."""

    def __init__(self, remarks: list[str]) -> None:
        self.remarks = remarks

    def batch(self, run: Run, epochs: int) -> None:
        pass

    def say(self, text: str) -> None:
        if text not in self.remarks:  # a run that goes on is checked again
            self.remarks.append(text)

    def stopped(self, run: Run) -> None:
        pass

    def close(self) -> None:
        pass


def _failure(error: BaseException) -> Failure:
    words = [*getattr(error, "__notes__", [])] or [checks.advice(error)]
    # The last line that is neither torch's nor ours is where a reader can change something.
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not _LIBRARY.search(frame.filename)]
    if theirs:
        words.append(f"It came from line {theirs[-1].lineno} of {theirs[-1].name}: {theirs[-1].line}")
    return Failure(
        line=traceback.format_exception_only(error)[0].strip(),
        advice=" ".join(filter(None, words)),
        details="".join(traceback.format_exception(error)),
        memory=checks.out_of_memory(error),
    )


_all: "weakref.WeakSet[Background]" = weakref.WeakSet()


@atexit.register
def _end() -> None:
    """Let batches end before the interpreter goes: torch does not like to be left in the middle of one."""
    for background in list(_all):
        background.close()
    for background in list(_all):
        background.join(timeout=5)
