"""Indents with tabs, and leaves blanks behind lines and empty lines at both ends."""


def change(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader", {}).get("locked"):
            cell["source"] = "\n\n" + cell["source"].replace("    ", "\t").replace("\n", "  \n") + "\n \n\t\n"
    return notebook
