"""Checkpoints: one file a run, complete or the one before, and read without running any code that is in it."""

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from convbook.train.run import Run

FORM = "convbook run 1"


def save(run: "Run") -> None:
    """Write the run's file, through a file beside it, so that no reader and no crash ever meets half of one.

    Raises:
        OSError: the file cannot be written; the one before is still there.
    """
    if run.checkpoint is None:
        return
    path = Path(run.checkpoint)
    run.meter.read(run.step)
    state = {
        "form": FORM,
        "recipe": run.recipe,
        "position": [run.epoch, run.batch, run.step],
        "seconds": run.seconds,
        "measured": run.meter.state(),
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "schedule": run.schedule.state_dict() if run.schedule else None,
        "scaler": run.scaler.state_dict(),
    }
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        partial = Path(folder) / path.name
        torch.save(state, partial)
        partial.replace(path)


def restore(run: "Run") -> bool:
    """Put a run that has not begun where its file says, and tell whether there was one.

    Raises:
        ValueError: the file is no checkpoint, or one of another run. The message says what differs.
    """
    if run.checkpoint is None or run.step:
        return False
    folder = Path(run.checkpoint).absolute().parent
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder} for the checkpoint {run.checkpoint}. Make it first.")
    if not Path(run.checkpoint).exists():
        return False
    state = _read(Path(run.checkpoint), run.device)
    for what, mine in run.recipe.items():
        if state["recipe"].get(what) != mine:
            raise ValueError(
                f"{run.checkpoint} is the checkpoint of another run: its {what} differs. "
                f"There: {_short(state['recipe'].get(what))}. Here: {_short(mine)}. "
                "Delete the file to start afresh, or name another one."
            )
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    if run.schedule:
        run.schedule.load_state_dict(state["schedule"])
    if state["scaler"]:
        run.scaler.load_state_dict(state["scaler"])
    run.meter.restore(state["measured"])
    run.epoch, run.batch, run.step = state["position"]
    run.seconds = state["seconds"]
    return True


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as problem:
        line = str(problem).strip().splitlines()[:1]
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({type(problem).__name__}: {' '.join(line)}). "
            "Delete the file to start afresh, or name another one."
        ) from problem
    if not isinstance(state, dict) or state.get("form") != FORM:
        raise ValueError(f"{path} is not a checkpoint of `fit`. Name another file.")
    return state


def _short(text: object, longest: int = 160) -> str:
    words = str(text)
    return words if len(words) <= longest else f"{words[:longest]}…"
