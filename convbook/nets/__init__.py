"""The networks of the course, written as in their papers, with the choices that the chapters vary.

from convbook.nets import lenet, plain_cifar, resnet_cifar, resnet50

resnet_cifar(20)                     # He et al. (2016), section 4.2
plain_cifar(20, norm="none")         # the same layers without skips, and without normalization
resnet50(stride_on="1x1")            # as printed; "3x3", the default, is torchvision's
initialize(lenet(), "xavier")        # other weights to start from
"""

from convbook.nets.blocks import BasicBlock, Bottleneck, PaddedShortcut
from convbook.nets.initialization import INITIALIZATIONS, initialize
from convbook.nets.lenet import lenet
from convbook.nets.parts import ACTIVATIONS, NORMS
from convbook.nets.resnet import (
    CifarResNet,
    ResNet,
    plain_cifar,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnet_cifar,
)

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "NORMS",
    "BasicBlock",
    "Bottleneck",
    "CifarResNet",
    "PaddedShortcut",
    "ResNet",
    "initialize",
    "lenet",
    "plain_cifar",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet_cifar",
]
