"""What the sandbox tests run inside the sandbox: each function tries one thing and returns what it achieved, as JSON.

All are bounded by themselves: a hole in the sandbox must not harm the machine that runs the tests.
"""

import ctypes
import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograder import policy, syscalls

MIB = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)


def run(job: dict[str, Any], fds: list[int]) -> None:
    """The target: `job["attack"]` names a function here, called with the job."""
    result = globals()[job["attack"]](job, fds[0])
    os.write(fds[0], json.dumps({"result": result}).encode())


def achieved(attempts: dict[str, Callable[[], object]]) -> list[str]:
    """Names of the attempts that raised no OSError."""
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, ValueError):
            continue
        done.append(name)
    return done


# Reaching out


def reach_network(job: dict[str, Any], out: int) -> list[str]:
    def connect(family: int, kind: int, address: Any) -> None:
        with socket.socket(family, kind) as attempt:
            attempt.settimeout(1)
            attempt.connect(address)
            attempt.send(b"hello")

    return achieved(
        {
            "loopback": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", job["port"])),
            "loopback 6": lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", job["port"])),
            "datagram": lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", job["port"])),
            "abstract socket": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + job["abstract"]),
            "socket file": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, job["socket_file"]),
            "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
            "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
            "vsock": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        }
    )


def reach_files(job: dict[str, Any], out: int) -> list[str]:
    canary, folder = Path(job["canary"]), Path(job["canary"]).parent
    Path("link").symlink_to(canary)
    elsewhere: dict[str, Callable[[], object]] = {
        "read the sources": lambda: (Path(job["root"]) / "course.toml").read_bytes(),
        "read the solutions": lambda: list((Path(job["root"]) / "solutions").iterdir()),
        "write into the packages": lambda: (Path(sys.prefix) / "lib" / "forged").write_bytes(b""),
        "write into the system": lambda: Path("/usr/forged").write_bytes(b""),
    }
    return achieved(
        {
            "read": canary.read_bytes,
            "read through a link": Path("link").read_bytes,
            "read through the root of another process": Path(f"/proc/{job['pid']}/root{canary}").read_bytes,
            "read through a working folder": Path(f"/proc/{job['pid']}/cwd", canary.name).read_bytes,
            "read above the root": lambda: Path("/" + "../" * 20 + str(canary)).read_bytes(),
            "list": lambda: list(folder.iterdir()),
            "write": lambda: canary.write_bytes(b"forged"),
            "empty": lambda: os.truncate(canary, 0),
            "make": lambda: (folder / "new").write_bytes(b""),
            "remove": canary.unlink,
            "rename": lambda: canary.rename(folder / "moved"),
            "hard link": lambda: os.link(canary, "hard"),
            **(elsewhere if job["walls"] else {}),  # never tried where it would work
        }
    )


def change_attributes(job: dict[str, Any], out: int) -> None:
    """Whatever these report, the test looks at the file."""
    canary = job["canary"]
    with suppress(OSError):
        Path(canary).chmod(0)
    with suppress(OSError):
        os.utime(canary, (0, 0))
    with suppress(OSError):
        os.setxattr(canary, "user.forged", b"1")


def find_secrets(job: dict[str, Any], out: int) -> list[str]:
    """Look for a word in our environment and in what /proc shows of others."""
    places = {"environment": lambda: json.dumps(dict(os.environ)).encode()}
    for pid in {*range(job["pid"] + 50), os.getpid()}:  # by number: the list itself may be hidden
        for name in ("environ", "cmdline"):
            places[f"{pid}/{name}"] = Path(f"/proc/{pid}/{name}").read_bytes
    found = []
    for name, read in places.items():
        with suppress(OSError):
            if job["word"].encode() in read():
                found.append(name)
    return found


def open_descriptors(job: dict[str, Any], out: int) -> list[int]:
    found = []
    for number in range(1024):
        with suppress(OSError):
            os.fstat(number)
            found.append(number)
    return [number for number in found if number not in (0, 1, 2, out)]


def reach_processes(job: dict[str, Any], out: int) -> list[str]:
    def call(function: Callable[..., int], *arguments: object) -> None:
        if function(*arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    def own_signal(pid: int) -> None:
        with socket.socketpair()[0] as end:
            fcntl.fcntl(end, fcntl.F_SETOWN, pid)

    def limit(pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))

    attempts: dict[str, Callable[[], object]] = {"everybody": lambda: os.kill(-1, signal.SIGKILL)}
    for pid in job["pids"]:
        attempts |= {
            f"kill {pid}": lambda pid=pid: os.kill(pid, signal.SIGKILL),
            f"group of {pid}": lambda pid=pid: os.killpg(pid, signal.SIGKILL),
            f"ptrace {pid}": lambda pid=pid: call(libc.ptrace, 16, pid, 0, 0),
            f"memory of {pid}": Path(f"/proc/{pid}/mem").read_bytes,
            f"limits of {pid}": lambda pid=pid: limit(pid),
            f"signals of descriptors to {pid}": lambda pid=pid: own_signal(pid),
            f"affinity of {pid}": lambda pid=pid: os.sched_setaffinity(pid, {0}),
            f"pidfd of {pid}": lambda pid=pid: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL),
        }
    return achieved(attempts)


