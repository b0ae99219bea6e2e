"""Print the built book as one PDF: python tools/pdf.py [--html DIR] [--out FILE]

The pages of _build/html, in the order of _toc.yml, become one HTML document, and Chromium prints that. PDFs printed
chapter by chapter could be joined too, but without the tags that a screen reader needs and the links between chapters.
The front page is the title page, with an imprint. Demos start as they do in a page and print as they first look.

Nobody knows a heading's page before the print. So the book is printed until the numbers in its contents are those
that the print gives, which the second print does: a number takes the same room whatever it is.
"""

import argparse
import html
import json
import posixpath
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from browser import chromium
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

ROOT = Path(__file__).resolve().parent.parent
STATE = 'script[type="application/vnd.jupyter.widget-state+json"]'
REFERRING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
CONTENTS = "Contents"
ATTEMPTS = 4


@dataclass(frozen=True)
class Book:
    """What the title page and the properties of the file say."""

    title: str
    author: str
    rights: str
    version: str
    repository: str
    branch: str

    @classmethod
    def load(cls, root: Path) -> "Book":
        config = yaml.safe_load((root / "_config.yml").read_text())
        course = tomllib.loads((root / "course.toml").read_text())["course"]
        project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
        return cls(
            course["title"],
            config["author"],
            config["copyright"],
            project["version"],
            course["repository"],
            course["branch"],
        )


def names_in(toc: dict) -> list[str]:
    """Documents in the order of a table of contents (_toc.yml), the root first."""

    def listed(node: dict) -> Iterator[str]:
        if "file" in node:
            yield node["file"]
        for inner in chain(node.get("parts", ()), node.get("chapters", ()), node.get("sections", ())):
            yield from listed(inner)

    return [toc["root"], *listed(toc)]


class Page:
    """One built page: its article, with every id and address made fit for one document of all pages."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.soup = BeautifulSoup((folder / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        self.article: Tag = self.soup.select_one("article.bd-article")
        heading = self.article.find("h1")
        for link in self.article.select(".headerlink"):
            link.decompose()
        self.title = heading.get_text().strip()
        state = self.soup.select_one(STATE)
        self.models: dict = json.loads(state.string)["state"] if state else {}
        for buffer in chain.from_iterable(model.get("buffers", ()) for model in self.models.values()):
            if address := buffer.pop("file", None):  # book/_ext/latevalues.py; nobody scrolls while a book is printed
                buffer["data"] = (folder / self.path(address)).read_text().split('"')[1]
        self.sheets = [self.path(link["href"]) for link in self.soup.select('link[rel="stylesheet"]')]

    def path(self, address: str) -> str:
        """A file's place under the book's folder, from an address in this page."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.name), urlsplit(address).path))

    def anchor(self, identifier: str = "") -> str:
        return f"{self.name}--{identifier}" if identifier else self.name

    def headings(self) -> list[tuple[str, str]]:
        """(anchor, text) of each section in the chapter."""
        found = self.article.select("section > h2")
        return [(heading.parent["id"], heading.get_text().strip()) for heading in found]

    def titles(self) -> list[str]:
        """Every heading in the text."""
        return [heading.get_text().strip() for heading in self.article.select("h1, h2, h3, h4, h5, h6")]

    def adopt(self, folder: str, names: list[str], book: Book) -> None:
        """Fit into the one document: `folder` is the book's folder as that document sees it."""
        for tag in self.article.find_all(True):
            if "id" in tag.attrs:
                tag["id"] = self.anchor(tag["id"])
            for key in REFERRING:
                if key in tag.attrs:
                    tag[key] = " ".join(self.anchor(each) for each in tag[key].split())
            if "src" in tag.attrs and not urlsplit(tag["src"]).scheme:
                tag["src"] = f"{folder}/{self.path(tag['src'])}"
            if "href" in tag.attrs:
                tag["href"] = self.inside(tag["href"], names, book)
        for picture in self.article.select("img[loading]"):
            del picture["loading"]
        for answer in self.article.select("details.sd-dropdown"):
            answer["open"] = ""
        self.article["id"] = self.anchor()

    def inside(self, address: str, names: list[str], book: Book) -> str:
        """A link between pages stays in the document; one to another file of the project leads to the repository."""
        parts = urlsplit(address)
        if parts.scheme:
            return address
        target = self.path(parts.path).removesuffix(".html") if parts.path else self.name
        if target in names:
            return f"#{target}--{parts.fragment}" if parts.fragment else f"#{target}"
        return f"{book.repository}/blob/{book.branch}/{target}"


def add_imprint(front: Page, book: Book) -> None:
    """Who, which version, whose rights and where, under the title on the front page."""
    author, version, rights, repository = map(html.escape, (book.author, book.version, book.rights, book.repository))
    imprint = f"{author}. Version {version}. © {rights}.<br><a href='{repository}'>{repository}</a>"
    title = front.article.find("h1")
    title.insert_after(BeautifulSoup(f"<p class='imprint'>{imprint}</p>", "html.parser"))
    front.article["class"] = ["bd-article", "front"]


