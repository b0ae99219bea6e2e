"""Every figure in the prose of chapter 03, worked out again: by the chapter's own cells, by torch, or by closed forms.

`says` fails when the text no longer states the figure that the test has checked, so the two cannot drift apart.
"""

import ast
import json
import math
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jupytext
import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import convbook
from convbook.widgets import ActivationExplorer

CHAPTER = Path(__file__).resolve().parents[2] / "book" / "03-activations.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
ARITHMETIC = Path(convbook.__file__).parent / "widgets" / "activation_explorer.math.mjs"
FUNCTIONS = {
    "relu": F.relu, "leaky": lambda x: F.leaky_relu(x, 0.1), "elu": F.elu, "gelu": F.gelu, "silu": F.silu,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh,
}  # fmt: skip


@pytest.fixture(scope="module")
def chapter() -> Iterator[SimpleNamespace]:
    """All cells, run in order on one core: the names that they define, and the demos."""
    names: dict = {}
    values = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with plt.rc_context(), torch.random.fork_rng():
            for cell in jupytext.read(CHAPTER).cells:
                if cell.cell_type == "code":
                    values.append(run(cell.source, names))
                    plt.close("all")
        demos = [each for each in values if isinstance(each, ActivationExplorer)]
        yield SimpleNamespace(names=names, demos=demos)
    finally:
        torch.set_num_threads(threads)


