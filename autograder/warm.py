"""The warm processes of an executor: started once, early if somebody says what will be needed, replaced when they end.

A zygote takes from half a second to three to start, by the libraries that it has in memory, and a fork of one with
torch costs twice that of one without. So there is one zygote for each kind of process and set of libraries, and a
process takes a fork of the first that has what it needs. Nothing here imports nbgrader: the command that grades starts
its processes before it reads the assignment, and the two seconds of torch pass beside its own imports.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from autograder.errors import EngineError
from autograder.zygote import JUDGE_LIBRARIES, STUDENT_LIBRARIES, TARGETS, Zygote

#: Libraries that take a third of a second or more to import, and the words that tell of their use. torch imports the
#: third when the first optimizer is made, and the last for a backward pass that starts from given gradients.
_SLOW = {
    "torch": r"\b(torch|torchvision|nets|train|vjp)\b",
    "torchvision": r"\btorchvision\b",
    "torch._dynamo": r"\boptim\b",
    "torch.fx.experimental.symbolic_shapes": r"\b(grad|backward|vjp)\b",
}

_MYST_CODE = re.compile(r"^```\{code-cell\}.*?^```", re.DOTALL | re.MULTILINE)

_ALWAYS = {"student": STUDENT_LIBRARIES, "judge": JUDGE_LIBRARIES, "in-kernel": JUDGE_LIBRARIES}


def slow_libraries(sources: Iterable[str]) -> tuple[str, ...]:
    """Those libraries that these texts speak of; none without torch is."""
    text = "\n".join(sources)
    found = tuple(name for name, words in _SLOW.items() if re.search(words, text))
    return found if "torch" in found else ()


def code_of(text: str) -> list[str]:
    """The code cells of an assignment's file, without reading it for real: prose may speak of torch, too."""
    return _MYST_CODE.findall(text) or [text]


class WarmProcesses:
    """Zygotes by kind and libraries. Any thread may ask; each zygote is started once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygotes: dict[tuple[str, tuple[str, ...]], Future[Zygote]] = {}

    def start(self, target: str, libraries: Sequence[str]) -> Future[Zygote]:
        """A zygote for `target`, one of `autograder.zygote.TARGETS`, that has the slow `libraries`, and maybe more."""
        with self._lock:
            for (kind, present), zygote in self._zygotes.items():
                if kind == target and set(libraries) <= set(present):
                    return zygote
            key = target, tuple(libraries)
            self._zygotes[key] = Future()
            threading.Thread(target=_start, args=(self._zygotes[key], *key), daemon=True).start()
            return self._zygotes[key]

    def forget_ended(self) -> bool:
        """Whether one of them has ended, or never started: the next to ask gets a new one."""
        with self._lock:
            ended = {key: zygote for key, zygote in self._zygotes.items() if zygote.done() and _has_ended(zygote)}
            for key in ended:
                del self._zygotes[key]
        for zygote in ended.values():
            _close(zygote)
        return bool(ended)

    def close(self) -> None:
        """End them and everything that they forked."""
        with self._lock:
            zygotes = list(self._zygotes.values())
            self._zygotes.clear()
        with ThreadPoolExecutor() as pool:
            list(pool.map(_close, zygotes))


def _start(zygote: Future[Zygote], target: str, libraries: tuple[str, ...]) -> None:
    try:
        zygote.set_result(Zygote((*_ALWAYS[target], *libraries), {target: TARGETS[target]}))
    except Exception as error:  # for whoever waits
        zygote.set_exception(error)


def _has_ended(zygote: Future[Zygote]) -> bool:
    return zygote.exception() is not None or zygote.result().ended


def _close(zygote: Future[Zygote]) -> None:
    with suppress(EngineError):  # it never started
        zygote.result().close()
