"""The painter in a browser: what a reader paints by mouse, finger and keyboard, and what the page then shows."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import KernelPainter

Show = Callable[..., Page]
NOISE = np.random.default_rng(5).integers(0, 256, (12, 16)).astype(np.uint8)
SOBEL_X = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
IDENTITY = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def root(page: Page) -> Locator:
    return page.locator("#first .cb-painter")


def kernel(page: Page) -> list[list[float]]:
    found: list[list[float]] = page.evaluate("model.get('kernel')")
    return found


def grays(page: Page, place: int) -> np.ndarray:
    """What a canvas shows, the picture (0) or the map (1); every pixel is an opaque gray."""
    shown = page.evaluate(
        """(place) => {
          const canvas = document.querySelectorAll("#first canvas")[place];
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.height, canvas.width, [...data]];
        }""",
        place,
    )
    pixels = np.reshape(shown[2], (shown[0], shown[1], 4))
    assert (pixels[..., 3] == 255).all()
    assert (pixels[..., :1] == pixels[..., :3]).all()
    return np.asarray(pixels[..., 0])


def mapped(weights: list[list[float]], picture: np.ndarray = NOISE) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(picture / 255, np.shape(weights))
    return np.asarray(np.einsum("ijuv,uv->ij", windows, weights))


def signed(values: np.ndarray) -> np.ndarray:
    largest = np.abs(values).max()
    return np.asarray(255 * (values + largest) / (2 * largest))


def cell(page: Page, row: int, column: int) -> Locator:
    return page.get_by_label(f"kernel row {row}, column {column}")


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_picture_stands_beside_the_map_that_the_kernel_makes(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, selected=(3, 5)))
    np.testing.assert_array_equal(grays(page, 0), NOISE)
    assert np.abs(grays(page, 1) - signed(mapped(SOBEL_X))).max() <= 0.5 + 1e-6
    expect(root(page).locator(".cb-sum")).to_have_text(
        f"Sum of 9 products: {mapped(SOBEL_X)[3, 5]:.3g}".replace("-", "−")
    )
    patch = root(page).locator(".cb-result [role=cell]")
    assert [float(text) for text in patch.all_inner_texts()] == pytest.approx(
        (NOISE[3:6, 5:8] / 255).ravel(), rel=0.005
    )
    assert [each.get_attribute("data-weight") for each in patch.all()][:3] == ["×−1", "×0", "×1"]


def test_the_mouse_paints_the_cells_it_is_drawn_over_and_leaves_one_ready_to_type(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=IDENTITY, brush=2))
    page.mouse.move(*middle(cell(page, 1, 1)))
    page.mouse.down()
    page.mouse.move(*middle(cell(page, 1, 3)), steps=12)
    page.mouse.up()
    assert kernel(page) == [[2, 2, 2], [0, 1, 0], [0, 0, 0]]
    page.mouse.move(*middle(cell(page, 3, 3)))
    assert kernel(page)[2] == [0, 0, 0], "nothing is painted without a button"
    expect(cell(page, 1, 3)).to_be_focused()
    page.keyboard.type("1/4")
    assert kernel(page)[0] == [2, 2, 0.25]
    assert np.abs(grays(page, 1) - (255 * mapped(kernel(page))).clip(0, 255)).max() <= 0.5 + 1e-6
    expect(page.get_by_label("Kernel", exact=True)).to_have_value("custom")


def test_a_stroke_ends_wherever_the_button_is_let_go(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=IDENTITY))
    page.mouse.move(*middle(cell(page, 1, 1)))
    page.mouse.down()
    page.mouse.move(5, 5)
    page.mouse.up()
    page.mouse.move(*middle(cell(page, 3, 3)))
    page.mouse.move(5, 5)
    page.mouse.down()
    page.mouse.move(*middle(cell(page, 3, 2)), steps=5)
    page.mouse.up()
    assert kernel(page) == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_the_space_bar_paints_the_cell_that_arrow_keys_reach(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=IDENTITY))
    page.get_by_label("Brush").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Brush").press("Tab")
    cell(page, 1, 1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert kernel(page) == [[0, 0, 0], [2, 1, 0], [0, 0, 0]]
    expect(cell(page, 2, 1)).to_have_value("2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert kernel(page)[1] == [2, 2, 0]


def test_a_finger_paints_and_opens_no_keyboard(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=IDENTITY, brush=-1))
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", middle(cell(page, 3, 1)))
    touch("touchMove", middle(cell(page, 3, 2)))
    touch("touchMove", middle(cell(page, 2, 2)))
    touch("touchEnd")
    page.wait_for_function("model.get('kernel')[1][1] === -1")
    assert kernel(page) == [[0, 0, 0], [0, -1, 0], [-1, -1, 0]]
    assert page.evaluate("document.activeElement.tagName") != "INPUT"


def test_presets_sizes_and_normalizing_set_the_kernel(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE))
    normalize = page.get_by_role("button", name="Normalize")
    expect(normalize).to_be_disabled()
    page.get_by_label("Kernel", exact=True).select_option("emboss")
    assert kernel(page) == [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]
    page.get_by_label("Size").select_option("5 × 5")
    np.testing.assert_array_equal(kernel(page), np.pad([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], 1))
    expect(page.get_by_label("Kernel", exact=True)).to_have_value("emboss")
    assert grays(page, 1).shape == (8, 12)
    page.get_by_label("Kernel", exact=True).select_option("box blur, 5 × 5")
    cell(page, 1, 1).fill("1")
    normalize.click()
    assert np.sum(kernel(page)) == pytest.approx(1)
    assert kernel(page)[0][0] == pytest.approx(1 / (1 + 24 / 25))
    expect(root(page).locator(".cb-meaning")).to_contain_text("a mean of its neighbors")


def test_the_gray_scale_can_be_chosen_and_says_what_is_cut(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=np.ones((3, 3))))
    values = mapped(np.ones((3, 3)).tolist())
    expect(root(page).locator(".cb-cut")).to_have_text(
        f"{100 * (values > 1).mean():.3g} % of the pixels lie outside and are cut."
    )
    page.get_by_label("Gray scale").select_option("signed")
    expect(root(page).locator(".cb-cut")).to_be_empty()
    assert np.abs(grays(page, 1) - signed(values)).max() <= 0.5 + 1e-6
    largest = f"{values.max():.3g}"
    assert root(page).locator(".cb-scale span").all_inner_texts() == [f"−{largest}", "0", largest]


def test_the_pointer_and_arrow_keys_choose_a_pixel_of_the_map(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, selected=(0, 0)))
    result = page.locator("#first .cb-output .cb-picture")
    box = result.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 13.5 / 14, box["y"] + box["height"] * 2.5 / 10)
    assert page.evaluate("model.get('selected')") == [2, 13]
    frame = result.locator(".cb-frame").bounding_box()
    assert frame is not None
    assert frame["x"] + frame["width"] / 2 == pytest.approx(box["x"] + box["width"] * 13.5 / 14, abs=1)
    result.focus()
    for key, chosen in [("ArrowDown", [3, 13]), ("ArrowRight", [3, 13]), ("Home", [3, 0]), ("Shift+ArrowDown", [9, 0])]:
        page.keyboard.press(key)
        assert page.evaluate("model.get('selected')") == chosen, key
    photograph = page.locator("#first .cb-picture").first
    box = photograph.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 8.5 / 16, box["y"] + box["height"] * 6.5 / 12)
    assert page.evaluate("model.get('selected')") == [5, 7], "the patch around the pixel"


def test_the_choice_stays_inside_when_the_map_shrinks(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, selected=(9, 13)))
    page.get_by_label("Size").select_option("5 × 5")
    assert page.evaluate("model.get('selected')") == [7, 11]


def test_what_is_no_number_is_named_and_loses_nothing(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE))
    cell(page, 1, 1).fill("abc")
    expect(root(page).get_by_role("alert")).to_contain_text("“abc” is not a number")
    assert kernel(page) == SOBEL_X


def test_screen_readers_hear_the_state_once_it_rests(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE))
    page.get_by_label("Kernel", exact=True).select_option("box blur")
    expect(root(page).get_by_role("status")).to_contain_text("Kernel of 3 by 3 weights, box blur, from 1/9 to 1/9.")


def test_two_views_of_one_model_show_the_same_and_python_accepts_what_they_set(show: Show) -> None:
    painter = KernelPainter(picture=NOISE)
    page = show(painter)
    page.evaluate("showSecond()")
    page.locator("#second").get_by_label("Kernel", exact=True).select_option("Laplacian")
    page.locator("#second").get_by_label("Brush").fill("-3")
    np.testing.assert_array_equal(grays(page, 1), signed(mapped([[0, 1, 0], [1, -4, 1], [0, 1, 0]])).round())
    names = ["kernel", "brush", "tones", "selected"]
    painter.set_state(
        page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    )
    assert painter.kernel == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    assert painter.brush == -3
    page.evaluate("cleanUps.forEach((each) => each()); forget()")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_every_text_reads_and_the_page_stays_narrow(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=np.full((5, 5), -1 / 3)), theme=theme)
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    page.set_viewport_size({"width": 320, "height": 900})
    cell(page, 1, 1).fill("abc")
    assert axe(page) == [], "narrow, with a note"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("#first [id]").count() == 0
    for target in root(page).locator("button, select, input, [role=application]").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, target.evaluate("(element) => element.outerHTML")


def test_every_control_is_reached_by_tab_and_opts_out_of_jupyters_shortcuts(show: Show) -> None:
    page = show(KernelPainter(picture=NOISE, kernel=IDENTITY))
    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        name, opts_out = page.evaluate(
            """() => {
              const { ariaLabel, labels, textContent, dataset } = document.activeElement;
              return [ariaLabel || labels?.[0]?.textContent || textContent, dataset.lmSuppressShortcuts];
            }"""
        )
        assert opts_out == "true", name
        seen.append(name.split(",")[0])
    assert seen == [
        "Normalize to sum 1",
        "Kernel",
        "Size",
        "Brush1",
        "Gray scale",
        "kernel row 1",
        "Map of a picture",
    ]
