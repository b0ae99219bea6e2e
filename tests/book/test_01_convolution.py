"""Every figure in the prose of chapter 01, worked out again: by the chapter's own cells, by torch, or by counting.

`says` fails when the text no longer states the figure that the test has checked, so the two cannot drift apart.
"""

import ast
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import jupytext
import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from convbook.shapes import Conv, output_size, same_padding, table, transposed_size
from convbook.widgets import ChannelExplorer, ConvExplorer, KernelPainter, LayerStack, ReceptiveField
from convbook.widgets.base import Widget

CHAPTER = Path(__file__).resolve().parents[2] / "book" / "01-convolution.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
TORCH_MODES = {"zeros": "constant", "reflect": "reflect", "circular": "circular"}


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All cells, run in order: the names that they define, the demos, and the values that cells end with."""
    names: dict = {}
    values = []
    with plt.rc_context():
        for cell in jupytext.read(CHAPTER).cells:
            if cell.cell_type == "code":
                values.append(run(cell.source, names))
                plt.close("all")
    widgets = [value for value in values if isinstance(value, Widget)]
    demos = [each for each in widgets if isinstance(each, ConvExplorer)]
    return SimpleNamespace(names=names, values=values, demos=demos, widgets=widgets)


def run(source: str, names: dict) -> object:
    """Execute a cell as a notebook does; the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def says(*phrases: str) -> None:
    for phrase in phrases:
        assert phrase in FLAT, f"The chapter does not say {phrase!r} any more: change its test with it."


def by_torch(x, w, stride: int = 1, padding: int = 0, dilation: int = 1, mode: str = "zeros") -> np.ndarray:
    x, w = (torch.tensor(np.atleast_2d(a), dtype=torch.float64)[None, None] for a in (x, w))
    rows, columns = (padding if size > 1 else 0 for size in x.shape[-2:])
    x = F.pad(x, (columns, columns, rows, rows), mode=TORCH_MODES[mode])
    return F.conv2d(x, w, stride=stride, dilation=dilation)[0, 0].numpy()


def output_of(demo, **changes) -> np.ndarray:
    """What a demo shows after the changes that a task asks for."""
    state = {name: changes.get(name, getattr(demo, name)) for name in demo.trait_names() if name in SETTINGS}
    kernel = np.array(state["kernel"])
    kernel = kernel[::-1, ::-1].copy() if state["flip"] else kernel
    options = {name: state[name] for name in ("stride", "padding", "dilation")}
    return by_torch(state["image"], kernel, **options, mode=state["padding_mode"])


SETTINGS = {"image", "kernel", "stride", "padding", "padding_mode", "dilation", "flip"}


def only(chapter, kind: type):
    """The chapter's one widget of this kind."""
    (widget,) = (each for each in chapter.widgets if isinstance(each, kind))
    return widget


def test_the_chapter_runs_and_shows_its_demos(chapter):
    kinds = [ConvExplorer] * 2 + [KernelPainter] + [ConvExplorer] * 2 + [ChannelExplorer, LayerStack, ReceptiveField]
    assert len(chapter.widgets) == len(kinds) and all(map(isinstance, chapter.widgets, kinds))


def test_the_first_demo_answers_12_in_one_cell_at_stride_2_and_padding_1(chapter):
    answer = output_of(chapter.demos[0], stride=2, padding=1)
    assert np.argwhere(answer == 12).tolist() == [[2, 1]]
    says("Set the stride to 2 and the padding to 1. One output cell is 12", "Row 3, column 2.", "1·3 + 2·3 + 1·3 = 12")


def test_the_static_step_shows_the_first_demo(chapter):
    answer = output_of(chapter.demos[0])
    assert answer.shape == (5, 5) and answer[2, 1] == 12
    says("add up to the framed 12")


def test_the_patch_of_the_photograph_is_the_back_of_the_coat(chapter):
    patch = chapter.names["camera"][36:41, 12:18].round(2)
    assert patch.shape == (5, 6) and patch.size == 30
    assert (patch[0, 0], patch[-1, -1], patch.max(), patch.min()) == (0.86, 0.11, 0.87, 0.11)
    assert 128 * 128 * 3 == chapter.names["astronaut"].size == 49_152
    says("They fall from 0.86 to 0.11", "128 · 128 · 3 = 49,152", "values from 0.86 in the upper left to 0.11")


def test_the_four_cells_by_hand(chapter):
    x, w = chapter.names["x"], chapter.names["w"]
    assert x.tolist() == [[1, 3, 2], [0, 4, 1], [2, 5, 0]] and w.tolist() == [[2, 1], [0, -1]]
    assert by_torch(x, w).tolist() == chapter.names["y"].tolist() == [[1, 7], [-1, 9]]
    says("2·1 + 1·3 + 0·0 + (−1)·4 = 1", "2·3 + 1·2 + 0·4 + (−1)·1 = 7")
    says("2·0 + 1·4 + 0·2 + (−1)·5 = −1", "2·4 + 1·1 + 0·5 + (−1)·0 = 9", "3 − 2 + 1 = 2 places")


def test_every_product_sum_in_the_text_adds_up():
    """All of the form a·b + c·d + … = e, whatever they are about."""
    number = r"\(?−?\d+\)?"
    sums = re.findall(rf"((?:{number}·{number}(?: [+−] )?)+) = (−?\d+)", FLAT)
    assert len(sums) >= 15
    for left, right in sums:
        python = left.replace("−", "-").replace("·", "*")
        assert eval(python) == int(right.replace("−", "-")), (left, right)


