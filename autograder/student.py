"""The student's process: runs cells and answers the judge's questions about what they made.

`serve` is called in a fresh process, after the sandbox is up, with one end of two socket pairs. Nothing in this
module is trusted by the other side, which checks every answer; nothing here holds a test or a secret.

Objects that are no plain data stay here and are known to the judge by number. Results that gradients can flow
through are sent with a `Graph`, also by number: the judge asks for its backward pass, and lets go of it when it
is no longer needed.
"""

import builtins
import contextlib
import copy
import importlib
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.decoder import Decoder
from autograder.encoder import Encoder
from autograder.peer import Channel, Closed, Peer
from autograder.shell import Shell, start, warm  # noqa: F401  the zygote calls `warm` before it forks
from autograder.wire import Reference

_MESSAGE_LIMIT = 4000
_PLAIN = (type(None), bool, int, float, str, bytes)


class OutOfTime(BaseException):
    """The time for one cell or one call is over. No Exception: `except Exception` must not catch it."""


class Graph:
    """What a backward pass needs.

    Attributes:
        leaves: the copies of the judge's tensors.
        results: what was computed from them and from the student's own parameters.
        waiting: the parameters' gradients of the last pass.
    """

    def __init__(self, leaves: list[Any]) -> None:
        self.leaves = leaves
        self.results: list[Any] = []
        self.waiting: list[tuple[Any, Any]] = []


def serve(requests: socket.socket, outputs: socket.socket) -> None:
    """Serve the judge until it closes the connection, in the main thread of a process that does nothing else.

    Args:
        requests: questions and answers.
        outputs: what cells show; becomes descriptors 1 and 2.
    """
    shell = start(outputs.fileno())
    student = Student(Channel(requests), shell)
    with contextlib.suppress(Closed):
        while True:
            student.serve(*student.receive(None))


def main(job: dict[str, Any], fds: list[int]) -> None:
    """What a warm process runs (see `autograder.zygote`): `fds` are `requests` and `outputs` of `serve`."""
    requests, outputs = (socket.socket(fileno=fd) for fd in fds)
    serve(requests, outputs)


