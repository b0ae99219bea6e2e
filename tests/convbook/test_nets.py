"""The networks against torchvision's, and against the figures that their papers print."""

from collections.abc import Callable, Iterator

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convbook import nets
from convbook.shapes import Table, table

pytestmark = pytest.mark.usefixtures("one_thread")

RESNETS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


def without_memory(make: Callable[..., nn.Module], *args: object, **settings: object) -> nn.Module:
    with torch.device("meta"):
        return make(*args, **settings)


def table_of(name: str, **settings: object) -> Table:
    return table(without_memory(getattr(nets, name), **settings), (3, 224, 224))


@pytest.fixture
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(20261121)
        yield


def pair(name: str, dtype: torch.dtype, **settings: object) -> tuple[nn.Module, nn.Module]:
    """Our network and torchvision's with the same random weights, and running statistics as after some training."""
    theirs = getattr(torchvision.models, name)(weights=None, num_classes=7)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    with torch.device("meta"):
        ours = getattr(nets, name)(7, **settings)
    ours.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    return ours.to(dtype), theirs.to(dtype)


def to_strides_of_the_paper(theirs: nn.Module) -> None:
    """Move torchvision's stride from the 3×3 to the first 1×1 convolution of each bottleneck."""
    for block in theirs.modules():
        if isinstance(block, torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride


def close(ours: Tensor, theirs: Tensor, tolerance: float) -> bool:
    return bool((ours - theirs).abs().max() <= tolerance * theirs.abs().max())


# ---- torchvision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RESNETS)
def test_the_state_dict_has_the_names_shapes_and_order_of_torchvisions(name: str) -> None:
    ours = without_memory(getattr(nets, name)).state_dict()
    theirs = without_memory(getattr(torchvision.models, name), weights=None).state_dict()
    assert [(key, value.shape, value.dtype) for key, value in ours.items()] == [
        (key, value.shape, value.dtype) for key, value in theirs.items()
    ]


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(
    ("name", "stride_on"), [("resnet18", "3x3"), ("resnet34", "1x1"), ("resnet50", "1x1"), ("resnet50", "3x3")]
)
def test_with_torchvisions_weights_it_gives_torchvisions_scores_to_double_precision(name: str, stride_on: str) -> None:
    ours, theirs = pair(name, torch.float64, stride_on=stride_on)
    if stride_on == "1x1":
        to_strides_of_the_paper(theirs)
    x = torch.randn(1, 3, 39, 33, dtype=torch.float64)
    with torch.no_grad():
        assert close(ours.eval()(x), theirs.eval()(x), 1e-12)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("name", RESNETS[3:])
def test_with_torchvisions_weights_it_gives_torchvisions_scores_to_single_precision(name: str) -> None:
    ours, theirs = pair(name, torch.float32)
    x = torch.randn(1, 3, 40, 40)
    with torch.no_grad():
        assert close(ours.eval()(x), theirs.eval()(x), 1e-5)


@pytest.mark.usefixtures("seeded")
def test_weights_of_the_other_stride_placement_load_without_a_word_and_give_other_scores() -> None:
    ours, theirs = pair("resnet50", torch.float32, stride_on="1x1")
    x = torch.randn(1, 3, 40, 40)
    with torch.no_grad():
        assert not close(ours.eval()(x), theirs.eval()(x), 0.01)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_step_of_training_has_torchvisions_gradients_and_running_statistics(name: str) -> None:
    ours, theirs = pair(name, torch.float64)
    # Weights are shared until here; running statistics must not be.
    ours.load_state_dict({key: value.clone() for key, value in theirs.state_dict().items()}, assign=True)
    x, labels = torch.randn(2, 3, 33, 33, dtype=torch.float64), torch.tensor([0, 6])
    for network in (ours, theirs):
        nn.functional.cross_entropy(network.train()(x), labels).backward()
    gradients = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        assert close(parameter.grad, gradients[key].grad, 1e-9), key
    for (key, mine), other in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        assert close(mine.double(), other.double(), 1e-12), key


@pytest.mark.usefixtures("seeded")
def test_it_starts_from_the_distribution_that_torchvision_starts_from() -> None:
    ours, theirs = nets.resnet18(zero_init_residual=True), torchvision.models.resnet18(zero_init_residual=True)
    others = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        if parameter.dim() == 1 and not key.startswith("fc"):
            assert torch.equal(parameter, others[key]), key
        elif parameter.numel() > 5000:
            assert parameter.std().item() == pytest.approx(others[key].std().item(), rel=0.05), key


# ---- the paper's figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "printed", "giga", "torchvisions", "parameters"),
    [
        # Table 1 of He et al. (2016) prints multiply-adds as "FLOPs"; ours count the projections too.
        ("resnet18", 1.8, 1.814, 1.814, 11_689_512),
        ("resnet34", 3.6, 3.664, 3.664, 21_797_672),
        ("resnet50", 3.8, 3.858, 4.089, 25_557_032),
        ("resnet101", 7.6, 7.570, 7.801, 44_549_160),
        ("resnet152", 11.3, 11.282, 11.514, 60_192_808),
    ],
)
def test_the_table_of_imagenet_networks(
    name: str, printed: float, giga: float, torchvisions: float, parameters: int
) -> None:
    paper, today = table_of(name, stride_on="1x1"), table_of(name)
    assert (round(paper.multiply_adds / 1e9, 3), round(today.multiply_adds / 1e9, 3)) == (giga, torchvisions)
    assert abs(paper.multiply_adds / 1e9 - printed) < 0.07
    assert paper.parameters == today.parameters == parameters
    assert paper.notes == today.notes == ()
    layers = [row for row in paper.rows if row.kind in ("Conv2d", "Linear") and "downsample" not in row.name]
    assert len(layers) == int(name.removeprefix("resnet")), "poolings and projections are not counted"


