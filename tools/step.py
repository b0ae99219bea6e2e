"""Run one step of the Makefile: a line with its name, its time and what it leaves; its output only on failure.

python tools/step.py NAME "what it leaves" -- COMMAND ...
"""

import subprocess
import sys
import time
from pathlib import Path

LOGS = Path(__file__).resolve().parent.parent / "_build" / "logs"
PATIENCE = 15  # seconds without a word before a long step says that it is still at work


def main() -> None:
    name, leaves, dashes, *command = sys.argv[1:]
    if dashes != "--" or not command:
        sys.exit(__doc__)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name.replace(' ', '-')}.log"
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                code = process.wait(timeout=PATIENCE)
                break
            except subprocess.TimeoutExpired:
                print(f"{name}: {time.monotonic() - started:.0f} s so far", flush=True)
    if code:
        print(log.read_text(errors="replace"))
        sys.exit(f"{name} failed after {time.monotonic() - started:.1f} s; its output is above and in {log}.")
    print(f"{name:<11} {time.monotonic() - started:6.1f} s  {leaves}", flush=True)


if __name__ == "__main__":
    main()
