"""The explorer in a browser: what a reader does by mouse and keyboard, and what the page then shows."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import ConvExplorer

RAMP = np.add.outer(np.arange(7), np.arange(7))
SMALL = {"image": np.arange(9).reshape(3, 3), "kernel": [[0, 1], [2, 3]], "selected": (0, 0)}
Show = Callable[..., Page]


def first(page: Page) -> Locator:
    return page.locator("#first .cb-widget")


def outputs(page: Page, view: str = "#first") -> list[list[float]]:
    """The numbers in the output grid."""
    rows = page.locator(f"{view} .cb-output [role=row]").all()
    return [
        [float(text.replace("−", "-")) for text in row.locator("[role=gridcell]").all_inner_texts()] for row in rows
    ]


def correlate(image: np.ndarray, kernel: np.ndarray, stride: int = 1) -> list[list[float]]:
    windows = np.lib.stride_tricks.sliding_window_view(image, np.shape(kernel))[::stride, ::stride]
    return np.einsum("ijuv,uv->ij", windows, kernel).tolist()


def result(page: Page) -> str:
    """ "0·0 + 1·1 + … = 19" as text."""
    return first(page).locator(".cb-equation").text_content() or ""


def stop_the_clock(page: Page) -> None:
    """From here on time passes only by `page.clock.run_for`."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


def test_a_cell_chosen_by_mouse_shows_its_field_products_and_sum(show: Show) -> None:
    page = show(ConvExplorer(**SMALL))
    assert outputs(page) == [[19, 25], [37, 43]]
    assert result(page) == "0·0 + 1·1 + 3·2 + 4·3 = 19"
    first(page).locator(".cb-output [role=gridcell]").nth(3).click()
    assert result(page) == "4·0 + 5·1 + 7·2 + 8·3 = 43"
    field = first(page).locator(".cb-input .cb-ring")
    assert field.all_inner_texts() == ["4", "5", "7", "8"]
    assert [cell.get_attribute("data-weight") for cell in field.all()] == ["×0", "×1", "×2", "×3"]


def test_arrow_keys_move_the_choice_and_stop_at_the_edge(show: Show) -> None:
    page = show(ConvExplorer(image=RAMP, selected=(0, 0)))
    output = first(page).locator(".cb-output")
    output.locator("[tabindex='0']").focus()
    for key, chosen in [
        ("ArrowRight", [0, 1]),
        ("ArrowDown", [1, 1]),
        ("End", [1, 4]),
        ("ArrowRight", [1, 4]),
        ("Home", [1, 0]),
        ("ArrowLeft", [1, 0]),
        ("ArrowUp", [0, 0]),
    ]:
        page.keyboard.press(key)
        assert page.evaluate("model.get('selected')") == chosen, key
        assert output.locator("[aria-selected=true]").count() == 1
        assert output.locator("[tabindex='0']").count() == 1, "one tab stop"
        expect(output.locator("[aria-selected=true]")).to_be_focused()


def test_every_control_is_reached_by_tab_and_opts_out_of_jupyters_shortcuts(show: Show) -> None:
    page = show(ConvExplorer())
    seen = []
    for _ in range(13):
        page.keyboard.press("Tab")
        name, opts_out = page.evaluate(
            """() => {
              const { ariaLabel, labels, textContent, dataset } = document.activeElement;
              return [ariaLabel || labels?.[0]?.textContent || textContent, dataset.lmSuppressShortcuts];
            }"""
        )
        assert opts_out == "true", name
        seen.append(name)
    for name in (
        "Random",
        "Play",
        "Next",
        "Input",
        "Kernel",
        "size",
        "Stride",
        "Padding p",
        "mode",
        "Dilation",
        "Flip",
    ):
        assert any(name in each for each in seen), (name, seen)
    assert seen[-2:] == ["kernel row 1, column 1", "36"], "kernel and output are one tab stop each"


def test_the_stride_slider_works_by_keyboard_and_fills_the_formula(show: Show) -> None:
    page = show(ConvExplorer(image=RAMP, kernel=[[1, 2, 0], [0, 1, 0], [0, 0, 3]], padding=1, dilation=2))
    page.get_by_role("slider", name="Stride").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('stride')") == 2
    spread = np.kron(np.array([[1, 2, 0], [0, 1, 0], [0, 0, 3]]), [[1, 0], [0, 0]])[:5, :5]
    assert outputs(page) == correlate(np.pad(RAMP, 1), spread, stride=2)
    assert first(page).locator(".cb-size").all_text_contents() == [
        "Output size: ⌊(7 + 2·1 − 2·(3 − 1) − 1) / 2⌋ + 1 = 3"
    ]
    assert page.evaluate("model.get('out_shape')") == [3, 3]


