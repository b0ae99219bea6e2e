"""Decorates its functions: a cache, a timer, and an identity in the place of numba's njit."""

ANSWERS = {
    "output-size": """
from functools import lru_cache, wraps


def njit(*options, **more):
    return options[0] if options and callable(options[0]) else njit


def timed(function):
    @wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@RIGHT@

output_size = lru_cache(maxsize=None)(timed(output_size))
same_padding = njit(cache=True)(njit(same_padding))
""",
}
