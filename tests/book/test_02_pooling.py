"""Every figure in the prose of chapter 02, worked out again: by the chapter's own cells, by torch, or by counting.

`says` fails when the text no longer states the figure that the test has checked, so the two cannot drift apart.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import jupytext
import matplotlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from convbook.shapes import AdaptivePool, Conv, Dense, Flatten, Pool, output_size, table
from convbook.train import TrainingPanel

CHAPTER = Path(__file__).resolve().parents[2] / "book" / "02-pooling.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
DEMOS = ["PoolExplorer"] * 3 + ["ShiftDemo", "ReceptiveField", "LayerStack"]


@pytest.fixture(scope="module")
def chapter() -> Iterator[SimpleNamespace]:
    """All cells, run in order: the names that they define, and the demos."""
    names: dict = {}
    values = []
    threads = torch.get_num_threads()
    with plt.rc_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingPanel, "refresh", lambda panel: panel._keep())  # no curves between the runs
        for cell in jupytext.read(CHAPTER).cells:
            if cell.cell_type == "code":
                values.append(run(cell.source, names))
                plt.close("all")
    torch.set_num_threads(threads)
    yield SimpleNamespace(names=names, demos=[value for value in values if type(value).__name__ in DEMOS])
    names["panel"].close()


def run(source: str, names: dict) -> object:
    """Execute a cell as a notebook does; the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def says(*phrases: str) -> None:
    for phrase in phrases:
        assert phrase in FLAT, f"The chapter does not say {phrase!r} any more: change its test with it."


def pooled(x, k: int, stride: int | None = None, how: Callable = F.max_pool2d, **options) -> list:
    return how(torch.tensor(np.asarray(x), dtype=torch.float64)[None, None], k, stride, **options)[0, 0].tolist()


def row_pooled(row, k: int, stride: int | None = None, how: Callable = F.max_pool1d, **options) -> list:
    return how(torch.tensor(row, dtype=torch.float64)[None], k, stride, **options)[0].tolist()


def in_a_ring(f: Callable, row, shift: int = 1) -> float:
    """Σ|f(moved) − f(still)| / Σ|f(still)|."""
    before, after = np.array(f(row)), np.array(f(np.roll(row, shift)))
    return float(np.abs(after - before).sum() / np.abs(before).sum())


def test_the_chapter_shows_its_six_demos(chapter):
    assert [type(demo).__name__ for demo in chapter.demos] == DEMOS


def test_every_sum_and_product_in_the_text_is_right():
    """All of the form … = number whose left side holds digits and signs of arithmetic, whatever they are about."""
    number = r"−?(?:\d+(?:,\d{3})*(?:\.\d+)?|[½¼])"
    term = rf"(?:\({number}(?: [+−·] {number})+\)|\(−?\d+\)|{number})(?:/\d+)?"
    found = re.findall(rf"(?<![·+−/] )(?<![\w$(−/,.])((?:{term} [+−·] )*{term}) = ({number})(?! [%+·]|,?\d|/)", FLAT)
    sums = [(left, right) for left, right in found if re.search(r"[+·/]| − ", left)]
    assert len(sums) >= 50
    for left, right in sums:
        assert np.isclose(value(left), value(right), rtol=0, atol=1e-9), (left, right)


def value(words: str) -> float:
    for sign, python in {"−": "-", "·": "*", ",": "", "½": "0.5", "¼": "0.25"}.items():
        words = words.replace(sign, python)
    return eval(words)


def test_the_means_and_maxima_of_the_opening_demo(chapter):
    image = chapter.demos[0].image
    maxima, means = np.array(pooled(image, 2)), np.array(pooled(image, 2, how=F.avg_pool2d))
    assert np.array(image).size == 36 and np.argwhere(means == means.max()).tolist() == [[1, 1]]
    assert np.argwhere(maxima == maxima.max()).tolist() == [[2, 0]]
    assert (means[1, 1], maxima[2, 0], means[2, 0]) == (3.5, 8, 2.75)
    assert maxima.tolist() == [[4, 5, 1], [1, 6, 7], [8, 1, 3]]
    assert [row[:2] for row in image[4:]] == [[0, 2], [8, 1]]
    says("with rows 4 5 1, 1 6 7 and 8 1 3", "are framed, 0 2 above 8 1, and so is the output cell 8")
    says("These 36 numbers", "The largest mean is 3.5, in row 2 and column 2")
    says("the 8 in row 3 and column 1, where the mean is only 2.75")


