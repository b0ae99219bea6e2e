"""The supported directives: each becomes Markdown that needs neither MyST nor a stylesheet.

A function takes the directive and the converter of the cell, returns Markdown, and raises ValueError with a sentence.
"""

import re
import textwrap
from collections.abc import Callable
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.token import Token

from myst import roles
from myst.labels import NAMES
from myst.parser import Directive, parser

if TYPE_CHECKING:
    from myst.converter import Chapter, Converter

Render = Callable[[Directive, "Converter"], str]
DIRECTIVES: dict[str, tuple[Render, frozenset[str]]] = {}
# Options that concern the page's looks or its source: they have no counterpart in a notebook.
LOOKS = {"class", "align", "figclass", "figwidth", "height", "scale", "icon", "color", "animate", "open", "widths"}
MARKED = re.compile(r"\[(?P<mark>[ x])\] (?P<label>.+)")
TITLES = ("note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error")


def directive(*names: str, options: tuple[str, ...] = ()) -> Callable[[Render], Render]:
    def register(function: Render) -> Render:
        DIRECTIVES.update({name: (function, frozenset(options)) for name in names})
        return function

    return register


def render(found: Directive, converter: "Converter") -> str:
    """The Markdown of a directive. Raises ValueError for an unknown directive or option."""
    if found.name not in DIRECTIVES:
        raise ValueError(f"The notebooks cannot show {{{found.name}}}. Supported: {', '.join(sorted(DIRECTIVES))}.")
    function, options = DIRECTIVES[found.name]
    unknown = sorted(set(found.options) - options - LOOKS)
    if unknown:
        raise ValueError(
            f"{{{found.name}}} has no option `{unknown[0]}` here. It has: {', '.join(sorted(options)) or 'none'}."
        )
    return function(found, converter)


def display(converter: "Converter", content: str, label: str, line: int) -> str:
    """A displayed formula, with the number that the book gives it when it has a label."""
    content = content.strip()
    if re.search(r"\n\s*\n", content):
        raise ValueError("Write one formula a block: an empty line ends it in Jupyter.")
    if _has_rows(content):  # Sphinx puts an environment round them too
        content = f"\\begin{{aligned}}\n{content}\n\\end{{aligned}}"
    if label:
        number = converter.chapter.number("equation")
        converter.chapter.define(label, "equation", line, number)
        content += rf" \tag{{{number}}}"
    # JupyterLab takes a formula out of the text before it looks at block quotes: on one line no marker gets into it.
    return f"$$ {' '.join(content.split())} $$" if converter.quoted else f"$$\n{content}\n$$"


def _has_rows(formula: str) -> bool:
    """Whether a formula breaks its line outside every environment."""
    depth = 0
    for mark in re.findall(r"\\begin\b|\\end\b|\\\\", formula):
        depth += {r"\begin": 1, r"\end": -1}.get(mark, 0)
        if mark == r"\\" and depth == 0:
            return True
    return False


@directive(*TITLES)
def admonition(found: Directive, converter: "Converter") -> str:
    body = _with_argument(found, converter)
    return _boxed(found.name.capitalize(), body, found)


@directive("seealso")
def seealso(found: Directive, converter: "Converter") -> str:
    return _boxed("See also", _with_argument(found, converter), found)


@directive("admonition", "margin", "sidebar", "topic")
def titled(found: Directive, converter: "Converter") -> str:
    return _boxed(_title(found, converter), converter.body(found, quoted="dropdown" not in found.classes), found)


@directive("dropdown")
def dropdown(found: Directive, converter: "Converter") -> str:
    return _folded(_title(found, converter), converter.body(found))


