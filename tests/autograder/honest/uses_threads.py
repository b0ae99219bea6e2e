"""Works on the pictures of a batch in threads, and leaves one that waits."""

ANSWERS = {
    "conv2d": """
import threading
from concurrent.futures import ThreadPoolExecutor

@RIGHT@

_slide = conv2d
threading.Thread(target=threading.Event().wait, daemon=True).start()


def conv2d(x, *args, **options):
    with ThreadPoolExecutor(4) as pool:
        return np.concatenate(list(pool.map(lambda one: _slide(one[None], *args, **options), x)))
""",
}