def test_four_windows_by_the_maximum_and_by_the_mean(chapter):
    x = [[1, 3, 2, 0], [4, 2, 1, 5], [0, 0, 6, 2], [1, 0, 3, 3]]
    assert chapter.names["maxima"].tolist() == pooled(x, 2) == [[4, 5], [1, 6]]
    assert chapter.names["mean"].tolist() == pooled(x, 2, how=F.avg_pool2d) == [[2.5, 2], [0.25, 3.5]]
    assert 224 * 224 == 50_176 and output_size(4, 2, 2) == 2
    says("at 50,176 places", "the largest of 1, 3, 4 and 2 is 4", "and the other two windows give 5 and 1.")
    says("rows 2.5 2 and 0.25 3.5")


def test_no_convolution_is_a_maximum():
    window = [[1, 3], [4, 2]]
    assert pooled(window, 2) == [[4]] and pooled(-np.array(window), 2) == [[-1]]
    says("Of 1 3 4 2 the maximum is 4, and of −1 −3 −4 −2 it is −1.")


def test_a_single_8_among_fifteen_zeros():
    window = np.zeros((4, 4))
    window[1, 2] = 8
    assert pooled(window, 4) == [[8]] and pooled(window, 4, how=F.avg_pool2d) == [[0.5]]
    says("keeps its 8 under the maximum, and fades to 0.5 under the mean")


def test_the_tripod_is_white_under_the_maximum_and_gone_under_the_mean(chapter):
    """Below the camera, from the tripod's legs to the lower edge: the grass and what stands out from it."""
    camera = chapter.names["camera"]
    legs = [np.array(pooled(camera, 4, how=how))[21:, 11:26] for how in (F.max_pool2d, F.avg_pool2d)]
    bright = [(part > np.median(part) + 0.15).sum() for part in legs]
    assert bright[0] > 10 and bright[1] == 0
    says("so the legs turn white and thick")


def test_what_the_poolings_of_lenet_save(chapter):
    without, with_poolings = chapter.names["without"], chapter.names["pooled"]
    assert (6 * 28 * 28, 6 * 14 * 14) == (4704, 1176)
    assert [with_poolings.row(name).parameters for name in ("conv1", "conv2", "dense1")] == [156, 2416, 48_120]
    assert [without.row(name).parameters for name in ("conv1", "conv2", "dense1")] == [156, 2416, 1_106_040]
    ratios = [with_poolings.row(name).multiply_adds / without.row(name).multiply_adds for name in ("conv2", "dense1")]
    assert round(1 / ratios[0]) == 6 and 20 <= round(1 / ratios[1]) <= 24
    says("which is 4,704 numbers. After pooling 1,176 are left", "from 1,106,040 to 48,120")


def test_lenets_own_poolings_had_12_parameters():
    assert 6 * 2 == 12
    says("multiplies by a trained number and adds another", "For 6 maps that makes 12 parameters.")


def test_overlapping_windows_and_alexnets_sizes():
    assert row_pooled([1, 3, 2, 5, 4, 0, 6], 3, 2) == [3, 5, 6]
    assert [output_size(n, k, 2) for k in (3, 2) for n in (55, 27, 13)] == [27, 13, 6] * 2
    says("and answer 3, 5 and 6", "27, 13 and 6. In the last, (13 − 3)/2 + 1 = 6", "0.4 and 0.3 points less error")


def test_padding_with_zeros_wins_and_with_minus_infinity_never_does():
    row = [-3, -1, -2, -5]
    assert row_pooled(row, 3, 1, padding=1) == [-1, -1, -1, -2]
    assert row_pooled([0, *row, 0], 3, 1) == [0, -1, -1, 0]
    says("| zeros | 0 −3 −1 −2 −5 0 | 0, −1, −1, 0 |", "| minus infinity | −∞ −3 −1 −2 −5 −∞ | −1, −1, −1, −2 |")
    with pytest.raises(RuntimeError, match="at most half"):
        row_pooled(row, 3, 1, padding=2)
    says("torch allows padding up to half the window")


