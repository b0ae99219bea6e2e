"""Saved by Colab: ids in the metadata, widgets' state, an accelerator, format 4.0, outputs with an id."""


def change(notebook):
    notebook["metadata"] = {
        "accelerator": "GPU",
        "colab": {"provenance": [], "gpuType": "T4", "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {}},
    }
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] |= {"id": cell.pop("id")}
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            address = {"base_uri": "https://localhost:8080/"}
            cell["metadata"] |= {"colab": address, "outputId": f"8b1c-{number}", "collapsed": True}
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["Requirement already satisfied\n"]}]
            cell["execution_count"] = number + 1
    return notebook | {"nbformat_minor": 0}
