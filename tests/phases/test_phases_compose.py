"""Two kernels in a row are one kernel, biases included."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    compose,
    from_conv,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize,
    from_resize_conv,
    phase_gains,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + len(shape)))


def centre(y: torch.Tensor) -> torch.Tensor:
    """Crop a third off every end: far from the border, where the pair and the composed kernel agree."""
    return y[(..., *(slice(n // 3, n - n // 3) for n in y.shape[2:]))]


@st.composite
def kernels(draw, ndim: int, out: int, channels: int) -> PhaseKernel:
    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    k, s = sizes(1, 4), sizes(1, 3)
    bias = draw(st.sampled_from([None, random(out), random(out, *s)]))
    return PhaseKernel(random(out, channels, *k), s, bias, sizes(-2, 2), sizes(-1, 2))


@given(st.data())
def test_composition_equals_application_in_turn(data):
    ndim = data.draw(st.integers(1, 2))
    first, second = data.draw(kernels(ndim, 3, 2)), data.draw(kernels(ndim, 2, 3))
    both = compose(first, second)
    x = random(1, 2, *(24,) * ndim)
    expected = second.apply(first.apply(x))
    result = both.apply(x)
    assert result.shape == expected.shape
    assert centre(expected).numel() > 0
    torch.testing.assert_close(centre(result), centre(expected), rtol=0, atol=1e-12)


def test_composition_in_three_dimensions():
    first = from_pixel_shuffle(random(24, 2, 3, 3, 3), random(24), 2, 1)
    second = from_conv_transpose(random(3, 2, 4, 3, 2), random(2), (2, 3, 1), (1, 0, 0))
    x = random(1, 2, 7, 7, 7)
    expected = second.apply(first.apply(x))
    torch.testing.assert_close(centre(compose(first, second).apply(x)), centre(expected), rtol=0, atol=1e-12)


@given(st.data())
def test_composition_is_associative(data):
    a, b, c = data.draw(kernels(1, 3, 2)), data.draw(kernels(1, 2, 3)), data.draw(kernels(1, 2, 2))
    left, right = compose(compose(a, b), c), compose(a, compose(b, c))
    torch.testing.assert_close(left.weight, right.weight, rtol=0, atol=1e-12)
    torch.testing.assert_close(left.phase_bias(), right.phase_bias(), rtol=0, atol=1e-12)
    assert (left.stride, left.offset, left.margin) == (right.stride, right.offset, right.margin)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_then_convolution_is_the_composition_of_both(mode):
    weight, bias = random(2, 3, 3, 2), random(2)
    direct = from_resize_conv(weight, bias, (2, 3), mode, 1)
    composed = compose(from_resize(3, (2, 3), mode, dtype=torch.float64), from_conv(weight, bias, 1))
    torch.testing.assert_close(direct.weight, composed.weight, rtol=0, atol=1e-13)
    assert (direct.offset, direct.margin) == (composed.offset, composed.margin)


def test_gains_multiply_when_the_first_is_even():
    """Even gains g1 then gains G2: every phase of the pair has gains G2 g1."""
    first = from_resize(1, 2, ndim=1, dtype=torch.float64)
    second = from_conv_transpose(random(1, 1, 3), None, 2)
    torch.testing.assert_close(
        phase_gains(compose(first, second)).flatten(),
        phase_gains(second).flatten().repeat(2),
        rtol=0,
        atol=1e-14,
    )


def test_bias_stays_per_channel_where_it_can():
    conv = from_conv(random(2, 2, 3), random(2), 1)
    assert compose(conv, conv).bias.shape == (2,)
    up = from_conv_transpose(random(2, 2, 4), None, 2, 1)
    assert compose(up, up).bias is None
    assert compose(conv, up).bias.shape == (2, 2)
    assert compose(up, from_conv_transpose(random(2, 2, 4), random(2), 2)).bias.shape == (2,)


def test_taps_of_a_pair_count_reachable_positions_only():
    sparse = from_conv_transpose(random(1, 1, 1), None, 3)
    pair = compose(from_conv_transpose(random(1, 1, 2), None, 2), sparse)
    assert pair.taps.tolist() == [1, 0, 0, 1, 0, 0]
    dilated = from_conv_transpose(random(1, 1, 2), None, 2, dilation=2)
    assert compose(dilated, from_conv(random(1, 1, 1), None)).taps.tolist() == [2, 0]


def test_kernels_that_do_not_fit_are_refused():
    with pytest.raises(UncheckError, match="gives 2 channels on 1 axes, the second takes 3 on 1"):
        compose(from_conv(random(2, 2, 3), None), from_conv(random(2, 3, 3), None))


def test_composition_runs_on_meta():
    one = from_conv_transpose(torch.empty(2, 2, 3, device="meta"), torch.empty(2, device="meta"), 2)
    assert compose(one, one).weight.is_meta
    assert compose(one, one).bias.shape == (2, 4)
