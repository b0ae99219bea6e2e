"""Keeps the chapter's explorer beside its answer."""

AFTER = {
    "conv2d": """
from convbook.widgets import ConvExplorer

ConvExplorer()
""",
}
