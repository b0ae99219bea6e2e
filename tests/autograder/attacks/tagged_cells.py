"""Tags cells so that tools skip them or hide their errors. Owed: the honest score, flagged."""

EARNS = 0
FLAGGED = True


def change(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
    return notebook