@directive("exercise", options=("label", "nonumber"))
def exercise(found: Directive, converter: "Converter") -> str:
    if "label" not in found.options:
        raise ValueError("Give the exercise a :label:, so that its solution can name it.")
    number = converter.chapter.number("exercise")
    title = _title(found, converter) if found.argument else ""
    converter.chapter.define(found.options["label"], "exercise", found.line, number, title)
    heading = f"Exercise {number}" + (f": {title}" if title else "")
    return f"{'#' * min(converter.chapter.level + 1, 6)} {heading}\n\n{converter.body(found)}"


@directive("solution", options=("label",))
def solution(found: Directive, converter: "Converter") -> str:
    target = converter.chapter.labels.find(found.argument, converter.chapter.name)
    return _folded(f"Solution to exercise {target.number}", converter.body(found))


@directive("predict", options=("run", "number"))
def predict(found: Directive, converter: "Converter") -> str:
    title = "Predict, then run" if "run" in found.options else "Predict, then open"
    return _boxed(title, converter.body(found, quoted=True), found)


@directive("quiz", options=("tolerance",))
def quiz(found: Directive, converter: "Converter") -> str:
    """The options as a list and a closed box for each; where a number is asked for, one box that gives nothing away."""
    question, options = _options(found, converter)
    converter.chapter.counts["question"] += 1
    number = converter.chapter.counts["question"]
    asked = f"**Question {number}.** {question}"
    if "tolerance" in found.options:
        said = [
            f"**{'Anything else' if label == 'else' else label}: {verdict}.** {why}" for verdict, label, why in options
        ]
        return "\n\n".join([asked, _folded(f"Answers to question {number}", "\n\n".join(said))])
    letters = [chr(ord("A") + place) for place in range(len(options))]
    listed = "\n".join(f"- **{letter}.** {label}" for letter, (_, label, _) in zip(letters, options, strict=True))
    said = [
        _folded(f"If you say {letter}", f"**{verdict}.** {why}")
        for letter, (verdict, _, why) in zip(letters, options, strict=True)
    ]
    return "\n\n".join([asked, listed, *said])


@directive("math", options=("label",))
def formula(found: Directive, converter: "Converter") -> str:
    return display(
        converter, "\n".join(filter(None, [found.argument, found.body])), found.options.get("label", ""), found.line
    )


@directive("figure", options=("alt", "name", "width"))
def figure(found: Directive, converter: "Converter") -> str:
    caption = converter.body(found)
    if not caption:
        raise ValueError("Give the figure a caption, or use {image}.")
    number = numbered("figure", caption, found.options.get("name"), found.line, converter.chapter)
    return f"{image(found, converter)}\n\n{number}"


@directive("image", options=("alt", "name", "width"))
def image(found: Directive, converter: "Converter") -> str:
    return roles.picture(
        found.argument, found.options.get("alt", ""), converter.chapter, found.options.get("width", "")
    )


@directive("list-table", options=("header-rows", "name"))
def list_table(found: Directive, converter: "Converter") -> str:
    if found.options.get("header-rows") != "1":
        raise ValueError("A {list-table} has `:header-rows: 1`.")
    rows = _rows(parser().parse(converter.body(found)))
    if len({len(row) for row in rows}) != 1:
        raise ValueError("A {list-table} is a list of rows, each a list of equally many cells of one paragraph.")
    rows.insert(1, ["---"] * len(rows[0]))
    return _captioned(found, converter, "\n".join(f"| {' | '.join(row)} |" for row in rows))


@directive("table", options=("name",))
def table(found: Directive, converter: "Converter") -> str:
    return _captioned(found, converter, converter.body(found))


@directive("bibliography", options=("filter", "style"))
def bibliography(found: Directive, converter: "Converter") -> str:
    chapter = converter.chapter
    chapter.listed = True
    return chapter.bibliography.references(chapter.labels.cited.get(chapter.name, set()))


