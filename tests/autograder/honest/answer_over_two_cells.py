"""Splits an answer: the second of its two functions stands in a cell of its own behind the first."""


def change(notebook):
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "output-size":
            first, second = cell["source"].split("def same_padding")
            rest = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "second-half"}
            cell["source"] = first
            cells.append({**rest, "source": "def same_padding" + second})
    return notebook | {"cells": cells}
