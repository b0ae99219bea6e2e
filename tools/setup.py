"""Set up `.venv` from the pins in requirements.txt, and `node_modules` from package-lock.json.

Runs under the system's Python with the standard library only. A stamp in `.venv` holds a hash of what
was installed, so that a second run takes no time. The output of pip goes to `.venv/setup.log`.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "setup.stamp"
LOG = VENV / "setup.log"
INPUTS = ("requirements.txt", "pyproject.toml", "package-lock.json")
# Debian's name for what a command or a module needs, and why it is needed.
PACKAGES = {
    "venv": ("python3-venv", "make a virtual environment"),
    "chromium": ("chromium", "open the book's pages in the tests"),
    "initdb": ("postgresql", "test a gradebook on a server"),
    "ip": ("iproute2", "test a cluster whose machines have networks of their own"),
    "openssl": ("openssl", "test a cluster with certificates"),
}
# Tests that need these are skipped without them, and say so.
OPTIONAL = ("initdb", "ip", "openssl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for-tests", action="store_true", help="also look for the browser that the tests drive")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - this script meets whatever Python the machine has
        sys.exit(f"ConvBook needs Python 3.11 or newer; `{sys.executable}` is {sys.version.split()[0]}.")
    for need in ("chromium", *OPTIONAL) if arguments.for_tests else ():
        if not is_there(need):
            install_system_package(need)
    started = time.monotonic()
    digest = hash_inputs()
    if STAMP.exists() and STAMP.read_text() == digest:
        return
    make_venv()
    pip_install()
    npm_install()
    STAMP.write_text(digest)
    print(f"setup       {time.monotonic() - started:6.1f} s  .venv and node_modules", flush=True)


def hash_inputs() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    if (VENV / "bin" / "python").exists():
        return
    try:
        import ensurepip  # noqa: F401 - Debian ships it apart, and venv fails without it
        import venv
    except ImportError:
        install_system_package("venv")
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    else:
        venv.create(VENV, with_pip=True)


def pip_install() -> None:
    """Install the pins, then this checkout without its dependencies, which the pins already hold."""
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    wanted = sum(1 for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line)
    run_counting([*pip, "-r", "requirements.txt"], wanted)
    run_counting([*pip, "--no-deps", "--editable", "."], 1)


def run_counting(command: list[str], wanted: int) -> None:
    """Run pip, log what it says, and show how far it has come."""
    seen, shown = 0, time.monotonic()
    with LOG.open("a") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout or ():
            log.write(line)
            seen += line.startswith(("Collecting", "Requirement already satisfied", "Ignoring"))
            if line.startswith("Installing collected packages") and wanted > 1:
                print("setup: unpacking (torch alone is 5 GB)", flush=True)
            elif time.monotonic() - shown > 10:
                print(f"setup: {min(seen, wanted)} of {wanted} packages found", flush=True)
                shown = time.monotonic()
    if process.wait():
        tail = "".join(LOG.read_text().splitlines(keepends=True)[-15:])
        sys.exit(f"{tail}\npip failed; the whole log is in {LOG}. Mend the cause above and run `make` again.")


def npm_install() -> None:
    """The parts of the pages that come from npm (MathJax, axe-core), as the lock file says."""
    environment = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(VENV / "bin" / "npm"), "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        sys.exit("npm could not install what package-lock.json lists. Is the npm registry reachable? Run `make` again.")


def install_system_package(need: str) -> None:
    """Install a Debian package where this user may; else end with the command that does."""
    package, purpose = PACKAGES[need]
    command = f"apt-get install -y {package}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        give_up(need, f"To {purpose}, ConvBook needs the package {package}. Install it with:\n    sudo {command}")
        return
    print(f"setup: {command}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update"], check=False, **quiet)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command.split(), env=environment, **quiet).returncode:
        give_up(need, f"`{command}` failed. Run it by hand to see why, then run `make` again.")


def is_there(need: str) -> bool:
    """Whether a command can be run; Debian keeps a server's programs off the path."""
    return shutil.which(need) is not None or any(Path("/usr/lib/postgresql").glob(f"*/bin/{need}"))


def give_up(need: str, reason: str) -> None:
    if need not in OPTIONAL:
        sys.exit(reason)
    print(f"setup: {reason}", flush=True)


if __name__ == "__main__":
    main()
