"""Our own network for 8×8 pictures, trained on printed letters by tools/pretrain.py; its weights come with convbook."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from convbook.data.places import Broken, check_digest, content_of, say_once
from convbook.data.printing import LETTERS
from convbook.data.sources import DataUnavailable
from convbook.nets import CifarResNet, resnet_cifar
from convbook.pretrained.fitting import fit_weights

ASSETS = Path(__file__).parent.parent / "assets" / "letters"
WEIGHTS, LOG = "letters.safetensors", "letters.json"


def untrained(num_classes: int = len(LETTERS)) -> CifarResNet:
    """The network before training: gray pictures of shape (N, 1, 8, 8) to scores (N, num_classes).

    A residual network of 8 layers and 32, 64 and 128 channels; 313,492 parameters with 52 classes.
    """
    return resnet_cifar(8, num_classes, in_channels=1, width=32, shortcut="B")


def letters(num_classes: int | None = None) -> CifarResNet:
    """The network for gray pictures of shape (N, 1, 8, 8), trained on printed letters.

    Args:
        num_classes: of a new head; None keeps the trained one, of the 52 letters `convbook.data.LETTERS`.

    Raises:
        DataUnavailable: the file that comes with convbook is damaged.
    """
    path = ASSETS / WEIGHTS
    try:
        check_digest(path, content_of(path), "sha256", log()["weights"]["sha256"])
    except Broken as broken:
        raise DataUnavailable(f"The weights of the letters are damaged. Install convbook again. {broken}") from None
    network = untrained(num_classes or len(LETTERS))
    fit_weights(network, load_file(path), str(path), new_head=num_classes is not None)
    say_once(f"Weights of the letters: {WEIGHTS}, which comes with convbook.")
    return network


def log() -> dict[str, Any]:
    """How the weights were made: command, seed, versions, curves, accuracy. Raises Broken where it is missing."""
    contents: dict[str, Any] = json.loads(content_of(ASSETS / LOG))
    return contents
