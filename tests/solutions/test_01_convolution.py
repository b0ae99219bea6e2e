"""Assignment 01: what its text says and draws is what its solutions give."""

import re

import numpy as np
import torch

from tests.solutions.bare import Notebook

NOTEBOOK = Notebook("01-convolution")


def test_the_sobel_numbers_in_the_text_are_right():
    picture = np.array([[0, 1, 2]] * 3)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    drawn = "\n".join(
        f"{' '.join(map(str, p))}       {' '.join(f'{w:2d}' for w in k)}" for p, k in zip(picture, kernel, strict=True)
    )
    assert re.sub(r" +", " ", drawn) in re.sub(r" +", " ", NOTEBOOK.text)
    assert (picture * kernel).sum() == 8 == 2 * 1 + 4 * 1 + 2 * 1
    assert (np.rot90(picture) * kernel).sum() == 0


def defined(*sources):
    namespace = {"np": np}
    for source in sources:
        exec(source, namespace)
    return namespace


def test_the_costs_in_the_text_are_right():
    functions = defined(NOTEBOOK.answers["cost"])
    assert functions["parameters"](2, 3, (1, 2)) == 15 == 3 * 5
    assert functions["multiply_adds"](2, 3, (1, 2), (2, 5), stride=2) == 36 == 3 * 3 * 4
    layer = torch.nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False, device="meta")
    positions = layer(torch.empty(1, 3, 224, 224, device="meta")).numel()
    assert (layer.weight.numel(), positions * layer.weight[0].numel()) == (9408, 118_013_952)


def test_the_windows_in_the_text_are_those_of_the_picture():
    windows = torch.nn.functional.unfold(torch.arange(1.0, 10).reshape(1, 1, 3, 3), 2)[0].long().tolist()
    drawn = re.search(r"windows as columns\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL)[1].splitlines()
    assert [[int(number) for number in line.split()[-4:]] for line in drawn] == windows
    assert np.array_equal(np.array([1, 0, 2, 1]) @ windows, [14, 18, 26, 30])


def test_the_matrices_in_the_text_are_each_others_transposes():
    rows = re.search(r"from 2 positions to 3 pixels\n\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL)[1].splitlines()
    numbers = [[int(number) for number in line.split()] for line in rows]
    forward, backward = np.array([row[:3] for row in numbers[:2]]), np.array([row[-2:] for row in numbers])
    assert np.array_equal(forward, backward.T)
    assert (backward @ [1, 2]).tolist() == [10, 21, 2]
    assert (forward @ [1, 2, 3]).tolist() == [12, 23]
    assert (backward @ [12, 23]).tolist() == [120, 242, 23]


def test_the_text_with_bugs_is_right_where_the_colleague_tried_it_and_has_three_wrong_lines():
    given = NOTEBOOK.stubs["bugs"].replace("    raise NotImplementedError()\n", "")
    buggy, mended = defined(given)["convolve"], defined(NOTEBOOK.answers["bugs"])["convolve"]
    photograph, blur = np.random.default_rng(0).uniform(size=(9, 9)), np.outer([1.0, 2, 1], [1, 2, 1]) / 16
    assert np.allclose(buggy(photograph, blur), mended(photograph, blur), rtol=1e-12)
    solution, rest = NOTEBOOK.answers["bugs"].split("### BEGIN SOLUTION\n")[1].split("    ### END SOLUTION\n")
    lines = list(zip(solution.splitlines(), rest.splitlines(), strict=True))
    assert sum(ours != theirs for ours, theirs in lines) == 3
    assert NOTEBOOK.catalogue.GIVEN.endswith(rest + "\n")