def test_convolution_adds_and_the_maximum_does_not(chapter):
    one, two, mean = (chapter.names[name] for name in ("one", "two", "mean"))
    answers = [by_torch(picture, mean).item() for picture in (one, two, one + two)]
    assert answers == [4, 4, 8]
    assert [picture.max() for picture in (one, two, one + two)] == [9, 8, 9]
    says("All four pixels make the 4; one pixel alone makes the 9", "4 + 4 = 8. The maximum stays at 9, where 9 + 8")


def test_weights_of_dense_local_and_shared_layers(chapter):
    assert (5 * 3, 3 * 3) == (15, 9)
    assert output_size(28, 5) == 24
    dense = torch.nn.Linear(28 * 28, 24 * 24, bias=False).weight.numel()
    assert (dense, 24 * 24 * 25) == (451_584, 14_400)
    assert (28 * 28, 24 * 24) == (784, 576)
    assert chapter.names["local_weights"] == 14_400
    says("5 · 3 = 15 weights", "3 · 3 = 9 weights", "784 · 576 | 451,584", "576 · 25 | 14,400")


def test_lenets_first_layer_has_156_parameters_at_784_positions(chapter):
    layer = chapter.names["lenet_c1"]
    assert sum(parameter.numel() for parameter in layer.parameters()) == 6 * 25 + 6 == 156
    assert layer(torch.zeros(1, 1, 32, 32)).shape == (1, 6, 28, 28)
    says("6 · 25 + 6 = 156 parameters", "at 28 · 28 positions")


def test_cross_correlation_and_convolution_of_one_row(chapter):
    assert by_torch([1, 2, 4], [3, 1]).tolist() == [[5, 10]]
    assert by_torch([1, 2, 4], [1, 3]).tolist() == [[7, 14]]
    says("Let the row be 1 2 4 and the kernel 3 1")


def test_the_flip_demo_goes_from_3_to_7(chapter):
    demo = chapter.demos[1]
    assert demo.flip and demo.image == chapter.names["x"].tolist()
    assert output_of(demo)[0, 1] == 3 and output_of(demo, flip=False)[0, 1] == 7
    says("its upper right cell is 3.", "{dropdown} Answer 7, as in")


def test_turning_the_kernel_of_the_t_changes_the_sign_of_every_answer(chapter):
    demo = chapter.demos[0]
    assert np.array_equal(output_of(demo, flip=True), -output_of(demo))


def test_the_difference_kernel_on_two_steps():
    assert by_torch([2, 2, 2, 7, 7, 7], [-1, 0, 1]).tolist() == [[0, 5, 5, 0]]
    assert by_torch([7, 7, 7, 2, 2, 2], [-1, 0, 1]).tolist() == [[0, -5, -5, 0]]
    says("On the row 2 2 2 7 7 7 it answers 0, 5, 5, 0", "On the row 7 7 7 2 2 2 it answers 0, −5, −5, 0")


def test_two_of_the_hand_made_kernels_sum_to_1_and_three_to_0(chapter):
    kernels = [chapter.names[name] for name in ("box", "sharpen", "sobel_x", "sobel_y", "laplace")]
    assert [round(float(kernel.sum()), 12) for kernel in kernels] == [1, 1, 0, 0, 0]
    assert kernels[2].tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert (1 + 2 + 1) * (3 - 0) == 12
    says("(1 + 2 + 1) · (3 − 0) = 12", "Two of these sums are 1", "The other three sums are 0")


def test_the_back_of_the_coat_is_the_lowest_point_of_the_sobel_map(chapter):
    sobel_map = by_torch(chapter.names["camera"], chapter.names["sobel_x"])
    assert round(sobel_map.min(), 2) == -3.35
    assert np.argwhere(sobel_map == sobel_map.min()).tolist() == [[42, 12]]
    says("−3.35, at row 42 and column 12")


@pytest.mark.parametrize(
    ("degrees", "brighter"), [(0, (0, 1)), (90, (-1, 0)), (45, (-1, 1)), (-45, (1, 1)), (180, (0, -1)), (-90, (1, 0))]
)
def test_the_kernel_for_a_direction_answers_most_to_a_ramp_that_rises_there(chapter, degrees, brighter):
    sobel_x, sobel_y = chapter.names["sobel_x"], chapter.names["sobel_y"]
    rows, columns = np.mgrid[:3, :3]
    ramp = brighter[0] * rows + brighter[1] * columns
    answers = {
        angle: by_torch(ramp, np.cos(np.deg2rad(angle)) * sobel_x - np.sin(np.deg2rad(angle)) * sobel_y).item()
        for angle in range(-135, 181, 45)
    }
    assert max(answers, key=answers.get) == degrees
    says(r"S_\theta = \cos\theta \; S_x - \sin\theta \; S_y", "$0^\\circ$ is right and $90^\\circ$ is up")


def test_the_kernel_for_minus_45_degrees_sees_the_back_of_the_coat_better_than_the_others(chapter):
    camera, sobel_x, sobel_y = (chapter.names[name] for name in ("camera", "sobel_x", "sobel_y"))
    back = camera[36:48, 8:20]
    x, y = by_torch(back, sobel_x), by_torch(back, sobel_y)
    assert -((x + y) / np.sqrt(2)).min() > max(-x.min(), -y.min(), -((x - y) / np.sqrt(2)).min())
    assert np.allclose(chapter.names["diagonal"], (sobel_x + sobel_y) / np.sqrt(2))
    says("so this kernel sees it best")


