"""The pooling explorer's arithmetic in node, against torch's forward pass and autograd in float64."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from convbook.widgets import PoolExplorer

Node = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("one_thread")
IMPORT = 'import * as math from "./pool_explorer.math.mjs";\n'
# JSON writes −∞ as null; only padding has it.
EXPLAIN = f"{IMPORT}const answer = input.map((state) => ({{ ...math.explain(state), words: math.summary(state) }}));"


def pool(state: dict[str, Any], image: torch.Tensor) -> torch.Tensor:
    """What torch makes of an image (rows, columns); RuntimeError where it refuses."""
    settings = (state["kernel"], state["stride"], state["padding"])
    if state["mode"] == "max":
        return F.max_pool2d(image[None, None], *settings)[0, 0]
    return F.avg_pool2d(image[None, None], *settings, count_include_pad=state["count_include_pad"])[0, 0]


def by_torch(state: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Output and gradient of the input; the output has shape (0, 0) where torch refuses the state."""
    image = torch.tensor(state["image"], dtype=torch.float64, requires_grad=True)
    try:
        output = pool(state, image)
    except RuntimeError:
        return np.zeros((0, 0)), np.zeros(image.shape)
    upstream = torch.ones_like(output)
    rows, columns = (min(sides) for sides in zip(output.shape, np.shape(state["upstream"]), strict=True))
    upstream[:rows, :columns] = torch.tensor(state["upstream"], dtype=torch.float64)[:rows, :columns]
    output.backward(upstream)
    assert image.grad is not None
    return output.detach().numpy(), image.grad.numpy()


def random_state(draws: np.random.Generator) -> dict[str, Any]:
    """Half of the images have few values, so that ties are common."""
    shape = draws.integers(1, 9, size=2)
    image = draws.integers(-2, 2, size=shape) if draws.integers(2) else draws.normal(size=shape)
    return {
        "image": image.tolist(),
        "mode": str(draws.choice(["max", "average"])),
        "kernel": int(draws.integers(1, 7)),
        "stride": int(draws.integers(1, 5)),
        "padding": int(draws.integers(0, 4)),
        "count_include_pad": bool(draws.integers(2)),
        "gradient": True,
        "upstream": draws.normal(size=draws.integers(1, 6, size=2)).tolist(),
        "ties": "first",
        "selected": draws.integers(0, 9, size=2).tolist(),
    }