@pytest.mark.parametrize(
    ("name", "paper", "today"), [("resnet50", 483, 427), ("resnet101", 1027, 971), ("resnet152", 1507, 1451)]
)
def test_receptive_fields_are_those_of_araujo_et_al(name: str, paper: int, today: int) -> None:
    # Araujo et al. (2019), table 1, for the original strides, at the last convolutional map.
    assert receptive_field(table_of(name, stride_on="1x1")) == paper
    assert receptive_field(table_of(name)) == today


def receptive_field(network: Table) -> int:
    before_pooling = network.rows[network.rows.index(network.row("avgpool")) - 1]
    rows, columns = before_pooling.receptive_field
    assert rows == columns and before_pooling.output_shape[1:] == (7, 7)
    return rows


def test_the_fifty_layers_of_resnet_50_are_49_convolutions_and_one_dense_layer() -> None:
    convolutions = [row for row in table_of("resnet50").rows if row.kind == "Conv2d"]
    assert len(convolutions) == 53
    assert sum("downsample" in row.name for row in convolutions) == 4


@pytest.mark.parametrize(
    ("depth", "millions", "parameters"),
    [
        # Table 6 of He et al. (2016).
        (20, "0.27", 269_722),
        (32, "0.46", 464_154),
        (44, "0.66", 658_586),
        (56, "0.85", 853_018),
        (110, "1.7", 1_727_962),
        (1202, "19.4", 19_421_274),
    ],
)
def test_the_table_of_cifar_networks(depth: int, millions: str, parameters: int) -> None:
    network = without_memory(nets.resnet_cifar, depth)
    assert sum(each.numel() for each in network.parameters()) == parameters
    digits = len(millions.split(".")[1])
    assert f"{parameters / 1e6:.{digits}f}" == millions
    weighted = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


def test_the_stages_of_a_cifar_network_are_those_of_section_4_2() -> None:
    found = table(without_memory(nets.resnet_cifar, 20), (3, 32, 32))
    shapes = [row.output_shape for row in found.rows if row.kind == "Conv2d"]
    assert shapes == [(16, 32, 32)] * 7 + [(32, 16, 16)] * 6 + [(64, 8, 8)] * 6
    assert found.rows[-1].output_shape == (10,)


# ---- what chapters vary ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("seeded")
def test_a_plain_network_is_the_residual_one_without_its_skips() -> None:
    residual, plain = nets.resnet_cifar(20).eval(), nets.plain_cifar(20).eval()
    assert plain.load_state_dict(residual.state_dict()).missing_keys == []
    x = torch.randn(2, 3, 32, 32)
    assert not torch.equal(plain(x), residual(x))
    for block in residual.modules():
        if isinstance(block, nets.BasicBlock):
            block.downsample = None
    assert torch.equal(plain(x), residual(x))


def test_a_plain_imagenet_network_loses_its_projections_only() -> None:
    residual = without_memory(nets.resnet34).state_dict()
    plain = without_memory(nets.resnet34, skip=False).state_dict()
    assert [key for key in residual if "downsample" not in key] == list(plain)


def test_option_a_takes_every_other_pixel_and_adds_channels_of_zeros() -> None:
    x = torch.arange(2 * 5 * 4.0).reshape(1, 2, 5, 4)
    y = nets.PaddedShortcut(3, 2)(x)
    assert y.shape == (1, 5, 3, 2)
    assert torch.equal(y[:, :2], x[:, :, ::2, ::2])
    assert not y[:, 2:].any()


def test_option_b_projects_where_shapes_change() -> None:
    network = without_memory(nets.resnet_cifar, 20, shortcut="B")
    assert sum(each.numel() for each in network.parameters()) == 269_722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    projections = [name for name, _ in network.named_parameters() if "downsample.0" in name]
    assert projections == ["layer2.0.downsample.0.weight", "layer3.0.downsample.0.weight"]


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("block", [nets.BasicBlock, nets.Bottleneck])
def test_with_zero_init_a_block_starts_as_the_identity_on_what_a_relu_gave(norm: str, block: type[nn.Module]) -> None:
    make = nets.resnet18 if block is nets.BasicBlock else nets.resnet50
    network = make(norm=norm, zero_init_residual=True).eval()
    x = torch.randn(1, 64 * block.expansion, 6, 6).relu()
    assert torch.equal(network.layer1[1](x), x)
    assert not torch.equal(make(norm=norm).eval().layer1[1](x), x)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("activation", nets.ACTIVATIONS)
