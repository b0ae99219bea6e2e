"""The LeNet explorer in a browser: what a reader picks, draws and chooses, and what the page then shows."""

import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

from convbook import pretrained
from convbook.data import GARMENTS, Split
from convbook.widgets import LeNetExplorer
from convbook.widgets.lenet_explorer import MAPS

Show = Callable[..., Page]
# Of each canvas its rows of grays; null where a pixel is no opaque gray.
GRAYS = """(canvases) => canvases.map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const same = (at) => data[at] === data[at + 1] && data[at] === data[at + 2];
  const gray = (at) => (same(at) && data[at + 3] === 255 ? data[at] : null);
  return Array.from({ length: canvas.height }, (_, row) =>
    Array.from({ length: canvas.width }, (_, column) => gray(4 * (row * canvas.width + column))));
})"""


def root(page: Page) -> Locator:
    return page.locator("#first .cb-lenet")


def grays(canvases: Locator) -> np.ndarray:
    """What canvases of one size show, of shape (canvases, rows, columns)."""
    return np.array(canvases.evaluate_all(GRAYS), dtype=float)


def drawing(page: Page) -> np.ndarray:
    text = page.evaluate("model.get('picture')")
    return np.asarray(LeNetExplorer.picture._from_page(text, None))


def canvas(page: Page) -> Locator:
    return root(page).locator(".cb-canvas")


def place(page: Page, row: float, column: float, within: Locator | None = None, side: int = 28) -> tuple[float, float]:
    """The middle of a pixel on the screen."""
    target = within or canvas(page)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (column + 0.5) / side, box["y"] + box["height"] * (row + 0.5) / side


def layer(page: Page, name: str) -> Locator:
    return root(page).locator(f"[data-layer={name}]")


def selected(page: Page) -> list[object]:
    found: list[object] = page.evaluate("model.get('selected')")
    return found


@functools.cache
def trained() -> tuple[nn.Sequential, Split]:
    return pretrained.lenet(), LeNetExplorer().samples


def by_torch(picture: np.ndarray) -> dict[str, np.ndarray]:
    network, samples = trained()
    x = ((torch.tensor(picture) / 255 - samples.mean[0]) / samples.std[0])[None, None]
    found = {}
    with torch.no_grad():
        for name, module in network.named_children():
            x = found[name] = module(x)
    return {name: values[0].numpy() for name, values in found.items()}


def check_maps(page: Page, picture: np.ndarray) -> None:
    """Every map, both dense layers, and the classes are those of torch."""
    wanted = by_torch(picture)
    np.testing.assert_array_equal(grays(canvas(page).locator("canvas"))[0], picture)
    for name, (maps, side) in list(MAPS.items())[1:]:
        values, signed = wanted[name], name.startswith("conv")
        largest = np.abs(values).max()
        expected = 255 * ((values / largest + 1) / 2 if signed else values / largest)
        shown = grays(layer(page, name).locator("canvas"))
        assert shown.shape == (maps, side, side)
        assert np.abs(shown - expected).max() <= 0.51
        black = f"black −{largest:.3g}, gray 0" if signed else "black 0"
        assert f"{maps} maps of {side} × {side}: {black}" in layer(page, name).locator(".cb-caption").inner_text()
    for number, name in enumerate(("activation3", "activation4")):
        expected = 255 * wanted[name] / wanted[name].max()
        shown = grays(root(page).locator(".cb-dense").nth(number).locator("canvas"))
        assert np.abs(shown.ravel() - expected).max() <= 0.51
    scores = [text.replace("−", "-") for text in root(page).locator("td:nth-child(2)").all_inner_texts()]
    assert [float(score) for score in scores] == pytest.approx(wanted["fc3"], rel=0.006)
    assert root(page).locator(".cb-best th").inner_text().startswith(GARMENTS[wanted["fc3"].argmax()])


@pytest.fixture(scope="module")
def explorer() -> LeNetExplorer:
    return LeNetExplorer()


def test_a_sample_is_picked_from_the_list_or_by_its_picture_and_all_that_follows_is_torchs(
    show: Show, explorer: LeNetExplorer
) -> None:
    page = show(explorer)
    check_maps(page, explorer.samples.images[0])
    page.get_by_label("Picture", exact=True).select_option("14: Sneaker")
    check_maps(page, explorer.samples.images[13])
    expect(root(page).locator(".cb-verdict")).to_contain_text("The label is Sneaker.")
    expect(root(page).locator("tr:has-text('(label)') th")).to_have_text("Sneaker (label)")
    root(page).locator(".cb-samples > *").nth(2).click()
    np.testing.assert_array_equal(drawing(page), explorer.samples.images[2])
    expect(page.get_by_label("Picture", exact=True)).to_have_value("2")
    expect(root(page).locator(".cb-shown")).to_have_count(1)
    expect(root(page).locator(".cb-verdict")).to_contain_text("That is its label.")


