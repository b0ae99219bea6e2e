"""A target whose import leaves a thread behind, as a careless library would."""

import threading
import time

threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def run(job: dict[str, object], fds: list[int]) -> None:
    raise AssertionError("a process with two threads was forked")
