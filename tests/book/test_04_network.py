"""Every figure in the prose of chapter 04, worked out again: by the chapter's own cells, by torch, or by counting.

`says` fails when the text no longer states the figure that the test has checked, so the two cannot drift apart.
"""

import ast
import math
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

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from convbook.data import GARMENTS
from convbook.nets import lenet
from convbook.shapes import Conv, Dense, Flatten, Pool, table
from convbook.train import TrainingPanel

CHAPTER = Path(__file__).resolve().parents[2] / "book" / "04-network.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
DEMOS = ["LeNetExplorer", "LayerStack", "PoolExplorer"]


@pytest.fixture(scope="module")
def chapter() -> Iterator[SimpleNamespace]:
    """All cells, run in order on one core: the names that they define, and the demos."""
    names: dict = {}
    values = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two, on a machine that others use too, wait for one another
    with plt.rc_context(), torch.random.fork_rng(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingPanel, "refresh", lambda panel: panel._keep())  # no curves between the runs
        for cell in jupytext.read(CHAPTER).cells:
            if cell.cell_type == "code":
                values.append(run(cell.source, names))
                plt.close("all")
    yield SimpleNamespace(names=names, demos=[value for value in values if type(value).__name__ in DEMOS])
    names["panel"].close()
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


def test_the_chapter_shows_its_three_demos(chapter):
    assert [type(demo).__name__ for demo in chapter.demos] == DEMOS


def test_every_sum_and_product_in_the_text_is_right():
    """All of the form … = number whose left side holds digits and signs of arithmetic, whatever they are about."""
    number = r"−?\d+(?:,\d{3})*(?:\.\d+)?"
    factor = rf"(?:\({number}(?: [+−·] {number})+\)|\(−?\d+(?:\.\d+)?\)|{number})(?:/\d+)?"
    left_side = rf"(?<![·+−/] )(?<![\w$(−/,.])((?:{factor} [+−·] )*{factor})"
    found = re.findall(rf"{left_side} = ({number})(?! [%+·]|,?\d|/)", FLAT)
    sums = [(left, right) for left, right in found if re.search(r"[+·/]| − ", left)]
    assert len(sums) >= 50
    for left, right in sums:
        decimals = len(right.partition(".")[2])
        assert abs(value(left) - value(right)) <= (0.5 * 10**-decimals if decimals > 1 else 1e-9), (left, right)


def value(words: str) -> float:
    for sign, python in {"−": "-", "·": "*", ",": ""}.items():
        words = words.replace(sign, python)
    return eval(words)


def test_the_demo_has_400_numbers_after_pool2_and_calls_a_shirt_a_t_shirt(chapter):
    demo, network = chapter.demos[0], chapter.names["demo"]
    picture = demo.samples.images[10]
    answer = chapter.names["ask"](network, picture)
    assert GARMENTS[demo.samples.labels[10]] == "Shirt" and GARMENTS[answer.argmax()] == "T-shirt/top"
    assert round(answer.max().item(), 2) == 0.84 and 16 * 5 * 5 == 400
    says("400: there are 16 maps of 5 × 5.", "It calls the shirt a T-shirt, with a probability of 0.84.")


def test_the_demo_names_a_t_shirt_where_nothing_is_left_to_see(chapter):
    answer = chapter.names["ask"](chapter.names["demo"], np.zeros((28, 28)))
    assert GARMENTS[answer.argmax()] == "T-shirt/top" and round(answer.max().item(), 2) == 0.34
    says("the network names a T-shirt, with a probability of 0.34")


def test_the_table_of_the_walk(chapter):
    rows = {row.name: row for row in chapter.names["counted"].rows}
    sizes = [tuple(chapter.names["kept"][name].shape[1:]) for name in ("conv1", "pool1", "conv2", "pool2")]
    assert sizes == [(8, 224, 224), (8, 112, 112), (16, 112, 112), (16, 28, 28)]
    assert [rows[name].parameters for name in ("conv1", "conv2", "dense1")] == [224, 1168, 125_450]
    assert [rows[name].multiply_adds for name in ("conv1", "conv2", "dense1")] == [10_838_016, 14_450_688, 125_440]
    assert (224 + 1168 + 125_450, 10_838_016 + 14_450_688 + 125_440) == (126_842, 25_414_144)
    numbers = [chapter.names["kept"][name][0].numel() for name in ("conv1", "pool1", "conv2", "pool2", "dense")]
    assert numbers == [401_408, 100_352, 200_704, 12_544, 10]
    says("401,408 after the first convolution and its ReLU, 100,352 after pooling, 200,704 twice, 12,544 twice")
    assert rows["pool2"].receptive_field == (14, 14)
    says("After it one number sees 14 pixels a side")


