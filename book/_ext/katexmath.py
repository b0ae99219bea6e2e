"""Formulas are set when the book is built, by KaTeX in a node process: pages carry HTML, MathML and no script.

One process serves the whole build: a line of JSON to its standard input, a line back. A formula that KaTeX
cannot set is a warning with its place in the text, and so ends a build with warnings as errors.
"""

import atexit
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
SERVER = Path(__file__).with_name("katex_server.cjs")
STYLE = "vendor/katex/katex.min.css"
SOURCE = re.compile(r"<annotation [^>]*>.*?</annotation>", re.DOTALL)  # the TeX again, which no reader sees or hears


class Typesetter:
    """KaTeX behind a pipe, started on the first formula."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
        if node is None or not (SERVER.parents[2] / "node_modules" / "katex").is_dir():
            raise ExtensionError("Formulas need node and node_modules/katex. Run `make setup`, which installs both.")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([node, str(SERVER)], text=True, encoding="utf-8", **pipes)  # noqa: S603 - our script
        atexit.register(process.kill)
        return process

    def render(self, tex: str, display: bool) -> dict[str, str]:
        """{"html": ...}, or {"error": KaTeX's words}."""
        self.process = self.process or self.start()
        self.process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


typesetter = Typesetter()


def typeset(node: nodes.Node, tex: str, display: bool) -> str:
    answer = typesetter.render(tex, display)
    if "error" in answer:
        logger.warning("KaTeX cannot set this formula: %s", answer["error"], location=node)
    return SOURCE.sub("", answer.get("html", ""))


def visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(typeset(node, node.astext(), display=False) + "</span>")
    raise nodes.SkipNode


def visit_display(translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    tex = node.astext()
    if r"\\" in tex and not tex.lstrip().startswith(r"\begin{"):  # lines need an environment; the notebooks add it too
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    translator.body.append(typeset(node, tex, display=True))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def add_style(app, pagename, templatename, context, doctree) -> None:
    if 'class="katex' in context.get("body", ""):
        app.add_css_file(STYLE)


def setup(app):
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_display, None))
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
