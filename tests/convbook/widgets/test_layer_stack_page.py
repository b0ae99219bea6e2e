"""The layer stack in a browser: what a reader does by mouse and keyboard, and what the page then shows."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from convbook.shapes import AdaptivePool, Conv, Dense, Flatten, Pool, table
from convbook.widgets import LayerStack

Show = Callable[..., Page]
SMALL = {"layers": [Conv(4, 3), Pool(2), Flatten(), Dense(3)], "input_shape": (1, 10, 10)}


def first(page: Page) -> Locator:
    return page.locator("#first .cb-widget")


def rows(page: Page, view: str = "#first") -> list[list[str]]:
    """The texts of the table's visible cells, row by row, with the sums last."""
    return page.evaluate(
        """(view) => [...document.querySelectorAll(`${view} :is(tbody, tfoot) tr`)].map((row) =>
          [...row.cells].filter((cell) => !cell.hidden).map((cell) => cell.textContent))""",
        view,
    )


def names(page: Page) -> list[str]:
    return [row[0] for row in rows(page)[:-1]]


def selected(page: Page) -> int:
    return page.evaluate("model.get('selected')")


def test_the_table_shows_each_layer_and_the_sums(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    assert rows(page) == [
        ["conv1", "4 × 3×3", "4×8×8", "40", "2,304", "3", "1"],
        ["pool1", "2×2, stride 2", "4×4×4", "0", "0", "4", "2"],
        ["flatten1", "", "64", "0", "0", "4", "2"],
        ["dense1", "3", "3", "195", "192", "10", "0"],
        ["total", "", "", "235", "2,496", "", ""],
    ]


def test_presets_fill_the_table_and_an_edit_makes_them_custom(show: Show) -> None:
    page = show(LayerStack())
    preset = page.get_by_label("Network")
    expect(preset).to_have_value("LeNet-5")
    preset.select_option("VGG-16")
    assert len(rows(page)) == 23
    assert rows(page)[-1] == ["total", "", "", "138,357,544", "15,470,264,320", "", ""]
    page.get_by_label("Filters").fill("65")
    expect(preset).to_have_value("custom")


def test_settings_of_the_chosen_layer_are_edited_by_keyboard(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    for label, value, cells in [
        ("Filters", "8", ["8 × 3×3", "8×8×8"]),
        ("Kernel k", "5", ["8 × 5×5", "8×6×6"]),
        ("Padding p", "2", ["8 × 5×5, padding 2", "8×10×10"]),
        ("Stride s", "2", ["8 × 5×5, stride 2, padding 2", "8×5×5"]),
        ("Dilation d", "2", ["8 × 5×5, stride 2, padding 2, dilation 2", "8×3×3"]),
    ]:
        page.get_by_label(label, exact=True).fill(value)
        assert rows(page)[0][1:3] == cells
        expect(page.get_by_label(label, exact=True)).to_be_focused()
    page.get_by_role("checkbox", name="Bias").uncheck()
    assert rows(page)[0][3] == "200"
    page.get_by_label("Channels").fill("2")
    assert rows(page)[0][3] == "400"
    page.get_by_label("Groups").press("ArrowUp")
    assert rows(page)[0][3] == "200"
    page.get_by_label("Columns").fill("12")
    assert rows(page)[0][2] == "8×3×4"


def test_what_is_no_setting_changes_nothing_and_is_put_back(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    before = page.evaluate("model.get('layers')")
    field = page.get_by_label("Kernel k")
    for text in ("", "0", "12"):
        field.fill(text)
        assert page.evaluate("model.get('layers')") == before
    field.blur()
    expect(field).to_have_value("3")


def test_each_kind_has_its_own_settings(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    for kind, settings in [
        ("Conv", ["Filters", "Kernel k", "Stride s", "Padding p", "Dilation d", "Groups"]),
        ("Pool", ["Kernel k", "Stride s", "Padding p"]),
        ("AdaptivePool", []),
        ("Flatten", []),
        ("Dense", ["Units"]),
    ]:
        page.get_by_label("Kind").select_option(kind)
        shown = first(page).locator(".cb-editor .cb-number:visible span").all_inner_texts()
        assert shown == settings
        expect(page.get_by_role("checkbox", name="Bias")).to_be_visible(visible=kind in ("Conv", "Dense"))


def test_arrow_keys_choose_with_alt_they_move_and_delete_removes(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    chosen = first(page).locator("tbody th[tabindex='0']")
    chosen.focus()
    for key, at, order in [
        ("ArrowUp", 0, ["conv1", "pool1", "flatten1", "dense1"]),
        ("ArrowDown", 1, ["conv1", "pool1", "flatten1", "dense1"]),
        ("Alt+ArrowUp", 0, ["pool1", "conv1", "flatten1", "dense1"]),
        ("Alt+ArrowDown", 1, ["conv1", "pool1", "flatten1", "dense1"]),
        ("End", 3, ["conv1", "pool1", "flatten1", "dense1"]),
        ("Delete", 2, ["conv1", "pool1", "flatten1"]),
        ("Home", 0, ["conv1", "pool1", "flatten1"]),
        ("Delete", 0, ["pool1", "flatten1"]),
        ("Delete", 0, ["flatten1"]),
        ("Delete", 0, ["flatten1"]),
    ]:
        page.keyboard.press(key)
        assert (selected(page), names(page)) == (at, order), key
        expect(chosen).to_be_focused()
        assert first(page).locator("tbody th[aria-selected=true]").count() == 1


def test_buttons_add_remove_and_move_and_focus_is_not_lost(show: Show) -> None:
    page = show(LayerStack(**SMALL))
    page.get_by_text("pool1").click()
    assert selected(page) == 1
    page.get_by_role("button", name="Add below").click()
    assert (selected(page), names(page)) == (2, ["conv1", "pool1", "conv2", "flatten1", "dense1"])
    assert rows(page)[2][2] == rows(page)[1][2], "the new layer keeps the shape"
    page.get_by_role("button", name="Move down").click()
    assert names(page) == ["conv1", "pool1", "flatten1", "conv2", "dense1"]
    page.get_by_role("button", name="Remove").click()
    assert names(page) == ["conv1", "pool1", "flatten1", "dense1"]
    up = page.get_by_role("button", name="Move up")
    up.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    assert names(page)[0] == "dense1"
    expect(up).to_be_disabled()
    expect(first(page).locator("tbody th[tabindex='0']")).to_be_focused()


def test_a_layer_that_does_not_fit_is_a_sentence_in_its_row_and_a_way_back(show: Show) -> None:
    page = show(LayerStack(**SMALL, selected=2))
    page.get_by_role("button", name="Remove").click()
    assert rows(page)[2] == [
        "dense1",
        "It needs a flat row of features, and the map has the shape (4, 4, 4): Flatten it first.",
    ]
    assert rows(page)[-1] == ["before dense1", "", "", "40", "2,304", "", ""]
    expect(first(page).get_by_role("status")).to_contain_text("dense1 does not fit. It needs a flat row")
    page.get_by_label("Kind").select_option("Flatten")
    assert rows(page)[2] == ["flatten1", "", "64", "0", "0", "4", "2"]
    page.get_by_label("Rows").fill("2")
    assert rows(page)[0][1].startswith("The kernel spans 3 pixels and the padded input has only 2")
    assert [row[1:] for row in rows(page)[1:3]] == [["2×2, stride 2", *[""] * 5], [""] * 6]


def test_two_views_move_together_python_counts_what_was_edited_and_all_is_cleaned_up(show: Show) -> None:
    widget = LayerStack()
    page = show(widget)
    page.evaluate("showSecond()")
    page.get_by_label("Network").first.select_option("VGG-16")
    page.locator("#second").get_by_label("Kind").select_option("Pool")
    page.locator("#second").get_by_role("button", name="Add below").click()
    page.locator("#first").get_by_label("Rows").fill("200")
    assert rows(page) == rows(page, "#second")
    state = page.evaluate(
        "Object.fromEntries(['layers', 'input_shape', 'selected'].map((name) => [name, model.get(name)]))"
    )
    widget.set_state(state)
    assert widget.layers[:2] == [Pool(2, 2), Conv(3, 3, padding=1)]
    counted = table(widget.layers, widget.input_shape)
    assert rows(page)[-1][3:5] == [f"{counted.parameters:,}", f"{counted.multiply_adds:,}"]
    page.evaluate("cleanUps.forEach((each) => each()); forget()")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


def test_the_choice_moves_inside_when_python_sets_a_shorter_stack(show: Show) -> None:
    page = show(LayerStack(selected=7))
    page.evaluate("model.set('layers', [{ kind: 'Flatten' }])")
    assert selected(page) == 0
    assert names(page) == ["flatten1"]


def test_axe_finds_nothing_every_text_reads_and_nothing_is_wider_than_the_page(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]]
) -> None:
    layers = [Conv(64, 3, 2, 1, 2, 1, False), AdaptivePool(), Pool(2), Dense(10)]
    page = show(LayerStack(layers=layers, input_shape=(512, 224, 224)), width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    scroller = first(page).locator(".cb-scroller")
    expect(scroller).to_have_attribute("aria-label", "Layers, scrolls sideways")
    assert axe(page) == []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        ratio, element = least_contrast(page)
        assert 4.5 <= ratio <= 21, (theme, element)
    small = page.evaluate(
        """() => [...document.querySelectorAll("#first :is(button, select, input, tbody th)")]
          .filter((each) => each.checkVisibility())
          .filter((each) => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24)
          .map((each) => each.outerHTML)"""
    )
    assert small == []
    assert page.locator("#first [id]").count() == 0
