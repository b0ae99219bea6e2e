"""Widgets that compute in the page: with a kernel, in Colab, or in the static book with none."""

from convbook.widgets.conv_explorer import ConvExplorer

__all__ = ["ConvExplorer"]
