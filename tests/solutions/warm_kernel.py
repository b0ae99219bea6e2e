"""A stock kernel that starts at once: ipykernel, forked from a process that has imported torch already.

    jupyter_client ── argv of the kernelspec ──► `run`: stands for the kernel, passes interrupts and its end on
                                                    │ the same options
                                                    ▼
                                                 `serve`: imports once, has one thread ── fork ──► ipykernel

Stock nbgrader, nbclient and jupyter_client see an ordinary kernelspec, and the kernel is ipykernel's own application
with an ordinary command line. All that differs is that `import torch` takes no time.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

#: What ipykernel imports when it starts, half of the CPU time that its start takes.
AT_START = ("ipykernel.debugger", "IPython.extensions.storemagic", "IPython.core.completerlib")


def kernelspec(folder: Path, address: Path) -> None:
    """Write the kernelspec `python3` into a folder of JUPYTER_PATH."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-I", str(Path(__file__)), "run", str(address), "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))


def serve(address: str, modules: Sequence[str]) -> None:
    """Import, then fork a kernel for everyone who asks; says "ready" on stdout."""
    for name in (*modules, *AT_START):
        with contextlib.suppress(ImportError):  # google.colab
            __import__(name)
    from ipykernel.kernelapp import IPKernelApp

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a kernel here
    print("ready", flush=True)
    while True:
        client = listener.accept()[0]
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            request = json.loads(client.makefile().readline())
            client.sendall(f"{os.getpid()}\n".encode())
            threading.Thread(target=_end_with, args=[client], daemon=True).start()
            os.environ.clear()
            os.environ.update(request["environment"])
            os.chdir(request["folder"])
            IPKernelApp.launch_instance(argv=request["options"])
            os._exit(0)
        client.close()


def _end_with(client: socket.socket) -> None:
    """Whoever stands for this kernel was killed, and the kernel is meant."""
    client.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def run(address: str, *options: str) -> None:
    """Stand for a kernel until it ends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        request = {"options": options, "folder": str(Path.cwd()), "environment": dict(os.environ)}
        server.sendall(json.dumps(request).encode() + b"\n")
        kernel = int(server.makefile().readline())
        signal.signal(signal.SIGINT, lambda *_: os.kill(kernel, signal.SIGINT))
        server.recv(1)


if __name__ == "__main__":
    {"serve": lambda address, *modules: serve(address, modules), "run": run}[sys.argv[1]](*sys.argv[2:])
