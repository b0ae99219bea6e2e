"""What the student's objects and exceptions are in the judge.

An object that is no plain data is a `StudentObject`: it has a number, and everything it is asked goes to the
student's process as a question. Two things never do. Dunder attributes: numpy and torch look for some of them on
any object and believe what they find, down to the address of an array's memory. And equality or truth, on which a
verdict could hang.
"""

import builtins
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from autograder.halts import AuthorError


class Asks(Protocol):
    """Takes questions to the student's process."""

    def ask(self, operation: str, *arguments: Any) -> Any: ...

    def forget(self, number: int) -> None: ...


class Misused(TypeError):
    """A student's object stands where the test needs a plain value."""


class StudentObject:
    """An object in the student's process.

    Args:
        link: takes the questions.
        number: which object.
        name: its type's name, as the student's process says.
        is_module: it claims to be an nn.Module, so that `isinstance(net, nn.Module)` holds here as well.
    """

    __slots__ = ("__weakref__", "_is_module", "_link", "_name", "_number")

    def __init__(self, link: Asks, number: int, name: str, is_module: bool) -> None:
        for slot, value in (("_link", link), ("_number", number), ("_name", name), ("_is_module", is_module)):
            object.__setattr__(self, slot, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._link.ask("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"{name} of a student's object cannot be read in a test.")
        return self._link.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link.ask("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._link.ask("item", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._link.ask("set_item", self, key, value)

    def __len__(self) -> int:
        length = self._link.ask("len", self)
        if type(length) is not int or not 0 <= length < 1 << 31:
            raise Misused(f"The length of your {self._name} is not a count.")
        return length

    def __iter__(self) -> Iterator[Any]:
        iterator = self._link.ask("iter", self)
        while item := _item(self._link.ask("next", iterator)):
            yield item[0]

    def __next__(self) -> Any:
        item = _item(self._link.ask("next", self))
        if not item:
            raise StopIteration
        return item[0]

    def __enter__(self) -> Any:
        return self._link.ask("enter", self)

    def __exit__(self, *_: object) -> None:
        self._link.ask("exit", self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._link.ask("deepcopy", self)

    def __copy__(self) -> Any:
        raise AuthorError("copy.copy of a student's object: use copy.deepcopy, or a driver.")

    def __reduce_ex__(self, protocol: object) -> Any:
        raise AuthorError("A student's object cannot be pickled or saved: do it in a driver.")

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, StudentObject) and self._link.ask("isinstance", value, self) is True

    def __bool__(self) -> bool:
        raise Misused(f"There is an object of type {self._name} where True or False is needed.")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, StudentObject) or other is None:
            return False
        raise Misused(f"There is an object of type {self._name} where a plain value is needed.")

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<your {self._name}>"

    def __del__(self) -> None:
        self._link.forget(self._number)

    @property
    def __class__(self) -> type:
        if self._is_module:
            from torch import nn  # the student's process said so, but torch may not be here yet

            return nn.Module
        return StudentObject

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise AuthorError("The class of a student's object cannot be set.")


def _item(answer: object) -> list[Any]:
    if type(answer) is not list or len(answer) > 1:
        raise Misused("Your iterator gave no item.")
    return answer


class RemoteError(Exception):
    """An exception of the student's code; raised as a subclass of a builtin type as well.

    Attributes:
        name: the class's name in the student's process.
        base: the name of the builtin class it stands for here.
    """

    base = "Exception"

    def __init__(self, name: str, arguments: list[Any], text: str) -> None:
        self.args = tuple(arguments) or (text,)
        self.name = name
        self.text = text

    def __str__(self) -> str:
        return self.text


def known_exceptions() -> dict[str, type[Exception]]:
    """The classes that a student's exception may have here, by name.

    Without StopIteration and its like: they would end loops of the test instead of failing it.
    """
    silent = (StopIteration, StopAsyncIteration, ExceptionGroup)
    found = {
        name: kind
        for name, kind in vars(builtins).items()
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, silent)
    }
    return {**found, "LinAlgError": np.linalg.LinAlgError}


_classes: dict[type[Exception], type[RemoteError]] = {Exception: RemoteError}


def remote_error(
    names: list[str], arguments: list[Any], text: str, known: Mapping[str, type[Exception]]
) -> RemoteError:
    """The exception to raise here for one that was raised there.

    Args:
        names: the names of its classes, most derived first.
        arguments: its arguments where they are plain data, else nothing.
        text: its `str()`.
        known: classes that it may have here.
    """
    base = next((known[name] for name in names if name in known), Exception)
    if base not in _classes:
        _classes[base] = type(base.__name__, (RemoteError, base), {"base": base.__name__})
    return _classes[base](names[0] if names else "Exception", arguments, text)
