"""The explorer of receptive fields in a browser: what a reader edits and chooses, and what the page then shows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.shapes import Conv, Pool
from convbook.widgets import ReceptiveField

Show = Callable[..., Page]


def root(page: Page) -> Locator:
    return page.locator("#first .cb-field-of")


def works(page: Page) -> list[str]:
    return root(page).locator(".cb-work").all_text_contents()


def numbers(page: Page) -> list[str]:
    return root(page).locator(".cb-count").all_text_contents()


def test_rows_show_the_paths_to_the_chosen_cell_and_its_field(show: Show) -> None:
    page = show(ReceptiveField())
    assert works(page)[2] == "6 cells · field 5 + 1·(3 − 1)·2 = 9 · jump 2·1 = 2 · first center 4"
    assert numbers(page)[:9] == ["1", "2", "4", "4", "5", "4", "4", "2", "1"]
    expect(root(page).locator(".cb-counts")).to_have_text("Paths from pixels 4 to 12: 1 2 4 4 5 4 4 2 1")
    expect(root(page).locator(".cb-sight")).to_contain_text("Cell 2 of layer 3 sees 9 pixels, 4 to 12, with center 8.")


def test_a_click_chooses_the_nearest_cell_of_the_last_row_and_the_slider_any(show: Show) -> None:
    page = show(ReceptiveField())
    figure = root(page).locator("svg")
    box = figure.bounding_box()
    assert box is not None
    for share, unit in [(0.02, 0), (0.5, 3), (0.98, 5)]:
        page.mouse.click(box["x"] + share * box["width"] + 2, box["y"] + box["height"] - 8)
        assert page.evaluate("model.get('unit')") == unit
    slider = page.get_by_role("slider", name="Output cell")
    expect(slider).to_have_attribute("max", "5")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("model.get('unit')") == 4
    expect(root(page).locator(".cb-sight")).to_contain_text("Cell 4 of layer 3 sees 9 pixels, 8 to 16")


def test_a_setting_changes_every_layer_after_it(show: Show) -> None:
    page = show(ReceptiveField(layers=[Conv(1, 3), Conv(1, 3)], size=16))
    first = root(page).locator("li").first
    first.get_by_label("Dilation").fill("2")
    first.get_by_label("Padding").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("model.get('layers')[0]") == {
        "kind": "Conv",
        "channels": 1,
        "kernel": 3,
        "stride": 1,
        "padding": 1,
        "dilation": 2,
    }
    assert works(page) == [
        "14 cells · field 1 + 2·(3 − 1)·1 = 5 · jump 1·1 = 1 · first center 1",
        "12 cells · field 5 + 1·(3 − 1)·1 = 7 · jump 1·1 = 1 · first center 2",
    ]
    first.get_by_label("Layer 1", exact=True).select_option("Pool")
    assert works(page)[0] == "5 cells · field 1 + 1·(3 − 1)·1 = 3 · jump 1·3 = 3 · first center 1"


def test_a_number_out_of_range_changes_nothing_and_goes_when_left(show: Show) -> None:
    page = show(ReceptiveField(layers=[Pool(2)]))
    kernel = root(page).get_by_label("Kernel")
    for text in ("0", "8", "1.5", ""):
        kernel.fill(text)
        assert page.evaluate("model.get('layers')[0].kernel") == 2, text
    page.keyboard.press("Tab")
    expect(kernel).to_have_value("2")


def test_layers_are_added_and_removed_and_the_focus_is_never_lost(show: Show) -> None:
    page = show(ReceptiveField(layers=[Conv(1, 3)], size=40, unit=30))
    add = page.get_by_role("button", name="Add a layer")
    expect(page.get_by_role("button", name="Remove layer 1")).to_be_disabled()
    for count in range(2, 7):
        add.click()
        assert len(works(page)) == count
    expect(add).to_be_disabled()
    expect(page.get_by_role("button", name="Remove layer 6")).to_be_focused()
    assert page.evaluate("model.get('unit')") == 27, "inside the 28 cells that are left"
    page.keyboard.press("Enter")
    assert len(works(page)) == 5
    expect(page.get_by_label("Layer 5", exact=True)).to_be_focused()
    for place in (1, 1, 1, 1):
        page.get_by_role("button", name=f"Remove layer {place}").click()
    assert len(works(page)) == 1
    assert page.evaluate("document.activeElement.tagName") == "SELECT"


def test_gaps_are_crossed_out_and_named(show: Show) -> None:
    page = show(ReceptiveField(size=16))
    page.get_by_label("Layers", exact=True).select_option("dilations 2, 2")
    expect(root(page).locator(".cb-counts")).to_have_text("Paths from pixels 3 to 11: 1 0 2 0 3 0 2 0 1")
    expect(root(page).locator(".cb-sight")).to_contain_text("never reads 4 pixels among them: 4, 6, 8 and 10.")
    assert root(page).locator("svg").get_attribute("aria-label").endswith("that is gridding.")  # type: ignore[union-attr]
    crosses = (
        root(page)
        .locator("svg path")
        .evaluate_all(
            "(paths) => paths.map((path) => (path.getAttribute('d').match(/m0 0l/g) ?? []).length).filter(Boolean)"
        )
    )
    assert crosses == [4]


def test_a_layer_that_does_not_fit_says_why_and_the_rest_stays(show: Show) -> None:
    page = show(ReceptiveField(layers=[Conv(1, 3), Conv(1, 5, dilation=4)], size=16, unit=3))
    assert works(page)[1].startswith("It spans 17 cells and the map before it has 14.")
    expect(root(page).locator(".cb-sight")).to_contain_text("Cell 3 of layer 1 sees 3 pixels, 3 to 5")
    page.get_by_label("Input pixels").fill("30")
    assert works(page)[1].startswith("12 cells")
    assert page.evaluate("model.get('unit')") == 3


def test_screen_readers_hear_the_state_once_it_rests(show: Show) -> None:
    page = show(ReceptiveField())
    page.get_by_label("Layers", exact=True).select_option("dilations 1, 3")
    expect(root(page).get_by_role("status")).to_contain_text("Layer 2, convolution of 3, dilation 3: 12 cells, field 9")


def test_two_views_of_one_model_show_the_same_and_python_accepts_what_they_set(show: Show) -> None:
    widget = ReceptiveField()
    page = show(widget)
    page.evaluate("showSecond()")
    second = page.locator("#second")
    second.get_by_role("button", name="Add a layer").click()
    second.get_by_label("Layer 4", exact=True).select_option("Pool")
    second.get_by_label("Input pixels").fill("33")
    assert works(page) == second.locator(".cb-work").all_text_contents()
    widget.set_state(
        page.evaluate("Object.fromEntries(['layers', 'size', 'unit'].map((name) => [name, model.get(name)]))")
    )
    assert widget.layers == [Conv(1, 3), Conv(1, 3, stride=2), Conv(1, 3), Pool(3, stride=3)]
    assert widget.size == 33
    page.evaluate("cleanUps.forEach((each) => each()); forget()")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


def test_any_combination_of_extreme_values_renders(show: Show) -> None:
    page = show(ReceptiveField())
    shown = page.evaluate(
        """() => {
          const shown = [];
          const text = (selector) => document.querySelector(`#first ${selector}`).textContent;
          for (const kernel of [1, 2, 7]) for (const stride of [1, 7]) for (const padding of [0, 6])
          for (const dilation of [1, 8]) for (const size of [1, 64]) for (const count of [1, 6]) {
            const layer = { kind: "Conv", channels: 1, kernel, stride, padding, dilation };
            model.set("layers", Array(count).fill(layer));
            model.set("size", size);
            const svg = document.querySelector("#first svg");
            shown.push([svg.getAttribute("viewBox"), svg.innerHTML, text(".cb-sight")]);
          }
          return shown.filter((texts) => texts.some((text) => !text || /NaN|undefined|Infinity/.test(text)));
        }"""
    )
    assert shown == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_every_text_reads_and_the_page_stays_narrow(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    page = show(ReceptiveField(layers=[Conv(1, 3, padding=1), Conv(1, 3, dilation=2, padding=6), Pool(2)]), theme=theme)
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    page.set_viewport_size({"width": 320, "height": 900})
    page.get_by_label("Kernel").first.fill("")
    page.get_by_label("Kernel").nth(1).fill("7")
    assert axe(page) == [], "narrow, with a layer that does not fit"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("#first [id]").count() == 0
    for target in root(page).locator("button, select, input").all():
        assert target.get_attribute("data-lm-suppress-shortcuts") == "true"
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target.evaluate("(element) => element.outerHTML")
