"""axe-core finds nothing on any page, in both modes, from 1280 to 320 px, closed and opened; focus is never lost."""

from pathlib import Path

import pytest

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"

RUN = """async (rules) => {
  const wanted = { preload: false, resultTypes: ["violations", "incomplete"], ...rules };
  const { violations, incomplete } = await axe.run(document, wanted);
  const tell = ({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`);
  const open = incomplete.filter(({ id }) => id === "color-contrast").flatMap(({ nodes }) => nodes);
  return {
    violations: violations.flatMap(tell),
    undecided: incomplete.filter(({ id }) => id !== "color-contrast").flatMap(tell),
    weak: open.map(({ target }) => [target.join(" "), contrast(document.querySelector(target.at(-1)))])
      .filter(([, ratio]) => ratio < 4.5).map(([target, ratio]) => `${target} has a contrast of ${ratio.toFixed(2)}`),
  };
}"""

# Colors depend on the mode, and all that axe asks else does not: a chapter's page costs it half a minute a time.
ALL: dict = {}
COLORS = {"runOnly": ["color-contrast"]}

# The contrast that axe leaves open where elements overlap: text against the nearest painted ancestor.
CONTRAST = """
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const known = new Map();
  const channels = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const luminance = (color) => channels(color).slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  window.contrast = (element) => {
    let ground = element;
    const paint = () => getComputedStyle(ground).backgroundColor;
    while (ground.parentElement && channels(paint())[3] < 255) ground = ground.parentElement;
    const [a, b] = [getComputedStyle(element).color, paint()].map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
"""


def examine(page, rules: dict = ALL) -> list[str]:
    found = page.evaluate(RUN, rules)
    return found["violations"] + found["undecided"] + found["weak"]


def read(open_page, book: Path, page: str, query: str = "", **options):
    """The page at rest with axe in it and nothing moving, so that no color is caught on its way."""
    opened = open_page((book / page).as_uri() + query, reduced_motion="reduce", **options)
    opened.wait_for_selector("html[data-rested]")
    opened.add_script_tag(content=AXE.read_text() + CONTRAST)
    return opened


