"""The bundled subset is the first pictures of each class, unchanged, whoever makes it."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from convbook.data import fashion
from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool():
    return load("tools/make_subset.py")


@pytest.fixture
def official(tool, tmp_path, monkeypatch):
    """A small data set in the official layout, of which 3 a class are taken to train on and 1 to test on."""
    rng = np.random.default_rng(0)
    pictures, digests = {}, {}
    for split, count in (("train", 60), ("test", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.permutation(np.arange(count) % 10)
        pictures[split] = images, labels
        for name, values in zip(fashion.NAMES[split], (images, labels), strict=True):
            content = tool.idx(values)
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
            digests[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(fashion, "FULL", digests)
    monkeypatch.setattr(tool, "PER_CLASS", {"train": 3, "test": 1})
    return tmp_path, pictures


def test_the_subset_has_the_first_pictures_of_each_class_in_their_order(tool, official):
    source, pictures = official
    digests = tool.main(source, source / "subset")
    for split, count in tool.PER_CLASS.items():
        images, labels = fashion.read(source / "subset", split, digests)
        seen, expected = [0] * 10, []
        for place, label in enumerate(pictures[split][1]):
            if seen[label] < count:
                seen[label] += 1
                expected.append(place)
        assert np.array_equal(images, pictures[split][0][expected])
        assert np.array_equal(labels, pictures[split][1][expected])


def test_it_makes_the_same_files_again(tool, official):
    source, _ = official
    made = []
    for name in ("one", "two"):
        tool.main(source, source / name)
        made.append({path.name: path.read_bytes() for path in (source / name).iterdir()})
    assert made[0] == made[1] and len(made[0]) == 4


def test_a_source_with_other_content_is_refused(tool, official):
    source, _ = official
    (source / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(fashion.Broken, match=r"train-labels.*expected"):
        tool.main(source, source / "subset")
    assert not list((source / "subset").iterdir())


def test_too_few_pictures_of_a_class_are_named(tool):
    with pytest.raises(ValueError, match="fewer than 2 pictures of Ankle boot"):
        tool.first_of_each(np.array([*range(10), *range(9)]), 2)
