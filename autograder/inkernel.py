"""The in-kernel mode: tests run in the student's own process, as in stock nbgrader, but in the sandbox.

    this process (ours)                            student's process (sandboxed)
    cells, one at a time   ── question ──────────► IPython runs each: helpers, answers, both halves of a test
    what stopped it        ◄────────── answer ───

For a course whose tests cannot run by proxy: they change the student's objects in place, look at identity, plot.
The verdict comes out of an interpreter that the student's code controls, so this mode keeps honest students apart
from wrong answers and nothing more, and a submission can read the tests; every report says that it was used. The
walls hold all the same: nothing outside the sandbox is reached, and the limits are those of the judge.

What it adds to the stock way: each half of a test cell runs on its own, so that it is known which half failed, and
only an exception counts, never a printed number or a warning.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from autograder import names
from autograder.halts import Halt
from autograder.proxies import RemoteError
from autograder.runner import CellRun, Runner, Step, work
from autograder.wording import OUT_OF_TIME, by_name


def main(job: dict[str, Any], fds: list[int]) -> None:
    """What a warm process runs; see `autograder.runner.work`."""
    work(InKernel, job, fds)


class InKernel(Runner):
    """Sends the tests to where the answers are."""

    def run(self, steps: Sequence[Step]) -> list[CellRun]:
        """See `Runner.run`. Tests draw their inputs where they run."""
        self._link.deadline = self._end
        with suppress(Halt):  # the first step meets it again
            self._link.ask("draws", self._draws_key)
        return super().run(steps)

    def run_test(self, cell: names.Cell) -> dict[str, Any]:
        """The visible half, then the hidden one; what they show is not kept."""
        start = names.hidden_start(cell.source)
        for hidden, source in enumerate((cell.source[:start], cell.source[start:])):
            try:
                answer = self._link.ask("exec", source, False) if source.strip() else [0, None]
            except Halt as halt:
                return {"status": halt.status, "message": str(halt)}
            except RemoteError as error:
                answer = [None, error.name]
            shown = self._reader.take()
            name = answer[1] if type(answer) is list and len(answer) == 2 else "Nothing"
            if name is None:
                continue
            if name == OUT_OF_TIME:
                return {"status": "timeout", "message": f"This part took longer than {self._link.seconds} s."}
            text = next((each["evalue"] for each in shown if each["output_type"] == "error"), "")
            status, message = by_name(cell.source[start:], bool(hidden), str(name), text, self._limits.memory_mb)
            return {"status": status, "message": message}
        return {"status": "passed"}
