"""LeNet, trained on Fashion-MNIST by tools/pretrain.py; its weights, in 16 bits, come with convbook."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load
from torch import nn

from convbook import nets
from convbook.data.places import Broken, check_digest, content_of, say_once
from convbook.data.sources import DataUnavailable
from convbook.pretrained.fitting import fit_weights

ASSETS = Path(__file__).parent.parent / "assets" / "lenet"
WEIGHTS, LOG = "lenet.safetensors", "lenet.json"


def lenet() -> nn.Sequential:
    """`convbook.nets.lenet()` for pictures of shape (N, 1, 28, 28), trained on the garments of Fashion-MNIST.

    The weights are float32, with values that float16 has, so that a page computes with the same ones.

    Raises:
        DataUnavailable: the file that comes with convbook is damaged.
    """
    network = nets.lenet()
    fit_weights(network, load(content()), str(ASSETS / WEIGHTS), new_head=False)
    say_once(f"Weights of LeNet: {WEIGHTS}, which comes with convbook.")
    return network


def content() -> bytes:
    """The file of weights, in safetensors' format. Raises DataUnavailable where it is damaged."""
    path = ASSETS / WEIGHTS
    try:
        found = content_of(path)
        check_digest(path, found, "sha256", log()["weights"]["sha256"])
    except Broken as broken:
        raise DataUnavailable(f"The weights of LeNet are damaged. Install convbook again. {broken}") from None
    return found


def log() -> dict[str, Any]:
    """How the weights were made: command, seed, versions, curves, accuracy. Raises Broken where it is missing."""
    contents: dict[str, Any] = json.loads(content_of(ASSETS / LOG))
    return contents
