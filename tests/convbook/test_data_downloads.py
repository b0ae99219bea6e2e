"""torchvision's own code downloads from a server on this machine, in the official layouts."""

import hashlib
import io
import pickle
import socket
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from convbook.data import DataUnavailable, cifar10, downloads, fashion, fashion_mnist, pets, sources


def md5(content):
    return hashlib.md5(content).hexdigest()


def archive(path, files):
    """A .tar.gz of {name: content}; returns its MD5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return md5(path.read_bytes())


def unpack(files, folder):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def shop(machine, garments, serve, monkeypatch):
    """A server with the small Fashion-MNIST, and torchvision told to download from it."""
    server = serve(garments.write(machine / "www"))
    resources = [(path.name, md5(path.read_bytes())) for path in sorted((machine / "www").iterdir())]
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [server.address])
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    return server


def test_fashion_mnist_is_downloaded_checked_and_cached_without_leftovers(machine, garments, shop, capsys):
    split = fashion_mnist("train")
    assert np.array_equal(split.images, garments.images["train"])
    asked = len(shop.asked)
    assert asked >= 4
    assert np.array_equal(fashion_mnist("test").images, garments.images["test"]) and len(shop.asked) == asked
    kept = sorted(str(path.relative_to(machine / "cache")) for path in (machine / "cache").rglob("*.*"))
    assert kept == sorted(f"fashion-mnist/{name}.gz" for name in fashion.FULL)
    said = capsys.readouterr().out
    assert f"downloaded from {shop.address}" in said and "from the cache" in said


def test_a_download_that_is_cut_short_falls_back_to_the_subset_and_says_so(machine, shop, capsys):
    shop.cut = True
    assert "bundled" in fashion_mnist("train").source
    said = capsys.readouterr().out
    assert "download: " in said and shop.address in said
    assert list((machine / "cache").iterdir()) == []
    shop.cut = False
    assert "downloaded" in fashion_mnist("train").source


def test_a_server_that_falls_silent_does_not_hold_up_the_notebook(machine, shop, monkeypatch, capsys):
    shop.stall = True
    monkeypatch.setattr(sources, "STALL_SECONDS", 0.3)
    assert "bundled" in fashion_mnist("train").source
    assert "timed out" in capsys.readouterr().out
    assert socket.getdefaulttimeout() is None


def test_a_server_that_never_answers_is_given_up(machine, garments, monkeypatch, capsys):
    monkeypatch.setattr(sources, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        problem = sources._silence(address)
    assert address in problem and ("timed out" in problem or "has not answered" in problem)


def test_what_is_no_web_server_counts_as_no_network(machine, garments, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"220 mail ready\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [f"http://127.0.0.1:{listening.getsockname()[1]}/"])
        assert "bundled" in fashion_mnist("train").source
        thread.join()
    assert "cannot be reached (220 mail ready" in capsys.readouterr().out


def test_without_torchvision_the_message_names_the_package(machine, garments, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)
    assert "bundled" in fashion_mnist("train").source
    assert "pip install torchvision" in capsys.readouterr().out
    for load in (cifar10, pets):
        with pytest.raises(ImportError, match="pip install torchvision"):
            load()


@pytest.fixture
def cifar(monkeypatch):
    """The files of a small CIFAR-10, twelve pictures a batch, and torchvision told their digests."""
    rng = np.random.default_rng(1)
    pixels = {name: rng.integers(0, 256, (12, 3072), dtype=np.uint8) for name in ("data_batch_1", "test_batch")}
    files = {
        f"cifar-10-batches-py/{name}": pickle.dumps({"data": data, "labels": [i % 10 for i in range(12)]})
        for name, data in pixels.items()
    }
    files["cifar-10-batches-py/batches.meta"] = pickle.dumps({"label_names": list(downloads.CIFAR_CLASSES)})
    digest = {Path(name).name: md5(content) for name, content in files.items()}
    kind = datasets.CIFAR10
    monkeypatch.setattr(kind, "train_list", [["data_batch_1", digest["data_batch_1"]]])
    monkeypatch.setattr(kind, "test_list", [["test_batch", digest["test_batch"]]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": digest["batches.meta"]})
    return files, pixels


def test_cifar10_is_read_from_the_own_folder_in_its_official_layout(machine, cifar, monkeypatch, capsys):
    files, pixels = cifar
    monkeypatch.setenv("CONVBOOK_DATA", str(unpack(files, machine / "own")))
    for name, batch in (("train", "data_batch_1"), ("test", "test_batch")):
        split = cifar10(name)
        # A row holds all of red, then green, then blue.
        assert np.array_equal(split.images[3, :, :, 1].ravel(), pixels[batch][3, 1024:2048])
        assert split.images.shape == (12, 32, 32, 3) and split.labels.tolist() == [*range(10), 0, 1]
    assert split.classes[3] == "cat"
    assert capsys.readouterr().out == f"CIFAR-10 from CONVBOOK_DATA, {machine / 'own'}.\n"


def test_cifar10_is_downloaded_unpacked_and_cached(machine, cifar, serve, monkeypatch):
    digest = archive(machine / "www/cifar-10-python.tar.gz", cifar[0])
    server = serve(machine / "www")
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{server.address}cifar-10-python.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", digest)
    assert "downloaded" in cifar10().source
    assert "from the cache" in cifar10().source
    assert not list((machine / "cache").rglob("*.tar.gz"))


def test_a_broken_file_of_cifar10_is_named_and_downloaded_again(machine, cifar, serve, monkeypatch, capsys):
    test_cifar10_is_downloaded_unpacked_and_cached(machine, cifar, serve, monkeypatch)
    broken = machine / "cache/cifar-10/cifar-10-batches-py/test_batch"
    content = broken.read_bytes()
    broken.write_bytes(content[:-1] + b"!")
    capsys.readouterr()
    assert "downloaded" in cifar10().source
    said = capsys.readouterr().out
    assert str(broken) in said and md5(content) in said and md5(content[:-1] + b"!") in said
    assert broken.read_bytes() == content


def test_without_cifar10_the_error_lists_the_places_in_order_and_what_to_do(machine):
    with pytest.raises(DataUnavailable) as caught:
        cifar10()
    message = str(caught.value)
    order = ["CIFAR-10 was not found", "the cache", "CONVBOOK_DATA: not set", "download: http", "cifar-10-batches-py"]
    assert [message.index(words) for words in order] == sorted(message.index(words) for words in order)
    assert "apt-get" not in message


def jpeg(width, height, color):
    stream = io.BytesIO()
    Image.new("RGB", (width, height), color).save(stream, "JPEG")
    return stream.getvalue()


RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def animals(monkeypatch):
    """The files of a small Oxford-IIIT Pet: red cats and blue dogs of several sizes."""
    monkeypatch.setattr(downloads, "PETS", {"train": ("trainval", 4), "test": ("test", 2)})
    files, listed = {}, {"trainval": "", "test": ""}
    sizes = [(60, 40), (40, 60), (30, 30), (100, 50), (20, 90), (64, 64)]
    for number, size in enumerate(sizes):
        dog = number % 2
        name = f"{'beagle' if dog else 'Bombay'}_{number}"
        files[f"images/{name}.jpg"] = jpeg(*size, BLUE if dog else RED)
        listed["trainval" if number < 4 else "test"] += f"{name} {dog + 1} {dog + 1} 1\n"
    files |= {f"annotations/{name}.txt": text.encode() for name, text in listed.items()}
    return files


def test_pets_are_cats_and_dogs_cut_to_squares(machine, animals, monkeypatch):
    unpack(animals, machine / "own/oxford-iiit-pet")
    monkeypatch.setenv("CONVBOOK_DATA", str(machine / "own"))
    train, test = pets("train", size=24), pets("test", size=24)
    assert train.images.shape == (4, 24, 24, 3) and test.images.shape == (2, 24, 24, 3)
    assert [train.classes[label] for label in train.labels] == ["cat", "dog", "cat", "dog"]
    for image, color in zip(train.images, (RED, BLUE, RED, BLUE), strict=True):
        assert np.abs(image.astype(int) - color).max() < 12


def test_pets_are_downloaded_and_cached_without_their_archives(machine, animals, serve, monkeypatch):
    server = serve(machine / "www")
    resources = []
    for part in ("images", "annotations"):
        files = {name: content for name, content in animals.items() if name.startswith(part)}
        digest = archive(machine / f"www/{part}.tar.gz", files)
        resources.append((f"{server.address}{part}.tar.gz", digest))
    monkeypatch.setattr(datasets.OxfordIIITPet, "_RESOURCES", tuple(resources))
    monkeypatch.setattr(downloads, "PETS_ADDRESS", server.address)
    assert "downloaded" in pets("test", size=8).source
    assert "from the cache" in pets("train", size=8).source
    assert not list((machine / "cache").rglob("*.tar.gz"))


@pytest.mark.parametrize("harm", ["cut picture", "no picture", "short list", "half a line", "no list"])
def test_a_partial_copy_of_the_pets_is_named(machine, animals, monkeypatch, capsys, harm):
    base = unpack(animals, machine / "own/oxford-iiit-pet")
    picture, listing = base / "images/Bombay_2.jpg", base / "annotations/trainval.txt"
    lines = listing.read_text().splitlines()
    {
        "cut picture": lambda: picture.write_bytes(picture.read_bytes()[:-40]),
        "no picture": picture.unlink,
        "short list": lambda: listing.write_text("\n".join(lines[:3])),
        "half a line": lambda: listing.write_text("\n".join([*lines[:3], "beagle_3"])),
        "no list": listing.unlink,
    }[harm]()
    monkeypatch.setenv("CONVBOOK_DATA", str(machine / "own"))
    with pytest.raises(DataUnavailable, match=r"CONVBOOK_DATA, .*: broken"):
        pets(size=8)
    named = {"cut picture": picture, "no picture": picture, "half a line": base}.get(harm, listing)
    assert f"Oxford-IIIT Pet: {named} " in capsys.readouterr().out


@pytest.mark.parametrize("load", [cifar10, pets])
def test_an_unknown_split_is_refused(load):
    with pytest.raises(ValueError, match="'train' or 'test'"):
        load("validation")
    with pytest.raises(ValueError, match="at least 1"):
        pets(size=0)
