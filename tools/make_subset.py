"""Make the subset of Fashion-MNIST that comes with convbook: python tools/make_subset.py SOURCE [FOLDER].

SOURCE is a folder with the four official files; Debian's package dataset-fashion-mnist is one, in
/usr/share/datasets/fashion-mnist. The subset is the first 800 pictures of each class of the training set and the first
200 of each class of the test set, in their order, in the same format. No chance is involved: whoever runs this gets
the same content. The digests that it prints belong in convbook/data/fashion.py.
"""

import gzip
import hashlib
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convbook.data import fashion

PER_CLASS = {"train": 800, "test": 200}


def first_of_each(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Sorted places of the first `count` of each label. Raises ValueError where a class has fewer."""
    places = [np.flatnonzero(labels == label)[:count] for label in range(len(fashion.GARMENTS))]
    short = [name for name, found in zip(fashion.GARMENTS, places, strict=True) if len(found) < count]
    if short:
        raise ValueError(f"There are fewer than {count} pictures of {', '.join(short)}.")
    return np.sort(np.concatenate(places))


def idx(values: NDArray[Any]) -> bytes:
    """An array of bytes as an idx file: type 8, the number of axes, the sizes, the bytes."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


def main(source: Path, folder: Path = fashion.ASSETS) -> dict[str, str]:
    """Write the files and return their digests, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for split, count in PER_CLASS.items():
        images, labels = fashion.read(source, split, fashion.FULL)
        chosen = first_of_each(labels, count)
        for name, values in zip(fashion.NAMES[split], (images[chosen], labels[chosen]), strict=True):
            content = idx(values)
            path = folder / f"{name}.gz"
            path.write_bytes(gzip.compress(content, 9, mtime=0))
            digests[name] = hashlib.sha256(content).hexdigest()
            print(
                f'    "{name}": "{digests[name]}",  # {len(values):,} of {len(labels):,}, {path.stat().st_size:,} bytes'
            )
    return digests


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
