"""Format 4.4: cells carry their execution times."""


def change(notebook):
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"]["execution"] = {
            "iopub.execute_input": "2026-11-20T10:00:00Z",
            "shell.execute_reply.started": "",
        }
    return notebook | {"nbformat_minor": 4}