@pytest.mark.parametrize(
    ("mode", "padded", "answers"),
    [("zeros", "0 4 1 3 0", [5, 8, 4]), ("reflect", "1 4 1 3 1", [6, 8, 5]), ("circular", "3 4 1 3 4", [8, 8, 8])],
)
def test_three_kinds_of_padding(chapter, mode, padded, answers):
    assert by_torch([4, 1, 3], [1, 1, 1], padding=1, mode=mode)[0].tolist() == answers
    assert np.pad([4, 1, 3], 1, chapter.names["modes"][mode]).tolist() == [int(digit) for digit in padded.split()]
    says(f"| {padded} | {', '.join(map(str, answers))} |", "4 + 1 + 3 = 8")


def test_on_a_longer_row_padding_changes_the_first_and_last_answers_alone():
    row = [3, 1, 4, 1, 5, 9]
    answers = [by_torch(row, [1, 1, 1], padding=1, mode=mode)[0] for mode in TORCH_MODES]
    assert all(np.array_equal(answer[1:-1], answers[0][1:-1]) for answer in answers)
    says("all answers but the first and the last stay the same")


def test_padded_frames_are_as_their_alt_text_says(chapter):
    x, modes = chapter.names["x"], chapter.names["modes"]
    assert np.pad(x, 1, modes["reflect"])[0].tolist() == [4, 0, 4, 1, 4]
    assert np.pad(x, 1, modes["circular"])[0].tolist() == [0, 2, 5, 0, 2]
    says("top row is 4 0 4 1 4", "top row is 0 2 5 0 2")


def test_valid_same_and_full_sizes():
    assert [output_size(5, 3, padding=p) for p in (0, 1, 2)] == [3, 5, 7]
    says("| valid | 0 | 3 |", "| same | $(k-1)/2$ = 1 | 5 |", "| full | $k-1$ = 2 | 7 |")


def test_the_border_demo_shows_a_dark_frame_with_zeros_alone(chapter):
    demo = chapter.demos[2]
    assert output_of(demo)[0, 0] == 4 and output_of(demo)[2, 2] == 9
    flat = [mode for mode in TORCH_MODES if (output_of(demo, padding_mode=mode) == 9).all()]
    assert flat == ["reflect", "circular"]
    says("a corner of the output is 4 and the middle is 9", "Reflect and circular do.")


def test_torch_has_same_padding_at_stride_1_only():
    x, w = torch.zeros(1, 1, 6, 6), torch.zeros(1, 1, 3, 3)
    assert F.conv2d(x, w, padding="same").shape == x.shape
    with pytest.raises(RuntimeError, match="not supported for strided"):
        F.conv2d(x, w, padding="same", stride=2)
    assert same_padding(6, 2, 1, 2) == (1, 1)
    says("exists only at stride 1", "With $k = d = 2$ it is even")


