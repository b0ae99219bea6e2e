"""The LeNet explorer: its state in Python, and its arithmetic in node against torch, layer by layer."""

import base64
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from safetensors.torch import load
from torch import nn

from convbook import nets, pretrained
from convbook.data import GARMENTS, Split, batches, fashion_mnist, letters
from convbook.pretrained import garments
from convbook.shapes import Conv, Pool, table
from convbook.widgets import LeNetExplorer
from convbook.widgets.lenet_explorer import MAPS, packed

Node = Callable[..., Any]
# The weights come as a DataView, here one that begins inside its buffer.
IMPORT = """import * as math from "./lenet_explorer.math.mjs";
const weights = new DataView(Uint8Array.from([7, ...math.bytesOf(input.weights)]).buffer, 1);
const tensors = math.tensorsOf(weights);
const plain = (run) => Object.fromEntries(Object.entries(run).map(([name, values]) => [name, [...values]]));
"""
LAYERS = [*MAPS, "fc1", "activation3", "fc2", "activation4", "fc3"]


@pytest.fixture(scope="module")
def explorer() -> LeNetExplorer:
    return LeNetExplorer()


@pytest.fixture(scope="module")
def trained() -> nn.Sequential:
    return pretrained.lenet()


def text(picture: np.ndarray) -> str:
    return base64.b64encode(picture.astype(np.uint8).tobytes()).decode()


def state(explorer: LeNetExplorer, **changes: Any) -> dict[str, Any]:
    """What the page gets, with the weights in base64."""
    found = {name: explorer.get_state()[name] for name in ("samples", "picture", "ink", "brush", "selected")}
    return {**found, **changes}


