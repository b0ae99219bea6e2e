"""Shape arithmetic: sizes, receptive fields, parameters and multiply-adds, on paper and of torch networks.

    from convbook.shapes import Conv, Dense, Flatten, Pool, output_size, table

    output_size(28, 5, padding=2)                              # 28
    table([Conv(6, 5, padding=2), Pool(2), Flatten(), Dense(10)], (1, 28, 28))
    table(torchvision.models.resnet50(), (3, 224, 224))        # any torch.nn.Module

Only the last needs torch.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

from convbook.shapes.field import Field
from convbook.shapes.layers import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    Dense,
    Flatten,
    Layer,
    Norm,
    Pool,
)
from convbook.shapes.sizes import effective_size, output_size, same_padding, transposed_size
from convbook.shapes.table import Row, Table, table_of_layers

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Activation",
    "AdaptivePool",
    "Conv",
    "ConvTranspose",
    "Dense",
    "Field",
    "Flatten",
    "Layer",
    "Norm",
    "Pool",
    "Row",
    "Table",
    "effective_size",
    "output_size",
    "same_padding",
    "table",
    "transposed_size",
]


def table(network: Union[Sequence[Layer], "nn.Module"], input_shape: tuple[int, ...]) -> Table:
    """Layer by layer: output shape, kernel, parameters, multiply-adds, receptive field.

    Args:
        network: a list of the layers of this module, or any torch module that takes one picture or one row of
            features. A torch module is run in evaluation mode on a tensor without values, so it costs no arithmetic
            and no memory, and stays as it is.
        input_shape: of one picture, without the batch: (3, 224, 224).

    Returns: a Table. Its `notes` say what in a torch module could not be counted or followed.

    Raises:
        ValueError, TypeError: a layer does not fit the map before it, or cannot run without values; says which.
    """
    torch = sys.modules.get("torch")  # no module can be here before torch is
    if torch is not None and isinstance(network, torch.nn.Module):
        from convbook.shapes.modules import table_of_module

        return table_of_module(network, input_shape)
    layers = list(network) if isinstance(network, Sequence) else []
    if not layers or not all(isinstance(layer, Layer) for layer in layers):
        raise TypeError(f"A network is a list of layers or a torch module, and this is {network!r}."[:300])
    return table_of_layers(layers, input_shape)
