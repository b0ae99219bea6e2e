"""What a reader does beside reading: search with no network, print, take a door, type a command that a page names."""

import re
import shlex
import tomllib

import click
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from autograder.cli import main as autograder

# What an extension styles or moves, and the file without which it would not.
MARKUP = {
    "article .sd-card, article .sd-dropdown": "sphinx-design.min.css",
    "article div.cell": "mystnb.",
    "article pre": "copybutton.js",
    "article .dropdown.admonition": "togglebutton.js",
    "article .exercise": "exercise.css",
    "article .katex": "katex.min.css",
    "article .doors": "front.css",
}


@pytest.fixture(scope="module")
def soup(book, pages) -> dict[str, BeautifulSoup]:
    return {page: BeautifulSoup((book / page).read_text(), "html.parser") for page in pages}


def test_a_page_loads_what_its_markup_needs_and_nothing_for_markup_that_it_lacks(soup):
    for page, content in soup.items():
        loaded = [
            tag.get("href") or tag.get("src") or "" for tag in content.select("link[rel=stylesheet], script[src]")
        ]
        for markup, file in MARKUP.items():
            wanted = bool(content.select(markup))
            assert any(f"/{file}" in address for address in loaded) == wanted, f"{page}: {file}"


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_search_finds_words_of_the_text_and_shows_where_with_no_network(book, address, open_page, scheme):
    root = address if scheme == "http" else book.as_uri()
    for word, page in {
        "kernel": "book/01-convolution.html",
        "dilation": "book/01-convolution.html",
        "Colab": "book/do.html",
    }.items():
        opened = open_page(f"{root}/search.html?q={word}")
        results = opened.locator("#search-results li")
        expect(opened.locator(".search-summary")).to_contain_text(re.compile(r"found \d+ page"), timeout=60_000)
        expect(opened.locator(".search-summary")).to_contain_text(f"found {results.count()} page")
        expect(results.locator("p.context")).to_have_count(results.count())
        result = results.filter(has=opened.locator(f'a[href^="{page}"]')).first
        expect(result.locator("p.context .highlighted").first).to_have_text(word, ignore_case=True)
        assert not opened.faults
        assert not [url for url in opened.requested if not url.startswith((root, "blob:", "data:"))]
        assert not [url for url in opened.requested if f"{root}/book/" in url], "excerpts come without the pages"


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("take bigger steps", "take-bigger-steps"),
        ("find the bug", "ex-bug"),
        ("solution", "book/01-convolution-solution-1"),
    ],
)
def test_an_excerpt_is_from_the_section_exercise_or_solution_that_the_result_leads_to(
    book, soup, open_page, query, place
):
    opened = open_page((book / "search.html").as_uri() + f"?q={query}")
    result = opened.locator("#search-results li").filter(has=opened.locator(f'a[href$="#{place}"]'))
    excerpt = re.sub(r"\W", "", result.locator("p.context").inner_text(timeout=60_000))
    there = soup["book/01-convolution.html"].find(id=place).get_text()
    assert len(excerpt) > 60
    assert excerpt[:60] in re.sub(r"\W", "", there)
    assert not opened.faults


def test_a_reader_searches_by_keyboard_from_any_page_on_the_disk(book, open_page):
    opened = open_page((book / "book" / "do.html").as_uri())
    opened.keyboard.press("Control+k")
    opened.wait_for_selector("#pst-search-dialog[open]")
    opened.keyboard.type("stride")
    with opened.expect_navigation(url="**/search.html?q=stride*"):
        opened.keyboard.press("Enter")
    opened.wait_for_selector("#search-results li a", timeout=60_000)


PLACES = """() => [...document.querySelectorAll("article :is(h1, h2), .prev-next-footer, footer")]
  .map((each) => Math.round(each.getBoundingClientRect().top + scrollY))"""
SKIPPED = """() => [...document.querySelectorAll("article > section > section")]
  .map((each) => !each.firstElementChild.checkVisibility({ contentVisibilityAuto: true }))"""


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_moves_when_a_page_comes_to_rest_at_any_width(book, open_page, width):
    for page in ("book/01-convolution.html", "book/04-network.html", "book/gallery.html"):
        opened = open_page((book / page).as_uri(), width=width)
        for now in (width, width + 80):
            opened.wait_for_selector("html[data-rested]")
            opened.evaluate("document.documentElement.dataset.rested = 'before'")
            opened.set_viewport_size({"width": now, "height": 901})
            opened.wait_for_selector("html[data-rested='']")
            at_rest = opened.evaluate(PLACES)
            opened.evaluate("delete document.documentElement.dataset.rested")
            assert opened.evaluate(PLACES) == at_rest, f"{page} at {now} pixels"
            opened.evaluate("document.documentElement.dataset.rested = ''")


