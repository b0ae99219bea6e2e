"""Hands in bytes that are no text. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return bytes(range(128, 256)) * 100
