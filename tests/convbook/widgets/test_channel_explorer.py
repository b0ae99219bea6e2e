"""The channel explorer: its state in Python, and its arithmetic in node against torch in float64."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from convbook.shapes import Conv, table
from convbook.widgets import ChannelExplorer

Node = Callable[..., Any]
IMPORT = 'import * as math from "./channel_explorer.math.mjs";\n'
PARTS = ("image", "weight", "bias", "selected")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Hundreds of tiny convolutions: threads would cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def state_of(widget: ChannelExplorer) -> dict[str, Any]:
    state = widget.get_state()
    return {name: state[name] for name in PARTS}


def by_torch(state: dict[str, Any]) -> np.ndarray:
    """The maps that torch computes: (filters, rows, columns)."""
    image, weight = (torch.tensor(state[name], dtype=torch.float64) for name in ("image", "weight"))
    bias = None if state["bias"] is None else torch.tensor(state["bias"], dtype=torch.float64)
    return np.asarray(F.conv2d(image[None], weight, bias, groups=len(image) // weight.shape[1])[0].numpy())


def divisors(channels: int, filters: int) -> list[int]:
    return [groups for groups in range(1, 7) if channels % groups == filters % groups == 0]


def random_states(seed: int, count: int) -> list[dict[str, Any]]:
    draws = np.random.default_rng(seed)
    states = []
    for _ in range(count):
        channels, filters = (int(n) for n in draws.integers(1, 7, 2))
        groups, size = int(draws.choice(divisors(channels, filters))), int(draws.integers(1, 4))
        widget = ChannelExplorer(
            image=draws.normal(size=(channels, *draws.integers(3, 7, 2))),
            weight=draws.normal(size=(filters, channels // groups, size, size)),
            bias=draws.normal(size=filters) if draws.integers(2) else None,
            selected=tuple(draws.integers(0, 8, 3).tolist()),
        )
        states.append(state_of(widget))
    return states


def test_maps_and_sums_by_channel_are_those_of_torch_for_any_state(node: Node) -> None:
    states = random_states(1, 400)
    views = node(f"{IMPORT}const answer = input.map((state) => [math.explain(state), math.summary(state)]);", states)
    for state, (view, said) in zip(states, views, strict=True):
        wanted = by_torch(state)
        np.testing.assert_allclose(view["maps"], wanted, rtol=1e-12, atol=1e-12)
        f, i, j = view["selected"]
        assert [f, i, j] == [min(at, n - 1) for at, n in zip(state["selected"], wanted.shape, strict=True)]
        assert view["total"] == pytest.approx(wanted[f, i, j])
        for part in view["sums"]:
            others = np.array(state["image"])
            others[np.arange(len(others)) != part["channel"]] = 0
            alone = by_torch(state | {"image": others.tolist(), "bias": None})[f, i, j]
            assert part["sum"] == pytest.approx(alone, abs=1e-12)
        assert view["bias"] == (0 if state["bias"] is None else state["bias"][f])
        assert not any(word in said for word in ("undefined", "NaN", "null", "Infinity"))


def test_a_filter_reads_the_channels_by_which_torchs_output_moves(node: Node) -> None:
    states = random_states(2, 150)
    for state, reads in zip(
        states,
        node(f"{IMPORT}const answer = input.map((s) => s.weight.map((_, f) => math.reads(s, f)));", states),
        strict=True,
    ):
        plain = by_torch(state)
        for channel in range(len(state["image"])):
            image = np.array(state["image"])
            image[channel] += 1
            moved = np.abs(by_torch(state | {"image": image.tolist()}) - plain).max(axis=(1, 2)) > 1e-9
            assert [channel in each for each in reads] == moved.tolist()


def test_parameters_and_multiply_adds_are_those_of_convbook(node: Node) -> None:
    states = random_states(3, 200)
    for state, cost in zip(states, node(f"{IMPORT}const answer = input.map(math.cost);", states), strict=True):
        channels, rows, columns = np.shape(state["image"])
        filters, depth, size, _ = np.shape(state["weight"])
        layer = Conv(filters, size, groups=channels // depth, bias=state["bias"] is not None)
        (row,) = table([layer], (channels, rows, columns)).rows
        assert (cost["parameters"], cost["multiplyAdds"]) == (row.parameters, row.multiply_adds)
        for line, total in zip(cost["lines"], (row.parameters, row.multiply_adds), strict=True):
            product, result = line.split(": ")[1].split(" = ")
            assert int(result) == total
            assert eval(product.replace("·", "*").replace("²", "**2")) == total, line


def test_every_setting_of_the_controls_gives_a_state_that_python_accepts(node: Node) -> None:
    """From every number of channels, filters and groups to every other, in two steps of any kind."""
    code = f"""{IMPORT}