def test_the_picture_of_the_walk_is_what_its_captions_say(chapter):
    photo, kept = chapter.names["photo"], chapter.names["kept"]
    suit = photo[140:155, 40:55].mean(axis=(0, 1))
    assert suit[0] > 0.7 > suit[1] > suit[2]  # bright in red, dark in blue
    assert torch.equal(kept["conv1"][0, 2], -kept["conv1"][0, 3])
    assert kept["softmax"].max() < 0.15 and kept["softmax"].min() > 0.05
    says("and ten probabilities, all near one tenth.", "Filters 3 and 4 differ in their sign")


def test_one_number_of_the_walk_by_hand(chapter):
    photo, kept = chapter.names["photo"], chapter.names["kept"]
    gray = np.asarray(photo, dtype=np.float64).mean(axis=2)
    assert (100 * gray[217:220, 155:158]).round().tolist() == [[4, 15, 83], [2, 20, 93], [1, 28, 96]]
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=torch.float64) / 4
    filtered = F.conv2d(torch.tensor(gray)[None, None], sobel[None, None], padding=1)[0, 0]
    assert (100 * filtered[218:220, 156:158]).round().tolist() == [[89, 79], [78, 67]]
    assert torch.allclose(kept["conv1"][0, 2].double(), filtered, atol=1e-5)
    for filter, answer in {2: 0.89, 3: 0}.items():
        assert round(kept["relu1"][0, filter, 218, 156].item(), 2) == answer
    assert round(kept["pool1"][0, 2, 109, 78].item(), 2) == 0.89
    says("in hundredths, 4 15 83 / 2 20 93 / 1 28 96.", "answers (79 + 2 · 91 + 95)/4 = 89. Filter 4 answers −89")
    says("Of the 89 and its three neighbors 79, 78 and 67 pooling keeps the 89.")


def test_convolutions_work_and_the_dense_layer_holds_the_parameters(chapter):
    counted = chapter.names["counted"]
    of_convolutions = {
        what: sum(getattr(counted.row(name), what) for name in ("conv1", "conv2")) / getattr(counted, what)
        for what in ("parameters", "multiply_adds")
    }
    assert round(100 * of_convolutions["multiply_adds"], 1) == 99.5
    assert round(100 * of_convolutions["parameters"], 1) == 1.1
    says("Here they take 99.5 % of the multiply-adds, and hold 1.1 % of the parameters.")


def test_the_stack_demo_with_a_first_pooling_of_4(chapter):
    demo = chapter.demos[1]
    assert table(demo.layers, demo.input_shape).parameters == 126_842
    layers = list(demo.layers)
    layers[1] = Pool(4, 4)
    changed = table(layers, demo.input_shape)
    assert changed.row("dense1").parameters == 31_370 and changed.row("flatten1").output_shape == (3_136,)
    assert (changed.row("conv1").parameters, changed.row("conv2").parameters) == (224, 1168)
    says("31,370. The maps end at 14 × 14, so it reads 16 · 14 · 14 = 3,136 numbers.")


def test_the_parameters_of_lenet_in_the_paper_and_here(chapter):
    paper = chapter.names["paper"]
    here = {row.name: row.parameters for row in table(lenet(), (1, 28, 28)).rows if row.parameters}
    assert list(paper.values()) == [156, 12, 1516, 32, 48_120, 10_164] and sum(paper.values()) == 60_000
    assert list(here.values()) == [156, 2416, 48_120, 10_164, 850] and sum(here.values()) == 61_706
    assert 61_706 - 60_000 == 2416 - 1516 + 850 - 12 - 32 == 1706 and 6 * 3 + 9 * 4 + 6 == 60 and 60 * 25 + 16 == 1516
    says("The difference is 900 + 850 − 12 − 32 = 1,706.", "of 25 weights, and 16 biases: 1,516.")
    for line in ("5 × 5 | 156 |", "a map | 12 |", "6 maps | 1,516 |", "| as S2 | 32 |", "units | 48,120 |"):
        says(line)
    says("| F6 | 84 units | 10,164 | the same | 10,164 |", "| dense, 10 scores | 850 |", "each of all 6 | 2,416 |")


