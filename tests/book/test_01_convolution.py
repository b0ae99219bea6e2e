"""Every figure in the prose of chapter 01, worked out again: by the chapter's own cells, by torch, or by counting.

`says` fails when the text no longer states the figure that the test has checked, so the two cannot drift apart.
"""

import ast
import re
from collections.abc import Callable
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

from convbook.shapes import output_size, same_padding

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
    demos = [value for value in values if type(value).__name__ == "ConvExplorer"]
    return SimpleNamespace(names=names, values=values, demos=demos)


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


def test_the_chapter_runs_and_shows_four_demos(chapter):
    assert len(chapter.demos) == 4


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
    says("They fall from 0.86 to 0.11", "128 · 128 · 3 = 49,152", "values from 0.87 in the upper left to 0.11")


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
]


@pytest.mark.parametrize("number", range(1, 9))
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
    ]
