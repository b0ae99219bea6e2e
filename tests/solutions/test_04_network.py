"""Assignment 04: its solutions are what torch and the book compute, and its text says what they give."""

import re
from itertools import chain, combinations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convbook.shapes import AdaptivePool, Conv, Dense, Flatten, Pool, table
from tests.solutions.bare import Notebook, points

NOTEBOOK = Notebook("04-network")
BUGS = list(NOTEBOOK.catalogue.BUGS)

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("count", "classes", "reach"), [(1, 2, 1), (5, 3, 4), (3, 10, 1000)])
def test_loss_and_slopes_are_torchs(count, classes, reach):
    namespace = NOTEBOOK.namespace()
    z = (torch.rand(count, classes, dtype=torch.float64, generator=generator(0)) - 0.5) * 2 * reach
    labels = torch.randint(classes, (count,), generator=generator(1))
    loss = F.cross_entropy(z.requires_grad_(), labels)
    loss.backward()
    z = z.detach().numpy()
    assert np.isclose(namespace["cross_entropy"](z, labels.numpy()), loss.item(), rtol=1e-12)
    assert np.allclose(namespace["cross_entropy_gradient"](z, labels.numpy()), z_slopes(z, labels), rtol=0, atol=1e-12)


def z_slopes(z, labels):
    leaf = torch.from_numpy(z).requires_grad_()
    return torch.autograd.grad(F.cross_entropy(leaf, labels), leaf)[0].numpy()


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_backward_passes_are_autograds(stride, padding):
    namespace = NOTEBOOK.namespace()
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64, generator=generator(stride)).requires_grad_()
    w = torch.randn(4, 3, 2, 3, dtype=torch.float64, generator=generator(padding)).requires_grad_()
    b = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    y = F.conv2d(x, w, b, stride, padding)
    dy = torch.randn(y.shape, dtype=torch.float64, generator=generator(5))
    wanted = torch.autograd.grad(y, (x, w, b), dy)
    arrays = [value.detach().numpy() for value in (dy, x, w)]
    for found, expected in zip(namespace["conv2d_backward"](*arrays, stride, padding), wanted, strict=True):
        assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)
    y = F.max_pool2d(x, 3, stride)
    dy = torch.randn(y.shape, dtype=torch.float64, generator=generator(6))
    (expected,) = torch.autograd.grad(y, x, dy)
    assert np.array_equal(namespace["max_pool_backward"](dy.numpy(), arrays[1], 3, stride), expected)


