"""LeNet, after LeCun et al. (1998), "Gradient-based learning applied to document recognition", section II.B."""

from torch import nn

from convbook.nets.parts import Parts, one_of

POOLS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


def lenet(
    num_classes: int = 10,
    *,
    in_channels: int = 1,
    activation: str = "relu",
    pool: str = "max",
    norm: str = "none",
) -> nn.Sequential:
    """LeNet for pictures of 28×28 pixels: (N, in_channels, 28, 28) to scores (N, num_classes), 61,706 parameters.

    The layers and their sizes are those of LeNet-5. As in most courses, the picture is padded from 28×28 to the
    paper's 32×32, and left out are the paper's partial connections of the second convolution, the two learned
    numbers a channel of its poolings and its radial output units. Activation and pooling are today's;
    `lenet(activation="tanh", pool="avg")` is nearer to 1998.

    Args:
        num_classes: how many scores come out.
        in_channels: 1 for gray pictures, 3 for color.
        activation: a name in ACTIVATIONS.
        pool: "max" or "avg".
        norm: after each convolution, a name in NORMS.

    Raises:
        ValueError: an unknown name.
    """
    one_of(POOLS, pool=pool)
    parts = Parts(norm, activation)
    layers = {
        "conv1": parts.conv(in_channels, 6, 5, padding=2),  # (6, 28, 28)
        "norm1": parts.normalize(6),
        "activation1": parts.activate(),
        "pool1": POOLS[pool](2),  # (6, 14, 14)
        "conv2": parts.conv(6, 16, 5),  # (16, 10, 10)
        "norm2": parts.normalize(16),
        "activation2": parts.activate(),
        "pool2": POOLS[pool](2),  # (16, 5, 5)
        "flatten": nn.Flatten(),  # 400
        "fc1": nn.Linear(16 * 5 * 5, 120),
        "activation3": parts.activate(),
        "fc2": nn.Linear(120, 84),
        "activation4": parts.activate(),
        "fc3": nn.Linear(84, num_classes),
    }
    network = nn.Sequential()
    for name, layer in layers.items():
        if not isinstance(layer, nn.Identity):
            network.add_module(name, layer)
    return network
