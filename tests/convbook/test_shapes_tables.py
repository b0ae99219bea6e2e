"""Tables of layer lists: their forms, their errors, and what importing them costs."""

import subprocess
import sys
from html.parser import HTMLParser

import pytest

from convbook.shapes import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    Dense,
    Flatten,
    Layer,
    Norm,
    Pool,
    table,
)

LENET = [
    *(Conv(6, 5, padding=2, name="C1"), Activation(), Pool(2)),
    *(Conv(16, 5), Activation(), Pool(2)),
    *(Flatten(), Dense(120), Dense(84), Dense(10, name="<scores|>")),
]


def test_a_table_says_of_each_layer_what_it_makes_costs_and_sees() -> None:
    found = table(LENET, (1, 28, 28))
    assert [row.name for row in found.rows] == [
        *("C1", "activation1", "pool1", "conv2", "activation2", "pool2", "flatten1", "dense1", "dense2", "<scores|>"),
    ]
    conv, pool, dense = found.row("conv2"), found.row("pool2"), found.row("dense1")
    assert (conv.kernel, conv.output_shape, conv.parameters) == ("5×5", (16, 10, 10), 16 * 6 * 25 + 16)
    assert conv.multiply_adds == 16 * 6 * 25 * 100
    assert (conv.receptive_field, conv.jump, conv.start) == ((14, 14), (2, 2), (-2, -2))
    assert (pool.kernel, pool.receptive_field, pool.jump, pool.parameters) == ("2×2, stride 2", (16, 16), (4, 4), 0)
    assert (dense.receptive_field, dense.jump) == ((32, 32), (0, 0)), "padding included; all units see the same"
    assert found.parameters == 61_706 and found.multiply_adds == 416_520
    assert [field.center(0) for field in conv.fields] == [4.5, 4.5]


def test_text_is_aligned_and_ends_with_the_sums() -> None:
    lines = str(table(LENET, (1, 28, 28))).splitlines()
    place = lines[0].index("Kind")
    assert [line[place:].split()[0] for line in lines[2:5]] == ["Conv", "Activation", "Pool"]
    assert {len(line) for line in lines[:1] + lines[2:-2]} == {lines[0].index("Jump") + 4}, "numbers end in one column"
    assert lines[-1].split() == ["total", "61,706", "416,520"]


