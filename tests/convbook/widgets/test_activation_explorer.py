"""The activation explorer's arithmetic in node, against torch's float64 functions and autograd; its state in Python."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets
from scipy.special import ndtr

from convbook.widgets import ActivationExplorer

Node = Callable[..., Any]
State = dict[str, Any]
IMPORT = 'import * as math from "./activation_explorer.math.mjs";\n'
EXPLAIN = f"{IMPORT}const answer = input.map((state) => math.explain(state));"
NAMES = ActivationExplorer.class_traits()["activation"].values


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Thousands of tiny tensors: threads would cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def by_torch(state: State, x: torch.Tensor) -> torch.Tensor:
    match state["activation"]:
        case "identity":
            return x * 1
        case "leaky_relu":
            return F.leaky_relu(x, state["negative_slope"])
        case "elu":
            return F.elu(x, state["alpha"])
        case "gelu":
            return F.gelu(x, approximate="none")
        case "tanh" | "sigmoid" as name:
            return getattr(torch, name)(x)
        case name:
            return getattr(F, name)(x)


def values_and_slopes(state: State, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """f and its derivative at every number of x, by autograd."""
    inputs = torch.tensor(np.array(x, dtype=float), requires_grad=True)
    values = by_torch(state, inputs)
    (slopes,) = torch.autograd.grad(values.sum(), inputs)
    return values.detach().numpy(), slopes.numpy()


def chained(state: State) -> list[tuple[float, float]]:
    """Value of each layer and its gradient with respect to the input, each by a backward pass of its own."""
    x = torch.tensor(float(state["x"]), dtype=torch.float64, requires_grad=True)
    layers, value = [], x
    for _ in range(10):
        value = by_torch(state, state["weight"] * value)
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
        layers.append((value.item(), gradient.item()))
    return layers


def state_of(**changes: Any) -> State:
    return {"activation": "tanh", "x": 1.0, "weight": 1.0, "negative_slope": 0.01, "alpha": 1.0} | changes


def random_state(draws: np.random.Generator) -> State:
    """A third of the inputs are small, a third whole numbers with 0 and ±50 among them."""
    x = draws.choice([draws.uniform(-50, 50), draws.normal(), draws.choice([-50, -10, -1, 0, 1, 10, 50])])
    return {
        "activation": str(draws.choice(NAMES)),
        "x": float(x),
        "weight": float(draws.choice([draws.uniform(-5, 5), draws.integers(-5, 6)])),
        "negative_slope": float(draws.choice([0, 0.01, draws.uniform(0, 1)])),
        "alpha": float(draws.choice([1, draws.uniform(0.1, 3)])),
    }


def as_number(bound: float | None, otherwise: float) -> float:
    """JSON has no infinity: the end of a zone that goes on for ever comes as None."""
    return otherwise if bound is None else bound


def test_values_slopes_and_ten_layers_are_those_of_torch_for_any_state(node: Node) -> None:
    draws = np.random.default_rng(20261121)
    states = [random_state(draws) for _ in range(300)]
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        (value,), (slope,) = values_and_slopes(state, [state["x"]])
        assert view["value"] == pytest.approx(value, rel=1e-12, abs=1e-14), state
        assert view["slope"] == pytest.approx(slope, rel=1e-12, abs=1e-14), state
        expected = np.array(chained(state))
        found = np.array([(layer["value"], layer["product"]) for layer in view["layers"]])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=str(state))


def test_every_step_of_every_slider_gives_torchs_numbers_and_no_nan(node: Node) -> None:
    code = f"""{IMPORT}
const range = ([low, high], by) => Array.from({{ length: high - low + 1 }}, (_, i) => (low + i) / by);
const xs = range(math.STEPS, 1).map(math.xAt);
const leaks = range(math.HUNDREDTHS.negative_slope, 100);
const settings = [...leaks.map((each) => ["leaky_relu", {{ negative_slope: each }}]),
  ...range(math.TENTHS.alpha, 10).map((each) => ["elu", {{ alpha: each }}]),
  ...Object.keys(math.ACTIVATIONS).map((name) => [name, {{ negative_slope: 0.01, alpha: 1 }}])];
