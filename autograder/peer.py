"""Questions and answers over a stream socket; the half that the judge and the student's process have in common.

    question = ["q", id, operation, arguments, context]
    answer   = ["a", id, value, graph]
    failure  = ["e", id, names of the exception's classes, its arguments, its text]

The id is random, so nobody can answer a question that was not asked yet. While one side waits for an answer the
other may ask back: the student's process asks for nothing but callbacks that the judge sent.
"""

import itertools
import os
import select
import socket
import time
from collections import deque
from typing import Any, Protocol

import numpy as np

from autograder.decoder import Decoder
from autograder.encoder import Encoder
from autograder.wire import HEADER, BadFrame, Reference, frame_sizes

MESSAGE_LENGTHS = {"q": 5, "a": 4, "e": 5}
NESTING_LIMIT = 20
_PIECE = 1 << 20
_PARTS = 1024  # what the kernel takes at once


class Closed(Exception):
    """The other side is gone."""


class Beside(Protocol):
    """A second descriptor to be emptied while a channel waits, so that its writer does not get stuck."""

    closed: bool

    def fileno(self) -> int: ...

    def drain(self) -> None: ...


class Channel:
    """Frames over a connected stream socket.

    Every call takes a deadline of `time.monotonic()`, None for no limit, and raises TimeoutError after it and
    `Closed` when the other side is gone.
    """

    def __init__(self, sock: socket.socket, beside: Beside | None = None) -> None:
        self._sock = sock
        self._beside = beside
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _PIECE)

    def send(self, parts: list[memoryview | bytes | bytearray], deadline: float | None) -> None:
        """Write one frame, in one piece where it is small: every write could wake the other side."""
        rest = deque(memoryview(part) for part in parts if len(part))
        while rest:
            _check(deadline)
            try:
                sent = self._sock.sendmsg(itertools.islice(rest, _PARTS))
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
                continue
            except OSError:
                raise Closed from None
            while rest and sent >= len(rest[0]):
                sent -= len(rest.popleft())
            if sent:
                rest[0] = rest[0][sent:]

    def receive(self, deadline: float | None) -> tuple[memoryview, memoryview]:
        """Read one frame: its meta and its blob."""
        self._wait(select.POLLIN, deadline)  # it is hardly ever there already, and its parts come together
        meta, blob = frame_sizes(self._read(HEADER.size, deadline))
        return self._read(meta, deadline), self._read(blob, deadline)

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read, as it must be before a question.

        Raises:
            Closed: nothing will ever come.
        """
        try:
            data = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            raise Closed
        return False

    def _read(self, size: int, deadline: float | None) -> memoryview:
        buffer = np.empty(size, np.uint8)  # not filled: pages that never come cost no memory
        rest = buffer.data
        while rest:
            _check(deadline)  # here too: one who sends byte after byte is never waited for
            try:
                count = self._sock.recv_into(rest)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except OSError:
                count = 0
            if not count:
                raise Closed
            rest = rest[count:]
        return buffer.data

    def _wait(self, event: int, deadline: float | None) -> None:
        while True:
            poll = select.poll()
            poll.register(self._sock, event)
            beside = self._beside if self._beside and not self._beside.closed else None
            if beside:
                poll.register(beside.fileno(), select.POLLIN)
            _check(deadline)
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            ready = [fd for fd, _ in poll.poll(left)]
            if beside and beside.fileno() in ready:
                beside.drain()
            if self._sock.fileno() in ready:
                return


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutError


class Peer:
    """One end of the conversation; `Student` and `Link` say what its objects and operations are."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._nesting = 0
        self._unanswered = 0

    def refer(self, value: object) -> Reference:
        """What an object that is no plain data is called."""
        raise NotImplementedError

    def resolve(self, reference: Reference) -> object:
        """The object behind a name of the other side's."""
        raise NotImplementedError

    def is_linked(self, tensor: Any) -> bool:
        """Whether a tensor belongs to a graph that stays here."""
        return False

    def serve(self, question: list[Any], decoder: Decoder) -> None:
        """Answer one question of the other side."""
        raise NotImplementedError

    def encode(self, message: list[Any]) -> Encoder:
        encoder = Encoder(self.refer, self.is_linked)
        encoder.put(message)
        return encoder

    def send(self, encoder: Encoder, deadline: float | None) -> None:
        self._channel.send(encoder.frame(), deadline)

    def receive(self, deadline: float | None) -> tuple[list[Any], Decoder]:
        """The next message and the decoder that read it.

        Raises:
            BadFrame: it is none.
        """
        meta, blob = self._channel.receive(deadline)
        decoder = Decoder(meta, blob, self.resolve)
        message = decoder.value()
        if type(message) is not list or not message or type(message[0]) is not str:
            raise BadFrame("A message is a list that begins with its kind.")
        if len(message) != MESSAGE_LENGTHS.get(message[0]) or type(message[1]) is not int:
            raise BadFrame("A message has a kind, an id and the parts of its kind.")
        return message, decoder

    def exchange(self, operation: str, arguments: list[Any], context: object, deadline: float | None) -> Any:
        """Ask one question; answer what the other side asks meanwhile; return the reply, its decoder and our encoder.

        Raises:
            BadFrame: the reply is malformed, or one to no question.
            Closed, TimeoutError: there is none.
        """
        number = int.from_bytes(os.urandom(7), "little")
        encoder = self.encode(["q", number, operation, arguments, context])
        self._unanswered += 1
        self.send(encoder, deadline)
        while True:
            message, decoder = self.receive(deadline)
            if message[0] == "q":
                if self._nesting >= NESTING_LIMIT:
                    raise BadFrame("Callbacks are nested too deep.")
                self._nesting += 1
                try:
                    self.serve(message, decoder)
                finally:
                    self._nesting -= 1
            elif message[1] == number:
                self._unanswered -= 1
                return message, decoder, encoder
            else:
                raise BadFrame("A reply to a question that was not asked.")
