"""Questions to the reader: {quiz} checks an answer, {predict} takes a guess before it shows what happens.

    ```{quiz}                                      ```{predict}
    Five pixels, $k = 3$: how many places?         :run:
                                                   What will the cell below print?
    [ ] 2                                          ```
    : That counts the steps between them.

    [x] 3
    : 5 − 3 + 1 = 3.
    ```

A quiz ends with a list of definitions. Each term is an option, with `[x]` before the right one, and its definition
says why or why not. With `:tolerance:` the reader writes a number: then the terms are numbers, and `[ ] else` stands
for all others. A {predict} ends with a {dropdown} that answers it, or has `:run:`, which covers the output of
the code cell below, or both. `:number:` asks for a number; otherwise a guess is free text.

All that is said stands in the page, which so reads without scripts: a closed box after each question has its answers.
`questions.js` (convbook/widgets/) puts controls in place of the box. It remembers by `data-key`, a hash of the source,
so that a question that changes forgets what was answered to the old one.
"""

import hashlib
import math
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx_design.shared import create_component

from convbook.widgets.base import bundle

logger = logging.getLogger(__name__)
SCRIPT = "questions.js"
MARK = re.compile(r"\[(?P<mark>[ x])\] ")
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:/[1-9]\d*)?")
ELSE = "else"


class Tag(nodes.General, nodes.Element):
    """An HTML element: `tag` is its name, `html` holds its attributes."""


class InlineTag(nodes.General, nodes.TextElement):
    """An HTML element of words."""


