"""Hands in an empty file. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b""
