"""Deleted all of the text to see its own work better."""


def change(notebook):
    return notebook | {"cells": [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]}