def gain_rights(job: dict[str, Any], out: int) -> dict[str, Any]:
    lines = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    with suppress(OSError):
        Path("shell").write_bytes(Path("/bin/sh").read_bytes())
        Path("shell").chmod(0o4777)
    return {
        "capabilities": [int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")],
        "no new privileges": lines["NoNewPrivs"],
        "filtered": lines["Seccomp"],
        "achieved": achieved(
            {
                "become root": lambda: os.setresuid(0, 0, 0),
                "more time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (10_000, 10_000)),
                "more memory": lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40)),
                "core dumps": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)),
                "device": lambda: os.mknod("disk", 0o60666, os.makedev(254, 0)),
                "root": lambda: os.chroot("/tmp"),
                "host name": lambda: socket.sethostname("forged"),
                "nice": lambda: os.nice(-1),
            }
        ),
    }


def make_denied_calls(job: dict[str, Any], out: int) -> dict[str, int]:
    """Errno of every call that the policy refuses, made with arguments that do nothing; 0 where it went through."""
    errnos = {}
    for name in " ".join(policy.DENIED.values()).split():
        number = syscalls.number(name, syscalls.machine())
        if number is not None:
            errnos[name] = _errno_of(number)
    errnos["newer than the table"] = _errno_of(syscalls.LAST_KNOWN + 5)
    errnos["x32"] = _errno_of(0x40000000 + 39)
    errnos["clone3"] = _errno_of(435)
    errnos["clone with namespaces"] = _errno_of(syscalls.number("clone", syscalls.machine()), 0x10000000)
    errnos["push into a terminal"] = _errno_of(syscalls.number("ioctl", syscalls.machine()), 0, policy.TIOCSTI)
    return errnos


def _errno_of(number: int | None, *arguments: int) -> int:
    ctypes.set_errno(0)
    padded = [ctypes.c_long(value) for value in (*arguments, *(0,) * (6 - len(arguments)))]
    return ctypes.get_errno() if libc.syscall(ctypes.c_long(number or 0), *padded) < 0 else 0


# Using too much. Progress goes out as it happens, because the process may not live to return. An attack that the
# kernel refuses ends at once; one that goes through waits for the watch.


def _step(out: int) -> None:
    os.write(out, b".")


def _wait_to_be_caught() -> None:
    time.sleep(40)


def fork_bomb(job: dict[str, Any], out: int) -> None:
    for _ in range(100):
        pid = os.fork()
        if pid == 0:
            time.sleep(30)
            os._exit(0)
        _step(out)
    _wait_to_be_caught()


def thread_bomb(job: dict[str, Any], out: int) -> None:
    for _ in range(100):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        _step(out)
    _wait_to_be_caught()


def private_memory(job: dict[str, Any], out: int) -> None:
    kept = []
    for _ in range(50):
        kept.append(b"x" * (8 * MIB))
        _step(out)
    _wait_to_be_caught()


def shared_memory(job: dict[str, Any], out: int) -> None:
    view = mmap.mmap(-1, 400 * MIB)
    for start in range(0, 400 * MIB, 8 * MIB):
        view[start : start + 8 * MIB] = b"x" * (8 * MIB)
        _step(out)
    _wait_to_be_caught()


def memory_files(job: dict[str, Any], out: int) -> None:
    for _ in range(25):
        file = os.memfd_create("hidden")
        for _ in range(2):
            os.write(file, b"x" * (8 * MIB))
            _step(out)
    _wait_to_be_caught()


def memory_of_many(job: dict[str, Any], out: int) -> None:
    for _ in range(5):
        if os.fork() == 0:
            private_memory_of_one(out)
    os.wait()  # the first that the kernel ends


def private_memory_of_one(out: int) -> None:
    kept = []
    for _ in range(10):
        kept.append(b"x" * (8 * MIB))
        _step(out)
    _wait_to_be_caught()
    os._exit(0)


def fill_disk(job: dict[str, Any], out: int) -> None:
    """Files in every place that can be written, half of them deleted but open."""
    kept = []
    written = 0
    for number in range(32):
        for folder in (".", "/dev/shm", "/", "/run", "/var/tmp"):
            with suppress(OSError):
                path = Path(folder, f"big{number}")
                kept.append(path.open("wb", buffering=0))
                if number % 2:
                    path.unlink()
                if kept[-1].write(b"x" * (2 * MIB)) == 2 * MIB:
                    written += 1
                    _step(out)
    if written == 32:
        _wait_to_be_caught()


def fill_inodes(job: dict[str, Any], out: int) -> None:
    for number in range(120):
        Path(f"d{number}").mkdir()
        for name in range(100):
            os.close(os.open(f"d{number}/{name}", os.O_CREAT | os.O_WRONLY))
        _step(out)
    _wait_to_be_caught()


