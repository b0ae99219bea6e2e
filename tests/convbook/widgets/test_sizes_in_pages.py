"""What a page works out about sizes is what `convbook.shapes` says, for every setting of its controls."""

import itertools
from collections.abc import Callable
from typing import Any

from convbook.shapes import Conv, output_size, table


def test_the_convolution_explorer_has_the_sizes_and_receptive_fields_of_convbook(node: Callable[..., Any]) -> None:
    settings = list(itertools.product((1, 2, 5, 7, 12), range(1, 6), range(1, 5), range(5), range(1, 4)))
    states = [
        {
            "image": [[0] * n] * n,
            "kernel": [[1] * k] * k,
            "stride": s,
            "padding": p,
            "padding_mode": "zeros",
            "dilation": d,
            "flip": False,
            "selected": [0, 0],
        }
        for n, k, s, p, d in settings
    ]
    code = """import * as math from "./conv_explorer.math.mjs";
const answer = input.map((state) => {
  const view = math.explain(state);
  const rows = view.products.flat().map((product) => product.row - state.padding);
  return { shape: view.out_shape, sees: [Math.min(...rows), Math.max(...rows)] };
});"""
    fitting = 0
    for (n, k, s, p, d), view in zip(settings, node(code, states), strict=True):
        try:
            size = output_size(n, k, s, p, d)
        except ValueError:
            assert view["shape"] == [0, 0], (n, k, s, p, d)
            continue
        assert view["shape"] == [size, size], (n, k, s, p, d)
        (field, _) = table([Conv(1, k, s, p, d)], (1, n, n)).rows[0].fields
        assert tuple(view["sees"]) == field.sees(0), (n, k, s, p, d)
        fitting += 1
    assert 1000 < fitting < len(settings)
