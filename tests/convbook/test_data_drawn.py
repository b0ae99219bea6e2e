"""Letters, scenes and digits: right labels, the same from the same seed, and as hard as they are said to be."""

import sys

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

from convbook.data import GARMENTS, LETTERS, SCENE_CLASSES, composed, digits, fashion_mnist, glyphs, letters, scenes
from convbook.data.glyphs import FONTS, SIDE, extent, placing, warp


@pytest.mark.parametrize("size", [20, 31])
def test_a_warp_is_what_scipy_does(size):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 15, 15), dtype=np.uint8)
    which = np.array([2, 0, 0, 1])
    maps = placing(
        rng.uniform(5, 15, (4, 2)), rng.uniform(0.7, 2, (4, 2)), rng.uniform(-90, 90, 4), rng.uniform(-0.5, 0.5, 4)
    )
    for place, linear, found in zip(which, maps, warp(pictures, which, maps, size), strict=True):
        # scipy counts (row, column) from the corner, and maps the result to the picture.
        back = np.linalg.inv(linear[:, :2])[::-1, ::-1]
        offset = 7 - back @ linear[::-1, 2]
        expected = ndimage.affine_transform(
            pictures[place].astype(float), back, offset, (size, size), order=1, mode="grid-constant", cval=0
        )
        np.testing.assert_allclose(found, expected, atol=0.05)


def test_a_map_scales_slants_turns_and_then_moves():
    (linear,) = placing(np.array([[10.0, 20.0]]), np.array([[2.0, 3.0]]), np.array([90.0]), np.array([0.0]))
    # One pixel to the right becomes two downward, since rows count downward.
    np.testing.assert_allclose(linear @ [1, 0, 1], [10, 22], atol=1e-12)
    np.testing.assert_allclose(linear @ [0, 1, 1], [7, 20], atol=1e-12)


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_font_has_every_letter_with_capitals_of_one_height(split):
    stock = glyphs.glyphs("".join(LETTERS), split)
    assert stock.shape == (52, len(FONTS[split]), SIDE, SIDE)
    heights = extent(stock.reshape(-1, SIDE, SIDE)).reshape(*stock.shape[:2], 2)[..., 1]
    assert np.abs(heights[LETTERS.index("H")] - glyphs.CAP_HEIGHT).max() <= 2
    assert heights.min() > 20 and stock[:, :, [0, -1]].max() == 0 and stock[..., [0, -1]].max() == 0
    # No two letters of a font are the same picture, as they would be if the font lacked them.
    for font in stock.transpose(1, 0, 2, 3):
        assert len({glyph.tobytes() for glyph in font}) == 52


def test_no_font_to_test_with_is_one_to_train_with():
    assert not set(FONTS["train"]) & set(FONTS["test"])


def test_letters_are_balanced_8_by_8_counts_of_ink():
    split = letters("train", n=530, seed=1)
    assert split.images.shape == (530, 8, 8) and split.images.dtype == np.uint8
    counts = np.bincount(split.labels)
    assert len(counts) == 52 and counts.min() == 10 and counts.max() == 11
    assert set(np.unique(split.images)) <= {round(k * 255 / 16) for k in range(17)}
    assert split.images.max() == 255 and split.images.min() == 0


def nearest_mean(train, test):
    """Share of the test pictures that are closest to the mean of their own class."""
    means = np.stack([train.images[train.labels == label].mean(axis=0).ravel() for label in range(len(train.classes))])
    pixels = test.images.reshape(len(test), -1).astype(float)
    distances = (means**2).sum(axis=1) - 2 * pixels @ means.T
    return (distances.argmin(axis=1) == test.labels).mean()


def test_letters_of_fonts_never_seen_look_like_their_class():
    # 1 in 52 by chance.
    assert nearest_mean(letters("train", 5_200), letters("test", 2_080)) > 0.4


def test_letters_and_scenes_repeat_with_their_seed_and_touch_no_global_generator():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    for make in (lambda seed: letters("train", 104, seed), lambda seed: scenes(20, seed)):
        one, again, other = make(1), make(1), make(2)
        assert np.array_equal(one.images, again.images) and np.array_equal(one.labels, again.labels)
        assert not np.array_equal(one.images, other.images)
    assert np.array_equal(state, np.random.get_state()[1])


