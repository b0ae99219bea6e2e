"""Tables of torch modules: published figures, other people's networks, and what the walk leaves behind."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import segmentation

from convbook.shapes import Conv, Field, Table, table


def without_memory(make: Callable[..., nn.Module], **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return make(**settings)


# Every family of classifiers in torchvision whose first weights come with their figures.
FAMILIES = [
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_large"),
    *("resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "swin_t", "vgg16", "vit_b_16", "wide_resnet50_2"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
]


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_and_multiply_adds_are_those_that_torchvision_publishes(name: str) -> None:
    published = next(iter(torchvision.models.get_model_weights(name))).meta
    module = without_memory(torchvision.models.get_model, name=name, weights=None)
    found = table(module, (3, 224, 224))
    assert found.parameters == published["num_params"]
    assert round(found.multiply_adds / 1e9, 3) == published["_ops"]
    with FlopCounterMode(display=False) as counter:
        module.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    assert counter.get_total_flops() == 2 * found.multiply_adds


@pytest.mark.parametrize("make", [segmentation.fcn_resnet50, segmentation.deeplabv3_resnet50])
def test_a_network_with_two_outputs_is_counted(make: Callable[..., nn.Module]) -> None:
    module = without_memory(make, weights=None, weights_backbone=None, aux_loss=True)
    found = table(module, (3, 64, 64))
    assert found.parameters == sum(each.numel() for each in module.parameters())
    assert found.row("backbone.layer4.2.conv3").jump == (8, 8), "stages 3 and 4 dilate and do not stride"


def row_names(found: Table) -> list[str]:
    return [row.name for row in found.rows]


class Functional(nn.Module):
    """A network as students write it: half of it stands in `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5), nn.Linear(400, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc(torch.flatten(x, 1))


def test_operations_in_forward_are_rows_and_move_the_receptive_field() -> None:
    found = table(Functional(), (1, 28, 28))
    assert row_names(found) == ["conv1", "relu", "max_pool2d", "conv2", "tanh", "avg_pool2d", "flatten", "fc"]
    assert [row.receptive_field[0] for row in found.rows] == [5, 5, 6, 14, 14, 16, 16, 32]
    assert [row.jump[0] for row in found.rows] == [1, 1, 2, 2, 2, 4, 4, 0]
    assert found.row("max_pool2d").kernel == "2×2, stride 2"
    assert found.notes == ()


class Branches(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(2, 3, 7, stride, 3), nn.Conv2d(2, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(F.interpolate(self.wide(x), x.shape[2:])[:, :2] + torch.cat([x[:, :1], x[:, 1:]], 1))


def test_where_branches_meet_a_unit_sees_what_both_see() -> None:
    assert table(Branches(1), (2, 16, 16)).rows[-1].receptive_field == (9, 9)


def test_branches_that_line_up_again_are_followed_through_an_enlargement() -> None:
    assert table(Branches(2), (2, 16, 16)).rows[-1].jump == (1, 1)


class Apply(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


KERNEL = torch.ones(2, 2, 3, dtype=torch.float64)


def convolve(x: Tensor, **settings: int) -> Tensor:
    return F.conv1d(x, KERNEL.to(x), **settings)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.interpolate(x, scale_factor=2),
        lambda x: F.interpolate(x, 25),
        lambda x: F.interpolate(x, scale_factor=4, mode="linear"),
        lambda x: F.interpolate(x, 60, mode="linear"),
        lambda x: F.interpolate(x, 15, mode="linear"),
        lambda x: F.interpolate(convolve(x, stride=3), 52, mode="linear"),
        lambda x: convolve(F.interpolate(convolve(x, stride=2, padding=1), scale_factor=2), dilation=3),
        lambda x: F.interpolate(convolve(x, stride=2, padding=1), 40) + x,
        lambda x: F.interpolate(convolve(x, stride=2, padding=1), 40) + F.interpolate(x[:, :, ::4], 40),
        lambda x: F.interpolate(x[:, :, ::2], 40) + F.interpolate(x[:, :, ::3], 42)[:, :, :40],
        lambda x: x[:, :, 3::2] * 2,
        lambda x: x[:, :, -30:],
        lambda x: convolve(F.pad(x, (5, -2)), stride=2),
        lambda x: F.pad(x, (2, 3), mode="replicate")[:, :, 1:],
        lambda x: torch.cat([x[:, :1], convolve(x, padding=1)], 1).unsqueeze(1).squeeze(1),
        lambda x: x.view(-1, 1, 2, 40).transpose(1, 2).reshape(-1, 2, 40).relu_(),
        lambda x: F.adaptive_max_pool1d(x, 12),
        lambda x: F.softmax(x, 1),
    ],
)
def test_an_operation_moves_the_field_as_torch_moves_the_pixels(function: Callable[[Tensor], Tensor]) -> None:
    x = torch.zeros(40, 2, 40, dtype=torch.float64)
    x[range(40), :, range(40)] = math.nan
    found = table(Apply(function), (2, 40))
    assert found.notes == ()
    (field,) = found.rows[-1].fields
    seen = function(x).isnan().any(1)
    assert found.rows[-1].output_shape[-1] == seen.shape[1]
    inner = 0
    for unit in range(seen.shape[1]):
        pixels = seen[:, unit].nonzero()
        first, last = field.sees(unit)
        if first >= 8 and last < 32:
            assert (int(pixels.min()), int(pixels.max())) == (first, last), unit
            inner += 1
    assert inner >= 4


def test_where_linear_interpolation_hits_a_unit_its_neighbor_has_no_weight() -> None:
    spans = [Field().interpolate(4, 12, linear=True).sees(unit) for unit in range(3, 7)]
    assert spans == [(0, 1), (1, 1), (1, 2), (1, 2)]
    x = torch.randn(1, 1, 4, dtype=torch.float64, requires_grad=True)
    F.interpolate(x, 12, mode="linear")[0, 0, 4].backward()
    assert (x.grad[0, 0].abs() > 1e-9).tolist() == [False, True, False, False]


class Attention(nn.Module):
    """Squeeze and excitation: each unit is scaled by what the whole map says."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.last = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.last(x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid())


def test_where_no_rule_follows_the_table_says_so_and_goes_on_counting() -> None:
    found = table(Attention(), (3, 12, 12))
    assert found.row("gate").receptive_field == (12, 12), "the mean of all units sees the whole picture"
    assert found.row("mul").fields is None and found.row("last").fields is None
    (note,) = found.notes
    assert note == "Attention: receptive fields are unknown from here on, since mul joins maps of different sizes."
    assert found.row("last").multiply_adds == 4 * 8 * 9 * 8 * 8


@pytest.mark.parametrize(("k", "d"), [(3, 1), (4, 1), (4, 3), (2, 2)])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_same_padding_is_followed_where_torch_makes_it_uneven(k: int, d: int) -> None:
    module, layer = nn.Conv2d(1, 2, k, padding="same", dilation=d), Conv(2, k, padding="same", dilation=d)
    assert table(module, (1, 9, 9)).rows[0].fields == table([layer], (1, 9, 9)).rows[0].fields


def test_reflected_padding_counts_as_padding() -> None:
    module = nn.Conv2d(1, 2, 5, padding=(2, 1), padding_mode="reflect")
    assert table(module, (1, 9, 9)).rows[0].start == (-2, -1)


def test_circular_padding_is_counted_and_its_field_left_open() -> None:
    found = table(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), nn.ReLU()), (3, 8, 8))
    assert found.multiply_adds == 4 * 3 * 9 * 64
    assert found.rows[-1].fields is None and "0: receptive fields are unknown" in found.notes[0]


class Written(nn.Module):
    """The zeros are a constant, until a part of them is overwritten."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros(1, 4, *x.shape[2:])
        y[:, :3] = F.avg_pool2d(x, 3, 1, 1)
        return y[:, :3] + x


def test_what_was_written_into_a_constant_is_no_constant() -> None:
    found = table(Written(), (3, 5, 5))
    assert found.rows[-1].fields is None
    assert found.notes == ("Written: receptive fields are unknown from here on, since copy has no rule.",)


def test_branches_of_one_size_whose_units_lie_apart_differently_are_not_joined() -> None:
    found = table(Apply(lambda x: x[:, :, :20] + F.avg_pool1d(x, 2)), (2, 40))
    assert found.rows[-1].fields is None
    assert "since branches meet whose units are 1 and 2 pixels apart" in found.notes[0]


class Uncountable(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft(x.flatten(1)).abs()


def test_an_operation_that_cannot_be_counted_is_named() -> None:
    found = table(nn.Sequential(nn.Conv2d(1, 1, 1), Uncountable()), (1, 8, 8))
    assert "1: the multiply-adds of _fft_r2c are not counted." in found.notes


def test_shared_layers_count_their_parameters_once_and_their_work_each_time() -> None:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    found = table(nn.Sequential(conv, nn.ReLU(), conv), (4, 6, 6))
    assert [row.parameters for row in found.rows] == [148, 0, 0]
    assert [row.multiply_adds for row in found.rows] == [144 * 36, 0, 144 * 36]
    assert found.rows[2].receptive_field == (5, 5)


def test_a_layer_that_is_never_called_is_named_with_its_parameters() -> None:
    module = Functional()
    module.spare = nn.Linear(7, 3)
    found = table(module, (1, 28, 28))
    assert found.row("spare").parameters == 24
    assert found.parameters == sum(each.numel() for each in module.parameters())
    assert found.notes == ("Not called by themselves, so that only their parameters are known: spare.",)


@pytest.mark.parametrize(
    ("module", "products"),
    [
        (nn.LSTM(5, 7, batch_first=True), 3 * 4 * 7 * (5 + 7)),
        (nn.TransformerEncoderLayer(5, 1, 8, batch_first=True), 3 * (3 * 25 + 2 * 3 * 5 + 25 + 2 * 40)),
        (nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.GELU()), 3 * 40),
    ],
    ids=lambda value: type(value).__name__,
)
def test_modules_without_pictures_are_counted(module: nn.Module, products: int) -> None:
    found = table(module, (3, 5))
    assert found.multiply_adds == products
    assert found.parameters == sum(each.numel() for each in module.parameters())


def test_a_row_of_features_needs_no_picture() -> None:
    found = table(nn.Sequential(nn.Linear(20, 5), nn.ReLU(), nn.Linear(5, 2, bias=False)), (20,))
    assert (found.parameters, found.multiply_adds) == (115, 110)
    assert found.rows[-1].receptive_field == ()


def test_a_generator_grows_a_picture_from_a_row() -> None:
    module = nn.Sequential(nn.Linear(9, 32), nn.Unflatten(1, (2, 4, 4)), nn.ConvTranspose2d(2, 1, 4, 2, 1))
    assert table(module, (9,)).rows[-1].output_shape == (1, 8, 8)


def test_the_module_stays_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Dropout()))
    module[2].eval()
    state = {name: (each, each.clone()) for name, each in [*module.named_parameters(), *module.named_buffers()]}
    with pytest.raises(ValueError, match="spans"):
        table(module, (1, 2, 2))
    table(module, (1, 9, 9))
    assert [each.training for each in module.modules()] == [True, True, True, False, False]
    for name, each in [*module.named_parameters(), *module.named_buffers()]:
        before, values = state[name]
        assert each is before and torch.equal(each, values)
        assert each.device.type == "cpu" and each.grad is None
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in module.modules())


def test_double_precision_and_frozen_parameters_are_no_obstacle() -> None:
    module = Functional().double().requires_grad_(False)
    assert table(module, (1, 28, 28)).multiply_adds == 117_600 + 240_000 + 4_000
    assert not any(each.requires_grad for each in module.parameters())


class Peeking(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.MaxPool2d(4, padding=1))),
            (1, 3, 9),
            r"^1\.0 \(MaxPool2d\) cannot run on an input of shape \(2, 1, 7\): "
            r"The kernel spans 4 pixels and the padded input has only 3: pad more",
        ),
        (nn.Conv1d(1, 1, 3, dilation=3), (1, 6), r"^Conv1d .*\(1, 6\): The kernel spans 7 pixels"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(9, 2)),
            (1, 3, 4),
            r"^1 \(Linear\) .* shape \(12,\): .*for 9 features, and gets 12",
        ),
        (nn.Conv2d(3, 2, 1), (1, 4, 4), r"^Conv2d .* shape \(1, 4, 4\): .*for 3 channels, and gets 1\."),
        (nn.Sequential(Peeking()), (1, 4, 4), r"^0 \(Peeking\) .*must not look at a value"),
    ],
)
def test_an_error_names_the_layer_the_shape_and_the_reason(
    module: nn.Module, shape: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(module, shape)
