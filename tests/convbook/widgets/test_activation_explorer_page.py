"""The activation explorer in a browser: what a reader does by mouse and keyboard, and what the page then shows."""

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from convbook.widgets import ActivationExplorer

Show = Callable[..., Page]
NAMES = ActivationExplorer.class_traits()["activation"].values


def first(page: Page) -> Locator:
    return page.locator("#first .cb-widget")


def equation(page: Page) -> Locator:
    return first(page).locator(".cb-equation")


def column(page: Page, index: int, view: str = "#first") -> list[str]:
    """A column of the table of layers, from the start to the tenth."""
    return page.locator(f"{view} tbody tr > :nth-child({index})").all_inner_texts()


def test_the_slider_chooses_x_by_keyboard_and_value_and_slope_follow(show: Show) -> None:
    page = show(ActivationExplorer(activation="relu"))
    expect(equation(page)).to_have_text("f(1) = 1 and f′(1) = 1")
    slider = page.get_by_role("slider", name="Input x")
    slider.press("ArrowLeft")
    assert page.evaluate("model.get('x')") == 0.9
    assert slider.get_attribute("aria-valuetext") == "0.9"
    slider.press("Home")
    assert page.evaluate("model.get('x')") == -50
    expect(equation(page)).to_have_text("f(−50) = 0 and f′(−50) = 0")
    expect(first(page)).to_contain_text("The unit is silent here: no gradient gets back.")
    expect(first(page)).to_contain_text("ReLU is silent (slope exactly 0) for x ≤ 0.")


def test_a_setting_is_offered_only_to_the_activation_that_has_it(show: Show) -> None:
    page = show(ActivationExplorer(x=-2))
    leak, alpha = page.get_by_role("slider", name="Slope, x < 0"), page.get_by_role("slider", name="Alpha")
    for name in NAMES:
        page.get_by_label("Activation", exact=True).select_option(name)
        assert page.evaluate("model.get('activation')") == name
        assert (leak.is_visible(), alpha.is_visible()) == (name == "leaky_relu", name == "elu")
    page.get_by_label("Activation", exact=True).select_option("leaky_relu")
    leak.fill("20")
    expect(equation(page)).to_have_text("f(−2) = −0.4 and f′(−2) = 0.2")
    page.get_by_label("Activation", exact=True).select_option("elu")
    alpha.fill("20")
    expect(equation(page)).to_have_text("f(−2) = −1.73 and f′(−2) = 0.271")


def test_the_weight_decides_what_ten_layers_do(show: Show) -> None:
    page = show(ActivationExplorer(activation="identity"))
    assert column(page, 1) == ["Start", *map(str, range(1, 11))]
    assert column(page, 2) == ["1"] * 11
    page.get_by_role("slider", name="Weight w").fill("20")
    assert column(page, 2) == column(page, 4) == [str(2**layer) for layer in range(11)]
    assert column(page, 3) == ["", *["2"] * 10]
    outcome = first(page).locator(".cb-outcome")
    expect(outcome).to_contain_text("The product of 10 slopes, the gradient, is 1024: it explodes (over 100 in size).")
    page.get_by_role("slider", name="Weight w").fill("-5")
    expect(outcome).to_contain_text("is 9.77·10⁻⁴: it vanishes (under 0.01 in size).")


def test_layers_are_named_silent_and_saturated(show: Show) -> None:
    page = show(ActivationExplorer(activation="relu", weight=-1))
    assert column(page, 5) == ["", *["silent"] * 10]
    page.get_by_label("Activation", exact=True).select_option("tanh")
    page.get_by_role("slider", name="Weight w").fill("40")
    assert column(page, 5) == ["", *["saturated"] * 10]
    assert (
        page.locator("#first tr.cb-saturated td:last-child").first.evaluate(
            "(cell) => Number(getComputedStyle(cell).fontWeight)"
        )
        > 500
    )


def test_curves_mark_x_and_shade_where_the_slope_is_small(show: Show) -> None:
    page = show(ActivationExplorer(activation="sigmoid", x=2.5))
    for index, words in enumerate(("value 0.924.", "slope 0.0701. sigmoid is saturated")):
        graph = first(page).locator(".cb-plot").nth(index)
        expect(graph).to_have_attribute("role", "img")
        assert words in (graph.get_attribute("aria-label") or "")
        assert graph.locator(".cb-dot").count() == 1
        expect(graph.locator(".cb-legend")).to_contain_text("saturated (|slope| < 0.05)")
        frame, shade = graph.locator("svg").first.bounding_box(), graph.locator(".cb-bands > span").last.bounding_box()
        assert frame is not None
        assert shade is not None
        # From 2.887 to the right edge, of a plot from −5 to 5.
        assert shade["x"] - frame["x"] == pytest.approx(0.7887 * frame["width"], abs=1.5)
        assert shade["x"] + shade["width"] == pytest.approx(frame["x"] + frame["width"], abs=1.5)
        assert shade["height"] == pytest.approx(frame["height"], abs=1)
        assert graph.locator(".cb-band-0:not(.cb-sample)").count() == 2
    page.get_by_label("Activation", exact=True).select_option("relu")
    assert first(page).locator(".cb-bands .cb-band-1").count() == 2
    assert first(page).locator(".cb-band-0").count() == 0
    expect(first(page).locator(".cb-legend").first).to_contain_text("silent (slope exactly 0)")
    page.get_by_label("Activation", exact=True).select_option("identity")
    assert first(page).locator(".cb-bands > span").count() == 0


