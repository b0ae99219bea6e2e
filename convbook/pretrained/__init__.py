"""Networks whose weights have been trained already, ours and torchvision's. Each call says once where they came from.

    network = pretrained.letters(num_classes=10)   # printed letters; comes with convbook
    network = pretrained.lenet()                   # LeNet on Fashion-MNIST; comes with convbook
    network = pretrained.resnet50(num_classes=2)   # ImageNet; from a file or a download

A number of classes gives a new head, drawn from torch's generator; without one the trained head stays. Give pictures
the mean and std that the network was trained with, LETTERS_MEAN and LETTERS_STD or IMAGENET_MEAN and IMAGENET_STD.
`CONVBOOK_DATA` names a folder of your own with files of weights; downloads are kept in the cache of `convbook.data`.
"""

try:
    import torch  # noqa: F401
except ImportError as missing:
    raise ImportError("Pretrained networks need PyTorch, which is missing: `pip install torch`.") from missing

from convbook.data.downloads import IMAGENET_MEAN, IMAGENET_STD
from convbook.data.printing import MEAN as LETTERS_MEAN
from convbook.data.printing import STD as LETTERS_STD
from convbook.data.sources import DataUnavailable
from convbook.pretrained.garments import lenet
from convbook.pretrained.imagenet import resnet18, resnet50
from convbook.pretrained.printed import letters

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "LETTERS_MEAN",
    "LETTERS_STD",
    "DataUnavailable",
    "lenet",
    "letters",
    "resnet18",
    "resnet50",
]