def tag(element: str, *children: nodes.Node | str, kind: type = Tag, ids=(), classes=(), **html: str) -> nodes.Element:
    """`data_key` among the attributes stands for `data-key`."""
    attributes = {key.replace("_", "-"): value for key, value in html.items()}
    built = kind("", tag=element, html=attributes, ids=list(ids), classes=list(classes))
    built += [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return built


def words(element: str, *children: nodes.Node | str, **options) -> nodes.Element:
    return tag(element, *children, kind=InlineTag, **options)


def visit_tag(translator, node: nodes.Element) -> None:
    void = node["tag"] == "input"
    translator.body.append(translator.starttag(node, node["tag"], "", empty=void, **node["html"]))


def depart_tag(translator, node: nodes.Element) -> None:
    if node["tag"] != "input":
        translator.body.append(f"</{node['tag']}>")


def tolerance(argument: str | None) -> str:
    """The value of `:tolerance:` as it is written. Raises ValueError with a sentence."""
    try:
        fits = 0 <= float(argument or "") < math.inf
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("It says how far from the right number an answer may be: 0, 0.01, …")
    return argument


class Question(SphinxDirective):
    """What both kinds have: a place among the questions of the page, and a key to remember by."""

    has_content = True

    def prepare(self) -> tuple[int, dict[str, str]]:
        """The number of this question among its kind, and the attributes that its element carries."""
        source = f"{self.name} {sorted(self.options.items())}\n" + "\n".join(self.content)
        key = hashlib.sha256(source.encode()).hexdigest()[:12]
        keys = self.env.temp_data.setdefault("question keys", set())
        if key in keys:
            raise self.error("This question stands on the page twice. Ask something else, or in other words.")
        keys.add(key)
        self.env.temp_data[self.name] = number = self.env.temp_data.get(self.name, 0) + 1
        return number, {"data_key": key, "data_page": self.env.docname}

    def parse(self) -> list[nodes.Node]:
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        return parsed.children


class Quiz(Question):
    option_spec: ClassVar = {"tolerance": tolerance}

    def run(self) -> list[nodes.Node]:
        number, data = self.prepare()
        *question, options = self.parse() or [None]
        if not question or not isinstance(options, nodes.definition_list):
            raise self.error("A quiz is a question, then its options: a line `[x] 3`, and under it a line `: why`.")
        read = [self.read_option(item) for item in options.children]
        if len(read) < 2 or [right for right, *_ in read].count(True) != 1:
            raise self.error("A quiz has at least two options, and `[x]` before one of them.")
        name, text = f"question-{number}", f"question-{number}-text"
        if "tolerance" in self.options:
            data["data_tolerance"] = self.options["tolerance"]
            values = self.read_values(read)
            fields = [number_field()]
        else:
            values = [chr(ord("A") + place) for place in range(len(read))]
            fields = [choice(name, letter, label) for letter, (_, label, _) in zip(values, read, strict=True)]
        asked = tag(
            "fieldset",
            words("legend", f"Question {number}", ids=[f"{name}-name"]),
            tag("div", *question, ids=[text]),
            *fields,
            aria_labelledby=f"{name}-name {text}",
        )
        said = [answer(value, right, feedback) for value, (right, _, feedback) in zip(values, read, strict=True)]
        return [
            tag("div", asked, classes=["cb-quiz"], ids=[name], **data),
            closed(f"Answers to question {number}", said),
        ]

    def read_option(self, item: nodes.Element) -> tuple[bool, nodes.Element, list[nodes.Node]]:
        """Whether it is the right one, its label without the mark, and its feedback."""
        term, *definitions = item.children
        marked = isinstance(term[0], nodes.Text) and MARK.match(term.astext())
        if not marked:
            raise self.error(f"‘{term.astext()}’ needs a mark before it: `[x]` if it is right, `[ ]` if it is wrong.")
        feedback = [node for definition in definitions for node in definition.children]
        if not feedback or not isinstance(feedback[0], nodes.paragraph):
            raise self.error(f"‘{term.astext()}’ needs a line `: why` under it, in words, for who chooses it.")
        first = term[0].astext()[marked.end() :]
        return marked["mark"] == "x", words("span", *filter(None, [first]), *term.children[1:]), feedback

    def read_values(self, options: list[tuple[bool, nodes.Element, list[nodes.Node]]]) -> list[str]:
        """The labels as numbers, apart enough that no answer is two of them; the last is ELSE."""
        *values, last = [label.astext() for _, label, _ in options]
        if last != ELSE or options[-1][0] or not all(map(NUMBER.fullmatch, values)):
            raise self.error(f"With `:tolerance:` the options are numbers such as −0.5, and the last is `[ ] {ELSE}`.")
        numbers = sorted(float(Fraction(value.replace("−", "-"))) for value in values)
        if any(high - low <= 2 * float(self.options["tolerance"]) for low, high in pairwise(numbers)):
            raise self.error("Two of the numbers are within the tolerance of one answer. Make it smaller.")
        return [*values, last]


def closed(title: str, body: list[nodes.Node]) -> nodes.Element:
    """A box to open, as {dropdown} makes it."""
    looks = {"container_classes": ["sd-mb-3", "cb-answers"], "title_classes": [], "body_classes": []}
    state = {"opened": False, "has_title": True, "icon": None, "chevron": None}
    return create_component("dropdown", children=[nodes.rubric(title, title), *body], **state, **looks)


def choice(name: str, letter: str, label: nodes.Element) -> nodes.Element:
    button = tag("input", type="radio", name=name, value=letter)
    return tag("label", button, words("b", letter), label, classes=["cb-choice"])


def number_field() -> nodes.Element:
    field = tag("input", type="text", inputmode="decimal", autocomplete="off", maxlength="40")
    return tag("label", words("span", "Your answer"), field, classes=["cb-blank"])


def answer(value: str, right: bool, feedback: list[nodes.Node]) -> nodes.Element:
    """The feedback, with the verdict as its first words."""
    head = nodes.inline("", "Anything else. ", classes=["cb-else"]) if value == ELSE else nodes.Text(f"{value}. ")
    verdict = nodes.strong("", "", head, nodes.Text("Yes." if right else "No."))
    feedback[0].insert(0, [verdict, nodes.Text(" ")])
    return tag("div", *feedback, classes=["cb-answer"], data_option=value, data_right=str(right).lower())


class Predict(Question):
    option_spec: ClassVar = {"run": directives.flag, "number": directives.flag}

    def run(self) -> list[nodes.Node]:
        number, data = self.prepare()
        body = self.parse()
        *question, last = body or [None]
        answered = isinstance(last, nodes.container) and last.get("design_component") == "dropdown"
        if not (question if answered else body and "run" in self.options):
            raise self.error("A prediction is a question and a {dropdown} with its answer, or it has `:run:`.")
        title = "Predict, then run" if "run" in self.options else "Predict, then open"
        name = f"prediction-{number}"
        data |= {f"data_{option}": "true" for option in self.options}
        heading = words("p", title, classes=["cb-title"], ids=[f"{name}-name"])
        data |= {"role": "group", "aria_labelledby": f"{name}-name"}
        return [tag("div", heading, *body, classes=["cb-predict"], ids=[name], **data)]


def check_cells(app, doctree: nodes.document) -> None:
    """A {predict} with `:run:` has something to cover."""
    for node in doctree.findall(Tag):
        if "data-run" in node["html"]:
            cell = node.next_node(descend=False, siblings=True)
            parts = cell.children if isinstance(cell, nodes.container) else []
            if not any("cell_output" in part["classes"] for part in parts):
                logger.warning("`:run:` needs a code cell with output right below this prediction.", location=node)


def write_script(app) -> None:
    """The script and the modules that it imports, as one that also runs from the disk, where no module may load."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / SCRIPT).write_text(f"(() => {{\n{bundle(SCRIPT)}}})();\n", encoding="utf-8")


def add_script(app, pagename, templatename, context, doctree) -> None:
    if "data-key=" in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    app.add_node(Tag, html=(visit_tag, depart_tag))
    app.add_node(InlineTag, html=(visit_tag, depart_tag))
    app.add_directive("quiz", Quiz)
    app.add_directive("predict", Predict)
    app.connect("builder-inited", write_script)
    app.connect("doctree-read", check_cells)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