def test_padding_is_marked_and_filled_by_its_mode(show: Show) -> None:
    page = show(ConvExplorer(image=np.arange(9).reshape(3, 3), kernel=[[1]], padding=2))
    padded = first(page).locator(".cb-input [role=cell]")
    for mode, numpy_mode in [("zero", "constant"), ("reflect", "reflect"), ("circular", "wrap")]:
        page.get_by_label("Padding mode").select_option(label=mode)
        assert padded.all_inner_texts() == [str(x) for x in np.pad(np.arange(9).reshape(3, 3), 2, numpy_mode).flat]
        assert first(page).locator(".cb-input .cb-pad.cb-cell").count() == 49 - 9


def test_a_kernel_is_edited_in_place_and_becomes_custom(show: Show) -> None:
    page = show(ConvExplorer(image=RAMP))
    cell = page.get_by_label("kernel row 2, column 3")
    cell.click()
    cell.fill("1/2")
    kernel = np.array([[-1, 0, 1], [-2, 0, 0.5], [-1, 0, 1]])
    assert page.evaluate("model.get('kernel')") == kernel.tolist()
    assert outputs(page) == correlate(RAMP, kernel)
    expect(cell).to_be_focused()
    expect(page.get_by_label("Kernel", exact=True)).to_have_value("custom")
    page.keyboard.press("Tab")
    expect(cell).to_have_value("0.5")


def test_arrow_keys_walk_the_kernel_and_the_caret_comes_first(show: Show) -> None:
    page = show(ConvExplorer())
    page.get_by_label("kernel row 1, column 1").focus()
    for key, where in [
        ("ArrowDown", "row 2, column 1"),
        ("ArrowRight", "row 2, column 2"),
        ("End", "row 2, column 3"),
        ("ArrowUp", "row 1, column 3"),
    ]:
        page.keyboard.press(key)
        expect(page.get_by_label(f"kernel {where}")).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_label("kernel row 1, column 3")).to_be_focused()
    assert page.evaluate("model.get('kernel')[0][2]") == 12


def test_what_is_no_number_is_named_and_loses_nothing(show: Show) -> None:
    page = show(ConvExplorer())
    before = page.evaluate("model.get('kernel')")
    cell = page.get_by_label("kernel row 1, column 1")
    cell.fill("abc")
    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(first(page).get_by_role("alert")).to_contain_text("“abc” is not a number")
    assert page.evaluate("model.get('kernel')") == before
    page.keyboard.press("Tab")
    expect(cell).to_have_value("−1")
    expect(first(page).get_by_role("alert")).to_be_empty()


def test_leaving_a_weight_does_not_round_it(show: Show) -> None:
    page = show(ConvExplorer(kernel=[[0.123456]]))
    page.get_by_label("kernel row 1, column 1").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("model.get('kernel')") == [[0.123456]]


def test_flipping_turns_the_kernel_by_180_degrees_and_shows_it(show: Show) -> None:
    kernel = np.array([[1, 2], [3, 4]])
    page = show(ConvExplorer(image=RAMP, kernel=kernel))
    flipped = first(page).locator(".cb-applied-figure")
    expect(flipped).to_be_hidden()
    page.get_by_role("checkbox", name="Flip the kernel").check()
    assert flipped.locator("[role=cell]").all_inner_texts() == ["4", "3", "2", "1"]
    assert outputs(page) == correlate(RAMP, kernel[::-1, ::-1])
    assert page.evaluate("model.get('kernel')") == kernel.tolist()


def test_presets_and_kernel_size_set_the_grids(show: Show) -> None:
    page = show(ConvExplorer())
    page.get_by_label("Input", exact=True).select_option("0 to 8")
    page.get_by_label("Kernel", exact=True).select_option("0 to 3")
    assert outputs(page) == [[19, 25], [37, 43]]
    page.get_by_label("Kernel size").fill("3")
    assert page.evaluate("model.get('kernel')") == [[0, 1, 0], [2, 3, 0], [0, 0, 0]]
    assert outputs(page) == [[19]]
    page.get_by_role("button", name="Random input").click()
    assert np.shape(page.evaluate("model.get('image')")) == (7, 7)
    expect(page.get_by_label("Input", exact=True)).to_have_value("custom")


