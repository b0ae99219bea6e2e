"""The parts that every network lets its reader choose: normalization and activation, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

#: Makes the activation.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "identity": nn.Identity,
}


def group_norm(channels: int) -> nn.GroupNorm:
    """32 groups, as in Wu and He (2018), https://arxiv.org/abs/1803.08494, or fewer, so that each has two channels."""
    groups = max(count for count in range(1, 33) if channels % count == 0 and 2 * count <= max(channels, 2))
    return nn.GroupNorm(groups, channels)


def no_norm(channels: int) -> nn.Identity:
    """Nothing in the place of a normalization, so that the layers round it keep their names."""
    return nn.Identity()


#: Makes the normalization of so many channels.
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm2d, "group": group_norm, "none": no_norm}


def one_of(known: Any, **choice: str) -> None:
    """Refuse a name that is not known, and list those that are."""
    for what, name in choice.items():
        if name not in known:
            raise ValueError(f"{what} is {name!r}; choose one of: {', '.join(known)}.")


@dataclass(frozen=True)
class Parts:
    """What all layers of a network are built of.

    Attributes:
        norm: a name in NORMS. With "none" convolutions have a bias; a normalization would take it away again.
        activation: a name in ACTIVATIONS.

    Raises:
        ValueError: an unknown name.
    """

    norm: str = "batch"
    activation: str = "relu"

    def __post_init__(self) -> None:
        one_of(NORMS, norm=self.norm)
        one_of(ACTIVATIONS, activation=self.activation)

    def conv(self, in_channels: int, out_channels: int, kernel_size: int, **settings: Any) -> nn.Conv2d:
        """A convolution that a normalization follows; settings as in nn.Conv2d."""
        return nn.Conv2d(in_channels, out_channels, kernel_size, bias=self.norm == "none", **settings)

    def normalize(self, channels: int) -> nn.Module:
        return NORMS[self.norm](channels)

    def activate(self) -> nn.Module:
        return ACTIVATIONS[self.activation]()