def open_all(page) -> None:
    """Hidden cells, answers and solutions, also those out of sight; then what scrolls becomes reachable."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate("document.querySelectorAll('.toggle-button').forEach((each) => each.click())")
    page.evaluate("dispatchEvent(new Event('resize'))")
    page.wait_for_selector("html[data-rested]")


@pytest.mark.parametrize(
    ("scheme", "width", "rules"),
    [
        ("light", 1280, ALL),
        ("light", 375, ALL),
        ("light", 320, ALL),
        ("dark", 1280, COLORS),
        ("dark", 375, COLORS),
        ("dark", 320, COLORS),
    ],
)
def test_axe_finds_nothing_closed_or_with_everything_open(book, pages, open_page, scheme, width, rules):
    """Closed at 1280 pixels alone: what shows when a page is narrow and closed shows when all of it is open, too."""
    for page in pages:
        opened = read(open_page, book, page, width=width, scheme=scheme)
        assert opened.evaluate("document.documentElement.dataset.theme") == scheme
        if width == 1280:
            assert not examine(opened, rules), page
        open_all(opened)
        assert not examine(opened, rules), f"{page}, everything open"
        assert opened.evaluate("document.documentElement.scrollWidth") <= width, f"{page} scrolls sideways"


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_axe_finds_nothing_when_questions_are_answered(book, open_page, scheme, width):
    opened = read(open_page, book, "book/gallery.html", scheme=scheme, width=width)
    for place in (0, 1):  # wrong, then right, which the reader sees both of
        opened.locator("#question-1 input").nth(place).check()
        opened.locator("#question-1 button").click()
        opened.locator("#question-2 input").fill(["what", "7/3"][place])
        opened.locator("#question-2 button").click()
        opened.locator("#prediction-1 button").nth(place).click()
        assert not examine(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "rules"), [("light", ALL), ("dark", COLORS)])
def test_axe_finds_nothing_in_the_results_of_a_search(book, open_page, scheme, rules):
    opened = read(open_page, book, "search.html", query="?q=stride", scheme=scheme)
    opened.wait_for_selector("p.context .highlighted", timeout=60_000)
    opened.wait_for_selector(".search-summary:not(:empty)", timeout=60_000)
    assert not examine(opened, rules)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("opener", "dialog"),
    [
        (".search-button", "#pst-search-dialog"),
        (".primary-toggle", "#pst-primary-sidebar-modal"),
        (".secondary-toggle", "#pst-secondary-sidebar-modal"),
    ],
)
def test_dialogs_open_by_keyboard_pass_axe_and_give_focus_back(book, open_page, scheme, opener, dialog):
    opened = read(open_page, book, "book/01-convolution.html", width=375, scheme=scheme)
    button = opened.locator(f"{opener}:visible").first
    button.focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector(f"{dialog}[open]")
    assert opened.evaluate(f"document.querySelector('{dialog}').contains(document.activeElement)")
    assert not examine(opened)
    opened.keyboard.press("Escape")
    opened.wait_for_selector(f"{dialog}:not([open])", state="attached")
    assert button.evaluate("(element) => element === document.activeElement")


def test_the_color_mode_changes_by_keyboard_and_keeps_focus(book, open_page):
    opened = open_page((book / "book" / "index.html").as_uri())
    button = opened.locator(".theme-switch-button:visible").first
    button.focus()
    themes = set()
    for _ in range(3):
        opened.keyboard.press("Enter")
        themes.add(opened.evaluate("document.documentElement.dataset.theme"))
        assert button.evaluate("(element) => element === document.activeElement")
    assert themes == {"light", "dark"}


def test_a_cell_is_copied_by_keyboard_and_its_button_keeps_the_focus(address, open_page):
    opened = open_page(f"{address}/book/gallery.html")
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = opened.locator(".copybtn").last
    button.press("Enter")
    opened.wait_for_function("async () => (await navigator.clipboard.readText()).includes('2 · 3 · 3 = 18')")
    assert button.evaluate("(element) => element === document.activeElement")


# One of each kind of thing that Tab stops at and that is on the screen or can be scrolled there.
STOPS = """() => {
  const kinds = new Map();
  const stops = document.querySelectorAll("a[href], button, summary, input, select, [tabindex='0']");
  const reached = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex === 0;
  for (const stop of [...stops].filter(reached)) {
    const kind = [stop.tagName, stop.className, stop.type, stop.role, stop.parentElement.className].join();
    if (!kinds.has(kind)) kinds.set(kind, stop);
  }
  return [...kinds.values()].map((stop, index) => { stop.dataset.stop = index; return stop.outerHTML.slice(0, 160); });
}"""


@pytest.mark.parametrize(("page", "colors"), [("01-convolution", "none"), ("gallery", "active")])
def test_whatever_has_the_focus_looks_different(book, open_page, page, colors):
    opened = open_page((book / "book" / f"{page}.html").as_uri(), reduced_motion="reduce", forced_colors=colors)
    opened.wait_for_selector("html[data-rested]")
    opened.keyboard.press("Tab")  # a reader with a keyboard: from here on the browser shows the focus
    for index, stop in enumerate(opened.evaluate(STOPS)):
        found = opened.locator(f"[data-stop='{index}']")
        found.evaluate("(each) => { each.scrollIntoView({ block: 'center' }); each.focus(); }")
        box = found.bounding_box()
        around = {"x": box["x"] - 6, "y": box["y"] - 6, "width": box["width"] + 12, "height": box["height"] + 12}
        pictures = [opened.screenshot(clip=around)]
        found.evaluate("(each) => { HTMLElement.prototype.blur.call(each); }")
        pictures.append(opened.screenshot(clip=around))
        assert pictures[0] != pictures[1], stop


# What WCAG 2.2 asks a text to bear, success criterion 1.4.12.
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""


def test_spaced_letters_push_no_narrow_page_sideways_and_cut_no_link_at_its_end(book, pages, open_page):
    for page in pages:
        opened = open_page((book / page).as_uri(), width=320)
        opened.add_style_tag(content=SPACED)
        assert opened.evaluate("document.documentElement.scrollWidth") <= 320, page
        ends = opened.locator(".prev-next-area a > *").evaluate_all(
            "parts => parts.map((part) => [part.getBoundingClientRect(), part.parentElement.getBoundingClientRect()])"
            ".every(([part, link]) => part.left >= link.left - 1 && part.right <= link.right + 1)"
        )
        assert ends, page


def test_the_first_tab_offers_to_skip_to_the_text(book, open_page):
    opened = open_page((book / "book" / "01-convolution.html").as_uri())
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to main content"
    opened.keyboard.press("Enter")
    assert opened.evaluate("location.hash") == "#main-content"


def test_what_scrolls_sideways_can_be_reached_by_keyboard(book, pages, open_page):
    for page in pages:
        opened = open_page((book / page).as_uri(), width=320)
        stuck = opened.evaluate(
            """() => [...document.querySelectorAll("article *")].filter((element) =>
              element.scrollWidth > element.clientWidth + 1
              && ["auto", "scroll"].includes(getComputedStyle(element).overflowX)
              && element.tabIndex < 0 && !element.querySelector("a, button, input, select, [tabindex='0']")
            ).map((element) => element.outerHTML.slice(0, 120))"""
        )
        assert not stuck, page


def test_dark_mode_needs_no_script_of_the_theme(book, open_page):
    """The theme's script runs after the first paint: waiting for it would flash white."""
    opened = open_page((book / "book" / "index.html").as_uri(), scheme="dark", block="**/pydata-sphinx-theme.js")
    assert opened.evaluate("document.documentElement.dataset.theme") == "dark"


def test_paper_is_white_and_answers_are_open_on_it(book, open_page):
    opened = open_page((book / "book" / "01-convolution.html").as_uri(), scheme="dark")
    state = """() => [
      document.documentElement.dataset.theme,
      document.querySelectorAll("details.sd-dropdown").length,
      document.querySelectorAll("details.sd-dropdown[open]").length,
    ]"""
    before = opened.evaluate(state)
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate(state) == ["light", before[1], before[1]]
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.evaluate(state) == before
    assert before[0] == "dark" and before[1] > before[2]
