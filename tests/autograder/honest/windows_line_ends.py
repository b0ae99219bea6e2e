"""Edited on Windows: every line ends with a carriage return."""


def change(notebook):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return notebook
