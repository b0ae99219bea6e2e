"""The pooling explorer in a browser: what a reader does by mouse and keyboard, and what the page then shows."""

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import PoolExplorer

Show = Callable[..., Page]
TIE = [[7, 7, 1], [7, 2, 0], [1, 0, 5]]


def first(page: Page) -> Locator:
    return page.locator("#first .cb-widget")


def numbers(page: Page, figure: str, view: str = "#first") -> list[list[str]]:
    """What the cells of a figure show, row by row; a minus sign as people write it."""
    rows = page.locator(f"{view} .cb-{figure}-figure [role=row]").all()
    return [
        [cell.locator("input").input_value() if cell.locator("input").count() else cell.inner_text() for cell in cells]
        for cells in (row.locator("> *").all() for row in rows)
    ]


def test_a_chosen_cell_shows_its_window_and_its_winner(show: Show) -> None:
    page = show(PoolExplorer())
    assert numbers(page, "output") == [["9", "4", "5"], ["3", "7", "4"], ["6", "3", "8"]]
    page.locator(".cb-output-figure [role=gridcell]").nth(8).click()
    assert page.evaluate("model.get('selected')") == [2, 2]
    rings = first(page).locator(".cb-input-figure .cb-ring input")
    assert [ring.input_value() for ring in rings.all()] == ["8", "2", "2", "6"]
    winner = first(page).locator(".cb-input-figure .cb-winner")
    expect(winner).to_have_count(1)
    expect(winner).to_have_attribute("data-weight", "max")
    expect(first(page).locator(".cb-equation").first).to_have_text("max(8, 2, 2, 6) = 8")


def test_the_input_is_edited_in_place_and_padding_is_not(show: Show) -> None:
    page = show(PoolExplorer(image=[[1, 2], [3, 4]], padding=1))
    assert numbers(page, "input")[0] == ["−∞"] * 4
    assert page.get_by_label("padding", exact=True).count() == 12
    expect(page.get_by_label("padding", exact=True).first).not_to_be_editable()
    page.get_by_label("input row 1, column 1").fill("−5")
    page.get_by_label("input row 2, column 2").fill("abc")
    assert page.evaluate("model.get('image')") == [[-5, 2], [3, 4]]
    expect(first(page).get_by_role("alert").first).to_contain_text("“abc” is not a number")
    assert numbers(page, "output") == [["−5", "2"], ["3", "4"]], "a window of padding and −5 is −5, not 0"
    expect(page.get_by_label("Input", exact=True)).to_have_value("custom")


def test_average_counts_padding_or_not(show: Show) -> None:
    page = show(PoolExplorer(image=[[4, 8], [12, 16]], padding=1, mode="average"))
    assert numbers(page, "input")[0] == ["0"] * 4
    assert numbers(page, "output") == [["1", "2"], ["3", "4"]]
    expect(first(page).locator(".cb-equation").first).to_have_text("(0 + 0 + 0 + 4) / 4 = 1")
    page.get_by_role("checkbox", name="Count padding").uncheck()
    assert numbers(page, "output") == [["4", "8"], ["12", "16"]]
    expect(first(page).locator(".cb-equation").first).to_have_text("(4) / 1 = 4")
    page.get_by_label("Pooling", exact=True).select_option("max")
    expect(page.get_by_role("checkbox", name="Count padding")).to_be_hidden()


def test_the_gradient_goes_to_the_winner_and_overlapping_windows_add_up(show: Show) -> None:
    page = show(PoolExplorer(image=TIE, stride=1, selected=(0, 1)))
    expect(first(page).locator(".cb-received-figure")).to_be_hidden()
    page.get_by_role("checkbox", name="Show the gradient").check()
    assert numbers(page, "received") == [["1", "1", "0"], ["1", "0", "0"], ["0", "0", "1"]]
    page.get_by_label("gradient of output row 1, column 2").fill("5")
    assert page.evaluate("model.get('upstream')") == [[1, 5], [1, 1]]
    assert numbers(page, "received")[0] == ["1", "5", "0"]
    page.get_by_label("At a tie").select_option("split")
    assert numbers(page, "received") == [["0.333", "5.33", "0"], ["1.33", "0", "0"], ["0", "0", "1"]]
    lines = first(page).locator(".cb-route p")
    expect(lines.nth(0)).to_have_text(
        "The gradient 5 goes to the largest cell, row 1, column 2. The others get nothing."
    )
    expect(lines.nth(1)).to_have_text("Input row 1, column 2 gets gradient from 2 windows: 1/3 + 5 ≈ 5.33")


def test_a_tie_is_told_with_both_subgradients(show: Show) -> None:
    page = show(PoolExplorer(image=TIE, stride=1, gradient=True))
    told = first(page).locator(".cb-route p").first
    expect(told).to_contain_text("3 cells tie. The first of them, row 1, column 1, gets the gradient 1, as in torch.")
    expect(told).to_contain_text("The other choice is a subgradient too.")
    page.get_by_label("At a tie").select_option("split")
    expect(told).to_contain_text("3 cells tie, and each gets 1/3 of the gradient 1.")
    marked = first(page).locator(".cb-received-figure .cb-winner")
    assert [cell.get_attribute("data-weight") for cell in marked.all()] == ["×1/3"] * 3


