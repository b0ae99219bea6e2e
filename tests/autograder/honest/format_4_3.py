"""Format 4.3: cells are hidden by the metadata of that time."""


def change(notebook):
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"]["jupyter"] = {"source_hidden": False, "outputs_hidden": True}
    return notebook | {"nbformat_minor": 3}
