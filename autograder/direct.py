"""The direct mode: all cells of a notebook in one plain Python process, for code that we trust.

`autograder verify` runs the course's own solutions and mistakes this way, thousands of times, so it must be quick: a
server process imports what the assignment imports, once, and forks for every notebook; the fork runs it once for each
key of draws. A test means the same here as in JupyterLab. Submissions never run here: there is no sandbox, and the
verdict is made beside the answer.

    executor ──json lines──► server (torch imported, one thread) ──fork──► child: exec cells, verdicts as JSON
"""

import ast
import contextlib
import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any

from nbformat.v4 import new_output

from autograder.assignment import Assignment, Cell
from autograder.errors import EngineError
from autograder.grade import Run, Verdict
from autograder.submission import Submission
from autograder.warm import slow_libraries
from autograder.wording import by_name, not_held
from autograder.zygote import SINGLE_THREAD

#: Whether it was in the hidden half, the exception's name and text, and its hint.
_Stopped = tuple[bool, str, str, str]


class DirectExecutor:
    """Runs trusted notebooks in forks of one warm process. A context manager: leaving it ends the process."""

    engine = "direct"
    sandbox = "none"

    def __init__(self, assignment: Assignment) -> None:
        self._lock = threading.Lock()
        self._server = subprocess.Popen(  # noqa: S603 (our own interpreter)
            [sys.executable, "-m", "autograder.directserver", *imports(assignment)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **SINGLE_THREAD},
        )

    def __enter__(self) -> "DirectExecutor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.kill()
        self._server.communicate()

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        """See `autograder.grade.Executor`."""
        cells: list[list[str]] = []
        places: list[int] = []
        for place, (node, cell) in enumerate(zip(submission.notebook.cells, submission.cells, strict=True)):
            if node.cell_type == "code":
                test = cell is not None and cell.kind == "test"
                cells.append([cell.visible_half, cell.hidden_source] if cell and test else [node.source])
                places.append(place)
        limit = assignment.settings.limits.submission_seconds
        ended = self._ask({"key": draws_key.hex(), "seconds": limit, "cells": cells})
        verdicts: dict[str, Verdict] = {}
        outputs = {}
        for place, outcome in zip(places, ended, strict=False):
            cell = submission.cells[place]
            if cell is not None and cell.kind == "test":
                memory_mb = assignment.settings.limits.memory_mb
                verdicts[cell.id] = _verdict(cell, outcome, memory_mb) if outcome else Verdict(cell.points, "passed")
            elif outcome:
                _, name, text, _ = outcome
                outputs[place] = [new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])]
        if len(ended) < len(cells):
            return Run(verdicts, outputs, "timeout", f"The notebook did not end within {limit} s, or it crashed.")
        return Run(verdicts, outputs)

    def _ask(self, request: dict[str, Any]) -> list[_Stopped | None]:
        """For each cell that ended: None, or what stopped it."""
        server = self._server
        if server.stdin is None or server.stdout is None:
            raise EngineError("The direct mode has no server.")
        with self._lock:
            try:
                server.stdin.write(json.dumps(request).encode() + b"\n")
                server.stdin.flush()
                answer = json.loads(server.stdout.readline())
            except (OSError, ValueError):
                raise EngineError("The server of the direct mode ended.") from None
        return [(hidden, name, text, hint) if name else None for hidden, name, text, hint in answer]


def _verdict(cell: Cell, stopped: _Stopped, memory_mb: int) -> Verdict:
    """The verdict on a test that an exception stopped. A hint is taken at its word: nobody here forges one."""
    hidden, name, text, hint = stopped
    if hint:
        return Verdict(0, "failed", not_held(text, hint, hidden=hidden))
    return Verdict(0, *by_name(cell.hidden_source, hidden, name, text, memory_mb))


def imports(assignment: Assignment) -> list[str]:
    """Top-level modules that the assignment's own code imports, and what torch would import at their first use."""
    code = [cell.source for cell in assignment.cells if cell.cell_type == "code"]
    found = set(slow_libraries(code))
    for source in code:
        with contextlib.suppress(SyntaxError):  # magics of IPython
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Import):
                    found |= {name.name.split(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return sorted(found)
