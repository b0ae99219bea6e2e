"""No page asks another host for anything, from a server or from the disk, and a first visit is light."""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

LOADED = re.compile(r"""(?:src|href)\s*=\s*["']([^"']+)|url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
LOADING_TAG = re.compile(r"<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*>", re.IGNORECASE)
COMPRESSED = {".woff", ".woff2", ".png", ".jpg"}
WITH_FORMULAS_AND_DEMOS, WITHOUT = 350_000, 120_000  # bytes of a first load, compressed


def test_no_page_and_no_style_sheet_names_a_file_on_another_host(book):
    sources = {page: "".join(LOADING_TAG.findall(page.read_text())) for page in book.glob("**/*.html")}
    sources |= {sheet: sheet.read_text() for sheet in book.glob("**/*.css")}
    for file, text in sources.items():
        for address in filter(None, (part for found in LOADED.findall(text) for part in found)):
            if not address.startswith("data:"):
                assert not urlsplit(address).netloc, f"{file.relative_to(book)} loads {address}"


def test_pages_ask_only_their_own_server(pages, address, open_page):
    for page in pages:
        opened = open_page(f"{address}/{page}")
        strangers = [url for url in opened.requested if not url.startswith((f"{address}/", "blob:", "data:"))]
        assert not strangers, page
        assert not opened.faults, page


def test_pages_work_from_the_disk(book, pages, open_page):
    for page in pages:
        opened = open_page((book / page).as_uri())
        outside = [url for url in opened.requested if not url.startswith((book.as_uri(), "blob:", "data:"))]
        assert not outside, page
        assert not opened.faults, page
        assert not opened.locator(".anywidget-failed").count(), page


def test_a_demo_computes_from_the_disk(book, open_page):
    opened = open_page((book / "book" / "index.html").as_uri())
    demo = opened.locator(".anywidget-static").first
    before = demo.inner_text()
    demo.locator("input[type=range]").first.focus()
    opened.keyboard.press("ArrowRight")
    assert demo.inner_text() != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_first_load_is_light(book, pages, open_page, scheme):
    for page in pages:
        opened = open_page((book / page).as_uri(), scheme=scheme)
        opened.wait_for_load_state("networkidle")
        files = {unquote(urlsplit(url).path) for url in opened.requested if url.startswith("file:")}
        weight = sum(map(weigh, map(Path, files)))
        limit = WITH_FORMULAS_AND_DEMOS if opened.locator(".katex, .anywidget-static").count() else WITHOUT
        assert weight <= limit, f"{page} loads {weight / 1000:.0f} kB, more than {limit / 1000:.0f} kB"


def weigh(file: Path) -> int:
    content = file.read_bytes()
    return len(content) if file.suffix in COMPRESSED else len(gzip.compress(content))
