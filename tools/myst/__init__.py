"""Turn the course's closed set of MyST into plain Markdown that JupyterLab and Colab show well.

Theory of operation. The text is parsed by the book's own parser (markdown-it-py with MyST's plugins), which says where
each construct stands. Only those stretches of the source are rewritten; everything else stays as its author wrote it.

References need two passes, as in LaTeX: the first fills `Labels` with what every chapter defines, the second reads it.

    parser      text -> tokens that know their place in the source
    labels      what can be referred to: numbers, titles, sources of pictures and citations
    converter   walks the tokens of one cell, collects edits, applies them
    source      edits, and the way from a token to its place in the source
    directives  one function for each supported directive
    roles       one function for each supported role; links and pictures
    citations   references.bib -> "Author (year)" and a list of references
    notebook    cells, ids, metadata; the head that Colab needs
    site        addresses, from course.toml
"""

from myst.notebook import convert_book
from myst.parser import MystError
from myst.site import Site

__all__ = ["MystError", "Site", "convert_book"]
