"""Seeds every generator, at the top and in the function, to be reproducible."""

BEFORE = {
    "conv2d": """
import random

import torch

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
torch.use_deterministic_algorithms(True)
""",
}
ANSWERS = {
    "conv2d": """
@RIGHT@

_slide = conv2d


def conv2d(*args, **options):
    np.random.seed(1)
    torch.manual_seed(1)
    return _slide(*args, **options)
""",
}