def numbered(kind: str, caption: str, name: str | None, line: int, chapter: "Chapter", words: str = "") -> str:
    """A caption with its number, as the book prints it.

    `words` say what a code cell draws to a reader who cannot see it. They stand in a closed box below the caption: a
    drawn picture has no place for an alt text that JupyterLab, Colab and VS Code would read out.
    """
    number = chapter.number(kind)
    if name:
        chapter.define(name, kind, line, number, caption)
    label = f"{NAMES[kind]} {number}"
    text = f"**{label}.** {caption}"
    if words:
        said = escape(" ".join(words.split()), quote=False)
        text += "\n\n" + _folded(f"{label} in words", f"<p>{said}</p>")
    return text


def _captioned(found: Directive, converter: "Converter", content: str) -> str:
    if not found.argument:
        return content
    caption = numbered("table", _title(found, converter), found.options.get("name"), found.line, converter.chapter)
    return f"{caption}\n\n{content}"


def _options(found: Directive, converter: "Converter") -> tuple[str, list[tuple[str, str, str]]]:
    """The question of a quiz, and (Yes or No, label, feedback) of each option in the definition list at its end."""
    tokens = parser().parse(found.body)
    lists = [token for token in tokens if token.type == "dl_open" and token.level == 0]
    if not lists or tokens[0].type != "paragraph_open":
        raise ValueError("A quiz is a question in words, then its options: a line `[x] 3`, and under it `: why`.")
    lines = found.body.split("\n")
    question = converter.convert("\n".join(lines[: lists[0].map[0]]), found.body_line)
    options = []
    for position, token in enumerate(tokens):
        if token.level != 1 or token.type not in ("dt_open", "dd_open"):
            continue
        if token.type == "dt_open":
            content = tokens[position + 1].content
            marked = MARKED.fullmatch(content)
            if not marked:
                raise ValueError(f"‘{content}’ needs a mark before it: `[x]` if it is right, `[ ]` if it is wrong.")
            label = converter.convert(marked["label"], found.body_line + token.map[0])
            verdict = "Yes" if marked["mark"] == "x" else "No"
        else:
            said = list(takewhile(lambda inner: inner.level > 1, tokens[position + 1 :]))
            if said[0].type != "paragraph_open":
                raise ValueError(f"What is said to ‘{content}’ begins with words.")
            first, last = said[0].map[0], max(inner.map[1] for inner in said if inner.map)  # the map of dd_open is off
            text = re.sub("[:~]", " ", "\n".join(lines[first:last]), count=1)
            options.append((verdict, label, converter.convert(textwrap.dedent(text), found.body_line + first)))
    return question, options


def _title(found: Directive, converter: "Converter") -> str:
    if not found.argument:
        raise ValueError(f"Give {{{found.name}}} a title.")
    return converter.convert(found.argument, found.line)


def _with_argument(found: Directive, converter: "Converter") -> str:
    """The body of an admonition whose text may begin on the line of its name."""
    quoted = "dropdown" not in found.classes
    body = converter.body(found, quoted=quoted)
    return f"{converter.convert(found.argument, found.line)} {body}".strip() if found.argument else body


def _boxed(title: str, body: str, found: Directive) -> str:
    if "dropdown" in found.classes:
        return _folded(title, body)
    return "\n".join(f"> {line}".rstrip() for line in (f"**{title}**", "", *body.split("\n")))


def _folded(title: str, body: str) -> str:
    # Inside <summary> Markdown is not read; the empty lines make it be read in the body.
    summary = MarkdownIt("commonmark").renderInline(title)
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def _rows(tokens: list[Token]) -> list[list[str]]:
    """Cells of a list of lists; a cell that is not one paragraph makes its row longer or shorter than the others."""
    rows: list[list[str]] = []
    depth = 0
    for token in tokens:
        depth += {"bullet_list_open": 1, "bullet_list_close": -1}.get(token.type, 0)
        if token.type == "list_item_open" and depth == 1:
            rows.append([])
        elif token.type == "inline" and rows:
            if "|" in token.content:
                raise ValueError("A table cell cannot hold a `|`. In a formula write \\vert.")
            rows[-1].append(token.content.replace("\n", " "))
    return rows