def test_prices_and_slopes_of_three_scores(chapter):
    z = torch.tensor([2.0, 1, 0], dtype=torch.float64, requires_grad=True)
    p = z.softmax(0)
    assert p.detach().numpy().round(3).tolist() == [0.665, 0.245, 0.09]
    prices = [round(F.cross_entropy(z, torch.tensor(c)).item(), 3) for c in range(3)]
    assert prices == [0.408, 1.408, 2.408] == np.round(chapter.names["prices"], 3).tolist()
    F.cross_entropy(z, torch.tensor(0)).backward()
    assert z.grad.numpy().round(3).tolist() == [-0.335, 0.245, 0.090]
    assert abs(0.1 * 0.335 - 0.0324) < 0.002
    says(
        "is −log 0.665 = 0.408", "it is −log 0.245 = 1.408, and for the third −log 0.090 = 2.408", "it falls by 0.0324"
    )


def test_guessing_among_ten_costs_log_10():
    alike = F.cross_entropy(torch.zeros(1, 10, dtype=torch.float64), torch.tensor([3])).item()
    assert round(alike, 4) == 2.3026 == round(-math.log(0.1), 4)
    says("−log 0.1 = log 10 = 2.3026", "About log 10 = 2.30, and about 0.10")


def test_the_tiny_network_forward(chapter):
    names = chapter.names
    x, w = np.array([[1, 1, 2, 3, 2], [2, 0, 2, 1, 1], [3, 3, 3, 2, 3]]), np.array([[-1, 1], [2, -1]])
    map_of = F.conv2d(torch.tensor(x[None, None]).double(), torch.tensor(w[None, None]).double())[0, 0] - 2
    assert map_of.tolist() == names["a"].tolist() == [[2, -3, 2, -2], [-1, 3, 1, -1]]
    assert F.max_pool2d(map_of[None].relu(), 2)[0, 0].tolist() == names["h"].tolist() == [3, 2]
    assert names["V"].tolist() == [[1, -1], [-1, 2]] and round(math.log(2), 3) == 0.693
    says("The first is −1 · 1 + 1 · 1 + 2 · 2 − 1 · 0 − 2 = 2.", "the price is log 2 = 0.693 whichever class is right")
    says("rows 2 −3 2 −2 and −1 3 1 −1", "rows 2 0 2 0 and 0 3 1 0", "ReLU sets four of them to 0.")


def test_the_gradients_of_the_dense_layer(chapter):
    h = torch.tensor([3.0, 2.0], requires_grad=True)
    V = torch.tensor([[1.0, -1], [-1, 2]], requires_grad=True)
    F.cross_entropy(V @ h, torch.tensor(0)).backward()
    assert V.grad.tolist() == chapter.names["dV"].tolist() == [[-1.5, -1], [1.5, 1]]
    assert h.grad.tolist() == chapter.names["dh"].tolist() == [-1, 1.5]
    says("So its gradient is −0.5 · 3 = −1.5", "1 · (−0.5) − 1 · 0.5 = −1.", "−1 · (−0.5) + 2 · 0.5 = 1.5.")
    says("rows −1.5 −1 and 1.5 1", "−0.5 and 0.5; and the gradient at the pooled row, −1 1.5")


def test_the_gradient_of_average_pooling_and_relu(chapter):
    a = torch.tensor(chapter.names["a"], requires_grad=True)
    (F.avg_pool2d(a.relu()[None], 2)[0, 0] * torch.tensor([-1, 1.5])).sum().backward()
    assert a.grad.tolist() == [[-0.25, 0, 0.375, 0], [0, -0.25, 0.375, 0]]
    assert (8 * a.grad).tolist() == [[-2, 0, 3, 0], [0, -2, 3, 0]]
    says("−1/4 = −0.25 on the left and 1.5/4 = 0.375 on the right", "Mean, in eighths: −2 in the left half, 3")


