"""torchvision's ResNets, trained on ImageNet's 1000 classes, in `convbook.nets`.

Names of the weights are torchvision's: IMAGENET1K_V1 is the recipe of the paper, IMAGENET1K_V2 a later, longer one
whose network is more often right on ImageNet and not the better start for every other task.
https://pytorch.org/vision/stable/models.html
"""

import hashlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from convbook import nets
from convbook.data.places import Absent, Broken, say_once
from convbook.data.sources import DataSet, network, obtain
from convbook.pretrained.fitting import fit_weights

CLASSES = 1000

State = dict[str, torch.Tensor]


def resnet18(num_classes: int | None = None, *, weights: str = "IMAGENET1K_V1") -> nets.ResNet:
    """ResNet-18 for pictures of shape (N, 3, 224, 224), trained on ImageNet. All else as in `resnet50`."""
    model = nets.resnet18(num_classes or CLASSES)
    fit_weights(model, *_imagenet("ResNet18_Weights", weights), new_head=num_classes is not None)
    return model


def resnet50(num_classes: int | None = None, *, weights: str = "IMAGENET1K_V1", stride_on: str = "3x3") -> nets.ResNet:
    """ResNet-50 for pictures of shape (N, 3, 224, 224), trained on ImageNet.

    The file is read from the first of: the cache of an earlier download; the cache of torch.hub, where torchvision
    itself keeps it; the folder CONVBOOK_DATA; torchvision's download, which is then cached. Its SHA-256 must begin
    with the digits in its name, and it is read without running any code that is in it.

    Args:
        num_classes: of a new head; None keeps the trained one, of ImageNet's 1000 classes.
        weights: torchvision's name, such as "IMAGENET1K_V1" or "IMAGENET1K_V2".
        stride_on: "3x3", which the weights were trained with. They fit "1x1" as well and give other outputs there;
            a warning says so.

    Raises:
        DataUnavailable: the file is nowhere, and could not be downloaded. The message names file and folders.
        ImportError: torchvision is missing.
        ValueError: no such weights.
    """
    model = nets.resnet50(num_classes or CLASSES, stride_on=stride_on)
    fit_weights(model, *_imagenet("ResNet50_Weights", weights), new_head=num_classes is not None)
    if stride_on != "3x3":
        warnings.warn(
            f"torchvision's weights were trained with the stride on the 3×3 convolutions. This network has it on the "
            f"{stride_on.replace('x', '×')}: names and shapes fit, the outputs are not those of the trained network.",
            stacklevel=2,
        )
    return model


def _imagenet(family: str, name: str) -> tuple[State, str]:
    """The weights and the name of their file."""
    try:
        from torchvision import models
    except ImportError as problem:
        raise ImportError(
            "Where the weights of ImageNet are is known to torchvision, which is missing: `pip install torchvision`."
        ) from problem
    choices = getattr(models, family).__members__
    if name not in choices:
        raise ValueError(f"weights is {name!r}; choose one of: {', '.join(choices)}.")
    chosen: Any = choices[name]
    file = chosen.url.rpartition("/")[2]
    begins = digest_of(file)

    def fetch(folder: Path) -> str:
        with network(chosen.url):
            chosen.get_state_dict(model_dir=str(folder), check_hash=True, map_location="cpu", weights_only=True)
        return str(chosen.url)

    data = DataSet(
        title=file,
        folder=Path(file).stem,
        read=lambda folder: _read(folder / file, begins),
        fetch=fetch,
        layout=f"{file} from {chosen.url} (its SHA-256 begins with {begins})",
        shared=((Path(torch.hub.get_dir()) / "checkpoints", "torch.hub's cache"),),
    )
    state, source = obtain(data)
    say_once(f"Weights {file} {source}.")
    return state, file


def digest_of(file: str) -> str:
    """The first digits of the file's SHA-256, which torchvision puts into its name: resnet18-f37072fd.pth."""
    return Path(file).stem.rpartition("-")[2]


def _read(path: Path, begins: str) -> State:
    if not path.exists():
        raise Absent
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(begins):
        raise Broken(path, f"is broken: its SHA-256 is {found}, expected {begins}….")
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, KeyError, RuntimeError, ValueError, pickle.UnpicklingError) as problem:
        raise Broken(path, f"cannot be read ({str(problem).splitlines()[0]}).") from None
    if not isinstance(state, dict):
        raise Broken(path, f"holds a {type(state).__name__}, not a dictionary of weights.")
    return state