def test_the_rule_of_same_padding_gives_tensorflows_size_and_its_padding():
    says(r"\max\left( \left( \lceil n/s \rceil - 1 \right) s + d\,(k-1) + 1 - n,\; 0 \right)")
    says("span 2 · 2 + 3 = 7 pixels, so six need one more")
    for n, k, s, d in product(range(1, 12), range(1, 5), (1, 2, 3), (1, 2, 3)):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        assert same_padding(n, k, s, d) == (total // 2, total - total // 2)
        padded = F.pad(torch.zeros(1, 1, n), same_padding(n, k, s, d))
        assert F.conv1d(padded, torch.zeros(1, 1, k), stride=s, dilation=d).shape[-1] == -(-n // s)


def count_uses(n: int, k: int, padding: int, mode: str, stride: int) -> list[int]:
    """The gradient of the sum of all outputs counts how often each pixel is read."""
    x = torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)
    padded = F.pad(x, (padding, padding), mode=TORCH_MODES[mode])
    F.conv1d(padded, torch.ones(1, 1, k, dtype=torch.float64), stride=stride).sum().backward()
    return x.grad[0, 0].int().tolist()


@pytest.mark.parametrize(
    ("padding", "mode", "stride", "counts"),
    [
        (0, "zeros", 1, [1, 2, 3, 2, 1]),
        (1, "zeros", 1, [2, 3, 3, 3, 2]),
        (2, "zeros", 1, [3, 3, 3, 3, 3]),
        (1, "circular", 1, [3, 3, 3, 3, 3]),
        (1, "reflect", 1, [2, 4, 3, 4, 2]),
        (2, "zeros", 2, [2, 1, 2, 1, 2]),
    ],
)
def test_how_often_pixels_are_read(chapter, padding, mode, stride, counts):
    assert count_uses(5, 3, padding, mode, stride) == counts
    assert chapter.names["uses"](5, 3, padding, chapter.names["modes"][mode], stride).tolist() == counts
    says("the counts are 1 2 3 2 1: the middle is read most", "even full padding does not")


def test_stride_keeps_every_second_answer():
    row, taps = [2, 0, 1, 3, 1, 4], [1, -1, 2]
    assert by_torch(row, taps)[0].tolist() == [4, 5, 0, 10]
    assert by_torch(row, taps, stride=2)[0].tolist() == [4, 0]
    assert [output_size(n, 3, stride=2) for n in (5, 6, 7)] == [2, 2, 3]
    says("the answers are 4, 5, 0, 10, and at stride 2 every second one is left: 4, 0")
    says("Five give 2 as well, and seven give 3")


def test_placements_are_the_matrix_of_the_convolution(chapter):
    row, taps = np.array([2, 0, 1, 3, 1, 4]), [1, -1, 2]
    for stride, dilation in [(1, 1), (2, 1), (1, 2)]:
        expected = by_torch(row, taps, stride=(1, stride), dilation=(1, dilation))[0]
        assert (chapter.names["placements"](6, taps, stride, dilation) @ row).tolist() == expected.tolist()


def test_dilation_2_reads_every_other_pixel():
    assert by_torch([2, 0, 1, 3, 1, 4], [1, -1, 2], dilation=2)[0].tolist() == [3, 5]
    says("1·2 − 1·1 + 2·1 = 3", "1·0 − 1·3 + 2·4 = 5", "which is 5 for $k = 3$ and $d = 2$")
    with pytest.raises(ValueError, match="spans 7 pixels"):
        output_size(6, 3, dilation=3)
    with pytest.raises(RuntimeError):
        by_torch([2, 0, 1, 3, 1, 4], [1, -1, 2], dilation=3)
    says("at 0, 3 and 6, so it spans seven pixels")


def test_the_answer_to_a_dot_is_the_kernel_turned(chapter):
    answer = output_of(chapter.demos[3])
    assert answer[answer != 0].tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert chapter.demos[3].dilation == 2
    says("{dropdown} Answer 9, the weight of the kernel's lower right corner")


@pytest.mark.parametrize(
    ("rates", "counts"),
    [((1, 1), [0, 0, 1, 2, 3, 2, 1, 0, 0]), ((2, 2), [1, 0, 2, 0, 3, 0, 2, 0, 1]), ((1, 3), [1] * 9)],
)
def test_paths_through_two_dilated_layers(chapter, rates, counts):
    x = torch.zeros(1, 1, 9, dtype=torch.float64, requires_grad=True)
    y = x
    for rate in rates:
        y = F.conv1d(y, torch.ones(1, 1, 3, dtype=torch.float64), dilation=rate, padding=rate)
    y[0, 0, 4].backward()
    assert x.grad[0, 0].int().tolist() == counts == chapter.names["paths"](*rates).tolist()
    says("Rates 2 and 2 leave four gaps; rates 1 and 3 reach as far without any")


def test_the_worked_size_of_six_pixels():
    assert output_size(6, 3, stride=2, padding=1, dilation=2) == 2
    says("The padded row has 8 pixels and the spread kernel takes 5. The 3 that are left allow one step of 2")


def test_sizes_of_known_layers():
    settings = [(32, 5, 1, 0, 1), (224, 11, 4, 2, 1), (56, 3, 1, 1, 1), (56, 3, 1, 2, 2)]
    assert [output_size(*setting) for setting in settings] == [28, 55, 56, 56]
    assert output_size(224, 7, 2, 3) == 111 + 1
    assert (224 + 6 - 6 - 1) / 2 == 111.5
    says("28, 55, 56 and 56.", "(224 + 6 − 6 − 1)/2 = 111.5", "111 + 1 = 112")


def test_two_channels_and_a_bias_make_one_number(chapter):
    x, w = (torch.tensor(chapter.names[name], dtype=torch.float64) for name in ("two_channels", "one_filter"))
    assert [by_torch(x[c], w[0, c]).item() for c in (0, 1)] == [2, 3]
    assert F.conv2d(x, w, torch.ones(1, dtype=torch.float64)).item() == 6
    says("1 + 0 + 0 + 1 = 2", "0 + 0 − 1 + 4 = 3", "2 + 3 + 1 = 6")


def test_the_whole_layer_agrees_with_torch_on_54_settings(chapter):
    assert chapter.names["checked"] == 54
    says("We draw numbers for 54 settings")


def test_the_suit_is_orange_and_white_is_not(chapter):
    warmth, astronaut = chapter.names["warmth"], chapter.names["astronaut"]
    assert round(warmth[80, 20], 2) == 0.66
    white = astronaut[1:-1, 1:-1].min(axis=2) > 0.95
    assert white.sum() > 100 and abs(np.median(warmth[white])) < 0.05
    assert warmth[80, 20] > np.percentile(warmth, 95)
    says("about 0.66 on the sleeve")


def test_the_painters_pixel_on_the_back_grows_with_every_row(chapter):
    painter = only(chapter, KernelPainter)
    assert painter.selected == (42, 12) and painter.kernel == [[0, 0, 0], [-1, 0, 1], [0, 0, 0]]
    picture = np.rint(chapter.names["camera"] * 255) / 255  # the widget holds bytes
    kernels = [painter.kernel, [[-1, 0, 1]] * 3, chapter.names["sobel_x"]]
    answers = [f"{by_torch(picture, np.array(kernel, float))[42, 12]:.3g}" for kernel in kernels]
    assert answers == ["-0.894", "-2.45", "-3.35"]
    exact = by_torch(chapter.names["camera"], np.array(painter.kernel, float))[42, 12]
    assert f"{exact:.3f}" == "-0.896"
    says("gives −0.894. (The array gives −0.896;", "{dropdown} Answer −2.45: three rows", "the answer is the −3.35")


def test_two_groups_keep_apart_what_one_group_adds(chapter):
    x, w = (torch.tensor(chapter.names[name], dtype=torch.float64) for name in ("two_channels", "one_filter"))
    assert F.conv2d(x, w).item() == 5
    assert F.conv2d(x, w.reshape(2, 1, 2, 2), groups=2).flatten().tolist() == [2, 3]
    says("2 + 3 = 5, bias aside", "the output has two channels: 2 and 3.")


def test_the_channel_demo_goes_from_6_to_3_and_from_18_to_10_parameters(chapter):
    demo = only(chapter, ChannelExplorer)
    image, weight, bias = (torch.tensor(each, dtype=torch.float64) for each in (demo.image, demo.weight, demo.bias))
    assert demo.selected == (0, 0, 0) and F.conv2d(image, weight, bias)[0, 0, 0] == 6
    own = torch.stack([weight[0, :1], weight[1, 1:]])  # filter 0 keeps its kernel of channel 0
    assert F.conv2d(image, own, bias, groups=2)[0, 0, 0] == 3
    assert [weight.numel() + 2, own.numel() + 2] == [18, 10]
    says("The cell is 2 + 1 = 3", "The parameters fall from 18 to 10")


@pytest.mark.parametrize(("groups", "kernels"), [(1, 16), (2, 8), (4, 4)])
def test_kernels_of_four_channels_and_filters(groups, kernels):
    assert torch.nn.Conv2d(4, 4, 1, groups=groups).weight.numel() == kernels
    says("from every channel to every filter, 16 in all", "the lower half, 8 in all", "each channel, 4 in all")


def test_weights_of_groups_and_of_a_depthwise_blur():
    assert torch.nn.Conv2d(64, 128, 3, groups=4).weight.numel() == 128 * 16 * 9 == 18_432
    assert torch.nn.Conv2d(64, 128, 3).weight.numel() == 73_728 == 4 * 18_432
    assert torch.nn.Conv2d(3, 3, 3, groups=3).weight.numel() == 27
    says("128 · 16 · 9 = 18,432, a quarter of the 73,728", "3 · 9 = 27 weights")


def test_our_grouped_layer_is_torchs_with_any_settings(chapter):
    rng = np.random.default_rng(3)
    for groups in (1, 2, 4):
        x, w, b = rng.normal(size=(4, 9, 8)), rng.normal(size=(8, 4 // groups, 3, 3)), rng.normal(size=8)
        options = {"stride": 2, "padding": 1, "dilation": 2}
        expected = F.conv2d(*map(torch.tensor, (x, w, b)), groups=groups, **options).numpy()
        ours = chapter.names["grouped"](x, w, b, groups, **options)
        assert np.allclose(ours, expected, rtol=0, atol=1e-12)


def test_a_filter_is_blind_to_other_groups_through_two_layers(chapter):
    assert chapter.names["touched"].tolist() == [True, True, False, False]
    says("It is another function. A filter knows nothing of the channels in other groups")


def test_a_filter_of_one_pixel_mixes_channels(chapter):
    deep = torch.tensor(chapter.names["deep"], dtype=torch.float64)
    answer = F.conv2d(deep, torch.tensor([[[[2.0]], [[-1.0]]]], dtype=torch.float64))[0]
    assert answer.tolist() == chapter.names["mixed"].tolist() == [[1, 2], [-4, 3]]
    says("2·3 − 1·5 = 1", "2·0 − 1·4 = −4", "rows 1 2 and −4 3")


def test_weights_of_pointwise_and_depthwise_separable_layers():
    assert torch.nn.Conv2d(256, 64, 1).weight.numel() == 16_384
    full, pair = 64 * 64 * 9, 64 * 9 + 64 * 64
    assert (full, pair) == (36_864, 4672) and 64 * 9 == 576
    assert pair / full == pytest.approx(1 / 64 + 1 / 9)
    assert round(full / pair) == 8
    # MobileNets: 8 to 9 times fewer, from 64 filters on up to 1,024
    assert all(7.8 < 1 / (1 / filters + 1 / 9) < 9 for filters in (64, 128, 256, 512, 1024))
    says("64 · 256 = 16,384 weights", "64 · 9 + 64 · 64 = 4,672 weights", "a full 3 × 3 layer has 36,864")


def products_of_ones(layer: torch.nn.Module, x: torch.Tensor) -> int:
    """Multiply-adds counted as ones: with weights and pixels of 1 and no padding, outputs add up their products."""
    torch.nn.init.ones_(layer.weight)
    return int(layer(x).sum().item())


def test_multiply_adds_of_small_layers():
    assert products_of_ones(torch.nn.Conv2d(1, 1, 2, bias=False), torch.ones(1, 1, 3, 3)) == 16
    assert products_of_ones(torch.nn.Conv2d(2, 3, 2, bias=False), torch.ones(1, 2, 3, 3)) == 96
    assert products_of_ones(torch.nn.Conv2d(1, 6, 5, bias=False), torch.ones(1, 1, 32, 32)) == 117_600
    assert sum(parameter.numel() for parameter in torch.nn.Conv2d(2, 3, 2).parameters()) == 27
    says(
        "4 · 4 = 16 *multiply-adds*",
        "3 · 2 · 4 = 24 weights and 3 biases, so 27 parameters",
        "24 · 4 = 96 multiply-adds",
    )
    says("6 · 25 · 784 = 117,600", "each weight works in 784 places")


def test_a_picture_twice_as_large_costs_more_products_and_no_parameters(chapter):
    stack = only(chapter, LayerStack)
    assert stack.input_shape == (1, 32, 32)
    before, after = (table(stack.layers, (1, n, n)) for n in (32, 64))
    assert before.parameters == after.parameters == 156
    assert after.multiply_adds == 6 * 25 * 60 * 60 == 540_000
    says("6 · 25 · 60 · 60 = 540,000", "The parameters stay 156")


def test_halving_the_size_and_doubling_the_channels_keeps_the_products(chapter):
    rows = chapter.names["halving"].rows
    assert [round(row.parameters / 1e3) for row in rows] == [1, 18, 74, 295, 1180]
    assert [round(row.multiply_adds / 1e6) for row in rows] == [11, 58, 58, 58, 58]
    assert len({row.multiply_adds for row in rows[1:]}) == 1
    says("1, 18, 74, 295 and 1180", "11, and then four equal bars of 58", "In multiply-adds the last four are equal")


def seen_by_torch(layers: list[tuple[int, int, int]], n: int = 200) -> int:
    """Pixels from the first to the last with a gradient, for the middle cell after layers of (k, s, d)."""
    pixels = torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)
    cells = pixels
    for k, s, d in layers:
        cells = F.conv1d(cells, torch.ones(1, 1, k, dtype=torch.float64), stride=s, dilation=d)
    cells[0, 0, cells.shape[-1] // 2].backward()
    reached = pixels.grad.flatten().nonzero()
    return int(reached.max() - reached.min()) + 1


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([(3, 1, 1)] * 2, 5),
        ([(3, 2, 1), (3, 1, 1)], 7),
        ([(3, 1, 1)] * 15, 31),
        ([(3, 1, d) for d in (1, 2, 4, 8)], 31),
        ([(3, 1, 1), (3, 2, 1), (3, 1, 1)], 9),
        ([(3, 2, 1), (3, 1, 1), (3, 1, 1)], 11),
        ([(3, 2, 1), (5, 1, 1)], 11),
        ([(3, 2, 1), (3, 2, 1), (3, 1, 2)], 23),
    ],
)
def test_receptive_fields_of_small_stacks(chapter, layers, field):
    assert seen_by_torch(layers) == chapter.names["field"](layers) == field
    says("3 + 2 = 5 pixels", "it is 3 + 2 · 2 = 7", "1 + 15 · 2 = 31", "1 + 2 + 4 + 8 + 16 = 31")


def test_the_field_demo_goes_from_9_to_11(chapter):
    demo = only(chapter, ReceptiveField)
    assert [(layer.kernel, layer.stride) for layer in demo.layers] == [(3, 1), (3, 2), (3, 1)]
    moved = [Conv(1, 3, stride=2), Conv(1, 3), Conv(1, 3)]
    assert [table(layers, (1, demo.size)).rows[-1].receptive_field[0] for layers in (demo.layers, moved)] == [9, 11]
    says("The chosen cell sees 9 pixels", "3 + 2 · 2 + 2 · 2 = 11")


def test_paths_through_five_layers(chapter):
    counts = chapter.names["counts"].tolist()
    assert counts == [1, 5, 15, 30, 45, 51, 45, 30, 15, 5, 1] and sum(counts) == 3**5 == 243
    says("it sees 11 pixels, on 3 · 3 · 3 · 3 · 3 = 243 paths", "The pixel in the middle has 51 of them")


def test_the_exam_network_is_what_torch_makes_of_it():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, 2, 2),
        torch.nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=16),
        torch.nn.Conv2d(16, 32, 1),
        torch.nn.Conv2d(32, 10, 3, 2),
    )
    x, parameters, products = torch.zeros(1, 3, 32, 32), [], []
    for layer, size in zip(network, (16, 16, 16, 7), strict=True):
        x = layer(x)
        assert x.shape[-2:] == (size, size)
        parameters.append(sum(each.numel() for each in layer.parameters()))
        products.append(layer.weight.numel() * size * size)
    assert parameters == [1216, 160, 544, 2890] and sum(parameters) == 4810
    assert products == [307_200, 36_864, 131_072, 141_120] and sum(products) == 616_256
    layers = [(5, 2, 1), (3, 1, 2), (1, 1, 1), (3, 2, 1)]
    assert [seen_by_torch(layers[:end]) for end in (1, 2, 3, 4)] == [5, 13, 13, 17]
    for line in ("1,216 | 256 | 307,200", "160 | 256 | 36,864", "544 | 256 | 131,072", "2,890 | 49 | 141,120"):
        says(f"| {line} |")
    says("| 4,810 | | 616,256 |", "5 + 2 · 2 · 2 = 13", "13 + 2 · 2 = 17, and the jump becomes 4")
    says("(32 + 4 − 4 − 1)/2 = 15.5", "(16 − 2 − 1)/2 = 6.5", "(16 + 4 − 5)/1 + 1 = 16")


