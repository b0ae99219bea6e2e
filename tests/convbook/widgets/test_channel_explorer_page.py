"""The channel explorer in a browser: what a reader chooses and edits, and what the page then shows."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import ChannelExplorer

Show = Callable[..., Page]


def root(page: Page) -> Locator:
    return page.locator("#first .cb-channels")


def maps(page: Page, view: str = "#first") -> list[float]:
    texts = page.locator(f"{view} .cb-maps [role=gridcell]").all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts]


def slide(page: Page, name: str, value: int) -> None:
    page.get_by_label(name).fill(str(value))


def test_each_channel_shows_its_patch_its_kernel_and_its_part_of_the_sum(show: Show) -> None:
    page = show(ChannelExplorer())
    assert root(page).locator(".cb-part").all_inner_texts() == ["sum 2", "sum 3"]
    expect(root(page).locator(".cb-line")).to_have_text("2 + 3 + 1 = 6")
    rings = root(page).locator(".cb-channel").first.locator(".cb-ring")
    assert rings.all_inner_texts() == ["1", "2", "0", "1"]
    assert [each.get_attribute("data-weight") for each in rings.all()] == ["×1", "×0", "×2", "×1"]
    root(page).locator(".cb-maps [role=gridcell]").nth(9 + 4).click()
    assert page.evaluate("model.get('selected')") == [1, 1, 1]
    expect(root(page).locator(".cb-line")).to_have_text("−1 + 2 + 0 = 1")


def test_arrow_keys_move_within_a_map_and_tab_leads_to_the_next(show: Show) -> None:
    page = show(ChannelExplorer())
    first = root(page).locator(".cb-maps [role=gridcell]").first
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("model.get('selected')") == [0, 1, 1]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('selected')") == [1, 0, 1]
    assert root(page).locator(".cb-maps [aria-selected=true]").count() == 1


def test_groups_take_kernels_away_and_say_which_channels_are_read(show: Show) -> None:
    page = show(ChannelExplorer())
    slide(page, "Channels C", 4)
    slide(page, "Filters F", 4)
    page.get_by_label("Groups").select_option("2")
    assert np.shape(page.evaluate("model.get('weight')")) == (4, 2, 2, 2)
    root(page).locator(".cb-maps [role=gridcell]").nth(2 * 9).click()
    unread = root(page).locator(".cb-unread:visible")
    assert unread.all_inner_texts() == ["Filter 2 does not read it."] * 2
    wires = root(page).locator(".cb-scroller [role=row]")
    assert [[cell.inner_text() for cell in row.locator("[role=cell]").all()] for row in wires.all()] == [
        ["●", "●", "", ""],
        ["●", "●", "", ""],
        ["", "", "●", "●"],
        ["", "", "●", "●"],
    ]
    expect(root(page).get_by_role("cell", name="filter 3 does not read channel 0")).to_have_count(1)
    expect(root(page).locator(".cb-costs")).to_contain_text("Parameters: 4 · (4/2) · 2² + 4 = 36")


def test_only_groups_that_divide_are_offered_and_depthwise_is_named(show: Show) -> None:
    page = show(ChannelExplorer())
    slide(page, "Channels C", 3)
    slide(page, "Filters F", 6)
    options = page.get_by_label("Groups").locator("option")
    offered = [each.inner_text() for each in options.all() if each.get_attribute("disabled") is None]
    assert offered == ["1", "3: depthwise"]
    page.get_by_label("Groups").select_option("3")
    expect(root(page).locator(".cb-costs")).to_contain_text("Depthwise: in 3 groups")
    assert np.shape(page.evaluate("model.get('weight')")) == (6, 1, 2, 2)
    slide(page, "Filters F", 4)
    expect(page.get_by_label("Groups")).to_have_value("1")


def test_a_weight_is_edited_in_place_and_moves_its_map_only(show: Show) -> None:
    page = show(ChannelExplorer())
    before = maps(page)
    page.get_by_label("filter 0, channel 1, row 2, column 2").fill("3")
    assert page.evaluate("model.get('weight')[0][1]") == [[0, 1], [-1, 3]]
    assert maps(page)[9:] == before[9:]
    expect(root(page).locator(".cb-line")).to_have_text("2 + 5 + 1 = 8")
    page.get_by_label("filter 0, channel 1, row 2, column 2").fill("x")
    expect(root(page).get_by_role("alert").filter(has_text="“x” is not a number")).to_have_count(1)
    assert page.evaluate("model.get('weight')[0][1]") == [[0, 1], [-1, 3]]


def test_the_bias_is_one_number_a_filter(show: Show) -> None:
    page = show(ChannelExplorer())
    expect(root(page).locator(".cb-costs")).to_contain_text("= 18")
    page.get_by_role("checkbox", name="Bias").uncheck()
    expect(root(page).locator(".cb-line")).to_have_text("2 + 3 = 5")
    expect(root(page).locator(".cb-costs")).to_contain_text("Parameters: 2 · 2 · 2² = 16")


def test_the_choice_stays_inside_and_keeps_the_focus_when_maps_shrink(show: Show) -> None:
    page = show(ChannelExplorer(selected=(1, 2, 2)))
    slide(page, "Kernel size k", 3)
    assert page.evaluate("model.get('selected')") == [1, 1, 1]
    slide(page, "Filters F", 1)
    assert page.evaluate("model.get('selected')") == [0, 1, 1]


def test_screen_readers_hear_the_state_once_it_rests(show: Show) -> None:
    page = show(ChannelExplorer())
    page.get_by_label("Groups").select_option("2")
    expect(root(page).get_by_role("status")).to_contain_text("Depthwise: in 2 groups")


def test_two_views_of_one_model_show_the_same_and_python_accepts_what_they_set(show: Show) -> None:
    widget = ChannelExplorer()
    page = show(widget)
    page.evaluate("showSecond()")
    page.locator("#second").get_by_label("Channels C").fill("4")
    page.locator("#second").get_by_label("Filters F").fill("2")
    page.locator("#second").get_by_label("Groups").select_option("2")
    assert maps(page) == maps(page, "#second")
    names = ["image", "weight", "bias", "selected"]
    widget.set_state(
        page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    )
    assert np.shape(widget.weight) == (2, 2, 2, 2)
    page.evaluate("cleanUps.forEach((each) => each()); forget()")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_every_text_reads_and_the_page_stays_narrow(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    image, weight = np.arange(48).reshape(4, 3, 4) % 5, np.full((2, 2, 3, 3), -1 / 3)
    page = show(ChannelExplorer(image=image, weight=weight, bias=[0.5, -0.25]), theme=theme, width=320)
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("#first [id]").count() == 0
    sides = (
        root(page)
        .locator("button, select, input, [role=gridcell]")
        .evaluate_all(
            "(all) => all.filter((each) => each.checkVisibility())"
            ".flatMap((each) => [each.getBoundingClientRect().width, each.getBoundingClientRect().height])"
        )
    )
    assert len(sides) > 30
    assert min(sides) >= 24
