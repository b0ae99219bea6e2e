"""Shows widgets, which have no browser here."""

AFTER = {
    "output-size": """
import ipywidgets as widgets
from ipywidgets import interact

slider = widgets.IntSlider(3, min=1, max=9, description="kernel")
slider.observe(lambda change: None, "value")
slider.value = 5
display(widgets.VBox([slider, widgets.Output()]))
interact(lambda k: output_size(9, k), k=slider)
""",
}
