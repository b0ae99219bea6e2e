"""IPython without a kernel: runs a student's cells in this process and writes what they show as records.

What a notebook cell may do works: rich display, pictures of matplotlib, `!cmd`, magics, top-level await, tracebacks.
A kernel's comms do not exist, so widgets show as their text.
"""

import builtins
import io
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any, NoReturn

import comm
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.outputs import Writer

_FLUSH_AT = 8192


class Stream(io.TextIOBase):
    """Standard output or error as records, in pieces of a few kilobytes."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, writer: Writer, name: str, fd: int) -> None:
        self._writer = writer
        self.name = name
        self._fd = fd
        self._pieces: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._fd

    @property
    def buffer(self) -> io.RawIOBase:
        """For code that writes bytes."""
        self.flush()
        return io.FileIO(self._fd, "w", closefd=False)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        for start in range(0, len(text), _FLUSH_AT):
            piece = text[start : start + _FLUSH_AT]
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size >= _FLUSH_AT:
                self.flush()
        return len(text)

    def flush(self) -> None:
        if self._pieces:
            text, self._pieces, self._size = "".join(self._pieces), [], 0
            self._writer.emit("stream", name=self.name, text=text)


class _Publisher(DisplayPublisher):
    shell: Any

    def publish(self, data: dict[str, Any], metadata: Any = None, **options: Any) -> None:  # type: ignore[override]
        identifier = (options.get("transient") or {}).get("display_id")
        self.shell.emit("display", data=data, id=identifier, update=bool(options.get("update")))

    def clear_output(self, wait: bool = False) -> None:
        self.shell.emit("clear", wait=bool(wait))


class _ResultHook(DisplayHook):
    shell: Any

    def start_displayhook(self) -> None: ...

    def write_output_prompt(self) -> None: ...

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self.shell.emit("result", data=format_dict, count=self.prompt_count)

    def finish_displayhook(self) -> None: ...


class Shell(InteractiveShell):
    """One notebook's interpreter."""

    displayhook_class = _ResultHook
    display_pub_class = _Publisher
    writer: Writer
    streams: tuple[Stream, Stream]

    def emit(self, kind: str, **content: Any) -> None:
        """Write a record after whatever was printed before it."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.writer.emit(kind, **content)

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no event loop to run."""

    def ask_exit(self) -> None:
        """`exit` in a cell: IPython would leave its loop, there is none here."""
        print("exit() has no effect while a notebook is graded.", file=sys.stderr)

    def system(self, command: str) -> None:
        """Run `!command`, showing its output as it comes."""
        command = self.var_expand(command, depth=1)
        process = subprocess.Popen(  # noqa: S602 - a shell is what `!` means
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        try:
            while data := os.read(process.stdout.fileno(), 1 << 16):
                sys.stdout.write(data.decode("utf-8", "replace"))
                sys.stdout.flush()
        except BaseException:
            process.kill()
            raise
        finally:
            self.user_ns["_exit_code"] = process.wait()

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException | None, stb: list[str]) -> None:
        try:
            message = str(evalue)
        except Exception:
            message = "<its text cannot be shown>"
        self.emit("error", ename=etype.__name__, evalue=message, traceback=list(stb))

    def run(self, source: str, keep: bool = True) -> str | None:
        """Run one cell; return the name of the exception that ended it, if one did.

        Args:
            source: the cell's text.
            keep: whether it becomes part of the history.
        """
        result = self.run_cell(source, store_history=keep)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, SystemExit):  # IPython only warns, in words about its prompt
            self._showtraceback(SystemExit, error, [f"SystemExit: {error}"])
        sys.stdout.flush()
        sys.stderr.flush()
        return type(error).__name__ if error is not None else None


def start(fd: int) -> Shell:
    """The shell of this process: takes over `__main__`, standard output and error, and descriptors 1 and 2.

    Args:
        fd: the student's end of the output stream.
    """
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    shell = _made.pop() if _made else _make()
    shell.writer.fd = fd
    sys.stdout, sys.stderr = shell.streams
    sys.modules["__main__"] = shell.user_module
    shell.home_dir = str(Path.home())
    shell.user_ns["_dh"] = [Path.cwd()]
    shell.ipython_dir = tempfile.mkdtemp(prefix="ipython-")
    shell.init_profile_dir(None)
    return shell


#: The shell that `warm` has made for every fork.
_made: list[Shell] = []


def warm() -> None:
    """Make the shell that forks start with, after one that is forgotten: much is looked up at the first use only."""
    first = _make()
    with tempfile.TemporaryFile() as nowhere:
        first.writer.fd = nowhere.fileno()
        first.run("1")
        first.run("1 / 0")
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    if "matplotlib.pyplot" in sys.modules:
        first.enable_matplotlib("agg")  # else the next shell counts as set up
    _made.append(_make())


def _make() -> Shell:
    """All of a shell that is the same in every process. It leaves this process's own streams and `__main__` alone."""
    builtins.input = _no_input
    comm.create_comm = comm.DummyComm
    streams, main = (sys.stdout, sys.stderr), sys.modules["__main__"]
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    Shell.writer = Writer()
    Shell.streams = sys.stdout, sys.stderr = Stream(Shell.writer, "stdout", 1), Stream(Shell.writer, "stderr", 2)
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    Shell.clear_instance()
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell.instance(config=config, user_module=module, user_ns=module.__dict__, ipython_dir=folder)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    if "matplotlib.pyplot" in sys.modules:  # imported before the fork, with another backend
        shell.enable_matplotlib("inline")
    (sys.stdout, sys.stderr), sys.modules["__main__"] = streams, main
    return shell


def _no_input(prompt: object = "", /) -> NoReturn:
    raise RuntimeError("input() cannot be used in a graded notebook: nobody is there to answer.")
