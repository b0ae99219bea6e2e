"""Stores sources as numbers, lists of lists and objects. Owed: a result with a reason."""

EARNS = 0


def change(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["source"] = [7, [["x"]], {"a": 1}, None][number % 4]
    return notebook
