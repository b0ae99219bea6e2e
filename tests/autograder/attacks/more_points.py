"""Gives the tests a thousand points each, and negative ones. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def tests(notebook):
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def change(notebook):
    for number, cell in enumerate(tests(notebook)):
        cell["metadata"]["nbgrader"]["points"] = 1000 if number % 2 else -1000
    return notebook
