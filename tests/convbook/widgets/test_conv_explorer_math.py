"""The page's arithmetic in node, against torch in float64."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.widgets import ConvExplorer

pytestmark = pytest.mark.usefixtures("one_thread")

IMPORT = 'import * as math from "./conv_explorer.math.mjs";\nimport * as numbers from "./numbers.mjs";\n'
TORCH_MODES = {"zeros": "constant", "reflect": "reflect", "circular": "circular"}


def by_torch(state: dict[str, Any]) -> np.ndarray:
    """The output that torch computes for a state; shape (0, 0) where torch refuses it."""
    image = torch.tensor(state["image"], dtype=torch.float64)[None, None]
    kernel = torch.tensor(state["kernel"], dtype=torch.float64)[None, None]
    if state["flip"]:
        kernel = kernel.flip(-1, -2)
    try:
        padded = F.pad(image, [state["padding"]] * 4, TORCH_MODES[state["padding_mode"]])
        return F.conv2d(padded, kernel, stride=state["stride"], dilation=state["dilation"])[0, 0].numpy()
    except RuntimeError:
        return np.zeros((0, 0))


def random_state(draws: np.random.Generator) -> dict[str, Any]:
    return {
        "image": draws.normal(size=draws.integers(1, 9, size=2)).tolist(),
        "kernel": draws.normal(size=draws.integers(1, 6, size=2)).tolist(),
        "stride": int(draws.integers(1, 5)),
        "padding": int(draws.integers(0, 5)),
        "padding_mode": str(draws.choice(list(TORCH_MODES))),
        "dilation": int(draws.integers(1, 4)),
        "flip": bool(draws.integers(2)),
        "selected": draws.integers(0, 20, size=2).tolist(),
    }


def test_the_output_is_that_of_torch_for_any_state(node: Callable[..., Any]) -> None:
    draws = np.random.default_rng(20261121)
    states = [random_state(draws) for _ in range(600)]
    views = node(f"{IMPORT}const answer = input.map(math.explain);", states)
    fitting = 0
    for state, view in zip(states, views, strict=True):
        expected = by_torch(state)
        assert tuple(view["out_shape"]) == expected.shape, state
        assert bool(view["problem"]) == (expected.size == 0), state
        fitting += expected.size > 0
        np.testing.assert_allclose(np.array(view["output"]).reshape(expected.shape), expected, rtol=1e-12, atol=1e-12)
    assert 300 < fitting < 590, "the draws must try both states with and states without an output"


def test_the_products_of_a_cell_add_up_to_it_and_sit_on_the_padded_input(node: Callable[..., Any]) -> None:
    draws = np.random.default_rng(7)
    states = [state for state in (random_state(draws) for _ in range(300)) if by_torch(state).size]
    code = f"""{IMPORT}
const answer = input.map(math.explain).map((view) => ({{ ...view, sum: math.sumOf(view.products) }}));"""
    for state, view in zip(states, node(code, states), strict=True):
        output, (i, j) = by_torch(state), view["selected"]
        assert (i, j) == tuple(min(at, side - 1) for at, side in zip(state["selected"], output.shape, strict=True))
        assert view["sum"] == pytest.approx(output[i, j], rel=1e-12, abs=1e-12)
        p, (rows, columns) = state["padding"], np.shape(state["image"])
        for u, line in enumerate(view["products"]):
            for v, product in enumerate(line):
                row, column = i * state["stride"] + u * state["dilation"], j * state["stride"] + v * state["dilation"]
                assert (product["row"], product["column"]) == (row, column)
                assert product["value"] == view["padded"][row][column]["value"]
                assert product["padding"] == (not (p <= row < rows + p and p <= column < columns + p))


def test_every_combination_of_the_controls_has_the_size_that_torch_gives_and_a_summary(
    node: Callable[..., Any],
) -> None:
    code = f"""{IMPORT}