def test_the_pooling_demo_is_the_tiny_map_with_its_gradient(chapter):
    demo = chapter.demos[2]
    assert np.array_equal(demo.image, chapter.names["r"]) and np.array_equal(demo.upstream, [[-1, 1.5]])
    assert demo.gradient and (demo.kernel, demo.stride) == (2, 2)
    says("Each gets 1.5/4 = 0.375. A zero hands on nothing")


def test_the_gradients_of_the_convolution(chapter):
    names = chapter.names
    x = torch.tensor(names["x"][None, None], requires_grad=True)
    w = torch.tensor(names["w"][None, None], requires_grad=True)
    F.conv2d(x, w).backward(torch.tensor(names["da"][None, None]))
    assert w.grad[0, 0].tolist() == names["dw"].tolist() == [[3, 2.5], [0, -1.5]]
    assert x.grad[0, 0].tolist() == names["dx"].tolist() == [[0, 0, -1.5, 1.5, 0], [0, 1, 2, -1.5, 0], [0, -2, 1, 0, 0]]
    assert names["x"][1:3, 1:3].tolist() == [[0, 2], [3, 3]] and names["x"][:2, 2:4].tolist() == [[2, 3], [2, 1]]
    says("−1 times the window 0 2 / 3 3, and 1.5 times the window 2 3 / 2 1", "rows 0 0 −1.5 1.5 0, 0 1 2 −1.5 0")
    says(
        "lower right −1 · 3 + 1.5 · 1 = −1.5", "met the upper right weight, 1, for the −1, and the lower left weight, 2"
    )


def test_a_step_at_the_rate_001_and_steps_on_a_parabola(chapter):
    assert round(chapter.names["after"], 3) == 0.477 and -1 - 0.01 * 3 == -1.03
    steps = chapter.names["walk_down"](1.1)
    assert np.isclose(steps[1], -1.2) and (np.diff(np.abs(steps)) > 0).all()
    assert (np.diff(chapter.names["walk_down"](0.1)) < 0).all()
    says("the price falls from 0.693 to 0.477", "the step ends at 0.8, and $L$ falls to 0.64", "*rises* to 1.44")


def test_steps_and_batches(chapter):
    names = chapter.names
    assert (len(names["train"]), len(names["validation"]), len(names["test"])) == (7000, 1000, 2000)
    assert 7000 / 50 == 140 == len(names["seen"])
    assert (40 + 40 + 10) / 120 == 0.75 and np.isclose((40 / 50 + 40 / 50 + 10 / 20) / 3, 0.7)
    says("7,000 pictures in batches of 50 are 140 steps", "are 90 of 120, so 0.75.", "= 0.7, which is wrong")
    for line in ("| training | 7,000 |", "| validation | 1,000 |", "| test | 2,000 |"):
        says(line)


def test_the_first_epoch_begins_at_log_10_and_ends_below_1(chapter):
    losses = np.array(chapter.names["first_epoch"])
    assert len(losses) == 140 and np.abs(losses[:20] - math.log(10)).max() < 0.1
    assert losses[-20:].min() < 1 and (np.diff(losses) > 0).sum() > 30
    says("stays near it for some dozens of steps, then falls with many ups and downs to below 1")


def test_the_best_of_twenty_guessers_gets_16_percent(chapter):
    """Exactly, from the distribution of the largest of twenty."""
    shares = [math.comb(100, k) * 0.1**k * 0.9 ** (100 - k) for k in range(101)]
    below = np.cumsum(shares)
    exact = sum(1 - below**20)
    assert abs(exact - 16) < 0.3 and abs(chapter.names["best"] - exact) < 0.2
    says("About 16. Its next 100 pictures bring it back to 10.")


def test_near_copies_flatter_even_where_there_is_nothing_to_know(chapter):
    leak = chapter.names["leak"]
    assert leak["right"][0] == leak["random"][0] == 1
    assert abs(leak["right"][1] - 0.75) < 0.01 and abs(leak["random"][1] - 0.10) < 0.05
    says("Nearest pictures name about 75 of 100 new garments.", "On new garments random labels guess: about 0.10.")


