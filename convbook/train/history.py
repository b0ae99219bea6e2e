"""What a run has measured: a plain table with a row an epoch, and points in between for curves."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    """Numbers only, so that it can be printed, plotted, saved as JSON or given to `pandas.DataFrame(history.rows)`.

    Attributes:
        rows: one dictionary an epoch, all with the same keys: epoch (from 1), loss and accuracy over the epoch's
            training batches as they went by, validation_loss and validation_accuracy where there is validation data,
            rate (the learning rate at the end) and seconds (spent training so far).
        points: one dictionary every few batches: step (batches so far), epoch (with a fraction), loss and accuracy
            since the point before, gradient (the norm over all parameters at this batch) and layers (the same a layer).
        layers: the names of the layers that `points` have gradient norms of, from input to output.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)

    def copy(self) -> "History":
        """What has been measured until now, for a reader beside a run that goes on."""
        return History(list(self.rows), list(self.points), self.layers)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.rows[0]) if self.rows else ()

    def __getitem__(self, column: str) -> list[float]:
        """A column of the rows. Raises KeyError with the names that there are."""
        if column not in self.columns:
            raise KeyError(f"There is no column {column!r}; there are: {', '.join(self.columns) or 'no rows yet'}.")
        return [row[column] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def to_markdown(self) -> str:
        """The rows as a table in Markdown."""
        if not self.rows:
            return "No epoch is complete yet."
        lines = [[name.replace("_", " ") for name in self.columns], ["---:"] * len(self.columns)]
        lines += [[shown(name, row[name]) for name in self.columns] for row in self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def __str__(self) -> str:
        return self.to_markdown()


def shown(column: str, value: float) -> str:
    """A number of a column as text."""
    if column in ("epoch", "step"):
        return str(int(value))
    if column == "seconds":
        return f"{value:.1f}"
    return f"{value:.2g}" if column in ("rate", "gradient") else f"{value:.3f}"