def test_every_product_with_spaces_is_right():
    """All of the form a · b · … + c · d + … = e, with nothing before that belongs to them."""
    number = r"\d+(?:,\d{3})*"
    product = rf"{number}(?: · {number})*"
    found = re.findall(
        rf"(?<![\d/·+−(=] )(?<![\d/,])({product}(?: [+−] {product})*) = ({number})(?![\d/]|[.,]\d| [+−·])", FLAT
    )
    found = [(left, right) for left, right in found if "·" in left]
    assert len(found) >= 40
    for left, right in found:
        python = left.replace(",", "").replace("·", "*").replace("−", "-")
        assert eval(python) == int(right.replace(",", "")), (left, right)


def test_a_map_moves_along_at_stride_1_and_at_stride_2_by_even_shifts():
    rows = [[0] * (1 + shift) + [3] + [0] * (3 - shift) for shift in range(3)]
    assert [by_torch(row, [1, -1])[0].tolist() for row in rows] == [[-3, 3, 0, 0], [0, -3, 3, 0], [0, 0, -3, 3]]
    assert [by_torch(row, [1, -1], stride=2)[0].tolist() for row in rows] == [[-3, 0], [0, 3], [0, -3]]
    says("Take the row 0 3 0 0 0 and the kernel 1 −1, which answers −3, 3, 0, 0.", "the answers are 0, −3, 3, 0")
    says("−3, 0 before and 0, 3 after", "0, −3. That is −3, 0 moved by one cell", "31 of 32")


