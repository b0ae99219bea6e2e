"""Residual blocks, after He et al. (2016), https://arxiv.org/abs/1512.03385: y = activation(F(x) + shortcut(x)).

F is two convolutions in a basic block and three in a bottleneck (figure 5). The shortcut is the identity wherever
shapes allow; without any shortcut the same layers make a plain network. Parameters are named as in torchvision.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from convbook.nets.parts import Parts, one_of


@dataclass(frozen=True)
class Recipe(Parts):
    """What all blocks of a network have in common.

    Attributes:
        skip: whether blocks have shortcuts. Without, the network is plain.
        shortcut: where shapes change, "A" pads with zeros and "B" projects by a 1×1 convolution (section 3.3).
        stride_on: which convolution of a bottleneck makes the map smaller, the first "1x1", as printed, or the
            "3x3", as in torchvision. The same weights fit both and give different outputs.

    Raises:
        ValueError: an unknown name.
    """

    skip: bool = True
    shortcut: str = "B"
    stride_on: str = "3x3"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(("A", "B"), shortcut=self.shortcut)
        one_of(("1x1", "3x3"), stride_on=self.stride_on)


class PaddedShortcut(nn.Module):
    """Option A, without parameters: every `stride`-th pixel, and channels of zeros behind the given ones."""

    def __init__(self, more_channels: int, stride: int) -> None:
        super().__init__()
        self.more_channels, self.stride = more_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + more, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more_channels))


def shortcut(in_channels: int, out_channels: int, stride: int, recipe: Recipe) -> nn.Module | None:
    """What joins the input of a block to its output; None in a plain network."""
    if not recipe.skip:
        return None
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    if recipe.shortcut == "A":
        return PaddedShortcut(out_channels - in_channels, stride)
    return nn.Sequential(recipe.conv(in_channels, out_channels, 1, stride=stride), recipe.normalize(out_channels))


class BasicBlock(nn.Module):
    """Two 3×3 convolutions: (N, in_channels, H, W) to (N, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, recipe: Recipe) -> None:
        super().__init__()
        self.conv1 = recipe.conv(in_channels, width, 3, stride=stride, padding=1)
        self.bn1 = recipe.normalize(width)
        self.conv2 = recipe.conv(width, width, 3, padding=1)
        self.bn2 = recipe.normalize(width)
        self.activation = recipe.activate()
        self.downsample = shortcut(in_channels, width, stride, recipe)

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            out = out + self.downsample(x)
        y: Tensor = self.activation(out)
        return y


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions: (N, in_channels, H, W) to (N, 4·width, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, recipe: Recipe) -> None:
        super().__init__()
        on_1x1, on_3x3 = (stride, 1) if recipe.stride_on == "1x1" else (1, stride)
        self.conv1 = recipe.conv(in_channels, width, 1, stride=on_1x1)
        self.bn1 = recipe.normalize(width)
        self.conv2 = recipe.conv(width, width, 3, stride=on_3x3, padding=1)
        self.bn2 = recipe.normalize(width)
        self.conv3 = recipe.conv(width, 4 * width, 1)
        self.bn3 = recipe.normalize(4 * width)
        self.activation = recipe.activate()
        self.downsample = shortcut(in_channels, 4 * width, stride, recipe)

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.activation(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            out = out + self.downsample(x)
        y: Tensor = self.activation(out)
        return y
