"""How a run goes on, shown where it is called from: a notebook, a terminal, or a file.

In a notebook a bar and the table of the epochs so far take each other's place in one output, made of HTML alone: it
needs no widget, so it works in JupyterLab and Colab, and what is saved is its last state. In a terminal the bar is a
line that is written over; elsewhere there is one line an epoch.
"""

import html
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from convbook.train.history import shown

if TYPE_CHECKING:
    from convbook.train.run import Run

PAUSE = 0.2  # seconds between two updates of the bar
WIDTH = 24  # characters of the bar in a terminal


class Progress:
    """Watches a `fit`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.overwrites = self.stream.isatty()
        self.handle = _notebook_output() if stream is None else None
        self.rows = 0  # of the history that were there at the last look
        self.next = 0.0
        self.said: list[str] = []
        self.run: Run | None = None

    def batch(self, run: "Run", epochs: int) -> None:
        """Show where the run is, unless that was done a moment ago."""
        if self.run is None:
            self.rows = len(run.history) - (run.batch == 0)
        self.run, self.epochs = run, epochs
        new = run.history.rows[self.rows :]
        self.rows += len(new)
        if not new and time.monotonic() < self.next:
            return
        self.next = time.monotonic() + PAUSE
        if self.handle is not None:
            self.handle.update(_Page(self._text(), self._html()))
            return
        for row in new:
            self._line("  ".join(f"{name.replace('_', ' ')} {shown(name, row[name])}" for name in row) + " s")
        if self.overwrites and run.epoch < epochs:
            self._write(f"\r{self._text()}\x1b[K")

    def say(self, text: str) -> None:
        """A sentence of its own line, above the bar."""
        self.said.append(text)
        if self.handle is None:
            self._line(text)
        else:
            self.handle.update(_Page(self._text(), self._html()))

    def stopped(self, run: "Run") -> None:
        self.say(f"Stopped after {run.where()}. Call fit again with the same run to go on.")

    def close(self) -> None:
        """The last state."""
        if self.handle is not None:
            self.handle.update(_Page(self._text(), self._html()))
        elif self.overwrites:
            self._write("\r\x1b[K")

    def _line(self, text: str) -> None:
        self._write(f"\r\x1b[K{text}\n" if self.overwrites else f"{text}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()

    def _text(self) -> str:
        run = self.run
        if run is None:
            return "\n".join(self.said)
        if self.handle is not None:
            return "\n".join([*self.said, self._position(run), run.history.to_markdown()])
        filled = round(WIDTH * self._share(run))
        return f"{self._position(run)} [{'#' * filled}{'.' * (WIDTH - filled)}]"

    def _html(self) -> str:
        parts = [f"<p>{html.escape(text)}</p>" for text in self.said]
        if self.run is not None:
            label = html.escape(self._position(self.run))
            bar = f'<progress max="1" value="{self._share(self.run):.3f}" aria-label="training"></progress>'
            parts.append(f"<p>{bar} {label}</p>" if self.run.epoch < self.epochs else f"<p>{label}</p>")
            parts.append(table(self.run))
        return "".join(parts)

    def _position(self, run: "Run") -> str:
        if run.epoch >= self.epochs:
            return f"Trained for {run.epoch} epoch{'s' * (run.epoch > 1)} in {run.seconds:.1f} s."
        loss = f", loss {run.history.points[-1]['loss']:.3f}" if run.history.points else ""
        return f"Epoch {run.epoch + 1} of {self.epochs}, batch {run.batch} of {run.batches}{loss}"

    def _share(self, run: "Run") -> float:
        return min(1.0, (run.epoch + run.batch / run.batches) / self.epochs)


def table(run: "Run") -> str:
    """The rows of a run's history as HTML."""
    history = run.history
    if not history.rows:
        return ""
    head = "".join(f'<th scope="col">{html.escape(name.replace("_", " "))}</th>' for name in history.columns)
    rows = ("".join(f"<td>{shown(name, row[name])}</td>" for name in history.columns) for row in history.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


class _Page:
    """An output in two forms."""

    def __init__(self, text: str, page: str) -> None:
        self.forms = {"text/plain": text, "text/html": page}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.forms


def _notebook_output() -> Any:
    """A display of IPython that can be updated, or None outside of a kernel."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return display(_Page("", ""), display_id=True)