def run(source: str, names: dict) -> object:
    """Execute a cell as a notebook does; the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def says(*phrases: str) -> None:
    for phrase in phrases:
        assert phrase in FLAT, f"The chapter does not say {phrase!r} any more: change its test with it."


def at(name: str, x: float) -> tuple[float, float]:
    """Value and slope of an activation, by torch in float64."""
    argument = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = FUNCTIONS[name](argument)
    return value.item(), torch.autograd.grad(value, argument)[0].item()


def page(demo: ActivationExplorer, **changes: object) -> dict:
    """What a demo's page works out after the changes that a task asks for: by the page's own arithmetic, in node."""
    state = {name: getattr(demo, name) for name in ("activation", "x", "weight", "negative_slope", "alpha")} | changes
    script = (
        f"import {{explain, short}} from {json.dumps(ARITHMETIC.as_uri())};"
        f"const view = explain({json.dumps(state)}); const last = view.layers.at(-1);"
        "const found = {slope: view.slope, value: last.value, product: last.product};"
        "found.kind = view.kind;"
        "console.log(JSON.stringify(found, (key, value) => typeof value === 'number' ? short(value) : value))"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_the_first_demo_goes_from_0_0409_to_2_78e_7(chapter):
    demo = chapter.demos[0]
    assert page(demo)["product"] == "0.0409"
    assert page(demo, activation="sigmoid")["product"] == "2.78·10⁻⁷"
    says("the product of ten slopes is 0.0409", "{dropdown} Answer 2.78·10⁻⁷.")


def test_gelus_slope_turns_negative_between_minus_0_7_and_minus_0_8(chapter):
    demo = chapter.demos[1]
    assert demo.activation == "gelu"
    tenths = [-n / 10 for n in range(51)]
    assert next(x for x in tenths if at("gelu", x)[1] < 0) == -0.8
    assert (page(demo, x=-0.8)["slope"], page(demo, x=-0.7)["slope"]) == ("−0.0199", "0.0234")
    says("−0.8, where the slope is −0.0199. At −0.7 it is still 0.0234")


def test_ten_relus_and_ten_tanh_units_at_weight_1_5(chapter):
    relu, first = chapter.demos[2], chapter.demos[0]
    assert page(relu)["product"] == "57.7"
    assert page(relu, activation="tanh")["product"] == "5.14·10⁻⁵"
    assert page(first, weight=1.5)["value"] == "0.859"
    says(
        "make 57.7 of the gradient", "Less: 5.14·10⁻⁵ against 0.0409.", "0.0409 to 0.0000514: the values stay near 0.86"
    )


def test_two_kernels_are_one_until_a_cut_comes_between(chapter):
    row, first, second = (chapter.names[name] for name in ("row", "first", "second"))
    between = np.correlate([2, 1, 3, 0], [1, -1])
    assert (row.tolist(), first.tolist(), second.tolist()) == ([2, 1, 3, 0], [1, -1], [1, 2])
    assert between.tolist() == [1, -2, 3]
    assert np.correlate(between, [1, 2]).tolist() == np.correlate(row, [1, 1, -2]).tolist() == [-3, 4]
    assert np.correlate(np.maximum(between, 0), [1, 2]).tolist() == [1, 6]
    assert np.correlate(np.maximum(-between, 0), [1, 2]).tolist() == [4, 2]
    says(
        "1·1 + 2·(−2) = −3 and 1·(−2) + 2·3 = 4",
        "2 + 1 − 6 = −3 and 1 + 3 − 0 = 4",
        "1·0 + 2·3 = 6. The first is 1·1 + 2·0 = 1",
    )


@given(*3 * [st.lists(st.integers(-9, 9), min_size=1, max_size=6)])
def test_any_two_kernels_combine_into_their_convolution(row, first, second):
    row = row + [1] * (len(first) + len(second))
    in_turn = np.correlate(np.correlate(row, first), second)
    assert np.array_equal(in_turn, np.correlate(row, np.convolve(first, second)))


def test_xor_by_two_relus_and_by_no_line(chapter):
    names = chapter.names
    assert names["h1"].tolist() == [0, 1, 1, 2] and names["h2"].tolist() == [0, 0, 0, 1]
    assert (names["h1"] - 2 * names["h2"]).tolist() == [0, 1, 1, 0] == names["wanted"].tolist()
    assert np.allclose(names["columns"] @ names["best"], 0.5)
    says(
        "$h_1$ is 0 1 1 2, $h_2$ is 0 0 0 1, and the answers are 0 1 1 0",
        "answers 0.5 to all four",
        "that is 2 − 2·1 = 0",
    )


def test_what_comes_back_through_relu_and_its_kin():
    assert [at("relu", x)[1] * 5 for x in (3, -2)] == [5, 0]
    assert at("relu", 0)[1] == 0
    assert np.isclose(at("leaky", -2.0), [-0.2, 0.1]).all() and np.isclose(0.1 * 5, 0.5)
    assert torch.nn.LeakyReLU().negative_slope == 0.01
    says("1 · 5 = 5 comes back at $x$ = 3, and 0 · 5 = 0 at $x$ = −2", "0.1 · 5 = 0.5", "torch's default is $a$ = 0.01")


@pytest.mark.parametrize(
    ("name", "x", "value", "slope", "phrase"),
    [
        ("elu", -2, -0.865, 0.135, "e⁻² − 1 = 0.135 − 1 = −0.865"),
        ("sigmoid", 2, 0.881, 0.105, "0.881 · 0.119 = 0.105"),
        ("sigmoid", -2, 0.119, 0.105, "0.119 of −2"),
        ("sigmoid", 0, 0.5, 0.25, "0.5 · 0.5 = 0.25"),
        ("tanh", 2, 0.964, 0.071, "1 − 0.964² = 0.071"),
        ("tanh", 0, 0, 1, "2 · 2 · 0.25 = 1"),
        ("silu", 2, 1.762, 1.091, "2 · 0.881 = 1.762"),
        ("silu", 2, 1.762, 1.091, "0.881 + 2 · 0.105 = 1.091"),
        ("silu", -2, -0.238, -0.091, "−2 · 0.119 = −0.238"),
        ("silu", 0, 0, 0.5, "Both are 0.5 at 0."),
        ("gelu", 2, 1.954, 1.085, "2 · 0.9772 = 1.954"),
        ("gelu", -2, -0.046, -0.085, "−2 · 0.0228 = −0.046"),
        ("gelu", 0, 0, 0.5, "Both are 0.5 at 0."),
        ("gelu", 2, 1.954, 1.085, "GELU's 0.9772 + 2 · 0.0540 = 1.085"),
        ("gelu", 2, 1.954, 1.085, "At 2 it is 1.085"),
    ],
)
def test_values_and_slopes_at_2_and_minus_2(name, x, value, slope, phrase):
    assert np.allclose(at(name, x), (value, slope), rtol=0, atol=6e-4)
    says(phrase)


@pytest.mark.parametrize(("name", "place", "value"), [("gelu", -0.75, -0.170), ("silu", -1.28, -0.278)])
def test_the_lowest_points_of_gelu_and_silu(name, place, value):
    x = torch.linspace(-5, 5, 100_001, dtype=torch.float64)
    y = FUNCTIONS[name](x)
    assert (round(x[y.argmin()].item(), 2), round(y.min().item(), 3)) == (place, value)
    says("GELU's lowest point is −0.170 at $x$ = −0.75, and SiLU's is −0.278 at $x$ = −1.28")


def test_where_sigmoid_and_tanh_saturate():
    assert round(at("sigmoid", 10)[0], 5) == 0.99995 and round(at("sigmoid", 10)[1], 6) == 0.000045
    # σ(1 − σ) = 0.05 is a quadratic in e^x; 1 − tanh² = 0.05 is cosh² = 20.
    assert round(math.log((18 + math.sqrt(18**2 - 4)) / 2), 2) == 2.89
    assert round(math.acosh(math.sqrt(20)), 2) == 2.18
    assert 0.25**10 < 1e-6
    for name, last, first in [("sigmoid", 2.8, 2.9), ("tanh", 2.1, 2.2), ("elu", -2.9, -3.0)]:
        assert at(name, first)[1] < 0.05 < at(name, last)[1]
    says("The sigmoid at 2.9, with the slope 0.0494, and tanh at 2.2, with 0.0479.", "at −3, with e⁻³ = 0.0498")
    says("For the sigmoid that is $|x|$ > 2.89, and for tanh $|x|$ > 2.18", "less than a millionth", "2¹⁰ = 1,024")


def test_one_step_kills_a_relu_and_not_a_leaky_one(chapter):
    two_steps = chapter.names["two_steps"]
    assert two_steps(F.relu) == [(-2, -1.5), (-2, -1.5)]
    assert two_steps(FUNCTIONS["leaky"])[1] == (-1.7, -1.35)
    assert [-2 * x - 1.5 for x in (1, 2, 3)] == [-3.5, -5.5, -7.5]
    says("1 + 2 + 3 = 6, and that of $b$ is 3", "its sums are −3.5, −5.5 and −7.5", "−2 + 0.5 · 0.1 · 6 = −1.7")


def test_one_unit_of_three_is_dead(chapter):
    z = np.array([[2, -1, -3], [-1, -2, 4], [3, -1, -2], [-2, -4, -1]])
    assert ((z <= 0).sum(), z.size) == (9, 12)
    assert round(chapter.names["dead_rate"](z), 2) == 0.33
    says("Nine of the 12 inputs in {numref}`fig-dead` are not above 0, but one unit in three is dead: a rate of 0.33")


def test_at_a_kink_torch_takes_the_slope_from_the_left():
    kinks = {F.relu: 0, lambda x: F.leaky_relu(x, 0.1): 0.1, lambda x: F.elu(x, 2.0): 2, F.elu: 1}
    for f, slope in kinks.items():
        zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
        assert np.isclose(torch.autograd.grad(f(zero), zero)[0].item(), slope)
    says("torch takes the one from the left, which is 0", "with α = 2 torch says 2")


def test_a_small_leak_counts_as_saturated(chapter):
    assert page(chapter.demos[0], activation="leaky_relu", x=-3) | {"value": ""} == page(
        chapter.demos[0], activation="leaky_relu", x=-50
    ) | {"value": ""}
    assert page(chapter.demos[0], activation="leaky_relu", x=-50)["kind"] == "saturated"
    assert page(chapter.demos[0], activation="leaky_relu", x=-50)["slope"] == "0.01"
    says("whose slope of 0.01 lets 1 % of each gradient through, however far out")


def test_zeros_and_dead_units_of_a_random_layer(chapter):
    """The bias that pushes all units down: some zeros, many, and then dead units."""
    with torch.no_grad():
        z = (chapter.names["garments"].flatten(1) @ chapter.names["units"].weight.T).numpy()
    zeros, dead = zip(*[((z + b <= 0).mean(), (z + b <= 0).all(axis=0).mean()) for b in (0, -1, -2)], strict=True)
    assert z.shape == (1000, 200) and 0.45 < zeros[0] < 0.55 and dead[0] == 0
    assert zeros[1] > 0.9 and dead[1] < 0.5 < dead[2]
    says("With the bias 0 about half of all answers are zeros, and no unit is dead.", "At −2 most are dead.")


def test_signs_of_a_weights_gradient_are_those_of_its_inputs():
    for inputs, upstream, expected in [([1, 2], 3, [3, 6]), ([1, 2], -1, [-1, -2]), ([1, -2], 3, [3, -6])]:
        w = torch.zeros(2, requires_grad=True)
        (w @ torch.tensor(inputs, dtype=torch.float32)).backward(torch.tensor(float(upstream)))
        assert w.grad.tolist() == expected
    says("3 · 1 = 3 and 3 · 2 = 6", "3 · 1 = 3 and 3 · (−2) = −6")


def test_mean_outputs_for_normal_inputs(chapter):
    means = chapter.names["means"]
    assert means["ReLU"] == round(1 / math.sqrt(2 * math.pi), 3) == 0.399
    assert means["leaky"] == round(0.99 / math.sqrt(2 * math.pi), 3) == 0.395
    assert means["GELU"] == round(1 / (2 * math.sqrt(math.pi)), 3) == 0.282
    assert (means["sigmoid"], means["tanh"], means["SiLU"], means["ELU"]) == (0.5, 0, 0.207, 0.161)
    says("sigmoid 0.5, ReLU 0.399, leaky 0.395, GELU 0.282, SiLU 0.207, ELU 0.161, tanh 0")


def test_softmax_of_2_1_0():
    scores = torch.tensor([2, 1, 0], dtype=torch.float64)
    assert scores.exp().numpy().round(3).tolist() == [7.389, 2.718, 1]
    assert round(scores.exp().sum().item(), 3) == 11.107
    assert torch.softmax(scores, 0).numpy().round(3).tolist() == [0.665, 0.245, 0.090]
    assert torch.softmax(scores / 0.5, 0).numpy().round(3)[0] == 0.867
    assert torch.softmax(scores / 2, 0).numpy().round(3)[0] == 0.506
    slopes = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), scores)
    assert round(slopes[0, 0].item(), 3) == 0.223
    says("7.389, 2.718 and 1. Then divide by their sum, 11.107", "0.867", "0.506", "0.665 · 0.335 = 0.223")


def test_stable_forms_agree_with_torch_up_to_1000(chapter):
    sigmoid, softplus, log_softmax = (chapter.names[name] for name in ("stable_sigmoid", "softplus", "log_softmax"))
    x = [*range(-1000, 1001), *np.linspace(-3, 3, 61).tolist()]
    tensor = torch.tensor(x, dtype=torch.float64)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.allclose([sigmoid(each) for each in x], torch.sigmoid(tensor), rtol=1e-12, atol=1e-300)
        expected = torch.logaddexp(tensor, torch.zeros_like(tensor))
        assert np.allclose([softplus(each) for each in x], expected, rtol=1e-12, atol=1e-300)
        assert log_softmax(np.array([1000.0, 0, -1000])).tolist() == [0, -1000, -2000]
        rows = np.array([[each, -each, 0] for each in x])
        expected = torch.log_softmax(torch.tensor(rows), 1)
        assert np.allclose([log_softmax(row) for row in rows], expected, rtol=1e-12)
    says("it gives 0, −1000 and −2000")


def test_the_plain_forms_fail_where_the_text_says_so(chapter):
    with np.errstate(all="ignore"):
        other_way = np.exp(1000.0) / (1 + np.exp(1000.0))
        naive, shifted = (np.log(chapter.names["softmax"](scores)) for scores in ([1000, 0, -1000], [0, -1000, -2000]))
    assert np.isnan([other_way, chapter.names["other_way"][2], naive[0]]).all() and chapter.names["one_way"][0] == 0
    assert shifted[0] == 0 and np.isneginf(shifted[1:]).all()
    says("divides ∞ by ∞ and gets *nan*", "Its logarithm is still −∞ for two classes")


def test_stable_forms_keep_what_a_plain_sum_rounds_away(chapter):
    assert f"{chapter.names['softplus'](-50.0):.2e}" == f"{math.log1p(math.exp(-50)):.2e}" == "1.93e-22"
    assert 1 + math.exp(-50) == 1
    assert f"{chapter.names['stable_sigmoid'](-40.0):.2e}" == "4.25e-18" and 1 / (1 + math.exp(-40)) == 1
    assert [round(math.log(np.finfo(kind).max), 1) for kind in (np.float32, np.float64)] == [88.7, 709.8]
    assert math.isfinite(math.exp(709.7))
    says("At −50 softplus is 1.93·10⁻²²", "At −40 it is 4.25·10⁻¹⁸.", "float32 overflows past 88.7, float64 past 709.7")


def test_cross_entropy_is_loud_where_squared_error_whispers():
    p = 1 / (1 + math.exp(10))
    assert (round(p, 5), round(p - 1, 5)) == (0.00005, -0.99995)
    assert round((p - 1) * p * (1 - p), 6) == -0.000045
    z = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    target = torch.tensor(0.3, dtype=torch.float64)
    (slope,) = torch.autograd.grad(F.binary_cross_entropy_with_logits(z, target), z)
    assert torch.isclose(slope, torch.sigmoid(z.detach()) - target)
    says("any target from 0 to 1, also 0.3.", "at the same answer as squared error, and its gradient is $p - y$")
    assert round(-math.log(0.5), 3) == 0.693
    says("$p - y$ = 0.00005 − 1 = −0.99995", "a whisper of −0.000045", "−log 0.5 = 0.693", "log 2 = 0.693")


def test_tanh_is_no_output_for_0_and_1():
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        F.binary_cross_entropy(torch.tanh(torch.tensor([-1.0])), torch.zeros(1))
    assert (round(math.tanh(-1), 3), round(math.tanh(-3), 3), round(math.tanh(-3) ** 2, 3)) == (-0.762, -0.995, 0.99)
    z = torch.linspace(-9, 9, 99, dtype=torch.float64)
    assert torch.allclose((torch.tanh(z) + 1) / 2, torch.sigmoid(2 * z))
    says("it says −0.762", "(−0.995 − 0)² = 0.990", r"$(\tanh z + 1)/2 = \sigma(2z)$")


def test_the_mean_follows_an_outlier_and_the_middle_one_does_not(chapter):
    prices = chapter.names["prices"].tolist()
    assert sorted(prices) == [1, 2, 3, 4, 90] and sum(prices) / 5 == 20 and float(np.median(prices)) == 3
    assert 2 * (90 - 20) == 140
    says(
        "The one guess with the least squared error for all is their mean, 20,",
        "it is the middle one, 3.",
        "2 · 70 = 140",
    )


def test_a_softmax_too_many_has_a_floor():
    assert round(math.log(1 + 2 * math.exp(-10)), 5) == 0.00009
    assert round(math.log(1 + 2 / math.e), 3) == 0.551
    says("The loss is 0.00009. With a softmax too many it is 0.552", "brings it below 0.551")


def test_the_approximate_gelu_differs_by_a_ten_thousandth():
    two = torch.tensor(2.0, dtype=torch.float64)
    assert round(abs(F.gelu(two) - F.gelu(two, approximate="tanh")).item(), 4) == 0.0001
    says("At 2 they differ by 0.0001")


def test_the_sigmoid_still_guesses_and_the_others_learn(chapter):
    runs = chapter.names["panel"].runs
    assert list(runs) == ["identity", "sigmoid", "tanh", "relu", "gelu"]
    assert len(chapter.names["train"]) == 2000 and len(chapter.names["validation"]) == 1000
    assert all(len(history) == 6 for history in runs.values())
    last = {name: history["validation_accuracy"][-1] for name, history in runs.items()}
    assert last.pop("sigmoid") < 0.2 and min(last.values()) > 0.6
    assert abs(runs["sigmoid"]["loss"][-1] - math.log(10)) < 0.05 and round(math.log(10), 2) == 2.30
    assert last["identity"] > max(last.values()) - 0.05
    assert runs["tanh"]["loss"][0] < runs["relu"]["loss"][0] - 0.1
    says(
        "Identity keeps up with all others, and it is a single line",
        "for 6 epochs of 2,000 garments each",
        "at a loss of log 10 = 2.30",
        "tanh starts sooner than ReLU at this rate",
    )


def test_next_to_nothing_reaches_the_first_layer_behind_sigmoids(chapter):
    gradients = {name: history.points[-1]["layers"] for name, history in chapter.names["panel"].runs.items()}
    reach = {name: layers[0] / layers[-1] for name, layers in gradients.items()}
    assert min(reach, key=reach.get) == "sigmoid" and reach["sigmoid"] < 0.02
    says("next to nothing reaches the first convolution")


def test_what_the_log_of_longer_runs_shows(chapter):
    log = chapter.names["log"]
    accuracies = {name: np.array(found) for name, found in log.figures("test accuracy").items()}
    line, sigmoid = accuracies.pop("identity"), accuracies.pop("sigmoid")
    six = np.array(list(accuracies.values()))
    assert log.contents["recipe"]["pictures"]["to train"] == 55_000 and six.shape == (6, 3)
    assert {*line.round(2)} == {0.8, 0.81} and (sigmoid.min().round(2), sigmoid.max().round(2)) == (0.30, 0.52)
    assert (six.min().round(2), six.max().round(2)) == (0.85, 0.87) and (six - line).min() > 0.04
    assert np.ptp(six, axis=0).max() < 0.01 and 0.01 < np.ptp(six, axis=1).min() < np.ptp(six, axis=1).max() < 0.025
    says(
        "on all 60,000 pictures, each from three seeds",
        "The line falls behind, by four points at least.",
        "The line gets 80 or 81 %, and six bends get 85 to 87. The sigmoid has reached 30 to 52",
        "From one seed they lie within a point of each other",
        "another seed moves each of them by one to two points.",
    )


def test_without_activations_the_network_of_the_comparison_is_one_line(chapter):
    torch.manual_seed(0)
    model = chapter.names["lenet"](activation="identity", pool="avg").double()
    x, y = torch.randn(2, 1, 1, 28, 28, dtype=torch.float64)
    with torch.no_grad():
        origin = model(torch.zeros_like(x))
        assert torch.allclose(model(2 * x - 3 * y) - origin, 2 * (model(x) - origin) - 3 * (model(y) - origin))
    says("with `identity` nothing bends at all, and the network is one line")


def solutions() -> list[str]:
    found = re.findall(r"^(`{4,})\{solution\} [^\n]*\n(.*?)^\1$", TEXT, re.S | re.M)
    return ["\n".join(re.findall(r"^```python\n(.*?)^```$", body, re.S | re.M)) for _, body in found]


@pytest.mark.parametrize("source", solutions(), ids=lambda source: source.strip().splitlines()[0][:40])
def test_the_solution_of_each_exercise_runs(chapter, source):
    assert "assert" in source
    exec(source, dict(chapter.names))
