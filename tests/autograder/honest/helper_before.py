"""The answer calls a helper in a cell of its own above it."""

BEFORE = {
    "conv2d": """
@RIGHT@

helper_of_mine = conv2d
del conv2d
""",
}
ANSWERS = {
    "conv2d": "def conv2d(*args, **options):\n    return helper_of_mine(*args, **options)",
}