def assemble(pages: list[Page], numbers: dict[str, int], folder: str, book: Book) -> str:
    """The one document. `numbers` are the pages of its anchors, as far as they are known."""
    front, *chapters = pages
    by_length = sorted(pages, key=lambda page: -len(page.sheets))  # most have all sheets, in the order that counts
    sheets = dict.fromkeys(sheet for page in by_length for sheet in page.sheets)
    models = {name: model for page in pages for name, model in page.models.items()}
    state = json.dumps({"state": models}).replace("</", "<\\/")
    style = [Path(__file__).with_suffix(".css").read_text(encoding="utf-8")]
    for index, page in enumerate(chapters):
        head = json.dumps(page.title, ensure_ascii=False)
        style.append(f"@page chapter-{index} {{ @top-left {{ content: {head}; font: 9pt system-ui, sans-serif; }} }}")
        page.article["style"] = f"page: chapter-{index}"
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">',
            f"<title>{html.escape(book.title)}</title>",
            *(f'<link rel="stylesheet" href="{folder}/{sheet}">' for sheet in sheets),
            *("<style>", *style, "</style>"),
            f'<script type="application/vnd.jupyter.widget-state+json">{state}</script>',
            f'<script defer src="{folder}/_static/anywidget-static.js"></script></head>',
            f'<body><main class="bd-content">{front.article}{contents(chapters, numbers)}',
            *(str(page.article) for page in chapters),
            "</main></body></html>",
        ]
    )


def contents(chapters: list[Page], numbers: dict[str, int]) -> str:
    def entry(anchor: str, text: str) -> str:
        number = numbers.get(anchor, 0)
        return f'<a href="#{anchor}"><span>{html.escape(text)}</span> <span class="page">{number}</span></a>'

    lines = [f'<nav class="book-contents"><h1>{CONTENTS}</h1><ol>']
    for page in chapters:
        sections = "".join(f"<li>{entry(*heading)}</li>" for heading in page.headings())
        lines.append(f"<li>{entry(page.anchor(), page.title)}{f'<ol>{sections}</ol>' if sections else ''}</li>")
    return "\n".join([*lines, "</ol></nav>"])


def page_numbers(pdf: Path) -> dict[str, int]:
    """The page, counted from 1, of every anchor that something in the document links to."""
    reader = PdfReader(pdf)
    found = reader.named_destinations.items()
    return {name.removeprefix("/"): reader.get_destination_page_number(place) + 1 for name, place in found}


def print_book(folder: Path, toc: dict, book: Book, out: Path) -> int:
    """Write the PDF; return its number of pages."""
    names = names_in(toc)
    pages = [Page(folder, name) for name in names]
    source = folder.parent / "pdf" / "book.html"
    source.parent.mkdir(exist_ok=True)
    for page in pages:
        page.adopt(f"../{folder.name}", names, book)
    add_imprint(pages[0], book)
    numbers: dict[str, int] = {}
    with chromium() as browser:
        view = browser.new_page()
        for _ in range(ATTEMPTS):
            source.write_text(assemble(pages, numbers, f"../{folder.name}", book), encoding="utf-8")
            view.goto(source.as_uri(), wait_until="load")
            view.wait_for_selector("html[data-widgets-ready]", timeout=120_000)
            view.pdf(path=out, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
            printed, numbers = numbers, page_numbers(out)
            if printed == numbers:
                break
        else:
            sys.exit(
                f"After {ATTEMPTS} prints the contents still name other pages than the print has. Look at {source}."
            )
    return finish(out, book, [CONTENTS, *(title for page in pages for title in page.titles())])


def finish(pdf: Path, book: Book, titles: list[str]) -> int:
    """Add what Chromium leaves out: the author, and titles in the outline as they stand in the text.

    Its own lose the space where a title meets a new line, and come twice where the title moved to a new page.
    """
    writer = PdfWriter(pdf, incremental=True)
    properties = {"/Title": book.title, "/Author": book.author, "/Subject": book.rights, "/Creator": book.repository}
    writer.add_metadata(properties)
    known = {"".join(title.split()) * times: title for title in titles for times in (1, 2)}
    for entry in outline_of(writer.root_object["/Outlines"]):
        title = known.get("".join(entry["/Title"].split()), entry["/Title"])
        entry[NameObject("/Title")] = TextStringObject(title)
    writer.write(pdf)
    return len(writer.pages)


def outline_of(parent: DictionaryObject) -> Iterator[DictionaryObject]:
    entry = parent.get("/First")
    while entry is not None:
        entry = entry.get_object()
        yield entry
        yield from outline_of(entry)
        entry = entry.get("/Next")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html", help="the built book")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "convbook.pdf")
    options = parser.parse_args()
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    if not (options.html / f"{toc['root']}.html").is_file():
        sys.exit(f"{options.html} holds no book. Run `make book` first.")
    count = print_book(options.html.resolve(), toc, Book.load(ROOT), options.out.resolve())
    print(f"pdf: {options.out}, {count} pages, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