class Student(Peer):
    """The answering side; each `do_` method is one operation."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        super().__init__(channel)
        self._shell = shell
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._count = 0
        self._leaves: list[Any] = []
        self._interruptible = False
        signal.signal(signal.SIGALRM, self._alarm)

    def encode(self, message: list[Any]) -> Encoder:
        """The message; a graph at its end holds those results that can be differentiated."""
        encoder = Encoder(self.refer, self.is_linked)
        if isinstance(message[-1], Graph):
            message[-1].results = encoder.linked
        encoder.put(message)
        return encoder

    def refer(self, value: object) -> Reference:
        if isinstance(value, Graph) and not value.results:
            return Reference("object", 0)
        number = self._numbers.get(id(value))
        if number is None:
            self._count += 1
            number = self._numbers[id(value)] = self._count
            self._objects[number] = value
        torch = sys.modules.get("torch")
        is_module = torch is not None and isinstance(value, torch.nn.Module)
        name = "".join(character for character in type(value).__name__[:80] if character.isprintable())
        return Reference("object", number, name, is_module)

    def resolve(self, reference: Reference) -> object:
        if reference.kind == "object":
            return self._objects[reference.number]
        if reference.kind == "library":
            module, _, name = reference.name.partition(":")
            return getattr(importlib.import_module(module), name)
        return lambda *args, **kwargs: self._call_back(reference.number, args, kwargs)

    def is_linked(self, tensor: Any) -> bool:
        torch: Any = sys.modules["torch"]
        if not tensor.requires_grad or isinstance(tensor, torch.nn.Parameter):
            return False
        return tensor.grad_fn is not None or any(tensor is leaf for leaf in self._leaves)

    def serve(self, question: list[Any], decoder: Decoder) -> None:
        _, number, operation, arguments, (forget, seconds, grad_enabled, default_type) = question
        for each in forget:
            self._numbers.pop(id(self._objects.pop(each, None)), None)
        if grad_enabled is not None:
            torch = importlib.import_module("torch")
            torch.set_grad_enabled(grad_enabled)
            torch.set_default_dtype(default_type)
        outer, self._leaves = self._leaves, decoder.requiring
        try:
            with self._time_limit(seconds):
                value = getattr(self, f"do_{operation}")(*arguments)
            _flush()
            reply = self.encode(["a", number, value, Graph(self._leaves)])
        except BaseException as error:
            reply = self.encode(["e", number, *_described(error)])
        finally:
            self._leaves = outer
        self.send(reply, None)

    def do_draws(self, key: bytes) -> None:
        """Where tests run in this process, so do their random draws."""
        os.environ["CONVBOOK_DRAWS_KEY"] = key.hex()

    def do_exec(self, source: str, keep: bool) -> list[Any]:
        error = self._shell.run(source, keep)
        return [self._shell.execution_count - 1, error]

    def do_name(self, name: str) -> list[Any]:
        namespace = self._shell.user_ns
        return [namespace[name]] if name in namespace else []

    def do_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return function(*args, **kwargs)

    def do_get(self, value: Any, name: str) -> Any:
        return getattr(value, name)

    def do_set(self, value: Any, name: str, to: Any) -> None:
        setattr(value, name, to)

    def do_item(self, value: Any, key: Any) -> Any:
        return value[key]

    def do_set_item(self, value: Any, key: Any, to: Any) -> None:
        value[key] = to

    def do_len(self, value: Any) -> int:
        return len(value)

    def do_iter(self, value: Any) -> Iterator[Any]:
        return iter(value)

    def do_next(self, iterator: Iterator[Any]) -> list[Any]:
        for item in iterator:
            return [item]
        return []

    def do_isinstance(self, value: Any, kind: Any) -> bool:
        return isinstance(value, kind)

    def do_deepcopy(self, value: Any) -> Any:
        return copy.deepcopy(value)

    def do_enter(self, manager: Any) -> Any:
        return manager.__enter__()

    def do_exit(self, manager: Any) -> None:
        manager.__exit__(None, None, None)

    def do_seed(self, library: str, seed: int) -> None:
        match library:
            case "torch" if "torch" in sys.modules:
                sys.modules["torch"].manual_seed(seed)
            case "numpy":
                np.random.seed(seed)
            case "random":
                random.seed(seed)

    def do_backward(self, graph: Graph, gradients: list[Any]) -> list[Any]:
        """Gradients of the judge's tensors; those of the student's own parameters wait for `do_accumulate`."""
        pairs = [pair for pair in zip(graph.results, gradients, strict=True) if pair[1] is not None]
        results, seeds = [result for result, _ in pairs], [gradient for _, gradient in pairs]
        own = [leaf for leaf in _leaves(results) if not any(leaf is each for each in graph.leaves)]
        wanted = [*graph.leaves, *own]
        torch: Any = sys.modules["torch"]
        found = torch.autograd.grad(results, wanted, seeds, retain_graph=True, allow_unused=True) if wanted else ()
        graph.waiting = list(zip(own, found[len(graph.leaves) :], strict=True))
        return list(found[: len(graph.leaves)])

    def do_accumulate(self, graph: Graph) -> None:
        """Add what the last backward pass found to `.grad` of the student's own parameters."""
        for leaf, gradient in graph.waiting:
            if gradient is not None:
                leaf.grad = gradient.clone() if leaf.grad is None else leaf.grad + gradient
        graph.waiting = []

    def _call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        before, self._interruptible = self._interruptible, False
        try:
            message, _, _ = self.exchange("callback", [number, args, kwargs], None, None)
        finally:
            self._interruptible = before
        if message[0] == "a":
            return message[2]
        kind: Any = Exception
        for name in message[2]:
            found = getattr(builtins, name, None)
            if isinstance(found, type) and issubclass(found, Exception):
                kind = found
                break
        raise kind(message[4])

    @contextlib.contextmanager
    def _time_limit(self, seconds: float) -> Iterator[None]:
        """Raise `OutOfTime` in the student's code after `seconds`, and each second again where it is caught."""
        before, self._interruptible = self._interruptible, True
        left, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), 1)
        try:
            yield
        finally:
            self._interruptible = before
            signal.setitimer(signal.ITIMER_REAL, left, 1 if left else 0)

    def _alarm(self, *_: object) -> None:
        if self._interruptible:  # never in the middle of a frame
            raise OutOfTime("It took longer than the time limit.")


def _leaves(results: list[Any]) -> list[Any]:
    """The tensors at the ends of the graph behind `results`."""
    leaves, seen = [], set()
    nodes = [result.grad_fn for result in results]
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        nodes += [following for following, _ in node.next_functions]
    return leaves


def _flush() -> None:
    """Show what was printed before the answer arrives; a student may have put anything in the place of stdout."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()


def _described(error: BaseException) -> list[Any]:
    """An exception as data: names of its classes, arguments where they are plain, text."""
    _flush()
    names = [kind.__name__[:80] for kind in type(error).__mro__[:20]]
    try:
        text = str(error)[:_MESSAGE_LIMIT]
    except Exception:
        text = ""
    plain = len(error.args) <= 8 and all(type(each) in _PLAIN for each in error.args)
    arguments = list(error.args) if plain and len(repr(error.args)) <= _MESSAGE_LIMIT else []
    return [names, arguments, text]
