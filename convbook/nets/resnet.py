"""Residual networks and their plain counterparts, after He et al. (2016), https://arxiv.org/abs/1512.03385."""

from typing import Any

from torch import Tensor, nn

from convbook.nets.blocks import BasicBlock, Bottleneck, Recipe

Block = type[BasicBlock] | type[Bottleneck]


class ResNet(nn.Module):
    """The networks of table 1, for ImageNet: (N, 3, H, W) to scores (N, num_classes). Shapes are those of 224×224."""

    def __init__(
        self, block: Block, blocks: tuple[int, int, int, int], num_classes: int, recipe: Recipe, zero_init: bool
    ) -> None:
        super().__init__()
        self.conv1 = recipe.conv(3, 64, 7, stride=2, padding=3)  # (64, 112, 112)
        self.bn1 = recipe.normalize(64)
        self.activation = recipe.activate()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)  # (64, 56, 56)
        channels = [64, *(width * block.expansion for width in (64, 128, 256, 512))]
        self.layer1 = stage(block, blocks[0], channels[0], 64, 1, recipe)  # 56×56
        self.layer2 = stage(block, blocks[1], channels[1], 128, 2, recipe)  # 28×28
        self.layer3 = stage(block, blocks[2], channels[2], 256, 2, recipe)  # 14×14
        self.layer4 = stage(block, blocks[3], channels[3], 512, 2, recipe)  # 7×7
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels[4], num_classes)
        start(self, recipe, zero_init)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.activation(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


class CifarResNet(nn.Module):
    """The networks of section 4.2, of 6n + 2 layers, for small pictures. Shapes are those of 32×32 and width 16."""

    def __init__(
        self, depth: int, num_classes: int, in_channels: int, width: int, recipe: Recipe, zero_init: bool
    ) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if rest or blocks < 1:
            raise ValueError(f"depth is {depth}; it must be 6n + 2, as in 8, 14, 20, 32, 44, 56 and 110.")
        self.conv1 = recipe.conv(in_channels, width, 3, padding=1)  # (16, 32, 32)
        self.bn1 = recipe.normalize(width)
        self.activation = recipe.activate()
        self.layer1 = stage(BasicBlock, blocks, width, width, 1, recipe)  # (16, 32, 32)
        self.layer2 = stage(BasicBlock, blocks, width, 2 * width, 2, recipe)  # (32, 16, 16)
        self.layer3 = stage(BasicBlock, blocks, 2 * width, 4 * width, 2, recipe)  # (64, 8, 8)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * width, num_classes)
        start(self, recipe, zero_init)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


def stage(block: Block, count: int, in_channels: int, width: int, stride: int, recipe: Recipe) -> nn.Sequential:
    """`count` blocks of one width; the first takes the stride and the change of channels."""
    first = block(in_channels, width, stride, recipe)
    return nn.Sequential(first, *(block(width * block.expansion, width, 1, recipe) for _ in range(count - 1)))


def start(network: nn.Module, recipe: Recipe, zero_init: bool) -> None:
    """He's normal initialization of convolutions; with `zero_init`, zero scales in the last norm of each block.

    Raises ValueError where zero scales would leave nothing to train: without norms, and without skips.
    """
    if zero_init and (recipe.norm == "none" or not recipe.skip):
        raise ValueError("zero_init_residual needs a norm to set to zero, and skips that pass the signal round it.")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif zero_init and isinstance(module, BasicBlock | Bottleneck):
            last: Any = module.bn3 if isinstance(module, Bottleneck) else module.bn2
            nn.init.zeros_(last.weight)


def resnet_cifar(
    depth: int = 20,
    num_classes: int = 10,
    *,
    in_channels: int = 3,
    width: int = 16,
    norm: str = "batch",
    activation: str = "relu",
    shortcut: str = "A",
    zero_init_residual: bool = False,
) -> CifarResNet:
    """A residual network for small pictures (section 4.2): (N, in_channels, H, W) to scores (N, num_classes).

    With the defaults it is the paper's, with 0.27 million parameters at 20 layers and 1.7 million at 110 (table 6).

    Args:
        depth: layers with weights, 6n + 2.
        num_classes: how many scores come out.
        in_channels: 3 for color pictures, 1 for gray.
        width: channels of the first stage; the next two have twice and four times as many.
        norm: a name in NORMS.
        activation: a name in ACTIVATIONS.
        shortcut: where shapes change, "A" pads with zeros, as in the paper, and "B" projects.
        zero_init_residual: start each block with F(x) = 0, by zero scales in its last norm: Goyal et al. (2017),
            https://arxiv.org/abs/1706.02677, section 5.1.

    Raises:
        ValueError: an unknown name, another depth, or zero_init_residual without a norm.
    """
    recipe = Recipe(norm, activation, shortcut=shortcut)
    return CifarResNet(depth, num_classes, in_channels, width, recipe, zero_init_residual)


def plain_cifar(
    depth: int = 20,
    num_classes: int = 10,
    *,
    in_channels: int = 3,
    width: int = 16,
    norm: str = "batch",
    activation: str = "relu",
) -> CifarResNet:
    """The layers of `resnet_cifar` without skips. Its `state_dict` has the same names and shapes as with option A."""
    recipe = Recipe(norm, activation, skip=False)
    return CifarResNet(depth, num_classes, in_channels, width, recipe, zero_init=False)


def resnet18(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet-18: basic blocks, 2-2-2-2; 11,689,512 parameters. Options as in `resnet50`."""
    return _resnet(BasicBlock, (2, 2, 2, 2), num_classes, **options)


def resnet34(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet-34: basic blocks, 3-4-6-3; 21,797,672 parameters. Options as in `resnet50`."""
    return _resnet(BasicBlock, (3, 4, 6, 3), num_classes, **options)


def resnet50(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet-50: bottlenecks, 3-4-6-3; 25,557,032 parameters. It takes torchvision's `state_dict`.

    Args:
        num_classes: how many scores come out.
        stride_on: "3x3", torchvision's, or "1x1", the paper's; see `Recipe`. Basic blocks have no such choice.
        norm: a name in NORMS.
        activation: a name in ACTIVATIONS.
        skip: False gives the plain network of the same depth.
        zero_init_residual: start each block with F(x) = 0, by zero scales in its last norm.

    Raises:
        ValueError: an unknown name, or zero_init_residual without a norm or without skips.
    """
    return _resnet(Bottleneck, (3, 4, 6, 3), num_classes, **options)


def resnet101(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet-101: bottlenecks, 3-4-23-3; 44,549,160 parameters. Options as in `resnet50`."""
    return _resnet(Bottleneck, (3, 4, 23, 3), num_classes, **options)


def resnet152(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet-152: bottlenecks, 3-8-36-3; 60,192,808 parameters. Options as in `resnet50`."""
    return _resnet(Bottleneck, (3, 8, 36, 3), num_classes, **options)


def _resnet(
    block: Block,
    blocks: tuple[int, int, int, int],
    num_classes: int,
    *,
    stride_on: str = "3x3",
    norm: str = "batch",
    activation: str = "relu",
    skip: bool = True,
    zero_init_residual: bool = False,
) -> ResNet:
    recipe = Recipe(norm, activation, skip=skip, stride_on=stride_on)
    return ResNet(block, blocks, num_classes, recipe, zero_init_residual)
