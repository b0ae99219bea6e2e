"""The judge's end of the conversation with the student's process.

Nothing that comes from there is believed: not its shape, not its length, not that it answers. What breaks the
protocol ends the conversation for good, and the reason is kept in `halt`. Nothing is written back into the test's
own values: an answer is a new value.
"""

import functools
import importlib
import sys
import time
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.decoder import Decoder
from autograder.encoder import Encoder
from autograder.halts import AuthorError, Ended, Forbidden, Halt, OutOfMemory, OutOfTime
from autograder.outputs import Reader
from autograder.peer import Channel, Closed, Peer
from autograder.proxies import RemoteError, StudentObject, known_exceptions, remote_error
from autograder.text import clean
from autograder.wire import BadFrame, Reference, TooLarge

OBJECT_LIMIT = 100_000
CALLBACK_LIMIT = 20_000
_LIBRARIES = ("torch", "torchvision", "numpy", "math", "operator", "builtins", "convbook")
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinMethodType, functools.partial)


class Link(Peer):
    """Asks questions.

    Attributes:
        deadline: when the running cell must be done, in `time.monotonic()`.
        seconds: the limit that the deadline comes from, for messages.
        halt: why no question can be asked any more.
        exceptions: classes that a student's exception may have here.
        grace: seconds after the deadline. The student's process stops its own code at the deadline; what does not
            obey is waited for so long, and then never asked again.
    """

    grace = 5.0

    def __init__(self, channel: Channel, outputs: Reader) -> None:
        super().__init__(channel)
        self._outputs = outputs
        self._objects: weakref.WeakValueDictionary[int, StudentObject] = weakref.WeakValueDictionary()
        self._forgotten: set[int] = set()
        self._callbacks: dict[int, Callable[..., Any]] = {}
        self._callback_calls = 0
        self._callback_error: BaseException | None = None
        self._snapshots: Any = None
        self._modes: list[Any] = []  # whether torch records gradients, and its default type, as last sent
        self.deadline = 0.0
        self.seconds = 0
        self.halt: Halt | None = None
        self.exceptions = known_exceptions()

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask one question and return the answer; raise what the student's code raised.

        Raises:
            RemoteError: the student's code raised.
            Halt: there is no answer.
        """
        if self.halt:
            raise self.halt
        if time.monotonic() >= self.deadline:
            raise self._out_of_time()
        unanswered = self._unanswered
        try:
            if operation in ("call", "set", "set_item", "backward"):
                self.check_snapshots()
            if not self._nesting and not self._channel.is_quiet():
                raise BadFrame("It spoke without being asked.")
            limit = self.deadline + self.grace
            message, decoder, encoder = self.exchange(operation, list(arguments), self._context(), limit)
            self._show(operation)
            value, error = self._reply(operation, message, decoder, encoder)
        except TooLarge as error:
            raise AuthorError(f"The test sends too much: {error}") from None
        except Closed:
            raise self._end(Ended("Your code ended the process that runs your notebook.")) from None
        except TimeoutError:
            raise self._end(self._out_of_time()) from None
        except BadFrame as error:
            raise self._end(Forbidden(f"Your code disturbed the grader: {error}")) from None
        except MemoryError:
            raise self._end(OutOfMemory("What your code returned is too large.")) from None
        finally:
            if self._unanswered > unanswered and not self.halt:  # stopped half-way, by the judge's own alarm
                self._end(self._out_of_time())
        if error is not None:  # raised out here, because it may be a MemoryError or TimeoutError as well
            raise error
        return value

    def check_snapshots(self) -> None:
        """See `Snapshots.check`."""
        if self._snapshots is not None:
            self._snapshots.check()

    def forget(self, number: int) -> None:
        """The student's process may drop an object: the next question says so."""
        self._forgotten.add(number)

    def refer(self, value: object) -> Reference:
        if type(value) is StudentObject:
            return Reference("object", value._number)
        name = _library_name(value)
        if name:
            return Reference("library", name=name)
        if isinstance(value, _FUNCTIONS):
            number = next((key for key, each in self._callbacks.items() if each is value), len(self._callbacks) + 1)
            self._callbacks[number] = value
            return Reference("callback", number)
        raise AuthorError(
            f"A {type(value).__name__} cannot be sent to the student's process: send plain data (seeds, arrays, "
            "tensors, functions), or make it in a driver."
        )

    def resolve(self, reference: Reference) -> object:
        if reference.kind != "object":
            raise BadFrame("It sent a reference that only the grader may send.")
        if not reference.number:
            return None
        known = self._objects.get(reference.number)
        if known is not None:
            return known
        if len(self._objects) >= OBJECT_LIMIT:
            raise BadFrame("It returned too many objects.")
        if len(reference.name) > 80:
            raise BadFrame("It sent a type's name that is none.")
        self._forgotten.discard(reference.number)
        found = StudentObject(self, reference.number, clean(reference.name), reference.is_module)
        self._objects[reference.number] = found
        return found

    def serve(self, question: list[Any], decoder: Decoder) -> None:
        """Call a function of the test's for the student's process; it may ask for nothing else."""
        _, number, operation, arguments, _ = question
        if operation != "callback" or type(arguments) is not list or len(arguments) != 3:
            raise BadFrame("It asked what it may not ask.")
        key, args, kwargs = arguments
        if type(key) is not int or key not in self._callbacks or type(args) is not tuple or type(kwargs) is not dict:
            raise BadFrame("It asked for a function that it was not given.")
        if not all(type(name) is str for name in kwargs):
            raise BadFrame("It asked for a function that it was not given.")
        self._callback_calls += 1
        if self._callback_calls > CALLBACK_LIMIT:
            raise BadFrame(f"It called the test's functions more than {CALLBACK_LIMIT:,} times.")
        try:
            value = self._callbacks[key](*args, **kwargs)
            reply = self.encode(["a", number, value, None])
            if reply.requiring and decoder.requiring:
                raise AuthorError("Gradients do not flow through a function of the test's: use a driver.")
        except (Exception, AuthorError) as error:
            if self.halt:
                raise
            self._callback_error = error
            names = [kind.__name__ for kind in type(error).__mro__]
            reply = self.encode(["e", number, names, [], _callback_text(error)])
        self.send(reply, self.deadline + self.grace)

    def _reply(
        self, operation: str, message: list[Any], decoder: Decoder, encoder: Encoder
    ) -> tuple[Any, BaseException | None]:
        """What the reply says: a value, or what to raise."""
        ours, self._callback_error = self._callback_error, None
        if isinstance(ours, AuthorError):
            raise ours
        if message[0] == "e":
            return None, self._raised(message, ours)
        value, graph = message[2:]
        if decoder.linked:
            if type(graph) is not StudentObject:
                raise BadFrame("It sent results of a computation that it does not name.")
            from autograder.gradients import tie  # only here is torch certainly imported

            tie(self, graph, decoder.linked, encoder.requiring)
        self._remember(operation, value, decoder)
        return value, None

    def _raised(self, message: list[Any], ours: BaseException | None) -> BaseException:
        names, arguments, text = message[2:]
        if type(names) is not list or len(names) > 20 or not all(type(name) is str for name in names):
            raise BadFrame("It sent an exception that is none.")
        if type(arguments) is not list or type(text) is not str:
            raise BadFrame("It sent an exception that is none.")
        if names[:1] == ["OutOfTime"]:
            return self._out_of_time()
        if ours is not None and text == _callback_text(ours):
            return ours  # raised by the test's own function, and it came through
        names = [clean(name, 80) for name in names]
        error: RemoteError = remote_error(names, arguments, clean(text), self.exceptions)
        return error

    def _remember(self, operation: str, value: Any, decoder: Decoder) -> None:
        """Watch over copies of tensors that live in the student's process."""
        torch = sys.modules.get("torch")
        if torch is None or operation not in ("name", "get", "item", "next", "call"):
            return
        copies = [tensor for tensor in decoder.requiring if tensor.grad_fn is None]
        is_state = operation in ("name", "get", "item") or isinstance(value, torch.nn.Parameter)
        if is_state and isinstance(value, torch.Tensor) and not value.requires_grad:
            copies.append(value)
        if copies:
            if self._snapshots is None:
                from autograder.gradients import Snapshots

                self._snapshots = Snapshots()
            self._snapshots.add(copies)

    def _context(self) -> list[Any]:
        forgotten, self._forgotten = sorted(self._forgotten), set()
        torch = sys.modules.get("torch")
        left = self.deadline - time.monotonic()
        if torch is None:
            return [forgotten, left, None, None]
        # Only a change is sent: the student's process may not have loaded torch, or set a mode of its own.
        before = self._modes or [True, torch.float32]
        self._modes = [torch.is_grad_enabled(), torch.get_default_dtype()]
        return [forgotten, left, *(self._modes if self._modes != before else [None, None])]

    def _show(self, operation: str) -> None:
        """What the student's code printed for a test goes where the test's own prints go."""
        self._outputs.drain(16 << 20)
        if operation != "exec":
            for output in self._outputs.take():
                if output["output_type"] == "stream":
                    sys.stdout.write(output["text"])

    def _out_of_time(self) -> OutOfTime:
        return OutOfTime(f"Your code gave no answer within {self.seconds} s.")

    def _end(self, halt: Halt) -> Halt:
        self.halt = halt
        return halt


def _callback_text(error: BaseException) -> str:
    """What the student's process is told of an exception in a function of the test's: nothing of its text."""
    return f"The test's function raised {type(error).__name__}."


def _library_name(value: Any) -> str:
    """A function or class as "module:name", if the student's process has the same under that name."""
    name = getattr(value, "__name__", None)
    if not callable(value) or type(name) is not str:
        return ""
    home = getattr(value, "__module__", None) or ""
    homes = [home, "torch", "torch.nn.functional"] if "torch" in sys.modules else [home]
    homes += ["numpy"] if isinstance(value, np.ufunc) else []
    for module in homes:
        if module.partition(".")[0] in _LIBRARIES and getattr(_imported(module), name, None) is value:
            return f"{module}:{name}"
    return ""


def _imported(name: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
