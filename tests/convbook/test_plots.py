"""The palette is readable on white and on #121212, and figures show the numbers they are given."""

import itertools
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from convbook import plots

WHITE, DARK = "#ffffff", "#121212"


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        plots.setup()
        yield
    plt.close("all")


def test_contrast_is_the_wcag_ratio():
    assert plots.contrast("#000000", WHITE) == pytest.approx(21)
    assert plots.contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)
    assert plots.contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("color", plots.COLORS.values())
def test_a_filled_cell_stands_out_from_both_backgrounds_and_its_number_from_the_cell(color):
    assert plots.contrast(color, WHITE) >= 3
    assert plots.contrast(color, DARK) >= 3
    assert plots.contrast(plots.readable_on(color), color) >= 4.5


def test_a_window_differs_from_its_surroundings_by_more_than_hue():
    for role, color in plots.COLORS.items():
        if role != "neutral":
            assert plots.contrast(plots.DARK_COLORS[role], color) >= 1.6
            assert plots.contrast(plots.readable_on(plots.DARK_COLORS[role]), plots.DARK_COLORS[role]) >= 4.5


@pytest.mark.parametrize("color", plots.DARK_COLORS.values())
def test_dark_mode_colors_are_readable_as_text_on_the_dark_page(color):
    assert plots.contrast(color, DARK) >= (3 if color == plots.COLORS["neutral"] else 4.5)


def test_text_outside_cells_is_large_enough_for_its_contrast_on_both_backgrounds():
    # WCAG asks 3:1 of large text: 18 pt, or 14 pt bold. Titles are bold; the gray has 3:1 on both.
    assert plots.contrast(plots.COLORS["neutral"], WHITE) >= 3
    assert plots.contrast(plots.COLORS["neutral"], DARK) >= 3
    assert plt.rcParams["axes.titlesize"] >= 14 and plt.rcParams["axes.titleweight"] == "bold"


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_grid_writes_every_number_in_reading_order():
    _, ax = plt.subplots()
    plots.grid(ax, [[1, -2], [0.5, 1 / 3]], "input", "x")
    assert texts(ax) == ["1", "−2", "0.5", "0.33"]
    assert ax.get_title() == "x"


def test_grid_takes_a_single_row():
    _, ax = plt.subplots()
    plots.grid(ax, [3, 1, 4])
    assert texts(ax) == ["3", "1", "4"]


def test_grid_frames_the_window_and_leaves_muted_cells_unfilled():
    _, ax = plt.subplots()
    plots.grid(ax, np.arange(6).reshape(2, 3), window=[(1, 2)], muted=[[True, False, False], [False] * 3])
    patches = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    frames = [patch for patch in patches if patch.get_linewidth() == 4]
    assert [(patch.get_x(), patch.get_y()) for patch in frames] == [(2, 1)]
    assert matplotlib.colors.same_color(frames[0].get_edgecolor(), plots.COLORS["kernel"])
    faces = [
        matplotlib.colors.to_hex(patch.get_facecolor(), keep_alpha=True) for patch in patches if patch not in frames
    ]
    plain, lighter = (palette["input"].lower() + "ff" for palette in (plots.COLORS, plots.DARK_COLORS))
    assert faces == ["#00000000", plain, plain, plain, plain, lighter]


def test_grids_draws_each_matrix_in_its_role_with_symbols_between():
    axes = plots.grids([(np.eye(3), "input", "x"), ([[2]], "kernel", "w"), (np.eye(3), "output", "y")], "⋆=")
    assert [ax.get_title() for ax in axes] == ["x", "w", "y"]
    assert [ax.texts[-1].get_text() if ax.texts[-1].get_text() in "⋆=" else "" for ax in axes] == ["", "⋆", "="]
    roles = [matplotlib.colors.to_hex(ax.patches[0].get_facecolor()) for ax in axes]
    assert roles == [plots.COLORS[role].lower() for role in ("input", "kernel", "output")]


def test_grids_frames_cells_of_the_matrix_that_is_named():
    axes = plots.grids([([[1, 2]], "input", ""), ([[3, 4]], "output", "")], "=", {1: [(0, 1)]})
    assert [len(ax.patches) for ax in axes] == [2, 3]


def test_pictures_keep_black_at_0_and_white_at_1():
    (ax,) = plots.pictures([(np.full((2, 2), 0.5), "gray")])
    assert ax.images[0].get_clim() == (0, 1)


def test_signed_pictures_put_zero_at_mid_gray_each_with_its_own_range():
    left, right = plots.pictures([([[-2.0, 1.0]], "a"), ([[0.0, 4.0]], "b")], signed=True)
    assert (left.images[0].get_clim(), right.images[0].get_clim()) == ((-2, 2), (-4, 4))
    (flat,) = plots.pictures([(np.zeros((2, 2)), "flat")], signed=True)
    low, high = flat.images[0].get_clim()
    assert low == -high < 0


def test_a_figure_has_no_background_of_its_own(tmp_path):
    plots.grids([(np.eye(2), "input", "x")])
    plt.savefig(tmp_path / "figure.png")
    pixels = plt.imread(tmp_path / "figure.png")
    assert pixels[0, 0, 3] == 0
    assert pixels[..., 3].max() == 1


def test_the_same_figure_is_the_same_svg(tmp_path):
    for name in "ab":
        plots.grids([(np.eye(2), "input", "x"), ([[3]], "kernel", "w")], "⋆")
        plt.savefig(tmp_path / f"{name}.svg", metadata={"Date": None})
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_three_roles_stay_apart_for_color_blind_readers():
    # Machado et al. (2009), severity 1: https://doi.org/10.1109/TVCG.2009.113.
    deutan = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    protan = np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    )
    for palette, kind in itertools.product((plots.COLORS, plots.DARK_COLORS), (deutan, protan)):
        seen = [kind @ matplotlib.colors.to_rgb(palette[role]) for role in ("input", "kernel", "output")]
        for one, other in itertools.combinations(seen, 2):
            assert np.linalg.norm(one - other) > 0.2


def test_setup_makes_a_notebook_emit_svg_without_a_date():
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.display_formatter.active_types = shell.display_formatter.format_types
from convbook import plots
plots.setup()
plots.grids([([[1]], "input", "x")])
import matplotlib.pyplot as plt
svg = shell.display_formatter.format(plt.gcf())[0]["image/svg+xml"]
assert svg.startswith('<?xml') and '<dc:date>' not in svg
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
