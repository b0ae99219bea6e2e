"""What bars, bands and rings tell is there in forced colors, too, where a browser drops backgrounds and shadows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from convbook import widgets
from convbook.widgets.base import Widget

FRAME = (
    "(each) => { const { outlineStyle, outlineOffset } = getComputedStyle(each); return outlineStyle + outlineOffset; }"
)


@pytest.mark.parametrize(
    ("made", "telling"),
    [
        (lambda: widgets.LayerStack(), "tbody td:nth-child(5)"),
        (lambda: widgets.LeNetExplorer(), "tbody td:nth-child(3)"),
        (lambda: widgets.ActivationExplorer(activation="gelu"), ".cb-bands .cb-band-0"),
    ],
)
def test_bars_and_bands_are_painted(show: Callable[..., Page], made: Callable[[], Widget], telling: str) -> None:
    page = show(made())
    page.emulate_media(forced_colors="active")
    found = page.locator(telling).first
    painted = found.screenshot()
    found.evaluate("(each) => each.style.setProperty('background', 'none', 'important')")
    assert found.screenshot() != painted


def test_a_chosen_cell_has_a_frame_and_the_one_with_the_focus_another(show: Callable[..., Page]) -> None:
    page = show(widgets.ConvExplorer())
    page.emulate_media(forced_colors="active")
    chosen = page.locator("#first [role=gridcell][aria-selected=true]").first
    assert chosen.evaluate(FRAME) == "solid-3px"
    page.keyboard.press("Tab")  # a reader with a keyboard
    chosen.focus()
    assert chosen.evaluate(FRAME) == "solid2px"
