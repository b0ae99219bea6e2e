"""Fashion-MNIST is found in its places in their order, and nothing that is broken is used or lost."""

import gzip
import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from convbook.data import DataUnavailable, fashion, fashion_mnist, places, sources
from convbook.data.fashion import GARMENTS

IMAGES, LABELS = fashion.NAMES["train"]


def same(split, garments, name="train"):
    return np.array_equal(split.images, garments.images[name]) and np.array_equal(split.labels, garments.labels[name])


def test_the_cache_comes_before_debian_and_debian_before_the_own_folder(machine, garments, monkeypatch, capsys):
    monkeypatch.setenv("CONVBOOK_DATA", str(garments.write(machine / "own")))
    found = []
    for name in ("own", "debian", "cache/fashion-mnist"):
        garments.write(machine / name)
        split = fashion_mnist("train")
        assert same(split, garments)
        found.append(split.source)
    assert "CONVBOOK_DATA" in found[0] and str(machine / "own") in found[0]
    assert "package dataset-fashion-mnist" in found[1] and str(machine / "debian") in found[1]
    assert "the cache" in found[2] and str(machine / "cache") in found[2]
    assert capsys.readouterr().out.splitlines() == [f"{source}." for source in found]


def test_a_source_is_printed_once_for_both_splits(machine, garments, capsys):
    garments.write(machine / "debian")
    for name in ("train", "test", "train"):
        assert same(fashion_mnist(name), garments, name)
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("layout", [".", "fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_the_own_folder_may_have_any_usual_layout(machine, garments, monkeypatch, layout, packed):
    garments.write(machine / "own" / layout, packed)
    monkeypatch.setenv("CONVBOOK_DATA", str(machine / "own"))
    split = fashion_mnist("test")
    assert same(split, garments, "test")
    assert split.images.dtype == np.uint8 and split.labels.dtype == np.int64
    assert split.classes == GARMENTS


@pytest.mark.parametrize("harm", ["changed", "cut", "emptied", "deleted"])
def test_a_broken_file_of_the_cache_is_named_put_aside_and_the_next_place_is_read(machine, garments, capsys, harm):
    path = garments.write(machine / "cache/fashion-mnist") / f"{IMAGES}.gz"
    garments.write(machine / "debian")
    content = path.read_bytes()
    changed = bytearray(garments.files[IMAGES])
    changed[5_000] ^= 1
    {
        "changed": lambda: path.write_bytes(gzip.compress(bytes(changed))),
        "cut": lambda: path.write_bytes(content[: len(content) // 2]),
        "emptied": lambda: path.write_bytes(b""),
        "deleted": path.unlink,
    }[harm]()
    split = fashion_mnist("train")
    assert same(split, garments) and "debian" in split.source
    said = capsys.readouterr().out
    aside = machine / "cache/fashion-mnist.broken"
    assert str(path) in said and f"Put aside as {aside}." in said
    assert (aside / f"{LABELS}.gz").exists() and not path.parent.exists()
    if harm == "changed":
        assert hashlib.sha256(changed).hexdigest() in said and fashion.FULL[IMAGES] in said


def test_a_second_broken_copy_does_not_replace_the_first(machine, garments):
    garments.write(machine / "debian")
    for text in (b"one", b"two"):
        (garments.write(machine / "cache/fashion-mnist") / f"{IMAGES}.gz").write_bytes(text)
        fashion_mnist("train")
    names = ("fashion-mnist.broken", "fashion-mnist.broken-2")
    assert [(machine / "cache" / name / f"{IMAGES}.gz").read_bytes() for name in names] == [b"one", b"two"]


def test_a_broken_file_in_a_folder_that_is_not_ours_stays_where_it_is(machine, garments, monkeypatch, capsys):
    path = garments.write(machine / "debian") / f"{LABELS}.gz"
    path.write_bytes(gzip.compress(b"something else"))
    monkeypatch.setenv("CONVBOOK_DATA", str(garments.write(machine / "own")))
    assert "CONVBOOK_DATA" in fashion_mnist("train").source
    assert gzip.decompress(path.read_bytes()) == b"something else"
    said = capsys.readouterr().out
    assert str(path) in said and "Passing over it." in said


def test_without_a_network_the_bundled_subset_is_taken_and_the_message_says_what_was_tried(machine, garments, capsys):
    split = fashion_mnist("test")
    assert len(split) == 2_000 and "bundled" in split.source
    said = capsys.readouterr().out
    order = [
        "the cache",
        "dataset-fashion-mnist",
        "CONVBOOK_DATA: not set",
        "download: http",
        "apt-get install",
        "bundled",
    ]
    places_of = [said.index(words) for words in order]
    assert places_of == sorted(places_of)
    assert "name resolution" in said and "CONVBOOK_DATA to it" in said


def test_the_bundled_subset_can_be_asked_for_and_then_nothing_else_is_tried(machine, garments, monkeypatch, capsys):
    garments.write(machine / "debian")
    monkeypatch.setattr(sources, "_silence", lambda address: pytest.fail("the network was asked"))
    train, test = fashion_mnist("train", bundled=True), fashion_mnist("test", bundled=True)
    assert np.bincount(train.labels).tolist() == [800] * 10 and np.bincount(test.labels).tolist() == [200] * 10
    assert train.images.shape == (8_000, 28, 28) and test.images.shape == (2_000, 28, 28)
    # The full training set has 0.2860 and 0.3530; a garment a class in common proportion comes close to it.
    pixels = train.images / 255
    assert abs(pixels.mean() - train.mean[0]) < 0.002 and abs(pixels.std() - train.std[0]) < 0.002
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_bundled_subset_is_small_and_keeps_its_license():
    assert sum(path.stat().st_size for path in fashion.ASSETS.iterdir()) < 5_000_000
    license = (fashion.ASSETS / "LICENSE").read_text(encoding="utf-8")
    assert "The MIT License" in license and "2017 Zalando SE" in license
    assert "shall be included in all copies or substantial portions" in license


def test_a_damaged_bundled_subset_is_not_used(machine, garments, monkeypatch):
    damaged = Path(shutil.copytree(fashion.ASSETS, machine / "assets"))
    path = damaged / f"{LABELS}.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    monkeypatch.setattr(fashion, "ASSETS", damaged)
    with pytest.raises(DataUnavailable, match=r"Install convbook again.*broken"):
        fashion_mnist("train", bundled=True)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="'train' or 'test'"):
        fashion_mnist("validation")


def fetching(garments, calls):
    """A data set whose download is a copy of `garments`."""

    def fetch(folder):
        calls.append(folder)
        garments.write(folder)
        return "http://somewhere/"

    return sources.DataSet("Garments", "garments", lambda at: fashion.read(at, "train", fashion.FULL), fetch, "them")


def test_a_download_is_kept_and_read_from_the_cache_the_next_time(machine, garments):
    calls = []
    data = fetching(garments, calls)
    (_, source), (_, again) = sources.obtain(data), sources.obtain(data)
    assert len(calls) == 1
    assert "downloaded from http://somewhere/" in source and again == f"from the cache, {machine / 'cache/garments'}"
    assert [path.name for path in (machine / "cache").iterdir()] == ["garments"]


def test_a_broken_copy_in_the_cache_is_downloaded_again(machine, garments, capsys):
    calls = []
    data = fetching(garments, calls)
    sources.obtain(data)
    (machine / "cache/garments" / f"{LABELS}.gz").write_bytes(b"")
    (images, _), source = sources.obtain(data)
    assert np.array_equal(images, garments.images["train"]) and "downloaded" in source and len(calls) == 2
    assert "Put aside" in capsys.readouterr().out and (machine / "cache/garments.broken").exists()


def test_a_download_that_ends_early_leaves_nothing_behind(machine, garments):
    def fetch(folder):
        garments.write(folder)
        raise KeyboardInterrupt

    data = fetching(garments, [])
    with pytest.raises(KeyboardInterrupt):
        sources.obtain(sources.DataSet(data.title, data.folder, data.read, fetch, data.layout))
    assert list((machine / "cache").iterdir()) == []


def test_a_download_with_the_wrong_content_is_refused_and_named(machine, garments, monkeypatch):
    data = fetching(garments, [])
    monkeypatch.setitem(fashion.FULL, IMAGES, "0" * 64)
    with pytest.raises(DataUnavailable, match=f"download: .*{IMAGES}.* expected 0000"):
        sources.obtain(data)
    assert list((machine / "cache").iterdir()) == []


def test_what_a_killed_download_left_is_named_and_not_used(machine, garments, monkeypatch, capsys):
    garments.write(machine / "cache/.partial-abc/garments")
    monkeypatch.setattr(sources, "ABANDONED_SECONDS", -1)
    calls = []
    sources.obtain(fetching(garments, calls))
    assert len(calls) == 1
    assert f"{machine / 'cache/.partial-abc'} is left of a download" in capsys.readouterr().out


def test_where_the_cache_cannot_be_written_the_download_lasts_as_long_as_the_process(
    machine, garments, monkeypatch, capsys
):
    (machine / "file").write_text("not a folder")
    monkeypatch.setenv("CONVBOOK_CACHE", str(machine / "file" / "cache"))
    calls = []
    data = fetching(garments, calls)
    sources.obtain(data)
    (images, _), source = sources.obtain(data)
    assert np.array_equal(images, garments.images["train"]) and len(calls) == 1 and "from the cache" in source
    said = capsys.readouterr().out
    assert "cannot be written" in said and "Set CONVBOOK_CACHE" in said
    kept = places.caches()[1]
    assert kept.exists()
    places._for_this_process[0].cleanup()
    assert not kept.exists()


def test_two_threads_download_once(machine, garments):
    calls, together = [], threading.Barrier(2)
    data = fetching(garments, calls)

    def load(_):
        together.wait(30)
        return sources.obtain(data)

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(load, range(2)))
    assert len(calls) == 1
    assert all(np.array_equal(images, garments.images["train"]) for (images, _), _ in results)


def test_another_process_may_finish_the_same_download_first(machine, garments):
    data = fetching(garments, [])

    def fetch(folder):
        garments.write(machine / "cache/garments")
        return data.fetch(folder)

    (images, _), _ = sources.obtain(sources.DataSet(data.title, data.folder, data.read, fetch, data.layout))
    assert np.array_equal(images, garments.images["train"])
    assert [path.name for path in (machine / "cache").iterdir()] == ["garments"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CONVBOOK_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/convbook"),
        ({"HOME": "/c"}, "/c/.cache/convbook"),
    ],
)
def test_the_cache_follows_the_environment(monkeypatch, environment, expected):
    for name in ("CONVBOOK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert places.cache_folder() == Path(expected)


@pytest.mark.skipif(not fashion.DEBIAN[0].exists(), reason="needs `apt-get install dataset-fashion-mnist`")
def test_debians_files_are_the_official_ones_and_the_bundled_subset_is_part_of_them():
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = fashion.read(fashion.DEBIAN[0], split, fashion.FULL)
        assert images.shape == (count, 28, 28) and np.bincount(labels).tolist() == [count // 10] * 10
        bundled = fashion_mnist(split, bundled=True)
        assert {image.tobytes() for image in bundled.images} <= {image.tobytes() for image in images}