def test_four_rates_do_what_the_text_says(chapter):
    tried = chapter.names["tried"]
    assert max(tried, key=tried.get) == 0.1 and tried[0.1] > 0.5
    assert abs(tried[0.001] - 0.1) < 0.07 and abs(tried[1] - 0.1) < 0.05 and math.isnan(chapter.names["last"])
    says("0.1 learns most. The smallest has hardly moved from guessing", "they overflow, and the loss is nan")


def test_the_range_test_is_flat_then_falls_then_explodes(chapter):
    rates, seen = np.array(chapter.names["rates"]), np.array(chapter.names["seen"])
    assert np.abs(seen[rates < 0.05] - math.log(10)).max() < 0.1
    assert np.nanmin(seen[(rates > 0.1) & (rates < 1)]) < 2.1
    assert not (seen[rates > 1] < 3).all()  # nan included
    says("It is flat at 2.3 up to about 0.1, dips around a few tenths, and beyond 1 it leaves the picture upwards.")


def test_twenty_pictures_are_learned_by_heart(chapter):
    losses = np.array(chapter.names["by_heart"])
    assert len(GARMENTS) * 2 == 20 and abs(losses[0] - math.log(10)) < 0.1 and losses[-1] < 0.05
    assert np.argmax(losses < 0.5) < np.argmax(np.array(chapter.names["shuffled"]) < 0.5)
    says("A network that learns at all can learn 20", "and 40 with labels dealt at random, which take longer")


def test_shuffled_labels_are_learned_by_heart(chapter):
    names = chapter.names
    assert len(names["dealt"]) == 40 and names["shuffled"][-1] < 0.1
    assert names["learned"] > 0.9 and abs(names["guessed"] - 0.10) < 0.08
    says("It learns nearly all 40, and guesses on the others: about 0.10.")


def test_six_epochs_and_the_test_pictures(chapter):
    history, score = chapter.names["history"], chapter.names["score"]
    assert len(history) == 6 and history["validation_accuracy"][-1] > 0.8
    assert abs(score - 0.84) < 0.03 and round(math.sqrt(0.84 * 0.16 / 2000), 3) == 0.008
    assert history["loss"][0] > history["loss"][1] > history["loss"][-1]
    layers = history.points[-1]["layers"]
    assert len(layers) == 5 and max(layers) < 10 * min(layers)
    says(
        r"here by a *standard error* of $\sqrt{0.84 \cdot 0.16/2000}$ = 0.008.",
        "It is right in more than four cases of five",
    )


def test_the_log_of_full_size_is_of_three_seeds_and_three_epochs_on_a_cpu(chapter):
    log = chapter.names["log"]
    assert log.figures("test accuracy") == {"LeNet": [0.8956, 0.8988, 0.8961]}
    assert [round(share, 3) for share in (0.8956, 0.8988, 0.8961)] == [0.896, 0.899, 0.896]
    recipe = log.contents["recipe"]
    assert recipe["pictures"] == {"to train": 55_000, "held out": 5_000, "to test": 10_000}
    assert (recipe["epochs"], recipe["one cycle"]) == (3, True)
    assert recipe["optimizer"]["momentum"] and "CPU" in log.contents["size"]
    assert math.ceil(55_000 / recipe["batch"]) == 860
    says("Its 3 · 860 = 2,580 steps are three times our 6 · 140 = 840")
    says("0.896, 0.899 and 0.896 from three seeds.", "on 55,000 garments, with 5,000 others to validate on")


def test_a_picture_prepared_otherwise_is_another_picture(chapter):
    mismatch = chapter.names["mismatch"]
    assert mismatch["0 to 1"] < mismatch["as trained"] - 0.08 and mismatch["on white"] < 0.25
    assert round((0 - 0.2860) / 0.3530, 2) == -0.81
    says(
        "The first costs much of it, the second nearly all.", "has learned that the ground is (0 − 0.286)/0.353 = −0.81"
    )


def test_the_network_answers_alone_as_in_a_batch(chapter):
    names = chapter.names
    images, _ = next(iter(names["held"]))
    with torch.no_grad():
        together = names["model"](images[:3]).softmax(1)
    for row, pixels in zip(together, names["validation"].images, strict=False):
        assert torch.allclose(row, names["ask"](names["model"], pixels), atol=1e-5)


