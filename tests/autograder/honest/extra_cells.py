"""Adds cells of its own everywhere: code, empty cells, text and a raw cell."""


def change(notebook):
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        code = {
            "cell_type": "code",
            "metadata": {},
            "source": f"mine_{number} = {number}",
            "outputs": [],
            "execution_count": 1,
        }
        text = {"cell_type": "markdown", "metadata": {}, "source": "Note to myself"}
        raw = {"cell_type": "raw", "metadata": {}, "source": "raw text"}
        cells += [cell, code, text, raw, {**code, "source": ""}]
    return notebook | {"cells": cells, "nbformat_minor": 4}
