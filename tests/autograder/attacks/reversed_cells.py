"""Hands in the cells in reverse order. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def change(notebook):
    notebook["cells"].reverse()
    return notebook
