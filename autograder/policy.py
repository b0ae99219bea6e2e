"""The sandbox as data: what a submission may use (`Limits`) and how each level shuts it in (`Policy`).

Nothing here touches the machine. `build` is a pure function from a level, the limits and the paths that a
submission may read to a `Policy`; `autograder.sandbox` applies one after the fork.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from autograder.errors import InstructorError

MIB = 1 << 20

Level = Literal["namespaces", "userns", "landlock", "trusted", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)
#: Levels that shut a submission in, strongest first.
SANDBOXES: tuple[Level, ...] = ("namespaces", "userns", "landlock")

SUMMARY: dict[Level, str] = {
    "namespaces": "own mount, process, network and IPC namespaces, own user id (as root), cgroup where writable",
    "userns": "the same namespaces inside an unprivileged user namespace",
    "landlock": "Landlock file rules, system-call filter and resource limits, in the host's namespaces",
    "trusted": "for the autograder's own judge: system-call filter and resource limits, no file rules",
    "none": "no walls: resource limits only, and only when asked for explicitly",
}


@dataclass(frozen=True)
class Limits:
    """What one submission may use. The defaults of an assignment; `course.toml` sets others."""

    cell_seconds: int = 30  # wall clock, one cell
    submission_seconds: int = 120  # wall clock of everything, and CPU time of any one process
    memory_mb: int = 1024  # growth over the warm process it is forked from; files in /tmp count
    processes: int = 64  # processes and threads together
    output_kb: int = 1024  # text and pictures, all cells together
    disk_mb: int = 256  # everything written, shared memory included
    notebook_mb: int = 10  # the file as handed in, before it is parsed

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise InstructorError(f"The limit {field.name} must be a whole number of at least 1; it is {value!r}.")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "Limits":
        """Limits from a table of `course.toml` or an assignment's metadata; absent keys keep their default.

        Raises:
            InstructorError: unknown key, or a value that is no positive whole number.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InstructorError(f"Unknown limit {', '.join(unknown)}; the limits are {', '.join(known)}.")
        return cls(**values)