def test_the_stated_mean_and_deviation_are_those_of_the_pictures():
    for split in (letters("train", 10_400, 5), scenes(1_000, 5), digits()):
        pixels = split.images / 255
        assert abs(pixels.mean() - split.mean[0]) < 0.015 and abs(pixels.std() - split.std[0]) < 0.015


def test_a_scene_has_a_garment_and_a_letter_and_a_mask_of_both():
    found = scenes(300, 3)
    assert found.images.shape == found.masks.shape == (300, 48, 48)
    assert found.images.dtype == found.masks.dtype == np.uint8 and found.labels.dtype == np.int64
    assert found.classes == SCENE_CLASSES and len(SCENE_CLASSES) == 36
    garment, letter = found.labels.T
    assert set(garment) == set(range(10)) and set(letter) == set(range(10, 36))
    for value in (1, 2):
        assert (found.masks == value).sum(axis=(1, 2)).min() > 20


def test_the_labels_of_a_scene_are_those_of_what_was_placed(monkeypatch):
    placed = []

    def keep(stock, which, *args):
        placed.append(which)
        return warp(stock, which, *args)

    monkeypatch.setattr(composed, "warp", keep)
    found = scenes(40, 3, "test")
    garment, letter = placed
    assert np.array_equal(found.labels[:, 0], fashion_mnist("test", bundled=True).labels[garment])
    assert np.array_equal(found.labels[:, 1], len(GARMENTS) + letter // len(FONTS["test"]))


@pytest.mark.parametrize("least", [0.6, 0.85])
def test_what_is_in_the_way_leaves_the_shares_that_are_asked_for(monkeypatch, least):
    monkeypatch.setattr(composed, "LEAST_GARMENT", least)
    monkeypatch.setattr(composed, "LEAST_LETTER", least)
    hidden = scenes(200, 7).masks
    monkeypatch.setattr(composed, "LEAST_LETTER", 2.0)  # never reached, so that nothing is in the way
    bare = scenes(200, 7).masks
    assert 0.1 < (hidden != bare).any(axis=(1, 2)).mean() < 1
    for value in (1, 2):
        shares = (hidden == value).sum(axis=(1, 2)) / (bare == value).sum(axis=(1, 2))
        assert least <= shares.min() < 1


def test_letters_stand_out_from_what_is_behind():
    found = scenes(300, 9)
    contrasts = []
    for picture, mask in zip(found.images.astype(float), found.masks, strict=True):
        around = ndimage.binary_dilation(mask == 2, iterations=2) & (mask != 2)
        contrasts.append((np.abs(picture[around] - np.median(picture[mask == 2])) > 30).mean())
    # The rest is noise, the blurred rim of the letter, and what hides a part of it.
    assert min(contrasts) > 0.4 and np.mean(contrasts) > 0.75


def test_a_generator_gives_new_scenes_with_every_call():
    rng = np.random.default_rng(0)
    assert not np.array_equal(scenes(5, rng).images, scenes(5, rng).images)
    assert np.array_equal(scenes(5, np.random.default_rng(0)).images, scenes(5, 0).images)


def test_digits_are_scikit_learns_in_steps_of_a_sixteenth():
    split, theirs = digits(), load_digits()
    np.testing.assert_allclose(split.images / 255, theirs.images / 16, atol=0.002)
    assert np.array_equal(split.labels, theirs.target)
    assert [split.classes[label] for label in split.labels[:3]] == ["0", "1", "2"]


def test_wrong_requests_say_what_to_do(monkeypatch):
    for wrong in (lambda: letters("all"), lambda: scenes(5, 0, "all")):
        with pytest.raises(ValueError, match="'train' or 'test'"):
            wrong()
    for wrong in (lambda: letters("train", 0), lambda: scenes(0)):
        with pytest.raises(ValueError, match="at least 1"):
            wrong()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits()
