"""The whole book as one PDF: every chapter is in it, is found through contents and outline, and can be read aloud."""

import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


@pytest.fixture(scope="module")
def articles(book, names) -> dict[str, BeautifulSoup]:
    found = {}
    for name in names:
        found[name] = BeautifulSoup((book / f"{name}.html").read_text(), "html.parser").select_one("article")
        for link in found[name].select(".headerlink"):
            link.decompose()
    return found


@pytest.fixture(scope="module")
def pdf(book, tmp_path_factory) -> pypdf.PdfReader:
    folder = tmp_path_factory.mktemp("print")
    shutil.copytree(book, folder / "html")  # the tool writes beside the book's folder
    command = [sys.executable, str(ROOT / "tools" / "pdf.py"), "--html", str(folder / "html")]
    done = subprocess.run([*command, "--out", str(folder / "book.pdf")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pages" in done.stdout and not done.stderr
    return pypdf.PdfReader(folder / "book.pdf", strict=True)


@pytest.fixture(scope="module")
def texts(pdf) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pdf.pages]


@pytest.fixture(scope="module")
def outline(pdf) -> list[tuple[int, str, int]]:
    """(depth, title, page from 0) of each entry."""
    return list(flat(pdf, pdf.outline))


def flat(pdf, entries, depth=0) -> Iterator[tuple[int, str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from flat(pdf, entry, depth + 1)
        else:
            yield depth, entry.title, pdf.get_destination_page_number(entry)


def squeezed(text: str) -> str:
    """Letters and digits alone: a PDF has ligatures, other signs than the text, and its own spaces at ends of lines."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text) if letter.isalnum())


def test_chapters_follow_one_another_as_in_the_contents_of_the_book(outline, articles):
    titles = [article.find("h1").get_text().strip() for article in articles.values()]
    top = [title for depth, title, _ in outline if depth == 0]
    assert top == [titles[0], "Contents", *titles[1:]]


def test_the_outline_has_every_section_and_leads_to_its_page(outline, articles, texts):
    sections = [heading.get_text().strip() for article in articles.values() for heading in article.select("h2")]
    assert [title for depth, title, _ in outline if depth == 1] == sections
    for _, title, page in outline:
        assert squeezed(title) in squeezed(texts[page]), f"{title!r} is not on page {page + 1}"


def test_the_contents_name_the_page_of_each_chapter_and_section(outline, texts):
    entries = [(title, page + 1) for depth, title, page in outline if depth < 2][1:]
    contents = next(page for title, page in entries if title == "Contents")
    first = min(page for title, page in entries if title != "Contents")
    listed = squeezed(" ".join(texts[contents - 1 : first - 1]))
    for title, page in entries:
        if title != "Contents":
            assert f"{squeezed(title)}{page}" in listed


def test_links_between_pages_stay_in_the_document(pdf, articles):
    targets = {
        annotation.get_object().get("/Dest", "")
        for page in pdf.pages
        for annotation in page.get("/Annots") or ()
        if annotation.get_object()["/Subtype"] == "/Link"
    }
    named = {f"/{name}" for name in articles if name != "book/index"}
    assert named <= targets
    uris = [
        annotation.get_object()["/A"]["/URI"]
        for page in pdf.pages
        for annotation in page.get("/Annots") or ()
        if "/A" in annotation.get_object()
    ]
    assert uris and all(uri.startswith(("https://", "http://")) for uri in uris), "no link leads to this machine's disk"


def test_no_page_is_blank_and_all_but_the_first_have_their_number(pdf, texts):
    assert "Version" in texts[0]
    for index, text in enumerate(texts[1:], start=2):
        assert len(text) > 40 or len(pdf.pages[index - 1].images) > 0, f"page {index} is blank"
        assert text.endswith(f" {index}") or f" {index} " in f" {text} ", f"page {index} has no number"


def test_a_chapter_s_pages_carry_its_title_over_the_text(outline, texts):
    chapters = [(title, page) for depth, title, page in outline if depth == 0][2:]
    for (title, page), end in zip(chapters, [*(page for _, page in chapters[1:]), len(texts)], strict=True):
        assert all(squeezed(title) in squeezed(text) for text in texts[page:end]), title


def test_sentences_and_answers_can_be_extracted(texts, articles):
    everything = squeezed(" ".join(texts))
    for name, article in articles.items():
        for part in article.select("section > p, details.sd-dropdown .sd-summary-text"):
            if not part.select(".math, a, code") and not part.find_parent(class_="doors"):
                words = part.get_text().split()
                assert squeezed("".join(words[:12])) in everything, f"{name}: {' '.join(words)}"


def test_the_file_says_what_it_is(pdf):
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert "ConvBook" in pdf.metadata.title and pdf.metadata.author == config["author"]
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_pictures_have_their_words_and_headings_their_tags(pdf, articles):
    tags, words = [], set()
    waiting = [pdf.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, pypdf.generic.ArrayObject):
            waiting += node
        elif isinstance(node, pypdf.generic.DictionaryObject):
            tags.append(node.get("/S"))
            words.add(node.get("/Alt"))
            waiting += [node["/K"]] if "/K" in node else []
    assert tags.count("/H1") == len(articles) + 1  # one more for the contents
    assert {"/P", "/L", "/Table", "/TH", "/Figure", "/Link", "/Code"} <= set(tags)
    pictures = {image["alt"] for article in articles.values() for image in article.select("img")}
    assert pictures and pictures <= words


def test_without_a_book_the_tool_says_what_to_run(tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "pdf.py"), "--html", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "make book" in done.stderr
