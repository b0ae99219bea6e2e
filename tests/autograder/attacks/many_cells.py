"""Hands in 100,000 cells. Owed: a result with a reason."""

EARNS = 0


def change(notebook):
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    notebook["cells"] += [cell] * 100_000
    return notebook
