"""Makes the tests cells of text, raw cells and cells of no type. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def tests(notebook):
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def change(notebook):
    for number, cell in enumerate(tests(notebook)):
        cell["cell_type"] = ["markdown", "raw", None][number % 3]
        cell["metadata"]["nbgrader"]["cell_type"] = "markdown"
    return notebook
