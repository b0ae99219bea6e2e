"""Figures that papers print, worked out from layer lists."""

import pytest

from convbook.shapes import Activation, AdaptivePool, Conv, Dense, Flatten, Norm, Pool, table


def test_lenet_5_has_the_parameters_and_connections_that_its_paper_counts() -> None:
    # LeCun et al. (1998), section II.B: layers C1 to F6. A connection is a multiply-add or a bias.
    rows = table([Conv(6, 5, name="C1"), Pool(2), Conv(16, 5), Pool(2), Conv(120, 5, name="C5")], (1, 32, 32)).rows
    c1, _, c3, s4, c5 = rows
    assert (c1.parameters, c1.multiply_adds + 6 * 28 * 28) == (156, 122_304)
    assert (c5.parameters, c5.multiply_adds + 120) == (48_120, 48_120)
    assert (c3.output_shape, s4.output_shape, c5.output_shape) == ((16, 10, 10), (16, 5, 5), (120, 1, 1))
    assert table([Dense(84)], (120,)).parameters == 10_164
    # C3 connects 6 maps to three of S2's, 9 to four and 1 to all six (its table I).
    partial = [table([Conv(maps, 5)], (inputs, 14, 14)) for maps, inputs in ((6, 3), (9, 4), (1, 6))]
    assert sum(each.parameters for each in partial) == 1516
    assert sum(each.multiply_adds for each in partial) + 16 * 100 == 151_600


def vgg(stages: list[list[int]]) -> list:
    """Stages of convolutions by their kernel sizes, as the columns of table 1 in Simonyan and Zisserman (2015)."""
    layers = []
    for channels, kernels in zip((64, 128, 256, 512, 512), stages, strict=True):
        for k in kernels:
            layers += [Conv(channels, k, padding=k // 2), Activation()]
        layers.append(Pool(2))
    return [*layers, Flatten(), Dense(4096), Activation(), Dense(4096), Activation(), Dense(1000)]


@pytest.mark.parametrize(
    ("column", "stages", "millions"),
    [
        ("A", [[3], [3], [3, 3], [3, 3], [3, 3]], 133),
        ("B", [[3, 3], [3, 3], [3, 3], [3, 3], [3, 3]], 133),
        ("C", [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1]], 134),
        ("D", [[3, 3], [3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]], 138),
        ("E", [[3, 3], [3, 3], [3] * 4, [3] * 4, [3] * 4], 144),
    ],
)
def test_vgg_networks_have_the_parameters_of_table_2(column: str, stages: list[list[int]], millions: int) -> None:
    found = table(vgg(stages), (3, 224, 224))
    assert round(found.parameters / 1e6) == millions
    if column == "D":
        # Araujo et al. (2019), table 1: 212 pixels at the last convolutional map, after its pooling.
        assert found.row("pool5").receptive_field == (212, 212)
        assert (found.parameters, found.multiply_adds) == (138_357_544, 15_470_264_320)


def test_alexnet_has_60_million_parameters_and_sees_195_pixels() -> None:
    # Krizhevsky et al. (2012), section 3.5: 60 million, with its two groups, on 227 pixels.
    two = {"groups": 2}
    convolutions = [
        *(Conv(96, 11, 4), Activation(), Pool(3, 2)),
        *(Conv(256, 5, padding=2, **two), Activation(), Pool(3, 2)),
        *(Conv(384, 3, padding=1), Activation(), Conv(384, 3, padding=1, **two), Activation()),
        *(Conv(256, 3, padding=1, **two), Activation(), Pool(3, 2)),
    ]
    dense = [Flatten(), Dense(4096), Activation(), Dense(4096), Activation(), Dense(1000)]
    found = table(convolutions + dense, (3, 227, 227))
    assert found.row("pool3").output_shape == (256, 6, 6)
    assert found.row("pool3").receptive_field == (195, 195)  # Araujo et al. (2019), table 1
    assert found.parameters == 60_965_224
    neurons = [row.output_shape for row in found.rows if row.kind == "Conv"]
    assert neurons == [(96, 55, 55), (256, 27, 27), (384, 13, 13), (384, 13, 13), (256, 13, 13)]


def test_mobilenet_has_the_multiply_adds_parameters_and_receptive_field_in_print() -> None:
    # Howard et al. (2017), tables 1 and 4: 569 million multiply-adds, 4.2 million parameters.
    layers = [Conv(32, 3, 2, "same", bias=False), Norm(), Activation()]
    channels = 32
    for wider, stride in [
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        *[(512, 1)] * 5,
        (1024, 2),
        (1024, 1),
    ]:
        layers += [Conv(channels, 3, stride, "same", groups=channels, bias=False), Norm(), Activation()]
        layers += [Conv(wider, 1, bias=False), Norm(), Activation()]
        channels = wider
    body = len(layers)
    found = table([*layers, AdaptivePool(), Flatten(), Dense(1000)], (3, 224, 224))
    assert round(found.multiply_adds / 1e6) == 569
    assert round(found.parameters / 1e6, 1) == 4.2
    assert found.rows[body - 1].output_shape == (1024, 7, 7)
    assert found.rows[body - 1].receptive_field == (315, 315)  # Araujo et al. (2019), table 1


def test_one_depthwise_separable_convolution_saves_what_the_paper_says() -> None:
    # Howard et al. (2017), section 3.1: the cost falls to 1/N + 1/k² of the standard convolution's.
    shape = (512, 14, 14)
    standard = table([Conv(512, 3, padding=1)], shape).multiply_adds
    separable = table([Conv(512, 3, padding=1, groups=512), Conv(512, 1)], shape).multiply_adds
    assert separable / standard == pytest.approx(1 / 512 + 1 / 9)


@pytest.mark.parametrize(
    ("layer", "n", "size"),
    [
        # The figures of Dumoulin and Visin (2016), chapters 2 to 4, and the transposes of their settings.
        (Conv(1, 3), 4, 2),
        (Conv(1, 4, padding=2), 5, 6),
        (Conv(1, 3, padding="same"), 5, 5),
        (Conv(1, 3, padding=2), 5, 7),
        (Conv(1, 3, 2), 5, 2),
        (Conv(1, 3, 2, 1), 5, 3),
        (Conv(1, 3, 2, 1), 6, 3),
        (Conv(1, 3, dilation=2), 7, 3),
        (Pool(3, 1), 5, 3),
    ],
)
def test_the_figures_of_dumoulin_and_visin_have_their_sizes(layer: object, n: int, size: int) -> None:
    assert table([layer], (1, n, n)).rows[0].output_shape == (1, size, size)
