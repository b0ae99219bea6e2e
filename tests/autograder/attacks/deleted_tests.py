"""Deletes all tests. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def tests(notebook):
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def change(notebook):
    gone = tests(notebook)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in gone]
    return notebook
