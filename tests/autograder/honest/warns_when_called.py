"""The tested function itself warns, at each call: what a test sees is a value and no verdict on stderr."""

ANSWERS = {
    "conv2d": """
import warnings

@RIGHT@

_slide = conv2d


def conv2d(*args, **options):
    warnings.warn("slow for large pictures")
    np.log(np.zeros(1))
    return _slide(*args, **options)
""",
}
