"""What every log of a training says of the run, and how it is written."""

import json
import math
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from convbook.train import History

PACKAGES = ("convbook", "torch", "torchvision", "numpy", "matplotlib", "pillow", "safetensors", "scikit-learn")
DIGITS = 5  # that count, of a measured number
POINTS = 200  # of a curve


def command() -> str:
    """The command line of this process, from the root of the repository."""
    return " ".join(["python", f"tools/{Path(sys.argv[0]).name}", *sys.argv[1:]])


def surroundings(device: torch.device) -> dict[str, Any]:
    """The machine and the versions, which the last digits of every number depend on."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def curve(history: History) -> dict[str, Any]:
    """A history as `History(**…)` takes it: all rows, at most POINTS points, the layers' gradients at the last only."""
    every = math.ceil(len(history.points) / POINTS) or 1
    points = history.points[::-1][::every][::-1]  # the last one always stays
    thinned = [{k: v for k, v in point.items() if k != "layers" or point is points[-1]} for point in points]
    contents: dict[str, Any] = rounded({"rows": history.rows, "points": thinned, "layers": history.layers})
    return contents


def rounded(value: Any) -> Any:
    """The same with DIGITS digits in every float."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def write(path: Path, contents: dict[str, Any]) -> None:
    """JSON that `git diff` can show: a line a row. Through a file beside it, so that no reader meets half of one."""
    partial = path.with_name(f".{path.name}.partial")
    text = _text(contents, 0) + "\n"
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _text(value: Any, depth: int) -> str:
    """A line a value; what holds nothing but numbers and words is one."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(part, dict | list) for part in parts):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        items = [f"{json.dumps(name, ensure_ascii=False)}: {_text(each, depth + 1)}" for name, each in value.items()]
    else:
        items = [_text(each, depth + 1) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{outer}{closing}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
