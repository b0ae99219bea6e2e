"""The kit's demo: its arithmetic in node against numpy, and each element of the kit in a browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from convbook.widgets.kit_demo import KitDemo

Show = Callable[..., Page]
Node = Callable[..., Any]
IMPORT = 'import * as math from "./kit_demo.math.mjs";\n'
GRID = [[1.5, -2, 3], [0, 10, 4]]


def state(**changes: Any) -> dict[str, Any]:
    return {"numbers": GRID, "factor": 3, "operation": "times", "negate": False, "selected": [0, 1], **changes}


@pytest.mark.parametrize("operation", ["times", "plus"])
@pytest.mark.parametrize("negate", [False, True])
def test_results_are_those_of_numpy(node: Node, operation: str, negate: bool) -> None:
    wanted = np.array(GRID) * 3 if operation == "times" else np.array(GRID) + 3
    found = node(f"{IMPORT}const answer = math.results(input);", state(operation=operation, negate=negate))
    assert found == pytest.approx(np.array(-wanted if negate else wanted))


def test_next_walks_row_by_row_and_wraps(node: Node) -> None:
    code = f"""{IMPORT}const answer = [];
    for (let i = 0; i < 6; i++) answer.push((input.selected = math.next(input)));"""
    assert node(code, state(selected=[0, 0])) == [[0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [0, 0]]


def test_the_summary_says_what_the_line_shows(node: Node) -> None:
    code = f"{IMPORT}const answer = [math.line(input).map(({{ text }}) => text).join(''), math.summary(input)];"
    assert node(code, state()) == ["−2 · 3 = −6", "Row 1, column 2: −2 times 3 is −6."]
    assert node(code, state(negate=True, operation="plus", selected=[9, 9])) == [
        "−(4 + 3) = −7",
        "Row 2, column 3: −(4 plus 3) is −7.",
    ]


def test_the_page_offers_what_python_accepts(node: Node) -> None:
    factors, operations = node(f"{IMPORT}const answer = [math.FACTORS, Object.keys(math.OPERATIONS)];")
    traits = KitDemo.class_traits()
    assert [traits["factor"].min, traits["factor"].max] == factors
    assert traits["operation"].values == operations


def test_each_control_changes_the_state_and_all_that_shows_it(show: Show) -> None:
    page = show(KitDemo())
    results = page.locator("#first .cb-output [role=gridcell]")
    assert results.all_inner_texts() == ["2", "4", "6", "8", "10", "12"]
    page.get_by_label("slider").press("ArrowRight")
    assert results.all_inner_texts() == ["3", "6", "9", "12", "15", "18"]
    field = page.get_by_role("spinbutton", name="number")
    expect(field).to_have_value("3")
    field.press("ArrowDown")
    assert results.all_inner_texts() == ["2", "4", "6", "8", "10", "12"]
    for text in ("9", "1.5", ""):
        field.fill(text)
        assert page.evaluate("model.get('factor')") == 2, "out of range changes nothing"
    field.fill("3")
    page.get_by_label("select").select_option("plus")
    assert results.all_inner_texts() == ["4", "5", "6", "7", "8", "9"]
    page.get_by_role("checkbox").check()
    assert results.all_inner_texts() == ["−4", "−5", "−6", "−7", "−8", "−9"]
    page.get_by_label("input row 2, column 3").fill("1/2")
    assert results.nth(5).inner_text() == "−3.5"
    page.get_by_role("button", name="Next cell").click()
    expect(results.nth(2)).to_have_attribute("aria-selected", "true")
    results.nth(2).press("ArrowDown")
    expect(results.nth(5)).to_be_focused()
    expect(page.locator("#first .cb-line")).to_have_text("−(0.5 + 3) = −3.5")
    expect(page.get_by_role("status")).to_have_text("Row 2, column 3: −(0.5 plus 3) is −3.5.")
    page.get_by_role("button", name="all ones").click()
    assert page.evaluate("model.get('numbers')") == [[1, 1, 1], [1, 1, 1]]
    assert page.evaluate("saves") > 0


def test_two_views_move_together_and_clean_up(show: Show) -> None:
    page = show(KitDemo())
    page.evaluate("showSecond()")
    page.get_by_label("slider").first.press("ArrowRight")
    assert page.locator("#second .cb-line").inner_text() == page.locator("#first .cb-line").inner_text()
    page.evaluate("cleanUps.forEach((each) => each())")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_every_text_reads(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    page = show(KitDemo(), theme=theme, width=320)
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
