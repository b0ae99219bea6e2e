"""What a student reads of a test that stopped: one wording for every engine.

The visible half of a test shows all of it. Of the hidden half only a hint is shown, which is the author's text:
an exception's own text may hold the hidden inputs.
"""

import ast
from functools import lru_cache

from autograder.text import clean

OUT_OF_TIME = "OutOfTime"
"""The name of the exception that stops a student's cell at its limit (`autograder.student`)."""


def raised(name: str, text: str, *, hidden: bool, memory_mb: int) -> tuple[str, str]:
    """Status and message where the student's code raised an exception.

    Args:
        name: the exception's class; for the hidden half one that the student did not name.
        text: its `str()`.
        hidden: whether that was in the hidden half.
        memory_mb: what the code may use.
    """
    if name == "NotImplementedError":
        return "not-attempted", "You have not written this part yet."
    if name == "MemoryError":
        return "memory", f"Your code needed more than the {memory_mb} MB of memory that it may use."
    if hidden:
        return "failed", clean(f"Your code raised {clean(name, 60)} on an input of the hidden tests.")
    return "failed", clean(f"Your code raised {name}: {text}" if text else f"Your code raised {name}.")


def not_held(text: str, hint: str, *, hidden: bool) -> str:
    """The message where a check did not hold.

    Args:
        text: what the check says, with its hint.
        hint: the hint alone.
        hidden: whether that was in the hidden half.
    """
    if hidden:
        return clean(hint or "A hidden test failed.")
    return clean(text or "A check of this part failed.")


def by_name(hidden_source: str, hidden: bool, name: str, text: str, memory_mb: int) -> tuple[str, str]:
    """Status and message for an exception of which only name and text are known: it came out of a test, or through it.

    Args:
        hidden_source: the test's hidden half. A hint is one only if it stands there word for word.
        hidden, name, text, memory_mb: see `raised`.
    """
    if name not in ("CheckFailed", "AssertionError"):
        return raised(name, text, hidden=hidden, memory_mb=memory_mb)
    hints = sorted((each for each in _hints(hidden_source) if text.startswith(each)), key=len)
    return "failed", not_held(text, hints[-1] if hints else "", hidden=hidden)


@lru_cache(maxsize=256)
def _hints(source: str) -> frozenset[str]:
    """The hints and messages that stand in a test word for word."""
    nodes = list(ast.walk(ast.parse(source)))
    said = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "hint"]
    said += [node.msg for node in nodes if isinstance(node, ast.Assert) and node.msg]
    return frozenset(n.value for n in said if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value)
