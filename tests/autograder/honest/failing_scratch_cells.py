"""Left cells that fail: an exception, a syntax error, a question to nobody, a name from another session."""

BEFORE = {
    "output-size": "1 / 0",
    "conv2d": "for i in range(3)\n    print(i)",
}
AFTER = {
    "output-size": "input('Your name? ')",
    "conv2d": "raise NotImplementedError('later')",
    "direction-kernel": "old_name",
}