def by_torch(network: nn.Sequential, pictures: np.ndarray, dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Every layer's values for pictures as bytes, each picture's in one row."""
    network = copy.deepcopy(network).to(dtype)
    x = torch.tensor(pictures, dtype=dtype)[:, None] / 255
    x = (x - LeNetExplorer().samples.mean[0]) / LeNetExplorer().samples.std[0]
    found = {"input": x}
    with torch.no_grad():
        for name, layer in network.named_children():
            x = found[name] = layer(x)
    found["probabilities"] = x.softmax(1)
    return {name: values.flatten(1).numpy() for name, values in found.items() if name != "flatten"}


def drawings(count: int) -> np.ndarray:
    """Noise, strokes, boxes, and pictures that are all black or all white."""
    rng = np.random.default_rng(8)
    pictures = [np.zeros((28, 28)), np.full((28, 28), 255)]
    for number in range(count - 2):
        picture = rng.integers(0, 256, (28, 28)) * (number % 3 == 0)
        for _ in range(rng.integers(1, 6)):
            top, left, height, width = rng.integers(0, 28, 4)
            picture[top : top + height + 1, left : left + width + 1] = rng.choice([255, 170, 85, 0])
        pictures.append(picture)
    return np.stack(pictures).astype(np.uint8)


def test_every_layer_is_torchs_for_all_samples_and_for_drawings(
    node: Node, explorer: LeNetExplorer, trained: nn.Sequential
) -> None:
    pictures = np.concatenate([explorer.samples.images, drawings(30)])
    code = f"""{IMPORT}const answer = input.pictures
      .map((picture) => plain(math.runOf(tensors, {{ ...input.state, picture }})));"""
    weights = base64.b64encode(explorer.weights).decode()
    found = node(code, {"weights": weights, "state": state(explorer), "pictures": [text(each) for each in pictures]})
    for dtype, limit in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        wanted = by_torch(trained, pictures, dtype)
        assert set(found[0]) == {*LAYERS, "probabilities"} == set(wanted)
        for name in wanted:
            np.testing.assert_allclose(
                np.array([run[name] for run in found]), wanted[name], rtol=0, atol=limit, err_msg=name
            )


def test_what_it_reads_are_the_batches_that_the_network_was_trained_on(node: Node, explorer: LeNetExplorer) -> None:
    code = f"""{IMPORT}const answer = input.state.samples.images
      .map((picture) => [...math.runOf(tensors, {{ ...input.state, picture }}).input]);"""
    found = node(code, {"weights": base64.b64encode(explorer.weights).decode(), "state": state(explorer)})
    ((images, _),) = batches(explorer.samples, len(explorer.samples))
    np.testing.assert_allclose(found, images.flatten(1).numpy(), atol=1e-5)


def test_the_page_reads_every_float16_that_a_weight_can_be(node: Node) -> None:
    code = 'import { fromHalf } from "./lenet_explorer.math.mjs";\nconst answer = input.map(fromHalf);'
    bits = np.arange(2**16, dtype=np.uint16)
    values = bits.view(np.float16)
    finite = np.isfinite(values)
    assert np.array_equal(node(code, bits[finite].tolist()), values[finite].astype(float))


def test_softmax_stays_finite_where_scores_are_huge(node: Node) -> None:
    code = 'import { softmax } from "./lenet_explorer.math.mjs";\nconst answer = softmax(input);'
    assert node(code, [1000, 1000, -1000]) == pytest.approx([0.5, 0.5, 0])


def cells() -> Iterator[tuple[str, int, int, int]]:
    """Corners, edges and the middle of the first and last map of every layer."""
    for name, (maps, side) in MAPS.items():
        for map_ in {0, maps - 1}:
            for row in (0, 1, side // 2, side - 1):
                for column in (0, side // 2, side - 2, side - 1):
                    yield name, map_, row, column


def test_the_windows_behind_a_cell_are_what_its_value_depends_on(
    node: Node, explorer: LeNetExplorer, trained: nn.Sequential
) -> None:
    """Against torch's gradient, with max pooling and ReLU made linear so that no path is closed."""
    code = """import * as math from "./lenet_explorer.math.mjs";
    const answer = input.map((cell) => math.windows(cell).map((window) => ({ ...window, ...math.framed(window) })));"""
    wanted = list(cells())
    modules = dict(nets.lenet(activation="identity", pool="avg").named_children())
    for module in modules.values():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    names = [name for name in MAPS if name != "input"]
    for cell, found in zip(wanted, node(code, wanted), strict=True):
        name, map_, row, column = cell
        values = {"input": torch.zeros(1, 28, 28, requires_grad=True)}
        x = values["input"]
        for each in names[: list(MAPS).index(name)]:
            x = values[each] = modules[each](x) if each in modules else x * 1
        ordered = [each for each in MAPS if each in values][::-1]
        assert [window["name"] for window in found] == ordered
        gradients = torch.autograd.grad(x[map_, row, column], [values[each] for each in ordered])
        for window, gradient in zip(found, gradients, strict=True):
            expected = np.zeros(gradient.shape, bool)
            maps = slice(None) if window["map"] is None else window["map"]
            at = (window["row"], window["column"])
            rows, columns = (slice(a, a + n) for a, n in zip(at, (window["rows"], window["columns"]), strict=True))
            expected[maps, rows, columns] = True
            assert np.array_equal(gradient.numpy() != 0, expected), (cell, window["name"])


def test_receptive_fields_are_those_of_convbook(node: Node) -> None:
    code = """import * as math from "./lenet_explorer.math.mjs";
    const answer = input.map((cell) => math.windows(cell).at(-1));"""
    names = ["conv1", "pool1", "conv2", "pool2"]
    stack = [Conv(6, 5, padding=2), Pool(2), Conv(16, 5), Pool(2)]
    found = node(code, [[name, 0, 2, 3] for name in names])
    for window, row in zip(found, table(stack, (1, 28, 28)).rows, strict=True):
        down, across = row.fields
        assert (window["top"], window["bottom"]) == down.sees(2)
        assert (window["left"], window["right"]) == across.sees(3)


def test_the_words_about_a_cell_give_what_it_is_made_from(
    node: Node, explorer: LeNetExplorer, trained: nn.Sequential
) -> None:
    chosen = list(cells())
    code = f"""{IMPORT}const run = math.runOf(tensors, input.state);
    const answer = input.cells.map((selected) => {{
      const state = {{ ...input.state, selected }};
      const words = {{ said: math.explain(state, tensors, run), all: math.summary(state, tensors, run) }};
      return {{ ...math.origin(tensors, run, selected), ...words }};
    }});"""
    weights = base64.b64encode(explorer.weights).decode()
    found = node(code, {"weights": weights, "state": state(explorer), "cells": chosen})
    values = {name: each[0] for name, each in by_torch(trained, explorer.picture[None], torch.float64).items()}
    for (name, map_, row, column), told in zip(chosen, found, strict=True):
        maps, side = MAPS[name]
        here = values[name].reshape(maps, side, side)[map_, row, column]
        assert told["value"] == pytest.approx(here, abs=1e-9)
        if name in ("conv1", "conv2"):
            assert told["bias"] == getattr(trained, name).bias[map_].item()
            padded = np.pad(np.ones((28, 28)), 2)[row : row + 5, column : column + 5]
            outside = 25 - padded.sum() if name == "conv1" else 0
            assert (told["products"], told["outside"]) == ({"conv1": 25, "conv2": 150}[name], outside)
            assert ("padding" in told["said"]) == bool(outside)
        elif name != "input":
            assert max(0.0, *told["before"]) == pytest.approx(here, abs=1e-9)
            assert len(told["before"]) == (4 if "pool" in name else 1)
        assert told["said"].startswith(f"{name}, ")
        assert f"row {row + 1}, column {column + 1}, is " in told["said"]
        assert not any(word in told["all"] for word in ("undefined", "NaN", "null", "Infinity"))


@pytest.mark.parametrize("ink", [255, 170, 85, 0])
@pytest.mark.parametrize("brush", [1, 2, 3, 4, 5])
def test_a_brush_is_round_and_a_stroke_leaves_no_gap(node: Node, brush: int, ink: int) -> None:
    code = """import * as math from "./lenet_explorer.math.mjs";
    const answer = input.strokes.map(([from, to]) => [...math.bytesOf(math.stroke(input.state, from, to))]);"""
    rng = np.random.default_rng(brush)
    strokes = [[[14, 14], [14, 14]], [[0, 0], [27, 27]], [[0, 0], [0, 0]], *rng.integers(0, 28, (40, 2, 2)).tolist()]
    ground = np.full((28, 28), 100)
    given = {"strokes": strokes, "state": {"picture": text(ground), "brush": brush, "ink": ink}}
    dot, *others = np.reshape(node(code, given), (-1, 28, 28))
    at = np.arange(28) - 14 - (0 if brush % 2 else 0.5)
    assert np.array_equal(dot == ink, np.hypot(at[:, None], at) <= brush / 2)
    for (start, end), picture in zip(strokes[1:], others, strict=True):
        assert set(np.unique(picture)) <= {100, ink}
        assert picture[tuple(start)] == picture[tuple(end)] == ink
        lit = set(map(tuple, np.argwhere(picture == ink)))
        reached, edge = {tuple(start)}, [tuple(start)]
        while edge:
            row, column = edge.pop()
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & lit - reached
            reached |= near
            edge += near
        assert reached == lit, "one piece"


def test_the_verdict_knows_samples_from_drawings_and_right_from_wrong(
    node: Node, explorer: LeNetExplorer, trained: nn.Sequential
) -> None:
    samples = explorer.samples
    pictures = [*samples.images, drawings(3)[2]]
    code = f"""{IMPORT}const answer = input.pictures.map((picture) => {{
      const state = {{ ...input.state, picture }};
      const run = math.runOf(tensors, state);
      return [math.verdict(state, run), math.summary(state, tensors, run)];
    }});"""
    weights = base64.b64encode(explorer.weights).decode()
    found = node(code, {"weights": weights, "state": state(explorer), "pictures": [text(each) for each in pictures]})
    top = by_torch(trained, np.stack(pictures), torch.float64)["fc3"].argmax(1)
    for index, ((said, summary), best) in enumerate(zip(found, top, strict=True)):
        assert said.startswith(f"The network says {GARMENTS[best]}, ")
        if index == len(samples):
            assert said.endswith("Your picture has no label.") and summary.startswith("A picture of your own.")
        else:
            right = samples.labels[index] == best
            ending = "That is its label." if right else f"The label is {GARMENTS[samples.labels[index]]}."
            assert said.endswith(ending) and summary.startswith(f"Picture {index + 1} of 16.")


# ---- in Python ------------------------------------------------------------------------------------------------------


def test_the_samples_are_one_a_class_that_is_right_and_six_that_are_wrong(
    explorer: LeNetExplorer, trained: nn.Sequential
) -> None:
    top = by_torch(trained, explorer.samples.images, torch.float32)["fc3"].argmax(1)
    assert explorer.samples.labels[:10].tolist() == top[:10].tolist() == list(range(10))
    assert len(top) == 16 and not (explorer.samples.labels[10:] == top[10:]).any()
    test = fashion_mnist("test", bundled=True)
    assert all((test.images == picture).all((1, 2)).any() for picture in explorer.samples.images)


def test_the_weights_are_the_files_and_light(explorer: LeNetExplorer) -> None:
    ours, file = load(explorer.weights), load(garments.content())
    assert ours.keys() == file.keys() and all(torch.equal(ours[name], file[name]) for name in file)
    assert len(explorer.weights) < 125_000


def test_a_network_of_ones_own_is_rounded_and_shown() -> None:
    torch.manual_seed(1)
    network = nets.lenet()
    for given in (network, network.state_dict()):
        found = load(LeNetExplorer(weights=given).weights)
        assert all(torch.equal(found[name], value.half()) for name, value in network.state_dict().items())


class Written(nn.Module):
    """LeNet as a chapter may write it, by the same names."""

    def __init__(self, pool: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.conv1(x).relu(), 2)
        x = self.pool(self.conv2(x).relu(), 2).flatten(1)
        scores: torch.Tensor = self.fc3(self.fc2(self.fc1(x).relu()).relu())
        return scores


def test_another_way_to_write_lenet_is_welcome_and_another_network_is_not() -> None:
    torch.manual_seed(2)
    LeNetExplorer(weights=Written(nn.functional.max_pool2d))
    with pytest.raises(traitlets.TraitError, match="other outputs: the page has ReLU and max pooling"):
        LeNetExplorer(weights=Written(nn.functional.avg_pool2d))


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (nets.lenet(activation="tanh"), "other outputs"),
        (nets.lenet(in_channels=3), r"conv1\.weight has shape \(6, 3, 5, 5\)"),
        (nn.Sequential(nn.Linear(3, 2)), r"0\.bias has no place"),
        ({}, "in 10 of its names"),
        (b"nothing", "no safetensors file"),
        (7, "Got int"),
        ({**nets.lenet().state_dict(), "fc3.bias": torch.full((10,), 1e6)}, "infinite or no numbers in float16"),
        ({**nets.lenet().state_dict(), "fc3.bias": torch.full((10,), torch.nan)}, "infinite or no numbers in float16"),
    ],
)
def test_weights_that_the_page_cannot_run_are_refused_in_words(weights: Any, reason: str) -> None:
    with pytest.raises(traitlets.TraitError, match=rf"LeNetExplorer\.weights needs a network that computes.*{reason}"):
        LeNetExplorer(weights=weights)


