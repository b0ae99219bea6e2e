"""The answer calls a helper in a cell of its own below it, which exists by the time of the call."""

ANSWERS = {
    "conv2d": "def conv2d(*args, **options):\n    return helper_of_mine(*args, **options)",
}
AFTER = {
    "conv2d": """
_theirs = conv2d

@RIGHT@

helper_of_mine, conv2d = conv2d, _theirs
""",
}
