"""`convbook doctor`: can this machine run the chapters and the assignments?

Each check is a line: what was found, or what is missing and the command that mends it.
"""

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

# What for, by distribution: (needed by every notebook, or what works only with it).
NEEDED = {"numpy": "arrays", "matplotlib": "figures", "ipywidgets": "demos", "anywidget": "demos"}
USEFUL = {
    "torch": "checks against PyTorch, and every chapter that trains",
    "torchvision": "pictures and pretrained networks",
    "jupyterlab": "running the notebooks on this machine",
    "nbgrader": "the Validate button of the assignments",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report: `ok` is False only for what every notebook needs."""

    ok: bool
    text: str


def examine() -> Iterator[Finding]:
    """Look at Python, the packages and the GPU; nothing is changed."""
    yield Finding(True, f"Python {platform.python_version()}")
    for name, purpose in NEEDED.items():
        found = version_of(name)
        yield Finding(found is not None, f"{name} {found}" if found else missing(name, purpose))
    for name, purpose in USEFUL.items():
        found = version_of(name)
        yield Finding(True, f"{name} {found}" if found else missing(name, purpose))
    if version_of("torch"):
        yield Finding(True, device())


def version_of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def missing(name: str, purpose: str) -> str:
    return f"{name} is missing ({purpose}). Install it with: pip install {name}"


def device() -> str:
    """Where training would run."""
    import torch

    if torch.cuda.is_available():
        return f"training runs on the GPU {torch.cuda.get_device_name()}"
    return f"training runs on the CPU, with {torch.get_num_threads()} threads"


def main() -> None:
    if sys.argv[1:] != ["doctor"]:
        sys.exit("usage: convbook doctor")
    findings = list(examine())
    for finding in findings:
        print(("  " if finding.ok else "✗ ") + finding.text)
    if not all(finding.ok for finding in findings):
        sys.exit("Some of what every notebook needs is missing; the lines marked ✗ say what to do.")
    print("This machine can run the chapters and the assignments.")
