"""Results of a search show where the word stands, also from the disk.

Sphinx fetches the page of each result for its excerpt: a browser forbids that for files, and a chapter is heavy. So the
words of each page stand in a script of their own here, since a page from the disk may load a script: the text that a
reader sees, in the elements that results point to. On the page of results excerpts.js answers Sphinx's fetch from them;
finding, cutting, highlighting and counting stay Sphinx's. No other page loads any of it.
"""

import json
from html import escape
from html.parser import HTMLParser
from pathlib import Path

FOLDER = "_static/words"
VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr"}
PLACES = {"div", "section"}  # sections, exercises, solutions
BLOCKS = {"dd", "dt", "li", "p", "summary", "td", "th"}  # what ends a word without a space after it
UNSEEN_TAGS = {"button", "noscript", "script", "style"}
UNSEEN_CLASSES = {"headerlink", "collapsed", "expanded"}  # the last two: "Show the source", "Hide the source"


class Words(HTMLParser):
    """Keeps text and its places; `unseen` counts the open elements from an unseen one on."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in VOID:
            return
        classes = set((attributes.get("class") or "").split())
        if self.unseen or tag in UNSEEN_TAGS or UNSEEN_CLASSES & classes or attributes.get("aria-hidden") == "true":
            self.unseen += 1
        elif tag in PLACES:
            self.kept.append(f'<{tag} id="{escape(name)}">' if (name := attributes.get("id")) else f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if self.unseen:
            self.unseen -= tag not in VOID
        elif tag in PLACES:
            self.kept.append(f"</{tag}> ")
        elif tag in BLOCKS:
            self.kept.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.kept.append(escape(data, quote=False))


def words_of(body: str) -> str:
    """The words of a page as HTML in which the text of each section, exercise and solution is found by its id."""
    parser = Words()
    parser.feed(body)
    parser.close()
    return " ".join("".join(parser.kept).split())


def write_words(app, pagename, templatename, context, doctree) -> None:
    if pagename == "search":
        app.add_js_file("excerpts.js", loading_method="defer")
    if doctree is not None:
        path = Path(app.outdir, FOLDER, f"{pagename}.js")
        path.parent.mkdir(parents=True, exist_ok=True)
        words = json.dumps(words_of(context["body"]), ensure_ascii=False)
        path.write_text(f"document.currentScript.words = {words};\n", encoding="utf-8")


def remove_unnamed(app, exception) -> None:
    """Words of pages whose source was removed or renamed."""
    folder = Path(app.outdir, FOLDER)
    for file in folder.glob("**/*.js"):
        if not exception and file.relative_to(folder).with_suffix("").as_posix() not in app.env.found_docs:
            file.unlink()


def setup(app):
    app.connect("html-page-context", write_words)
    app.connect("build-finished", remove_unnamed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
