"""Had a formatter go over the whole notebook, locked cells included."""

import ast

FLAGS = ("Locked cell",)


def change(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["source"].startswith("%"):
            try:
                cell["source"] = ast.unparse(ast.parse(cell["source"]))
            except SyntaxError:
                continue
    return notebook