def test_circular_padding_keeps_equivariance_and_zeros_and_odd_shifts_break_it(chapter):
    gap = chapter.names["gap"]
    assert not any(gap(shift).any() for shift in (1, 2, 77))
    assert [gap(shift, stride=2).any() for shift in (1, 2, 3, 4)] == [True, False, True, False]
    assert np.abs(gap(1, "zeros")).max(axis=0).nonzero()[0].tolist() == [0, 1, 127]
    says("all is gray but for thin columns at the left and right edges")
    says("With circular padding and stride 1 nothing is lost, and the difference is exactly 0")


def test_one_two_and_three_dimensions(chapter):
    assert F.conv1d(torch.tensor([[[14.0, 15, 19, 20, 18]]]), torch.ones(1, 1, 3))[0, 0, 0] / 3 == 16
    assert [3**axes for axes in (1, 2, 3)] == [3, 9, 27]
    motion = chapter.names["motion"][0, 0, 0]
    assert motion[:2].tolist() == [[0, -5, 0, 5, 0]] * 2 and not motion[2].any()
    assert 64 * 64 * 27 == 110_592 == 3 * 64 * 64 * 9
    says("(14 + 15 + 19)/3 = 16", "(−1)·2 + 1·7 = 5", "110,592 weights, three times those of 3 × 3")


