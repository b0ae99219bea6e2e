"""Shows tqdm's bars, which go to stderr: stock nbgrader gives 0 for that."""

BEFORE = {
    "output-size": """
import time

from tqdm.auto import tqdm

for _ in tqdm(range(30), desc='warm up'):
    time.sleep(0.001)
""",
}
ANSWERS = {
    "conv2d": """
from tqdm import tqdm

@RIGHT@

_slide = conv2d


def conv2d(x, *args, **options):
    for _ in tqdm(range(3), desc="pictures"):
        y = _slide(x, *args, **options)
    return y
""",
}
