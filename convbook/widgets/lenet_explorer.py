"""The LeNet explorer: a trained network that runs in the page, with every map in sight."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from convbook.data import Split, fashion
from convbook.widgets.base import Picture, Widget, bundle, stylesheet

SIDE = 28
MOST = 24
#: Layers with maps: how many, and their side.
MAPS = {
    "input": (1, 28),
    "conv1": (6, 28),
    "activation1": (6, 28),
    "pool1": (6, 14),
    "conv2": (16, 10),
    "activation2": (16, 10),
    "pool2": (16, 5),
}
#: Places in the bundled test pictures: one a class that the network gets right, then some that it gets wrong.
SAMPLES = (19, 2, 1, 13, 6, 8, 7, 9, 18, 0, 40, 17, 32, 43, 23, 1300)


def _text(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(pixels.tobytes()).decode("ascii")


class Drawing(Picture):
    """A gray picture of 28 × 28 pixels. The page gets its bytes in base64, and sends back what was drawn."""

    def __init__(self) -> None:
        super().__init__(largest=SIDE)
        self.info_text = f"a gray picture of {SIDE} × {SIDE} pixels, as numbers from 0 to 1 or as bytes"

    def validate(self, obj: Any, value: Any) -> NDArray[np.uint8]:
        pixels = super().validate(obj, value)
        if pixels.shape != (SIDE, SIDE):
            raise traitlets.TraitError(f"{type(obj).__name__}.{self.name} needs {self.info_text}. Got {pixels.shape}.")
        return pixels

    @staticmethod
    def _to_page(pixels: NDArray[np.uint8], _: Any) -> str:
        return _text(pixels)

    @staticmethod
    def _from_page(value: str, _: Any) -> NDArray[np.uint8]:
        return np.frombuffer(base64.b64decode(value), np.uint8).reshape(SIDE, SIDE)


class Samples(traitlets.TraitType[Split, Any]):
    """Labeled gray pictures to choose from: a Split of convbook.data. The page gets its parts, pictures in base64."""

    def __init__(self) -> None:
        super().__init__()
        self.info_text = f"1 to {MOST} gray pictures of {SIDE} × {SIDE} pixels in ten classes, a Split of convbook.data"
        self.tag(to_json=self._to_page)

    def validate(self, obj: Any, value: Any) -> Split:
        """`value`; TraitError with a sentence when the page cannot show it."""
        where = f"{type(obj).__name__}.{self.name} needs {self.info_text}"
        if not isinstance(value, Split):
            raise traitlets.TraitError(f"{where}. Got {type(value).__name__}.")
        if value.images.shape[1:] != (SIDE, SIDE) or not 1 <= len(value) <= MOST or len(value.classes) != 10:
            raise traitlets.TraitError(f"{where}. Got {value!r}.")
        return value

    @staticmethod
    def _to_page(split: Split, _: Any) -> dict[str, Any]:
        return {
            "classes": list(split.classes),
            "images": [_text(picture) for picture in split.images],
            "labels": split.labels.tolist(),
            "mean": split.mean[0],
            "std": split.std[0],
        }


class Weights(traitlets.TraitType[bytes, Any]):
    """Weights of `convbook.nets.lenet()`, kept as a safetensors file in float16. Needs torch."""

    info_text = "a network that computes what convbook.nets.lenet() does, or its weights"

    def validate(self, obj: Any, value: Any) -> bytes:
        """`value` as bytes; TraitError with a sentence when it is another network."""
        try:
            return packed(value)
        except (TypeError, ValueError) as problem:
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name} needs {self.info_text}. {problem}"
            ) from problem


def packed(value: Any) -> bytes:
    """A network, its state or its safetensors file as a safetensors file in float16.

    Raises:
        TypeError: it is none of them.
        ValueError: its names, shapes or outputs are not those of `convbook.nets.lenet()`.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    from convbook.nets import lenet
    from convbook.pretrained.fitting import fit_weights

    network = value if isinstance(value, torch.nn.Module) else None
    if isinstance(value, bytes):
        try:
            state: Mapping[str, torch.Tensor] = load(value)
        except SafetensorError as problem:
            raise ValueError(f"These bytes are no safetensors file ({problem}).") from None
    elif network is not None:
        state = network.state_dict()
    elif isinstance(value, Mapping):
        state = value
    else:
        raise TypeError(f"Got {type(value).__name__}.")
    with torch.random.fork_rng(devices=[]):  # a figure does not change what a notebook draws after it
        reference = lenet()
    fit_weights(reference, state, "What was given", new_head=False)
    if network is not None:
        noise = torch.rand(4, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
        device = next(network.parameters()).device
        with torch.no_grad():
            outputs, expected = network(noise.to(device)).cpu(), reference(noise)
        if outputs.shape != expected.shape or not torch.allclose(outputs, expected, rtol=1e-2, atol=1e-2):
            raise ValueError("This one has the weights of LeNet and other outputs: the page has ReLU and max pooling.")
    half = {name: tensor.half() for name, tensor in reference.state_dict().items()}
    if not all(tensor.isfinite().all() for tensor in half.values()):
        raise ValueError("Some weights are infinite or no numbers in float16, which ends at 65,504.")
    return save(half)


class LeNetExplorer(Widget):
    """LeNet on a picture that the reader chooses or draws: all 66 maps, the dense layers, scores and probabilities.

    The network is `convbook.nets.lenet()`; its weights are those of `convbook.pretrained.lenet()`, or of a network of
    your own, rounded to float16. Outputs are torch's, to within 10⁻⁴. Arithmetic happens in the page; Python sets the
    state and reads it, the picture among it.

        explorer = LeNetExplorer(weights=network)
        explorer.picture  # (28, 28), uint8

    A value that makes no sense raises `traitlets.TraitError` and leaves the state as it was.
    """

    _esm = bundle("lenet_explorer.js")
    _css = stylesheet("lenet_explorer.css")
    fallback = (
        "LeNet explorer: an interactive figure of every map of a trained network. "
        "It needs a browser with JavaScript; the text beside it runs the same network in Python."
    )

    weights = Weights().tag(sync=True)
    samples = Samples().tag(sync=True)
    """Pictures to choose from, with their labels and classes; and mean and std, which every picture is given."""
    picture = Drawing().tag(sync=True)
    ink = traitlets.Enum([255, 170, 85, 0], 255).tag(sync=True)
    """The gray that pointer and space bar paint; 0 erases."""
    brush = traitlets.Int(2, min=1, max=5).tag(sync=True)
    """Its width in pixels."""
    selected = traitlets.Tuple(
        traitlets.Enum(list(MAPS)),
        *(traitlets.Int(min=0) for _ in range(3)),
        default_value=("conv2", 3, 4, 5),
    ).tag(sync=True)
    """Layer, map, row and column of the chosen cell, from 0."""

    @traitlets.default("weights")
    def _those_of_convbook(self) -> bytes:
        from convbook.pretrained import garments

        return garments.content()

    @traitlets.default("samples")
    def _some_of_the_test_set(self) -> Split:
        images, labels = fashion.read(fashion.ASSETS, "test", fashion.BUNDLED)
        chosen = list(SAMPLES)
        source = "Fashion-MNIST, some of the bundled subset"
        return Split(images[chosen], labels[chosen], fashion.GARMENTS, fashion.MEAN, fashion.STD, source)

    @traitlets.default("picture")
    def _the_first_sample(self) -> NDArray[np.uint8]:
        return self.samples.images[0]

    @traitlets.validate("selected")
    def _is_there(self, proposal: Any) -> Any:
        name, *at = proposal["value"]
        maps, side = MAPS[name]
        if not all(index < limit for index, limit in zip(at, (maps, side, side), strict=True)):
            there = f"{name} has {maps} maps of {side} × {side}, counted from 0"
            raise traitlets.TraitError(f"LeNetExplorer.selected needs a cell that is there: {there}. Got {at}.")
        return proposal["value"]
