"""Sizes against torch's own convolutions, and `same` against its definition."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convbook.shapes import effective_size, output_size, same_padding, transposed_size

sizes = {"n": st.integers(1, 40), "k": st.integers(1, 9), "stride": st.integers(1, 5), "dilation": st.integers(1, 4)}


def torch_size(n: int, k: int, stride: int, before: int, after: int, dilation: int) -> int:
    x = F.pad(torch.zeros(1, 1, n), (before, after))
    return F.conv1d(x, torch.zeros(1, 1, k), stride=stride, dilation=dilation).shape[-1]


def test_output_size_is_torchs_for_every_small_setting():
    checked = 0
    for n, k, s, p, d in itertools.product(range(1, 9), range(1, 5), range(1, 4), range(4), range(1, 4)):
        if n + 2 * p >= d * (k - 1) + 1:
            assert output_size(n, k, s, p, d) == torch_size(n, k, s, p, p, d), (n, k, s, p, d)
            checked += 1
    assert checked > 700


@given(**sizes, before=st.integers(0, 9), after=st.integers(0, 9))
def test_output_size_counts_the_positions_that_fit(n, k, stride, before, after, dilation):
    padded = n + before + after
    starts = [i for i in range(0, padded, stride) if i + dilation * (k - 1) < padded]
    if starts:
        assert output_size(n, k, stride, (before, after), dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="spans"):
            output_size(n, k, stride, (before, after), dilation)


@given(**sizes)
def test_same_padding_gives_the_ceiling_of_n_over_s(n, k, stride, dilation):
    before, after = same_padding(n, k, stride, dilation)
    assert 0 <= after - before <= 1
    # Where the stride jumps over more than the kernel spans, n pixels are already enough.
    assert output_size(n, k, stride, (before, after), dilation) == -(-n // stride)


@given(n=sizes["n"], k=sizes["k"], dilation=sizes["dilation"])
def test_same_padding_at_stride_1_is_uneven_exactly_when_d_times_k_minus_1_is_odd(n, k, dilation):
    before, after = same_padding(n, k, 1, dilation)
    assert before + after == dilation * (k - 1)
    assert (before != after) == (dilation * (k - 1) % 2 == 1)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("k", "d"), [(2, 1), (3, 1), (2, 2), (4, 1), (4, 3), (5, 2)])
def test_same_padding_at_stride_1_puts_the_extra_pixel_where_torch_does(k, d):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 11, dtype=torch.float64, generator=generator)
    w = torch.randn(1, 1, k, dtype=torch.float64, generator=generator)
    padded = F.pad(x, same_padding(11, k, 1, d))
    torch.testing.assert_close(F.conv1d(padded, w, dilation=d), F.conv1d(x, w, padding="same", dilation=d))


def test_ceil_mode_is_that_of_torchs_poolings():
    checked = ceiled = 0
    for n, k, s, p, d in itertools.product(range(1, 10), range(1, 5), range(1, 5), range(3), range(1, 3)):
        if p > k // 2:
            continue
        try:
            expected = F.max_pool2d(torch.zeros(1, 1, n, 1), (k, 1), (s, 1), (p, 0), (d, 1), ceil_mode=True).shape[2]
        except RuntimeError:
            with pytest.raises(ValueError, match="spans"):
                output_size(n, k, s, p, d, ceil_mode=True)
            continue
        assert output_size(n, k, s, p, d, ceil_mode=True) == expected, (n, k, s, p, d)
        checked += 1
        ceiled += n + 2 * p < d * (k - 1) + 1 or expected != output_size(n, k, s, p, d)
    assert checked > 300 and ceiled > 100


def test_transposed_size_is_torchs_for_every_small_setting():
    checked = 0
    settings = itertools.product(range(1, 6), range(1, 5), range(1, 4), range(3), range(1, 4), range(3))
    for n, k, s, p, d, extra in settings:
        x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
        try:
            expected = F.conv_transpose1d(x, w, None, s, p, extra, 1, d).shape[-1]
        except RuntimeError:
            with pytest.raises(ValueError, match=r"output_padding is|nothing is left"):
                transposed_size(n, k, s, p, d, extra)
            continue
        assert transposed_size(n, k, s, p, d, extra) == expected, (n, k, s, p, d, extra)
        checked += 1
    assert checked > 900


@given(**sizes, padding=st.integers(0, 9))
def test_a_transposed_convolution_gives_the_size_back(n, k, stride, dilation, padding):
    if n + 2 * padding < dilation * (k - 1) + 1:
        return
    lost = (n + 2 * padding - dilation * (k - 1) - 1) % stride
    assert transposed_size(output_size(n, k, stride, padding, dilation), k, stride, padding, dilation, lost) == n


def test_effective_size_counts_from_first_tap_to_last():
    assert [effective_size(3, d) for d in (1, 2, 3)] == [3, 5, 7]
    assert [effective_size(1, d) for d in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0, "k": 1}, "n is 0; it must be at least 1"),
        ({"n": 5, "k": 0}, "k is 0; it must be at least 1"),
        ({"n": 5, "k": 3, "stride": 0}, "stride is 0"),
        ({"n": 5, "k": 3, "dilation": 0}, "dilation is 0"),
        ({"n": 5, "k": 3, "padding": -1}, "padding is -1; it must be at least 0"),
        ({"n": 5, "k": 3, "padding": (2, -1)}, "padding is -1"),
        ({"n": 2, "k": 3}, "spans 3 pixels and the padded input has only 2"),
        ({"n": 4, "k": 3, "dilation": 2}, "spans 5 pixels and the padded input has only 4"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_size(**arguments)


def test_a_setting_that_is_no_whole_number_is_refused_by_its_name():
    with pytest.raises(TypeError, match=r"stride is 1\.5; it must be a whole number"):
        output_size(8, 3, 1.5)
    with pytest.raises(TypeError, match="padding is 'same'"):
        output_size(8, 3, padding="same")
    assert output_size(np.int64(8), np.int32(3)) == 6
