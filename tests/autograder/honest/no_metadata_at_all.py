"""A converter dropped all metadata, kernel and cell ids included."""


def change(notebook):
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"] = {}
    return notebook | {"metadata": {}, "nbformat_minor": 4}
