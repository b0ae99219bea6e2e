"""The layer stack's arithmetic in node, against convbook.shapes and figures in print; and its state in Python."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import traitlets

from convbook.shapes import Activation, AdaptivePool, Conv, Dense, Flatten, Layer, Pool, Table, table
from convbook.widgets import LayerStack
from convbook.widgets.layer_stack import LENET, RANGES

Node = Callable[..., Any]
IMPORT = 'import * as math from "./layer_stack.math.mjs";\n'
SHAPE = (1, 32, 32)


def packed(layers: Sequence[Layer], shape: tuple[int, ...] = SHAPE, selected: int = 0) -> dict[str, Any]:
    """The state as the page gets it."""
    state = LayerStack(layers=layers, input_shape=shape, selected=selected).get_state()
    return {name: state[name] for name in ("layers", "input_shape", "selected")}


def random_layer(draws: np.random.Generator) -> Layer:
    k, s, d = (int(draws.integers(1, high)) for high in (6, 4, 3))
    match draws.choice(5, p=[0.5, 0.25, 0.05, 0.1, 0.1]):
        case 0:
            channels, groups = (int(draws.choice([1, 2, 4])) for _ in range(2))
            return Conv(channels, k, s, int(draws.integers(4)), d, groups, bool(draws.integers(2)))
        case 1:
            return Pool(k, s, int(draws.integers(3)))
        case 2:
            return AdaptivePool()
        case 3:
            return Flatten()
        case _:
            return Dense(int(draws.integers(1, 20)), bool(draws.integers(2)))


def by_convbook(layers: list[Layer], shape: tuple[int, ...]) -> tuple[Table | None, str]:
    """The table of the layers that fit, and the sentence about the first that does not."""
    fitting, problem = None, ""
    for count in range(1, len(layers) + 1):
        try:
            fitting = table(layers[:count], shape)
        except ValueError as error:
            problem = str(error).split("): ", 1)[1]
            break
    return fitting, problem


def test_figures_and_sentences_are_those_of_convbook_for_any_stack(node: Node) -> None:
    draws = np.random.default_rng(20261121)
    stacks = []
    for _ in range(1000):
        shape = (int(draws.choice([1, 2, 4])), *(int(n) for n in draws.integers(1, 40, size=2)))
        stacks.append(([random_layer(draws) for _ in range(draws.integers(1, 9))], shape))
    views = node(f"{IMPORT}const answer = input.map(math.table);", [packed(*stack) for stack in stacks])
    whole, refused = 0, set()
    for (layers, shape), view in zip(stacks, views, strict=True):
        expected, problem = by_convbook(layers, shape)
        assert view["problem"] == problem, (layers, shape)
        rows = expected.rows if expected else ()
        assert [tuple(row["shape"]) for row in view["rows"]] == [row.output_shape for row in rows]
        assert [row["parameters"] for row in view["rows"]] == [row.parameters for row in rows]
        assert [row["multiply_adds"] for row in view["rows"]] == [row.multiply_adds for row in rows]
        assert [tuple(row["field"]) for row in view["rows"]] == [row.receptive_field for row in rows]
        assert [tuple(row["jump"]) for row in view["rows"]] == [row.jump for row in rows]
        if expected:
            assert (view["parameters"], view["multiply_adds"]) == (expected.parameters, expected.multiply_adds)
        whole += not problem
        refused.add(problem.split(" ", 2)[0])
    assert whole > 130
    assert {"The", "It", "groups", "padding"} <= refused, "each kind of misfit must occur"


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [
        ("LeNet-5", 61_706, 416_520),
        # Krizhevsky et al. (2012): 60 million. Its grouped layers at 227 pixels.
        ("AlexNet", 60_965_224, 724_406_816),
        # Simonyan and Zisserman (2015), table 2, column D: 138 million.
        ("VGG-16", 138_357_544, 15_470_264_320),
    ],
)
def test_presets_have_the_figures_in_print(node: Node, name: str, parameters: int, multiply_adds: int) -> None:
    view = node(f"{IMPORT}const answer = math.table(math.PRESETS[input]);", name)
    assert view["problem"] == ""
    assert (view["parameters"], view["multiply_adds"]) == (parameters, multiply_adds)


def test_lenet_5_has_the_rows_of_its_paper(node: Node) -> None:
    # LeCun et al. (1998), section II.B; its C3 connects maps in part, 1,516 parameters, and this one all of them.
    rows = node(f'{IMPORT}const answer = math.table(math.PRESETS["LeNet-5"]).rows;')
    assert [row["parameters"] for row in rows] == [156, 0, 2_416, 0, 48_120, 0, 10_164, 850]
    assert [row["shape"][0] for row in rows] == [6, 6, 16, 16, 120, 120, 84, 10]
    assert rows[4]["field"] == [32, 32], "C5 sees the whole picture"


def test_vgg_16_and_alexnet_see_what_araujo_et_al_print(node: Node) -> None:
    code = f"{IMPORT}const answer = ['VGG-16', 'AlexNet'].map((name) => math.table(math.PRESETS[name]).rows);"
    vgg, alexnet = node(code)
    assert next(row for row in vgg if row["name"] == "pool5")["field"] == [212, 212]
    assert next(row for row in alexnet if row["name"] == "pool3")["field"] == [195, 195]


def test_edits_add_remove_move_and_change_layers(node: Node) -> None:
    def edit(call: str, layers: list[Layer], selected: int = 0) -> tuple[list[str], int]:
        code = f"{IMPORT}const state = input;\nconst answer = math.{call};"
        done = node(code, packed(layers, selected=selected))
        return [layer["kind"] for layer in done["layers"]], done["selected"]

    stack = [Conv(4, 3), Pool(2), Flatten(), Dense(3)]
    kinds = ["Conv", "Pool", "Flatten", "Dense"]
    assert edit("added(state)", stack, 1) == (["Conv", "Pool", "Conv", "Flatten", "Dense"], 2)
    assert edit("added(state)", stack, 3) == ([*kinds, "Dense"], 4)
    assert edit("removed(state)", stack, 3) == (kinds[:3], 2)
    assert edit("removed(state)", stack, 0) == (kinds[1:], 0)
    assert edit("shifted(state, 1)", stack, 1) == (["Conv", "Flatten", "Pool", "Dense"], 2)
    assert edit("shifted(state, -1)", stack, 0) == (kinds, 0)
    assert edit("shifted(state, 1)", stack, 3) == (kinds, 3)


def test_an_added_layer_fits_and_keeps_the_shape_of_the_map(node: Node) -> None:
    draws = np.random.default_rng(3)
    stacks = [[random_layer(draws) for _ in range(draws.integers(1, 5))] for _ in range(200)]
    code = f"""{IMPORT}
