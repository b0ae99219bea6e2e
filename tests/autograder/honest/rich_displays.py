"""Shows rich results: HTML, Markdown, formulas, a picture, an object with its own display, a last expression."""

AFTER = {
    "conv2d": """
from IPython.display import HTML, Image, Latex, Markdown, clear_output, display


class Shown:
    def _repr_html_(self):
        return "<b>bold</b><script>alert(1)</script>"


display(HTML("<table><tr><td>1</td></tr></table>"), Markdown("**done**"), Latex("$x^2$"), Shown())
handle = display("waiting", display_id="one")
handle.update("there")
clear_output()
{"answer": conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))}
""",
}
