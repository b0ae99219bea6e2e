"""What the cells of some notebooks take alone: warm, in one thread, with no process, sandbox or file of ours.

    python -m autograder.barecells < notebooks.json      a list of notebooks, each a list of cells' sources

Prints the processor seconds of all but the first notebook, which pays for imports. A cell that raises has ended.
Run by `autograder bench` on answers out of the course's own catalogue; submissions never run here.
"""

import contextlib
import io
import json
import sys
import time
from typing import Any


def main() -> None:
    notebooks = json.load(sys.stdin)
    started = 0.0
    for number, sources in enumerate(notebooks):
        if number == 1:
            started = time.process_time()
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for source in sources:
            silence = io.StringIO()
            with contextlib.suppress(Exception), contextlib.redirect_stdout(silence):
                exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102
    print(time.process_time() - started)


if __name__ == "__main__":
    main()