def test_arrow_keys_move_the_choice(show: Show) -> None:
    page = show(PoolExplorer())
    page.locator(".cb-output-figure [tabindex='0']").focus()
    for key, chosen in [("ArrowRight", [0, 1]), ("ArrowDown", [1, 1]), ("End", [1, 2]), ("ArrowRight", [1, 2])]:
        page.keyboard.press(key)
        assert page.evaluate("model.get('selected')") == chosen
    page.get_by_role("button", name="Next cell").click()
    assert page.evaluate("model.get('selected')") == [2, 0]


def test_sliders_set_the_window_and_the_size_formula(show: Show) -> None:
    page = show(PoolExplorer())
    for name in ("Window k", "Padding p"):
        page.get_by_role("slider", name=name).press("ArrowRight")
    assert page.evaluate("[model.get('kernel'), model.get('padding'), ...model.get('out_shape')]") == [3, 1, 3, 3]
    expect(first(page).locator(".cb-size")).to_have_text(
        "Output size ⌊(n + 2p − k) / s⌋ + 1: ⌊(6 + 2·1 − 3) / 2⌋ + 1 = 3"
    )


def test_padding_of_more_than_half_a_window_is_a_sentence_and_a_way_back(show: Show) -> None:
    page = show(PoolExplorer(gradient=True))
    page.get_by_role("slider", name="Padding p").fill("2")
    expect(first(page).locator(".cb-problem")).to_contain_text("Padding 2 is too much for a window of 2")
    expect(first(page).locator(".cb-grid.cb-output").first).to_be_hidden()
    expect(page.get_by_role("button", name="Next cell")).to_be_disabled()
    page.get_by_label("input row 1, column 1").fill("8")
    assert page.evaluate("model.get('image')[0][0]") == 8, "the input stays writable"
    page.get_by_role("slider", name="Window k").fill("4")
    expect(first(page).locator(".cb-problem")).to_be_empty()
    assert page.evaluate("model.get('out_shape')") == [4, 4]


def test_screen_readers_hear_the_state(show: Show) -> None:
    page = show(PoolExplorer(image=TIE))
    status = first(page).get_by_role("status")
    expect(status).to_contain_text("is 7, the largest of rows 1 to 2 and columns 1 to 2 of the input.")
    page.get_by_label("Pooling", exact=True).select_option("average")
    expect(status).to_contain_text("is 5.75, the mean of rows 1 to 2")


def test_two_views_move_together_python_takes_it_back_and_all_is_cleaned_up(show: Show) -> None:
    widget = PoolExplorer(kernel=3, gradient=True)
    page = show(widget)
    page.evaluate("showSecond()")
    page.get_by_label("input row 1, column 1").first.fill("20")
    page.get_by_label("gradient of output row 1, column 1").last.fill("3")
    page.get_by_role("button", name="Random input").last.click()
    assert numbers(page, "received") == numbers(page, "received", "#second")
    names = sorted(PoolExplorer.class_own_traits(sync=True))
    widget.set_state(
        page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    )
    assert widget.out_shape == (2, 2)
    assert widget.upstream == [[3, 1], [1, 1]]
    page.evaluate("cleanUps.forEach((each) => each()); forget()")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


def test_any_combination_of_extreme_values_renders_what_it_computes(show: Show) -> None:
    page = show(PoolExplorer())
    values = {
        "mode": ["max", "average"],
        "kernel": [1, 2, 6],
        "stride": [1, 4],
        "padding": [0, 1, 3],
        "gradient": [False, True],
        "ties": ["first", "split"],
        "image": [[[1]], [[1, 2, 3, 4]] * 3, np.ones((8, 8)).tolist()],
    }
    shown = page.evaluate(
        """(values) => {
          const shown = [];
          const count = (figure) => document.querySelectorAll(`#first .cb-${figure}-figure .cb-cell`).length;
          (function over([name, ...rest]) {
            if (name) for (const value of values[name]) { model.set(name, value); over(rest); }
            else shown.push([count("output"), model.get("gradient") ? count("upstream") : null, model.get("out_shape"),
              document.querySelector("#first .cb-problem").textContent]);
          })(Object.keys(values));
          return shown;
        }""",
        values,
    )
    assert len(shown) == np.prod([len(tried) for tried in values.values()])
    for output, upstream, (rows, columns), problem in shown:
        assert output == rows * columns
        assert upstream in (None, output)
        assert bool(problem) == (rows == 0)


def test_axe_finds_nothing_every_text_reads_and_nothing_is_wider_than_the_page(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]]
) -> None:
    page = show(PoolExplorer(kernel=3, stride=1, padding=1, gradient=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert axe(page) == []
    for theme in ("dark", "light"):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        ratio, element = least_contrast(page)
        assert 4.5 <= ratio <= 21, (theme, element)
    small = page.evaluate(
        """() => [...document.querySelectorAll("#first :is(button, select, input, [role=gridcell])")]
          .filter((each) => each.checkVisibility())
          .filter((each) => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24)
          .map((each) => each.outerHTML)"""
    )
    assert small == []
    page.get_by_role("slider", name="Padding p").fill("3")
    assert axe(page) == [], "with no output"
    assert page.locator("#first [id]").count() == 0
