"""Ends its notebook with exit(), which a kernel takes for a wish."""

AFTER = {
    "direction-kernel": "print('all done')",
}


def change(notebook):
    last = {
        "cell_type": "code",
        "metadata": {},
        "source": "exit()",
        "outputs": [],
        "execution_count": None,
        "id": "bye",
    }
    return notebook | {"cells": [*notebook["cells"], last]}
