"""Hands in every cell three times. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def change(notebook):
    notebook["cells"] = notebook["cells"] * 3
    return notebook
