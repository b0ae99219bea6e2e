"""Photographs come from an installed package, with the range and shape that the text promises."""

import builtins
import socket

import numpy as np
import pytest
from skimage import data as skimage_data

from convbook.data import photograph, places


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a photograph must not need the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(places, "_said", set())  # another test may have said it before


@pytest.mark.parametrize(("name", "shape"), [("camera", (128, 128)), ("astronaut", (128, 128, 3))])
def test_a_photograph_has_values_from_0_to_1_and_says_where_it_came_from(name, shape, capsys):
    picture = photograph(name, size=128)
    assert picture.shape == shape
    assert picture.dtype == np.float64
    assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.1
    assert "from scikit-image" in capsys.readouterr().out


def test_a_smaller_photograph_is_the_mean_over_blocks():
    full = skimage_data.camera() / 255
    small = photograph("camera", size=64)
    assert small[3, 5] == pytest.approx(full[24:32, 40:48].mean())
    assert np.array_equal(photograph("camera"), full)


def test_an_unknown_name_or_size_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="Choose one of: camera, astronaut"):
        photograph("lena")
    for size in (0, 100, 1024):
        with pytest.raises(ValueError, match="must divide 512"):
            photograph("camera", size=size)


def test_without_scikit_image_the_message_names_the_package(monkeypatch):
    real_import = builtins.__import__

    def without_skimage(name, *args, **kwargs):
        if name.startswith("skimage"):
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_skimage)
    with pytest.raises(ImportError, match="pip install scikit-image"):
        photograph("camera")
