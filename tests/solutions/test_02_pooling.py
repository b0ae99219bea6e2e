"""Assignment 02: its solutions are what torch and the book compute, and its text says what they give."""

import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from convbook import shapes
from tests.solutions.bare import Notebook

NOTEBOOK = Notebook("02-pooling")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_pooling_is_torchs(size, stride):
    pool2d, max_and_place = (NOTEBOOK.namespace()[name] for name in ("pool2d", "max_and_place"))
    x = torch.randn(2, 3, 8, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    for padding in range(size // 2 + 1):
        most, places = F.max_pool2d(x, size, stride, padding, return_indices=True)
        assert np.array_equal(pool2d(x.numpy(), size, stride, padding), most)
        for counted in (True, False):
            mean = F.avg_pool2d(x, size, stride, padding, count_include_pad=counted)
            ours = pool2d(x.numpy(), size, stride, padding, "average", counted)
            assert np.allclose(ours, mean, rtol=1e-12, atol=1e-12)
        values, rows_and_columns = max_and_place(x[0, 0].numpy(), (size, size), stride, padding)
        assert np.array_equal(values, most[0, 0])
        assert np.array_equal(rows_and_columns @ [11, 1], places[0, 0])


def test_of_equal_pixels_torch_takes_the_first_one_too():
    max_and_place = NOTEBOOK.namespace()["max_and_place"]
    x = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    _, places = F.max_pool2d(x, (2, 3), 1, 1, return_indices=True)
    assert np.array_equal(max_and_place(x[0, 0].numpy(), (2, 3), 1, 1)[1] @ [6, 1], places[0, 0])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_blur_pooling_is_a_depthwise_convolution_of_a_reflected_picture(size):
    binomial, blur_pool = (NOTEBOOK.namespace()[name] for name in ("binomial", "blur_pool"))
    x = torch.randn(2, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    before, after = (size - 1) // 2, size // 2
    weights = torch.from_numpy(np.outer(binomial(size), binomial(size))).expand(3, 1, size, size)
    for stride in (1, 2, 3):
        expected = F.conv2d(F.pad(x, (before, after, before, after), "reflect"), weights, stride=stride, groups=3)
        assert np.allclose(blur_pool(x.numpy(), size, stride), expected, rtol=1e-12, atol=1e-12)


def test_stacks_are_counted_as_the_books_own_tables_count_them():
    namespace = NOTEBOOK.namespace()
    conv, pool, flatten, dense = (namespace[name] for name in ("conv", "pool", "flatten", "dense"))
    stack = [conv(6, 5, padding=2), pool(3, 2, 1), conv(12, 3, 2, 2, 2, groups=3, bias=False), pool(2)]
    same = [
        shapes.Conv(6, 5, padding=2),
        shapes.Pool(3, 2, 1),
        shapes.Conv(12, 3, stride=2, padding=2, dilation=2, groups=3, bias=False),
        shapes.Pool(2),
    ]
    rows = shapes.table([*same, shapes.Flatten(), shapes.Dense(7)], (3, 31, 44)).rows
    assert namespace["sizes"](stack, 31) == [row.output_shape[1] for row in rows[:4]]
    assert namespace["receptive_field"](stack) == (rows[3].receptive_field[0], rows[3].jump[0])
    assert namespace["pixels_seen"](stack, 3) == rows[3].fields[0].sees(3)
    network = [*stack, flatten(), dense(7)]
    assert namespace["parameters"](network, (3, 31, 44)) == [row.parameters for row in rows]
    assert namespace["multiply_adds"](network, (3, 31, 44)) == [row.multiply_adds for row in rows]


def test_a_blur_lowers_the_shift_sensitivity_by_as_much_as_the_text_says():
    namespace = NOTEBOOK.namespace()
    block = next(each for each in re.findall(r"```python\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL) if "soft" in each)
    exec(block, namespace)
    said = NOTEBOOK.text.split(block)[1]
    assert re.findall(r"(\d+) %", said)[:2] == [f"{100 * namespace[name]:.0f}" for name in ("sharp", "soft")]
