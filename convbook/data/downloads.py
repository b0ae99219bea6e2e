"""Data sets that are too large to come with convbook: from CONVBOOK_DATA in their official layout, or by torchvision.

CIFAR-10: 60,000 color pictures, 32×32, by Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html.
Oxford-IIIT Pet: 7,349 photographs of cats and dogs by Parkhi, Vedaldi, Zisserman and Jawahar (2012),
https://www.robots.ox.ac.uk/~vgg/data/pets/, under CC BY-SA 4.0.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convbook.data.places import Absent, Broken, check_digest, content_of, say_once
from convbook.data.sources import DataSet, network, obtain, torchvision_datasets
from convbook.data.splits import Split

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
#: Of the 50,000 training pictures, after division by 255.
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
#: What torchvision's pretrained networks were trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

PETS_FOLDER = "oxford-iiit-pet"  # torchvision's name for it, below the folder that it is given
PETS_ADDRESS = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
#: Splits of the pets by our names, with torchvision's name and the number of pictures.
PETS = {"train": ("trainval", 3680), "test": ("test", 3669)}

Pair = tuple[NDArray[np.uint8], NDArray[np.int64]]


def cifar10(split: Literal["train", "test"] = "train") -> Split:
    """Color pictures of shape (32, 32, 3): 50,000 to train on, or 10,000 to test on, in ten classes.

    Read from the first of: the cache of an earlier download; cifar-10-batches-py in the folder CONVBOOK_DATA;
    torchvision's download of 170 MB, which is then cached.

    Raises:
        DataUnavailable: it is in none of them.
        ImportError: torchvision is missing.
        ValueError: another split.
    """
    _check_name("CIFAR-10", split)
    cifar = torchvision_datasets("CIFAR-10").CIFAR10
    digests = {**dict(cifar.train_list), **dict(cifar.test_list), cifar.meta["filename"]: cifar.meta["md5"]}

    def read(folder: Path) -> Pair:
        base = folder / cifar.base_folder
        if not base.exists():
            raise Absent
        for name, digest in digests.items():
            check_digest(base / name, content_of(base / name), "md5", digest)
        loaded = cifar(folder, train=split == "train")
        return loaded.data, np.array(loaded.targets, dtype=np.int64)

    def fetch(folder: Path) -> str:
        with network(cifar.url):
            cifar(folder, download=True)
        (folder / cifar.filename).unlink()
        return cifar.url

    data = DataSet("CIFAR-10", "cifar-10", read, fetch, "the unpacked folder cifar-10-batches-py")
    (images, labels), source = obtain(data)
    say_once(f"CIFAR-10 {source}.")
    return Split(images, labels, CIFAR_CLASSES, CIFAR_MEAN, CIFAR_STD, f"CIFAR-10 {source}")


def pets(split: Literal["train", "test"] = "train", size: int = 224) -> Split:
    """Cats against dogs: photographs of shape (size, size, 3), 3,680 to train on or 3,669 to test on.

    The shorter side is scaled to `size` and the middle cut out. `mean` and `std` are those of ImageNet, for a
    pretrained network. At 224 the split takes 554 MB of memory. Read from the first of: the cache of an earlier
    download; oxford-iiit-pet in the folder CONVBOOK_DATA; torchvision's download of 811 MB, which is then cached.

    Raises:
        DataUnavailable: it is in none of them.
        ImportError: torchvision is missing.
        ValueError: another split, or a size below 1.
    """
    _check_name("Oxford-IIIT Pet", split)
    if size < 1:
        raise ValueError(f"size is {size}; it must be at least 1.")
    oxford = torchvision_datasets("Oxford-IIIT Pet").OxfordIIITPet

    def fetch(folder: Path) -> str:
        with network(PETS_ADDRESS):
            oxford(folder, download=True)
        for archive in (folder / PETS_FOLDER).glob("*.tar.gz"):
            archive.unlink()
        return PETS_ADDRESS

    data = DataSet(
        title="Oxford-IIIT Pet",
        folder=PETS_FOLDER,
        read=lambda folder: _read_pets(folder, split, size),
        fetch=fetch,
        layout=f"the folder {PETS_FOLDER} with images/ and annotations/",
    )
    (images, labels), source = obtain(data)
    say_once(f"Oxford-IIIT Pet {source}.")
    return Split(images, labels, ("cat", "dog"), IMAGENET_MEAN, IMAGENET_STD, f"Oxford-IIIT Pet {source}")


def _read_pets(folder: Path, split: str, size: int) -> Pair:
    from PIL import ImageOps

    base, (name, expected) = folder / PETS_FOLDER, PETS[split]
    if not base.exists():
        raise Absent
    listed = base / "annotations" / f"{name}.txt"
    names = [line.split()[0] for line in content_of(listed).decode().splitlines()]
    if len(names) != expected:
        raise Broken(listed, f"is broken: it lists {len(names):,} pictures, expected {expected:,}.")
    try:
        oxford = torchvision_datasets("Oxford-IIIT Pet").OxfordIIITPet
        loaded = oxford(folder, split=name, target_types="binary-category")
    except (RuntimeError, ValueError) as problem:
        raise Broken(base, f"cannot be read ({problem}).") from None
    images, labels = np.empty((expected, size, size, 3), np.uint8), np.empty(expected, np.int64)

    def load(place: int) -> None:
        try:
            image, labels[place] = loaded[place]
        except OSError as problem:
            raise Broken(base / "images" / f"{names[place]}.jpg", f"cannot be read ({problem}).") from None
        images[place] = np.asarray(ImageOps.fit(image, (size, size)))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(load, range(expected)))
    return images, labels


def _check_name(title: str, split: str) -> None:
    if split not in ("train", "test"):
        raise ValueError(f"There is no split {split!r} of {title}. Choose 'train' or 'test'.")
