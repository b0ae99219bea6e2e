"""Hands in the cells in reverse order. Owed: the honest score, flagged."""

EARNS = 0


def change(notebook):
    notebook["cells"].reverse()
    return notebook