const answer = input.map((state) => {{
  const [before, after] = [state, {{ ...state, ...math.added(state) }}].map(math.table);
  return [before.problem, after.problem, before.rows.at(-1)?.shape, after.rows.at(-1)?.shape];
}});"""
    states = [packed(stack, selected=len(stack) - 1) for stack in stacks]
    for before, after, shape, later in node(code, states):
        assert before == after
        if not before:
            assert later == ([10] if len(shape) == 1 else shape)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Conv(16, 5), "16 × 5×5"),
        (Conv(16, 5, 2, 1, 3, 2, bias=False), "16 × 5×5, stride 2, padding 1, dilation 3, groups 2, no bias"),
        (Pool(3), "3×3, stride 3"),
        (Pool(3, 1, 1), "3×3, padding 1"),
        (AdaptivePool(), "whole map"),
        (Flatten(), ""),
        (Dense(10), "10"),
        (Dense(10, bias=False), "10, no bias"),
    ],
)
def test_settings_are_written_without_what_is_usual(node: Node, layer: Layer, words: str) -> None:
    assert node(f"{IMPORT}const answer = math.setting(input.layers[0]);", packed([layer])) == words


def test_the_summary_says_what_the_table_shows(node: Node) -> None:
    code = f"{IMPORT}const answer = math.summary(input);"
    assert node(code, packed(LENET, selected=2)) == (
        "8 layers on an input of 1 by 32 by 32. All together have 61,706 parameters and 416,520 multiply-adds. "
        "Chosen: conv2, layer 3. It gives 16 by 10 by 10, with 2,416 parameters and 240,000 multiply-adds. "
        "A unit sees 14 by 14 pixels of the input, and the next one lies 2 pixels further."
    )
    assert node(code, packed([Conv(1, 3), Dense(10)], (1, 3, 5))) == (
        "2 layers on an input of 1 by 3 by 5. dense1 does not fit. It needs a flat row of features, and the map has "
        "the shape (1, 1, 3): Flatten it first. The layers before dense1 have 10 parameters and 27 multiply-adds. "
        "Chosen: conv1, layer 1. It gives 1 by 1 by 3, with 10 parameters and 27 multiply-adds. "
        "A unit sees 3 by 3 pixels of the input, and the next one lies 1 pixel further."
    )


def test_every_setting_of_every_kind_has_figures_or_a_sentence(node: Node) -> None:
    code = f"""{IMPORT}