def test_the_mouse_draws_and_erases_and_the_network_answers(show: Show, explorer: LeNetExplorer) -> None:
    page = show(explorer)
    page.get_by_role("button", name="Clear").click()
    assert not drawing(page).any()
    page.mouse.move(*place(page, 5, 4))
    page.mouse.down()
    page.mouse.move(*place(page, 5, 20), steps=4)
    page.mouse.up()
    page.mouse.move(*place(page, 20, 20))
    expected = np.zeros((28, 28))
    expected[5:7, 4:22] = 255
    np.testing.assert_array_equal(drawing(page), expected)
    check_maps(page, drawing(page))
    expect(root(page).locator(".cb-verdict")).to_contain_text("Your picture has no label.")
    expect(page.get_by_label("Picture", exact=True)).to_have_value("your own")
    assert root(page).locator(".cb-shown").count() == 0
    page.get_by_label("Paint", exact=True).select_option("black (erases)")
    page.get_by_label("Brush").fill("1")
    page.mouse.click(*place(page, 5, 4))
    expected[5, 4] = 0
    np.testing.assert_array_equal(drawing(page), expected)
    assert selected(page) == ["input", 0, 5, 4]


def test_a_finger_draws_without_scrolling_the_page(show: Show, explorer: LeNetExplorer) -> None:
    page = show(explorer, width=375)
    page.get_by_role("button", name="Clear").click()
    devtools = page.context.new_cdp_session(page)
    before = page.evaluate("scrollY")

    def touch(kind: str, *points: tuple[float, float]) -> None:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    start, end = place(page, 3, 9), place(page, 14, 9)
    touch("touchStart", start)
    touch("touchMove", end)
    touch("touchEnd")
    page.wait_for_function("model.get('selected')[2] === 14")
    assert drawing(page)[3:16, 9:11].all() and page.evaluate("scrollY") == before


def test_the_keyboard_draws_alone(show: Show, explorer: LeNetExplorer) -> None:
    page = show(explorer)
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Brush").focus()
    page.keyboard.press("ArrowLeft")
    canvas(page).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expected = np.zeros((28, 28))
    expected[1, 2] = 255
    expected[1:4, 3] = 255
    np.testing.assert_array_equal(drawing(page), expected)
    assert selected(page) == ["input", 0, 3, 3]
    expect(root(page).locator(".cb-cell-text")).to_contain_text("input, row 4, column 4, is 2.02: gray 255 of 255")


def test_a_cell_is_chosen_by_pointer_and_keyboard_and_its_windows_are_framed(
    show: Show, explorer: LeNetExplorer
) -> None:
    page = show(explorer)
    pool1 = layer(page, "pool1").locator(".cb-picture").nth(4)
    page.mouse.click(*place(page, 6, 7, pool1, side=14))
    assert selected(page) == ["pool1", 4, 6, 7]
    values = by_torch(explorer.picture)["activation1"][4, 12:14, 14:16]
    cell = root(page).locator(".cb-cell-text")
    expect(cell).to_contain_text(f"pool1, map 5, row 7, column 8, is {values.max():.3g}: the largest of")
    expect(cell).to_contain_text("Behind it stand 6 × 6 pixels of the picture.")
    framed = "(maps) => maps.map((map) => !map.querySelector('.cb-frame').hidden)"
    of = {name: layer(page, name).locator(".cb-picture").evaluate_all(framed) for name in list(MAPS)[1:]}
    only = [number == 4 for number in range(6)]
    assert of["conv1"] == of["activation1"] == of["pool1"] == only
    assert not any(of["conv2"] + of["activation2"] + of["pool2"])
    box = layer(page, "activation1").locator(".cb-picture").nth(4).bounding_box()
    frame = layer(page, "activation1").locator(".cb-frame").nth(4).bounding_box()
    assert box is not None and frame is not None
    assert (frame["x"] - box["x"]) / box["width"] == pytest.approx(14 / 28, abs=0.02)
    assert frame["height"] / box["height"] == pytest.approx(2 / 28, abs=0.02)

    stop = layer(page, "conv2").get_by_role("application")
    stop.focus()
    assert selected(page) == ["pool1", 4, 6, 7], "Tab passes by"
    for key, wanted in [
        ("ArrowRight", ["conv2", 0, 5, 5]),
        ("ArrowRight", ["conv2", 0, 5, 6]),
        ("PageDown", ["conv2", 1, 5, 6]),
        ("End", ["conv2", 1, 5, 9]),
        ("PageUp", ["conv2", 0, 5, 9]),
        ("PageUp", ["conv2", 0, 5, 9]),
    ]:
        page.keyboard.press(key)
        assert selected(page) == wanted, key
    expect(cell).to_contain_text("150 products, of the windows of 5 × 5 in all 6 maps of pool1")
    assert all(layer(page, "conv1").locator(".cb-picture").evaluate_all(framed))
    expect(stop).to_be_focused()


