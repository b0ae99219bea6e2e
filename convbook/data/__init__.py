"""Pictures and labels to work on. Every source says once where its data came from.

    train = fashion_mnist("train")
    for images, labels in batches(train, 128, seed=0):  # float tensors, normalized
        ...

What each function reads, in which order, is in its docstring. `CONVBOOK_DATA` names a folder of your own with data
sets in their official layout; `CONVBOOK_CACHE` moves the folder of downloads from ~/.cache/convbook.
"""

from convbook.data.batching import Batches, batches
from convbook.data.composed import SCENE_CLASSES, Scenes, scenes
from convbook.data.downloads import cifar10, pets
from convbook.data.fashion import GARMENTS, fashion_mnist
from convbook.data.handwriting import digits
from convbook.data.photographs import photograph
from convbook.data.printing import LETTERS, letters
from convbook.data.sources import DataUnavailable
from convbook.data.splits import Split, few, hold_out, split_by_class, subset

__all__ = [
    "GARMENTS",
    "LETTERS",
    "SCENE_CLASSES",
    "Batches",
    "DataUnavailable",
    "Scenes",
    "Split",
    "batches",
    "cifar10",
    "digits",
    "fashion_mnist",
    "few",
    "hold_out",
    "letters",
    "pets",
    "photograph",
    "scenes",
    "split_by_class",
    "subset",
]