const answer = {{ xs, settings: settings.map(([name, setting]) => {{
  const {{ value, slope }} = math.ACTIVATIONS[name];
  return {{ name, setting, value: xs.map((x) => value(x, setting)), slope: xs.map((x) => slope(x, setting)) }};
}}) }};"""
    answer = node(code)
    assert len(answer["settings"]) == 101 + 30 + len(NAMES)
    for each in answer["settings"]:
        values, slopes = values_and_slopes(state_of(activation=each["name"]) | each["setting"], answer["xs"])
        np.testing.assert_allclose(np.array(each["value"], float), values, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(np.array(each["slope"], float), slopes, rtol=1e-12, atol=1e-15)


def test_the_extremes_of_all_controls_together_stay_numbers_that_words_can_tell(node: Node) -> None:
    states = [
        dict(zip(("activation", "x", "weight", "negative_slope", "alpha"), corner, strict=True))
        for corner in itertools.product(NAMES, (-50, 0, 50), (-5, 0, 5), (0, 1), (0.1, 3))
    ]
    code = f"{IMPORT}const answer = input.map((state) => [math.explain(state), math.summary(state)]);"
    for state, (view, words) in zip(states, node(code, states), strict=True):
        assert all(math.isfinite(layer[key]) for layer in view["layers"] for key in ("value", "slope", "product")), (
            state
        )
        assert not [word for word in ("NaN", "Infinity", "undefined", "null", "−0 ", "−0,") if word in words], words
        assert view["sizeRange"][0] < view["sizeRange"][1] < 20


def test_the_normal_distribution_keeps_its_digits_far_into_the_left_tail(node: Node) -> None:
    x = np.concatenate([np.linspace(-37, 9, 2001), [-3, 3, np.nextafter(-3, 0), np.nextafter(3, 0), 0, -50, 50]])
    found = node(f"{IMPORT}const answer = input.map(math.distribution);", x.tolist())
    np.testing.assert_allclose(found, ndtr(x), rtol=3e-13, atol=0)


def test_zones_are_where_torchs_slope_is_under_the_threshold_and_silent_where_it_is_zero(node: Node) -> None:
    places = np.linspace(-50, 50, 20_002)
    states = [state_of(activation=name) for name in NAMES]
    states += [state_of(activation="leaky_relu", negative_slope=slope) for slope in (0, 0.04, 0.05, 1)]
    states += [state_of(activation="elu", alpha=alpha) for alpha in (0.1, 3)]
    kinds = []
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        slopes = values_and_slopes(state, places)[1]
        inside = np.zeros(places.shape, dtype=bool)
        for zone in view["zones"]:
            left, right = as_number(zone["from"], -math.inf), as_number(zone["to"], math.inf)
            here = (left <= places) & (places <= right)
            inside |= here
            kinds.append((state["activation"], zone["kind"]))
            assert (zone["kind"] == "level") == math.isfinite(right - left)
            if zone["kind"] == "silent":
                assert (slopes[here] == 0).all()
            if zone["kind"] == "level":
                assert slopes[here].min() < 0 < slopes[here].max(), "a minimum lies in it"
        np.testing.assert_array_equal(inside, np.abs(slopes) < 0.05, err_msg=str(state))
    assert {name for name, kind in kinds if kind == "silent"} == {"relu", "leaky_relu"}
    assert {name for name, kind in kinds if kind == "level"} == {"gelu", "silu"}
    assert kinds.count(("leaky_relu", "saturated")) == 2
    assert kinds.count(("tanh", "saturated")) == 2


def test_curves_go_through_the_chosen_point_and_jump_where_torchs_slope_does(node: Node) -> None:
    draws = np.random.default_rng(3)
    states = [random_state(draws) for _ in range(80)]
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        assert abs(state["x"]) <= view["span"]
        for points, low_high, exact in (
            (view["values"], view["valueRange"], 0),
            (view["slopes"], view["slopeRange"], 1),
        ):
            x = [at for at, y in points if y is not None]
            y = [y for _, y in points if y is not None]
            assert state["x"] in x
            assert x == sorted(x)
            assert (x[0], x[-1]) == (-view["span"], view["span"])
            np.testing.assert_allclose(y, values_and_slopes(state, x)[exact], rtol=1e-12, atol=1e-14)
            assert low_high[0] < min(y) <= max(y) < low_high[1]
        gaps = [at for at, y in view["slopes"] if y is None]
        _, (left, right) = values_and_slopes(state, [-1e-300, 1e-300])
        assert gaps == ([0] if left != right else [])


@pytest.mark.parametrize(
    ("changes", "value", "product", "words"),
    [
        # w = 4 makes sigmoid's steepest slope 1; away from 0 it is less. Closed forms for the piecewise linear ones.
        ({"activation": "identity", "weight": 2, "x": 1}, 1024, 1024, "it explodes (over 100 in size)"),
        ({"activation": "relu", "weight": 0.5, "x": 3}, 3 / 1024, 1 / 1024, "it vanishes (under 0.01 in size)"),
        ({"activation": "relu", "weight": -1, "x": 3}, 0, 0, "is 0. Layer 1 is silent, and lets nothing back."),
        ({"activation": "relu", "weight": 1, "x": 3}, 3, 1, "The product of 10 slopes, the gradient, is 1: it neither"),
        (
            {"activation": "leaky_relu", "negative_slope": 0.25, "weight": -2, "x": 1},
            1,
            1,
            "is 1: it neither vanishes nor explodes",
        ),
        ({"activation": "gelu", "weight": 0, "x": 1}, 0, 0, "is 0. A weight of 0 lets nothing back."),
        ({"activation": "gelu", "weight": 1, "x": -50}, 0, 0, "From layer 1 on it is too small for a 64-bit number."),
    ],
)
def test_ten_layers_are_told_in_words(node: Node, changes: State, value: float, product: float, words: str) -> None:
    code = f"{EXPLAIN}\nanswer.push(math.fatesInWords(input[0], answer[0]));"
    view, told = node(code, [state_of(**changes)])
    last = view["layers"][-1]
    assert (last["value"], last["product"]) == pytest.approx((value, product))
    assert words in told


def test_sizes_are_powers_of_ten_and_a_zero_has_none(node: Node) -> None:
    growing, silent = node(
        EXPLAIN, [state_of(activation="identity", weight=-2, x=-50), state_of(activation="relu", x=-2)]
    )
    np.testing.assert_allclose(growing["sizes"]["products"], [[i, i * math.log10(2)] for i in range(11)], atol=1e-12)
    np.testing.assert_allclose(
        growing["sizes"]["values"], [[i, math.log10(50) + i * math.log10(2)] for i in range(11)], atol=1e-12
    )
    assert silent["sizes"]["values"] == [[0, math.log10(2)], *([i, None] for i in range(1, 11))]
    assert silent["sizes"]["products"] == [[0, 0], *([i, None] for i in range(1, 11))]


def test_the_summary_says_what_the_page_shows(node: Node) -> None:
    code = f"{IMPORT}const answer = input.map((state) => math.summary(state));"
    relu, gelu, identity = node(
        code,
        [state_of(activation="relu", x=-2), state_of(activation="gelu", x=-0.75), state_of(activation="identity")],
    )
    nothing = ", ".join(["0"] * 10)
    assert relu == (
        "ReLU, f(x) = max(0, x). At x = −2 the value is 0 and the slope 0. "
        "The unit is silent here: no gradient gets back. "
        "ReLU is silent (slope exactly 0) for x ≤ 0. "
        f"10 layers with weight 1: values {nothing}; products of slopes {nothing}. "
        "After 10 layers the value is 0. The product of 10 slopes, the gradient, is 0. "
        "Layer 1 is silent, and lets nothing back."
    )
    assert "The curve is level here, around its minimum." in gelu
    assert (
        "GELU is saturated (|slope| < 0.05) for x < −2.35, "
        "and level around its minimum (|slope| < 0.05) for −0.883 < x < −0.646."
    ) in gelu
    assert "identity is nowhere saturated (|slope| < 0.05), and nowhere silent." in identity


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.41997, "0.42"),
        (-1234.5, "−1234"),
        (99999, "99999"),
        (1e5, "1·10⁵"),
        (-9765625, "−9.77·10⁶"),
        (1.9287e-22, "1.93·10⁻²²"),
        (0.001, "0.001"),
    ],
)
def test_numbers_are_written_short(node: Node, number: float, text: str) -> None:
    assert node(f"{IMPORT}const answer = math.short(input);", number) == text


def test_the_slider_reaches_every_tenth_near_zero_and_both_ends(node: Node) -> None:
    code = f"""{IMPORT}