def test_of_equal_pixels_the_first_gets_the_slope_as_in_torch():
    x = torch.zeros(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    y = F.max_pool2d(x, 2)
    (expected,) = torch.autograd.grad(y, x, torch.ones_like(y))
    routed = NOTEBOOK.namespace()["max_pool_backward"](np.ones(y.shape), np.zeros(x.shape), 2, 2)
    assert np.array_equal(routed, expected)


def test_the_numbers_of_the_first_two_questions_are_right():
    assert f"= {-np.log(3 / 4):.3f}" in NOTEBOOK.text
    assert f"= {-np.log(1 / 4):.3f}" in NOTEBOOK.text
    x, w = torch.tensor([[[[1.0, 2, 3]]]]), torch.tensor([[[[10.0, 1]]]])
    assert F.conv2d(x, w, torch.tensor([100.0])).tolist() == [[[[112, 123]]]]
    assert "= 112" in NOTEBOOK.text
    assert "= 123" in NOTEBOOK.text


def test_the_specification_in_the_text_is_counted_as_the_books_tables_count_it():
    layers = [
        Conv(16, 3, padding=1),
        Pool(2),
        Conv(32, 3, stride=2, padding=1, bias=False),
        AdaptivePool(),
        Flatten(),
        Dense(10),
    ]
    conv1, pool, conv2, _, average, head = rows = table(layers, (3, 8, 8)).rows
    said = re.findall(r"^\| .+ \| .+ \| ([\d ×]+) \| (\d+) \|$", NOTEBOOK.text, flags=re.MULTILINE)
    assert said == [
        (" × ".join(map(str, row.output_shape)), str(row.parameters)) for row in (conv1, pool, conv2, average, head)
    ]
    net = NOTEBOOK.namespace()["Network"](3, 16, 10)
    assert sum(value.numel() for value in net.parameters()) == sum(row.parameters for row in rows)


@pytest.mark.parametrize("left", list(chain.from_iterable(combinations(BUGS, number) for number in range(6))), ids=len)
def test_each_mended_bug_earns_its_own_point_whichever_others_are_left(left):
    for seed in (0, 1):
        found = NOTEBOOK.run(seed, **NOTEBOOK.stubs | {"fit": NOTEBOOK.catalogue.with_bugs(left)})
        assert {part: points(found)[part] for part in BUGS} == {part: int(part not in left) for part in BUGS}, found


def given():
    """The text with bugs, as it is handed out."""
    namespace = {"torch": torch, "F": F}
    exec(NOTEBOOK.stubs["fit"].replace("    raise NotImplementedError()\n", ""), namespace)
    return namespace["fit"]


def test_the_text_with_bugs_has_all_five_and_no_other():
    found = NOTEBOOK.run(
        0, **NOTEBOOK.stubs | {"fit": NOTEBOOK.stubs["fit"].replace("raise NotImplementedError()", "")}
    )
    assert {points(found)[part] for part in BUGS} == {0}
    with_all = {}
    exec(NOTEBOOK.catalogue.with_bugs(BUGS), {"torch": torch, "F": F}, with_all)
    namespace, rng = NOTEBOOK.namespace(), np.random.default_rng(0)
    lessons, asked = (tuple(each.flatten(1) for each in namespace["strokes"](rng, count)[:1]) for count in (60, 25))
    labels = [torch.from_numpy(rng.integers(4, size=count)) for count in (60, 25)]
    orders = [torch.from_numpy(rng.permutation(60)) for _ in range(3)]
    results = []
    for fit in (given(), with_all["fit"]):
        arguments = (lessons[0], labels[0]), (asked[0], labels[1]), orders, 8, 0.1
        results.append(namespace["run_fit"](fit, torch.zeros(4, 64), (torch.arange(64) % 2).float(), *arguments))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_with_all_bugs_the_accuracy_rises_as_the_text_says():
    strokes, rng = NOTEBOOK.namespace()["strokes"], np.random.default_rng(2)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        convolution, dense = nn.Conv2d(1, 8, 3, padding=1), nn.Linear(8, 4)
    net = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), dense)
    orders = [torch.from_numpy(rng.permutation(200)) for _ in range(6)]
    history = given()(net, strokes(rng, 200), strokes(rng, 100), orders, 16, 0.1)
    assert history[0] + 0.3 < history[-1]


def test_the_example_of_the_loop_gives_what_the_text_says():
    namespace = NOTEBOOK.namespace()
    block = next(
        each for each in re.findall(r"```python\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL) if "run_fit" in each
    )
    exec(block, namespace)
    assert f"`history` is `{namespace['history']}`" in NOTEBOOK.text


def test_the_first_recipe_is_hardly_better_than_a_guess():
    namespace = NOTEBOOK.namespace()
    blocks = re.findall(r"```python\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL)
    exec(next(each for each in blocks if "train_by" in each), namespace)
    found = namespace["accuracy"](namespace["scores"], *namespace["strokes"](namespace["rng"], 500))
    assert 0.25 <= found < 0.45


def test_the_recipe_of_the_solution_is_four_deviations_above_what_is_asked():
    namespace, found = NOTEBOOK.namespace(), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        pictures, budget = int(rng.integers(100, 400)), int(rng.integers(9_000_000, 12_000_000))
        recipe = namespace["choose_recipe"](pictures, budget)
        assert budget / 2 < namespace["cost"](recipe, pictures) <= budget
        scores = namespace["train_by"](recipe, *namespace["strokes"](rng, pictures), seed)
        found.append(namespace["accuracy"](scores, *namespace["strokes"](rng, 500)))
    assert np.mean(found) - 4 * np.std(found) > 0.85


def test_a_linear_map_of_the_pixels_does_not_reach_what_is_asked():
    """So that the convolution is what earns the point."""
    strokes = NOTEBOOK.namespace()["strokes"]
    (x, y), (new_x, new_y) = (strokes(np.random.default_rng(seed), 400) for seed in (0, 1))
    design = torch.cat([x.flatten(1), torch.ones(400, 1)], dim=1).double()
    weights = torch.linalg.lstsq(design, F.one_hot(y).double()).solution
    found = torch.cat([new_x.flatten(1), torch.ones(400, 1)], dim=1).double() @ weights
    assert (found.argmax(dim=1) == new_y).double().mean() < 0.8
