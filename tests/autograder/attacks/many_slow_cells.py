"""Adds 500 slow cells in front of the last question. Owed: a result in time, with what was earned before them."""

EARNS = 9
RIGHT = True


def change(notebook):
    slow = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**slow, "source": f"import time\ntime.sleep(1)  # {number}"} for number in range(500)]
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
    place = ids.index("direction-kernel")
    notebook["cells"][place:place] = cells
    return notebook