const steps = Array.from({{ length: math.STEPS[1] - math.STEPS[0] + 1 }}, (_, i) => math.STEPS[0] + i);
const xs = steps.map(math.xAt);
const answer = [xs, xs.map((x, i) => math.stepOf(x) - steps[i]), [0.333, -7.6, 33].map(math.stepOf)];"""
    xs, differences, nearest = node(code)
    assert xs == sorted(xs)
    assert {tenths / 10 for tenths in range(-50, 51)} <= set(xs)
    assert not any(differences)
    assert [xs[step + 68] for step in nearest] == [0.3, -7.5, 35]
    traits = ActivationExplorer.class_traits()
    assert [traits["x"].min, traits["x"].max] == [xs[0], xs[-1]] == [-50, 50]


def test_the_page_offers_what_python_accepts(node: Node) -> None:
    names, tenths, hundredths = node(f"{IMPORT}const answer = [math.ACTIVATIONS, math.TENTHS, math.HUNDREDTHS];")
    assert list(names) == NAMES
    traits = ActivationExplorer.class_traits()
    for name, unit in [("weight", 10), ("alpha", 10), ("negative_slope", 100)]:
        ends = (tenths | hundredths)[name]
        assert [traits[name].min, traits[name].max] == [end / unit for end in ends]


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("activation", "swish"),
        ("activation", None),
        ("x", 50.1),
        ("x", -51),
        ("x", "1"),
        ("weight", 5.5),
        ("negative_slope", -0.1),
        ("negative_slope", 1.1),
        ("alpha", 0),
        ("alpha", 3.1),
    ],
)
def test_a_value_without_meaning_is_refused_by_name_and_changes_nothing(trait: str, value: Any) -> None:
    explorer = ActivationExplorer()
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


@pytest.mark.parametrize("trait", ["x", "weight", "negative_slope", "alpha"])
def test_not_a_number_is_refused(trait: str) -> None:
    with pytest.raises(traitlets.TraitError, match=trait):
        ActivationExplorer(**{trait: float("nan")})