def test_silent_and_saturated_are_told_apart_by_hatching_and_lines_by_dashes(show: Show) -> None:
    page = show(ActivationExplorer(activation="relu"))
    style = "(span) => getComputedStyle(span).backgroundImage"
    assert "gradient" in first(page).locator(".cb-bands > span").first.evaluate(style)
    page.get_by_label("Activation", exact=True).select_option("tanh")
    assert first(page).locator(".cb-bands > span").first.evaluate(style) == "none"
    dashes = [
        line.evaluate("(line) => getComputedStyle(line).strokeDasharray")
        for line in first(page).locator(".cb-legend path").all()
    ]
    assert dashes == ["none", "8px, 4px", "none", "8px, 4px"], "value, slope; value, product of slopes"


def test_the_curves_widen_for_an_x_far_out(show: Show) -> None:
    page = show(ActivationExplorer())
    ticks = first(page).locator(".cb-plot").first.locator(".cb-columns span")
    assert ticks.all_inner_texts() == ["−4", "−2", "0", "2", "4"]
    page.get_by_role("slider", name="Input x").press("End")
    assert ticks.all_inner_texts() == ["−40", "−20", "0", "20", "40"]
    assert first(page).locator(".cb-plot").first.locator(".cb-dot").count() == 1


def test_the_plot_of_layers_ends_where_the_gradient_is_lost(show: Show) -> None:
    page = show(ActivationExplorer(activation="relu", x=2, weight=1))
    graph = first(page).locator(".cb-plot").nth(2)

    def marked() -> float:
        frame, mark = graph.locator("svg").first.bounding_box(), graph.locator(".cb-at").bounding_box()
        assert frame is not None
        assert mark is not None
        return (mark["x"] + mark["width"] / 2 - frame["x"]) / frame["width"]

    assert marked() == pytest.approx(1, abs=0.01)
    assert graph.locator(".cb-dot").count() == 2
    page.get_by_role("slider", name="Weight w").fill("-10")
    assert marked() == pytest.approx(0, abs=0.01)
    assert graph.locator(".cb-dot").count() == 2


def test_screen_readers_hear_the_state(show: Show) -> None:
    page = show(ActivationExplorer())
    status = first(page).get_by_role("status")
    expect(status).to_contain_text("tanh, f(x) = tanh x = 2σ(2x) − 1. At x = 1 the value is 0.762 and the slope 0.42.")
    page.get_by_role("slider", name="Input x").fill("30")
    expect(status).to_contain_text("At x = 3 the value is 0.995 and the slope 0.00987. The unit is saturated here")
    expect(first(page).get_by_role("table", name="What each layer does")).to_be_visible()


def test_two_views_move_together_python_takes_it_back_and_all_is_cleaned_up(show: Show) -> None:
    widget = ActivationExplorer()
    page = show(widget)
    page.evaluate("showSecond()")
    page.get_by_label("Activation", exact=True).first.select_option("gelu")
    page.get_by_role("slider", name="Input x").last.fill("-7")
    page.get_by_role("slider", name="Weight w").last.fill("-13")
    assert column(page, 4) == column(page, 4, "#second")
    names = sorted(ActivationExplorer.class_own_traits(sync=True))
    widget.set_state(
        page.evaluate("(names) => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)
    )
    assert (widget.activation, widget.x, widget.weight) == ("gelu", -0.7, -1.3)
    assert page.evaluate("saves") == 3
    page.evaluate("cleanUps.forEach((each) => each())")
    assert page.locator(".cb-widget").count() == 0
    assert page.evaluate("listening()") == 0


def test_any_combination_of_extreme_values_renders_numbers(show: Show) -> None:
    page = show(ActivationExplorer())
    values = {
        "activation": NAMES,
        "x": [-50, 0, 50],
        "weight": [-5, 5],
        "negative_slope": [0],
        "alpha": [3],
    }
    shown = page.evaluate(
        """(values) => {
          const shown = [];
          const root = document.querySelector("#first .cb-widget");
          (function over([name, ...rest]) {
            if (name) for (const value of values[name]) { model.set(name, value); over(rest); }
            else shown.push(`${root.innerHTML}`);
          })(Object.keys(values));
          return [...new Set(shown.map((html) => /NaN|Infinity|undefined|null/.exec(html)?.[0])), shown.length];
        }""",
        values,
    )
    assert shown == [None, len(list(itertools.product(*values.values())))]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_every_text_reads_and_nothing_is_wider_than_the_page(
    show: Show, axe: Callable[[Page], list[str]], least_contrast: Callable[[Page], tuple[float, str]], theme: str
) -> None:
    page = show(ActivationExplorer(activation="leaky_relu", x=0.5, weight=-5), theme=theme, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(first(page).locator(".cb-scroller")).to_have_attribute("aria-label", "Ten layers, scrolls sideways")
    assert axe(page) == []
    ratio, element = least_contrast(page)
    assert 4.5 <= ratio <= 21, element
    small = page.evaluate(
        """() => [...document.querySelectorAll("#first :is(button, select, input)")]
          .filter((each) => each.checkVisibility())
          .filter((each) => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24)
          .map((each) => each.outerHTML)"""
    )
    assert small == []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("Activation", exact=True).select_option("gelu")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.locator("#first [id]").count() == 0


def test_nothing_moves_by_itself(show: Show) -> None:
    page = show(ActivationExplorer())
    page.get_by_role("slider", name="Input x").press("End")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("#first *")].filter((each) =>
          each.getAnimations().length || getComputedStyle(each).transitionDuration !== "0s").length"""
    )
    assert moving == 0