def test_markdown_has_a_cell_for_every_number() -> None:
    lines = table(LENET, (1, 28, 28)).markdown().splitlines()
    assert len(lines) == len(LENET) + 3
    assert lines[1] == "| :-- | :-- | :-- | :-- | --: | --: | --: | --: |"
    assert lines[2] == "| C1 | Conv | 5×5 | 6×28×28 | 156 | 117,600 | 5 | 1 |"
    assert lines[-2].startswith("| <scores\\|> | Dense |")
    assert {line.replace("\\|", "").count("|") for line in lines} == {9}


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[tuple[str, str | None, str]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append((tag, dict(attributes).get("scope"), ""))

    def handle_data(self, data: str) -> None:
        if data.strip():
            tag, scope, text = self.rows[-1][-1]
            self.rows[-1][-1] = (tag, scope, text + data)


def test_html_names_columns_and_rows_and_escapes_what_it_is_given() -> None:
    found = table(LENET, (1, 28, 28))
    page = found._repr_html_()
    parser = Cells()
    parser.feed(page)
    assert len(parser.rows) == len(LENET) + 2
    assert {cell[:2] for cell in parser.rows[0]} == {("th", "col")}
    for cells in parser.rows[1:]:
        assert [cell[0] for cell in cells] == ["th"] + ["td"] * 7 and cells[0][1] == "row"
    assert [text for _, _, text in parser.rows[1]] == ["C1", "Conv", "5×5", "6×28×28", "156", "117,600", "5", "1"]
    assert parser.rows[-2][0][2] == "<scores|>" and "<scores" not in page
    assert page == found.html()


def test_axes_that_differ_are_written_apart() -> None:
    row = table([Conv(2, (3, 5), (1, 2), (1, 0), groups=2)], (2, 8, 9)).rows[0]
    assert (row.kernel, row.output_shape) == ("3×5, stride 1×2, groups 2", (2, 8, 3))
    assert (row.receptive_field, row.jump, row.start) == ((3, 5), (1, 2), (-1, 0))
    (line,) = table([Conv(2, (3, 5), (1, 2), name="c")], (2, 8, 9)).markdown().splitlines()[2:-1]
    assert line.endswith("| 3×5 | 1×2 |")


def test_after_a_transposed_convolution_neighbors_see_half_a_pixel_further_on() -> None:
    row = table([Conv(4, 3, 2, 1), ConvTranspose(1, 2, 2)], (1, 32)).rows[-1]
    (field,) = row.fields
    assert [field.sees(unit) for unit in range(4)] == [(-1, 1), (-1, 1), (1, 3), (1, 3)]
    assert (row.receptive_field, row.jump, row.start) == ((3,), (1,), (-1,))
    (field,) = table([ConvTranspose(1, 2, 4)], (1, 8)).rows[0].fields
    assert [field.sees(unit) for unit in range(5)] == [(0, 0), (0, 0), None, None, (1, 1)]
    assert (field.size, str(field.jump), field.center(2)) == (1, "1/4", None)


def test_global_pooling_sees_the_whole_map() -> None:
    rows = table([Conv(8, 3), Norm(), AdaptivePool(), Flatten(), Dense(2)], (3, 10, 12)).rows
    assert rows[1].parameters == 16
    assert (rows[2].output_shape, rows[2].receptive_field, rows[2].jump) == ((8, 1, 1), (10, 12), (0, 0))
    assert (rows[4].output_shape, rows[4].parameters) == ((2,), 18)


@pytest.mark.parametrize(
    ("layers", "shape", "error", "words"),
    [
        ([Conv(1, 3), Pool(4)], (1, 5, 9), ValueError, r"^pool1, after a map of shape \(1, 3, 7\): The kernel spans 4"),
        ([Conv(1, 0)], (1, 5, 5), ValueError, "k is 0; it must be at least 1"),
        ([Conv(0, 1)], (1, 5, 5), ValueError, "channels is 0"),
        ([Conv(4, 1, groups=3)], (6, 5, 5), ValueError, "groups is 3; it must divide the 4 output channels"),
        ([Conv(3, 1, groups=3)], (4, 5, 5), ValueError, "groups is 3; it must divide the 4 input channels"),
        ([Conv(3, 1, groups=0)], (4, 5, 5), ValueError, "groups is 0"),
        ([Conv(1, (3, 3))], (1, 9), ValueError, r"kernel is \(3, 3\), for 2 axes; the map of shape \(1, 9\) has 1"),
        (
            [Conv(1, 3, padding="full")],
            (1, 9),
            ValueError,
            "padding is 'full'; it must be a number, a tuple or \"same\"",
        ),
        ([Conv(1, 2.5)], (1, 9), TypeError, "k is 2.5; it must be a whole number"),
        ([ConvTranspose(1, 2, padding="same")], (1, 9), TypeError, "padding is 'same'; it must be a whole number"),
        ([ConvTranspose(1, 2, 2, output_padding=2)], (1, 9), ValueError, "must be smaller than the stride, 2"),
        ([ConvTranspose(1, 2, padding=9)], (1, 9), ValueError, "padding 9 crops 18: nothing is left"),
        (
            [Pool(2, padding=2)],
            (1, 9),
            ValueError,
            "padding is 2; a pooling of size 2 may have at most half its size, 1",
        ),
        ([AdaptivePool(0)], (1, 9), ValueError, "size is 0"),
        ([Dense(3)], (1, 9), ValueError, r"needs a flat row .* shape \(1, 9\): Flatten it first"),
        ([Flatten(), Conv(1, 1)], (2, 9), ValueError, "a flat row of 18 features has none"),
        ([Conv(1, 1)], (1, 0, 3), ValueError, "a size of the input is 0"),
        ([Dense(1)], (), ValueError, "The input shape is empty"),
        ([], (1, 9), TypeError, "A network is a list of layers or a torch module"),
        (["conv"], (1, 9), TypeError, "A network is a list of layers or a torch module"),
        (Conv(1, 1), (1, 9), TypeError, "A network is a list of layers or a torch module"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_layer_and_the_numbers(
    layers: list[Layer], shape: tuple[int, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        table(layers, shape)


def test_an_unknown_row_is_answered_with_the_names_that_there_are() -> None:
    with pytest.raises(KeyError, match=r"No layer is called 'conv3'. There are: C1, activation1"):
        table(LENET, (1, 28, 28)).row("conv3")


@pytest.mark.parametrize(
    ("module", "barred"), [("convbook.shapes", ("torch", "numpy", "autograder")), ("convbook.nets", ("autograder",))]
)
def test_an_import_brings_nothing_that_it_must_work_without(module: str, barred: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {barred} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