def test_a_padded_cell_counts_or_does_not():
    means = [row_pooled([3, 6, 9], 3, 1, F.avg_pool1d, padding=1, count_include_pad=counts) for counts in (True, False)]
    assert means == [[3, 6, 5], [4.5, 6, 7.5]]
    says("the mean is (0 + 3 + 6)/3 = 3. Divide by the 2 real cells, and it is 4.5.")


def test_the_plain_wall_is_9_again_without_padded_cells_or_by_the_maximum(chapter):
    demo = chapter.demos[1]
    assert (demo.mode, demo.kernel, demo.stride, demo.padding) == ("average", 3, 1, 1)
    means = np.array(pooled(demo.image, 3, 1, F.avg_pool2d, padding=1))
    assert means[0, 0] == 4 and means[1, 1] == 9
    real = np.array(pooled(demo.image, 3, 1, F.avg_pool2d, padding=1, count_include_pad=False))
    assert (real == 9).all() and (np.array(pooled(demo.image, 3, 1, padding=1)) == 9).all()
    says("The corners answer 4.", "4 · 9/9 = 4")


def test_gradients_go_to_the_largest_or_to_all_alike(chapter):
    names = chapter.names
    assert names["routed"].tolist() == [[0, 0, 0, 0], [1, 0, 0, 2], [0, 0, 4, 0], [3, 0, 0, 0]]
    assert names["spread"].tolist() == np.kron([[0.25, 0.5], [0.75, 1]], np.ones((2, 2))).tolist()
    assert names["leaf"].grad.tolist() == [[0, 1, 0, 3, 0, 0, 1]]
    assert 0.1 / 4 == 0.025
    says("A mean rises by 0.025 whichever", "3: it is the largest of three windows. The 3 gets 1 and the 6 gets 1")


def test_any_share_between_the_slopes_of_a_tie_is_right_and_shares_add_up_to_1():
    assert max(3.1, 3) - 3 == pytest.approx(0.1) and max(2.9, 3) - 3 == 0
    assert max(3.1, 3.1) - 3 == pytest.approx(0.1)
    first, equal = (torch.tensor([[3.0, 3.0]], requires_grad=True) for _ in range(2))
    F.max_pool1d(first, 2).backward()
    equal.amax().backward()
    assert first.grad.tolist() == [[1, 0]] and equal.grad.tolist() == [[0.5, 0.5]]
    says(
        "the maximum rises by 0.1, not by 0.2", "torch's max pooling gives all to the first, and its `amax` gives equal"
    )


def test_the_tied_demo_gives_each_zero_a_half_when_ties_are_split(chapter):
    demo = chapter.demos[2]
    assert demo.gradient and demo.ties == "first"
    image, upstream = torch.tensor(demo.image, dtype=torch.float64), torch.tensor(demo.upstream, dtype=torch.float64)
    windows = image.requires_grad_().unfold(0, 2, 2).unfold(1, 2, 2)
    (windows.amax(dim=(2, 3)) * upstream).sum().backward()
    assert (image.grad[:2, 2:] == 0.5).all() and image.grad.sum() == 10
    assert ((windows == windows.amax(dim=(2, 3), keepdim=True)).sum(dim=(2, 3)) > 1).all()
    says("Every window has a tie", "Each of the four zeros gets 2/4 = 0.5. The sum stays 1 + 2 + 3 + 4 = 10")


def test_nearly_a_third_of_the_windows_behind_a_relu_are_tied_mostly_at_zero(chapter):
    tied, tops = chapter.names["tied"], chapter.names["tops"]
    assert 0.28 < tied.mean() < 1 / 3
    assert (tied & (tops > 0)).sum() < 0.02 * tied.sum()
    leaf = torch.zeros(1, 2, 2, requires_grad=True)
    F.max_pool2d(F.relu(leaf), 2).backward()
    assert not leaf.grad.any()
    says("nearly a third of the windows are tied, almost all of them at zero", "a ReLU that was at zero, and stops")


