"""The explorer of receptive fields: its figures are those of convbook.shapes, its paths those of torch's gradients."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from convbook.shapes import Conv, Pool, table
from convbook.widgets import ReceptiveField
from convbook.widgets.receptive_field import RANGES

Node = Callable[..., Any]
IMPORT = 'import * as math from "./receptive_field.math.mjs";\n'


def random_stacks(seed: int, count: int) -> list[ReceptiveField]:
    """Stacks of every kind of layer and setting that the page offers; about half of them fit their input."""
    draws = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        layers = []
        for _ in range(draws.integers(1, 7)):
            kind = [Conv, Pool][draws.integers(2)]
            small = draws.integers(3) > 0
            settings = {
                name: int(draws.integers(low, (min(high, low + 2) if small else high) + 1))
                for name, (low, high) in RANGES[kind].items()
            }
            layers.append(kind(**settings))
        unit = [None, 0, 3, 200][draws.integers(4)]
        found.append(ReceptiveField(layers=layers, size=int(draws.integers(1, 65)), unit=unit))
    return found


def state_of(widget: ReceptiveField) -> dict[str, Any]:
    state = widget.get_state()
    return {name: state[name] for name in ("layers", "size", "unit")}


def fitting(layers: list[Any], size: int) -> int:
    """How many of the layers can follow one another, by convbook.shapes."""
    for count in range(1, len(layers) + 1):
        try:
            table(layers[:count], (1, size))
        except ValueError:
            return count - 1
    return len(layers)


def paths_by_torch(layers: list[Any], size: int, unit: int) -> list[int]:
    """How often each pixel enters a unit: the gradient through convolutions and sums of ones, in float64."""
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in layers:
        ones = torch.ones(1, 1, layer.kernel, dtype=torch.float64)
        y = F.conv1d(y, ones, None, layer.stride, layer.padding, layer.dilation)
    (gradient,) = torch.autograd.grad(y[0, 0, unit], x)
    return [round(each) for each in gradient[0, 0].tolist()]


def test_sizes_fields_jumps_and_centers_are_those_of_convbook_for_any_stack(node: Node) -> None:
    stacks = random_stacks(1, 500)
    code = f"""{IMPORT}const answer = input.map((state) => {{
      const {{ maps, problem }} = math.maps(state);
      const centers = (map) => Array.from({{ length: map.n }}, (_, unit) => math.center(map, unit));
      return {{ maps: maps.map((map) => ({{ ...map, centers: centers(map) }})), problem }};
    }});"""
    complete = 0
    for widget, found in zip(stacks, node(code, [state_of(each) for each in stacks]), strict=True):
        count = fitting(widget.layers, widget.size)
        assert len(found["maps"]) == count + 1
        whole = count == len(widget.layers)
        assert found["problem"] is None if whole else found["problem"]["layer"] == count
        complete += whole
        rows = table(widget.layers[:count], (1, widget.size)).rows if count else ()
        for row, shown in zip(rows, found["maps"][1:], strict=True):
            (field,) = row.fields
            assert (shown["n"], shown["field"], shown["jump"], shown["start"]) == (
                row.output_shape[1],
                field.size,
                field.jump,
                field.start,
            )
            assert shown["centers"] == [field.center(unit) for unit in range(shown["n"])]
    assert 100 < complete < 450, "the draws must try both stacks that fit and stacks that do not"


def test_paths_are_the_gradients_of_torch_and_gaps_are_where_they_vanish(node: Node) -> None:
    stacks = [each for each in random_stacks(2, 400) if fitting(each.layers, each.size) == len(each.layers)]
    code = (
        f"""{IMPORT}const answer = input.map((state) => ({{ ...math.explain(state), said: math.summary(state) }}));"""
    )
    with_gaps = outside = 0
    for widget, found in zip(stacks, node(code, [state_of(each) for each in stacks]), strict=True):
        (row,) = table(widget.layers, (1, widget.size)).rows[-1:]
        n = row.output_shape[1]
        assert found["unit"] == min((n - 1) // 2 if widget.unit is None else widget.unit, n - 1)
        wanted = paths_by_torch(widget.layers, widget.size, found["unit"])
        assert found["reach"][0]["real"] == wanted
        first, last = row.fields[0].sees(found["unit"])
        assert found["span"] == [first, last]
        inside = range(max(0, first), min(widget.size - 1, last) + 1)
        assert found["gaps"] == [pixel for pixel in inside if wanted[pixel] == 0]
        assert found["counts"] == [wanted[pixel] for pixel in inside]
        assert sum(wanted) == sum(found["counts"]), "nothing outside the field is read"
        paths = sum(wanted) + sum(sum(each["padding"].values()) for each in found["reach"][:-1])
        with_gaps += bool(found["gaps"])
        outside += len(inside) < last - first + 1
        assert f"sees {row.fields[0].size} pixel" in found["said"]
        assert paths <= math.prod(layer.kernel for layer in widget.layers)
    assert min(with_gaps, outside) > 20, "the draws must try gaps and padding"


def test_the_neighbors_of_a_chosen_cell_see_as_much_one_jump_further_on(node: Node) -> None:
    widget = ReceptiveField(layers=[Conv(1, 3, padding=1), Pool(2), Conv(1, 3, dilation=2)], size=24)
    spans = node(
        f"{IMPORT}const answer = [0, 1, 2].map((unit) => math.explain({{ ...input, unit }}).span);", state_of(widget)
    )
    assert spans == [[-1, 10], [1, 12], [3, 14]]


@pytest.mark.parametrize(
    ("rates", "counts", "factor"),
    [((1, 1), [1, 2, 3, 2, 1], 1), ((2, 2), [1, 0, 2, 0, 3, 0, 2, 0, 1], 2), ((1, 3), [1] * 9, 1)],
)
def test_dilations_with_a_common_factor_leave_gaps(
    node: Node, rates: tuple[int, int], counts: list[int], factor: int
) -> None:
    """The chapter's figure of gridding."""
    widget = ReceptiveField(layers=[Conv(1, 3, dilation=rate) for rate in rates], size=16)
    view, said = node(f"{IMPORT}const answer = [math.explain(input), math.summary(input)];", state_of(widget))
    assert (view["counts"], view["factor"]) == (counts, factor)
    assert ("that is gridding" in said) == (0 in counts)
    assert ("It reads each of them" in said) == (0 not in counts)


