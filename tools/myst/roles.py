"""The supported roles, links and pictures.

A role takes its content and the converter of the cell, returns Markdown, and raises ValueError with a sentence.
"""

import posixpath
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markdown_it.token import Token

from myst.labels import NAMES, Label

if TYPE_CHECKING:
    from myst.converter import Chapter, Converter
    from myst.source import Edit

Render = Callable[[str, "Converter"], str]
ROLES: dict[str, Render] = {}
TITLED = re.compile(r"(?P<text>.*?)\s*<(?P<target>[^<>]+)>", re.DOTALL)
CHAPTER = re.compile(r"\d\d-[\w-]+")


def role(*names: str) -> Callable[[Render], Render]:
    def register(function: Render) -> Render:
        ROLES.update(dict.fromkeys(names, function))
        return function

    return register


def render(name: str, content: str, converter: "Converter") -> str:
    """The Markdown of a role. Raises ValueError for an unknown one."""
    if name not in ROLES:
        raise ValueError(f"The notebooks cannot show the role {{{name}}}. Supported: {', '.join(sorted(ROLES))}.")
    return ROLES[name](content, converter)


def _split(content: str) -> tuple[str, str]:
    """`text <target>` or `target`, as (text, target)."""
    match = TITLED.fullmatch(content.strip())
    return (match["text"], match["target"]) if match else ("", content.strip())


@role("eq")
def equation(content: str, converter: "Converter") -> str:
    chapter = converter.chapter
    target = chapter.labels.find(content.strip(), chapter.name)
    if chapter.labels.complete and target.kind != "equation":
        raise ValueError(f"`{content}` labels no equation.")
    return _away(f"({target.number})", target, chapter)


@role("numref")
def numbered(content: str, converter: "Converter") -> str:
    chapter = converter.chapter
    text, name = _split(content)
    target = chapter.labels.find(name, chapter.name)
    if chapter.labels.complete and not target.number:
        raise ValueError(f"`{name}` has no number. Use {{ref}}, or label a figure, table or exercise.")
    text = text.replace("%s", target.number).replace("{number}", target.number).replace("{name}", target.title)
    return _away(text or f"{NAMES[target.kind]} {target.number}", target, chapter)


@role("ref")
def reference(content: str, converter: "Converter") -> str:
    text, name = _split(content)
    return _reference(text, name, converter.chapter)


@role("doc")
def document(content: str, converter: "Converter") -> str:
    text, name = _split(content)
    address = _address(name.removesuffix(".md") + ".md", converter.chapter)
    return f"[{text or converter.chapter.labels.titles.get(posixpath.basename(name), name)}]({address})"


@role("cite:t")
def cite_in_text(content: str, converter: "Converter") -> str:
    keys = _keys(content, converter.chapter)
    return " and ".join(converter.chapter.bibliography.textual(key) for key in keys)


@role("cite", "cite:p")
def cite_in_parentheses(content: str, converter: "Converter") -> str:
    return converter.chapter.bibliography.parenthetical(_keys(content, converter.chapter))


@role("glue:text")
def glued(content: str, converter: "Converter") -> str:
    """The name of the variable that holds the value: there is no value before the reader runs its cell."""
    name = content.split(":")[0].strip()
    if name not in converter.chapter.glued:
        raise ValueError(f"No cell of this chapter glues `{name}`.")
    return f"`{converter.chapter.glued[name]}`"


@role("math")
def formula(content: str, converter: "Converter") -> str:
    return f"${content}$"


def _tagged(tag: str) -> Render:
    return lambda content, converter: f"<{tag}>{escape(content)}</{tag}>"


ROLES.update({tag: _tagged(tag) for tag in ("sub", "sup", "kbd")})


def link(token: Token, content: str, chapter: "Chapter") -> list["Edit"]:
    """Edits that make the address of a link right from the folder of the notebooks."""
    start, end = token.meta["span"]
    href = str(token.attrs["href"])
    if urlsplit(href).scheme in ("http", "https", "mailto"):
        return []
    head = content.rfind("](", start, end)
    if head < 0:
        raise ValueError("Write the link as [text](address).")
    if "." in href or "/" in href:
        return [(head + 2, end - 1, _address(href, chapter))]
    name = href.removeprefix("#")
    target = chapter.labels.find(name, chapter.name)
    if head == start + 1:
        return [(start, end, _reference("", name, chapter))]
    if target.chapter != chapter.name:
        return [(head + 2, end - 1, f"{target.chapter}.ipynb")]
    return [(start, start + 1, ""), (head, end, "")]


def picture(source: str, alt: str, chapter: "Chapter", width: str = "") -> str:
    """A picture of the repository by its public address: Colab and a copied notebook have no files beside them."""
    path = _inside(source, chapter)
    if not alt.strip():
        raise ValueError(f"Say in the alt text what {source} shows.")
    # Without the query GitHub may serve an SVG as plain text, which no browser draws.
    address = chapter.site.raw(path) + ("?sanitize=true" if path.endswith(".svg") else "")
    if width:
        return f'<img src="{address}" alt="{escape(alt)}" width="{escape(width.removesuffix("px"))}">'
    alt = re.sub(r"([][])", r"\\\1", " ".join(alt.split()))
    return f"![{alt}]({address})"


def _address(target: str, chapter: "Chapter") -> str:
    """The address of a file of the repository: a notebook beside this one, or the file on GitHub."""
    path = target.partition("#")[0]
    if posixpath.normpath(f"book/{path}").startswith("notebooks/"):
        return posixpath.relpath(posixpath.normpath(f"book/{path}"), "notebooks/chapters")
    inside = _inside(path, chapter)
    stem = inside.removeprefix("book/").removesuffix(".md")
    return f"{stem}.ipynb" if CHAPTER.fullmatch(stem) else chapter.site.blob(inside)


def _inside(source: str, chapter: "Chapter") -> str:
    """The path from the root of the repository of a file named in a chapter. Raises ValueError where there is none."""
    path = posixpath.normpath(source.removeprefix("/") if source.startswith("/") else f"book/{source}")
    if urlsplit(source).scheme or path.startswith("..") or not (chapter.site.root / path).is_file():
        raise ValueError(f"There is no file {path} in this repository.")
    return path


def _reference(text: str, name: str, chapter: "Chapter") -> str:
    target = chapter.labels.find(name, chapter.name)
    words = text or (target.title if target.kind == "section" else f"{NAMES[target.kind]} {target.number}")
    if chapter.labels.complete and not words:
        raise ValueError(f"`{name}` has no title. Write {{ref}}`text <{name}>`.")
    return _away(words, target, chapter)


def _away(text: str, target: Label, chapter: "Chapter") -> str:
    """`text`, as a link if the target is in another chapter."""
    return text if target.chapter == chapter.name else f"[{text}]({target.chapter}.ipynb)"


def _keys(content: str, chapter: "Chapter") -> list[str]:
    keys = [key.strip() for key in content.split(",")]
    chapter.labels.cited.setdefault(chapter.name, set()).update(keys)
    return keys
