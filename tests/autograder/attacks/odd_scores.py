"""Stores scores that are not numbers, infinite, negative, oversized or words. Owed: the honest score."""

EARNS = 0


def tests(notebook):
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def change(notebook):
    scores = ["nan", "inf", "-inf", "-5", "1e308", "three", "10**9", "None", "[3]", "True"]
    for cell, score in zip(tests(notebook), scores, strict=False):
        data = {"text/plain": score}
        cell["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]
        cell["metadata"]["nbgrader"]["score"] = score
    return notebook
