"""What the chapters vary: each is a line of `build`, and changes in the trained network what it should, and no more."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from convbook.nets import BasicBlock, initialize, lenet, plain_cifar, resnet_cifar
from convbook.train import Run, TrainingPanel

pytestmark = pytest.mark.usefixtures("one_thread")

PICTURES = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
DATA = [(PICTURES[:4], torch.arange(4)), (PICTURES[4:], torch.arange(4, 8))]
SGD, Adam = torch.optim.SGD, torch.optim.Adam


def count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


def frozen(run: Run) -> bool:
    """Whether the first convolution still has the weights that it was made with, and all others have moved."""
    torch.manual_seed(0)  # see `build`
    before = lenet().state_dict()
    moved = {name.split(".")[0] for name, value in run.model.state_dict().items() if not value.equal(before[name])}
    assert {"conv2", "fc1", "fc2", "fc3"} <= moved and run.history.layers[-4:] == ["conv2", "fc1", "fc2", "fc3"]
    assert ("conv1" in run.history.layers) == ("conv1" in moved)
    return "conv1" not in moved


def unmoved(run: Run) -> int:
    """From zeros only the last bias can move: everything else has a gradient of zero."""
    return sum(not value.any() for value in run.model.state_dict().values())


#: What is varied, the two values, the line that makes the network, and what of a trained run tells the two apart.
VARIED: dict[str, tuple[Any, Callable[[Any], nn.Module], Callable[[Run], Any], list[Any]]] = {
    "activation": (["relu", "tanh"], lambda x: lenet(activation=x), lambda run: count(run.model, nn.Tanh), [0, 4]),
    "initialization": (["default", "zeros"], lambda x: initialize(lenet(), x), unmoved, [0, 9]),
    "optimizer": ([SGD, Adam], lambda x: lenet(), lambda run: type(run.optimizer), [SGD, Adam]),
    "normalization": (
        ["batch", "none"],
        lambda x: resnet_cifar(8, in_channels=1, width=4, norm=x),
        lambda run: count(run.model, nn.BatchNorm2d),
        [7, 0],
    ),
    "depth": (
        [8, 14],
        lambda x: resnet_cifar(x, in_channels=1, width=4),
        lambda run: count(run.model, nn.Conv2d),
        [7, 13],
    ),
    "skips": (
        {"with": resnet_cifar, "without": plain_cifar},
        lambda x: x(8, in_channels=1, width=4),
        lambda run: sum(block.downsample is None for block in run.model.modules() if isinstance(block, BasicBlock)),
        [0, 3],
    ),
    "frozen_layers": (
        {"none": [], "the first": ["conv1"]},
        lambda x: freeze(lenet(), x),
        frozen,
        [False, True],
    ),
}


def freeze(model: nn.Module, names: list[str]) -> nn.Module:
    for name in names:
        model.get_submodule(name).requires_grad_(False)
    return model


@pytest.mark.parametrize("what", VARIED)
def test_a_panel_varies_it_with_a_line_of_build(what: str) -> None:
    values, model_of, told, expected = VARIED[what]

    def build(choice: dict[str, Any]) -> Run:
        torch.manual_seed(0)
        model = model_of(choice[what])
        optimizer = choice["optimizer"] if what == "optimizer" else SGD
        return Run(model, DATA, optimizer(model.parameters(), lr=0.05))

    panel = TrainingPanel(build, {what: values})
    try:
        assert panel.chooser.dropdowns[what].description == what.replace("_", " ")
        labels = list(values) if isinstance(values, Mapping) else [getattr(x, "__name__", str(x)) for x in values]
        found = []
        for label in labels:
            panel.train(**{what: label})
            assert panel.run is not None
            found.append(told(panel.run))
        assert found == expected
        assert list(panel.runs) == labels
        one, other = panel.runs.values()
        assert one.points[-1]["loss"] != other.points[-1]["loss"]
    finally:
        panel.close()
