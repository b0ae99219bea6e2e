"""Hands in 12 MB of blanks. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b" " * (12 << 20)
