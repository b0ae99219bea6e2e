"""Format 4.2: outputs hold JSON that is no text."""


def change(notebook):
    for cell in notebook["cells"]:
        del cell["id"]
        if cell["cell_type"] == "code":
            data = {"application/json": {"a": [1, None, {"b": True}]}, "application/vnd.custom+json": [1.5]}
            cell["outputs"] = [
                {"output_type": "display_data", "data": data, "metadata": {"application/json": {"expanded": False}}}
            ]
    return notebook | {"nbformat_minor": 2}