def test_the_toeplitz_matrices_are_the_convolution(chapter):
    toeplitz, matrix = chapter.names["toeplitz"], chapter.names["T"]
    assert (toeplitz @ chapter.names["row"]).tolist() == [4, 5, 0, 10]
    assert toeplitz.size == 24 and set(toeplitz[toeplitz != 0]) == {1, -1, 2}
    assert matrix.tolist() == [
        [2, 1, 0, 0, -1, 0, 0, 0, 0],
        [0, 2, 1, 0, 0, -1, 0, 0, 0],
        [0, 0, 0, 2, 1, 0, 0, -1, 0],
        [0, 0, 0, 0, 2, 1, 0, 0, -1],
    ]
    assert matrix.size == 36 and (matrix @ chapter.names["x"].ravel()).tolist() == [1, 7, -1, 9]
    says(
        "1·2 − 1·0 + 2·1 = 4",
        "Row 0 is 2 1 0 0 −1 0 0 0 0",
        "with 4 weights in place of 36",
        "The matrix has 24 entries",
    )


def test_patches_in_columns_are_torchs_unfold(chapter):
    x = torch.tensor(chapter.names["x"], dtype=torch.float64)[None]
    columns = F.unfold(x[None], 2)[0].T.tolist()
    assert columns == [[1, 3, 0, 4], [3, 2, 4, 1], [0, 4, 2, 5], [4, 1, 5, 0]] and np.size(columns) == 16
    says("The first patch in {numref}`fig-by-hand` holds 1 3 0 4", "16, made of 9")
    picture = np.random.default_rng(5).normal(size=(3, 7, 6))
    assert np.array_equal(chapter.names["im2col"](picture, 3), F.unfold(torch.tensor(picture)[None], 3)[0].numpy())
    large = F.unfold(torch.ones(1, 1, 1000, 1000), 3)
    assert round(large.numel() / 1000**2, 1) == 9.0


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_transposed_convolution_paints_copies(chapter, stride):
    y, w = torch.tensor([[[1.0, 2, -1]]]), torch.tensor([[[1.0, -1, 2]]])
    expected = F.conv_transpose1d(y, w, stride=stride)[0, 0].tolist()
    assert chapter.names["transpose1d"]([1, 2, -1], np.array([1, -1, 2]), stride).tolist() == expected


def test_two_answers_paint_five_pixels_and_three_paint_seven():
    w = torch.tensor([[[1.0, -1, 2]]])
    assert F.conv_transpose1d(torch.tensor([[[1.0, 2]]]), w, stride=2).flatten().tolist() == [1, -1, 4, -2, 4]
    assert F.conv_transpose1d(torch.ones(1, 1, 3), w, stride=2).numel() == 7
    says("and the row is 1 −1 4 −2 4", "2·1 + 1·2 = 4", "2 · 2 + 3 = 7")


@pytest.mark.parametrize("n", range(7, 13))
def test_dumoulin_and_visins_relations_hold_for_torch(n):
    for k in (1, 2, 3, 4):
        for s in (1, 2, 3):
            for p in range(k // 2 + 1):
                small = F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=p)
                a = (n + 2 * p - k) % s
                large = F.conv_transpose1d(small, torch.zeros(1, 1, k), stride=s, padding=p, output_padding=a)
                assert small.shape[-1] == (n + 2 * p - k) // s + 1
                assert large.shape[-1] == n == s * (small.shape[-1] - 1) + a + k - 2 * p
    says("Relation 7 is about pooling", "in seven cases, relations 8 to 14")