def one_big_file(job: dict[str, Any], out: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Path("big").open("wb", buffering=0) as file:
        for _ in range(32):
            if file.write(b"x" * (2 * MIB)) < 2 * MIB:
                break
            _step(out)


# Outliving


def ignore_signals(job: dict[str, Any], out: int) -> None:
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass


def sleep(job: dict[str, Any], out: int) -> None:
    _step(out)
    time.sleep(30)


def leave_a_daemon(job: dict[str, Any], out: int) -> str:
    """The classic double fork; the daemon keeps the pipe, so the test sees when it is gone."""
    libc.prctl(1, 0, 0, 0, 0)  # do not die with the parent
    ready, set_ready = os.pipe()
    if os.fork() == 0:
        with suppress(OSError):
            os.setsid()
        if os.fork() == 0:
            with suppress(OSError):
                os.setpgid(0, 0)
            for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
                with suppress(OSError, ValueError):
                    signal.signal(number, signal.SIG_IGN)
            os.write(set_ready, b".")
            time.sleep(30)
        os._exit(0)
    os.read(ready, 1)
    return "left"


def cling_to_life(job: dict[str, Any], out: int) -> None:
    """Unset the signal that ends us with our parent, then sleep."""
    libc.prctl(1, 0, 0, 0, 0)
    _step(out)
    time.sleep(30)


def leave_shared_memory(job: dict[str, Any], out: int) -> str:
    with suppress(OSError):
        Path("/dev/shm", job["file"]).write_text("left")
    with suppress(OSError):
        Path(tempfile.gettempdir(), job["file"]).write_text("left")
    Path("locked").mkdir(0o300)
    for _ in range(500):
        Path("deep").mkdir()
        os.chdir("deep")
    return "left"


def leave_file_and_sleep(job: dict[str, Any], out: int) -> None:
    Path(job["file"]).write_text("left")
    _step(out)
    time.sleep(60)


# Ending


def exit_at_once(job: dict[str, Any], out: int) -> None:
    os._exit(7)


def abort(job: dict[str, Any], out: int) -> None:
    os.abort()


def segfault(job: dict[str, Any], out: int) -> None:
    ctypes.string_at(0)


def recurse_in_c(job: dict[str, Any], out: int) -> None:
    sys.setrecursionlimit(1 << 30)
    nest: Any = []
    for _ in range(200_000):
        nest = [nest]
    repr(nest)


def raise_error(job: dict[str, Any], out: int) -> None:
    print("to standard output", flush=True)
    raise ValueError("of no value")


# Neighbours


def keep_a_secret(job: dict[str, Any], out: int) -> None:
    path = Path(tempfile.gettempdir(), "secret")
    path.write_text(job["word"])
    os.write(out, str(path.resolve()).encode() + b"\n")
    time.sleep(30)


# What an honest submission does


def everyday_work(job: dict[str, Any], out: int) -> dict[str, Any]:
    import colorsys  # from the library on disk
    import inspect
    import multiprocessing
    import pty
    import sqlite3
    from concurrent.futures import ThreadPoolExecutor

    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
        file.seek(0)
        kept = file.read()
    master, slave = pty.openpty() if job["own_devices"] else (None, None)
    return {
        "temporary file": kept,
        "home": Path.home().is_dir() and os.access(Path.home(), os.W_OK),
        "command": subprocess.run("echo $((6 * 7)) | cat", shell=True, capture_output=True, text=True).stdout,
        "python": subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout,
        "library": colorsys.rgb_to_hsv(0, 0, 0),
        "source": "def rgb_to_hsv" in inspect.getsource(colorsys),
        "database": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone(),
        "threads": list(ThreadPoolExecutor(2).map(abs, [-1, -2])),
        "processes": multiprocessing.Pool(2).map(abs, [-1, -2]) if job["own_devices"] else [1, 2],
        "package": Path(__import__("convbook").__file__).exists(),
        "terminal": job["own_devices"] and master != slave,
        "main": sorted(name for name in vars(sys.modules["__main__"]) if not name.startswith("__")),
    }


def train(job: dict[str, Any], out: int) -> dict[str, Any]:
    import random

    import matplotlib.pyplot as plt
    import numpy
    import torch

    draws = [torch.rand(()).item(), numpy.random.rand(), random.random()]
    torch.manual_seed(0)
    torch.set_num_threads(2)
    x = torch.linspace(-1, 1, 64).reshape(-1, 1)
    net = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x**2), batch_size=16, num_workers=2)
    losses = []
    for _ in range(3):
        losses.append(0.0)
        for batch, target in loader:
            optimizer.zero_grad()
            loss = (net(batch) - target).square().mean()
            loss.backward()
            optimizer.step()
            losses[-1] += loss.item()
    figure, axes = plt.subplots()
    axes.plot(losses)
    figure.savefig("losses.png")
    torch.save(net.state_dict(), "net.pt")
    again = torch.load("net.pt")
    return {
        "falls": losses[-1] < losses[0],
        "plot": Path("losses.png").read_bytes()[:4] == b"\x89PNG",
        "saved": all(torch.equal(again[name], value) for name, value in net.state_dict().items()),
        "draws": draws,
    }
