"""The weights that training starts from, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from torch import nn

from convbook.nets.parts import one_of

#: Fills the weights of a convolution or a dense layer.
INITIALIZATIONS: dict[str, Callable[[Any], Any]] = {
    "zeros": nn.init.zeros_,
    "small": partial(nn.init.normal_, std=0.01),  # Krizhevsky et al. (2012), section 5
    "xavier": nn.init.xavier_normal_,  # Glorot and Bengio (2010), equation 12, as a normal distribution
    "he": partial(nn.init.kaiming_normal_, nonlinearity="relu"),  # He et al. (2015, rectifiers), equation 10
    "orthogonal": nn.init.orthogonal_,  # Saxe et al. (2014)
}

Network = TypeVar("Network", bound=nn.Module)


def initialize(network: Network, name: str) -> Network:
    """Start again: the weights of all convolutions and dense layers by name, their biases at 0; gives the network.

    Args:
        network: changed where it is; normalizations stay as they are.
        name: a name in INITIALIZATIONS, or "default", which leaves all as it was made.

    Raises:
        ValueError: an unknown name.
    """
    one_of(("default", *INITIALIZATIONS), initialization=name)
    if name != "default":
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                INITIALIZATIONS[name](layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return network
