"""Logs of trainings that take longer than a chapter may, or want a GPU: measured once, and plotted from here.

They lie in the package, since a notebook in Colab has nothing else. `tools/run_gpu.py` writes them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbook.data.places import say_once
from convbook.train.history import History

FOLDER = Path(__file__).parent.parent / "assets" / "logs"


@dataclass(frozen=True)
class Log:
    """What `logged` returns.

    Attributes:
        name: of its file, without the ending.
        contents: all of the file: about, size, command, device, threads, versions, recipe and runs. How many pictures
            were trained on, held out to validate on and tested on is in the recipe's "pictures".
    """

    name: str
    contents: dict[str, Any]

    @property
    def histories(self) -> dict[str, History]:
        """The curves by run, for `curves(log.histories)`; a run is called "NETWORK, seed 0"."""
        return {label: History(**run["curves"]) for label, run in self.contents["runs"].items()}

    def figures(self, what: str = "test accuracy") -> dict[str, list[float]]:
        """A figure of each run, by network, in the order of their seeds. Raises KeyError with the names that there are.

        Args:
            what: "test accuracy" or "seconds", and what else the demo has measured.
        """
        found: dict[str, list[float]] = {}
        for run in self.contents["runs"].values():
            if not isinstance(run.get(what), int | float):
                there = [name for name, value in run.items() if isinstance(value, float)]
                raise KeyError(f"{self.name} has no {what!r} of every run; there are: {', '.join(there)}.")
            found.setdefault(run["network"], []).append(run[what])
        return found

    def __str__(self) -> str:
        log, runs = self.contents, self.contents["runs"]
        seconds = sum(run["seconds"] for run in runs.values())
        where = f"{log['device']}, {log['threads']} thread{'s' if log['threads'] > 1 else ''}"
        pictures = ", ".join(f"{count:,} {what}" for what, count in log["recipe"]["pictures"].items())
        return (
            f"Log {self.name}: {log['about']}. {log['size']}. "
            f"Pictures: {pictures}. {len(runs)} runs, {seconds:,.0f} s on {where}."
        )


def logged(name: str) -> Log:
    """A log by the name of its file, as in `logged("lenet-laptop")`; prints once on what it was measured.

    Raises:
        ValueError: there is none of this name; the message lists those that there are.
    """
    path = FOLDER / f"{name}.json"
    there = sorted(path.stem for path in FOLDER.glob("*.json"))
    if name not in there:
        raise ValueError(f"There is no log {name!r}. This version of convbook has: {', '.join(there) or 'none'}.")
    contents = json.loads(path.read_text(encoding="utf-8"))
    if "runs" not in contents:
        raise ValueError(f"{path} holds no runs with curves. Read it with json.loads.")
    log = Log(name, contents)
    say_once(str(log))
    return log
