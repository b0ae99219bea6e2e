"""Format 4.5 from a tool that gave every cell a new id."""


def change(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number:08x}"
    return notebook | {"nbformat_minor": 5}
