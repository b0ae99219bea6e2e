"""What a panel lets its reader choose, and what was chosen when a button was pressed.

Each widget talks to the kernel on its own. A page holds back a widget's second change until the kernel has dealt with
the first, and JupyterLab sends some widgets' messages past a busy kernel and others not. So a press of Start may
overtake the choices made before it. A run starts when each dropdown has answered a question that is asked after the
press: the question is a number, which links in the page copy into every dropdown, and so back to the kernel, in the
same message as a choice held back or in a later one.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets
import traitlets

Choice = dict[str, Any]

LOOKS = 8  # before a run starts without an answer, from a page that has no links
LATE = 1.0  # seconds between two looks, if the kernel was busy; an answer may wait in its queue


class Dropdown(ipywidgets.Dropdown):
    """A dropdown that can be asked whether all that was chosen has come."""

    answered = traitlets.Int(0).tag(sync=True)


class Chooser:
    """A dropdown for each name, and the values that its labels stand for.

    Args:
        choices: for each name the values to choose from: a list, or a dictionary from labels to values.
    """

    def __init__(self, choices: Mapping[str, Iterable[Any] | Mapping[str, Any]]) -> None:
        self.labels = {name: _labeled(name, values) for name, values in choices.items()}
        self.dropdowns = {
            name: Dropdown(
                options=list(labels), description=name.replace("_", " "), style={"description_width": "initial"}
            )
            for name, labels in self.labels.items()
        }
        self._question = ipywidgets.IntText()  # shown nowhere
        self._links = [
            ipywidgets.jsdlink((self._question, "value"), (each, "answered")) for each in self.dropdowns.values()
        ]
        for each in self.dropdowns.values():
            each.observe(self._on_answer, "answered")
        self._lock = threading.RLock()
        self._then: Callable[[], None] | None = None
        self._looks = 0
        self._looked = 0.0
        self._patience = LOOKS

    @property
    def asking(self) -> bool:
        """Whether something waits for an answer."""
        return self._then is not None

    def ask(self, then: Callable[[], None]) -> None:
        """Call `then` when all has come that was chosen before now. It may be called from another thread."""
        with self._lock:
            self._then, self._looks, self._looked = then, 0, time.monotonic()
            self._question.value += 1
            self._on_answer()

    def look(self) -> None:
        """To be called a few times a second while a question is open: a page without links never answers."""
        with self._lock:
            now = time.monotonic()
            self._looks += now - self._looked < LATE
            self._looked = now
            if self.asking and self._looks >= self._patience:
                self._patience = 1
                self._go_on()

    def forget(self) -> None:
        """Nothing waits any more."""
        self._then = None

    def chosen(self, given: Choice) -> tuple[list[str], Choice]:
        """Labels and values of a choice, from the dropdowns where nothing is given.

        Raises ValueError where there is nothing of this name, or no such value.
        """
        if unknown := sorted(set(given) - set(self.labels)):
            raise ValueError(
                f"There is nothing called {', '.join(unknown)} to choose; there is {', '.join(self.labels)}."
            )
        # Not the dropdown's value, which follows its index a moment later.
        found = {
            name: _label_of(name, given[name], labels) if name in given else list(labels)[self.dropdowns[name].index]
            for name, labels in self.labels.items()
        }
        return list(found.values()), {name: self.labels[name][label] for name, label in found.items()}

    def close(self) -> None:
        self.forget()
        for widget in (*self._links, self._question, *self.dropdowns.values()):
            widget.close()

    def _on_answer(self, _: Any = None) -> None:
        with self._lock:
            if all(each.answered == self._question.value for each in self.dropdowns.values()):
                self._patience = LOOKS
                self._go_on()

    def _go_on(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


def _labeled(name: str, values: Iterable[Any] | Mapping[str, Any]) -> dict[str, Any]:
    labels = dict(values) if isinstance(values, Mapping) else {_label(value): value for value in values}
    if not labels:
        raise ValueError(f"There is nothing to choose for {name}. Give at least one value.")
    return {str(label): value for label, value in labels.items()}


def _label(value: Any) -> str:
    return getattr(value, "__name__", None) or str(value)


def _label_of(name: str, value: Any, labels: dict[str, Any]) -> str:
    if isinstance(value, str) and value in labels:
        return value
    for label, one in labels.items():
        if one is value or (type(one) is type(value) and one == value):
            return label
    raise ValueError(f"{name} cannot be {value!r}. Choose from {', '.join(labels)}.")
