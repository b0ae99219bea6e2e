"""A panel in a notebook that trains while the notebook stays free: choose, start, pause, stop, compare.

Three threads meet here. One trains (`background`). Buttons may be pressed in a thread of their own, since JupyterLab
sends them past a busy kernel. The kernel's main thread looks a few times a second at what has been measured and draws.
So a button only tells the background what is wanted, and all that writes to a widget does it under one lock.
"""

import asyncio
import base64
import html
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets

from convbook.train.background import BUSY, Background
from convbook.train.choosing import Choice, Chooser
from convbook.train.drawing import curves, summary
from convbook.train.history import History, shown
from convbook.train.run import Run

PAUSE = 0.25  # seconds between two looks at the run
SHARE = 0.1  # of the main thread's time that drawing may take

_VIEW = "application/vnd.jupyter.widget-view+json"
_QUIET = 'style="margin:0.25rem 0;line-height:1.5"'


class TrainingPanel(ipywidgets.VBox):
    """Trains what is chosen, and compares the runs.

        def build(choice):
            model = lenet(activation=choice["activation"])
            optimizer = torch.optim.SGD(model.parameters(), lr=choice["learning_rate"])
            return Run(model, batches(train, choice["batch_size"], seed=0), optimizer)

        TrainingPanel(build, {"activation": ["relu", "tanh"], "learning_rate": [0.1, 0.01]}, epochs=2)

    Args:
        build: makes a new run from a choice, a dictionary with a value for each name, and `batch_size`.
        choices: for each name the values to choose from: a list, or a dictionary from labels to values.
        epochs: how long a run is.
        batch_size: given to `build`. Where the memory is too small, the panel offers half of it.
        seed: of the random numbers in `build`, so that runs differ in nothing but the choice.
        title: above the panel.

    `runs` has the histories by name, `run` the present or last run with its model. `train` does in the foreground what
    the buttons do, for notebooks that run without anybody at the buttons. When its cell runs again, the panel that the
    cell has made before stops and lets go of its model.
    """

    def __init__(
        self,
        build: Callable[[Choice], Run],
        choices: Mapping[str, Iterable[Any] | Mapping[str, Any]],
        *,
        epochs: int = 1,
        batch_size: int = 128,
        seed: int = 0,
        title: str = "Training",
    ) -> None:
        self.background = Background()
        self.chooser = Chooser(choices)
        self.build, self.epochs, self.batch_size, self.seed, self.title = build, epochs, batch_size, seed, title
        self._usual_size = batch_size
        self.runs: dict[str, History] = {}
        self._name = ""
        self._writing = threading.RLock()
        self._drawn: Any = None
        self._next_drawing = 0.0
        self._following = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a script
        self._main = self._button("Start", "Start, pause or resume training", self._on_main)
        self._stop = self._button("Stop", "End this run; it stays in the comparison", self._on_stop)
        self._clear = self._button("Clear", "Forget the runs that are compared", self._on_clear)
        self._smaller = self._button("", "Start again with half as many pictures a batch", self._on_smaller)
        self._status, self._curves, self._words = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        row = ipywidgets.Layout(flex_flow="row wrap")
        super().__init__(
            [
                ipywidgets.HTML(f"<b>{html.escape(title)}</b>"),
                ipywidgets.Box(list(self.chooser.dropdowns.values()), layout=row),
                ipywidgets.Box([self._main, self._stop, self._clear, self._smaller], layout=row),
                self._status,
                self._curves,
                self._words,
            ]
        )
        _replace_the_one_before(self)
        self.refresh()

    # What can be done from code

    @property
    def run(self) -> Run | None:
        """The run that trains or has trained last; None before the first, and after one that failed."""
        return self.background.run

    def start(self, **choice: Any) -> None:
        """Start a run in the background: of these values, and of the dropdowns for what is not named."""
        labels, chosen = self._choice(choice)
        with self._writing:
            name = self._new_name(labels)
            self.background.start(lambda: self.build(chosen), self.epochs, self.seed)
            self._name = name
        self._follow()

    def train(self, **choice: Any) -> History:
        """The same in the foreground, with progress shown; returns when the run is complete."""
        labels, chosen = self._choice(choice)
        self._keep()
        self._name = self._new_name(labels)
        try:
            self.background.train_here(lambda: self.build(chosen), self.epochs, self.seed)
        finally:
            self.refresh()
        return self.background.history

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the background is no longer busy; whether that is so. The notebook waits as well."""
        return self.background.join(timeout)

    def close(self) -> None:
        """Stop training, let go of the model, and take the panel off the page."""
        self.background.close()
        if hasattr(self, "chooser"):  # Python closes what could not be made, too
            self.chooser.close()
        for part in self.children:
            for widget in (part, *getattr(part, "children", ())):
                widget.close()
        super().close()

    # Buttons

    def _button(self, description: str, tooltip: str, action: Callable[[], None]) -> ipywidgets.Button:
        def press(_: ipywidgets.Button) -> None:
            action()
            self._follow()

        button = ipywidgets.Button(description=description, tooltip=tooltip)
        button.on_click(press)
        return button

    def _on_main(self) -> None:
        state = self.background.state
        if state in ("building", "training"):
            self.background.pause()
        elif state == "paused":
            self.background.resume()
        elif state not in BUSY:
            self._start_as_chosen()

    def _on_stop(self) -> None:
        self.chooser.forget()
        self.background.stop()

    def _start_as_chosen(self) -> None:
        """Start once the choices that were made before have come."""

        def start() -> None:
            if self.background.state not in BUSY and not self.background.closed:
                self.start()

        if self._loop is None:
            start()  # no page, so there is nobody to ask
        elif not self.chooser.asking:
            self.chooser.ask(start)

    def _on_clear(self) -> None:
        going_on = self.background.state in BUSY or self.background.state == "paused"
        self._name = self._name if going_on else ""
        self.runs = {name: history for name, history in self.runs.items() if name == self._name}

    def _on_smaller(self) -> None:
        self.batch_size = max(1, self.batch_size // 2)
        self._start_as_chosen()

    # What is shown

    def refresh(self) -> None:
        """Bring the page up to date, curves included. To be called from the main thread, where matplotlib is used."""
        with self._writing:
            self._refresh_words()
            self._refresh_curves()

    def _refresh_words(self) -> None:
        with self._writing:
            self._keep()
            state = self.background.state
            failure = self.background.failure
            self._main.description = _MAIN.get(state, "Start")
            self._smaller.description = f"Try batches of {max(1, self.batch_size // 2)}"
            offered = failure is not None and failure.memory and self.batch_size > 1
            self._smaller.layout.display = "" if offered else "none"
            self._status.value = self._status_html()

    def _refresh_curves(self) -> None:
        """Draw what is new, unless that would take too much of this thread's time."""
        runs = {name: history.copy() for name, history in self.runs.items()}  # the run goes on meanwhile
        drawn = [(name, len(history.points), len(history.rows)) for name, history in runs.items()]
        waits = self.background.state in BUSY and time.monotonic() < self._next_drawing
        if drawn == self._drawn or waits:
            return
        begun = time.thread_time()
        words = summary(runs)
        image = base64.b64encode(curves(runs).svg().encode()).decode()
        alt = html.escape("Curves of loss, accuracy and gradient norm. " + " ".join(words))
        picture = f'<img src="data:image/svg+xml;base64,{image}" alt="{alt}" style="max-width:100%">'
        self._curves.value = picture if runs else ""
        self._words.value = "".join(f"<p {_QUIET}>{html.escape(line)}</p>" for line in words)
        self._drawn = drawn
        self._next_drawing = time.monotonic() + (time.thread_time() - begun) / SHARE

    def _keep(self) -> None:
        if self._name and self.background.history.points:
            self.runs[self._name] = self.background.history

    def _status_html(self) -> str:
        background = self.background
        run, state, failure = background.run, background.state, background.failure
        name = html.escape(self._name)
        parts = []
        if self.chooser.asking:
            parts.append('<span role="status">Starting, as soon as the kernel has read the choices.</span>')
        elif failure is not None:
            parts.append(
                f'<div role="alert"><p {_QUIET}><b>{name} failed.</b> <code>{html.escape(failure.line)}</code></p>'
                f"<p {_QUIET}>{html.escape(failure.advice)}</p></div><details><summary>Where it happened</summary>"
                f'<pre style="overflow:auto">{html.escape(failure.details)}</pre></details>'
            )
        else:
            where = ""
            if run is not None:
                share = min(1.0, (run.epoch + run.batch / run.batches) / self.epochs)
                where = f", epoch {min(run.epoch + 1, self.epochs)} of {self.epochs}"
                where += f", batch {run.batch} of {run.batches}" if state != "finished" else ""
                if run.history.points:
                    where += f", loss {shown('loss', run.history.points[-1]['loss'])}"
                parts.append(f'<progress max="1" value="{share:.3f}" aria-label="Progress of {name}"></progress> ')
            words = f"{_STATES[state]} {name}{where}." if name else _STATES["idle"]
            parts.append(f'<span role="status">{words}</span>')
        parts += [f"<p {_QUIET}><b>Check:</b> {html.escape(text)}</p>" for text in background.remarks]
        return "".join(parts)

    def _follow(self) -> None:
        """Say what has changed now, and draw in the kernel's main loop as long as the run is busy."""
        with self._writing:
            self._refresh_words()
            if self._loop is not None and not self._following:
                self._following = True
                self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._look()))

    async def _look(self) -> None:
        going_on = True
        while going_on:
            self.chooser.look()
            with self._writing:  # so that a button finds either somebody who will look again, or nobody
                self._following = going_on = self.background.state in BUSY or self.chooser.asking
            self.refresh()
            await asyncio.sleep(PAUSE if going_on else 0)

    def _ipython_display_(self, **_: Any) -> None:
        """The panel; where no widget can be shown, the curves so far as a picture, and in words.

        Not `_repr_mimebundle_`, since ipywidgets 7, which Colab ships, would show its own words then.
        """
        from IPython.display import display

        self._keep()
        data: dict[str, Any] = {
            "text/plain": "\n".join([f"{self.title}: a panel with buttons.", *summary(self.runs), self._usage()])
        }
        if self.runs:
            data["image/svg+xml"] = curves(self.runs).svg()
        if self.comm is not None:  # else the panel is closed
            data[_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display(data, raw=True)

    def _usage(self) -> str:
        values = ", ".join(f"{name}={next(iter(labels))!r}" for name, labels in self.chooser.labels.items())
        return f"Without buttons: panel.train({values}) trains here and now."

    # Choices

    def _choice(self, given: Choice) -> tuple[list[str], Choice]:
        """Labels and values of a choice, and the size of its batches."""
        labels, chosen = self.chooser.chosen(given)
        if self.batch_size != self._usual_size:
            labels.append(f"batches of {self.batch_size}")
        return labels, {"batch_size": self.batch_size, **chosen}

    def _new_name(self, labels: list[str]) -> str:
        name = ", ".join(labels) or self.title
        number = 1 + sum(1 for other in self.runs if other == name or other.startswith(f"{name} ("))
        return name if number == 1 else f"{name} ({number})"


_MAIN = {"building": "Pause", "training": "Pause", "pausing": "Pause", "paused": "Resume"}
_STATES = {
    "idle": "Nothing has been trained yet. Choose, then press Start.",
    "building": "Building",
    "training": "Training",
    "pausing": "Pausing after this batch:",
    "paused": "Paused:",
    "stopping": "Stopping after this batch:",
    "stopped": "Stopped:",
    "finished": "Finished:",
}

_made: dict[str, tuple[int, list["weakref.ref[TrainingPanel]"]]] = {}


def _replace_the_one_before(panel: TrainingPanel) -> None:
    """Close the panels that an earlier run of this cell has made, and remember this one."""
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    metadata = shell.kernel.get_parent().get("metadata", {})
    # Where a front end does not name its cells, the same text counts as the same cell.
    cell = str(metadata.get("cellId") or shell.user_ns.get("In", [""])[-1])
    count, panels = _made.get(cell, (0, []))
    if count != shell.execution_count:
        for old in filter(None, (reference() for reference in panels)):
            old.close()
            panel.background.succeed(old.background)
        panels = []
    _made[cell] = (shell.execution_count, [*panels, weakref.ref(panel)])
