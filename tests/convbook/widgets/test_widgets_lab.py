"""Every widget in a real JupyterLab: keys reach it and not JupyterLab, Python hears of it, and it hears of Python."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from convbook import widgets
from tests.jupyterlab import WAIT, Notebook, opened

# For each class: its arguments, a control that takes arrow keys, the key, the trait that follows and its values.
DRIVEN = {
    "ActivationExplorer": ("x=1.0", "input[type=range]", "ArrowRight", "x", 1.0, None),
    "ChannelExplorer": ("", "[role=gridcell][tabindex='0']:not(:has(input))", "ArrowRight", "selected", None, None),
    "ConvExplorer": ("stride=1", "input[type=range] >> nth=1", "ArrowRight", "stride", 1, 2),
    "KernelPainter": ("selected=(36, 16)", "[role=application]", "ArrowDown", "selected", [36, 16], [37, 16]),
    "LayerStack": ("selected=0", "th[tabindex='0']", "ArrowDown", "selected", 0, 1),
    "LeNetExplorer": ("brush=2", "input[type=range]", "ArrowRight", "brush", 2, 3),
    "PoolExplorer": ("stride=2", "input[type=range] >> nth=1", "ArrowRight", "stride", 2, 3),
    "ReceptiveField": ("size=20", "input[type=range]", "ArrowRight", "size", 20, 21),
    "ShiftDemo": ("shift=0", "input[type=range]", "ArrowRight", "shift", 0, 0.25),
}


def test_every_widget_is_driven_here() -> None:
    assert sorted(DRIVEN) == sorted(widgets.__all__)


@pytest.fixture(scope="module")
def lab(server: tuple[str, Path], browser: Browser) -> Iterator[Notebook]:
    """A notebook: a cell makes all widgets, one cell each shows them, then what Python knows, and sets as it was."""
    made = ", ".join(f"'{name}': widgets.{name}({arguments})" for name, (arguments, *_) in DRIVEN.items())
    told = ", ".join(f"'{name}': shown['{name}'].{trait}" for name, (_, _, _, trait, *_) in DRIVEN.items())
    sources = [
        f"from convbook import widgets\nshown = {{{made}}}\nfirst = {{{told}}}\nprint('prepared')",
        *(f"shown['{name}']" for name in DRIVEN),
        f"import json\nprint('answer', json.dumps({{{told}}}))",
        "\n".join(f"shown['{name}'].{trait} = first['{name}']" for name, (_, _, _, trait, *_) in DRIVEN.items()),
    ]
    with opened(server, browser, "widgets", sources) as notebook:
        assert "prepared" in notebook.run(0).inner_text()
        yield notebook


def told(lab: Notebook) -> dict[str, object]:
    text = lab.run(len(DRIVEN) + 1).inner_text()
    found = re.search(r"answer (\{.*\})", text)
    assert found, text
    return json.loads(found[1])


def cells(page: Page) -> int:
    return page.locator(".jp-Notebook .jp-CodeCell").count()


# What a reader sees of a view and hears of it.
LOOKS = """(view) => [view.textContent, ...[...view.querySelectorAll("input, select, [aria-selected]")]
  .map((each) => each.value ?? each.ariaSelected)].join("|")"""


def test_keys_reach_each_widget_and_python_hears_of_it_and_is_heard(lab: Notebook) -> None:
    page = lab.page
    before = told(lab)
    looks = []
    for place, (name, (_, control, key, trait, *values)) in enumerate(DRIVEN.items(), start=1):
        assert values[0] is None or before[name] == values[0], name
        area = lab.run(place)
        area.locator(".cb-widget").wait_for(timeout=WAIT)
        looks.append(area.locator(".cb-widget").evaluate(LOOKS))
        page.keyboard.press("Escape")  # command mode, in which single letters and arrows are JupyterLab's
        target = area.locator(control).first
        target.focus()
        page.keyboard.press(key)
        for letter in "ddx":  # in command mode these cut cells
            page.keyboard.press(letter)
        assert cells(page) == len(DRIVEN) + 3, f"{name} lets JupyterLab cut a cell"
        if trait != "selected":
            expect(target).to_be_focused()
        assert area.evaluate("(element) => element.contains(document.activeElement)"), f"{name} loses the focus"
    after = told(lab)
    for name, (_, _, _, trait, _, value) in DRIVEN.items():
        assert after[name] != before[name], f"{name}.{trait} stays {before[name]}"
        assert value is None or after[name] == value, name
    lab.run(len(DRIVEN) + 2)
    for place, (name, look) in enumerate(zip(DRIVEN, looks, strict=True), start=1):
        view = lab.cell(place).locator(".cb-widget")
        for _ in range(100):
            if view.evaluate(LOOKS) == look:
                break
            page.wait_for_timeout(100)
        assert view.evaluate(LOOKS) == look, f"{name} does not show what Python has set"
