"""Merged cells: texts into one, and an own cell with the answer below it, which takes the metadata away."""


def change(notebook):
    cells = []
    for cell in notebook["cells"]:
        both_text = cells and cell["cell_type"] == cells[-1]["cell_type"] == "markdown"
        if both_text:
            cells[-1]["source"] += "\n\n" + cell["source"]
        else:
            cells.append(cell)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "conv2d":
            cell |= {"metadata": {}, "id": "mine", "source": "import math\n\nmine = 1\n\n" + cell["source"]}
    return notebook | {"cells": cells}