def test_the_summary_says_what_the_page_shows(node: Node) -> None:
    layers = [Conv(1, 3, dilation=2, padding=1), Conv(1, 3, dilation=2, padding=2), Pool(2)]
    widget = ReceptiveField(layers=layers, size=16, unit=0)
    assert node(f"{IMPORT}const answer = math.summary(input);", state_of(widget)) == (
        "16 pixels. Layer 1, convolution of 3, padding 1, dilation 2: 14 cells, field 5, jump 1. "
        "Layer 2, convolution of 3, padding 2, dilation 2: 14 cells, field 9, jump 1. "
        "Layer 3, pooling of 2, stride 2: 7 cells, field 10, jump 2. "
        "Cell 0 of layer 3 sees 10 pixels, −3 to 6, with center 1.5. "
        "The next cell sees as many, 2 pixels further on. "
        "3 of them lie outside the input, in padding. It reads each of them that the input has."
    )
    layers = [Conv(1, 7), Pool(3, padding=2)]
    said = node(f"{IMPORT}const answer = math.summary(input);", state_of(ReceptiveField(layers=layers, size=6)))
    assert "Layer 1 does not fit. It spans 7 cells and the map before it has 6. Add padding" in said
    assert "Pixel 2 of the input sees 1 pixel, 2, with center 2." in said
    said = node(f"{IMPORT}const answer = math.summary(input);", state_of(ReceptiveField(layers=layers, size=9)))
    assert "Layer 2 does not fit. A pooling of 3 may have padding of at most half its size, 1; this one has 2." in said


