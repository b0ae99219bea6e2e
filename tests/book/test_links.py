"""Every link inside the book leads somewhere, down to the anchor; every link into the repository names a file."""

import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

EXTERNAL = ("http:", "https:", "mailto:")


@cache
def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(page: Path) -> frozenset[str]:
    return frozenset(tag[key] for key in ("id", "name") for tag in parse(page).find_all(attrs={key: True}))


def addresses(page: Path) -> list[str]:
    found = [tag[key] for key in ("href", "src") for tag in parse(page).find_all(attrs={key: True})]
    return [address for address in found if not address.startswith("data:")]


def test_every_internal_link_resolves_to_a_file_and_an_anchor(book):
    broken = []
    for page in book.glob("**/*.html"):
        for address in addresses(page):
            if address.startswith(EXTERNAL):
                continue
            parts = urlsplit(address)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file():
                broken.append(f"{page.relative_to(book)}: {address} (no such file)")
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in anchors(target):
                broken.append(f"{page.relative_to(book)}: {address} (no such anchor)")
    assert not broken, "\n".join(sorted(set(broken)))


def test_every_id_is_given_once(book):
    for page in book.glob("**/*.html"):
        ids = [tag["id"] for tag in parse(page).find_all(id=True)]
        assert sorted(set(ids)) == sorted(ids), page.relative_to(book)


def test_links_into_the_repository_and_to_colab_name_files_that_exist(book, root):
    course = tomllib.loads((root / "course.toml").read_text())["course"]
    project = course["repository"].removeprefix("https://github.com/")
    prefixes = (
        f"https://github.com/{project}/blob/{course['branch']}/",
        f"https://github.com/{project}/tree/{course['branch']}/",
        f"https://raw.githubusercontent.com/{project}/{course['branch']}/",
        f"https://colab.research.google.com/github/{project}/blob/{course['branch']}/",
    )
    for page in book.glob("**/*.html"):
        for address in addresses(page):
            for prefix in prefixes:
                if address.startswith(prefix):
                    path = unquote(urlsplit(address.removeprefix(prefix)).path)
                    assert (root / path).exists(), f"{page.relative_to(book)} links to {path}, which does not exist"


def test_the_page_do_opens_every_assignment(book, root):
    assignments = tomllib.loads((root / "course.toml").read_text())["assignments"]
    linked = [
        Path(urlsplit(address).path).stem
        for address in addresses(book / "book" / "do.html")
        if "colab.research" in address
    ]
    assert sorted(linked) == sorted(assignments)