def test_shirts_are_the_hardest_and_trousers_are_nearly_all_right(chapter):
    recall = dict(zip(GARMENTS, chapter.names["recall"].tolist(), strict=True))
    assert {*sorted(recall, key=recall.get)[:2]} == {"Shirt", "Pullover"} and 0.35 < recall["Shirt"] < 0.7
    assert recall["Trouser"] > 0.9 and 0.35 < recall["Pullover"] < 0.7
    confused = chapter.names["confusion"][GARMENTS.index("Shirt")].clone()
    confused[GARMENTS.index("Shirt")] = 0
    assert {GARMENTS[place] for place in confused.argsort(descending=True)[:2]} <= {"T-shirt/top", "Pullover", "Coat"}
    says("Shirts and pullovers are the hardest, and about half of each are right.", "of trousers nearly all are right")


def solutions() -> list[str]:
    found = re.findall(r"^(`{4,})\{solution\} [^\n]*\n(.*?)^\1$", TEXT, re.S | re.M)
    return ["\n".join(re.findall(r"^```python\n(.*?)^```$", body, re.S | re.M)) for _, body in found]


@pytest.mark.parametrize("source", solutions(), ids=lambda source: source.strip().splitlines()[0][:40])
def test_the_solution_of_each_exercise_runs(chapter, source):
    assert "assert" in source
    exec(source, dict(chapter.names))


def test_the_accuracy_with_four_faults_has_them(chapter):
    shown = re.search(r"```python\n(def accuracy.*?)```", TEXT.split(":label: ex-loop-bugs")[1], re.S)[1]
    names: dict = {}
    exec(shown, names)

    class Scores(torch.nn.Module):
        def forward(self, images):
            self.mode, self.graph = self.training, torch.is_grad_enabled()
            return images

    model = Scores()
    data = [
        (torch.tensor([[3.0, 2.0], [9.0, 4.0]]), torch.tensor([0, 0])),
        (torch.tensor([[1.0, 0]]), torch.tensor([1])),
    ]
    assert chapter.names["accuracy"](model, data) == 2 / 3 and not (model.mode or model.graph)
    model.train()
    assert not np.isclose(float(names["accuracy"](model, data)), 2 / 3) and model.mode and model.graph
    says("It has four faults. Which?")


QUIZ: dict[str, Callable[[], bool]] = {
    "A network for 100 classes": lambda: round(math.log(100), 3) == 4.605 and round(math.log(10), 3) == 2.303,
    "The scores are 1, 1 and 1": lambda: np.allclose(np.full(3, 1 / 3) - [0, 1, 0], [1 / 3, -2 / 3, 1 / 3]),
    "A kernel's weight": lambda: (1 * 2 + 4 * -1 - 2 * 3, 1 + 4 - 2, 2 + 4 + 6, 4 * -1) == (-8, 3, 12, -4),
    "How does the gradient come back": lambda: (
        F.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3)).shape[2] == 6
    ),
    "A data set has 1,050": lambda: math.ceil(1050 / 100) == 11 and 1050 % 100 == 50,
}


@pytest.mark.parametrize("question", QUIZ)
def test_the_figures_of_the_quiz_are_right(question):
    says(question)
    assert QUIZ[question]()


def test_the_right_options_of_the_quiz_are_the_checked_ones():
    assert re.findall(r"^\[x\] (.*)$", TEXT, re.M) == [
        "4.605",
        "1/3, −2/3, 1/3",
        "−8",
        "Sliding the flipped kernel over the output's gradient, padded by k − 1",
        "Each step goes along the sum of all gradients so far",
        "The labels do not belong to the pictures",
        "Because whoever chooses by them reports the luck of the best choice",
        "11",
        "0.1",
        "Dropout and batch norm behave as in use, and a graph is recorded as before",
        "Turn black and white round before the network",
    ]


def test_the_network_of_the_first_exercise():
    layers = [Conv(12, 5, padding=2), Pool(3), Conv(24, 3), Pool(2), Flatten(), Dense(7)]
    shapes = [row.output_shape for row in table(layers, (3, 96, 96)).rows]
    assert shapes == [(12, 96, 96), (12, 32, 32), (24, 30, 30), (24, 15, 15), (5400,), (7,)]
    says("Sizes: 12 × 96 × 96, 12 × 32 × 32, 24 × 30 × 30, 24 × 15 × 15, 5,400 and 7.")
