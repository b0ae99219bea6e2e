"""What the zygote tests run in its children."""

import json
import os
import random
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def run(job: dict[str, Any], fds: list[int]) -> None:
    match job["do"]:
        case "echo":
            say(fds[0], job)
        case "number":
            for index, descriptor in enumerate(fds):
                os.write(descriptor, str(index).encode())
        case "fail":
            print("said")
            raise ValueError("of no value")
        case "state":
            say(fds[0], state())
        case "sleep":
            os.write(fds[0], b".")
            time.sleep(60)
        case "exit":
            raise SystemExit(job["code"])


def say(descriptor: int, message: Any) -> None:
    with socket.socket(fileno=descriptor) as link:
        link.sendall(json.dumps(message).encode())


def state() -> dict[str, Any]:
    return {
        "main": [name for name in vars(sys.modules["__main__"]) if not name.startswith("__")],
        "random": random.random(),
        "numpy": sys.modules["numpy"].random.rand() if "numpy" in sys.modules else None,
        "numpy loaded": "numpy" in sys.modules,
        "tmp": tempfile.gettempdir(),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "environment": dict(os.environ),
        "pid": os.getpid(),
        "group": os.getpgrp(),
        "session": os.getsid(0),
    }