def test_a_kernel_that_does_not_fit_is_a_sentence_and_a_way_back(show: Show) -> None:
    page = show(ConvExplorer(image=np.arange(9).reshape(3, 3)))
    page.get_by_label("Dilation").fill("2")
    expect(first(page).locator(".cb-problem")).to_contain_text(
        "The kernel does not fit: it spans 5 cells and the input has 3."
    )
    expect(first(page).locator(".cb-grid.cb-output")).to_be_hidden()
    expect(page.get_by_role("button", name="Next cell")).to_be_disabled()
    assert page.evaluate("model.get('out_shape')") == [0, 0]
    page.get_by_label("Padding p").fill("1")
    expect(first(page).locator(".cb-problem")).to_be_empty()
    assert page.evaluate("model.get('out_shape')") == [1, 1]


def test_focus_stays_in_the_output_when_it_shrinks_under_it(show: Show) -> None:
    page = show(ConvExplorer(selected=(4, 4)))
    first(page).locator(".cb-output [tabindex='0']").focus()
    page.evaluate("model.set('stride', 2)")
    assert page.evaluate("model.get('selected')") == [2, 2]
    expect(first(page).locator(".cb-output [aria-selected=true]")).to_be_focused()


def test_next_cell_walks_row_by_row_and_wraps(show: Show) -> None:
    page = show(ConvExplorer(**SMALL))
    seen = []
    for _ in range(4):
        page.get_by_role("button", name="Next cell").click()
        seen.append(page.evaluate("model.get('selected')"))
    assert seen == [[0, 1], [1, 0], [1, 1], [0, 0]]


def test_play_starts_only_when_asked_and_pauses(show: Show) -> None:
    page = show(ConvExplorer(**SMALL))
    stop_the_clock(page)
    page.clock.run_for(5000)
    assert page.evaluate("model.get('selected')") == [0, 0]
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2000)
    assert page.evaluate("model.get('selected')") == [1, 0]
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert page.evaluate("model.get('selected')") == [1, 0]


def test_play_is_not_offered_to_readers_who_want_less_motion(show: Show) -> None:
    page = show(ConvExplorer(), reduced_motion="reduce")
    expect(first(page).locator(".cb-play")).to_be_hidden()
    expect(page.get_by_role("button", name="Next cell")).to_be_visible()


def test_screen_readers_hear_the_state_once_it_rests(show: Show) -> None:
    page = show(ConvExplorer(**SMALL))
    status = first(page).get_by_role("status")
    assert "Its row 1, column 1 is 19." in (status.text_content() or "")
    stop_the_clock(page)
    for _ in range(3):
        page.get_by_role("button", name="Next cell").click()
    page.clock.run_for(400)
    assert "Its row 1, column 1 is 19." in (status.text_content() or ""), "not yet"
    page.clock.run_for(200)
    assert "Its row 2, column 2 is 43." in (status.text_content() or "")


def test_two_views_of_one_model_show_the_same_and_clean_up(show: Show) -> None:
    page = show(ConvExplorer(**SMALL))
    page.evaluate("showSecond()")
    page.locator("#second .cb-output [role=gridcell]").nth(2).click()
    assert result(page) == "3·0 + 4·1 + 6·2 + 7·3 = 37"
    page.locator("#first").get_by_label("kernel row 1, column 1").fill("5")
    assert (
        outputs(page, "#second") == outputs(page) == correlate(np.arange(9).reshape(3, 3), np.array([[5, 1], [2, 3]]))
    )
    page.evaluate("cleanUps[0]()")
    assert page.locator("#first").inner_html() == ""
    page.evaluate("model.set('stride', 2)")
    assert outputs(page, "#second") == [[19]]
    page.evaluate("cleanUps[1](); forget()")
    assert page.evaluate("listening()") == 0, "no listener is left on the model"


def test_python_accepts_all_that_the_page_sets(show: Show) -> None:
    widget = ConvExplorer()
    page = show(widget)
    page.get_by_label("Kernel", exact=True).select_option("box blur")
    page.get_by_label("Padding mode").select_option("reflect")
    page.get_by_label("Padding p").fill("2")
    page.get_by_role("checkbox", name="Flip").check()
    page.get_by_role("button", name="Random input").click()
    names = ["image", "kernel", "stride", "padding", "padding_mode", "dilation", "flip", "selected", "out_shape"]
    widget.set_state(
        page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    )
    assert widget.out_shape == (9, 9)
    assert (widget.padding, widget.padding_mode, widget.flip) == (2, "reflect", True)
    assert widget.kernel == [[1 / 9] * 3] * 3
    assert page.evaluate("saves") > 0, "the page sends what it sets"


