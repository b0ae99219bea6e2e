"""Parts of a split keep the classes in proportion, share no picture and count their labels from 0."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convbook.data
from convbook.data import Split, few, hold_out, split_by_class, subset


def make(counts):
    """A split with so many pictures of each class, in a mixed order; a picture holds its own number."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1)
    return Split(images, labels.astype(np.int64), tuple("abcdefgh"[: len(counts)]), (0.5,), (0.5,), "made up")


@given(
    counts=st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any), part=st.floats(0, 1), seed=st.integers(0)
)
def test_a_part_has_each_class_in_proportion_and_with_the_rest_makes_the_whole(counts, part, seed):
    whole = make(counts)
    n = round(part * len(whole))
    rest, chosen = hold_out(whole, n, seed)
    assert len(chosen) == n
    shares = np.array(counts) * n / len(whole)
    assert (np.abs(np.bincount(chosen.labels, minlength=len(counts)) - shares) < 1).all()
    numbers = np.concatenate([rest.images, chosen.images]).ravel()
    assert sorted(numbers.tolist()) == list(range(len(whole)))
    for each in (rest, chosen):
        assert (np.diff(each.images.ravel().astype(int)) > 0).all()
        assert np.array_equal(each.labels, whole.labels[each.images.ravel()])


@given(
    counts=st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any), seed=st.integers(0), part=st.floats(0, 1)
)
def test_few_of_each_class_and_the_rest_make_the_whole(counts, seed, part):
    whole = make(counts)
    n = int(part * min(counts))
    chosen, rest = few(whole, n, seed)
    assert np.bincount(chosen.labels, minlength=len(counts)).tolist() == [n] * len(counts)
    numbers = np.concatenate([chosen.images, rest.images]).ravel()
    assert sorted(numbers.tolist()) == list(range(len(whole)))
    for each in (chosen, rest):
        assert (np.diff(each.images.ravel().astype(int)) > 0).all()
        assert np.array_equal(each.labels, whole.labels[each.images.ravel()])


def test_few_are_drawn_by_the_seed_and_a_class_that_has_too_few_is_named():
    whole = make([30, 40])
    assert np.array_equal(few(whole, 5, 1)[0].images, few(whole, 5, 1)[0].images)
    assert not np.array_equal(few(whole, 5, 1)[0].images, few(whole, 5, 2)[0].images)
    drawn = np.bincount(np.concatenate([few(whole, 5, seed)[0].images.ravel() for seed in range(400)]), minlength=70)
    expected = np.where(whole.labels == 0, 400 * 5 / 30, 400 * 5 / 40)
    assert (np.abs(drawn - expected) < 5 * np.sqrt(expected)).all()
    with pytest.raises(ValueError, match=r"There are 30 pictures of a; 31 a class cannot be drawn\."):
        few(whole, 31)
    with pytest.raises(ValueError, match="several labels"):
        few(replace(whole, labels=np.zeros((70, 2), np.int64)), 1)


def test_a_subset_depends_on_its_seed_alone():
    whole = make([20, 20, 20])
    first, again, other = (subset(whole, 30, seed).images for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.array_equal(hold_out(whole, 30, 1)[1].images, first)


def test_every_class_has_the_same_chance_of_the_pictures_that_are_left_over():
    whole = make([10, 10, 10])
    extra = [int(np.bincount(subset(whole, 4, seed).labels, minlength=3).argmax()) for seed in range(300)]
    # 100 each on average, with a standard deviation of 8.2.
    assert np.bincount(extra, minlength=3).min() > 60


def test_classes_are_split_off_with_labels_from_0():
    whole = make([3, 4, 5, 6])
    some, others = split_by_class(whole, ["d", "b"])
    assert some.classes == ("b", "d") and np.bincount(some.labels).tolist() == [4, 6]
    assert others.classes == ("a", "c") and np.bincount(others.labels).tolist() == [3, 5]
    names = [some.classes[label] for label in some.labels]
    assert names == [whole.classes[whole.labels[number]] for number in some.images.ravel()]


def test_wrong_requests_say_what_is_there():
    whole = make([3, 4])
    with pytest.raises(ValueError, match="has 7 pictures"):
        subset(whole, 8)
    with pytest.raises(ValueError, match=r"no class z\. The classes are a, b"):
        split_by_class(whole, ["a", "z"])
    two_labels = replace(whole, labels=np.zeros((7, 2), np.int64))
    for wrong in (lambda: subset(two_labels, 2), lambda: split_by_class(two_labels, ["a"])):
        with pytest.raises(ValueError, match="several labels"):
            wrong()


def test_a_split_says_what_it_is():
    assert repr(make([3, 4])) == "Split of 7 pictures 1×1 in 2 classes, made up"


def test_every_public_name_has_a_docstring_and_is_in_its_order():
    assert sorted(convbook.data.__all__, key=lambda name: (not name.isupper(), name)) == convbook.data.__all__
    assert all(getattr(convbook.data, name).__doc__ for name in convbook.data.__all__)


def test_importing_the_package_loads_no_large_library():
    heavy = "torch torchvision sklearn skimage matplotlib PIL autograder"
    code = f"import sys, convbook.data; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
