"""Why a test cell stops for a reason other than its checks.

    Halt            no Exception: `except Exception` in a test, or `raises(Exception, …)`, must not catch it
    ├── Ended       the student's process is gone
    ├── Forbidden   it did what no honest process does, and is not asked again
    ├── OutOfTime   no answer in time
    ├── OutOfMemory the judge has no room for the answer
    └── AuthorError the test does what a proxy cannot do: ours, named for the author

The text of all but `AuthorError` is for the student.
"""

from typing import ClassVar


class Halt(BaseException):
    """Ends a test cell, whatever it catches."""

    status = "crashed"


class Ended(Halt):
    """The student's process is gone."""


class Forbidden(Halt):
    """The student's process broke the protocol."""


class OutOfTime(Halt):
    """No answer in time."""

    status = "timeout"


class OutOfMemory(Halt):
    """The judge has no room for the answer."""

    status = "memory"


class AuthorError(Halt):
    """The test does what cannot work across two processes; says what to write instead.

    Attributes:
        last: the last one of this process: a test that swallowed it has not passed.
    """

    status = "failed"
    last: ClassVar["AuthorError | None"] = None

    def __init__(self, text: str) -> None:
        super().__init__(text)
        AuthorError.last = self
