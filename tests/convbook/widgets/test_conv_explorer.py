"""The explorer as Python sees it: its state, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import traitlets

from convbook.widgets import ConvExplorer


def test_it_starts_with_an_edge_and_a_kernel_that_finds_it() -> None:
    explorer = ConvExplorer()
    assert np.shape(explorer.image) == (7, 7)
    assert explorer.kernel == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert explorer.out_shape is None, "no page has worked it out yet"


def test_two_explorers_do_not_share_state() -> None:
    one, other = ConvExplorer(), ConvExplorer()
    one.kernel[0][0] = 99
    assert other.kernel[0][0] == ConvExplorer().kernel[0][0] == -1


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("stride", 0),
        ("stride", 5),
        ("stride", 1.5),
        ("padding", -1),
        ("padding_mode", "same"),
        ("dilation", 4),
        ("flip", "yes"),
        ("selected", (0,)),
        ("selected", (-1, 0)),
        ("kernel", np.ones((6, 6))),
        ("image", np.ones((13, 13))),
        ("image", np.ones((2, 2, 3))),
    ],
)
def test_a_value_without_meaning_is_refused_by_name_and_changes_nothing(trait: str, value: Any) -> None:
    explorer = ConvExplorer()
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before
