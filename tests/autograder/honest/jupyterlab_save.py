"""Saved by JupyterLab: collapsed and hidden cells, execution times, editable marks, a tag for slides."""

FLAGS = ("Tags without effect",)


def change(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] |= {"editable": True, "slideshow": {"slide_type": ""}, "jp-MarkdownHeadingCollapsed": True}
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["metadata"] |= {
                "collapsed": True,
                "scrolled": True,
                "tags": ["hide-input"] if number % 2 else [],
                "jupyter": {"outputs_hidden": True, "source_hidden": number % 2 == 0},
                "execution": {
                    "iopub.status.busy": "2026-11-20T10:00:00.000Z",
                    "shell.execute_reply": "2026-11-20T10:00:01Z",
                },
            }
            cell["execution_count"] = 3 * number
    return notebook
