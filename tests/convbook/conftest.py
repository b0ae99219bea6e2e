"""Machines for tests: one for `convbook.data` with no cache and no network, and a JupyterLab for widgets and panels."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from convbook.data import fashion, places
from tests import jupyterlab


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One JupyterLab for all tests of widgets and panels in it."""
    with jupyterlab.running(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the cache in `cache`. Only this machine answers, and no line has been printed yet."""
    real = socket.getaddrinfo

    def only_loopback(host, *args, **kwargs):
        if host != "127.0.0.1":
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return real(host, *args, **kwargs)

    monkeypatch.delenv("CONVBOOK_DATA", raising=False)
    monkeypatch.setenv("CONVBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion, "DEBIAN", (tmp_path / "debian", "dataset-fashion-mnist"))
    monkeypatch.setattr(places, "_said", set())
    monkeypatch.setattr(places, "_for_this_process", [])
    monkeypatch.setattr(socket, "getaddrinfo", only_loopback)
    return tmp_path


@dataclass
class Garments:
    """A small Fashion-MNIST: 60 pictures to train on, 20 to test on."""

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    files: dict[str, bytes]  # by official name

    def write(self, folder: Path, packed: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            data = gzip.compress(content, mtime=0) if packed else content
            (folder / (f"{name}.gz" if packed else name)).write_bytes(data)
        return folder


@pytest.fixture
def garments(monkeypatch: pytest.MonkeyPatch) -> Garments:
    """What the code takes for the full Fashion-MNIST."""
    rng = np.random.default_rng(0)
    images, labels, files = {}, {}, {}
    for split, count in (("train", 60), ("test", 20)):
        images[split] = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels[split] = rng.permutation(np.arange(count, dtype=np.uint8) % 10)
        of_images, of_labels = fashion.NAMES[split]
        files[of_images] = struct.pack(">4I", 0x803, count, 28, 28) + images[split].tobytes()
        files[of_labels] = struct.pack(">2I", 0x801, count) + labels[split].tobytes()
    monkeypatch.setattr(fashion, "FULL", {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return Garments(images, labels, files)


@dataclass
class Server:
    """A web server for the files of `folder`. After `cut`, files end at half their length; after `stall`, they hang."""

    folder: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)
    cut: bool = False
    stall: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args, server_state: Server, **kwargs) -> None:
        self.state = server_state
        super().__init__(*args, directory=str(server_state.folder), **kwargs)

    def do_GET(self) -> None:
        self.state.asked.append(self.path)
        # The client goes away in the middle of some tests.
        with contextlib.suppress(ConnectionError):
            super().do_GET()

    def copyfile(self, source, outputfile) -> None:
        content = source.read()
        if self.state.cut or self.state.stall:
            content = content[: len(content) // 2]
        outputfile.write(content)
        if self.state.stall:
            outputfile.flush()
            self.state.over.wait(60)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    """Serve a folder on the loopback interface."""
    running = []

    def start(folder: Path) -> Server:
        state = Server(folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, server_state=state))
        state.address = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        running.append((server, state, thread))

        return state

    yield start
    for server, state, thread in running:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