const range = ([first, last]) => Array.from({{ length: last - first + 1 }}, (_, i) => first + i);
const answer = [];
for (const image of Object.values(math.IMAGES)) for (const size of range(math.RANGES.size))
for (const stride of range(math.RANGES.stride)) for (const padding of range(math.RANGES.padding))
for (const dilation of range(math.RANGES.dilation)) for (const padding_mode of Object.keys(math.MODES))
for (const flip of [false, true]) {{
  const kernel = math.resize(math.KERNELS["Sobel x"], size);
  const state = {{ image, kernel, stride, padding, padding_mode, dilation, flip, selected: [9, 9] }};
  const view = math.explain(state);
  const said = math.summary(state, view);
  if (!said || /undefined|NaN|null/.test(said)) throw new Error(said + JSON.stringify(state));
  answer.push([image.length, size, stride, padding, dilation, padding_mode, ...view.out_shape]);
}}"""
    seen = node(code)
    assert len(seen) == 3 * 5 * 4 * 5 * 3 * 3 * 2
    for n, k, s, p, d, mode, *out_shape in {tuple(each) for each in seen}:
        state = {"image": np.zeros((n, n)), "kernel": np.zeros((k, k)), "stride": s, "padding": p}
        expected = by_torch(state | {"dilation": d, "padding_mode": mode, "flip": False})
        assert tuple(out_shape) == expected.shape


def test_the_formula_is_filled_with_the_state(node: Callable[..., Any]) -> None:
    state = {
        "image": np.zeros((7, 7)).tolist(),
        "kernel": np.zeros((3, 3)).tolist(),
        "stride": 2,
        "padding": 1,
        "dilation": 2,
    }
    assert node(f"{IMPORT}const answer = math.sizes(input);", state) == [
        {"name": "Output size", "n": 7, "k": 3, "s": 2, "p": 1, "d": 2, "size": 3}
    ]
    wide = state | {"image": np.zeros((7, 9)).tolist()}
    assert [line["size"] for line in node(f"{IMPORT}const answer = math.sizes(input);", wide)] == [3, 4]


def test_the_summary_says_what_the_grids_show(node: Callable[..., Any]) -> None:
    state = ConvExplorer(image=[[0, 1, 2], [3, 4, 5], [6, 7, 8]], kernel=[[0, 1], [2, 3]], selected=(0, 0)).get_state()
    assert node(f"{IMPORT}const answer = math.summary(input);", state) == (
        "The output has 2 by 2 cells. Its row 1, column 1 is 19. "
        "It looks at rows 1 to 2 and columns 1 to 2 of the input. "
        "The sum is 0 times 0, plus 1 times 1, plus 3 times 2, plus 4 times 3."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dilation": 3}, "it spans 4 cells and the input has 3. Add padding"),
        (
            {"dilation": 3, "padding_mode": "reflect", "padding": 3},
            "Reflect padding of 3 needs an input of at least 4 cells",
        ),
        ({"padding_mode": "circular", "padding": 4}, "Circular padding of 4 needs an input of at least 4 cells"),
    ],
)
def test_a_state_without_output_says_why_and_what_to_do(
    node: Callable[..., Any], change: dict[str, Any], words: str
) -> None:
    state = ConvExplorer(image=np.arange(9).reshape(3, 3), kernel=[[0, 1], [2, 3]], **change).get_state()
    assert words in node(f"{IMPORT}const answer = math.summary(input);", state)


def test_kernels_have_their_textbook_sums_and_symmetries(node: Callable[..., Any]) -> None:
    kernels = {name: np.array(kernel) for name, kernel in node(f"{IMPORT}const answer = math.KERNELS;").items()}
    sums = {"identity": 1, "box blur": 1, "sharpen": 1, "Sobel x": 0, "Sobel y": 0, "Laplacian": 0, "0 to 3": 6}
    assert {name: round(kernel.sum(), 12) for name, kernel in kernels.items()} == sums
    np.testing.assert_array_equal(kernels["Sobel x"].T, kernels["Sobel y"])
    np.testing.assert_array_equal(kernels["identity"] - kernels["Laplacian"], kernels["sharpen"])
    ramp = np.add.outer(np.arange(7), np.arange(7)).tolist()
    views = node(
        f"{IMPORT}const answer = input.map(math.explain);",
        [ConvExplorer(image=ramp, kernel=kernels[name]).get_state() for name in ("Sobel x", "Laplacian")],
    )
    assert np.unique(views[0]["output"]).tolist() == [8]  # slope 1 times 1 + 2 + 1, over a distance of 2
    assert np.unique(views[1]["output"]).tolist() == [0]


def test_resizing_a_kernel_cuts_or_grows_at_the_right_and_below(node: Callable[..., Any]) -> None:
    kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    smaller, larger = node(f"{IMPORT}const answer = [2, 4].map((size) => math.resize(input, size));", kernel)
    assert smaller == [[1, 2], [4, 5]]
    np.testing.assert_array_equal(larger, np.pad(kernel, ((0, 1), (0, 1))))


def test_a_random_input_uses_all_ten_digits(node: Callable[..., Any]) -> None:
    code = f"{IMPORT}let i = 0;\nconst answer = math.randomImage(() => (i++ % 10) / 10);"
    assert set(itertools.chain(*node(code))) == set(range(10))


@pytest.mark.parametrize(
    ("x", "short", "weight"),
    [
        (0, "0", "0"),
        (-0.0, "0", "0"),
        (-1, "−1", "−1"),
        (0.25, "0.25", "0.25"),
        (1 / 9, "0.111", "1/9"),
        (-2 / 3, "−0.667", "−2/3"),
        (10 / 3, "3.33", "10/3"),
        (1020, "1020", "1020"),
        (-123.4, "−123", "−123.4"),
        (2.9999999999999996, "3", "3"),
        (0.7071067811865476, "0.707", "0.707"),
    ],
)
def test_numbers_are_written_short_and_weights_exactly(
    node: Callable[..., Any], x: float, short: str, weight: str
) -> None:
    assert node(f"{IMPORT}const answer = [numbers.formatNumber(input), numbers.formatWeight(input)];", x) == [
        short,
        weight,
    ]


def test_numbers_are_read_as_people_write_them(node: Callable[..., Any]) -> None:
    right = {"2": 2, " −0.5 ": -0.5, "0,5": 0.5, "1/9": 1 / 9, "-2 / 3": -2 / 3, "+.5": 0.5, "3.": 3, "1e-3": 0.001}
    wrong = ["", " ", "-", "x", "1/0", "1/2/3", "1 2", "0x10", "Infinity", "NaN", "1,2,3", "1e999"]
    code = f"{IMPORT}const answer = input.map(numbers.parseNumber);"  # JSON writes NaN as null
    assert node(code, list(right)) == pytest.approx(list(right.values()))
    assert node(code, wrong) == [None] * len(wrong)


def test_the_sign_of_equality_is_honest_about_rounding(node: Callable[..., Any]) -> None:
    def sign(*pairs: tuple[float, float]) -> str:
        products = [[{"value": value, "weight": weight} for value, weight in pairs]]
        return node(f"{IMPORT}const answer = math.relation(input);", products)

    assert sign((9, 1), (9, -2)) == "="
    assert sign((3, 1 / 9), (6, 1 / 9)) == "="
    assert sign((3, 1 / 9), (7, 1 / 9)) == "≈"
    assert sign((0.123456, 1), (0.876544, 1)) == "≈"


def test_the_page_offers_what_python_accepts(node: Callable[..., Any]) -> None:
    ranges = node(f"{IMPORT}const answer = math.RANGES;")
    traits = ConvExplorer.class_traits()
    for name in ("stride", "padding", "dilation"):
        assert [traits[name].min, traits[name].max] == ranges[name]
    assert [1, traits["kernel"].largest] == ranges["size"]
    assert traits["padding_mode"].values == list(node(f"{IMPORT}const answer = math.MODES;"))
