"""Results of a search show where the word stands, also from the disk.

Sphinx fetches the page of each result for its excerpt: a browser forbids that for files, and a chapter is heavy. So the
words of each page stand in a script of their own here, since a page from the disk may load a script: the text that a
reader sees, in the elements that results point to. On the page of results excerpts.js answers Sphinx's fetch from them;
finding, cutting, highlighting and counting stay Sphinx's. No other page loads any of it.
"""

import json
from pathlib import Path

from bs4 import BeautifulSoup

FOLDER = "_static/words"
PLACES = {"div", "section"}  # sections, exercises, solutions
BLOCKS = {"dd", "dt", "li", "p", "summary", "td", "th"}  # what ends a word without a space after it
# The classes: the sign that links to a heading; "Show the source" and "Hide the source".
UNSEEN = "button, noscript, script, style, .headerlink, .collapsed, .expanded, [aria-hidden=true]"


def words_of(body: str) -> str:
    """The words of a page as HTML in which the text of each section, exercise and solution is found by its id."""
    page = BeautifulSoup(body, "html.parser")
    for unseen in page.select(UNSEEN):
        unseen.decompose()
    for tag in page.find_all(PLACES | BLOCKS):
        tag.insert_after(" ")
    for tag in page.find_all(True):
        if tag.name in PLACES:
            tag.attrs = {"id": tag["id"]} if tag.get("id") else {}
        else:
            tag.unwrap()
    return " ".join(str(page).split())


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
