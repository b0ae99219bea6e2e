"""Build the book: npm parts, then every page, executed, with warnings as errors. A line a step with its time.

python tools/book.py            -> _build/html/index.html
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
DOCTREES = ROOT / "_build" / ".doctrees"
LOG = ROOT / "_build" / "logs" / "book-pages.log"
COLORS = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE = 10  # seconds without a word before a long step says where it is
STEPS = {
    "npm parts": [sys.executable, "tools/vendor.py"],
    "pages": [str(BIN / "jupyter-book"), "build", ".", "-W", "-n", "--keep-going"],
}


def main() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    for name, command in STEPS.items():
        run(name, command)
    print("book: _build/html/index.html")


def run(name: str, command: list[str]) -> None:
    """Run one step with its words in the log, told only when the step fails or takes long."""
    started = told = time.monotonic()
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}  # the venv's kernel and node
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    said = []
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process, LOG.open("a") as log:
        for line in process.stdout:
            said.append(COLORS.sub("", line))
            log.write(said[-1])
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                print(f"book: {told - started:.0f} s, {said[-1].strip()[:100]}", flush=True)
    if process.returncode:
        shutil.rmtree(DOCTREES, ignore_errors=True)  # with these, the next build would not repeat the warnings
        print("".join(said))
        faults = [line for line in said if ": WARNING: " in line or ": ERROR: " in line] or said[-3:]
        sys.exit(f"book: {name} failed after {time.monotonic() - started:.1f} s ({LOG}):\n{''.join(faults)}")
    print(f"book: {name} {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
