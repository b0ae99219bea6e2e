"""The forked child's first steps: shed what is not its own, enter the sandbox, call the target, leave.

Runs in every child of `autograder.forkserver`. Until the target is called all of this is ours, and any error keeps
it from being called.
"""

import contextlib
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from autograder import kernel, sandbox
from autograder.cgroup import Cgroup
from autograder.policy import Policy

Target = Callable[[dict[str, Any], list[int]], None]

SANDBOX_FAILED = 125


@dataclass(frozen=True)
class Birth:
    """What a child is given."""

    policy: Policy
    target: Target
    letter: int  # descriptor of the job, as JSON
    streams: tuple[int | None, int | None]  # for standard output and error
    descriptors: list[int]  # for the target
    lifeline: int  # its other end is held by the zygote alone
    pipe: int  # where the sandbox reports
    cgroup: Cgroup | None
    home: Path | None


def live(birth: Birth) -> NoReturn:
    """The child's whole life, from just after the fork."""
    report = sandbox.reporter(birth.pipe)
    try:
        kernel.close_all_but([0, 1, 2, birth.lifeline, birth.letter, birth.pipe, *_given(birth)])
        sandbox.die_with(birth.lifeline)
        os.setsid()
        signal.set_wakeup_fd(-1)
        _standard_streams(birth.streams)
        kernel.close_all_but([0, 1, 2, birth.lifeline, birth.letter, birth.pipe, *birth.descriptors])
        home = sandbox.enter(birth.policy, pipe=birth.pipe, cgroup=birth.cgroup, home=birth.home)
        sandbox.die_with(birth.lifeline)  # once more: a change of user id left a moment without it
        os.close(birth.lifeline)
        _fresh_state(birth.policy, home)
        job = json.loads(os.pread(birth.letter, os.fstat(birth.letter).st_size, 0))
        os.close(birth.letter)
        report({"ready": True})
    except BaseException as error:
        with contextlib.suppress(BaseException):  # whatever happens, never back into the server's loop
            report({"error": str(error)[:500] or type(error).__name__})
        os._exit(SANDBOX_FAILED)
    os.close(birth.pipe)
    code = 0
    try:
        birth.target(job, birth.descriptors)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        code = 1
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code & 0xFF)  # no atexit functions, no waiting for the target's threads


def _given(birth: Birth) -> list[int]:
    return [number for number in (*birth.streams, *birth.descriptors) if number is not None]


def _standard_streams(streams: tuple[int | None, int | None]) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for number, source in enumerate([None, *streams]):
        os.dup2(null if source is None else source, number)


def _fresh_state(policy: Policy, home: Path) -> None:
    """Nothing that two forks of one process would share by accident: random numbers, temporary names, `__main__`."""
    os.environ.update({name: str(home) for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "XDG_CACHE_HOME")})
    for name in ("PYTHONPATH", "GLIBC_TUNABLES"):
        os.environ.pop(name, None)
    tempfile.tempdir = None
    sys.argv = [""]
    sys.modules["__main__"] = types.ModuleType("__main__")
    seed = int.from_bytes(os.urandom(4), "little")
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        # There are no devices but this one; for theirs torch.manual_seed would keep a stack trace, which takes 4 ms.
        sys.modules["torch"].default_generator.manual_seed(seed)
        if policy.landlock:
            _load_data_in_process(importlib.import_module("torch.utils.data"))


def _load_data_in_process(data: types.ModuleType) -> None:
    """Workers of a DataLoader need shared memory, which the Landlock level cannot keep apart from the host's."""
    original = data.DataLoader.__init__

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        for name in ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout"):
            options.pop(name, None)
        original(self, *arguments, **options)

    data.DataLoader.__init__ = init
