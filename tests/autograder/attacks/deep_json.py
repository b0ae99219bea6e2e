"""Hands in JSON nested 200,000 deep. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    return b"[" * 200_000 + b"]" * 200_000