const range = ([first, last]) => Array.from({{ length: last - first + 1 }}, (_, i) => first + i);
const answer = [];
for (const channels of range(math.RANGES.channels)) for (const filters of range(math.RANGES.filters))
for (const groups of math.divisors(channels, filters)) for (const size of range(math.RANGES.size)) {{
  const step = (state, wanted) => ({{ ...state, ...math.restacked(state, wanted) }});
  const one = step(step(input, {{ channels, filters }}), {{ groups, size }});
  for (const wanted of [{{}}, {{ channels: 7 - channels }}, {{ filters: 7 - filters }}]) {{
    const two = step(one, wanted);
    if (!math.consistent(two)) throw new Error(JSON.stringify([channels, filters, groups, size, wanted]));
    answer.push([channels, filters, groups, size, wanted, one, two]);
  }}
}}"""
    seen = node(code, state_of(ChannelExplorer()))
    assert len(seen) == 3 * 3 * sum(len(divisors(c, f)) for c in range(1, 7) for f in range(1, 7))
    widget = ChannelExplorer()
    for channels, filters, groups, size, wanted, one, two in seen:
        assert np.shape(one["weight"]) == (filters, channels // groups, size, size)
        assert (len(one["image"]), len(one["bias"])) == (channels, filters)
        c, f = wanted.get("channels", channels), wanted.get("filters", filters)
        assert len(two["image"]) // len(two["weight"][0]) == max(g for g in divisors(c, f) if g <= groups)
        widget.set_state(two)
        assert widget.weight == two["weight"]


def test_what_stays_keeps_its_numbers_when_a_control_changes(node: Node) -> None:
    state = state_of(ChannelExplorer())
    code = f"""{IMPORT}const restack = (wanted) => math.restacked(input, wanted);
    const answer = [{{ channels: 3 }}, {{ filters: 1 }}, {{ groups: 2 }}, {{ size: 3 }}, {{ size: 1 }}].map(restack);"""
    more, fewer, grouped, larger, smaller = (
        {name: np.array(each[name]) for name in ("image", "weight")} for each in node(code, state)
    )
    image, weight = np.array(state["image"]), np.array(state["weight"])
    np.testing.assert_array_equal(more["image"][:2], image)
    np.testing.assert_array_equal(more["weight"][:, :2], weight)
    np.testing.assert_array_equal(fewer["weight"], weight[:1])
    np.testing.assert_array_equal(grouped["weight"][:, 0], weight[[0, 1], [0, 1]])
    np.testing.assert_array_equal(larger["weight"][..., :2, :2], weight)
    np.testing.assert_array_equal(smaller["weight"], weight[..., :1, :1])


def test_the_default_is_the_sum_that_the_chapter_works_by_hand(node: Node) -> None:
    view = node(f"{IMPORT}const answer = math.explain(input);", state_of(ChannelExplorer()))
    assert ([each["sum"] for each in view["sums"]], view["bias"], view["total"]) == ([2, 3], 1, 6)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (1, "Each filter reads all 4 channels."),
        (2, "In 2 groups, each filter reads 2 of the 4 channels."),
        (4, "Depthwise: in 4 groups, each filter reads one channel of its own group."),
    ],
)
def test_the_wiring_in_words(node: Node, groups: int, words: str) -> None:
    state = state_of(ChannelExplorer(image=np.ones((4, 3, 3)), weight=np.ones((4, 4 // groups, 2, 2)), bias=None))
    assert node(f"{IMPORT}const answer = math.wiring(input);", state) == words


def test_the_summary_says_what_the_page_shows(node: Node) -> None:
    assert node(f"{IMPORT}const answer = math.summary(input);", state_of(ChannelExplorer())) == (
        "2 channels and 2 filters of 2 by 2 weights a channel give 2 maps of 3 by 3 cells. "
        "Each filter reads all 2 channels. In the map of filter 0, row 1, column 1 is 6: "
        "2 from channel 0, 3 from channel 1 and a bias of 1. The layer has 18 parameters and takes 144 multiply-adds."
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"weight": np.ones((2, 2, 2, 3))}, "a square kernel that fits into 4 × 4 pixels. Got 2 × 3"),
        ({"image": np.ones((2, 1, 4))}, "a square kernel that fits into 1 × 4 pixels. Got 2 × 2"),
        (
            {"image": np.ones((3, 4, 4))},
            "kernels for all 3 channels, or for a group that divides them. Got kernels for 2",
        ),
        ({"image": np.ones((6, 4, 4))}, "as many filters in each of its 3 groups. Got 2"),
        ({"bias": [1, 2, 3]}, "a bias for each of its 2 filters, or None. Got 3"),
        ({"image": np.ones((7, 4, 4))}, "Got shape"),
        ({"image": np.ones((4, 4))}, "Got shape"),
        ({"weight": np.full((2, 2, 2, 2), np.nan)}, "infinite or not a number"),
        ({"selected": (0, 0)}, "selected"),
    ],
)
def test_shapes_that_torch_would_refuse_are_refused_with_a_reason(change: dict[str, Any], reason: str) -> None:
    widget = ChannelExplorer()
    before = state_of(widget)
    ((name, value),) = change.items()
    with pytest.raises(traitlets.TraitError, match=reason):
        setattr(widget, name, value)
    assert state_of(widget) == before
    with pytest.raises(traitlets.TraitError, match=reason):
        ChannelExplorer(**change)


def test_channels_and_weights_change_together() -> None:
    widget = ChannelExplorer()
    with widget.hold_trait_notifications():
        widget.image = np.ones((6, 4, 4))
        widget.weight = np.ones((6, 1, 2, 2))
        widget.bias = None
    assert (np.shape(widget.weight), widget.bias) == ((6, 1, 2, 2), None)


def test_the_page_offers_what_python_accepts(node: Node) -> None:
    ranges = node(f"{IMPORT}const answer = math.RANGES;")
    traits = ChannelExplorer.class_traits()
    filters, channels, size, _ = traits["weight"].limits
    assert ranges == {"channels": [1, channels], "filters": [1, filters], "size": [1, size]}
    assert traits["image"].limits[0] == channels