def test_without_weights_it_can_be_drawn_on_and_keeps_its_place_when_they_come(
    show: Show, explorer: LeNetExplorer
) -> None:
    page = show(explorer)
    page.evaluate("window.kept = model.get('weights'); model.set('weights', null)")
    expect(root(page).locator(".cb-verdict")).to_have_text("The network starts when you move, scroll or press a key.")
    assert set(root(page).locator("td").all_inner_texts()) == {""}
    assert not grays(layer(page, "pool2").locator("canvas")).any()
    before = root(page).bounding_box()
    page.mouse.click(*place(page, 3, 3))
    assert drawing(page)[3, 3] == 255
    page.evaluate("model.set('weights', kept)")
    check_maps(page, drawing(page))
    after = root(page).bounding_box()
    assert before is not None and after is not None
    assert after["height"] == pytest.approx(before["height"], abs=2), "nothing jumps"


def test_screen_readers_hear_the_state_once_it_rests(show: Show, explorer: LeNetExplorer) -> None:
    page = show(explorer)
    status = root(page).get_by_role("status")
    expect(status).to_contain_text("Picture 1 of 16. The network says T-shirt/top")
    page.get_by_label("Picture", exact=True).select_option("9: Bag")
    expect(status).to_contain_text("Picture 9 of 16. The network says Bag")
    canvas(page).focus()
    page.keyboard.press("Space")
    expect(status).to_contain_text("A picture of your own. The network says")
    expect(status).to_contain_text("input, row 1, column 1, is ")


def test_two_views_of_one_model_show_the_same_and_python_accepts_what_they_set(
    show: Show, explorer: LeNetExplorer
) -> None:
    page = show(explorer)
    page.evaluate("showSecond()")
    second = page.locator("#second")
    second.get_by_label("Paint", exact=True).select_option("light gray")
    second.get_by_label("Brush").fill("3")
    second.locator(".cb-canvas").focus()
    page.keyboard.press("Space")
    check_maps(page, drawing(page))
    assert root(page).locator(".cb-verdict").inner_text() == second.locator(".cb-verdict").inner_text()
    names = ["picture", "ink", "brush", "selected"]
    read = LeNetExplorer()
    read.set_state(page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names))
    assert (read.ink, read.brush, tuple(read.selected)) == (170, 3, ("input", 0, 0, 0))
    assert read.picture[0, 0] == 170 and np.array_equal(read.picture, drawing(page))
    page.evaluate("cleanUps.forEach((each) => each())")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_every_text_reads_and_the_page_stays_narrow(
    show: Show,
    explorer: LeNetExplorer,
    axe: Callable[[Page], list[str]],
    least_contrast: Callable[[Page], tuple[float, str]],
    theme: str,
) -> None:
    page = show(explorer, theme=theme, reduced_motion="reduce")
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    for width in (375, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == [], "narrow"
    assert page.locator("#first [id]").count() == 0
    for target in root(page).locator("button, select, input, [role=application], .cb-samples > *").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target.evaluate("(element) => element.outerHTML")


def test_every_control_is_reached_by_tab_and_opts_out_of_jupyters_shortcuts(
    show: Show, explorer: LeNetExplorer
) -> None:
    page = show(explorer)
    seen = []
    for _ in range(11):
        page.keyboard.press("Tab")
        name, opts_out = page.evaluate(
            """() => {
              const { ariaLabel, labels, textContent, dataset } = document.activeElement;
              return [ariaLabel || labels?.[0]?.textContent || textContent, dataset.lmSuppressShortcuts];
            }"""
        )
        assert opts_out == "true", name
        seen.append(name.split(",")[0])
    assert seen == ["Picture", "Paint", "Brush2 pixels", "Clear", "Picture", *list(MAPS)[1:]]