def test_any_combination_of_extreme_values_renders_what_it_computes(show: Show) -> None:
    page = show(ConvExplorer())
    values = {
        "stride": [1, 4],
        "padding": [0, 1, 4],
        "dilation": [1, 3],
        "padding_mode": ["zeros", "reflect", "circular"],
        "flip": [False, True],
        "kernel": [[[2]], [[1, 2, 3]], np.eye(5).tolist()],
        "image": [[[1]], [[1, 2, 3, 4]] * 3, np.ones((12, 12)).tolist()],
    }
    shown = page.evaluate(
        """(values) => {
          const shown = [];
          const count = (selector) => document.querySelectorAll(`#first ${selector}`).length;
          (function over([name, ...rest]) {
            if (name) for (const value of values[name]) { model.set(name, value); over(rest); }
            else shown.push([count(".cb-output [role=row]"), count(".cb-output [role=gridcell]"),
              document.querySelector("#first .cb-problem").textContent, ...model.get("out_shape")]);
          })(Object.keys(values));
          return shown;
        }""",
        values,
    )
    assert len(shown) == np.prod([len(tried) for tried in values.values()])
    for rows, cells, problem, out_rows, out_columns in shown:
        assert (rows, cells) == (out_rows, out_rows * out_columns)
        assert bool(problem) == (out_rows == 0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show: Show, axe: Callable[[Page], list[str]], theme: str) -> None:
    page = show(ConvExplorer(padding=1, dilation=2, flip=True), theme=theme)
    assert axe(page) == []
    page.set_viewport_size({"width": 320, "height": 900})
    page.get_by_label("kernel row 1, column 1").fill("abc")
    assert axe(page) == [], "narrow, with a note"
    page.get_by_label("kernel row 1, column 1").fill("1")
    page.get_by_label("Input", exact=True).select_option("0 to 8")
    page.get_by_label("Padding p").fill("0")
    page.get_by_label("Dilation").fill("3")
    assert axe(page) == [], "with no output"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_a_contrast_of_at_least_4_5(
    show: Show, least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    page = show(ConvExplorer(padding=1, selected=(0, 3), flip=True), theme=theme)
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_the_page_never_scrolls_sideways_and_wide_grids_scroll_on_their_own(show: Show, width: int) -> None:
    page = show(ConvExplorer(padding=4, kernel=np.full((5, 5), -1 / 3)), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grid = first(page).locator(".cb-input-figure .cb-scroller")
    if width < 1280:
        expect(grid).to_have_attribute("tabindex", "0")
        expect(grid).to_have_attribute("aria-label", "Input, scrolls sideways")
    else:
        expect(grid).not_to_have_attribute("tabindex", "0")
    stuck = """() => [...document.querySelectorAll("#first .cb-widget *")].filter((each) =>
      getComputedStyle(each).overflowX === "auto" && each.scrollWidth > each.clientWidth && each.tabIndex < 0).length"""
    page.wait_for_function(f"({stuck})() === 0")


@pytest.mark.parametrize("width", [320, 1280])
def test_every_target_is_at_least_24_pixels(show: Show, width: int) -> None:
    page = show(ConvExplorer(), width=width)
    for target in first(page).locator("button, select, input, [role=gridcell]").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target.evaluate("(element) => element.outerHTML")


def test_the_widget_follows_each_hosts_dark_theme(show: Show) -> None:
    page = show(ConvExplorer())
    scheme = "getComputedStyle(document.querySelector('#first .cb-widget')).colorScheme"
    assert page.evaluate(scheme) == "light"
    for switch in (
        "document.documentElement.dataset.theme = 'dark'",
        "document.body.dataset.jpThemeLight = 'false'",
        "document.documentElement.setAttribute('theme', 'dark')",
        "document.body.className = 'vscode-dark'",
    ):
        page.evaluate(
            "document.documentElement.dataset.theme = 'light'; document.documentElement.removeAttribute('theme');"
            "delete document.body.dataset.jpThemeLight; document.body.className = '';"
        )
        assert page.evaluate(scheme) == "light"
        page.evaluate(switch)
        assert page.evaluate(scheme) == "dark", switch


def test_nothing_in_the_page_has_an_id(show: Show) -> None:
    page = show(ConvExplorer())
    assert page.locator("#first [id]").count() == 0
