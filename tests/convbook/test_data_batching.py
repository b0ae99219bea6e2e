"""Batches are normalized as torch does it in float64, and depend on seed, epoch and place alone."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import normalize

from convbook.data import Split, batches, batching

N = 50


@pytest.fixture(params=[(28, 28), (9, 7, 3)], ids=["gray", "color"])
def split(request):
    rng = np.random.default_rng(0)
    channels = 3 if len(request.param) == 3 else 1
    return Split(
        images=rng.integers(0, 256, (N, *request.param), dtype=np.uint8),
        labels=np.arange(N, dtype=np.int64),  # each picture its own class, so that a label tells which one it is
        classes=tuple(map(str, range(N))),
        mean=(0.2, 0.5, 0.4)[:channels],
        std=(0.3, 0.25, 0.1)[:channels],
        source="made up",
    )


def test_a_batch_is_the_pictures_of_its_labels_normalized_in_channels_first(split):
    for images, labels in batches(split, 8, seed=3):
        assert images.dtype == torch.float32 and labels.dtype == torch.int64
        pixels = torch.from_numpy(split.images[labels.numpy()]).double() / 255
        pixels = pixels.permute(0, 3, 1, 2) if pixels.ndim == 4 else pixels[:, None]
        torch.testing.assert_close(images.double(), normalize(pixels, split.mean, split.std), rtol=1e-5, atol=1e-5)


def test_an_epoch_has_every_picture_once_and_the_last_batch_what_is_left(split):
    loader = batches(split, 8, seed=3)
    sizes, seen = zip(*((len(labels), labels.tolist()) for _, labels in loader), strict=True)
    assert sizes == (8, 8, 8, 8, 8, 8, 2) and len(loader) == 7
    assert sorted(label for part in seen for label in part) == list(range(N))


def order(epoch):
    return torch.cat([labels for _, labels in epoch]).tolist()


def test_each_epoch_has_an_order_of_its_own_that_the_seed_repeats(split):
    one, two = batches(split, 8, seed=3), batches(split, 8, seed=3)
    first, second = order(one), order(one)
    assert first != second and first != list(range(N))
    assert [order(two), order(two)] == [first, second]
    assert order(batches(split, 8, seed=4)) != first
    assert order(one.epoch(0)) == first


def test_without_a_seed_the_order_is_that_of_the_split(split):
    assert order(batches(split, 8)) == list(range(N))


def test_batches_are_the_same_however_many_are_made_at_once(split, monkeypatch):
    together = list(batches(split, 8, seed=3, augment=noisy))
    for pixels in (1, 3 * 8 * split.images[0].size):
        monkeypatch.setattr(batching, "GROUP", pixels)
        for (images, labels), (expected, wanted) in zip(
            batches(split, 8, seed=3, augment=noisy), together, strict=True
        ):
            assert torch.equal(images, expected) and torch.equal(labels, wanted)


def noisy(images, generator):
    return images + torch.randn(images.shape, generator=generator, device=images.device)


def test_a_run_that_resumes_in_an_epoch_sees_what_an_uninterrupted_one_would(split):
    whole = list(batches(split, 8, seed=5, augment=noisy).epoch(2))
    resumed = list(batches(split, 8, seed=5, augment=noisy).epoch(2, first=4))
    assert len(resumed) == 3
    for (images, labels), (expected, wanted) in zip(resumed, whole[4:], strict=True):
        assert torch.equal(images, expected) and torch.equal(labels, wanted)


def test_augmentation_draws_anew_for_every_batch_and_epoch(split):
    plain, noised = batches(split, 8, seed=5), batches(split, 8, seed=5, augment=noisy)
    noise = [a - b for epoch in (0, 1) for (a, _), (b, _) in zip(noised.epoch(epoch), plain.epoch(epoch), strict=True)]
    firsts = [each[0, 0, 0, 0].item() for each in noise]
    assert len(set(firsts)) == len(firsts)


def test_no_draw_touches_the_global_generators(split):
    torch.manual_seed(0)
    np.random.seed(0)
    before, state = torch.get_rng_state(), np.random.get_state()[1].copy()
    list(batches(split, 8, seed=5, augment=noisy))
    assert torch.equal(before, torch.get_rng_state()) and np.array_equal(state, np.random.get_state()[1])


def test_labels_may_have_any_shape(split):
    maps = np.random.default_rng(1).integers(0, 3, split.images.shape[:3], dtype=np.uint8)
    for images, labels in batches(replace(split, labels=maps), 8, seed=1):
        assert labels.shape == (len(images), *maps.shape[1:])


def test_wrong_requests_say_what_to_do(split, monkeypatch):
    with pytest.raises(ValueError, match="at least one picture"):
        batches(split, 0)
    with pytest.raises(ValueError, match="give batches a seed"):
        batches(split, 8, augment=noisy)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        batches(split, 8)