def test_each_layer_shows_its_work_with_the_numbers_of_convbook(node: Node) -> None:
    widget = ReceptiveField(layers=[Conv(1, 3), Conv(1, 5, stride=2, dilation=3), Pool(2)], size=40)
    lines = node(
        f"{IMPORT}const answer = input.layers.map((_, i) => math.work(input, math.explain(input), i));",
        state_of(widget),
    )
    assert lines[1] == ["13 cells", "field 3 + 3·(5 − 1)·1 = 15", "jump 1·2 = 2", "first center 7"]
    for words, row in zip(lines, table(widget.layers, (1, 40)).rows, strict=True):
        (field,) = row.fields
        assert words[0] == f"{row.output_shape[1]} cells"
        assert words[1].endswith(f"= {field.size}")
        assert words[2].endswith(f"= {field.jump}")
        assert words[3] == f"first center {field.center():g}"


def test_the_page_offers_what_python_accepts(node: Node) -> None:
    code = f"""{IMPORT}const settings = math.STACKS["three of 3"];
    const answer = {{ ranges: math.RANGES, kinds: Object.keys(math.KINDS), size: math.SIZE, most: math.MOST,
      stacks: Object.values(math.STACKS),
      edits: [math.added(settings), math.removed(settings, 1), math.changed(settings, 2, {{ stride: 3 }}),
        [math.recast({{ kernel: 3 }}, "Pool")], [math.recast({{ kernel: 7 }}, "Conv")]] }};"""
    offered = node(code)
    for kind, ranges in RANGES.items():
        wanted = {name: list(range_) for name, range_ in ranges.items() if name != "channels"}
        assert offered["ranges"][kind.__name__] == wanted
    traits = ReceptiveField.class_traits()
    assert offered["kinds"] == [kind.__name__ for kind in RANGES]
    assert [traits["size"].min, traits["size"].max] == offered["size"]
    assert traits["layers"].most == offered["most"]
    widget = ReceptiveField()
    for layers in offered["stacks"] + offered["edits"]:
        widget.set_state({"layers": layers})
        assert widget.get_state()["layers"] == layers
    assert widget.layers == [Conv(1, 7)]


@pytest.mark.parametrize(
    ("trait", "value", "reason"),
    [
        ("layers", [], "1 to 6 layers"),
        ("layers", [Conv(1, 3)] * 7, "Got 7"),
        ("layers", [Conv(1, 8)], "kernel must be a whole number from 1 to 7"),
        ("layers", [Conv(1, (3, 3))], "kernel"),
        ("layers", [Pool(2, ceil_mode=True)], "ceil_mode"),
        ("size", 0, "size"),
        ("size", 65, "size"),
        ("unit", -1, "unit"),
    ],
)
def test_a_value_without_meaning_is_refused_with_a_reason(trait: str, value: Any, reason: str) -> None:
    widget = ReceptiveField()
    before = getattr(widget, trait)
    with pytest.raises(traitlets.TraitError, match=reason):
        setattr(widget, trait, value)
    assert getattr(widget, trait) == before


def test_a_stack_is_known_by_its_name_whatever_the_order_of_its_settings_and_its_channels(node: Node) -> None:
    """Notebooks sort the entries of the objects that they keep."""
    code = f"{IMPORT}const answer = [Object.entries(math.STACKS), input.map(math.stackOf)];"
    known, _ = node(code, [])
    shuffled = [[dict(sorted(layer.items(), reverse=True)) for layer in layers] for _, layers in known]
    wide = [layer | ({"channels": 8} if layer["kind"] == "Conv" else {}) for layer in known[2][1]]
    _, names = node(code, [*shuffled, wide, [known[0][1][0]]])
    assert names == [name for name, _ in known] + [known[2][0], "custom"]