def test_packing_asks_nothing_of_torchs_generator() -> None:
    content = garments.content()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    packed(content)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"picture": np.zeros((28, 27))}, r"28 × 28 pixels.*\(28, 27\)"),
        ({"picture": np.full((28, 28), 2.0)}, "outside 0 to 1"),
        ({"picture": np.zeros((1, 28, 28))}, "shape"),
        ({"ink": 17}, "ink"),
        ({"brush": 6}, "brush"),
        ({"selected": ("pool1", 6, 0, 0)}, r"pool1 has 6 maps of 14 × 14, counted from 0\. Got \[6, 0, 0\]"),
        ({"selected": ("pool2", 0, 0, 5)}, "pool2 has 16 maps of 5 × 5"),
        ({"selected": ("fc1", 0, 0, 0)}, "selected"),
        ({"samples": letters("test", 3)}, r"1 to 24 gray pictures of 28 × 28"),
        ({"samples": fashion_mnist("test", bundled=True)}, "Got Split of 2,000 pictures"),
        ({"samples": np.zeros((3, 28, 28))}, "Got ndarray"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(traits: dict[str, Any], reason: str) -> None:
    with pytest.raises(traitlets.TraitError, match=reason):
        LeNetExplorer(**traits)


def test_samples_of_ones_own_bring_their_classes_and_the_first_is_shown() -> None:
    test = fashion_mnist("test", bundled=True)
    some = Split(test.images[5:8], test.labels[5:8], tuple("abcdefghij"), (0.5,), (0.25,), "mine")
    explorer = LeNetExplorer(samples=some)
    assert np.array_equal(explorer.picture, test.images[5])
    sent = explorer.get_state()["samples"]
    assert sent["classes"] == list("abcdefghij") and (sent["mean"], sent["std"]) == (0.5, 0.25)
    assert sent["labels"] == test.labels[5:8].tolist() and sent["images"][2] == text(test.images[7])


def test_what_the_page_draws_arrives_as_pixels() -> None:
    explorer = LeNetExplorer()
    drawn = drawings(5)[4]
    explorer.set_state({"picture": text(drawn), "selected": ["input", 0, 3, 4]})
    assert np.array_equal(explorer.picture, drawn) and explorer.picture.dtype == np.uint8
    assert tuple(explorer.selected) == ("input", 0, 3, 4)
