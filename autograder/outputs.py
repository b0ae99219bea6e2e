"""What a student's cells show: a stream of its own, so that it can never be taken for an answer.

    stream = (record | text)*
    record = 0x1E, one JSON object, newline      written by the shell
    text   = any other bytes                     written straight to descriptors 1 and 2, by a subprocess or by C

The writer is in the student's process. The reader is in the judge: it keeps what fits in the limit, drops the rest
while it streams, and lets through only the types of output that a notebook file knows.
"""

import base64
import codecs
import json
import os
import socket
from typing import Any

MARK = b"\x1e"
TEXT_TYPES = ("text/plain", "text/html", "text/latex", "text/markdown", "image/svg+xml")
PICTURE_TYPES = ("image/png", "image/jpeg")
_CHUNK = 1 << 16


class Writer:
    """The student's end.

    Args:
        fd: where to write; a blocking descriptor. It may be set later.
    """

    def __init__(self, fd: int = -1) -> None:
        self.fd = fd

    def emit(self, kind: str, **content: Any) -> None:
        """Write one record; binary pictures become base64, what is no JSON its `str`."""
        data = memoryview(MARK + json.dumps({"kind": kind, **content}, default=_text_of).encode() + b"\n")
        while data:
            data = data[os.write(self.fd, data) :]


def _text_of(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


class Reader:
    """The judge's end: gathers the outputs of one cell after another.

    Args:
        sock: the other end of the writer's.
        limit: bytes kept, all cells together.

    Attributes:
        closed: nobody can write any more.
        cut: something was dropped because of the limit.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self._sock = sock
        sock.setblocking(False)
        self._limit = limit
        self._left = limit
        self._rest = b""
        self._skipping = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._outputs: list[dict[str, Any]] = []
        self._displays: dict[str, dict[str, Any]] = {}
        self._clear_next = False
        self.closed = False
        self.cut = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def drain(self, limit: int = 1 << 20) -> None:
        """Read what is there, at most `limit` bytes, without waiting."""
        while limit > 0 and not self.closed:
            try:
                data = self._sock.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self.closed = not data
            limit -= len(data)
            self._feed(data)

    def take(self) -> list[dict[str, Any]]:
        """The outputs since the last call, as a notebook file has them."""
        outputs, self._outputs, self._clear_next = self._outputs, [], False
        self._displays.clear()
        return outputs

    def _feed(self, data: bytes) -> None:
        raw, at = self._rest + data, 0
        while at < len(raw):
            if self._skipping or raw.startswith(MARK, at):
                end = raw.find(b"\n", at)
                if end < 0:
                    break
                if not self._skipping:
                    self._record(raw[at + 1 : end])
                self._skipping = False
                at = end + 1
            else:
                end = raw.find(MARK, at)
                end = len(raw) if end < 0 else end
                self._stream("stdout", self._decode(raw[at:end]))
                at = end
        self._rest = raw[at:]
        if self._skipping or len(self._rest) > self._limit + _CHUNK:
            self._skipping, self._rest = True, b""
            self._cut()

    def _record(self, line: bytes) -> None:
        if self.cut:
            return
        try:
            record = json.loads(line)
            kind = record["kind"]
            if kind == "stream":
                self._stream("stderr" if record["name"] == "stderr" else "stdout", _clean(record["text"]))
            elif kind == "error":
                lines = [_clean(text) for text in record["traceback"]]
                parts = {"ename": _clean(record["ename"]), "evalue": _clean(record["evalue"]), "traceback": lines}
                self._append({"output_type": "error", **parts})
            elif kind == "result":
                count = record["count"] if type(record["count"]) is int else None
                data = _bundle(record["data"])
                self._append({"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": count})
            elif kind == "display":
                self._display(_bundle(record["data"]), record["id"], record["update"] is True)
            elif kind == "clear":
                self._clear_next = True
                if record["wait"] is not True:
                    self._cleared()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._stream("stdout", line.decode("utf-8", "replace"))

    def _display(self, data: dict[str, str], identifier: object, update: bool) -> None:
        shown = self._displays.get(identifier) if isinstance(identifier, str) else None
        if update and shown is not None:
            if self._room(data):
                shown["data"] = data
            return
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        if self._append(output) and isinstance(identifier, str):
            self._displays[identifier] = output

    def _stream(self, name: str, text: str) -> None:
        last = self._outputs[-1] if self._outputs and not self._clear_next else {}
        kept = text[: self._left]
        if len(kept) < len(text):
            self._cut()
        if not kept:
            return
        if last.get("output_type") == "stream" and last["name"] == name:
            self._left -= len(kept)
            last["text"] += kept
        else:
            self._append({"output_type": "stream", "name": name, "text": kept})

    def _append(self, output: dict[str, Any]) -> bool:
        self._cleared()
        if not self._room(output):
            return False
        self._outputs.append(output)
        return True

    def _room(self, content: object) -> bool:
        """Whether `content` still fits; an output costs 100 bytes besides what is in it."""
        size = 100 + len(json.dumps(content))
        if size > self._left:
            self._cut()
            return False
        self._left -= size
        return True

    def _cleared(self) -> None:
        if self._clear_next:
            self._clear_next = False
            self._outputs.clear()
            self._displays.clear()

    def _cut(self) -> None:
        self._left = 0
        if not self.cut:
            self.cut = True
            note = f"[The limit of {self._limit >> 10} KB of output is reached: the rest is not kept.]\n"
            self._outputs.append({"output_type": "stream", "name": "stderr", "text": note})


def _clean(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError("text is text")
    return text.encode("utf-8", "replace").decode()


def _bundle(data: dict[str, object]) -> dict[str, str]:
    """The representations of one output that a page may show; a picture must be base64 and nothing else."""
    texts = {kind: _clean(data[kind]) for kind in TEXT_TYPES if isinstance(data.get(kind), str)}
    pictures = {
        kind: base64.b64decode(str(data[kind]).strip(), validate=True) for kind in PICTURE_TYPES if kind in data
    }
    return texts | {kind: base64.b64encode(picture).decode() for kind, picture in pictures.items()}