def test_checkerboards_come_where_the_stride_does_not_divide_the_kernel():
    for k, s in [(3, 2), (4, 2), (2, 2), (6, 3), (5, 3)]:
        inside = F.conv_transpose1d(torch.ones(1, 1, 20), torch.ones(1, 1, k), stride=s)[0, 0, k:-k]
        assert (len(set(inside.tolist())) == 1) == (k % s == 0)
    says("Choose $k$ as a multiple of $s$ there")


def solutions() -> list[str]:
    found = re.findall(r"^(`{4,})\{solution\} [^\n]*\n(.*?)^\1$", TEXT, re.S | re.M)
    return ["\n".join(re.findall(r"^```python\n(.*?)^```$", body, re.S | re.M)) for _, body in found]


@pytest.mark.parametrize("source", solutions(), ids=lambda source: source.strip().splitlines()[0][:40])
def test_the_solution_of_each_exercise_runs(chapter, source):
    assert "assert" in source
    exec(source, dict(chapter.names))


def test_the_exercise_with_a_bug_fails_or_is_right_and_is_never_silently_wrong(chapter):
    bug = re.search(r"```python\n(def conv1d.*?)```", TEXT.split(":label: ex-bug")[1], re.S)[1]
    names = dict(chapter.names)
    exec(bug, names)
    row, taps = np.array([2.0, 0, 1, 3, 1, 4, 6]), np.array([1.0, -1, 2])
    outcomes = set()
    for stride in range(1, 8):
        for padding in range(4):
            for dilation in range(1, 4):
                expected = by_torch(row, taps, (1, stride), padding, (1, dilation))[0].tolist()
                try:
                    answer = names["conv1d"](row, taps, stride, padding, dilation).tolist()
                except ValueError:
                    outcomes.add("error")
                    continue
                assert answer == expected
                outcomes.add("right, dilated" if dilation > 1 else "right")
    assert outcomes == {"error", "right", "right, dilated"}


QUIZ: list[Callable[[], bool]] = [
    lambda: output_size(31, 3, 2, 1) == 16 and (31 + 2 - 3) // 2 == 15,
    lambda: (
        by_torch([[1, 2], [3, 5]], [[0, 1], [2, 3]]).item() == 23
        and by_torch([[1, 2], [3, 5]], [[3, 2], [1, 0]]).item() == 10
        and (0 + 1 + 2 + 3) * (1 + 2 + 3 + 5) == 66
    ),
    lambda: torch.nn.Conv2d(3, 8, 3, bias=False).weight.numel() == 216 and 8 * 9 == 72 and 3 * 9 == 27,
    lambda: by_torch([[9] * 3, [5] * 3, [1] * 3], [[1] * 3, [0] * 3, [-1] * 3]).item() > 0,
    lambda: [p for p in range(9) if output_size(20, 3, 1, p, 3) == 20] == [3] and output_size(20, 3, 1, 2, 3) == 18,
    lambda: output_size(20, 3, dilation=2) == output_size(20, 3) - 2 == output_size(20, 5),
    lambda: (
        [
            count_uses(7, 3, *setting)
            for setting in [(0, "zeros", 1), (1, "zeros", 1), (1, "circular", 1), (2, "zeros", 2)]
        ]
        == [[1, 2, 3, 3, 3, 2, 1], [2, 3, 3, 3, 3, 3, 2], [3] * 7, [2, 1, 2, 1, 2, 1, 2]]
    ),
    lambda: same_padding(224, 3, 2) == (0, 1) and [output_size(224, 3, 2, p) for p in (0, 1)] == [111, 112],
    lambda: torch.nn.Conv2d(32, 32, 3, groups=32, bias=False).weight.numel() == 288 and 32 * 32 * 9 == 9216,
    lambda: (
        table([Conv(8, 3, padding=1)], (3, 64, 64)).multiply_adds
        == 4 * table([Conv(8, 3, padding=1)], (3, 32, 32)).multiply_adds
    ),
    lambda: seen_by_torch([(3, 2, 1), (5, 1, 1)]) == 11 and seen_by_torch([(3, 1, 1), (5, 1, 1)]) == 7,
    lambda: [shift for shift in range(1, 9) if moves_along(shift, stride=4)] == [4, 8],
    lambda: seen_by_torch([(1, 1, 1)]) == 1,
    lambda: output_size(32, 4, 2, 1) == 16 and transposed_size(16, 4, 2, 1) == 32 and output_size(16, 4, 2, 1) == 8,
]


def moves_along(shift: int, stride: int) -> bool:
    """Whether a circular layer of this stride answers to a shifted row with its map, moved by shift/stride cells."""
    row, taps = np.arange(24) ** 2 % 23, [1, 2, 4]
    before, after = (by_torch(each, taps, (1, stride), 1, mode="circular")[0] for each in (row, np.roll(row, shift)))
    return bool(shift % stride == 0 and np.array_equal(after, np.roll(before, shift // stride)))


@pytest.mark.parametrize("number", range(1, len(QUIZ) + 1))
def test_the_figures_of_each_quiz_item_are_right(number):
    assert QUIZ[number - 1]()


def test_the_right_options_of_the_quiz_are_the_checked_ones():
    right = re.findall(r"^\[x\] (.*)$", TEXT, re.M)
    assert right == [
        "16",
        "23",
        "216",
        "Where the picture gets darker downwards",
        "3",
        "It spans 5 × 5 pixels, still with 9 weights",
        "Same, circular, stride 1",
        "F.pad with 0 before and 1 after, then padding = 0",
        "288",
        "Parameters stay, multiply-adds become about four times as many",
        "11",
        "4",
        "The pixel at the same place, in all channels",
        "It gives 32 pixels, in general others",
    ]
