"""Gains and ripple against constants pushed through torch."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_torch import constant_response, gains_by_constants, shuffle_by_loops
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    bias_spread,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize_conv,
    gain_spread,
    phase_gains,
    phase_sums,
    ripple_amplitude,
    visible_ripple,
)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(len(shape)))


def test_gains_equal_constants_pushed_through_a_transposed_convolution():
    weight, bias = random(4, 3, 5, 4), random(6)

    def layer(x):
        return F.conv_transpose2d(x, weight, bias, (2, 3), (1, 2), (1, 0), 2, (1, 2))

    kernel = from_conv_transpose(weight, bias, (2, 3), (1, 2), (1, 0), (1, 2), 2)
    expected = gains_by_constants(layer, 4, (9, 9), (2, 3), (8, 11))
    torch.testing.assert_close(phase_gains(kernel), expected, rtol=0, atol=1e-13)
    mean = random(4)
    x = mean[None, :, None, None].expand(1, 4, 9, 9)
    pixels = layer(x)[0, :, 8:10, 12:15]
    torch.testing.assert_close(visible_ripple(kernel, mean), pixels, rtol=0, atol=1e-13)


def test_gains_and_ripple_of_a_sub_pixel_convolution_carry_the_bias_per_phase():
    weight, bias = random(12, 3, 3, 3), random(12)
    kernel = from_pixel_shuffle(weight, bias, (3, 2), 1)

    def layer(x):
        return shuffle_by_loops(F.conv2d(x, weight, bias, padding=1), (3, 2))

    expected = gains_by_constants(layer, 3, (6, 6), (3, 2), (6, 6))
    torch.testing.assert_close(phase_gains(kernel), expected, rtol=0, atol=1e-13)
    zero = constant_response(layer, 3, (6, 6))[:, 6:9, 6:8]
    torch.testing.assert_close(visible_ripple(kernel, torch.zeros(3)), zero, rtol=0, atol=1e-13)
    assert bias_spread(kernel) > 0.1


def test_gains_in_three_dimensions():
    weight = random(2, 1, 3, 2, 5)
    kernel = from_conv_transpose(weight, None, (2, 2, 3), (1, 0, 1))
    expected = gains_by_constants(
        lambda x: F.conv_transpose3d(x, weight, None, (2, 2, 3), (1, 0, 1)),
        2,
        (6, 6, 6),
        (2, 2, 3),
        (5, 5, 7),
    )
    torch.testing.assert_close(phase_gains(kernel), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_convolutions_are_even(mode):
    kernel = from_resize_conv(random(2, 3, 3, 3), random(2), 2, mode, 1)
    assert gain_spread(kernel) < 1e-15
    assert bias_spread(kernel) == 0
    assert float(ripple_amplitude(kernel, random(3)).max()) < 1e-13


def test_spread_by_hand():
    # gains 2 and 1: deviations 1/2 each, so sqrt(1/2) / sqrt(5)
    kernel = from_conv_transpose(torch.ones(1, 1, 3), None, 2)
    assert gain_spread(kernel) == pytest.approx(math.sqrt(0.1), rel=0, abs=1e-12)
    opposite = from_conv_transpose(torch.tensor([[[1.0, -1.0]]]), None, 2)
    assert gain_spread(opposite) == 1
    assert gain_spread(from_conv_transpose(torch.zeros(1, 1, 3), None, 2)) == 0


def test_a_phase_without_taps_has_gain_zero():
    assert phase_gains(from_conv_transpose(torch.ones(1, 1, 2), None, 3)).tolist() == [[[1, 1, 0]]]


def test_amplitude_by_hand():
    kernel = from_conv_transpose(torch.ones(1, 1, 3), torch.tensor([5.0]), 2)
    assert visible_ripple(kernel, torch.tensor([4.0])).tolist() == [[13, 9]]
    assert ripple_amplitude(kernel, torch.tensor([4.0])).tolist() == [2]
    assert ripple_amplitude(kernel, torch.tensor([0.0])).tolist() == [0]


@given(k=st.integers(1, 9), s=st.integers(1, 5), o=st.integers(-7, 7), scale=st.floats(0.01, 100))
def test_spread_ignores_scale_and_offset_and_stays_in_range(k, s, o, scale):
    weight = random(2, 2, k)
    spread = gain_spread(PhaseKernel(weight, (s,)))
    moved = gain_spread(PhaseKernel(weight * scale, (s,), offset=(o,)))
    assert 0 <= spread <= 1
    assert moved == pytest.approx(spread, rel=0, abs=1e-12)


@given(k=st.integers(1, 9), s=st.integers(1, 5), o=st.integers(-7, 7))
def test_gains_sum_the_phases(k, s, o):
    kernel = PhaseKernel(random(2, 2, k), (s,), offset=(o,))
    gains = phase_gains(kernel)
    for p in range(s):
        torch.testing.assert_close(gains[..., p], kernel.phase((p,)).sum(-1), rtol=0, atol=1e-13)
    torch.testing.assert_close(gains.sum(-1), kernel.weight.sum(-1), rtol=0, atol=1e-13)


def test_phase_sums_carry_gradients_for_a_penalty():
    weight = random(1, 1, 3).requires_grad_()
    phase_sums(weight, (2,), (0,))[0, 0, 1].backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[[0, 1, 0]]]


def test_one_mean_per_input_channel_is_demanded():
    with pytest.raises(UncheckError, match=r"mean_activation must have shape \(1,\), not \(2,\)"):
        visible_ripple(from_conv_transpose(torch.ones(1, 1, 3), None, 2), torch.ones(2))
