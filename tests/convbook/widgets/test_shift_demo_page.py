"""The shift demo in a browser: what a reader does by mouse and keyboard, and what the page then shows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import ShiftDemo

Show = Callable[..., Page]
STRIPES = [1, 0, 1, 0, 1, 0, 1, 0]


def first(page: Page) -> Locator:
    return page.locator("#first .cb-widget")


def answers(page: Page, view: str = "#first") -> list[list[str]]:
    """The four halved rows."""
    return [strip.locator("[role=cell]").all_inner_texts() for strip in page.locator(f"{view} .cb-halves").all()]


def changes(page: Page) -> list[str]:
    return first(page).locator(".cb-strips .cb-caption span").all_inner_texts()


def test_the_slider_moves_the_row_and_each_way_answers_anew(show: Show) -> None:
    page = show(ShiftDemo())
    assert answers(page) == [["0", "1", "0", "1"]] * 3 + [["0.5", "1", "0.5", "1"]]
    slider = page.get_by_role("slider", name="Shift")
    for _ in range(4):
        slider.press("ArrowRight")
    assert page.evaluate("model.get('shift')") == 1
    assert slider.get_attribute("aria-valuetext") == "1 pixel"
    assert answers(page) == [["1", "0", "1", "0"], ["1"] * 4, ["0.5"] * 4, ["0.75"] * 4]
    assert changes(page) == [
        "change 4 / 2 = 200 %",
        "change 2 / 2 = 100 %",
        "change 2 / 2 = 100 %",
        "change 1 / 3 = 33.3 %",
    ]


def test_changed_answers_are_marked_with_what_they_were(show: Show) -> None:
    page = show(ShiftDemo(shift=1))
    cells = first(page).locator(".cb-halves").nth(1).locator("[role=cell]")
    assert [cell.get_attribute("data-weight") for cell in cells.all()] == ["was 0", " ", "was 0", " "]
    assert first(page).locator(".cb-halves").nth(1).locator(".cb-ring").count() == 2


def test_stripes_alias_to_a_constant_that_flips(show: Show) -> None:
    page = show(ShiftDemo())
    page.get_by_label("Pixels", exact=True).select_option("stripes")
    assert answers(page)[0] == ["1"] * 4
    page.get_by_role("slider", name="Shift").fill("4")
    assert answers(page) == [["0"] * 4, ["1"] * 4, ["0.5"] * 4, ["1"] * 4]
    assert changes(page)[0] == "change 4 / 4 = 100 %"


def test_pixels_are_edited_in_place(show: Show) -> None:
    page = show(ShiftDemo(signal=[0, 0, 0, 0]))
    expect(first(page).locator(".cb-strips .cb-caption span").first).to_have_text(
        "change no value, since all was 0 before"
    )
    page.get_by_label("pixel 3").fill("1/2")
    assert page.evaluate("model.get('signal')") == [0, 0, 0.5, 0]
    assert answers(page)[:2] == [["0", "0.5"], ["0", "0.5"]]
    page.get_by_label("pixel 3").fill("one")
    expect(first(page).get_by_role("alert")).to_contain_text("“one” is not a number")
    expect(page.get_by_label("Pixels", exact=True)).to_have_value("custom")
    page.get_by_role("button", name="Random pixels").click()
    assert len(page.evaluate("model.get('signal')")) == 4


def test_a_wider_blur_changes_less(show: Show) -> None:
    page = show(ShiftDemo(shift=1))
    page.get_by_label("Blur", exact=True).select_option("5")
    assert page.evaluate("model.get('blur')") == 5
    assert changes(page)[3] == "change 0.5 / 3 = 16.7 %"


def test_the_plot_marks_the_shift_and_tells_lines_apart_without_color(show: Show) -> None:
    page = show(ShiftDemo(shift=2))
    graph = first(page).locator(".cb-plot")
    expect(graph).to_have_attribute("role", "img")
    assert "At one pixel: Every second pixel, 200 %" in (graph.get_attribute("aria-label") or "")
    dashes = graph.locator(".cb-legend .cb-line").evaluate_all(
        "(lines) => lines.map((line) => getComputedStyle(line).strokeDasharray)"
    )
    assert len(set(dashes)) == 4
    assert graph.locator(".cb-legend > span").all_inner_texts() == [
        "Every second pixel: 200 %",
        "Max of two, stride 2: 100 %",
        "Average of two, stride 2: 100 %",
        "Blur pooling: 33.3 %",
    ]
    assert graph.locator(".cb-rows span").all_inner_texts() == ["0", "50", "100", "150", "200"]
    assert graph.locator(".cb-columns span").all_inner_texts() == ["0", "1", "2", "3", "4"]
    frame = graph.locator("svg").first.bounding_box()
    mark = graph.locator(".cb-at").bounding_box()
    assert frame is not None
    assert mark is not None
    assert mark["x"] + mark["width"] / 2 == pytest.approx(frame["x"] + frame["width"] / 2, abs=1.5)
    assert graph.locator(".cb-dot").count() == 4


def test_a_line_without_value_is_left_out(show: Show) -> None:
    page = show(ShiftDemo(signal=[0, 1, 0, 1]))
    lines = first(page).locator(".cb-plot > div > svg .cb-line")
    assert [bool(line.get_attribute("d")) for line in lines.all()] == [False, True, True, True]
    expect(first(page).locator(".cb-legend")).to_contain_text("Every second pixel: no value")


def test_moving_step_by_step_comes_round_and_play_waits_to_be_asked(show: Show) -> None:
    page = show(ShiftDemo(shift=3.75))
    step = page.get_by_role("button", name="Move a quarter pixel")
    seen = []
    for _ in range(3):
        step.click()
        seen.append(page.evaluate("model.get('shift')"))
    assert seen == [4, 0, 0.25]
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.clock.run_for(3000)
    assert page.evaluate("model.get('shift')") == 0.25
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2000)
    assert page.evaluate("model.get('shift')") == 0.75


def test_screen_readers_hear_the_state(show: Show) -> None:
    page = show(ShiftDemo(signal=STRIPES))
    page.get_by_role("slider", name="Shift").fill("4")
    expect(first(page).get_by_role("status")).to_contain_text(
        "Every second pixel: 1, 1, 1, 1 becomes 0, 0, 0, 0, a change of 100 %."
    )


def test_two_views_move_together_python_takes_it_back_and_all_is_cleaned_up(show: Show) -> None:
    widget = ShiftDemo()
    page = show(widget)
    page.evaluate("showSecond()")
    page.get_by_label("Pixels", exact=True).first.select_option("wave")
    page.get_by_role("slider", name="Shift").last.fill("5")
    page.get_by_label("Blur", exact=True).last.select_option("5")
    assert answers(page) == answers(page, "#second")
    widget.set_state(
        page.evaluate("Object.fromEntries(['signal', 'shift', 'blur'].map((name) => [name, model.get(name)]))")
    )
    assert (widget.shift, widget.blur, widget.signal[1]) == (1.25, 5, 0.85)
    page.evaluate("cleanUps.forEach((each) => each())")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


def test_axe_finds_nothing_every_text_reads_and_nothing_is_wider_than_the_page(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]]
) -> None:
    page = show(ShiftDemo(signal=[-0.123, *[0.456] * 15], shift=1.25), width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(first(page).locator(".cb-scroller")).to_have_attribute("aria-label", "Pixels and answers, scrolls sideways")
    assert axe(page) == []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        ratio, element = least_contrast(page)
        assert 4.5 <= ratio <= 21, (theme, element)
    small = page.evaluate(
        """() => [...document.querySelectorAll("#first :is(button, select, input)")]
          .filter((each) => each.checkVisibility())
          .filter((each) => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24)
          .map((each) => each.outerHTML)"""
    )
    assert small == []
    assert page.locator("#first [id]").count() == 0