let answer = 0;
const all = ([low, high]) => Array.from({{ length: high - low + 1 }}, (_, i) => low + i);
for (const [kind, ranges] of Object.entries(math.RANGES))
for (const below of [math.conv(4, 3), {{ kind: "Flatten" }}])
for (const [name, range] of Object.entries(ranges))
for (const value of range === "bool" ? [true, false] : all(range)) {{
  const layers = [below, {{ ...math.standard[kind], [name]: value }}];
  const state = {{ layers, input_shape: [4, 12, 9], selected: 1 }};
  const view = math.table(state);
  const words = math.summary(state, view);
  if (/undefined|NaN|null|Infinity/.test(words + math.setting(state.layers[1]))) throw new Error(words);
  if (Boolean(view.problem) !== (view.rows.length < 2)) throw new Error(words);
  answer++;
}}"""
    assert node(code) > 2 * (2048 + 2048 + 4096)


def test_the_largest_stack_is_counted_without_rounding(node: Node) -> None:
    largest = [Conv(2048, 11, padding=5)] * 32
    shape = (2048, 512, 512)
    view = node(f"{IMPORT}const answer = math.table(input);", packed(largest, shape))
    assert view["multiply_adds"] == table(largest, shape).multiply_adds < 2**53


def test_the_page_offers_what_python_accepts_and_writes_layers_alike(node: Node) -> None:
    ranges, sides, most, presets, standard = node(
        f"{IMPORT}const answer = [math.RANGES, math.INPUT, math.MOST, math.PRESETS, math.standard];"
    )
    as_json = {
        kind.__name__: {name: "bool" if each is bool else list(each) for name, each in settings.items()}
        for kind, settings in RANGES.items()
    }
    assert ranges == as_json
    traits = LayerStack.class_traits()
    assert [[side.min, side.max] for side in traits["input_shape"]._traits] == sides
    assert traits["layers"].most == most
    default = LayerStack().get_state()
    assert default["layers"] == presets["LeNet-5"]["layers"]
    assert list(default["layers"][0]) == list(presets["LeNet-5"]["layers"][0]), "presets are known by their JSON"
    for preset in presets.values():
        back = LayerStack()
        back.set_state(preset)
        assert back.get_state()["layers"] == preset["layers"]
    assert list(standard) == list(ranges)


def test_python_reads_back_layers_that_convbook_can_count() -> None:
    stack = LayerStack(layers=(Conv(8, 3), Pool(2), AdaptivePool(), Flatten(), Dense(2)), input_shape=(3, 9, 9))
    assert stack.layers == [Conv(8, 3), Pool(2, 2), AdaptivePool(), Flatten(), Dense(2)]
    assert table(stack.layers, stack.input_shape).parameters == 8 * 28 + 18


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([], "Got []"),
        ([Conv(1, 1)] * 33, "Got 33"),
        (None, "Got None"),
        ([Conv(1, 3), Activation()], "each one of Conv, Pool, AdaptivePool, Flatten, Dense. Layer 2 is Activation"),
        ([Conv(1, 3, padding="same")], "padding must be a whole number from 0 to 5"),
        ([Conv(1, (3, 5))], "kernel must be a whole number from 1 to 11"),
        ([Conv(1, 12)], "kernel must be a whole number from 1 to 11"),
        ([Conv(True, 3)], "channels must be a whole number"),
        ([Pool(2, ceil_mode=True)], "ceil_mode can only be False here"),
        ([AdaptivePool(2)], "size can only be 1 here"),
        ([Dense(10, bias=1)], "bias must be True or False"),  # type: ignore[arg-type]
        ([Conv(1, 3, name="C1")], "name can only be '' here"),
    ],
)
def test_layers_that_the_page_cannot_show_are_refused_with_the_reason(layers: Any, reason: str) -> None:
    stack = LayerStack()
    with pytest.raises(traitlets.TraitError, match=r"LayerStack\.layers needs 1 to 32 layers") as caught:
        stack.layers = layers
    assert reason in str(caught.value)
    assert stack.layers == [layer if not isinstance(layer, Pool) else Pool(2, 2) for layer in LENET]


def test_two_stacks_do_not_share_their_layers() -> None:
    one, other = LayerStack(), LayerStack()
    one.layers.append(Dense(2))
    assert len(other.layers) == len(LayerStack().layers) == 8