def test_a_page_at_rest_draws_what_is_in_sight_alone(book, open_page):
    opened = open_page((book / "book" / "01-convolution.html").as_uri())
    opened.wait_for_selector("html[data-rested]")
    skipped = opened.evaluate(SKIPPED)
    assert not skipped[0] and all(skipped[3:])
    opened.locator("article > section > section h2").last.scroll_into_view_if_needed()
    opened.wait_for_function(f"() => {{ const skipped = ({SKIPPED})(); return skipped[0] && !skipped.at(-1); }}")


BUTTONS = ".bd-sidebar-primary, .bd-sidebar-secondary, .article-header-buttons, .prev-next-area, .copybtn, .headerlink"
SHOWN = """(selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility())
  .map((each) => each.outerHTML.slice(0, 100))"""
UNWRITTEN = """() => [...document.querySelectorAll("article a[href^=http]")].filter((link) =>
  !link.closest(".citation") && !getComputedStyle(link, "::after").content.includes(link.getAttribute("href"))
).map((link) => link.href)"""


SHEET = {"width": 642, "height": 963}  # pixels: A4 less the margins of tools/pdf.css
CUT = """() => [
  ...[...document.querySelectorAll(".anywidget-static")]
    .filter((each) => each.getBoundingClientRect().height > innerHeight),
  ...[...document.querySelectorAll("article table")].map((table) => table.parentElement)
    .filter((each) => each.scrollWidth > each.clientWidth),
].map((each) => each.outerHTML.slice(0, 200))"""


def test_paper_has_no_bars_buttons_closed_answers_or_cut_demos_and_writes_addresses_out(book, pages, open_page):
    for page in pages:
        opened = open_page((book / page).as_uri())
        opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        opened.emulate_media(media="print")
        for selector in (BUTTONS, ".anywidget-static :is(button, select, input[type=range])"):
            assert not opened.evaluate(SHOWN, selector), page
        assert not opened.locator("article details.sd-dropdown:not([open])").count(), page
        assert not opened.evaluate(UNWRITTEN), page
        opened.set_viewport_size(SHEET)
        assert not opened.evaluate(CUT), f"{page}: a demo is taller than a sheet, or a table wider"


def test_the_doors_lead_to_pages_of_the_book_that_are_in_its_contents(soup):
    listed = {link["href"] for link in soup["book/index.html"].select(".bd-sidebar-primary nav a[href$='.html']")}
    doors = [link["href"] for link in soup["book/index.html"].select(".doors strong a")]
    assert len(doors) == 3 and set(doors) <= listed


def commands(soup) -> list[tuple[str, str]]:
    """(page, line) for each line of a shell block, and for each command in the text."""
    found = []
    for page, content in soup.items():
        blocks = [line for block in content.select(".highlight-sh pre") for line in block.get_text().splitlines()]
        found += [(page, line) for line in blocks]
        found += [(page, code.get_text()) for code in content.select("article code") if code.get_text()[:6] == ".venv/"]
    return found


def test_every_command_on_a_page_exists_with_its_options(soup, root):
    targets = set(re.search(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.MULTILINE)[1].split())
    repository = tomllib.loads((root / "course.toml").read_text())["course"]["repository"]
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    lines = commands(soup)
    assert len(lines) > 8
    for page, line in lines:
        for part in line.split(" && "):
            words = shlex.split(part)
            if words[0] == "make":
                assert words[1] in targets, f"{page}: {line}"
            elif words[0].startswith(".venv/bin/"):
                assert words[0].removeprefix(".venv/bin/") in scripts, f"{page}: {line}"
                if words[0].endswith("autograder"):
                    command = autograder.commands[words[1]]
                    command.make_context(words[1], words[2:], resilient_parsing=False)
            elif words[:2] == ["git", "clone"]:
                assert words[2] == repository, f"{page}: {line}"
            else:
                assert words[0] in {"cd", "cp", "mkdir"}, f"{page}: {line}"


def test_a_command_with_a_wrong_option_would_be_noticed():
    with pytest.raises(click.UsageError):
        autograder.commands["grade"].make_context("grade", ["01-convolution", "--submission", "x", "--out", "y"])


@pytest.mark.parametrize("screen", [(1200, 700), (1366, 768), (1920, 1080)])
def test_the_front_page_s_first_screen_has_its_words_three_doors_and_the_demo_s_answer(book, open_page, screen):
    opened = open_page((book / "book" / "index.html").as_uri(), width=screen[0])
    opened.set_viewport_size({"width": screen[0], "height": screen[1]})
    for part in ("article h1", "article section > p", ".doors", ".cb-widget .cb-output"):
        box = opened.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= screen[1], part
