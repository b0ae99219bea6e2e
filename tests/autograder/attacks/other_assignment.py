"""Hands in the notebook of another assignment, with all its parts right. Owed: a result with a reason."""

EARNS = 0
STATUS = "unreadable"


def change(notebook):
    for cell in notebook["cells"]:
        cell["id"] = "other-" + cell["id"]
        cell["source"] = "# Of another assignment\n" + cell["cell_type"]
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] += "-of-another"
    return notebook