def test_a_dot_that_stays_in_its_pair_is_not_noticed():
    dot = np.array([0, 0, 1, 0, 0, 0, 0, 0])
    assert [row_pooled(np.roll(dot, shift), 2) for shift in (0, 1, 2)] == [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    says("Take a single 1 in the row 0 0 1 0 0 0 0 0, and pool pairs: 0 1 0 0")


PAIRS = np.array([0, 0, 1, 1, 0, 0, 1, 1])


def blurred(row) -> list:
    """Blur pooling by torch: maximum at stride 1, then 1 2 1 at stride 2, in a ring."""
    ring = torch.tensor(row, dtype=torch.float64)[None, None]
    dense = F.max_pool1d(F.pad(ring, (0, 1), mode="circular"), 2, 1)
    weights = torch.tensor([[[0.25, 0.5, 0.25]]], dtype=torch.float64)
    return F.conv1d(F.pad(dense, (1, 1), mode="circular"), weights, stride=2)[0, 0].tolist()


def test_zhangs_row_changes_by_100_percent_and_after_a_blur_by_33():
    def maxima(row):
        return row_pooled(row, 2)

    assert (maxima(PAIRS), maxima(np.roll(PAIRS, 1))) == ([0, 1, 0, 1], [1, 1, 1, 1])
    assert in_a_ring(maxima, PAIRS) == 1 and maxima(np.roll(PAIRS, 2)) == [1, 0, 1, 0]
    assert (blurred(PAIRS), blurred(np.roll(PAIRS, 1))) == ([0.5, 1, 0.5, 1], [0.75] * 4)
    assert round(100 * in_a_ring(blurred, PAIRS)) == 33
    says("So $S$ = 2/2 = 100 %", "1 in all, and before they were 3 in all: $S$ = 33 %, in place of 100 %")
    says("| keep every second | .5 1 .5 1 | .75 .75 .75 .75 |")
    says("| maximum of two, stride 1 | 0 1 1 1 0 1 1 1 | 1 0 1 1 1 0 1 1 |")
    says("| blur with 1/4, 1/2, 1/4 | .5 .75 1 .75 .5 .75 1 .75 | .75 .5 .75 1 .75 .5 .75 1 |")


def test_half_of_all_shifts_by_a_pixel_cross_a_border():
    crossed = [row_pooled(np.roll(np.eye(8)[i], 1), 2) != row_pooled(np.eye(8)[i], 2) for i in range(8)]
    assert sum(crossed) == 4
    says("half of all shifts by one pixel cross a border between windows")


@pytest.mark.parametrize(("period", "keep", "alias"), [(3, 2, 6), (4, 3, 12)])
def test_a_wave_that_is_too_short_comes_back_as_a_longer_one(period, keep, alias):
    kept = np.arange(0, 10 * alias, keep)
    assert np.allclose(np.cos(2 * np.pi * kept / period), np.cos(2 * np.pi * kept / alias))
    wave = np.cos(2 * np.pi * kept / period)
    repeats = [n for n in range(1, alias) if np.allclose(wave[n:], wave[:-n])]
    assert repeats[0] * keep == alias
    says("at every second pixel, it looks like a wave that repeats every 6", "As a wave that repeats every 12 pixels")


def test_the_shift_demo_answers_its_task(chapter):
    demo = chapter.demos[3]
    assert demo.signal == PAIRS.tolist() and demo.shift == 1 and demo.blur == 3
    stripes = np.array([1, 0] * 4)
    ways = {
        "second": lambda row: row[::2],
        "max": lambda row: row_pooled(row, 2),
        "mean": lambda row: row_pooled(row, 2, how=F.avg_pool1d),
        "blur": blurred,
    }
    assert in_a_ring(ways["max"], PAIRS, 2) == 2
    assert {name: in_a_ring(way, stripes) for name, way in ways.items()} == {
        "second": 1,
        "max": 0,
        "mean": 0,
        "blur": 0,
    }
    says("Max pooling now says 200 %", "0 1 0 1 has become 1 0 1 0", "which is 100 %. The other three ways answer the")


def test_every_way_of_halving_is_steadier_than_dropping_and_a_blur_is_the_steadiest(chapter):
    edges, ways = chapter.names["edges"], chapter.names["ways"]

    def change(f):
        return float(np.abs(f(np.roll(edges, 1, -1)) - f(edges)).sum() / np.abs(f(edges)).sum())

    shares = {name: change(f) for name, f in ways.items()}
    assert shares["mean of all"] < 1e-12
    assert shares["max, blurred"] < shares["max"] < shares["every second"]
    assert shares["max, blurred"] < shares["mean"] < shares["every second"]
    says("blur pooling changes least")


def test_false_rings_are_sharp_and_faint_after_a_blur(chapter):
    rings, soft = chapter.names["rings"], chapter.names["blurred"]
    corner = (slice(50, 64), slice(50, 64))  # where the true rings are too fine to keep
    assert rings[::2, ::2][corner].std() > 0.3 and soft[::2, ::2][corner].std() < 0.05
    says("Every second pixel shows three sets of rings that are not there")


def test_a_strided_convolution_is_the_mean_and_two_steps_are_the_maximum():
    row = torch.tensor([[[2.0, 4, 1, 7]]])
    assert F.conv1d(row, torch.tensor([[[0.5, 0.5]]]), stride=2).tolist() == [[[3, 4]]]
    assert [b + max(a - b, 0) for a, b in [(2, 4), (7, 1)]] == [4, 7]
    layer = nn.Conv2d(64, 64, 3, stride=2, padding=1)
    assert sum(part.numel() for part in layer.parameters()) == 36_928
    assert table([Conv(64, 3, 2, 1)], (64, 56, 56)).multiply_adds == 28_901_376
    says("For 2 and 4 that is 4 + ReLU(−2) = 4, and for 7 and 1 it is 1 + ReLU(6) = 7.", "= 36,928", "= 28,901,376")


def test_a_residual_network_has_one_max_pooling_and_one_average(chapter):
    assert [type(layer).__name__ for layer in chapter.names["poolings"]] == ["MaxPool2d", "AdaptiveAvgPool2d"]
    assert len(chapter.names["shrinking"]) == 7
    says("have one max pooling near the input and one average at the end")


def test_global_pooling_makes_vggs_first_dense_layer_a_fiftieth():
    flat, pooled_first = 25_088 * 4096 + 4096, 512 * 4096 + 4096
    assert (flat, pooled_first) == (102_764_544, 2_101_248) and 512 * 7 * 7 == 25_088
    assert 45 < flat / pooled_first < 55
    assert np.mean([[4, 5], [1, 6]]) == 4
    says("102,764,544 parameters", "2,101,248, about a fiftieth")


def test_adaptive_windows_are_torchs(chapter):
    spans = chapter.names["adaptive_spans"]
    assert spans(5, 3) == [(0, 2), (1, 4), (3, 5)]
    for n in range(1, 20):
        for size in range(1, n + 1):
            row = torch.rand(1, n, dtype=torch.float64)
            by_hand = torch.stack([row[0, a:b].mean() for a, b in spans(n, size)])
            assert torch.allclose(F.adaptive_avg_pool1d(row, size)[0], by_hand)
    says("so these are 2, 3 and 2 cells", "beside the lines stand the means 1.5, 3 and 4.5")


def test_the_blurred_maximum_of_the_training_is_blur_pooling(chapter):
    layer = chapter.names["blurred_max"](2)
    x = torch.rand(3, 2, 12, 12)
    dense = F.pad(F.max_pool2d(x, 2, 1), (1, 1, 1, 1), mode="reflect")
    weights = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
    assert torch.allclose(layer(x), F.conv2d(dense, weights.repeat(2, 1, 1, 1), stride=2, groups=2), atol=1e-6)
    assert not any(part.requires_grad for part in layer.parameters())


def test_what_the_short_run_says_about_itself(chapter):
    """The last digits depend on the machine, so the text says little about accuracy, and so does this test."""
    results = chapter.names["results"]
    accuracy, kept = (
        {name: np.array([run[place] for run in runs]) for name, runs in results.items()} for place in (0, 1)
    )
    assert len(results) == 4 and all(len(runs) == 3 for runs in results.values())
    everything = np.concatenate(list(accuracy.values()))
    assert abs(everything.min() - 0.77) < 0.02 and abs(everything.max() - 0.83) < 0.02
    assert max(np.ptp(values) for values in accuracy.values()) < 0.045
    plain, averaged = (
        np.mean([accuracy[name].mean() for name in pair]) for pair in (("max", "stride"), ("mean", "blurred max"))
    )
    assert plain > averaged
    assert abs(kept["blurred max"].mean() - 0.95) < 0.02 and abs(kept["stride"].mean() - 0.84) < 0.03
    assert kept["stride"].mean() < min(kept["max"].mean(), kept["mean"].mean())
    assert max(kept["max"].mean(), kept["mean"].mean()) < kept["blurred max"].mean()
    says("They lie between 77 and 83 %", "keeps about 95 answers of 100 and the strided convolution about 84")


def test_the_stack_by_hand_sees_10_pixels(chapter):
    rows = table([Conv(1, 3), Pool(2), Conv(1, 3), Pool(2)], (1, 20)).rows
    assert [row.receptive_field[0] for row in rows] == [3, 4, 8, 10] and [row.jump[0] for row in rows] == [1, 2, 2, 4]
    for row, line in zip(
        rows, ("1 + 2 · 1 | 3 | 1", "3 + 1 · 1 | 4 | 2", "4 + 2 · 2 | 8 | 2", "8 + 1 · 2 | 10 | 4"), strict=True
    ):
        sum_of, field, jump = line.split(" | ")
        assert value(sum_of) == int(field) == row.receptive_field[0] and int(jump) == row.jump[0]
        says(line)


def test_the_field_demo_goes_from_10_to_7_without_the_first_stride(chapter):
    demo = chapter.demos[4]
    assert table(demo.layers, (1, demo.size)).rows[-1].receptive_field == (10,)
    rows = table([Conv(1, 3), Pool(2, 1), Conv(1, 3), Pool(2)], (1, demo.size)).rows
    assert [row.receptive_field[0] for row in rows] == [3, 4, 6, 7]
    says("The last layer sees 10 pixels.", "7: the fields are 3, 4, 6 and 7.")


def test_vgg_16_sees_212_pixels_after_its_fifth_pooling(chapter):
    vgg = chapter.names["vgg"]
    assert [vgg.row(f"pool{n}").receptive_field[0] for n in range(1, 6)] == [6, 16, 44, 100, 212]
    assert vgg.parameters == 138_357_544 and round(vgg.parameters / 1e6) == 138
    assert 0.85 < chapter.names["dense"] / vgg.parameters < 0.95
    says("6, 16, 44, 100 and 212", "The paper of VGG prints 138 million parameters. About nine tenths of them")
    field = 1
    for block, (jump, convolutions) in enumerate(zip((1, 2, 4, 8, 16), (2, 2, 3, 3, 3), strict=True), 1):
        added = convolutions * 2 * jump
        line = f"| {block} | {jump} | {convolutions} · {2 * jump} = {added} | {jump} | {field} + {added} + {jump} ="
        field += added + jump
        says(f"{line} {field} |")


def test_every_step_of_the_exam_question(chapter):
    answer = chapter.names["answer"]
    rows = {row.name: row for row in answer.rows}
    assert [rows[name].output_shape for name in ("conv1", "pool1", "conv2", "pool2")] == [
        (16, 32, 32),
        (16, 15, 15),
        (32, 15, 15),
        (32, 7, 7),
    ]
    assert [rows[name].parameters for name in ("conv1", "conv2", "dense1")] == [1216, 4640, 15_690]
    assert [rows[name].multiply_adds for name in ("conv1", "conv2", "dense1")] == [1_228_800, 1_036_800, 15_680]
    assert [rows[name].receptive_field[0] for name in ("conv1", "pool1", "conv2", "pool2")] == [5, 7, 11, 15]
    assert [rows[name].jump[0] for name in ("conv1", "pool1", "conv2", "pool2")] == [1, 2, 2, 4]
    assert (answer.parameters, answer.multiply_adds) == (21_546, 2_281_280)
    assert rows["dense1"].receptive_field == (39, 39)
    says("so 16 × 32 × 32", "so 16 × 15 × 15", "so 32 × 15 × 15", "so 32 × 7 × 7, which is 1,568 numbers")
    says("conv1: 1 + 4 · 1 = 5, jump 1", "pool1: 5 + 2 · 1 = 7, jump 2", "conv2: 7 + 2 · 2 = 11, jump 2")
    says("pool2: 11 + 2 · 2 = 15, jump 4", "rounded down to 14, plus 1 is 15", "The dense layer's field is 39")


def test_the_exam_question_without_poolings(chapter):
    unpooled = chapter.names["unpooled"]
    assert (unpooled.parameters, unpooled.multiply_adds) == (333_546, 6_275_072)
    assert 1_216 + 4_640 + 327_690 == 333_546 and 32 * 32 * 32 == 32_768
    assert 1_228_800 + 4_718_592 + 327_680 == 6_275_072
    says("which makes 333,546 in all", "and all layers together 6,275,072")


def test_the_exam_demo_with_windows_of_2(chapter):
    demo = chapter.demos[5]
    assert table(demo.layers, demo.input_shape).parameters == 21_546
    layers = [Pool(2, 2) if isinstance(layer, Pool) else layer for layer in demo.layers]
    changed = table(layers, demo.input_shape)
    assert changed.parameters == 26_346 and 32 * 8 * 8 == 2048
    assert [row.receptive_field[0] for row in changed.rows[:4]] == [5, 6, 10, 12]
    says("26,346 parameters", "reads 2,048 numbers. The fields are 5, 6, 10 and 12.")


def solutions() -> list[str]:
    found = re.findall(r"^(`{4,})\{solution\} [^\n]*\n(.*?)^\1$", TEXT, re.S | re.M)
    return ["\n".join(re.findall(r"^```python\n(.*?)^```$", body, re.S | re.M)) for _, body in found]


@pytest.mark.parametrize("source", solutions(), ids=lambda source: source.strip().splitlines()[0][:40])
def test_the_solution_of_each_exercise_runs(chapter, source):
    assert "assert" in source
    exec(source, dict(chapter.names))


def test_the_function_with_a_bug_says_too_much_where_a_window_has_a_stride(chapter):
    shown = re.search(r"```python\n(def receptive_field.*?)```", TEXT.split(":label: ex-jump-bug")[1], re.S)[1]
    names: dict = {}
    exec(shown, names)
    right = chapter.names["receptive_field"]
    for k in range(1, 4):
        for s in range(1, 4):
            stack = [(3, 1), (k, s), (2, 1)]
            assert (names["receptive_field"](stack)[0] > right(stack)[0]) == (k > 1 and s > 1)


QUIZ: list[Callable[[], bool]] = [
    lambda: output_size(15, 3, 2, 1) == 8,
    lambda: (
        table([Conv(4, 3), Conv(8, 3)], (1, 20, 20)).parameters
        == table([Conv(4, 3), Pool(2), Conv(8, 3)], (1, 20, 20)).parameters
    ),
    lambda: (
        row_pooled([-2, -1, -3], 3, 1, padding=1) == [-1, -1, -1] and row_pooled([0, -2, -1, -3, 0], 3, 1) == [0, -1, 0]
    ),
    lambda: 4 + 0 == 2 + 2 == 1 + 3 == 4 != 4 + 4,
    lambda: (
        row_pooled([0, 2, 2, 0, 0, 0, 0, 0], 2) == [2, 2, 0, 0]
        and row_pooled([0, 0, 2, 2, 0, 0, 0, 0], 2) == [0, 2, 0, 0]
        and in_a_ring(lambda row: row_pooled(row, 2), np.array([0, 2, 2, 0, 0, 0, 0, 0])) == 0.5
    ),
    lambda: True,  # no figure in it
    lambda: table([Conv(1, 3), Pool(3, 2), Conv(1, 3)], (1, 30)).rows[-1].receptive_field == (9,),
    lambda: (
        table([Pool(2), Conv(32, 3, padding=1)], (16, 28, 28)).multiply_adds == 903_168
        and table([Conv(32, 3, padding=1)], (16, 28, 28)).multiply_adds == 3_612_672
        and (32 * 16 * 9, 14 * 14 * 32 * 9) == (4608, 56_448)
    ),
    lambda: (
        table([AdaptivePool(), Flatten(), Dense(1000)], (512, 7, 7)).parameters == 513_000
        and table([Flatten(), Dense(1000)], (512, 7, 7)).parameters == 25_089_000
    ),
]


@pytest.mark.parametrize("number", range(1, 10))
def test_the_figures_of_each_quiz_item_are_right(number):
    assert QUIZ[number - 1]()


def test_the_right_options_of_the_quiz_are_the_checked_ones():
    right = re.findall(r"^\[x\] (.*)$", TEXT, re.M)
    assert right == [
        "8",
        "The dense layer alone",
        "−1, −1, −1",
        "4 4 0 0",
        "50",
        "Because waves that are too short for the stride must go before it makes false ones of them",
        "9",
        "903168",
        "The second has about a fiftieth of the parameters, and takes pictures of other sizes as well",
    ]