def test_output_and_gradient_are_those_of_torch_for_any_state(node: Node) -> None:
    draws = np.random.default_rng(20261121)
    states = [random_state(draws) for _ in range(2000)]
    fitting = 0
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        output, gradient = by_torch(state)
        assert tuple(view["out_shape"]) == output.shape, state
        assert bool(view["problem"]) == (output.size == 0), state
        fitting += output.size > 0
        np.testing.assert_allclose(np.array(view["output"]).reshape(output.shape), output, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(view["gradient"], gradient, rtol=1e-12, atol=1e-12)
    assert 700 < fitting < 1900, "the draws must try both states with and states without an output"


def test_an_even_split_is_the_mean_of_the_gradients_beside_the_tie(node: Node) -> None:
    """A mean of gradients nearby is a subgradient: here one a winner, which a nudge makes the only one."""
    draws = np.random.default_rng(5)
    tried = 0
    for state in (random_state(draws) | {"mode": "max", "ties": "split"} for _ in range(400)):
        image, k = np.array(state["image"], dtype=float), state["kernel"]
        if image.shape != (k, k) or len(np.unique(image)) == image.size:
            continue
        state |= {"padding": 0, "upstream": [[2.0]]}
        nudged = []
        for cell in np.argwhere(image == image.max()):
            beside = image.copy()
            beside[tuple(cell)] += 1e-6
            nudged.append(by_torch(state | {"image": beside.tolist()})[1])
        (view,) = node(EXPLAIN, [state])
        np.testing.assert_allclose(view["gradient"], np.mean(nudged, axis=0), atol=1e-12)
        tried += 1
    assert tried >= 3


def test_a_split_keeps_the_sum_of_the_gradient(node: Node) -> None:
    draws = np.random.default_rng(8)
    states = [random_state(draws) | {"mode": "max", "ties": "split"} for _ in range(400)]
    differing = 0
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        first = by_torch(state)[1]
        assert np.sum(view["gradient"]) == pytest.approx(first.sum(), abs=1e-9)
        differing += not np.allclose(view["gradient"], first)
    assert differing > 50, "ties must occur"


def test_the_window_holds_its_cells_and_the_meeting_its_parts(node: Node) -> None:
    draws = np.random.default_rng(11)
    states = [state for state in (random_state(draws) for _ in range(600)) if by_torch(state)[0].size]
    for state, view in zip(states, node(EXPLAIN, states), strict=True):
        (i, j), k, s, p = view["selected"], state["kernel"], state["stride"], state["padding"]
        cells = [(i * s - p + u, j * s - p + v) for u in range(k) for v in range(k)]
        assert [(cell["row"], cell["column"]) for cell in view["window"]] == cells
        rows, columns = np.shape(state["image"])
        for cell in view["window"]:
            inside = 0 <= cell["row"] < rows and 0 <= cell["column"] < columns
            assert cell["padding"] == (not inside)
            if inside:
                assert cell["value"] == state["image"][cell["row"]][cell["column"]]
        meeting = view["meeting"]
        assert sum(meeting["parts"]) == pytest.approx(by_torch(state)[1][meeting["row"], meeting["column"]], abs=1e-12)
        assert (meeting["row"], meeting["column"]) in cells
        values = [state["image"][r][c] for r, c in cells if 0 <= r < rows and 0 <= c < columns]
        wins = [cell for cell in view["window"] if cell["wins"]]
        assert len(wins) == (values.count(max(values)) if state["mode"] == "max" else 0)


def test_every_combination_of_the_controls_has_the_size_that_torch_gives_and_a_summary(node: Node) -> None:
    code = f"""{IMPORT}
const range = ([first, last]) => Array.from({{ length: last - first + 1 }}, (_, i) => first + i);
const answer = [];
for (const image of Object.values(math.IMAGES))
for (const mode of Object.keys(math.MODES))
for (const kernel of range(math.RANGES.kernel))
for (const stride of range(math.RANGES.stride))
for (const padding of range(math.RANGES.padding))
for (const ties of Object.keys(math.TIES))
for (const count_include_pad of [true, false])
for (const gradient of [true, false]) {{
  const choices = {{ image, mode, kernel, stride, padding, ties, count_include_pad, gradient }};
  const state = {{ ...choices, upstream: [[1]], selected: [1, 2] }};
  const view = math.explain(state);
  const words = math.summary(state, view);
  if (!words || /undefined|NaN|null|Infinity/.test(words)) throw new Error(words);
  if ((words === view.problem) !== (view.out_shape[0] === 0)) throw new Error(JSON.stringify(state));
  answer.push([image.length, mode, kernel, stride, padding, ...view.out_shape]);
}}"""
    seen = node(code)
    assert len(seen) == 4 * 2 * 6 * 4 * 4 * 2 * 2 * 2
    for n, mode, kernel, stride, padding, *out_shape in {tuple(each) for each in seen}:
        state = {"mode": mode, "kernel": kernel, "stride": stride, "padding": padding, "count_include_pad": True}
        output, _ = by_torch(state | {"image": np.zeros((n, n)).tolist(), "upstream": [[1]]})
        assert tuple(out_shape) == output.shape


def words(node: Node, **changes: Any) -> str:
    return node(f"{IMPORT}const answer = math.summary(input);", PoolExplorer(**changes).get_state())


def test_the_summary_says_what_the_grids_show(node: Node) -> None:
    assert words(node, image=[[1, 3], [2, 9]]) == (
        "Max pooling: the output has 1 by 1 cells. Its row 1, column 1 is 9, the largest of rows 1 to 2 and columns "
        "1 to 2 of the input. The largest stands at row 2, column 2."
    )
    assert words(node, image=[[1, 3], [2, 9]], mode="average").endswith(
        "is 3.75, the mean of rows 1 to 2 and columns 1 to 2 of the input."
    )
    tie = words(node, image=[[7, 7], [2, 7]], gradient=True)
    assert "3 cells tie. The first of them, row 1, column 1, gets the gradient 1, as in torch." in tie
    split = words(node, image=[[7, 7], [2, 7]], gradient=True, ties="split")
    assert "3 cells tie, and each gets 1/3 of the gradient 1." in split
    padded = words(node, image=[[4]], mode="average", padding=1, gradient=True)
    assert "3 of the window's 4 cells are padding and count as zeros." in padded
    assert (
        "Each of the 1 cells gets 0.25 of the gradient 1, which is 0.25. The share of 3 padding cells is lost."
        in padded
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"padding": 2}, "Padding 2 is too much for a window of 2: torch allows at most half the window, 1"),
        ({"kernel": 6, "image": [[1, 2]]}, "it has 6 cells a side and the input has 1. Make the window smaller"),
    ],
)
def test_a_state_without_output_says_why_and_what_to_do(node: Node, changes: dict[str, Any], reason: str) -> None:
    assert reason in words(node, **changes)


def test_the_sign_of_equality_is_honest_about_rounding(node: Node) -> None:
    code = f"{IMPORT}const answer = input.map(([terms, total]) => math.relation(terms, total));"
    assert node(code, [[[1, 2], 1.5], [[1, 1, 2], 4 / 3], [[0.1234], 0.1234]]) == ["=", "≈", "≈"]


def test_the_page_offers_what_python_accepts_and_starts_with_the_first_picture(node: Node) -> None:
    ranges, modes, ties, images = node(f"{IMPORT}const answer = [math.RANGES, math.MODES, math.TIES, math.IMAGES];")
    traits = PoolExplorer.class_traits()
    for name in ("kernel", "stride", "padding"):
        assert [traits[name].min, traits[name].max] == ranges[name]
    assert traits["mode"].values == list(modes)
    assert traits["ties"].values == list(ties)
    assert PoolExplorer().image == images["numbers"]
    assert all(max(np.shape(image)) <= traits["image"].largest for image in images.values())
    assert traits["upstream"].largest >= max(
        traits["image"].largest + 2 * p - k + 1 for k, p in itertools.product(range(1, 7), range(4)) if p <= k // 2
    )


def test_a_random_input_uses_all_ten_digits(node: Node) -> None:
    code = f"{IMPORT}let i = 0;\nconst answer = math.randomImage(() => (i++ % 10) / 10);"
    assert set(itertools.chain(*node(code))) == set(range(10))


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("kernel", 0),
        ("kernel", 7),
        ("stride", 1.5),
        ("padding", 4),
        ("mode", "median"),
        ("ties", "last"),
        ("count_include_pad", "no"),
        ("image", np.ones((9, 9))),
        ("selected", (-1, 0)),
    ],
)
def test_a_value_without_meaning_is_refused_by_name_and_changes_nothing(trait: str, value: Any) -> None:
    explorer = PoolExplorer()
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before