@pytest.mark.parametrize("norm", nets.NORMS)
def test_every_norm_and_activation_trains_every_parameter(norm: str, activation: str) -> None:
    chosen = {"norm": norm, "activation": activation}
    for network, channels, size in (
        (nets.lenet(**chosen), 1, 28),
        (nets.plain_cifar(8, width=4, in_channels=1, **chosen), 1, 28),
        (nets.resnet_cifar(8, width=4, shortcut="B", **chosen), 3, 32),
    ):
        network(torch.randn(3, channels, size, size)).square().sum().backward()
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        kinds = {type(each) for each in network.modules()}
        assert (nn.BatchNorm2d in kinds, nn.GroupNorm in kinds) == (norm == "batch", norm == "group")
        biased = {each.bias is not None for each in network.modules() if isinstance(each, nn.Conv2d)}
        assert biased == {norm == "none"}, "a norm would take the bias away"


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("small", lambda fan_in, fan_out: 0.01),
        ("xavier", lambda fan_in, fan_out: (2 / (fan_in + fan_out)) ** 0.5),
        ("he", lambda fan_in, fan_out: (2 / fan_in) ** 0.5),
        ("orthogonal", None),
        ("zeros", lambda fan_in, fan_out: 0),
    ],
)
def test_weights_start_as_their_papers_say(name: str, gain: Callable[[int, int], float] | None) -> None:
    network = nets.lenet(norm="batch")
    nn.init.constant_(network.norm1.weight, 3.0)
    assert nets.initialize(network, name) is network and name in nets.INITIALIZATIONS
    assert network.norm1.weight.eq(3).all()
    for layer in (network.conv2, network.fc1, network.fc2):
        rows = layer.weight.detach().flatten(1)
        assert layer.bias is None or not layer.bias.any()
        if gain is None:
            assert close(rows @ rows.T, torch.eye(len(rows)), 1e-5)
        else:
            # A filter's inputs are its fan in; each input goes to as many outputs as there are filters times pixels.
            expected = gain(rows.shape[1], len(rows) * rows.shape[1] // layer.weight.shape[1])
            assert rows.std().item() == pytest.approx(expected, rel=0.05)


@pytest.mark.usefixtures("seeded")
def test_the_default_start_leaves_a_network_as_it_was_made() -> None:
    network = nets.lenet()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert all(value.equal(before[key]) for key, value in nets.initialize(network, "default").state_dict().items())


@pytest.mark.parametrize(("channels", "groups"), [(1, 1), (2, 1), (6, 3), (16, 8), (64, 32), (72, 24), (2048, 32)])
def test_group_norm_has_32_groups_or_two_channels_a_group(channels: int, groups: int) -> None:
    assert nets.NORMS["group"](channels).num_groups == groups


def test_lenet_has_the_layers_of_lenet_5() -> None:
    found = table(nets.lenet(), (1, 28, 28))
    assert found.parameters == 61_706
    assert [row.output_shape for row in found.rows if row.parameters or row.kernel] == [
        *((6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)),
        *((120,), (84,), (10,)),
    ]
    # LeCun et al. (1998), section II.B, counts C1, C5 and F6 as we do.
    assert [found.row(name).parameters for name in ("conv1", "fc1", "fc2")] == [156, 48_120, 10_164]


@pytest.mark.usefixtures("seeded")
def test_lenet_of_1998_averages_and_saturates() -> None:
    network = nets.lenet(activation="tanh", pool="avg")
    kinds = [type(each) for each in network]
    assert (kinds.count(nn.Tanh), kinds.count(nn.AvgPool2d)) == (4, 2)
    assert not {nn.ReLU, nn.MaxPool2d} & set(kinds)
    assert network(torch.randn(5, 1, 28, 28)).shape == (5, 10)


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (nets.resnet_cifar, {"depth": 21}, "depth is 21; it must be 6n [+] 2"),
        (nets.plain_cifar, {"depth": 2}, "depth is 2; it must be 6n [+] 2"),
        (nets.resnet_cifar, {"norm": "layer"}, "norm is 'layer'; choose one of: batch, group, none"),
        (nets.resnet_cifar, {"shortcut": "C"}, "shortcut is 'C'; choose one of: A, B"),
        (nets.resnet18, {"activation": "ReLU"}, "activation is 'ReLU'; choose one of: relu, leaky_relu"),
        (nets.resnet50, {"stride_on": "2x2"}, "stride_on is '2x2'; choose one of: 1x1, 3x3"),
        (nets.resnet18, {"norm": "none", "zero_init_residual": True}, "zero_init_residual needs a norm"),
        (nets.resnet18, {"skip": False, "zero_init_residual": True}, "and skips"),
        (nets.lenet, {"pool": "median"}, "pool is 'median'; choose one of: max, avg"),
        (
            lambda: nets.initialize(nets.lenet(), "He"),
            {},
            "initialization is 'He'; choose one of: default, zeros, small",
        ),
    ],
)
def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(
    make: Callable[..., nn.Module], settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        without_memory(make, **settings)
