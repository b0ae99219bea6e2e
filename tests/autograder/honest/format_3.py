"""Saved in format 3, by an old tool or an old `nbconvert`: worksheets, inputs, prompt numbers."""

import nbformat


def change(notebook):
    old = nbformat.convert(nbformat.from_dict(notebook), 3)
    return dict(old)
