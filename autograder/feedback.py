"""What a student gets back: nbgrader's own feedback page, with nothing alive in it and nothing from another host.

The page is made with the template of nbgrader's `GenerateFeedback` from the autograded notebook, which holds no
hidden tests, and from the gradebook, so that marks and comments given by hand are in it. Whatever a submission put
into its cells and outputs then goes through nh3: no script, style, form, frame or foreign URL scheme survives.

Most cells are the same in every submission, so what a cell's text looks like is remembered.
"""

import html
import logging
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from traitlets.config import Config

from autograder.gradebook import Gradebook, Shown

MAX_CELL = {"code": 20_000, "markdown": 8_000}
MAX_SOURCES = 200_000
MAX_OUTPUT = 100_000
MAX_SHOWN = 3
_NO_PICTURE = {"image/png": ""}
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_NO_ALT = re.compile(r"<img\b(?![^>]*\balt=)")
_TAGS = set(
    re.findall(
        r"\w+",
        """a b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s samp small span
        strong sub sup table tbody td tfoot th thead tr ul var details summary figure figcaption""",
    )
)
_ATTRIBUTES = {
    "*": {"class", "id", "title", "lang", "dir"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "https://", "http://")
_LINKS = ("#", "https://", "http://", "mailto:")


class _Exporter(HTMLExporter):
    """nbgrader's page, without what takes HTMLExporter most of its time.

    That is a second parse of the finished page, for the keyboard in JupyterLab's template and for pictures without
    an alternative text; `sanitize` sees to the latter. And it is copying and checking the notebook for preprocessors,
    of which none but that for the page's style has anything to do.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        style = CSSHTMLHeaderPreprocessor(parent=self)
        _, self._style = style.preprocess(NotebookNode(), self._init_resources({}))

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        highlight = lru_cache(512)(Highlight2HTML(pygments_lexer="ipython3"))
        yield "highlight_code", lambda source, metadata=None: highlight(source)
        yield "markdown2html", _cell_markdown
        yield "filter_data_type", WidgetsDataTypeFilter(notebook_metadata={}, resources={}, parent=self)

    def from_notebook_node(  # type: ignore[override]  # nbconvert's own subclasses return text, too
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        return TemplateExporter.from_notebook_node(self, nb, self._init_resources(resources), **options)

    def _preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        resources["inlining"] = self._style["inlining"]
        return nb, resources


class _Pictures(dict[str, dict[str, str]]):
    """A cell's pictures by name, each to be shown a few times only: a text may name one a thousand times.

    One that is not there shows as its description; its absence would stop the renderer.
    """

    def __init__(self, pictures: dict[str, dict[str, str]]) -> None:
        super().__init__(pictures)
        self._shown = Counter[str]()

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> dict[str, str]:
        self._shown[name] += 1
        return self.get(name, _NO_PICTURE) if self._shown[name] <= MAX_SHOWN else _NO_PICTURE


class _Formulas(IPythonRenderer):
    """Formulas as they are written: what would set them comes from another host, into a page of strangers' text."""

    def inline_math(self, body: str) -> str:
        return f"<code>{self.escape_html(body)}</code>"

    def block_math(self, body: str) -> str:
        return f"<pre>{self.escape_html(body)}</pre>"


@pass_context
def _cell_markdown(context: Context, source: str) -> str:
    pictures = context.get("cell", {}).get("attachments")
    return _rendered(source, pictures) if pictures else _markdown(source)


@lru_cache(512)
def _markdown(source: str) -> str:
    return _rendered(source, {})


def _rendered(source: str, pictures: dict[str, dict[str, str]]) -> str:
    renderer = _Formulas(escape=False, anchor_link_text="", attachments=_Pictures(pictures))
    return str(MarkdownWithMath(renderer=renderer).render(source))


class FeedbackExporter:
    """Set up once and used for many students."""

    def __init__(self, gradebook: Gradebook) -> None:
        self._gradebook = gradebook
        self._name = gradebook.assignment.name
        converter = GenerateFeedback(log=logging.Logger("nbgrader", logging.CRITICAL + 1))
        # Scripts and pictures as XML could carry code; what is left is text, tables and plain pictures.
        kinds = ["text/html", "image/png", "image/jpeg", "text/markdown", "text/latex", "text/plain"]
        config = {"NbConvertBase": {"display_data_priority": kinds}}
        converter.update_config(Config(config))
        self._exporter = _Exporter(parent=converter, config=converter.config)

    def page(self, student: str, notebook: NotebookNode, message: str) -> str:
        """The feedback page of one student, whose result is in the gradebook already.

        Args:
            student: who.
            notebook: the autograded notebook; its texts are cut short where they are too long for a page.
            message: stands on top.
        """
        shown = self._gradebook.shown(student)
        notebook = _graded(_bounded(notebook), shown)
        names = {
            "notebook": self._name,
            "score": shown.score,
            "max_score": shown.max_score,
            "late_penalty": shown.late_penalty,
        }
        resources: dict[str, Any] = {"unique_key": self._name, "nbgrader": names}
        text, _ = self._exporter.from_notebook_node(notebook, resources)
        head, body = text.split("<body>", 1)
        head = _SCRIPT.sub("", head).replace("<html>", '<html lang="en">', 1)
        top = f'<div class="container"><p>{html.escape(message)}</p></div>'
        return f"{head}<body>\n{top}\n{sanitize(body.rsplit('</body>', 1)[0])}\n</body>\n</html>\n"


def sanitize(fragment: str) -> str:
    """HTML that runs nothing, loads pictures alone, controls no terminal, and is no part of the page's frame."""
    inert = nh3.clean(
        fragment,
        tags=_TAGS,
        clean_content_tags={"script", "style", "svg", "math", "iframe", "object", "template"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
    )
    # Last, since an entity such as &#27; is a control character only now.
    return _CONTROLS.sub("\ufffd", _NO_ALT.sub('<img alt="A picture without a description"', inert))


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href":
        return value if value.startswith(_LINKS) else None
    if attribute == "src":
        return value if value.startswith(_PICTURES) else None
    return value


def _graded(notebook: NotebookNode, shown: Shown) -> NotebookNode:
    """With the points and comments where nbgrader's template looks for them (as its preprocessor GetGrades does)."""
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        name = grading.get("grade_id")
        if grading.get("solution"):
            grading["comment"] = shown.comments.get(name)
        if grading.get("grade"):
            grading["score"], grading["points"] = shown.points[name]
    return notebook


def _bounded(notebook: NotebookNode) -> NotebookNode:
    """With texts that are short enough for renderers that take more than linear time (Markdown, highlighting)."""
    left = MAX_SOURCES
    for cell in notebook.cells:
        cell.source = _short(cell.source, min(left, MAX_CELL.get(cell.cell_type, 0)))
        left -= len(cell.source)
        for output in cell.get("outputs", []):
            for holder in (output, output.get("data", {})):
                for key in holder.keys() & {"text", "text/plain", "text/html", "text/markdown", "text/latex"}:
                    holder[key] = _short("".join(holder[key]), MAX_OUTPUT)
    return notebook


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(limit, 0)] + "\n… (the rest is not shown)"


def plain_page(title: str, lines: list[str]) -> str:
    """A page for what nbgrader's exporter cannot show: the reasons as text."""
    body = "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f"<body>\n<h1>{html.escape(title)}</h1>\n{body}</body>\n</html>\n"
    )
