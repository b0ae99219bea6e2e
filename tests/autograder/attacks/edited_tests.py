"""Replaces the source of all tests by a pass. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def tests(notebook):
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def change(notebook):
    for cell in tests(notebook):
        cell["source"] = "pass"
    return notebook
