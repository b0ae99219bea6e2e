"""Fashion-MNIST: 70,000 gray pictures, 28×28, of ten kinds of garments (Xiao, Rasul and Vollgraf, 2017).

https://arxiv.org/abs/1708.07747, under the MIT license. Its files are in the idx format of MNIST: a magic number
and the sizes as big-endian 32-bit integers, then the bytes.
"""

import gzip
import shutil
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convbook.data.places import Absent, Broken, check_digest, content_of, say_once
from convbook.data.sources import DataSet, DataUnavailable, network, obtain, torchvision_datasets
from convbook.data.splits import Split

GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
#: Of the 60,000 training pictures, after division by 255.
MEAN, STD = (0.2860,), (0.3530,)

NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
#: SHA-256 of the files' content, unpacked: Debian packs the same bytes in another way than the authors do.
FULL = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
#: The same for the bundled subset, which tools/make_subset.py makes.
BUNDLED = {
    "train-images-idx3-ubyte": "75160f837651dde775b4fd9dea1bb7553cfac40348cc57c68f6b39cb0074904a",
    "train-labels-idx1-ubyte": "04f45099e6fb006d6bc9513294ffdae927861e382b72e36787b8e11d386e3ea3",
    "t10k-images-idx3-ubyte": "15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1",
    "t10k-labels-idx1-ubyte": "234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c",
}
ASSETS = Path(__file__).parent.parent / "assets" / "fashion-mnist"
DEBIAN = (Path("/usr/share/datasets/fashion-mnist"), "dataset-fashion-mnist")
#: Where a folder keeps the files: itself, Debian's name for them, or torchvision's.
LAYOUTS = (".", "fashion-mnist", "FashionMNIST/raw")

Pair = tuple[NDArray[np.uint8], NDArray[np.int64]]


def fashion_mnist(split: Literal["train", "test"] = "train", *, bundled: bool = False) -> Split:
    """Garments: 60,000 pictures of shape (28, 28) to train on, or 10,000 to test on, in ten classes.

    Read from the first of: the cache of an earlier download; Debian's package dataset-fashion-mnist; the folder
    CONVBOOK_DATA; torchvision's download, which is then cached; and the subset that comes with convbook, the first
    800 of each class to train on and 200 to test on.

    Args:
        split: "train" or "test".
        bundled: take the subset in any case, so that the result is the same on every machine.

    Raises:
        ValueError: another split.
        DataUnavailable: the bundled subset is needed and damaged.
    """
    if split not in NAMES:
        raise ValueError(f"There is no split {split!r} of Fashion-MNIST. Choose 'train' or 'test'.")
    data = DataSet(
        title="Fashion-MNIST",
        folder="fashion-mnist",
        read=lambda folder: read(folder, split, FULL),
        fetch=_fetch,
        layout="its four files (train-images-idx3-ubyte.gz and so on)",
        installed=(DEBIAN,),
    )
    if not bundled:
        try:
            (images, labels), source = obtain(data)
            say_once(f"Fashion-MNIST {source}.")
            return Split(images, labels, GARMENTS, MEAN, STD, f"Fashion-MNIST {source}")
        except DataUnavailable as problem:
            say_once(str(problem))
    source = "bundled subset, 8,000 pictures to train on and 2,000 to test on"
    say_once(f"Fashion-MNIST: {source}.")
    try:
        images, labels = read(ASSETS, split, BUNDLED)
    except (Absent, Broken) as problem:
        raise DataUnavailable(f"The bundled subset is damaged. Install convbook again. {problem}") from None
    return Split(images, labels, GARMENTS, MEAN, STD, f"Fashion-MNIST, {source}")


def read(folder: Path, split: Literal["train", "test"], digests: dict[str, str]) -> Pair:
    """Pictures and labels of a split from a folder with idx files, packed by gzip or not.

    Raises:
        Absent: the folder has neither of the two files.
        Broken: it has only one of them, or one with another digest.
    """
    for layout in LAYOUTS:
        paths = [_present(folder / layout, name) for name in NAMES[split]]
        if any(path.exists() for path in paths):
            images, labels = (_content(path, digests[name]) for path, name in zip(paths, NAMES[split], strict=True))
            return parse(images), parse(labels).astype(np.int64)
    raise Absent


def _present(folder: Path, name: str) -> Path:
    """The packed file, or the bare one where only that is there."""
    packed, bare = folder / f"{name}.gz", folder / name
    return bare if bare.exists() and not packed.exists() else packed


def _content(path: Path, digest: str) -> bytes:
    content = content_of(path)
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as problem:
            raise Broken(path, f"cannot be unpacked ({problem}).") from None
    check_digest(path, content, "sha256", digest)
    return content


def parse(content: bytes) -> NDArray[np.uint8]:
    """The array of an idx file of bytes; byte 3 is its number of axes."""
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


def _fetch(folder: Path) -> str:
    fashion = torchvision_datasets("Fashion-MNIST").FashionMNIST
    with network(fashion.mirrors[0]):
        fashion(folder, download=True)
    unpacked = folder / LAYOUTS[2]
    for path in unpacked.glob("*.gz"):
        path.rename(folder / path.name)
    shutil.rmtree(unpacked.parent)
    return fashion.mirrors[0]
