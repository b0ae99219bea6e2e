"""Asks for a kernel that does not exist. Owed: the honest score."""

EARNS = 0


def change(notebook):
    notebook["metadata"]["kernelspec"] = {"name": "bash", "language": "bash", "display_name": "Bash"}
    return notebook
