"""The shift demo's arithmetic in node, against torch and numpy; its plot's arithmetic; its state in Python."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from convbook.widgets import ShiftDemo

Node = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("one_thread")
IMPORT = 'import * as math from "./shift_demo.math.mjs";\n'
EXPLAIN = f"{IMPORT}const answer = input.map(math.explain);"
BLURS = {3: [1, 2, 1], 5: [1, 4, 6, 4, 1]}


def moved(signal: list[float], shift: float) -> np.ndarray:
    """What square pixels catch of the picture once it has moved: each is 4 small ones, and all of them move."""
    fine = np.roll(np.repeat(np.array(signal, dtype=float), 4), round(4 * shift))
    return fine.reshape(-1, 4).mean(axis=1)


def halved(row: np.ndarray, blur: int) -> dict[str, np.ndarray]:
    """Each way's answers, by torch."""
    x = torch.tensor(row)[None, None]
    densely = F.max_pool1d(F.pad(x, (0, 1), mode="circular"), 2, stride=1)
    kernel = torch.tensor(BLURS[blur], dtype=torch.float64)[None, None]
    around = F.pad(densely, (blur // 2, blur // 2), mode="circular")
    ways = {
        "stride": x[..., ::2],
        "max": F.max_pool1d(x, 2),
        "average": F.avg_pool1d(x, 2),
        "blur": F.conv1d(around, kernel / kernel.sum(), stride=2),
    }
    return {name: each[0, 0].numpy() for name, each in ways.items()}


def sensitivity(before: np.ndarray, after: np.ndarray) -> float | None:
    still = np.abs(before).sum()
    return float(np.abs(after - before).sum() / still) if still else None


def random_state(draws: np.random.Generator) -> dict[str, Any]:
    n = 2 * int(draws.integers(2, 9))
    signal = draws.integers(-1, 2, size=n) if draws.integers(2) else draws.normal(size=n)
    return {"signal": signal.tolist(), "shift": int(draws.integers(17)) / 4, "blur": int(draws.choice([3, 5]))}


def test_answers_and_changes_are_those_of_torch_for_any_state(node: Node) -> None:
    draws = np.random.default_rng(20261121)
    states = [random_state(draws) for _ in range(250)]
    without = 0
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        signal, shift, blur = state["signal"], state["shift"], state["blur"]
        now = moved(signal, shift)
        np.testing.assert_allclose(view["now"], now, atol=1e-12)
        still, one = halved(np.array(signal, dtype=float), blur), halved(moved(signal, 1), blur)
        for way in view["ways"]:
            before, after = still[way["key"]], halved(now, blur)[way["key"]]
            np.testing.assert_allclose(way["before"], before, atol=1e-12)
            np.testing.assert_allclose(way["after"], after, atol=1e-12)
            assert way["ratio"] == pytest.approx(sensitivity(before, after), abs=1e-9)
            assert way["sensitivity"] == pytest.approx(sensitivity(before, one[way["key"]]), abs=1e-9)
            assert [at for at, _ in way["points"]] == [quarter / 4 for quarter in range(17)]
            here = dict(map(tuple, way["points"]))[shift]
            assert here == pytest.approx(None if way["ratio"] is None else 100 * way["ratio"])
            assert all(y is None or y <= view["top"] + 1e-9 for _, y in way["points"])
            without += way["ratio"] is None
    assert without > 10, "an answer of zeros must occur"


def test_pooling_and_blur_pooling_give_zhangs_numbers_on_pairs(node: Node) -> None:
    # Zhang (2019), figure 4: max pooling turns from 0, 1, 0, 1 to all ones, blur pooling from .5, 1, .5, 1 to .75.
    (view,) = node(EXPLAIN, [{"signal": [0, 0, 1, 1, 0, 0, 1, 1], "shift": 1, "blur": 3}])
    ways = {way["key"]: way for way in view["ways"]}
    assert (ways["max"]["before"], ways["max"]["after"]) == ([0, 1, 0, 1], [1, 1, 1, 1])
    assert (ways["blur"]["before"], ways["blur"]["after"]) == ([0.5, 1, 0.5, 1], [0.75] * 4)
    assert [ways[key]["sensitivity"] for key in ("stride", "max", "average", "blur")] == [2, 1, 1, 1 / 3]


def test_stripes_become_constant_under_stride_2_and_turn_over_with_one_pixel(node: Node) -> None:
    code = f"""{IMPORT}const {{ stripes: signal }} = math.SIGNALS;
    const answer = [0, 1].map((shift) => math.explain({{ signal, shift, blur: 3 }}));"""
    for view, level in zip(node(code), (1, 0), strict=True):
        ways = {way["key"]: way["after"] for way in view["ways"]}
        assert ways == {"stride": [level] * 4, "max": [1] * 4, "average": [0.5] * 4, "blur": [1] * 4}


def test_every_preset_at_every_setting_has_a_summary(node: Node) -> None:
    code = f"""{IMPORT}
const answer = [];
for (const signal of Object.values(math.SIGNALS))
for (const blur of Object.keys(math.BLURS).map(Number))
for (let quarters = math.QUARTERS[0]; quarters <= math.QUARTERS[1]; quarters++) {{
  const state = {{ signal, blur, shift: quarters / 4 }};
  const view = math.explain(state);
  answer.push(math.summary(state, view) + math.curves(view));
}}"""
    texts = node(code)
    assert len(texts) == 5 * 2 * 17
    assert not [text for text in texts if any(word in text for word in ("undefined", "NaN", "null", "Infinity"))]


def test_the_summary_says_what_the_rows_show(node: Node) -> None:
    code = f"{IMPORT}const answer = input.map((state) => math.summary(state));"
    stripes = {"signal": [0, 1, 0, 1], "shift": 1, "blur": 3}
    moving, still = node(code, [stripes, stripes | {"shift": 0}])
    assert moving == (
        "4 pixels, moved by 1 pixel: 1, 0, 1, 0. "
        "Every second pixel: 0, 0 becomes 1, 1, the answer before was all zero, so the change has no value. "
        "Max of two, stride 2: stays 1, 1, a change of 0 %. "
        "Average of two, stride 2: stays 0.5, 0.5, a change of 0 %. "
        "Blur pooling: max, blur, stride 2: stays 1, 1, a change of 0 %."
    )
    assert "moved by 0 pixels: 0, 1, 0, 1." in still
    curves = node(f"{IMPORT}const answer = math.curves(math.explain(input));", stripes)
    assert curves.endswith(
        "At one pixel: Every second pixel, no value; Max of two, stride 2, 0 %; "
        "Average of two, stride 2, 0 %; Blur pooling: max, blur, stride 2, 0 %."
    )


def test_a_random_row_has_values_from_0_to_1(node: Node) -> None:
    code = f"{IMPORT}let i = 0;\nconst answer = math.randomSignal(16, () => (i++ % 11) / 11);"
    assert set(node(code)) == {tenths / 10 for tenths in range(11)}


@pytest.mark.parametrize(("low", "high"), [(0, 4), (0, 100), (0, 250), (-1, 1), (0, 0.3), (-3.7, 12.2), (1e-6, 2e-6)])
def test_ticks_are_round_few_and_inside(node: Node, low: float, high: float) -> None:
    found = node('import { ticks } from "./plot.mjs";\nconst answer = ticks(...input);', [low, high])
    assert 3 <= len(found) <= 6
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in found)
    step = Fraction(found[1] - found[0]).limit_denominator(10**9)
    digits = f"{float(step):.3e}"
    assert digits[0] in "125", digits
    assert set(digits[1:5]) <= set(".0")
    assert found[0] - low < step
    assert high - found[-1] < step


def test_a_path_has_gaps_where_there_is_no_value(node: Node) -> None:
    code = 'import { path } from "./plot.mjs";\nconst answer = path(input, [0, 4], [0, 200]);'
    assert node(code, [[0, 0], [1, 50], [2, None], [3, 200], [4, 100]]) == "M0 100L25 75M75 0L100 50"


def test_the_page_offers_what_python_accepts_and_starts_with_a_preset(node: Node) -> None:
    quarters, blurs, signals = node(f"{IMPORT}const answer = [math.QUARTERS, math.BLURS, math.SIGNALS];")
    traits = ShiftDemo.class_traits()
    assert [4 * traits["shift"].min, 4 * traits["shift"].max] == quarters
    assert [int(width) for width in blurs] == traits["blur"].values
    assert ShiftDemo().signal == signals["pairs"]
    for signal in signals.values():
        assert ShiftDemo(signal=signal).signal == signal


@pytest.mark.parametrize("value", [np.array([0, 0.5, 1, 1]), (0, 0.5, 1, 1), [False, 0.5, True, 1]])
def test_a_signal_is_a_list_or_an_array(value: Any) -> None:
    assert ShiftDemo(signal=value).signal == [0, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("signal", [1, 2, 3]),
        ("signal", [1, 2, 3, 4, 5]),
        ("signal", [0] * 18),
        ("signal", [[0, 1, 0, 1]]),
        ("signal", [[0, 1], [0]]),
        ("signal", [0, 1, 0, float("nan")]),
        ("signal", "0101"),
        ("signal", ["0", "1", "0", "1"]),
        ("signal", None),
        ("shift", -0.25),
        ("shift", 4.25),
        ("shift", 0.1),
        ("blur", 4),
    ],
)
def test_a_value_without_meaning_is_refused_by_name_and_changes_nothing(trait: str, value: Any) -> None:
    demo = ShiftDemo()
    before = getattr(demo, trait)
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(demo, trait, value)
    assert getattr(demo, trait) == before
