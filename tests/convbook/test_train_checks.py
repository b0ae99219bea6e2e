"""What usually goes wrong is found at the first batch and said in words."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from convbook.train import Run, fit
from convbook.train.checks import advice, gpu_lost, out_of_memory, same_device

IMAGES = torch.randn(12, 1, 4, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12) % 3


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []

    def batch(self, run: Run, epochs: int) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)

    def stopped(self, run: Run) -> None:
        pass

    def close(self) -> None:
        pass


def network(*last: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3), *last)


def train(
    model: nn.Module | None = None,
    images: torch.Tensor = IMAGES,
    labels: torch.Tensor = LABELS,
    size: int = 6,
    parameters: Any = None,
    rate: float = 0.1,
    **more: Any,
) -> list[str]:
    """Remarks of an epoch."""
    model = model or network()
    optimizer = torch.optim.SGD(list(parameters or model.parameters()), lr=rate)
    data = list(zip(images.split(size), labels.split(size), strict=True))
    listener = Listener()
    fit(Run(model, data, optimizer, **more), 1, listener)
    return listener.said


def test_a_run_in_order_gets_no_remark() -> None:
    assert train() == []


def frozen() -> nn.Module:
    return network().requires_grad_(False)


def halfway_elsewhere() -> nn.Module:
    model = network()
    model[3].to("meta")
    return model


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "evaluation mode": (lambda: train(network().eval()), r"evaluation mode.*call model\.train\(\)"),
    "labels too high": (lambda: train(labels=LABELS + 1), r"labels run from 1 to 3, but 3 outputs are numbered 0 to 2"),
    "labels negative": (lambda: train(labels=LABELS - 1), r"labels run from -1 to 1"),
    "labels of floats": (lambda: train(labels=LABELS.float()), r"labels are torch\.float32.*labels\.long\(\)"),
    "labels of bytes": (lambda: train(labels=LABELS.to(torch.uint8)), r"labels are torch\.uint8.*labels\.long\(\)"),
    "labels in a column": (lambda: train(labels=LABELS[:, None]), r"shape \(6, 3\) go with labels of shape \(6,\)"),
    "shares of another shape": (lambda: train(labels=torch.ones(12, 2)), r"labels of shape \(6, 3\), not \(6, 2\)"),
    "images of bytes": (lambda: train(images=(IMAGES * 9).to(torch.uint8)), r"whole numbers.*images\.float\(\) / 255"),
    "images of doubles": (lambda: train(images=IMAGES.double()), r"images are torch\.float64, the weights"),
    "images not finite": (lambda: train(images=IMAGES / 0), r"infinite or no numbers"),
    "fewer labels": (
        lambda: fit(Run(m := network(), [(IMAGES, LABELS[:5])], torch.optim.SGD(m.parameters(), lr=1)), 1, Listener()),
        r"12 images and 5 labels",
    ),
    "another model's optimizer": (lambda: train(parameters=network().parameters()), r"no parameter of this model"),
    "all frozen": (lambda: train(frozen()), r"frozen parameters only"),
    "model on two devices": (lambda: train(halfway_elsewhere()), r"The model lies on cpu, meta"),
    "data on another device": (lambda: train(images=IMAGES.to("meta")), r"model is on cpu and the data on meta"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(WRONG))
def test_what_cannot_train_is_refused_with_a_reason(name: str) -> None:
    action, complaint = WRONG[name]
    with pytest.raises(ValueError, match=complaint):
        action()


def test_batches_on_a_cpu_go_to_any_device_and_those_on_a_gpu_stay_there() -> None:
    same_device(torch.device("cuda:0"), torch.device("cpu"))
    same_device(torch.device("cuda:0"), torch.device("cuda:0"))
    with pytest.raises(ValueError, match=r"model is on cpu and the data on cuda:0\. .*model\.to\('cuda:0'\)"):
        same_device(torch.device("cpu"), torch.device("cuda:0"))


@pytest.mark.parametrize(
    ("data", "complaint"), [([], "no batch"), (iter(()), r"no len\(\)")], ids=["empty", "without length"]
)
def test_data_must_have_batches_and_a_length(data: Any, complaint: str) -> None:
    model = network()
    with pytest.raises(ValueError, match=complaint):
        Run(model, data, torch.optim.SGD(model.parameters(), lr=1))
    with pytest.raises(ValueError, match="no parameters"):
        Run(nn.ReLU(), [(IMAGES, LABELS)], torch.optim.SGD(model.parameters(), lr=1))


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = network(), nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(x)


class Scaled(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def test_a_first_loss_far_from_chance_is_remarked() -> None:
    (remark,) = train(network(Scaled(200.0)), rate=1e-6)
    assert f"guessing costs log 3 = {math.log(3):.2f}" in remark and "outputs are large" in remark
    model = network()
    shown = nn.functional.one_hot(LABELS, 3).float()
    model[3].weight.data.zero_(), model[3].bias.data.zero_()

    class Knows(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 9 * shown[:6]  # the labels repeat every three pictures

    (remark,) = train(model.append(Knows()))
    assert "knows the answers already" in remark


def test_probabilities_in_place_of_scores_are_remarked() -> None:
    (remark,) = train(network(nn.Softmax(1)))
    assert "Leave the last softmax out" in remark


def test_parameters_that_cannot_learn_are_named() -> None:
    (remark,) = train(Unused())
    assert remark.startswith("No gradient reaches unused.weight, unused.bias:")
    model = network()
    (remark,) = train(model, parameters=model[3].parameters())
    assert remark.startswith("The optimizer does not hold 1.weight, 1.bias.")


def test_one_picture_a_batch_with_batch_norm_is_remarked_and_torchs_refusal_explained() -> None:
    maps = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    assert any("The batch has 1 picture" in remark for remark in train(maps, size=1))
    flat = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="more than 1 value per channel") as caught:
        train(flat, size=11)  # the last batch has one picture
    assert "drop the last batch" in caught.value.__notes__[0]


def test_a_loss_that_explodes_stops_the_run_and_names_the_batch() -> None:
    class Explodes(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Explodes.calls += 1
            return x * math.inf if Explodes.calls == 2 else x

    with pytest.raises(FloatingPointError, match=r"The loss became nan at batch 2 of epoch 1 \(step 2\)") as caught:
        train(network(Explodes()), size=2, rate=0.25)
    assert "here 0.25" in caught.value.__notes__[0] and "a tenth of the rate" in caught.value.__notes__[0]


def test_another_loss_may_want_other_labels() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    assert train(model, labels=torch.randn(12, 1), loss=nn.functional.mse_loss) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"), "smaller batches"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"), "smaller batches"),
        (RuntimeError("CUDA error: unspecified launch failure"), "kernel is restarted"),
        (RuntimeError("CUDA error: device-side assert triggered"), "label out of range"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (6x16 and 15x3)"), "in_features"),
        (IndexError("Target 3 is out of bounds."), "labels run from 0"),
        (RuntimeError("something else"), ""),
        (KeyError("x"), ""),
    ],
)  # fmt: skip
def test_advice_goes_with_the_message(error: Exception, words: str) -> None:
    found = advice(error)
    assert words in found and bool(words) == bool(found)
    assert not (out_of_memory(error) and gpu_lost(error))


def test_advice_for_real_mistakes_of_shape() -> None:
    with pytest.raises(RuntimeError) as caught:
        train(nn.Sequential(nn.Flatten(), nn.Linear(15, 3)))
    assert "in_features" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError) as caught:
        train(nn.Sequential(nn.Conv2d(3, 3, 4), nn.Flatten()))
    assert "in_channels" in caught.value.__notes__[0]
