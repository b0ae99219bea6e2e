"""The book's drawn figures are what tools/figures.py draws, with the numbers that the text names."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from convbook import plots
from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "book" / "figures"


@pytest.fixture(scope="module")
def figures():
    module = load("tools/figures.py")
    with plt.rc_context():
        yield module
    plt.close("all")


def test_the_committed_figures_are_the_ones_drawn(figures, tmp_path):
    figures.main(tmp_path)
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert drawn == {path.name: path.read_bytes() for path in COMMITTED.glob("*.svg")}


def test_every_drawn_figure_stands_in_a_chapter(figures):
    book = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md"))
    assert [name for name in figures.FIGURES if f"{{figure}} figures/{name}" not in book] == []


def test_the_step_frames_nine_input_cells_and_the_12_that_they_give(figures):
    plots.setup()
    figures.convolution_step()
    source, _, output = plt.gcf().axes
    assert sum(patch.get_linewidth() == 4 for patch in source.patches) == 9
    (frame,) = (patch for patch in output.patches if patch.get_linewidth() == 4)
    inside = [
        text.get_text() for text in output.texts if text.get_position() == (frame.get_x() + 0.5, frame.get_y() + 0.52)
    ]
    assert inside == ["12"]


def test_the_wirings_have_15_9_and_9_lines_and_three_styles_where_weights_are_shared(figures):
    figures.weights_shared()
    dense, local, shared = plt.gcf().axes
    assert [len(ax.lines) for ax in (dense, local, shared)] == [15, 9, 9]
    assert len({line.get_linestyle() for line in shared.lines}) == 3
    # The same tap has the same style at every output.
    ends = {(line.get_xdata()[0] - line.get_xdata()[1], line.get_linestyle()) for line in shared.lines}
    assert len(ends) == 3


def test_the_groups_have_16_8_and_4_kernels(figures):
    figures.channel_groups()
    assert [len(ax.lines) for ax in plt.gcf().axes] == [16, 8, 4]


def test_one_cell_reaches_5_pixels_at_stride_1_and_7_at_stride_2(figures):
    figures.receptive_field()
    for ax, pixels in zip(plt.gcf().axes, (5, 7), strict=True):
        assert len({line.get_xdata()[0] for line in ax.lines if line.get_ydata()[0] == 0}) == pixels
        assert len(ax.lines) == 9 + 3


def test_the_maps_of_the_exam_are_drawn_to_scale(figures):
    figures.exam_network()
    assert [patch.get_width() for patch in plt.gca().patches[:5]] == [32, 16, 16, 16, 7]
