"""The server of the direct mode (see `autograder.direct`): imports once, forks a child for every notebook.

A child runs its notebook as often as it is asked to, with other draws and in a new namespace each time: the fork, and
what torch sets up when it is first used, take longer than the cells. Only the standard library is imported here, so
that what a child inherits is what the assignment imports.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections import OrderedDict
from typing import Any

#: Children that wait for more: one for each check that `autograder verify` is at.
KEPT = (os.cpu_count() or 1) + 1


def main() -> None:
    """The server: a request a line on stdin, an answer a line on stdout."""
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):
            __import__(name)
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    children: OrderedDict[str, _Child] = OrderedDict()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        cells = json.dumps(request["cells"])
        child = children.pop(cells, None) or _Child(request["cells"])
        outcomes = child.run(request["key"], request["seconds"])
        if len(outcomes) == len(request["cells"]):
            children[cells] = child
        else:
            child.end()
        if len(children) > KEPT:
            children.popitem(last=False)[1].end()
        answers.write(json.dumps(outcomes).encode() + b"\n")
        answers.flush()


class _Child:
    """A fork of the server for one notebook."""

    def __init__(self, cells: list[list[str]]) -> None:
        requests, self._keys = os.pipe()
        self._outcomes, outcomes = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._keys)  # else the child would wait for itself when the server is gone
            os.close(self._outcomes)
            try:
                _serve(cells, requests, outcomes)
            finally:
                os._exit(0)
        os.close(requests)
        os.close(outcomes)

    def run(self, key: str, seconds: float) -> list[list[Any]]:
        """Run the notebook with a key of draws; what the child did not say within the time, it did not do."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._keys, key.encode() + b"\n")
        said = b""
        deadline = time.monotonic() + seconds
        while not said.endswith(b"\n\n") and (left := deadline - time.monotonic()) > 0:
            chunk = os.read(self._outcomes, 1 << 16) if select.select([self._outcomes], [], [], left)[0] else b""
            if not chunk:
                break
            said += chunk
        return [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n") and line.strip()]

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._keys)
        os.close(self._outcomes)


def _serve(cells: list[list[str]], requests: int, outcomes: int) -> None:
    """What a child does: a run for every key; an outcome a line, an empty line at the end."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for key in os.fdopen(requests):
        os.environ["CONVBOOK_DRAWS_KEY"] = key.strip()
        namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        for halves in cells:
            os.write(outcomes, json.dumps(_outcome(halves, namespace)).encode() + b"\n")
        os.write(outcomes, b"\n")


def _outcome(halves: list[str], namespace: dict[str, Any]) -> list[Any]:
    """Execute a cell of one or two halves: in which half which exception stopped it, if one did, and its hint."""
    for hidden, source in enumerate(halves):
        try:
            exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102
        except BaseException as error:
            hint = error.hint if isinstance(error, AssertionError) and hasattr(error, "hint") else ""
            return [bool(hidden), type(error).__name__, str(error)[:4000], hint]
    return [False, "", "", ""]


if __name__ == "__main__":
    main()
