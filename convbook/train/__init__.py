"""Training that can be read, watched, stopped and resumed.

    machine = setup()  # device, budget and seed; says what it chose
    model = lenet().to(machine.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    run = Run(model, batches(train, 128, seed=0), optimizer, validation=batches(test, 1000))
    history = fit(run, epochs=2)

`fit` is the training loop. A `Run` is what it works on, with all that has to be kept between two calls: interrupt the
cell, call `fit` again with the same run, and the result is that of a run that was never interrupted. `TrainingPanel`
does the same from buttons, in the background, for several choices of a network. `python -m convbook.train` is a sample.

Modules in the order of the story: `machine` (setup) · `run` · `loop` (fit) · `checks` (what goes wrong, in words) ·
`randomness` · `history` · `progress` · `drawing` · `background` (a thread that trains) · `panel` · `logbook` (what was
measured elsewhere, and is plotted).
"""

from typing import TYPE_CHECKING, Any

try:
    import torch  # noqa: F401
except ImportError as missing:
    raise ImportError("Training needs PyTorch, which is missing: `pip install torch`.") from missing

from convbook.train.history import History
from convbook.train.logbook import Log, logged
from convbook.train.loop import evaluate, fit
from convbook.train.machine import Machine, setup
from convbook.train.run import Run

if TYPE_CHECKING:
    from convbook.train.drawing import curves, summary
    from convbook.train.panel import TrainingPanel

__all__ = [
    "History",
    "Log",
    "Machine",
    "Run",
    "TrainingPanel",
    "curves",
    "evaluate",
    "fit",
    "logged",
    "setup",
    "summary",
]


def __getattr__(name: str) -> Any:
    """What needs matplotlib or ipywidgets is imported when it is first asked for."""
    if name == "TrainingPanel":
        from convbook.train import panel

        return panel.TrainingPanel
    if name in ("curves", "summary"):
        from convbook.train import drawing

        return getattr(drawing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
